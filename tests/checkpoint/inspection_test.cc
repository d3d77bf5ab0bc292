/// One head against its nulls: planted outliers, tied heads, the fit of the trained law, and the corrections over
/// heads.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "attnlaw/checkpoint/inspection/compare.h"
#include "attnlaw/checkpoint/inspection/inspect.h"
#include "checkpoint/synthetic.h"
#include "decompositions.h"
#include "gaussian.h"
#include "scratch.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::MatrixXd;

MatrixXd gaussian(Eigen::Index m, Eigen::Index d, std::uint64_t stream) { return test::gaussian(m, d, 7, stream); }

Eigen::VectorXd unit(Eigen::Index n, std::uint64_t stream) { return gaussian(n, 1, stream).col(0).normalized(); }

/// Both factors of a null head with spikes of these strengths, whose directions in the head have the cosine
/// `alignment`.
Factors spiked(Eigen::Index m, Eigen::Index d, double query, double key, double alignment, std::uint64_t stream) {
  Factors factors{gaussian(m, d, 10 * stream), gaussian(m, d, 10 * stream + 1)};
  const Eigen::VectorXd first = unit(m, 10 * stream + 2);
  Eigen::VectorXd second = unit(m, 10 * stream + 3);
  second = (second - first.dot(second) * first).normalized();
  const Eigen::VectorXd other = alignment * first + std::sqrt(1 - alignment * alignment) * second;
  const auto n = static_cast<double>(d);
  factors.left += std::sqrt(query * n) * first * unit(d, 10 * stream + 4).transpose();
  factors.right += std::sqrt(key * n) * other * unit(d, 10 * stream + 5).transpose();
  return factors;
}

HeadReport reported(const Factors& factors, const NullOptions& options = {}) {
  NullTables tables(3, 1);
  HeadReport report;
  fill_report(factors, options, tables, {3, 0}, report);
  return report;
}

/// The directions of spikes inside the factors show less than that of an additive spike at the same place would.
TEST(Inspection, OverlapsAreThoseWithTheSpikesOfTheFactors) {
  constexpr Eigen::Index kRows = 64, kDimension = 768;
  constexpr std::uint64_t kHeads = 6;
  double query = 0, key = 0, query_law = 0, key_law = 0;
  for (std::uint64_t i = 0; i < kHeads; ++i) {
    const std::uint64_t stream = 300 + i;
    const Factors factors = spiked(kRows, kDimension, 2, 1, 1, stream);
    const HeadReport head = reported(factors);
    ASSERT_EQ(head.outliers.count, 1);
    const MatrixXd S = factors.left.transpose() * factors.right;
    const test::SingularSystem svd = test::singular_system(S);
    query += std::pow(svd.left.col(0).dot(unit(kDimension, 10 * stream + 4)), 2) / kHeads;
    key += std::pow(svd.right.col(0).dot(unit(kDimension, 10 * stream + 5)), 2) / kHeads;
    query_law += head.outliers.query_overlap / kHeads;
    key_law += head.outliers.key_overlap / kHeads;
    EXPECT_GT(head.outliers.outliers.front().overlap, 0.9);
  }
  // Overlaps scatter by about 0.02 from head to head, strengths move those of the law by as much.
  constexpr double kError = 0.03;
  EXPECT_NEAR(query_law, query, kError);
  EXPECT_NEAR(key_law, key, kError);
  EXPECT_LT(query, 0.8);
}

/// Leading directions at a right angle: hardly a rotation brings the energy as low, and as many are drawn as the
/// correction for all heads asks for.
TEST(Inspection, FactorsThatAvoidEachOtherAreFoundAmongManyHeads) {
  const NullOptions options{.draws = 19, .level = 0.05, .family = 40};
  const HeadReport head = reported(spiked(8, 256, 60, 60, 0, 51), options);
  ASSERT_TRUE(head.tests.rotation.energy_drawn);
  EXPECT_LT(head.tests.rotation.energy_score, 0);
  EXPECT_GT(head.tests.rotation.energy_p, 0);
  // Strong coordinates of one factor meet weak ones of the other: next to no rotation reaches this.
  const Eigen::VectorXd scales = Eigen::VectorXd::LinSpaced(8, 0, 2).array().exp();
  const HeadReport least = reported(
      {scales.asDiagonal() * gaussian(8, 512, 52), scales.reverse().asDiagonal() * gaussian(8, 512, 53)}, options);
  ASSERT_TRUE(least.tests.rotation.energy_drawn);
  EXPECT_LE(options.family * least.tests.rotation.energy_p, options.level);
}

