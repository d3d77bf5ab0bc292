#pragma once
/// Documents (JSON) of the library as values of Python, and back.

#include <nanobind/nanobind.h>

#include <nlohmann/json.hpp>

namespace attnlaw::python {

/// What lists of numbers become, and lists of such lists of one length: lists, or arrays of NumPy that nobody may write
/// to.
enum class Lists { plain, arrays };

/// Objects become dicts, arrays lists, NaN stays NaN. Bytes of file names that are no UTF-8 are escaped as Python does
/// (surrogateescape). Needs the GIL.
nanobind::object to_python(const nlohmann::json& document, Lists lists = Lists::plain);

/// Takes None, bool, int, float, str, paths, lists, tuples, dicts with keys of str, and NumPy's numbers and arrays.
/// Throws std::invalid_argument that names the type of anything else; `what` names the value. Needs the GIL.
nlohmann::json from_python(nanobind::handle value, const char* what);

}  // namespace attnlaw::python
