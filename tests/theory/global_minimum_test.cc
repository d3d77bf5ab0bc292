/// Does the proximal operator find the global minimum? Against brute force, over the laws of fields and labels that the
/// output channel meets.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <random>
#include <utility>
#include <vector>

#include "attnlaw/theory/channel/logistic_features.h"
#include "attnlaw/theory/channel/proximal.h"
#include "attnlaw/theory/channel/single_row.h"
#include "attnlaw/theory/channel/softmax_rows.h"

namespace attnlaw::theory {
namespace {

/// One proximal problem of the softmax pair in the coordinates u of metric C = [[3,1],[1,3]], solved by a grid and
/// local descent from its lowest cells.
class BruteForce {
 public:
  BruteForce(double beta, const std::array<double, 2>& label, const std::array<double, 2>& omega, double V)
      : beta_(beta), label_(label), omega_(omega), V_(V) {}

  double value(double u0, double u1) const { return loss(0, u0) + loss(1, u1) + spring(u0, u1); }

  double minimum() const {
    // Beyond |βu| = 20 the loss is flat to 1e-8: there the spring alone decides, which the lines below cover.
    constexpr double kSaturation = 20;
    constexpr double kSpacing = 0.1;
    std::array<std::vector<double>, 2> grid;
    for (std::size_t i = 0; i < 2; ++i) {
      for (double x = -kSaturation; x <= kSaturation; x += kSpacing) grid[i].push_back(x / beta_);
      grid[i].push_back(omega_[i]);
    }
    std::vector<std::array<double, 3>> starts;
    std::vector<double> loss1;
    for (const double u1 : grid[1]) loss1.push_back(loss(1, u1));
    for (const double u0 : grid[0]) {
      std::array<double, 3> best{1e300, 0, 0};
      const double loss0 = loss(0, u0);
      for (std::size_t j = 0; j < grid[1].size(); ++j) {
        const double total = loss0 + loss1[j] + spring(u0, grid[1][j]);
        if (total < best[0]) best = {total, u0, grid[1][j]};
      }
      starts.push_back(best);
      // The other coordinate where the spring alone puts it.
      const double u1 = omega_[1] + (u0 - omega_[0]) / 3;
      starts.push_back({value(u0, u1), u0, u1});
    }
    for (const double u1 : grid[1]) {
      const double u0 = omega_[0] + (u1 - omega_[1]) / 3;
      starts.push_back({value(u0, u1), u0, u1});
    }
    std::sort(starts.begin(), starts.end());
    double least = starts.front()[0];
    constexpr std::size_t kPolished = 12;
    for (std::size_t i = 0; i < kPolished; ++i) least = std::min(least, polish(starts[i][1], starts[i][2]));
    return least;
  }

 private:
  double logistic(double x) const { return 1 / (1 + std::exp(-x)); }
  double loss(std::size_t i, double u) const {
    const double residual = label_[i] - logistic(beta_ * u);
    return 2 * residual * residual;
  }
  double spring(double u0, double u1) const {
    const double a = u0 - omega_[0], b = u1 - omega_[1];
    return (3 * a * a - 2 * a * b + 3 * b * b) / 8 / (2 * V_);
  }
  /// Pattern search: no derivatives, nothing in common with the method under test.
  double polish(double u0, double u1) const {
    double best = value(u0, u1);
    for (double step = 0.1 / beta_; step > 1e-7;) {
      bool moved = false;
      for (const auto& [a, b] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}}) {
        const double next = value(u0 + a * step, u1 + b * step);
        if (next < best) {
          best = next, u0 += a * step, u1 += b * step, moved = true;
          break;
        }
      }
      if (!moved) step *= 0.5;
    }
    return best;
  }

  double beta_;
  std::array<double, 2> label_, omega_;
  double V_;
};

/// L of the coordinates u = Lζ.
Eigen::Matrix2d pair_factor() {
  return Eigen::Map<const Eigen::Matrix<double, 2, 2, Eigen::RowMajor>>(kPairMetric.factor.data());
}

/// ω ~ N(0, q C), label field N(0, v C) with the given correlation: what the channel meets.
struct Regime {
  double q, correlation, V, beta, label_variance = 1.5;
};

struct Misses {
  double rate = 0;         ///< share of points that end above the minimum
  double mean_excess = 0;  ///< excess of the Moreau envelope, over all points
  double mean_value = 0;   ///< mean of the Moreau envelope
};

