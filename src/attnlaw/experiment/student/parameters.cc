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

using base::inner;
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

/// Estimates the Hessian of the loss in S from the tangents at different points.
class Curvature {
 public:
  /// The tangent of the objective where it was evaluated last.
  Tangent& last() { return last_; }

  /// Returns the curvature of the loss from the point of the call before to the last one, ⟨Δ∇_S, ΔS⟩/‖ΔS‖²; if it
  /// is not positive, that of the call before; 0 if there is none, or no tangent.
  double observe() {
    if (seen_.S.size() > 0) {
      const Matrix<double> move = last_.S - seen_.S;
      const double curvature = inner(last_.slope - seen_.slope, move) / move.squaredNorm();
      if (curvature > 0) curvature_ = curvature;
    }
    seen_ = last_;
    return curvature_;
  }

 private:
  Tangent last_, seen_;
  double curvature_ = 0;
};

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
    return objective_.objective_of_factor(W, gradient, &curvature_.last());
  }
  /// Bounds the residual by its part (B/d − λ I) S, as ∇_W Wᵀ = −(2/d)(B/d − λ I) S. It costs products of d×m_h
  /// matrices.
  double residual_bound(const Matrix<double>& W, const Matrix<double>& gradient) const override {
    const double scale = student_scale(student_of_factor(W), objective_.problem());
    return product_norm(gradient, W) * static_cast<double>(W.rows()) / (2 * objective_.problem().lambda * scale);
  }
  std::optional<FactorMetric> metric(const Matrix<double>& W) override {
    const double curvature = curvature_.observe();
    if (curvature == 0) return std::nullopt;
    Matrix<double> slack = curvature_.last().slope;
    slack.diagonal().array() += objective_.problem().lambda / static_cast<double>(W.rows());
    return FactorMetric(slack, base::product(W, W, base::Transpose::yes), curvature * factor_scale(W.rows(), W.cols()));
  }

 private:
  Objective<Real>& objective_;
  Curvature curvature_;
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
    return objective_.objective_of_factors(factors, gradient, &curvature_.last());
  }
  /// Uses that with S = U Σ Vᵀ and balanced factors ∇_{W_Q} W_Kᵀ = −(1/d)(B/d V Σ − λ U Σ) Vᵀ, and likewise for W_K.
  double residual_bound(const Matrix<double>& factors, const Matrix<double>& gradient) const override {
    const Eigen::Index d = objective_.d();
    const double worst = std::max(product_norm(gradient.topRows(d), factors.bottomRows(d)),
                                  product_norm(gradient.bottomRows(d), factors.topRows(d)));
    const model::Problem& problem = objective_.problem();
    return worst * static_cast<double>(d) / (problem.lambda * student_scale(student(factors), problem));
  }
  /// Uses that W_Q over W_K is the factor of a symmetric matrix with S beside its diagonal, of which the slack is
  /// (λ/d) I on the diagonal and ∇_S of the loss beside it.
  std::optional<FactorMetric> metric(const Matrix<double>& factors) override {
    const double curvature = curvature_.observe();
    if (curvature == 0) return std::nullopt;
    const Eigen::Index d = objective_.d();
    const Matrix<double>& slope = curvature_.last().slope;
    Matrix<double> slack =
        (objective_.problem().lambda / static_cast<double>(d)) * Matrix<double>::Identity(2 * d, 2 * d);
    slack.topRightCorner(d, d) = slope;
    slack.bottomLeftCorner(d, d) = slope.transpose();
    const Matrix<double> gram = 0.5 * base::product(factors, factors, base::Transpose::yes);
    return FactorMetric(slack, gram, curvature * factor_scale(d, factors.cols()));
  }

 private:
  Objective<Real>& objective_;
  Curvature curvature_;
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
  std::optional<FactorMetric> metric(const Matrix<double>& /*S*/) override { return std::nullopt; }

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
