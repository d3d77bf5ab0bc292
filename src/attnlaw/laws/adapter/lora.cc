#include "attnlaw/laws/adapter/lora.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <numbers>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/infinity.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/laws/adapter/channel.h"
#include "attnlaw/theory/evolution/search.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::laws {
namespace {

using base::reject;

/// Logarithms, base 2, of the points of each replicate: those of the coarse solution that begins, of the next one, and
/// the most that any accuracy takes.
constexpr int kCoarsePoints = 9, kFirstPoints = 11, kMostPoints = 19;
constexpr theory::PointGrowth kGrowth{.order = 0.9, .longest = kMostPoints, .last = kMostPoints};
/// A distance of this part of the accuracy from the fixed point is as good as none: it adds 1/400 to the square of the
/// sampling error. The map itself is no finer on finitely many points: each point that jumps is a step in it.
constexpr double kUnseen = 0.05;
/// The end of a search with a larger |F(x) − x| is no approximate solution; Newton's method begins at ten times this.
constexpr double kNoSolution = 0.002;
/// After so many sizes without a solution more points are pointless: there is none, or points jump.
constexpr int kMostFailures = 3;

/// x = (m/√ω, log((q − m²)/ω), log V), in which no step leaves q > m².
using Coordinates = Eigen::Vector3d;
Coordinates coordinates(const LoraOverlaps& overlaps, double omega) {
  return {overlaps.m / std::sqrt(omega), std::log((overlaps.q - overlaps.m * overlaps.m) / omega),
          std::log(overlaps.V)};
}
LoraOverlaps overlaps_at(const Coordinates& x, double omega) {
  const double m = x[0] * std::sqrt(omega);
  return {m, m * m + omega * std::exp(x[1]), std::exp(x[2])};
}

/// Returns the largest component of a change of x. The second counts less where q − m² ≪ q, of which rounding leaves
/// few digits.
double size_at(const Coordinates& x, const Coordinates& change) {
  constexpr double kDigits = 1e-9;
  const double digits = std::min(1.0, std::exp(x[1]) / (kDigits * x[0] * x[0]));
  return change.allFinite() ? std::max({std::abs(change[0]), digits * std::abs(change[1]), std::abs(change[2])})
                            : std::numeric_limits<double>::infinity();
}

/// One step of the state evolution from the averages at given overlaps.
struct Step {
  double lambda_effective = 0;
  double stiffness = 0;  ///< λ_eff + V̂; unless it is > 0 there is no solution with an adapter
  LoraOverlaps next;

  Step(const LoraTask& task, const LoraOverlaps& overlaps, const LoraAverages& mean) {
    const double V_hat = task.alpha * mean.response / overlaps.V;
    const double m_hat = task.alpha * mean.pull, q_hat = task.alpha * mean.force;
    lambda_effective = task.lambda + 2 * task.alpha * mean.centring;
    stiffness = lambda_effective + V_hat;
    next = {m_hat / stiffness, (m_hat * m_hat + q_hat) / (stiffness * stiffness), 1 / stiffness};
  }
  bool usable() const {
    return stiffness > 0 && std::isfinite(next.q) && std::isfinite(next.m) && next.q > next.m * next.m;
  }
};

/// The state evolution at one point: on each replicate, and on all of them together.
struct Iterate {
  Coordinates x = Coordinates::Zero();
  Coordinates residual = Coordinates::Constant(std::numeric_limits<double>::infinity());  ///< F(x) − x
  LoraAverages mean;
  std::vector<LoraAverages> replicates;

