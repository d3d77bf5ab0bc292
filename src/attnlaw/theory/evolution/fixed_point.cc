#include "attnlaw/theory/evolution/fixed_point.h"

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace attnlaw::theory {
namespace {

bool usable(const Overlaps& overlaps) {
  return overlaps.q > 0 && overlaps.V > 0 && std::isfinite(overlaps.q) && std::isfinite(overlaps.m) &&
         std::isfinite(overlaps.V);
}

double size(const Coordinates& residual) { return residual.cwiseAbs().maxCoeff(); }

/// Where an iteration stands: x, F(x) − x, and the step that gave it.
struct Iterate {
  Coordinates x;
  Coordinates residual;
  Step step;
};

/// x ↦ Iterate, counting evaluations; a huge residual where the map is undefined, so that solvers turn away.
class Residual {
 public:
  explicit Residual(const StateEvolution& evolution, int replicate = OutputChannel::kAll)
      : evolution_(evolution), replicate_(replicate) {}

  Iterate operator()(const Coordinates& x) {
    constexpr double kUndefined = 1e3;
    constexpr double kLargestCoordinate = 200;
    Iterate at{x, Coordinates::Constant(x.size(), kUndefined), {}};
    if (!(x.cwiseAbs().maxCoeff() < kLargestCoordinate)) return at;
    ++evaluations_;
    at.step = evolution_.step(from_coordinates(x, evolution_.Q_star()), replicate_);
    if (!usable(at.step.prior.overlaps)) return at;
    const Coordinates next = to_coordinates(at.step.prior.overlaps, evolution_.Q_star());
    if (next.size() == x.size()) at.residual = next - x;
    return at;
  }

  int evaluations() const { return evaluations_; }

 private:
  const StateEvolution& evolution_;
  int replicate_;
  int evaluations_ = 0;
};

Slope difference_slope(Residual& residual, const Iterate& at) {
  // The map is smooth up to rare jumps of proximal points: differences well above its rounding.
  constexpr double kDifference = 1e-5;
  const Eigen::Index n = at.x.size();
  Slope slope{CoordinateMatrix(n, n), Coordinates(n)};
  for (Eigen::Index k = 0; k < n; ++k) {
    const Iterate shifted = residual(at.x + kDifference * Coordinates::Unit(n, k));
    slope.residual.col(k) = (shifted.residual - at.residual) / kDifference;
    slope.train[k] = (shifted.step.train - at.step.train) / kDifference;
  }
  return slope;
}

/// Broyden's method with steps of bounded length; stops at the tolerance, or when it no longer gains.
void solve_broyden(Residual& residual, Iterate& at, CoordinateMatrix& slope, double tolerance) {
  constexpr int kMaxSteps = 40;
  constexpr int kPatience = 6;
  constexpr double kLongestStep = 0.5;
  Iterate current = at;
  int without_gain = 0;
  for (int i = 0; i < kMaxSteps && size(at.residual) > tolerance && without_gain < kPatience; ++i) {
    Coordinates step = -slope.fullPivLu().solve(current.residual);
    if (!step.allFinite()) return;
    step *= std::min(1.0, kLongestStep / size(step));
    Iterate next = residual(current.x + step);
    slope += (next.residual - current.residual - slope * step) * step.transpose() / step.squaredNorm();
    current = std::move(next);
    without_gain = size(current.residual) < size(at.residual) ? 0 : without_gain + 1;
    if (size(current.residual) < size(at.residual)) at = current;
  }
}

/// Damped iteration until the residual is below `target`, or for `budget` steps. Halves the damping while the residual
/// grows. Returns false where it leads to S = 0, or to no law at all.
bool iterate_damped(Residual& residual, Iterate& at, double target, int budget) {
  constexpr double kLongestMove = 2;
  constexpr double kGrowth = 1.5;
  constexpr double kLeastDamping = 0.05;
  constexpr int kPatience = 40;
  double damping = 0.8;
  double least = size(at.residual);
  int without_gain = 0;
  for (int i = 0; i < budget && size(at.residual) > target && without_gain < kPatience; ++i) {
    Iterate next = residual(at.x + damping * std::min(1.0, kLongestMove / size(at.residual)) * at.residual);
    if (size(next.residual) > kGrowth * size(at.residual) && damping > kLeastDamping)
      damping *= 0.5;
    else if (!usable(next.step.prior.overlaps))
      return false;
    else
      at = std::move(next);
    without_gain = size(at.residual) < least ? 0 : without_gain + 1;
    least = std::min(least, size(at.residual));
  }
  return true;
}

}  // namespace

Coordinates to_coordinates(const Overlaps& overlaps, double Q_star) {
  constexpr double kLargestCorrelation = 1 - 1e-15;
  const double correlation =
      std::clamp(overlaps.m / std::sqrt(overlaps.q * Q_star), -kLargestCorrelation, kLargestCorrelation);
  const bool general = overlaps.q_a > 0 && overlaps.V_a > 0;
  Coordinates x(general ? 5 : 3);
  x.head<3>() << std::log(overlaps.q), std::atanh(correlation), std::log(overlaps.V);
  if (general) x.tail<2>() << std::log(overlaps.q_a), std::log(overlaps.V_a);
  return x;
}

Overlaps from_coordinates(const Coordinates& x, double Q_star) {
  const double q = std::exp(x[0]);
  Overlaps overlaps{q, std::sqrt(q * Q_star) * std::tanh(x[1]), std::exp(x[2])};
  if (x.size() > 3) overlaps.q_a = std::exp(x[3]), overlaps.V_a = std::exp(x[4]);
  return overlaps;
}

bool is_stable(const StateEvolution& evolution, FixedPoint& fixed_point) {
  const auto contracts = [](const Slope& slope) { return slope.residual.eigenvalues().real().maxCoeff() <= 0; };
  if (!fixed_point.slope || contracts(*fixed_point.slope)) return true;
  Residual residual(evolution);
  const Iterate at = residual(to_coordinates(fixed_point.overlaps, evolution.Q_star()));
  fixed_point.slope = difference_slope(residual, at);
  return contracts(*fixed_point.slope);
}

Step StateEvolution::prior_step(const OutputChannel::Result& output, int replicate) const {
  Step step{output.conjugates, output.train, {}};
  if (usable(output.conjugates)) step.prior = denoiser_.evaluate(target_, output.conjugates, replicate);
  return step;
}

Step StateEvolution::step(const Overlaps& overlaps, int replicate) const {
  return prior_step(channel_.evaluate(overlaps, replicate), replicate);
}

Step StateEvolution::step_from_zero() const { return prior_step(channel_.evaluate_at_zero(), OutputChannel::kAll); }

FixedPoint find_fixed_point(const StateEvolution& evolution, const std::optional<Start>& start,
                            const Tolerance& tolerance) {
  FixedPoint result;
  Overlaps overlaps;
  if (start && usable(start->overlaps)) {
    overlaps = start->overlaps;
  } else {
    result.step = evolution.step_from_zero();
    result.iterations = 1;
    overlaps = result.step.prior.overlaps;
    if (!usable(overlaps)) {
      result.converged = usable(result.step.conjugates);
      return result;
    }
  }
  Residual residual(evolution);
  Iterate at = residual(to_coordinates(overlaps, evolution.Q_star()));
  // From S = 0 the first step may overshoot so far that the next leads back to 0: the fixed point is nearer.
  constexpr int kMaxHalvings = 20;
  for (int i = 0; i < kMaxHalvings && result.iterations > 0 && !usable(at.step.prior.overlaps); ++i) {
    overlaps = {overlaps.q / 4, overlaps.m / 2, overlaps.V / 2, overlaps.q_a / 4, overlaps.V_a / 2};
    at = residual(to_coordinates(overlaps, evolution.Q_star()));
  }
  std::optional<Slope> slope = start ? start->slope : std::nullopt;
  // Near, then fast; nearer and again where the fast method loses its way (close to a spinodal, or at a kink of the
  // map).
  constexpr int kBudget = 150;
  constexpr int kRounds = 4;
  double near = 0.1;
  for (int round = 0; round < kRounds; ++round, near *= 0.03) {
    if (size(at.residual) <= (round == 0 ? tolerance.aimed : tolerance.accepted)) break;
    if (!usable(at.step.prior.overlaps) || !iterate_damped(residual, at, near, kBudget)) break;
    if (!slope || round > 0) slope = difference_slope(residual, at);
    solve_broyden(residual, at, slope->residual, tolerance.aimed);
  }
  if (!slope) slope = difference_slope(residual, at);
  result.overlaps = from_coordinates(at.x, evolution.Q_star());
  result.step = at.step;
  result.residual = size(at.residual);
  result.distance = size(slope->residual.fullPivLu().solve(at.residual));
  result.slope = slope;
  result.iterations += residual.evaluations();
  result.converged = result.residual <= tolerance.accepted;
  if (result.converged || !start || start->slope) return result;
  FixedPoint uninformed = find_fixed_point(evolution, std::nullopt, tolerance);
  uninformed.iterations += result.iterations;
  return uninformed;
}

std::vector<ReplicatePoint> replicate_fixed_points(const StateEvolution& evolution, const FixedPoint& fixed_point) {
  const Coordinates x = to_coordinates(fixed_point.overlaps, evolution.Q_star());
  const Eigen::FullPivLU<CoordinateMatrix> slope(fixed_point.slope->residual);
  std::vector<ReplicatePoint> points;
  for (int replicate = 0; replicate < evolution.replicates(); ++replicate) {
    const Iterate at = Residual(evolution, replicate)(x);
    const Coordinates shift = -slope.solve(at.residual);
    points.push_back(
        {from_coordinates(x + shift, evolution.Q_star()), at.step.train + fixed_point.slope->train.dot(shift)});
  }
  return points;
}

}  // namespace attnlaw::theory
