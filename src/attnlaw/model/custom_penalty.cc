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

using Table = ScalarProximal::Table;

/// The slope of the objective from one entry of a table to another.
double slope_between(const Table& table, std::size_t i, std::size_t j) {
  return (table.objective[j] - table.objective[i]) / (table.s[j] - table.s[i]);
}

/// The corners of the convex hull: slopes between neighbours increase.
std::vector<std::size_t> lower_hull(const Table& table) {
  std::vector<std::size_t> hull;
  for (std::size_t i = 0; i < table.s.size(); ++i) {
    while (hull.size() > 1 &&
           slope_between(table, hull[hull.size() - 2], hull.back()) >= slope_between(table, hull.back(), i))
      hull.pop_back();
    hull.push_back(i);
  }
  return hull;
}

/// The corner of least objective − x s lies where slopes of the hull pass x.
std::size_t corner_of(const Table& table, double x) {
  std::size_t left = 0, right = table.hull.size() - 1;
  while (left < right) {
    const std::size_t middle = (left + right) / 2;
    if (slope_between(table, table.hull[middle], table.hull[middle + 1]) < x)
      left = middle + 1;
    else
      right = middle;
  }
  return table.hull[left];
}

}  // namespace

std::shared_ptr<const CustomPenalty> penalty_at(double lambda, std::shared_ptr<const CustomPenalty> penalty) {
  if (penalty->ridge == 0) return penalty;
  auto at = std::make_shared<CustomPenalty>(*penalty);
  const double ratio = std::exchange(at->ridge, 0) / lambda;
  at->function = [given = penalty->function, ratio](const std::vector<double>& s, std::vector<double>& values,
                                                    std::vector<double>& slopes) {
    given(s, values, slopes);
    for (std::size_t i = 0; i < std::min(s.size(), values.size()); ++i) values[i] += ratio * s[i] * s[i];
    for (std::size_t i = 0; i < std::min(s.size(), slopes.size()); ++i) slopes[i] += 2 * ratio * s[i];
  };
  // t (p + ratio s²) + (s − x)²/2 is 1 + 2 ratio t times the objective of p at both x and t divided by that.
  if (penalty->proximal)
    at->proximal = [given = penalty->proximal, ratio](std::vector<double> x, double t) {
      const double stretch = 1 + 2 * ratio * t;
      for (double& each : x) each /= stretch;
      return given(x, t / stretch);
    };
  return at;
}

bool has_negative_eigenvalues(const Problem& problem) { return problem.student == Student::direct && !problem.cross(); }

ScalarProximal::ScalarProximal(std::shared_ptr<const CustomPenalty> penalty, double lambda, double curvature,
                               bool negative)
    : penalty_(std::move(penalty)), lambda_(lambda), curvature_(curvature), negative_(negative) {}

Table ScalarProximal::table_up_to(double largest) const {
  if (penalty_->proximal) return {largest, {}, {}, {}};
  // A minimum is no farther from 0 than x where p increases with |s|; one that falls is followed until it rises.
  constexpr double kFarthest = 0x1p20;
  double room = 2;
  Table table = table_up_to(largest, room);
  const auto falls = [&] {
    return corner_of(table, table.largest) + 1 == table.s.size() ||
           (negative_ && corner_of(table, -table.largest) == 0);
  };
  while (falls()) {
    room *= 2;
    if (room > kFarthest)
      reject(
          "the penalty must be bounded below together with every multiple of s²; {} d Σ p(s) + {} d Σ s²/2 still "
          "falls at the eigenvalue {:.3g}",
          lambda_, curvature_, table.s.back());
    table = table_up_to(largest, room);
  }
  return table;
}

Table ScalarProximal::table_up_to(double largest, double room) const {
  constexpr int kCorners = 400;
  Table table;
  table.largest = largest > 0 ? largest : 1;
  // Corners are denser near 0, where penalties bend.
  for (int i = negative_ ? -kCorners : 0; i <= kCorners; ++i) {
    const double share = static_cast<double>(i) / kCorners;
    table.s.push_back(room * table.largest * share * std::abs(share));
  }
  for (const double kink : penalty_->kinks)
    if (kink > table.s.front() && kink < table.s.back()) table.s.push_back(kink);
  std::sort(table.s.begin(), table.s.end());
  table.s.erase(std::unique(table.s.begin(), table.s.end()), table.s.end());
  table.objective = values_of(*penalty_, table.s);
  for (std::size_t i = 0; i < table.s.size(); ++i)
    table.objective[i] = time() * table.objective[i] + 0.5 * table.s[i] * table.s[i];
  table.hull = lower_hull(table);
  return table;
}

std::vector<double> ScalarProximal::given(const std::vector<double>& x) const {
  std::vector<double> s = mapped(penalty_->proximal, x, time());
  if (!negative_)
    for (double& each : s) each = std::max(each, 0.0);
  return s;
}

