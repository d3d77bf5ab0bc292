#include "attnlaw/theory/prior/denoiser.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/theory/prior/custom_denoiser.h"

namespace attnlaw::theory {

using matrix_laws::Law;
using matrix_laws::Spectrum;

bool many_atoms(const Spectrum& target) {
  constexpr std::size_t kMany = 2000;
  return target.discrete() && target.discrete()->atoms.size() > kMany;
}

Law noisy_target(const Spectrum& target, const Conjugates& conjugates, double resolve_up_to) {
  return matrix_laws::semicircle_sum(target.scaled(conjugates.m_hat), conjugates.q_hat, resolve_up_to);
}

std::vector<double> SpectralFunction::above(const std::vector<double>& x) const {
  if (bent) return bent->at(x);
  std::vector<double> values;
  for (const double at : x) values.push_back(slope * (at - shift));
  return values;
}

std::vector<double> SpectralFunction::at(const std::vector<double>& x) const {
  std::vector<double> values = above(x);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(x[i] > cut)) values[i] = 0;
  return values;
}

std::vector<double> SpectralFunction::slopes(const std::vector<double>& x) const {
  return bent ? bent->slopes(x) : std::vector<double>(x.size(), slope);
}

std::vector<matrix_laws::Interval> SpectralFunction::pieces(const matrix_laws::Interval& band,
                                                            const std::vector<double>& places) const {
  // So far beside a place f is what it is on that side.
  constexpr double kBeside = 1e-9;
  const double beside = kBeside * std::max(std::abs(band.lower), std::abs(band.upper));
  std::vector<matrix_laws::Interval> pieces;
  double begin = std::max(band.lower, cut);
  for (const double place : places) {
    if (place < begin - beside || place > band.upper) continue;
    if (place - beside > begin) pieces.push_back({begin, place - beside});
    begin = place + beside;
  }
  if (begin < band.upper) pieces.push_back({begin, band.upper});
  return pieces;
}

SpectralFunction ThresholdDenoiser::function(const Law& law, const Conjugates& conjugates) const {
  const double shift = threshold(conjugates);
  const double cut = width_ < 1 ? std::max(shift, law.quantile(1 - width_)) : shift;
  return {cut, shift, 1 / conjugates.V_hat, nullptr};
}

double posterior_mean(const Spectrum& spectrum, double variance, const Law::Node& node) {
  if (const auto* wishart = spectrum.wishart()) {
    const double jump = wishart->jump();
    return wishart->kappa * jump / std::norm(1.0 - jump * node.g);
  }
  if (const auto* product = spectrum.product()) {
    // Im(g R(g))/Im g, as the former, of the R-transform.
    const double jump = product->jump();
    const matrix_laws::Complex g = jump * node.g;
    return 2 * product->kappa * jump * g.real() / std::norm(1.0 - g * g);
  }
  const matrix_laws::DiscreteSpectrum& discrete = *spectrum.discrete();
  const matrix_laws::Complex w = node.x - variance * node.g;
  double mass = 0, first = 0;
  for (std::size_t i = 0; i < discrete.atoms.size(); ++i) {
    const double density = discrete.weights[i] / std::norm(w - discrete.atoms[i]);
    mass += density;
    first += density * discrete.atoms[i];
  }
  return first / mass;
}

bool weak_signal(const Spectrum& target, const Conjugates& conjugates) {
  constexpr double kWeak = 1e-4;
  return conjugates.m_hat * conjugates.m_hat * target.second_moment() <= kWeak * conjugates.q_hat;
}

double signal_overlap(const Spectrum& target, double m_hat, double mean, double by_parts,
                      std::optional<double> posterior) {
  if (m_hat == 0) return target.mean() * mean;
  return posterior.value_or(by_parts) / m_hat;
}

namespace {

/// Integrals over eigenvalues x of M: mass, (x − shift), (x − shift)², (x − shift) x, and −(x − shift) Im g²/π.
struct Integrals {
  double mass = 0, first = 0, square = 0, field = 0, response = 0;

  void add(const Law::Node& node, double shift) {
    const double excess = node.x - shift, weighted = node.weight * excess;
    mass += node.weight;
    first += weighted;
    square += weighted * excess;
    field += weighted * node.x;
    response += weighted * 2 * node.g.real();  // −Im(g²)/π = 2ρ Re g
  }

  /// Over the whole law, of the given moments: f linear has the response 1.
  static Integrals of_all(const Law& law, double shift) {
    const double mean = law.mean(), second = law.second_moment();
    return {1, mean - shift, second - 2 * shift * mean + shift * shift, second - shift * mean, 1};
  }

