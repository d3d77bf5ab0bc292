#include "attnlaw/study/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::study {
namespace {

/// A comparison with made-up measurements: theory 1 everywhere, measured values as given.
Comparison made_up(int d, const std::vector<double>& measured) {
  Comparison comparison;
  comparison.experiment.d = d;
  for (const double value : measured) {
    experiment::Instance instance;
    instance.train = instance.test = instance.estimation = value;
    comparison.experiment.instances.push_back(instance);
    comparison.instance_theory.push_back({{1, 1, 1, 0}, {}});
  }
  return comparison;
}

/// An experiment whose one student has the quantiles of a law for eigenvalues, descending.
experiment::Experiment of_quantiles(const theory::Solution& solution, const theory::TrainedLaw& law, int count) {
  experiment::Experiment experiment;
  experiment.instances.emplace_back();
  const double lowest = std::min(solution.spectrum.edges.front().lower, 0.0);
  for (int i = count - 1; i >= 0; --i) {
    double low = lowest, high = solution.spectrum.edges.back().upper;
    for (int k = 0; k < 50; ++k) (law.cdf(0.5 * (low + high)) < (i + 0.5) / count ? low : high) = 0.5 * (low + high);
    experiment.instances[0].eigenvalues.push_back(std::abs(high) < 1e-9 ? 0 : high);
  }
  return experiment;
}

TEST(Extrapolation, IsExactForCorrectionsLinearInTheInverseDimension) {
  std::vector<Comparison> comparisons;
  for (const int d : {20, 50, 100})
    comparisons.push_back(made_up(d, {1.02 + 3.0 / d - 0.5 / d, 1.02 + 3.0 / d + 0.5 / d}));
  const Extrapolation result = extrapolate(comparisons);
  EXPECT_NEAR(result.train.value, 0.02, 1e-12);
  EXPECT_GT(result.train.standard_error, 0);
  EXPECT_NEAR(result.train.z, result.train.value / result.train.standard_error, 1e-9);
}

TEST(Extrapolation, IsExactForQuadraticCorrectionsFromFourSizesOn) {
  std::vector<Comparison> comparisons;
  for (const int d : {20, 30, 50, 100}) {
    const double mean = 0.99 + 3.0 / d - 40.0 / (d * d);
    comparisons.push_back(made_up(d, {mean - 0.1 / d, mean + 0.1 / d}));
  }
  EXPECT_NEAR(extrapolate(comparisons).test.value, -0.01, 1e-12);
}

TEST(Extrapolation, ZScoresOfPureNoiseHaveUnitVariance) {
  std::mt19937_64 generator(3);
  std::normal_distribution<double> normal;
  const int trials = 2000;
  double square = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<Comparison> comparisons;
    for (const int d : {30, 60, 120}) {
      std::vector<double> values;
      for (int i = 0; i < 8; ++i) values.push_back(1 + 5.0 / d + normal(generator) / d);
      comparisons.push_back(made_up(d, values));
    }
    square += std::pow(extrapolate(comparisons).estimation.z, 2);
  }
  // z follows Student's law with 21 degrees of freedom: mean square 21/19, variance of its square below 3.
  EXPECT_NEAR(square / trials, 21.0 / 19, 4 * std::sqrt(3.0 / trials));
}

TEST(Extrapolation, NeedsSizesAndScatter) {
  EXPECT_THROW(extrapolate(std::vector{made_up(20, {1, 2}), made_up(20, {1, 2})}), std::invalid_argument);
  EXPECT_THROW(extrapolate(std::vector{made_up(20, {1}), made_up(30, {2})}), std::invalid_argument);
  EXPECT_THROW(extrapolate(std::vector{made_up(20, {1, 2}), made_up(20, {1, 2}), made_up(30, {1, 2})}),
               std::invalid_argument);
}

