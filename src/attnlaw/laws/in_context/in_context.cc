#include "attnlaw/laws/in_context/in_context.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>

#include "attnlaw/base/infinity.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/laws/in_context/baselines.h"
#include "attnlaw/laws/in_context/roots.h"
#include "attnlaw/laws/in_context/traces.h"

namespace attnlaw::laws {
namespace {

using base::kInfinity;
using base::kNaN;

// Within these ranges, and those of variances, no product of the formulas leaves the numbers; beyond them a ratio is as
// good as infinite.
constexpr double kLeastRatio = 1e-12, kMostRatio = 1e12, kMostPenalty = 1e100;

/// The layer at one λ: what both errors and their parts are made of.
struct Solution {
  double ridge = 0;  ///< ξ
  TaskTraces traces;
  double training_tasks = 0, new_tasks = 0, train = 0;
  double variance = 0;      ///< V
  double drawn = 0;         ///< e_tr/τ
  double new_variance = 0;  ///< what the variance adds to the error on new tasks
};

/// The law of a model at any λ: its own is not read.
class LayerLaw {
 public:
  explicit LayerLaw(const InContextModel& model)
      : model_(model),
        gram_(model.tasks, model.covariance, paired_values(model.covariance, model.covariance_of_test())),
        x_(model.context_noise()),
        inverse_(1 / model.sequences) {}

  const TaskGram& gram() const { return gram_; }

  Solution at(double lambda) const {
    Solution result;
    result.ridge = root(lambda);
    const double x_test = model_.context_noise_of_test(), s = x_ + result.ridge;
    const TaskTraces& t = result.traces = gram_(s);
    // λ/ξ, which tends to 1 − 1/τ where ξ vanishes with λ, and to 0 where it does not.
    const double rest = result.ridge > 0 ? lambda / result.ridge : excess();
    const double free = rest + result.ridge * t.b1(x_) * inverse_;  // 1 − df₂/τ
    const double bias = model_.noise + s * s * t.r1 + x_ * t.p2;
    // At n = d² without a penalty what is drawn has no limit.
    result.training_tasks = over(bias, free);
    result.drawn = result.training_tasks * inverse_;
    result.train = rest > 0 ? rest * rest * result.training_tasks : 0;
    result.variance = result.drawn * t.b1(x_);
    result.new_variance = over(bias * (x_test * t.b1(x_) + t.test_r1 + x_ * t.test_m1) * inverse_, free);
    result.new_tasks = model_.noise_of_test() + s * s * t.test_m1 + x_test * t.p2 + result.new_variance;
    return result;
  }

 private:
  /// Returns a quotient of which numerator and denominator may vanish: an error without bias stays 0.
  static double over(double part, double whole) { return part == 0 ? 0 : whole > 0 ? part / whole : kInfinity; }

  /// Returns 1 − 1/τ.
  double excess() const { return std::isinf(model_.sequences) ? 1 : (model_.sequences - 1) / model_.sequences; }

  /// Returns 1 − df₁/τ of the ridge ξ. By 1 − df₁ = ξ m nothing cancels beside 1 − 1/τ where the ridge takes little,
  /// and by df₁ = tr (R + x)(R + s)⁻¹ nothing does where it takes nearly all.
  double kept(double xi, const TaskTraces& t) const {
    constexpr double kHalf = 0.5;
    const double taken = xi * t.m;
    return taken < kHalf ? excess() + taken * inverse_ : 1 - (t.p1 + x_ * t.m) * inverse_;
  }

  /// Returns ξ, where kept is λ/ξ.
  double root(double lambda) const {
    if (lambda == 0 && model_.sequences >= 1) return 0;
    if (lambda == 0 && model_.covariance.isotropic()) return interpolating_root();
    const auto equation = [&](double xi) -> Sloped {
      const TaskTraces t = gram_(x_ + xi);
      return {kept(xi, t) - lambda / xi, lambda / xi + xi * t.b1(x_) * inverse_};
    };
    const double low = lambda > 0 ? lambda : std::numeric_limits<double>::min();
    return effective_ridge(equation, low, lambda + (model_.covariance.mean() + x_) * inverse_);
  }

  /// Returns ξ = (1 − τ)/m where λ → 0+ and every label is fitted: x m² + (κx + κ − τ)m = τκ.
  double interpolating_root() const {
    const double tau = model_.sequences, kappa = model_.tasks;
    if (std::isinf(kappa)) return (1 - tau) * (1 + x_) / tau;
    const double b = (kappa - tau) + kappa * x_, root = std::sqrt(b * b + 4 * x_ * tau * kappa);
    // Of the two forms of 1/m the one that does not cancel is taken.
    return (1 - tau) * (b >= 0 ? (b + root) / (2 * tau * kappa) : 2 * x_ / (root - b));
  }

