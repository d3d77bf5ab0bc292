#include "attnlaw/laws/in_context/baselines.h"

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <numbers>

#include "attnlaw/base/infinity.h"
#include "attnlaw/laws/in_context/roots.h"
#include "attnlaw/laws/in_context/traces.h"

namespace attnlaw::laws {
namespace {

/// Returns the posterior variance t of a task: the root of a convex function, to which Newton's method descends from
/// the prior variance.
double posterior_variance(const TaskCovariance& covariance, double context, double noise) {
  const auto equation = [&](double t) {
    Sloped result{t, 1};
    for (std::size_t j = 0; j < covariance.values.size(); ++j) {
      const double c = covariance.values[j], weight = covariance.weights[j], denominator = noise + t + context * c;
      if (c == 0) continue;
      result.value -= weight * c * (noise + t) / denominator;
      result.slope -= weight * context * c * c / (denominator * denominator);
    }
    return result;
  };
  return std::max(0.0, one_sided_root(equation, covariance.mean()));
}

}  // namespace

double ridge_error(const TaskCovariance& covariance, double context, double noise) {
  if (std::isinf(context)) return noise;
  if (!covariance.isotropic()) return noise + posterior_variance(covariance, context, noise);
  if (noise == 0) return std::max(1 - context, 0.0);
  return noise * (1 + TaskGram(context, {}, {1})(noise / context).m / context);
}

double mean_of_largest(double k) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 61>;
  constexpr double kFar = 40;  // standard deviations, beyond any k
  constexpr double kTolerance = 1e-12;
  constexpr unsigned kDepth = 15;
  // P(all ≤ x) = exp(k log(1 − Q(x))).
  const auto all_below = [k](double x) { return std::exp(k * std::log1p(-0.5 * std::erfc(x / std::numbers::sqrt2))); };
  const double above = Rule::integrate([&](double x) { return 1 - all_below(x); }, 0.0, kFar, kDepth, kTolerance);
  const double below = Rule::integrate([&](double x) { return all_below(-x); }, 0.0, kFar, kDepth, kTolerance);
  return above - below;
}

double memory_error(double d, double context, double tasks, double noise) {
  const double scatter = std::sqrt(d * (4 * context * context + 6 * context + 4 * context * noise));
  const double error = noise + 2 - 4 * context * mean_of_largest(tasks * d) / scatter;
  return error >= ridge_error({}, context, noise) ? error : base::kNaN;
}

InContextBaselines in_context_baselines(const InContextModel& model) {
  const double noise = model.noise_of_test(), context = model.context_of_test();
  const TaskCovariance& test = model.covariance_of_test();
  InContextBaselines result;
  result.nothing = test.mean() + noise;
  result.ridge = ridge_error(test, context, noise);
  // Who has seen k tasks locks on a wrong one when he meets a new one; who has seen all of them knows the prior of
  // training, and what he makes of tasks of another covariance has no formula here.
  const bool every = std::isinf(model.tasks);
  if (!every)
    result.memory_new = result.nothing + model.covariance.mean();
  else
    result.memory_new = model.test_covariance ? base::kNaN : result.ridge;
  // Training tasks come in sequences like those of training.
  result.memory_training = every ? ridge_error(model.covariance, model.context, model.noise) : model.noise;
  return result;
}

}  // namespace attnlaw::laws
