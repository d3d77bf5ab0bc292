#pragma once
/// The Tracy-Widom law of real symmetric matrices (β = 1): fluctuations of a largest eigenvalue at a square-root edge.

namespace attnlaw::matrix_laws {

inline constexpr double kTracyWidomMean = -1.2065335745820;
inline constexpr double kTracyWidomVariance = 1.607781034581;

/// Returns F₁(s) = det(1 − K) on L²(0, ∞), K(x, y) = Ai(x + y + s), by Gauss-Legendre quadrature of the determinant
/// (Bornemann, Math. Comp. 79 (2010) 871; Ferrari and Spohn, J. Phys. A 38 (2005) L557). The absolute error is below
/// 1e-13.
double tracy_widom_cdf(double s);

/// Returns 1 − F₁(s), to a relative error below 1e-8 also far in the tail, where it is the expansion of the
/// determinant.
double tracy_widom_tail(double s);

/// Returns s with F₁(s) = p for 1e-10 ≤ p ≤ 1 − 1e-10.
double tracy_widom_quantile(double p);

}  // namespace attnlaw::matrix_laws
