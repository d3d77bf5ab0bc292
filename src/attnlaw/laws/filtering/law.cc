#include "attnlaw/laws/filtering/law.h"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <optional>

#include "attnlaw/base/index.h"
#include "attnlaw/base/infinity.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

using base::kInfinity;

/// Returns the infimum of the λ outside the bulk.
double floor_of(const WeightLaw& weights) { return std::max(weights.t.maxCoeff(), 0.0); }

/// Returns E[λT/(λ−T)].
double omega(const WeightLaw& weights, double lambda) {
  return lambda * (weights.probability * weights.t / (lambda - weights.t)).sum();
}

/// Returns E[T²/(λ−T)²].
double response(const WeightLaw& weights, double lambda) {
  return (weights.probability * (weights.t / (lambda - weights.t)).square()).sum();
}

/// Returns the root of a monotone function, on a log scale above `floor`, between two distances where its signs differ.
double root(const std::function<double(double)>& f, double floor, double from, double to) {
  const auto on_log = [&](double u) { return f(floor + std::exp(u)); };
  double a = std::log(from), b = std::log(to);
  const double at_a = on_log(a), at_b = on_log(b);
  if (at_a == 0) return floor + from;
  if (at_b == 0) return floor + to;
  std::uintmax_t evaluations = 200;
  const auto bracket = boost::math::tools::toms748_solve(on_log, a, b, at_a, at_b,
                                                         boost::math::tools::eps_tolerance<double>(48), evaluations);
  return floor + std::exp(0.5 * (bracket.first + bracket.second));
}

/// Returns the root beyond the edge λ̄ of a function that is positive there and falls; λ̄ itself if the root is nearer
/// than rounding tells.
double root_beyond(const std::function<double(double)>& above, double edge) {
  double step = edge;
  while (above(edge + step) > 0) step *= 2;
  constexpr double kStart = 1e-9, kRounding = 1e-15;
  double least = kStart * step;
  while (above(edge + least) <= 0) {
    least *= 1e-2;
    if (least < kRounding * edge) return edge;
  }
  return root(above, edge, least, step);
}

/// Returns a distance above the floor beyond which |T|/(λ − T) ≤ 1/√δ: brackets begin there.
double far(const WeightLaw& weights, double delta) { return weights.t.abs().maxCoeff() * std::sqrt(delta); }

/// Halves the distance from the floor, beginning at `start`, until f is ≥ 0 (`positive`) or ≤ 0 there, and returns it;
/// nothing if rounding is reached before.
std::optional<double> approach(const std::function<double(double)>& f, double floor, double start, bool positive) {
  const double smallest = 1e-14 * (floor + start);
  for (double distance = start; distance > smallest; distance *= 0.5) {
    base::check_interrupt();
    const double value = f(floor + distance);
    if (positive ? value >= 0 : value <= 0) return distance;
  }
  return std::nullopt;
}

/// A direction v with its value vᵀ E[weight · s sᵀ] v.
struct Direction {
  double value = 0;
  VectorXd vector;
};

/// Returns coordinate k where off-diagonal entries vanish (in no order), else eigenvector k (0: that of the largest
/// eigenvalue).
Direction direction_of(const RelevantMoments& relevant, const ArrayXd& weight, int k) {
  if (relevant.diagonal())
    return {relevant.moments.col(k).matrix().dot(weight.matrix()), VectorXd::Unit(relevant.r, k)};
  const VectorXd sums = relevant.moments.matrix().transpose() * weight.matrix();
  const base::Eigensystem system =
      base::eigensystem(Eigen::Map<const base::Matrix<double>>(sums.data(), relevant.r, relevant.r));
  const Index index = relevant.r - 1 - k;
  return {system.values[base::size(index)], system.vectors.row(index)};
}

/// Returns vᵀ E[s sᵀ | node] v at every node.
ArrayXd along(const RelevantMoments& relevant, const VectorXd& v) {
  if (relevant.diagonal()) return (relevant.moments.matrix() * v.cwiseAbs2()).array();
  const MatrixXd square = v * v.transpose();
  return (relevant.moments.matrix() * Eigen::Map<const VectorXd>(square.data(), square.size())).array();
}

