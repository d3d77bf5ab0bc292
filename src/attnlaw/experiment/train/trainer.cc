#include "attnlaw/experiment/train/trainer.h"

#include "attnlaw/experiment/student/penalty.h"

namespace attnlaw::experiment {

using base::Matrix;

template <class Real>
Trained assess(Objective<Real>& objective, const Matrix<double>& S, int iterations, double tolerance) {
  Trained trained{S, iterations};
  Matrix<double> gradient;
  objective.loss(S, gradient);
  trained.kkt = kkt_residual(S, gradient, objective.problem());
  trained.converged = trained.kkt <= tolerance;
  return trained;
}

template <class Real>
std::optional<Trained> Monitor<Real>::optimal(const Matrix<double>& point, const Matrix<double>& gradient,
                                              int iterations) {
  const double residual = parameters_.residual_bound(point, gradient);
  stall_.observe(residual);
  if (residual > tolerance_) return std::nullopt;
  Trained trained = finish(point, iterations);
  if (!trained.converged) return std::nullopt;
  return trained;
}

template <class Real>
Trained Monitor<Real>::finish(const Matrix<double>& point, int iterations) {
  return assess(objective_, parameters_.student(point), iterations, tolerance_);
}

template Trained assess(Objective<float>&, const Matrix<double>&, int, double);
template Trained assess(Objective<double>&, const Matrix<double>&, int, double);
template class Monitor<float>;
template class Monitor<double>;

}  // namespace attnlaw::experiment
