#include "attnlaw/companion/lora.h"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <numbers>

#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/companion/lora_channel.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::companion {
namespace {

using base::reject;

/// Points of each replicate: what the first solution takes, and what no accuracy takes more of.
constexpr int kCoarsePoints = 9, kFirstPoints = 11, kMostPoints = 19;
/// |F(x) − x| that counts as converged.
constexpr double kAccepted = 1e-5;
/// |F(x) − x| beyond which the end of a search is no approximate solution either.
constexpr double kNoSolution = 0.02;
/// Sizes without a solution after which more points are pointless: there is none, or points jump.
constexpr int kMostFailures = 3;

struct Step {
  LoraAverages averages;
  double lambda_effective = 0;
  double stiffness = 0;  ///< λ_eff + V̂ > 0, or there is no solution with an adapter
  LoraOverlaps next;

  bool usable() const {
    return stiffness > 0 && std::isfinite(next.q) && std::isfinite(next.m) && next.q > next.m * next.m;
  }
};

/// The state evolution on one replicate of the points.
class StateEvolution {
 public:
  StateEvolution(const LoraTask& task, const LoraChannel& channel, int replicate)
      : task_(task), channel_(channel), replicate_(replicate) {}

  Step step(const LoraOverlaps& overlaps) {
    ++evaluations_;
    Step step;
    step.averages = channel_.averages(overlaps, replicate_);
    const LoraAverages& mean = step.averages;
    const double V_hat = task_.alpha * mean.response / overlaps.V;
    const double m_hat = task_.alpha * mean.pull, q_hat = task_.alpha * mean.force;
    step.lambda_effective = task_.lambda + 2 * task_.alpha * mean.centring;
    step.stiffness = step.lambda_effective + V_hat;
    step.next = {m_hat / step.stiffness, (m_hat * m_hat + q_hat) / (step.stiffness * step.stiffness),
                 1 / step.stiffness};
    return step;
  }
  int evaluations() const { return evaluations_; }

 private:
  const LoraTask& task_;
  const LoraChannel& channel_;
  int replicate_;
  int evaluations_ = 0;
};

/// x = (m/√ω, log((q − m²)/ω), log V): no step leaves q > m².
using Coordinates = Eigen::Vector3d;
Coordinates coordinates(const LoraOverlaps& overlaps, double omega) {
  return {overlaps.m / std::sqrt(omega), std::log((overlaps.q - overlaps.m * overlaps.m) / omega),
          std::log(overlaps.V)};
}
LoraOverlaps overlaps_at(const Coordinates& x, double omega) {
  const double m = x[0] * std::sqrt(omega);
  return {m, m * m + omega * std::exp(x[1]), std::exp(x[2])};
}

/// Where a search has got to: F(x) − x there, and what F was made of.
struct Iterate {
  Coordinates x = Coordinates::Zero(), residual = Coordinates::Constant(std::numeric_limits<double>::infinity());
  Step step = {};

  /// Largest component; infinite where F is not defined.
  double size() const {
    // Of q − m² ≪ q rounding leaves few digits.
    constexpr double kDigits = 1e-9;
    const double digits = std::min(1.0, std::exp(x[1]) / (kDigits * x[0] * x[0]));
    const double largest = std::max({std::abs(residual[0]), digits * std::abs(residual[1]), std::abs(residual[2])});
    return residual.allFinite() ? largest : std::numeric_limits<double>::infinity();
  }
};

using Jacobian = Eigen::Matrix3d;

/// F(x) = x on one replicate: damped iteration to get near, then Newton's method with Broyden's updates.
class Search {
 public:
  Search(StateEvolution& evolution, double omega, double tolerance)
      : evolution_(evolution), omega_(omega), tolerance_(tolerance) {}

  /// The Jacobian of F(x) − x at a solution nearby, if there is one, saves its differences.
  Iterate run(const LoraOverlaps& start, std::optional<Jacobian>& jacobian) {
    Iterate at = at_point(coordinates(start, omega_));
    if (!jacobian) approach(at);
    bool fresh = false;
    for (int step = 0; step < kMostSteps && at.size() > tolerance_ && at.size() < kFar; ++step) {
      if (!jacobian) jacobian = differences(at), fresh = true;
      const Iterate next = newton(at, *jacobian);
      if (next.size() < kProgress * at.size()) {
        const Coordinates moved = next.x - at.x;
        *jacobian += (next.residual - at.residual - *jacobian * moved) * moved.transpose() / moved.squaredNorm();
        fresh = false;
      } else if (fresh) {
        break;  // not for want of a good Jacobian
      } else {
        jacobian.reset();
      }
      if (next.size() < at.size()) at = next;
    }
    return at;
  }

