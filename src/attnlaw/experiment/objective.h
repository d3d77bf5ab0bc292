#pragma once
/// The training objective of docs/theory/erm.md section 1, per d²: (1/d²) Σ_μ ℓ(y^μ, h(X^μ; S)) + λ Tr S/d.

#include <vector>

#include "attnlaw/experiment/data.h"
#include "attnlaw/experiment/matrix.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Loss and gradients over one training set. Both gradients are two matrix products over blocks of sequences that stay
/// in cache; nothing larger than a block is stored beside X. Data are cut into groups of blocks whose number depends on
/// the size of the data alone; groups run on up to `threads` threads and are summed in order, so bits do not depend on
/// threads. Not to be called from several threads at once (it owns its workspace). `problem` and `data` must outlive
/// it.
template <class Real>
class Objective {
 public:
  Objective(const model::Problem& problem, const Data<Real>& data, int threads);

  Eigen::Index d() const { return data_.X.cols(); }
  const model::Problem& problem() const { return problem_; }

  /// (1/d²) Σ ℓ at the symmetric matrix S, and its gradient ∇_S (symmetric; without the penalty).
  double loss(const Matrix<double>& S, Matrix<double>& gradient);
  /// (1/d²) Σ ℓ at S alone, half the work.
  double loss(const Matrix<double>& S);
  /// Loss plus penalty at S = W Wᵀ/d (m_h = d), and the gradient in the d×d matrix W.
  double objective_of_factor(const Matrix<double>& W, Matrix<double>& gradient);

 private:
  enum class Map { matrix, factor };
  /// What one group of blocks adds up.
  struct Group {
    double loss = 0;
    double coefficient_trace = 0;  ///< Σ_μ Tr C
    Matrix<Real> gradient;         ///< Xᵀ C X (matrix) or Xᵀ C X W (factor)
    Matrix<Real> product;          ///< one block of X S or X W
    Columns<Real> scores, outputs;
  };

  void add_block(Map map, bool with_gradient, Eigen::Index first, Eigen::Index count, Group& group) const;
  double sum_groups(Map map, bool with_gradient, Matrix<double>* gradient);

  const model::Problem& problem_;
  const Data<Real>& data_;
  int threads_;
  double trace_ = 0;  ///< Tr S of the current point
  Matrix<Real> map_;  ///< S or W of the current point
  std::vector<Group> groups_;
};

/// Bytes of the workspace of an Objective, as a double that cannot overflow.
double objective_bytes(const model::Problem& problem, int d, std::size_t size_of_real);

/// S = W Wᵀ/d of a square factor (m_h = d).
Matrix<double> student_of_factor(const Matrix<double>& W);

/// Students smaller than this part of the target, in Frobenius norm, count as zero in kkt_residual: replacing one by
/// zero changes ‖S − S*‖²_F by no more than about twice this part of ‖S*‖²_F.
inline constexpr double kNegligible = 1e-4;

/// What (B/d − λ I) S is measured by: the norm of S, but no less than kNegligible ‖S*‖_F, ‖S*‖_F = √(d Q*). Without the
/// floor a factor that shrinks towards the optimum S = 0 would have a residual of order one however small it is.
double complementarity_scale(const Matrix<double>& S, const model::Problem& problem);

/// Distance from optimality: max((λ_max(B/d) − λ)₊, ‖(B/d − λ I) S‖_F/complementarity_scale)/λ with
/// B = −∇_S Σℓ = −d² loss_gradient. Zero exactly where the optimality conditions B/d ⪯ λ I and (B/d − λ I) S = 0 of
/// docs/theory/erm.md section 8 hold.
double kkt_residual(const Matrix<double>& S, const Matrix<double>& loss_gradient, const model::Problem& problem);

}  // namespace attnlaw::experiment