TEST(Inspection, FactorsOfLowerRankAreNoRandomOnes) {
  const Factors thin{gaussian(16, 4, 41) * gaussian(4, 64, 42), gaussian(16, 4, 43) * gaussian(4, 64, 44)};
  const HeadReport head = reported(thin);
  ASSERT_TRUE(head.inspected());
  EXPECT_EQ(head.tests.lower_rank, true);
  EXPECT_TRUE(std::isnan(head.tests.product.p));
  EXPECT_EQ(head.outliers.status, OutlierStatus::no_law);
  EXPECT_FALSE(std::isnan(head.tests.rotation.energy_p));
  EXPECT_EQ(reported({gaussian(16, 64, 45), gaussian(16, 64, 46)}).tests.lower_rank, false);
  // One row has no law of m directions: nobody looked.
  EXPECT_EQ(reported({gaussian(1, 64, 45), gaussian(1, 64, 46)}).tests.lower_rank, std::nullopt);
}

TEST(Inspection, NullHeadHasNoEvidence) {
  const HeadReport head = reported({gaussian(32, 256, 1), gaussian(32, 256, 2)});
  ASSERT_TRUE(head.inspected());
  EXPECT_GT(head.tests.product.p, 0.01);
  EXPECT_GT(head.tests.rotation.energy_p, 0.01);
  EXPECT_GT(head.tests.symmetry.p, 0.01);
  EXPECT_GT(head.tests.factors.query_p, 0.01);
  EXPECT_EQ(head.outliers.status, OutlierStatus::counted);
  EXPECT_EQ(head.outliers.count, 0);
  EXPECT_EQ(head.fit.status, FitStatus::not_tied_like);
  EXPECT_TRUE(std::isnan(head.tests.product.shape_p));
}

TEST(Inspection, PlantedSpikesAreCountedAndMeasured) {
  // θ² = (1 + a_Q)(1 + a_K) = 4.
  constexpr int kHeads = 25;
  int found = 0;
  double strength = 0;
  for (std::uint64_t i = 0; i < kHeads; ++i) {
    const HeadReport head = reported(spiked(64, 768, 1, 1, 1, i));
    if (head.outliers.status != OutlierStatus::counted || head.outliers.count != 1) continue;
    ++found;
    strength += head.outliers.outliers.front().strength;
    EXPECT_LT(head.tests.product.p, 1e-6);
  }
  EXPECT_GE(found, kHeads * 8 / 10);
  EXPECT_NEAR(strength / found, 2, 0.04);
}

TEST(Inspection, AlignmentOfPlantedSpikes) {
  for (const double alignment : {0.0, 0.5, 0.9, 1.0}) {
    double sum = 0;
    int found = 0;
    for (std::uint64_t i = 0; i < 25; ++i) {
      const HeadReport head = reported(spiked(64, 768, 2, 1, alignment, 100 + i));
      if (std::isnan(head.outliers.alignment)) continue;
      sum += head.outliers.alignment;
      ++found;
    }
    EXPECT_GT(found, 15) << alignment;
    EXPECT_NEAR(sum / found, alignment * alignment, 0.05) << alignment;
  }
}

TEST(Inspection, DirectionsCloserThanTheirErrorAreOneBlock) {
  // Two additive spikes of equal strength.
  Factors factors{gaussian(64, 768, 1), gaussian(64, 768, 2)};
  for (std::uint64_t i = 0; i < 2; ++i) {
    const Eigen::VectorXd inside = unit(64, 20 + i);
    factors.left += std::sqrt(768.0) * inside * unit(768, 30 + i).transpose();
    factors.right += std::sqrt(768.0) * inside * unit(768, 40 + i).transpose();
  }
  const HeadReport head = reported(factors);
  ASSERT_EQ(head.outliers.status, OutlierStatus::counted);
  EXPECT_EQ(head.outliers.count, 2);
  int values = 0;
  for (const Outlier& outlier : head.outliers.outliers) values += outlier.size;
  EXPECT_EQ(values, 2);
  const double gap = 1 - head.singular_values[1] / head.singular_values[0];
  EXPECT_EQ(head.outliers.outliers.size(), gap < 0.05 ? 1U : 2U);
}

TEST(Inspection, FactorsWithAnotherLawAreRefusedAndNotMeasured) {
  // Row scales from 1/3 to 3: the bulk is not that of a random product, and strengths would mean nothing.
  const Eigen::VectorXd scale = Eigen::VectorXd::LinSpaced(32, -1.1, 1.1).array().exp();
  const HeadReport head =
      reported({scale.asDiagonal() * gaussian(32, 256, 1), scale.asDiagonal() * gaussian(32, 256, 2)});
  EXPECT_TRUE(head.outliers.status == OutlierStatus::too_many || head.outliers.status == OutlierStatus::bulk_rejected);
  EXPECT_TRUE(head.outliers.outliers.empty());
  // Equal scales of rows match queries and keys inside the head.
  EXPECT_LT(head.tests.rotation.energy_p, 1e-4);
}

TEST(Inspection, StructuredFactorsWithoutMatchingKeepTheRotationNull) {
  const HeadReport head = reported(spiked(64, 768, 3, 3, 0, 3));
  EXPECT_LT(head.tests.product.p, 1e-6);
  EXPECT_LT(head.tests.factors.query_p, 1e-6);
  EXPECT_GT(head.tests.rotation.energy_p, 0.01);
}

