#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "attnlaw/companion/lofi_law.h"

namespace attnlaw::companion {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;

WeightLaw signs() { return {(ArrayXd(2) << -1, 1).finished(), ArrayXd::Constant(2, 0.5)}; }

// ---------------------------------------------------------------------------------------------------- the law alone

TEST(LofiLaw, EdgesOfSignsAndOfConstantWeightsAreClosedForms) {
  EXPECT_NEAR(LofiLaw(signs(), 1).upper_edge().eigenvalue, 1.5 * std::sqrt(3), 1e-9);
  EXPECT_NEAR(LofiLaw(signs(), 4).upper_edge().eigenvalue, 1.100917, 5e-7);
  EXPECT_NEAR(LofiLaw(signs(), 16).upper_edge().eigenvalue, 0.514583, 5e-7);
  const WeightLaw ones{ArrayXd::Ones(1), ArrayXd::Ones(1)};
  for (const double delta : {0.3, 1.0, 4.0, 50.0}) {
    EXPECT_NEAR(LofiLaw(ones, delta).upper_edge().eigenvalue, std::pow(1 + 1 / std::sqrt(delta), 2), 1e-9);
    const double lower = delta > 1 ? std::pow(1 - 1 / std::sqrt(delta), 2) : 0;
    EXPECT_NEAR(-LofiLaw(ones.negated(), delta).upper_edge().eigenvalue, lower, 1e-9);
  }
}

TEST(LofiLaw, AnisotropicEdgesOfWhiteFeaturesAreTheSame) {
  for (const double delta : {0.5, 1.0, 4.0, 16.0}) {
    const AnisotropicLofiLaw law(signs(), 100 * delta, ArrayXd::Ones(100));
    EXPECT_NEAR(law.upper_edge(), LofiLaw(signs(), delta).upper_edge().eigenvalue, 1e-9);
  }
}

/// E[s sᵀ | y] of y = sign(s₁s₂) at the nodes y = −1, 1.
RelevantMoments parity_moments() {
  const double a = 2 / std::numbers::pi;
  return {(ArrayXXd(2, 4) << 1, -a, -a, 1, 1, a, a, 1).finished(), 2};
}

TEST(LofiLaw, ParityEmergesAtItsClosedForms) {
  const double a = 2 / std::numbers::pi;
  const auto plain = emergence_thresholds(signs(), parity_moments());
  EXPECT_NEAR(plain[0].delta, 2.93312, 1e-5);
  EXPECT_TRUE(std::isinf(plain[1].delta));  // the other direction is at the lower end
  EXPECT_NEAR(std::abs(plain[0].direction.sum()), std::sqrt(2), 1e-9);
  const WeightLaw best{(ArrayXd(2) << -a / (1 - a), a / (1 + a)).finished(), ArrayXd::Constant(2, 0.5)};
  EXPECT_NEAR(emergence_thresholds(best, parity_moments())[0].delta, std::pow(std::numbers::pi, 2) / 4, 1e-5);

  const std::vector<double> deltas{4, 6, 10, 20};
  const std::vector<double> overlaps{.24333, .49955, .71309, .86527}, best_overlaps{.4292, .6618, .8206, .9188};
  const std::vector<double> positions{1.1158, .9394, .8090, .7191};
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    const auto seen = LofiLaw(signs(), deltas[i]).outliers(parity_moments());
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_NEAR(seen[0].overlap, overlaps[i], 5e-6);
    EXPECT_NEAR(seen[0].eigenvalue, positions[i], 5e-5);
    EXPECT_NEAR(LofiLaw(best, deltas[i]).outliers(parity_moments()).at(0).overlap, best_overlaps[i], 5e-5);
  }
  EXPECT_TRUE(LofiLaw(signs(), 2.9).outliers(parity_moments()).empty());
}

TEST(LofiLaw, TailOfTracyWidom) {
  EXPECT_NEAR(tracy_widom_tail(0.9793), 0.05001, 5e-5);
  EXPECT_NEAR(tracy_widom_tail(2.0234), 0.00983, 5e-5);
  EXPECT_NEAR(tracy_widom_tail(3.2724), 0.00095, 5e-5);
}

}  // namespace
}  // namespace attnlaw::companion
