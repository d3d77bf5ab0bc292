#include "attnlaw/experiment/gamp.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "attnlaw/experiment/gamp_channels.h"
#include "attnlaw/experiment/penalty.h"
#include "attnlaw/experiment/proximal_point.h"
#include "attnlaw/experiment/scores.h"

namespace attnlaw::experiment {
namespace {

/// Iterations between looks at the residual of the objective; one look costs about as much as an iteration.
constexpr int kMonitorInterval = 10;

/// Part of the way to the answer of the channels that is taken.
class Step {
 public:
  explicit Step(double largest) : largest_(largest), size_(largest) {}

  double size() const { return size_; }
  void observe(double residual) {
    constexpr double kShrink = 0.7, kGrow = 1.02, kSmallest = 0.02;
    size_ = residual > last_ ? std::max(kSmallest, kShrink * size_) : std::min(largest_, kGrow * size_);
    last_ = residual;
  }

 private:
  double largest_, size_;
  double last_ = std::numeric_limits<double>::infinity();
};

template <class Real>
class Iteration {
 public:
  Iteration(Objective<Real>& objective, const TrainingOptions& options)
      : objective_(objective),
        options_(options),
        trained_(objective.problem().student == model::Student::tied),
        channels_(trained_ ? make_tied_channels(objective.problem()) : make_bayes_channels(objective.problem())),
        norms_(score_norms(student_layout(objective.problem()))),
        estimate_(channels_->start(objective.d())),
        step_(channels_->largest_step()) {
    g_ = Columns<double>::Zero(objective.pass().data().labels.rows(), norms_.size());
  }

  Trained run() {
    for (int iteration = 1; iteration <= options_.max_iterations; ++iteration) {
      const double residual = iterate(iteration == 1);
      if (options_.observe) options_.observe(estimate_.S, estimate_.V);
      const bool stalled = stall_.observe(residual);
      if (!trained_) {
        if (residual <= options_.tolerance || stalled) return posterior_mean(iteration, residual);
      } else if (stalled || iteration % kMonitorInterval == 0) {
        Trained trained = assess(objective_, estimate_.S, iteration, options_.tolerance);
        if (trained.converged || stalled) return trained;
      }
    }
    return trained_ ? assess(objective_, estimate_.S, options_.max_iterations, options_.tolerance)
                    : posterior_mean(options_.max_iterations, last_residual_);
  }

 private:
  Trained posterior_mean(int iterations, double residual) const {
    return {estimate_.S, iterations, residual, residual <= options_.tolerance, estimate_.V};
  }

  /// One iteration; returns its residual. The first one, where g = 0 tells nothing, takes all of the new g.
  double iterate(bool first) {
    const Messages messages = pass(first ? 1 : step_.size());
    const Estimate next = channels_->denoise(estimate_, messages);
    const double size = std::max(student_scale(estimate_.S, objective_.problem()), next.S.norm());
    last_residual_ = (next.S - estimate_.S).norm() / size;
    estimate_.S += step_.size() * (next.S - estimate_.S);
    estimate_.V += step_.size() * (next.V - estimate_.V);
    step_.observe(last_residual_);
    return last_residual_;
  }

  /// Updates g and sends it to S.
  Messages pass(double step) {
    Messages messages;
    const auto sums = objective_.pass().at_matrix(
        estimate_.S,
        [&](Eigen::Index first, Columns<Real>& scores, Columns<Real>&) {
          auto g = g_.middleRows(first, scores.rows());
          const Columns<double> labels =
              objective_.pass().data().labels.middleRows(first, scores.rows()).template cast<double>();
          const Columns<double> z = scores.template cast<double>().rowwise() / norms_;
          const Columns<double> omega = z - estimate_.V * g;
          Columns<double> answer(z.rows(), z.cols());
          const double response = channels_->respond(labels, omega, z, estimate_.V, answer);
          g += step * (answer - g);
          // Σ_{a≤b} g_ab A_ab = Σ_{all a,b} C_ab (x_a x_bᵀ − δ_ab)/√d.
          const ScoreLayout layout = student_layout(objective_.problem());
          layout.for_each([&](int a, int b, int k) {
            scores.col(k) = (g.col(k) / (norms_[k] * layout.multiplicity(a, b))).template cast<Real>();
          });
          return typename DataPass<Real>::Sums{response, g.square().sum()};
        },
        &messages.B);
    messages.B = 0.5 * (messages.B + messages.B.transpose()).eval();
    messages.response = sums[0];
    messages.squares = sums[1];
    return messages;
  }

  Objective<Real>& objective_;
  const TrainingOptions& options_;
  bool trained_;  ///< has an objective
  std::unique_ptr<GampChannels> channels_;
  Eigen::Array<double, 1, Eigen::Dynamic> norms_;
  Estimate estimate_;
  Columns<double> g_;
  Step step_;
  StallDetector stall_;
  double last_residual_ = 0;
};

}  // namespace

template <class Real>
Trained train_gamp(Objective<Real>& objective, const TrainingOptions& options) {
  return Iteration<Real>(objective, options).run();
}

double gamp_bytes(const model::Problem& problem, int d) {
  return wanted_sequences(problem, d) * problem.score_count() * static_cast<double>(sizeof(double));
}

template Trained train_gamp(Objective<float>&, const TrainingOptions&);
template Trained train_gamp(Objective<double>&, const TrainingOptions&);

}  // namespace attnlaw::experiment
