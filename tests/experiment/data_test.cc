#include "attnlaw/experiment/data/data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/train/trainer.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;

model::Problem linear_problem(int tokens, double noise) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.tokens = tokens;
  problem.noise = noise;
  problem.alpha = 5;
  return problem;
}

constexpr int kDimension = 60;

std::vector<double> target_of(const model::Problem& problem) { return problem.target.eigenvalues(kDimension, 3, 1); }

/// Five standard errors of a sample variance of n Gaussian numbers.
double five_sigma_of_variance(double variance, Eigen::Index n) {
  return 5 * variance * std::sqrt(2.0 / static_cast<double>(n));
}

/// Scores of a diagonal target: mean 0, variance (1+δ_ab) Q*; noise adds (1+δ_ab) Δ.
TEST(Data, LabelsHaveTheVarianceOfTargetPlusNoise) {
  for (const double noise : {0.0, 2.5}) {
    const model::Problem problem = linear_problem(2, noise);
    const std::vector<double> target = target_of(problem);
    double Q_star = 0;
    for (const double s : target) Q_star += s * s / kDimension;
    const Data<double> data = draw_data<double>(problem, target, 3, 1);
    const Eigen::Index n = data.labels.rows();
    ASSERT_EQ(n, 5 * kDimension * kDimension);
    for (int a = 0, k = 0; a < 2; ++a) {
      for (int b = a; b < 2; ++b, ++k) {
        const double variance = (a == b ? 2 : 1) * (Q_star + noise);
        EXPECT_NEAR(data.labels.col(k).mean(), 0, 5 * std::sqrt(variance / static_cast<double>(n)));
        // At finite d the scores have a small positive kurtosis, hence the factor.
        EXPECT_NEAR(data.labels.col(k).square().mean(), variance, 1.5 * five_sigma_of_variance(variance, n));
      }
    }
  }
}

model::Problem cross_problem(int queries, int keys, double noise) {
  model::Problem problem = samples::crossed(linear_problem(queries, noise), queries, keys);
  problem.alpha = 3;
  return problem;
}

/// Queries and keys are independent, so that all scores are N(0, Q*): noise adds Δ to each.
TEST(Data, LabelsOfCrossAttentionAllHaveTheSameVariance) {
  const model::Problem problem = cross_problem(2, 3, 1.5);
  const std::vector<double> target = target_of(problem);
  double Q_star = 0;
  for (const double s : target) Q_star += s * s / kDimension;
  const Data<double> data = draw_data<double>(problem, target, 3, 1);
  const Eigen::Index n = data.labels.rows();
  EXPECT_EQ(data.X.rows(), 2 * n);
  EXPECT_EQ(data.keys().rows(), 3 * n);
  const double variance = Q_star + problem.noise;
  for (int k = 0; k < 6; ++k) {
    EXPECT_NEAR(data.labels.col(k).mean(), 0, 5 * std::sqrt(variance / static_cast<double>(n)));
    EXPECT_NEAR(data.labels.col(k).square().mean(), variance, 1.5 * five_sigma_of_variance(variance, n));
  }
}

/// h_ab = x_aᵀ S* y_b/√d, S* = diag(s), from rows that are not correlated.
TEST(Data, CrossAttentionHasASecondSequence) {
  const model::Problem problem = cross_problem(2, 3, 0);
  const std::vector<double> target = target_of(problem);
  const Data<double> data = draw_data<double>(problem, target, 3, 1);
  const Eigen::VectorXd s = Eigen::Map<const Eigen::VectorXd>(target.data(), kDimension);
  for (const Eigen::Index mu : {0, 77, 1000}) {
    const Matrix<double> h = data.X.middleRows(2 * mu, 2) * s.asDiagonal() * data.Y.middleRows(3 * mu, 3).transpose() /
                             std::sqrt(kDimension);
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 3; ++b) EXPECT_NEAR(data.labels(mu, 3 * a + b), h(a, b), 1e-12);
  }
  const auto rows = static_cast<double>(data.X.rows());
  const double correlation = (data.X.array() * data.Y.topRows(data.X.rows()).array()).sum() / (rows * kDimension);
  EXPECT_LT(std::abs(correlation), 5 / std::sqrt(rows * kDimension));
}

TEST(Data, SelfAttentionKeepsOneSequence) {
  const model::Problem problem = linear_problem(2, 0);
  const Data<double> data = draw_data<double>(problem, target_of(problem), 3, 1);
  EXPECT_EQ(data.Y.size(), 0);
  EXPECT_EQ(&data.keys(), &data.X);
}

TEST(Data, SoftmaxLabelsAreRowsOfProbabilities) {
  model::Problem problem;
  problem.tokens = 3;
  problem.noise = 1;
  const Data<float> data = draw_data<float>(problem, target_of(problem), 3, 1);
  EXPECT_GE(data.labels.minCoeff(), 0);
  for (int a = 0; a < 3; ++a) {
    EXPECT_LT((data.labels.middleCols(3 * a, 3).rowwise().sum() - 1).abs().maxCoeff(), 1e-6F);
  }
}

