/// Thresholds of recovery and interpolation, and the ridgeless equations between them.

#include "attnlaw/theory/thresholds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/optimal_lambda.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {
namespace {

model::Problem ridgeless(double kappa, double alpha = 0.1, double noise = 0) {
  model::Problem problem;
  problem.target = model::Target::parse("wishart:" + std::to_string(kappa));
  problem.alpha = alpha;
  problem.noise = noise;
  problem.lambda_rule = model::LambdaRule::ridgeless;
  return problem;
}

std::optional<Recovery> recovery_of(const model::Problem& problem) {
  return recovery(problem, problem.target.spectrum());
}
std::optional<Interpolation> interpolation_of(const model::Problem& problem) {
  return interpolation(problem, problem.target.spectrum());
}

TEST(Recovery, OfWishartTargetsToThePrintedDigits) {
  // Table of arXiv:2509.24914 re-derived in the project's normalisation: κ*, D, minimiser t, α_rec at T = 2.
  constexpr double kTable[][4] = {{0.05, 0.184015, 1.090346, 0.046004},
                                  {0.1, 0.315144, 0.856957, 0.078786},
                                  {0.2, 0.511124, 0.587208, 0.127781},
                                  {0.5, 0.844350, 0.206455, 0.211087}};
  for (const auto& [kappa, D, t, alpha] : kTable) {
    const auto at = recovery_of(ridgeless(kappa));
    ASSERT_TRUE(at);
    EXPECT_NEAR(at->D, D, 6e-7);
    EXPECT_NEAR(at->t, t, 6e-7);
    EXPECT_NEAR(at->alpha, alpha, 6e-7);
  }
}

TEST(Recovery, OfAFullRankTargetNeedsAsManyEquationsAsUnknowns) {
  for (const double kappa : {1.0, 3.0}) EXPECT_NEAR(recovery_of(ridgeless(kappa))->D, 1, 1e-12);
  model::Problem direct = ridgeless(0.1);
  direct.student = model::Student::direct;
  EXPECT_EQ(recovery_of(direct)->D, 1);
  EXPECT_NEAR(recovery_of(direct)->alpha, 0.25, 1e-15);
}

TEST(Recovery, DependsOnTheRankOfTheTargetAlone) {
  model::Problem spikes = ridgeless(0.1);
  spikes.target = model::Target::parse("spikes:10,3");
  EXPECT_NEAR(recovery_of(spikes)->D, recovery_of(ridgeless(0.1))->D, 1e-9);
}

TEST(Recovery, OfANarrowStudentIsEarlier) {
  // A width of exactly the rank leaves r(2 − r) d²/2 unknowns: the counting bound, which is that of Bayes.
  model::Problem narrow = ridgeless(0.3);
  narrow.width = 0.3;
  EXPECT_NEAR(recovery_of(narrow)->D, 2 * 0.3 - 0.09, 1e-9);
  double previous = 0;
  for (const double width : {0.3, 0.35, 0.5, 1.0}) {
    narrow.width = width;
    EXPECT_GE(recovery_of(narrow)->D, previous);
    previous = recovery_of(narrow)->D;
  }
  EXPECT_NEAR(previous, recovery_of(ridgeless(0.3))->D, 1e-12);
}

TEST(Recovery, IsNoneOfATargetThatTheStudentCannotBe) {
  model::Problem problem = ridgeless(0.3);
  problem.width = 0.2;
  EXPECT_FALSE(recovery_of(problem));
  problem.width = 1;
  problem.target = model::Target::parse("spikes:4,1,-1");
  EXPECT_FALSE(recovery_of(problem));
  EXPECT_TRUE(interpolation_of(problem));
}

TEST(Recovery, IsWhereTheRidgelessErrorVanishes) {
  for (const double width : {1.0, 0.4}) {
    model::Problem problem = ridgeless(0.3);
    problem.width = width;
    const double alpha = recovery_of(problem)->alpha;
    double previous = 1;
    for (const double distance : {1e-2, 1e-3, 1e-4}) {
      problem.alpha = alpha * (1 - distance);
      const Solution solution = solve(problem);
      EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
      EXPECT_LT(solution.errors.estimation, 0.2 * previous);
      previous = solution.errors.estimation;
    }
    problem.alpha = alpha * (1 + 1e-9);
    const Solution recovered = solve(problem);
    EXPECT_EQ(recovered.ridgeless->phase, RidgelessPhase::recovered);
    EXPECT_EQ(recovered.errors.estimation, 0);
    EXPECT_NEAR(recovered.spectrum.zero_mass, 0.7, 1e-12);
  }
}

TEST(Interpolation, OfWishartTargetsToThePrintedDigits) {
  constexpr double kTable[][3] = {{0.3, 0.5, 0.138169}, {0.1, 0.05, 0.136782}, {0.5, 5, 0.128937}};
  for (const auto& [kappa, noise, alpha] : kTable)
    EXPECT_NEAR(interpolation_of(ridgeless(kappa, 0.1, noise))->alpha, alpha, 6e-7);
}

TEST(Interpolation, OfPureNoiseIsHalfTheUnknowns) {
  // Half of the eigenvalues of noise are positive: 1/(4 K_eff).
  EXPECT_NEAR(interpolation_of(ridgeless(0.5, 0.1, 1e8))->alpha, 0.125, 1e-4);
  model::Problem traceless = ridgeless(0.5, 0.1, 1);
  traceless.target = model::Target::parse("spikes:2,1,-1");
  EXPECT_TRUE(std::isinf(interpolation_of(traceless)->a));
  EXPECT_NEAR(interpolation_of(traceless)->alpha, 0.125, 1e-5);
  model::Problem direct = ridgeless(0.5, 0.1, 1);
  direct.student = model::Student::direct;
  EXPECT_NEAR(interpolation_of(direct)->alpha, 0.25, 1e-12);
}

TEST(Interpolation, OfNoiselessLabelsHasNoEnd) { EXPECT_FALSE(interpolation_of(ridgeless(0.3))); }

TEST(InterpolationLimit, IsThatOfTiedStudentsAlone) {
  model::Problem problem = ridgeless(0.3);
  EXPECT_NEAR(interpolation_limit(problem, problem.target_law()).value(), (1 - 0.5 * 0.49) / 4, 1e-12);
  problem.width = 0.5;
  EXPECT_FALSE(interpolation_limit(problem, problem.target_law()));
  problem.width = 1;
  problem.student = model::Student::direct;
  EXPECT_FALSE(interpolation_limit(problem, problem.target_law()));
}

TEST(Ridgeless, SolvesItsOwnEquations) {
  const Solution solution = solve(ridgeless(0.3));
  ASSERT_TRUE(solution.ridgeless);
  EXPECT_EQ(solution.ridgeless->phase, RidgelessPhase::interpolating);
  EXPECT_NEAR(solution.ridgeless->a, 0.82056, 6e-6);
  EXPECT_NEAR(solution.ridgeless->t, 0.64203, 6e-6);
  EXPECT_NEAR(solution.errors.estimation, 0.26932, 6e-6);
  EXPECT_EQ(solution.errors.train, 0);
  EXPECT_LE(solution.diagnostics.replicon, 1);
}

TEST(Ridgeless, OfAnotherTemperatureFitsTheScaledTarget) {
  // σ_β(h) = σ_β*(h*) asks for h = (β*/β) h*: the student is β*/β times that of equal temperatures.
  for (const double alpha : {0.1, 0.5}) {
    const Solution equal = solve(ridgeless(0.3, alpha));
    model::Problem problem = ridgeless(0.3, alpha);
    problem.beta = 2;
    const Solution half = solve(problem);
    EXPECT_TRUE(half.diagnostics.converged) << half.diagnostics.message;
    EXPECT_NEAR(half.overlaps.q, 0.25 * equal.overlaps.q, 1e-8);
    EXPECT_NEAR(half.overlaps.m, 0.5 * equal.overlaps.m, 1e-8);
    EXPECT_NEAR(half.errors.estimation, 1.3 - 2 * half.overlaps.m + half.overlaps.q, 1e-12);
    EXPECT_NEAR(half.errors.test, equal.errors.test, 2e-3 * equal.errors.test);
    if (alpha > 0.2) continue;  // recovered: no noise is left
    EXPECT_NEAR(half.ridgeless->a, equal.ridgeless->a, 1e-8);
  }
}

TEST(Thresholds, DoNotDependOnThePenalty) {
  model::Problem problem = ridgeless(0.3, 0.1, 0.5);
  const double alpha = interpolation_of(problem)->alpha;
  problem.lambda_rule = model::LambdaRule::edge;
  EXPECT_EQ(interpolation_of(problem)->alpha, alpha);
  EXPECT_EQ(recovery_of(problem)->D, recovery_of(ridgeless(0.3))->D);
}

TEST(Ridgeless, RecoveredHasTheSpectrumOfTheTarget) {
  model::Problem problem = ridgeless(0.3, 0.5);
  problem.target = model::Target::parse("spikes:20,3,5");
  const Solution solution = solve(problem);
  EXPECT_NEAR(solution.spectrum.zero_mass, 0.9, 1e-12);
  EXPECT_EQ(solution.spectrum.edges.size(), 2u);
  EXPECT_NEAR(solution.spectrum.collapse.rank_fraction, 0.1, 1e-12);
  EXPECT_NEAR(solution.spectrum.collapse.effective_rank, 64.0 / 34 / 20, 1e-12);
}

TEST(Ridgeless, IsReachedThroughTheInterpolationPeak) {
  // At its peak (α_int = 0.252) the error of a quadratic network stays that of the limit down to λ = 1e-6.
  model::Problem problem = ridgeless(0.1, 0.24, 0.5);
  problem.head = model::Head::linear;
  problem.tokens = 1;
  const Solution limit = solve(problem);
  problem.lambda_rule = model::LambdaRule::value;
  for (const double lambda : {1e-4, 1e-6}) {
    problem.lambda = lambda;
    const Solution solution = solve(problem);
    EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
    EXPECT_NEAR(solution.errors.estimation, limit.errors.estimation, 0.15 * limit.errors.estimation);
  }
}

TEST(Ridgeless, OfADirectStudentIsClosed) {
  // With c = 2αK_eff < 1: E = (1 − c)Q* + cΔ/(1 − c).
  for (const double noise : {0.0, 0.7})
    for (const double alpha : {0.05, 0.2}) {
      model::Problem problem = ridgeless(0.5, alpha, noise);
      problem.student = model::Student::direct;
      const double c = 4 * alpha;
      EXPECT_NEAR(solve(problem).errors.estimation, (1 - c) * 1.5 + c * noise / (1 - c), 1e-8);
    }
}

TEST(Ridgeless, IsTheLimitOfSmallPenaltiesToFirstOrder) {
  // The linear head: E(λ) = E(0+) + O(λ), so E(λ) − E(0+) halves with λ.
  for (const double noise : {0.0, 0.5})
    for (const model::Student student : {model::Student::tied, model::Student::direct}) {
      model::Problem problem = ridgeless(0.3, 0.05, noise);
      problem.head = model::Head::linear;
      problem.student = student;
      const double limit = solve(problem).errors.estimation;
      problem.lambda_rule = model::LambdaRule::value;
      const auto excess = [&](double lambda) {
        problem.lambda = lambda;
        SolveOptions options;
        options.accuracy = 1e-6;
        return solve(problem, options).errors.estimation - limit;
      };
      // Without noise the direct student is best at λ = 0, where E is stationary.
      const bool stationary = noise == 0 && student == model::Student::direct;
      EXPECT_NEAR(excess(2e-4) / excess(1e-4), stationary ? 4 : 2, 0.02);
      EXPECT_LT(std::abs(excess(1e-4)), 2e-2 * limit);
    }
}

TEST(Ridgeless, IsTheLimitOfSmallPenaltiesWhereLabelsCannotBeFitted) {
  // Nothing is singular at λ = 0 there, of the softmax head neither.
  for (const model::Head head : {model::Head::softmax, model::Head::linear}) {
    model::Problem problem = ridgeless(0.3, 0.6, 0.5);
    problem.head = head;
    const Solution limit = solve(problem);
    EXPECT_EQ(limit.ridgeless->phase, RidgelessPhase::overdetermined);
    EXPECT_TRUE(limit.diagnostics.converged) << limit.diagnostics.message;
    problem.lambda_rule = model::LambdaRule::value;
    problem.lambda = 1e-4;
    const double excess = solve(problem).errors.estimation / limit.errors.estimation - 1;
    problem.lambda = 2e-4;
    const double twice = solve(problem).errors.estimation / limit.errors.estimation - 1;
    EXPECT_LT(std::abs(excess), 2e-2);
    EXPECT_LE(std::abs(twice - 2 * excess), 2e-3);
  }
}

TEST(Ridgeless, SoftmaxApproachesItFromAbove) {
  // Saturated labels are fitted late: the approach is slower than linear until λ is tiny.
  const double limit = solve(ridgeless(0.3)).errors.estimation;
  double previous = 0.2;
  for (const double lambda : {1e-2, 1e-3, 1e-4}) {
    model::Problem problem = ridgeless(0.3);
    problem.lambda_rule = model::LambdaRule::value;
    problem.lambda = lambda;
    const double excess = solve(problem).errors.estimation - limit;
    EXPECT_GT(excess, 0);
    EXPECT_LT(excess, previous);
    previous = 0.4 * excess;
  }
}

TEST(Ridgeless, SaysWhereTheStudentGrowsWithoutBound) {
  // Softmax at three times α_int with as much noise as signal: saturated outputs fit almost every label.
  SolveOptions options;
  options.accuracy = 1e-2;
  const Solution solution = solve(ridgeless(0.5, 0.416, 1), options);
  EXPECT_FALSE(solution.diagnostics.converged);
  EXPECT_THAT(solution.diagnostics.message, testing::HasSubstr("grows without bound"));
}

TEST(Ridgeless, IsReachedDownALadderOfPenaltiesAboveThePeak) {
  // From S = 0 no iteration at λ = 0 ends at these students, which are two and four times as large as the target.
  SolveOptions options;
  options.accuracy = 1e-2;
  const auto expect = [&](double alpha, double noise, double test, double estimation) {
    const Solution limit = solve(ridgeless(0.5, alpha, noise), options);
    EXPECT_TRUE(limit.diagnostics.converged) << limit.diagnostics.message;
    EXPECT_NEAR(limit.errors.test, test, 1e-2 * test);
    EXPECT_NEAR(limit.errors.estimation, estimation, 1e-2 * estimation);
    // What every error states is that of points, not of slopes taken elsewhere.
    EXPECT_LT(limit.diagnostics.sampling_error.train, 1e-2 * limit.errors.train);
  };
  // Penalties of 1e-6, 1e-7 and 1e-8 give tests of .24351, .26092, .26307, and E of 1.0723, 1.2027, 1.2195.
  expect(0.17, 0.1, 0.2633, 1.2213);
  // …of .40295, .40416, .40428, and E of 3.6041, 3.6349, 3.638: the published .46 (docs/guide/papers.md) is .4687 here.
  expect(0.208, 0.25, 0.4043, 3.638);
}

TEST(Ridgeless, IsNotThereForEveryStudent) {
  model::Problem problem = ridgeless(0.3);
  problem.student = model::Student::direct_general;
  EXPECT_THAT([&] { solve(problem); },
              testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("students tied and direct")));
}

