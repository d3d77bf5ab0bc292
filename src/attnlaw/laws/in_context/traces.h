#pragma once
/// Traces over the Gram matrix R = (1/k) Σ w_j w_jᵀ of the training tasks, from which every error of in-context
/// regression is made (docs/theory/in_context_learning.md, sections 3 and 6).

#include <vector>

#include "attnlaw/laws/in_context/tasks.h"

namespace attnlaw::laws {

/// Normalised traces at one s > 0. All are ≥ 0 and computed without a difference of large numbers.
struct TaskTraces {
  double m = 0;   ///< (1/d) tr (R+s)⁻¹
  double p1 = 0;  ///< (1/d) tr R(R+s)⁻¹
  double m1 = 0;  ///< (1/d) tr (R+s)⁻²
  double r1 = 0;  ///< (1/d) tr R(R+s)⁻²
  double p2 = 0;  ///< (1/d) tr R²(R+s)⁻²
  /// Traces with the covariance of new tasks.
  double test_m1 = 0;  ///< (1/d) tr C_te (R+s)⁻²
  double test_r1 = 0;  ///< (1/d) tr C_te R(R+s)⁻²

  /// Returns (1/d) tr B(B+ξ)⁻² for B = R + x, ξ = s − x.
  double b1(double x) const { return r1 + x * m1; }
  /// Returns (1/d) tr B²(B+ξ)⁻².
  double df2(double x) const { return p2 + 2 * x * r1 + x * x * m1; }
};

/// The traces for k = κd tasks of covariance C: Marchenko–Pastur in closed form for C = I, and for any other C a
/// deformed one with a scalar equation.
class TaskGram {
 public:
  /// κ > 0 may be infinite; `test` has one value for each of the covariance (paired_values).
  TaskGram(double kappa, const TaskCovariance& covariance, std::vector<double> test);

  /// Returns the traces at s > 0; s = 0 is allowed where R has no eigenvalue 0.
  TaskTraces operator()(double s) const;

  /// Returns (1/d) tr C_te P for the projector P onto the directions that no training task has.
  double unseen() const;
  /// Returns (1/d) tr C_te s²(R+s)⁻²(1 − P) for s as above, a sum of positive terms.
  double shrinkage(double s) const;

 private:
  TaskTraces marchenko_pastur(double s) const;
  TaskTraces deformed(double s) const;
  /// Returns the φ in (0, 1] with φ[1 + (1/κd) tr C(φC + s)⁻¹] = 1.
  double dressing(double s) const;
  /// Returns the ν with (1/d) tr C(C+ν)⁻¹ = κ, of which P is ν(C+ν)⁻¹; 0 for as many tasks as C has directions.
  double unseen_ridge() const;
  double shrinkage_of_many(double s) const;
  double shrinkage_of_few(double s) const;

  double kappa_;
  TaskCovariance covariance_;
  std::vector<double> test_;
  double test_mean_ = 0;
};

}  // namespace attnlaw::laws
