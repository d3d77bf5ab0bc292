#pragma once
/// The posterior mean of an adapter, which no other estimator beats (docs/theory/lora.md, section 7): linear scores of
/// one token, y = ω(v² − 1) + √(2E) ζ with v = x·u.

#include <span>
#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/laws/adapter/lora.h"

namespace attnlaw::laws {

/// What is known of the direction u at the end; its overlap q = E[u|data]·u is the squared cosine as well.
struct LoraBayes {
  double alignment = 0;      ///< q; of two solutions that of larger free entropy, which may be the smaller
  double adapter_error = 0;  ///< ω²(1 − q²) of the posterior mean of ω u uᵀ
  double index_error = 0;    ///< T(T+1)(E_pre + adapter error)
  double from_nothing = 0;   ///< q that message passing reaches from a start without knowledge; below α_c 0
  bool converged = false;    ///< from both starts
};
const base::Description& describe(const LoraBayes*);

/// Throws std::invalid_argument unless the head is linear and tokens = 1.
void require_posterior(const LoraTask& task);

/// Solves q = q̂/(1 + q̂), q̂ = α E g², from both starts, and takes the solution of larger free entropy. Throws as
/// require_posterior.
LoraBayes predict_posterior(const LoraTask& task, const PretrainedOverlaps& pretrained);

/// The law of v given y under the cavity law N(centre, variance): its mean and variance.
struct LocalPosterior {
  double mean = 0, variance = 0;
};
LocalPosterior local_posterior(double y, double centre, double variance, double omega, double noise);

/// The posterior mean of u as message passing has left it, of length ≤ 1.
struct PosteriorMean {
  base::Matrix<double> mean;
  bool converged = false;
};

/// Approximates the posterior mean of u by message passing from `start` (of any length > 0), given labels less the
/// frozen scores of sequences X (n × d) and the variance E of what is left of them.
PosteriorMean posterior_mean(const base::Matrix<double>& X, std::span<const double> labels, double omega, double noise,
                             const base::Matrix<double>& start);

}  // namespace attnlaw::laws
