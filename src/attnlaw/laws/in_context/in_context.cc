#include "attnlaw/laws/in_context/in_context.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>

#include "attnlaw/base/reject.h"
#include "attnlaw/laws/in_context/baselines.h"
#include "attnlaw/laws/in_context/traces.h"

namespace attnlaw::laws {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The equation of ξ: 1 − df₁/τ = λ/ξ, with df₁ = 1 − ξ m so that nothing cancels beside 1 − 1/τ.
class Equation {
 public:
  Equation(const InContextModel& model, const TaskGram& gram)
      : model_(model), gram_(gram), x_(model.context_noise()), inverse_(1 / model.sequences) {}

  /// Returns 1 − 1/τ.
  double excess() const { return std::isinf(model_.sequences) ? 1 : (model_.sequences - 1) / model_.sequences; }

  double root() const {
    if (model_.lambda == 0 && model_.sequences >= 1) return 0;
    if (model_.lambda == 0 && model_.covariance.isotropic()) return interpolating_root();
    return bracketed_root();
  }

 private:
  /// Returns ξ = (1 − τ)/m where λ → 0+ and every label is fitted: x m² + (κx + κ − τ)m = τκ.
  double interpolating_root() const {
    const double tau = model_.sequences, kappa = model_.tasks;
    if (std::isinf(kappa)) return (1 - tau) * (1 + x_) / tau;
    const double b = (kappa - tau) + kappa * x_, root = std::sqrt(b * b + 4 * x_ * tau * kappa);
    // Of the two forms of 1/m the one that does not cancel is taken.
    return (1 - tau) * (b >= 0 ? (b + root) / (2 * tau * kappa) : 2 * x_ / (root - b));
  }

  /// Newton's method in log ξ between two bounds, halving the interval where it would leave it.
  double bracketed_root() const {
    constexpr double kRounding = 2 * std::numeric_limits<double>::epsilon();
    constexpr int kMostSteps = 400;
    double high = model_.lambda + (model_.covariance.mean() + x_) * inverse_;
    double low = model_.lambda > 0 ? model_.lambda : std::numeric_limits<double>::min();
    double xi = high;
    for (int i = 0; i < kMostSteps && low < high; ++i) {
      const TaskTraces t = gram_(x_ + xi);
      const double value = excess() + xi * t.m * inverse_ - model_.lambda / xi;
      const double slope = model_.lambda / xi + xi * t.b1(x_) * inverse_;
      (value > 0 ? high : low) = xi;
      double next = xi * std::exp(-value / slope);
      if (!(next > low && next < high))
        next = std::abs(value) <= kRounding * slope ? xi : std::sqrt(low) * std::sqrt(high);
      const bool done = std::abs(next - xi) <= kRounding * xi;
      xi = next;
      if (done) break;
    }
    return xi;
  }

