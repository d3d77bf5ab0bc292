#include "attnlaw/experiment/train/lbfgs.h"

#include <LBFGSpp/BFGSMat.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace attnlaw::experiment {
namespace {

using base::inner;
using base::Matrix;

/// So many iterations pass between looks at the residual; one look costs about half a gradient.
constexpr int kLbfgsMonitorInterval = 5;
/// The constants of the Wolfe conditions, sufficient decrease and curvature, have the customary values for quasi-Newton
/// directions.
constexpr double kDecrease = 1e-4;
constexpr double kCurvature = 0.9;
/// A line search takes at most so many trial steps: enough for twenty bisections, a bracket of 1e-6.
constexpr int kMaxTrials = 20;
/// A step doubles while the objective still falls too steeply.
constexpr double kExpansion = 2;
/// So many line searches in a row may fail (each is restarted along the gradient) before training gives up.
constexpr int kMaxFailures = 3;

/// A point of the minimisation.
struct Point {
  Matrix<double> at;
  Matrix<double> gradient;
  double value = 0;
};

/// The curvature of the objective as L-BFGS knows it, in the coordinates of a metric or, without one, in the entries.
class QuasiNewton {
 public:
  explicit QuasiNewton(int memory) : size_(memory) {}

  /// Forgets all pairs, and takes steps in the coordinates of `metric` from now on.
  void restart(Eigen::Index entries, std::optional<FactorMetric> metric) {
    metric_ = std::move(metric);
    memory_.reset(static_cast<int>(entries), size_);
  }
  void restart(Eigen::Index entries) { memory_.reset(static_cast<int>(entries), size_); }

  /// Learns from a step and the difference of the gradients at its ends.
  void learn(const Matrix<double>& step, const Matrix<double>& difference) {
    if (!(inner(step, difference) > 0)) return;
    if (metric_) {
      const Matrix<double> in_metric = metric_->coordinates(step), slope = metric_->gradient(difference);
      memory_.add_correction(vector(in_metric), vector(slope));
    } else {
      memory_.add_correction(vector(step), vector(difference));
    }
  }

  /// Returns the step to where the gradient vanishes by all that has been learnt.
  Matrix<double> step(const Matrix<double>& gradient) {
    const Eigen::VectorXd slope = vector(metric_ ? metric_->gradient(gradient) : gradient);
    Eigen::VectorXd direction;
    memory_.apply_Hv(slope, -1.0, direction);
    const Eigen::Map<const Matrix<double>> result(direction.data(), gradient.rows(), gradient.cols());
    return metric_ ? metric_->step(result) : Matrix<double>(result);
  }

 private:
  static Eigen::Map<const Eigen::VectorXd> vector(const Matrix<double>& M) { return {M.data(), M.size()}; }

  int size_;
  std::optional<FactorMetric> metric_;
  LBFGSpp::BFGSMat<double> memory_;
};

/// Brackets a step between one whose slope is too negative (lower) and one whose slope or value is too high (upper).
struct Bracket {
  double lower = 0, lower_slope;
  double upper = std::numeric_limits<double>::infinity();
  double upper_slope = std::numeric_limits<double>::infinity();

  /// Returns the secant step inside, kept away from the ends; the middle if the upper slope is of no use.
  double next() const {
    if (std::isinf(upper)) return kExpansion * lower;
    constexpr double kMargin = 0.1;
    double fraction = 0.5;
    if (std::isfinite(upper_slope) && upper_slope > 0) fraction = lower_slope / (lower_slope - upper_slope);
    return lower + std::clamp(fraction, kMargin, 1 - kMargin) * (upper - lower);
  }
};

class LbfgsMinimiser {
 public:
  LbfgsMinimiser(const Minimisation& minimisation, const Matrix<double>& start)
      : minimisation_(minimisation), model_(minimisation.memory) {
    point_.at = start;
    evaluate(point_);
    if (minimisation_.metric) minimisation_.metric(point_.at);
    forget();
  }

  Minimum run() {
    int failures = 0;
    for (int iteration = 0; iteration < minimisation_.max_iterations; ++iteration) {
      if (iteration % kLbfgsMonitorInterval == 0 && minimisation_.ends(point_.at, point_.gradient, iteration))
        return {point_.at, iteration};
      if (line_search()) {
        failures = 0;
        update_direction(iteration + 1);
      } else if (++failures <= kMaxFailures) {
        forget();
      } else {
        return {point_.at, iteration};
      }
    }
    return {point_.at, minimisation_.max_iterations};
  }

