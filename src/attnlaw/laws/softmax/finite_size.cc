#include "attnlaw/laws/softmax/finite_size.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/base/normal.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/law_difference.h"

namespace attnlaw::laws {
namespace {

using base::reject;

/// Returns P(N(0,1) > x).
double normal_tail(double x) { return base::normal_cdf(-x); }

/// Returns round(T/ratio), the dimension of which T is that multiple. Throws unless it is an int of 1 or more.
int dimension(const char* what, int length, const char* ratio_name, double ratio) {
  const double rounded = std::round(length / ratio);
  if (!(rounded >= 1 && rounded <= std::numeric_limits<int>::max()))
    reject("{0} = {1} with {2} tokens gives {3} of {4:.6g}; it must be 1 to {5} (choose another number of tokens)",
           ratio_name, ratio, length, what, rounded, std::numeric_limits<int>::max());
  return static_cast<int>(rounded);
}

/// Returns P(N > κ), κ = (½ ln T − β²)/β: the variance of e^{βS} comes from S near 2β, and an entry passes √T σ at S =
/// 2β + κ.
double tail_share(double beta, int length) {
  const double kappa = (0.5 * std::log(static_cast<double>(length)) - beta * beta) / beta;
  return normal_tail(kappa);
}

/// Returns E (e^{βS − β²/2} − 1)², restricted to entries beyond √T σ.
double tail_variance(double beta, int length) {
  const double square = beta * beta, cut = std::sqrt(length * entry_variance(beta));
  const double k = (std::log1p(cut) + 0.5 * square) / beta;
  return std::exp(square) * normal_tail(k - 2 * beta) - 2 * normal_tail(k - beta) + normal_tail(k);
}

/// Returns σ² + (−2(A₃ − A₂) + 3 A₂(A₂ − 1))/T with A_k = e^{k(k−1)β²/2}, the moments of an entry. The 1/T term arises
/// because rows are divided by their own sums.
double corrected_mean(double beta, int length) {
  constexpr double kExpansion = 0.1;
  const double second = std::exp(beta * beta), third = std::exp(3 * beta * beta);
  if (third > kExpansion * length) return std::numeric_limits<double>::quiet_NaN();
  return entry_variance(beta) + (-2 * (third - second) + 3 * second * (second - 1)) / length;
}

double kolmogorov(const LinearModel& a, const LinearModel& b) {
  return matrix_laws::LawDifference(SoftmaxLaw(a).squared(), SoftmaxLaw(b).squared()).kolmogorov();
}

/// Adds up the effects of finite m, of finite d and of the tail, each by a measure of its own; the coefficients are
/// fitted (docs/theory/softmax_law.md, section 6).
double expected_kolmogorov(const FiniteSize& size) {
  constexpr double kHead = 2.6, kEmbedding = 5, kTail = 0.62, kTailRoot = 0.09;
  double sum = kHead / std::min(size.dimensions.head, size.length);
  if (size.dimensions.embedding > 0) sum += kEmbedding / size.dimensions.embedding;
  if (std::isfinite(size.head_distance)) sum += size.head_distance;
  sum += kTail * size.tail_distance + kTailRoot * std::sqrt(size.tail_distance);
  return std::min(1.0, sum);
}

}  // namespace

LinearModel truncated_tail_model(const SoftmaxParameters& parameters, int length) {
  dimensions_of(parameters, length);
  LinearModel model = linear_model(parameters);
  // With a handful of tokens the cut would take away more than the noise.
  constexpr double kLeastNoise = 0.01;
  model.noise = std::max(model.noise - tail_variance(parameters.beta, length), kLeastNoise * model.noise);
  return model;
}

LinearModel small_head_model(const SoftmaxParameters& parameters, int length) {
  const double m = dimensions_of(parameters, length).head, square = parameters.beta * parameters.beta;
  LinearModel model = linear_model(parameters);
  if (model.tau > 0) reject("the small-head refinement is known for orthonormal tokens, got Gaussian ones");
  // An order whose matrix differs from noise by less than this share of the variance counts as noise.
  constexpr double kNoise = 1e-8;
  double variance = square, dimension = m, noise = model.noise;
  for (int k = 2;; ++k) {
    variance *= square / k;
    dimension *= (m + k - 1) / k;
    const double ratio = length / dimension;
    if (ratio * variance < kNoise * entry_variance(parameters.beta)) break;
    model.features.push_back({variance, ratio});
    noise -= variance;
  }
  // The rest is the tail of a series of positive terms; where it cancels, its first term stands for it.
  model.noise = std::max(noise, variance);
  return model;
}

LinearModel linear_model(const SoftmaxParameters& parameters, Refinement refinement, int length) {
  switch (refinement) {
    case Refinement::tail:
      return truncated_tail_model(parameters, length);
    case Refinement::head:
      return small_head_model(parameters, length);
    case Refinement::none:
      break;
  }
  return linear_model(parameters);
}

Dimensions dimensions_of(const SoftmaxParameters& parameters, int length) {
  parameters.validate();
  if (length < kLeastLength) reject("the number of tokens must be an integer >= {}, got {}", kLeastLength, length);
  const bool gaussian = parameters.tokens == TokenModel::gaussian;
  return {dimension("a head dimension", length, "rho", parameters.rho),
          gaussian ? dimension("an embedding dimension", length, "tau", parameters.tau) : 0};
}

FiniteSize finite_size(const SoftmaxParameters& parameters, int length) {
  const double beta = parameters.beta, square = beta * beta;
  // The largest of T² entries, e^{2β√ln T − β²/2}, is below √T σ ≈ √T e^{β²/2} for β < kEdge √ln T.
  constexpr double kEdge = 1 - 1 / std::numbers::sqrt2;
  FiniteSize result;
  result.length = length;
  result.dimensions = dimensions_of(parameters, length);
  const LinearModel limit = linear_model(parameters);
  result.tail_share = tail_share(beta, length);
  result.bulk_from = std::exp(2 * square);
  result.edge_from = std::exp(square / (kEdge * kEdge));
  result.bulk_visible = length > result.bulk_from;
  result.edge_visible = length > result.edge_from;
  result.mean = corrected_mean(beta, length);
  const double m = result.dimensions.head;
  result.second_order_ratio = length / (0.5 * m * (m + 1));
  result.tail_distance = kolmogorov(limit, truncated_tail_model(parameters, length));
  result.head_distance = limit.tau > 0 ? std::numeric_limits<double>::quiet_NaN()
                                       : kolmogorov(limit, small_head_model(parameters, length));
  result.expected_kolmogorov = expected_kolmogorov(result);
  return result;
}

}  // namespace attnlaw::laws