std::vector<double> ScalarProximal::operator()(const std::vector<double>& x) const {
  if (penalty_->proximal) return given(x);
  double largest = 0;
  for (const double at : x) largest = std::max(largest, std::abs(at));
  return (*this)(x, table_up_to(largest));
}

std::vector<double> ScalarProximal::operator()(const std::vector<double>& x, const Table& table) const {
  if (penalty_->proximal) return given(x);
  // The minimum is between the neighbours of the corner in the table.
  std::vector<std::size_t> corners;
  std::vector<double> low, high;
  for (const double at : x) {
    const std::size_t corner = corners.emplace_back(corner_of(table, at));
    low.push_back(table.s[corner > 0 ? corner - 1 : corner]);
    high.push_back(table.s[std::min(corner + 1, table.s.size() - 1)]);
  }
  const double weight = time();
  // Bisection on the sign of φ′ − x: minima at a kink, or at an end of the domain, are found as well.
  constexpr int kBisections = 48;
  std::vector<double> middle(x.size());
  bool exact = true;
  for (int step = 0; step < kBisections; ++step) {
    for (std::size_t i = 0; i < x.size(); ++i) middle[i] = 0.5 * (low[i] + high[i]);
    Evaluated at = call(*penalty_, middle);
    exact = at.exact;
    if (!exact) at.slopes = differences(*penalty_, middle, table.largest, negative_);
    for (std::size_t i = 0; i < x.size(); ++i) (weight * at.slopes[i] + middle[i] < x[i] ? low : high)[i] = middle[i];
  }
  // A kink at 0 draws many to it: neither rounding nor the length of differences shall keep them from it.
  const double rounding = table.s.back() * std::max(std::exp2(-kBisections), exact ? 0 : kStep);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double s = 0.5 * (low[i] + high[i]);
    middle[i] = std::abs(s) <= rounding ? 0 : s;
  }
  // Slopes do not tell where p itself jumps: then the corner is better than all beside it.
  constexpr double kBetter = 1e-12;
  const std::vector<double> p = values_of(*penalty_, middle);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double s = table.s[corners[i]], found = weight * p[i] + middle[i] * (0.5 * middle[i] - x[i]);
    if (table.objective[corners[i]] - x[i] * s < found - kBetter * table.largest * table.largest) middle[i] = s;
  }
  return middle;
}

std::vector<ScalarProximal::Jump> ScalarProximal::jumps(const Table& table) const {
  // Narrower ones are made by rounding where the objective is nearly straight.
  constexpr double kLeast = 1e-4;
  const double least = kLeast * table.largest;
  std::vector<Jump> jumps;
  if (penalty_->proximal) {
    for (const auto& [x, below, above] : jumps_of([this](const auto& at) { return given(at); }, table.largest, least))
      jumps.push_back({x, below, above});
    return jumps;
  }
  // A chord of the hull: the objective is above it in between, and no minimum is there for any x.
  constexpr double kBeside = 1e-9;
  std::vector<double> places, sides;
  for (std::size_t i = 0; i + 1 < table.hull.size(); ++i) {
    const double x = slope_between(table, table.hull[i], table.hull[i + 1]);
    if (table.hull[i + 1] == table.hull[i] + 1 || std::abs(x) > table.largest) continue;
    places.push_back(x);
    sides.insert(sides.end(), {x - kBeside * table.largest, x + kBeside * table.largest});
  }
  if (places.empty()) return {};
  const std::vector<double> s = (*this)(sides, table);
  for (std::size_t i = 0; i < places.size(); ++i) jumps.push_back({places[i], s[2 * i], s[2 * i + 1]});
  std::erase_if(jumps, [&](const Jump& jump) { return jump.above - jump.below < least; });
  return jumps;
}

namespace {

Published<CustomPenalty>& published_penalties() {
  static Published<CustomPenalty> penalties;
  return penalties;
}

}  // namespace

void publish(const std::shared_ptr<const CustomPenalty>& penalty) { published_penalties().add(penalty, "penalty"); }

std::shared_ptr<const CustomPenalty> published_penalty(const std::string& name) {
  return published_penalties().find(name, "penalty");
}

double ScalarProximal::origin(double s, int side) const {
  if (penalty_->proximal) return origins(penalty_->proximal, time(), {s}, side).front();
  constexpr double kBeside = 1e-6;
  const double step = side * kBeside * std::max(1.0, std::abs(s));
  const std::vector<double> values = values_of(*penalty_, {s, s + step, s + 2 * step});
  // From one side, exact where p is quadratic.
  const double slope = (4 * values[1] - 3 * values[0] - values[2]) / (2 * step);
  return s + time() * slope;
}

std::vector<double> values_of(const CustomPenalty& penalty, const std::vector<double>& s) {
  return call(penalty, s).values;
}

void require_consistent(const CustomPenalty& penalty, bool negative) {
  if (penalty.proximal) return require_proximal(penalty.proximal);
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
