#pragma once
/// The law of in-context regression at finite size, given the tasks that were drawn: exact moments of what the layer
/// sees, and the deterministic equivalent of ridge regression with them (docs/theory/in_context_learning.md, section
/// 7).

#include <vector>

#include "attnlaw/base/matrix.h"
#include "attnlaw/laws/in_context/in_context.h"

namespace attnlaw::laws {

/// What is measured of a trained layer, and what the law says of it.
struct InContextMeasured {
  double new_tasks = 0;
  double training_tasks = 0;
  double train = 0;
  double trace = 0;         ///< tr G/d
  double squared_norm = 0;  ///< ‖G‖²_F/d
};
const base::Description& describe(const InContextMeasured*);

/// Moments of a sequence over its tasks: of the task w, of u = (h, t), h = (d/l) Σ y_i x_i, t = Σ y_i²/l, from which
/// the layer answers x_qᵀΓu. They give the test error of any Γ without a test sample.
struct ContextMoments {
  double label = 0;             ///< E y_q² = E|w|²/d + ρ
  base::Matrix<double> task;    ///< E w uᵀ, d×(d+1)
  base::Matrix<double> second;  ///< E u uᵀ, (d+1)×(d+1)

  std::size_t d() const { return static_cast<std::size_t>(task.rows()); }
  /// Returns E(y_q − x_qᵀΓu)² for Γ of d×(d+1).
  double error(const base::Matrix<double>& gamma) const;
};

/// Returns the moments for given tasks, the rows of a matrix, with l tokens and noise ρ.
ContextMoments moments_of_tasks(const base::Matrix<double>& tasks, double length, double noise);

/// Returns the moments for tasks of a diagonal covariance: Gaussian ones, or on the sphere of radius √d, which takes
/// C = I.
ContextMoments moments_of_law(const std::vector<double>& covariance, bool sphere, double length, double noise);

/// What a finite experiment trains on and is tested on.
struct FiniteInContext {
  ContextMoments training, test;
  double sequences = 0;  ///< n
  double lambda = 0;     ///< > 0
};

/// Predicts the mean over sequences, given the tasks. O(d³).
InContextMeasured predict_finite_size(const FiniteInContext& model);

}  // namespace attnlaw::laws
