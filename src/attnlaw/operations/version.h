#pragma once
/// `version`: how the program was built, and on what it stands.

#include "attnlaw/base/build.h"
#include "attnlaw/operations/operation.h"

namespace attnlaw::operations {

struct Version {
  using Input = Nothing;
  struct Output {
    base::Build parts;
  };
  static constexpr About about{"version", "build, BLAS kernel and library versions", "attnlaw version --format json"};
  static constexpr bool threaded = false;

  static Output run(const Input& input, const Run& run);
  static view::Result show(const Output& output, const Run& run);
};

const base::Description& describe(const Version::Output*);

}  // namespace attnlaw::operations
