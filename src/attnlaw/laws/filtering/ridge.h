#pragma once
/// Reads features out by ridge regression, and lifts them by random ReLU features before.

#include <Eigen/Core>
#include <cstdint>

#include "attnlaw/base/streams.h"
#include "attnlaw/laws/filtering/layer.h"

namespace attnlaw::laws {

/// A fit y ≈ intercept + z·weights, one column for each output.
struct Ridge {
  Eigen::MatrixXd weights;
  Eigen::RowVectorXd intercept;
  double penalty = 0;           ///< the λ of Σ|y − f|²/n + λ‖weights‖², features in their own units
  double validation_error = 0;  ///< mean squared length of the error, leave-one-out or held out

  base::Matrix<double> operator()(const base::Matrix<double>& z) const;
};

/// Fits with one penalty for all outputs, chosen among multiples of the mean variance of a feature. Up to kLeaveOneOut
/// features it is that of least leave-one-out error, by an eigenproblem of their number; for more, that of least error
/// on the last fifth of the samples, by Cholesky factors of the smaller of samples and features. Throws
/// std::invalid_argument unless there are 10 or more samples.
Ridge fit_ridge(const base::Matrix<double>& z, const base::Matrix<double>& y);
inline constexpr Eigen::Index kLeaveOneOut = 1500;

/// Lifts standardised x ∈ R^k to x and max(0, xW + b), with W ~ N(0, 1/k), b ~ N(0, 1) drawn by (seed, purpose).
class ReluLift {
 public:
  /// Throws std::invalid_argument unless k and `features` are ≥ 1.
  ReluLift(Eigen::Index k, Eigen::Index features, std::uint64_t seed, base::Stream purpose);
  base::Matrix<double> operator()(const base::Matrix<double>& x) const;

 private:
  base::Matrix<double> weights_;
  Eigen::RowVectorXd bias_;
};

/// Returns x, then all products x_i x_j, i ≤ j: the features of the degree-2 polynomial kernel. Products of different
/// coordinates have √2 times the weight of squares, so that the ridge penalty is that of the kernel.
base::Matrix<double> degree_two_features(const base::Matrix<double>& x);

}  // namespace attnlaw::laws
