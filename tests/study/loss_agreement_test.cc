/// Training on other losses and labels follows the theory of the very targets drawn, up to corrections of order 1/d:
/// the table of docs/theory/losses.md.
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/study/comparison.h"
#include "problems.h"

namespace attnlaw::study {
namespace {

using model::Labels;
using model::Loss;
using model::Problem;
using model::Readout;
using samples::crossed;

Problem problem_of(Loss loss, double alpha, double lambda, double noise = 0) {
  Problem problem;
  problem.loss = loss;
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.noise = noise;
  return problem;
}

Problem sampled_rows() {
  Problem problem = problem_of(Loss::cross_entropy, 1, 0.3);
  problem.labels = Labels::sampled;
  return problem;
}

Problem one_entry() {
  Problem problem = problem_of(Loss::square, 0.8, 0.02);
  problem.readout = Readout::entry;
  return problem;
}

Problem signs() {
  Problem problem = problem_of(Loss::logistic, 1, 0.1);
  problem.head = model::Head::linear;
  problem.readout = Readout::score;
  problem.labels = Labels::sign;
  return problem;
}

Comparison compare_at(const Problem& problem, int d, int instances = 4) {
  experiment::Options options;
  options.d = d;
  options.instances = instances;
  options.seed = 1;
  return compare(problem, options);
}

/// Mean relative difference of the instances from their own theory ≤ 5/d, corrections of finite size, + 3 standard
/// errors over instances, on every error and figure of the loss that there is.
void expect_finite_size_agreement(const Comparison& comparison) {
  EXPECT_TRUE(comparison.converged()) << comparison.theory.diagnostics.message;
  const Prediction predicted = prediction_of(comparison.theory);
  int compared = 0;
  const auto expect_close = [&](const SharedError& error) {
    if (std::isnan(predicted.*error.predicted)) return;
    const Estimate& difference = comparison.difference.*error.difference;
    EXPECT_LE(std::abs(difference.value), 5.0 / comparison.experiment.d + 3 * difference.standard_error)
        << error.name << ": theory " << predicted.*error.predicted << ", experiment "
        << comparison.experiment.mean.*error.measured << " ± " << comparison.experiment.standard_error.*error.measured;
    ++compared;
  };
  for (const SharedError& error : kSharedErrors) expect_close(error);
  for (const SharedError& figure : shared_figures(comparison.experiment.problem)) expect_close(figure);
  EXPECT_GE(compared, 3);
}

TEST(LossAgreement, OfSmallLayers) {
  expect_finite_size_agreement(compare_at(problem_of(Loss::cross_entropy, 0.3, 0.05), 36, 3));
  expect_finite_size_agreement(compare_at(signs(), 36, 3));
}

TEST(LossAgreement, SlowCrossEntropy) {
  expect_finite_size_agreement(compare_at(problem_of(Loss::cross_entropy, 0.3, 0.05), 100));
}

TEST(LossAgreement, SlowCrossEntropyOfNoisyLabels) {
  expect_finite_size_agreement(compare_at(problem_of(Loss::cross_entropy, 0.3, 0.05, 0.5), 100));
}

TEST(LossAgreement, SlowSampledRows) { expect_finite_size_agreement(compare_at(sampled_rows(), 70)); }

TEST(LossAgreement, SlowOneEntry) { expect_finite_size_agreement(compare_at(one_entry(), 70)); }

TEST(LossAgreement, SlowSigns) { expect_finite_size_agreement(compare_at(signs(), 70)); }

TEST(LossAgreement, SlowCrossAttention) {
  expect_finite_size_agreement(compare_at(crossed(problem_of(Loss::cross_entropy, 0.3, 0.05), 2, 2), 70));
  expect_finite_size_agreement(compare_at(crossed(sampled_rows(), 2, 2), 70));
  expect_finite_size_agreement(compare_at(crossed(signs(), 1, 1), 70));
}

/// What is left is of order 1/d: it vanishes in the limit, and d · difference is the same at every d.
TEST(LossAgreement, SlowDifferencesOfSignsShrinkLikeOneOverD) {
  std::vector<Comparison> comparisons;
  for (const auto& [d, instances] : {std::pair{35, 16}, {70, 8}, {115, 4}})
    comparisons.push_back(compare_at(signs(), d, instances));
  const Extrapolation limit = extrapolate(comparisons);
  for (const SharedError& error : kSharedErrors)
    ::testing::Test::RecordProperty(error.name, std::to_string((limit.*error.extrapolated).z));
  EXPECT_LE(std::abs(limit.train.z), 3.5);
  EXPECT_LE(std::abs(limit.test.z), 3.5);
  EXPECT_LE(std::abs(limit.sign_error.z), 3.5);
  const auto in_units = [&](std::size_t i, double part) { return comparisons[i].experiment.d * part; };
  const auto& first = comparisons.front().difference.train;
  const auto& last = comparisons.back().difference.train;
  EXPECT_NEAR(in_units(0, first.value), in_units(2, last.value),
              3.5 * std::hypot(in_units(0, first.standard_error), in_units(2, last.standard_error)));
}

}  // namespace
}  // namespace attnlaw::study
