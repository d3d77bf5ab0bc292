#include "attnlaw/study/file/reading.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/names.h"

namespace attnlaw::study {

using base::TomlValue;

void spell_in_snake_case(const SourceFile& file, TomlValue& value) {
  std::set<std::string> seen;
  for (auto& [key, inner] : value.entries) {
    key = base::snake_case(key);
    if (!seen.insert(key).second)
      file.reject(inner.line, "{} stands here twice, with dashes and with underscores", key);
    spell_in_snake_case(file, inner);
  }
  for (TomlValue& item : value.items) spell_in_snake_case(file, item);
}

std::string text_of(const SourceFile& file, const std::string& key, const TomlValue& value) {
  if (!value.scalar.is_string()) file.reject(value.line, "{} must be a string, got {}", key, value.described());
  return value.scalar.get<std::string>();
}

bool flag_of(const SourceFile& file, const std::string& key, const TomlValue& value) {
  if (!value.scalar.is_boolean()) file.reject(value.line, "{} must be true or false, got {}", key, value.described());
  return value.scalar.get<bool>();
}

double number_of(const SourceFile& file, const std::string& key, const TomlValue& value) {
  if (!value.scalar.is_number()) file.reject(value.line, "{} must be a number, got {}", key, value.described());
  return value.scalar.get<double>();
}

std::int64_t integer_of(const SourceFile& file, const std::string& key, const TomlValue& value, std::int64_t least,
                        std::int64_t most) {
  if (!value.scalar.is_number_integer() || value.scalar.get<std::int64_t>() < least ||
      value.scalar.get<std::int64_t>() > most)
    file.reject(value.line, "{} must be an integer from {} to {}, got {}", key, least, most, value.described());
  return value.scalar.get<std::int64_t>();
}

std::vector<std::string> texts_of(const SourceFile& file, const std::string& key, const TomlValue& value) {
  if (!value.is_array()) file.reject(value.line, "{} must be an array of strings, got {}", key, value.described());
  std::vector<std::string> texts;
  for (const TomlValue& item : value.items) texts.push_back(text_of(file, "every item of " + key, item));
  return texts;
}

const TomlValue& table_of(const SourceFile& file, const std::string& key, const TomlValue& value) {
  if (!value.is_table()) file.reject(value.line, "{} must be a table, got {}", key, value.described());
  return value;
}

void require_keys(const SourceFile& file, const TomlValue& table, const std::string& what,
                  std::span<const char* const> accepted) {
  const std::vector<std::string> names(accepted.begin(), accepted.end());
  for (const auto& [key, value] : table.entries)
    if (std::find(names.begin(), names.end(), key) == names.end())
      file.reject(value.line, "unknown key '{}' in {}; accepted: {}{}", key, what, fmt::join(names, ", "),
                  base::suggestion(key, names));
}

void require_keys(const SourceFile& file, const TomlValue& table, const std::string& what,
                  std::initializer_list<const char*> accepted) {
  require_keys(file, table, what, std::span(accepted.begin(), accepted.size()));
}

}  // namespace attnlaw::study
