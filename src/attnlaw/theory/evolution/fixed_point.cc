#include "attnlaw/theory/evolution/fixed_point.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/infinity.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::theory {
namespace {

/// Where an iteration stands: x, F(x) − x, and the step that gave it.
struct Iterate {
  Coordinates x;
  Coordinates residual;
  Step step;

  double size() const { return residual.cwiseAbs().maxCoeff(); }
  double train() const { return step.train; }
  bool usable() const { return theory::usable(step.prior.overlaps); }
};

/// x ↦ Iterate, counting evaluations; a huge residual where the map is undefined, or the time is spent, so that solvers
/// turn away.
class CoordinateMap {
 public:
  CoordinateMap(const EvolutionMap& map, Workspace& workspace, int replicate = OutputChannel::kAll)
      : map_(map), workspace_(workspace), replicate_(replicate) {}

  Iterate at(const Coordinates& x) {
    constexpr double kUndefined = 1e3;
    constexpr double kLargestCoordinate = 200;
    Iterate at{x, Coordinates::Constant(x.size(), kUndefined), {}};
    if (!(x.cwiseAbs().maxCoeff() < kLargestCoordinate) || workspace_.late()) return at;
    ++evaluations_;
    base::check_interrupt();
    at.step = map_.step(map_.chart().overlaps(x), replicate_, &workspace_);
    if (!at.usable()) return at;
    const Coordinates next = map_.chart().coordinates(at.step.prior.overlaps);
    if (next.size() == x.size()) at.residual = next - x;
    return at;
  }
  Iterate at(const Overlaps& overlaps) { return at(map_.chart().coordinates(overlaps)); }

  int evaluations() const { return evaluations_; }
  bool late() const { return workspace_.late(); }

 private:
  const EvolutionMap& map_;
  Workspace& workspace_;
  int replicate_;
  int evaluations_ = 0;
};

Slope slope_at(CoordinateMap& map, const Iterate& at) {
  // Of a smooth map differences need only be well above its rounding. Where proximal points jump, about n h of n points
  // do so over a length h, and slopes have a relative noise of 1/√(n h): the longer the better.
  constexpr double kDifference = 1e-5;
  constexpr double kAcrossJumps = 1e-3;
  return slope_by_differences(map, at, at.step.several > 0 ? kAcrossJumps : kDifference);
}

/// None where the time is spent before it is known.
std::optional<Slope> slope_in_time(CoordinateMap& map, const Iterate& at) {
  Slope slope = slope_at(map, at);
  return map.late() ? std::nullopt : std::optional(std::move(slope));
}

/// Broyden's method with steps of bounded length; stops at the tolerance, or when it no longer gains.
void solve_broyden(CoordinateMap& map, Iterate& at, Slope& slope, double tolerance) {
  constexpr int kMaxSteps = 40;
  constexpr int kPatience = 6;
  constexpr double kLongestStep = 0.5;
  Iterate current = at;
  int without_gain = 0;
  for (int i = 0; i < kMaxSteps && at.size() > tolerance && without_gain < kPatience; ++i) {
    Coordinates step = slope.step(current.residual);
    if (!step.allFinite()) return;
    step = shortened(step, kLongestStep);
    Iterate next = map.at(current.x + step);
    if (map.late()) return;  // the map may not have been looked at
    slope.learn(step, next.residual - current.residual);
    current = std::move(next);
    without_gain = current.size() < at.size() ? 0 : without_gain + 1;
    if (current.size() < at.size()) at = current;
  }
}

/// Near, then fast; nearer and again where the fast method loses its way (close to a spinodal, or at a kink of the
/// map).
void search(CoordinateMap& map, Iterate& at, std::optional<Slope>& slope, const Tolerance& tolerance) {
  constexpr int kRounds = 4;
  constexpr Damping kDamping{.share = 0.8, .longest = 2, .growth = 1.5, .least = 0.05, .steps = 150, .patience = 40};
  double near = 0.1;
  for (int round = 0; round < kRounds; ++round, near *= 0.03) {
    if (at.size() <= (round == 0 ? tolerance.aimed : tolerance.accepted)) break;
    if (!approach(map, at, near, kDamping)) break;
    if (!slope || round > 0) slope = slope_in_time(map, at);
    if (!slope) return;
    solve_broyden(map, at, *slope, tolerance.aimed);
  }
  if (!slope && at.usable()) slope = slope_in_time(map, at);
}

/// The overlaps of the first step from S = 0. It may overshoot so far that the next leads back to 0: the fixed point is
/// nearer.
Iterate enter(CoordinateMap& map, Overlaps overlaps) {
  constexpr int kMaxHalvings = 20;
  Iterate at = map.at(overlaps);
  for (int i = 0; i < kMaxHalvings && !at.usable(); ++i) {
    overlaps = {overlaps.q / 4, overlaps.m / 2, overlaps.V / 2, overlaps.q_a / 4, overlaps.V_a / 2};
    at = map.at(overlaps);
  }
  return at;
}

}  // namespace

