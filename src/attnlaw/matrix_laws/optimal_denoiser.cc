#include "attnlaw/matrix_laws/optimal_denoiser.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attnlaw/base/infinity.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::matrix_laws {
namespace {

using std::numbers::pi;

using base::kInfinity;
/// A Newton step of this size, relative to the scale of the law, has met rounding.
constexpr double kRoundoff = 1e-15;
/// Near an edge, a double root, steps stop shrinking at about √1e-16 of the scale: a step below this size that does not
/// shrink is noise.
constexpr double kEdgeRoundoff = 1e-7;
/// Newton's method takes half a dozen steps where it converges quadratically; near an edge it halves the distance up to
/// 26 times.
constexpr int kMostIterations = 80;

/// Returns Re ∫ log(w − s) μ(ds). For the free Poisson law with jump b and G = G(w) this is the integral of G dw along
/// w = 1/G + κb/(1 − bG).
double log_potential(const Spectrum& spectrum, Complex w) {
  if (const auto* wishart = spectrum.wishart()) {
    const double jump = wishart->jump();
    const Complex g = spectrum.stieltjes(w).value;
    return (w * g).real() - 1 - 0.5 * std::log(std::norm(g)) +
           0.5 * wishart->kappa * std::log(std::norm(1.0 - jump * g));
  }
  if (const auto* product = spectrum.product()) {
    const double jump = product->jump();
    const Complex g = spectrum.stieltjes(w).value;
    return (w * g).real() - 1 - 0.5 * std::log(std::norm(g)) +
           0.25 * product->kappa * std::log(std::norm(1.0 - jump * jump * g * g));
  }
  double sum = 0;
  const DiscreteSpectrum& discrete = *spectrum.discrete();
  for (std::size_t i = 0; i < discrete.atoms.size(); ++i)
    sum += 0.5 * discrete.weights[i] * std::log(std::norm(w - discrete.atoms[i]));
  return sum;
}

double variance_of(const Spectrum& spectrum) {
  const double mean = spectrum.mean();
  if (const auto* discrete = spectrum.discrete()) {
    double variance = 0;
    for (std::size_t i = 0; i < discrete->atoms.size(); ++i)
      variance += discrete->weights[i] * std::pow(discrete->atoms[i] - mean, 2);
    return variance;
  }
  // Both other laws have the variance scale².
  const double scale = spectrum.product() ? spectrum.product()->scale : spectrum.wishart()->scale;
  return scale * scale;
}

}  // namespace

OptimalDenoiser::OptimalDenoiser(const Spectrum& prior, double variance)
    : prior_(prior),
      variance_(variance),
      law_(semicircle_sum(prior, variance)),
      curve_(prior.discrete() ? law_.bands() : semicircle_sum_biane(prior, variance).bands()),
      quadrature_(law_.quadrature()) {
  const double prior_variance = variance_of(prior);
  const double mean = prior.mean();
  // The same number has two forms: the first loses digits where the noise is large (its integral is nearly 1), the
  // second where it is small (the estimate is nearly S and has its variance).
  if (variance <= prior_variance) {
    double cube = 0;
    for (const Law::Node& node : quadrature_.nodes) cube += node.weight * std::pow(node.g.imag() / pi, 2);
    response_ = std::max(0.0, 1 - 4 * pi * pi / 3 * variance * cube);
    mean_square_error_ = variance * response_;
  } else {
    double explained = 0;
    for (const Law::Node& node : quadrature_.nodes)
      explained += node.weight * std::pow(node.x - 2 * variance * node.g.real() - mean, 2);
    mean_square_error_ = std::max(0.0, prior_variance - explained);
    response_ = mean_square_error_ / variance;
  }
}

double OptimalDenoiser::operator()(double x) const {
  double below = -kInfinity;
  for (const Law::Band& band : curve_) {
    if (x <= band.support.lower) return 2 * subordinate_outside(x, {below, band.parameter.lower}) - x;
    if (x < band.support.upper) return 2 * subordinate_inside(x) - x;
    below = band.parameter.upper;
  }
  return 2 * subordinate_outside(x, {below, kInfinity}) - x;
}

