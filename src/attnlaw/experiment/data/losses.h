#pragma once
/// Computes the losses ℓ(y, h) of a block of sequences with their derivatives in the scores (docs/theory/losses.md).

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Returns Σ_μ ℓ of the student's scores against `labels` (sequences × label_count, see outputs.h), and writes the
/// student's outputs to `outputs`. Sums are in double; cross-entropy (by log-sum-exp) and logistic loss (by softplus)
/// are finite at any score. A custom loss leaves `outputs` as they are.
template <class Real>
double loss(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
            const base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Does the same, and replaces `scores` by the coefficients C_ab with dΣℓ = Σ_{all a,b} C_ab dh_ab, in the same layout.
template <class Real>
double loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                             base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Returns ⟨y_b, y_c⟩/d, b ≤ c, of the keys of every sequence (Data::products).
template <class Real>
base::Columns<Real> token_products(const model::Problem& problem, const Data<Real>& data);

/// The square loss of output sequences, Σ_μ ‖(y − σ_β(h)) Y‖²_F/d over the keys Y (X itself with self-attention), whose
/// `products` weigh the residuals of every row: Σ_bc r_ab ⟨y_b, y_c⟩/d r_ac. Of soft labels of whole rows.
template <class Real>
double sequence_loss(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                     const Eigen::Ref<const base::Columns<Real>>& products, const base::Columns<Real>& scores,
                     base::Columns<Real>& outputs);

/// Does the same, and replaces `scores` by the coefficients C_ab.
template <class Real>
double sequence_loss_and_coefficients(const model::Problem& problem,
                                      const Eigen::Ref<const base::Columns<Real>>& labels,
                                      const Eigen::Ref<const base::Columns<Real>>& products,
                                      base::Columns<Real>& scores, base::Columns<Real>& outputs);

/// Returns Σ_μ ‖label − output‖² of soft labels, where every entry counts once (a score that stands for two entries
/// counts twice).
template <class Real>
double squared_distance(const model::Problem& problem, const Eigen::Ref<const base::Columns<Real>>& labels,
                        const base::Columns<Real>& outputs);

/// Tells whether ℓ(y, ·) is convex in h for every label: all losses are but the squared ones of softmax rows and
/// entries.
bool convex_loss(const model::Problem& problem);

}  // namespace attnlaw::experiment
