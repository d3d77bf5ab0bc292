#pragma once
/// The same filter on attention: the label-weighted sum of token products as a first estimate of S*
/// (docs/theory/lofi.md, section 5).

#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::companion {

/// a² of the estimate R = S* + aZ that n = αd² sequences give with the weights E[z|y]: (Q* + Δ)/(2αK_eff η), Z a GOE
/// matrix of off-diagonal variance 1/d; other weights have an efficiency η ≤ 1. Throws std::invalid_argument for values
/// out of range.
double attention_start_variance(double Q_star, double noise, double alpha, int observed_scores, double efficiency = 1);

/// η of the raw labels w = (y + yᵀ)/2 − 1/T of noiseless softmax attention: c₁²/(τ K_eff Q*). T = 2 or 3.
double raw_label_efficiency(int tokens, double beta, double Q_star);

/// One function f of the eigenvalues of R as a start of training.
struct SpectralStart {
  double q = 0;       ///< ‖f(R)‖²_F/d
  double m = 0;       ///< Tr f(R) S*/d
  double cosine = 0;  ///< m/√(q Q*)
};

struct SpectralStarts {
  SpectralStart linear;    ///< f(x) = x: cosine 1/√(1 + a²/Q*)
  SpectralStart positive;  ///< f(x) = max(0, x), for S = W Wᵀ
  SpectralStart best;      ///< f(x) = x − 2a² Re g(x), the posterior mean: m = q
  double estimation = 0;   ///< ‖f(R) − S*‖²_F/d of the best
};

SpectralStarts spectral_starts(const matrix_laws::Spectrum& target, double variance);

}  // namespace attnlaw::companion
