#pragma once
/// Bayes-optimal learning of the target: state evolution of the posterior mean (docs/theory/bayes_optimal.md).

#include <vector>

#include "attnlaw/theory/solution.h"
#include "attnlaw/theory/state_evolution.h"

namespace attnlaw::theory {

/// Solves a validated problem of the student bayes on a given target spectrum. In the Solution q = m = Q* − E, V = E,
/// q̂ = m̂ = 1/v, estimation = E, test is the label error of the posterior-mean predictor, train and objective are NaN
/// (nothing is minimised) and `bayes` is set. Several fixed points: all are listed, the one of lowest potential is the
/// solution.
Solution solve_bayes(const model::Problem& problem, const matrix_laws::Spectrum& target, const SolveOptions& options);

/// α above which the target is recovered perfectly from noiseless labels: (1 − Σ w_i²)/(2 K_eff).
double bayes_recovery(const model::Problem& problem, const matrix_laws::Spectrum& target);

}  // namespace attnlaw::theory