TEST(Comparison, HoldsEveryInstanceAgainstTheTheoryOfItsOwnTarget) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.alpha = 0.6;
  problem.lambda = 0.1;
  experiment::Options options;
  options.d = 24;
  options.instances = 3;
  const Comparison comparison = compare(problem, options);
  ASSERT_EQ(comparison.instance_theory.size(), 3u);
  double mean = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& instance = comparison.experiment.instances[i];
    const theory::Solution own =
        theory::solve(problem, matrix_laws::Spectrum::from_eigenvalues(instance.target_eigenvalues));
    EXPECT_EQ(own.errors.test, comparison.instance_theory[i].test);
    mean += (instance.test / own.errors.test - 1) / 3;
  }
  EXPECT_NEAR(comparison.difference.test.value, mean, 1e-12);
  EXPECT_TRUE(comparison.converged());
}

TEST(Comparison, HasNoDifferenceFromAnErrorOfExactlyZero) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.student = model::Student::bayes;
  problem.lambda_rule = model::LambdaRule::none;
  problem.alpha = 0.8;  // above recovery
  experiment::Options options;
  options.trainer = experiment::Trainer::gamp;
  options.d = 16;
  options.instances = 2;
  const Comparison comparison = compare(problem, options);
  ASSERT_EQ(comparison.theory.errors.test, 0);
  EXPECT_TRUE(std::isnan(comparison.difference.test.value));
  EXPECT_TRUE(std::isnan(comparison.difference.estimation.value));
  const nlohmann::json document = nlohmann::json::parse(base::json_of(comparison).dump());
  EXPECT_TRUE(document["difference"]["test"]["value"].is_null());
}

TEST(Comparison, TellsWhereTheEstimationErrorComesFrom) {
  // Of three modes out of ten the first two are learned: the third is below the noise.
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.target = model::Target::parse("spikes:10,3,2,0.2");
  problem.alpha = 1.5;
  problem.noise = 1;
  problem.lambda = 1;
  experiment::Options options;
  options.d = 40;
  options.instances = 4;
  const Comparison comparison = compare(problem, options);
  ASSERT_TRUE(comparison.estimation_parts);
  const auto& [predicted, mean, error] = *comparison.estimation_parts;
  EXPECT_NEAR(mean.sum(), comparison.experiment.mean.estimation, 1e-12);
  EXPECT_NEAR(predicted.sum(), comparison.theory.errors.estimation, 1e-12);
  EXPECT_NEAR(mean.unlearned, 0.1 * 0.2 * 0.2, 1e-12);
  EXPECT_NEAR(predicted.unlearned, mean.unlearned, 1e-12);
  // Of order 1/d: four copies of a mode repel each other, and the bulk fluctuates. The theory has next to no shrinkage.
  constexpr double kFiniteSize = 0.2;
  using theory::ErrorParts;
  for (const auto part : {&ErrorParts::misalignment, &ErrorParts::bulk}) {
    EXPECT_GT(predicted.*part, 0.01);
    EXPECT_NEAR(mean.*part, predicted.*part, kFiniteSize * predicted.*part + 4 * error.*part);
  }
  EXPECT_NEAR(mean.shrinkage, predicted.shrinkage, 0.1 * predicted.sum());
  EXPECT_EQ(base::json_of(comparison)["estimation_parts"]["mean"]["bulk"], mean.bulk);
  problem.target = model::Target::parse("wishart:0.5");
  EXPECT_FALSE(compare(problem, options).estimation_parts) << "a bulk has no modes of its own";
}

