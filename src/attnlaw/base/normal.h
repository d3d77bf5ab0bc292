#pragma once
/// Computes density, distribution function and quadrature nodes of the standard normal law.

#include <vector>

namespace attnlaw::base {

double normal_density(double x);
/// Returns P(X ≤ x), to full relative accuracy in the lower tail.
double normal_cdf(double x);
/// Returns the quantile of the χ² law of so many degrees of freedom that a number is of the normal law: of a normal
/// number it is one with the χ² law.
double chi_square_at(double degrees, double normal);

/// A quadrature rule: E φ(X) ≈ Σ_i weights[i] φ(points[i]), exact for polynomials of degree up to 2·count − 1; points
/// ascend.
struct NormalNodes {
  std::vector<double> points;
  std::vector<double> weights;
};

/// Computes `count` Gauss-Hermite nodes from the eigensystem of the Jacobi matrix (Golub and Welsch, Math. Comp. 23
/// (1969) 221).
NormalNodes normal_nodes(int count);

}  // namespace attnlaw::base
