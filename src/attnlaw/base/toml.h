#pragma once
/// Parses TOML text into plain values that remember their lines.

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace attnlaw::base {

struct TomlEntry;

/// A value of a TOML document. It owns what it holds, so parts of several documents can be put together.
struct TomlValue {
  enum class Kind { scalar, array, table, date };
  Kind kind = Kind::table;
  int line = 1;                    ///< its place in the document, from 1
  nlohmann::json scalar;           ///< a string, an integer, a double or a boolean
  std::vector<TomlValue> items;    ///< the items of an array
  std::vector<TomlEntry> entries;  ///< the entries of a table, in the order of the document

  bool is_table() const { return kind == Kind::table; }
  bool is_array() const { return kind == Kind::array; }
  bool is_scalar() const { return kind == Kind::scalar; }

  /// Returns the value of a key of a table; null if there is none.
  const TomlValue* find(std::string_view key) const;
  /// Names the value in messages: the text of a scalar, or "an array", "a table", "a date".
  std::string described() const;
};

struct TomlEntry {
  std::string key;
  TomlValue value;
};

/// Is thrown for text that is not TOML; what() is the description alone, without the position.
struct TomlError : std::invalid_argument {
  TomlError(const std::string& description, int line_, int column_)
      : std::invalid_argument(description), line(line_), column(column_) {}
  int line;
  int column;
};

/// Returns the document as a table. Throws TomlError if the text is not TOML.
TomlValue parse_toml(std::string_view text);

}  // namespace attnlaw::base
