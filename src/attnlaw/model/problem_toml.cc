/// TOML is another spelling of the JSON document: the keys and their checks are those of problem_fields.cc.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "attnlaw/base/json_text.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/toml.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/model/problem_file.h"

namespace attnlaw::model {
namespace {

/// A scalar, or an array of them, is written as in JSON, but for the numbers that JSON has not: inf and nan.
std::string toml_text(const nlohmann::json& value) {
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const nlohmann::json& item : value) items.push_back(toml_text(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return fmt::format("{}", value.get<double>());
  return base::json_text(value);
}

}  // namespace

std::string to_toml(const Problem& problem) { return toml_of(to_json(problem)); }

std::string toml_of(const nlohmann::json& document) {
  std::string text;
  for (const auto& [key, value] : document.items())
    // TOML has no null: the key is left out.
    if (!value.is_null() && !value.is_object()) text += key + " = " + toml_text(value) + "\n";
  return text;
}

nlohmann::json json_from_toml(const std::string& text) {
  base::TomlValue table;
  try {
    table = base::parse_toml(text);
  } catch (const base::TomlError& error) {
    base::reject("problem in TOML, line {}, column {}: {}", error.line, error.column, error.what());
  }
  nlohmann::json document = nlohmann::json::object();
  for (const auto& [key, value] : table.entries) {
    if (value.is_array())
      base::reject("{} must be a string or a number, got an array{}", key,
                   key == "tokens" ? "; two numbers stand in a string, as \"2,3\"" : "");
    if (!value.is_scalar()) base::reject("{} must be a string or a number, got {}", key, value.described());
    document[key] = value.scalar;
  }
  return document;
}

Problem problem_from_toml(const std::string& text) { return problem_from_json(json_from_toml(text)); }

}  // namespace attnlaw::model
