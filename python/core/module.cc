/// The module attnlaw._core: what the Python files of the package stand on.

#include <nanobind/nanobind.h>

#include "custom.h"
#include "errors.h"
#include "laws.h"
#include "operations.h"

NB_MODULE(_core, module) {
  // From 3.12 on Python refuses by itself.
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0)
    throw nanobind::import_error("attnlaw works in the main interpreter of a process alone");
  // What the program that imports this keeps until its end is its own affair, and nothing to print about.
  nanobind::set_leak_warnings(false);
  module.doc() = "The library of attnlaw, as the package needs it.";
  attnlaw::python::bind_errors(module);
  attnlaw::python::bind_operations(module);
  attnlaw::python::bind_laws(module);
  attnlaw::python::bind_custom(module);
}
