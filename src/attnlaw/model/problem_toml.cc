/// TOML is another spelling of the JSON document: the keys and their checks are those of problem.cc.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>
#include <stdexcept>

#include "attnlaw/model/problem.h"

namespace attnlaw::model {
namespace {

nlohmann::json to_json(const std::string& key, const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  throw std::invalid_argument(fmt::format("{} must be a string or a number, got an array, a table or a date", key));
}

}  // namespace

std::string to_toml(const Problem& problem) {
  const nlohmann::json document = to_json(problem);
  toml::table table;
  for (const auto& [key, value] : document.items()) {
    if (value.is_null()) continue;  // TOML has none: a missing key
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
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    throw std::invalid_argument(
        fmt::format("problem in TOML, line {}, column {}: {}", at.line, at.column, error.description()));
  }
  nlohmann::json document = nlohmann::json::object();
  for (const auto& [key, node] : table) document[std::string(key.str())] = to_json(std::string(key.str()), node);
  return document;
}

Problem problem_from_toml(const std::string& text) { return problem_from_json(json_from_toml(text)); }

}  // namespace attnlaw::model
