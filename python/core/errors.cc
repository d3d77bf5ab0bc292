#include "errors.h"

#include <cstring>
#include <exception>

#include "attnlaw/base/file.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/system_file_error.h"

namespace attnlaw::python {

// std::invalid_argument is ValueError and std::bad_alloc MemoryError already.
void bind_errors(nanobind::module_&) {
  nanobind::register_exception_translator([](const std::exception_ptr& error, void*) {
    try {
      std::rethrow_exception(error);
    } catch (const base::SystemFileError& failure) {
      // With its number, OSError makes itself the exception of Python's own functions, as FileNotFoundError.
      const nanobind::object path = nanobind::steal(PyUnicode_DecodeFSDefault(failure.path.c_str()));
      const nanobind::object arguments = nanobind::make_tuple(failure.cause, std::strerror(failure.cause), path);
      PyErr_SetObject(PyExc_OSError, arguments.ptr());
    } catch (const base::FileError& failure) {
      PyErr_SetString(PyExc_OSError, failure.what());
    } catch (const base::MemoryError& failure) {
      PyErr_SetString(PyExc_MemoryError, failure.what());
    }
  });
}

}  // namespace attnlaw::python
