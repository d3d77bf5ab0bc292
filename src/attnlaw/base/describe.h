#pragma once
/// The name of base::Description alone, for headers that declare `const base::Description& describe(const S*)` beside a
/// struct S and leave what it holds (base/fields/description.h) to the file that defines it.

namespace attnlaw::base {

struct Description;

}  // namespace attnlaw::base
