#include "attnlaw/experiment/student/factor_metric.h"

#include <cmath>

namespace attnlaw::experiment {

using base::Eigensystem;
using base::Matrix;
using base::product;

namespace {

/// The least curvature relative to the largest that gram gives. Smaller ones are slack at the edge of the spectrum,
/// which moves while training goes on; at 1e-3 and at 1e-1 problems of all kinds take half as many passes again.
constexpr double kLeastCurvature = 1e-2;

}  // namespace

FactorMetric::FactorMetric(const Matrix<double>& slack, const Matrix<double>& gram, double stiffness) {
  Eigensystem rows = base::eigensystem(slack), columns = base::eigensystem(gram);
  using Values = Eigen::Map<const Eigen::ArrayXd>;
  const Eigen::ArrayXd of_rows = Values(rows.values.data(), slack.rows()).abs();
  const Eigen::ArrayXd of_columns = stiffness * Values(columns.values.data(), gram.rows()).max(0.0);
  const double least = kLeastCurvature * of_columns.maxCoeff();
  roots_ = (of_rows.replicate(1, gram.rows()).rowwise() + of_columns.transpose() + least).sqrt();
  left_ = std::move(rows.vectors);
  right_ = std::move(columns.vectors);
}

Matrix<double> FactorMetric::rotated(const Matrix<double>& D) const {
  return product(left_, product(D, right_.transpose()));
}

Matrix<double> FactorMetric::gradient(const Matrix<double>& in_factor) const {
  return rotated(in_factor).cwiseQuotient(roots_);
}

Matrix<double> FactorMetric::coordinates(const Matrix<double>& D) const { return rotated(D).cwiseProduct(roots_); }

Matrix<double> FactorMetric::step(const Matrix<double>& Z) const {
  return product(left_, product(Z.cwiseQuotient(roots_), right_), base::Transpose::yes);
}

}  // namespace attnlaw::experiment
