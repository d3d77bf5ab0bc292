#include "families.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attnlaw::accuracy {
namespace {

using matrix_laws::DiscreteSpectrum;
using matrix_laws::Spectrum;
using matrix_laws::WishartSpectrum;

int count(double effort, int full) { return std::max(1, static_cast<int>(std::lround(effort * full))); }

LawCase wishart_case(double kappa, double scale, double variance) {
  return {WishartSpectrum{kappa, scale}, variance, fmt::format("κ = {}, scale {}, a² = {}", kappa, scale, variance)};
}

LawCase atoms_case(DiscreteSpectrum spectrum, double variance) {
  const std::string name = fmt::format("atoms {}, weights {}, a² = {}", fmt::join(spectrum.atoms, " "),
                                       fmt::join(spectrum.weights, " "), variance);
  return {std::move(spectrum), variance, name};
}

/// Noise that just splits the atom of κ < 1 from the bulk.
double critical_variance(const WishartSpectrum& wishart) {
  const double jump = wishart.scale / std::sqrt(wishart.kappa);
  const double g = 1 / (jump * (1 - std::cbrt(wishart.kappa)));
  return 1 / (g * g) - wishart.kappa * jump * jump / std::pow(1 - jump * g, 2);
}

Family wishart_family(std::string name, int cases, double least, double most, double kappa, Draw& draw) {
  Family family{std::move(name), {}};
  for (int i = 0; i < cases; ++i) {
    const double k = kappa > 0 ? kappa : draw.decades(-2, 1.5);
    const double scale = draw.decades(-2, 2);
    family.cases.push_back(wishart_case(k, scale, draw.decades(least, most) * scale * scale / k));
  }
  return family;
}

Family merging_wishart(int cases, Draw& draw) {
  Family family{"Wishart, gap opening: a² = a_c²(1 ± 10^−2…−8)", {}};
  for (int i = 0; i < cases; ++i) {
    const WishartSpectrum wishart{draw.decades(-2, -0.1), 1};
    const double sign = i % 2 == 0 ? 1 : -1;
    family.cases.push_back(
        wishart_case(wishart.kappa, 1, critical_variance(wishart) * (1 + sign * draw.decades(-8, -2))));
  }
  return family;
}

DiscreteSpectrum random_atoms(int atoms, Draw& draw) {
  DiscreteSpectrum spectrum;
  double total = 0;
  for (int i = 0; i < atoms; ++i) {
    spectrum.atoms.push_back(draw.normal());
    spectrum.weights.push_back(draw.decades(-2, 0));
    total += spectrum.weights.back();
  }
  std::sort(spectrum.atoms.begin(), spectrum.atoms.end());
  for (double& weight : spectrum.weights) weight /= total;
  return spectrum;
}

Family few_atoms(int cases, double least, double most, Draw& draw) {
  Family family{fmt::format("2–6 atoms N(0,1), a² = 10^{}…{}", least, most), {}};
  for (int i = 0; i < cases; ++i)
    family.cases.push_back(atoms_case(random_atoms(draw.integer(2, 6), draw), draw.decades(least, most)));
  return family;
}

Family merging_atoms(int cases, Draw& draw) {
  Family family{"2 atoms, gap opening: a² = a_c²(1 ± 10^−2…−8)", {}};
  for (int i = 0; i < cases; ++i) {
    const double weight = draw.uniform(0.05, 0.95), sign = i % 2 == 0 ? 1 : -1;
    const double critical = 4 / std::pow(std::cbrt(weight) + std::cbrt(1 - weight), 3);
    family.cases.push_back(atoms_case({{-1, 1}, {weight, 1 - weight}}, critical * (1 + sign * draw.decades(-8, -2))));
  }
  return family;
}

Family power_law(int atoms, const std::vector<double>& variances) {
  constexpr double kExponent = 1.25;
  std::vector<double> eigenvalues;
  double norm = 0;
  for (int i = 1; i <= atoms; ++i) norm += std::pow(i, -2 * kExponent);
  for (int i = 1; i <= atoms; ++i) eigenvalues.push_back(std::sqrt(atoms / norm) * std::pow(i, -kExponent));
  Family family{fmt::format("power law i^−1.25 of {} atoms", atoms), {}};
  for (const double variance : variances)
    family.cases.push_back({Spectrum::from_eigenvalues(eigenvalues), variance, fmt::format("a² = {}", variance)});
  return family;
}

}  // namespace

std::vector<Family> families(double effort) {
  Draw draw(1);
  std::vector<Family> result;
  result.push_back(wishart_family("Wishart κ = 10^−2…1.5, a²/b² = 10^−4…4", count(effort, 40), -4, 4, 0, draw));
  result.push_back(wishart_family("Wishart, weak noise: a²/b² = 10^−10…−4", count(effort, 20), -10, -4, 0, draw));
  result.push_back(wishart_family("Wishart κ = 1 (hard edge), a²/b² = 10^−10…4", count(effort, 20), -10, 4, 1, draw));
  result.push_back(merging_wishart(count(effort, 20), draw));
  result.push_back(few_atoms(count(effort, 40), -3, 3, draw));
  result.push_back(few_atoms(count(effort, 20), -8, -3, draw));
  result.push_back(merging_atoms(count(effort, 20), draw));
  result.push_back(effort >= 1 ? power_law(400, {1e-3, 0.1, 10}) : power_law(20, {0.1}));
  return result;
}

}  // namespace attnlaw::accuracy
