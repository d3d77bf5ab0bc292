#pragma once
/// Losses and penalties that are functions of Python.

#include <nanobind/nanobind.h>

namespace attnlaw::python {

void bind_custom(nanobind::module_& module);

}  // namespace attnlaw::python
