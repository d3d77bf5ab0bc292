#include "document.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

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

bool all_of(const json& list, bool (*is)(const json&)) {
  return !list.empty() && std::all_of(list.begin(), list.end(), is);
}

bool is_number(const json& item) { return item.is_number(); }
bool is_integer(const json& item) { return item.is_number_integer(); }

/// A list of numbers, or of lists of them of one length, as an array that nobody may write to; it owns its memory. None
/// for all other lists.
template <class T>
nb::object array_of(const std::vector<const json*>& rows, std::vector<std::size_t> shape) {
  auto numbers = std::make_unique<std::vector<T>>();
  numbers->reserve(rows.size() * shape.back());
  for (const json* row : rows)
    for (const json& item : *row) numbers->push_back(item.get<T>());
  const T* data = numbers->data();
  const nb::capsule owner(numbers.release(), [](void* held) noexcept { delete static_cast<std::vector<T>*>(held); });
  return nb::cast(nb::ndarray<nb::numpy, const T>(data, shape.size(), shape.data(), owner));
}

nb::object array_or_none(const json& list) {
  std::vector<const json*> rows;
  std::vector<std::size_t> shape{list.size()};
  if (all_of(list, is_number)) {
    rows.push_back(&list);
  } else if (all_of(list, [](const json& row) { return row.is_array() && all_of(row, is_number); })) {
    for (const json& row : list) rows.push_back(&row);
    shape.push_back(rows.front()->size());
  }
  const auto whole = [](const json* row) { return all_of(*row, is_integer); };
  const bool rectangular =
      std::all_of(rows.begin(), rows.end(), [&](const json* row) { return row->size() == shape.back(); });
  if (rows.empty() || !rectangular) return nb::none();
  return std::all_of(rows.begin(), rows.end(), whole) ? array_of<std::int64_t>(rows, shape)
                                                      : array_of<double>(rows, shape);
}

}  // namespace

nb::object to_python(const json& document, Lists lists) {
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
      if (lists == Lists::arrays)
        if (nb::object array = array_or_none(document); !array.is_none()) return array;
      nb::list list;
      for (const json& item : document) list.append(to_python(item, lists));
      return list;
    }
    case json::value_t::object: {
      nb::dict object;
      for (const auto& [name, item] : document.items()) object[text_to_python(name)] = to_python(item, lists);
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
