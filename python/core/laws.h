#pragma once
/// Laws of large random matrices as objects of Python, vectorised over NumPy arrays.

#include <nanobind/nanobind.h>

namespace attnlaw::python {

void bind_laws(nanobind::module_& module);

}  // namespace attnlaw::python
