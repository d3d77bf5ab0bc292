#pragma once
/// Applies a custom loss and its labels to the scores of a block of sequences (docs/theory/custom.md).

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/model/custom_loss.h"

namespace attnlaw::experiment {

/// Returns the problem's custom loss as a function of the kept scores of a layout.
model::ScoredLoss custom_loss_of_scores(const model::Problem& problem, const ScoreLayout& layout);

/// Returns how many rows of a label are drawn: 0 where it is not drawn.
int custom_drawn_rows(const model::Problem& problem);

/// Computes the labels of the target's scores (target_layout); of sampled labels their probabilities.
template <class Real>
void custom_outputs(const model::Problem& problem, const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Returns Σ_μ ℓ of the student's scores (student_layout).
template <class Real>
double custom_loss(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                   const base::Columns<Real>& scores);
/// Does the same, and replaces `scores` by the coefficients of losses.h.
template <class Real>
double custom_loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                                    base::Columns<Real>& scores);
/// Returns Σ_μ E ℓ over the labels that may be drawn from `outputs`.
template <class Real>
double expected_custom_loss(const model::Problem& problem, const base::Columns<Real>& outputs,
                            const base::Columns<Real>& scores);

}  // namespace attnlaw::experiment
