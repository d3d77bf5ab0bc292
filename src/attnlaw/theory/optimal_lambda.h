#pragma once
/// The penalty of least predicted test error.

#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

/// Minimises the test error over λ: a scan of the whole range from where nothing is learned downwards, then
/// Newton's method on the derivative of the error (sensitivity.h) on one rule, so that the error is a smooth function
/// of λ. The minimum may lie at an end: at 0+ (compared with the ridgeless limit itself) or where S = 0. The solution
/// is the one at that λ, with `optimal_lambda` set. problem.lambda_rule is `optimal`.
Solution solve_at_optimal_lambda(const model::Problem& problem, const matrix_laws::Spectrum& target,
                                 const SolveOptions& options);

/// λ from which on S = 0 is trained, for the tied student: half the upper edge of the law of M at S = 0; for the untied
/// one of cross-attention the edge itself. Infinite for
/// direct students, which shrink but never vanish.
double collapse_lambda(const model::Problem& problem, const matrix_laws::Spectrum& target);

}  // namespace attnlaw::theory
