/// Cross-attention: training at finite d against the theory of the very same targets.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "attnlaw/study/comparison.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::study {
namespace {

struct Row {
  int queries, keys;
  double alpha, lambda;
  const char* target;
  int d;
};

model::Problem problem_of(const Row& row) {
  model::Problem problem;
  problem.attention = model::Attention::cross;
  problem.tokens = row.queries;
  problem.key_tokens = row.keys;
  problem.student = model::Student::untied;
  problem.alpha = row.alpha;
  problem.lambda = row.lambda;
  problem.target = model::Target::parse(row.target);
  return problem;
}

experiment::Options options_of(int d, int instances) {
  experiment::Options options;
  options.d = d;
  options.instances = instances;
  options.seed = 1;
  return options;
}

/// Errors of every instance against its own theory, overlap, norm and rank against that of all targets together: 5/d of
/// each plus three standard errors.
void expect_agreement(const model::Problem& problem, int d, int instances) {
  const Comparison comparison = compare(problem, options_of(d, instances));
  EXPECT_TRUE(comparison.converged());
  const double finite_size = 5.0 / d;
  for (const SharedError& error : kSharedErrors) {
    const Estimate& difference = comparison.difference.*error.difference;
    EXPECT_LE(std::abs(difference.value), finite_size + 3 * difference.standard_error) << error.name;
  }
  using experiment::Measurements;
  const auto& [mean, error] = std::tie(comparison.experiment.mean, comparison.experiment.standard_error);
  const auto expect_near = [&](double Measurements::*quantity, double theory, const char* name) {
    EXPECT_NEAR(mean.*quantity, theory, finite_size * theory + 3 * error.*quantity) << name;
  };
  const theory::Solution& theory = comparison.theory;
  expect_near(&Measurements::q, theory.overlaps.q, "q");
  expect_near(&Measurements::m, theory.overlaps.m, "m");
  expect_near(&Measurements::objective, theory.errors.objective, "objective");
  if (problem.student != model::Student::untied) return;
  const double nuclear = theory.spectrum.collapse.nuclear_frobenius * std::sqrt(theory.overlaps.q);
  expect_near(&Measurements::nuclear, nuclear, "nuclear norm");
  double zeros = 0;
  for (const experiment::Instance& instance : comparison.experiment.instances)
    zeros += static_cast<double>(std::count_if(instance.singular_values.begin(), instance.singular_values.end(),
                                               [](double s) { return s <= 1e-3; }));
  EXPECT_NEAR(zeros / (d * instances), theory.spectrum.zero_mass, finite_size) << "zeros";
}

TEST(CrossAttention, FollowsTheTheoryUpToOneOverD) {
  expect_agreement(problem_of({2, 2, 0.3, 0.05, "product:0.5", 40}), 40, 3);
}

TEST(CrossAttention, SlowFollowsTheTheoryOfManyProblems) {
  for (const Row& row : {Row{2, 2, 0.2, 0.05, "product:0.5", 100}, Row{2, 2, 0.3, 0.05, "product:0.5", 100},
                         Row{1, 2, 0.6, 0.05, "product:0.5", 100}, Row{2, 2, 0.6, 0.05, "product:0.5", 80},
                         Row{1, 3, 0.3, 0.05, "product:0.5", 100}}) {
    SCOPED_TRACE(testing::Message() << row.queries << ',' << row.keys << " alpha " << row.alpha);
    expect_agreement(problem_of(row), row.d, 4);
  }
}

/// Close to recovery corrections are some 9/d of the estimation error: they vanish with 1/d all the same.
TEST(CrossAttention, SlowFollowsTheTheoryInTheLimit) {
  const model::Problem problem = problem_of({2, 3, 0.2, 0.02, "product:0.2", 0});
  std::vector<Comparison> comparisons;
  for (const int d : {40, 60, 90, 130}) {
    comparisons.push_back(compare(problem, options_of(d, 6)));
    EXPECT_TRUE(comparisons.back().converged());
  }
  const Extrapolation limit = extrapolate(comparisons);
  EXPECT_LE(std::abs(limit.train.z), 3.5);
  EXPECT_LE(std::abs(limit.test.z), 3.5);
  EXPECT_LE(std::abs(limit.estimation.z), 3.5);
}

TEST(CrossAttention, SlowDirectStudentFollowsTheTheory) {
  model::Problem problem = problem_of({2, 2, 0.3, 0.05, "product:0.5", 60});
  problem.student = model::Student::direct;
  expect_agreement(problem, 60, 4);
}

/// One strong singular value over a product of width d/2: where it appears, and how much of its vectors.
TEST(CrossAttention, SlowOutliersStandWherePredicted) {
  const int d = 100;
  const model::Problem bulk = problem_of({2, 2, 0.2, 0.05, "product:0.5", d});
  std::string spikes = "spikes:100,4.5";
  const std::vector<double> values = bulk.target.eigenvalues(d, 1, 0);
  for (std::size_t i = 0; i + 1 < values.size() && values[i] > 0; ++i) spikes += "," + std::to_string(values[i]);
  const model::Problem problem = problem_of({2, 2, 0.2, 0.05, spikes.c_str(), d});
  const theory::Solution solution = theory::solve(problem);
  const experiment::Experiment experiment = experiment::run(problem, options_of(d, 4));
  const SpectrumComparison comparison = compare_spectra(experiment, solution, problem.target_law());
  ASSERT_FALSE(comparison.outliers.empty());
  const OutlierComparison& outlier = comparison.outliers.back();
  EXPECT_NEAR(outlier.predicted.target, 4.5, 1e-6);
  EXPECT_NEAR(outlier.measured.value, outlier.predicted.eigenvalue, 0.05 * outlier.predicted.eigenvalue);
  EXPECT_NEAR(outlier.left_overlap->value, outlier.predicted.overlap, 5.0 / d);
  EXPECT_NEAR(outlier.right_overlap->value, outlier.predicted.overlap, 5.0 / d);
  EXPECT_LT(comparison.kolmogorov_distance, 0.06);
}

}  // namespace
}  // namespace attnlaw::study
