#pragma once
/// Attention scores and outputs of a block of sequences: the pointwise part of data, objective and test error.
///
/// Scores of one sequence are the K = T(T+1)/2 entries h_ab, a ≤ b, in the order (0,0), (0,1), …, (0,T−1), (1,1), …

#include "attnlaw/experiment/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Position of h_ab (any order of a, b) among the K scores.
int score_index(int tokens, int a, int b);

/// Number of output entries per sequence: T² for softmax (the rows of σ_β), K for the linear head (its scores).
int output_count(const model::Problem& problem);

/// scores(μ, (a,b)) = (scale·⟨left_a, right_b⟩ − δ_ab trace)/√d for rows a, b of sequence μ. `left` and `right` hold
/// scores.rows() sequences of `tokens` rows of length d. Products are summed in Real, the trace is taken off in double.
template <class Real>
void pair_scores(int tokens, Eigen::Index d, const Real* left, const Real* right, double scale, double trace,
                 Columns<Real>& scores);

/// Row-wise softmax of beta·h: outputs(μ, a T + b), rows summing to 1.
template <class Real>
void softmax_rows(int tokens, double beta, const Columns<Real>& scores, Columns<Real>& outputs);

/// What the student of `problem` answers: σ_β(h), or h for the linear head.
template <class Real>
void student_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs);

/// Noiseless answer of the target: σ_{β*}(h*), or h*.
template <class Real>
void target_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs);

/// Σ_μ ℓ between the outputs of the student and `labels` (sequences × output_count), and in place of `scores` the
/// symmetric coefficients C_ab with dΣℓ = Σ_{all a,b} C_ab dh_ab. `outputs` is scratch. Sums in double.
template <class Real>
double loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                             Columns<Real>& scores, Columns<Real>& outputs);

/// Σ_μ ‖left − right‖² over outputs: all T² entries count once (for the linear head off-diagonal scores count twice).
template <class Real>
double squared_distance(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& left,
                        const Columns<Real>& right);

/// out_a = Σ_b C_ab in_b for the rows of each sequence, C the symmetric coefficients; out may be in.
template <class Real>
void mix_rows(int tokens, Eigen::Index d, const Columns<Real>& coefficients, const Real* in, Real* out);

}  // namespace attnlaw::experiment
