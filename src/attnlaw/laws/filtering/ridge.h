#pragma once
/// Ridge readout of features, and random ReLU lifts to read out.

#include <Eigen/Core>
#include <cstdint>

#include "attnlaw/base/streams.h"
#include "attnlaw/laws/filtering/layer.h"

namespace attnlaw::laws {

/// y ≈ intercept + z·weights, one column for each output.
struct Ridge {
  Eigen::MatrixXd weights;
  Eigen::RowVectorXd intercept;
  double penalty = 0;           ///< λ of Σ|y − f|²/n + λ‖weights‖², features in their own units
  double validation_error = 0;  ///< mean squared length, leave-one-out or held out

  base::Matrix<double> operator()(const base::Matrix<double>& z) const;
};

/// The penalty of least leave-one-out error (up to kLeaveOneOut features: an eigenproblem of their number), or of least
/// error on the last fifth of the samples (more features: Cholesky factors of the smaller of samples and features),
/// among multiples of the mean variance of a feature; one for all outputs. Throws std::invalid_argument unless there
/// are 10 or more samples.
Ridge fit_ridge(const base::Matrix<double>& z, const base::Matrix<double>& y);
inline constexpr Eigen::Index kLeaveOneOut = 1500;

/// x and max(0, xW + b) of standardised x ∈ R^k: W ~ N(0, 1/k), b ~ N(0, 1), drawn by (seed, stream).
class ReluLift {
 public:
  /// Throws std::invalid_argument unless k and `features` are ≥ 1.
  ReluLift(Eigen::Index k, Eigen::Index features, std::uint64_t seed, base::Stream purpose);
  base::Matrix<double> operator()(const base::Matrix<double>& x) const;

 private:
  base::Matrix<double> weights_;
  Eigen::RowVectorXd bias_;
};

/// All products x_i x_j, i ≤ j, after x itself: the features of the degree-2 polynomial kernel, products of different
/// coordinates at √2 times the others (so that the ridge penalty is that of the kernel).
base::Matrix<double> degree_two_features(const base::Matrix<double>& x);

}  // namespace attnlaw::laws