TEST(Comparison, SpectralStartsStandBesideTheirTheory) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.alpha = 0.5;
  experiment::Options options;
  options.d = 30;
  options.instances = 3;
  EXPECT_TRUE(compare_starts(experiment::run(problem, options)).empty());
  options.initialisation = experiment::Initialisation::spectral;
  const Comparison comparison = compare(problem, options);
  const std::vector<StartComparison> starts = compare_starts(comparison.experiment);
  ASSERT_EQ(starts.size(), 3U);
  const StartComparison& cosine = starts.back();
  EXPECT_STREQ(cosine.name, "cosine");
  double measured = 0, predicted = 0;
  for (const experiment::Instance& instance : comparison.experiment.instances) {
    measured += instance.start->measured.cosine / 3;
    predicted += instance.start->predicted.cosine / 3;
  }
  EXPECT_NEAR(cosine.measured.value, measured, 1e-12);
  EXPECT_NEAR(cosine.predicted, predicted, 1e-12);
  EXPECT_NEAR(cosine.difference.value, measured - predicted, 1e-12);
  EXPECT_NEAR(cosine.difference.z, cosine.difference.value / cosine.difference.standard_error, 1e-12);
  const nlohmann::json document = base::json_of(comparison);
  EXPECT_EQ(document["start"]["cosine"]["predicted"], cosine.predicted);
  EXPECT_EQ(document["start"]["cosine"]["difference"]["z"], cosine.difference.z);
  EXPECT_EQ(document["instances"][1]["start"]["theory"]["q"], comparison.experiment.instances[1].start->predicted.q);
}

TEST(SpectrumComparison, QuantilesOfTheLawAreAtDistanceOneOverTheirNumber) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.alpha = 0.6;
  problem.lambda = 0.3;
  const theory::Solution solution = theory::solve(problem);
  const theory::TrainedLaw law(solution, problem.target.spectrum());
  const int count = 200;
  const experiment::Experiment experiment = of_quantiles(solution, law, count);
  const SpectrumComparison result = compare_spectra(experiment, solution, problem.target.spectrum());
  EXPECT_NEAR(result.zero_mass, solution.spectrum.zero_mass, 1.0 / count);
  EXPECT_LE(result.kolmogorov_distance, 1.0 / count);
}

TEST(SpectrumComparison, BandsThatHaveDetachedHaveTheirMass) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.target = model::Target::parse("wishart:0.2");
  problem.noise = 0.25;
  const int count = 400;
  for (const auto student : {model::Student::tied, model::Student::direct})
    for (const double alpha : {0.1, 8.0}) {
      problem.student = student;
      problem.alpha = alpha;
      const theory::Solution solution = theory::solve(problem);
      const theory::TrainedLaw law(solution, problem.target.spectrum());
      const double measured =
          compare_spectra(of_quantiles(solution, law, count), solution, problem.target.spectrum()).upper_mass;
      if (alpha < 1) {
        EXPECT_TRUE(std::isnan(measured));
      } else {
        EXPECT_NEAR(measured, 0.2, 1.0 / count);
      }
    }
}

TEST(SpectrumComparison, NegativeEigenvaluesOfADirectStudentCount) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.student = model::Student::direct;
  problem.alpha = 0.3;
  problem.lambda = 0.1;
  const theory::Solution solution = theory::solve(problem);
  const theory::TrainedLaw law(solution, problem.target.spectrum());
  ASSERT_EQ(solution.spectrum.zero_mass, 0);
  const int count = 200;
  experiment::Experiment experiment = of_quantiles(solution, law, count);
  std::vector<double>& eigenvalues = experiment.instances[0].eigenvalues;
  const double negative = law.cdf(0);
  ASSERT_GT(negative, 0.1);
  const SpectrumComparison result = compare_spectra(experiment, solution, problem.target.spectrum());
  EXPECT_EQ(result.zero_mass, 0);
  EXPECT_LE(result.kolmogorov_distance, 1.0 / count);
  // All negative ones moved to the lowest: the law has nothing there yet.
  for (double& s : eigenvalues)
    if (s < 0) s = eigenvalues.back();
  EXPECT_NEAR(compare_spectra(experiment, solution, problem.target.spectrum()).kolmogorov_distance, negative,
              2.0 / count);
}

}  // namespace
}  // namespace attnlaw::study
