/// Nulls of query-key maps that are drawn: random matrices, exact tables, rotations of factors and of inputs.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/nulls/bartlett_table.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"
#include "attnlaw/matrix_laws/nulls/factor_rotation.h"
#include "attnlaw/matrix_laws/nulls/input_rotation.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"
#include "attnlaw/matrix_laws/nulls/tracy_widom.h"
#include "decompositions.h"

namespace attnlaw::matrix_laws {
namespace {

constexpr double kErrors = 4;  ///< standard errors that a sampled mean may be off

Draws draws_of(std::uint64_t instance, base::Stream purpose = base::Stream::bartlett_factors) {
  return {17, base::stream_id(purpose, 0, instance)};
}

Eigen::VectorXd counting(int m) { return Eigen::VectorXd::LinSpaced(m, 1, m); }

void expect_mean(const std::vector<double>& samples, double mean) {
  const base::Estimate estimate = base::estimate_of(samples);
  EXPECT_NEAR(estimate.value, mean, kErrors * estimate.standard_error);
}

TEST(RandomMatrices, ChiSquaredNumbersHaveTheirMoments) {
  for (const int degrees : {1, 2, 3, 10, 700}) {
    Draws draws = draws_of(static_cast<std::uint64_t>(degrees));
    std::vector<double> first, second, third;
    for (int i = 0; i < 40000; ++i) {
      const double x = draws.chi_squared(degrees);
      first.push_back(x);
      second.push_back(x * x);
      third.push_back(x * x * x);
    }
    SCOPED_TRACE(degrees);
    const double k = degrees;
    expect_mean(first, k);
    expect_mean(second, k * (k + 2));
    expect_mean(third, k * (k + 2) * (k + 4));
  }
}

TEST(RandomMatrices, HaarMatrixIsOrthogonalAndHasNoPreferredSign) {
  std::vector<double> corner, diagonal;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    Draws draws = draws_of(i);
    const Eigen::MatrixXd O = haar_matrix(4, draws);
    if (i < 10) {
      EXPECT_LT((O.transpose() * O - Eigen::MatrixXd::Identity(4, 4)).norm(), 1e-13);
    }
    corner.push_back(O(0, 0));
    diagonal.push_back(O.trace() * O.trace());
  }
  expect_mean(corner, 0);
  expect_mean(diagonal, 1);
}

TEST(RandomMatrices, CornerHasTheMomentsOfAHaarMatrix) {
  for (const auto& [m, d] : {std::pair{4, 8}, {3, 4}, {5, 40}, {4, 4}}) {
    SCOPED_TRACE(d);
    std::vector<double> squares, trace, crossed;
    for (std::uint64_t i = 0; i < 20000; ++i) {
      Draws draws = draws_of(i);
      const Eigen::MatrixXd P = haar_corner(m, d, draws);
      squares.push_back(P.squaredNorm());
      trace.push_back(P.trace() * P.trace());
      crossed.push_back((P * P).trace());
    }
    expect_mean(squares, static_cast<double>(m) * m / d);
    expect_mean(trace, static_cast<double>(m) / d);
    expect_mean(crossed, static_cast<double>(m) / d);
  }
}

TEST(RandomMatrices, BartlettFactorHasTheMeanWishartMatrix) {
  std::vector<double> first, last, energy;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    Draws draws = draws_of(i);
    const Eigen::MatrixXd L = bartlett_factor(3, 5, draws), G = L * L.transpose();
    first.push_back(G(0, 0));
    last.push_back(G(2, 2));
    energy.push_back(G.squaredNorm());
  }
  expect_mean(first, 5);
  expect_mean(last, 5);
  expect_mean(energy, 3 * 5 * (5 + 3 + 1));
}

/// Quantiles 0.5, 0.95, 0.99 of T/d² and of the share, and 0.95 of the shape, over sampled products of m×d factors.
struct SampledQuantiles {
  int m, d;
  double largest[3], share[3], shape;
};

void expect_quantiles(const SampledQuantiles& sampled) {
  const auto& [m, d, largest, share, shape] = sampled;
  const BartlettTable table(m, d, 10000, 3, 0);
  const double levels[] = {0.5, 0.95, 0.99};
  for (int i = 0; i < 3; ++i) {
    const HeadStatistics quantile = table.quantile(levels[i]);
    EXPECT_NEAR(quantile.largest / d / d, largest[i], 0.01 * largest[i]);
    EXPECT_NEAR(quantile.share, share[i], 0.01 * share[i]);
    EXPECT_NEAR(table.p_values(quantile).share, 1 - levels[i], 0.001);
  }
  EXPECT_NEAR(table.quantile(0.95).shape, shape, 0.03 * shape);
}

