#include "attnlaw/theory/scaling.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "attnlaw/base/infinity.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/fitted_noise.h"
#include "attnlaw/theory/optimal_lambda.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::DiscreteSpectrum;
using matrix_laws::Law;
using matrix_laws::Spectrum;

using base::kNaN;

/// m̂/√q̂, the inverse of the effective noise: a mode s is recovered above 1/this.
double signal(const Solution& solution) { return solution.conjugates.m_hat / std::sqrt(solution.conjugates.q_hat); }

/// Modes of weight 1 of an atom: with cross-attention each is half at s and half at −s.
double modes_per_weight(const model::Problem& problem, double dimension) {
  return sides(symmetry_of(problem)) * dimension;
}

std::size_t recovered_modes(const Solution& solution, const Spectrum& target, double dimension) {
  if (std::isinf(solution.conjugates.q_hat)) return static_cast<std::size_t>(dimension);
  double weight = 0;
  const auto& [atoms, weights] = *target.discrete();
  for (std::size_t i = 0; i < atoms.size(); ++i)
    if (atoms[i] > 0 && atoms[i] * signal(solution) > 1) weight += weights[i];
  return static_cast<std::size_t>(std::lround(weight * modes_per_weight(solution.problem, dimension)));
}

/// Atoms of the target whose eigenvalues, s + a²/s where they are recovered, are above the threshold.
std::size_t learned_modes(const ScalingPoint& point, const Spectrum& target, double dimension) {
  if (!(point.solution.overlaps.q > 0)) return 0;
  const auto [a, t] = point.effective;
  if (std::isnan(t)) return point.recovered;
  double weight = 0;
  const auto& [atoms, weights] = *target.discrete();
  for (std::size_t i = 0; i < atoms.size(); ++i)
    if (atoms[i] > a && atoms[i] + a * a / atoms[i] > t) weight += weights[i];
  return static_cast<std::size_t>(std::lround(weight * modes_per_weight(point.solution.problem, dimension)));
}

RegimePoint judged(const ScalingPoint& point, std::size_t modes) {
  return {point.solution, point.effective, point.parts, point.learned, modes};
}

/// NaN where there is no solution: nothing is interpolated across.
double log_error(const ScalingPoint& point) {
  return point.solution.diagnostics.converged ? std::log(point.solution.errors.estimation) : kNaN;
}

void set_slopes(std::vector<ScalingPoint>& points) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    const ScalingPoint& left = points[i > 0 ? i - 1 : i];
    const ScalingPoint& right = points[std::min(i + 1, points.size() - 1)];
    points[i].slope = (log_error(right) - log_error(left)) / std::log(right.n / left.n);
  }
}

/// Where a function of the points passes 0 from below, interpolated in log n; NaN if nowhere.
template <class Function>
double crossing(const std::vector<ScalingPoint>& points, const Function& function) {
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const double left = function(points[i]), right = function(points[i + 1]);
    if (!(left <= 0 && right > 0)) continue;
    if (!std::isfinite(left) || !std::isfinite(right)) return points[i + 1].n;
    return points[i].n * std::pow(points[i + 1].n / points[i].n, left / (left - right));
  }
  return kNaN;
}

std::vector<ModeTransition> transitions_of(const std::vector<ScalingPoint>& points, const Spectrum& target,
                                           double modes_of_weight, std::size_t count) {
  std::vector<ModeTransition> transitions;
  const auto& [atoms, weights] = *target.discrete();
  std::size_t mode = 1;
  for (std::size_t i = atoms.size(); i-- > 0 && transitions.size() < count && atoms[i] > 0;) {
    const double s = atoms[i];
    transitions.push_back({mode, s, crossing(points, [&](const ScalingPoint& point) {
                             return point.solution.diagnostics.converged ? std::log(s * signal(point.solution)) : kNaN;
                           })});
    mode += static_cast<std::size_t>(std::lround(weights[i] * modes_of_weight));
  }
  return transitions;
}

std::vector<Crossover> crossovers_of(const std::vector<ScalingPoint>& points, const ModeTransition* last_mode) {
  std::vector<Crossover> crossovers;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Regime from = points[i].regime, to = points[i + 1].regime;
    if (from == to) continue;
    double n = std::sqrt(points[i].n * points[i + 1].n);
    const std::vector<ScalingPoint> pair{points[i], points[i + 1]};
    if (from == Regime::noiseless && to == Regime::noise_dominated)
      n = crossing(pair, [](const ScalingPoint& p) { return std::log(p.solution.problem.noise) - log_error(p); });
    const bool by_modes = from == Regime::noise_dominated || from == Regime::noiseless;
    if (by_modes && to == Regime::parametric && last_mode && last_mode->n >= points[i].n &&
        last_mode->n <= points[i + 1].n)
      n = last_mode->n;
    crossovers.push_back({from, to, n});
  }
  return crossovers;
}

