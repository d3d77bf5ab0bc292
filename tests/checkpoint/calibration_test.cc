/// Levels and powers of what `inspect` says, on heads that are drawn.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/checkpoint/inspection/head_report.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"
#include "attnlaw/matrix_laws/nulls/spikes.h"
#include "gaussian.h"

namespace attnlaw::checkpoint {
namespace {

Eigen::MatrixXd gaussian(Eigen::Index m, Eigen::Index d, std::uint64_t stream) {
  return test::gaussian(m, d, 23, stream);
}

/// P(Kolmogorov's distance of n uniform numbers as large), by its series.
double uniform_p(std::vector<double> p) {
  std::sort(p.begin(), p.end());
  const auto n = static_cast<double>(p.size());
  double distance = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    distance = std::max({distance, p[i] - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p[i]});
  const double x = (std::sqrt(n) + 0.12 + 0.11 / std::sqrt(n)) * distance;
  double sum = 0;
  for (int k = 1; k < 100; ++k) sum += (k % 2 ? 2 : -2) * std::exp(-2.0 * k * k * x * x);
  return std::clamp(sum, 0.0, 1.0);
}

struct Shape {
  int m, d;
};

class NullHeads : public testing::TestWithParam<Shape> {};

TEST_P(NullHeads, OutlierPValuesAreUniformSlow) {
  const auto [m, d] = GetParam();
  constexpr int kHeads = 2000;
  NullTables tables(29, 0);
  std::vector<double> p, share, closed, given;
  for (std::uint64_t i = 0; i < kHeads; ++i) {
    const FactoredMap map = factored(gaussian(m, d, 2 * i), gaussian(m, d, 2 * i + 1));
    const matrix_laws::HeadStatistics head = head_statistics(map);
    const matrix_laws::HeadStatistics exact = tables.at(m, d, 20000).p_values(head);
    p.push_back(exact.largest);
    share.push_back(exact.share);
    closed.push_back(matrix_laws::edge_p_value(matrix_laws::factor_product_score(m, d, head.largest)));
    given.push_back(tables.leading(m, d, head, {}, NullOptions{}.table_draws).p);
  }
  const auto rejected = [](const std::vector<double>& values) {
    const auto count = std::count_if(values.begin(), values.end(), [](double x) { return x <= 0.05; });
    return static_cast<double>(count) / kHeads;
  };
  EXPECT_GT(uniform_p(p), 0.01);
  EXPECT_GT(uniform_p(share), 0.01);
  // What is printed unless something else is asked for.
  EXPECT_GT(uniform_p(given), 0.01);
  for (const auto& values : {p, share, closed, given}) {
    EXPECT_GE(rejected(values), 0.04);
    EXPECT_LE(rejected(values), 0.06);
  }
}

TEST_P(NullHeads, TiedHeadsKeepTheLevelOfTheTiedNullSlow) {
  const auto [m, d] = GetParam();
  constexpr int kHeads = 4000;
  int rejected = 0;
  for (std::uint64_t i = 0; i < kHeads; ++i) {
    const Eigen::MatrixXd W = gaussian(m, d, 7 * kHeads + i);
    const FactoredMap map = factored(W, W);
    const NullTests tests =
        test_head(map, factor_spectra(map.query_gram, map.key_gram), symmetry_measures(map), W, W, {}, {3, i});
    ASSERT_FALSE(std::isnan(tests.tied.p));
    rejected += tests.tied.p <= 0.05;
  }
  EXPECT_GE(rejected, 0.035 * kHeads);
  EXPECT_LE(rejected, 0.065 * kHeads);
}

INSTANTIATE_TEST_SUITE_P(Shapes, NullHeads,
                         testing::Values(Shape{16, 128}, Shape{24, 192}, Shape{25, 200}, Shape{64, 256}));

TEST(PlantedHeads, PowerAndStrengthAtHalfAboveTheThresholdSlow) {
  // An additive spike of 1.5 θ_c inside 64×768 factors, half in each.
  constexpr int m = 64, d = 768, kHeads = 200;
  const double theta = 1.5 * matrix_laws::spike_threshold(static_cast<double>(m) / d), strength = theta - 1;
  NullTables tables(29, 1);
  int detected = 0, counted = 0;
  double sum = 0;
  for (std::uint64_t i = 0; i < kHeads; ++i) {
    Factors factors{gaussian(m, d, 5 * i), gaussian(m, d, 5 * i + 1)};
    const Eigen::VectorXd inside = gaussian(m, 1, 5 * i + 2).col(0).normalized();
    factors.left += std::sqrt(strength * d) * inside * gaussian(d, 1, 5 * i + 3).col(0).normalized().transpose();
    factors.right += std::sqrt(strength * d) * inside * gaussian(d, 1, 5 * i + 4).col(0).normalized().transpose();
    HeadReport head;
    fill_report(factors, {}, tables, {3, i}, head);
    detected += head.tests.product.p <= 0.05;
    if (head.outliers.status != OutlierStatus::counted || head.outliers.count != 1) continue;
    ++counted;
    sum += head.outliers.outliers.front().strength;
  }
  EXPECT_GE(detected, kHeads * 95 / 100);
  EXPECT_GE(counted, kHeads * 8 / 10);
  EXPECT_NEAR(sum / counted, theta, 0.05 * theta);
}

}  // namespace
}  // namespace attnlaw::checkpoint
