#include "attnlaw/theory/regimes.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/infinity.h"
#include "attnlaw/theory/fitted_noise.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
namespace {

using base::kNaN;

/// The penalty is at the edge of the noise where the threshold is this many times the effective noise.
constexpr double kEdge = 2;
/// …and rules beyond it by this factor.
constexpr double kBeyondEdge = 1.05;
/// How near to the peak of interpolation is next to it.
constexpr double kNextToPeak = 2;

bool beyond_edge(const EffectiveNumbers& effective, double factor) {
  return effective.threshold > factor * kEdge * effective.noise;
}

/// Noise in the bulk is what is left of the error.
Regime of_fitted_noise(const model::Problem& problem) {
  const double ratio = data_per_peak(problem);
  if (ratio > kNextToPeak) return Regime::under_regularised;
  return ratio < 1 / kNextToPeak ? Regime::overfitting : Regime::peak;
}

bool dominates(double part, double other, double factor) { return part > factor * other; }

/// Whether the modes that are not learned sum up as if there were no last one: Σ_{i>k} i^{−2γ} lacks the share
/// (k/D)^{2γ−1} of that of infinitely many.
bool has_tail(const RegimePoint& point, double factor) {
  const double share = static_cast<double>(point.learned) / static_cast<double>(point.modes);
  return dominates(1, std::pow(share, 2 * point.solution.problem.target.power_law()->gamma - 1), factor);
}

/// Whether labels are fitted as without a penalty: residuals of training, as a share of those of fresh sequences, are
/// how much less than that S responds to labels.
bool fits_labels(const Errors& errors) {
  constexpr double kResidual = 0.02;
  return errors.train < kResidual * kResidual * errors.test_noisy;
}

}  // namespace

double data_per_peak(const model::Problem& problem) {
  const bool positive = problem.student == model::Student::tied;
  return problem.alpha * fitted_scores(problem) / (positive ? 0.5 : 1);
}

EffectiveNumbers effective_numbers(const Solution& solution, const matrix_laws::Spectrum& target) {
  const Conjugates& conjugates = solution.conjugates;
  if (!(solution.overlaps.q > 0) || !usable(conjugates)) return {kNaN, kNaN};
  const SpectralFunction f = spectral_function(solution, noisy_target(target, conjugates, 0));
  return {std::sqrt(conjugates.q_hat) / conjugates.m_hat, std::isinf(f.cut) ? kNaN : f.cut / conjugates.m_hat};
}

std::span<const Regime> ruling_regimes() {
  using enum Regime;
  static constexpr Regime kRuling[] = {
      collapse, lambda_dominated,  lambda_shrinkage, noise_dominated, noiseless, overfitting,
      peak,     under_regularised, parametric};
  return kRuling;
}

Regime regime_of(const RegimePoint& point) {
  const Solution& solution = point.solution;
  const double E = solution.errors.estimation, noise = solution.problem.noise;
  if (!solution.diagnostics.converged || !(E > 0)) return Regime::none;
  if (!(solution.overlaps.q > 0)) return Regime::collapse;
  const ErrorParts& parts = point.parts;
  // Without a threshold all modes are learned alike, and there is a power law where data are more than parameters.
  if (std::isnan(point.effective.threshold)) {
    if (data_per_peak(solution.problem) <= kNextToPeak) return Regime::none;
    return dominates(parts.shrinkage, parts.bulk, 1) ? Regime::lambda_shrinkage : Regime::under_regularised;
  }
  const bool penalised = beyond_edge(point.effective, kBeyondEdge);
  if (point.learned >= point.modes)
    return penalised && dominates(parts.shrinkage, parts.misalignment, 1) ? Regime::lambda_shrinkage
                                                                          : Regime::parametric;
  if (dominates(parts.bulk, E - parts.bulk, 1)) return of_fitted_noise(solution.problem);
  if (penalised) return Regime::lambda_dominated;
  return noise > E ? Regime::noise_dominated : Regime::noiseless;
}

bool is_clean(const RegimePoint& point, Regime regime) {
  constexpr double kDominance = 10, kThresholds = 2;
  // Against the error itself each mode that is learned changes what the next is learned against: a sum over k modes
  // misses its integral by a share 1/k, and the slope with it (−1.95 instead of −2 at 50 modes of γ = 1.5).
  constexpr std::size_t kFewModes = 5, kFewModesOfError = 50, kShareOfModes = 10;
  if (regime_of(point) != regime) return false;
  const ErrorParts& parts = point.parts;
  const double E = point.solution.errors.estimation, noise = point.solution.problem.noise;
  const bool some_modes = point.learned >= kFewModes && point.learned <= point.modes / kShareOfModes;
  switch (regime) {
    case Regime::lambda_dominated:
      return some_modes && beyond_edge(point.effective, kThresholds);
    case Regime::lambda_shrinkage:
      return dominates(parts.shrinkage, parts.misalignment, kDominance);
    case Regime::noise_dominated:
      return some_modes && dominates(noise, E, kDominance);
    case Regime::noiseless:
      return some_modes && point.learned >= kFewModesOfError && has_tail(point, kDominance) &&
             dominates(E, noise, kDominance);
    case Regime::under_regularised:
      return dominates(parts.bulk, E - parts.bulk, kDominance) &&
             dominates(data_per_peak(point.solution.problem), 1, kDominance);
    case Regime::overfitting:
      return dominates(parts.bulk, E - parts.bulk, kDominance) && fits_labels(point.solution.errors) &&
             dominates(1, data_per_peak(point.solution.problem), kDominance);
    case Regime::parametric:
      // At the edge shrinkage goes like the noise.
      return dominates(parts.misalignment, parts.shrinkage, kDominance) ||
             beyond_edge(point.effective, 1 / kBeyondEdge);
    case Regime::collapse:
    case Regime::peak:
    case Regime::none:
      break;
  }
  return false;
}

double predicted_exponent(Regime regime, double gamma, double penalty_exponent, double data) {
  constexpr double kLittleData = 0.4;
  switch (regime) {
    case Regime::lambda_dominated:
      return (2 - 1 / gamma) * (penalty_exponent - 1);
    case Regime::lambda_shrinkage:
      return 2 * (penalty_exponent - 1);
    case Regime::noise_dominated:
      return -1 + 1 / (2 * gamma);
    case Regime::noiseless:
      return 1 - 2 * gamma;
    case Regime::overfitting:
      return data > 0 && data < 1 ? fitted_noise(data).exponent : kLittleData;
    case Regime::under_regularised:
    case Regime::parametric:
      return -1;
    case Regime::collapse:
    case Regime::peak:
    case Regime::none:
      break;
  }
  return kNaN;
}

double predicted_penalty_exponent(Regime regime, double gamma) {
  const double fixed = predicted_exponent(regime, gamma, 0);
  return predicted_exponent(regime, gamma, 1) - fixed;
}

}  // namespace attnlaw::theory
