#include "attnlaw/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "attnlaw/report/escape.h"

namespace attnlaw::report {
namespace {

/// More digits than this say nothing about a double.
constexpr int max_precision = 17;

constexpr std::string_view missing = "–";
constexpr std::string_view column_gap = "  ";

void require_well_formed(const Table& table) {
  for (const Column& column : table.columns) {
    if (column.precision < 0 || column.precision > max_precision) {
      throw std::invalid_argument(
          fmt::format("column '{}': precision {} is not in [0, {}]", column.name, column.precision, max_precision));
    }
  }
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (table.rows[row].size() != table.columns.size()) {
      throw std::invalid_argument(fmt::format("table '{}': row {} has {} cells for {} columns", table.title, row,
                                              table.rows[row].size(), table.columns.size()));
    }
  }
}

std::string heading(const Column& column) {
  return column.unit.empty() ? column.name : fmt::format("{} [{}]", column.name, column.unit);
}

/// Columns of percentages and positions are written with decimals up to here: more would make a table of one column.
constexpr double kLeastWithoutDecimals = 1e9;

std::string number(double value, const Column& column) {
  if (std::isnan(value)) return "nan";
  switch (column.notation) {
    case Notation::fixed:
      if (std::abs(value) < kLeastWithoutDecimals) return fmt::format("{:.{}f}", value, column.precision);
      return fmt::format("{:.{}g}", value, std::max(3, column.precision));
    case Notation::scientific:
      return fmt::format("{:.{}e}", value, column.precision);
    case Notation::general:
      break;
  }
  return fmt::format("{:.{}g}", value, column.precision);
}

/// Returns the cell as people read it.
std::string shown(const Cell& cell, const Column& column) {
  return std::visit(
      [&](const auto& value) -> std::string {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) return std::string(missing);
        if constexpr (std::is_same_v<Value, double>) return number(value, column);
        if constexpr (std::is_same_v<Value, long long>) return fmt::to_string(value);
        if constexpr (std::is_same_v<Value, std::string>) return value;
      },
      cell);
}

/// Returns the cell as programs read it.
std::string exact(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> std::string {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) return "";
        if constexpr (std::is_same_v<Value, double>) return std::isnan(value) ? "nan" : fmt::format("{}", value);
        if constexpr (std::is_same_v<Value, long long>) return fmt::to_string(value);
        if constexpr (std::is_same_v<Value, std::string>) return value;
      },
      cell);
}

/// Tells whether a column holds any text; its entries are then aligned left, else right.
bool is_text(const Table& table, std::size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const auto& row) { return std::holds_alternative<std::string>(row[column]); });
}

/// Counts the code points that take a place on the terminal; combining marks (U+0300 to U+036F) do not.
std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const auto next = static_cast<unsigned char>(i + 1 < utf8.size() ? utf8[i + 1] : 0);
    const bool continuation = (byte & 0xC0U) == 0x80U;
    const bool combining = byte == 0xCCU || (byte == 0xCDU && next <= 0xAFU);
    if (!continuation && !combining) ++width;
  }
  return width;
}

std::string padded(const std::string& entry, std::size_t width, bool left) {
  const std::string spaces(width - display_width(entry), ' ');
  return left ? entry + spaces : spaces + entry;
}

/// Joins entries by the gap between columns, without trailing spaces.
std::string line(const std::vector<std::string>& entries) {
  std::string joined = fmt::format("{}", fmt::join(entries, column_gap));
  joined.erase(joined.find_last_not_of(' ') + 1);
  return joined + '\n';
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string result = "\"";
  for (const char c : field) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string text(const Table& table) {
  require_well_formed(table);
  const std::size_t count = table.columns.size();
  std::vector<std::vector<std::string>> entries(1);
  for (const Column& column : table.columns) entries[0].push_back(heading(column));
  for (const auto& row : table.rows) {
    auto& shown_row = entries.emplace_back();
    for (std::size_t j = 0; j < count; ++j) shown_row.push_back(shown(row[j], table.columns[j]));
  }

  std::vector<std::string> rule;
  for (std::size_t j = 0; j < count; ++j) {
    std::size_t width = 0;
    for (const auto& row : entries) width = std::max(width, display_width(row[j]));
    const bool text = is_text(table, j);
    for (auto& row : entries) row[j] = padded(row[j], width, text);
    rule.emplace_back();
    for (std::size_t i = 0; i < width; ++i) rule.back() += "─";
  }

  std::string result = table.title.empty() ? "" : table.title + '\n';
  result += line(entries[0]) + line(rule);
  for (std::size_t i = 1; i < entries.size(); ++i) result += line(entries[i]);
  return result;
}

std::string csv(const Table& table) {
  require_well_formed(table);
  std::vector<std::string> fields;
  for (const Column& column : table.columns) fields.push_back(quoted(heading(column)));
  std::string result = fmt::format("{}\r\n", fmt::join(fields, ","));
  for (const auto& row : table.rows) {
    fields.clear();
    for (const Cell& cell : row) fields.push_back(quoted(exact(cell)));
    result += fmt::format("{}\r\n", fmt::join(fields, ","));
  }
  return result;
}

std::string html(const Table& table) {
  require_well_formed(table);
  std::string result = "<table>\n";
  if (!table.title.empty()) result += fmt::format("<caption>{}</caption>\n", escape_html(table.title));
  std::vector<const char*> side;
  for (std::size_t j = 0; j < table.columns.size(); ++j) side.push_back(is_text(table, j) ? " class=\"text\"" : "");
  result += "<thead><tr>";
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    const Column& column = table.columns[j];
    const std::string unit =
        column.unit.empty() ? "" : fmt::format(" <span class=\"unit\">[{}]</span>", escape_html(column.unit));
    result += fmt::format("<th scope=\"col\"{}>{}{}</th>", side[j], escape_html(column.name), unit);
  }
  result += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    result += "<tr>";
    for (std::size_t j = 0; j < row.size(); ++j) {
      result += fmt::format("<td{}>{}</td>", side[j], escape_html(shown(row[j], table.columns[j])));
    }
    result += "</tr>\n";
  }
  return result + "</tbody>\n</table>\n";
}

}  // namespace attnlaw::report
