#include "attnlaw/base/fields/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/base/json_text.h"
#include "attnlaw/base/names.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

using nlohmann::json;

std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
}

json item_from_text(const Type& type, const std::string& option, const std::string& text) {
  switch (type.kind) {
    case Kind::number:
      return number_from_text(option, text);
    case Kind::integer:
      if (const auto count = number_in<std::int64_t>(without_plus(text))) return *count;
      if (const auto count = number_in<std::uint64_t>(without_plus(text))) return *count;
      reject("{} takes a whole number, got '{}'", option, text);
    case Kind::choice:
      for (const std::string& choice : type.choices)
        if (choice == text) return text;
      reject("{} takes {}, got '{}'{}", option, fmt::join(type.choices, ", "), text, suggestion(text, type.choices));
    case Kind::value:
      if (const auto count = number_in<std::int64_t>(without_plus(text))) return *count;
      if (const auto number = number_in<double>(without_plus(text))) return *number;
      return text;
    case Kind::list: {
      json list = json::array();
      for (const std::string_view item : split(text, ','))
        list.push_back(item_from_text(*type.item, option, std::string(item)));
      return list;
    }
    case Kind::flag:
      return text != "false";
    case Kind::text:
    case Kind::object:
      break;
  }
  return text;
}

}  // namespace

std::string shown(const json& value, std::string_view separator) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_array()) return json_text(value);
  std::vector<std::string> items;
  for (const json& item : value) items.push_back(shown(item, separator));
  return fmt::format("{}", fmt::join(items, separator));
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string option_name(const Field& field) { return (field.about.positional ? "" : "--") + dashed(field.name); }

std::string value_name(const Field& field) {
  if (!field.about.value_name.empty()) return std::string(field.about.value_name);
  const auto of = [](const Type& type) -> std::string {
    switch (type.kind) {
      case Kind::integer:
        return "N";
      case Kind::choice:
        return fmt::format("{}", fmt::join(type.choices, "|"));
      case Kind::text:
        return "TEXT";
      default:
        return "X";
    }
  };
  if (field.type.kind == Kind::flag) return "";
  if (field.type.kind != Kind::list) return of(field.type);
  const std::string item = of(*field.type.item);
  return fmt::format("{0}[,{0}...]", item);
}

json from_text(const Field& field, const std::string& text) {
  return item_from_text(field.type, option_name(field), text);
}

std::optional<std::string> default_text(const Field& field, const json& defaults) {
  if (!field.about.otherwise.empty()) return std::string(field.about.otherwise);
  const auto found = defaults.find(field.name);
  if (found == defaults.end() || field.type.kind == Kind::flag) return std::nullopt;
  if (found->is_null() || (found->is_string() && found->get<std::string>().empty()) ||
      (found->is_array() && found->empty()))
    return std::nullopt;
  return shown(*found);
}

std::string help(const Field& field, const json& defaults) {
  if (field.about.required) return fmt::format("{} (required)", field.about.doc);
  if (field.about.otherwise.starts_with("required"))
    return fmt::format("{} ({})", field.about.doc, field.about.otherwise);
  const auto value = default_text(field, defaults);
  return value ? fmt::format("{} (default {})", field.about.doc, *value) : std::string(field.about.doc);
}

double number_from_text(std::string_view what, std::string_view text) {
  if (const auto number = number_in<double>(without_plus(text))) return *number;
  reject("{} takes a number, got '{}'", what, text);
}

int integer_from_text(std::string_view what, std::string_view text) {
  if (const auto number = number_in<int>(without_plus(text))) return *number;
  reject("{} takes a whole number, got '{}'", what, text);
}

}  // namespace attnlaw::base