 private:
  void evaluate(Point& point) const { point.value = minimisation_.objective(point.at, point.gradient); }

  /// Goes back to steepest descent in the present coordinates, with a first step of length one.
  void forget() {
    model_.restart(point_.at.size());
    direction_ = model_.step(point_.gradient);
    const double norm = direction_.norm();
    first_step_ = norm > 0 ? 1 / norm : 1;
  }

  /// Finds trial_, an acceptable step from point_ along direction_; returns false if there is none.
  bool line_search() {
    const double slope = inner(point_.gradient, direction_);
    if (!(slope < 0)) return false;
    Bracket bracket{.lower_slope = slope};
    double step = first_step_;
    for (int trial = 0; trial < kMaxTrials; ++trial, step = bracket.next()) {
      trial_.at = point_.at + step * direction_;
      evaluate(trial_);
      const double trial_slope = inner(trial_.gradient, direction_);
      const bool low = low_enough(step, slope, trial_slope);
      if (low && trial_slope >= kCurvature * slope) return true;
      if (low && trial_slope < 0) {
        bracket.lower = step;
        bracket.lower_slope = trial_slope;
      } else {
        bracket.upper = step;
        bracket.upper_slope = trial_slope;
      }
    }
    return false;
  }

  /// Tells whether the trial has decreased the objective enough; slopes decide where the values agree to rounding.
  bool low_enough(double step, double slope, double trial_slope) const {
    if (!std::isfinite(trial_.value)) return false;
    if (trial_.value <= point_.value + kDecrease * step * slope) return true;
    constexpr double kSafety = 4;
    return trial_.value <= point_.value * (1 + kSafety * minimisation_.rounding) &&
           trial_slope <= (2 * kDecrease - 1) * slope;
  }

  /// Makes the trial the point, after this many iterations.
  void update_direction(int iterations) {
    std::swap(point_, trial_);
    const bool renewed = minimisation_.metric && std::has_single_bit(static_cast<unsigned>(iterations));
    if (renewed) model_.restart(point_.at.size(), minimisation_.metric(point_.at));
    model_.learn(point_.at - trial_.at, point_.gradient - trial_.gradient);
    direction_ = model_.step(point_.gradient);
    first_step_ = 1;
  }

  const Minimisation& minimisation_;
  QuasiNewton model_;
  Point point_, trial_;
  Matrix<double> direction_;
  double first_step_ = 1;
};

}  // namespace

Minimum minimise_lbfgs(const Minimisation& minimisation, const Matrix<double>& start) {
  return LbfgsMinimiser(minimisation, start).run();
}

int lbfgs_memory(const model::Problem& problem) {
  constexpr int kOneMatrix = 10, kTwoFactors = 20;
  return problem.student == model::Student::untied ? kTwoFactors : kOneMatrix;
}

template <class Real>
Trained train_lbfgs(Objective<Real>& objective, const TrainingOptions& options) {
  const std::unique_ptr<Parameters> parameters = make_parameters(objective);
  Monitor<Real> monitor(objective, *parameters, options.tolerance);
  std::optional<Trained> trained;
  const Minimisation minimisation{
      [&](const Matrix<double>& point, Matrix<double>& gradient) { return parameters->objective(point, gradient); },
      [&](const Matrix<double>& point, const Matrix<double>& gradient, int iteration) {
        trained = monitor.optimal(point, gradient, iteration);
        return trained || monitor.stalled();
      },
      [&](const Matrix<double>& point) { return parameters->metric(point); },
      options.max_iterations,
      static_cast<double>(std::numeric_limits<Real>::epsilon()),
      lbfgs_memory(objective.problem())};
  const Minimum minimum = minimise_lbfgs(minimisation, parameters->initial(options));
  return trained ? *trained : monitor.finish(minimum.at, minimum.iterations);
}

template Trained train_lbfgs(Objective<float>&, const TrainingOptions&);
template Trained train_lbfgs(Objective<double>&, const TrainingOptions&);

}  // namespace attnlaw::experiment
