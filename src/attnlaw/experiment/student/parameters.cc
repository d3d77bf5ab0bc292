#include "attnlaw/experiment/student/parameters.h"

#include <algorithm>
#include <span>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/student/spectral_start.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;

/// Returns rows×columns iid N(0,1) entries of the stream of dimension d.
Matrix<double> gaussian_weights(Eigen::Index rows, Eigen::Index columns, Eigen::Index d,
                                const TrainingOptions& options) {
  const std::uint64_t stream =
      base::stream_id(base::Stream::initial_weights, static_cast<std::uint64_t>(d), options.instance);
  Matrix<double> W(rows, columns);
  base::NormalStream(options.seed, stream).fill(0, std::span(W.data(), static_cast<std::size_t>(W.size())));
  return W;
}

/// Returns ‖A Bᵀ‖_F of matrices of the same shape.
double product_norm(const Matrix<double>& A, const Matrix<double>& B) {
  const auto d = static_cast<std::size_t>(A.rows()), columns = static_cast<std::size_t>(A.cols());
  const Matrix<double> transposed = B.transpose();
  Matrix<double> product(A.rows(), A.rows());
  base::gemm(base::Transpose::no, d, d, columns, A.data(), transposed.data(), 0.0, product.data());
  return product.norm();
}

/// The point is W ∈ R^{d×m_h} in S = W Wᵀ/√(m_h d).
template <class Real>
class FactorParameters : public Parameters {
 public:
  explicit FactorParameters(Objective<Real>& objective) : objective_(objective) {}

  Matrix<double> initial(const TrainingOptions& options) const override {
    const Eigen::Index columns = factor_columns(objective_.problem(), objective_.d());
    return options.start ? factor_of(options.start->S, columns) : initial_weights(objective_.d(), columns, options);
  }
  Matrix<double> student(const Matrix<double>& W) const override { return student_of_factor(W); }
  double objective(const Matrix<double>& W, Matrix<double>& gradient) override {
    return objective_.objective_of_factor(W, gradient);
  }
  /// Bounds the residual by its part (B/d − λ I) S, as ∇_W Wᵀ = −(2/d)(B/d − λ I) S. It costs products of d×m_h
  /// matrices.
  double residual_bound(const Matrix<double>& W, const Matrix<double>& gradient) const override {
    const double scale = student_scale(student_of_factor(W), objective_.problem());
    return product_norm(gradient, W) * static_cast<double>(W.rows()) / (2 * objective_.problem().lambda * scale);
  }

 private:
  Objective<Real>& objective_;
};

/// The point is W_Q over W_K, one 2d×m_h matrix, in S = W_Q W_Kᵀ/√(m_h d).
template <class Real>
class FactorPairParameters : public Parameters {
 public:
  explicit FactorPairParameters(Objective<Real>& objective) : objective_(objective) {}

  Matrix<double> initial(const TrainingOptions& options) const override {
    return gaussian_weights(2 * objective_.d(), factor_columns(objective_.problem(), objective_.d()), objective_.d(),
                            options);
  }
  Matrix<double> student(const Matrix<double>& factors) const override { return student_of_factors(factors); }
  double objective(const Matrix<double>& factors, Matrix<double>& gradient) override {
    return objective_.objective_of_factors(factors, gradient);
  }
  /// Uses that with S = U Σ Vᵀ and balanced factors ∇_{W_Q} W_Kᵀ = −(1/d)(B/d V Σ − λ U Σ) Vᵀ, and likewise for W_K.
  double residual_bound(const Matrix<double>& factors, const Matrix<double>& gradient) const override {
    const Eigen::Index d = objective_.d();
    const double worst = std::max(product_norm(gradient.topRows(d), factors.bottomRows(d)),
                                  product_norm(gradient.bottomRows(d), factors.topRows(d)));
    const model::Problem& problem = objective_.problem();
    return worst * static_cast<double>(d) / (problem.lambda * student_scale(student(factors), problem));
  }

 private:
  Objective<Real>& objective_;
};

/// The point is S itself. A symmetric start and symmetric gradients keep S symmetric.
template <class Real>
class EntryParameters : public Parameters {
 public:
  explicit EntryParameters(Objective<Real>& objective)
      : objective_(objective), penalty_(make_penalty(objective.problem())) {}

  Matrix<double> initial(const TrainingOptions& options) const override {
    return options.start ? options.start->S : Matrix<double>::Zero(objective_.d(), objective_.d());
  }
  Matrix<double> student(const Matrix<double>& S) const override { return S; }
  double objective(const Matrix<double>& S, Matrix<double>& gradient) override {
    const double loss = objective_.loss(S, gradient);
    gradient += (2 * objective_.problem().lambda / static_cast<double>(S.rows())) * S;
    return loss + penalty_->value(S);
  }
  /// The bound is the residual itself.
  double residual_bound(const Matrix<double>& S, const Matrix<double>& gradient) const override {
    const model::Problem& problem = objective_.problem();
    return gradient.norm() * static_cast<double>(S.rows()) / (2 * problem.lambda * student_scale(S, problem));
  }

 private:
  Objective<Real>& objective_;
  std::unique_ptr<Penalty> penalty_;
};

}  // namespace

template <class Real>
std::unique_ptr<Parameters> make_parameters(Objective<Real>& objective) {
  if (objective.problem().student == model::Student::tied) return std::make_unique<FactorParameters<Real>>(objective);
  if (objective.problem().student == model::Student::untied)
    return std::make_unique<FactorPairParameters<Real>>(objective);
  return std::make_unique<EntryParameters<Real>>(objective);
}

Matrix<double> initial_weights(Eigen::Index d, Eigen::Index columns, const TrainingOptions& options) {
  return gaussian_weights(d, columns, d, options);
}

template std::unique_ptr<Parameters> make_parameters(Objective<float>&);
template std::unique_ptr<Parameters> make_parameters(Objective<double>&);

}  // namespace attnlaw::experiment
