#pragma once
/// Compares measured eigenvalues with a law.

#include <functional>
#include <span>

#include "attnlaw/matrix_laws/law.h"

namespace attnlaw::matrix_laws {

/// Returns sup |F_measured − F| over all x, for measured values in ascending order and a distribution function F that
/// is continuous but for a jump of `zero_mass` at 0. Only values that equal 0 exactly count as zero.
double kolmogorov_distance(std::span<const double> ascending, const std::function<double(double)>& distribution,
                           double zero_mass);

/// Returns the same distance from a law whose only atom, if any, is at 0.
double kolmogorov_distance(std::span<const double> ascending, const Law& law);

}  // namespace attnlaw::matrix_laws
