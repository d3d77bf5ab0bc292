/// TOML is another spelling of the JSON document: the keys and their checks are those of problem_fields.cc.
#include <toml++/toml.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "attnlaw/base/reject.h"
#include "attnlaw/base/toml.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::model {
std::string to_toml(const Problem& problem) {
  const nlohmann::json document = to_json(problem);
  toml::table table;
  for (const auto& [key, value] : document.items()) {
    if (value.is_null()) continue;  // TOML has no null: the key is left out
    if (value.is_string()) {
      table.insert(key, value.get<std::string>());
    } else if (value.is_number_integer()) {
      table.insert(key, value.get<std::int64_t>());
    } else {
      table.insert(key, value.get<double>());
    }
  }
  std::ostringstream text;
  text << table << '\n';
  return std::move(text).str();
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
