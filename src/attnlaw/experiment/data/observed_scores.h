#pragma once
/// Reads from labels what they show of the scores, and sends messages back to S.

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Computes the normalised noisy scores of the target, z_ab = h_ab/√(1+δ_ab) (target_layout), from the labels that they
/// gave, one sequence per row; softmax labels tell them up to a common shift of the scores of a sequence. Softmax
/// labels that have underflowed count as the smallest normal float.
void observed_scores(const model::Problem& problem, const base::Columns<double>& labels, base::Columns<double>& z);

/// Removes from scores or their gradients what labels do not show: for softmax the direction e_aa = 1/T, e_ab = √2/T of
/// a common shift, for the linear head nothing.
void remove_hidden_shift(const model::Problem& problem, base::Columns<double>& z);

/// Computes coefficients C_ab (student_layout) of a DataPass with Σ_ab C_ab ∂h_ab/∂S = Σ_{a≤b} g_ab A_ab, where g
/// belongs to normalised scores (target_layout) and A_ab = [(x_a x_bᵀ + x_b x_aᵀ)/2 − δ_ab]/√(d(1+δ_ab)).
template <class Real>
void message_coefficients(const model::Problem& problem, const Eigen::Ref<const base::Columns<double>>& g,
                          base::Columns<Real>& coefficients);

}  // namespace attnlaw::experiment