 private:
  static constexpr int kMostSteps = 40;
  /// Residual from which on Newton's method is tried, and beyond which it is pointless.
  static constexpr double kNear = 0.02, kFar = 1;
  /// A step that reduces the residual by less is taken for a failure.
  static constexpr double kProgress = 0.9;
  static constexpr double kLongestStep = 0.5;

  Iterate at_point(const Coordinates& x) {
    constexpr double kOutside = 80;
    Iterate result{x};
    if (!(x.cwiseAbs().maxCoeff() < kOutside)) return result;
    result.step = evolution_.step(overlaps_at(x, omega_));
    if (result.step.usable()) result.residual = coordinates(result.step.next, omega_) - x;
    return result;
  }

  void approach(Iterate& at) {
    constexpr double kDamping = 0.5;
    constexpr int kDampedSteps = 100;
    for (int i = 0; i < kDampedSteps && at.size() > kNear && std::isfinite(at.size()); ++i)
      at = at_point(at.x + kDamping * std::min(1.0, 1 / at.size()) * at.residual);
  }

  Jacobian differences(const Iterate& at) {
    constexpr double kStep = 1e-5;
    Jacobian result;
    for (int k = 0; k < 3; ++k) {
      const Iterate shifted = at_point(at.x + kStep * Coordinates::Unit(k));
      result.col(k) = (shifted.residual - at.residual) / kStep;
    }
    return result;
  }

  Iterate newton(const Iterate& at, const Jacobian& jacobian) {
    Coordinates step = -jacobian.fullPivLu().solve(at.residual);
    if (!step.allFinite()) return {};
    step *= std::min(1.0, kLongestStep / step.cwiseAbs().maxCoeff());
    return at_point(at.x + step);
  }

  StateEvolution& evolution_;
  double omega_, tolerance_;
};

/// The solution on one replicate.
struct Sample {
  LoraOverlaps overlaps;
  double residual = std::numeric_limits<double>::infinity();
  std::optional<Jacobian> jacobian;
  Step step;
  double test = 0;
  int evaluations = 0;
};

/// Where replicates begin: an informed guess, or the solution on fewer points and the Jacobian there.
struct Start {
  LoraOverlaps overlaps;
  std::optional<Jacobian> jacobian = {};
};

Sample solve_replicate(const LoraTask& task, const LoraChannel& channel, int replicate, const Start& start,
                       double tolerance) {
  StateEvolution evolution(task, channel, replicate);
  Sample sample;
  sample.jacobian = start.jacobian;
  const Iterate end = Search(evolution, task.omega, tolerance).run(start.overlaps, sample.jacobian);
  sample.residual = end.size();
  sample.overlaps = overlaps_at(end.x, task.omega);
  sample.step = end.step;
  sample.overlaps.m = std::abs(sample.overlaps.m);
  sample.test = channel.test(sample.overlaps, replicate);
  sample.evaluations = evolution.evaluations();
  return sample;
}

std::vector<Sample> solve_replicates(const LoraTask& task, const LoraChannel& channel, const Start& start,
                                     const LoraOptions& options) {
  // Far below the sampling error; a product rule has none.
  constexpr double kOfAccuracy = 1e-2, kProductRule = 1e-10;
  const double tolerance =
      channel.replicates() == 1 ? kProductRule : std::min(kAccepted, kOfAccuracy * options.accuracy);
  std::vector<Sample> samples(static_cast<std::size_t>(channel.replicates()));
  base::parallel_for(samples.size(), options.threads, [&](std::size_t replicate) {
    samples[replicate] = solve_replicate(task, channel, static_cast<int>(replicate), start, tolerance);
  });
  return samples;
}

Start mean_of(const std::vector<Sample>& samples, const LoraOverlaps& overlaps) {
  Start start{overlaps};
  const auto known = [](const Sample& sample) { return sample.jacobian.has_value(); };
  if (!std::all_of(samples.begin(), samples.end(), known)) return start;
  start.jacobian = Jacobian::Zero();
  for (const Sample& sample : samples) *start.jacobian += *sample.jacobian / static_cast<double>(samples.size());
  return start;
}

template <class Figure>
Estimate estimate(const std::vector<Sample>& samples, Figure figure) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(figure(sample));
  Estimate result = base::estimate_of(values);
  if (samples.size() == 1) result.standard_error = 0;  // a product rule has no replicates
  return result;
}