TEST(BartlettTable, QuantilesAreThoseOfSampledProducts) {
  expect_quantiles({8, 64, {1.941, 2.385, 2.608}, {.2428, .291, .316}, .210});
  expect_quantiles({15, 120, {2.081, 2.403, 2.565}, {.1388, .1587, .169}, .129});
}

TEST(BartlettTable, QuantilesOfTheHeadsOfGpt2AreThoseOfSampledProductsSlow) {
  expect_quantiles({64, 768, {1.970, 2.069, 2.118}, {.0308, .0323, .0331}, .041});
}

TEST(BartlettTable, IsTheSameForAnyNumberOfThreads) {
  const BartlettTable one(6, 30, 50, 9, 1), two(6, 30, 50, 9, 2);
  EXPECT_EQ(one.quantile(0.9).largest, two.quantile(0.9).largest);
  EXPECT_THROW(BartlettTable(8, 7, 10, 1, 1), std::invalid_argument);
  EXPECT_DOUBLE_EQ(one.p_values({1e9, 1, 1}).largest, 1.0 / 51);
}

TEST(BartlettTable, ShapesHaveIndependentDraws) {
  // The last column of a Bartlett factor has few numbers that depend on d: with the same stream the shares of (6, 40)
  // and (6, 41) would be nearly the same.
  double product = 0;
  constexpr int kHeads = 2000;
  std::vector<double> first, second;
  for (std::uint64_t i = 0; i < kHeads; ++i) {
    first.push_back(draw_null_head(6, 40, 5, i).share);
    second.push_back(draw_null_head(6, 41, 5, i).share);
  }
  const double a = base::mean_of(first), b = base::mean_of(second);
  for (std::size_t i = 0; i < kHeads; ++i) product += (first[i] - a) * (second[i] - b);
  const double correlation = product / std::sqrt(base::squared_deviations(first) * base::squared_deviations(second));
  EXPECT_LT(std::abs(correlation), kErrors / std::sqrt(kHeads));
}

/// Shares of null heads that the closed forms reject.
struct Rejections {
  double largest = 0, share = 0, far_share = 0, far_shape = 0;
};

Rejections reject_null_heads(int m, int d, int heads) {
  Rejections rejected;
  const double one = 1.0 / heads;
  for (int i = 0; i < heads; ++i) {
    const HeadStatistics head = draw_null_head(m, d, 5, static_cast<std::uint64_t>(i));
    const double share = edge_p_value(leading_share_score(m, d, head.share * m));
    if (edge_p_value(factor_product_score(m, d, head.largest)) <= 0.05) rejected.largest += one;
    if (share <= 0.05) rejected.share += one;
    if (share <= 0.01) rejected.far_share += one;
    if (head.shape > shape_distance_bound(m)) rejected.far_shape += one;
  }
  return rejected;
}

TEST(BartlettTable, ClosedFormsKeepTheirLevelsSlow) {
  for (const auto& [m, d] : {std::pair{16, 64}, {16, 128}, {32, 384}, {64, 768}, {64, 128}}) {
    SCOPED_TRACE(m);
    const Rejections rejected = reject_null_heads(m, d, 4000);
    EXPECT_NEAR(rejected.largest, 0.05, 0.015);
    EXPECT_NEAR(rejected.share, 0.05, 0.015);
    EXPECT_NEAR(rejected.far_share, 0.01, 0.006);
    EXPECT_NEAR(rejected.far_shape, 0.01, 0.008);
  }
}

TEST(FactorRotation, EnergyHasItsReferenceCumulants) {
  const Cumulants null = rotated_energy(Eigen::Vector4d(1, 2, 4, 8), Eigen::Vector4d(1, 3, 9, 27));
  EXPECT_NEAR(null.mean, 150, 1e-10);
  EXPECT_NEAR(null.variance, 1341.666667, 1e-6);
  EXPECT_NEAR(null.third, 21600, 1e-8);
  EXPECT_NEAR(pearson_tail(null, 200), .0934117, 6e-8);
  EXPECT_NEAR(pearson_tail(null, 250), .00841628, 6e-9);
  const Eigen::VectorXd a = counting(8);
  const Cumulants even = rotated_energy(a, a.array().square());
  EXPECT_NEAR(even.mean, 918, 1e-9);
  EXPECT_NEAR(even.variance, 4284, 1e-8);
  EXPECT_NEAR(even.third, 0, 1e-8);
  EXPECT_NEAR(pearson_tail(even, 918), 0.5, 1e-9);
}

