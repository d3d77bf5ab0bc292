#include "attnlaw/matrix_laws/semicircle_sum.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "attnlaw/matrix_laws/standard_laws.h"
#include "decompositions.h"

namespace attnlaw::matrix_laws {
namespace {

/// Two-point approximation ends, power laws, near-degenerate clusters: what a law must survive.
std::vector<Spectrum> hard_spectra() {
  std::vector<double> power_law, uniform, cluster;
  for (int i = 1; i <= 300; ++i) {
    power_law.push_back(10 * std::pow(i, -1.25));
    uniform.push_back(i / 300.0);
    cluster.push_back(i < 100 ? 0.0 : (i < 250 ? 1.0 : 1.0 + 1e-6 * i));
  }
  return {Spectrum::from_eigenvalues(power_law),
          Spectrum::from_eigenvalues(uniform),
          Spectrum::from_eigenvalues(cluster),
          DiscreteSpectrum{{-2, 3}, {0.5, 0.5}},
          WishartSpectrum{0.05, 1},
          WishartSpectrum{0.5, 3},
          WishartSpectrum{1, 1},
          WishartSpectrum{4, 0.3},
          WishartSpectrum{0.3, -1.5}};
}

TEST(SemicircleSum, NodesCarryMassOneAndTheExactMoments) {
  for (const Spectrum& spectrum : hard_spectra())
    for (const double variance : {1e-4, 1e-2, 0.3, 1.0, 30.0}) {
      const Law law = semicircle_sum(spectrum, variance);
      EXPECT_LT(law.quadrature().error(), 1e-9) << "variance " << variance;
      EXPECT_NEAR(law.second_moment(), spectrum.second_moment() + variance, 1e-12 * law.second_moment());
    }
}

TEST(SemicircleSum, OfAPointMassIsAShiftedSemicircle) {
  const Law law = semicircle_sum(DiscreteSpectrum{{3}, {1}}, 0.49);
  const Law reference = semicircle(0.49);
  ASSERT_EQ(law.bands().size(), 1u);
  EXPECT_NEAR(law.bands()[0].support.lower, 1.6, 1e-12);
  EXPECT_NEAR(law.bands()[0].support.upper, 4.4, 1e-12);
  for (const double x : {-1.3, -0.2, 0.0, 0.8}) {
    EXPECT_NEAR(law.density(3 + x), reference.density(x), 1e-12);
    EXPECT_NEAR(law.cdf(3 + x), reference.cdf(x), 1e-10);
  }
}

TEST(SemicircleSum, CubicAgreesWithBianeForWishartSpectra) {
  for (const double kappa : {0.05, 0.3, 0.8, 1.0, 2.5})
    for (const double scale : {0.4, 1.0, 3.0, -1.0})
      for (const double variance : {1e-3, 0.05, 0.5, 2.0, 20.0}) {
        const Spectrum spectrum = WishartSpectrum{kappa, scale};
        const Law cubic = semicircle_sum(spectrum, variance);
        const Law biane = semicircle_sum_biane(spectrum, variance);
        ASSERT_EQ(cubic.bands().size(), biane.bands().size());
        for (const Law::Band& band : cubic.bands())
          for (const double fraction : {0.01, 0.2, 0.5, 0.7, 0.95}) {
            const double x = band.support.lower + fraction * (band.support.upper - band.support.lower);
            const Complex g = cubic.stieltjes(x);
            EXPECT_NEAR(std::abs(g - biane.stieltjes(x)), 0, 1e-8 * std::abs(g))
                << kappa << ' ' << scale << ' ' << variance << ' ' << x;
          }
      }
}

TEST(SemicircleSum, StieltjesTransformSolvesPastursEquation) {
  // g(x) = G_μ(x − a² g(x)): the defining equation of the free convolution with a semicircle.
  for (const Spectrum& spectrum : hard_spectra())
    for (const double variance : {0.01, 0.5, 4.0}) {
      const Law law = semicircle_sum(spectrum, variance);
      for (const Law::Node& node : law.quadrature().nodes) {
        const Complex w = node.x - variance * node.g;
        if (w.imag() > 1e-4) {
          ASSERT_NEAR(std::abs(spectrum.stieltjes(w).value - node.g), 0, 1e-7 * std::abs(node.g))
              << variance << ' ' << node.x;
        }
      }
    }
}

TEST(SemicircleSum, WishartLawIsTheLimitOfItsQuantiles) {
  // A Wishart target entered as 400 quantile atoms has nearly the same law: two routes to one density.
  const WishartSpectrum wishart{2, 1};
  const Law marchenko = marchenko_pastur(wishart);
  std::vector<double> quantiles;
  const Interval hull = marchenko.hull();
  for (int i = 0; i < 400; ++i) {
    double low = hull.lower, high = hull.upper;
    for (int k = 0; k < 40; ++k)
      (marchenko.cdf(0.5 * (low + high)) < (i + 0.5) / 400 ? low : high) = 0.5 * (low + high);
    quantiles.push_back(0.5 * (low + high));
  }
  const Law exact = semicircle_sum(wishart, 0.2);
  const Law sampled = semicircle_sum(Spectrum::from_eigenvalues(quantiles), 0.2);
  for (const double x : {0.0, 0.8, 1.7, 3.0}) EXPECT_NEAR(exact.density(x), sampled.density(x), 2e-4);
}

TEST(SemicircleSum, AgreesWithASampledMatrix) {
  const int d = 400;
  std::mt19937_64 generator(7);
  std::normal_distribution<double> normal;
  Eigen::VectorXd target(d);
  for (int i = 0; i < d; ++i) target[i] = 4 * std::pow(i + 1, -0.8);
  const double variance = 0.09;
  Eigen::MatrixXd matrix = target.asDiagonal();
  for (int i = 0; i < d; ++i)
    for (int j = 0; j <= i; ++j) {
      const double entry = std::sqrt(variance * (i == j ? 2.0 : 1.0) / d) * normal(generator);
      matrix(i, j) += entry;
      if (i != j) matrix(j, i) += entry;
    }
  const Eigen::VectorXd eigenvalues = test::eigenvalues(matrix);
  const Law law =
      semicircle_sum(Spectrum::from_eigenvalues(std::vector<double>(target.begin(), target.end())), variance);
  double distance = 0;
  for (int i = 0; i < d; ++i) distance = std::max(distance, std::abs(law.cdf(eigenvalues[i]) - (i + 0.5) / d));
  // Eigenvalues are rigid: each lies within O(log d/d) of its quantile.
  EXPECT_LT(distance, 2 * std::log(d) / d);
}

TEST(SemicircleSum, FewWideAtomsSplitIntoBandsThatCarryTheirWeights) {
  const Law law = semicircle_sum(DiscreteSpectrum{{0, 1, 10}, {0.7, 0.2, 0.1}}, 0.01);
  ASSERT_EQ(law.bands().size(), 3u);
  EXPECT_DOUBLE_EQ(law.bands()[0].mass, 0.7);
  EXPECT_DOUBLE_EQ(law.bands()[2].mass, 0.1);
  EXPECT_NEAR(law.cdf(0.5), 0.7, 1e-14);
}

TEST(SemicircleSum, OutliersOnABulkAtZeroFollowTheBbpRule) {
  const int d = 100000;
  const Spectrum spectrum = DiscreteSpectrum{{0, 0.9, 1.5, 4}, {1 - 3.0 / d, 1.0 / d, 1.0 / d, 1.0 / d}};
  const auto visible = outliers(semicircle_sum(spectrum, 1), spectrum, 1);
  ASSERT_EQ(visible.size(), 2u);  // 0.9 < a stays hidden
  for (const Outlier& outlier : visible) {
    EXPECT_NEAR(outlier.eigenvalue, outlier.target + 1 / outlier.target, 5e-4);
    EXPECT_NEAR(outlier.overlap, 1 - 1 / (outlier.target * outlier.target), 5e-4);
  }
  const Spectrum wishart = WishartSpectrum{0.5, 1};
  EXPECT_TRUE(outliers(semicircle_sum(wishart, 1), wishart, 1).empty());
}

TEST(SemicircleSum, AnAtomInsideABandIsNoOutlier) {
  // Atoms so far apart that each is visible beside the others, but not from them: one band.
  std::vector<double> atoms;
  for (int i = 0; i < 50; ++i) atoms.push_back(0.1 * i);
  const Spectrum spectrum = Spectrum::from_eigenvalues(atoms);
  const Law law = semicircle_sum(spectrum, 0.1);
  EXPECT_EQ(law.bands().size(), 1u);
  EXPECT_TRUE(outliers(law, spectrum, 0.1).empty());
}

TEST(SemicircleSum, TenThousandAtoms) {
  std::vector<double> atoms;
  for (int i = 1; i <= 10000; ++i) atoms.push_back(80 * std::pow(i, -1.25));
  const Law law = semicircle_sum(Spectrum::from_eigenvalues(atoms), 0.02);
  EXPECT_GT(law.bands().size(), 10u);
  EXPECT_LT(law.quadrature().error(), 1e-9);
}

TEST(SemicircleSum, FindsTheEdgesOfEveryWishartTarget) {
  // At κ = 0.3 the rounded edge of the target's bulk lies just inside its support.
  for (const double kappa : {0.05, 0.3, 0.5, 0.7, 0.99, 1.0, 1.5, 3.0})
    for (const double variance : {1e-4, 1e-3, 0.01, 0.1, 0.13, 1.0, 10.0}) {
      const Law law = semicircle_sum(WishartSpectrum{kappa, 1}, variance);
      EXPECT_LT(law.quadrature().error(), 1e-11) << kappa << ' ' << variance;
    }
}

/// A symmetric law computes one half of its nodes: the same integrals as of the law moved aside, which does not.
TEST(SemicircleSum, OfSymmetricSpectraIsTheMovedLawMovedBack) {
  constexpr double kAside = 0.25, kCut = 0.4;
  for (const std::vector<double>& values : {std::vector<double>{0, 0, 0.5, 2}, {1, 1.1, 3}, {0, 0, 0, 1}}) {
    const Spectrum spectrum = symmetrised(Spectrum::from_eigenvalues(values));
    ASSERT_TRUE(spectrum.symmetric());
    DiscreteSpectrum aside = *spectrum.discrete();
    for (double& atom : aside.atoms) atom += kAside;
    ASSERT_FALSE(Spectrum(aside).symmetric());
    for (const double variance : {0.01, 0.3, 4.0}) {
      const auto integrals = [&](const Spectrum& of, double origin) {
        const double cuts[] = {origin - kCut, origin + kCut};
        double above = 0, response = 0, below = 0, last = -std::numeric_limits<double>::infinity();
        for (const Law::Node& node : semicircle_sum(of, variance).quadrature(cuts).nodes) {
          const double x = node.x - origin;
          EXPECT_GT(node.x, last);
          last = node.x;
          if (x > kCut) above += node.weight * (x - kCut), response += node.weight * (x - kCut) * node.g.real();
          if (x < -kCut) below += node.weight * x * x;
        }
        return std::array{above, response, below};
      };
      const auto here = integrals(spectrum, 0), there = integrals(aside, kAside);
      for (std::size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(here[i], there[i], 1e-11 * (1 + std::abs(here[i])));
    }
  }
  EXPECT_TRUE(Spectrum(ProductSpectrum{0.5, 1}).symmetric());
  EXPECT_FALSE(Spectrum(WishartSpectrum{0.5, 1}).symmetric());
}

TEST(SemicircleSum, RejectsAVarianceThatIsNone) {
  for (const double variance : {0.0, -1.0, std::nan(""), HUGE_VAL})
    EXPECT_THROW(semicircle_sum(WishartSpectrum{1, 1}, variance), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::matrix_laws
