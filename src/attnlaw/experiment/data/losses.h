#pragma once
/// The losses ℓ(y, h) of a block of sequences with their derivatives in the scores (docs/theory/losses.md).

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Σ_μ ℓ of the student's scores against `labels` (sequences × label_count, see outputs.h). `outputs` is overwritten by
/// the outputs of the student. Sums in double; cross-entropy by log-sum-exp, logistic loss by softplus, finite at any
/// score.
template <class Real>
double loss(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
            const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// The same, and in place of `scores` the coefficients C_ab with dΣℓ = Σ_{all a,b} C_ab dh_ab, in the same layout.
template <class Real>
double loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                             base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Σ_μ ‖label − output‖² of soft labels: all entries count once (a score that stands for two entries counts twice).
template <class Real>
double squared_distance(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                        const base::Columns<Real>& outputs);

/// ℓ(y, ·) is convex in h for every label: all but squared losses of softmax rows and entries.
bool convex_loss(const model::Problem& problem);

}  // namespace attnlaw::experiment