TEST(FactorRotation, PearsonTailMirrorsNegativeSkewness) {
  EXPECT_NEAR(pearson_tail({0, 1, -0.5}, 1.3), 1 - pearson_tail({0, 1, 0.5}, -1.3), 1e-14);
  EXPECT_NEAR(pearson_tail({0, 1, 0.999e-3}, 1.3), pearson_tail({0, 1, 1.001e-3}, 1.3), 1e-6);
}

TEST(FactorRotation, BothTailsOfTheEnergyCount) {
  const Cumulants null{0, 1, 0.5};
  for (const double value : {-1.9, -0.5, 0.5, 1.9}) {
    const double above = pearson_tail(null, value);
    EXPECT_NEAR(two_sided_pearson(null, value), 2 * std::min(above, 1 - above), 1e-13);
  }
  // The medians of a skew law and of its mirror image.
  EXPECT_LE(two_sided_pearson(null, 0), 1);
}

/// Two factors with a leading direction each: few rotations bring the energy far below its mean, and three moments do
/// not tell how few.
TEST(FactorRotation, ShortTailsAreCounted) {
  constexpr int kRows = 16, kDraws = 4000;
  Eigen::VectorXd a = Eigen::VectorXd::LinSpaced(kRows, 0.9, 1.1), b = Eigen::VectorXd::LinSpaced(kRows, 0.8, 1.2);
  a[kRows - 1] = 12;
  b[kRows - 1] = 8;
  const Cumulants null = rotated_energy(a, b);
  std::vector<double> energies;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    Draws draws = draws_of(i, base::Stream::input_rotations);
    energies.push_back(a.dot(haar_matrix(kRows, draws).array().square().matrix() * b));
  }
  std::sort(energies.begin(), energies.end());
  for (const double share : {0.01, 0.05}) {
    const double energy = energies[static_cast<std::size_t>(share * kDraws)];
    ASSERT_TRUE(short_tail(null, energy));
    const double p = count_rotations(a, b, {0, energy, true}, {{}, {kDraws, kDraws}}, 3, 0).energy.p();
    // Both shares are of independent draws.
    EXPECT_NEAR(p, share, 5 * std::sqrt(2 * share / kDraws));
    EXPECT_FALSE(std::abs(1 - pearson_tail(null, energy) - share) < 10 * std::sqrt(2 * share / kDraws));
  }
  EXPECT_FALSE(short_tail(null, 2 * null.mean));
  // Spectra without leading directions leave it to three moments.
  const Eigen::VectorXd even = Eigen::VectorXd::LinSpaced(kRows, 1, 2);
  EXPECT_FALSE(short_tail(rotated_energy(even, even), 0));
}

TEST(FactorRotation, NoTailIsSmallerThanApproximationsTell) {
  for (const double value : {-1e3, 1e3}) EXPECT_EQ(two_sided_pearson({0, 1, 0.5}, value), kLeastPValue);
  EXPECT_EQ(two_sided_normal({0, 1, 0}, 1e3), kLeastPValue);
}

TEST(FactorRotation, CumulantsAreThoseOfSampledRotations) {
  const Eigen::Vector4d a(1, 2, 4, 8), b(1, 3, 9, 27);
  const Cumulants null = rotated_energy(a, b);
  std::vector<double> first, second, third;
  for (std::uint64_t i = 0; i < 40000; ++i) {
    Draws draws = draws_of(i, base::Stream::head_rotations);
    const double off = a.dot(haar_matrix(4, draws).array().square().matrix() * b) - null.mean;
    first.push_back(off);
    second.push_back(off * off);
    third.push_back(off * off * off);
  }
  expect_mean(first, 0);
  expect_mean(second, null.variance);
  expect_mean(third, null.third);
}

TEST(FactorRotation, SignedPermutationHasItsReferenceCumulants) {
  const Eigen::VectorXd a = counting(8), b = a.array().square();
  Eigen::MatrixXd query = a.asDiagonal(), key = b.asDiagonal();
  query.array() += 0.5;
  key.array() += 1;
  const Cumulants null = permuted_energy(query, key);
  EXPECT_NEAR(null.mean, 1060, 1e-9);
  EXPECT_NEAR(null.variance, 21448, 1e-7);
  // The median of many draws: half of them reach the mean, up to the skewness.
  const PermutationCounts counts = count_permutations(query, key, null.mean, 2000, 3, 0);
  EXPECT_NEAR(static_cast<double>(counts.above) / 2000, 0.5, 0.06);
  EXPECT_GE(counts.above + counts.below, 2000U);  // a draw may have just this energy
}