TEST(Inspection, FactorsThatAvoidEachOtherAreFoundOnTheOtherSide) {
  // Strong coordinates of the queries meet weak ones of the keys.
  const Eigen::VectorXd scales = Eigen::VectorXd::LinSpaced(32, 0.3, 1.7);
  const Factors matched{scales.asDiagonal() * gaussian(32, 256, 11), scales.asDiagonal() * gaussian(32, 256, 12)};
  const Factors avoiding{matched.left, scales.reverse().asDiagonal() * gaussian(32, 256, 12)};
  const RotationTest with = reported(matched).tests.rotation, against = reported(avoiding).tests.rotation;
  EXPECT_GT(with.energy_score, 4);
  EXPECT_LT(with.energy_p, 1e-4);
  EXPECT_LT(against.energy_score, -4);
  EXPECT_LT(against.energy_p, 1e-3);
  EXPECT_LT(against.permuted_p, 1e-3);
  NullOptions exact{.exact_tables = true, .table_draws = 200, .draws = 199};
  EXPECT_LE(reported(avoiding, exact).tests.rotation.permuted_p, 0.011);
}

TEST(Inspection, ShufflesGoOnForHeavyTailsAsFarAsTheCorrectionAsks) {
  NullOptions options{.exact_tables = true, .table_draws = 200, .draws = 19, .level = 0.05, .family = 25};
  const Factors normal = spiked(16, 64, 1.5, 1.5, 1, 5), strong = spiked(16, 64, 6, 6, 1, 5);
  // Cubes of normal entries have a kurtosis far above 4; the spike is one direction of all entries.
  Factors heavy{gaussian(16, 64, 21).array().cube(), gaussian(16, 64, 22).array().cube()};
  heavy.left += 5 * strong.left;
  heavy.right += 5 * strong.right;
  const HeadReport light = reported(normal, options), tailed = reported(heavy, options);
  EXPECT_FALSE(light.heavy_tailed());
  ASSERT_TRUE(tailed.heavy_tailed());
  EXPECT_DOUBLE_EQ(light.tests.product.shuffle_p, 1.0 / 200);
  EXPECT_DOUBLE_EQ(tailed.tests.product.shuffle_p, 1.0 / 501);
  std::vector<HeadReport> heads{light, tailed};
  const std::vector<NullSummary> nulls = summarise(heads, 0.05);
  EXPECT_EQ(nulls[1].null, "N1s shuffle");
  EXPECT_EQ(nulls[1].heads, 1);
  EXPECT_TRUE(std::isnan(heads[0].shuffle_holm));
  EXPECT_DOUBLE_EQ(heads[1].shuffle_holm, tailed.tests.product.shuffle_p);
}

TEST(Inspection, HeadsLikeTiedOnesAreTestedAgainstRandomTiedOnes) {
  // Other heads are not asked.
  EXPECT_TRUE(std::isnan(reported({gaussian(32, 128, 1), gaussian(32, 128, 2)}).tests.tied.p));
  MatrixXd W = gaussian(32, 128, 3);
  EXPECT_GT(reported({W, W}).tests.tied.p, 0.01);
  // It is S alone that counts, not how it is written.
  const MatrixXd gauge = Eigen::VectorXd::LinSpaced(32, 0.7, 1.4).asDiagonal();
  EXPECT_NEAR(reported({gauge * W, gauge.inverse() * W}).tests.tied.score, reported({W, W}).tests.tied.score, 1e-9);
  W.row(3) += 12 * unit(128, 4).transpose();
  std::vector<HeadReport> heads{reported({W, W}), reported({gaussian(32, 128, 1), gaussian(32, 128, 2)})};
  EXPECT_LT(heads[0].tests.tied.p, 1e-6);
  const std::vector<NullSummary> nulls = summarise(heads, 0.05);
  EXPECT_EQ(nulls.back().null, "N4 tied");
  EXPECT_EQ(nulls.back().heads, 1);
  EXPECT_EQ(nulls.back().discoveries, 1);
  EXPECT_DOUBLE_EQ(heads[0].tied_holm, heads[0].tests.tied.p);
  EXPECT_TRUE(std::isnan(heads[1].tied_holm));
}

TEST(Inspection, RotationsGoOnAsFarAsTheCorrectionAsks) {
  // 40 heads at 5 %: 800 draws, and one more in the count.
  const NullOptions options{.exact_tables = true, .table_draws = 200, .draws = 19, .level = 0.05, .family = 40};
  // Scales that both factors share match their leading directions.
  const Eigen::VectorXd scale = Eigen::VectorXd::LinSpaced(16, -1.1, 1.1).array().exp();
  const Factors matched{scale.asDiagonal() * gaussian(16, 64, 1), scale.asDiagonal() * gaussian(16, 64, 2)};
  const Factors unmatched = spiked(16, 64, 2, 2, 0, 7);
  std::vector<HeadReport> heads{reported(matched, options), reported(unmatched, options)};
  EXPECT_DOUBLE_EQ(heads[0].tests.rotation.largest_p, 1.0 / 801);
  EXPECT_GT(heads[1].tests.rotation.largest_p, 0.04);
  const std::vector<NullSummary> nulls = summarise(heads, 0.05);
  const auto top = std::find_if(nulls.begin(), nulls.end(), [](const auto& null) { return null.null == "N2 top"; });
  ASSERT_NE(top, nulls.end());
  EXPECT_EQ(top->heads, 2);
  EXPECT_EQ(top->discoveries, 1);
  EXPECT_DOUBLE_EQ(heads[0].largest_holm, 2.0 / 801);
}

