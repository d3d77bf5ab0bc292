#include "attnlaw/theory/scaling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::DiscreteSpectrum;
using matrix_laws::Law;
using matrix_laws::Spectrum;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// A regime is clean where one source of error is this many times the other, and some but not all modes are learned.
constexpr double kDominance = 10;
constexpr std::size_t kFewModes = 5;
constexpr std::size_t kShareOfModes = 10;

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

ErrorParts error_parts(const Solution& solution, const Spectrum& target) {
  ErrorParts parts;
  const auto& [atoms, weights] = *target.discrete();
  const double E = solution.errors.estimation;
  const Conjugates& conjugates = solution.conjugates;
  if (!(solution.overlaps.q > 0) || !usable(conjugates)) {
    parts.unlearned = E;
    return parts;
  }
  const SpectralFunction f = spectral_function(solution, noisy_target(target, conjugates, 0));
  if (std::isinf(f.cut)) {
    parts.shrinkage = std::pow(1 - conjugates.m_hat * f.slope, 2) * solution.Q_star;
    parts.bulk = E - parts.shrinkage;
    return parts;
  }
  const Law law = noisy_target(target, conjugates, f.cut);
  // Bands that begin below the cut hold the atoms that are not learned; what of them is above the cut is noise.
  double unlearned_weight = 0, bulk_end = f.cut;
  for (const auto& band : law.bands()) {
    if (band.support.lower >= f.cut) break;
    unlearned_weight += band.mass;
    bulk_end = band.support.upper;
  }
  const double both = sides(symmetry_of(solution.problem));
  const double breakpoints[] = {f.cut};
  for (const Law::Node& node : law.quadrature(breakpoints).nodes) {
    if (node.x <= f.cut || node.x >= bulk_end) continue;
    const double value = f(node.x);
    const double along_target = (node.x - 2 * conjugates.q_hat * node.g.real()) / conjugates.m_hat;
    parts.bulk += both * node.weight * value * (value - 2 * along_target);
  }
  double weight = 0;
  const Spectrum scaled = target.scaled(conjugates.m_hat);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    weight += weights[i];
    if (both > 1 && atoms[i] < 0) continue;
    if (weight - 0.5 * weights[i] <= unlearned_weight) {
      parts.unlearned += both * weights[i] * atoms[i] * atoms[i];
      continue;
    }
    const double rest = scaled.atom_sums_without(i).re_g / (1 - weights[i]);
    const double x = conjugates.m_hat * atoms[i] + conjugates.q_hat * rest;
    parts.shrinkage += both * weights[i] * std::pow(atoms[i] - f(x), 2);
  }
  parts.misalignment = E - parts.unlearned - parts.bulk - parts.shrinkage;
  return parts;
}

Regime regime_of(const ScalingPoint& point, std::size_t modes) {
  const double E = point.solution.errors.estimation;
  if (!(E > 0) || !(point.solution.overlaps.q > 0) || !point.solution.diagnostics.converged) return Regime::none;
  if (point.recovered >= modes) return Regime::parametric;
  return point.solution.problem.noise > E ? Regime::noise_dominated : Regime::noiseless;
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
    if (to == Regime::parametric && last_mode && std::isfinite(last_mode->n)) n = last_mode->n;
    crossovers.push_back({from, to, n});
  }
  return crossovers;
}

bool clean(const ScalingPoint& point, Regime regime, std::size_t modes) {
  if (point.regime != regime || !point.solution.diagnostics.converged) return false;
  if (regime == Regime::parametric) return true;
  const double noise = point.solution.problem.noise, E = point.solution.errors.estimation;
  const bool dominated = regime == Regime::noise_dominated ? noise > kDominance * E : E > kDominance * noise;
  return dominated && point.recovered >= kFewModes && point.recovered <= modes / kShareOfModes;
}

}  // namespace

void require_scalable(const model::Problem& problem, std::span<const double> n) {
  if (!problem.target.power_law())
    base::reject("a scaling curve needs a target powerlaw:GAMMA,D, got {}", problem.target.spec());
  if (!has_ridgeless(problem))
    base::reject(
        "a scaling curve is available for the students tied and direct, and for untied with attention = cross, and for "
        "labels soft, whose noise is that of the scores; got student {}{}, labels {}, readout {}",
        model::name(problem.student), problem.untied_self() ? " of self-attention" : "", model::name(problem.labels),
        model::name(problem.readout));
  if (problem.width < 1) base::reject("a scaling curve needs the full width, width >= 1, got {}", problem.width);
  if (n.size() < 3) base::reject("a scaling curve needs at least 3 values of n for its slopes, got {}", n.size());
  for (std::size_t i = 0; i < n.size(); ++i)
    if (!(n[i] > 0) || !std::isfinite(n[i]) || (i > 0 && !(n[i] > n[i - 1])))
      base::reject("n must be finite numbers > 0 in ascending order, got {}", n[i]);
}

double predicted_exponent(Regime regime, double gamma) {
  switch (regime) {
    case Regime::noise_dominated:
      return -1 + 1 / (2 * gamma);
    case Regime::noiseless:
      return 1 - 2 * gamma;
    case Regime::parametric:
      return -1;
    case Regime::none:
      break;
  }
  return kNaN;
}

ScalingCurve scaling_curve(const model::Problem& problem, const std::vector<double>& n, const ScalingOptions& options) {
  require_scalable(problem, n);
  const model::PowerLawTarget& law = *problem.target.power_law();
  const Spectrum target = problem.target_law();
  const double dimension = static_cast<double>(law.dimension);
  const auto at = [&](double sequences) {
    model::Problem one = problem;
    one.alpha = sequences / (dimension * dimension);
    return one;
  };
  at(n.front()).validate(), at(n.back()).validate();
  ScalingCurve curve{law.gamma, law.dimension, law.cutoff, std::vector<ScalingPoint>(n.size()), {}, {}};
  SolveOptions solve_options = options.solve;
  solve_options.detail = Detail::errors;
  const auto solve_one = [&](std::size_t i) {
    ScalingPoint& point = curve.points[i];
    point.n = n[i];
    point.solution = solve(at(n[i]), target, solve_options);
    point.recovered = recovered_modes(point.solution, target, dimension);
    point.regime = regime_of(point, law.cutoff);
    point.predicted = predicted_exponent(point.regime, law.gamma);
    point.parts = error_parts(point.solution, target);
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
                    [&](const ScalingPoint& point) { return clean(point, regime, curve.modes); }));
}

double fitted_exponent(const ScalingCurve& curve, Regime regime) {
  // Least squares of log E on log n.
  double count = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const ScalingPoint& point : curve.points) {
    if (!clean(point, regime, curve.modes)) continue;
    const double log_n = std::log(point.n);
    ++count, x += log_n, y += log_error(point), xx += log_n * log_n, xy += log_n * log_error(point);
  }
  if (count < 3) return kNaN;
  return (count * xy - x * y) / (count * xx - x * x);
}

}  // namespace attnlaw::theory