TEST(FactorRotation, OneRotationAnswersForEveryFigureThatIsOpen) {
  const Eigen::VectorXd a = counting(8), b = a.array().square();
  const double mean = rotated_energy(a, b).mean;
  // No rotation brings s₁² so far, and so they go on to the last; about half of the first reach the energy.
  const RotationCounts both = count_rotations(a, b, {1e9, mean, false}, {{100, 250}, {200, 300}}, 3, 0);
  EXPECT_EQ(both.largest.reached, 0U);
  EXPECT_EQ(both.largest.drawn, 250U);
  EXPECT_EQ(both.energy.drawn, 200U);
  // Each figure has the rotations that it has alone.
  const RotationCounts energy = count_rotations(a, b, {0, mean, false}, {{}, {200, 300}}, 3, 0);
  EXPECT_EQ(energy.largest.drawn, 0U);
  EXPECT_EQ(energy.energy.reached, both.energy.reached);
  const Exceedances below = count_rotations(a, b, {0, mean, true}, {{}, {200, 300}}, 3, 0).energy;
  EXPECT_EQ(below.reached + energy.energy.reached, 200U);
  const double edge = rotated_edge(a, b).position;
  const RotationCounts largest = count_rotations(a, b, {edge, 0, false}, {{200, 200}, {}}, 3, 0);
  const RotationCounts again = count_rotations(a, b, {edge, mean, false}, {{200, 200}, {200, 200}}, 3, 0);
  EXPECT_GT(largest.largest.reached, 0U);
  EXPECT_EQ(largest.largest.reached, again.largest.reached);
}

TEST(FactorRotation, LimitLawHasItsReferenceEdge) {
  const Eigen::VectorXd a = counting(8);
  const RotatedEdge edge = rotated_edge(a, a);
  EXPECT_NEAR(edge.position, 54.505900, kErrors * 1e-7);
  EXPECT_NEAR(edge.transform, 2.101514, 1e-6);
  EXPECT_NEAR(rotated_edge(a, a.array().square()).position, 415.493363, 1e-6);
  const std::complex<double> inside = rotated_transform(a, a, {20, 5}), outside = rotated_transform(a, a, {40, 1});
  EXPECT_LT(std::abs(inside - std::complex<double>(-.4954919313, -1.0462218502)), 2e-10);
  EXPECT_LT(std::abs(outside - std::complex<double>(.3869152948, -1.4739345811)), 2e-10);
}

TEST(FactorRotation, SizeOfItsTestsOnNullHeadsSlow) {
  // Independent Gaussian factors with a common column profile: N2 and N2s are exact there.
  constexpr int m = 8, d = 32, kHeads = 4000;
  int energy = 0, largest = 0, permuted = 0;
  for (int head = 0; head < kHeads; ++head) {
    Draws draws = draws_of(static_cast<std::uint64_t>(head));
    const Eigen::VectorXd scale = Eigen::VectorXd::LinSpaced(d, -0.75, 0.75).array().exp();
    const Eigen::MatrixXd query = normal_matrix(m, d, draws) * scale.asDiagonal();
    const Eigen::MatrixXd key = normal_matrix(m, d, draws) * scale.asDiagonal();
    const Eigen::MatrixXd query_gram = query * query.transpose(), key_gram = key * key.transpose();
    const Eigen::VectorXd s = test::singular_values(query.transpose() * key);
    const double total = s.squaredNorm();
    const Eigen::VectorXd a = test::eigenvalues(query_gram), b = test::eigenvalues(key_gram);
    energy += two_sided_pearson(rotated_energy(a, b), total) <= 0.05;
    const auto number = static_cast<std::uint64_t>(head);
    largest += count_rotations(a, b, {s[0] * s[0], 0, false}, {{199, 199}, {}}, 11, number).largest.p() <= 0.05;
    const PermutationCounts counts = count_permutations(query_gram, key_gram, total, 199, 11, number);
    permuted += 2 * monte_carlo_p_value(std::min(counts.above, counts.below), 199) <= 0.05;
  }
  for (const int rejected : {energy, largest, permuted}) {
    EXPECT_GE(rejected, 0.035 * kHeads);
    EXPECT_LE(rejected, 0.065 * kHeads);
  }
}

TEST(InputRotation, SymmetryHasItsReferenceCumulants) {
  const Cumulants null = rotated_symmetry(counting(8), 64);
  EXPECT_NEAR(null.mean, .015625, 1e-15);
  EXPECT_NEAR(null.variance, 4.838810e-4, 6e-11);
}

