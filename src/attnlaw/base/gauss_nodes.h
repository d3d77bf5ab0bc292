#pragma once
/// Computes quadrature rules from their Jacobi matrices.

#include <span>
#include <vector>

namespace attnlaw::base {

/// A quadrature rule: E φ(X) ≈ Σ_i weights[i] φ(points[i]); points ascend, weights sum to 1.
struct GaussNodes {
  std::vector<double> points;
  std::vector<double> weights;
};

/// Returns the rule of as many nodes as `diagonal` is long that is exact for polynomials of degree below twice that,
/// under the law whose orthonormal polynomials obey x p_k = off_{k−1} p_{k−1} + diagonal_k p_k + off_k p_{k+1}: the
/// eigenvalues of the Jacobi matrix, and the squared first components of their vectors (Golub and Welsch, Math. Comp.
/// 23 (1969) 221). `off` is one entry shorter.
GaussNodes gauss_nodes(std::span<const double> diagonal, std::span<const double> off);

}  // namespace attnlaw::base
