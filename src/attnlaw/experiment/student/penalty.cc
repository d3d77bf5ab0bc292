#include "attnlaw/experiment/student/penalty.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/student/spectral.h"
#include "attnlaw/model/custom_penalty.h"

namespace attnlaw::experiment {
namespace {

using base::eigensystem;
using base::eigenvalues;
using base::Matrix;

/// Eigenvalues of S below this part of the root mean square of those of S* count as zero when its rank is asked for:
/// training to the default tolerances leaves zeros of 1e-4 to 1e-3.
constexpr double kZeroEigenvalue = 1e-3;

/// Returns the matrix with (x − threshold)₊ in place of each eigenvalue, or singular value, x.
template <class System>
Matrix<double> shrunk(const System& system, double threshold) {
  std::vector<double> values = system.values;
  for (double& value : values) value = std::max(0.0, value - threshold);
  return recompose(system, values);
}

/// The penalty Tr S on S ⪰ 0.
class TracePenalty : public Penalty {
 public:
  using Penalty::Penalty;

  double value(const Matrix<double>& S) const override {
    return problem_.lambda * S.trace() / static_cast<double>(S.rows());
  }

  /// Takes eigenvalues ν to (ν − step·λ)₊.
  Matrix<double> proximal(const Matrix<double>& M, double step) const override {
    return shrunk(eigensystem(M), step * problem_.lambda);
  }

  double residual(const Matrix<double>& S, const Matrix<double>& loss_gradient) const override {
    const auto d = static_cast<std::size_t>(S.rows());
    // `slack` is B/d − λ I.
    Matrix<double> slack = -static_cast<double>(d) * loss_gradient;
    slack.diagonal().array() -= problem_.lambda;
    Matrix<double> product(S.rows(), S.rows());
    base::gemm(base::Transpose::no, d, d, d, slack.data(), S.data(), 0.0, product.data());
    double worst = product.norm() / student_scale(S, problem_);
    if (!has_largest_rank(S)) worst = std::max(worst, eigenvalues(slack).back());
    return worst / problem_.lambda;
  }

 private:
  /// Tells whether S has the largest rank that its width allows, and is held back by it.
  bool has_largest_rank(const Matrix<double>& S) const {
    const Eigen::Index rank = factor_columns(problem_, S.rows());
    if (rank == S.rows()) return false;
    const std::vector<double> ascending = eigenvalues(S);
    const double smallest_kept = ascending[ascending.size() - static_cast<std::size_t>(rank)];
    return smallest_kept > kZeroEigenvalue * std::sqrt(problem_.target.Q_star());
  }
};

/// The penalty ‖S‖_*.
class NuclearPenalty : public Penalty {
 public:
  using Penalty::Penalty;

  double value(const Matrix<double>& S) const override {
    const std::vector<double> values = singular_values(S);
    return problem_.lambda * std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(S.rows());
  }

  /// Takes singular values σ to (σ − step·λ)₊.
  Matrix<double> proximal(const Matrix<double>& M, double step) const override {
    return shrunk(singular_system(M), step * problem_.lambda);
  }

  double residual(const Matrix<double>& S, const Matrix<double>& loss_gradient) const override {
    const auto d = static_cast<std::size_t>(S.rows());
    const SingularSystem system = singular_system(S);
    const Eigen::Map<const Eigen::VectorXd> sigma(system.values.data(), S.rows());
    const Matrix<double> left = system.left * sigma.asDiagonal(), right = system.right.transpose() * sigma.asDiagonal();
    const Matrix<double> B = -static_cast<double>(d) * loss_gradient;
    // Returns ‖op(B/d) from − λ to‖_F over the scale of the student.
    const auto distance = [&](base::Transpose transpose, const Matrix<double>& from, Matrix<double> to) {
      base::gemm(transpose, d, d, d, B.data(), from.data(), -problem_.lambda, to.data());
      return to.norm() / student_scale(S, problem_);
    };
    const double excess = singular_values(B).front() - problem_.lambda;
    return std::max({excess, distance(base::Transpose::no, right, left), distance(base::Transpose::yes, left, right)}) /
           problem_.lambda;
  }
};

/// The penalty ‖S‖²_F.
class SquarePenalty : public Penalty {
 public:
  using Penalty::Penalty;

  double value(const Matrix<double>& S) const override {
    return problem_.lambda * S.squaredNorm() / static_cast<double>(S.rows());
  }

  Matrix<double> proximal(const Matrix<double>& M, double step) const override {
    return M / (1 + 2 * step * problem_.lambda);
  }

  double residual(const Matrix<double>& S, const Matrix<double>& loss_gradient) const override {
    const Matrix<double> gradient = static_cast<double>(S.rows()) * loss_gradient + 2 * problem_.lambda * S;
    return gradient.norm() / (2 * problem_.lambda * student_scale(S, problem_));
  }
};

/// The penalty Σ p(s_i) of eigenvalues, or of singular values with cross-attention.
class CustomSpectralPenalty : public Penalty {
 public:
  explicit CustomSpectralPenalty(const model::Problem& problem)
      : Penalty(problem), penalty_(penalty_at(problem.lambda, problem.custom_penalty)) {}

  double value(const Matrix<double>& S) const override {
    const std::vector<double> values =
        values_of(*penalty_, non_negative(problem_.cross() ? singular_values(S) : eigenvalues(S)));
    return problem_.lambda * std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(S.rows());
  }

  Matrix<double> proximal(const Matrix<double>& M, double step) const override {
    const model::ScalarProximal map(penalty_, problem_.lambda, 1 / step, negative());
    const auto mapped = [&map](const auto& system) { return recompose(system, map(system.values)); };
    return problem_.cross() ? mapped(singular_system(M)) : mapped(eigensystem(M));
  }

  double residual(const Matrix<double>& S, const Matrix<double>& loss_gradient) const override {
    // A proximal gradient step of length 1 stands still at a minimum, where the loss pulls as the penalty does.
    const Matrix<double> pull = static_cast<double>(S.rows()) * loss_gradient;
    // Where the loss pulls nowhere, S is compared with itself.
    return (S - proximal(S - pull, 1)).norm() / std::max(pull.norm(), std::numeric_limits<double>::min());
  }

 private:
  bool negative() const { return has_negative_eigenvalues(problem_); }
  /// Eigenvalues that rounding has made negative are 0.
  std::vector<double> non_negative(std::vector<double> values) const {
    if (!negative())
      for (double& value : values) value = std::max(value, 0.0);
    return values;
  }

  std::shared_ptr<const model::CustomPenalty> penalty_;
};

}  // namespace

std::unique_ptr<Penalty> make_penalty(const model::Problem& problem) {
  if (problem.custom_penalty) return std::make_unique<CustomSpectralPenalty>(problem);
  if (problem.student == model::Student::tied) return std::make_unique<TracePenalty>(problem);
  if (problem.student == model::Student::untied) return std::make_unique<NuclearPenalty>(problem);
  return std::make_unique<SquarePenalty>(problem);
}

double kkt_residual(const Matrix<double>& S, const Matrix<double>& loss_gradient, const model::Problem& problem) {
  return make_penalty(problem)->residual(S, loss_gradient);
}

double student_scale(const Matrix<double>& S, const model::Problem& problem) {
  const double target_norm = std::sqrt(static_cast<double>(S.rows()) * problem.target.Q_star());
  return std::max(S.norm(), kNegligible * target_norm);
}

}  // namespace attnlaw::experiment
