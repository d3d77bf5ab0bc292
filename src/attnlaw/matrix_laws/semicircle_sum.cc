#include "attnlaw/matrix_laws/semicircle_sum.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "attnlaw/base/infinity.h"
#include "attnlaw/matrix_laws/merged_atoms.h"
#include "attnlaw/matrix_laws/product_law.h"

namespace attnlaw::matrix_laws {
namespace {

using base::kInfinity;

void require_variance(double variance) {
  if (!(variance > 0) || !std::isfinite(variance))
    throw std::invalid_argument(
        fmt::format("the variance a² of a semicircle must be a finite number > 0, got {}", variance));
}

/// Returns the AtomSums of any spectrum; one in closed form has them from its Stieltjes transform, without bends.
AtomSums biane_sums(const Spectrum& spectrum, double u, double v_squared) {
  if (spectrum.discrete()) return spectrum.atom_sums(u, v_squared);
  const double v = std::sqrt(v_squared);
  const Stieltjes g = spectrum.stieltjes({u, v});
  const double phi = -g.value.imag() / v;
  AtomSums sums;
  sums.phi = phi;
  sums.phi_slope = (phi + g.derivative.real()) / (2 * v_squared);
  sums.re_g = g.value.real();
  sums.tilt = g.derivative.imag() / (2 * v);
  return sums;
}

/// Carries the sums over a step of v² that is so short that its square is below rounding.
AtomSums moved(AtomSums sums, double step) {
  sums.re_g -= step * sums.tilt;
  sums.phi -= step * sums.phi_slope;
  sums.phi_slope -= 2 * step * sums.phi_bend;
  sums.tilt -= 2 * step * sums.tilt_bend;
  return sums;
}

/// Returns v(u)², the v² with φ(v²) = 1/a², and the sums there. In y = v² the function 1/φ − a² is increasing and
/// concave (1/φ is a complete Bernstein function), so Newton's iteration falls below the root after one step and then
/// climbs to it without overshooting.
double biane_height_squared(const Spectrum& spectrum, double u, double variance, double start, AtomSums& sums) {
  constexpr int kMaxIterations = 100;
  // Convergence is quadratic: a step below kTolerance has met rounding, and so has one below kRounding that no longer
  // shrinks (near an edge, where y is small). Sums over atoms know their slopes: below kLast the step itself is carried
  // over, and no sums are needed to see that the next one is nothing.
  constexpr double kTolerance = 1e-13;
  constexpr double kRounding = 1e-8;
  constexpr double kLast = 1e-7;
  const bool atoms = spectrum.discrete();
  double y = start;
  double previous_move = std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    sums = biane_sums(spectrum, u, y);
    const double step = sums.phi * (variance * sums.phi - 1) / sums.phi_slope;
    const double next = std::clamp(y + step, 1e-3 * y, variance);
    const double move = std::abs(next - y) / y;
    if (atoms && move <= kLast) {
      sums = moved(sums, next - y);
      return next;
    }
    y = next;
    if (move <= kTolerance || (move <= kRounding && move >= 0.5 * previous_move)) break;
    previous_move = move;
  }
  return y;
}

Law::Point biane_point(const Spectrum& spectrum, double variance, double u, const Law::Point* nearby) {
  // From a neighbour on the curve y(u) = v(u)², dy/du = −2·tilt/phi_slope, the start follows the parabola that the
  // neighbour and the one before it know.
  double start = variance, nearby_u = u;
  if (nearby && nearby->g.imag() < 0) {
    nearby_u = nearby->x - variance * nearby->g.real();
    const double nearby_y = std::pow(variance * nearby->g.imag(), 2), move = u - nearby_u;
    const double tangent = nearby_y + nearby->slope * move, parabola = tangent + 0.5 * nearby->bend * move * move;
    start = std::clamp(parabola, 1e-2 * nearby_y, variance);
  }
  AtomSums sums;
  const double v_squared = biane_height_squared(spectrum, u, variance, start, sums);
  // On the curve 1 + a²G'(w) = 2va²(v·phi_slope + i·tilt), which does not cancel near the edges.
  const double dx_du = 2 * variance * (v_squared * sums.phi_slope + sums.tilt * sums.tilt / sums.phi_slope);
  const double slope = -2 * sums.tilt / sums.phi_slope;
  const double bend = u != nearby_u ? (slope - nearby->slope) / (u - nearby_u) : 0;
  return {u + variance * sums.re_g, dx_du, {sums.re_g, -std::sqrt(v_squared) / variance}, slope, bend};
}

/// Returns F(u) = ∫ μ(ds)/(u−s)² at real u off the support.
double resolvent_square(const Spectrum& spectrum, double u) {
  if (spectrum.discrete()) return spectrum.atom_sums(u, 0).phi;
  const Complex slope = spectrum.stieltjes({u, 0}).derivative;
  // Rounding can put an edge of the support inside it, where G′ is complex and F counts as infinite.
  return slope.imag() == 0 && slope.real() < 0 ? -slope.real() : kInfinity;
}

/// Finds the end of a region {F > 1/a²} between `inside`, where F is larger (or infinite), and `outside`, where F <
/// 1/a². It solves for 1/√F, which is nearly linear near an atom: by Newton's method where the slope of F is known.
double region_end(const Spectrum& spectrum, double variance, double inside, double outside) {
  constexpr std::uintmax_t kMostSteps = 200;
  const double a = std::sqrt(variance);
  const auto excess = [&](double u) { return u == inside ? -a : 1 / std::sqrt(resolvent_square(spectrum, u)) - a; };
  const double at_outside = excess(outside);
  if (!(at_outside > 0)) return outside;
  const auto [lower, upper] = std::minmax(inside, outside);
  std::uintmax_t iterations = kMostSteps;
  if (spectrum.discrete()) {
    const auto with_slope = [&](double u) {
      const AtomSums sums = spectrum.atom_sums(u, 0);
      const double inverse_root = 1 / std::sqrt(sums.phi);
      return std::pair(inverse_root - a, sums.tilt * inverse_root / sums.phi);
    };
    const double chord = inside + (outside - inside) * a / (a + at_outside);
    const double end = boost::math::tools::newton_raphson_iterate(with_slope, chord, lower, upper,
                                                                  std::numeric_limits<double>::digits, iterations);
    // Beyond the least value of F in a gap slopes lead astray.
    constexpr double kRounding = 1e-14;
    if (std::abs(excess(end)) <= kRounding * a) return end;
    iterations = kMostSteps;
  }
  const auto [low, high] = boost::math::tools::toms748_solve(excess, lower, upper, inside < outside ? -a : at_outside,
                                                             inside < outside ? at_outside : -a,
                                                             boost::math::tools::eps_tolerance<double>(), iterations);
  return 0.5 * (low + high);
}

/// Returns a point of the gap between the atoms `left` and left + 1 where F < 1/a², if there is one. Newton's iteration
/// seeks the minimum of F, which is convex there.
std::optional<double> point_below(const Spectrum& spectrum, std::size_t left, double variance) {
  const DiscreteSpectrum& law = *spectrum.discrete();
  const double s0 = law.atoms[left], s1 = law.atoms[left + 1];
  const double width = s1 - s0;
  // As (c0 + c1)³ ≥ 8 min(weights), most gaps need no cube root.
  if (8 * variance * std::min(law.weights[left], law.weights[left + 1]) >= width * width) return std::nullopt;
  const double c0 = std::cbrt(law.weights[left]), c1 = std::cbrt(law.weights[left + 1]);
  // The two neighbours alone give F its minimum (c0 + c1)³/width² at the u below: a lower bound that settles most gaps.
  if (variance * std::pow(c0 + c1, 3) >= width * width) return std::nullopt;
  double u = s0 + width * c0 / (c0 + c1);
  double low = s0, high = s1;
  constexpr int kMaxIterations = 60;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    const AtomSums sums = spectrum.atom_sums(u, 0);
    const double slope = -2 * sums.tilt, curvature = 6 * sums.phi_slope;
    if (variance * sums.phi < 1) return u;
    (slope < 0 ? low : high) = u;
    double next = u - slope / curvature;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - u) <= 1e-12 * width) return std::nullopt;
    u = next;
  }
  return std::nullopt;
}

