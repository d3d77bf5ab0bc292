#pragma once
/// Predicts how much of S* the label-weighted sum of token products shows, a first estimate of S* (docs/theory/lofi.md,
/// section 5). For n ∝ d² → ∞ it is R = S* + aZ, Z a GOE matrix of off-diagonal variance 1/d.

#include "attnlaw/base/describe.h"
#include "attnlaw/matrix_laws/spectrum.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::model {

/// Returns the a² of the estimate R from n = αd² sequences, (Q* + Δ)/(2αK_eff η). The weights E[z|y] have the
/// efficiency η = 1, others less. Throws std::invalid_argument for values out of range; one is K_eff = 0, as labels
/// without a finite temperature show no score.
double spectral_start_variance(double Q_star, double noise, double alpha, int observed_scores, double efficiency = 1);
/// Returns a² for a problem and the weights E[z|y], for a target of mean squared eigenvalue Q*.
double spectral_start_variance(const Problem& problem, double Q_star);

/// The overlaps of a start f(R), where f acts on the eigenvalues of R.
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
  double estimation = 0;   ///< ‖f(R) − S*‖²_F/d of `best`
};

/// Computes the starts for the spectrum of a target and a² = variance. Throws std::invalid_argument unless variance is
/// finite and > 0.
SpectralStarts spectral_starts(const matrix_laws::Spectrum& target, double variance);

/// Tells whether a problem has a spectral start: it needs self-attention, labels that are the outputs of all rows, and
/// any student but untied.
bool has_spectral_start(const Problem& problem);

/// Returns Q*/(Q* + a²): this multiple of R is nearest to S*, and the direct students start from it.
double spectral_shrinkage(const Problem& problem);

/// Returns the start of a problem's student for the spectrum of a target, which may be a drawn one. The student tied
/// takes f(x) = max(0, x) of the largest m_h eigenvalues, the direct students the nearest multiple of R, both times
/// Problem::beta_ratio; bayes takes the posterior mean. Throws as spectral_start_variance.
SpectralStart spectral_start(const Problem& problem, const matrix_laws::Spectrum& target);

}  // namespace attnlaw::model
