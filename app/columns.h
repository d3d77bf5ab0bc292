#pragma once
/// Columns and cells that the tables of the program share.

#include <cmath>
#include <string>

#include "attnlaw/report/table.h"

namespace attnlaw::app {

inline constexpr int kFigures = 6;  ///< significant digits of overlaps and errors for people
inline constexpr int kErrorFigures = 2;

inline report::Column general(std::string name, int precision = kFigures) {
  return {std::move(name), {}, report::Notation::general, precision};
}

inline report::Column percent(std::string name) { return {std::move(name), "%", report::Notation::fixed, 2}; }

/// A value that does not exist (the standard error of one instance, the training error of a posterior mean) is empty.
inline report::Cell or_nothing(double value) { return std::isnan(value) ? report::Cell() : report::Cell(value); }

inline report::Cell yes_or_no(bool value) { return std::string(value ? "true" : "false"); }

}  // namespace attnlaw::app