TEST(Inspection, AMapKnownAsAWholeHasNoFiguresOfFactors) {
  const HeadReport whole = reported({MatrixXd::Identity(12, 12), gaussian(12, 12, 1), true, false});
  ASSERT_TRUE(whole.inspected());
  for (const double figure :
       {whole.factors.kurtosis, whole.factors.energy_cosine, whole.factors.norm_ratio, whole.outliers.edge,
        whole.outliers.query_strength, whole.outliers.key_strength, whole.outliers.alignment, whole.tests.product.p})
    EXPECT_TRUE(std::isnan(figure));
  EXPECT_EQ(whole.outliers.status, OutlierStatus::no_law);
  EXPECT_TRUE(std::isnan(whole.outliers.edge));
  EXPECT_FALSE(std::isnan(whole.symmetry.symmetry));
}

TEST(Inspection, AlignmentIsASquaredCosineOrNothing) {
  int known = 0;
  for (std::uint64_t stream = 1; stream <= 20; ++stream) {
    const Outliers one = reported(spiked(64, 768, 2, 1, 1, stream)).outliers;
    if (std::isnan(one.alignment)) continue;
    EXPECT_GE(one.alignment, 0);
    EXPECT_LE(one.alignment, 1);
    ++known;
  }
  EXPECT_GE(known, 19);
}

TEST(Inspection, SharedFactorsAreSymmetric) {
  const MatrixXd query = gaussian(32, 256, 1);
  const HeadReport head = reported({query, 0.5 * query + 0.87 * gaussian(32, 256, 2)});
  EXPECT_GT(head.tests.symmetry.score, 10);
  EXPECT_GT(head.tests.symmetry.trace_score, 5);
  EXPECT_LT(head.tests.symmetry.p, 1e-10);
}

TEST(Inspection, ExactTablesAgreeWithClosedForms) {
  // A weak spike, so that N1 is compared in its tail.
  const Factors factors = spiked(32, 128, 0.5, 0.5, 1, 1);
  const HeadReport closed = reported(factors);
  const HeadReport exact = reported(factors, {.exact_tables = true, .table_draws = 4000, .draws = 499});
  EXPECT_NEAR(exact.tests.product.p, closed.tests.product.p, 0.05);
  EXPECT_NEAR(exact.tests.product.largest_p, closed.tests.product.largest_p, 0.05);
  EXPECT_NEAR(exact.tests.symmetry.p, closed.tests.symmetry.p, 0.1);
  EXPECT_NEAR(exact.tests.rotation.permuted_p, closed.tests.rotation.permuted_p, 0.1);
  EXPECT_GT(exact.tests.product.shape_p, 0);
  EXPECT_GT(exact.tests.product.shuffle_p, 0);
  EXPECT_LT(std::abs(exact.tests.symmetry.flipped_score), 5);
}

TEST(Inspection, MapsWithoutLawsHaveFiguresAlone) {
  const HeadReport wide = reported({gaussian(20, 10, 1), gaussian(20, 10, 2)});
  EXPECT_TRUE(wide.inspected());
  EXPECT_TRUE(std::isnan(wide.tests.product.p));
  EXPECT_EQ(wide.outliers.status, OutlierStatus::no_law);
  const HeadReport cross = reported({gaussian(4, 16, 1), gaussian(4, 20, 2), false});
  EXPECT_TRUE(std::isnan(cross.symmetry.symmetry));
  EXPECT_FALSE(std::isnan(cross.tests.rotation.energy_p));
  const HeadReport zero = reported({MatrixXd::Zero(4, 16), gaussian(4, 16, 2)});
  EXPECT_FALSE(zero.inspected());
  Factors broken{gaussian(4, 16, 1), gaussian(4, 16, 2)};
  broken.left(0, 0) = std::nan("");
  EXPECT_EQ(reported(broken).defect, "weights that are not finite");
}