/// Least squares of log y on log x; NaN for fewer than three points.
class PowerLawFit {
 public:
  void add(double x, double y) {
    const double u = std::log(x), v = std::log(y);
    ++count_, u_ += u, v_ += v, uu_ += u * u, uv_ += u * v;
  }
  double exponent() const { return count_ < kFewest ? kNaN : (count_ * uv_ - u_ * v_) / (count_ * uu_ - u_ * u_); }

 private:
  static constexpr double kFewest = 3;
  double count_ = 0, u_ = 0, v_ = 0, uu_ = 0, uv_ = 0;
};

/// The exponent of a figure in n over the clean points of a regime.
template <class Figure>
double over_clean_points(const ScalingCurve& curve, Regime regime, const Figure& figure) {
  PowerLawFit fit;
  for (const ScalingPoint& point : curve.points)
    if (is_clean(judged(point, curve.modes), regime)) fit.add(point.n, figure(point));
  return fit.exponent();
}

/// The fits over the curves of a map at its i-th n, of regimes whose error depends on λ.
std::vector<PenaltyFit> penalty_fits_at(const std::vector<ScalingCurve>& curves, std::size_t i) {
  std::vector<PenaltyFit> fits;
  for (const Regime regime : ruling_regimes()) {
    PenaltyFit of{.n = curves.front().points[i].n, .regime = regime};
    of.predicted = predicted_penalty_exponent(regime, curves.front().gamma);
    PowerLawFit fit;
    for (const ScalingCurve& curve : curves) {
      if (!is_clean(judged(curve.points[i], curve.modes), regime)) continue;
      fit.add(curve.points[i].lambda, curve.points[i].solution.errors.estimation);
      ++of.clean_points;
    }
    of.fitted = fit.exponent();
    if (of.predicted > 0 && !std::isnan(of.fitted)) fits.push_back(of);
  }
  return fits;
}

}  // namespace

void require_scalable(const model::Problem& problem, std::span<const double> n) {
  if (!problem.target.power_law())
    base::reject("a scaling curve needs a target powerlaw:GAMMA,D, got {}", problem.target.spec());
  if (!has_ridgeless(problem))
    base::reject(
        "a scaling curve is available for the students tied and direct, and for untied with attention = cross, and for "
        "labels soft, whose noise is that of the scores, and the student's own penalty; got student {}{}, labels {}, "
        "readout {}, penalty {}",
        model::name(problem.student), problem.untied_self() ? " of self-attention" : "", model::name(problem.labels),
        model::name(problem.readout), model::penalty_text(problem));
  if (problem.width < 1) base::reject("a scaling curve needs the full width, width >= 1, got {}", problem.width);
  if (n.size() < 3) base::reject("a scaling curve needs at least 3 values of n for its slopes, got {}", n.size());
  for (std::size_t i = 0; i < n.size(); ++i)
    if (!(n[i] > 0) || !std::isfinite(n[i]) || (i > 0 && !(n[i] > n[i - 1])))
      base::reject("n must be finite numbers > 0 in ascending order, got {}", n[i]);
}

ScalingCurve scaling_curve(const model::Problem& problem, const std::vector<double>& n, const ScalingOptions& options) {
  require_scalable(problem, n);
  const model::PowerLawTarget& law = *problem.target.power_law();
  const Spectrum target = problem.target_law();
  const double dimension = static_cast<double>(law.dimension);
  const auto at = [&](double sequences) {
    model::Problem one = problem;
    one.alpha = sequences / (dimension * dimension);
    one.lambda *= std::pow(sequences / n.front(), options.penalty_exponent);
    return one;
  };
  if (options.penalty_exponent != 0 && problem.lambda_rule != model::LambdaRule::value)
    base::reject("lambda_exponent needs a lambda that is a number, got {}", model::lambda_text(problem));
  at(n.front()).validate(), at(n.back()).validate();
  ScalingCurve curve{.gamma = law.gamma,
                     .penalty_exponent = options.penalty_exponent,
                     .dimension = law.dimension,
                     .modes = law.cutoff,
                     .points = std::vector<ScalingPoint>(n.size()),
                     .transitions = {},
                     .crossovers = {}};
  SolveOptions solve_options = options.solve;
  solve_options.detail = Detail::errors;
  const auto solve_one = [&](std::size_t i) {
    ScalingPoint& point = curve.points[i];
    point.n = n[i];
    point.solution = solve(at(n[i]), target, solve_options);
    point.recovered = recovered_modes(point.solution, target, dimension);
    point.effective = effective_numbers(point.solution, target);
    point.learned = learned_modes(point, target, dimension);
    point.lambda = point.solution.ridgeless ? kNaN : point.solution.problem.lambda;
    point.parts = error_parts(point.solution, target);
    const auto channel =
        make_output_channel(point.solution.problem, point.solution.Q_star, point.solution.diagnostics.rule);
    point.test_parts = test_parts(point.solution, *channel, 0);
    point.noisy_parts = problem.noise > 0 ? test_parts(point.solution, *channel, problem.noise) : point.test_parts;
    point.regime = regime_of(judged(point, law.cutoff));
    point.predicted =
        predicted_exponent(point.regime, law.gamma, options.penalty_exponent, data_per_peak(point.solution.problem));
  };
  base::parallel_for(n.size(), options.threads, solve_one, options.progress);
  set_slopes(curve.points);
  std::vector<ModeTransition> all =
      transitions_of(curve.points, target, modes_per_weight(problem, dimension), law.cutoff);
  curve.crossovers = crossovers_of(curve.points, all.empty() ? nullptr : &all.back());
  all.resize(std::min(all.size(), options.transitions));
  curve.transitions = std::move(all);
  return curve;
}