TEST(Data, AgreesInFloatAndDouble) {
  const model::Problem problem = linear_problem(2, 0.5);
  const Data<float> single = draw_data<float>(problem, target_of(problem), 3, 1);
  const Data<double> double_ = draw_data<double>(problem, target_of(problem), 3, 1);
  EXPECT_LT((single.X.cast<double>() - double_.X).norm(), 1e-6 * double_.X.norm());
  EXPECT_LT((single.labels.cast<double>() - double_.labels).matrix().norm(), 1e-5 * double_.labels.matrix().norm());
}

TEST(Data, DiffersBetweenInstancesAndSeeds) {
  const model::Problem problem = linear_problem(1, 0);
  const std::vector<double> target = target_of(problem);
  const Data<double> data = draw_data<double>(problem, target, 3, 1);
  EXPECT_NE(data.X(0, 0), draw_data<double>(problem, target, 3, 2).X(0, 0));
  EXPECT_NE(data.X(0, 0), draw_data<double>(problem, target, 4, 1).X(0, 0));
}

/// Otherwise the errors of different sizes would be correlated.
TEST(Data, HasNumbersOfItsOwnInEveryDimension) {
  const model::Problem problem = linear_problem(1, 0);
  const std::vector<double> small(20, 1.0), large(21, 1.0);
  const Data<double> one = draw_data<double>(problem, small, 3, 1), other = draw_data<double>(problem, large, 3, 1);
  for (Eigen::Index i = 0; i < 20; ++i) EXPECT_NE(one.X(0, i), other.X(0, i));
  EXPECT_NE(initial_weights(20, {})(0, 0), initial_weights(21, {})(0, 0));
}

TEST(SequenceCount, RoundsAndNeedsAtLeastOne) {
  model::Problem problem;
  problem.alpha = 0.5;
  EXPECT_EQ(sequence_count(problem, 3), 5);  // 4.5, halves away from zero
  problem.alpha = 1e-4;
  EXPECT_THROW(sequence_count(problem, 60), std::invalid_argument);
  problem.alpha = 1e9;
  EXPECT_THROW(sequence_count(problem, 60), std::invalid_argument);
}

/// E Σ_ab (h*_ab − h_ab)² = 2K ‖S − S*‖²_F/d for the linear head, exactly at any d.
TEST(TestError, OfTheLinearHeadIsTwiceKTimesTheEstimationError) {
  const model::Problem problem = linear_problem(3, 0);
  const std::vector<double> target = target_of(problem);
  constexpr std::int64_t kSequences = 100'000;
  const Matrix<double> S = 0.3 * Matrix<double>::Identity(kDimension, kDimension);
  double estimation = 0;
  for (const double s : target) estimation += (s - 0.3) * (s - 0.3) / kDimension;
  const double expected = 2 * problem.score_count() * estimation;
  EXPECT_NEAR(test_error<double>(problem, target, S, kSequences, 3, 1, 1), expected, 0.02 * expected);
}

/// Cross-attention: T1 T2 ‖S − S*‖²_F/d.
TEST(TestError, OfTheLinearHeadCountsEveryScoreOfCrossAttention) {
  const model::Problem problem = cross_problem(2, 3, 0);
  const std::vector<double> target = target_of(problem);
  Matrix<double> S = 0.3 * Matrix<double>::Identity(kDimension, kDimension);
  S(0, 7) = 2;
  double estimation = 4.0 / kDimension;
  for (const double s : target) estimation += (s - 0.3) * (s - 0.3) / kDimension;
  const double expected = 6 * estimation;
  EXPECT_NEAR(test_error<double>(problem, target, S, 100'000, 3, 1, 1), expected, 0.02 * expected);
}

TEST(TestError, VanishesAtTheTargetWithoutNoiseInLabels) {
  model::Problem problem;
  problem.noise = 3;
  const std::vector<double> target = target_of(problem);
  const Matrix<double> S = Eigen::Map<const Eigen::VectorXd>(target.data(), kDimension).asDiagonal();
  EXPECT_LT(test_error<double>(problem, target, S, 1000, 3, 1, 1), 1e-24);
  EXPECT_LT(test_error<float>(problem, target, S, 1000, 3, 1, 1), 1e-9);
  model::Problem cross = cross_problem(3, 2, 3);
  cross.head = model::Head::softmax;
  EXPECT_LT(test_error<double>(cross, target, S, 1000, 3, 1, 1), 1e-24);
  EXPECT_LT(test_error<float>(cross, target, S, 1000, 3, 1, 1), 1e-9);
}

TEST(TestError, HasTheSameBitsOnAnyNumberOfThreads) {
  const model::Problem problem;
  const std::vector<double> target = target_of(problem);
  const Matrix<double> S = Matrix<double>::Identity(kDimension, kDimension);
  const double one = test_error<float>(problem, target, S, 5000, 3, 1, 1);
  EXPECT_EQ(test_error<float>(problem, target, S, 5000, 3, 1, 2), one);
  EXPECT_EQ(test_error<float>(problem, target, S, 5000, 3, 1, 3), one);
}

}  // namespace
}  // namespace attnlaw::experiment
