#pragma once
/// Prepares sequences for label-weighted operators (docs/theory/lofi.md, section 4): tokens become samples of their
/// own.

#include <Eigen/Core>

#include "attnlaw/laws/filtering/layer.h"

namespace attnlaw::laws {

/// Tokens, or rotations of them, with one weight each for every output.
struct WeightedTokens {
  base::Matrix<double> phi;  ///< nT × d
  Eigen::ArrayXXd t;         ///< nT × outputs
};

/// Gives every token the weights (n × outputs) of its sample, so that M = (1/nT) Σ_μ t_μ Σ_a x_a x_aᵀ.
Eigen::ArrayXXd repeated_weights(const Eigen::ArrayXXd& t, int tokens);

/// Rotates tokens for weights w ∈ R^{T×T} of their pairs (n rows of T², row by row; their symmetric part counts). With
/// w = U diag(ω) Uᵀ it returns the tokens x̃ = Uᵀx and weights ω, so that (1/nT) Σ ω x̃x̃ᵀ = (1/nT) Σ_μ Σ_ab w_ab x_a
/// x_bᵀ. White tokens stay white. Throws std::invalid_argument for sizes that do not match.
WeightedTokens rotated_tokens(const base::Matrix<double>& phi, const Eigen::ArrayXXd& w, int tokens);

}  // namespace attnlaw::laws