  const InContextModel& model_;
  const TaskGram& gram_;
  double x_, inverse_;
};

void set_errors(const TaskGram& gram, double excess, InContextPrediction& p) {
  const InContextModel& model = p.model;
  const double x = model.context_noise(), s = x + p.ridge, inverse = 1 / model.sequences;
  const double x_test = model.context_noise_of_test(), rho_test = model.noise_of_test();
  const TaskTraces t = gram(s);
  // λ/ξ, which tends to 1 − 1/τ where ξ vanishes with λ, and to 0 where it does not.
  const double kept = p.ridge > 0 ? model.lambda / p.ridge : excess;
  const double free = kept + p.ridge * t.b1(x) * inverse;  // 1 − df₂/τ
  const double bias = model.noise + s * s * t.r1 + x * t.p2;
  p.training_tasks = bias / free;
  p.train = kept * kept * p.training_tasks;
  const double drawn = p.training_tasks * inverse;
  p.variance = drawn * t.b1(x);
  p.trace = t.p1;
  p.squared_norm = t.p2 + p.variance;
  p.distance = s * s * t.m1 + p.variance;
  const double unseen = gram.unseen(), missing = s * s * t.test_m1;
  p.training_parts = {model.noise, 0, s * s * t.r1, x * t.p2, drawn * t.df2(x)};
  p.new_parts = {rho_test, unseen, std::max(0.0, missing - unseen), x_test * t.p2,
                 x_test * p.variance + drawn * (t.test_r1 + x * t.test_m1)};
  p.new_tasks = rho_test + missing + x_test * t.p2 + p.new_parts.variance;
}

/// At n = d² without a penalty the variance is infinite; what finitely many sequences do not change is as before.
void set_infinite(const TaskGram& gram, InContextPrediction& p) {
  const InContextModel& model = p.model;
  const double x = model.context_noise();
  const TaskTraces t = gram(x);
  const double unseen = gram.unseen();
  p.new_tasks = p.training_tasks = p.variance = p.squared_norm = p.distance = kInfinity;
  p.trace = t.p1;
  p.training_parts = {model.noise, 0, x * x * t.r1, x * t.p2, kInfinity};
  p.new_parts = {model.noise_of_test(), unseen, std::max(0.0, x * x * t.test_m1 - unseen),
                 model.context_noise_of_test() * t.p2, kInfinity};
}

/// Returns ∫ t/D² over the spectrum of R, which is finite where there are more tasks than dimensions.
double gap_number(const InContextPrediction& p) {
  const InContextModel& model = p.model;
  if (!model.covariance.isotropic()) return std::numeric_limits<double>::quiet_NaN();
  if (model.tasks <= 1) return kInfinity;
  const double ratio = std::isinf(model.tasks) ? 1 : model.tasks / (model.tasks - 1);
  const double square = std::isinf(model.tasks) ? 1 : ratio * ratio * ratio;
  return p.training_tasks / model.sequences * (ratio + model.context_noise() * square);
}

void require_positive(const char* name, double value) {
  if (!(value > 0)) base::reject("{} must be a number > 0, or inf, got {}", name, value);
}

void require_not_negative(const char* name, double value) {
  if (!(value >= 0) || std::isinf(value)) base::reject("{} must be a finite number >= 0, got {}", name, value);
}

double share(double trivial, double error, double best) {
  if (!(trivial > best)) return std::numeric_limits<double>::quiet_NaN();
  return (trivial - error) / (trivial - best);
}

}  // namespace

void require_valid(const InContextModel& model) {
  require_positive("context", model.context);
  require_positive("tasks", model.tasks);
  require_positive("sequences", model.sequences);
  require_not_negative("noise", model.noise);
  require_not_negative("lambda", model.lambda);
  if (model.test_context) require_positive("test_context", *model.test_context);
  if (model.test_noise) require_not_negative("test_noise", *model.test_noise);
  paired_values(model.covariance, model.covariance_of_test());
  const bool seen = model.tasks > 1 && model.covariance.rank() == 1;
  if (std::isinf(model.context) && model.lambda == 0 && !seen)
    base::reject(
        "context = inf with lambda = 0+ needs tasks > 1 in every direction (directions without tasks have no data), "
        "got "
        "tasks = {}",
        model.tasks);
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
  const TaskGram gram(model.tasks, model.covariance, paired_values(model.covariance, model.covariance_of_test()));
  const Equation equation(model, gram);
  prediction.ridge = equation.root();
  if (model.lambda == 0 && model.sequences == 1)
    set_infinite(gram, prediction);
  else
    set_errors(gram, equation.excess(), prediction);
  prediction.gap_number = gap_number(prediction);
  prediction.baselines = in_context_baselines(model);
  return prediction;
}

double optimal_lambda(InContextModel model, InContextTest test) {
  model.lambda = 1;  // the rule that a valid model with a penalty keeps
  require_valid(model);
  const double InContextPrediction::*member =
      test == InContextTest::new_tasks ? &InContextPrediction::new_tasks : &InContextPrediction::training_tasks;
  const auto error = [&](double log_lambda) {
    model.lambda = std::exp(log_lambda);
    return predict_in_context(model).*member;
  };
  // The best λ is of the order of the eigenvalues over τ, times a noise that may be small.
  constexpr double kLeast = 1e-7, kMost = 1e3, kUncountable = 1e12;
  constexpr int kScanned = 120, kBits = 40;
  const double scale = model.covariance.mean() + model.context_noise();
  const double low = std::log(kLeast * scale / std::clamp(model.sequences, 1.0, kUncountable));
  const double high = std::log(kMost * scale * (1 + model.noise) * (1 + 1 / model.sequences));
  const double step = (high - low) / kScanned;
  double best = low, least = error(low);
  for (int i = 1; i <= kScanned; ++i)
    if (const double at = low + i * step, value = error(at); value < least) best = at, least = value;
  const auto [at, value] = boost::math::tools::brent_find_minima(error, best - step, best + step, kBits);
  model.lambda = 0;
  const bool has_limit = !std::isinf(model.context) || (model.tasks > 1 && model.covariance.rank() == 1);
  if (has_limit && predict_in_context(model).*member <= value) return 0;
  return std::exp(at);
}

}  // namespace attnlaw::laws
