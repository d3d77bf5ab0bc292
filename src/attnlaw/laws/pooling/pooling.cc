#include "attnlaw/laws/pooling/pooling.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/fields/description.h"

namespace attnlaw::laws {
namespace {

/// Returns the μ² at which s = q μ² + δ(q − 1), q = α/κ, reaches `critical`.
double threshold(double delta, double ratio, double critical) { return (critical + delta) / ratio - delta; }

/// Returns the place of a spike. At s = −δ it has taken all variance of its direction away, and its eigenvalue is 0.
Place place(double delta, const CriticalPoints& critical, double s) {
  if (s > critical.upper) return Place::above;
  return s < critical.lower && s > -delta ? Place::gap : Place::hidden;
}

PoolingLevel level(const Spike& spike, double s, double threshold, double ceiling) {
  return {threshold, s, spike, spike.overlap * ceiling};
}

}  // namespace

void require_valid(const PoolingModel& model) { base::require_in_ranges(describe(&model), &model); }

Spike population_spike(double delta, double scale, double s) {
  const double root = std::sqrt(delta);
  const Place where = place(delta, {-root, root}, s);
  if (where == Place::hidden) return {where, scale * (1 + root) * (1 + root), 0};
  return {where, scale * (s + 1) * (s + delta) / s, 1 - delta / (s * s)};
}

Spike sample_spike(const PoolingRatios& ratios, double scale, double s) {
  const CriticalPoints critical = critical_points(ratios);
  const Place where = place(ratios.delta, critical, s);
  if (where == Place::hidden) return {where, scale * pooling_map(ratios, critical.upper), 0};
  const double a = ratios.delta + ratios.gamma + ratios.delta * ratios.gamma, b = ratios.delta * ratios.gamma;
  const double overlap = (s * s * s - a * s - 2 * b) / (s * s * (s + ratios.gamma));
  return {where, scale * pooling_map(ratios, s), overlap};
}

PoolingPrediction predict_pooling(const PoolingModel& model) {
  require_valid(model);
  const auto& [ratios, mu2, alpha, kappa] = model;
  const double delta = ratios.delta, ratio = alpha / kappa;
  PoolingPrediction result;
  result.model = model;
  const matrix_laws::Law law = pooling_law(ratios, kappa);
  result.band = law.bands().front().support;
  for (const auto& atom : law.atoms()) result.zero_mass += atom.mass;
  result.critical = critical_points(ratios);
  result.ceiling = mu2 / (mu2 + delta);
  result.phantom_ratio = 1 + result.critical.upper / delta;
  const double s = ratio * mu2 + delta * (ratio - 1), root = std::sqrt(delta);
  result.table = level(population_spike(delta, 1, mu2), mu2, root, result.ceiling);
  result.population = level(population_spike(delta, kappa, s), s, threshold(delta, ratio, root), result.ceiling);
  result.sample =
      level(sample_spike(ratios, kappa, s), s, threshold(delta, ratio, result.critical.upper), result.ceiling);
  return result;
}

Spike nuisance_spike(const PoolingRatios& ratios, const PoolingScalars& scalars) {
  return sample_spike(ratios, scalars.kappa, ratios.delta * (scalars.sum * scalars.sum / scalars.kappa - 1));
}

double fixed_length_excess(const PoolingRatios& ratios, const PoolingScalars& scalars) {
  const double spread = scalars.fourth / (scalars.kappa * scalars.kappa);
  return ratios.delta * ratios.gamma * ratios.gamma * spread * spread / pooling_moment(ratios, 4);
}

PoolingChoices compare_weights(const PoolingRatios& ratios, const SignCorrelations& correlations,
                               std::span<const double> weights) {
  require_valid(ratios);
  const double critical = critical_points(ratios).upper;
  const auto choice = [&](std::span<const double> w) {
    const PoolingScalars scalars = pooling_scalars(w, correlations);
    return PoolingChoice{scalars, threshold(ratios.delta, scalars.ratio(), critical)};
  };
  const std::size_t length = correlations.length();
  return {choice(weights), choice(mean_weights(length)), choice(harmonic_weights(length)),
          choice(optimal_weights(correlations).weights)};
}

}  // namespace attnlaw::laws