/// A maximal part of the support of a spectrum that no gap of the new law can split further, with its mass.
struct Component {
  Interval hull;
  double mass = 0;
  std::optional<double> below_after;  ///< a point of the gap after it where F < 1/a²; none if the gap is closed
};

/// Returns the components of a discrete spectrum, up to the one after which the first open gap above `resolve_up_to`
/// lies.
std::vector<Component> components(const Spectrum& spectrum, double variance, double resolve_up_to) {
  const DiscreteSpectrum& law = *spectrum.discrete();
  std::vector<Component> result;
  double lower = law.atoms.front(), mass = 0;
  for (std::size_t i = 0; i < law.atoms.size(); ++i) {
    mass += law.weights[i];
    const bool last = i + 1 == law.atoms.size();
    const std::optional<double> below = last ? std::nullopt : point_below(spectrum, i, variance);
    if (!last && !below) continue;
    result.push_back({{lower, law.atoms[i]}, mass, below});
    if (below && *below + variance * spectrum.atom_sums(*below, 0).re_g > resolve_up_to) break;
    if (!last) lower = law.atoms[i + 1], mass = 0;
  }
  return result;
}

std::vector<Component> components(const WishartSpectrum& wishart, double variance) {
  const double jump = wishart.jump();
  const Interval bulk = wishart.bulk();
  if (wishart.kappa >= 1) return {{bulk, 1, std::nullopt}};
  Component atom{{0, 0}, 1 - wishart.kappa, std::nullopt};
  // Between the atom and the bulk F has its minimum 1/(b²(1 − κ^{1/3})³) where d²w/dG² = 0, at bG = 1/(1 − κ^{1/3}).
  const double gap = 1 - std::cbrt(wishart.kappa);
  if (variance < jump * jump * gap * gap * gap) atom.below_after = jump * gap * gap * (2 - gap);
  return {atom, {bulk, wishart.kappa, std::nullopt}};
}

