#pragma once
/// Every operation of the library as a function of Python: options in, an Outcome out.

#include <nanobind/nanobind.h>

namespace attnlaw::python {

void bind_operations(nanobind::module_& module);

}  // namespace attnlaw::python
