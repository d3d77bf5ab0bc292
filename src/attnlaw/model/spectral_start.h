#pragma once
/// The label-weighted sum of token products as a first estimate of S*, and what of S* it shows
/// (docs/theory/lofi.md, section 5). For n ∝ d² → ∞ it is R = S* + aZ, Z a GOE matrix of off-diagonal variance 1/d.

#include "attnlaw/base/describe.h"
#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::model {

/// a² of the estimate R that n = αd² sequences give with the weights E[z|y]: (Q* + Δ)/(2αK_eff η); other weights have
/// an efficiency η ≤ 1. Throws std::invalid_argument for values out of range, among them no observed scores: labels
/// without a finite temperature show none.
double spectral_start_variance(double Q_star, double noise, double alpha, int observed_scores, double efficiency = 1);
/// The same, of the weights E[z|y], for a target of squared eigenvalues Q* on average.
double spectral_start_variance(const Problem& problem, double Q_star);

/// One function f of the eigenvalues of R as a start of training.
struct SpectralStart {
  double q = 0;       ///< ‖f(R)‖²_F/d
  double m = 0;       ///< Tr f(R) S*/d
  double cosine = 0;  ///< m/√(q Q*)
};
const base::Description& describe(const SpectralStart*);

struct SpectralStarts {
  SpectralStart linear;    ///< f(x) = x: cosine 1/√(1 + a²/Q*)
  SpectralStart positive;  ///< f(x) = max(0, x), for S = W Wᵀ
  SpectralStart best;      ///< f(x) = x − 2a² Re g(x), the posterior mean: m = q
  double estimation = 0;   ///< ‖f(R) − S*‖²_F/d of the best
};

/// For a target and a². Throws std::invalid_argument unless variance is finite and > 0.
SpectralStarts spectral_starts(const matrix_laws::Spectrum& target, double variance);

/// Tells whether a problem has one: self-attention, labels that are the outputs of all rows, and a student of the kinds
/// below.
bool has_spectral_start(const Problem& problem);

/// Q*/(Q* + a²), the multiple of R that is nearest to S*: the start of the direct students.
double spectral_shrinkage(const Problem& problem);

/// The start of the student of a problem, for a target that may differ from its own (the one drawn): tied takes
/// f(x) = max(0, x) of the largest m_h eigenvalues, the direct students the nearest multiple of R, bayes the posterior
/// mean; all but the last times Problem::beta_ratio. Throws as spectral_start_variance.
SpectralStart spectral_start(const Problem& problem, const matrix_laws::Spectrum& target);

}  // namespace attnlaw::model
