#include "attnlaw/experiment/train/fista.h"

#include <cmath>
#include <limits>
#include <memory>

#include "attnlaw/experiment/student/penalty.h"

namespace attnlaw::experiment {
namespace {

using base::inner;
using base::Matrix;

/// So many iterations pass between looks at the residual; one look costs one gradient and the eigenvalues of a d×d
/// matrix.
constexpr int kFistaMonitorInterval = 10;
/// The step shrinks by this factor until the quadratic model bounds the loss.
constexpr double kBacktrack = 0.5;
/// The step grows by this factor between iterations, so that one steep region does not slow all that follow.
constexpr double kGrowth = 1.02;
/// A step this small means that the loss does not fall along its own gradient any more: rounding dominates.
constexpr double kSmallestStep = 1e-12;

template <class Real>
class FistaMinimiser {
 public:
  FistaMinimiser(Objective<Real>& objective, const TrainingOptions& options)
      : objective_(objective),
        options_(options),
        penalty_(make_penalty(objective.problem())),
        d_(static_cast<double>(objective.d())) {
    S_ = extrapolated_ = options.start ? options.start->S : Matrix<double>::Zero(objective.d(), objective.d());
  }

  Trained run() {
    for (int iteration = 1; iteration <= options_.max_iterations; ++iteration) {
      if (!proximal_step()) return finish(iteration);
      extrapolate();
      if (iteration % kFistaMonitorInterval == 0) {
        const Trained trained = finish(iteration);
        if (trained.converged || stall_.observe(trained.kkt)) return trained;
      }
    }
    return finish(options_.max_iterations);
  }

 private:
  Trained finish(int iterations) { return assess(objective_, S_, iterations, options_.tolerance); }

  /// Sets next_ to the prox of a gradient step from extrapolated_, with a step for which the quadratic model is an
  /// upper bound; returns false if there is none. It works on d·loss, so that gradients, steps and the penalty are of
  /// order one at any d.
  bool proximal_step() {
    constexpr double kRounding = 4 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    Matrix<double> gradient;
    const double value = d_ * objective_.loss(extrapolated_, gradient);
    const double rounding = kRounding * (value + d_ * std::abs(penalty_->value(extrapolated_)));
    gradient *= d_;
    for (step_ *= kGrowth; step_ > kSmallestStep; step_ *= kBacktrack) {
      next_ = penalty_->proximal(extrapolated_ - step_ * gradient, step_);
      const Matrix<double> move = next_ - extrapolated_;
      const double bound = value + inner(gradient, move) + move.squaredNorm() / (2 * step_);
      if (d_ * objective_.loss(next_) <= bound + rounding) return true;
    }
    return false;
  }

  /// Extrapolates as Nesterov does, and restarts when the momentum points uphill.
  void extrapolate() {
    const bool uphill = inner(extrapolated_ - next_, next_ - S_) > 0;
    const double momentum = uphill ? 1 : momentum_;
    momentum_ = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    extrapolated_ = next_ + ((momentum - 1) / momentum_) * (next_ - S_);
    std::swap(S_, next_);
  }

  Objective<Real>& objective_;
  const TrainingOptions& options_;
  std::unique_ptr<Penalty> penalty_;
  double d_;
  double step_ = 1;
  double momentum_ = 1;
  StallDetector stall_;
  Matrix<double> S_, extrapolated_, next_;
};

}  // namespace

template <class Real>
Trained train_fista(Objective<Real>& objective, const TrainingOptions& options) {
  return FistaMinimiser<Real>(objective, options).run();
}

template Trained train_fista(Objective<float>&, const TrainingOptions&);
template Trained train_fista(Objective<double>&, const TrainingOptions&);

}  // namespace attnlaw::experiment
