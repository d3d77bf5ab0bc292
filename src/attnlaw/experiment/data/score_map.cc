#include "attnlaw/experiment/data/score_map.h"

#include <cmath>

#include "attnlaw/base/index.h"
#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::experiment {

using base::Columns;
using base::Matrix;
using base::size;
using base::Transpose;
using Eigen::Index;

template <class Real>
ScoreMap<Real> ScoreMap<Real>::of_matrix(const ScoreLayout& layout, const Matrix<double>& S) {
  ScoreMap map;
  map.layout_ = layout;
  map.trace_ = S.trace();
  if (layout.symmetric) {
    Matrix<double> lower = (0.5 * (S + S.transpose())).template triangularView<Eigen::Lower>();
    lower.diagonal() *= 0.5;
    map.form_ = Form::triangle;
    map.matrix_ = lower.cast<Real>();
  } else {
    const bool more_queries = layout.rows > layout.columns;
    map.form_ = more_queries ? Form::transpose : Form::matrix;
    map.matrix_ = S.cast<Real>();
    if (more_queries) map.matrix_.transposeInPlace();
  }
  return map;
}

template <class Real>
ScoreMap<Real> ScoreMap<Real>::of_factor(const ScoreLayout& layout, const Matrix<double>& W, double scale) {
  ScoreMap map;
  map.layout_ = layout;
  map.form_ = Form::factor;
  map.matrix_ = W.cast<Real>();
  map.scale_ = scale;
  map.trace_ = scale * W.squaredNorm();
  return map;
}

template <class Real>
double ScoreMap<Real>::normalisation() const {
  return 1 / std::sqrt(static_cast<double>(matrix_.rows()));
}

template <class Real>
void ScoreMap<Real>::scores(const Real* X, const Real* Y, Real* product, Columns<Real>& scores) const {
  const std::size_t rows = size(scores.rows() * product_rows(layout_)), d = size(matrix_.rows());
  const double scale = normalisation() * scale_, shift = normalisation() * trace_;
  if (form_ == Form::triangle) {
    base::lower_gemm(rows, d, X, matrix_.data(), product);
    return symmetric_scores(layout_, columns(), product, X, scale, shift, scores);
  }
  const bool of_keys = form_ == Form::transpose;
  base::gemm(Transpose::no, rows, size(columns()), d, of_keys ? Y : X, matrix_.data(), Real(0), product);
  pair_scores(layout_, columns(), of_keys ? X : product, form_ == Form::matrix ? Y : product, scale, shift, scores);
}

template <class Real>
void ScoreMap<Real>::pull_back(const Real* X, const Real* Y, const Columns<Real>& coefficients, Real* product,
                               Real* sum) const {
  const Index d = matrix_.rows(), rows = coefficients.rows() * product_rows(layout_);
  switch (form_) {
    case Form::matrix:
      mix_keys(layout_, d, coefficients, Y, product);
      return base::gemm(Transpose::yes, size(d), size(d), size(rows), X, product, Real(1), sum);
    case Form::transpose:
      mix_queries(layout_, d, coefficients, X, product);
      return base::gemm(Transpose::yes, size(d), size(d), size(rows), product, Y, Real(1), sum);
    case Form::triangle:
      mix_keys(layout_, d, coefficients, X, product);
      return base::add_lower_product(size(rows), size(d), X, product, sum);
    case Form::factor: {
      Matrix<Real> mixed(rows, columns());
      mix_keys<Real>(layout_, columns(), coefficients, product, mixed.data());
      base::gemm(Transpose::yes, size(d), size(columns()), size(rows), X, mixed.data(), Real(1), sum);
    }
  }
}

template <class Real>
void ScoreMap<Real>::finish(double coefficient_trace, Matrix<double>& sum) const {
  if (form_ == Form::triangle) sum = sum.template selfadjointView<Eigen::Lower>().toDenseMatrix();
  if (form_ == Form::factor) {
    sum -= coefficient_trace * matrix_.template cast<double>();
  } else {
    sum.diagonal().array() -= coefficient_trace;
  }
  sum *= normalisation();
}

template class ScoreMap<float>;
template class ScoreMap<double>;

}  // namespace attnlaw::experiment