TEST(Inspection, HeadsOfFewRowsKeepTheLevelOfTheProductNull) {
  for (const auto& [m, d] : {std::pair{2, 5}, {3, 4}, {8, 8}, {16, 16}}) {
    SCOPED_TRACE(m);
    NullTables tables(3, 0);
    constexpr int kHeads = 4000;
    int rejected = 0, far = 0, largest = 0;
    for (std::uint64_t i = 0; i < kHeads; ++i) {
      const LeadingTest test =
          tables.leading(m, d, matrix_laws::draw_null_head(m, d, 11, i), NullOptions{}, NullOptions{}.table_draws);
      rejected += test.p <= 0.05;
      far += test.p <= 0.01;
      largest += test.largest_p <= 0.05;
    }
    // Four standard errors of a count.
    EXPECT_NEAR(rejected, 0.05 * kHeads, 55);
    EXPECT_NEAR(largest, 0.05 * kHeads, 55);
    EXPECT_NEAR(far, 0.01 * kHeads, 25);
  }
}

TEST(Inspection, TableIsContinuedBeyondItsDraws) {
  // The share of a head of two rows is at most 1, and 1 is beyond any table.
  NullTables tables(3, 1);
  const LeadingTest test = tables.leading(2, 64, {0, 1, 0}, NullOptions{}, 500);
  EXPECT_LT(test.p, 1.0 / 501);
  EXPECT_GE(test.p, 1e-12);
}

TEST(Inspection, OutliersOfAHeadOfFewRowsKeepTheirLevel) {
  NullTables tables(3, 1);
  int counted = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const FactoredMap map = factored(gaussian(4, 4, 2 * i), gaussian(4, 4, 2 * i + 1));
    counted += find_outliers(map, factor_spectra(map.query_gram, map.key_gram), {}, tables).count > 0;
  }
  EXPECT_LE(counted, 15);
}

TEST(Inspection, RotationsThatChangeNothingTestNothing) {
  // Orthonormal rows stay so: the energy is Tr G_K under any rotation.
  for (std::uint64_t i = 0; i < 20; ++i) {
    const MatrixXd rows = Eigen::HouseholderQR<MatrixXd>(gaussian(32, 8, i)).householderQ() * MatrixXd::Identity(32, 8);
    const Factors factors{rows.transpose(), gaussian(8, 32, 100 + i)};
    const HeadReport head =
        i % 2 == 0 ? reported(factors) : reported(factors, {.exact_tables = true, .table_draws = 200, .draws = 99});
    const RotationTest& test = head.tests.rotation;
    for (const double figure : {test.energy_score, test.energy_p, test.permuted_score, test.permuted_p, test.largest_p})
      EXPECT_TRUE(std::isnan(figure)) << i;
    EXPECT_GT(test.edge_ratio, 0);
    EXPECT_FALSE(std::isnan(head.tests.product.p));
  }
}

TEST(Inspection, RotatedEdgeOfDegenerateSpectra) {
  MatrixXd one = MatrixXd::Zero(8, 32);
  one.row(0) = gaussian(1, 32, 1);
  MatrixXd large = gaussian(8, 32, 3);
  large(1, 2) = 1e10;
  for (const MatrixXd& query : {MatrixXd(MatrixXd::Identity(8, 32)), one, large, MatrixXd(MatrixXd::Ones(8, 32))}) {
    const HeadReport head = reported({query, gaussian(8, 32, 2)});
    EXPECT_GT(head.tests.rotation.edge_ratio, 0);
  }
}

TEST(Inspection, FiguresAreFreeOfTheScalesOfTheFactors) {
  const Factors factors = spiked(32, 128, 1, 1, 1, 5);
  const HeadReport head = reported(factors);
  for (const int power : {-1000, -560, -300, -40, -30, 25, 200, 530}) {
    SCOPED_TRACE(power);
    const double scale = std::ldexp(1.0, power);
    const HeadReport scaled = reported({scale * factors.left, scale * factors.right});
    ASSERT_TRUE(scaled.inspected());
    EXPECT_EQ(scaled.tests.product.p, head.tests.product.p);
    EXPECT_EQ(scaled.tests.rotation.energy_score, head.tests.rotation.energy_score);
    EXPECT_EQ(scaled.tests.symmetry.score, head.tests.symmetry.score);
    EXPECT_EQ(scaled.outliers.count, head.outliers.count);
    EXPECT_EQ(scaled.ranks.stable_rank, head.ranks.stable_rank);
    EXPECT_EQ(scaled.ranks.spectral_norm, std::ldexp(head.ranks.spectral_norm, 2 * power));
  }
  // Only one factor: the norms follow.
  const HeadReport left = reported({4 * factors.left, factors.right});
  EXPECT_EQ(left.factors.norm_ratio, 4 * head.factors.norm_ratio);
  EXPECT_EQ(left.outliers.edge, 4 * head.outliers.edge);
}