void require_matching(const WeightLaw& weights, const RelevantMoments& relevant) {
  const Index r = relevant.r;
  if (relevant.moments.rows() != weights.t.size() || (relevant.moments.cols() != r && relevant.moments.cols() != r * r))
    reject("moments of {0} relevant coordinates at {1} nodes must be {1}x{0} or {1}x{2}, got {3}x{4}", r,
           weights.t.size(), r * r, relevant.moments.rows(), relevant.moments.cols());
}

LofiEdge find_edge(const WeightLaw& weights, double delta) {
  const double floor = floor_of(weights);
  const auto slope = [&](double lambda) { return 1 / delta - response(weights, lambda); };
  // At the distance far() |T|/(λ − T) ≤ 1/√δ, so the slope is not negative.
  const double upper = far(weights, delta);
  const std::optional<double> lower = approach(slope, floor, upper, false);
  if (!lower) return {floor, 0, 0};  // all T ≤ 0 and n < p, so the atom at 0 is the upper end
  LofiEdge edge;
  edge.lambda = *lower == upper ? floor + upper : root(slope, floor, *lower, upper);
  edge.eigenvalue = edge.lambda / delta + omega(weights, edge.lambda);
  const double curvature = 2 * (weights.probability * weights.t.square() / (edge.lambda - weights.t).cube()).sum();
  edge.density = delta / (edge.lambda * edge.lambda) * std::sqrt(2 / curvature);
  return edge;
}

/// Returns v² of the curve E[T²/((u−T)²+v²)] = 1/δ, given T² times its probabilities and (u−T)²; 0 off the bulk.
double squared_height(const ArrayXd& squares, const ArrayXd& distances, double delta) {
  const auto excess = [&](double v2) { return (squares / (distances + v2)).sum() - 1 / delta; };
  const double highest = delta * squares.sum();
  constexpr double kLowest = 1e-14;  // times `highest`: a height of 1e-7, below which the density is not seen
  if (!(excess(kLowest * highest) > 0)) return 0;
  return root(excess, 0, kLowest * highest, highest * (1 + 1e-12));
}

}  // namespace

WeightLaw::WeightLaw(ArrayXd values, ArrayXd probabilities)
    : t(std::move(values)), probability(std::move(probabilities)) {
  if (t.size() == 0 || t.size() != probability.size())
    reject("a law of weights needs as many probabilities as values, at least one, got {} and {}", t.size(),
           probability.size());
  if (!t.allFinite() || !probability.allFinite()) reject("weights and their probabilities must be finite numbers");
  if ((t == 0).all()) reject("weights must not all be 0 (labels that are all the same?)");
}

WeightLaw WeightLaw::of_sample(std::span<const double> t) {
  const auto n = static_cast<Index>(t.size());
  return {Eigen::Map<const ArrayXd>(t.data(), n),
          ArrayXd::Constant(n, 1.0 / static_cast<double>(std::max<Index>(n, 1)))};
}

LofiLaw::LofiLaw(WeightLaw weights, double delta) : weights_(std::move(weights)), delta_(delta) {
  if (!(delta > 0) || !std::isfinite(delta)) reject("delta = n/p must be a finite number > 0, got {}", delta);
  edge_ = find_edge(weights_, delta_);
}

double LofiLaw::psi(double lambda) const { return lambda / delta_ + omega(weights_, lambda); }
double LofiLaw::psi_slope(double lambda) const { return 1 / delta_ - response(weights_, lambda); }

double LofiLaw::zero_mass() const {
  const double active = (weights_.t != 0).select(weights_.probability, 0).sum();
  return std::max(0.0, 1 - delta_ * active);
}

