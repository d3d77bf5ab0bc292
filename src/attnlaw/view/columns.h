#pragma once
/// Columns and cells that the tables of the program share.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "attnlaw/report/table.h"

namespace attnlaw::view {

inline constexpr int kFigures = 6;  ///< significant digits of overlaps and errors for people
inline constexpr int kErrorFigures = 2;

inline report::Column general(std::string name, int precision = kFigures) {
  return {std::move(name), {}, report::Notation::general, precision};
}

inline report::Column percent(std::string name) { return {std::move(name), "%", report::Notation::fixed, 2}; }

/// A value that does not exist (the standard error of one instance, the training error of a posterior mean) is empty.
inline report::Cell or_nothing(double value) { return std::isnan(value) ? report::Cell() : report::Cell(value); }

inline report::Cell yes_or_no(bool value) { return std::string(value ? "true" : "false"); }

/// Adds a row of the named cells; all others are empty. Throws std::logic_error for a name that is no column.
inline void add_row(report::Table& table, const std::vector<std::pair<std::string, report::Cell>>& cells) {
  std::vector<report::Cell> row(table.columns.size());
  for (const auto& [name, cell] : cells) {
    const auto column =
        std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& c) { return c.name == name; });
    if (column == table.columns.end()) throw std::logic_error("no column '" + name + "'");
    row[static_cast<std::size_t>(column - table.columns.begin())] = cell;
  }
  table.rows.push_back(std::move(row));
}

/// For people: "40 s", "12 min", "3.5 h".
inline std::string duration(double seconds) {
  constexpr double kMinute = 60, kHour = 3600;
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  return fmt::format("{:.1f} h", seconds / kHour);
}

}  // namespace attnlaw::view
