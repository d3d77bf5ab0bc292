#include "attnlaw/experiment/student/objective.h"

#include <cmath>
#include <utility>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/scores.h"

namespace attnlaw::experiment {

using base::Columns;
using base::Matrix;

template <class Real>
typename DataPass<Real>::Pointwise Objective<Real>::loss_and_coefficients() const {
  return [this](Eigen::Index first, Columns<Real>& scores, Columns<Real>& outputs) {
    using Sums = typename DataPass<Real>::Sums;
    const Data<Real>& data = pass_.data();
    const auto labels = data.labels.middleRows(first, scores.rows());
    if (data.products.size() > 0) {
      const auto products = data.products.middleRows(first, scores.rows());
      return Sums{sequence_loss_and_coefficients<Real>(problem_, labels, products, scores, outputs)};
    }
    return Sums{experiment::loss_and_coefficients<Real>(problem_, labels, scores, outputs)};
  };
}

template <class Real>
double Objective<Real>::loss(const Matrix<double>& S, Matrix<double>& gradient) {
  const auto d2 = static_cast<double>(S.size());
  const double sum = pass_.at_matrix(S, loss_and_coefficients(), &gradient)[0];
  gradient *= 1 / d2;
  return sum / d2;
}

template <class Real>
double Objective<Real>::loss(const Matrix<double>& S) {
  return pass_.at_matrix(S, loss_and_coefficients(), nullptr)[0] / static_cast<double>(S.size());
}

template <class Real>
double Objective<Real>::objective_of_factor(const Matrix<double>& W, Matrix<double>& gradient, Tangent* tangent) {
  const auto rows = static_cast<std::size_t>(d()), columns = static_cast<std::size_t>(W.cols());
  const double scale = factor_scale(W.rows(), W.cols()), decay = problem_.lambda / static_cast<double>(d());
  double loss_at = 0;
  // ∇_W = 2 scale (∇_S loss + (λ/d) I) W.
  if (narrow_factor(W)) {
    const auto d2 = static_cast<double>(d() * d());
    loss_at = pass_.at_factor(W, scale, loss_and_coefficients(), &gradient)[0] / d2;
    gradient = gradient / d2 + decay * W;
  } else {
    Tangent here{student_of_factor(W), {}};
    loss_at = loss(here.S, here.slope);
    gradient = W;
    base::gemm(base::Transpose::no, rows, columns, rows, here.slope.data(), W.data(), decay, gradient.data());
    if (tangent) *tangent = std::move(here);
  }
  gradient *= 2 * scale;
  return loss_at + decay * scale * W.squaredNorm();
}

template <class Real>
double Objective<Real>::objective_of_factors(const Matrix<double>& factors, Matrix<double>& gradient,
                                             Tangent* tangent) {
  const auto dimension = static_cast<double>(d());
  const auto rows = static_cast<std::size_t>(d()), columns = static_cast<std::size_t>(factors.cols());
  const double scale = factor_scale(d(), factors.cols()), decay = problem_.lambda / dimension;
  Tangent here{student_of_factors(factors), {}};
  const double loss_at = loss(here.S, here.slope);
  // ∇_{W_Q} = scale (∇_S loss W_K + (λ/d) W_Q), ∇_{W_K} = scale (∇_S lossᵀ W_Q + (λ/d) W_K).
  gradient = factors;
  const double *queries = factors.data(), *keys = queries + d() * factors.cols();
  double *of_queries = gradient.data(), *of_keys = of_queries + d() * factors.cols();
  base::gemm(base::Transpose::no, rows, columns, rows, here.slope.data(), keys, decay, of_queries);
  base::gemm(base::Transpose::yes, rows, columns, rows, here.slope.data(), queries, decay, of_keys);
  gradient *= scale;
  if (tangent) *tangent = std::move(here);
  return loss_at + 0.5 * decay * scale * factors.squaredNorm();
}

bool narrow_factor(const Matrix<double>& W) { return 2 * W.cols() < W.rows(); }

double factor_scale(Eigen::Index d, Eigen::Index columns) {
  return 1 / std::sqrt(static_cast<double>(columns) * static_cast<double>(d));
}

Eigen::Index factor_columns(const model::Problem& problem, Eigen::Index d) {
  if (problem.width >= 1) return d;
  const auto columns = static_cast<Eigen::Index>(std::round(problem.width * static_cast<double>(d)));
  if (columns < 1)
    base::reject("width d must round to at least 1 column, got width = {} with d = {}", problem.width, d);
  return columns;
}

Matrix<double> student_of_factor(const Matrix<double>& W) {
  const auto d = static_cast<std::size_t>(W.rows()), columns = static_cast<std::size_t>(W.cols());
  const Matrix<double> transposed = W.transpose();
  Matrix<double> S(W.rows(), W.rows());
  base::gemm(base::Transpose::no, d, d, columns, W.data(), transposed.data(), 0.0, S.data());
  return 0.5 * factor_scale(W.rows(), W.cols()) * (S + S.transpose());
}

Matrix<double> student_of_factors(const Matrix<double>& factors) {
  const Eigen::Index d = factors.rows() / 2;
  const auto rows = static_cast<std::size_t>(d), columns = static_cast<std::size_t>(factors.cols());
  const Matrix<double> keys = factors.bottomRows(d).transpose();
  Matrix<double> S(d, d);
  base::gemm(base::Transpose::no, rows, rows, columns, factors.data(), keys.data(), 0.0, S.data());
  return factor_scale(d, factors.cols()) * S;
}

template class Objective<float>;
template class Objective<double>;

}  // namespace attnlaw::experiment
