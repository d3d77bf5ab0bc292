#include "attnlaw/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "attnlaw/base/json_text.h"
#include "attnlaw/base/numbers.h"
#include "attnlaw/base/printable.h"
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

/// Tells whether a column holds text, as many as numbers or more; its entries are then aligned left, else right: one
/// interval among numbers does not turn their column.
bool is_text(const Table& table, std::size_t column) {
  std::ptrdiff_t texts = 0, numbers = 0;
  for (const auto& row : table.rows) {
    const Cell& cell = row[column];
    if (std::holds_alternative<std::string>(cell))
      ++texts;
    else if (!std::holds_alternative<std::monostate>(cell))
      ++numbers;
  }
  return texts > 0 && texts >= numbers;
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

/// Text that a file may have named, as UTF-8 without anything that leaves its line.
std::string as_printed(const std::string& bytes) { return base::on_one_line(base::escaped(bytes)); }

/// A title may have several lines of its own.
std::string title_text(const Table& table, std::size_t width) {
  std::string lines;
  if (table.title.empty()) return lines;
  for (const std::string_view part : base::split(table.title, '\n'))
    for (const std::string& broken : wrapped(as_printed(std::string(part)), width)) lines += broken + '\n';
  return lines;
}

/// The cells of a table as printed, its heading first; a row may take several lines.
using Entries = std::vector<std::vector<std::string>>;

std::vector<std::size_t> widths_of(const Entries& entries) {
  std::vector<std::size_t> widths(entries.front().size(), 0);
  for (const auto& row : entries)
    for (std::size_t j = 0; j < row.size(); ++j) widths[j] = std::max(widths[j], display_width(row[j]));
  return widths;
}

/// Returns the most characters of a cell in each column (0: any) that let a table fit where its texts are broken: its
/// widest text beside all other columns where that leaves room for one, otherwise every text beside the first column.
std::vector<std::size_t> text_limits(const Table& table, const std::vector<std::size_t>& widths, std::size_t width) {
  constexpr std::size_t kLeast = 30;
  std::vector<std::size_t> limits(widths.size(), 0);
  std::size_t total = 0, widest = widths.size();
  for (std::size_t j = 0; j < widths.size(); ++j) {
    total += widths[j] + (j == 0 ? 0 : column_gap.size());
    if (is_text(table, j) && (widest == widths.size() || widths[j] > widths[widest])) widest = j;
  }
  if (total <= width || widest == widths.size()) return limits;
  if (const std::size_t others = total - widths[widest]; others + kLeast <= width) {
    limits[widest] = width - others;
    return limits;
  }
  for (std::size_t j = 0; j < widths.size(); ++j) {
    const std::size_t before = j == 0 ? 0 : std::min(widths[0], width) + column_gap.size();
    if (is_text(table, j)) limits[j] = std::max(kLeast, width - std::min(width, before));
  }
  return limits;
}

/// Breaks long texts into lines of their own, beside which the other cells of their row are empty.
Entries with_texts_wrapped(const Table& table, Entries entries, std::size_t width) {
  const std::vector<std::size_t> limits = text_limits(table, widths_of(entries), width);
  Entries lines;
  for (auto& row : entries) {
    const std::size_t first = lines.size();
    lines.emplace_back(row.size());
    for (std::size_t j = 0; j < row.size(); ++j) {
      const std::vector<std::string> broken = wrapped(row[j], limits[j]);
      if (first + broken.size() > lines.size())
        lines.resize(first + broken.size(), std::vector<std::string>(row.size()));
      for (std::size_t i = 0; i < broken.size(); ++i) lines[first + i][j] = broken[i];
    }
  }
  return lines;
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

/// Returns the columns of each part of a table that is `width` characters wide at most: the first column begins every
/// part, and a part has one more column at least.
std::vector<std::vector<std::size_t>> parts_of(const std::vector<std::size_t>& widths, std::size_t width) {
  std::vector<std::vector<std::size_t>> parts;
  std::size_t taken = 0;
  for (std::size_t j = 0; j < widths.size(); ++j) {
    const bool full = width > 0 && taken + column_gap.size() + widths[j] > width;
    if (parts.empty() || (full && parts.back().size() > 1)) {
      parts.push_back(j == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{0});
      taken = j == 0 ? 0 : widths[0];
    }
    taken += (parts.back().empty() ? 0 : column_gap.size()) + widths[j];
    parts.back().push_back(j);
  }
  return parts;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width, std::size_t head) {
  if (width == 0 || display_width(text) <= width) return {std::string(text)};
  const std::size_t indent = display_width(text.substr(0, head));
  std::vector<std::string> lines;
  std::size_t taken = 0;
  for (const std::string_view word : base::split(text.substr(head), ' ')) {
    const std::size_t length = display_width(word);
    const bool first = lines.empty();
    if (first || (taken > indent && taken + 1 + length > width)) {
      lines.push_back((first ? std::string(text.substr(0, head)) : std::string(indent, ' ')) + std::string(word));
      taken = indent + length;
    } else {
      lines.back() += fmt::format(" {}", word);
      taken += 1 + length;
    }
  }
  return lines;
}

std::string text(const Table& table, std::size_t width) {
  require_well_formed(table);
  const std::size_t count = table.columns.size();
  Entries entries(1);
  for (const Column& column : table.columns) entries[0].push_back(heading(column));
  for (const auto& row : table.rows) {
    auto& shown_row = entries.emplace_back();
    for (std::size_t j = 0; j < count; ++j) shown_row.push_back(as_printed(shown(row[j], table.columns[j])));
  }
  if (width > 0) entries = with_texts_wrapped(table, std::move(entries), width);

  std::vector<std::string> rule;
  const std::vector<std::size_t> widths = widths_of(entries);
  for (std::size_t j = 0; j < count; ++j) {
    const bool text = is_text(table, j);
    for (auto& row : entries) row[j] = padded(row[j], widths[j], text);
    rule.emplace_back();
    for (std::size_t i = 0; i < widths[j]; ++i) rule.back() += "─";
  }

  std::string result = title_text(table, width);
  for (const std::vector<std::size_t>& part : parts_of(widths, width)) {
    const auto line_of = [&](const std::vector<std::string>& row) {
      std::vector<std::string> chosen;
      for (const std::size_t j : part) chosen.push_back(row[j]);
      return line(chosen);
    };
    if (part.back() + 1 > part.size()) result += '\n';
    result += line_of(entries[0]) + line_of(rule);
    for (std::size_t i = 1; i < entries.size(); ++i) result += line_of(entries[i]);
  }
  return result;
}

std::string csv(const Table& table) {
  require_well_formed(table);
  std::vector<std::string> fields;
  for (const Column& column : table.columns) fields.push_back(quoted(column.id.empty() ? heading(column) : column.id));
  std::string result = fmt::format("{}\r\n", fmt::join(fields, ","));
  for (const auto& row : table.rows) {
    fields.clear();
    for (const Cell& cell : row) fields.push_back(quoted(as_printed(exact(cell))));
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