TEST(Inspection, CentredFactorsLiveInOneDimensionLess) {
  // An isometry of d − 1 onto the vectors whose entries sum to 0 carries a head to a centred one with the same figures.
  constexpr Eigen::Index m = 16, d = 24;
  MatrixXd ones = MatrixXd::Ones(d, 1);
  const MatrixXd reflection = Eigen::HouseholderQR<MatrixXd>(ones).householderQ() * MatrixXd::Identity(d, d);
  const MatrixXd isometry = reflection.rightCols(d - 1).transpose();
  const MatrixXd query = gaussian(m, d - 1, 1), key = gaussian(m, d - 1, 2);
  const HeadReport small = reported({query, key}), head = reported({query * isometry, key * isometry});
  EXPECT_EQ(head.dimension, d - 1);
  EXPECT_NEAR(head.tests.product.p, small.tests.product.p, 1e-9);
  EXPECT_NEAR(head.tests.factors.query_p, small.tests.factors.query_p, 1e-9);
  EXPECT_NEAR(head.tests.symmetry.score, small.tests.symmetry.score, 1e-9);
  EXPECT_NEAR(head.tests.symmetry.trace_score, small.tests.symmetry.trace_score, 1e-9);
}

TEST(Inspection, SummaryCorrectsForTheNumberOfHeads) {
  std::vector<HeadReport> heads(10);
  for (HeadReport& head : heads) {
    head.tests.product.p = 0.02;
    head.tests.rotation = {.energy_score = 1, .energy_p = 0.16, .permuted_score = 1, .permuted_p = 0.16};
  }
  heads[4].tests.product.p = 1e-6;
  const std::vector<NullSummary> nulls = summarise(heads, 0.05);
  EXPECT_EQ(nulls[0].heads, 10);
  EXPECT_EQ(nulls[0].discoveries, 1);
  EXPECT_NEAR(heads[4].product_holm, 1e-5, 1e-18);
  EXPECT_NEAR(nulls[1].pooled_score, std::sqrt(10), 1e-12);
  EXPECT_NEAR(heads[4].permuted_holm, 1, 1e-12);
  // Nulls that no head was tested by are not listed.
  ASSERT_EQ(nulls.size(), 3U);
  EXPECT_EQ(nulls[2].null, "N2s permutation");
  Inspection found;
  found.heads = heads;
  EXPECT_EQ(found.by_evidence().front(), 4U);
}

/// A model with one layer of the shape of LLaMA or of the decoder of BART, whose file is kept.
struct OpenedModel {
  test::Scratch folder;
  Model model;

  OpenedModel(const test::SyntheticFile& file, const std::string& config, OpenOptions options = {}) {
    file.write(folder / "model.safetensors");
    folder.write("config.json", config);
    model = open_model(folder.path().string(), options);
  }
};

/// m and d of the tables of whole heads; those of heads without their outliers have draws of their own number.
using Drawn = std::vector<std::pair<int, int>>;

Drawn tables_of(const Model& model, const NullOptions& nulls) {
  NullTables tables(3, 1);
  inspect(model, {.nulls = nulls, .threads = 1}, tables);
  Drawn shapes;
  for (const auto& [m, d, draws] : tables.drawn())
    if (draws == nulls.table_draws) shapes.emplace_back(m, d);
  return shapes;
}

TEST(Inspection, DrawsTheTablesThatHeadsTake) {
  const NullOptions closed{.table_draws = 200, .draws = 19};
  NullOptions exact = closed;
  exact.exact_tables = true;
  const auto gpt2 = [](Eigen::Index m, Eigen::Index d) {
    test::Draws draws(6);
    const test::SyntheticLayer layer = test::random_layer(draws, 8, 8, m, d);
    test::SyntheticFile file;
    file.add("h.0.attn.c_attn.weight",
             test::stacked(test::in_order(test::Fused::blocks, layer.query, layer.key, layer.value)).transpose());
    file.add_vector("h.0.ln_1.weight", draws.matrix(d, 1));
    file.add_vector("h.0.ln_1.bias", draws.matrix(d, 1));
    return file;
  };
  const std::string config = R"({"model_type":"gpt2","n_head":8})";
  // Heads of 32 rows are tested in closed form, those of up to 24 rows by a table.
  ASSERT_FALSE(takes_table(32, 256, closed));
  ASSERT_TRUE(takes_table(24, 192, closed));
  ASSERT_TRUE(takes_table(4, 32, closed));
  const OpenedModel wide(gpt2(32, 256), config), narrow(gpt2(4, 32), config);
  EXPECT_EQ(tables_of(wide.model, closed), Drawn{});
  EXPECT_EQ(tables_of(narrow.model, closed), (Drawn{{4, 32}}));
  EXPECT_EQ(tables_of(wide.model, exact), (Drawn{{32, 256}}));
  // A layer norm that is folded takes the mean of the inputs off: outliers of S have one dimension less, N1 is asked of
  // the weights as they are.
  const OpenedModel folded_wide(gpt2(32, 256), config, {.fold_normalisation = true});
  const OpenedModel folded(gpt2(4, 32), config, {.fold_normalisation = true});
  EXPECT_EQ(tables_of(folded_wide.model, closed), Drawn{});
  EXPECT_EQ(tables_of(folded.model, closed), (Drawn{{4, 31}, {4, 32}}));
}

