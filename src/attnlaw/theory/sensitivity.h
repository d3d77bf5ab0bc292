#pragma once
/// Derivatives of the errors of a solution with respect to the numbers of its problem (docs/theory/sensitivities.md).

#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {

/// A number of a problem.
using Parameter = double model::Problem::*;

/// Differentiates the errors of fixed points along the numbers of one problem, by the implicit function theorem: the
/// fixed point x of F(x; θ) moves by −(∂F/∂x − 1)⁻¹ ∂F/∂θ. All derivatives are differences of F and of the errors on
/// the points of one rule, so that they are those of the numbers that this rule gives.
class ErrorResponse {
 public:
  /// `at` is a fixed point of the problem on `resolution`; `phase` as TrainedStudent has it; `near`: in the coordinates
  /// of TrainedStudent::near_target. `problem`, `target` and `at` must outlive it.
  ErrorResponse(const model::Problem& problem, const matrix_laws::Spectrum& target, std::optional<RidgelessPhase> phase,
                const Resolution& resolution, const FixedPoint& at, bool near);

  /// d(errors)/dθ, to a relative error of about 1e-5; at θ = 0 the derivative from above, to about 1e-4. Close to
  /// perfect recovery errors are small differences of overlaps: where E is 1e-4 of Q* derivatives are good to 1 %. NaN
  /// for the noise at a near fixed point, whose coordinates noisy labels do not have.
  Errors derivative(Parameter parameter);

 private:
  TrainedStudent student(const model::Problem& problem) const;
  TrainedStudent student(Parameter parameter, double value) const;
  /// F at the fixed point, of the student with another value of the parameter.
  Coordinates image(Parameter parameter, const TrainedStudent& student);
  /// Errors of a student at the fixed point moved by so much.
  Errors errors_at(const TrainedStudent& student, const Coordinates& motion);

  const model::Problem& problem_;
  const matrix_laws::Spectrum& target_;
  std::optional<RidgelessPhase> phase_;
  Resolution resolution_;
  const FixedPoint& at_;
  bool near_;
  TrainedStudent student_;  ///< of the problem itself
  Workspace workspace_;
  std::optional<Slope> slope_;  ///< none at S = 0
};

}  // namespace attnlaw::theory
