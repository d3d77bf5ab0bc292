/// One head against its nulls: planted outliers, tied heads, the fit of the trained law, and the corrections over
/// heads.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "attnlaw/base/random.h"
#include "attnlaw/checkpoint/inspection/compare.h"
#include "attnlaw/checkpoint/inspection/inspect.h"

namespace attnlaw::checkpoint {
namespace {

using Eigen::MatrixXd;

MatrixXd gaussian(Eigen::Index m, Eigen::Index d, std::uint64_t stream) {
  MatrixXd W(m, d);
  base::NormalStream(7, stream).fill(0, std::span(W.data(), static_cast<std::size_t>(W.size())));
  return W;
}

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

TEST(Inspection, SharedFactorsAreSymmetric) {
  const MatrixXd query = gaussian(32, 256, 1);
  const HeadReport head = reported({query, 0.5 * query + 0.87 * gaussian(32, 256, 2)});
  EXPECT_GT(head.tests.symmetry.score, 10);
  EXPECT_GT(head.tests.symmetry.trace_score, 5);
  EXPECT_LT(head.tests.symmetry.p, 1e-10);
}

TEST(Inspection, ExactTablesAgreeWithClosedForms) {
  const Factors factors{gaussian(16, 64, 1), gaussian(16, 64, 2)};
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
  EXPECT_EQ(nulls[3].heads, 0);
  Inspection found;
  found.heads = heads;
  EXPECT_EQ(found.by_evidence().front(), 4U);
}

TEST(TrainedLaw, RecoversAPlantedLaw) {
  // M = a Z + spikes of 1.5 and 1.1, shifted by t and cut at the 64 largest of 768.
  constexpr int d = 768, n = 64;
  constexpr double a = 0.7, t = 0.6;
  MatrixXd Z = gaussian(d, d, 1) / std::sqrt(2.0 * d);
  MatrixXd M = a * (Z + Z.transpose());
  const Eigen::VectorXd first = unit(d, 2), second = unit(d, 3);
  M += 1.5 * first * first.transpose() + 1.1 * second * second.transpose();
  const Eigen::VectorXd e = Eigen::SelfAdjointEigenSolver<MatrixXd>(M, Eigen::EigenvaluesOnly).eigenvalues();
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

TEST(TrainedLaw, RandomTiedHeadIsSaidToBeOne) {
  const MatrixXd W = gaussian(64, 256, 1);
  const HeadReport head = reported({W, W});
  EXPECT_GT(head.fit.random_tied_p, 0.05);
  EXPECT_TRUE(head.fit.status == FitStatus::not_distinguishable_from_random_tied ||
              head.fit.status == FitStatus::law_rejected);
  EXPECT_NEAR(head.symmetry.positive_share, 1, 1e-12);
}

TEST(Compare, ChangesOfAHead) {
  const Factors before{gaussian(6, 40, 1), gaussian(6, 40, 2)};
  HeadChange same;
  fill_change(before, before, same);
  EXPECT_LT(same.relative_change, 1e-12);
  EXPECT_NEAR(same.cosine, 1, 1e-12);
  EXPECT_NEAR(same.left_overlap, 1, 1e-10);
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
