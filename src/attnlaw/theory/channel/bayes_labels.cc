#include "attnlaw/theory/channel/bayes_labels.h"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/normal.h"
#include "attnlaw/theory/channel/logistic.h"
#include "attnlaw/theory/channel/logistic_features.h"
#include "attnlaw/theory/channel/quasi_monte_carlo.h"
#include "attnlaw/theory/channel/softmax_rows.h"

namespace attnlaw::theory {
namespace {

using base::normal_cdf;
using base::normal_density;
using std::numbers::pi;

/// Beyond it a logistic function is 0 or 1 to 1e-17.
constexpr double kSaturation = 40;
/// In standard deviations panels of this length resolve a normal density, as those of kLogisticPanel a logistic
/// function.
constexpr double kNormalPanel = 1;

/// ∫ over [from, to] in panels no longer than `panel`.
template <class Function>
auto integral(double from, double to, double panel, Function&& function) {
  using Gauss = boost::math::quadrature::gauss<double, 12>;
  const int count = std::max(1, static_cast<int>(std::ceil((to - from) / panel)));
  std::array<double, 2> sum{};
  for (int k = 0; k < count; ++k) {
    const double half = 0.5 * (to - from) / count, centre = from + (2 * k + 1) * half;
    for (std::size_t i = 0; i < Gauss::abscissa().size(); ++i)
      for (const double side : {-1.0, 1.0}) {
        const std::array<double, 2> value = function(centre + side * half * Gauss::abscissa()[i]);
        for (std::size_t j = 0; j < 2; ++j) sum[j] += half * Gauss::weights()[i] * value[j];
      }
  }
  return sum;
}

/// First and second moment of s(ω + bξ) − s(ω) over ξ ~ N(0, 1), s the logistic function.
std::array<double, 2> deviation_moments(double omega, double b) {
  if (b < 1)
    return integral(-kNormalReach, kNormalReach, kNormalPanel, [&](double xi) -> std::array<double, 2> {
      // The difference of two logistic functions without cancellation.
      const double deviation =
          std::sinh(0.5 * b * xi) / (2 * std::cosh(0.5 * (omega + b * xi)) * std::cosh(0.5 * omega));
      const double weight = normal_density(xi);
      return {weight * deviation, weight * deviation * deviation};
    });
  // A wide field: the step function, and what s and s² differ from it within the saturation.
  const double step = normal_cdf(omega / b);
  const auto [first, second] = integral(0, kSaturation, kLogisticPanel, [&](double t) -> std::array<double, 2> {
    const double above = normal_density((t - omega) / b) / b, below = normal_density((t + omega) / b) / b;
    const double tail = logistic(-t);
    return {tail * (below - above), tail * (tail * below - (1 + logistic(t)) * above)};
  });
  const double centre = logistic(omega);
  return {step + first - centre, step + second - 2 * centre * (step + first) + centre * centre};
}

/// T = 2: all four entries of the label have the variance of s(β u), u = h₁₁ − h₁₂ ~ N(ω, 3V).
LabelErrors pair_errors(double beta, double q, double V) {
  constexpr double kLeastField = 1e-12;  // narrower is a point
  const double a = std::max(beta * std::sqrt(3 * q), kLeastField);
  const double b = beta * std::sqrt(3 * V);
  const auto integrand = [&](double omega) -> std::array<double, 2> {
    const auto [first, second] = deviation_moments(omega, b);
    const double weight = normal_density(omega / a) / a;
    return {weight * (second - first * first), weight * second};
  };
  const double end = std::min(kNormalReach * a, kSaturation + kNormalReach * b);
  const double bend = std::min(end, kSaturation);  // s(ω) has no structure beyond
  const auto near = integral(0, bend, std::min(kLogisticPanel, kNormalPanel * a), integrand);
  std::array<double, 2> far{};
  if (end > bend) far = integral(bend, end, kNormalPanel * std::min(a, std::max(b, 1.0)), integrand);
  constexpr double kEntriesAndSides = 4 * 2;  // ω < 0 contributes as much
  LabelErrors errors;
  errors.posterior_mean = kEntriesAndSides * (near[0] + far[0]);
  errors.plug_in = kEntriesAndSides * (near[1] + far[1]);
  return errors;
}

/// T ≥ 3. Two replicas z, z′ of the posterior around one ω: half the squared distance of their labels is the variance.
template <class Rows>
class ReplicaErrors {
 public:
  ReplicaErrors(const model::Problem& problem, double q, double V)
      : rows_(problem.tokens, problem.target_beta, problem.target_beta), q_(q), V_(V) {}

