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

/// ω ~ N(0, q C), label field N(0, 1.5 C) with the given correlation: what the channel meets.
struct Regime {
  double q, correlation, V, beta;
};

struct Misses {
  double rate = 0;         ///< share of points that end above the minimum
  double mean_excess = 0;  ///< excess of the Moreau envelope, over all points
  double mean_value = 0;   ///< mean of the Moreau envelope
};

std::ostream& operator<<(std::ostream& out, const Regime& regime) {
  return out << "q " << regime.q << " correlation " << regime.correlation << " V " << regime.V << " beta "
             << regime.beta;
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
  constexpr double kLabelVariance = 1.5;
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
      target[k] = std::sqrt(kLabelVariance) * (regime.correlation * epsilon[k] + across * eta[k]);
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
/// hundred at q = 10, V = 10. With the mixed starts and short first steps none of 24000 was missed.
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

}  // namespace
}  // namespace attnlaw::theory
