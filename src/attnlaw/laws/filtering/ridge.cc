#include "attnlaw/laws/filtering/ridge.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <vector>

#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::product;
using base::reject;
using base::size;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Matrix = base::Matrix<double>;

/// Returns multiples of the mean variance of a feature, from hardly any penalty to one that leaves little but the mean.
std::vector<double> penalties(double variance, double factor) {
  std::vector<double> values;
  for (double multiple = 1e-6; multiple < 2e3; multiple *= factor) values.push_back(multiple * variance);
  return values;
}

/// Returns the lower triangle of (1/n) zᵀz.
Matrix gram(const Matrix& z) {
  base::use_one_blas_thread();
  Matrix G = Matrix::Zero(z.cols(), z.cols());
  base::symmetric_product(size(z.rows()), size(z.cols()), 1.0 / static_cast<double>(z.rows()), z.data(), G.data());
  return G;
}

/// Fits centred z and y. In the eigenbasis of the Gram matrix every penalty is a scalar problem, and so is its
/// leave-one-out error, (y_i − f_i)/(1 − H_ii).
Ridge by_leave_one_out(const Matrix& z, const Matrix& y) {
  const auto n = static_cast<double>(z.rows());
  const auto [values, vectors] = base::eigensystem(gram(z));
  const ArrayXd spectrum = Eigen::Map<const ArrayXd>(values.data(), z.cols()).max(0);
  const Matrix rotated = product(z, vectors.transpose());
  const MatrixXd target = rotated.transpose() * y / n;
  const Matrix squares = rotated.cwiseAbs2();
  Ridge best;
  best.validation_error = std::numeric_limits<double>::infinity();
  constexpr double kFactor = 3;
  for (const double penalty : penalties(spectrum.mean(), kFactor)) {
    const ArrayXd inverse = (spectrum + penalty).inverse();
    const MatrixXd solution = inverse.matrix().asDiagonal() * target;
    const ArrayXd leverage = (squares * inverse.matrix()).array() / n + 1 / n;  // 1/n is due to the intercept
    const ArrayXd residual = (y - rotated * solution).rowwise().squaredNorm().array();
    const double error = (residual / (1 - leverage).max(1e-12).square()).mean();
    if (!(error < best.validation_error)) continue;
    best.validation_error = error;
    best.penalty = penalty;
    best.weights = vectors.transpose() * solution;
  }
  return best;
}

/// Returns the weights at a penalty, by Cholesky factors of the smaller Gram matrix.
class Solver {
 public:
  Solver(const Matrix& z, const Matrix& y) : z_(z), y_(y), dual_(z.rows() < z.cols()) {
    gram_ = dual_ ? gram(Matrix(z.transpose())) : gram(z);
    if (dual_) gram_ *= static_cast<double>(z.cols());  // z zᵀ
  }
  MatrixXd operator()(double penalty) const {
    const auto n = static_cast<double>(z_.rows());
    Matrix shifted = gram_;
    shifted.diagonal().array() += dual_ ? n * penalty : penalty;
    const Eigen::LLT<Eigen::Ref<Matrix>> factor(shifted);
    if (dual_) return z_.transpose() * factor.solve(y_);
    return factor.solve(z_.transpose() * y_ / n);
  }
  double mean_variance() const {
    return (dual_ ? gram_.trace() / static_cast<double>(z_.rows()) : gram_.trace()) / static_cast<double>(z_.cols());
  }

 private:
  const Matrix& z_;
  const Matrix& y_;
  bool dual_;
  Matrix gram_;
};

Ridge by_holding_out(const Matrix& z, const Matrix& y) {
  constexpr double kFactor = 10;
  const Index held = z.rows() / 5, kept = z.rows() - held;
  Ridge best;
  best.validation_error = std::numeric_limits<double>::infinity();
  {
    const Matrix part = z.topRows(kept);
    const Matrix labels = y.topRows(kept);
    const Solver solve(part, labels);
    for (const double penalty : penalties(solve.mean_variance(), kFactor)) {
      base::check_interrupt();
      const MatrixXd weights = solve(penalty);
      const double error = (y.bottomRows(held) - z.bottomRows(held) * weights).rowwise().squaredNorm().mean();
      if (error < best.validation_error) best.validation_error = error, best.penalty = penalty;
    }
  }
  best.weights = Solver(z, y)(best.penalty);
  return best;
}

}  // namespace

Matrix Ridge::operator()(const Matrix& z) const { return (z * weights).rowwise() + intercept; }

Ridge fit_ridge(const Matrix& z, const Matrix& y) {
  constexpr Index kLeast = 10;
  if (z.rows() < kLeast || z.rows() != y.rows())
    reject("ridge regression needs {} or more samples with a label each, got {} and {}", kLeast, z.rows(), y.rows());
  const Eigen::RowVectorXd mean = z.colwise().mean();
  const Matrix centred = z.rowwise() - mean;
  const Eigen::RowVectorXd level = y.colwise().mean();
  const Matrix labels = y.rowwise() - level;
  Ridge ridge = z.cols() <= kLeaveOneOut ? by_leave_one_out(centred, labels) : by_holding_out(centred, labels);
  ridge.intercept = level - mean * ridge.weights;
  return ridge;
}

ReluLift::ReluLift(Index k, Index features, std::uint64_t seed, base::Stream purpose) {
  if (k < 1 || features < 1) reject("a lift needs 1 or more inputs and features, got {} and {}", k, features);
  weights_.resize(k, features);
  bias_.resize(features);
  const base::NormalStream stream(seed, base::stream_id(purpose, size(k), size(features)));
  stream.fill(0, {weights_.data(), size(weights_.size())});
  stream.fill(size(weights_.size()), {bias_.data(), size(features)});
  weights_ /= std::sqrt(static_cast<double>(k));
}

Matrix ReluLift::operator()(const Matrix& x) const {
  Matrix lifted(x.rows(), x.cols() + weights_.cols());
  lifted.leftCols(x.cols()) = x;
  lifted.rightCols(weights_.cols()) = (product(x, weights_).rowwise() + bias_).cwiseMax(0);
  return lifted;
}

Matrix degree_two_features(const Matrix& x) {
  const Index d = x.cols();
  Matrix lifted(x.rows(), d + d * (d + 1) / 2);
  for (Index mu = 0; mu < x.rows(); ++mu) {
    base::check_interrupt();
    lifted.row(mu).head(d) = x.row(mu);
    Index at = d;
    for (Index i = 0; i < d; at += d - i, ++i) {
      lifted.row(mu).segment(at, d - i) = std::sqrt(2) * x(mu, i) * x.row(mu).tail(d - i);
      lifted(mu, at) = x(mu, i) * x(mu, i);
    }
  }
  return lifted;
}

}  // namespace attnlaw::laws
