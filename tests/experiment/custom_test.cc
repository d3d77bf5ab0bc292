/// Losses, labels and penalties given as functions at finite d: against those of the tables and finite differences.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/experiment/data/custom_scores.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/model/proximal_map.h"
#include "custom_losses.h"
#include "experiment/samples.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using attnlaw::samples::Gives;
using base::Columns;
using base::Matrix;
using model::Problem;
using samples::gaussian;

Problem softmax(int tokens) {
  Problem problem;
  problem.tokens = tokens;
  problem.alpha = 0.6;
  problem.lambda = 0.05;
  problem.noise = 0.1;
  problem.beta = 1.3;
  return problem;
}

/// Σ ℓ of five sequences with labels made of other scores.
struct Evaluated {
  double loss;
  Columns<double> coefficients;
};

Evaluated evaluate(const Problem& problem, Columns<double> scores) {
  const auto target = gaussian<Columns<double>>(scores.rows(), target_layout(problem).count(), 3);
  Columns<double> outputs(scores.rows(), output_count(problem)), labels(scores.rows(), label_count(problem));
  target_outputs(problem, target, outputs);
  labels_of(problem, outputs, {}, labels);
  outputs.resize(scores.rows(), output_count(problem));
  const double loss = loss_and_coefficients<double>(problem, labels, scores, outputs);
  return {loss, scores};
}

TEST(CustomScores, OfTheSquaredLossAreThoseOfTheTables) {
  for (const bool cross : {false, true})
    for (const Gives gives : {Gives::values, Gives::gradient}) {
      const Problem known = cross ? attnlaw::samples::crossed(softmax(2), 2, 3) : softmax(3);
      const Problem custom = attnlaw::samples::with(known, attnlaw::samples::square(model::Coordinates::rows, gives));
      const auto scores = gaussian<Columns<double>>(5, student_layout(known).count(), 4);
      const Evaluated a = evaluate(custom, scores), b = evaluate(known, scores);
      EXPECT_NEAR(a.loss, b.loss, 1e-12);
      EXPECT_LT((a.coefficients - b.coefficients).abs().maxCoeff(), gives == Gives::values ? 1e-7 : 1e-12);
    }
}

TEST(CustomScores, LabelsMayBeAnyFunctionOfTheTargetsScores) {
  model::CustomLoss loss = attnlaw::samples::square(model::Coordinates::row_scores);
  loss.labels = model::CustomLabels::function;
  loss.label_function = [](const model::SampleBlock& scores) { return model::SampleBlock(scores.tanh()); };
  Problem problem = attnlaw::samples::with({}, loss);
  problem.validate();
  EXPECT_EQ(label_count(problem), 2);
  const auto target = gaussian<Columns<double>>(4, 3, 5);
  Columns<double> outputs(4, 2);
  target_outputs(problem, target, outputs);
  EXPECT_LT((outputs - target.leftCols(2).tanh()).abs().maxCoeff(), 1e-14);  // h_11, h_12 of h_11, h_12, h_22
}

TEST(CustomExperiment, OfTheSquaredLossIsThatOfTheTables) {
  const Problem known = softmax(2);
  const Options options = samples::small_run(16, 1, 5);
  const Instance a =
      run(attnlaw::samples::with(known, attnlaw::samples::square(model::Coordinates::rows)), options).instances[0];
  const Instance b = run(known, options).instances[0];
  ASSERT_TRUE(a.converged);
  EXPECT_NEAR(a.train, b.train, 1e-4 * b.train);
  EXPECT_NEAR(a.test, b.test, 1e-4 * b.test);
  EXPECT_NEAR(a.estimation, b.estimation, 1e-4 * b.estimation);
}

TEST(CustomExperiment, OfATraceFistaFindsTheStudentOfTheTables) {
  for (const bool cross : {false, true}) {
    Problem known = softmax(2);
    known.noise = 0;
    if (cross) known = attnlaw::samples::crossed(known, 2, 2);
    Problem custom = known;
    custom.custom_penalty = attnlaw::samples::elastic(1, 0);
    Options options = samples::small_run(14, 1, 6);
    EXPECT_THROW(run(custom, options), std::invalid_argument);  // lbfgs does not serve it
    options.trainer = Trainer::fista;
    const Instance a = run(custom, options).instances[0], b = run(known, options).instances[0];
    ASSERT_TRUE(a.converged);
    EXPECT_NEAR(a.objective, b.objective, 1e-6 * b.objective);
    EXPECT_NEAR(a.estimation, b.estimation, 1e-3 * b.estimation);
  }
}

TEST(CustomPenalty, ProximalMapOfTheElasticTraceIsInClosedForm) {
  Problem problem = softmax(2);
  problem.custom_penalty = attnlaw::samples::elastic(1, 0.5);
  Matrix<double> M = gaussian(9, 9, 7);
  M = M + M.transpose().eval();
  const double step = 0.7, lambda = problem.lambda;
  Problem trace = problem;
  trace.custom_penalty = nullptr;
  const Matrix<double> expected = make_penalty(trace)->proximal(M, step) / (1 + 2 * step * lambda * 0.5);
  EXPECT_LT((make_penalty(problem)->proximal(M, step) - expected).norm(), 1e-9);
}

TEST(CustomExperiment, ADenoiserTrainsAsItsPenalty) {
  Problem penalised = softmax(2);
  penalised.custom_penalty = attnlaw::samples::elastic(1, 0.5);
  Problem denoised = penalised;
  denoised.custom_penalty = std::make_shared<const model::CustomPenalty>(model::penalty_of(
      [](const std::vector<double>& x, double t) {
        std::vector<double> s;
        for (const double each : x) s.push_back(std::max(each - t, 0.0) / (1 + t));
        return s;
      },
      {}));
  Options options = samples::small_run(14, 1, 6);
  options.trainer = Trainer::fista;
  const Instance a = run(denoised, options).instances[0], b = run(penalised, options).instances[0];
  ASSERT_TRUE(a.converged);
  EXPECT_NEAR(a.objective, b.objective, 1e-7 * b.objective);
  EXPECT_NEAR(a.estimation, b.estimation, 1e-5 * b.estimation);
}

}  // namespace
}  // namespace attnlaw::experiment
