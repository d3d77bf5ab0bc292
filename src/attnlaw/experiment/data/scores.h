#pragma once
/// Attention scores of a block of sequences, their softmax, and their way back to tokens.

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// The kept scores h_ab of one sequence and their places: all of them by rows, or, where h is symmetric, the K =
/// T(T+1)/2 entries a ≤ b in the order (0,0), (0,1), …, (0,T−1), (1,1), …
struct ScoreLayout {
  int rows = 1;     ///< queries: T, or T1 of cross-attention
  int columns = 1;  ///< keys: T, or T2
  bool symmetric = true;
  bool self = true;  ///< queries and keys are one sequence: h_aa = (x_aᵀ S x_a − Tr S)/√d has twice the variance

  /// The layout of self-attention with T tokens.
  static ScoreLayout of_self(int tokens, bool symmetric) { return {tokens, tokens, symmetric, true}; }
  /// The layout of cross-attention.
  static ScoreLayout of_cross(int queries, int keys) { return {queries, keys, false, false}; }

  int count() const { return symmetric ? rows * (rows + 1) / 2 : rows * columns; }
  /// Position of h_ab (any order of a, b if symmetric).
  int index(int a, int b) const;
  /// The number of entries of the matrix h that the kept entry (a, b) stands for.
  int multiplicity(int a, int b) const { return symmetric && a != b ? 2 : 1; }
  /// Var h_ab in units of ‖S‖²_F/d: 1 + δ_ab of self-attention with a symmetric S, 1 of cross-attention; of Ξ_ab too.
  int variance(int a, int b) const { return self && a == b ? 2 : 1; }
  /// visit(a, b, k) for every kept entry in order, k = index(a, b).
  template <class Visit>
  void for_each(Visit visit) const {
    for (int a = 0, k = 0; a < rows; ++a) {
      for (int b = symmetric ? a : 0; b < columns; ++b, ++k) visit(a, b, k);
    }
  }
};

/// Scores of the student: symmetric if S is (tied, direct and bayes in self-attention).
ScoreLayout student_layout(const model::Problem& problem);
/// Scores of the target, which is symmetric in self-attention.
ScoreLayout target_layout(const model::Problem& problem);

/// scores(μ, (a,b)) = scale·⟨left_a, right_b⟩ − δ_ab shift for rows a, b of sequence μ; without the shift for
/// cross-attention. `left` and `right` hold scores.rows() sequences of layout.rows and layout.columns rows of this
/// length. Products are summed in Real, the shift is taken off in double.
template <class Real>
void pair_scores(const ScoreLayout& layout, Eigen::Index length, const Real* left, const Real* right, double scale,
                 double shift, base::Columns<Real>& scores);

/// Σ_b exp(β h_ab) = sum · exp(β largest), one number per sequence.
template <class Real>
struct Partition {
  Eigen::Array<Real, Eigen::Dynamic, 1> largest, sum;
};

/// Softmax of beta·h_a· into outputs(μ, a·columns + b), and what it was divided by.
template <class Real>
Partition<Real> softmax_row(const ScoreLayout& layout, int a, double beta, const base::Columns<Real>& scores,
                            base::Columns<Real>& outputs);

/// The same for all rows.
template <class Real>
void softmax_rows(const ScoreLayout& layout, double beta, const base::Columns<Real>& scores,
                  base::Columns<Real>& outputs);

/// out_a = Σ_b C_ab in_b for the rows of this length of each sequence; out may be in where rows = columns.
template <class Real>
void mix_keys(const ScoreLayout& layout, Eigen::Index length, const base::Columns<Real>& coefficients, const Real* in,
              Real* out);
/// out_b = Σ_a C_ab in_a.
template <class Real>
void mix_queries(const ScoreLayout& layout, Eigen::Index length, const base::Columns<Real>& coefficients,
                 const Real* in, Real* out);

}  // namespace attnlaw::experiment
