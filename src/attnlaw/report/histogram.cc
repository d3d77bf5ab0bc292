#include "attnlaw/report/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace attnlaw::report {
namespace {

/// Narrower bars than these are not told apart on a page.
constexpr double max_bins = 120;
/// Eigenvalues repel each other, so that their number in an interval fluctuates far less than that of independent
/// values: a bin needs no more than these on average.
constexpr double values_per_bin = 10;
/// Fewer bars than these show no shape; a bar has two values on average at least.
constexpr double least_bins = 30;

/// Returns the number of bins for ascending values, the largest of three: that of Freedman and Diaconis, which keeps
/// the bulk resolved beside far outliers, that from the number of values, and least_bins.
int automatic_bins(const std::vector<double>& values) {
  const std::size_t n = values.size();
  const double interquartile_range = values[(3 * n) / 4] - values[n / 4];
  const double width = 2 * interquartile_range / std::cbrt(static_cast<double>(n));
  const double range = values.back() - values.front();
  if (!(range > 0) || !(width > 0)) return 1;
  const auto count = static_cast<double>(n);
  const double wanted = std::max({range / width, count / values_per_bin, std::min(least_bins, count / 2)});
  return static_cast<int>(std::ceil(std::clamp(wanted, 1.0, max_bins)));
}

/// Counts ascending values in `count` equal bins, which cover them all; `total` includes the values at zero.
std::vector<Bin> equal_bins(const std::vector<double>& values, int count, double total) {
  // Equal values get one bin that contains them.
  const bool degenerate = values.front() == values.back();
  const double margin = degenerate ? 0.5 * std::max(1e-3, std::abs(values.front())) : 0;
  const double lower = values.front() - margin;
  const double upper = values.back() + margin;
  const double width = (upper - lower) / count;
  std::vector<Bin> bins(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < bins.size(); ++i) {
    bins[i].lower = lower + width * static_cast<double>(i);
    bins[i].upper = i + 1 == bins.size() ? upper : lower + width * static_cast<double>(i + 1);
  }
  for (const double value : values) {
    const auto i = static_cast<std::size_t>(std::max(0.0, (value - lower) / width));
    ++bins[std::min(i, bins.size() - 1)].count;
  }
  for (Bin& bin : bins) bin.density = static_cast<double>(bin.count) / (total * width);
  return bins;
}

}  // namespace

Histogram histogram(std::span<const double> values, int bins, double zero_tolerance) {
  if (bins < 0) throw std::invalid_argument(fmt::format("bins must be at least 0 (automatic), not {}", bins));
  if (!(zero_tolerance >= 0)) {
    throw std::invalid_argument(fmt::format("zero_tolerance must be at least 0, not {}", zero_tolerance));
  }
  Histogram result;
  std::vector<double> off_zero;
  long long zeros = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      ++result.not_finite;
    } else if (std::abs(value) <= zero_tolerance) {
      ++zeros;
    } else {
      off_zero.push_back(value);
    }
  }
  const auto total = static_cast<double>(zeros) + static_cast<double>(off_zero.size());
  if (zeros > 0) result.zero_mass = static_cast<double>(zeros) / total;
  if (off_zero.empty()) return result;
  std::sort(off_zero.begin(), off_zero.end());
  result.bins = equal_bins(off_zero, bins > 0 ? bins : automatic_bins(off_zero), total);
  return result;
}

}  // namespace attnlaw::report
