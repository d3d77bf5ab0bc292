#pragma once
/// All of view shares these columns, cells and words.

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/names.h"
#include "attnlaw/report/table.h"

namespace attnlaw::view {

inline constexpr int kFigures = 6;  ///< significant digits of overlaps and errors for people
inline constexpr int kErrorFigures = 2;

inline report::Column general(std::string name, int precision = kFigures) {
  return {std::move(name), {}, report::Notation::general, precision};
}

inline report::Column percent(std::string name) { return {std::move(name), "%", report::Notation::fixed, 2}; }

/// The column is that of a standard error.
inline report::Column error_column(std::string name = "±") { return general(std::move(name), kErrorFigures); }

/// A column among others may be its bare name.
struct Heading : report::Column {
  Heading(const char* title) : report::Column(general(title)) {}
  Heading(report::Column column) : report::Column(std::move(column)) {}
};

inline void add_columns(report::Table& table, std::initializer_list<Heading> columns) {
  table.columns.insert(table.columns.end(), columns.begin(), columns.end());
}

/// Makes a table of these columns for people, without rows yet.
inline report::Table headed(std::string title, std::initializer_list<Heading> columns) {
  report::Table table{std::move(title), {}};
  add_columns(table, columns);
  return table;
}

/// These values fill a single cell.
template <class T>
concept Single = base::NamedEnum<T> || std::is_arithmetic_v<T> || std::convertible_to<T, report::Cell> ||
    std::same_as<T, std::string_view>;

/// Makes a cell of a value of a result. A value that does not exist (NaN: the standard error of one instance, the
/// training error of a posterior mean; an empty optional) is an empty cell.
template <Single T>
report::Cell cell(const T& value) {
  if constexpr (base::NamedEnum<T>) {
    return base::name(value);
  } else if constexpr (std::same_as<T, bool>) {
    return std::string(value ? "true" : "false");
  } else if constexpr (std::integral<T>) {
    return static_cast<long long>(value);
  } else if constexpr (std::floating_point<T>) {
    return std::isnan(value) ? report::Cell() : report::Cell(value);
  } else if constexpr (std::same_as<T, std::string_view>) {
    return std::string(value);
  } else {
    return value;
  }
}
template <Single T>
report::Cell cell(const std::optional<T>& value) {
  return value ? cell(*value) : report::Cell();
}

/// Values of any type convert to a cell where it stands among others.
struct Value : report::Cell {
  template <class T>
  requires requires(const T& value) { cell(value); }
  Value(const T& value) : report::Cell(cell(value)) {}
};

using Row = std::vector<report::Cell>;

inline void append(Row& row, const Value& value) { row.push_back(value); }
/// An estimate takes two cells, those of its value and of its standard error; they are empty where there is none.
inline void append(Row& row, const base::Estimate& estimate) {
  row.insert(row.end(), {cell(estimate.value), cell(estimate.standard_error)});
}
inline void append(Row& row, const base::Estimate* estimate) {
  estimate ? append(row, *estimate) : row.resize(row.size() + 2);
}
inline void append(Row& row, const Row& more) { row.insert(row.end(), more.begin(), more.end()); }

/// Returns the cells of these values, one after the other.
template <class... T>
Row row(const T&... values) {
  Row cells;
  (append(cells, values), ...);
  return cells;
}

/// Adds the row of these values to a table: cells that they do not fill are empty, what has no column is left out.
template <class... T>
void add(report::Table& table, const T&... values) {
  Row cells = row(values...);
  cells.resize(table.columns.size());
  table.rows.push_back(std::move(cells));
}
inline constexpr std::optional<double> kNothing = {};  ///< makes an empty cell among others

/// Returns the cells of parts of `whole` with 0 for those that are the rounding of larger ones.
inline Row without_rounding(Row parts, double whole) {
  // Sums over many terms lose a few digits more than one operation.
  constexpr double kRounding = 1e-12;
  for (report::Cell& part : parts)
    if (double* value = std::get_if<double>(&part); value && std::abs(*value) < kRounding * std::abs(whole)) *value = 0;
  return parts;
}

/// Joins what `shown` makes of each item.
template <class Items, class Shown>
std::string joined(const Items& items, const Shown& shown, std::string_view separator = ", ") {
  std::string text;
  for (const auto& item : items) {
    if (&item != &*std::begin(items)) text += separator;
    text += shown(item);
  }
  return text;
}

/// A duration reads as "40 s", "12 min", "3.5 h".
inline std::string duration(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  return fmt::format("{:.1f} h", seconds / kHour);
}

}  // namespace attnlaw::view
