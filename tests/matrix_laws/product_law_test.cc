#include "attnlaw/matrix_laws/product_law.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "attnlaw/matrix_laws/optimal_denoiser.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::matrix_laws {
namespace {

using std::numbers::pi;

/// The root-free form of the law of the sum (docs/theory/cross_attention.md): position and density at y = |g|², where
/// |cos 2φ| ≤ 1.
struct RootFree {
  bool inside = false;
  double x = 0, density = 0;

  RootFree(const ProductSpectrum& product, double variance, double y) {
    const double s2 = product.scale * product.scale, c = s2 / product.kappa;
    const double cosine = (1 + c * c * y * y - s2 * y * (1 + c * y) / (1 - variance * y)) / (2 * c * y);
    inside = std::abs(cosine) < 1;
    if (!inside) return;
    const double phi = 0.5 * std::acos(cosine);
    const Complex g = std::sqrt(y) * std::polar(1.0, -phi);
    x = (1.0 / g + variance * g + s2 * g / (1.0 - c * g * g)).real();
    density = std::sqrt(y) * std::sin(phi) / pi;
  }
};

struct Case {
  ProductSpectrum product;
  double variance;
};

const Case kCases[] = {{{0.5, 1}, 0.3},   {{0.3, 1.2}, 0.02}, {{2, 0.8}, 0.1},    {{1, 1}, 0.05},
                       {{0.05, 1}, 1e-3}, {{0.05, 3}, 2},     {{0.9, 1}, 1e-3},   {{1.1, -1}, 1e-3},
                       {{10, 2}, 0.01},   {{0.01, 1}, 0.4},   {{0.5, 1e-2}, 1e-4}};

TEST(ProductLaw, StieltjesTransformSolvesItsEquation) {
  for (const double kappa : {0.05, 0.5, 1.0, 2.0, 50.0})
    for (const Complex w :
         {Complex(0.3, 0.1), Complex(-2, 1e-3), Complex(0.01, 0.01), Complex(8, 0.5), Complex(0, 3)}) {
      const Stieltjes g = product_stieltjes(kappa, w);
      EXPECT_LT(g.value.imag(), 0);
      EXPECT_LT(std::abs(1.0 / g.value + kappa * g.value / (1.0 - g.value * g.value) - w), 1e-13 * (1 + std::abs(w)));
      const double step = 1e-5 * std::abs(w);
      const Complex slope =
          (product_stieltjes(kappa, w + step).value - product_stieltjes(kappa, w - step).value) / (2 * step);
      EXPECT_LT(std::abs(slope - g.derivative), 1e-6 * std::abs(slope)) << kappa << w;
    }
}

TEST(ProductLaw, MassAndMomentsOfTheBareLaw) {
  // Free cumulants κ b^n of even order: moments κ, κ + 2κ² of order 2 and 4 in units of the jump.
  for (const double kappa : {0.1, 0.5, 0.99, 1.0, 1.01, 3.0}) {
    const Law law = product_law({kappa, std::sqrt(kappa)});
    const Law::Quadrature quadrature = law.quadrature();
    EXPECT_LT(quadrature.error(), 1e-9) << kappa;
    double fourth = 0;
    for (const auto& node : quadrature.nodes) fourth += node.weight * std::pow(node.x, 4);
    EXPECT_NEAR(fourth, kappa + 2 * kappa * kappa, 1e-10 * (1 + kappa * kappa)) << kappa;
  }
}

TEST(ProductLaw, OffTheSupportTheTransformIsAnIntegral) {
  for (const ProductSpectrum& product : {ProductSpectrum{0.3, 1.5}, ProductSpectrum{0.8, -1}, ProductSpectrum{2, 1}}) {
    const Spectrum spectrum = product;
    const Law law = law_of(spectrum);
    const Interval bulk = product.bulk();
    for (const double w : {0.5 * bulk.lower, -0.4 * bulk.lower, 1.5 * bulk.upper, -3 * bulk.upper}) {
      if (w == 0) continue;
      double value = 0, slope = 0;
      for (const auto& atom : law.atoms()) value += atom.mass / w, slope -= atom.mass / (w * w);
      for (const auto& node : law.quadrature().nodes)
        value += node.weight / (w - node.x), slope -= node.weight / std::pow(w - node.x, 2);
      const Stieltjes g = spectrum.stieltjes(w);
      EXPECT_NEAR(g.value.real(), value, 1e-9 * std::abs(value));
      EXPECT_NEAR(g.derivative.real(), slope, 1e-8 * std::abs(slope));
      EXPECT_EQ(g.value.imag(), 0);
    }
  }
}

TEST(ProductLaw, ThreeFormsOfTheSumAgree) {
  for (const auto& [product, variance] : kCases) {
    const Law quartic = semicircle_sum(product, variance), biane = semicircle_sum_biane(product, variance);
    ASSERT_EQ(quartic.bands().size(), biane.bands().size());
    for (std::size_t i = 0; i < quartic.bands().size(); ++i) {
      const double scale = quartic.hull().upper;
      EXPECT_NEAR(quartic.bands()[i].support.lower, biane.bands()[i].support.lower, 1e-12 * scale);
      EXPECT_NEAR(quartic.bands()[i].support.upper, biane.bands()[i].support.upper, 1e-12 * scale);
      EXPECT_NEAR(quartic.bands()[i].mass, biane.bands()[i].mass, 1e-15);
    }
    EXPECT_LT(quartic.quadrature().error(), 1e-11) << product.kappa << " " << variance;
    int inside = 0;
    for (int k = 1; k < 400; ++k) {
      const RootFree point(product, variance, k / 400. / variance);
      if (!point.inside || point.density < 1e-3) continue;
      ++inside;
      EXPECT_NEAR(quartic.density(point.x), point.density, 1e-8 * point.density) << product.kappa << " " << point.x;
      EXPECT_NEAR(biane.density(point.x), point.density, 1e-8 * point.density) << product.kappa << " " << point.x;
      EXPECT_NEAR(quartic.density(-point.x), point.density, 1e-8 * point.density);
    }
    EXPECT_GT(inside, 0) << product.kappa << " " << variance;
  }
}

TEST(ProductLaw, SemicircleAtLargeRank) {
  const Law law = semicircle_sum(ProductSpectrum{1e7, 1}, 0.5), limit = semicircle(1.5);
  for (const double x : {0.1, 1.0, 2.0}) EXPECT_NEAR(law.density(x), limit.density(x), 1e-6);
}

TEST(ProductLaw, ResolvedWhereTheGapOpens) {
  for (const double kappa : {0.01, 0.3, 0.9}) {
    double open = 1e-9, closed = 1;
    for (int i = 0; i < 80; ++i) {
      const double middle = std::sqrt(open * closed);
      (product_sum_bands(kappa, middle).inner ? open : closed) = middle;
    }
    EXPECT_NEAR(open / closed, 1, 1e-12);
    for (const double distance : {1e-2, 1e-4, 1e-6, 1e-8})
      for (const double sign : {-1.0, 1.0}) {
        const double variance = open * (1 + sign * distance);
        const Law law = semicircle_sum(ProductSpectrum{kappa, std::sqrt(kappa)}, variance);
        EXPECT_EQ(law.bands().size(), sign < 0 ? 3u : 1u);
        EXPECT_LT(law.quadrature().error(), 1e-9) << kappa << " " << sign * distance;
      }
  }
}

TEST(ProductLaw, EstimatesAreThoseOfItsAtoms) {
  // Bayes-optimal estimation of S from S + √v Z: the variance explained, by two forms, and the slope of the mutual
  // information, MMSE/4.
  const Spectrum prior = ProductSpectrum{0.4, 1.3};
  for (const double v : {0.05, 0.8, 10.0}) {
    const OptimalDenoiser denoiser(prior, v);
    double explained = 0;
    for (const auto& node : denoiser.quadrature().nodes) explained += node.weight * std::pow(denoiser(node.x), 2);
    EXPECT_NEAR(denoiser.mean_square_error(), prior.second_moment() - explained, 1e-9);
    const double step = 1e-3 / v;
    const double slope = (OptimalDenoiser(prior, 1 / (1 / v + step)).mutual_information() -
                          OptimalDenoiser(prior, 1 / (1 / v - step)).mutual_information()) /
                         (2 * step);
    EXPECT_NEAR(slope, denoiser.mean_square_error() / 4, 1e-5 * slope);
  }
  EXPECT_DOUBLE_EQ(atom_collision(prior), 0.36);
}

TEST(ProductLaw, ScalesAndMirrors) {
  const Spectrum spectrum = ProductSpectrum{0.4, 1.3};
  EXPECT_EQ(spectrum.mean(), 0);
  EXPECT_DOUBLE_EQ(spectrum.scaled(-2).second_moment(), 4 * 1.69);
  EXPECT_DOUBLE_EQ(spectrum.scaled(-2).hull().upper, 2 * spectrum.hull().upper);
  EXPECT_EQ(spectrum.hull().lower, -spectrum.hull().upper);
  EXPECT_TRUE(symmetrised(spectrum).product());
  EXPECT_EQ(spectrum.scaled(0).discrete()->atoms, std::vector<double>{0});
  EXPECT_THROW(Spectrum(ProductSpectrum{0, 1}), std::invalid_argument);
  EXPECT_THROW(product_law({1, 0}), std::invalid_argument);
}

TEST(ProductLaw, CertifiedAtAnyScaleOfNoise) {
  for (const double kappa : {1e-3, 0.1, 0.5, 1.0, 2.0, 1e4, 1e9})
    for (double variance = 1e-6; variance < 1e7; variance *= 100)
      EXPECT_LT(semicircle_sum(ProductSpectrum{kappa, 1}, variance).quadrature().error(), 1e-9)
          << kappa << " " << variance;
}

}  // namespace
}  // namespace attnlaw::matrix_laws
