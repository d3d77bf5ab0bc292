/// Students beside the tied one of full width: narrow, direct, general.

#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {
namespace {

/// A quadratic network of d = 400 with a power-law target (γ = 1.25) and label noise 0.1, as in the tables of "How
/// Width and Data Shape Generalization Scaling Laws in Quadratic Neural Networks" (repository
/// SPOC-group/WidthQuadraticNetworks).
model::Problem quadratic_network(double n, double lambda, double rank) {
  model::Problem problem;
  problem.tokens = 1;
  problem.head = model::Head::linear;
  problem.noise = 0.05;
  problem.target = model::Target::parse("powerlaw:1.25,400");
  problem.alpha = n / 160000;
  problem.lambda = lambda;
  problem.width = rank / 400;
  return problem;
}

Solution few_data(double rank) { return solve(quadratic_network(14564.51362420865, 0.030170881682725827, rank)); }

TEST(NarrowStudent, HasThePublishedEstimationError) {
  // Their state evolution samples GOE matrices: ±0.5 %.
  constexpr double kTolerance = 0.012;
  struct Row {
    double rank, error;
  };
  constexpr Row kManyData[] = {{400, 0.0144176}, {309, 0.0144176}, {239, 0.0144176}, {185, 0.0145169}, {143, 0.0146242},
                               {110, 0.0141102}, {85, 0.0130367},  {66, 0.0116824},  {51, 0.0102726},  {39, 0.00897307},
                               {28, 0.00798485}, {17, 0.00942409}, {6, 0.0310768}};
  constexpr Row kFewData[] = {{400, 0.0608381}, {309, 0.0608381}, {239, 0.0608381}, {185, 0.0608381}, {143, 0.0608381},
                              {110, 0.0608381}, {85, 0.0609127},  {66, 0.0645434},  {51, 0.073798},   {39, 0.0898903},
                              {28, 0.117361},   {17, 0.0924897},  {6, 0.0469771}};
  for (const auto& [rank, error] : kManyData)
    EXPECT_NEAR(solve(quadratic_network(160000, 0.1, rank)).errors.estimation, error, kTolerance * error) << rank;
  for (const auto& [rank, error] : kFewData) {
    // Between rank 20 and 45 the published rows scatter by up to 4.7 % (rank 45 lies 4.5 % below this theory, ranks 43
    // and 46 within 1 %): see the next test.
    if (rank >= 20 && rank <= 45) continue;
    EXPECT_NEAR(few_data(rank).errors.estimation, error, kTolerance * error) << rank;
  }
}

TEST(NarrowStudent, IsWhatSampledMatricesGive) {
  // The same state evolution on fresh 400×400 GOE matrices at every step (damping 1/2, mean over the last 60 of 90
  // steps, with its standard error).
  struct Row {
    double rank, error, standard_error;
  };
  constexpr Row kSampled[] = {{28, 0.12186, 6.1e-4}, {34, 0.10260, 4.1e-4}, {45, 0.08046, 2.6e-4}};
  for (const auto& [rank, error, standard_error] : kSampled)
    EXPECT_NEAR(few_data(rank).errors.estimation, error, 3 * standard_error) << rank;
}

model::Problem general(int tokens, double alpha) {
  model::Problem problem;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.student = model::Student::direct_general;
  return problem;
}

TEST(GeneralStudent, HasTheTabulatedErrors) {
  // λ = 0.05, κ* = 0.5, Δ = 0, from the notes this project was derived from: training at d = 50 to 100 beside a theory
  // by Monte Carlo, good to half a percent (q_a to 2 %).
  struct Row {
    int tokens;
    double alpha, q, q_a, m, estimation, train, test;
  };
  constexpr Row kTable[] = {{2, 0.3, 0.2567, 0.0324, 0.5237, 0.7417, 0.0257, 0.1634},
                            {3, 0.2, 0.3493, 0.0252, 0.6675, 0.5395, 0.0534, 0.1957}};
  constexpr double kTolerance = 5e-3;
  for (const Row& row : kTable) {
    const Solution solution = solve(general(row.tokens, row.alpha));
    EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
    EXPECT_NEAR(solution.overlaps.q, row.q, kTolerance * row.q);
    EXPECT_NEAR(solution.overlaps.q_a, row.q_a, 4 * kTolerance * row.q_a);
    EXPECT_NEAR(solution.overlaps.m, row.m, kTolerance * row.m);
    EXPECT_NEAR(solution.errors.estimation, row.estimation, kTolerance * row.estimation);
    EXPECT_NEAR(solution.errors.train, row.train, kTolerance * row.train);
    EXPECT_NEAR(solution.errors.test, row.test, kTolerance * row.test);
  }
}

TEST(GeneralStudent, SolvesTheEquationsOfTwoRows) {
  // An independent solver at T = 2, α = 0.3, λ = 0.05, κ* = 0.5: the two logits u of a pair in the metric V_s [[3, 1],
  // [1, 3]] + V_a [[1, −1], [−1, 1]], seven starts, 4·10⁵ random fields. One of its steps from the solution below
  // returns it to the Monte Carlo error, 2e-3.
  const Solution solution = solve(general(2, 0.3));
  constexpr double kMonteCarlo = 2e-3;
  EXPECT_NEAR(solution.overlaps.q, 0.25746, kMonteCarlo * 0.25746);
  EXPECT_NEAR(solution.overlaps.m, 0.52546, kMonteCarlo * 0.52546);
  EXPECT_NEAR(solution.overlaps.V, 2.43828, kMonteCarlo * 2.43828);
  EXPECT_NEAR(solution.overlaps.q_a, 0.032927, 2 * kMonteCarlo * 0.032927);
  EXPECT_NEAR(solution.overlaps.V_a, 3.80526, kMonteCarlo * 3.80526);
}

TEST(GeneralStudent, LearnsNothingAntisymmetricInTheLimitOfManyData) {
  model::Problem problem = general(2, 20);
  problem.lambda = 1e-3;
  const Solution solution = solve(problem);
  EXPECT_LT(solution.overlaps.q_a, 1e-4 * solution.overlaps.q);
  EXPECT_LT(solution.errors.estimation, 1e-3);
}

TEST(GeneralStudent, IsTheDirectOneOnALinearHead) {
  // Symmetric labels teach the antisymmetric part nothing.
  model::Problem problem = general(3, 0.2);
  problem.head = model::Head::linear;
  const Solution one = solve(problem);
  problem.student = model::Student::direct;
  const Solution other = solve(problem);
  EXPECT_EQ(one.overlaps.q_a, 0);
  EXPECT_EQ(one.errors.test, other.errors.test);
}

TEST(DirectStudent, OnALinearHeadSolvesAQuadraticEquation) {
  // V̂ = 2αK/(V + 1/4), V = 1/(V̂ + 4λ).
  for (const double lambda : {0.01, 0.3}) {
    model::Problem problem;
    problem.head = model::Head::linear;
    problem.student = model::Student::direct;
    problem.alpha = 0.4;
    problem.lambda = lambda;
    problem.noise = 0.2;
    const Solution solution = solve(problem);
    const double c = 2 * problem.alpha * 3;
    // 4λV² + (c + λ − 1)V − 1/4 = 0.
    const double b = c + lambda - 1;
    const double V = (-b + std::sqrt(b * b + 4 * lambda)) / (8 * lambda);
    EXPECT_NEAR(solution.overlaps.V, V, 1e-8);
    EXPECT_LT(solution.diagnostics.replicon, 1);
    EXPECT_NEAR(solution.errors.objective, problem.alpha * solution.errors.train + lambda * solution.overlaps.q, 1e-12);
  }
}

TEST(DirectStudent, SpreadsOverAllEigenvalues) {
  model::Problem problem;
  problem.student = model::Student::direct;
  problem.alpha = 0.3;
  const Solution solution = solve(problem);
  EXPECT_EQ(solution.spectrum.zero_mass, 0);
  EXPECT_LT(solution.spectrum.edges.front().lower, 0);
  EXPECT_NEAR(TrainedLaw(solution, problem.target.spectrum()).cdf(1e3), 1, 1e-12);
  const auto& collapse = solution.spectrum.collapse;
  EXPECT_EQ(collapse.rank_fraction, 1);
  EXPECT_NEAR(collapse.effective_rank, std::pow(collapse.nuclear_frobenius, 2), 1e-12);
}

TEST(Collapse, GrowsWithThePenalty) {
  model::Problem problem;
  problem.alpha = 0.3;
  double previous = 1;
  for (const double lambda : {0.01, 0.05, 0.2}) {
    problem.lambda = lambda;
    const Solution solution = solve(problem);
    const Collapse& collapse = solution.spectrum.collapse;
    EXPECT_LT(collapse.rank_fraction, previous);
    EXPECT_NEAR(collapse.rank_fraction, 1 - solution.spectrum.zero_mass, 1e-12);
    EXPECT_LE(collapse.effective_rank, collapse.rank_fraction);  // Cauchy-Schwarz
    EXPECT_LE(collapse.stable_rank, collapse.effective_rank + 1e-12);
    previous = collapse.rank_fraction;
  }
}

}  // namespace
}  // namespace attnlaw::theory
