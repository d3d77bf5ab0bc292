#include "attnlaw/theory/channel/block_proximal.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "attnlaw/theory/channel/block_packs.h"
#include "attnlaw/theory/channel/row_losses.h"

namespace attnlaw::theory {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using model::Derivatives;
using model::LossExpansion;
using Truths = Eigen::Array<bool, Eigen::Dynamic, 1>;

/// Damping, in units of the stiffness: on rejected steps, on accepted ones, and below which there is none.
constexpr double kTighten = 4, kRelax = 0.1, kNegligibleDamping = 1e-3;
/// A step of Newton's method this small leaves an error of about its square…
constexpr double kStepTolerance = 1e-5;
/// …and a damped one, no error that matters.
constexpr double kDampedTolerance = 1e-9;

/// The rows of a block at the given places.
SampleBlock rows_at(const SampleBlock& block, const std::vector<Index>& places) { return block(places, Eigen::all); }

void keep(const std::vector<Index>& places, LossExpansion& at) {
  at = {ArrayXd(at.value(places)), rows_at(at.gradient, places), rows_at(at.hessian, places)};
}

/// Makes the sample i of an expansion that of the sample j of another.
void take(LossExpansion& to, Index i, const LossExpansion& from, Index j) {
  to.value[i] = from.value[j];
  to.gradient.row(i) = from.gradient.row(j);
  to.hessian.row(i) = from.hessian.row(j);
}

/// Lanes where two points lie well inside the reach of Newton's method of each other.
Truths same_minimum(const SampleBlock& a, const SampleBlock& b, double reach) {
  constexpr double kSame = 0.03;
  const double length = kSame * reach;
  return (a - b).square().rowwise().sum() <= length * length;
}

/// ℓ + |ζ − ω|²/(2V): adds the spring to values and gradients of the loss.
ArrayXd add_spring(const SampleBlock& zeta, const SampleBlock& omega, double stiffness, LossExpansion& at) {
  at.gradient += stiffness * (zeta - omega);
  return at.value + 0.5 * stiffness * (zeta - omega).square().rowwise().sum();
}

}  // namespace

/// Points that are still on their way.
struct BlockProximal::Points {
  std::vector<Index> places;  ///< in the block
  SampleBlock labels, omega, zeta, step, known;
  ArrayXd objective, damping;
  LossExpansion at;

  /// Leaves all but those at `stay`.
  void drop(const std::vector<Index>& stay) {
    std::vector<Index> left;
    for (const Index i : stay) left.push_back(places[static_cast<std::size_t>(i)]);
    places = std::move(left);
    for (SampleBlock* block : {&labels, &omega, &zeta, &known})
      if (block->size() > 0) *block = rows_at(*block, stay);
    objective = ArrayXd(objective(stay));
    damping = ArrayXd(damping(stay));
    keep(stay, at);
  }
};

BlockProximal::BlockProximal(const model::ScoredLoss& loss) : loss_(loss) {
  const Eigen::MatrixXd& A = loss.scores_of_coordinates();
  if (loss.loss().coordinates != model::Coordinates::rows) return;
  const Index keys = loss.keys();
  for (Index first = 0; first < A.rows(); first += keys) {
    const Eigen::MatrixXd row = A.middleRows(first, keys);
    of_rows_.push_back(Eigen::MatrixXd(row.completeOrthogonalDecomposition().pseudoInverse() * row));
  }
}

void BlockProximal::newton_steps(double stiffness, bool shorten, Points& points) const {
  const auto r = static_cast<int>(loss_.dimension());
  const Index count = points.zeta.rows();
  points.step.resize(count, r);
  PackArray<0> factor(lower_index(r, 0)), step(r);
  for (Index first = 0; first < count; first += kLanes) {
    Pack damping = pack_of(points.damping, first);
    while (true) {
      for (int k = 0; k < lower_index(r, 0); ++k)
        factor[static_cast<std::size_t>(k)] = pack_of(points.at.hessian.col(k), first);
      for (int k = 0; k < r; ++k) factor[static_cast<std::size_t>(lower_index(k, k))] += stiffness + damping;
      const Mask indefinite = factorise(factor, r);
      if (!indefinite.any()) break;
      damping = select(indefinite, max(kTighten * damping, Pack(stiffness)), damping);
    }
    Pack squared_norm = 1e-300;
    for (int k = 0; k < r; ++k) step[static_cast<std::size_t>(k)] = -pack_of(points.at.gradient.col(k), first);
    solve_factorised(factor, r, step.data());
    for (const Pack& entry : step) squared_norm += entry * entry;
    const Pack scale = shorten ? min(Pack(1), loss_.reach() / sqrt(squared_norm)) : Pack(1);
    for (int k = 0; k < r; ++k) unpack(scale * step[static_cast<std::size_t>(k)], first, points.step.col(k));
    unpack(damping, first, points.damping);
  }
}

