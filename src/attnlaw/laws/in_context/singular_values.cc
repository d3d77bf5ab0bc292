#include "attnlaw/laws/in_context/singular_values.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::laws {
namespace {

using matrix_laws::Complex;
using matrix_laws::Interval;

/// The equation is solved so far above the axis, in units of the largest noise: an edge is seen as sharp.
constexpr double kHeight = 1e-9;
/// A density below this is that of the height alone.
constexpr double kNoDensity = 1e-4;

struct Weighted {
  double r, weight;
};

/// The noise of a layer: t(r) = scale (r+x)/(r+s)².
struct LayerNoise {
  double x, s, scale;

  explicit LayerNoise(const InContextPrediction& p)
      : x(p.model.context_noise()), s(x + p.ridge), scale(p.training_tasks / p.model.sequences) {}
  double gain(double r) const { return r / (r + s); }
  double variance(double r) const { return scale * (r + x) / ((r + s) * (r + s)); }
};

/// The part of R that has a density.
Interval task_band(double kappa) { return matrix_laws::WishartSpectrum{kappa, 1 / std::sqrt(kappa)}.bulk(); }

/// Returns how many nodes must stand for the density of R. Each becomes a small band of its own, of half-width
/// 2√(weight t), and these must overlap many times.
double nodes_needed(double kappa, const LayerNoise& noise) {
  constexpr double kOverlap = 0.5, kLeast = 60;
  if (std::isinf(kappa)) return 1;
  const Interval band = task_band(kappa);
  const double range = noise.gain(band.upper) - noise.gain(band.lower);
  const double least = std::min(noise.variance(band.upper), noise.variance(band.lower));
  return std::max(kLeast, kOverlap * range * range / (std::min(kappa, 1.0) * least));
}

/// Returns nodes of the spectrum of R, its atom at 0 included: enough of them, and dense where 1/(r+s) varies.
std::vector<Weighted> task_nodes(double kappa, const LayerNoise& noise) {
  if (std::isinf(kappa)) return {{1, 1}};
  const matrix_laws::Law law = matrix_laws::marchenko_pastur({kappa, 1 / std::sqrt(kappa)});
  const Interval band = law.bands().front().support;
  const double middle = 0.5 * (band.lower + band.upper), half = 0.5 * (band.upper - band.lower);
  std::vector<double> breakpoints;
  constexpr double kRatio = 3, kOfPanel = 15;
  for (double distance = noise.s; band.lower + distance < band.upper; distance *= kRatio)
    breakpoints.push_back(band.lower + distance);
  const double panels = std::ceil(nodes_needed(kappa, noise) / kOfPanel);
  for (double i = 1; i < panels; ++i) breakpoints.push_back(middle - half * std::cos(i / panels * std::numbers::pi));
  std::sort(breakpoints.begin(), breakpoints.end());
  std::vector<Weighted> nodes;
  for (const auto& atom : law.atoms()) nodes.push_back({atom.x, atom.mass});
  for (const auto& node : law.quadrature(breakpoints).nodes) nodes.push_back({node.x, node.weight});
  return nodes;
}

}  // namespace

bool has_singular_value_law(const InContextPrediction& prediction) {
  constexpr double kMostNodes = 4000, kInvisible = 1e-10;
  const InContextModel& model = prediction.model;
  const bool noisy = std::isfinite(prediction.variance) && prediction.variance > kInvisible;
  const LayerNoise noise(prediction);
  return model.covariance.isotropic() && noisy && noise.s > 0 && nodes_needed(model.tasks, noise) <= kMostNodes;
}

SingularValueLaw::SingularValueLaw(const InContextPrediction& prediction) {
  const InContextModel& model = prediction.model;
  if (!has_singular_value_law(prediction))
    base::reject(
        "the law of singular values takes isotropic tasks, a finite context and a number of sequences whose noise is "
        "seen, neither n = d² nor too many, got sequences = {}, context = {}",
        model.sequences, model.context);
  const LayerNoise noise(prediction);
  for (const auto& [r, weight] : task_nodes(model.tasks, noise))
    nodes_.push_back({weight, noise.gain(r), noise.variance(r)});
  find_bands(prediction);
  tabulate();
}