  double size() const { return size_at(x, residual); }
  double train() const { return mean.train; }
  bool usable() const { return std::isfinite(size()); }
};

LoraAverages mean_of(const std::vector<LoraAverages>& replicates) {
  LoraAverages mean;
  for (double LoraAverages::*average :
       {&LoraAverages::response, &LoraAverages::pull, &LoraAverages::force, &LoraAverages::centring,
        &LoraAverages::train, &LoraAverages::squared_response, &LoraAverages::alignment}) {
    for (const LoraAverages& replicate : replicates) mean.*average += replicate.*average;
    mean.*average /= static_cast<double>(replicates.size());
  }
  return mean;
}

using Slopes = theory::MapSlope<Coordinates>;

/// The solution on one replicate of the points.
struct Sample {
  LoraOverlaps overlaps;
  double train = 0, test = 0, test_noisy = 0;
};

/// Maps x to F(x) by a step of the state evolution on one set of points.
class AdapterMap {
 public:
  AdapterMap(const LoraTask& task, const LoraChannel& channel, int threads)
      : task_(task),
        channel_(channel),
        threads_(threads),
        minima_(static_cast<std::size_t>(channel.replicates())),
        searched_at_(Coordinates::Constant(std::numeric_limits<double>::infinity())) {}

  /// Evaluates the map at x; the residual is infinite where F is not defined.
  Iterate at(const Coordinates& x) {
    constexpr double kOutside = 80;
    Iterate result;
    result.x = x;
    if (!(x.cwiseAbs().maxCoeff() < kOutside)) return result;
    if (!((x - searched_at_).cwiseAbs().maxCoeff() < kSameMinima)) {
      for (LoraMinima& minima : minima_) minima.clear();
      searched_at_ = x;
    }
    const LoraOverlaps overlaps = overlaps_at(x, task_.omega);
    result.replicates.resize(static_cast<std::size_t>(channel_.replicates()));
    base::parallel_for(result.replicates.size(), threads_, [&](std::size_t replicate) {
      result.replicates[replicate] = channel_.averages(overlaps, static_cast<int>(replicate), minima_[replicate]);
    });
    ++evaluations_;
    result.mean = mean_of(result.replicates);
    result.residual = residual(x, result.mean);
    return result;
  }
  /// Returns the solution of each replicate, to first order around that of all together.
  std::vector<Sample> samples_at(const Iterate& all, const Slopes& slopes) const {
    std::vector<Sample> samples(all.replicates.size());
    base::parallel_for(samples.size(), threads_, [&](std::size_t replicate) {
      const LoraAverages& averages = all.replicates[replicate];
      const auto [x, train] = slopes.solution(Iterate{all.x, residual(all.x, averages), averages, {}});
      const LoraOverlaps overlaps = overlaps_at(x, task_.omega);
      const auto test = [&](double noise) { return channel_.test(overlaps, noise, static_cast<int>(replicate)); };
      samples[replicate] = {overlaps, train, test(0), 0};
      samples[replicate].test_noisy = task_.noise > 0 ? test(task_.noise) : samples[replicate].test;
    });
    return samples;
  }
  /// Tells whether the points are a sample of several replicates; otherwise they are a product rule.
  bool samples() const { return channel_.replicates() > 1; }
  int evaluations() const { return evaluations_; }

 private:
  /// Proximal points are followed over this distance of x, then sought anew. Following misses points that jump on the
  /// way, about this fraction of those that jump at all; a search that starts at the solution on fewer points moves far
  /// less.
  static constexpr double kSameMinima = 0.02;

  /// Returns F(x) − x, given the averages at x.
  Coordinates residual(const Coordinates& x, const LoraAverages& averages) const {
    const Step step(task_, overlaps_at(x, task_.omega), averages);
    if (!step.usable()) return Coordinates::Constant(std::numeric_limits<double>::infinity());
    return coordinates(step.next, task_.omega) - x;
  }

