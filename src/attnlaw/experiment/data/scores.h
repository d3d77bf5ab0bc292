#pragma once
/// Computes the attention scores of a block of sequences and their softmax, and takes coefficients back to tokens.

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

  /// Returns the layout of self-attention with T tokens.
  static ScoreLayout of_self(int tokens, bool symmetric) { return {tokens, tokens, symmetric, true}; }
  /// Returns the layout of cross-attention.
  static ScoreLayout of_cross(int queries, int keys) { return {queries, keys, false, false}; }

  int count() const { return symmetric ? rows * (rows + 1) / 2 : rows * columns; }
  /// Returns the position of h_ab (a and b in any order if symmetric).
  int index(int a, int b) const;
  /// Returns how many entries of the matrix h the kept entry (a, b) stands for.
  int multiplicity(int a, int b) const { return symmetric && a != b ? 2 : 1; }
  /// Returns Var h_ab in units of ‖S‖²_F/d, which is Var Ξ_ab too: 1 + δ_ab in self-attention with a symmetric S, 1 in
  /// cross-attention.
  int variance(int a, int b) const { return self && a == b ? 2 : 1; }
  /// Calls visit(a, b, k) for every kept entry in order, k = index(a, b).
  template <class Visit>
  void for_each(Visit visit) const {
    for (int a = 0, k = 0; a < rows; ++a) {
      for (int b = symmetric ? a : 0; b < columns; ++b, ++k) visit(a, b, k);
    }
  }
};

/// Returns the layout of the student's scores, which are symmetric if S is (tied, direct and bayes in self-attention).
ScoreLayout student_layout(const model::Problem& problem);
/// Returns the layout of the target's scores, which are symmetric in self-attention.
ScoreLayout target_layout(const model::Problem& problem);

/// Sets scores(μ, (a,b)) = scale·⟨left_a, right_b⟩ − δ_ab shift for rows a, b of sequence μ; cross-attention has no
/// shift. `left` and `right` hold scores.rows() sequences of layout.rows and layout.columns rows of this length.
/// Products are summed in Real, the shift is subtracted in double.
template <class Real>
void pair_scores(const ScoreLayout& layout, Eigen::Index length, const Real* left, const Real* right, double scale,
                 double shift, base::Columns<Real>& scores);

/// Sets scores(μ, (a,b)) = scale·(⟨half_a, row_b⟩ + ⟨row_a, half_b⟩) − δ_ab shift in self-attention with a symmetric
/// layout: with half = x L these are the scores of rows x under S = L + Lᵀ. It sums as pair_scores does.
template <class Real>
void symmetric_scores(const ScoreLayout& layout, Eigen::Index length, const Real* halves, const Real* rows,
                      double scale, double shift, base::Columns<Real>& scores);

/// The sum of a softmax row, Σ_b exp(β h_ab) = sum · exp(β largest), one number per sequence.
template <class Real>
struct Partition {
  Eigen::Array<Real, Eigen::Dynamic, 1> largest, sum;
};

/// Writes the softmax of beta·h_a· to outputs(μ, a·columns + b), and returns the sum that it was divided by.
template <class Real>
Partition<Real> softmax_row(const ScoreLayout& layout, int a, double beta, const base::Columns<Real>& scores,
                            base::Columns<Real>& outputs);

/// Writes the softmax of all rows.
template <class Real>
void softmax_rows(const ScoreLayout& layout, double beta, const base::Columns<Real>& scores,
                  base::Columns<Real>& outputs);

/// Sets out_a = Σ_b C_ab in_b for the rows, `length` numbers each, of every sequence; out must not be in.
template <class Real>
void mix_keys(const ScoreLayout& layout, Eigen::Index length, const base::Columns<Real>& coefficients, const Real* in,
              Real* out);
/// Sets out_b = Σ_a C_ab in_a likewise.
template <class Real>
void mix_queries(const ScoreLayout& layout, Eigen::Index length, const base::Columns<Real>& coefficients,
                 const Real* in, Real* out);

}  // namespace attnlaw::experiment
