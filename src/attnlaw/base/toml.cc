#include "attnlaw/base/toml.h"

// The parser asserts that a key begins with a letter, which is for the document to say; the error is reported right
// after.
// clang-format off
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expr) static_assert(true)
#include <toml++/toml.h>
// clang-format on

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "attnlaw/base/json_text.h"

namespace attnlaw::base {
namespace {

/// Returns the line of a node. Tables that only dotted headers create have none of their own and take their parent's.
int line_of(const toml::node& node, int parent) {
  const auto line = static_cast<int>(node.source().begin.line);
  return line > 0 ? line : parent;
}

TomlValue value_of(const toml::node& node, int parent_line);

std::vector<TomlEntry> entries_of(const toml::table& table, int line) {
  // The library orders keys by name; users want the order of the document.
  std::vector<std::pair<std::tuple<toml::source_index, toml::source_index>, TomlEntry>> found;
  for (const auto& [key, node] : table) {
    const toml::source_position at = key.source().begin;
    found.push_back({{at.line, at.column}, {std::string(key.str()), value_of(node, line)}});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<TomlEntry> entries;
  for (auto& [at, entry] : found) entries.push_back(std::move(entry));
  return entries;
}

TomlValue value_of(const toml::node& node, int parent_line) {
  TomlValue value;
  value.line = line_of(node, parent_line);
  value.kind = TomlValue::Kind::scalar;
  if (const auto* text = node.as_string()) {
    value.scalar = unescaped(text->get());
  } else if (const auto* integer = node.as_integer()) {
    value.scalar = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.scalar = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.scalar = flag->get();
  } else if (const auto* array = node.as_array()) {
    value.kind = TomlValue::Kind::array;
    for (const toml::node& item : *array) value.items.push_back(value_of(item, value.line));
  } else if (const auto* table = node.as_table()) {
    value.kind = TomlValue::Kind::table;
    value.entries = entries_of(*table, value.line);
  } else {
    value.kind = TomlValue::Kind::date;
  }
  return value;
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const TomlEntry& e) { return e.key == key; });
  return entry == entries.end() ? nullptr : &entry->value;
}

std::string TomlValue::described() const {
  switch (kind) {
    case Kind::array:
      return "an array";
    case Kind::table:
      return "a table";
    case Kind::date:
      return "a date";
    case Kind::scalar:
      break;
  }
  return json_text(scalar);
}

TomlValue parse_toml(std::string_view text) {
  try {
    return value_of(toml::parse(text), 1);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    throw TomlError(std::string(error.description()), static_cast<int>(at.line), static_cast<int>(at.column));
  }
}

}  // namespace attnlaw::base