  const InContextModel& model_;
  TaskGram gram_;
  double x_, inverse_;
};

void set_errors(const LayerLaw& law, InContextPrediction& p) {
  const InContextModel& model = p.model;
  const Solution solution = law.at(model.lambda);
  const TaskTraces& t = solution.traces;
  const double x = model.context_noise(), s = x + solution.ridge;
  p.ridge = solution.ridge;
  p.training_tasks = solution.training_tasks;
  p.new_tasks = solution.new_tasks;
  p.train = solution.train;
  p.variance = solution.variance;
  p.trace = t.p1;
  p.squared_norm = t.p2 + p.variance;
  p.distance = s * s * t.m1 + p.variance;
  p.training_parts = {model.noise, 0, s * s * t.r1, x * t.p2, solution.drawn * t.df2(x)};
  p.new_parts = {model.noise_of_test(), law.gram().unseen(), law.gram().shrinkage(s),
                 model.context_noise_of_test() * t.p2, solution.new_variance};
}

/// Returns ∫ t/D² over the spectrum of R, which is finite where there are more tasks than dimensions.
double gap_number(const InContextPrediction& p) {
  const InContextModel& model = p.model;
  if (!model.covariance.isotropic()) return kNaN;
  if (model.tasks <= 1) return kInfinity;
  const double ratio = std::isinf(model.tasks) ? 1 : model.tasks / (model.tasks - 1);
  const double square = std::isinf(model.tasks) ? 1 : ratio * ratio * ratio;
  return p.training_tasks / model.sequences * (ratio + model.context_noise() * square);
}

void require_ratio(const char* name, double value) {
  if (!(value >= kLeastRatio && value <= kMostRatio) && value != kInfinity)
    base::reject("{} must be a number from {:g} to {:g}, or inf, got {}", name, kLeastRatio, kMostRatio, value);
}

void require_noise(const char* name, double value) {
  if (!(value >= kLeastVariance && value <= kMostVariance) && value != 0)
    base::reject("{} must be 0 or a number from {:g} to {:g}, got {}", name, kLeastVariance, kMostVariance, value);
}

void require_penalty(double value) {
  if (!(value >= kLeastVariance && value <= kMostPenalty) && value != 0)
    base::reject("lambda must be 0 (the limit 0+) or a number from {:g} to {:g}, got {}", kLeastVariance, kMostPenalty,
                 value);
}

/// Tells whether the limit λ → 0+ exists: the noise of finite contexts holds directions without data, or there are
/// none.
bool has_limit(const InContextModel& model) {
  return std::isfinite(model.context) || (model.tasks > 1 && model.covariance.full_rank());
}

/// Returns the point of the grid start + i·step, i = 0 … count, of least value. An end of the grid that is best is
/// followed beyond it.
template <class Function>
double least_around(const Function& function, double start, double step, int count) {
  double best = start, least = function(start);
  const auto improve = [&](double at) {
    const double value = function(at);
    if (value < least) {
      best = at, least = value;
      return true;
    }
    return false;
  };
  for (int i = 1; i <= count; ++i) improve(start + i * step);
  // Where the error falls all the way to λ → 0+, a point so far down is that limit in all digits.
  constexpr int kMostBeyond = 100;
  for (const double towards : {-step, step})
    for (int i = 0; i < kMostBeyond && improve(best + towards); ++i) continue;
  return best;
}

double share(double trivial, double error, double best) {
  if (!(trivial > best)) return kNaN;
  return (trivial - error) / (trivial - best);
}

}  // namespace

void require_valid(const InContextModel& model) {
  require_ratio("context", model.context);
  require_ratio("tasks", model.tasks);
  require_ratio("sequences", model.sequences);
  require_noise("noise", model.noise);
  require_penalty(model.lambda);
  if (model.test_context) require_ratio("test_context", *model.test_context);
  if (model.test_noise) require_noise("test_noise", *model.test_noise);
  paired_values(model.covariance, model.covariance_of_test());
  if (model.lambda == 0 && !has_limit(model))
    base::reject(
        "context = inf with lambda = 0+ needs tasks > 1 and no eigenvalue 0 of their covariance (directions without "
        "tasks have no data), got tasks = {} of covariance '{}'",
        model.tasks, model.covariance.spec);
}

double InContextPrediction::generalisation() const { return share(baselines.nothing, new_tasks, baselines.ridge); }

double InContextPrediction::memorisation() const {
  return share(model.covariance.mean() + model.noise, training_tasks, model.noise);
}

InContextPhase InContextPrediction::phase() const {
  constexpr double kHalf = 0.5;
  if (generalisation() >= kHalf) return InContextPhase::generalises;
  return memorisation() >= kHalf ? InContextPhase::memorises : InContextPhase::neither;
}

InContextPrediction predict_in_context(const InContextModel& model) {
  require_valid(model);
  InContextPrediction prediction;
  prediction.model = model;
  set_errors(LayerLaw(model), prediction);
  prediction.gap_number = gap_number(prediction);
  prediction.baselines = in_context_baselines(model);
  return prediction;
}

double optimal_lambda(InContextModel model, InContextTest test) {
  model.lambda = 1;  // the rule that a valid model with a penalty keeps
  require_valid(model);
  const LayerLaw law(model);
  const double Solution::*member = test == InContextTest::new_tasks ? &Solution::new_tasks : &Solution::training_tasks;
  const auto error = [&](double log_lambda) { return law.at(std::exp(log_lambda)).*member; };
  // Without repetition and for C = c it is (ρ + cx/(c+x))(c+x)²/(c²τ): of the order of the eigenvalues over τ, times a
  // noise that may be small, or large in short contexts.
  constexpr double kLeast = 1e-7, kMost = 1e3, kUncountable = 1e12;
  constexpr int kScanned = 120, kBits = 40;
  const double mean = model.covariance.mean(), scale = mean + model.context_noise(), relative = scale / mean;
  const double low = std::log(kLeast * scale / std::clamp(model.sequences, 1.0, kUncountable));
  const double high = std::log(kMost * (model.noise + mean) * relative * relative / std::min(model.sequences, 1.0));
  const double step = (high - low) / kScanned;
  const double best = least_around(error, low, step, kScanned);
  const auto [at, value] = boost::math::tools::brent_find_minima(error, best - step, best + step, kBits);
  return has_limit(model) && law.at(0).*member <= value ? 0 : std::exp(at);
}

}  // namespace attnlaw::laws
