/// Atoms that a semicircle blurs into one another.

#include "attnlaw/matrix_laws/merged_atoms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>
#include <random>

#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::matrix_laws {
namespace {

/// Atoms that lie in clusters of very different widths and weights.
DiscreteSpectrum clusters(unsigned seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform;
  std::normal_distribution<double> normal;
  DiscreteSpectrum spectrum;
  double centre = 0, width = 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 60 == 0) centre = 2 * normal(random), width = std::pow(10, -3 * uniform(random));
    spectrum.atoms.push_back(centre + width * normal(random));
    spectrum.weights.push_back(uniform(random) + 0.01);
  }
  std::sort(spectrum.atoms.begin(), spectrum.atoms.end());
  const double total = std::accumulate(spectrum.weights.begin(), spectrum.weights.end(), 0.0);
  for (double& weight : spectrum.weights) weight /= total;
  return spectrum;
}

double moment(const DiscreteSpectrum& spectrum, int power) {
  double sum = 0;
  for (std::size_t i = 0; i < spectrum.atoms.size(); ++i)
    sum += spectrum.weights[i] * std::pow(spectrum.atoms[i], power);
  return sum;
}

TEST(MergedAtoms, AreASpectrumOfTheSameMoments) {
  constexpr double kRounding = 1e-12;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const DiscreteSpectrum all = clusters(seed, 500);
    for (const double variance : {1e-4, 1e-2, 1.0, 100.0}) {
      const DiscreteSpectrum merged = merged_atoms(all, variance);
      EXPECT_TRUE(std::is_sorted(merged.atoms.begin(), merged.atoms.end()));
      EXPECT_GE(merged.atoms.front(), all.atoms.front());
      EXPECT_LE(merged.atoms.back(), all.atoms.back());
      for (const double weight : merged.weights) EXPECT_GE(weight, 0);
      for (int power = 0; power <= 6; ++power)
        EXPECT_NEAR(moment(merged, power), moment(all, power), kRounding * moment(all, 6)) << seed << " " << variance;
    }
  }
}

TEST(MergedAtoms, AreFewWhereTheSemicircleIsWide) {
  const DiscreteSpectrum all = clusters(1, 500);
  EXPECT_EQ(merged_atoms(all, 1e6).atoms.size(), 12u);
  EXPECT_EQ(merged_atoms(all, 1e-12).atoms, all.atoms);
}

TEST(MergedAtoms, OfFewDifferentValuesAreThose) {
  DiscreteSpectrum spectrum;
  for (int i = 0; i < 90; ++i) {
    spectrum.atoms.push_back(i / 30);
    spectrum.weights.push_back(1.0 / 90);
  }
  for (const double variance : {100.0, 0.01}) {  // all together, and those of one value
    const DiscreteSpectrum merged = merged_atoms(spectrum, variance);
    ASSERT_EQ(merged.atoms.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(merged.atoms[i], static_cast<double>(i), 1e-14);
      EXPECT_NEAR(merged.weights[i], 1.0 / 3, 1e-14);
    }
  }
}

/// g at every node solves the equation of the whole spectrum, g = Σ weight/(x − a²g − s).
TEST(MergedAtoms, LeaveTheLawAsItIs) {
  constexpr double kRounding = 1e-11;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    const Spectrum all = clusters(seed, 400);
    for (const double variance : {1e-3, 1e-2, 0.1, 1.0, 10.0}) {
      const Law law = semicircle_sum(all, variance);
      const Law::Quadrature quadrature = law.quadrature({});
      EXPECT_LT(quadrature.error(), 1e-11);
      for (const Law::Node& node : quadrature.nodes) {
        const Complex w = node.x - variance * node.g;
        EXPECT_LT(std::abs(all.stieltjes(w).value - node.g), kRounding * std::abs(node.g)) << seed << " " << variance;
      }
    }
  }
}

}  // namespace
}  // namespace attnlaw::matrix_laws
