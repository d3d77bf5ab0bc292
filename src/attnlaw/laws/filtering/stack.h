#pragma once
/// Computes the upper edge for the operators of several outputs side by side: of the singular values of [M_1 … M_c],
/// M_k = (1/n) Σ_μ t_μk φ_μ φ_μᵀ, whose left singular vectors are the eigenvectors of Σ M_k² (docs/theory/lofi.md,
/// section 2).

#include <Eigen/Core>

#include "attnlaw/laws/filtering/law.h"

namespace attnlaw::laws {

/// Returns the upper edge of the singular values for white Gaussian φ ∈ R^p that does not depend on t, as n, p → ∞ at δ
/// = n/p. Singular values are the upper half of the eigenvalues of (1/n) Σ φφᵀ ⊗ B, B = e₀tᵀ + te₀ᵀ ∈ R^{(c+1)×(c+1)};
/// its matrix-valued Stieltjes transform solves G = (zI − E[B(I − BG/δ)⁻¹])⁻¹. Along the solutions z is a function of g
/// = G₀₀, least at the edge. For c = 1 it is the larger of the two ends of M in absolute value. `t` is samples ×
/// outputs, each sample equally likely. `lambda` of the result is δ/g, and its density is that of p values, so that
/// outlier_p_value works on it. Throws std::invalid_argument unless δ > 0 is finite, t is finite and not all 0.
LofiEdge stack_edge(const Eigen::ArrayXXd& t, double delta);

}  // namespace attnlaw::laws
