#include "attnlaw/laws/softmax/softmax_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/binomial.hpp>
#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/laws/softmax/equation.h"
#include "attnlaw/matrix_laws/law_difference.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using matrix_laws::Law;
using std::numbers::pi;
using Complex = std::complex<double>;
using Gap = SoftmaxEquation::Gap;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Returns Σ_{k≥2} x^k/k! = e^x − 1 − x, without cancellation.
double exponential_remainder(double x) {
  constexpr double kSeries = 0.5;
  if (x > kSeries) return std::expm1(x) - x;
  double term = x, sum = 0;
  for (int k = 2; term > std::numeric_limits<double>::epsilon() * sum; ++k) sum += term *= x / k;
  return sum;
}

bool positive(double x) { return std::isfinite(x) && x > 0; }

void require_valid(const LinearModel& model) {
  if (!positive(model.beta)) reject("beta must be a finite number > 0, got {}", model.beta);
  if (!positive(model.rho)) reject("rho must be a finite number > 0, got {}", model.rho);
  if (!positive(model.noise)) reject("the noise of the linear model must be a finite number > 0, got {}", model.noise);
  if (!std::isfinite(model.tau) || model.tau < 0) reject("tau must be a finite number >= 0, got {}", model.tau);
  if (model.tau > 0 && !model.features.empty())
    reject("matrices of features are known for orthonormal tokens, tau = 0, got tau = {}", model.tau);
  for (const FeatureMatrix& f : model.features)
    if (!positive(f.variance) || !positive(f.ratio))
      reject("variance and ratio of a matrix of features must be finite numbers > 0, got {} and {}", f.variance,
             f.ratio);
}

/// Returns the root of an increasing function between two points where it is negative and positive.
template <class Function>
double root_between(const Function& f, double lower, double upper) {
  std::uintmax_t iterations = 400;
  const auto [low, high] = boost::math::tools::toms748_solve(f, lower, upper, -1.0, 1.0,
                                                             boost::math::tools::eps_tolerance<double>(), iterations);
  return 0.5 * (low + high);
}

/// Returns a point above `lower` where an increasing function is positive, the first one at distances that double.
template <class Function>
double beyond_root(const Function& f, double lower) {
  double step = std::max(1.0, std::abs(lower));
  while (f(lower + step) <= 0) step *= 2;
  return lower + step;
}

/// Returns the part of a gap with dz/dw > 0, in q. It is an interval, because dz/dw is concave in w between two poles.
std::optional<matrix_laws::Interval> free_interval(const SoftmaxEquation& equation, const Gap& gap) {
  const auto slope = [&](double q) { return equation.at(q).dz_dw; };
  if (std::isinf(gap.upper)) return {{root_between(slope, gap.lower, beyond_root(slope, gap.lower)), kInfinite}};
  // The top may lie at any scale above the lower end: it is sought in y = log((q − lower)/(upper − q)), within what
  // doubles resolve at either end.
  constexpr double kLowest = -90, kHighest = 30;
  constexpr int kBits = 26;  // half of the digits: the top is flat
  const auto q_at = [&](double y) { return gap.lower + (gap.upper - gap.lower) / (1 + std::exp(-y)); };
  const double top = q_at(
      boost::math::tools::brent_find_minima([&](double y) { return -slope(q_at(y)); }, kLowest, kHighest, kBits).first);
  if (!(slope(top) > 0)) return std::nullopt;
  return {{root_between(slope, gap.lower, top), root_between([&](double q) { return -slope(q); }, top, gap.upper)}};
}

std::vector<SoftmaxLaw::Band> bands_of(const SoftmaxEquation& equation) {
  std::vector<SoftmaxLaw::Band> bands{{{0, 0}, 0}};
  double mass_below = 0;
  for (const Gap& gap : equation.gaps()) {
    const auto free = free_interval(equation, gap);
    if (!free) continue;
    bands.back().support.upper = equation.at(free->lower).z;
    bands.back().mass = 1 - gap.mass_above - mass_below;
    mass_below = 1 - gap.mass_above;
    if (std::isfinite(free->upper)) bands.push_back({{equation.at(free->upper).z, 0}, 0});
  }
  return bands;
}

double density_of(Complex h) { return -2 / pi * h.imag(); }

/// Returns the law of λ, with s as its parameter: the density of λ diverges at 0 like 1/√λ, that of s is smooth.
Law law_of_squares(const SoftmaxEquation& equation, const std::vector<SoftmaxLaw::Band>& bands,
                   const LinearModel& model) {
  std::vector<Law::Band> in_lambda;
  for (const SoftmaxLaw::Band& band : bands) {
    const auto& [lower, upper] = band.support;
    in_lambda.push_back({band.support, {lower * lower, upper * upper}, band.mass});
  }
  const double mean = model.free_cumulant(1);
  return Law(
      {}, std::move(in_lambda),
      [equation](double s, const Law::Point* nearby) {
        const double nearby_s = nearby ? std::sqrt(nearby->x) : 0;
        const Complex nearby_h = nearby ? nearby_s * nearby->g : 0;
        const Complex h = equation.solve(s, nearby ? &nearby_h : nullptr, nearby_s);
        return Law::Point{s * s, 2 * s, h / s, 0};
      },
      mean, model.free_cumulant(2) + 2 * mean * mean);
}

double last_edge(const SoftmaxEquation& equation) { return free_interval(equation, equation.gaps().back())->lower; }

}  // namespace