std::vector<LofiDensity> LofiLaw::density(int points) const {
  constexpr int kLeast = 10;
  if (points < kLeast) reject("a density needs {} or more points, got {}", kLeast, points);
  const double from = -find_edge(weights_.negated(), delta_).lambda, to = edge_.lambda;
  const ArrayXd squares = weights_.t.square() * weights_.probability;
  std::vector<LofiDensity> density;
  for (int i = 0; i <= points; ++i) {
    base::check_interrupt();
    // Places are denser towards both ends, where the density is a square root.
    const double u = 0.5 * (from + to) - 0.5 * (to - from) * std::cos(std::numbers::pi * i / points);
    const ArrayXd distances = (u - weights_.t).square();
    const double v2 = squared_height(squares, distances, delta_);
    const double modulus2 = u * u + v2;
    if (modulus2 == 0) continue;
    // `real` is Re λT/(λ−T) = T(|λ|² − uT)/|λ−T|².
    const ArrayXd real = weights_.t * (modulus2 - u * weights_.t) / (distances + v2);
    const double x = u / delta_ + (weights_.probability * real).sum();
    density.push_back({x, delta_ / std::numbers::pi * std::sqrt(v2) / modulus2});
  }
  return density;
}

std::vector<LofiOutlier> LofiLaw::outliers(const RelevantMoments& relevant) const {
  require_matching(weights_, relevant);
  const auto weight = [&](double lambda) -> ArrayXd {
    return weights_.probability * (lambda * weights_.t / (lambda - weights_.t));
  };
  std::vector<LofiOutlier> outliers;
  for (int k = 0; k < relevant.r; ++k) {
    const auto above = [&](double lambda) { return direction_of(relevant, weight(lambda), k).value - psi(lambda); };
    // Eigenvalues of E[λT/(λ−T) s sᵀ] fall with λ and ψ rises beyond λ̄, so there is one root at most.
    if (edge_.density == 0 || !(above(edge_.lambda) > 0)) continue;
    const double lambda = root_beyond(above, edge_.lambda);
    const Direction direction = direction_of(relevant, weight(lambda), k);
    const double slope = psi_slope(lambda);
    const ArrayXd spread = weights_.probability * (weights_.t / (lambda - weights_.t)).square();
    const double fall = (spread * along(relevant, direction.vector)).sum();
    outliers.push_back({psi(lambda), slope / (slope + fall), direction.vector});
  }
  std::stable_sort(outliers.begin(), outliers.end(),
                   [](const LofiOutlier& a, const LofiOutlier& b) { return a.eigenvalue > b.eigenvalue; });
  return outliers;
}

std::vector<LofiThreshold> emergence_thresholds(const WeightLaw& weights, const RelevantMoments& relevant) {
  require_matching(weights, relevant);
  const double floor = floor_of(weights), largest = weights.t.abs().maxCoeff();
  std::vector<LofiThreshold> thresholds;
  for (int k = 0; k < relevant.r; ++k) {
    // Edge and outlier meet where E[T²/(λ−T)²] = vᵀE[T(s sᵀ − I)/(λ−T)]v, and both sides are then 1/δ.
    const auto hidden = [&](double lambda) {
      const ArrayXd weight = weights.probability * weights.t / (lambda - weights.t);
      return response(weights, lambda) - direction_of(relevant, weight, k).value + weight.sum();
    };
    constexpr double kBeyond = 1e9;  // times the largest weight, which reaches thresholds up to δ = 1e18
    if (!(hidden(floor + kBeyond * largest) < 0)) {
      thresholds.push_back({kInfinity, VectorXd::Zero(relevant.r)});
      continue;
    }
    const std::optional<double> near = approach(hidden, floor, kBeyond * largest, true);
    if (!near) {  // visible at every δ: the law of T thins out at its maximum
      const double lambda = floor + largest;
      const ArrayXd weight = weights.probability * weights.t / (lambda - weights.t);
      thresholds.push_back({0, direction_of(relevant, weight, k).vector});
      continue;
    }
    const double lambda = root(hidden, floor, *near, std::min(2 * *near, kBeyond * largest));
    const ArrayXd weight = weights.probability * weights.t / (lambda - weights.t);
    thresholds.push_back({1 / response(weights, lambda), direction_of(relevant, weight, k).vector});
  }
  std::stable_sort(thresholds.begin(), thresholds.end(),
                   [](const LofiThreshold& a, const LofiThreshold& b) { return a.delta < b.delta; });
  return thresholds;
}

double large_delta_threshold(const WeightLaw& weights, double theta) {
  return theta == 0 ? kInfinity : weights.second_moment() / (theta * theta);
}

double degree_one_overlap(double second_moment, double beta, double delta) {
  return beta * beta / (beta * beta + second_moment / delta);
}

}  // namespace attnlaw::laws