SingularValueLaw::State SingularValueLaw::map(const State& state, Complex z) const {
  State next;
  for (const Node& node : nodes_) {
    const Complex left = z + state.a, right = z + node.noise * state.b;
    const Complex scaled = node.weight / (left * right - node.gain * node.gain);
    next.a -= node.noise * left * scaled;
    next.b -= right * scaled;
  }
  return next;
}

SingularValueLaw::State SingularValueLaw::newton(const State& state, Complex z) const {
  // f = map(a, b) − (a, b), with its derivatives by a and b.
  Complex fa = -state.a, fb = -state.b, fa_a = -1, fa_b = 0, fb_a = 0, fb_b = -1;
  for (const Node& node : nodes_) {
    const Complex left = z + state.a, right = z + node.noise * state.b;
    const Complex inverse = 1.0 / (left * right - node.gain * node.gain);
    const Complex scaled = node.weight * inverse;
    fa -= node.noise * left * scaled;
    fb -= right * scaled;
    // d/da: left' = 1, det' = right; d/db: right' = t, det' = t left.
    fa_a -= node.noise * scaled * (1.0 - left * right * inverse);
    fa_b += node.noise * node.noise * left * left * scaled * inverse;
    fb_a += right * right * scaled * inverse;
    fb_b -= node.noise * scaled * (1.0 - left * right * inverse);
  }
  const Complex determinant = fa_a * fb_b - fa_b * fb_a;
  return {state.a - (fa * fb_b - fb * fa_b) / determinant, state.b - (fb * fa_a - fa * fb_a) / determinant};
}

SingularValueLaw::State SingularValueLaw::solve(double sigma, State state) const {
  constexpr int kRounds = 100, kDamped = 10, kMostDoublings = 6, kMostSteps = 20;
  constexpr double kTolerance = 1e-12, kSolved = 1e-9;
  const Complex z(sigma, kHeight);
  const auto size = [](const State& one) { return std::abs(one.a) + std::abs(one.b); };
  // Of all solutions the one with positive imaginary parts is that of the law. Newton's method finds it from nearby,
  // the damped map, which stays in the upper half plane, from anywhere.
  for (int round = 0; round < kRounds; ++round) {
    State at = state;
    for (int step = 0; step < kMostSteps; ++step) {
      const State next = newton(at, z);
      const double change = size({next.a - at.a, next.b - at.b});
      at = next;
      if (change <= kTolerance * size(at)) break;
    }
    const State image = map(at, z);
    const bool solved = size({image.a - at.a, image.b - at.b}) <= kSolved * size(at);
    if (solved && at.a.imag() > 0 && at.b.imag() > 0) return at;
    for (int step = 0; step < kDamped << std::min(round, kMostDoublings); ++step) {
      const State next = map(state, z);
      state = {0.5 * (state.a + next.a), 0.5 * (state.b + next.b)};
    }
  }
  return state;
}

double SingularValueLaw::density_near(double sigma, State& state) const {
  state = solve(sigma, state);
  return 2 / std::numbers::pi * state.b.imag();
}

double SingularValueLaw::density(double sigma) const {
  if (!(sigma > 0)) return 0;
  State state = kStart;
  return density_near(sigma, state);
}

double SingularValueLaw::edge(double outside, double inside_point) const {
  constexpr double kTolerance = 1e-9;
  constexpr int kMostSteps = 60;
  State state = kStart;
  for (int i = 0; i < kMostSteps && std::abs(outside - inside_point) > kTolerance * (outside + inside_point); ++i) {
    const double middle = 0.5 * (outside + inside_point);
    (density_near(middle, state) > kNoDensity ? inside_point : outside) = middle;
  }
  return inside_point;
}