TEST(Inspection, DrawsNoTableForFactorsOfLowerRank) {
  test::Draws draws(15);
  test::SyntheticFile file;
  for (const char* map : {"q_proj", "k_proj"}) {
    const std::string name = std::string("model.layers.0.self_attn.") + map + ".weight";
    file.add(name, draws.matrix(16, 2) * draws.matrix(2, 32));
  }
  const OpenedModel opened(file, R"({"model_type":"llama","num_attention_heads":2})");
  EXPECT_EQ(tables_of(opened.model, {.exact_tables = true, .table_draws = 200, .draws = 19}), Drawn{});
}

/// A gain makes columns of unlike size, of which a random product has none: N1 is asked of the weights without it.
TEST(Inspection, FoldedGainsAreNoEvidenceAgainstARandomProduct) {
  test::Draws draws(16);
  const test::SyntheticLayer layer = test::random_layer(draws, 4, 4, 32, 256);
  test::SyntheticFile file;
  const std::string block = "model.layers.0.";
  file.add(block + "self_attn.q_proj.weight", test::stacked(layer.query));
  file.add(block + "self_attn.k_proj.weight", test::stacked(layer.key));
  file.add_vector(block + "input_layernorm.weight", (1.5 * draws.matrix(256, 1)).array().exp().matrix());
  const std::string config = R"({"model_type":"llama","num_attention_heads":4})";
  const OpenedModel stored(file, config), folded(file, config, {.fold_normalisation = true});
  const Inspection plain = inspect(stored.model, {.threads = 1}), carried = inspect(folded.model, {.threads = 1});
  ASSERT_TRUE(carried.model.folded);
  for (std::size_t head = 0; head < 4; ++head) {
    const HeadReport &without = plain.heads[head], &with = carried.heads[head];
    EXPECT_EQ(with.tests.product.p, without.tests.product.p);
    EXPECT_EQ(with.tests.product.largest, without.tests.product.largest);
    EXPECT_EQ(with.tests.factors.query_p, without.tests.factors.query_p);
    EXPECT_GT(with.tests.product.p, 1e-3);
    // The map itself has the gain, and a leading direction by it.
    EXPECT_LT(with.ranks.stable_rank, 0.5 * without.ranks.stable_rank);
    EXPECT_NE(with.tests.rotation.energy_score, without.tests.rotation.energy_score);
  }
}

TEST(Inspection, HeadsBetweenSpacesOfTwoSizesDrawNoTable) {
  test::Draws draws(7);
  test::SyntheticFile file;
  // Queries read 24 coordinates, keys and values 16.
  const std::string attention = "decoder.layers.0.encoder_attn.";
  file.add(attention + "q_proj.weight", draws.matrix(8, 24));
  file.add(attention + "k_proj.weight", draws.matrix(8, 16));
  file.add(attention + "v_proj.weight", draws.matrix(8, 16));
  file.add(attention + "out_proj.weight", draws.matrix(24, 8));
  const OpenedModel opened(file, R"({"model_type":"whisper","decoder_attention_heads":2})", {.heads = 2});
  ASSERT_TRUE(opened.model.layers[0].cross);
  EXPECT_EQ(tables_of(opened.model, {.exact_tables = true, .table_draws = 200, .draws = 19}), Drawn{});
}

TEST(Inspection, NormalisedQueriesAndKeysAreSaidOnce) {
  test::Draws draws(8);
  const test::SyntheticLayer layer = test::random_layer(draws, 2, 2, 8, 32);
  test::SyntheticFile file;
  for (int number = 0; number < 2; ++number) {
    const std::string attention = "model.layers." + std::to_string(number) + ".self_attn.";
    file.add(attention + "q_proj.weight", test::stacked(layer.query));
    file.add(attention + "k_proj.weight", test::stacked(layer.key));
    file.add(attention + "v_proj.weight", test::stacked(layer.value));
    file.add_vector(attention + "q_norm.weight", draws.matrix(8, 1));
    file.add_vector(attention + "k_norm.weight", draws.matrix(8, 1));
  }
  const OpenedModel opened(file, R"({"model_type":"qwen3","num_attention_heads":2})");
  const Inspection found = inspect(opened.model, {.threads = 1});
  EXPECT_TRUE(found.model.qk_norm);
  EXPECT_EQ(std::count_if(found.model.notes.begin(), found.model.notes.end(),
                          [](const std::string& note) { return note.find("bilinear") != std::string::npos; }),
            1);
}

