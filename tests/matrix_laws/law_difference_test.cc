#include "attnlaw/matrix_laws/law_difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::matrix_laws {
namespace {

double identity(double x) { return x; }

TEST(LawDifference, OfALawToItselfIsZero) {
  const LawDifference none(semicircle(2), semicircle(2));
  EXPECT_LT(none.kolmogorov(), 1e-12);
  EXPECT_LT(none.wasserstein(identity), 1e-12);
}

/// F(x/a) − F(x/b) of two semicircles: W₁ is |a − b| times the mean of |x|, 8/(3π) for the unit variance.
TEST(LawDifference, ScaledSemicirclesInClosedForm) {
  const LawDifference scaled(semicircle(1), semicircle(2.25));
  EXPECT_NEAR(scaled.wasserstein(identity), 0.5 * 8 / (3 * M_PI), 1e-11);
  // The densities agree at x² = 4 a²b²/(a² + b²).
  const auto cdf = [](double x) { return 0.5 + x * std::sqrt(4 - x * x) / (4 * M_PI) + std::asin(0.5 * x) / M_PI; };
  const double x = std::sqrt(4 * 2.25 / 3.25);
  EXPECT_NEAR(scaled.kolmogorov(), cdf(x) - cdf(x / 1.5), 1e-12);
}

/// Ordered laws: W₁ is the difference of the means, in any increasing coordinate.
TEST(LawDifference, OfOrderedLawsIsTheDifferenceOfMeans) {
  const LawDifference ordered(marchenko_pastur({1, 1}), marchenko_pastur({1, 4}));
  EXPECT_NEAR(ordered.wasserstein(identity), 3, 1e-10);
  EXPECT_NEAR(ordered.wasserstein([](double v) { return std::sqrt(v); }), 8 / (3 * M_PI), 1e-10);
}

TEST(LawDifference, OfLawsSideBySideIsOne) {
  const Law left = semicircle_sum(DiscreteSpectrum{{-5}, {1}}, 1),
            right = semicircle_sum(DiscreteSpectrum{{5}, {1}}, 1);
  const LawDifference apart(left, right);
  EXPECT_NEAR(apart.kolmogorov(), 1, 1e-12);
  EXPECT_NEAR(apart.wasserstein(identity), 10, 1e-10);
}

TEST(LawDifference, RefusesAtoms) {
  EXPECT_THROW(LawDifference(marchenko_pastur({0.5, 1}), semicircle(1)), std::invalid_argument);
}

TEST(CdfAt, IsTheDistributionFunctionAtEveryPoint) {
  for (const Law& law : {marchenko_pastur({0.5, 1}), semicircle(1),
                         semicircle_sum(DiscreteSpectrum{{-3, 0, 4}, {0.2, 0.3, 0.5}}, 0.5)}) {
    const double points[] = {-10, -2.5, -1, 0, 0, 0.3, 1, 1.5, 3.9, 4.2, 20};
    const std::vector<double> values = cdf_at(law, points);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], law.cdf(points[i]), 1e-11) << points[i];
    EXPECT_EQ(values.front(), 0);
    EXPECT_NEAR(values.back(), 1, 1e-12);
  }
}

}  // namespace
}  // namespace attnlaw::matrix_laws