std::vector<Component> components(const ProductSpectrum& product, double variance) {
  const double jump = product.jump();
  const Interval bulk = product.bulk();
  if (product.kappa >= 1) return {{{-bulk.upper, bulk.upper}, 1, std::nullopt}};
  std::optional<double> below, above;
  const ProductSumBands bands = product_sum_bands(product.kappa, variance / (jump * jump));
  if (bands.inner) below = -jump * bands.gap, above = jump * bands.gap;
  return {{{-bulk.upper, -bulk.lower}, 0.5 * product.kappa, below},
          {{0, 0}, 1 - product.kappa, above},
          {bulk, 0.5 * product.kappa, std::nullopt}};
}

/// Returns the regions {F > 1/a²} of u as bands. Their outer ends lie within a of the hull, as F ≤ 1/distance².
std::vector<Law::Band> biane_bands(const Spectrum& spectrum, std::span<const Component> parts, double variance) {
  const double a = std::sqrt(variance);
  const auto x_at = [&](double u) { return u + variance * spectrum.stieltjes({u, 0}).value.real(); };
  std::vector<Law::Band> bands;
  constexpr double kMargin = 1 + 1e-9;
  double lower = region_end(spectrum, variance, parts.front().hull.lower, parts.front().hull.lower - kMargin * a);
  double mass = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    mass += parts[i].mass;
    const bool last = i + 1 == parts.size();
    if (!last && !parts[i].below_after) continue;
    const double outside = parts[i].below_after ? *parts[i].below_after : parts[i].hull.upper + kMargin * a;
    const double upper = region_end(spectrum, variance, parts[i].hull.upper, outside);
    bands.push_back({{lower, upper}, {x_at(lower), x_at(upper)}, mass});
    mass = 0;
    if (!last) lower = region_end(spectrum, variance, parts[i + 1].hull.lower, outside);
  }
  return bands;
}

std::vector<Law::Band> biane_bands(const Spectrum& spectrum, double variance, double resolve_up_to) {
  if (spectrum.discrete()) return biane_bands(spectrum, components(spectrum, variance, resolve_up_to), variance);
  if (const auto* product = spectrum.product()) return biane_bands(spectrum, components(*product, variance), variance);
  return biane_bands(spectrum, components(*spectrum.wishart(), variance), variance);
}

