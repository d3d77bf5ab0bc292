/// GAMP: its fixed points are the minimisers of the objective; the Bayes-optimal one recovers and is calibrated.
#include "attnlaw/experiment/train/gamp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/train/lbfgs.h"
#include "experiment/samples.h"

namespace attnlaw::experiment {
namespace {

struct Case {
  const char* name;
  model::Head head;
  int tokens, d;
  double alpha, lambda, noise;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class TiedGamp : public testing::TestWithParam<Case> {};

TEST_P(TiedGamp, EndsAtTheMinimiserOfLbfgs) {
  const Case& c = GetParam();
  model::Problem problem;
  problem.head = c.head;
  problem.tokens = c.tokens;
  problem.alpha = c.alpha;
  problem.lambda = c.lambda;
  problem.noise = c.noise;
  Options options = samples::small_run(c.d, 1, 5);
  const Instance lbfgs = run(problem, options).instances[0];
  options.trainer = Trainer::gamp;
  const Instance gamp = run(problem, options).instances[0];
  ASSERT_TRUE(lbfgs.converged);
  EXPECT_TRUE(gamp.converged) << gamp.kkt;
  EXPECT_NEAR(gamp.objective, lbfgs.objective, 1e-8 * lbfgs.objective);
  EXPECT_NEAR(gamp.q, lbfgs.q, 1e-4 * lbfgs.q);
  EXPECT_NEAR(gamp.estimation, lbfgs.estimation, 1e-4 * lbfgs.estimation);
  ASSERT_EQ(gamp.trajectory.size(), static_cast<std::size_t>(gamp.iterations));
  const Iterate& last = gamp.trajectory.back();
  EXPECT_EQ(last.q, gamp.q);
  EXPECT_EQ(last.m, gamp.m);
  EXPECT_EQ(last.estimation, gamp.estimation);
  EXPECT_GT(last.V, 0);
}

INSTANTIATE_TEST_SUITE_P(Problems, TiedGamp,
                         testing::Values(Case{"softmax", model::Head::softmax, 2, 30, 0.5, 0.05, 0},
                                         Case{"noise", model::Head::softmax, 2, 24, 0.5, 0.05, 0.5},
                                         Case{"three_tokens", model::Head::softmax, 3, 20, 0.3, 0.05, 0},
                                         Case{"linear", model::Head::linear, 2, 24, 0.5, 0.2, 0.2},
                                         Case{"quadratic_network", model::Head::linear, 1, 24, 0.8, 0.2, 0.05},
                                         Case{"reference_Slow", model::Head::softmax, 2, 60, 0.5, 0.05, 0}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

/// S = 0 survives the first iteration where the threshold is above all messages, as it does for a target that is nearly
/// a multiple of the identity: this must not count as a residual of zero, below which nothing falls again.
TEST(Gamp, SettlesOnATargetWithALargeMean) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.tokens = 1;
  problem.alpha = 0.8;
  problem.lambda = 0.3;
  problem.noise = 0.1;
  for (const char* target : {"spikes:2,9.9,10.1", "spikes:2,99,101", "spikes:2,2.8,3.2"}) {
    SCOPED_TRACE(target);
    problem.target = model::Target::parse(target);
    Options options = samples::small_run(30, 1, 7);
    const Instance lbfgs = run(problem, options).instances[0];
    options.trainer = Trainer::gamp;
    const Instance gamp = run(problem, options).instances[0];
    EXPECT_TRUE(gamp.converged) << gamp.kkt;
    EXPECT_NEAR(gamp.objective, lbfgs.objective, 1e-8 * lbfgs.objective);
    EXPECT_NEAR(gamp.m, lbfgs.m, 1e-5 * lbfgs.m);
  }
}

TEST(Gamp, HasTheSameBitsOnAnyNumberOfThreads) {
  model::Problem problem;
  problem.alpha = 1;
  Options options;
  options.d = 50;  // several groups of blocks
  options.instances = 1;
  options.trainer = Trainer::gamp;
  options.max_iterations = 5;
  options.threads = 1;
  const Instance one = run(problem, options).instances[0];
  options.threads = 3;
  EXPECT_EQ(run(problem, options).instances[0].eigenvalues, one.eigenvalues);
}

model::Problem bayes(model::Head head, int tokens, double alpha, double noise) {
  model::Problem problem;
  problem.student = model::Student::bayes;
  problem.lambda_rule = model::LambdaRule::none;
  problem.head = head;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.noise = noise;
  return problem;
}

Options gamp_options(int d, int instances) {
  Options options;
  options.trainer = Trainer::gamp;
  options.d = d;
  options.instances = instances;
  options.threads = 1;
  options.seed = 3;
  return options;
}

TEST(BayesGamp, MinimisesNothing) {
  const Experiment experiment = run(bayes(model::Head::softmax, 2, 0.2, 0.2), gamp_options(30, 1));
  EXPECT_TRUE(std::isnan(experiment.mean.train));
  EXPECT_TRUE(std::isnan(experiment.mean.objective));
  EXPECT_TRUE(experiment.converged());
  EXPECT_FALSE(experiment.instances[0].trajectory.empty());
}

/// Recovery thresholds at κ* = 0.5: α = 0.1875 for T = 2 softmax, 0.375 for the linear head with T = 1.
TEST(BayesGamp, RecoversTheTargetFromNoiselessLabels) {
  for (const auto& problem : {bayes(model::Head::softmax, 2, 0.35, 0), bayes(model::Head::linear, 1, 0.6, 0)}) {
    Options options = gamp_options(40, 1);
    options.max_iterations = 200;
    EXPECT_LT(run(problem, options).mean.estimation, 1e-3);
  }
}

/// Nishimori: m = q and V = E. The bounds are the finite-size corrections of a few percent seen at d = 60.
TEST(BayesGamp, IsCalibrated) {
  const Experiment experiment = run(bayes(model::Head::softmax, 2, 0.3, 0.25), gamp_options(40, 4));
  EXPECT_TRUE(experiment.converged());
  EXPECT_NEAR(experiment.mean.q, experiment.mean.m, 0.1 * experiment.mean.m);
  double V = 0;
  for (const Instance& instance : experiment.instances) V += instance.trajectory.back().V / 4;
  EXPECT_NEAR(V, experiment.mean.estimation, 0.15 * V);
}

/// Σ_ab (h*_ab − h_ab)² has mean 2K ‖S − S*‖²_F/d, and the posterior mean of h* is h(S).
TEST(BayesGamp, TestErrorOfTheLinearHeadIsThatOfS) {
  const Instance i = run(bayes(model::Head::linear, 2, 0.2, 0.3), gamp_options(40, 1)).instances[0];
  EXPECT_NEAR(i.test, 6 * i.estimation, 0.03 * i.test);
}

/// docs/theory/bayes_optimal.md, section 7: E and label error at T = 2, κ* = 0.5; the same section 6 has the size of
/// the finite-d excess.
TEST(BayesGamp, SlowReproducesTheTheory) {
  struct Row {
    double alpha, noise, estimation, test;
  };
  for (const Row& row : {Row{0.10, 0, 0.3921960, 0.1208526}, Row{0.10, 0.05, 0.4550921, 0.1389073},
                         Row{0.30, 0.25, 0.2015594, 0.0641881}}) {
    const Experiment experiment = run(bayes(model::Head::softmax, 2, row.alpha, row.noise), gamp_options(80, 8));
    const auto expect_near = [&](double Measurements::*error, double theory) {
      EXPECT_NEAR(experiment.mean.*error, theory, 4 * experiment.standard_error.*error + 0.06 * theory);
    };
    EXPECT_TRUE(experiment.converged());
    expect_near(&Measurements::estimation, row.estimation);
    expect_near(&Measurements::test, row.test);
  }
}

}  // namespace
}  // namespace attnlaw::experiment
