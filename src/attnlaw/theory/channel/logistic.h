#pragma once
/// Scalar quadratures over a normal field seen through logistic functions: what they share.

#include <cmath>

namespace attnlaw::theory {

/// s(x) = 1/(1 + e^{−x}).
inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// A normal law is cut at this many standard deviations: 1e-20 of its mass.
inline constexpr double kNormalReach = 9.5;
/// Panels of 12 Gauss-Legendre nodes of this length resolve a logistic function (poles at ±iπ) to rounding.
inline constexpr double kLogisticPanel = 2;

}  // namespace attnlaw::theory
