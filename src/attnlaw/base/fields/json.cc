#include "attnlaw/base/fields/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/base/json_text.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {

using nlohmann::json;

json to_json(const Description& description, const void* object) {
  json document = json::object();
  // Only addresses are asked for.
  for_each_field(description, const_cast<void*>(object), [&](const Field& field, const void* at) {
    if (field.in(at)) document[field.name] = field.get(at);
  });
  return document;
}

void from_json(const json& document, const Description& description, void* object, const std::string& what) {
  const json options = in_snake_case(document, what);
  for (const auto& [name, value] : options.items()) read_entry(name, value, description, object, what);
  for_each_field(description, [&](const Field& field) {
    if (field.about.required && !options.contains(field.name)) throw MissingField(field.name, accepted(field));
  });
}

void read_entry(const std::string& name, const json& value, const Description& description, void* object,
                const std::string& what) {
  std::vector<std::string> names;
  bool taken = false;
  for_each_field(description, object, [&](const Field& field, void* at) {
    if (!field.set || taken) return;
    names.push_back(field.name);
    if ((taken = field.name == name)) field.set(at, value);
  });
  if (!taken) require_known(name, names, what);
}

json in_snake_case(const json& document, const std::string& what) {
  if (!document.is_object()) reject("{} must be an object of options, got {}", what, json_text(document));
  std::set<std::string> seen;
  json spelled = json::object();
  for (const auto& [key, value] : document.items()) spelled[add_name(seen, key)] = value;
  return spelled;
}

json parse_json(const std::string& text) {
  constexpr int kDeepest = 100;              // what people nest; deeper ones would overflow stacks
  std::vector<std::set<std::string>> names;  // of the objects that are open
  const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepest) reject("arrays and objects must not be nested more than {} deep", kDeepest);
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::key) add_name(names.back(), parsed.get<std::string>());
    if (event == json::parse_event_t::object_end) names.pop_back();
    return true;
  };
  try {
    return with_bytes(json::parse(text, look));
  } catch (const json::exception& error) {
    // What stands before it in square brackets is the name of the exception.
    const std::string_view what = error.what();
    const std::size_t name = what.starts_with('[') ? what.find("] ") : std::string_view::npos;
    reject("no JSON: {}", name == std::string_view::npos ? what : what.substr(name + 2));
  }
}

double read_number(const json& value, const std::string& field) {
  if (!value.is_number()) reject("{} must be a number, got {}", field, json_text(value));
  return value.get<double>();
}

void require_integer(const json& value, const std::string& field, double least, double largest) {
  if (!value.is_number_integer()) reject("{} must be an integer, got {}", field, json_text(value));
  // The value is compared as a double, because an unsigned one beyond int64 would wrap.
  const double number = value.get<double>();
  if (number < least && least == 0) reject("{} must be an integer >= 0, got {}", field, json_text(value));
  constexpr double kLargest32 = 4294967296.0;
  if (number < least || number > largest)
    reject("{} must fit in {} bits, got {}", field, largest > kLargest32 ? 64 : 32, json_text(value));
}

bool read_flag(const json& value, const std::string& field) {
  if (!value.is_boolean()) reject("{} must be true or false, got {}", field, json_text(value));
  return value.get<bool>();
}

std::string read_text(const json& value, const std::string& field) {
  if (!value.is_string()) reject("{} must be a string, got {}", field, json_text(value));
  return value.get<std::string>();
}

void require_all_in(const Range& range, const std::string& field, const json& value, bool integer) {
  if (value.is_number()) require_in(range, field, value.get<double>(), integer);
  if (!value.is_array()) return;
  for (const json& item : value) require_all_in(range, field, item, integer);
}

}  // namespace attnlaw::base
