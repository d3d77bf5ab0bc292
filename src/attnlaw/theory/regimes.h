#pragma once
/// Which law rules a point of a learning curve of a power-law target (docs/theory/scaling.md).

#include "attnlaw/theory/error_parts.h"

namespace attnlaw::theory {

enum class Regime {
  collapse,           ///< S = 0: the penalty is beyond the largest mode
  lambda_dominated,   ///< E ∝ (λ/n)^{2−1/γ}: modes below the threshold of the penalty are not learned
  lambda_shrinkage,   ///< E ∝ (λ/n)²: all modes are learned, each too small by the threshold
  noise_dominated,    ///< E ∝ n^{−1+1/(2γ)}: modes are recovered one by one against a constant noise
  noiseless,          ///< E ∝ n^{1−2γ}: against the error itself
  overfitting,        ///< E grows like Δ (α K_eff)^{2/5}: the penalty is too small to keep the noise out
  peak,               ///< next to the interpolation threshold, α K_eff = 1/4
  under_regularised,  ///< E ∝ 1/n: more data than parameters, and noise that is fitted below the smallest modes
  parametric,         ///< E ∝ 1/n: all modes are learned and the noise is averaged
  none                ///< no solution, all of the target exactly, or no power law
};
std::span<const base::Named<Regime>> names_table(Regime);

/// All regimes that rule anywhere, from large penalties to small ones.
std::span<const Regime> ruling_regimes();

/// The two numbers that a student depends on: it is that of S* + a Z at the threshold t, times a factor.
struct EffectiveNumbers {
  double noise = 0;      ///< a = √q̂/m̂
  double threshold = 0;  ///< t: 2λ/m̂, λ/m̂ with cross-attention; NaN for a student that learns no modes one by one
};
EffectiveNumbers effective_numbers(const Solution& solution, const matrix_laws::Spectrum& target);

/// What a point of a curve is judged by.
struct RegimePoint {
  const Solution& solution;
  EffectiveNumbers effective;
  ErrorParts parts;
  std::size_t learned = 0;  ///< modes, of so many
  std::size_t modes = 0;
};
Regime regime_of(const RegimePoint& point);
/// Whether it is well inside its regime: one source of error ten times the other, or the threshold twice that of the
/// edge, where modes are learned one after the other at least 5 (50 without noise, and so few that the sum over the
/// others lacks less than a tenth of that over infinitely many) and at most a tenth of them, and where noise is fitted
/// residuals of training below 2 % of those of fresh sequences.
bool is_clean(const RegimePoint& point, Regime regime);

/// Labels that are fitted over those at the peak of interpolation by a target of low rank: one for every degree of
/// freedom of S, or half of that where the student is positive.
double data_per_peak(const model::Problem& problem);

/// Exponent of E in n for tail exponent γ where λ ∝ n^penalty_exponent; NaN where there is no power law. That of
/// overfitting is the slope at `data`, those per peak, and 2/5 where they are few, or not given.
double predicted_exponent(Regime regime, double gamma, double penalty_exponent = 0, double data = 0);
/// Exponent of E in λ at fixed n: 2 − 1/γ, or 2 where all modes are learned; 0 where λ does not matter.
double predicted_penalty_exponent(Regime regime, double gamma);

const base::Description& describe(const EffectiveNumbers*);

}  // namespace attnlaw::theory
