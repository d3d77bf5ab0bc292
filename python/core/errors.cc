#include "errors.h"

#include <exception>

#include "attnlaw/base/file.h"
#include "attnlaw/base/memory.h"

namespace attnlaw::python {

// std::invalid_argument is ValueError and std::bad_alloc MemoryError already.
void bind_errors(nanobind::module_&) {
  nanobind::register_exception_translator([](const std::exception_ptr& error, void*) {
    try {
      std::rethrow_exception(error);
    } catch (const base::FileError& failure) {
      PyErr_SetString(PyExc_OSError, failure.what());
    } catch (const base::MemoryError& failure) {
      PyErr_SetString(PyExc_MemoryError, failure.what());
    }
  });
}

}  // namespace attnlaw::python
