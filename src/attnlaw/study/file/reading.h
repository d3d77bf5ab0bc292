#pragma once
/// Values of a study file, checked: every error is `path:line: message`.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/toml.h"

namespace attnlaw::study {

/// The file that values come from; without a path they come from options, which have no lines.
struct SourceFile {
  std::string path;

  std::string at(int line, const std::string& message) const {
    return path.empty() ? message : fmt::format("{}:{}: {}", path, line, message);
  }

  /// Throws std::invalid_argument.
  template <class... Arguments>
  [[noreturn]] void reject(int line, fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    throw std::invalid_argument(at(line, fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  /// Calls check(); what it refuses is said with its line, after `before`.
  template <class Check>
  auto placed(int line, const std::string& before, Check check) const {
    try {
      return check();
    } catch (const std::invalid_argument& error) {
      reject(line, "{}{}", before, error.what());
    }
  }
};

/// Parses the text of the file. Throws std::invalid_argument with line and column for what is no TOML.
base::TomlValue parse_document(const SourceFile& file, const std::string& text);

/// Gives every key of the tables in a value its underscores: names are read with dashes as well. Throws
/// std::invalid_argument if a table then has one twice.
void spell_in_snake_case(const SourceFile& file, base::TomlValue& value);

/// Throws std::invalid_argument unless a value is a table.
const base::TomlValue& table_of(const SourceFile& file, const std::string& key, const base::TomlValue& value);

/// Refuses keys of a table other than the accepted ones. `what` names the table.
void require_keys(const SourceFile& file, const base::TomlValue& table, const std::string& what,
                  const std::vector<std::string>& accepted);

/// Reads a table into the struct that is described; documents and objects inside are left to the caller. Throws
/// std::invalid_argument for unknown keys, for values of the wrong type or out of range, and for a required key that is
/// missing. `what` names the table.
void read_table(const SourceFile& file, const base::TomlValue& table, const base::Description& description,
                void* object, const std::string& what);

}  // namespace attnlaw::study
