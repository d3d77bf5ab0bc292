/// Limits, each against finite values that approach it.

#include "attnlaw/theory/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/theory/channel/output_channel.h"

namespace attnlaw::theory {
namespace {

model::Problem problem_of(const std::string& target, double alpha) {
  model::Problem problem;
  problem.target = model::Target::parse(target);
  problem.alpha = alpha;
  return problem;
}

/// Softmax of two tokens at x = αK_eff/κ*: K_eff = 2.
model::Problem low_rank(double kappa, double x, bool bayes) {
  model::Problem problem = problem_of("wishart:" + std::to_string(kappa), x * kappa / 2);
  problem.student = bayes ? model::Student::bayes : model::Student::tied;
  problem.lambda_rule = bayes ? model::LambdaRule::none : model::LambdaRule::ridgeless;
  return problem;
}

Limit limit_of(const model::Problem& problem, LimitKind kind, const std::string& figure = "estimation") {
  for (const Limit& limit : limits(solve(problem)))
    if (limit.kind == kind && limit.figure == figure) return limit;
  ADD_FAILURE() << "no limit " << name(kind) << " of " << figure;
  return {};
}

TEST(LowRankLimit, IsThatOfThePosteriorMean) {
  for (const double x : {0.6, 0.75, 0.9}) {
    double last = 1;
    for (const double kappa : {1e-2, 1e-3, 1e-4}) {
      const Limit limit = limit_of(low_rank(kappa, x, true), LimitKind::low_rank);
      EXPECT_NEAR(limit.limit, 4 * x * (1 - x), 1e-12);
      const double distance = std::abs(limit.value - limit.limit);
      EXPECT_LT(distance, 0.6 * last) << "x " << x << ", kappa " << kappa;
      last = distance;
    }
    EXPECT_LT(last, 3e-3) << "x " << x;
  }
  EXPECT_EQ(low_rank_error(true, 0.4), 1);
  EXPECT_EQ(low_rank_error(true, 1.1), 0);
}

TEST(LowRankLimit, IsApproachedByTheTrainedStudentLikeAPower) {
  EXPECT_NEAR(low_rank_error(false, 1), 0.8889, 1e-4);
  EXPECT_NEAR(low_rank_error(false, 1.5), 0.6113, 1e-4);
  EXPECT_NEAR(low_rank_error(false, 2), 0.3119, 1e-4);
  EXPECT_NEAR(low_rank_error(false, 0.5), 1, 1e-12);
  EXPECT_NEAR(low_rank_error(false, 3), 0, 1e-12);
  double last = 0;
  for (const double kappa : {1e-2, 1e-3, 1e-4}) {
    const Limit limit = limit_of(low_rank(kappa, 1.5, false), LimitKind::low_rank);
    const double distance = limit.limit - limit.value;
    EXPECT_GT(distance, 0);
    if (last > 0) {
      EXPECT_NEAR(std::log10(last / distance), 0.4, 0.04) << "kappa " << kappa;
    }
    last = distance;
  }
}

TEST(LowRankLimit, HasTheRecoveryOfBoth) {
  const Limit bayes = limit_of(low_rank(1e-3, 0.9, true), LimitKind::low_rank, "recovery");
  EXPECT_NEAR(bayes.value, bayes.limit, 1e-12 * bayes.limit) << "exact at any rank";
  for (const double kappa : {1e-3, 1e-4}) {
    const Limit trained = limit_of(low_rank(kappa, 2, false), LimitKind::low_rank, "recovery");
    EXPECT_NEAR(trained.value / trained.limit, 1, kappa == 1e-3 ? 0.01 : 0.002);
  }
}

/// At another temperature than that of the labels the target is not what is learned, but its recovery is the same.
TEST(LowRankLimit, HasNoErrorAtAnotherTemperature) {
  model::Problem problem = low_rank(1e-2, 4, false);
  problem.beta = 2;
  const std::vector<Limit> found = limits(solve(problem));
  EXPECT_TRUE(std::none_of(found.begin(), found.end(), [](const Limit& limit) {
    return limit.kind == LimitKind::low_rank && limit.figure == "estimation";
  }));
  const Limit recovery = limit_of(problem, LimitKind::low_rank, "recovery");
  problem.beta = 1;
  EXPECT_EQ(recovery.value, limit_of(problem, LimitKind::low_rank, "recovery").value);
}

TEST(InterpolationLimit, IsApproachedLikeTheCubeRootOfTheNoise) {
  double last = 0;
  for (const double noise : {1e-4, 1e-6, 1e-8}) {
    model::Problem problem = problem_of("wishart:0.5", 0.3);
    problem.noise = noise;
    problem.lambda = 0.05;
    const Limit limit = limit_of(problem, LimitKind::vanishing_noise, "interpolation");
    EXPECT_NEAR(2 * limit.limit, (1 + 2 * 0.5 - 0.25) / 4, 1e-12);
    const double distance = limit.limit - limit.value;
    if (last > 0) {
      EXPECT_NEAR(std::log(last / distance) / std::log(100), 1.0 / 3, 0.02);
    }
    last = distance;
  }
  EXPECT_LT(last, 2e-3);
}

TEST(ManySequences, HaveTheErrorOfTheDegreesOfFreedomThatNoiseMoves) {
  for (const auto rule : {model::LambdaRule::value, model::LambdaRule::optimal})
    for (const double kappa : {0.2, 0.5}) {
      double last = 1;
      for (const double alpha : {100.0, 1000.0}) {
        model::Problem problem = problem_of("wishart:" + std::to_string(kappa), alpha);
        problem.head = model::Head::linear;
        problem.tokens = 1;
        problem.noise = 1;
        problem.lambda = 0.01;
        problem.lambda_rule = rule;
        const Limit limit = limit_of(problem, LimitKind::many_sequences);
        const double distance = std::abs(limit.value / limit.limit - 1);
        EXPECT_LT(distance, last) << "kappa " << kappa << ", alpha " << alpha;
        last = distance;
      }
      EXPECT_LT(last, 0.02) << "kappa " << kappa;
    }
  model::Problem bayes = problem_of("wishart:0.5", 1000);
  bayes.head = model::Head::linear;
  bayes.tokens = 1;
  bayes.noise = 1;
  bayes.student = model::Student::bayes;
  bayes.lambda_rule = model::LambdaRule::none;
  const Limit limit = limit_of(bayes, LimitKind::many_sequences);
  EXPECT_NEAR(limit.value / limit.limit, 1, 1e-3);
}

/// λ grows like √α there, and what it takes off the eigenvalues of the target is of the order of the noise.
TEST(ManySequences, KeepTheShrinkageOfTheEdge) {
  for (const double kappa : {0.2, 0.5}) {
    double last = 0;
    for (const double alpha : {1e3, 1e4, 1e5}) {
      model::Problem problem = problem_of("wishart:" + std::to_string(kappa), alpha);
      problem.head = model::Head::linear;
      problem.tokens = 1;
      problem.noise = 1;
      problem.lambda_rule = model::LambdaRule::edge;
      const Limit limit = limit_of(problem, LimitKind::many_sequences);
      EXPECT_NEAR(limit.limit, (6 * kappa - kappa * kappa) / (2 * alpha), 1e-12 / alpha);
      const double distance = 1 - limit.value / limit.limit;
      EXPECT_GT(distance, 0);
      if (last > 0) {
        EXPECT_NEAR(std::log10(last / distance), 0.5, 0.03) << "kappa " << kappa << ", alpha " << alpha;
      }
      last = distance;
    }
    EXPECT_LT(last, 3e-3) << "kappa " << kappa;
  }
}

TEST(ManySequences, LeaveABiasOfSoftmaxWithNoisyLabels) {
  struct Row {
    double beta, noise, limit;
  };
  for (const Row& row : {Row{1, 0.25, 0.02300}, {0.5, 0.25, 0.00226}, {1, 1, 0.15668}}) {
    model::Problem problem = problem_of("wishart:0.5", 3000);
    problem.beta = problem.target_beta = row.beta;
    problem.noise = row.noise;
    problem.lambda = 0.05;
    const Limit limit = limit_of(problem, LimitKind::many_sequences);
    EXPECT_NEAR(limit.limit, row.limit, 1e-5) << "beta " << row.beta << ", noise " << row.noise;
    EXPECT_NEAR(limit.value, limit.limit, 5e-5) << "beta " << row.beta << ", noise " << row.noise;
  }
}

TEST(ManyTokens, TestErrorsTendToThoseOfIndependentEntries) {
  constexpr double Q_star = 0.5, m = 0.4, q = 0.45;
  const double limit = many_tokens_test(Q_star, m, q);
  EXPECT_NEAR(limit, 0.2334, 1e-4);
  double last = 0;
  for (const int tokens : {8, 16}) {
    model::Problem problem;
    problem.tokens = tokens;
    const double test = make_output_channel(problem, Q_star, SobolRule{.log2_points = 11})->test({q, m, 1});
    const double distance = limit - test;
    if (last > 0) {
      EXPECT_NEAR(distance / last, 0.5, 0.05) << "like 1/T";
    }
    last = distance;
  }
}

/// Of a student and labels of different temperatures, at the overlaps that were solved with two tokens.
TEST(ManyTokens, StandBesideTheTestErrorsOfEightAndSixteen) {
  model::Problem problem = problem_of("wishart:0.5", 0.3);
  problem.beta = 0.8;
  problem.target_beta = 0.6;
  const Solution solution = solve(problem);
  std::vector<Limit> found = limits(solution);
  std::erase_if(found, [](const Limit& limit) { return limit.kind != LimitKind::many_tokens; });
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].at, 2);
  EXPECT_EQ(found[0].value, solution.errors.test);
  const double Q_star = 0.36 * 1.5, m = 0.48 * solution.overlaps.m, q = 0.64 * solution.overlaps.q;
  for (const Limit& limit : found) EXPECT_NEAR(limit.limit, many_tokens_test(Q_star, m, q), 1e-12);
  EXPECT_EQ(found[1].at, 8);
  EXPECT_EQ(found[2].at, 16);
  // Of 25 000 and 12 500 random sequences at m = .71110, q = .37340.
  EXPECT_NEAR(found[1].value, 0.1065, 0.002);
  EXPECT_NEAR(found[2].value, 0.1344, 0.002);
  const double ratio = (found[2].limit - found[2].value) / (found[1].limit - found[1].value);
  EXPECT_GT(ratio, 0.5) << "like 1/T, and not yet there";
  EXPECT_LT(ratio, 0.62);
}

TEST(Unfactorised, RidgelessStudentsAreProjectionsOfTheTarget) {
  for (const char* target : {"wishart:0.5", "wishart:0.01"})
    for (const double alpha : {0.05, 0.2}) {
      model::Problem problem = problem_of(target, alpha);
      problem.student = model::Student::direct;
      problem.lambda_rule = model::LambdaRule::ridgeless;
      const Limit limit = limit_of(problem, LimitKind::unfactorised);
      EXPECT_NEAR(limit.limit, problem.target.Q_star() * (1 - 4 * alpha), 1e-12);
      EXPECT_NEAR(limit.value, limit.limit, 1e-8 * limit.limit) << target << " " << alpha;
    }
}

TEST(Limits, AreNoneWhereNoneAreKnown) {
  model::Problem problem = problem_of("powerlaw:1,50", 0.5);
  problem.head = model::Head::linear;
  EXPECT_TRUE(limits(solve(problem)).empty());
}

}  // namespace
}  // namespace attnlaw::theory
