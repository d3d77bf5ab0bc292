#pragma once
/// Takes sequences to their scores by one matrix product, and coefficients of scores back to a matrix by another.

#include <algorithm>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/scores.h"

namespace attnlaw::experiment {

/// Maps sequences to their scores under one S. Products are taken on the side with fewer rows, X S and Xᵀ (C Y), or Y
/// Sᵀ and (Cᵀ X)ᵀ Y. Where scores are symmetric, S = L + Lᵀ with a lower triangle L: X L and X give the scores, and of
/// the symmetric Xᵀ C X only the lower triangle is computed, which takes little more than half of the operations.
template <class Real>
class ScoreMap {
 public:
  ScoreMap() = default;
  /// Maps to the scores of S, which counts as (S + Sᵀ)/2 where scores are symmetric.
  static ScoreMap of_matrix(const ScoreLayout& layout, const base::Matrix<double>& S);
  /// Maps to the scores of S = scale·W Wᵀ in self-attention, by products with W alone.
  static ScoreMap of_factor(const ScoreLayout& layout, const base::Matrix<double>& W, double scale);

  /// Returns how many rows the product of one sequence has: those of its shorter side.
  static int product_rows(const ScoreLayout& layout) { return std::min(layout.rows, layout.columns); }
  /// Returns the length of the rows of products, and the number of columns of what is pulled back.
  Eigen::Index columns() const { return matrix_.cols(); }

  /// Computes the scores of scores.rows() sequences with queries in X and keys in Y (X itself with self-attention).
  /// `product` holds product_rows rows of each sequence, and is scratch.
  void scores(const Real* X, const Real* Y, Real* product, base::Columns<Real>& scores) const;
  /// Adds Σ_μ Xᵀ C Y, or Σ_μ Xᵀ C X W of a factor, to `sum`, as far as finish() needs it. `product` must be what
  /// scores() of the same sequences has left.
  void pull_back(const Real* X, const Real* Y, const base::Columns<Real>& coefficients, Real* product, Real* sum) const;
  /// Makes Σ_μ Σ_ab C_ab ∂h_ab/∂S = Σ_μ (Xᵀ C Y − Tr C)/√d, or its product with W, of the sum of all that was pulled
  /// back and of all Tr C.
  void finish(double coefficient_trace, base::Matrix<double>& sum) const;

 private:
  /// Says what the data are multiplied by, and hence how scores follow from the product.
  enum class Form {
    matrix,     ///< product X S, scores with Y
    transpose,  ///< product Y Sᵀ, scores with X
    triangle,   ///< product X L, scores with X on either side
    factor      ///< product X W, scores with itself
  };

  double normalisation() const;

  ScoreLayout layout_;
  Form form_ = Form::matrix;
  base::Matrix<Real> matrix_;  ///< S, Sᵀ, L or W
  double scale_ = 1;
  double trace_ = 0;  ///< Tr S
};

}  // namespace attnlaw::experiment
