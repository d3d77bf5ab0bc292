#pragma once
/// Computes density, distribution function and quadrature nodes of the standard normal law.

#include "attnlaw/base/gauss_nodes.h"

namespace attnlaw::base {

double normal_density(double x);
/// Returns P(X ≤ x), to full relative accuracy in the lower tail.
double normal_cdf(double x);
/// Returns the quantile of the χ² law of so many degrees of freedom that a number is of the normal law: of a normal
/// number it is one with the χ² law.
double chi_square_at(double degrees, double normal);

/// Computes `count` Gauss-Hermite nodes of weight 1 in all.
GaussNodes normal_nodes(int count);

}  // namespace attnlaw::base