  LabelErrors to(double accuracy) const {
    constexpr int kFirstLog2Points = 8, kLastLog2Points = 16;
    LabelErrors errors;
    for (int log2_points = kFirstLog2Points; log2_points <= kLastLog2Points; ++log2_points) {
      errors = at(log2_points);
      // Two standard errors.
      if (2 * errors.posterior_mean_sampling_error <= accuracy * errors.posterior_mean &&
          2 * errors.plug_in_sampling_error <= accuracy * errors.plug_in)
        break;
    }
    return errors;
  }

 private:
  using Sample = std::array<double, 2>;

  LabelErrors at(int log2_points) const {
    constexpr int kReplicates = 8;
    constexpr std::uint64_t kSeed = 20250602;
    const auto dimension = 3 * static_cast<std::size_t>(rows_.sampled_dimension());
    std::array<std::vector<double>, 2> samples;
    for (std::uint64_t replicate = 0; replicate < kReplicates; ++replicate) {
      const Sample sample = average(scrambled_sobol_rule(dimension, log2_points, kSeed + replicate));
      for (std::size_t j = 0; j < 2; ++j) samples[j].push_back(sample[j]);
    }
    const base::Estimate first = base::estimate_of(samples[0]), second = base::estimate_of(samples[1]);
    return {first.value, second.value, first.standard_error, second.standard_error,
            std::size_t{kReplicates} << log2_points};
  }

  Sample average(const NormalRule& rule) const {
    const auto sampled = static_cast<std::size_t>(rows_.sampled_dimension());
    const auto embedded = static_cast<std::size_t>(rows_.dimension());
    std::vector<Pack> normals(rule.dimension), omega(embedded), first(embedded), second(embedded);
    auto label = rows_.make_label();
    Pack variance = 0, plug_in = 0;
    for (std::size_t point = 0; point < rule.weights.size(); point += kLanes) {
      Pack weight;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        weight.lanes[lane] = rule.weights[point + lane];
        for (std::size_t k = 0; k < rule.dimension; ++k)
          normals[k].lanes[lane] = rule.points[(point + lane) * rule.dimension + k];
      }
      rows_.embed(normals.data(), omega.data());
      rows_.embed(normals.data() + sampled, first.data());
      rows_.embed(normals.data() + 2 * sampled, second.data());
      for (std::size_t k = 0; k < embedded; ++k) {
        omega[k] *= std::sqrt(q_);
        first[k] = omega[k] + std::sqrt(V_) * first[k];
        second[k] = omega[k] + std::sqrt(V_) * second[k];
      }
      rows_.label(first.data(), label);
      variance += weight * 0.5 * rows_.value(label, second.data());
      plug_in += weight * rows_.value(label, omega.data());
    }
    return {variance.sum(), plug_in.sum()};
  }

  Rows rows_;
  double q_, V_;
};

}  // namespace

LabelErrors label_errors(const model::Problem& problem, double q, double V, double accuracy) {
  if (V <= 0) return {};
  if (problem.head == model::Head::linear) {
    const double error = 2 * problem.score_count() * V;
    return {error, error};
  }
  if (problem.head == model::Head::hardmax) {
    // Orthants of two normals of correlation q/Q* (two draws of the posterior) and √(q/Q*) (a draw and its mean): per
    // row a mismatch costs 2, and a variance is half a squared distance.
    // In the form of the angle that does not cancel as V → 0.
    const double unexplained = V / (q + V);
    return {4 * std::asin(std::sqrt(0.5 * unexplained)) / pi, 4 * std::asin(std::sqrt(unexplained)) / pi};
  }
  switch (problem.tokens) {
    case 2:
      return pair_errors(problem.target_beta, q, V);
    case 3:
      return ReplicaErrors<SoftmaxRows<3>>(problem, q, V).to(accuracy);
    case 4:
      return ReplicaErrors<SoftmaxRows<4>>(problem, q, V).to(accuracy);
    default:
      return ReplicaErrors<SoftmaxRows<0>>(problem, q, V).to(accuracy);
  }
}

}  // namespace attnlaw::theory
