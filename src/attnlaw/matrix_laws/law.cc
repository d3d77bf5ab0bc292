#include "attnlaw/matrix_laws/law.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <stdexcept>

namespace attnlaw::matrix_laws {
namespace {

using std::numbers::pi;

constexpr unsigned kPanelNodes = 20;
constexpr int kKronrodNodes = 21;
constexpr double kMassTolerance = 1e-13;
/// A panel whose last bisection changed less than this share of the tolerance is left alone.
constexpr double kPanelShare = 0.1;
/// So many panels suffice for a band in which thousands of atoms are about to separate; if not, quadrature() reports
/// the error.
constexpr std::size_t kMaxPanels = 1 << 13;

double parameter_at(const Law::Band& band, double t) {
  const auto& [lower, upper] = band.parameter;
  const double sine = std::sin(0.5 * t), cosine = std::cos(0.5 * t);
  // The nearer end is the origin, so that distances from an edge keep their digits (a density may diverge there).
  return t < 0.5 * pi ? lower + (upper - lower) * sine * sine : upper - (upper - lower) * cosine * cosine;
}

double density_of(const Law::Point& point) { return std::max(0.0, -point.g.imag() / pi); }

double mass_of(std::span<const Law::Node> nodes) {
  double mass = 0;
  for (const auto& node : nodes) mass += node.weight;
  return mass;
}

}  // namespace

double Law::Quadrature::error() const {
  const double scale = root_mean_square > 0 ? root_mean_square : 1;
  return std::max(
      {std::abs(mass_error), std::abs(mean_error) / scale, std::abs(second_moment_error) / (scale * scale)});
}

Law::Law(std::vector<Atom> atoms, std::vector<Band> bands, Parametrisation parametrisation, double mean,
         double second_moment, bool symmetric)
    : atoms_(std::move(atoms)),
      bands_(std::move(bands)),
      parametrisation_(std::move(parametrisation)),
      mean_(mean),
      second_moment_(second_moment),
      symmetric_(symmetric) {
  unresolved_mass_ = 1;
  for (const Atom& atom : atoms_) unresolved_mass_ -= atom.mass;
  for (const Band& band : bands_) unresolved_mass_ -= band.mass;
  constexpr double kRounding = 1e-9;  // rounding of weights that add up to 1
  if (std::abs(unresolved_mass_) < kRounding) unresolved_mass_ = 0;
}

const Law::Band* Law::band_at(double x) const {
  for (const Band& band : bands_)
    if (x > band.support.lower && x < band.support.upper) return &band;
  return nullptr;
}

double Law::angle(const Band& band, double x) const {
  std::optional<Point> previous;
  const auto distance = [&](double t) {
    previous = parametrisation_(parameter_at(band, t), previous ? &*previous : nullptr);
    return previous->x - x;
  };
  // A parametrisation may be singular at the ends themselves, but their x is known.
  std::uintmax_t iterations = 100;
  const auto [low, high] =
      boost::math::tools::toms748_solve(distance, 0.0, pi, band.support.lower - x, band.support.upper - x,
                                        boost::math::tools::eps_tolerance<double>(), iterations);
  return 0.5 * (low + high);
}

double Law::density(double x) const {
  const Band* band = band_at(x);
  return band ? density_of(parametrisation_(parameter_at(*band, angle(*band, x)), nullptr)) : 0;
}

Complex Law::stieltjes(double x) const {
  const Band* band = band_at(x);
  if (!band)
    throw std::domain_error(
        fmt::format("the Stieltjes transform at x + i0 is asked for at x = {}, outside every band", x));
  return parametrisation_(parameter_at(*band, angle(*band, x)), nullptr).g;
}

double Law::cdf(double x) const {
  double probability = 0;
  for (const Atom& atom : atoms_)
    if (atom.x <= x) probability += atom.mass;
  for (const Band& band : bands_) {
    if (x >= band.support.upper) {
      probability += band.mass;
    } else if (x > band.support.lower) {
      const double cuts[] = {0, angle(band, x), pi};
      for (const Node& node : band_nodes(band, cuts, kMassTolerance))
        if (node.x <= x) probability += node.weight;
    }
  }
  return probability;
}

double Law::quantile(double p) const {
  if (!(p > 0 && p < 1)) throw std::domain_error(fmt::format("a quantile is asked for at p = {}, not in (0, 1)", p));
  // Atoms and bands are passed in ascending order, up to the one where the sum of masses reaches p.
  double below = 0;
  auto atom = atoms_.begin();
  const auto take_atoms = [&](double up_to) -> std::optional<double> {
    for (; atom != atoms_.end() && atom->x <= up_to; ++atom) {
      below += atom->mass;
      if (below >= p) return atom->x;
    }
    return std::nullopt;
  };
  for (const Band& band : bands_) {
    if (const auto x = take_atoms(band.support.lower)) return *x;
    if (below + band.mass < p) {
      below += band.mass;
      continue;
    }
    return quantile_in(band, p - below);
  }
  const auto x = take_atoms(std::numeric_limits<double>::infinity());
  return x ? *x : hull().upper;
}

double Law::quantile_in(const Band& band, double mass) const {
  const double cuts[] = {0, pi};
  double before = 0;
  for (const Panel& panel : band_panels(band, cuts, kMassTolerance)) {
    if (before + panel.mass < mass) {
      before += panel.mass;
      continue;
    }
    // A panel has resolved the band between its ends, and so does any shorter one.
    const auto excess = [&](double t) { return before + mass_of(panel_nodes(band, panel.from, t)) - mass; };
    std::uintmax_t iterations = 100;
    const auto [low, high] =
        boost::math::tools::toms748_solve(excess, panel.from, panel.to, before - mass, before + panel.mass - mass,
                                          boost::math::tools::eps_tolerance<double>(), iterations);
    return parametrisation_(parameter_at(band, 0.5 * (low + high)), nullptr).x;
  }
  return band.support.upper;
}

Interval Law::hull() const {
  Interval hull{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const Atom& atom : atoms_) hull = {std::min(hull.lower, atom.x), std::max(hull.upper, atom.x)};
  for (const Band& band : bands_)
    hull = {std::min(hull.lower, band.support.lower), std::max(hull.upper, band.support.upper)};
  return hull;
}

Law::AngleNode Law::angle_node(const Band& band, double t, std::optional<Point>& previous) const {
  const double half_parameter = 0.5 * (band.parameter.upper - band.parameter.lower);
  previous = parametrisation_(parameter_at(band, t), previous ? &*previous : nullptr);
  return {{previous->x, 0, previous->g}, density_of(*previous) * previous->dx_du * half_parameter * std::sin(t)};
}

std::vector<Law::Node> Law::panel_nodes(const Band& band, double from, double to) const {
  using Gauss = boost::math::quadrature::gauss<double, kPanelNodes>;
  const double half_panel = 0.5 * (to - from), centre = 0.5 * (to + from);
  const auto& abscissa = Gauss::abscissa();
  const auto& gauss_weights = Gauss::weights();
  constexpr int half_nodes = kPanelNodes / 2;
  std::vector<Node> nodes;
  nodes.reserve(kPanelNodes);
  std::optional<Point> previous;
  for (int k = -half_nodes; k < half_nodes; ++k) {  // ascending: the positive half of the rule, mirrored
    const auto index = static_cast<std::size_t>(k < 0 ? -k - 1 : k);
    auto [node, density] = angle_node(band, centre + (k < 0 ? -1 : 1) * half_panel * abscissa[index], previous);
    node.weight = density * half_panel * gauss_weights[index];
    nodes.push_back(node);
  }
  return nodes;
}

void Law::add_above(const Band& band, double from, double to, double tolerance, UpperQuadrature& result) const {
  using Kronrod = boost::math::quadrature::gauss_kronrod<double, kKronrodNodes>;
  using Gauss = boost::math::quadrature::gauss<double, kKronrodNodes / 2>;
  // Narrower panels than this meet the rounding of angles.
  constexpr double kNarrowest = 1e-6;
  const double half_panel = 0.5 * (to - from), centre = 0.5 * (to + from);
  constexpr int half_nodes = kKronrodNodes / 2;
  const std::size_t first = result.nodes.size();
  std::optional<Point> previous;
  double kronrod = 0, gauss = 0;
  for (int k = -half_nodes; k <= half_nodes; ++k) {
    const auto index = static_cast<std::size_t>(std::abs(k));
    auto [node, density] =
        angle_node(band, centre + (k < 0 ? -1 : 1) * half_panel * Kronrod::abscissa()[index], previous);
    node.weight = density * half_panel * Kronrod::weights()[index];
    kronrod += node.weight;
    if (index % 2 == 1) gauss += density * half_panel * Gauss::weights()[index / 2];
    result.nodes.push_back(node);
  }
  // The error of a Kronrod rule beside that of its Gauss rule, as in QUADPACK (Piessens et al., 1983).
  const double difference = std::abs(kronrod - gauss);
  const double error =
      kronrod > 0 ? std::min(difference, kronrod * std::pow(200 * difference / kronrod, 1.5)) : difference;
  if (!(error > tolerance) || half_panel < kNarrowest) {
    result.error += error;
    return;
  }
  result.nodes.resize(first);
  add_above(band, from, centre, 0.5 * tolerance, result);
  add_above(band, centre, to, 0.5 * tolerance, result);
}

std::optional<Law::UpperQuadrature> Law::whole_band(const Band& band, double tolerance) const {
  constexpr std::size_t kFewest = 4, kMost = 64;
  // Over a whole period the trapezoidal rule of n steps leaves c e^(−ns) of an analytic function: the square of what
  // n/2 steps do, over c, which is of the order of the mass. A wrong guess of c costs a factor.
  constexpr double kCaution = 10;
  // Without such a law, beside an end where the density does not vanish, more steps are of little use.
  constexpr double kFast = 0.1;
  const double middle = 0.5 * (band.support.lower + band.support.upper), half = band.support.upper - middle;
  struct Abscissa {
    Point point;
    double density;  // per angle
  };
  std::vector<Abscissa> abscissae;
  Eigen::Array3d before = Eigen::Array3d::Constant(std::numeric_limits<double>::infinity());
  double change_before = before[0];
  for (std::size_t steps = kFewest; steps <= kMost; steps *= 2) {
    // Those of half as many steps are every other one; the ends of a band have no density.
    std::vector<Abscissa> finer;
    const double step = pi / static_cast<double>(steps);
    Eigen::Array3d moments = Eigen::Array3d::Zero();
    for (std::size_t k = 1; k < steps; ++k) {
      if (k % 2 == 0 && !abscissae.empty()) {
        finer.push_back(abscissae[k / 2 - 1]);
      } else {
        std::optional<Point> nearby;
        if (!finer.empty()) nearby = finer.back().point;
        const double density = angle_node(band, step * static_cast<double>(k), nearby).density;
        finer.push_back({*nearby, density});
      }
      const double y = (finer.back().point.x - middle) / half;
      moments += step * finer.back().density * Eigen::Array3d(1, y, y * y);
    }
    abscissae = std::move(finer);
    const double mass = moments[0], change = (moments - before).abs().maxCoeff() / mass;
    if (change > kFast * change_before) return std::nullopt;
    before = moments;
    change_before = change;
    const double error = std::min(change, kCaution * change * change);
    if (!(error <= tolerance)) continue;
    UpperQuadrature result{{}, error * mass};
    for (const auto& [point, density] : abscissae) result.nodes.push_back({point.x, step * density, point.g});
    return result;
  }
  return std::nullopt;
}

Law::UpperQuadrature Law::quadrature_above(double cut, double tolerance) const {
  if (unresolved_mass_ > 0) throw std::logic_error("an upper quadrature needs all bands of a law");
  UpperQuadrature result;
  for (const Band& band : bands_) {
    if (band.support.upper <= cut) continue;
    const bool whole = band.support.lower >= cut;
    if (const auto nodes = whole ? whole_band(band, tolerance) : std::nullopt) {
      result.nodes.insert(result.nodes.end(), nodes->nodes.begin(), nodes->nodes.end());
      result.error += nodes->error;
    } else {
      add_above(band, whole ? 0 : angle(band, cut), pi, tolerance, result);
    }
  }
  return result;
}

std::vector<Law::Panel> Law::band_panels(const Band& band, std::span<const double> cuts, double tolerance) const {
  // Positions carry rounding errors, so no mass is more accurate than those relative to the width of its band.
  constexpr double kRounding = 16 * std::numeric_limits<double>::epsilon();
  const auto& [lower, upper] = band.support;
  tolerance = std::max(tolerance, kRounding * std::max(std::abs(lower), std::abs(upper)) / (upper - lower));
  const auto make_panel = [&](double from, double to) {
    Panel panel{from, to, 0, std::numeric_limits<double>::infinity(), panel_nodes(band, from, to)};
    panel.mass = mass_of(panel.nodes);
    return panel;
  };
  std::vector<Panel> panels;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) panels.push_back(make_panel(cuts[i], cuts[i + 1]));
  for (bool bisected = true; bisected && panels.size() < kMaxPanels;) {
    double mass = 0;
    for (const Panel& panel : panels) mass += panel.mass;
    if (std::abs(mass - band.mass) <= tolerance * band.mass) break;
    bisected = false;
    std::vector<Panel> refined;
    for (Panel& panel : panels) {
      if (panel.change <= kPanelShare * tolerance * band.mass) {
        refined.push_back(std::move(panel));
        continue;
      }
      const double middle = 0.5 * (panel.from + panel.to);
      Panel left = make_panel(panel.from, middle), right = make_panel(middle, panel.to);
      left.change = right.change = std::abs(left.mass + right.mass - panel.mass);
      refined.push_back(std::move(left));
      refined.push_back(std::move(right));
      bisected = true;
    }
    panels = std::move(refined);
  }
  return panels;
}

