#pragma once
/// Attention scores and outputs of a block of sequences: the pointwise part of data, objective and test error.

#include "attnlaw/experiment/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Which scores of one sequence are kept, and where: all T² entries h_ab by rows, or, where h is symmetric, the K =
/// T(T+1)/2 entries a ≤ b in the order (0,0), (0,1), …, (0,T−1), (1,1), …
struct ScoreLayout {
  int tokens = 1;
  bool symmetric = true;

  int count() const { return symmetric ? tokens * (tokens + 1) / 2 : tokens * tokens; }
  /// Position of h_ab (any order of a, b if symmetric).
  int index(int a, int b) const;
  /// How many entries of the matrix h the kept entry (a, b) stands for.
  int multiplicity(int a, int b) const { return symmetric && a != b ? 2 : 1; }
  /// visit(a, b, k) for every kept entry in order, k = index(a, b).
  template <class Visit>
  void for_each(Visit visit) const {
    for (int a = 0, k = 0; a < tokens; ++a) {
      for (int b = symmetric ? a : 0; b < tokens; ++b, ++k) visit(a, b, k);
    }
  }
};

/// Scores of the student: symmetric unless S is not (direct_general).
ScoreLayout student_layout(const model::Problem& problem);
/// Scores of the target are symmetric.
ScoreLayout target_layout(const model::Problem& problem);

/// Number of output entries per sequence: T² for softmax (the rows of σ_β), the scores of the student for the linear
/// head.
int output_count(const model::Problem& problem);

/// scores(μ, (a,b)) = scale·⟨left_a, right_b⟩ − δ_ab shift for rows a, b of sequence μ. `left` and `right` hold
/// scores.rows() sequences of layout.tokens rows of this length. Products are summed in Real, the shift is taken off in
/// double.
template <class Real>
void pair_scores(const ScoreLayout& layout, Eigen::Index length, const Real* left, const Real* right, double scale,
                 double shift, Columns<Real>& scores);

/// Row-wise softmax of beta·h: outputs(μ, a T + b), rows summing to 1.
template <class Real>
void softmax_rows(const ScoreLayout& layout, double beta, const Columns<Real>& scores, Columns<Real>& outputs);

/// What the student of `problem` answers: σ_β(h), or h for the linear head.
template <class Real>
void student_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs);

/// What the target answers to the scores h* (target_layout), in the form of the student's answer: σ_{β*}(h*), or h*.
template <class Real>
void target_outputs(const model::Problem& problem, const Columns<Real>& scores, Columns<Real>& outputs);

/// Σ_μ ℓ between the outputs of the student and `labels` (sequences × output_count), and in place of `scores` the
/// coefficients C_ab with dΣℓ = Σ_{all a,b} C_ab dh_ab, in the same layout. `outputs` is overwritten by the outputs of
/// the student. Sums in double.
template <class Real>
double loss_and_coefficients(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& labels,
                             Columns<Real>& scores, Columns<Real>& outputs);

/// Σ_μ ‖left − right‖² over outputs: all T² entries count once (a score that stands for two entries counts twice).
template <class Real>
double squared_distance(const model::Problem& problem, const Eigen::Ref<const Columns<Real>>& left,
                        const Columns<Real>& right);

/// out_a = Σ_b C_ab in_b for the rows of this length of each sequence; out may be in.
template <class Real>
void mix_rows(const ScoreLayout& layout, Eigen::Index length, const Columns<Real>& coefficients, const Real* in,
              Real* out);

}  // namespace attnlaw::experiment
