/// The square loss of the sequences that a layer puts out: against its definition and finite differences, and what
/// training on it gives.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/theory/solve.h"
#include "experiment/samples.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::inner;
using base::Matrix;
using Eigen::Index;
using model::Problem;
using samples::gaussian;
using testing::HasSubstr;
using testing::ThrowsMessage;

Problem softmax(int tokens) {
  Problem problem;
  problem.tokens = tokens;
  problem.alpha = 0.8;
  problem.lambda = 0.05;
  problem.noise = 0.2;
  problem.beta = 1.4;
  return problem;
}

struct Case {
  const char* name;
  Problem problem;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

Problem untied(Problem problem) {
  problem.student = model::Student::untied;
  return problem;
}

const Case kCases[] = {{"tied_2", softmax(2)},
                       {"tied_4", softmax(4)},
                       {"untied_3", untied(softmax(3))},
                       {"cross", attnlaw::samples::crossed(softmax(2), 2, 3)}};

class SequenceLoss : public testing::TestWithParam<Case> {
 protected:
  static constexpr Index kDimension = 12;

  SequenceLoss() { data.products = token_products(problem, data); }

  /// A student in no relation to the target.
  Matrix<double> student(std::uint64_t stream) const {
    const Matrix<double> G = gaussian(kDimension, kDimension, stream) / std::sqrt(2.0 * kDimension);
    return student_layout(problem).symmetric ? Matrix<double>(G + G.transpose()) : G;
  }

  /// (1/d²) Σ_μ ‖(y − σ_β(h)) Y‖²/d, sequence by sequence.
  double by_definition(const Matrix<double>& S) const {
    const ScoreLayout layout = student_layout(problem);
    const int T1 = layout.rows, T2 = layout.columns;
    const double root = std::sqrt(static_cast<double>(kDimension));
    double sum = 0;
    for (Index mu = 0; mu < data.labels.rows(); ++mu) {
      const Eigen::MatrixXd X = data.X.middleRows(mu * T1, T1), Y = data.keys().middleRows(mu * T2, T2);
      Eigen::MatrixXd h = X * S * Y.transpose() / root;
      if (layout.self) h.diagonal().array() -= S.trace() / root;
      Eigen::MatrixXd residual = (problem.beta * h).array().exp();
      for (int a = 0; a < T1; ++a) {
        residual.row(a) /= residual.row(a).sum();
        for (int b = 0; b < T2; ++b) residual(a, b) = data.labels(mu, a * T2 + b) - residual(a, b);
      }
      sum += (residual * Y).squaredNorm() / kDimension;
    }
    return sum / (kDimension * kDimension);
  }

  const Problem& problem = GetParam().problem;
  Data<double> data = draw_data<double>(problem, problem.target.eigenvalues(kDimension, 1, 0), 1, 0);
};

TEST_P(SequenceLoss, IsItsDefinition) {
  Objective<double> objective(problem, data, 1);
  const Matrix<double> S = student(3);
  EXPECT_NEAR(objective.loss(S), by_definition(S), 1e-12 * by_definition(S));
}

TEST_P(SequenceLoss, HasAGradientInS) {
  constexpr double kStep = 1e-5;
  Objective<double> objective(problem, data, 1);
  const Matrix<double> S = student(3);
  Matrix<double> gradient;
  EXPECT_NEAR(objective.loss(S, gradient), objective.loss(S), 1e-13);
  for (std::uint64_t stream = 10; stream < 13; ++stream) {
    const Matrix<double> V = student(stream);
    const double slope = (by_definition(S + kStep * V) - by_definition(S - kStep * V)) / (2 * kStep);
    EXPECT_NEAR(inner(gradient, V), slope, 1e-8 * (1 + gradient.norm() * V.norm()));
  }
}

TEST_P(SequenceLoss, IsThatOfAttentionWhereTokensAreOrthonormal) {
  const Matrix<double> S = student(3);
  Data<double> orthonormal = data;
  const ScoreLayout of_keys = ScoreLayout::of_self(problem.keys(), true);
  of_keys.for_each([&](int b, int c, int k) { orthonormal.products.col(k).setConstant(b == c ? 1 : 0); });
  Data<double> attention = data;
  attention.products.resize(0, 0);
  Objective<double> sequences(problem, orthonormal, 1), rows(problem, attention, 1);
  Matrix<double> of_sequences, of_rows;
  EXPECT_NEAR(sequences.loss(S, of_sequences), rows.loss(S, of_rows), 1e-13);
  EXPECT_LT((of_sequences - of_rows).norm(), 1e-13 * (1 + of_rows.norm()));
}

INSTANTIATE_TEST_SUITE_P(Problems, SequenceLoss, testing::ValuesIn(kCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

Options sequences_at(int d, int instances) {
  Options options;
  options.d = d;
  options.instances = instances;
  options.seed = 4;
  options.outputs = Outputs::sequences;
  return options;
}

TEST(TrainedOnSequences, EveryTrainerReachesTheSameMinimum) {
  Problem problem = softmax(2);
  Options options = sequences_at(24, 1);
  options.precision = Precision::double_;
  const double least = run(problem, options).mean.objective;
  for (const Trainer trainer : {Trainer::adam, Trainer::fista}) {
    options.trainer = trainer;
    const Experiment trained = run(problem, options);
    EXPECT_TRUE(trained.converged());
    EXPECT_NEAR(trained.mean.objective, least, 1e-4 * least) << name(trainer);
  }
  options.outputs = Outputs::attention;
  EXPECT_GT(std::abs(run(problem, options).mean.objective - least), 1e-3 * least) << "another loss";
}

TEST(TrainedOnSequences, HasTheErrorsOfTheTheoryOfAttention) {
  Problem problem;
  problem.alpha = 0.5;
  problem.lambda = 0.05;
  problem.noise = 0.25;
  Options options = sequences_at(40, 6);
  options.seed = 1;
  const Experiment trained = run(problem, options);
  const theory::Errors errors = theory::solve(problem).errors;
  constexpr double kStandardErrors = 4;
  EXPECT_NEAR(trained.mean.test, errors.test, kStandardErrors * trained.standard_error.test);
  EXPECT_NEAR(trained.mean.estimation, errors.estimation, kStandardErrors * trained.standard_error.estimation);
  EXPECT_NEAR(trained.mean.objective, errors.objective, kStandardErrors * trained.standard_error.objective);
}

TEST(TrainedOnSequences, RefusesWhatHasNoSuchLoss) {
  const auto refused = [](const Problem& problem, Options options, const char* words) {
    EXPECT_THAT([&] { run(problem, options); }, ThrowsMessage<std::invalid_argument>(HasSubstr(words)));
  };
  const Options options = sequences_at(10, 1);
  Problem linear = softmax(2);
  linear.head = model::Head::linear;
  linear.beta = 1;
  refused(linear, options, "got head linear");
  Problem entropic = softmax(2);
  entropic.loss = model::Loss::cross_entropy;
  refused(entropic, options, "loss cross-entropy");
  Options messages = options;
  messages.trainer = Trainer::gamp;
  refused(softmax(2), messages, "trainer gamp");
}

}  // namespace
}  // namespace attnlaw::experiment
