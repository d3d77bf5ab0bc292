#include "document.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace attnlaw::python {
namespace {

namespace nb = nanobind;
using nlohmann::json;

nb::object checked(PyObject* object) {
  if (!object) throw nb::python_error();
  return nb::steal(object);
}

nb::object text_to_python(const std::string& text) {
  return checked(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape"));
}

std::string text_from_python(nb::handle text) {
  const nb::object bytes = checked(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape"));
  return {PyBytes_AsString(bytes.ptr()), static_cast<std::size_t>(PyBytes_Size(bytes.ptr()))};
}

json integer_from_python(nb::handle value, const char* what) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
  if (overflow == 0) return number;
  const unsigned long long large = PyLong_AsUnsignedLongLong(value.ptr());
  if (!PyErr_Occurred()) return large;
  PyErr_Clear();
  throw std::invalid_argument(fmt::format("{} must fit in 64 bits, got {}", what, nb::str(value).c_str()));
}

json list_from_python(nb::handle value, const char* what) {
  json list = json::array();
  for (const nb::handle item : nb::iter(value)) list.push_back(from_python(item, what));
  return list;
}

json object_from_python(nb::handle value) {
  json object = json::object();
  for (const auto& [key, item] : nb::borrow<nb::dict>(value)) {
    if (!PyUnicode_Check(key.ptr())) throw std::invalid_argument("names of options are strings");
    const std::string name = text_from_python(key);
    object[name] = from_python(item, name.c_str());
  }
  return object;
}

}  // namespace

nb::object to_python(const json& document) {
  switch (document.type()) {
    case json::value_t::boolean:
      return nb::bool_(document.get<bool>());
    case json::value_t::number_integer:
      return nb::int_(document.get<long long>());
    case json::value_t::number_unsigned:
      return nb::int_(document.get<unsigned long long>());
    case json::value_t::number_float:
      return nb::float_(document.get<double>());
    case json::value_t::string:
      return text_to_python(document.get_ref<const std::string&>());
    case json::value_t::array: {
      nb::list list;
      for (const json& item : document) list.append(to_python(item));
      return list;
    }
    case json::value_t::object: {
      nb::dict object;
      for (const auto& [name, item] : document.items()) object[text_to_python(name)] = to_python(item);
      return object;
    }
    default:
      return nb::none();
  }
}

json from_python(nb::handle value, const char* what) {
  if (value.is_none()) return nullptr;
  if (PyBool_Check(value.ptr())) return value.is(Py_True);
  if (PyLong_Check(value.ptr())) return integer_from_python(value, what);
  if (PyFloat_Check(value.ptr())) return PyFloat_AsDouble(value.ptr());
  if (PyUnicode_Check(value.ptr())) return text_from_python(value);
  if (PyDict_Check(value.ptr())) return object_from_python(value);
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) return list_from_python(value, what);
  // Numbers and arrays of NumPy, and what behaves like them.
  if (nb::hasattr(value, "tolist")) return from_python(value.attr("tolist")(), what);
  if (nb::hasattr(value, "__fspath__")) return from_python(value.attr("__fspath__")(), what);
  throw std::invalid_argument(fmt::format("{} must be a number, a string or a list of them, got {}", what,
                                          nb::repr(value.type().attr("__name__")).c_str()));
}

}  // namespace attnlaw::python