void SingularValueLaw::find_bands(const InContextPrediction& prediction) {
  // Noise moves a gain by no more than twice its largest deviation.
  double noise = 0, least = 1, most = 0;
  bool atom = false;
  for (const Node& node : nodes_) {
    noise = std::max(noise, node.noise);
    most = std::max(most, node.gain);
    if (node.gain == 0)
      atom = true;
    else
      least = std::min(least, node.gain);
  }
  const double reach = 2 * std::sqrt(noise);
  constexpr int kPoints = 200;
  std::vector<double> grid;
  const auto add = [&](double from, double to) {
    for (int i = 0; i <= kPoints; ++i) grid.push_back(from + (to - from) * (i + 0.5) / (kPoints + 1));
  };
  if (atom) add(0, reach);
  add(std::max(0.0, least - reach), most + reach);
  std::sort(grid.begin(), grid.end());
  // A gap at 0 is decided by its number, not by a point of the grid.
  double outside = 0;
  bool in = !(prediction.gap_number < 1);
  if (in) bands_.push_back({0, 0});
  State state = kStart;
  for (const double sigma : grid) {
    const bool now = density_near(sigma, state) > kNoDensity;
    if (now && !in) bands_.push_back({edge(outside, sigma), sigma});
    if (!now && in) bands_.back().upper = edge(sigma, bands_.back().upper);
    if (now) bands_.back().upper = sigma;
    if (!now) outside = sigma;
    in = now;
  }
  if (in) bands_.back().upper = edge(most + reach, bands_.back().upper);
}

SingularValueDensity SingularValueLaw::curve(int count) const {
  SingularValueDensity result;
  for (const Interval& band : bands_) {
    const double middle = 0.5 * (band.lower + band.upper), half = 0.5 * (band.upper - band.lower);
    // At 0 the density is that of a symmetric law: points need not be closer there.
    const bool hard = band.lower == 0;
    State state = kStart;
    for (int i = 0; i < count; ++i) {
      const double angle = (i + 0.5) / count * (hard ? 0.5 : 1) * std::numbers::pi;
      const double sigma = hard ? band.upper * std::sin(angle) : middle - half * std::cos(angle);
      result.x.push_back(sigma);
      result.density.push_back(density_near(sigma, state));
    }
  }
  return result;
}

void SingularValueLaw::tabulate() {
  constexpr int kPoints = 400;
  const SingularValueDensity table = curve(kPoints);
  double sum = 0;
  for (std::size_t i = 0; i < table.x.size(); ++i) {
    const Interval& band = bands_[i / kPoints];
    const double angle = (static_cast<double>(i % kPoints) + 0.5) / kPoints * std::numbers::pi;
    // The midpoint rule in the angle of the curve, to the right end of the cell of each point.
    const bool hard = band.lower == 0;
    const double half = 0.5 * (band.upper - band.lower), step = std::numbers::pi / kPoints;
    const double width = hard ? band.upper * std::cos(0.5 * angle) * 0.5 * step : half * std::sin(angle) * step;
    sum += table.density[i] * width;
    const double end = angle + 0.5 * step;
    x_.push_back(hard ? band.upper * std::sin(0.5 * end) : band.lower + half * (1 - std::cos(end)));
    cdf_.push_back(sum);
  }
}

double SingularValueLaw::cdf(double sigma) const {
  if (sigma >= bands_.back().upper) return 1;
  const auto next = std::lower_bound(x_.begin(), x_.end(), sigma);
  const std::size_t i = static_cast<std::size_t>(next - x_.begin());
  if (i == x_.size()) return 1;
  if (i == 0)
    return x_[0] > bands_.front().lower
               ? cdf_[0] * std::max(0.0, sigma - bands_.front().lower) / (x_[0] - bands_.front().lower)
               : 0;
  return cdf_[i - 1] + (cdf_[i] - cdf_[i - 1]) * (sigma - x_[i - 1]) / (x_[i] - x_[i - 1]);
}

}  // namespace attnlaw::laws
