#include "attnlaw/base/fields/json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

using nlohmann::json;

void write(const Description& description, const void* object, json& document) {
  for (const Field& field : description.fields) {
    if (field.present && !field.present(object)) continue;
    if (field.nesting == Nesting::flat)
      // The cast is harmless: part() only computes an address.
      write(field.type.object(), field.part(const_cast<void*>(object)), document);
    else
      document[field.name] = field.get(object);
  }
}

/// Stores a value in the field of this name, here or in a flat part; returns false if there is none.
bool take(const Description& description, void* object, const std::string& name, const json& value) {
  for (const Field& field : description.fields) {
    if (field.nesting == Nesting::flat) {
      if (field.present && !field.present(object)) continue;
      if (take(field.type.object(), field.part(object), name, value)) return true;
    } else if (field.name == name && (field.set || field.part)) {
      if (field.set)
        field.set(object, value);
      else
        from_json(value, field.type.object(), field.part(object), field.name);
      return true;
    }
  }
  return false;
}

}  // namespace

json to_json(const Description& description, const void* object) {
  json document = json::object();
  write(description, object, document);
  return document;
}

void from_json(const json& document, const Description& description, void* object, const std::string& what) {
  if (!document.is_object()) reject("{} must be an object of options, got {}", what, document.dump());
  std::set<std::string> seen;
  for (const auto& [key, value] : document.items()) {
    if (!seen.insert(snake_case(key)).second)
      reject("{} stands in {} twice, with dashes and with underscores", snake_case(key), what);
    if (!take(description, object, snake_case(key), value)) {
      const std::vector<std::string> names = field_names(description);
      reject("unknown key '{}' in {}; accepted: {}{}", key, what, fmt::join(names, ", "), suggestion(key, names));
    }
  }
  for_each_field(description, [&](const Field& field) {
    if (!field.about.required) return;
    for (const auto& [key, value] : document.items())
      if (snake_case(key) == field.name) return;
    throw MissingField(field.name, accepted(field));
  });
}

double read_number(const json& value, const std::string& field) {
  if (!value.is_number()) reject("{} must be a number, got {}", field, value.dump());
  return value.get<double>();
}

void require_integer(const json& value, const std::string& field, double least, double largest) {
  if (!value.is_number_integer()) reject("{} must be an integer, got {}", field, value.dump());
  // The value is compared as a double, because an unsigned one beyond int64 would wrap.
  const double number = value.get<double>();
  if (number < least && least == 0) reject("{} must be an integer >= 0, got {}", field, value.dump());
  constexpr double kLargest32 = 4294967296.0;
  if (number < least || number > largest)
    reject("{} must fit in {} bits, got {}", field, largest > kLargest32 ? 64 : 32, value.dump());
}

bool read_flag(const json& value, const std::string& field) {
  if (!value.is_boolean()) reject("{} must be true or false, got {}", field, value.dump());
  return value.get<bool>();
}

std::string read_text(const json& value, const std::string& field) {
  if (!value.is_string()) reject("{} must be a string, got {}", field, value.dump());
  return value.get<std::string>();
}

void require_all_in(const Range& range, const std::string& field, const json& value, bool integer) {
  if (value.is_number()) require_in(range, field, value.get<double>(), integer);
  if (!value.is_array()) return;
  for (const json& item : value) require_all_in(range, field, item, integer);
}

}  // namespace attnlaw::base
