#pragma once
/// Points of charts are made of results here.

#include <span>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/report/chart.h"

namespace attnlaw::view {

using report::Scale;

inline report::Point measured_point(double x, const base::Estimate& y) { return {x, y.value, y.standard_error}; }

/// Returns the points (x_i, y_i).
inline std::vector<report::Point> points(std::span<const double> x, std::span<const double> y) {
  std::vector<report::Point> result;
  for (std::size_t i = 0; i < x.size(); ++i) result.push_back({x[i], y[i]});
  return result;
}

/// Returns the point `point_of(item)` of each item.
template <class Items, class PointOf>
std::vector<report::Point> points_over(const Items& items, const PointOf& point_of) {
  std::vector<report::Point> result;
  for (const auto& item : items) result.push_back(point_of(item));
  return result;
}

}  // namespace attnlaw::view
