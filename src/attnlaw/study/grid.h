#pragma once
/// Grids of one variable.

#include <span>
#include <vector>

#include "attnlaw/base/names.h"

namespace attnlaw::study {

enum class Spacing {
  linear,    ///< equal differences
  geometric  ///< equal ratios
};
/// As study files name them: linear, log.
std::span<const base::Named<Spacing>> names_table(Spacing);

/// `count` values from `first` to `last`, both included exactly. Throws std::invalid_argument unless first < last, both
/// finite (and > 0 if geometric), and 2 ≤ count ≤ kMostGridPoints.
std::vector<double> grid(double first, double last, int count, Spacing spacing);

/// More points than anybody waits for.
inline constexpr int kMostGridPoints = 100000;

}  // namespace attnlaw::study
