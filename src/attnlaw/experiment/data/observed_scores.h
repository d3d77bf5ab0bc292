#pragma once
/// The scores that labels show.

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Normalised scores z_ab = h_ab/√(1+δ_ab) (target_layout) that give the labels, one sequence per row: noisy ones of
/// the target; for softmax up to a common shift of the scores of a sequence. Softmax labels that have underflowed are
/// taken for the smallest that float can tell.
void observed_scores(const model::Problem& problem, const base::Columns<double>& labels, base::Columns<double>& z);

/// Takes out of scores or their gradients what labels do not show: for softmax the direction e_aa = 1/T, e_ab = √2/T of
/// a common shift, nothing for the linear head.
void remove_hidden_shift(const model::Problem& problem, base::Columns<double>& z);

/// Coefficients C_ab (student_layout) of a DataPass with Σ_ab C_ab ∂h_ab/∂S = Σ_{a≤b} g_ab A_ab, for g of normalised
/// scores (target_layout); A_ab = [(x_a x_bᵀ + x_b x_aᵀ)/2 − δ_ab]/√(d(1+δ_ab)).
template <class Real>
void message_coefficients(const model::Problem& problem, const Eigen::Ref<const base::Columns<double>>& g,
                          base::Columns<Real>& coefficients);

}  // namespace attnlaw::experiment
