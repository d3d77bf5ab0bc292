/// Hierarchical sums over atoms against direct ones, within their stated bound.

#include "attnlaw/matrix_laws/atom_sums.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/random.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::matrix_laws {
namespace {

struct Atoms {
  std::vector<double> atoms, weights;
};

/// Power law, uniform grid, clusters, coinciding values.
std::vector<Atoms> families(std::size_t count) {
  std::vector<Atoms> result(4);
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i + 1);
    result[0].atoms.push_back(300 * std::pow(x, -1.25));
    result[1].atoms.push_back(x / static_cast<double>(count));
    result[2].atoms.push_back(std::floor(8 * x / static_cast<double>(count)) + 1e-6 * std::sin(x));
    result[3].atoms.push_back(std::round(0.01 * x));
  }
  for (Atoms& family : result) {
    std::sort(family.atoms.begin(), family.atoms.end());
    for (std::size_t i = 0; i < count; ++i)
      family.weights.push_back((1.0 + static_cast<double>(i % 3)) / (2.0 * static_cast<double>(count)));
  }
  return result;
}

TEST(AtomTree, StaysWithinItsErrorBound) {
  // Contributions to |G| add up to at most Σ weight/|w − s|: the scale of the bound. Sums with r² are its derivatives.
  constexpr double kRounding = 1e-13;
  const double bound = AtomTree::error_bound() + kRounding;
  const double steepness = std::pow(AtomTree::kNodes * AtomTree::kSeparation, 3);
  for (const Atoms& family : families(5000)) {
    const AtomTree tree(family.atoms, family.weights);
    std::vector<double> draws(800);
    base::NormalStream(5, 1).fill(0, std::span(draws));
    for (std::size_t k = 0; k + 1 < draws.size(); k += 2) {
      const double span = family.atoms.back() - family.atoms.front();
      const double u = family.atoms.front() + span * (0.5 + 0.5 * draws[k]);
      const double v2 = span * span * std::exp(6 * draws[k + 1] - 8);
      const AtomSums fast = tree(u, v2);
      const AtomSums direct = atom_sums(family.atoms.data(), family.weights.data(), family.atoms.size(), u, v2);
      double scale = 0;
      for (std::size_t i = 0; i < family.atoms.size(); ++i)
        scale += family.weights[i] / std::hypot(u - family.atoms[i], std::sqrt(v2));
      EXPECT_NEAR(fast.re_g, direct.re_g, bound * scale);
      EXPECT_NEAR(fast.phi, direct.phi, bound * steepness * direct.phi);
      EXPECT_NEAR(fast.phi_slope, direct.phi_slope, bound * steepness * direct.phi_slope);
    }
  }
}

TEST(AtomTree, LeavesOutTheAtomItStandsOn) {
  const Atoms family = families(3000)[0];
  const AtomTree tree(family.atoms, family.weights);
  for (const std::size_t i : {std::size_t(0), std::size_t(17), std::size_t(1500), std::size_t(2999)}) {
    const AtomSums fast = tree.without(i);
    const AtomSums direct = atom_sums_without(family.atoms.data(), family.weights.data(), family.atoms.size(), i);
    EXPECT_NEAR(fast.phi, direct.phi, 1e-11 * direct.phi);
    EXPECT_NEAR(fast.re_g, direct.re_g, 1e-11 * std::abs(direct.re_g) + 1e-13 * std::sqrt(direct.phi));
  }
}

TEST(AtomTree, MultiplesOfASpectrumShareIt) {
  const Atoms family = families(3000)[0];
  const Spectrum spectrum = DiscreteSpectrum{family.atoms, family.weights};
  for (const double c : {1.0, 0.3, -2.0}) {
    const Spectrum scaled = spectrum.scaled(c);
    const DiscreteSpectrum& atoms = *scaled.discrete();
    const AtomSums direct = atom_sums(atoms.atoms.data(), atoms.weights.data(), atoms.atoms.size(), 0.7, 0.01);
    const AtomSums fast = scaled.atom_sums(0.7, 0.01);
    EXPECT_NEAR(fast.phi, direct.phi, 1e-11 * direct.phi);
    EXPECT_NEAR(fast.tilt, direct.tilt, 1e-10 * direct.phi_slope);
    EXPECT_NEAR(scaled.atom_sums_without(5).phi,
                atom_sums_without(atoms.atoms.data(), atoms.weights.data(), 3000, 5).phi,
                1e-11 * fast.phi + 1e-10 * scaled.atom_sums_without(5).phi);
  }
}

TEST(SemicircleSum, CanLeaveBandsAboveAThresholdUnresolved) {
  std::vector<double> atoms;
  for (int i = 1; i <= 3000; ++i) atoms.push_back(80 * std::pow(i, -1.25));
  const Spectrum spectrum = Spectrum::from_eigenvalues(atoms);
  const Law whole = semicircle_sum(spectrum, 0.02);
  const Law part = semicircle_sum(spectrum, 0.02, 0.3);
  ASSERT_LT(part.bands().size(), whole.bands().size());
  double mass = 0;
  for (std::size_t i = 0; i < part.bands().size(); ++i) {
    EXPECT_NEAR(part.bands()[i].support.lower, whole.bands()[i].support.lower, 1e-12);
    EXPECT_NEAR(part.bands()[i].support.upper, whole.bands()[i].support.upper, 1e-12);
    mass += part.bands()[i].mass;
  }
  EXPECT_GE(part.bands().back().support.upper, 0.2);
  EXPECT_NEAR(part.unresolved_mass(), 1 - mass, 1e-12);
  EXPECT_NEAR(part.cdf(0.25), whole.cdf(0.25), 1e-12);
  EXPECT_LT(std::abs(part.quadrature().mass_error), 1e-12);
}

}  // namespace
}  // namespace attnlaw::matrix_laws