  const LoraTask& task_;
  const LoraChannel& channel_;
  int threads_;
  std::vector<LoraMinima> minima_;
  Coordinates searched_at_;
  int evaluations_ = 0;
};

/// Solves F(x) = x by damped iteration to get near, then by Newton's method with Broyden's updates. Points that jump
/// can make steps fail, so only steps that make progress are taken. `slopes` of a solution nearby save finding them by
/// differences. The search ends where Newton's step is within the tolerance, or where no step makes progress.
Iterate search(AdapterMap& map, const Coordinates& start, std::optional<Slopes>& slopes, double tolerance) {
  using base::kInfinity;
  constexpr theory::Damping kDamping{
      .share = 0.5, .longest = 1, .growth = kInfinity, .least = 0, .steps = 100, .patience = 100};
  // Newton's method begins below the residual kNear, and is pointless beyond kFar.
  constexpr double kNear = 0.02, kFar = 1;
  // Differences are as long as the steps of a search: in shorter ones single points that are about to jump would
  // dominate.
  constexpr double kDifference = 1e-3;
  constexpr int kMostSteps = 40;
  constexpr double kLongestStep = 0.5;
  // A step that does not reduce the residual to this part of it is a failure.
  constexpr double kProgress = 0.9;
  Iterate at = map.at(start);
  if (!slopes && !theory::approach(map, at, kNear, kDamping)) return {};
  bool fresh = false;
  for (int count = 0; count < kMostSteps && at.size() < kFar; ++count) {
    if (!slopes) slopes = theory::slope_by_differences(map, at, kDifference), fresh = true;
    Coordinates step = slopes->step(at.residual);
    if (!step.allFinite() || size_at(at.x, step) <= tolerance) break;
    step = theory::shortened(step, kLongestStep);
    Iterate next = map.at(at.x + step);
    if (next.size() < kProgress * at.size()) {
      slopes->learn(step, next.residual - at.residual);
      fresh = false;
    } else if (fresh) {
      break;  // the slopes are fresh: better ones are not to be had
    } else {
      slopes.reset();
    }
    if (next.size() < at.size()) at = std::move(next);
  }
  return at;
}

/// The outcome of a search on one set of points.
struct Attempt {
  Iterate end;
  std::optional<Slopes> slopes;
  std::vector<Sample> samples;  ///< solutions of the replicates; none where there is no solution in sight
  bool converged = false;
};

/// The start of a search: an informed guess, or the solution on fewer points with the slopes there.
struct Start {
  Coordinates x;
  std::optional<Slopes> slopes = {};
};

Attempt attempt(AdapterMap& map, const Start& start, const LoraOptions& options) {
  // A product rule has no sampling error, so it is solved to more digits.
  constexpr double kProductRule = 1e-10;
  const double unseen = kUnseen * options.accuracy;
  Attempt result{{}, start.slopes, {}, false};
  result.end = search(map, start.x, result.slopes, map.samples() ? unseen : kProductRule);
  if (!result.slopes || !(result.end.size() <= kNoSolution)) return result;
  result.converged = size_at(result.end.x, result.slopes->step(result.end.residual)) <= unseen;
  result.samples = map.samples_at(result.end, *result.slopes);
  return result;
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Removes the sampling errors of a point near a solution but not at it: how far the replicates are from it says
/// nothing of these numbers.
LoraPrediction without_errors(LoraPrediction result) {
  result.sampling_error = {kNone, kNone, kNone};
  result.alignment_error = result.train_error = result.test_error = result.test_noisy_error = kNone;
  return result;
}

/// Removes all figures where there is no solution.
LoraPrediction without_figures(LoraPrediction result) {
  result = without_errors(std::move(result));
  result.overlaps = {kNone, kNone, kNone};
  for (double LoraPrediction::*figure :
       {&LoraPrediction::lambda_effective, &LoraPrediction::alignment, &LoraPrediction::adapter_error,
        &LoraPrediction::index_error, &LoraPrediction::train, &LoraPrediction::test, &LoraPrediction::test_noisy,
        &LoraPrediction::objective, &LoraPrediction::stability, &LoraPrediction::stein})
    result.*figure = kNone;
  return result;
}

LoraPrediction predict(const LoraTask& task, const PretrainedOverlaps& pretrained, const LoraChannel& channel,
                       const Attempt& found) {
  LoraPrediction result;
  result.task = task;
  result.pretrained = pretrained;
  result.effective_noise = residual_variance(task, pretrained);
  result.points = channel.points();
  result.residual = found.end.size();
  result.converged = found.converged;
  if (found.samples.empty()) return without_figures(std::move(result));

  const LoraAverages& mean = found.end.mean;
  const LoraOverlaps at = overlaps_at(found.end.x, task.omega);
  result.overlaps = {std::abs(at.m), at.q, at.V};
  result.lambda_effective = Step(task, at, mean).lambda_effective;
  result.train = mean.train;
  result.stability = task.alpha * mean.squared_response;
  const double response = at.q * mean.response / at.V;
  result.stein = (mean.alignment + response - at.m * mean.pull) / response;
  result.alignment = at.alignment();
  result.adapter_error = at.adapter_error(task.omega);
  result.index_error = task.score_square() * (pretrained.E_pre() + result.adapter_error);
  result.objective = task.alpha * mean.train + 0.5 * task.lambda * at.q;

  const auto error_of = [&](auto figure) { return theory::over_replicates(found.samples, figure).standard_error; };
  result.sampling_error.m = error_of([](const Sample& s) { return s.overlaps.m; });
  result.sampling_error.q = error_of([](const Sample& s) { return s.overlaps.q; });
  result.sampling_error.V = error_of([](const Sample& s) { return s.overlaps.V; });
  result.alignment_error = error_of([](const Sample& s) { return s.overlaps.alignment(); });
  result.train_error = error_of(&Sample::train);
  const Estimate test = theory::over_replicates(found.samples, &Sample::test);
  const Estimate test_noisy = theory::over_replicates(found.samples, &Sample::test_noisy);
  if (task.head == model::Head::softmax) {
    result.test = test.value, result.test_noisy = test_noisy.value;
    result.test_error = test.standard_error, result.test_noisy_error = test_noisy.standard_error;
  } else {
    result.test = result.index_error, result.test_noisy = result.index_error + task.label_scatter();
  }
  return found.converged ? result : without_errors(std::move(result));
}

/// Returns the largest relative sampling error, at two standard errors; infinite where one is not known.
double sampling_error(const LoraPrediction& result) {
  const auto relative = [](double value, double error) {
    if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
    return value > 0 ? 2 * error / value : 0;
  };
  return std::max({relative(result.overlaps.m, result.sampling_error.m),
                   relative(result.overlaps.q, result.sampling_error.q),
                   relative(result.overlaps.V, result.sampling_error.V), relative(result.train, result.train_error),
                   relative(result.test, result.test_error), relative(result.test_noisy, result.test_noisy_error)});
}

}  // namespace

void LoraTask::validate() const {
  if (head == model::Head::hardmax) reject("head must be softmax or linear for an adapter, got hardmax");
  base::require_in_ranges(describe(this), this);
  if (head == model::Head::softmax && tokens != 2 && tokens != 3)
    reject("an adapter under softmax is solved for tokens = 2 and 3 (head linear: any number), got {}", tokens);
  if (head == model::Head::linear && beta != 1)
    reject("beta must be 1 with head linear, which has no temperature, got {}", beta);
  if (sequences != LoraSequences::fresh && head != model::Head::linear)
    reject("sequences {} are solved with head linear alone, got {}", name(sequences), name(head));
}

void require_symmetric_student(const model::Problem& problem) {
  if (problem.cross() || problem.two_sectors())
    reject(
        "pre-training must give a symmetric S: student tied, direct or bayes of self-attention, got {} of {}-attention",
        name(problem.student), name(problem.attention));
}

namespace {

/// Whether the training loss of a pre-training is that of its scores around the frozen ones.
bool leaves_residuals(const model::Problem& problem) {
  return problem.penalised() && problem.head == model::Head::linear && problem.labels_are_outputs() &&
         problem.loss == model::Loss::square;
}

}  // namespace

void require_reusable(const LoraTask& task, const model::Problem& pretraining, int d) {
  constexpr const char* kWhat = "sequences reused trains on the sequences of pre-training";
  if (!leaves_residuals(pretraining))
    reject(
        "{}: its student must be trained (not bayes) on all linear scores (readout rows, labels soft) by the squared "
        "loss, got student {}, head {}, readout {}, labels {}, loss {}",
        kWhat, name(pretraining.student), name(pretraining.head), name(pretraining.readout), name(pretraining.labels),
        pretraining.custom_loss ? "custom" : name(pretraining.loss));
  if (pretraining.tokens != task.tokens || pretraining.head != task.head || pretraining.noise != task.noise)
    reject(
        "{}: tokens, head and noise of both must be the same, got {}, {} and {} of the task, {}, {} and {} of "
        "pre-training",
        kWhat, task.tokens, name(task.head), task.noise, pretraining.tokens, name(pretraining.head), pretraining.noise);
  if (d > 0 && task.alpha > pretraining.alpha * d)
    reject("{}: there are alpha d = {:.6g} per dimension at d = {}, got alpha_ft = {:.6g}", kWhat,
           pretraining.alpha * d, d, task.alpha);
}

PretrainedOverlaps PretrainedOverlaps::of(const theory::Solution& solution) {
  require_symmetric_student(solution.problem);
  return {solution.Q_star, solution.overlaps.q, solution.overlaps.m,
          leaves_residuals(solution.problem) ? solution.errors.train : std::numeric_limits<double>::quiet_NaN()};
}

PretrainedOverlaps PretrainedOverlaps::recalibrated() const {
  const double square = calibration() * m_pre;
  return {Q_star, square, square};
}

namespace {

/// The part of its mean that |z|², z of so many independent normal coordinates, has on the `share` of all z where it is
/// least.
double least_part(int coordinates, double share) {
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  if (share >= 1) return 1;
  const double shape = 0.5 * coordinates, cut = boost::math::gamma_p_inv(shape, share, Policy());
  return boost::math::gamma_p(shape + 1, cut, Policy()) / share;
}

}  // namespace

double residual_variance(const LoraTask& task, const PretrainedOverlaps& pretrained) {
  switch (task.sequences) {
    case LoraSequences::fresh:
      break;
    case LoraSequences::reused:
      if (!std::isfinite(pretrained.train))
        reject("reused sequences need a problem of pre-training, whose training loss is known: --alpha with --lambda");
      return pretrained.train / task.score_square();
    case LoraSequences::selected: {
      const double seen = pretrained.calibration(), rest = pretrained.Q_star - seen * pretrained.m_pre;
      const int scores = task.tokens * (task.tokens + 1) / 2;
      return task.noise + rest + (1 - seen) * (1 - seen) * pretrained.Q_pre * least_part(scores, task.share);
    }
  }
  return pretrained.E_pre() + task.noise;
}

void PretrainedOverlaps::validate() const {
  constexpr double kRounding = 1e-12;
  if (!(std::isfinite(Q_star) && Q_star >= 0)) reject("Q* must be a finite number >= 0, got {}", Q_star);
  if (!(std::isfinite(Q_pre) && Q_pre >= 0))
    reject("Q_pre must be a finite number >= 0 (with --e-pre it is Q* - E_pre), got {}", Q_pre);
  if (!std::isfinite(m_pre) || m_pre * m_pre > Q_star * Q_pre * (1 + kRounding))
    reject("m_pre must satisfy m_pre^2 <= Q* Q_pre = {}, got {}", Q_star * Q_pre, m_pre);
}

void LoraOptions::validate() const {
  base::require_in_ranges(describe(this), this);
  base::require_threads(threads);
}

LoraPrediction predict_lora(const LoraTask& task, const PretrainedOverlaps& pretrained, const LoraOptions& options) {
  task.validate();
  pretrained.validate();
  options.validate();
  const auto begin = std::chrono::steady_clock::now();
  constexpr double kInformed = 0.98;
  const Start informed{
      coordinates({kInformed * std::sqrt(task.omega), task.omega, 1 / (2 * task.alpha * task.omega)}, task.omega)};
  Start start = informed;
  LoraPrediction result;
  int evaluations = 0, failures = 0;
  for (int log2_points = kCoarsePoints; log2_points <= kMostPoints;) {
    const std::unique_ptr<LoraChannel> channel = make_lora_channel(task, pretrained, log2_points);
    AdapterMap map(task, *channel, options.threads);
    const Attempt found = attempt(map, start, options);
    result = predict(task, pretrained, *channel, found);
    evaluations += map.evaluations();
    const double error = sampling_error(result) / options.accuracy;
    const bool solved = found.converged && std::isfinite(error);
    if (!map.samples() || (!solved && ++failures == kMostFailures)) break;
    start = solved ? Start{found.end.x, found.slopes} : informed;
    if (log2_points == kCoarsePoints || !solved) {
      log2_points = std::max(log2_points + 1, kFirstPoints);
      continue;
    }
    if (error <= 1 || log2_points == kMostPoints) break;
    log2_points = kGrowth.next(log2_points, error);
  }
  result.sampling_ok = result.converged && sampling_error(result) <= options.accuracy;
  result.iterations = evaluations;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

std::vector<std::string> LoraPrediction::doubts() const {
  std::vector<std::string> result;
  if (!converged)
    result.push_back(
        "NOT CONVERGED: no solution with an informed adapter was found (too few data, or too strong a penalty).");
  if (converged && !sampling_ok) result.push_back("The sampling error is larger than the accuracy asked for.");
  if (stability >= 1)
    result.push_back(
        fmt::format("Stability = {:.3g} >= 1: replica symmetry is broken and these numbers are not exact; "
                    "trained adapters end elsewhere, depending on the start.",
                    stability));
  if (std::abs(stein) > kSteinLimit)
    result.push_back(
        fmt::format("Stein's identity is violated by {:.2g} (limit {}): proximal points jump, and replica "
                    "symmetry is not reliable here.",
                    stein, kSteinLimit));
  return result;
}

LoraLargeAlpha large_alpha_law(const LoraTask& task, const PretrainedOverlaps& pretrained) {
  const double E = residual_variance(task, pretrained), scores = task.score_square();
  return {E / (task.omega * task.omega * scores * task.alpha), 2 * E / (scores * task.alpha),
          scores * pretrained.E_pre() + 2 * E / task.alpha};
}

namespace {

/// Integrals over v of the weights 1 and v² − 1 at one y = v² − 1 + σ·noise, with the density of y given v.
struct Posterior {
  double density = 0;
  double moment = 0;

  void add(double v, double weight) {
    const double mass = weight * std::exp(-0.5 * v * v);
    density += mass;
    moment += mass * (v * v - 1);
  }
};

/// Computes the integrals at y = z − 1, up to a factor that all y share. The kernel in v² has width σ; far from 0 it is
/// narrow in v, and v² is the better variable. Both integrands are smooth and vanish at the ends: equal steps converge
/// beyond rounding.
Posterior posterior(double z, double sigma) {
  constexpr double kReach = 9, kFar = 20, kStep = 0.2, kNearStep = 0.02;
  Posterior result;
  if (z > kFar * sigma) {
    for (double x = -kReach; x <= kReach; x += kStep) {
      const double v = std::sqrt(z + sigma * x);
      result.add(v, kStep * sigma * std::exp(-0.5 * x * x) / v);
    }
    return result;
  }
  const double step = kNearStep * std::sqrt(sigma), last = std::sqrt(std::max(0.0, z) + kReach * sigma);
  for (double v = 0; v <= last; v += step) {
    const double x = (v * v - z) / sigma;
    result.add(v, (v == 0 ? 1 : 2) * step * std::exp(-0.5 * x * x));
  }
  return result;
}

/// Returns 1/α_c of one token at E/ω² = e: ∫ (∫(v²−1)p)²/∫p dy, with y = σ sinh τ − 1 as the variable of integration.
double learned_per_sequence(double e) {
  if (e == 0) return 2;  // without noise y tells v²
  constexpr double kStep = 0.04, kReach = 9, kLargest = 150;
  const double sigma = std::sqrt(2 * e);
  double sum = 0, mass = 0;
  for (double tau = -std::asinh(kReach); tau <= std::asinh((kLargest + kReach * sigma) / sigma); tau += kStep) {
    base::check_interrupt();
    const Posterior at = posterior(sigma * std::sinh(tau), sigma);
    if (!(at.density > 0)) continue;
    sum += std::cosh(tau) * at.moment * at.moment / at.density;
    mass += std::cosh(tau) * at.density;
  }
  return sum / mass;
}

}  // namespace

WeakRecovery weak_recovery(const LoraTask& task, const PretrainedOverlaps& pretrained) {
  const double e = residual_variance(task, pretrained) / (task.omega * task.omega);
  WeakRecovery result{(1 + e) / task.score_square(), std::nullopt};
  if (task.tokens == 1) result.alpha = 1 / learned_per_sequence(e);
  return result;
}

}  // namespace attnlaw::laws