std::size_t clean_points(const ScalingCurve& curve, Regime regime) {
  return static_cast<std::size_t>(
      std::count_if(curve.points.begin(), curve.points.end(),
                    [&](const ScalingPoint& point) { return is_clean(judged(point, curve.modes), regime); }));
}

double fitted_exponent(const ScalingCurve& curve, Regime regime) {
  return over_clean_points(curve, regime, [](const ScalingPoint& point) { return point.solution.errors.estimation; });
}

double predicted_exponent(const ScalingCurve& curve, Regime regime) {
  if (regime == Regime::overfitting) {
    const double same_points = over_clean_points(curve, regime, [](const ScalingPoint& point) {
      return fitted_noise(data_per_peak(point.solution.problem)).share;
    });
    if (!std::isnan(same_points)) return same_points;
  }
  return predicted_exponent(regime, curve.gamma, curve.penalty_exponent);
}

double fitted_penalty_exponent(const ScalingCurve& curve) {
  // A penalty that follows from the noise does so where the noise rules.
  const bool by_noise = curve.points.front().solution.lambda_rule != model::LambdaRule::value &&
                        curve.points.front().solution.problem.noise > 0;
  PowerLawFit fit;
  for (const ScalingPoint& point : curve.points) {
    const bool known = point.solution.diagnostics.converged && std::isfinite(point.lambda) && point.lambda > 0;
    if (known && (!by_noise || is_clean(judged(point, curve.modes), Regime::noise_dominated)))
      fit.add(point.n, point.lambda);
  }
  return fit.exponent();
}

double predicted_penalty_growth(const ScalingCurve& curve) {
  constexpr double kRootOfData = 0.5;
  const Solution& first = curve.points.front().solution;
  if (first.lambda_rule == model::LambdaRule::value) return curve.penalty_exponent;
  return first.problem.noise > 0 ? kRootOfData : kNaN;
}

RegimeMap regime_map(model::Problem problem, const std::vector<double>& n, const std::vector<double>& lambda,
                     const ScalingOptions& options) {
  if (!problem.soft_threshold())
    base::reject("a map of regimes needs a student with a threshold, tied, or untied of attention = cross, got {}",
                 model::name(problem.student));
  for (std::size_t i = 0; i < lambda.size(); ++i)
    if (!(lambda[i] > 0) || (i > 0 && !(lambda[i] < lambda[i - 1])))
      base::reject("lambda must be numbers > 0 in descending order, got {}", lambda[i]);
  RegimeMap map{.curves = {}, .lambda = lambda, .collapse = {}, .edge = {}, .penalty_fits = {}};
  ScalingOptions each = options;
  const int curves = static_cast<int>(lambda.size()) + 1;
  const auto solve_curve = [&](model::LambdaRule rule, double value) {
    const auto done = static_cast<int>(map.curves.size());
    if (options.progress)
      each.progress = [&, done, size = static_cast<int>(n.size())](int points, int) {
        options.progress(done * size + points, curves * size);
      };
    problem.lambda_rule = rule, problem.lambda = value;
    return scaling_curve(problem, n, each);
  };
  for (const double value : lambda) map.curves.push_back(solve_curve(model::LambdaRule::value, value));
  const ScalingCurve edge = solve_curve(model::LambdaRule::edge, 1);
  const Spectrum target = problem.target_law();
  for (const ScalingPoint& point : edge.points) {
    map.edge.push_back(point.solution.diagnostics.converged && point.solution.overlaps.q > 0 ? point.lambda : kNaN);
    map.collapse.push_back(collapse_lambda(point.solution.problem, target));
  }
  for (std::size_t i = 0; !lambda.empty() && i < n.size(); ++i)
    for (const PenaltyFit& fit : penalty_fits_at(map.curves, i)) map.penalty_fits.push_back(fit);
  return map;
}

}  // namespace attnlaw::theory
