#pragma once
/// Trains by limited-memory BFGS on the parameters of a student.

#include <functional>
#include <optional>

#include "attnlaw/experiment/student/factor_metric.h"
#include "attnlaw/experiment/train/trainer.h"

namespace attnlaw::experiment {

/// A smooth function of a matrix to be minimised, and the rules by which that ends.
struct Minimisation {
  /// Returns the value at a point, and sets the gradient there.
  std::function<double(const base::Matrix<double>& point, base::Matrix<double>& gradient)> objective;
  /// Is asked every fifth iteration whether to end, because the point is good enough or gets no better.
  std::function<bool(const base::Matrix<double>& point, const base::Matrix<double>& gradient, int iteration)> ends;
  /// Is asked after iterations 1, 2, 4, 8, … for coordinates around the point, at which the objective was evaluated
  /// last; there are none if it returns nothing, or is left out.
  std::function<std::optional<FactorMetric>(const base::Matrix<double>& point)> metric;
  int max_iterations = 0;
  double rounding = 0;  ///< relative rounding error of the objective
  int memory = 10;      ///< number of pairs in the quasi-Newton memory, customarily 3 to 20
};

/// The point where a minimisation ended.
struct Minimum {
  base::Matrix<double> at;
  int iterations = 0;
};

/// Minimises by L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.5; two-loop recursion of LBFGSpp) in the
/// coordinates of the metric, which forgets all pairs but the last where these change, with the approximate Wolfe
/// conditions of Hager & Zhang (2005, eqs 4.1–4.2): close to the minimum the decrease of the objective drowns in
/// rounding, and slopes decide instead. This lets float32 data reach small residuals.
Minimum minimise_lbfgs(const Minimisation& minimisation, const base::Matrix<double>& start);

/// Returns the number of pairs in the memory for a student: 20 for the two factors of the untied one, whose product
/// leaves directions without curvature; 10 for all others.
int lbfgs_memory(const model::Problem& problem);

/// Minimises the objective in its Parameters by L-BFGS.
template <class Real>
Trained train_lbfgs(Objective<Real>& objective, const TrainingOptions& options);

}  // namespace attnlaw::experiment
