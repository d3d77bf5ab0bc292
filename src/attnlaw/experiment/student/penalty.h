#pragma once
/// Defines the penalties of students (docs/theory/erm.md, sections 1 and 5), and what it means to be optimal under
/// them.

#include <memory>

#include "attnlaw/base/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// The penalty λ d p(S) of one kind of student. B = −∇_S Σℓ = −d² loss_gradient throughout.
class Penalty {
 public:
  explicit Penalty(const model::Problem& problem) : problem_(problem) {}
  virtual ~Penalty() = default;

  /// Returns λ p(S)/d: the penalty per d².
  virtual double value(const base::Matrix<double>& S) const = 0;
  /// Returns argmin over the students S of λ p(S) + ‖S − M‖²_F/(2 step): a step of a proximal gradient method on
  /// d·(objective per d²).
  virtual base::Matrix<double> proximal(const base::Matrix<double>& M, double step) const = 0;
  /// Returns the distance of S from optimality, which is 0 exactly where S is stationary.
  virtual double residual(const base::Matrix<double>& S, const base::Matrix<double>& loss_gradient) const = 0;

 protected:
  const model::Problem& problem_;
};

/// Returns the penalty p of a student that has an objective: Tr S over S ⪰ 0 (tied), ‖S‖_* (untied), ‖S‖²_F (direct,
/// direct_general). `problem` must outlive it.
///
/// The residual of the tied student is max((λ_max(B/d) − λ)₊, ‖(B/d − λ I) S‖_F/student_scale)/λ. It is zero exactly
/// where the conditions B/d ⪯ λ I and (B/d − λ I) S = 0 of docs/theory/erm.md section 8 hold. Where S has the largest
/// rank that its width allows, m_h < d, the first condition is dropped: the rank constraint then holds S back, and (B/d
/// − λ I) S = 0, that is ∇_W = 0, is stationarity.
///
/// The residual of the untied student is the largest of (‖B/d‖_op − λ)₊, ‖(B/d) V Σ − λ U Σ‖_F/student_scale and
/// ‖(B/d)ᵀ U Σ − λ V Σ‖_F/student_scale, over λ, for S = U Σ Vᵀ. It is zero exactly where ‖B/d‖_op ≤ λ and ⟨B/d, S⟩ =
/// λ‖S‖_* (docs/theory/cross_attention.md), and it is the residual of the tied student where S and B are symmetric and
/// S ⪰ 0.
///
/// The residual with a custom penalty is ‖S − S′‖_F/‖B/d‖_F, S′ a proximal gradient step of length 1 from S.
///
/// The residual of the direct students is the relative norm of the gradient, ‖2λ S − B/d‖_F/(2λ student_scale).
std::unique_ptr<Penalty> make_penalty(const model::Problem& problem);

/// Returns make_penalty(problem)->residual(S, loss_gradient).
double kkt_residual(const base::Matrix<double>& S, const base::Matrix<double>& loss_gradient,
                    const model::Problem& problem);

/// Students smaller than this part of the target, in Frobenius norm, count as zero in kkt_residual: replacing one by
/// zero changes ‖S − S*‖²_F by no more than about twice this part of ‖S*‖²_F.
inline constexpr double kNegligible = 1e-4;

/// Returns the scale of residuals: the norm of S, but no less than kNegligible ‖S*‖_F, ‖S*‖_F = √(d Q*). Without the
/// floor a factor that shrinks towards the optimum S = 0 would have a residual of order one however small it is.
double student_scale(const base::Matrix<double>& S, const model::Problem& problem);

}  // namespace attnlaw::experiment
