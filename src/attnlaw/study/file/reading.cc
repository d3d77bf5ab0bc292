#include "attnlaw/study/file/reading.h"

#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/base/fields/json.h"
#include "attnlaw/base/names.h"

namespace attnlaw::study {

using base::TomlValue;
using Json = nlohmann::json;

namespace {

/// The scalar or the list of them, as documents have it.
Json json_of(const SourceFile& file, const std::string& key, const base::Field& field, const TomlValue& value) {
  if (value.is_scalar()) return value.scalar;
  if (!value.is_array()) file.reject(value.line, "{} must be {}, got {}", key, accepted(field), value.described());
  Json list = Json::array();
  for (const TomlValue& item : value.items) list.push_back(json_of(file, key, field, item));
  return list;
}

}  // namespace

TomlValue parse_document(const SourceFile& file, const std::string& text) {
  try {
    return base::parse_toml(text);
  } catch (const base::TomlError& error) {
    file.reject(error.line, "column {}: {}", error.column, error.what());
  }
}

void spell_in_snake_case(const SourceFile& file, TomlValue& value) {
  std::set<std::string> seen;
  for (auto& [key, inner] : value.entries) {
    key = file.placed(inner.line, "", [&seen, &name = key] { return base::add_name(seen, name); });
    spell_in_snake_case(file, inner);
  }
  for (TomlValue& item : value.items) spell_in_snake_case(file, item);
}

const TomlValue& table_of(const SourceFile& file, const std::string& key, const TomlValue& value) {
  if (!value.is_table()) file.reject(value.line, "{} must be a table, got {}", key, value.described());
  return value;
}

void require_keys(const SourceFile& file, const TomlValue& table, const std::string& what,
                  const std::vector<std::string>& accepted) {
  for (const auto& [key, value] : table.entries)
    file.placed(value.line, "", [&, &name = key] { base::require_known(name, accepted, what); });
}

void read_table(const SourceFile& file, const TomlValue& table, const base::Description& description, void* object,
                const std::string& what) {
  require_keys(file, table_of(file, what, table), what, field_names(description));
  base::for_each_field(description, [&](const base::Field& field) {
    const TomlValue* given = table.find(field.name);
    if (!given && field.about.required) file.reject(table.line, "{} needs {}: {}", what, field.name, accepted(field));
    const bool by_caller = field.type.kind == base::Kind::value || field.type.kind == base::Kind::object;
    if (!given || by_caller) return;
    const Json value = json_of(file, field.name, field, *given);
    file.placed(given->line, "", [&] { base::read_entry(field.name, value, description, object, what); });
  });
}

}  // namespace attnlaw::study
