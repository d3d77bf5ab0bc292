#include "attnlaw/model/custom_penalty.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attnlaw/base/reject.h"
#include "attnlaw/model/agreement.h"
#include "attnlaw/model/published.h"

namespace attnlaw::model {
namespace {

using base::reject;

/// Values of a penalty, and its slopes: given, or differences.
struct Evaluated {
  std::vector<double> values, slopes;
  bool exact = false;  ///< slopes are given
};

Evaluated call(const CustomPenalty& penalty, const std::vector<double>& s) {
  Evaluated at;
  penalty.function(s, at.values, at.slopes);
  at.exact = !at.slopes.empty();
  if (at.values.size() != s.size() || (at.exact && at.slopes.size() != s.size()))
    reject("the penalty must give one value, and one slope or none, for each of {} eigenvalues, got {} and {}",
           s.size(), at.values.size(), at.slopes.size());
  for (std::size_t i = 0; i < s.size(); ++i)
    if (!std::isfinite(at.values[i]))
      reject("the penalty must be finite, got {} at the eigenvalue {}", at.values[i], s[i]);
  return at;
}

/// Slopes by central differences, or to the right at the end s = 0 of the domain.
constexpr double kStep = 1e-6;
std::vector<double> differences(const CustomPenalty& penalty, const std::vector<double>& s, double scale, bool negative,
                                double length = 1) {
  std::vector<double> ends, steps;
  for (const double at : s) {
    const double step = kStep * length * std::max(std::abs(at), scale);
    const double left = negative || at >= step ? at - step : at;
    ends.insert(ends.end(), {left, at + step});
    steps.push_back(at + step - left);
  }
  const std::vector<double> values = call(penalty, ends).values;
  std::vector<double> slopes;
  for (std::size_t i = 0; i < s.size(); ++i) slopes.push_back((values[2 * i + 1] - values[2 * i]) / steps[i]);
  return slopes;
}

/// The objective φ(s) = λp(s)/curvature + s²/2 in a table, and those of its corners that are on its convex hull.
struct Table {
  std::vector<double> s, phi;
};

/// Keeps the corners of the convex hull: slopes between neighbours increase.
Table lower_hull(const Table& all) {
  Table hull;
  const auto slope = [&](std::size_t i, double s, double phi) { return (phi - hull.phi[i]) / (s - hull.s[i]); };
  for (std::size_t i = 0; i < all.s.size(); ++i) {
    while (hull.s.size() > 1 &&
           slope(hull.s.size() - 2, hull.s.back(), hull.phi.back()) >= slope(hull.s.size() - 1, all.s[i], all.phi[i])) {
      hull.s.pop_back();
      hull.phi.pop_back();
    }
    hull.s.push_back(all.s[i]);
    hull.phi.push_back(all.phi[i]);
  }
  return hull;
}

}  // namespace

bool has_negative_eigenvalues(const Problem& problem) { return problem.student == Student::direct && !problem.cross(); }

ScalarProximal::ScalarProximal(std::shared_ptr<const CustomPenalty> penalty, double lambda, double curvature,
                               bool negative)
    : penalty_(std::move(penalty)), lambda_(lambda), curvature_(curvature), negative_(negative) {}

std::vector<double> ScalarProximal::operator()(const std::vector<double>& x) const {
  // A minimum is no farther from 0 than x where p increases with |s|; with room for one that does not.
  constexpr double kRoom = 2;
  constexpr int kCorners = 400;
  double largest = 0;
  for (const double at : x) largest = std::max(largest, std::abs(at));
  if (largest == 0) largest = 1;
  Table table;
  // Corners are denser near 0, where penalties bend.
  for (int i = negative_ ? -kCorners : 0; i <= kCorners; ++i) {
    const double share = static_cast<double>(i) / kCorners;
    table.s.push_back(kRoom * largest * share * std::abs(share));
  }
  table.phi = values_of(*penalty_, table.s);
  const double weight = lambda_ / curvature_;
  for (std::size_t i = 0; i < table.s.size(); ++i) table.phi[i] = weight * table.phi[i] + 0.5 * table.s[i] * table.s[i];
  const Table hull = lower_hull(table);
  // The corner of least φ − x s lies where slopes of the hull pass x; the minimum between its neighbours in the table.
  std::vector<double> low, high;
  for (const double at : x) {
    std::size_t left = 0, right = hull.s.size() - 1;
    while (left < right) {
      const std::size_t middle = (left + right) / 2;
      if (hull.phi[middle + 1] - hull.phi[middle] < at * (hull.s[middle + 1] - hull.s[middle]))
        left = middle + 1;
      else
        right = middle;
    }
    const auto corner = std::lower_bound(table.s.begin(), table.s.end(), hull.s[left]);
    low.push_back(corner == table.s.begin() ? *corner : *(corner - 1));
    high.push_back(corner + 1 == table.s.end() ? *corner : *(corner + 1));
  }
  // Bisection on the sign of φ′ − x: minima at a kink, or at an end of the domain, are found as well.
  constexpr int kBisections = 48;
  std::vector<double> middle(x.size());
  bool exact = true;
  for (int step = 0; step < kBisections; ++step) {
    for (std::size_t i = 0; i < x.size(); ++i) middle[i] = 0.5 * (low[i] + high[i]);
    Evaluated at = call(*penalty_, middle);
    exact = at.exact;
    if (!exact) at.slopes = differences(*penalty_, middle, largest, negative_);
    for (std::size_t i = 0; i < x.size(); ++i) (weight * at.slopes[i] + middle[i] < x[i] ? low : high)[i] = middle[i];
  }
  // A kink at 0 draws many to it: neither rounding nor the length of differences shall keep them from it.
  const double rounding = kRoom * largest * std::max(std::exp2(-kBisections), exact ? 0 : kStep);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double s = 0.5 * (low[i] + high[i]);
    middle[i] = std::abs(s) <= rounding ? 0 : s;
  }
  return middle;
}

