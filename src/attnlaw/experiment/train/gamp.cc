#include "attnlaw/experiment/train/gamp.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "attnlaw/experiment/data/observed_scores.h"
#include "attnlaw/experiment/data/proximal_point.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/student/spectral_start.h"
#include "attnlaw/experiment/train/gamp_channels.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;

/// So many iterations pass between looks at the residual of the objective; one look costs about as much as an
/// iteration.
constexpr int kGampMonitorInterval = 10;

/// Chooses how much of the way to the answer of the channels is taken.
class Step {
 public:
  explicit Step(double largest) : largest_(largest), size_(largest) {}

  double size() const { return size_; }
  void observe(double residual) {
    const bool diverging = !(residual <= kGrowth * lowest_);
    size_ = diverging ? std::max(kSmallest, kShrink * size_) : std::min(largest_, kRecover * size_);
    lowest_ = diverging ? residual : std::min(lowest_, residual);
  }

 private:
  /// Residuals of converging runs oscillate by less than this factor.
  static constexpr double kGrowth = 2;
  static constexpr double kShrink = 0.7, kRecover = 1.01, kSmallest = 0.02;

  double largest_, size_;
  double lowest_ = std::numeric_limits<double>::infinity();
};

std::unique_ptr<GampChannels> make_channels(const model::Problem& problem) {
  switch (problem.student) {
    case model::Student::bayes:
      return make_bayes_channels(problem);
    case model::Student::untied:
      return make_untied_channels(problem);
    default:
      return make_tied_channels(problem);
  }
}

template <class Real>
class Iteration {
 public:
  Iteration(Objective<Real>& objective, const TrainingOptions& options)
      : objective_(objective),
        options_(options),
        has_objective_(objective.problem().penalised()),
        channels_(make_channels(objective.problem())),
        norms_(score_norms(student_layout(objective.problem()))),
        estimate_(options.start ? *options.start : channels_->start(objective.d())),
        step_(channels_->largest_step()) {
    g_ = Columns<double>::Zero(objective.pass().data().labels.rows(), norms_.size());
    if (options.start) start_messages();
  }

  Trained run() {
    double residual = std::numeric_limits<double>::infinity();
    int iteration = 0;
    while (iteration < options_.max_iterations) {
      residual = iterate(iteration == 0 && !options_.start);
      ++iteration;
      if (options_.observe) options_.observe(estimate_.S, estimate_.V);
      observe(residual);
      const bool last = stall_.stalled() || !std::isfinite(residual);
      const bool look = has_objective_ ? iteration % kGampMonitorInterval == 0 : residual <= options_.tolerance;
      if (!look && !last) continue;
      Trained trained = finish(iteration, residual);
      if (trained.converged || last) return trained;
    }
    return finish(iteration, residual);
  }

 private:
  /// Sets g to the messages that the spectral start was made with.
  void start_messages() {
    const Columns<Real>& labels = objective_.pass().data().labels;
    const Eigen::Index block = block_sequences(objective_.problem().tokens);
    Columns<double> g;
    for (Eigen::Index first = 0; first < labels.rows(); first += block) {
      const Eigen::Index count = std::min(block, labels.rows() - first);
      label_messages(objective_.problem(), labels.middleRows(first, count).template cast<double>(), g);
      g_.middleRows(first, count) = g;
    }
  }

  Trained finish(int iterations, double residual) {
    if (has_objective_) return assess(objective_, estimate_.S, iterations, options_.tolerance);
    return {estimate_.S, iterations, residual, residual <= options_.tolerance, estimate_.V};
  }

  /// Makes one iteration and returns its residual, infinite if the messages have overflowed (S then stays where it is).
  /// An `uninformed` one takes all of the new g, because the old one, zero, tells nothing.
  double iterate(bool uninformed) {
    const Messages messages = pass(uninformed ? 1 : step_.size());
    if (!messages.B.allFinite()) return std::numeric_limits<double>::infinity();
    const MatrixEstimate next = channels_->denoise(estimate_, messages);
    const double size = std::max(student_scale(estimate_.S, objective_.problem()), next.S.norm());
    const double residual = (next.S - estimate_.S).norm() / size;
    estimate_.S += step_.size() * (next.S - estimate_.S);
    estimate_.V += step_.size() * (next.V - estimate_.V);
    return residual;
  }

  /// Learns from the residual of an iteration. As long as S = 0, which it is until the messages outweigh the threshold,
  /// there is nothing to learn: were this 0 the lowest residual, all that follow would count as growth.
  void observe(double residual) {
    if (residual == 0) return;
    step_.observe(residual);
    stall_.observe(residual);
  }

  /// Updates g and returns the messages from g to S.
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
          message_coefficients<Real>(objective_.problem(), g, scores);
          return typename DataPass<Real>::Sums{response, g.square().sum()};
        },
        &messages.B);
    messages.response = sums[0];
    messages.squares = sums[1];
    return messages;
  }

  Objective<Real>& objective_;
  const TrainingOptions& options_;
  bool has_objective_;
  std::unique_ptr<GampChannels> channels_;
  Eigen::Array<double, 1, Eigen::Dynamic> norms_;
  MatrixEstimate estimate_;
  Columns<double> g_;
  Step step_;
  StallDetector stall_;
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