std::ostream& operator<<(std::ostream& out, const Regime& regime) {
  return out << "q " << regime.q << " correlation " << regime.correlation << " V " << regime.V << " beta "
             << regime.beta << " label variance " << regime.label_variance;
}

using Point = std::array<Pack, 2>;

Point random_point(std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  Point point;
  for (Pack& coordinate : point)
    for (int lane = 0; lane < kLanes; ++lane) coordinate.lanes[lane] = normal(generator);
  return point;
}

Misses misses(const Regime& regime, int packs, std::mt19937_64& generator) {
  constexpr double kSame = 1e-7;
  const SoftmaxPair loss(kPairMetric, regime.beta, 1);
  GlobalProximal<SoftmaxPair> proximal(loss);
  const Eigen::Matrix2d L = pair_factor();
  const double across = std::sqrt(1 - regime.correlation * regime.correlation);
  Misses misses;
  const double share = 1.0 / (packs * kLanes);
  for (int trial = 0; trial < packs; ++trial) {
    const Point epsilon = random_point(generator), eta = random_point(generator);
    Point omega, target, fit;
    for (std::size_t k = 0; k < 2; ++k) {
      omega[k] = std::sqrt(regime.q) * epsilon[k];
      target[k] = std::sqrt(regime.label_variance) * (regime.correlation * epsilon[k] + across * eta[k]);
      fit[k] = (1 / regime.beta) * target[k];
    }
    SoftmaxPair::Label label;
    loss.label(target.data(), label);
    const Pack value = proximal.solve(label, omega.data(), fit.data(), regime.V).value;
    for (int lane = 0; lane < kLanes; ++lane) {
      const Eigen::Vector2d u = L * Eigen::Vector2d(omega[0].lanes[lane], omega[1].lanes[lane]);
      const BruteForce brute(regime.beta, {label[0].lanes[lane], label[1].lanes[lane]}, {u[0], u[1]}, regime.V);
      const double excess = value.lanes[lane] - brute.minimum();
      EXPECT_GT(excess, -kSame) << regime;
      misses.mean_value += share * value.lanes[lane];
      misses.mean_excess += share * excess;
      if (excess > kSame) misses.rate += share;
    }
  }
  return misses;
}

/// Two starts (ω and the label) miss up to 40 % of these points, with 10 % of the mean value as excess, and one in a
/// hundred at q = 10, V = 10. With the mixed starts and short first steps none of 43200 is missed.
void expect_no_miss(const std::vector<double>& variances, int packs) {
  std::mt19937_64 generator(12);
  for (const double q : variances)
    for (const double correlation : {0.1, 0.5, 0.9})
      for (const double V : {1e-2, 0.9, 3.0, 10.0, 100.0, 1e4})
        for (const double beta : {1.0, 3.0}) {
          const Regime regime{q, correlation, V, beta};
          const Misses found = misses(regime, packs, generator);
          EXPECT_EQ(found.rate, 0) << regime << ": excess " << found.mean_excess << " of " << found.mean_value;
        }
}

TEST(GlobalProximal, FindsTheGlobalMinimum) { expect_no_miss({1.5, 35}, 4); }

/// Outputs of the target of some 20 and 60 logits: a start at such a label lies on flat ground, from where it ran over
/// the valley: 1 % of these points were missed, up to a quarter in some regimes, with 1.5 % of the mean value as
/// excess.
TEST(GlobalProximal, FindsTheGlobalMinimumForSaturatedLabels) {
  std::mt19937_64 generator(14);
  for (const double label_variance : {140.0, 1250.0})
    for (const double q : {1.0, label_variance, 3 * label_variance})
      for (const double correlation : {0.1, 0.5})
        for (const double V : {3.0, 10.0, 100.0}) {
          const Regime regime{q, correlation, V, 1, label_variance};
          const Misses found = misses(regime, 4, generator);
          EXPECT_EQ(found.rate, 0) << regime << ": excess " << found.mean_excess << " of " << found.mean_value;
        }
}

TEST(GlobalProximal, FindsTheGlobalMinimumOnManyPointsSlow) { expect_no_miss({0.3, 1.5, 10, 35, 100, 6000}, 50); }