namespace {

Published<CustomPenalty>& published() {
  static Published<CustomPenalty> penalties;
  return penalties;
}

}  // namespace

void publish(const std::shared_ptr<const CustomPenalty>& penalty) { published().add(penalty); }

std::shared_ptr<const CustomPenalty> published_penalty(const std::string& name) {
  return published().find(name, "penalty");
}

double ScalarProximal::origin(double s, int side) const {
  constexpr double kBeside = 1e-6;
  const double step = side * kBeside * std::max(1.0, std::abs(s));
  const std::vector<double> values = values_of(*penalty_, {s, s + step, s + 2 * step});
  // From one side, exact where p is quadratic.
  const double slope = (4 * values[1] - 3 * values[0] - values[2]) / (2 * step);
  return s + lambda_ / curvature_ * slope;
}

std::vector<double> values_of(const CustomPenalty& penalty, const std::vector<double>& s) {
  return call(penalty, s).values;
}

void require_consistent(const CustomPenalty& penalty, bool negative) {
  constexpr int kPoints = 200;
  constexpr double kLargest = 5, kAccepted = 1e-4, kLength = 3;
  std::vector<double> s;
  for (int i = negative ? -kPoints : 1; i <= kPoints; ++i) s.push_back((i - 0.3) * kLargest / kPoints);
  Evaluated at = call(penalty, s);
  if (!at.exact) at.slopes = differences(penalty, s, 1, negative);
  const std::vector<double> other = differences(penalty, s, 1, negative, kLength);
  double scale = 0;
  for (const double slope : other) scale += std::abs(slope) / static_cast<double>(other.size());
  std::vector<double> deviations;
  for (std::size_t i = 0; i < s.size(); ++i)
    deviations.push_back(std::abs(at.slopes[i] - other[i]) / std::max(scale, 1e-3));
  require_agreement(std::move(deviations), kAccepted,
                    "the slope of the penalty does not agree with differences of its values", "eigenvalue");
}

}  // namespace attnlaw::model