void SoftmaxParameters::validate() const {
  base::require_in_ranges(describe(this), this);
  if (tokens == TokenModel::gaussian && !positive(tau))
    reject("tau = T/d of Gaussian tokens must be a finite number > 0, got {}", tau);
  if (tokens == TokenModel::orthonormal && !(tau >= 0 && tau <= 1))
    reject("orthonormal tokens need T <= d, that is tau = T/d between 0 and 1, got {}", tau);
}

double entry_variance(double beta) { return std::expm1(beta * beta); }

double LinearModel::variance() const {
  double sum = beta * beta + noise;
  for (const FeatureMatrix& f : features) sum += f.variance;
  return sum;
}

double LinearModel::free_cumulant(int j) const {
  // `coefficient` is that of t^{j−1} in ((1+ρt)(1+τt)²)^j.
  double coefficient = 0;
  for (int i = 0; i < j; ++i) {
    const auto choose = [](int n, int k) {
      return boost::math::binomial_coefficient<double>(static_cast<unsigned>(n), static_cast<unsigned>(k));
    };
    coefficient += choose(j, i) * std::pow(rho, i) * choose(2 * j, j - 1 - i) * std::pow(tau, j - 1 - i);
  }
  double sum = std::pow(beta, 2 * j) / j * coefficient + (j == 1 ? noise : 0);
  for (const FeatureMatrix& f : features) sum += std::pow(f.ratio, j - 1) * std::pow(f.variance, j);
  return sum;
}

LinearModel linear_model(const SoftmaxParameters& parameters) {
  parameters.validate();
  const double tau = parameters.tokens == TokenModel::gaussian ? parameters.tau : 0;
  return {parameters.beta, parameters.rho, tau, exponential_remainder(parameters.beta * parameters.beta)};
}

SoftmaxLaw::SoftmaxLaw(const LinearModel& model)
    : model_((require_valid(model), model)),
      bands_(bands_of(SoftmaxEquation(model))),
      squared_(law_of_squares(SoftmaxEquation(model), bands_, model)) {
  const SoftmaxEquation equation(model);
  edge_parameter_ = 1 / equation.p(last_edge(equation));
}

double SoftmaxLaw::density_at_zero() const { return 2 / pi * std::sqrt(SoftmaxEquation(model_).square_at_zero()); }

std::complex<double> SoftmaxLaw::stieltjes(double s) const {
  for (const Band& band : bands_)
    if (s > band.support.lower && s < band.support.upper) return SoftmaxEquation(model_).solve(s, nullptr, 0);
  throw std::domain_error(fmt::format("the Stieltjes transform at s + i0 is asked for at s = {}, off every band", s));
}

double SoftmaxLaw::density(double s) const {
  if (s == 0) return density_at_zero();
  for (const Band& band : bands_)
    if (s > band.support.lower && s < band.support.upper) return density_of(stieltjes(s));
  return 0;
}

SoftmaxLaw::Curve SoftmaxLaw::density_curve(int count) const {
  constexpr int kLeastPoints = 16;
  const SoftmaxEquation equation(model_);
  double width = 0;
  for (const Band& band : bands_) width += band.support.upper - band.support.lower;
  Curve curve;
  for (const Band& band : bands_) {
    const auto& [lower, upper] = band.support;
    const int intervals = std::max(kLeastPoints, static_cast<int>(std::lround(count * (upper - lower) / width))) - 1;
    Complex h;
    double last = 0;
    curve.s.push_back(lower);
    curve.density.push_back(lower == 0 ? density_at_zero() : 0);
    for (int i = 1; i < intervals; ++i) {
      const double sine = std::sin(0.5 * pi * i / intervals);
      const double s = lower + (upper - lower) * sine * sine;
      h = equation.solve(s, i > 1 ? &h : nullptr, last);
      last = s;
      curve.s.push_back(s);
      curve.density.push_back(density_of(h));
    }
    curve.s.push_back(upper);
    curve.density.push_back(0);
  }
  return curve;
}

std::array<double, 3> SoftmaxLaw::moments() const {
  const double k2 = model_.free_cumulant(1), k4 = model_.free_cumulant(2), k6 = model_.free_cumulant(3);
  return {k2, k4 + 2 * k2 * k2, k6 + 6 * k4 * k2 + 5 * k2 * k2 * k2};
}

std::optional<double> SoftmaxLaw::outlier(double strength) const {
  // At the outlier h = 1/θ, hence w = θ, and it is visible if w lies beyond the edge.
  const SoftmaxEquation equation(model_);
  const double edge = last_edge(equation);
  const auto excess = [&](double q) { return equation.at(q).w - strength; };
  if (!(excess(edge) < 0)) return std::nullopt;
  return equation.at(root_between(excess, edge, beyond_root(excess, edge))).z;
}

double column_strength(const SoftmaxParameters& parameters) {
  return std::sqrt(0.5 * linear_model(parameters).free_cumulant(2));
}

double leading_singular_value_excess(const SoftmaxParameters& parameters, double length) {
  const double theta = column_strength(parameters);
  return (entry_variance(parameters.beta) + theta * theta) / (2 * length);
}

MarchenkoPasturDistance marchenko_pastur_distance(const SoftmaxLaw& law) {
  const double variance = law.model().variance();
  const matrix_laws::LawDifference difference(law.squared(), matrix_laws::marchenko_pastur({1, variance}));
  return {2 * std::sqrt(variance), difference.kolmogorov(),
          difference.wasserstein([](double x) { return std::sqrt(x); }),
          difference.wasserstein([](double x) { return x; })};
}

}  // namespace attnlaw::laws
