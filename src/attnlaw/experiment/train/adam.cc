#include "attnlaw/experiment/train/adam.h"

#include <cmath>
#include <limits>

namespace attnlaw::experiment {
namespace {

using base::Matrix;

/// The decay of the first moment is that of the paper; the second has a shorter memory, because full-batch gradients
/// carry no noise to average and shrink by orders of magnitude along the way.
constexpr double kFirstDecay = 0.9;
constexpr double kSecondDecay = 0.99;
/// The initial rate, in units of the initial weights (N(0,1) entries).
constexpr double kInitialRate = 0.05;
/// The smallest rate: below it steps do not change double weights of order one any more.
constexpr double kSmallestRate = 1e-14;
/// The objective is looked at after this many iterations; if the best value has not fallen since, the rate is halved.
constexpr int kPatience = 40;
constexpr double kRateDecay = 0.5;
/// So many iterations pass between looks at the residual; one look costs about half a gradient.
constexpr int kAdamMonitorInterval = 20;

/// Keeps the moments of the gradients, and makes the update that they imply.
class Moments {
 public:
  explicit Moments(const Matrix<double>& point)
      : first_(Matrix<double>::Zero(point.rows(), point.cols())),
        second_(Matrix<double>::Zero(point.rows(), point.cols())) {}

  /// Subtracts rate · m̂/√v̂, with bias-corrected moments, from the point.
  void update(const Matrix<double>& gradient, double rate, Matrix<double>& point) {
    first_power_ *= kFirstDecay;
    second_power_ *= kSecondDecay;
    const double step = rate * std::sqrt(1 - second_power_) / (1 - first_power_);
    const double* slope = gradient.data();
    double *first = first_.data(), *second = second_.data(), *entry = point.data();
    // All four arrays are passed once.
    for (Eigen::Index i = 0; i < point.size(); ++i) {
      first[i] = kFirstDecay * first[i] + (1 - kFirstDecay) * slope[i];
      second[i] = kSecondDecay * second[i] + (1 - kSecondDecay) * slope[i] * slope[i];
      // The smallest normal number only guards against 0/0 where a gradient has always been zero.
      entry[i] -= step * first[i] / (std::sqrt(second[i]) + std::numeric_limits<double>::min());
    }
  }

 private:
  Matrix<double> first_, second_;
  double first_power_ = 1, second_power_ = 1;
};

/// Sets the rate by the objectives that it has seen, or keeps it until they stop changing.
class Schedule {
 public:
  /// `change` is that of the objective per d².
  Schedule(double rate, double change) : rate_(rate > 0 ? rate : kInitialRate), change_(change) {}

  double rate() const { return rate_; }
  /// Tells whether the last step has changed the objective by less than asked for.
  bool settled() const { return settled_; }

  void observe(double value) {
    settled_ = std::abs(value - last_) < change_;
    last_ = value;
    if (change_ > 0) return;
    if (value < best_) best_ = value;
    if (++iteration_ % kPatience != 0) return;
    if (best_ >= best_of_last_window_) rate_ *= kRateDecay;
    best_of_last_window_ = best_;
  }

 private:
  double rate_;
  double change_;
  bool settled_ = false;
  double last_ = std::numeric_limits<double>::infinity();
  double best_ = std::numeric_limits<double>::infinity();
  double best_of_last_window_ = std::numeric_limits<double>::infinity();
  int iteration_ = 0;
};

}  // namespace

template <class Real>
Trained train_adam(Objective<Real>& objective, const TrainingOptions& options) {
  const std::unique_ptr<Parameters> parameters = make_parameters(objective);
  Monitor<Real> monitor(objective, *parameters, options.tolerance);
  Matrix<double> point = parameters->initial(options), gradient;
  Moments moments(point);
  const auto d = static_cast<double>(objective.d());
  Schedule schedule(options.rate, options.stop_change / (d * d));
  int iteration = 0;
  for (; iteration < options.max_iterations && schedule.rate() > kSmallestRate; ++iteration) {
    schedule.observe(parameters->objective(point, gradient));
    if (schedule.settled()) {
      Trained trained = monitor.finish(point, iteration);
      trained.converged = true;
      return trained;
    }
    if (options.stop_change == 0 && iteration % kAdamMonitorInterval == 0) {
      if (auto trained = monitor.optimal(point, gradient, iteration)) return *trained;
      if (monitor.stalled()) break;
    }
    moments.update(gradient, schedule.rate(), point);
  }
  return monitor.finish(point, iteration);
}

template Trained train_adam(Objective<float>&, const TrainingOptions&);
template Trained train_adam(Objective<double>&, const TrainingOptions&);

}  // namespace attnlaw::experiment
