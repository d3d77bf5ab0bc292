#pragma once
/// Exceptions of the library as exceptions of Python.

#include <nanobind/nanobind.h>

namespace attnlaw::python {

/// attnlaw.OptionError for options that are not accepted; OSError for files; MemoryError.
void bind_errors(nanobind::module_& module);

}  // namespace attnlaw::python