/// Where the uninformed start overshoots: for little data, however small the penalty is.
TEST(Ridgeless, SmallPenaltiesLeadToItForLittleData) {
  for (const int tokens : {1, 2})
    for (const double noise : {0.0, 0.25})
      for (const double alpha : {1e-6, 1e-5, 1e-4, 1e-3}) {
        model::Problem problem = ridgeless(0.5, alpha, noise);
        problem.head = model::Head::linear;
        problem.tokens = tokens;
        const Solution limit = solve(problem);
        ASSERT_TRUE(limit.diagnostics.converged);
        problem.lambda_rule = model::LambdaRule::value;
        double last = limit.errors.estimation;
        for (const double lambda : {1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2}) {
          problem.lambda = lambda;
          // Close to where the student vanishes the iteration is slow for other reasons.
          if (lambda > 0.5 * collapse_lambda(problem, problem.target_law())) continue;
          const Solution solution = solve(problem);
          const double E = solution.errors.estimation;
          EXPECT_TRUE(solution.diagnostics.converged) << tokens << " " << noise << " " << alpha << " " << lambda;
          // The penalty keeps noise out, until nothing is left of the student.
          EXPECT_LE(E, last * (1 + 1e-6));
          if (lambda == 1e-8) {
            EXPECT_NEAR(E / limit.errors.estimation, 1, 1e-3);
          }
          last = E;
        }
      }
}

TEST(Ridgeless, SmallPenaltiesOfASoftmaxLeadToItForLittleData) {
  model::Problem problem = ridgeless(0.5, 1e-5, 0.25);
  SolveOptions options;
  options.accuracy = 1e-2;
  const double limit = solve(problem, options).errors.estimation;
  problem.lambda_rule = model::LambdaRule::value;
  for (const double lambda : {1e-6, 1e-4}) {
    problem.lambda = lambda;
    const Solution solution = solve(problem, options);
    EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
    EXPECT_NEAR(solution.errors.estimation / limit, 1, 0.03) << lambda;
  }
}

}  // namespace
}  // namespace attnlaw::theory