Coordinates Chart::coordinates(const Overlaps& overlaps) const {
  constexpr double kLargestCorrelation = 1 - 1e-15;
  constexpr double kLeastError = 1e-60;  // of Q*, where differences that cancel leave nothing
  const auto correlation = [=](double ratio) {
    return std::atanh(std::clamp(ratio, -kLargestCorrelation, kLargestCorrelation));
  };
  const double geometric = std::sqrt(overlaps.q * Q_star);
  const double error = std::max(overlaps.estimation(Q_star) - overlaps.q_a, kLeastError * Q_star);
  const bool general = overlaps.q_a > 0 && overlaps.V_a > 0;
  Coordinates x(general ? 5 : 3);
  x[0] = std::log(overlaps.q / Q_star);
  switch (signal) {
    case Signal::correlation:
      x[1] = correlation(overlaps.m / geometric);
      break;
    case Signal::error:
      x[1] = 0.5 * std::log(2 * (geometric + overlaps.m) / error);
      break;
    case Signal::deviation:
      x[0] = correlation((overlaps.m - Q_star) / std::sqrt(Q_star * error));
      x[1] = 0.5 * std::log(Q_star / error);
      break;
  }
  x[2] = std::log(overlaps.V);
  if (general) x.tail<2>() << std::log(overlaps.q_a / Q_star), std::log(overlaps.V_a);
  return x;
}

Overlaps Chart::overlaps(const Coordinates& x) const {
  if (signal == Signal::deviation) {
    const double error = Q_star * std::exp(-2 * x[1]), m = Q_star + std::tanh(x[0]) * std::sqrt(Q_star * error);
    Overlaps close{error - Q_star + 2 * m, m, std::exp(x[2])};
    close.deviation = error;
    return close;
  }
  const double q = Q_star * std::exp(x[0]), geometric = std::sqrt(q * Q_star);
  Overlaps overlaps{q, geometric * std::tanh(x[1]), std::exp(x[2])};
  if (signal == Signal::error) {
    const double largest = q + Q_star + 2 * geometric, ratio = std::exp(2 * x[1]);
    overlaps.deviation = largest / (1 + ratio);
    overlaps.m = 0.5 * ratio * overlaps.deviation - geometric;
  }
  if (x.size() > 3) overlaps.q_a = Q_star * std::exp(x[3]), overlaps.V_a = std::exp(x[4]);
  return overlaps;
}

Slope forward_slope(const EvolutionMap& map, const FixedPoint& at, Workspace& workspace) {
  CoordinateMap coordinates(map, workspace);
  const Coordinates x = map.chart().coordinates(at.overlaps);
  return slope_at(coordinates, {x, map.chart().coordinates(at.step.prior.overlaps) - x, at.step});
}

Slope exact_slope(const EvolutionMap& map, const Overlaps& overlaps, Workspace& workspace) {
  // Differences to either side leave out curvatures; over this length neither what Newton's method leaves of proximal
  // points, 1e-10, nor third derivatives matter, even where the slope is nearly singular.
  constexpr double kDifference = 3e-5;
  CoordinateMap coordinates(map, workspace);
  const Iterate at = coordinates.at(overlaps);
  Slope slope = slope_by_differences(coordinates, at, kDifference);
  const Slope below = slope_by_differences(coordinates, at, -kDifference);
  slope.residual = 0.5 * (slope.residual + below.residual);
  slope.train = 0.5 * (slope.train + below.train);
  return slope;
}

bool is_stable(const EvolutionMap& map, FixedPoint& fixed_point) {
  const auto contracts = [](const Slope& slope) {
    Slope::Matrix matrix = slope.residual;
    const auto d = static_cast<std::size_t>(matrix.rows());
    return matrix.allFinite() && base::largest_real_part({matrix.data(), d * d}, d) <= 0;
  };
  if (!fixed_point.slope || contracts(*fixed_point.slope)) return true;
  Workspace workspace;
  fixed_point.slope = exact_slope(map, fixed_point.overlaps, workspace);
  return contracts(*fixed_point.slope);
}