TEST(GlobalProximal, MinimaSaidToBeCertainAreGlobal) {
  std::mt19937_64 generator(13);
  int certain = 0, points = 0;
  for (const double q : {1.0, 10.0})
    for (const double V : {1.5, 4.0, 20.0}) {
      const SoftmaxPair loss(kPairMetric, 1, 1);
      Proximal<SoftmaxPair> descent(loss);
      const Eigen::Matrix2d L = pair_factor();
      for (int trial = 0; trial < 40; ++trial) {
        Point omega = random_point(generator), target = random_point(generator);
        for (Pack& coordinate : omega) coordinate *= std::sqrt(q);
        SoftmaxPair::Label label;
        loss.label(target.data(), label);
        Point z = omega;
        const Pack value = descent.descend(label, omega.data(), V, z.data());
        const Mask sure = loss.certain(label, value, V);
        for (int lane = 0; lane < kLanes; ++lane) {
          ++points;
          if (!sure.lanes[lane]) continue;
          ++certain;
          const Eigen::Vector2d u = L * Eigen::Vector2d(omega[0].lanes[lane], omega[1].lanes[lane]);
          const BruteForce brute(1, {label[0].lanes[lane], label[1].lanes[lane]}, {u[0], u[1]}, V);
          EXPECT_NEAR(value.lanes[lane], brute.minimum(), 1e-8);
        }
      }
    }
  EXPECT_GT(certain, points / 4) << "or the statement is of little use";
}

TEST(GlobalProximal, ObjectiveIsConvexUpToTheStatedV) {
  // The Hessian of the loss over all labels and fields: its least eigenvalue stays above −β².
  for (const double beta : {0.5, 1.0, 3.0}) {
    const SoftmaxPair loss(kPairMetric, beta, 1);
    Expansion<2> at(2);
    double least = 0;
    for (double y0 = 0; y0 <= 1; y0 += 0.25)
      for (double y1 = 0; y1 <= 1; y1 += 0.25)
        for (double a = -4; a <= 4; a += 0.1)
          for (double b = -4; b <= 4; b += 0.1) {
            const Point zeta{a / beta, b / beta};
            loss.expand({y0, y1}, zeta.data(), at);
            const double trace = at.hessian[0].lanes[0] + at.hessian[2].lanes[0];
            const double difference = at.hessian[0].lanes[0] - at.hessian[2].lanes[0];
            least = std::min(least, 0.5 * (trace - std::hypot(difference, 2 * at.hessian[1].lanes[0])));
          }
    EXPECT_GT(least, -beta * beta);
    EXPECT_LT(least, -0.9 * beta * beta) << "the bound is nearly met";
    EXPECT_FALSE((!loss.certain({0.5, 0.5}, 4, 1 / (beta * beta))).any());
  }
}

/// Fields of several rows: labels of a spread of scores `slope`, students of variance q and correlation with them.
struct RowsRegime {
  double slope, q, correlation, V;
};

std::vector<RowsRegime> rows_regimes(double slope) {
  const double label_variance = slope * slope / 3;
  std::vector<RowsRegime> regimes;
  for (const double q : {0.3, 1.0, label_variance, 3 * label_variance})
    for (const double correlation : {0.1, 0.5, 0.9})
      for (const double V : {0.3, 1.0, 3.0, 10.0, 100.0}) regimes.push_back({slope, q, correlation, V});
  return regimes;
}

/// The lowest minimum that some dozens of starts lead to: shrunk labels, mixtures of both fields, and coordinates taken
/// at random from either, clipped, or drawn.
template <class Loss>
Pack lowest_of_many(const Loss& loss, const typename Loss::Label& label, const std::vector<Pack>& omega,
                    const std::vector<Pack>& fit, double V, std::mt19937_64& generator) {
  constexpr int kRandomStarts = 40;
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Proximal<Loss> descent(loss);
  Pack lowest = 1e300;
  std::vector<Pack> z(omega.size());
  const auto try_start = [&](const auto& coordinate) {
    for (std::size_t k = 0; k < z.size(); ++k) z[k] = coordinate(k);
    lowest = min(lowest, descent.descend(label, omega.data(), V, z.data()));
  };
  for (const double share : {0.03, 0.06, 0.1, 0.2, 0.35, 0.5, 0.7}) try_start([&](auto k) { return share * fit[k]; });
  for (const double share : {0.0, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0})
    try_start([&](auto k) { return omega[k] + share * (fit[k] - omega[k]); });
  for (int i = 0; i < kRandomStarts; ++i)
    try_start([&](auto k) {
      Pack drawn;
      for (int lane = 0; lane < kLanes; ++lane) {
        const double choice = uniform(generator), limit = 5 * uniform(generator);
        const double field = omega[k].lanes[lane], fitted = fit[k].lanes[lane];
        drawn.lanes[lane] = choice < 0.25   ? field
                            : choice < 0.5  ? fitted
                            : choice < 0.75 ? std::clamp(fitted, -limit, limit)
                            : choice < 0.85 ? std::clamp(field, -limit, limit)
                                            : 3 * normal(generator);
      }
      return drawn;
    });
  return lowest;
}

