#include "attnlaw/base/normal.h"

#include <gtest/gtest.h>

#include <cmath>

namespace attnlaw::base {
namespace {

TEST(Normal, DensityIsTheDerivativeOfTheDistribution) {
  constexpr double kStep = 1e-5;
  for (const double x : {-3.0, -0.5, 0.0, 1.2, 4.0})
    EXPECT_NEAR((normal_cdf(x + kStep) - normal_cdf(x - kStep)) / (2 * kStep), normal_density(x), 1e-10) << x;
}

TEST(Normal, LowerTailKeepsItsDigits) {
  // Mills' ratio: Φ(−x) = φ(x)/x (1 − 1/x² + 3/x⁴ − …), an enclosing series.
  constexpr double x = 30;
  const double leading = normal_density(x) / x;
  EXPECT_LT(normal_cdf(-x), leading * (1 - 1 / (x * x) + 3 / std::pow(x, 4)));
  EXPECT_GT(normal_cdf(-x), leading * (1 - 1 / (x * x)));
}

TEST(Normal, NodesIntegrateMomentsExactly) {
  const GaussNodes nodes = normal_nodes(12);
  double moment = 1;  // (p − 1)!!
  for (int p = 0; p <= 22; p += 2) {
    double even = 0, odd = 0;
    for (std::size_t i = 0; i < nodes.points.size(); ++i) {
      even += nodes.weights[i] * std::pow(nodes.points[i], p);
      odd += nodes.weights[i] * std::pow(nodes.points[i], p + 1);
    }
    EXPECT_NEAR(even / moment, 1, 1e-11) << p;
    EXPECT_NEAR(odd / moment, 0, 1e-11 * (p + 1)) << p;
    moment *= p + 1;
  }
}

}  // namespace
}  // namespace attnlaw::base
