#pragma once
/// Defines what L-BFGS and Adam move: the factor W of the tied student, both factors of the untied one, S itself of the
/// direct ones.

#include <memory>
#include <optional>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/student/factor_metric.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/student/training_options.h"

namespace attnlaw::experiment {

/// Writes the student of an objective by an unconstrained matrix, the point.
class Parameters {
 public:
  virtual ~Parameters() = default;

  /// Returns the point where training begins, made from options.start if there is one, else random weights or S = 0.
  virtual base::Matrix<double> initial(const TrainingOptions& options) const = 0;
  /// Returns the student S at a point.
  virtual base::Matrix<double> student(const base::Matrix<double>& point) const = 0;
  /// Returns loss plus penalty per d², and its gradient in the point.
  virtual double objective(const base::Matrix<double>& point, base::Matrix<double>& gradient) = 0;
  /// Returns a lower bound of the residual at student(point) from the gradient of the objective, without another pass
  /// through the data. For two factors it is a bound only where W_Qᵀ W_Q = W_Kᵀ W_K, as at every stationary point.
  virtual double residual_bound(const base::Matrix<double>& point, const base::Matrix<double>& gradient) const = 0;
  /// Returns coordinates of about equal curvature around `point`, at which the objective was evaluated last, from what
  /// it was there and at the point of the call before. Returns nothing where it knows of none better than the entries:
  /// at the first call, and for students without factors.
  virtual std::optional<FactorMetric> metric(const base::Matrix<double>& point) = 0;
};

/// Returns the parameters of the objective's student; `objective` must outlive them.
template <class Real>
std::unique_ptr<Parameters> make_parameters(Objective<Real>& objective);

/// Returns W ∈ R^{d×columns} with iid N(0,1) entries, a function of (seed, instance): at full width S = W Wᵀ/d starts
/// as a full-rank Wishart matrix with Tr S/d = 1, the scale of the targets.
base::Matrix<double> initial_weights(Eigen::Index d, Eigen::Index columns, const TrainingOptions& options);
inline base::Matrix<double> initial_weights(Eigen::Index d, const TrainingOptions& options) {
  return initial_weights(d, d, options);
}

}  // namespace attnlaw::experiment
