/// The law of trained attention, read off students that the library trains.
#include "attnlaw/operations/inspect.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <span>

#include "attnlaw/base/file.h"
#include "attnlaw/base/npy.h"
#include "attnlaw/experiment/experiment.h"
#include "decompositions.h"
#include "scratch.h"

namespace attnlaw::operations {
namespace {

using Eigen::MatrixXd;

/// W with S = WᵀW, as many rows as columns: the weights of a tied student of full width, up to a rotation of the head.
MatrixXd weights_of(const MatrixXd& S) {
  const test::Eigensystem of = test::eigensystem(0.5 * (S + S.transpose()));
  return of.values.cwiseMax(0).cwiseSqrt().asDiagonal() * of.vectors.transpose();
}

MatrixXd trained_weights(const model::Problem& problem, int d) {
  MatrixXd W;
  experiment::Options options;
  options.d = d;
  options.instances = 1;
  options.seed = 5;
  options.trained = [&](const experiment::Instance& instance, std::span<const double> S) {
    EXPECT_TRUE(instance.converged);
    W = weights_of(MatrixXd::Map(S.data(), d, d));
  };
  experiment::run(problem, options);
  return W;
}

/// What is said of a tied head of these weights, where αK of its training is known and where it is not.
checkpoint::TrainedLawFit inspected(const MatrixXd& W, std::optional<double> samples) {
  const test::Scratch folder;
  Inspect::Input input;
  input.open.query = input.open.key = (folder / "W.npy").string();
  input.open.heads = 1;
  input.inspect.nulls.samples = samples;
  base::write_atomically(input.open.query,
                         base::npy_bytes({W.data(), static_cast<std::size_t>(W.size())},
                                         static_cast<std::size_t>(W.rows()), static_cast<std::size_t>(W.cols())));
  const Inspect::Output output = Inspect::run(input, {.threads = 1, .seed = 3});
  return output.inspection.heads.front().fit;
}

void expect_its_training(const model::Problem& problem, int d) {
  constexpr double kErrors = 3;
  const double samples = problem.alpha * problem.score_count();
  const MatrixXd W = trained_weights(problem, d);
  const checkpoint::TrainedLawFit fit = inspected(W, samples);
  ASSERT_EQ(fit.status, checkpoint::FitStatus::fitted) << fit.p;
  EXPECT_LT(std::abs(fit.cut), 2 * fit.cut_error);
  EXPECT_NEAR(fit.implied_decay, problem.lambda, kErrors * fit.implied_decay_error);
  EXPECT_NEAR(fit.implied_noise, problem.noise, kErrors * fit.implied_noise_error);
  EXPECT_LT(fit.implied_decay_error, 0.35 * problem.lambda);
  EXPECT_LT(fit.implied_noise_error, 0.15 * problem.noise);
  // Without the number of samples both are bounds.
  const checkpoint::TrainedLawFit bound = inspected(W, {});
  EXPECT_LT(bound.implied_samples - kErrors * bound.implied_samples_error, samples);
  EXPECT_LT(bound.implied_decay - kErrors * bound.implied_decay_error, problem.lambda);
  EXPECT_TRUE(std::isnan(bound.implied_noise));
  EXPECT_EQ(bound.noise, fit.noise);
}

TEST(InspectTrained, QuadraticNetworkImpliesDecayAndNoise) {
  model::Problem problem;
  problem.tokens = 1;
  problem.head = model::Head::linear;
  problem.alpha = 1;
  problem.lambda = 0.3;
  problem.noise = 1;
  problem.target = model::Target::parse("spikes:100,6,5");
  expect_its_training(problem, 100);
}

TEST(InspectTrained, LinearHeadOfTwoTokensImpliesDecayAndNoise) {
  model::Problem problem;
  problem.tokens = 2;
  problem.head = model::Head::linear;
  problem.alpha = 0.3;
  problem.lambda = 0.3;
  problem.noise = 1;
  problem.target = model::Target::parse("spikes:100,6,5");
  expect_its_training(problem, 100);
}

}  // namespace
}  // namespace attnlaw::operations
