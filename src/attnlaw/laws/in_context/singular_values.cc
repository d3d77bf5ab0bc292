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

/// In units of the largest noise, the equation is solved so far above the axis: an edge is seen as sharp.
constexpr double kHeight = 1e-9;
/// In the same units, a density below this is that of the height alone.
constexpr double kNoDensity = 1e-4;

/// The noise of a layer: t(r) = scale (r+x)/(r+s)².
struct LayerNoise {
  double x, s, scale;

  explicit LayerNoise(const InContextPrediction& p)
      : x(p.model.context_noise()), s(x + p.ridge), scale(p.training_tasks / p.model.sequences) {}
  double gain(double r) const { return r / (r + s); }
  double variance(double r) const { return scale * (r + x) / ((r + s) * (r + s)); }
};

using Node = SingularValueLaw::Node;

/// Returns the nodes of Marchenko and Pastur's law, its atom at 0 included, in so many panels: equal ones in the angle
/// of the gain, whose ends are where they must be dense.
std::vector<Node> layer_nodes(const matrix_laws::Law& law, const LayerNoise& noise, int panels) {
  const Interval band = law.bands().front().support;
  const double lower = noise.gain(band.lower), upper = noise.gain(band.upper);
  std::vector<double> breakpoints;
  for (int i = 1; i < panels; ++i) {
    const double gain = 0.5 * (lower + upper) - 0.5 * (upper - lower) * std::cos(i * std::numbers::pi / panels);
    breakpoints.push_back(noise.s * gain / (1 - gain));
  }
  std::vector<Node> nodes;
  const auto add = [&](double r, double weight) { nodes.push_back({weight, noise.gain(r), noise.variance(r)}); };
  for (const auto& atom : law.atoms()) add(atom.x, atom.mass);
  for (const auto& node : law.quadrature(breakpoints).nodes) add(node.x, node.weight);
  return nodes;
}

/// Tells whether the density does not show single nodes. Alone each has a band of half-width 2√(weight · noise) about
/// its gain; at a distance of f times that from the next one, ripples are exp(−π²/(4f²)) of the density. Both are means
/// over a few nodes: next to an edge, where single weights are small, there is no density to have ripples.
bool smooth(const std::vector<Node>& nodes) {
  constexpr double kDistance = 0.4;  // ripples of 2e-7
  constexpr std::size_t kFew = 6;
  const std::size_t first = nodes.front().gain == 0 ? 1 : 0;  // the atom is one node
  for (std::size_t i = first; i + kFew < nodes.size(); ++i) {
    double weight = 0;
    for (std::size_t j = i; j < i + kFew; ++j) weight += nodes[j].weight / kFew;
    const double distance = (nodes[i + kFew].gain - nodes[i].gain) / kFew;
    const double noise = std::min(nodes[i].noise, nodes[i + kFew].noise);
    if (distance > kDistance * 2 * std::sqrt(weight * noise)) return false;
  }
  return true;
}

/// Returns nodes enough for the density to be smooth; none if there are too many.
std::vector<Node> layer_nodes(double kappa, const LayerNoise& noise) {
  if (std::isinf(kappa)) return {{1, noise.gain(1), noise.variance(1)}};
  constexpr int kFirst = 4, kMostPanels = 512;
  const matrix_laws::Law law = matrix_laws::marchenko_pastur({kappa, 1 / std::sqrt(kappa)});
  for (int panels = kFirst; panels <= kMostPanels; panels *= 2)
    if (std::vector<Node> nodes = layer_nodes(law, noise, panels); smooth(nodes)) return nodes;
  return {};
}

}  // namespace

std::optional<SingularValueLaw> SingularValueLaw::of(const InContextPrediction& prediction) {
  const InContextModel& model = prediction.model;
  const LayerNoise noise(prediction);
  constexpr double kInvisible = 1e-10;
  const bool noisy = std::isfinite(prediction.variance) && prediction.variance > kInvisible;
  if (!model.covariance.isotropic() || !noisy || !(noise.s > 0)) return std::nullopt;
  std::vector<Node> nodes = layer_nodes(model.tasks, noise);
  if (nodes.empty()) return std::nullopt;
  SingularValueLaw law(std::move(nodes), prediction.gap_number < 1);
  if (law.bands_.empty()) return std::nullopt;
  return law;
}

SingularValueLaw::SingularValueLaw(std::vector<Node> nodes, bool gap) : nodes_(std::move(nodes)) {
  double most = 0;
  for (const Node& node : nodes_) most = std::max(most, node.noise);
  unit_ = std::sqrt(most);
  for (Node& node : nodes_) {
    node.gain /= unit_;
    node.noise /= most;
  }
  find_bands(gap);
  tabulate();
}

SingularValueLaw::Resolvent SingularValueLaw::resolvent(const Node& node, const State& state, Complex z) {
  const Complex noisy = node.noise * state.b;
  // (z + a)(z + tb) − D², whose terms are of order z² where the noise is small beside the gain, and nearly cancel.
  const Complex determinant = (z - node.gain) * (z + node.gain) + z * (state.a + noisy) + state.a * noisy;
  return {z + state.a, z + noisy, 1.0 / determinant};
}

SingularValueLaw::State SingularValueLaw::map(const State& state, Complex z) const {
  State next;
  for (const Node& node : nodes_) {
    const auto [left, right, inverse] = resolvent(node, state, z);
    const Complex scaled = node.weight * inverse;
    next.a -= node.noise * left * scaled;
    next.b -= right * scaled;
  }
  return next;
}

SingularValueLaw::State SingularValueLaw::newton(const State& state, Complex z) const {
  // f = map(a, b) − (a, b), with its derivatives by a and b.
  Complex fa = -state.a, fb = -state.b, fa_a = -1, fa_b = 0, fb_a = 0, fb_b = -1;
  for (const Node& node : nodes_) {
    const auto [left, right, inverse] = resolvent(node, state, z);
    const Complex scaled = node.weight * inverse;
    fa -= node.noise * left * scaled;
    fb -= right * scaled;
    // d/da: left' = 1, det' = right; d/db: right' = t, det' = t left; left right − det = D².
    const Complex own = node.noise * node.gain * node.gain * scaled * inverse;
    fa_a += own;
    fa_b += node.noise * node.noise * left * left * scaled * inverse;
    fb_a += right * right * scaled * inverse;
    fb_b += own;
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
  state = solve(sigma / unit_, state);
  return 2 / std::numbers::pi * state.b.imag() / unit_;
}

bool SingularValueLaw::has_density_near(double sigma, State& state) const {
  return density_near(sigma, state) * unit_ > kNoDensity;
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
  for (int i = 0; i < kMostSteps && std::abs(outside - inside_point) > kTolerance * unit_; ++i) {
    const double middle = 0.5 * (outside + inside_point);
    (has_density_near(middle, state) ? inside_point : outside) = middle;
  }
  return inside_point;
}

void SingularValueLaw::find_bands(bool gap) {
  // Noise moves a gain by no more than twice its largest deviation.
  double least = 1, most = 0;
  bool atom = false;
  for (const Node& node : nodes_) {
    most = std::max(most, node.gain * unit_);
    if (node.gain == 0)
      atom = true;
    else
      least = std::min(least, node.gain * unit_);
  }
  const double reach = 2 * unit_;
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
  bool in = !gap;
  if (in) bands_.push_back({0, 0});
  State state = kStart;
  for (const double sigma : grid) {
    const bool now = has_density_near(sigma, state);
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