LoraPrediction predict(const LoraTask& task, const PretrainedOverlaps& pretrained, const std::vector<Sample>& samples) {
  LoraPrediction result;
  result.task = task;
  result.pretrained = pretrained;
  const auto mean = [&](auto figure, double* error = nullptr) {
    const Estimate value = estimate(samples, figure);
    if (error) *error = value.standard_error;
    return value.value;
  };
  result.overlaps.m = mean([](const Sample& s) { return s.overlaps.m; }, &result.sampling_error.m);
  result.overlaps.q = mean([](const Sample& s) { return s.overlaps.q; }, &result.sampling_error.q);
  result.overlaps.V = mean([](const Sample& s) { return s.overlaps.V; }, &result.sampling_error.V);
  result.train = mean([](const Sample& s) { return s.step.averages.train; }, &result.train_error);
  result.lambda_effective = mean([](const Sample& s) { return s.step.lambda_effective; });
  result.stability = task.alpha * mean([](const Sample& s) { return s.step.averages.squared_response; });
  result.stein = mean([](const Sample& s) {
    const LoraAverages& of = s.step.averages;
    const LoraOverlaps& at = s.overlaps;
    const double response = at.q * of.response / at.V;
    return (of.alignment + response - at.m * of.pull) / response;
  });
  result.effective_noise = pretrained.E_pre() + task.noise;
  result.alignment = mean([](const Sample& s) { return s.overlaps.alignment(); }, &result.alignment_error);
  result.adapter_error = result.overlaps.adapter_error(task.omega);
  result.index_error = task.score_square() * (pretrained.E_pre() + result.adapter_error);
  result.objective = task.alpha * result.train + 0.5 * task.lambda * result.overlaps.q;
  if (task.head == model::Head::softmax)
    result.test = mean([](const Sample& s) { return s.test; }, &result.test_error);
  else
    result.test = result.index_error;
  for (const Sample& sample : samples) result.residual = std::max(result.residual, sample.residual);
  result.converged = result.residual <= kAccepted;
  return result;
}

/// What is known where there is no solution.
LoraPrediction without_figures(const LoraPrediction& failed) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  LoraPrediction result;
  result.task = failed.task;
  result.pretrained = failed.pretrained;
  result.effective_noise = failed.effective_noise;
  result.residual = failed.residual;
  result.points = failed.points;
  result.overlaps = result.sampling_error = {kNone, kNone, kNone};
  for (double LoraPrediction::*figure :
       {&LoraPrediction::lambda_effective, &LoraPrediction::alignment, &LoraPrediction::adapter_error,
        &LoraPrediction::index_error, &LoraPrediction::train, &LoraPrediction::test, &LoraPrediction::objective,
        &LoraPrediction::alignment_error, &LoraPrediction::train_error, &LoraPrediction::test_error,
        &LoraPrediction::stability, &LoraPrediction::stein})
    result.*figure = kNone;
  return result;
}

/// Largest relative sampling error, at two standard errors.
double sampling_error(const LoraPrediction& result) {
  const auto relative = [](double value, double error) { return value > 0 ? 2 * error / value : 0; };
  return std::max({relative(result.overlaps.m, result.sampling_error.m),
                   relative(result.overlaps.q, result.sampling_error.q),
                   relative(result.overlaps.V, result.sampling_error.V), relative(result.train, result.train_error),
                   relative(result.test, result.test_error)});
}

void require_positive(double value, const char* name) {
  if (!(std::isfinite(value) && value > 0)) reject("{} must be a finite number > 0, got {}", name, value);
}

}  // namespace

void LoraTask::validate() const {
  if (head == model::Head::hardmax) reject("head must be softmax or linear for an adapter, got hardmax");
  if (tokens < 1 || tokens > model::kMaxTokens) reject("tokens must be 1 to {}, got {}", model::kMaxTokens, tokens);
  if (head == model::Head::softmax && tokens != 2)
    reject("an adapter under softmax is solved for tokens = 2 alone (head linear: any number), got {}", tokens);
  require_positive(alpha, "alpha-ft");
  require_positive(omega, "omega");
  require_positive(lambda, "lambda-ft");
  require_positive(beta, "beta");
  if (!(std::isfinite(noise) && noise >= 0)) reject("noise must be a finite number >= 0, got {}", noise);
}

