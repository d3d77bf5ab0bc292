#pragma once
/// What others do with the context of a regression task: the Bayes-optimal ridge, and the posterior mean of who knows
/// nothing but the training tasks (docs/theory/in_context_learning.md, section 5).

#include "attnlaw/laws/in_context/in_context.h"

namespace attnlaw::laws {

/// Computes the errors of all of them at the context and noise of the test.
InContextBaselines in_context_baselines(const InContextModel& model);

/// Returns the test error of the posterior mean for tasks w ~ N(0, C), with the noise of the label it predicts: ρ + t,
/// t = (1/d) tr C(1 + αC/(ρ + t))⁻¹.
double ridge_error(const TaskCovariance& covariance, double context, double noise);

/// Returns the error on new tasks of the posterior mean over k training tasks at dimension d, tasks on the sphere: it
/// tends to ρ + 2 as d grows, slowly, as the nearest of k wrong tasks is less than orthogonal. This is the first term
/// of an expansion in 4αE_k/√(d(4α² + 6α + 4αρ)), E_k the mean of the largest of k normal numbers, and holds where that
/// is small beside 2; NaN where it has failed: below the error of the ridge, which no answer to new tasks can beat.
double memory_error(double d, double context, double tasks, double noise);

/// Returns the mean of the largest of k standard normal numbers, for real k ≥ 1.
double mean_of_largest(double k);

}  // namespace attnlaw::laws
