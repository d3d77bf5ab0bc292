#pragma once
/// Computes the training objective of docs/theory/erm.md section 1, per d²: (1/d²) Σ_μ ℓ(y^μ, h(X^μ; S)) plus the
/// penalty of the student.

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/data_pass.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// A student S and ∇_S of the loss there.
struct Tangent {
  base::Matrix<double> S, slope;
};

/// Computes loss and gradients over one training set. Each call is one pass through the data; threads, bits and
/// lifetimes are as in DataPass.
template <class Real>
class Objective {
 public:
  Objective(const model::Problem& problem, const Data<Real>& data, int threads)
      : problem_(problem), pass_(problem, data, threads) {}

  Eigen::Index d() const { return pass_.d(); }
  const model::Problem& problem() const { return problem_; }
  DataPass<Real>& pass() { return pass_; }

  /// Returns (1/d²) Σ ℓ at S, and its gradient ∇_S (symmetric if scores are); neither has the penalty.
  double loss(const base::Matrix<double>& S, base::Matrix<double>& gradient);
  /// Returns (1/d²) Σ ℓ at S alone, which is half the work.
  double loss(const base::Matrix<double>& S);
  /// Returns loss plus penalty of the tied student at S = W Wᵀ/√(m_h d), W ∈ R^{d×m_h}, and the gradient in W; and,
  /// unless null, the tangent at S. It passes S through the data, which takes little more than half of the operations
  /// of a square W; a narrow W goes through as it is, and has no tangent.
  double objective_of_factor(const base::Matrix<double>& W, base::Matrix<double>& gradient, Tangent* tangent = nullptr);
  /// Returns loss plus (λ/2√κ)(‖W_Q‖²_F + ‖W_K‖²_F)/d² of the untied student at S = W_Q W_Kᵀ/√(m_h d), W_Q over W_K in
  /// `factors` ∈ R^{2d×m_h}, and the gradient in them, by S likewise.
  double objective_of_factors(const base::Matrix<double>& factors, base::Matrix<double>& gradient,
                              Tangent* tangent = nullptr);

 private:
  typename DataPass<Real>::Pointwise loss_and_coefficients() const;

  const model::Problem& problem_;
  DataPass<Real> pass_;
};

/// Tells whether a factor has so few columns, m_h < d/2, that products with it take fewer operations than those with S.
/// So far below full width minima have no slack of one sign either, by which a tangent would serve L-BFGS.
bool narrow_factor(const base::Matrix<double>& W);

/// Returns the 1/√(m_h d) of S = W Wᵀ/√(m_h d).
double factor_scale(Eigen::Index d, Eigen::Index columns);

/// Returns m_h = round(κ d), or d at full width: all κ ≥ 1 have the same minimisers. Throws std::invalid_argument if it
/// is below 1.
Eigen::Index factor_columns(const model::Problem& problem, Eigen::Index d);

/// Returns S = W Wᵀ/√(m_h d) of a factor W ∈ R^{d×m_h}.
base::Matrix<double> student_of_factor(const base::Matrix<double>& W);

/// Returns S = W_Q W_Kᵀ/√(m_h d) of W_Q over W_K in `factors` ∈ R^{2d×m_h}.
base::Matrix<double> student_of_factors(const base::Matrix<double>& factors);

}  // namespace attnlaw::experiment