PretrainedOverlaps PretrainedOverlaps::of(const theory::Solution& solution) {
  const model::Problem& problem = solution.problem;
  if (problem.cross() || problem.two_sectors())
    reject("pre-training must give a symmetric S: student tied, direct or bayes of self-attention, got {} of {}",
           name(problem.student), name(problem.attention));
  return {solution.Q_star, solution.overlaps.q, solution.overlaps.m};
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
  if (!(accuracy >= 1e-6 && accuracy <= 0.1)) reject("accuracy must be between 1e-6 and 0.1, got {}", accuracy);
  if (threads < 0) reject("threads must be an integer >= 0 (0: all available), got {}", threads);
}

LoraPrediction predict_lora(const LoraTask& task, const PretrainedOverlaps& pretrained, const LoraOptions& options) {
  task.validate();
  pretrained.validate();
  options.validate();
  const auto begin = std::chrono::steady_clock::now();
  constexpr double kInformed = 0.98;
  const Start informed{{kInformed * std::sqrt(task.omega), task.omega, 1 / (2 * task.alpha * task.omega)}};
  Start start = informed;
  LoraPrediction result;
  int evaluations = 0, failures = 0;
  for (int log2_points = kCoarsePoints; log2_points <= kMostPoints;) {
    const std::unique_ptr<LoraChannel> channel = make_lora_channel(task, pretrained, log2_points);
    const std::vector<Sample> samples = solve_replicates(task, *channel, start, options);
    result = predict(task, pretrained, samples);
    for (const Sample& sample : samples) evaluations += sample.evaluations;
    result.points = channel->points();
    if (channel->replicates() == 1 || (!result.converged && ++failures == kMostFailures)) break;
    start = result.converged ? mean_of(samples, result.overlaps) : informed;
    const double error = sampling_error(result) / options.accuracy;
    if (log2_points == kCoarsePoints || !result.converged) {
      log2_points = std::max(log2_points + 1, kFirstPoints);
      continue;
    }
    if (error <= 1) break;
    constexpr double kRate = 0.75;  // errors fall like this power of the points
    const int more = static_cast<int>(std::ceil(std::log2(error) / kRate));
    log2_points = log2_points < kMostPoints ? std::min(log2_points + more, kMostPoints) : kMostPoints + 1;
  }
  if (result.residual > kNoSolution) result = without_figures(result);
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
  const double E = pretrained.E_pre() + task.noise, scores = task.score_square();
  return {E / (task.omega * task.omega * scores * task.alpha), 2 * E / (scores * task.alpha),
          scores * pretrained.E_pre() + 2 * E / task.alpha};
}

namespace {

/// ∫∫ over v of the weights 1 and v² − 1 at y = v² − 1 + σ·noise, the density of y included.
struct Posterior {
  double density = 0;
  double moment = 0;

  void add(double v, double weight) {
    const double mass = weight * std::exp(-0.5 * v * v);
    density += mass;
    moment += mass * (v * v - 1);
  }
};

/// At y = z − 1, up to a factor that all y share. The kernel in v² has width σ; far from 0 it is narrow in v, and v² is
/// the better variable. Both integrands are smooth and vanish at the ends: equal steps converge beyond rounding.
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

/// 1/α_c of one token at E/ω² = e: ∫ (∫(v²−1)p)²/∫p dy with y = σ sinh τ − 1.
double learned_per_sequence(double e) {
  if (e == 0) return 2;  // v² is known
  constexpr double kStep = 0.04, kReach = 9, kLargest = 150;
  const double sigma = std::sqrt(2 * e);
  double sum = 0, mass = 0;
  for (double tau = -std::asinh(kReach); tau <= std::asinh((kLargest + kReach * sigma) / sigma); tau += kStep) {
    const Posterior at = posterior(sigma * std::sinh(tau), sigma);
    if (!(at.density > 0)) continue;
    sum += std::cosh(tau) * at.moment * at.moment / at.density;
    mass += std::cosh(tau) * at.density;
  }
  return sum / mass;
}

}  // namespace

WeakRecovery weak_recovery(const LoraTask& task, const PretrainedOverlaps& pretrained) {
  const double e = (pretrained.E_pre() + task.noise) / (task.omega * task.omega);
  WeakRecovery result{(1 + e) / task.score_square(), std::nullopt};
  if (task.tokens == 1) result.alpha = 1 / learned_per_sequence(e);
  return result;
}

}  // namespace attnlaw::companion
