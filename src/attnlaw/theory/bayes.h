#pragma once
/// Bayes-optimal learning of the target: state evolution of the posterior mean (docs/theory/bayes_optimal.md).

#include "attnlaw/theory/solution.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

/// Solves a validated problem of the student bayes on a given target spectrum. In the Solution q = m = Q* − E, V = E,
/// q̂ = m̂ = V̂ = 1/v (infinite at perfect recovery), estimation = E, test is the label error of the posterior-mean
/// predictor, train, objective and replicon are NaN (nothing is minimised) and `bayes` is set. The spectrum is that of
/// the posterior mean. Several fixed points: all are listed, the one of lowest potential is the solution.
/// options.accuracy is that of the label errors with T ≥ 3; E is found to rounding. options.start is not needed.
/// Throws std::invalid_argument for an invalid problem or option, or another student. Never throws for lack of
/// accuracy: see Solution::diagnostics.
Solution solve_bayes(const model::Problem& problem, const matrix_laws::Spectrum& target, const SolveOptions& options);

/// α at and above which the target is recovered perfectly from noiseless labels: (1 − Σ w_i²)/(2 K_eff) over the atoms
/// w_i of the target. Infinite for hardmax, whose labels never fix a score.
double bayes_recovery(const model::Problem& problem, const matrix_laws::Spectrum& target);

}  // namespace attnlaw::theory
