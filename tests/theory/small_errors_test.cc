/// Students that nearly are the target: errors far below the rounding of Q* − 2m + q, and the same problem in other
/// units.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {
namespace {

model::Problem noiseless(model::Student student, int tokens, double alpha, double lambda, const std::string& target) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.student = student;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.lambda = lambda;
  problem.target = model::Target::parse(target);
  return problem;
}

double estimation(const model::Problem& problem) {
  const Solution solution = solve(problem);
  EXPECT_TRUE(solution.diagnostics.converged) << solution.diagnostics.message;
  return solution.errors.estimation;
}

/// Ridge regression of noiseless scores has a closed form: with G = 2αK, c = 1/(2w) and s = 4λ, V and E = S² Q* solve
/// 1/V = G/(V + c) + s and E = (sV)² Q*/(1 − G V²/(V + c)²).
TEST(SmallErrors, OfNoiselessRidgeAreThoseOfItsClosedForm) {
  for (const int tokens : {1, 3}) {
    for (const double lambda : {1e-1, 1e-5, 1e-8, 1e-11}) {
      SCOPED_TRACE(lambda);
      const model::Problem problem = noiseless(model::Student::direct, tokens, 4, lambda, "wishart:0.5");
      const double G = 2 * problem.alpha * problem.score_count(), c = 0.25, s = 4 * lambda;
      // s V² + (G − 1 + s c) V − c = 0.
      const double b = G - 1 + s * c, V = 2 * c / (b + std::sqrt(b * b + 4 * s * c)), share = V / (V + c);
      const double E = s * V * s * V * problem.target.Q_star() / (1 - G * share * share);
      EXPECT_NEAR(estimation(problem) / E, 1, 1e-3);
    }
  }
}

/// While a problem is recovered without a penalty, a small one shrinks S by its share: E/λ² has a limit.
TEST(SmallErrors, FallWithTheSquareOfASmallPenaltyWhereTheTargetIsRecovered) {
  for (const char* target : {"powerlaw:2,10", "spikes:5,0.32,0.198", "wishart:0.3"}) {
    SCOPED_TRACE(target);
    const auto at = [&](double lambda) {
      return estimation(noiseless(model::Student::tied, 2, 2, lambda, target)) / (lambda * lambda);
    };
    const double limit = at(1e-5);
    EXPECT_GT(limit, 0);
    for (const double lambda : {1e-7, 1e-8}) EXPECT_NEAR(at(lambda) / limit, 1, 1e-3) << lambda;
  }
}

/// The two ways to E, as a difference of overlaps and as an integral of squares, agree where both are good.
TEST(SmallErrors, AreTheDifferenceOfOverlapsWhereThatHasDigits) {
  for (const double lambda : {1e-2, 3e-3, 1e-3}) {
    for (const model::Student student : {model::Student::tied, model::Student::direct}) {
      const model::Problem problem = noiseless(student, 2, 2, lambda, "powerlaw:1,20");
      const Solution solution = solve(problem);
      const auto& [q, m, V, q_a, V_a, deviation] = solution.overlaps;
      EXPECT_NEAR((solution.Q_star - 2 * m + q) / solution.errors.estimation, 1, 1e-6) << lambda;
    }
  }
}

/// The fixed points of "no fixed point found" with a residual that is accepted.
TEST(SmallErrors, AreFoundForDiscreteTargetsAndSmallPenalties) {
  EXPECT_NEAR(estimation(noiseless(model::Student::tied, 2, 1, 1e-4, "powerlaw:2,10")), 1.2e-10, 1e-12);
  model::Problem cross = noiseless(model::Student::untied, 2, 8.14, 0.04179, "spikes:50,1.208,9.317,0.01786,0.0779");
  cross.attention = model::Attention::cross;
  cross.key_tokens = 5;
  EXPECT_NEAR(estimation(cross) / 5.3012e-9, 1, 1e-4);
}

/// Of softmax rows, too, E/λ² has a limit, close to recovery and down to E = 1e-16; farther down it may not be found,
/// and is said not to be.
TEST(SmallErrors, OfSoftmaxRowsFallWithTheSquareOfASmallPenalty) {
  const auto at = [](double lambda) {
    model::Problem problem = noiseless(model::Student::tied, 2, 0.3, lambda, "wishart:0.5");
    problem.head = model::Head::softmax;
    return solve(problem);
  };
  const auto share = [](const Solution& solution) {
    return solution.errors.estimation / (solution.problem.lambda * solution.problem.lambda);
  };
  const Solution known = at(1e-7);
  ASSERT_TRUE(known.diagnostics.converged);
  for (const double lambda : {1e-6, 1e-8, 1e-9}) {
    const Solution solution = at(lambda);
    EXPECT_TRUE(solution.diagnostics.converged) << lambda;
    EXPECT_EQ(solution.diagnostics.message, "");
    EXPECT_NEAR(share(solution) / share(known), 1, 1e-3) << lambda;
  }
  const Solution smallest = at(1e-12);
  if (smallest.diagnostics.converged)
    EXPECT_NEAR(share(smallest) / share(known), 1, 1e-2);
  else
    EXPECT_FALSE(smallest.diagnostics.message.empty());
}

/// The search for the least test error stays within the penalties of a small target.
TEST(OtherUnits, OfSoftmaxRowsHaveAnOptimalPenalty) {
  model::Problem problem = noiseless(model::Student::tied, 2, 0.3, 0.05, "spikes:8,3e-8,2e-8,1e-8");
  problem.head = model::Head::softmax;
  problem.noise = 1e-17;
  problem.lambda_rule = model::LambdaRule::optimal;
  EXPECT_TRUE(solve(problem).diagnostics.converged);
}

/// S* → c S*, with λ and Δ in its units, multiplies E by c².
TEST(OtherUnits, AreTheSameProblem) {
  for (const model::Student student : {model::Student::tied, model::Student::direct}) {
    for (const double noise : {0.0, 0.01}) {
      const auto error = [&](double c) {
        model::Problem problem = noiseless(student, 2, 0.3, 0.05, "spikes:8,1");
        problem.target = model::Target::parse(fmt::format("spikes:8,{},{},{},{}", 3 * c, 2 * c, c, c / 2));
        if (student == model::Student::tied) problem.lambda *= c;
        problem.noise = noise * c * c;
        return estimation(problem) / (c * c);
      };
      const double one = error(1);
      for (const double c : {1e-12, 1e-8, 1e8, 1e12}) EXPECT_NEAR(error(c) / one, 1, 1e-8) << c;
    }
  }
}

}  // namespace
}  // namespace attnlaw::theory
