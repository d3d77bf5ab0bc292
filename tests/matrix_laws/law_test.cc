#include "attnlaw/matrix_laws/law.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::matrix_laws {
namespace {

double moment(const Law& law, int power) {
  double sum = 0;
  for (const auto& node : law.quadrature().nodes) sum += node.weight * std::pow(node.x, power);
  for (const auto& atom : law.atoms()) sum += atom.mass * std::pow(atom.x, power);
  return sum;
}

TEST(Law, SemicircleMomentsAreCatalanNumbers) {
  const Law law = semicircle(1);
  EXPECT_NEAR(moment(law, 4), 2, 1e-12);
  EXPECT_NEAR(moment(law, 6), 5, 1e-12);
  EXPECT_NEAR(moment(law, 8), 14, 1e-11);
}

TEST(Law, SemicircleDensityAndDistributionInClosedForm) {
  const Law law = semicircle(0.25);  // support [-1, 1]
  for (const double x : {-0.9, -0.3, 0.0, 0.5, 0.99}) {
    EXPECT_NEAR(law.density(x), 2 / std::numbers::pi * std::sqrt(1 - x * x), 1e-13);
    EXPECT_NEAR(law.cdf(x), 0.5 + (x * std::sqrt(1 - x * x) + std::asin(x)) / std::numbers::pi, 1e-11);
  }
  EXPECT_EQ(law.cdf(-1), 0);
  EXPECT_EQ(law.cdf(1), 1);
  EXPECT_EQ(law.density(1.5), 0);
}

TEST(Law, MarchenkoPasturMomentsAreNarayanaSums) {
  for (const double kappa : {0.1, 0.5, 0.97, 3.0}) {
    const Law law = marchenko_pastur({kappa, std::sqrt(kappa)});  // jump 1: moments κ, κ+κ², κ+3κ²+κ³, κ+6κ²+6κ³+κ⁴
    const double k2 = kappa * kappa, k3 = k2 * kappa;
    EXPECT_NEAR(moment(law, 1), kappa, 1e-10);
    EXPECT_NEAR(moment(law, 3), kappa + 3 * k2 + k3, 1e-10 * (1 + k3));
    EXPECT_NEAR(moment(law, 4), kappa + 6 * k2 + 6 * k3 + k3 * kappa, 1e-10 * (1 + k3 * kappa));
    EXPECT_LT(law.quadrature().error(), 1e-10);
  }
}

TEST(Law, DistributionStepsAtTheAtom) {
  const Law law = marchenko_pastur({0.5, 1});
  EXPECT_EQ(law.cdf(-1e-9), 0);
  EXPECT_EQ(law.cdf(0), 0.5);
  EXPECT_NEAR(law.cdf(law.hull().upper), 1, 1e-15);
}

TEST(Law, NodesAboveACutAreThoseOfTheWholeLaw) {
  // Bands with a gap, with one about to close, and a symmetric law; cuts inside a band, in a gap, and beyond all.
  std::vector<double> eigenvalues(40, 0.0);
  eigenvalues[39] = 3, eigenvalues[38] = 2.5;
  const Law laws[] = {semicircle_sum(WishartSpectrum{0.5, 1}, 0.02), semicircle_sum(WishartSpectrum{0.5, 1}, 0.3),
                      semicircle_sum(ProductSpectrum{0.4, 1}, 0.1),
                      semicircle_sum(Spectrum::from_eigenvalues(eigenvalues), 0.05)};
  for (const Law& law : laws)
    for (const double share : {-1.0, 0.2, 0.5, 0.8, 0.97, 2.0}) {
      const auto [lower, upper] = law.hull();
      const double cut = lower + share * (upper - lower), breakpoints[] = {cut};
      const auto above = [&](const std::vector<Law::Node>& nodes) {
        std::array<double, 3> sums{};
        for (const Law::Node& node : nodes)
          if (node.x > cut)
            sums[0] += node.weight, sums[1] += node.weight * node.x, sums[2] += node.weight * node.g.real();
        return sums;
      };
      const auto exact = above(law.quadrature(breakpoints).nodes);
      for (const double tolerance : {1e-6, 1e-10}) {
        const Law::UpperQuadrature quadrature = law.quadrature_above(cut, tolerance);
        EXPECT_LE(quadrature.error, 2 * tolerance);
        const auto found = above(quadrature.nodes);
        for (std::size_t i = 0; i < 3; ++i)
          EXPECT_NEAR(found[i], exact[i], 10 * tolerance + 1e-12) << "cut " << cut << " of " << lower << ", " << upper;
      }
    }
}

TEST(Law, BreakpointsMakeKinkedIntegrandsExact) {
  const Law law = semicircle(1);
  const double kink = 0.7;
  const double breakpoints[] = {kink};
  double positive_part = 0;
  for (const auto& node : law.quadrature(breakpoints).nodes)
    positive_part += node.weight * std::max(0.0, node.x - kink);
  // ∫_t^2 (x−t) √(4−x²)/2π dx in closed form.
  const double s = std::sqrt(4 - kink * kink);
  const double exact = (s * s * s / 3 - kink * (2 * std::acos(kink / 2) - kink * s / 2)) / (2 * std::numbers::pi);
  EXPECT_NEAR(positive_part, exact, 1e-13);
}

TEST(Law, MirrorTurnsDensityAround) {
  const Law law = marchenko_pastur({2, 1});
  const Law mirrored = law.mirrored();
  EXPECT_NEAR(mirrored.density(-1.3), law.density(1.3), 1e-13);
  EXPECT_NEAR(mirrored.cdf(-1.3), 1 - law.cdf(1.3), 1e-11);
  EXPECT_NEAR(std::abs(mirrored.stieltjes(-1.3) + std::conj(law.stieltjes(1.3))), 0, 1e-13);
}

TEST(Law, StieltjesOutsideTheBandsIsAnError) { EXPECT_THROW(semicircle(1).stieltjes(3), std::domain_error); }

}  // namespace
}  // namespace attnlaw::matrix_laws