/// Returns g at x + i0 inside a band from the cubic a²b g³ − (a² + xb) g² + (x − κb + b) g − 1 = 0, b the jump of the
/// free Poisson law. It finds the real root, then the complex pair by Vieta.
Complex cubic_stieltjes(double kappa, double jump, double variance, double x) {
  const double c2 = -(variance + x * jump) / (variance * jump);
  const double c1 = (x - kappa * jump + jump) / (variance * jump);
  const double c0 = -1 / (variance * jump);
  const double shift = -c2 / 3;
  const double p = c1 - c2 * c2 / 3;
  const double q = 2 * c2 * c2 * c2 / 27 - c2 * c1 / 3 + c0;
  // Inside a band there is one real root, so the discriminant (q/2)² + (p/3)³ is ≥ 0. The cube root of larger modulus
  // comes first: it does not cancel.
  const double root = std::sqrt(std::max(0.0, q * q / 4 + p * p * p / 27));
  const double larger = std::cbrt(-q / 2 - std::copysign(root, q));
  double real_root = shift + larger - (larger != 0 ? p / (3 * larger) : 0);
  for (int polish = 0; polish < 2; ++polish) {
    const double value = ((real_root + c2) * real_root + c1) * real_root + c0;
    const double slope = (3 * real_root + 2 * c2) * real_root + c1;
    if (slope != 0) real_root -= value / slope;
  }
  const double re = 0.5 * (-c2 - real_root);
  const double norm = -c0 / real_root;
  Complex g(re, -std::sqrt(std::max(0.0, norm - re * re)));
  // Vieta cancels when a² is small; Newton on a²g + κb/(1−bg) + 1/g = x does not. Near an edge, a double root, it is
  // not reliable and may only make short steps.
  constexpr double kLongestPolish = 0.1;
  constexpr double kRounding = 1e-18;  // the square of a step that the next one, quadratically smaller, would not see
  for (int polish = 0; polish < 4; ++polish) {
    const Complex rest = 1.0 - jump * g;
    const Complex value = variance * g + kappa * jump / rest + 1.0 / g - x;
    const Complex slope = variance + kappa * jump * jump / (rest * rest) - 1.0 / (g * g);
    const Complex step = -value / slope;
    if (!(std::norm(step) <= kLongestPolish * kLongestPolish * std::norm(g)) || g.imag() + step.imag() > 0) break;
    g += step;
    if (std::norm(step) <= kRounding * std::norm(g)) break;
  }
  return g;
}

Law wishart_sum(const WishartSpectrum& wishart, double variance) {
  if (wishart.scale < 0) return wishart_sum({wishart.kappa, -wishart.scale}, variance).mirrored();
  const double jump = wishart.jump();
  // Beyond these variances the coefficients of the cubic differ too much for double precision to resolve its complex
  // pair.
  constexpr double kLeastVariance = 1e-8, kLargestVariance = 1e8;
  if (variance < kLeastVariance * jump * jump || variance > kLargestVariance * jump * jump)
    return semicircle_sum_biane(wishart, variance);
  const Spectrum spectrum = wishart;
  std::vector<Law::Band> bands = biane_bands(spectrum, variance, kInfinity);
  for (Law::Band& band : bands) band.parameter = band.support;
  auto parametrisation = [kappa = wishart.kappa, jump, variance](double x, const Law::Point*) {
    return Law::Point{x, 1, cubic_stieltjes(kappa, jump, variance, x), 0};
  };
  return Law({}, std::move(bands), std::move(parametrisation), spectrum.mean(), spectrum.second_moment() + variance);
}

std::vector<Law::Band> product_bands(const ProductSpectrum& product, double variance) {
  const double jump = product.jump();
  const auto [inner, outer, gap] = product_sum_bands(product.kappa, variance / (jump * jump));
  const auto band = [jump](double lower, double upper, double mass) {
    const Interval support{jump * lower, jump * upper};
    return Law::Band{support, support, mass};
  };
  if (!inner) return {band(-outer.upper, outer.upper, 1)};
  return {band(-outer.upper, -outer.lower, 0.5 * product.kappa), band(-*inner, *inner, 1 - product.kappa),
          band(outer.lower, outer.upper, 0.5 * product.kappa)};
}