TEST(InputRotation, SampledCornersHaveTheCumulants) {
  // The counts of draws beyond one deviation lie near those of a normal law; a corner without signs would give half.
  const Eigen::VectorXd s = counting(8);
  const Cumulants tau = rotated_symmetry(s, 64), trace = rotated_trace(s, 64);
  const auto counts =
      count_input_rotations(s, 64, tau.mean + std::sqrt(tau.variance), std::sqrt(trace.variance), 8000, 8000, 8, 5, 0);
  EXPECT_NEAR(counts.symmetry.p(), 0.317, 0.03);
  EXPECT_NEAR(counts.trace.p(), 0.317, 0.02);
}

TEST(InputRotation, SizeOfItsTestsSlow) {
  constexpr int m = 8, d = 32, kHeads = 4000;
  int symmetry = 0, trace = 0;
  for (int head = 0; head < kHeads; ++head) {
    Draws draws = draws_of(static_cast<std::uint64_t>(head));
    const Eigen::MatrixXd query = normal_matrix(m, d, draws), key = normal_matrix(m, d, draws);
    const Eigen::MatrixXd core = key * query.transpose();
    const Eigen::VectorXd s = test::singular_values(query.transpose() * key).head(m);
    const auto counts = count_input_rotations(s, d, (core * core).trace() / s.squaredNorm(), core.trace(), 199, 199, m,
                                              13, static_cast<std::uint64_t>(head));
    symmetry += counts.symmetry.p() <= 0.05;
    trace += counts.trace.p() <= 0.05;
  }
  for (const int rejected : {symmetry, trace}) {
    EXPECT_GE(rejected, 0.035 * kHeads);
    EXPECT_LE(rejected, 0.065 * kHeads);
  }
}

TEST(InputRotation, KeepsItsLevelForSmallStableRanks) {
  // Singular values 1, q, q², …: the normal law rejects τ of such heads at 0.1 % three times as often and more.
  constexpr int m = 12, d = 48, kHeads = 1500;
  for (const double ratio : {0.1, 0.6}) {
    SCOPED_TRACE(ratio);
    Eigen::VectorXd s(m);
    for (int i = 0; i < m; ++i) s[i] = std::pow(ratio, i);
    int symmetry = 0, far = 0, trace = 0;
    for (std::uint64_t head = 0; head < kHeads; ++head) {
      Draws draws = draws_of(head);
      const Eigen::MatrixXd core = s.asDiagonal() * haar_corner(m, d, draws);
      const auto counts =
          count_input_rotations(s, d, (core * core).trace() / s.squaredNorm(), core.trace(), 199, 199, 8, 13, head);
      symmetry += counts.symmetry.p() <= 0.05;
      far += counts.symmetry.p() <= 0.01;
      trace += counts.trace.p() <= 0.05;
    }
    // Four standard errors of a count.
    EXPECT_NEAR(symmetry, 0.05 * kHeads, 34);
    EXPECT_NEAR(far, 0.01 * kHeads, 16);
    EXPECT_NEAR(trace, 0.05 * kHeads, 34);
  }
}

TEST(InputRotation, DrawsAsFarAsACorrectionNeeds) {
  // τ = 1 is that of a symmetric map, which no rotation of 8 directions in 64 comes near.
  const auto counts = count_input_rotations(counting(8), 64, 1, 0, 19, 400, 8, 13, 0);
  EXPECT_DOUBLE_EQ(counts.symmetry.p(), 1.0 / 401);
  EXPECT_EQ(counts.trace.drawn, 19U);
  EXPECT_DOUBLE_EQ(counts.trace.p(), 1);
}

TEST(InputRotation, FlippedSignsByDirectSums) {
  Draws draws = draws_of(0);
  const Eigen::MatrixXd query = normal_matrix(5, 150, draws), key = normal_matrix(5, 150, draws);
  const Eigen::MatrixXd S = query.transpose() * key;
  double mean = 0, variance = 0;
  for (int i = 0; i < 150; ++i)
    for (int j = 0; j < 150; ++j)
      if (i == j)
        mean += S(i, i) * S(i, i);
      else
        variance += 2 * std::pow(S(i, j) * S(j, i), 2);
  const Cumulants null = flipped_symmetry(query, key);
  EXPECT_NEAR(null.mean, mean, 1e-10 * mean);
  EXPECT_NEAR(null.variance, variance, 1e-10 * variance);
}

}  // namespace
}  // namespace attnlaw::matrix_laws