template <class Loss>
Misses misses_of_rows(const Loss& loss, const std::vector<RowsRegime>& regimes, int packs) {
  constexpr double kSame = 1e-7;
  std::mt19937_64 generator(15);
  std::normal_distribution<double> normal;
  GlobalProximal<Loss> proximal(loss);
  const auto dimension = static_cast<std::size_t>(loss.dimension());
  const auto draw = [&] {
    std::vector<Pack> sampled(static_cast<std::size_t>(loss.sampled_dimension())), field(dimension);
    for (Pack& coordinate : sampled)
      for (int lane = 0; lane < kLanes; ++lane) coordinate.lanes[lane] = normal(generator);
    loss.embed(sampled.data(), field.data());
    return field;
  };
  Misses misses;
  const double share = 1.0 / (kLanes * packs * static_cast<double>(regimes.size()));
  for (const RowsRegime& regime : regimes)
    for (int trial = 0; trial < packs; ++trial) {
      std::vector<Pack> omega = draw(), fit = draw();
      const double along = regime.correlation, across = std::sqrt(1 - along * along);
      for (std::size_t k = 0; k < dimension; ++k) {
        const bool symmetric = k < static_cast<std::size_t>(loss.symmetric_dimension());
        fit[k] = symmetric ? regime.slope / std::sqrt(3) * (along * omega[k] + across * fit[k]) : Pack(0);
        omega[k] *= std::sqrt(regime.q);
      }
      auto label = loss.make_label();
      loss.label(fit.data(), label);
      const Pack value = proximal.solve(label, omega.data(), fit.data(), regime.V).value;
      const Pack excess = max(0, value - lowest_of_many(loss, label, omega, fit, regime.V, generator));
      misses.mean_value += share * value.sum();
      misses.mean_excess += share * excess.sum();
      misses.rate += share * select(excess > Pack(kSame), 1, 0).sum();
    }
  return misses;
}

constexpr int kManyPacks = 40;

/// With the field and the label as the only starts 0.1 % of the points of T = 4 are missed at moderate labels, and of
/// saturated ones up to 6 %, with 3 % of the mean value as excess. Starts on the way from one to the other leave a
/// third of what the starts of rows miss.
template <class Loss>
void expect_few_misses(const Loss& loss, int packs) {
  constexpr double kRareIfSaturated = 4e-3, kSmallExcess = 1e-3;
  const double rare = packs < kManyPacks ? 1e-3 : 3e-4;  // of a few points one is more
  for (const double slope : {1.0, 3.0, 8.0, 20.0}) {
    const Misses found = misses_of_rows(loss, rows_regimes(slope), packs);
    EXPECT_LE(found.rate, slope < 5 ? rare : kRareIfSaturated) << "slope " << slope;
    EXPECT_LE(found.mean_excess, kSmallExcess * found.mean_value) << "slope " << slope;
  }
}

TEST(GlobalProximal, OfRowsIsRarelyMissed) {
  expect_few_misses(SoftmaxRows<3>(3, 1, 1), 5);
  expect_few_misses(SingleRow<3, SquareLoss>(3, 1, 1, 1), 5);
}

TEST(GlobalProximal, OfRowsIsRarelyMissedOnManyPointsSlow) {
  expect_few_misses(SoftmaxRows<3>(3, 1, 1), kManyPacks);
  expect_few_misses(SoftmaxRows<4>(4, 1, 1), kManyPacks);
  expect_few_misses(SoftmaxRows<3, true>(3, 1, 1), kManyPacks);
  expect_few_misses(SingleRow<0, SquareLoss>(5, 1, 1, 1), kManyPacks);
  expect_few_misses(SingleRow<0, EntryLoss>(5, 2, 1, 1), kManyPacks);
}

}  // namespace
}  // namespace attnlaw::theory
