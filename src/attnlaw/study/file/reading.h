#pragma once
/// Values of a study file, checked: every error is `path:line: message`.

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/base/toml.h"

namespace attnlaw::study {

/// The file that values come from.
class SourceFile {
 public:
  explicit SourceFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string at(int line, const std::string& message) const { return fmt::format("{}:{}: {}", path_, line, message); }

  /// Throws std::invalid_argument.
  template <class... Arguments>
  [[noreturn]] void reject(int line, fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw std::invalid_argument(at(line, fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

 private:
  std::string path_;
};

/// Gives every key of the tables in a value its underscores: names are read with dashes as well. Throws
/// std::invalid_argument if a table then has one twice.
void spell_in_snake_case(const SourceFile& file, base::TomlValue& value);

// Each throws std::invalid_argument that names `key`, the value and what is accepted.
std::string text_of(const SourceFile& file, const std::string& key, const base::TomlValue& value);
bool flag_of(const SourceFile& file, const std::string& key, const base::TomlValue& value);
double number_of(const SourceFile& file, const std::string& key, const base::TomlValue& value);
/// A whole number from `least` to `most`.
std::int64_t integer_of(const SourceFile& file, const std::string& key, const base::TomlValue& value,
                        std::int64_t least, std::int64_t most);
std::vector<std::string> texts_of(const SourceFile& file, const std::string& key, const base::TomlValue& value);
const base::TomlValue& table_of(const SourceFile& file, const std::string& key, const base::TomlValue& value);

/// Refuses keys of a table other than the accepted ones. `what` names the table.
void require_keys(const SourceFile& file, const base::TomlValue& table, const std::string& what,
                  std::span<const char* const> accepted);
void require_keys(const SourceFile& file, const base::TomlValue& table, const std::string& what,
                  std::initializer_list<const char*> accepted);

}  // namespace attnlaw::study
