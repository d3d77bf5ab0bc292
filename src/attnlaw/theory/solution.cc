#include "attnlaw/theory/solution.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
Collapse collapse_of(double square, double nuclear, double largest, double zero_mass) {
  if (!(square > 0)) return {};
  return {1 - zero_mass, square / (largest * largest), nuclear * nuclear / square, nuclear / std::sqrt(square)};
}

TrainedSpectrum recovered_spectrum(const matrix_laws::Spectrum& target, Symmetry symmetry) {
  const bool general = symmetry == Symmetry::general;
  const matrix_laws::Law law = matrix_laws::law_of(target);
  TrainedSpectrum spectrum;
  spectrum.zero_mass = 0;
  double nuclear = 0;
  for (const auto& atom : law.atoms()) {
    nuclear += atom.mass * std::abs(atom.x);
    if (atom.x == 0)
      spectrum.zero_mass = atom.mass;
    else if (!general || atom.x > 0)
      spectrum.edges.push_back({atom.x, atom.x});
  }
  // The bulk of a Wishart matrix has one sign.
  if (target.wishart()) nuclear = std::abs(target.mean());
  if (target.product())
    for (const auto& node : law.quadrature().nodes) nuclear += node.weight * std::abs(node.x);
  for (const auto& band : law.bands())
    if (!general || band.support.upper > 0) spectrum.edges.push_back(band.support);
  // All that is not 0 has detached from it.
  if (spectrum.zero_mass > 0 && target.mean() > 0 && law.hull().lower >= 0)
    spectrum.upper_mass = 1 - spectrum.zero_mass;
  const matrix_laws::Interval hull = law.hull();
  spectrum.collapse = collapse_of(target.second_moment(), nuclear, std::max(std::abs(hull.lower), std::abs(hull.upper)),
                                  spectrum.zero_mass);
  return spectrum;
}

namespace {

/// An exact copy of the target: f(x) = x on the law of S* itself.
bool copies_target(const Solution& solution) { return std::isinf(solution.conjugates.q_hat); }

matrix_laws::Law noisy_target_of(const Solution& solution, const matrix_laws::Spectrum& target) {
  return copies_target(solution) ? matrix_laws::law_of(target) : noisy_target(target, solution.conjugates);
}

}  // namespace

SpectralFunction spectral_function(const Solution& solution, const matrix_laws::Law& noisy_target) {
  if (copies_target(solution)) return {0, 0, 1};
  std::optional<RidgelessPhase> phase;
  if (solution.ridgeless) phase = solution.ridgeless->phase;
  return make_denoiser(solution.problem, effective_lambda(solution.problem, phase))
      ->function(noisy_target, solution.conjugates);
}

TrainedLaw::TrainedLaw(const Solution& solution, const matrix_laws::Spectrum& target)
    : symmetry_(symmetry_of(solution.problem)), noisy_target_(noisy_target_of(solution, target)) {
  function_ = kept_side(spectral_function(solution, noisy_target_), symmetry_);
}

TrainedLaw::Curve TrainedLaw::density() const {
  std::vector<double> places, densities;
  std::vector<std::size_t> seams;
  const auto add = [&](double x, double density) {
    places.push_back(x);
    densities.push_back(sides(symmetry_) * density);
  };
  const std::vector<double> bends = function_.bends();
  std::vector<double> breakpoints = bends;
  breakpoints.push_back(function_.cut);
  const std::vector<matrix_laws::Law::Node> nodes = noisy_target_.quadrature(breakpoints).nodes;
  auto node = nodes.begin();
  for (const auto& band : noisy_target_.bands()) {
    const std::vector<matrix_laws::Interval> pieces = function_.pieces(band.support, bends);
    for (const auto& [first, last] : pieces) {
      if (first != pieces.front().lower) seams.push_back(places.size());
      add(first, noisy_target_.density(first));
      while (node != nodes.end() && node->x <= first) ++node;
      for (; node != nodes.end() && node->x < last; ++node) add(node->x, -node->g.imag() / std::numbers::pi);
      add(last, last < band.support.upper ? noisy_target_.density(last) : 0);
    }
  }
  const std::vector<double> slopes = function_.slopes(places), s = function_.above(places);
  constexpr double kGap = 1e-6;
  Curve curve;
  auto seam = seams.begin();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const bool begins = seam != seams.end() && i == *seam;
    if (begins) ++seam;
    if (begins && s[i] - s[i - 1] > kGap * std::abs(s.back())) {
      // f jumps over a gap, in which there are no eigenvalues.
      curve.s.insert(curve.s.end(), {s[i - 1], s[i]});
      curve.density.insert(curve.density.end(), {0, 0});
    }
    if (!(slopes[i] > 0)) continue;  // taken to an atom
    curve.s.push_back(s[i]);
    curve.density.push_back(densities[i] / slopes[i]);
  }
  return curve;
}

double TrainedLaw::cdf(double s) const {
  // Eigenvalues of M up to the cut are trained to 0.
  const double x = function_.inverse(s);
  if (std::isinf(function_.cut)) return noisy_target_.cdf(x);
  const double below = s < 0 ? 0 : noisy_target_.cdf(std::max(x, function_.cut));
  // P(|x| ≤ x₀) = 2P(x ≤ x₀) − 1 of a symmetrised law.
  return symmetry_ == Symmetry::general ? std::max(0.0, 2 * below - 1) : below;
}

}  // namespace attnlaw::theory
