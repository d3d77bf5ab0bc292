/// Cross-attention: training at finite d against the theory of the very same targets.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/study/comparison.h"
#include "attnlaw/study/spectrum_comparison.h"
#include "problems.h"

namespace attnlaw::study {
namespace {

struct Row {
  int queries, keys;
  double alpha, lambda;
  const char* target;
  int d;
};

model::Problem problem_of(const Row& row) {
  model::Problem problem = samples::crossed({}, row.queries, row.keys);
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

/// Corrections of order 1/d, and how many standard errors over instances a mean may lie off: of a hundred figures one
/// lies beyond three by chance where instances are few, and seeds are fixed.
constexpr double kFiniteSize = 5, kErrors = 3;

/// Errors of every instance against its own theory, overlap, norm and rank against that of all targets together: 5/d of
/// each plus three standard errors.
void expect_agreement(const model::Problem& problem, int d, int instances) {
  const Comparison comparison = compare(problem, options_of(d, instances));
  EXPECT_TRUE(comparison.converged());
  const auto expect_near = [&](const base::Estimate& measured, double theory, double scale, const char* name) {
    EXPECT_NEAR(measured.value, theory, kFiniteSize / d * scale + kErrors * measured.standard_error) << name;
  };
  for (const SharedError& error : kSharedErrors) expect_near(comparison.difference.*error.difference, 0, 1, error.name);
  using experiment::Measurements;
  const auto expect_mean = [&](double Measurements::*quantity, double theory, const char* name) {
    const experiment::Experiment& experiment = comparison.experiment;
    expect_near({experiment.mean.*quantity, experiment.standard_error.*quantity}, theory, theory, name);
  };
  const theory::Solution& theory = comparison.theory;
  expect_mean(&Measurements::q, theory.overlaps.q, "q");
  expect_mean(&Measurements::m, theory.overlaps.m, "m");
  expect_mean(&Measurements::objective, theory.errors.objective, "objective");
  if (problem.student != model::Student::untied) return;
  const double nuclear = theory.spectrum.collapse.nuclear_frobenius * std::sqrt(theory.overlaps.q);
  expect_mean(&Measurements::nuclear, nuclear, "nuclear norm");
  std::vector<double> zeros;
  for (const experiment::Instance& instance : comparison.experiment.instances) {
    const std::vector<double>& values = instance.singular_values;
    const double tolerance = zero_tolerance(values);
    zeros.push_back(
        static_cast<double>(std::count_if(values.begin(), values.end(), [&](double s) { return s <= tolerance; })) / d);
  }
  expect_near(base::estimate_of(zeros), theory.spectrum.zero_mass, 1, "zeros");
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

/// One strong singular value over the d/2 − 1 quantiles of a product of width d/2.
model::Problem spiked(int d) {
  model::Problem problem = problem_of({2, 2, 0.2, 0.05, "product:0.5", d});
  const matrix_laws::Law bulk = matrix_laws::law_of(problem.target_law());
  std::vector<double> values{4.5};
  // The upper half of the singular values is not 0: it is the upper quarter of the symmetrised law.
  for (int i = 0; i < d / 2 - 1; ++i) values.push_back(bulk.quantile(0.75 + 0.25 * (i + 0.5) / (d / 2 - 1)));
  problem.target = model::Target::parse(fmt::format("spikes:{},{}", d, fmt::join(values, ",")));
  return problem;
}

/// a of a + b/d, through values whose standard errors are given.
base::Estimate limit_of(const std::vector<int>& sizes, const std::vector<base::Estimate>& values) {
  double weight = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double w = 1 / std::pow(values[i].standard_error, 2), inverse = 1.0 / sizes[i];
    weight += w, x += w * inverse, y += w * values[i].value, xx += w * inverse * inverse,
        xy += w * inverse * values[i].value;
  }
  const double determinant = weight * xx - x * x;
  return {(xx * y - x * xy) / determinant, std::sqrt(xx / determinant)};
}

/// An outlier's place in the trained S and its overlaps are at finite d below the theory of the same list, by
/// some 9.5/d of its position, but not in the limit.
TEST(CrossAttention, SlowOutliersStandWherePredicted) {
  const std::vector<int> sizes{40, 60, 100, 140};
  std::vector<base::Estimate> positions, left, right;
  for (const int d : sizes) {
    const model::Problem problem = spiked(d);
    const theory::Solution solution = theory::solve(problem);
    const experiment::Experiment experiment = experiment::run(problem, options_of(d, 12));
    EXPECT_TRUE(experiment.converged());
    const SpectrumComparison comparison = compare_spectra(experiment, solution, problem.target_law());
    ASSERT_FALSE(comparison.outliers.empty());
    const OutlierComparison& outlier = comparison.outliers.back();
    ASSERT_NEAR(outlier.predicted.target, 4.5, 1e-9);
    positions.push_back({outlier.difference, outlier.measured.standard_error});
    left.push_back({outlier.left_overlap->value - outlier.predicted.overlap, outlier.left_overlap->standard_error});
    right.push_back({outlier.right_overlap->value - outlier.predicted.overlap, outlier.right_overlap->standard_error});
  }
  for (const auto& differences : {positions, left, right}) {
    const base::Estimate limit = limit_of(sizes, differences);
    EXPECT_LE(std::abs(limit.value), 3.5 * limit.standard_error)
        << "at d = 40: " << differences.front().value << ", at d = 140: " << differences.back().value;
  }
}

/// The distance of pooled singular values from the law is of order 1/d: they repel one another.
TEST(CrossAttention, SlowSpectrumIsTheLaw) {
  const int d = 100;
  const model::Problem problem = problem_of({2, 2, 0.2, 0.05, "product:0.5", d});
  const experiment::Experiment experiment = experiment::run(problem, options_of(d, 4));
  EXPECT_LT(compare_spectra(experiment, theory::solve(problem), problem.target_law()).kolmogorov_distance, 5.0 / d);
}

}  // namespace
}  // namespace attnlaw::study