  Integrals operator-(const Integrals& other) const {
    return {mass - other.mass, first - other.first, square - other.square, field - other.field,
            response - other.response};
  }
  friend Integrals operator*(double c, const Integrals& all) {
    return {c * all.mass, c * all.first, c * all.square, c * all.field, c * all.response};
  }
};

/// Sets E = Q* − 2m + q of f on the noisy view M of a target as an integral of squares: of what f misses of E[S* | M]
/// at each eigenvalue, and of what M leaves open of S*; and with it, close to S*, q and m, as Q* less Tr S*(S* −
/// f(M))/d. All of M is `law`.
void set_deviation(const Spectrum& target, const Conjugates& conjugates, const Law& law, const SpectralFunction& f,
                   Symmetry symmetry, Overlaps& overlaps) {
  const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = conjugates;
  const Spectrum signal = target.scaled(m_hat);
  const double breakpoints[] = {-f.cut, f.cut};
  double missed = 0, short_of = 0, cubes = 0;
  for (const Law::Node& node : law.quadrature(breakpoints).nodes) {
    base::check_interrupt();
    const double side = symmetry == Symmetry::general && node.x < 0 ? -1 : 1;
    const double posterior = posterior_mean(signal, q_hat, node) / m_hat;
    double difference = -posterior;
    if (side * node.x > f.cut)  // f(x) − (x − 2q̂ Re g)/m̂
      difference =
          node.x * (m_hat - V_hat) / (m_hat * V_hat) - side * f.slope * f.shift + 2 * q_hat * node.g.real() / m_hat;
    missed += node.weight * difference * difference;
    short_of -= node.weight * posterior * difference;
    cubes += node.weight * node.g.imag() * node.g.imag();
  }
  const double left_open = q_hat / (m_hat * m_hat) * std::max(0.0, 1 - 4.0 / 3 * q_hat * cubes);
  const double Q_star = target.second_moment();
  overlaps.deviation = missed + left_open;
  constexpr double kClose = 1e-6;  // farther off m has digits enough
  if (overlaps.deviation > kClose * Q_star) return;
  overlaps.m = Q_star - (short_of + left_open);
  overlaps.q = overlaps.deviation - Q_star + 2 * overlaps.m;
}

}  // namespace

Denoiser::Result ThresholdDenoiser::evaluate(const Spectrum& target, const Conjugates& conjugates, int,
                                             PriorWorkspace*) const {
  // Of many atoms most may stand above the threshold, each in a band of its own: then what is below is integrated.
  const bool many = width_ >= 1 && many_atoms(target);
  const Law law = many ? noisy_target(target, conjugates, threshold(conjugates)) : noisy_target(target, conjugates);
  const SpectralFunction f = function(law, conjugates);
  const double breakpoints[] = {f.cut};
  const bool all_resolved = law.unresolved_mass() == 0;
  // What lies above the threshold alone counts; to rounding it is certified by the mass and moments of the whole law.
  const bool certified = many || tolerance_ <= kLawRounding;
  // Near the threshold many atoms stand as bumps in one band: resolved to what the sums over them are good for.
  constexpr double kManyTolerance = 1e-10;
  std::vector<Law::Node> nodes;
  Result result;
  if (certified) {
    const double tolerance = many ? std::max(tolerance_, kManyTolerance) : tolerance_;
    Law::Quadrature whole = law.quadrature(breakpoints, tolerance, Law::Nodes::few);
    result.law_error = whole.error();
    nodes = std::move(whole.nodes);
  } else {
    Law::UpperQuadrature upper = law.quadrature_above(f.cut, tolerance_);
    result.law_error = upper.error;
    nodes = std::move(upper.nodes);
  }
  Integrals over;
  for (const Law::Node& node : nodes)
    if ((node.x > f.cut) == all_resolved) over.add(node, f.shift);
  const Integrals kept = sides(symmetry_) * (all_resolved ? over : Integrals::of_all(law, f.shift) - over);
  result.penalty = kept.first * f.slope;
  result.overlaps.q = kept.square * f.slope * f.slope;
  result.overlaps.V = kept.response * f.slope;
  std::optional<double> posterior;
  if (conjugates.m_hat != 0 && weak_signal(target, conjugates) && all_resolved) {
    const Spectrum signal = target.scaled(conjugates.m_hat);
    double mean = 0;
    for (const Law::Node& node : nodes)
      if (node.x > f.cut) mean += node.weight * f(node.x) * posterior_mean(signal, conjugates.q_hat, node);
    posterior = sides(symmetry_) * mean;
  }
  result.overlaps.m = signal_overlap(target, conjugates.m_hat, result.penalty,
                                     (kept.field - conjugates.q_hat * kept.response) * f.slope, posterior);
  // Closer than this to the target, E as a difference of overlaps carries fewer digits than the law.
  constexpr double kClose = 1e-3;
  const double Q_star = target.second_moment();
  if (all_resolved && result.overlaps.estimation(Q_star) < kClose * Q_star)
    set_deviation(target, conjugates, law, f, symmetry_, result.overlaps);
  result.zero_mass = std::clamp(1 - kept.mass, 0.0, 1.0);
  return result;
}