double OptimalDenoiser::subordinate_inside(double x) const {
  const auto after = std::lower_bound(quadrature_.nodes.begin(), quadrature_.nodes.end(), x,
                                      [](const Law::Node& node, double value) { return node.x < value; });
  auto nearest = after;
  if (after == quadrature_.nodes.end() ||
      (after != quadrature_.nodes.begin() && x - std::prev(after)->x < after->x - x))
    nearest = std::prev(after);
  Complex w = nearest->x - variance_ * nearest->g;
  const double scale = std::abs(x) + std::sqrt(variance_);
  double previous_move = kInfinity;
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    const Stieltjes g = prior_.stieltjes(w);
    Complex step = -(w + variance_ * g.value - x) / (1.0 + variance_ * g.derivative);
    // The curve lies above the real line; its mirror image solves the equation too.
    if (!(w.imag() + step.imag() > 0)) step.imag(-0.5 * w.imag());
    w += step;
    const double move = std::abs(step);
    if (move <= kRoundoff * scale || (move <= kEdgeRoundoff * scale && move >= previous_move)) return w.real();
    previous_move = move;
  }
  return x - variance_ * law_.stieltjes(x).real();
}

double OptimalDenoiser::subordinate_outside(double x, Interval parameters) const {
  // x(u) = u + v G(u) increases between the ends of two bands; beyond the outermost, G has the sign of u − s and x is
  // the other bound. There x(u) is convex or concave, and Newton's iteration from x is monotone.
  double low = std::isfinite(parameters.lower) ? parameters.lower : x;
  double high = std::isfinite(parameters.upper) ? parameters.upper : x;
  const bool gap = std::isfinite(parameters.lower) && std::isfinite(parameters.upper);
  const double scale = std::abs(x) + std::sqrt(variance_);
  double u = gap ? 0.5 * (low + high) : x;
  double previous_move = kInfinity;
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    const Stieltjes g = prior_.stieltjes(u);
    const double excess = u + variance_ * g.value.real() - x;
    (excess > 0 ? high : low) = u;
    double next = u - excess / (1 + variance_ * g.derivative.real());
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const double move = std::abs(next - u);
    u = next;
    if (move <= kRoundoff * scale || (move <= kEdgeRoundoff * scale && move >= previous_move)) break;
    previous_move = move;
  }
  return u;
}

double OptimalDenoiser::mutual_information() const {
  // The logarithmic potential of Y at x is that of S at w = x − vg plus v g²/2, as differentiation in x shows.
  double energy = 0;
  for (const Law::Node& node : quadrature_.nodes)
    energy += node.weight * (log_potential(prior_, node.x - variance_ * node.g) +
                             0.5 * variance_ * (node.g.real() * node.g.real() - node.g.imag() * node.g.imag()));
  return 0.5 * (energy - 0.5 * std::log(variance_) + 0.25);
}

std::vector<Interval> OptimalDenoiser::bands() const {
  std::vector<Interval> result;
  for (const Law::Band& band : curve_)
    result.push_back({2 * band.parameter.lower - band.support.lower, 2 * band.parameter.upper - band.support.upper});
  return result;
}

double atom_collision(const Spectrum& spectrum) {
  if (const auto* wishart = spectrum.wishart()) {
    if (wishart->scale == 0) return 1;
    const double atom = std::max(0.0, 1 - wishart->kappa);
    return atom * atom;
  }
  if (const auto* product = spectrum.product()) {
    if (product->scale == 0) return 1;
    const double atom = std::max(0.0, 1 - product->kappa);
    return atom * atom;
  }
  double sum = 0;
  for (const double weight : spectrum.discrete()->weights) sum += weight * weight;
  return sum;
}

}  // namespace attnlaw::matrix_laws