Step EvolutionMap::step_from(const OutputChannel::Result& output, int replicate, Workspace* workspace) const {
  Step step{output.conjugates, output.train, output.several, output.imbalance, {}};
  if (usable(output.conjugates))
    step.prior = denoiser_.evaluate(target_, output.conjugates, replicate, workspace ? &workspace->prior : nullptr);
  return step;
}

Step EvolutionMap::step(const Overlaps& overlaps, int replicate, Workspace* workspace) const {
  return step_from(channel_.evaluate(overlaps, replicate, workspace ? &workspace->channel : nullptr), replicate,
                   workspace);
}

Step EvolutionMap::step_from_zero(Workspace* workspace, int replicate) const {
  return step_from(channel_.evaluate_at_zero(replicate), replicate, workspace);
}

FixedPoint find_fixed_point(const EvolutionMap& map, const std::optional<Start>& start, const Tolerance& tolerance,
                            Workspace& workspace) {
  FixedPoint result;
  CoordinateMap coordinates(map, workspace);
  Iterate at;
  if (start && usable(start->overlaps)) {
    at = coordinates.at(start->overlaps);
  } else {
    result.step = map.step_from_zero(&workspace);
    result.iterations = 1;
    if (!usable(result.step.prior.overlaps)) {
      result.converged = usable(result.step.conjugates);
      return result;
    }
    at = enter(coordinates, result.step.prior.overlaps);
  }
  result.slope = start ? start->slope : std::nullopt;
  search(coordinates, at, result.slope, tolerance);
  result.overlaps = map.chart().overlaps(at.x);
  result.step = at.step;
  result.residual = at.size();
  result.distance = result.slope ? result.slope->step(at.residual).cwiseAbs().maxCoeff() : base::kInfinity;
  result.iterations += coordinates.evaluations();
  // Without a slope nobody knows how far the fixed point is.
  result.converged = result.residual <= tolerance.accepted && result.slope;
  if (result.converged || !start || start->slope || workspace.late()) return result;
  FixedPoint uninformed = find_fixed_point(map, std::nullopt, tolerance, workspace);
  uninformed.iterations += result.iterations;
  return uninformed;
}

namespace {

/// The fixed point of one replicate, sought from that of all, which is too far for its slope; S = 0 where the penalty
/// keeps every eigenvalue of this replicate at zero.
std::optional<ReplicatePoint> seek_replicate_point(const EvolutionMap& map, const Iterate& from, Slope slope,
                                                   int replicate, Workspace& workspace) {
  constexpr Tolerance kTolerance{.aimed = 1e-4, .accepted = 1e-2};
  if (from.usable()) {
    CoordinateMap coordinates(map, workspace, replicate);
    Iterate at = from;
    std::optional<Slope> known = std::move(slope);
    search(coordinates, at, known, kTolerance);
    if (at.usable() && at.size() <= kTolerance.accepted)
      return ReplicatePoint{map.chart().overlaps(at.x), at.step.train, from.step};
  }
  const Step zero = map.step_from_zero(nullptr, replicate);
  if (usable(zero.prior.overlaps)) return std::nullopt;
  return ReplicatePoint{{}, zero.train, from.step};
}

}  // namespace

std::vector<ReplicatePoint> replicate_fixed_points(const EvolutionMap& map, const FixedPoint& fixed_point,
                                                   Workspace& workspace) {
  // Coordinates are logarithms: close to where S leaves 0 those of replicates lie too far apart for a slope.
  constexpr double kStraight = 0.5;
  std::vector<ReplicatePoint> points;
  for (int replicate = 0; replicate < map.replicates(); ++replicate) {
    const Iterate at = CoordinateMap(map, workspace, replicate).at(fixed_point.overlaps);
    const auto [x, train] = fixed_point.slope->solution(at);
    const bool straight = at.usable() && (x - at.x).cwiseAbs().maxCoeff() <= kStraight;
    std::optional<ReplicatePoint> far;
    if (!straight) far = seek_replicate_point(map, at, *fixed_point.slope, replicate, workspace);
    points.push_back(far ? *far : ReplicatePoint{map.chart().overlaps(x), train, at.step});
  }
  return points;
}

}  // namespace attnlaw::theory
