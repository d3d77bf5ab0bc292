#include "attnlaw/experiment/fista.h"

#include <cmath>
#include <limits>
#include <span>

#include "attnlaw/base/linear_algebra.h"

namespace attnlaw::experiment {
namespace {

/// Iterations between looks at the residual; one look costs one gradient and the eigenvalues of a d×d matrix.
constexpr int kMonitorInterval = 10;
/// The step shrinks by this factor until the quadratic model bounds the loss.
constexpr double kBacktrack = 0.5;
/// …and grows by this one between iterations, so that one steep region does not slow all that follow.
constexpr double kGrowth = 1.02;
/// A step this small means that the loss does not fall along its own gradient any more: rounding rules.
constexpr double kSmallestStep = 1e-12;

/// f = d·loss, so that gradients, steps and the penalty λ Tr S are of order one at any d.
struct Smooth {
  double value = 0;
  Matrix<double> gradient;
};

/// (ν − threshold)₊ on the eigenvalues of M.
Matrix<double> soft_threshold(Matrix<double> M, double threshold) {
  const Eigen::Index d = M.rows();
  const auto size = static_cast<std::size_t>(d);
  const std::vector<double> eigenvalues = base::symmetric_eigensystem(std::span(M.data(), size * size), size);
  Eigen::Index kept = 0;
  while (kept < d && eigenvalues[static_cast<std::size_t>(d - 1 - kept)] > threshold) ++kept;
  Matrix<double> S = Matrix<double>::Zero(d, d);
  if (kept == 0) return S;
  // Rows of M are eigenvectors in ascending order: S = Σ over the last ones of √w vᵀ(√w v).
  Matrix<double> roots = M.bottomRows(kept);
  for (Eigen::Index k = 0; k < kept; ++k) {
    roots.row(k) *= std::sqrt(eigenvalues[static_cast<std::size_t>(d - kept + k)] - threshold);
  }
  base::gemm(base::Transpose::yes, size, size, static_cast<std::size_t>(kept), roots.data(), roots.data(), 0.0,
             S.data());
  return 0.5 * (S + S.transpose());
}

template <class Real>
class Minimiser {
 public:
  Minimiser(Objective<Real>& objective, const TrainingOptions& options)
      : objective_(objective), options_(options), d_(static_cast<double>(objective.d())) {
    S_ = extrapolated_ = Matrix<double>::Zero(objective.d(), objective.d());
  }

  Trained run() {
    for (int iteration = 1; iteration <= options_.max_iterations; ++iteration) {
      if (!proximal_step()) return finish(iteration);
      extrapolate();
      if (iteration % kMonitorInterval == 0) {
        const Trained trained = finish(iteration);
        if (trained.converged || stall_.observe(trained.kkt)) return trained;
      }
    }
    return finish(options_.max_iterations);
  }

 private:
  Trained finish(int iterations) {
    Trained trained{S_, iterations, 0, false};
    Matrix<double> gradient;
    objective_.loss(S_, gradient);
    trained.kkt = kkt_residual(S_, gradient, objective_.problem());
    trained.converged = trained.kkt <= options_.tolerance;
    return trained;
  }

  /// next_ = prox of a gradient step from extrapolated_, with a step for which the quadratic model is an upper bound;
  /// false if there is none.
  bool proximal_step() {
    constexpr double kRounding = 4 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    Matrix<double> gradient;
    const double value = d_ * objective_.loss(extrapolated_, gradient);
    const double rounding = kRounding * (value + objective_.problem().lambda * std::abs(extrapolated_.trace()));
    gradient *= d_;
    for (step_ *= kGrowth; step_ > kSmallestStep; step_ *= kBacktrack) {
      next_ = soft_threshold(extrapolated_ - step_ * gradient, step_ * objective_.problem().lambda);
      const Matrix<double> move = next_ - extrapolated_;
      const double bound = value + inner(gradient, move) + move.squaredNorm() / (2 * step_);
      if (d_ * objective_.loss(next_) <= bound + rounding) return true;
    }
    return false;
  }

  /// Nesterov's extrapolation, restarted when the momentum points uphill.
  void extrapolate() {
    const bool uphill = inner(extrapolated_ - next_, next_ - S_) > 0;
    const double momentum = uphill ? 1 : momentum_;
    momentum_ = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    extrapolated_ = next_ + ((momentum - 1) / momentum_) * (next_ - S_);
    std::swap(S_, next_);
  }

  Objective<Real>& objective_;
  const TrainingOptions& options_;
  double d_;
  double step_ = 1;
  double momentum_ = 1;
  StallDetector stall_;
  Matrix<double> S_, extrapolated_, next_;
};

}  // namespace

template <class Real>
Trained train_fista(Objective<Real>& objective, const TrainingOptions& options) {
  return Minimiser<Real>(objective, options).run();
}

template Trained train_fista(Objective<float>&, const TrainingOptions&);
template Trained train_fista(Objective<double>&, const TrainingOptions&);

}  // namespace attnlaw::experiment
