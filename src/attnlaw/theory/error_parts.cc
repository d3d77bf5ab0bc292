#include "attnlaw/theory/error_parts.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {

using matrix_laws::Law;
using matrix_laws::Spectrum;

namespace {

/// The bands that begin below a cut hold the atoms that are not learned; what of them is above the cut is noise.
struct UnlearnedBands {
  double weight = 0;
  double end;
};

UnlearnedBands unlearned_bands(const Law& law, double cut) {
  UnlearnedBands unlearned{.end = cut};
  for (const auto& band : law.bands()) {
    if (band.support.lower >= cut) break;
    unlearned.weight += band.mass;
    unlearned.end = band.support.upper;
  }
  return unlearned;
}

}  // namespace

double unlearned_weight(const Solution& solution, const Spectrum& target) {
  const Conjugates& conjugates = solution.conjugates;
  if (!(solution.overlaps.q > 0) || !usable(conjugates)) return 1;
  const SpectralFunction f = spectral_function(solution, noisy_target(target, conjugates, 0));
  return std::isinf(f.cut) ? 0 : unlearned_bands(noisy_target(target, conjugates, f.cut), f.cut).weight;
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
  const UnlearnedBands unlearned = unlearned_bands(law, f.cut);
  const double both = sides(symmetry_of(solution.problem));
  const double breakpoints[] = {f.cut};
  for (const Law::Node& node : law.quadrature(breakpoints).nodes) {
    if (node.x <= f.cut || node.x >= unlearned.end) continue;
    const double value = f(node.x);
    const double along_target = (node.x - 2 * conjugates.q_hat * node.g.real()) / conjugates.m_hat;
    parts.bulk += both * node.weight * value * (value - 2 * along_target);
  }
  double weight = 0;
  const Spectrum scaled = target.scaled(conjugates.m_hat);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    weight += weights[i];
    if (both > 1 && atoms[i] < 0) continue;
    if (weight - 0.5 * weights[i] <= unlearned.weight) {
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

TestParts test_parts(const Solution& solution, const OutputChannel& channel, double noise) {
  const double Q_star = solution.Q_star, E = solution.errors.estimation;
  const auto loss = [&](double orthogonal, double ratio) {
    return channel.fresh_loss({orthogonal + ratio * ratio * Q_star, ratio * Q_star, 0}, noise);
  };
  const double ratio = solution.overlaps.m / Q_star, along = (ratio - 1) * (ratio - 1) * Q_star;
  // The price of a smaller error is that of this one.
  const double orthogonal = std::max(E - along, TestParts::kTelling * Q_star);
  return TestParts::of(loss(orthogonal, ratio), loss(0, ratio), loss(0, 1), orthogonal, along, Q_star);
}

TestParts test_parts(const Solution& solution, double noise) {
  const Diagnostics& diagnostics = solution.diagnostics;
  return test_parts(solution, *make_output_channel(solution.problem, solution.Q_star, diagnostics.rule), noise);
}

}  // namespace attnlaw::theory
