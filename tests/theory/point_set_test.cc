/// Rules for expectations over pairs of normals: moments, what their replicates tell of their errors, steps.

#include "attnlaw/theory/channel/point_set.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

namespace attnlaw::theory {
namespace {

using std::numbers::pi;

/// Mean of f(τ, ρ) over a replicate; τ and ρ have `coordinates` entries each.
template <class Function>
double mean(const PointSet& set, std::size_t coordinates, std::size_t replicate, const Function& f) {
  double sum = 0;
  for (std::size_t pack = set.first_pack[replicate]; pack < set.first_pack[replicate + 1]; ++pack)
    for (int lane = 0; lane < kLanes; ++lane) {
      std::array<double, 2> tau{}, rho{};
      for (std::size_t k = 0; k < coordinates; ++k) {
        tau[k] = set.normals[pack * 2 * coordinates + k].lanes[lane];
        rho[k] = set.normals[pack * 2 * coordinates + coordinates + k].lanes[lane];
      }
      sum += set.weights[pack].lanes[lane] * f(tau, rho);
    }
  return sum;
}

using Pair = std::array<double, 2>;

TEST(GridRule, IntegratesWhatIsEvenInEveryPair) {
  const GridRule hermite{.label_step = 0.5, .radius = 8, .hermite = 12};
  const GridRule trapezoid{.label_step = 0.5, .radius = 8, .hermite = 0, .noise_step = 0.5};
  for (const GridRule& rule : {hermite, trapezoid})
    for (const std::size_t coordinates : {std::size_t{1}, std::size_t{2}}) {
      const auto set = point_set(coordinates, rule);
      ASSERT_EQ(set->replicates(), 2U);
      for (const std::size_t replicate : {std::size_t{0}, std::size_t{1}}) {
        const auto expect = [&](double value, const auto& f) {
          EXPECT_NEAR(mean(*set, coordinates, replicate, f), value, 1e-10);
        };
        expect(1, [](Pair, Pair) { return 1.0; });
        expect(3, [](Pair tau, Pair) { return std::pow(tau[0], 4); });
        expect(1, [](Pair tau, Pair rho) { return std::pow(tau[0] * rho[0], 2); });
        expect(std::exp(-0.5 * (0.49 + 1.21)),
               [](Pair tau, Pair rho) { return std::cos(0.7 * tau[0] + 1.1 * rho[0]); });
        if (coordinates == 2)
          expect(std::exp(-0.5 * (0.49 + 1.21 + 0.36)),
                 [](Pair tau, Pair rho) { return std::cos(0.7 * tau[0] + 1.1 * rho[0]) * std::cos(0.6 * tau[1]); });
      }
    }
}

TEST(GridRule, ReplicatesDifferByTwiceTheLeadingError) {
  // cos(2πτ/h) is 1 on one grid and −1 on the other; its mean is e^(−2π²/h²).
  constexpr double kStep = 1;
  const GridRule rule{.label_step = kStep, .radius = 9, .hermite = 3};
  for (const std::size_t coordinates : {std::size_t{1}, std::size_t{2}}) {
    const auto set = point_set(coordinates, rule);
    const auto wave = [](Pair tau, Pair) { return std::cos(2 * pi * tau[0] / kStep); };
    const double first = mean(*set, coordinates, 0, wave), second = mean(*set, coordinates, 1, wave);
    EXPECT_NEAR(first, 1, 1e-12);
    EXPECT_NEAR(second, -1, 1e-8);
    EXPECT_NEAR(0.5 * (first + second), std::exp(-2 * pi * pi / (kStep * kStep)), 1e-8);
  }
}

TEST(GridRule, SizeIsAboutTheNumberOfPoints) {
  for (const std::size_t coordinates : {std::size_t{1}, std::size_t{2}})
    for (const int hermite : {0, 4}) {
      const GridRule rule{.label_step = 0.4, .radius = 5, .hermite = hermite, .noise_step = 0.5};
      const double points = static_cast<double>(point_set(coordinates, rule)->points);
      EXPECT_NEAR(grid_size(coordinates, rule), points, 0.5 * points);
    }
}

TEST(PointSet, IsSharedForAsLongAsSomebodyHoldsIt) {
  const GridRule grid{.label_step = 0.5, .radius = 4, .hermite = 3},
      finer{.label_step = 0.4, .radius = 4, .hermite = 3};
  for (const PointRule& rule : {PointRule(grid), PointRule(SobolRule{8})}) {
    const auto held = point_set(2, rule);
    EXPECT_EQ(point_set(2, rule), held);
    EXPECT_NE(point_set(1, rule), held);
  }
  const auto held = point_set(2, grid);
  EXPECT_NE(point_set(2, finer), held);
  EXPECT_NE(point_set(4, 8), point_set(2, PointRule(SobolRule{8})));  // pairs of opposite noise or not
}

TEST(SobolRule, OddPowersOfTheNoiseVanish) {
  const auto set = point_set(2, PointRule(SobolRule{8}));
  EXPECT_EQ(set->points, 8U * 256);
  for (std::size_t replicate = 0; replicate < set->replicates(); ++replicate) {
    EXPECT_NEAR(mean(*set, 2, replicate, [](Pair tau, Pair rho) { return tau[1] * tau[1] * rho[0]; }), 0, 1e-13);
    EXPECT_NEAR(mean(*set, 2, replicate, [](Pair tau, Pair rho) { return tau[0] * std::sinh(rho[1]); }), 0, 1e-13);
    EXPECT_NEAR(mean(*set, 2, replicate, [](Pair, Pair rho) { return rho[0] * rho[0]; }), 1, 0.05);
  }
}

TEST(TrapezoidalRule, StepAndRadiusMeetTheError) {
  // E s²/(s² + x²) = s √(π/2) e^(s²/2) erfc(s/√2), of poles at ±is.
  for (const double strip : {0.3, 1.0, 2.5})
    for (const double digits : {6.0, 12.0, 20.0}) {
      const double step = trapezoidal_step(strip, digits), radius = trapezoidal_radius(digits);
      double sum = 0, total = 0;
      for (int i = -static_cast<int>(radius / step); i * step <= radius; ++i) {
        const double x = i * step, weight = std::exp(-0.5 * x * x);
        sum += weight * strip * strip / (strip * strip + x * x);
        total += weight;
      }
      const double exact =
          strip * std::sqrt(0.5 * pi) * std::exp(0.5 * strip * strip) * std::erfc(strip / std::sqrt(2.0));
      EXPECT_NEAR(sum / total, exact, 20 * std::exp(-digits)) << strip << " " << digits;
      EXPECT_GT(step, 0.05 * strip) << "or any function would do";
    }
}

}  // namespace
}  // namespace attnlaw::theory