Sectors ThresholdDenoiser::squared_response(const Law& law, const Conjugates& conjugates) const {
  const SpectralFunction f = function(law, conjugates);
  if (f.cut > f.shift && law.density(f.cut) > 0) return {std::numeric_limits<double>::infinity(), 0};
  // 1 between two kept eigenvalues, (f(x)/(x−y))² for a kept and a cut one, 0 between two that are cut; in units of
  // the slope. Beside a kept x of a symmetrised law there is −x, kept with a slope of 1 − 2·shift/(x+y) towards y.
  constexpr double kTolerance = 1e-6;
  const double breakpoints[] = {-f.cut, f.cut};
  const std::vector<Law::Node> nodes = law.quadrature(breakpoints, kTolerance).nodes;
  const bool general = symmetry_ == Symmetry::general;
  double kept_mass = 0, mixed = 0, opposite = 0;
  for (const Law::Node& kept : nodes) {
    base::check_interrupt();
    if (kept.x <= f.cut) continue;
    double row = 0, across = 0;
    for (const Law::Node& other : nodes) {
      if (other.x > f.cut) {
        if (general) across += other.weight * std::pow(1 - 2 * f.shift / (kept.x + other.x), 2);
      } else if (!general || other.x >= -f.cut) {
        row += other.weight * std::pow((kept.x - f.shift) / (kept.x - other.x), 2);
      }
    }
    kept_mass += kept.weight;
    mixed += kept.weight * row;
    opposite += kept.weight * across;
  }
  return {sides(symmetry_) * (kept_mass * kept_mass + 2 * mixed + opposite) * f.slope * f.slope, 0};
}

SpectralFunction LinearDenoiser::function(const Law&, const Conjugates& conjugates) const {
  return {-std::numeric_limits<double>::infinity(), 0, 1 / (conjugates.V_hat + stiffness_), nullptr};
}

Denoiser::Result LinearDenoiser::evaluate(const Spectrum& target, const Conjugates& conjugates, int,
                                          PriorWorkspace*) const {
  const auto& [q_hat, m_hat, V_hat, q_hat_a, V_hat_a] = conjugates;
  const double V = 1 / (V_hat + stiffness_);
  Result result;
  result.overlaps.V = V;
  result.overlaps.m = m_hat * target.second_moment() * V;
  result.overlaps.q = (m_hat * m_hat * target.second_moment() + q_hat) * V * V;
  const double shrinkage = (V_hat - m_hat + stiffness_) * V;
  result.overlaps.deviation = shrinkage * shrinkage * target.second_moment() + q_hat * V * V;
  if (q_hat_a > 0) {
    result.overlaps.V_a = 1 / (V_hat_a + stiffness_);
    result.overlaps.q_a = q_hat_a * result.overlaps.V_a * result.overlaps.V_a;
  }
  result.penalty = result.overlaps.q + result.overlaps.q_a;
  return result;
}

Sectors LinearDenoiser::squared_response(const Law&, const Conjugates& conjugates) const {
  const double V = 1 / (conjugates.V_hat + stiffness_);
  const double V_a = conjugates.q_hat_a > 0 ? 1 / (conjugates.V_hat_a + stiffness_) : 0;
  return {V * V, V_a * V_a};
}

Symmetry symmetry_of(const model::Problem& problem) {
  return problem.cross() ? Symmetry::general : Symmetry::symmetric;
}

std::unique_ptr<SpectralDenoiser> make_denoiser(const model::Problem& problem, double lambda, double tolerance) {
  const double scale = problem.symmetry() * lambda;
  if (problem.custom_penalty) return std::make_unique<CustomDenoiser>(problem, lambda);
  switch (problem.student) {
    case model::Student::tied:
      return std::make_unique<ThresholdDenoiser>(scale, problem.width, Symmetry::symmetric, tolerance);
    case model::Student::untied:
      if (problem.cross()) return std::make_unique<ThresholdDenoiser>(scale, 1, Symmetry::general, tolerance);
      break;
    case model::Student::direct:
    case model::Student::direct_general:
      return std::make_unique<LinearDenoiser>(2 * scale);
    case model::Student::bayes:
      break;
  }
  base::reject("the student {} of {}-attention is no spectral function with a penalty", model::name(problem.student),
               model::name(problem.attention));
}

}  // namespace attnlaw::theory
