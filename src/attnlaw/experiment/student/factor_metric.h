#pragma once
/// Scales the factors of a student so that its objective has about the same curvature in all directions.

#include "attnlaw/base/matrix.h"

namespace attnlaw::experiment {

/// Coordinates Z of a step D of a factor, in which |Z|² is the quadratic form ⟨D, stiffness·D gram + |slack| D⟩, and a
/// hundredth of the largest curvature that gram gives, times |D|², more.
///
/// With S = s W Wᵀ and a loss whose Hessian in S is c on average, the second-order part of the objective is s times
/// this form, with gram = WᵀW, stiffness = c s and slack = ∇_S of loss and penalty, up to a term that exchanges D_ij
/// and D_ji and changes it by a factor of two at most. Eigenvalues of slack are near zero on the range of S and small
/// near the edge of its spectrum, those of gram range from zero on; in the entries of the factor both slow training
/// down. Where slack is negative, far from the minimum, its size still tells how far a quadratic model can be trusted.
class FactorMetric {
 public:
  /// Takes slack of as many rows as the factor has, and gram of as many as it has columns, both symmetric.
  FactorMetric(const base::Matrix<double>& slack, const base::Matrix<double>& gram, double stiffness);

  /// Returns the gradient in Z of a function with this gradient in the factor.
  base::Matrix<double> gradient(const base::Matrix<double>& in_factor) const;
  /// Returns the step D of the factor of a step Z.
  base::Matrix<double> step(const base::Matrix<double>& Z) const;
  /// Returns the Z of a step D.
  base::Matrix<double> coordinates(const base::Matrix<double>& D) const;

 private:
  base::Matrix<double> rotated(const base::Matrix<double>& D) const;

  base::Matrix<double> left_, right_;  ///< eigenvectors of slack and gram, as rows
  base::Matrix<double> roots_;         ///< the square root of the form in its eigenvectors
};

}  // namespace attnlaw::experiment
