/// Theory against training: the points of docs/theory/erm.md and the published tables of the quadratic network.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/study/comparison.h"

namespace attnlaw::study {
namespace {

model::Problem softmax_problem(int tokens, double alpha) {
  model::Problem problem;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.lambda = 0.05;
  return problem;
}

Comparison compare_at(const model::Problem& problem, int d, int instances,
                      experiment::Trainer trainer = experiment::Trainer::lbfgs) {
  experiment::Options options;
  options.trainer = trainer;
  options.d = d;
  options.instances = instances;
  options.seed = 1;
  return compare(problem, options);
}

/// |difference| ≤ 5/d + 3 standard errors on every error.
void expect_finite_size_agreement(const Comparison& comparison) {
  const auto bound = [&](const Estimate& difference) {
    return 5.0 / comparison.experiment.d + 3 * difference.standard_error;
  };
  const Estimate &train = comparison.difference.train, &test = comparison.difference.test,
                 &estimation = comparison.difference.estimation;
  EXPECT_TRUE(comparison.converged());
  const bool trained = comparison.experiment.problem.student != model::Student::bayes;
  if (trained) {
    EXPECT_LE(std::abs(train.value), bound(train)) << "train, d = " << comparison.experiment.d;
  }
  EXPECT_LE(std::abs(test.value), bound(test)) << "test, d = " << comparison.experiment.d;
  EXPECT_LE(std::abs(estimation.value), bound(estimation)) << "estimation, d = " << comparison.experiment.d;
}

TEST(Agreement, TrainedLayersFollowTheTheoryUpToOneOverD) {
  for (const double alpha : {0.2, 0.5}) expect_finite_size_agreement(compare_at(softmax_problem(2, alpha), 40, 3));
  expect_finite_size_agreement(compare_at(softmax_problem(3, 0.15), 40, 3));
}

/// A statement at infinite d: four sizes, extrapolated.
void expect_agreement_in_the_limit(const model::Problem& problem,
                                   experiment::Trainer trainer = experiment::Trainer::lbfgs) {
  std::vector<Comparison> comparisons;
  for (const auto& [d, instances] : {std::pair{40, 12}, {60, 8}, {90, 6}, {130, 4}}) {
    comparisons.push_back(compare_at(problem, d, instances, trainer));
    expect_finite_size_agreement(comparisons.back());
  }
  const Extrapolation limit = extrapolate(comparisons);
  for (const SharedError& error : kSharedErrors)
    ::testing::Test::RecordProperty(error.name, fmt::format("z = {:.2f}", (limit.*error.extrapolated).z));
  const bool trained = problem.student != model::Student::bayes;
  if (trained) {
    EXPECT_LE(std::abs(limit.train.z), 3.5);
  }
  EXPECT_LE(std::abs(limit.test.z), 3.5);
  EXPECT_LE(std::abs(limit.estimation.z), 3.5);
}

TEST(Agreement, SlowTwoTokensInTheLimit) {
  for (const double alpha : {0.2, 0.3, 0.5, 1.0}) {
    SCOPED_TRACE(alpha);
    expect_agreement_in_the_limit(softmax_problem(2, alpha));
  }
}

TEST(Agreement, SlowThreeTokensInTheLimit) { expect_agreement_in_the_limit(softmax_problem(3, 0.15)); }

model::Problem student_problem(model::Student student, model::Head head, double alpha, double noise) {
  model::Problem problem;
  problem.student = student;
  problem.head = head;
  problem.alpha = alpha;
  problem.noise = noise;
  problem.lambda = 0.1;
  if (student == model::Student::bayes) problem.lambda_rule = model::LambdaRule::none;
  return problem;
}

TEST(Agreement, SlowNarrowLinearStudentInTheLimit) {
  model::Problem problem = student_problem(model::Student::tied, model::Head::linear, 0.4, 0.1);
  problem.width = 0.3;
  expect_agreement_in_the_limit(problem);
}

TEST(Agreement, SlowNarrowSoftmaxStudentInTheLimit) {
  model::Problem problem = student_problem(model::Student::tied, model::Head::softmax, 0.3, 0);
  problem.width = 0.3;
  expect_agreement_in_the_limit(problem);
}

TEST(Agreement, SlowDirectStudentInTheLimit) {
  expect_agreement_in_the_limit(student_problem(model::Student::direct, model::Head::softmax, 0.4, 0));
}

TEST(Agreement, SlowGeneralStudentInTheLimit) {
  expect_agreement_in_the_limit(student_problem(model::Student::direct_general, model::Head::softmax, 0.4, 0));
}

TEST(Agreement, SlowPosteriorMeanInTheLimit) {
  expect_agreement_in_the_limit(student_problem(model::Student::bayes, model::Head::linear, 0.5, 0.5),
                                experiment::Trainer::gamp);
}

/// Published trained networks of full width, d = 400, target powerlaw:1.25,400, label noise 0.1: estimation error, mean
/// over the rows of width ≥ 1 of the EXP_ tables of SPOC-group/WidthQuadraticNetworks.
TEST(Agreement, SlowPublishedQuadraticNetworksAtFullWidth) {
  struct Published {
    double n, lambda, trained;
  };
  for (const Published& row : {Published{14564, 0.030170881682725827, 0.0638474}, Published{160000, 0.1, 0.0145398}}) {
    model::Problem problem;
    problem.tokens = 1;
    problem.head = model::Head::linear;
    problem.noise = 0.05;
    problem.alpha = row.n / 160000;
    problem.lambda = row.lambda;
    problem.target = model::Target::parse("powerlaw:1.25,400");
    const Comparison comparison = compare_at(problem, 400, 1, experiment::Trainer::fista);
    EXPECT_NEAR(comparison.experiment.mean.estimation, row.trained, 0.05 * row.trained);
    EXPECT_NEAR(comparison.theory.errors.estimation, row.trained, 0.05 * row.trained);
  }
}

}  // namespace
}  // namespace attnlaw::study
