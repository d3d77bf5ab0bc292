#pragma once
/// Corrects p-values for the number of tests made.

#include <span>
#include <vector>

namespace attnlaw::matrix_laws {

/// Returns adjusted p-values, in the order of the given ones: rejecting those ≤ level keeps the chance of any false
/// rejection at the level, whatever the dependence (Holm, Scand. J. Statist. 6 (1979) 65). NaN stays NaN and does not
/// count as a test.
std::vector<double> holm(std::span<const double> p_values);

/// Returns adjusted p-values: rejecting those ≤ level keeps the expected share of false rejections at the level,
/// whatever the dependence (Benjamini and Yekutieli, Ann. Statist. 29 (2001) 1165). NaN as in holm.
std::vector<double> benjamini_yekutieli(std::span<const double> p_values);

}  // namespace attnlaw::matrix_laws