Law product_sum(const ProductSpectrum& product, double variance) {
  const double jump = product.jump(), unit_variance = variance / (jump * jump);
  // Beyond these values the coefficients of the quartic differ too much for double precision to resolve its complex
  // pair.
  constexpr double kLeastVariance = 1e-8, kLargestVariance = 1e8, kLargestKappa = 1e8;
  if (!(unit_variance >= kLeastVariance && unit_variance <= kLargestVariance && product.kappa <= kLargestKappa))
    return semicircle_sum_biane(product, variance);
  auto parametrisation = [kappa = product.kappa, jump, unit_variance](double x, const Law::Point* nearby) {
    const Complex start = nearby ? jump * nearby->g : Complex(0);
    return Law::Point{x, 1, product_sum_stieltjes(kappa, unit_variance, x / jump, start) / jump, 0};
  };
  return Law({}, product_bands(product, variance), std::move(parametrisation), 0,
             product.scale * product.scale + variance, true);
}

}  // namespace

Law semicircle_sum_biane(const Spectrum& spectrum, double variance, double resolve_up_to) {
  require_variance(variance);
  const auto* wishart = spectrum.wishart();
  if (wishart && wishart->scale < 0) return semicircle_sum_biane(spectrum.scaled(-1), variance).mirrored();
  const bool few = spectrum.discrete() && !spectrum.hierarchical();
  auto shared = std::make_shared<const Spectrum>(few ? merged_atoms(*spectrum.discrete(), variance) : spectrum);
  auto parametrisation = [shared, variance](double u, const Law::Point* nearby) {
    return biane_point(*shared, variance, u, nearby);
  };
  return Law({}, biane_bands(*shared, variance, resolve_up_to), std::move(parametrisation), spectrum.mean(),
             spectrum.second_moment() + variance, spectrum.symmetric());
}

Law semicircle_sum(const Spectrum& spectrum, double variance, double resolve_up_to) {
  require_variance(variance);
  if (const auto* wishart = spectrum.wishart()) return wishart_sum(*wishart, variance);
  if (const auto* product = spectrum.product()) return product_sum(*product, variance);
  return semicircle_sum_biane(spectrum, variance, resolve_up_to);
}

std::vector<Outlier> outliers(const Law& law, const Spectrum& spectrum, double variance, Values values) {
  require_variance(variance);
  const bool singular = values == Values::singular_values;
  const double kLargestMass = singular ? 0.025 : 0.05;  // a singular value has half its weight on each side
  std::vector<Outlier> result;
  const auto* target = spectrum.discrete();
  if (!target) return result;
  // The mass of a band is the weight of its atoms, and both ascend, so the sums of both tell an atom's band.
  auto band = law.bands().begin();
  double weight_below = 0, mass_below = 0;
  for (std::size_t i = 0; i < target->atoms.size(); ++i) {
    const double s = target->atoms[i], weight = target->weights[i];
    if (law.unresolved_mass() > 0 && weight_below + 0.5 * weight > 1 - law.unresolved_mass()) break;
    for (; band + 1 != law.bands().end() && weight_below + 0.5 * weight > mass_below + band->mass; ++band)
      mass_below += band->mass;
    weight_below += weight;
    if (band->mass > kLargestMass || (singular && s <= 0)) continue;
    AtomSums sums = spectrum.atom_sums_without(i);
    double rest_mass = 1 - weight;
    if (singular) {
      sums.re_g -= weight / (2 * s), sums.phi -= weight / (4 * s * s);  // takes its own negative out as well
      rest_mass -= weight;
    }
    const double overlap = 1 - variance * sums.phi / rest_mass;
    if (overlap > 0) result.push_back({s, s + variance * sums.re_g / rest_mass, overlap});
  }
  return result;
}

}  // namespace attnlaw::matrix_laws