std::vector<Law::Node> Law::band_nodes(const Band& band, std::span<const double> cuts, double tolerance,
                                       Nodes count) const {
  constexpr std::size_t kEnds = 2;
  if (count == Nodes::few && cuts.size() == kEnds) {
    auto whole = whole_band(band, tolerance);
    if (whole && std::abs(mass_of(whole->nodes) - band.mass) <= tolerance * band.mass) return std::move(whole->nodes);
  }
  std::vector<Node> nodes;
  for (const Panel& panel : band_panels(band, cuts, tolerance))
    nodes.insert(nodes.end(), panel.nodes.begin(), panel.nodes.end());
  return nodes;
}

std::vector<Law::Node> Law::nodes(std::span<const double> breakpoints, double tolerance, Nodes count) const {
  const bool half = symmetric_ && unresolved_mass_ == 0;
  std::vector<Node> result;
  for (Band band : bands_) {
    // The sides are told apart by the parameters of the bands: 0 separates them also where rounding has closed a gap in
    // x.
    if (half && band.parameter.upper <= 0) continue;
    if (half && band.parameter.lower < 0) band = {{0, band.parameter.upper}, {0, band.support.upper}, 0.5 * band.mass};
    std::vector<double> cuts{0, pi};
    for (double x : breakpoints) {
      if (half) x = std::abs(x);
      if (x > band.support.lower && x < band.support.upper) cuts.push_back(angle(band, x));
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    const std::vector<Node> more = band_nodes(band, cuts, tolerance, count);
    result.insert(result.end(), more.begin(), more.end());
  }
  if (!half) return result;
  std::vector<Node> both;
  both.reserve(2 * result.size());
  for (auto node = result.rbegin(); node != result.rend(); ++node)
    both.push_back({-node->x, node->weight, -std::conj(node->g)});
  both.insert(both.end(), result.begin(), result.end());
  return both;
}

Law::Quadrature Law::quadrature(std::span<const double> breakpoints, double tolerance, Nodes count) const {
  Quadrature result;
  result.nodes = nodes(breakpoints, tolerance, count);
  double mass = 0, first = 0, second = 0;
  for (const Node& node : result.nodes) {
    mass += node.weight;
    first += node.weight * node.x;
    second += node.weight * node.x * node.x;
  }
  for (const Atom& atom : atoms_) {
    mass += atom.mass;
    first += atom.mass * atom.x;
    second += atom.mass * atom.x * atom.x;
  }
  result.mass_error = mass - (1 - unresolved_mass_);
  result.root_mean_square = std::sqrt(second_moment_);
  if (unresolved_mass_ > 0) return result;
  result.mean_error = first - mean_;
  result.second_moment_error = second - second_moment_;
  return result;
}

Law Law::mirrored() const {
  const auto mirror = [](Interval interval) { return Interval{-interval.upper, -interval.lower}; };
  std::vector<Atom> atoms(atoms_.rbegin(), atoms_.rend());
  for (Atom& atom : atoms) atom.x = -atom.x;
  std::vector<Band> bands(bands_.rbegin(), bands_.rend());
  for (Band& band : bands) band = {mirror(band.parameter), mirror(band.support), band.mass};
  auto parametrisation = [inner = parametrisation_](double u, const Point* nearby) {
    const auto reflect = [](const Point& p) { return Point{-p.x, p.dx_du, -std::conj(p.g), -p.slope}; };
    if (!nearby) return reflect(inner(-u, nullptr));
    const Point inner_nearby = reflect(*nearby);
    return reflect(inner(-u, &inner_nearby));
  };
  return Law(std::move(atoms), std::move(bands), std::move(parametrisation), -mean_, second_moment_, symmetric_);
}

}  // namespace attnlaw::matrix_laws