void BlockProximal::descend(const SampleBlock& labels, const SampleBlock& omega, double V, BlockMinima& minima,
                            const SampleBlock* known) const {
  constexpr int kMaxIterations = 100;
  constexpr int kShortSteps = 5;  // enough to settle in a valley
  constexpr double kRounding = 1e-14;
  const double stiffness = 1 / V;
  const Index count = omega.rows();
  loss_.expand(labels, minima.point, Derivatives::hessian, minima.loss);
  minima.objective = add_spring(minima.point, omega, stiffness, minima.loss);
  minima.kinked = Truths::Constant(count, true);
  Points points{{},
                labels,
                omega,
                minima.point,
                {},
                known ? *known : SampleBlock(),
                minima.objective,
                ArrayXd::Zero(count),
                minima.loss};
  for (Index i = 0; i < count; ++i) points.places.push_back(i);
  LossExpansion trial;
  for (int iteration = 0; iteration < kMaxIterations && !points.places.empty(); ++iteration) {
    newton_steps(stiffness, iteration < kShortSteps && !loss_.loss().convex, points);
    const SampleBlock moved = points.zeta + points.step;
    loss_.expand(points.labels, moved, Derivatives::hessian, trial);
    const ArrayXd objective = add_spring(moved, points.omega, stiffness, trial);
    const ArrayXd step_norm = points.step.square().rowwise().sum(), norm = 1 + points.zeta.square().rowwise().sum();
    std::vector<Index> stay;
    for (Index i = 0; i < moved.rows(); ++i) {
      const bool accept = objective[i] <= points.objective[i] + kRounding * std::abs(points.objective[i]);
      const bool undamped = !(points.damping[i] > 0);
      if (accept) {
        points.zeta.row(i) = moved.row(i);
        points.objective[i] = objective[i];
        take(points.at, i, trial, i);
      }
      const double tolerance = undamped ? kStepTolerance : kDampedTolerance;
      const bool small = step_norm[i] <= tolerance * tolerance * norm[i];
      const double damping = points.damping[i];
      points.damping[i] = accept ? (damping > kNegligibleDamping * stiffness ? kRelax * damping : 0)
                                 : std::max(kTighten * damping, stiffness);
      const Index place = points.places[static_cast<std::size_t>(i)];
      if (small && undamped) minima.kinked[place] = false;
      if (!small) stay.push_back(i);
    }
    if (known) {
      const Truths same = same_minimum(points.zeta, points.known, loss_.reach());
      std::erase_if(stay, [&](Index i) { return same[i]; });
    }
    for (Index i = 0; i < moved.rows(); ++i) {
      const Index place = points.places[static_cast<std::size_t>(i)];
      minima.point.row(place) = points.zeta.row(i);
      minima.objective[place] = points.objective[i];
      take(minima.loss, place, points.at, i);
    }
    if (static_cast<Index>(stay.size()) < moved.rows()) points.drop(stay);
  }
}

SampleBlock BlockProximal::foothold(const SampleBlock& fit) const {
  if (!loss_.loss().softmax()) return fit;
  const double farthest = kFoothold * loss_.reach();
  const ArrayXd largest = fit.abs().rowwise().maxCoeff().max(farthest);
  return fit.colwise() * (farthest / largest);
}

Truths BlockProximal::search(const SampleBlock& labels, const SampleBlock& omega, const SampleBlock& fit, double V,
                             bool from_elsewhere, BlockMinima& minima) const {
  const SampleBlock held = foothold(fit);
  std::vector<SampleBlock> starts;
  if (from_elsewhere) starts.push_back(omega);
  starts.push_back(held);
  for (const Eigen::MatrixXd& row : of_rows_) starts.push_back(omega + ((held - omega).matrix() * row).array());
  Truths several = Truths::Constant(omega.rows(), false);
  for (SampleBlock& start : starts) {
    BlockMinima found;
    found.point = std::move(start);
    descend(labels, omega, V, found, &minima.point);
    const Truths other = !same_minimum(found.point, minima.point, loss_.reach());
    several = several || other;
    for (Index i = 0; i < omega.rows(); ++i) {
      if (!other[i] || !(found.objective[i] < minima.objective[i])) continue;
      minima.point.row(i) = found.point.row(i);
      minima.objective[i] = found.objective[i];
      take(minima.loss, i, found.loss, i);
      minima.kinked[i] = found.kinked[i];
    }
  }
  return several;
}

}  // namespace attnlaw::theory
