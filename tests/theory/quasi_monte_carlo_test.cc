/// Rules for expectations over normal vectors: moments, independence of scrambles, order of convergence.

#include "attnlaw/theory/channel/quasi_monte_carlo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "attnlaw/base/normal.h"

namespace attnlaw::theory {
namespace {

using Function = std::function<double(std::span<const double>)>;

double expectation(const NormalRule& rule, const Function& f) {
  double sum = 0;
  for (std::size_t i = 0; i < rule.weights.size(); ++i)
    sum += rule.weights[i] * f(std::span(rule.points).subspan(i * rule.dimension, rule.dimension));
  return sum;
}

double exponential(std::span<const double> x) { return std::exp(0.3 * std::accumulate(x.begin(), x.end(), 0.0)); }
double exponential_mean(std::size_t dimension) { return std::exp(0.045 * static_cast<double>(dimension)); }

/// Root mean square error of E exponential over independent scrambles.
double exponential_error(std::size_t dimension, int log2_points, int seeds) {
  double square = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const double error =
        expectation(scrambled_sobol_rule(dimension, log2_points, static_cast<std::uint64_t>(seed)), exponential) -
        exponential_mean(dimension);
    square += error * error / seeds;
  }
  return std::sqrt(square);
}

TEST(QuasiMonteCarlo, WeightsAddUpToOne) {
  for (const std::size_t dimension : {1U, 4U, 18U}) {
    const NormalRule rule = scrambled_sobol_rule(dimension, 10, 1);
    EXPECT_EQ(rule.weights.size(), 1024U);
    EXPECT_EQ(rule.points.size(), 1024U * dimension);
    EXPECT_NEAR(std::accumulate(rule.weights.begin(), rule.weights.end(), 0.0), 1, 1e-13);
    for (const double weight : rule.weights) EXPECT_GT(weight, 0);
  }
}

TEST(QuasiMonteCarlo, PointsAreQuantilesOfTheMiddlesOfIntervals) {
  // The law that points are sampled from is 1.2 times as wide in one dimension; a point in a tail, which has a formula
  // of its own, is as exact as one in the middle.
  constexpr double kWidth = 1.2, kIntervals = 0x1p32, kRounding = 2e-5;
  const NormalRule rule = scrambled_sobol_rule(1, 15, 3);
  for (const double x : rule.points) {
    const double place = base::normal_cdf(x / kWidth) * kIntervals - 0.5;
    ASSERT_NEAR(place, std::round(place), kRounding) << x;
  }
  const auto [least, largest] = std::minmax_element(rule.points.begin(), rule.points.end());
  EXPECT_LT(*least, -3.5 * kWidth);
  EXPECT_GT(*largest, 3.5 * kWidth);
}

TEST(QuasiMonteCarlo, FirstAndSecondMomentsAreThoseOfTheNormalLaw) {
  // A Monte Carlo estimate of a second moment from as many points has a standard error of √(2/2^14) = 0.011.
  constexpr double kTolerance = 2e-3;
  const std::size_t dimension = 6;
  const NormalRule rule = scrambled_sobol_rule(dimension, 14, 2);
  for (std::size_t i = 0; i < dimension; ++i) {
    EXPECT_NEAR(expectation(rule, [i](auto x) { return x[i]; }), 0, kTolerance);
    for (std::size_t j = 0; j <= i; ++j)
      EXPECT_NEAR(expectation(rule, [i, j](auto x) { return x[i] * x[j]; }), i == j ? 1 : 0, kTolerance);
  }
}

TEST(QuasiMonteCarlo, ExponentialMeanIsThatOfTheLogNormalLaw) {
  for (const std::size_t dimension : {1U, 4U, 10U})
    EXPECT_NEAR(expectation(scrambled_sobol_rule(dimension, 14, 3), exponential) / exponential_mean(dimension), 1,
                1e-3);
}

TEST(QuasiMonteCarlo, ConvergesFasterThanMonteCarlo) {
  // Monte Carlo: order 1/2. Over a factor of 16 in points the error must fall by more than 16^0.8.
  constexpr int kSeeds = 32;
  for (const std::size_t dimension : {4U, 10U}) {
    const double coarse = exponential_error(dimension, 8, kSeeds), fine = exponential_error(dimension, 12, kSeeds);
    EXPECT_GT(std::log(coarse / fine) / std::log(16.0), 0.8) << "dimension " << dimension;
    const double variance = exponential_mean(dimension) * exponential_mean(dimension) *
                            (std::exp(0.09 * static_cast<double>(dimension)) - 1);
    EXPECT_LT(fine, 0.2 * std::sqrt(variance / 4096)) << "against Monte Carlo, dimension " << dimension;
  }
}

TEST(QuasiMonteCarlo, ScramblesAreIndependentAndUnbiased) {
  // The mean over N independent unbiased estimates lies within a few standard errors of the truth; correlated errors
  // would leave it outside.
  constexpr int kSeeds = 256;
  const std::size_t dimension = 4;
  double mean = 0, square = 0, neighbours = 0, previous = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const double error =
        expectation(scrambled_sobol_rule(dimension, 8, static_cast<std::uint64_t>(seed)), exponential) -
        exponential_mean(dimension);
    mean += error / kSeeds;
    square += error * error / kSeeds;
    neighbours += error * previous / kSeeds;
    previous = error;
  }
  const double standard_error = std::sqrt(square / kSeeds);
  EXPECT_LT(std::abs(mean), 4 * standard_error);
  EXPECT_LT(std::abs(neighbours) / square, 4 / std::sqrt(kSeeds));
}

TEST(QuasiMonteCarlo, SameSeedSamePointsOtherSeedOthers) {
  const NormalRule one = scrambled_sobol_rule(4, 6, 7), same = scrambled_sobol_rule(4, 6, 7);
  EXPECT_EQ(one.points, same.points);
  EXPECT_EQ(one.weights, same.weights);
  EXPECT_NE(one.points, scrambled_sobol_rule(4, 6, 8).points);
}

}  // namespace
}  // namespace attnlaw::theory
