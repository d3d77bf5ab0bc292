/// What the templates of the output channels ask of a loss: the losses of the library have it, and a toy that lacks one
/// member has not.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "attnlaw/laws/adapter/softmax.h"
#include "attnlaw/theory/channel/rows_channel.h"
#include "attnlaw/theory/evolution/search.h"

namespace attnlaw::theory {
namespace {

static_assert(RowLoss<SquareLoss> && RowLoss<EntryLoss> && RowLoss<CrossEntropyLoss>);

static_assert(ChannelLoss<LogisticFeatures<1, EntryLoss>> && ChannelLoss<LogisticFeatures<2, CrossEntropyLoss>>);
static_assert(ChannelLoss<SingleRow<3, SquareLoss>> && ChannelLoss<SingleRow<0, CrossEntropyLoss>>);
static_assert(ChannelLoss<SoftmaxRows<3>> && ChannelLoss<SoftmaxRows<0, true>> &&
              ChannelLoss<SoftmaxRows<0, false, CrossEntropyLoss>>);

// The proximal point of an adapter is sought by the same search; its labels are drawn elsewhere.
static_assert(SearchableLoss<laws::AdapterPair> && !ChannelLoss<laws::AdapterPair>);

struct ToyRowLoss {
  static constexpr bool kConvex = true;
  static constexpr double kReach = 1, kWeight = 0;
  static LogisticPoint at(Pack y, Pack x) { return CrossEntropyLoss::at(y, x); }
  template <int kTokens>
  using Row = CrossEntropyLoss::Row<kTokens>;
};
static_assert(RowLoss<ToyRowLoss>);

struct WithoutDerivatives : ToyRowLoss {
  template <int kTokens>
  using Row = SoftmaxRow<kTokens>;
};
static_assert(!RowLoss<WithoutDerivatives>);

class WithoutReach : ToyRowLoss {
 public:
  using ToyRowLoss::at, ToyRowLoss::kConvex, ToyRowLoss::kWeight, ToyRowLoss::Row;
};
static_assert(!RowLoss<WithoutReach>);

/// (z − y)²/2.
struct Parabola {
  using Label = Pack;
  static constexpr int kDimension = 1;
  static int dimension() { return 1; }
  static double reach() { return 1; }
  template <Curvature = Curvature::hessian>
  static void expand(Pack y, const Pack* z, Expansion<1>& at) {
    at.gradient[0] = *z - y;
    at.value = 0.5 * at.gradient[0] * at.gradient[0];
    at.hessian[0] = 1;
  }
};
static_assert(SmoothLoss<Parabola> && !SearchableLoss<Parabola>);

struct ParabolaOfOneStart : Parabola {
  static Mask certain(Pack, Pack, double) { return Pack(0) < Pack(1); }
  static int further_starts(const Pack&) { return 0; }
  static constexpr int kAlwaysTried = 0;
  static void further_start(int, const SearchFrom<Pack>&, Pack*) {}
};
static_assert(SearchableLoss<ParabolaOfOneStart> && !ChannelLoss<ParabolaOfOneStart>);

class WithoutLabel : ParabolaOfOneStart {
 public:
  using ParabolaOfOneStart::kDimension, ParabolaOfOneStart::dimension, ParabolaOfOneStart::expand,
      ParabolaOfOneStart::reach;
};
static_assert(!SmoothLoss<WithoutLabel>);

TEST(Proximal, OfAToyLossIsTheWeightedMean) {
  const ParabolaOfOneStart loss;
  GlobalProximal<ParabolaOfOneStart> proximal(loss);
  const Pack omega = 3, fit = 1;
  constexpr double kV = 0.5;
  const Pack point = proximal.solve(1, &omega, &fit, kV).point[0];
  for (int lane = 0; lane < kLanes; ++lane) EXPECT_NEAR(point.lanes[lane], (3 + kV * 1) / (1 + kV), 1e-14);
}

/// x ↦ (1 + 0.3 sin x₁, 0.5 x₀): its fixed point is near (1.1, 0.6).
struct ToyPoint {
  Eigen::Vector2d x, residual;
  double size() const { return residual.cwiseAbs().maxCoeff(); }
  double train() const { return x[0]; }
  bool usable() const { return x[0] > 0; }
};
struct ToyMap {
  ToyPoint at(const Eigen::Vector2d& x) { return {x, Eigen::Vector2d{1 + 0.3 * std::sin(x[1]), 0.5 * x[0]} - x}; }
};
static_assert(FixedPointMap<ToyMap, ToyPoint> && !SearchPoint<Eigen::Vector2d> && !FixedPointMap<Parabola, ToyPoint>);

constexpr Damping kDamping{.share = 0.5, .longest = 1, .growth = 2, .least = 0.1, .steps = 50, .patience = 50};

TEST(Search, DampedIterationAndNewtonsStepsEndAtTheFixedPoint) {
  ToyMap map;
  ToyPoint at = map.at(Eigen::Vector2d{5, -3});
  EXPECT_TRUE(approach(map, at, 1e-2, kDamping));
  EXPECT_LE(at.size(), 1e-2);
  MapSlope<Eigen::Vector2d> slope = slope_by_differences(map, at, 1e-6);
  for (int step = 0; step < 6; ++step) {
    const Eigen::Vector2d move = slope.step(at.residual);
    const ToyPoint next = map.at(at.x + move);
    if (move.norm() > 0) slope.learn(move, next.residual - at.residual);
    at = next;
  }
  EXPECT_LT(at.size(), 1e-14);
  EXPECT_NEAR(at.x[1], 0.5 * (1 + 0.3 * std::sin(at.x[1])), 1e-14);
}

TEST(Search, FirstOrderFindsTheSolutionOfAMapNearby) {
  ToyMap map;
  ToyPoint at = map.at(Eigen::Vector2d{1, 0.5});
  const auto slope = slope_by_differences(map, at, 1e-6);
  const auto [x, train] = slope.solution(at);
  EXPECT_LT(map.at(x).size(), 0.01 * at.size());
  EXPECT_NEAR(train, x[0], 1e-6);
}

TEST(Search, StaysInsideTheDomain) {
  ToyMap map;
  ToyPoint at = map.at(Eigen::Vector2d{-1, 0});
  EXPECT_FALSE(approach(map, at, 1e-2, kDamping));
  EXPECT_EQ(at.x[0], -1);
}

TEST(PointGrowth, AsksForWhatTheErrorTakes) {
  constexpr PointGrowth kGrowth{.order = 1, .longest = 5, .last = 16};
  EXPECT_EQ(kGrowth.next(7, 0.5), 8);
  EXPECT_EQ(kGrowth.next(7, 7.9), 10);
  EXPECT_EQ(kGrowth.next(7, 1e6), 12);
  EXPECT_EQ(kGrowth.next(7, std::numeric_limits<double>::infinity()), 12);
  EXPECT_EQ(kGrowth.next(14, 100), 16);
}

}  // namespace
}  // namespace attnlaw::theory