TEST(TrainedLaw, RecoversAPlantedLaw) {
  // M = a Z + spikes of 1.5 and 1.1, shifted by t and cut at the 64 largest of 768.
  constexpr int d = 768, n = 64;
  constexpr double a = 0.7, t = 0.6;
  MatrixXd Z = gaussian(d, d, 1) / std::sqrt(2.0 * d);
  MatrixXd M = a * (Z + Z.transpose());
  const Eigen::VectorXd first = unit(d, 2), second = unit(d, 3);
  M += 1.5 * first * first.transpose() + 1.1 * second * second.transpose();
  const Eigen::VectorXd e = test::eigenvalues(M);
  std::vector<double> top;
  for (int i = 0; i < n; ++i) top.push_back(e[d - 1 - i] - t);
  const TrainedLawFit fit = fit_trained_law(top, d, {5, 0});
  EXPECT_EQ(fit.status, FitStatus::fitted);
  EXPECT_EQ(fit.spikes, 2);
  EXPECT_NEAR(fit.noise, a, 3 * 0.017 * a);
  EXPECT_NEAR(fit.ratio, t / a, 3 * 0.026);
  EXPECT_NEAR(fit.noise_error, 0.017 * a, 0.006 * a);
  EXPECT_NEAR(fit.spike_strengths[0], 1.5, 0.1);
  EXPECT_NEAR(fit.spike_strengths[1], 1.1, 0.1);
  EXPECT_GT(fit.cut, 3 * fit.cut_error);
}

TEST(TrainedLaw, RefusesWhatItCannotSay) {
  std::vector<double> few(15, 1.0);
  EXPECT_EQ(fit_trained_law(few, 100, {5, 0}).status, FitStatus::too_few_eigenvalues);
  std::vector<double> steep;
  for (int i = 0; i < 40; ++i) steep.push_back(std::exp(-0.5 * i));
  EXPECT_EQ(fit_trained_law(steep, 400, {5, 0}).status, FitStatus::law_rejected);
}

/// A law that its threshold cuts needs a least number of samples; where fewer are given nothing else is implied.
TEST(TrainedLaw, SaysWhereSamplesAreTooFew) {
  constexpr int d = 200;
  constexpr double a = 0.7, t = 0.6;
  const MatrixXd Z = gaussian(d, d, 1) / std::sqrt(2.0 * d);
  const Eigen::VectorXd e = test::eigenvalues(a * (Z + Z.transpose()));
  std::vector<double> positive;
  for (int i = 0; i < d && e[d - 1 - i] > t; ++i) positive.push_back(e[d - 1 - i] - t);
  const TrainedLawFit fit = fit_trained_law(positive, d, {5, 0});
  ASSERT_EQ(fit.status, FitStatus::fitted);
  ASSERT_GT(fit.implied_samples, 0);
  EXPECT_FALSE(fit.too_few_samples);
  const double far = fit.implied_samples + 10 * fit.implied_samples_error;
  const TrainedLawFit enough = fit_trained_law(positive, d, {5, 0}, far);
  EXPECT_FALSE(enough.too_few_samples);
  EXPECT_GT(enough.implied_noise, 0);
  const TrainedLawFit few = fit_trained_law(positive, d, {5, 0}, 0.5 * fit.implied_samples);
  EXPECT_TRUE(few.too_few_samples);
  EXPECT_TRUE(std::isnan(few.implied_decay) && std::isnan(few.implied_noise));
}

TEST(TrainedLaw, RandomTiedHeadIsSaidToBeOne) {
  const MatrixXd W = gaussian(64, 256, 1);
  const HeadReport head = reported({W, W});
  EXPECT_GT(head.fit.random_tied_p, 0.05);
  EXPECT_TRUE(head.fit.status == FitStatus::not_distinguishable_from_random_tied ||
              head.fit.status == FitStatus::law_rejected);
  EXPECT_NEAR(head.symmetry.positive_share, 1, 1e-12);
}

TEST(Compare, NamesTheLayersThatDiffer) {
  Model before, after;
  before.layers.resize(1);
  before.layers[0].block = "encoder";
  before.layers[0].heads = 1;
  after.layers.resize(1);
  after.layers[0].index = 3;
  after.layers[0].heads = 1;
  try {
    compare(before, after, {});
    FAIL();
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("layer 0 of block encoder"), std::string::npos) << text;
    EXPECT_NE(text.find("layer 3 of 1 head with"), std::string::npos) << text;
  }
}

TEST(Compare, ChangesOfAHead) {
  const Factors before{gaussian(6, 40, 1), gaussian(6, 40, 2)};
  HeadChange same;
  fill_change(before, before, same);
  EXPECT_LT(same.relative_change, 1e-12);
  EXPECT_NEAR(same.cosine, 1, 1e-12);
  EXPECT_NEAR(same.left_overlap, 1, 1e-10);
  HeadChange zero;
  fill_change({MatrixXd::Zero(6, 40), before.right}, before, zero);
  EXPECT_EQ(zero.defect, "the map is zero before");
  // A change of rank one.
  Factors after = before;
  after.left.row(2) += 3 * unit(40, 3).transpose();
  HeadChange change;
  fill_change(before, after, change);
  const MatrixXd first = before.left.transpose() * before.right, second = after.left.transpose() * after.right;
  EXPECT_NEAR(change.relative_change, (second - first).norm() / first.norm(), 1e-10);
  EXPECT_NEAR(change.change_stable_rank, 1, 1e-10);
  EXPECT_NEAR(change.cosine, first.cwiseProduct(second).sum() / first.norm() / second.norm(), 1e-10);
}

}  // namespace
}  // namespace attnlaw::checkpoint
