#pragma once
/// Square roots of the values of a law: the singular values of W where S = W Wᵀ is what is trained.

#include <algorithm>
#include <cmath>

#include "attnlaw/model/problem.h"

namespace attnlaw::theory {

/// Values s ≥ 0 as σ = √(unit s), of which ρ(s) ds = (2 σ/unit) ρ(s) dσ.
struct SquareRoots {
  double unit = 1;

  /// σ; 0 for what rounding leaves below 0.
  double of(double s) const { return std::sqrt(std::max(0.0, unit * s)); }
  /// The density of σ where s has the density `rho`.
  double density(double s, double rho) const { return 2 * of(s) / unit * rho; }
};

/// The singular values of W/√d of a tied student from the eigenvalues of S = W Wᵀ/√(m_h d): σ² = s √κ.
inline SquareRoots weights_of(const model::Problem& problem) { return {std::sqrt(problem.width)}; }

}  // namespace attnlaw::theory
