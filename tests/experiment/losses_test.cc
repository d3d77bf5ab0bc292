/// Losses, readouts and labels: against their definitions, finite differences and brute force; every trainer on them.
#include "attnlaw/experiment/data/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/proximal_point.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/train/fista.h"
#include "decompositions.h"
#include "experiment/samples.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::inner;
using base::Matrix;
using Eigen::Index;
using model::Labels;
using model::Loss;
using model::Problem;
using model::Readout;
using model::Student;
using samples::gaussian;

struct Case {
  const char* name;
  Problem problem;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

Problem problem_of(Readout readout, Labels labels, Loss loss, int tokens) {
  Problem problem;
  problem.readout = readout;
  problem.labels = labels;
  problem.loss = loss;
  problem.head = readout == Readout::score ? model::Head::linear : model::Head::softmax;
  problem.tokens = tokens;
  problem.alpha = 0.8;
  problem.lambda = 0.07;
  problem.noise = 0.2;
  if (problem.head == model::Head::softmax) problem.beta = 1.4, problem.target_beta = 0.8;
  problem.validate();
  return problem;
}

Problem direct(Problem problem) {
  problem.student = Student::direct;
  problem.validate();
  return problem;
}

Problem cross(Problem problem, int keys) {
  problem = attnlaw::samples::crossed(problem, problem.tokens, keys);
  problem.validate();
  return problem;
}

Problem entropic(Labels labels, int tokens) { return problem_of(Readout::rows, labels, Loss::cross_entropy, tokens); }
Problem entry(int tokens) { return problem_of(Readout::entry, Labels::soft, Loss::square, tokens); }
Problem score(int tokens) { return problem_of(Readout::score, Labels::soft, Loss::square, tokens); }
Problem sign(int tokens) { return problem_of(Readout::score, Labels::sign, Loss::logistic, tokens); }

const Case kCases[] = {{"entropy_2", entropic(Labels::soft, 2)},
                       {"entropy_3_direct", direct(entropic(Labels::soft, 3))},
                       {"entropy_cross", cross(entropic(Labels::soft, 2), 3)},
                       {"sampled_3", entropic(Labels::sampled, 3)},
                       {"sampled_cross", cross(entropic(Labels::sampled, 3), 2)},
                       {"entry_2", entry(2)},
                       {"entry_4", entry(4)},
                       {"entry_cross", cross(entry(2), 3)},
                       {"score_1", score(1)},
                       {"score_3", score(3)},
                       {"score_cross", cross(score(2), 2)},
                       {"sign_1", sign(1)},
                       {"sign_2", sign(2)},
                       {"sign_3_direct", direct(sign(3))},
                       {"sign_cross", cross(sign(2), 1)},
                       {"square_cross", cross(problem_of(Readout::rows, Labels::soft, Loss::square, 2), 3)}};

const auto kCaseName = [](const auto& tested) { return std::string(tested.param.name); };

/// Labels of `count` sequences with random scores of the target.
Columns<double> some_labels(const Problem& problem, Index count, std::uint64_t stream) {
  Columns<double> outputs(count, output_count(problem)), labels(count, label_count(problem));
  target_outputs<double>(problem, 1.3 * gaussian<Columns<double>>(count, target_layout(problem).count(), stream),
                         outputs);
  labels_of(problem, outputs, label_chances(problem, base::UniformStream(1, stream), 0, count), labels);
  return labels;
}

/// h of one sequence as a matrix.
Eigen::MatrixXd score_matrix(const Problem& problem, const Columns<double>& scores, Index mu) {
  const ScoreLayout layout = student_layout(problem);
  Eigen::MatrixXd h(layout.rows, layout.columns);
  for (int a = 0; a < layout.rows; ++a)
    for (int b = 0; b < layout.columns; ++b) h(a, b) = scores(mu, layout.index(a, b));
  return h;
}

/// ℓ straight from docs/theory/losses.md.
double loss_by_definition(const Problem& problem, const Columns<double>& labels, const Columns<double>& scores,
                          Index mu) {
  const Eigen::MatrixXd h = score_matrix(problem, scores, mu);
  if (problem.readout == Readout::score) {
    const double u = problem.cross() ? h(0, 0) : problem.tokens == 1 ? h(0, 0) / std::sqrt(2.0) : h(0, 1);
    return problem.loss == Loss::square ? std::pow(labels(mu, 0) - u, 2) : std::log(1 + std::exp(-labels(mu, 0) * u));
  }
  Eigen::MatrixXd p = (problem.beta * h).array().exp();
  for (Index a = 0; a < p.rows(); ++a) p.row(a) /= p.row(a).sum();
  if (problem.readout == Readout::entry) return std::pow(labels(mu, 0) - p(0, 0), 2);
  double value = 0;
  for (Index a = 0; a < p.rows(); ++a) {
    for (Index b = 0; b < p.cols(); ++b) {
      const double y = problem.labels == Labels::sampled ? (labels(mu, a) == static_cast<double>(b) ? 1.0 : 0.0)
                                                         : labels(mu, a * p.cols() + b);
      value += problem.loss == Loss::square ? std::pow(y - p(a, b), 2) : -y * std::log(p(a, b));
    }
  }
  return value;
}

class PointwiseLoss : public testing::TestWithParam<Case> {
 protected:
  static constexpr Index kSequences = 40;

  double loss_at(const Columns<double>& at) const {
    Columns<double> outputs(kSequences, output_count(problem));
    return loss<double>(problem, labels, at, outputs);
  }

  const Problem& problem = GetParam().problem;
  Columns<double> labels = some_labels(problem, kSequences, 1);
  Columns<double> scores = gaussian<Columns<double>>(kSequences, student_layout(problem).count(), 2);
};

TEST_P(PointwiseLoss, IsItsDefinition) {
  double expected = 0;
  for (Index mu = 0; mu < kSequences; ++mu) expected += loss_by_definition(problem, labels, scores, mu);
  EXPECT_NEAR(loss_at(scores), expected, 1e-12 * expected);
  Columns<double> coefficients = scores, outputs(kSequences, output_count(problem));
  EXPECT_EQ((loss_and_coefficients<double>(problem, labels, coefficients, outputs)), loss_at(scores));
}

TEST_P(PointwiseLoss, HasItsSlopesAsCoefficients) {
  constexpr double kStep = 1e-5;
  Columns<double> coefficients = scores, outputs(kSequences, output_count(problem));
  loss_and_coefficients<double>(problem, labels, coefficients, outputs);
  const ScoreLayout layout = student_layout(problem);
  layout.for_each([&](int a, int b, int k) {
    for (Index mu = 0; mu < 3; ++mu) {
      Columns<double> up = scores, down = scores;
      up(mu, k) += kStep;
      down(mu, k) -= kStep;
      const double slope = (loss_at(up) - loss_at(down)) / (2 * kStep);
      EXPECT_NEAR(layout.multiplicity(a, b) * coefficients(mu, k), slope, 1e-8);
    }
  });
}

TEST_P(PointwiseLoss, InFloatAgreesWithDouble) {
  Columns<float> outputs(kSequences, output_count(problem));
  const Columns<float> single_labels = labels.cast<float>();
  Columns<float> single = scores.cast<float>();
  Columns<double> coefficients = scores, double_outputs(kSequences, output_count(problem));
  const double expected = loss_and_coefficients<double>(problem, labels, coefficients, double_outputs);
  EXPECT_NEAR((loss_and_coefficients<float>(problem, single_labels, single, outputs)), expected, 1e-5 * expected);
  EXPECT_LT((single.cast<double>() - coefficients).abs().maxCoeff(), 1e-5);
}

/// The way from scores to S: at dimension d, with the data of an instance.
TEST_P(PointwiseLoss, HasAGradientInS) {
  constexpr Index kDimension = 15;
  constexpr double kStep = 1e-5;
  const std::vector<double> target = problem.target.eigenvalues(kDimension, 1, 0);
  const Data<double> data = draw_data<double>(problem, target, 1, 0);
  Objective<double> objective(problem, data, 1);
  const auto direction = [&](std::uint64_t stream) {
    const Matrix<double> G = gaussian(kDimension, kDimension, stream) / std::sqrt(2.0 * kDimension);
    return Matrix<double>(student_layout(problem).symmetric ? Matrix<double>(G + G.transpose()) : G);
  };
  const Matrix<double> S = direction(3);
  Matrix<double> gradient;
  objective.loss(S, gradient);
  for (std::uint64_t stream = 10; stream < 13; ++stream) {
    const Matrix<double> V = direction(stream);
    const double slope = (objective.loss(S + kStep * V) - objective.loss(S - kStep * V)) / (2 * kStep);
    EXPECT_NEAR(inner(gradient, V), slope, 1e-8 * (1 + gradient.norm() * V.norm()));
  }
}

INSTANTIATE_TEST_SUITE_P(Problems, PointwiseLoss, testing::ValuesIn(kCases), kCaseName);

TEST(CrossEntropy, IsFiniteWhereTheSoftmaxUnderflows) {
  const Problem problem = entropic(Labels::sampled, 2);
  Columns<float> scores(1, 3), outputs(1, 4), labels(1, 2);
  scores << 1000.0F, 0.0F, -1000.0F;
  labels << 1, 1;  // the least likely positions
  EXPECT_NEAR((loss<float>(problem, labels, scores, outputs)), 2000 * problem.beta, 1e-3);
}

TEST(LogisticLoss, IsFiniteAtAnyScore) {
  const Problem problem = sign(2);
  Columns<float> scores(2, 3), outputs(2, 1), labels(2, 1);
  scores << 0, 1000.0F, 0, 0, 1000.0F, 0;
  labels << 1, -1;
  EXPECT_EQ((loss_and_coefficients<float>(problem, labels, scores, outputs)), 1000);
  EXPECT_EQ(scores(0, 1), 0);
  EXPECT_EQ(scores(1, 1), 0.5F);
}

/// One sequence; with cross-attention one row, as the message passing takes them.
class ProximalLoss : public testing::TestWithParam<Case> {
 protected:
  ProximalLoss() : problem(GetParam().problem) {
    if (problem.cross()) problem.tokens = 1;
    label = some_labels(problem, 1, 5);
    const Index K = student_layout(problem).count();
    omega = gaussian(K, 1, 31);
    start = gaussian(K, 1, 32);
  }

  double objective(const Eigen::VectorXd& z, double V) const {
    const Columns<double> scores = (z.array() * score_norms(student_layout(problem)).array()).transpose();
    Columns<double> outputs(1, output_count(problem));
    return loss<double>(problem, label, scores, outputs) + (z - omega).squaredNorm() / (2 * V);
  }

  /// Coordinate search by values alone, from z down to steps of 1e-7.
  double searched_minimum(Eigen::VectorXd z, double V) const {
    double least = objective(z, V);
    for (double step = 1; step > 1e-7; step *= 0.5) {
      for (bool moved = true; moved;) {
        moved = false;
        for (Index k = 0; k < z.size(); ++k) {
          for (const double sign : {1.0, -1.0}) {
            Eigen::VectorXd trial = z;
            trial[k] += sign * step;
            const double value = objective(trial, V);
            if (value < least) least = value, z = trial, moved = true;
          }
        }
      }
    }
    return least;
  }

  Problem problem;
  Columns<double> label;
  Eigen::VectorXd omega, start;
};

TEST_P(ProximalLoss, IsTheLeastOfASearch) {
  for (const double V : {0.4, 5.0}) {
    ProximalPoint proximal(problem);
    proximal.solve(label, omega, start, V);
    const double minimum = objective(omega + V * proximal.g(), V);
    EXPECT_NEAR(minimum, std::min(searched_minimum(omega, V), searched_minimum(start, V)), 1e-10);
  }
}

TEST_P(ProximalLoss, HasTheDivergenceOfGAsResponse) {
  constexpr double kShift = 1e-4, kV = 1.7;
  ProximalPoint proximal(problem);
  proximal.solve(label, omega, start, kV);
  const double response = proximal.response();
  const Eigen::VectorXd at = omega + kV * proximal.g();
  double divergence = 0;
  for (Index k = 0; k < omega.size(); ++k) {
    for (const double sign : {1.0, -1.0}) {
      Eigen::VectorXd moved = omega;
      moved[k] += sign * kShift;
      ProximalPoint other(problem);
      Eigen::VectorXd from = at;
      const double keep = omega[k];
      omega[k] = moved[k];
      other.solve(label, omega, from, kV);
      omega[k] = keep;
      divergence += sign * other.g()[k] / (2 * kShift);
    }
  }
  EXPECT_NEAR(response, -divergence, 1e-5 * (1 + std::abs(response)));
}

INSTANTIATE_TEST_SUITE_P(Problems, ProximalLoss, testing::ValuesIn(kCases), kCaseName);

/// Data of an instance at d = 40.
Data<double> data_of(Problem problem, double alpha) {
  problem.alpha = alpha;
  return draw_data<double>(problem, problem.target.eigenvalues(40, 2, 1), 2, 1);
}

/// The rows that sampled labels are drawn from are the soft labels of the same instance.
TEST(SampledLabels, HaveTheFrequenciesOfTheSoftmax) {
  for (const bool crossed : {false, true}) {
    const auto problem = [&](Labels labels) { return crossed ? cross(entropic(labels, 2), 3) : entropic(labels, 3); };
    const Problem asked = problem(Labels::sampled);
    const Data<double> drawn = data_of(asked, 8), soft = data_of(problem(Labels::soft), 8);
    ASSERT_EQ(drawn.labels.cols(), asked.tokens);
    for (int a = 0; a < asked.tokens; ++a) {
      for (int b = 0; b < asked.keys(); ++b) {
        const Eigen::ArrayXd p = soft.labels.col(a * asked.keys() + b);
        const Eigen::ArrayXd surprise = (drawn.labels.col(a) == static_cast<double>(b)).cast<double>() - p;
        const Eigen::ArrayXd variance = p * (1 - p);
        EXPECT_LT(std::abs(surprise.sum()), 4 * std::sqrt(variance.sum()));
        // No linear trend with p is left either.
        EXPECT_LT(std::abs((surprise * (p - 0.5)).sum()), 4 * std::sqrt((variance * (p - 0.5).square()).sum()));
      }
    }
    // Rows of one sequence are drawn independently.
    const Eigen::ArrayXd one = (drawn.labels.col(0) == 0).cast<double>() - soft.labels.col(0);
    const Eigen::ArrayXd two = (drawn.labels.col(1) == 0).cast<double>() - soft.labels.col(asked.keys());
    EXPECT_LT(std::abs((one * two).sum()), 4 * std::sqrt((one * two).square().sum()));
  }
}

TEST(SignLabels, AreTheSignsOfTheNoisyScore) {
  for (const int tokens : {1, 2}) {
    const Data<double> signs = data_of(sign(tokens), 1), scores = data_of(score(tokens), 1);
    ASSERT_EQ(signs.labels.cols(), 1);
    EXPECT_TRUE((signs.labels == scores.labels.sign()).all());
  }
}

TEST(EntryLabels, AreTheFirstEntryOfTheRows) {
  const Problem rows = problem_of(Readout::rows, Labels::soft, Loss::square, 3);
  const Data<double> one = data_of(entry(3), 1), all = data_of(rows, 1);
  ASSERT_EQ(one.labels.cols(), 1);
  EXPECT_TRUE((one.labels.col(0) == all.labels.col(0)).all());
}

/// At the target itself, with β = β*: no excess, no wrong sign.
TEST(TestFigures, VanishAtTheTarget) {
  for (const Case& c : kCases) {
    Problem problem = c.problem;
    problem.beta = problem.target_beta = 1;
    const std::vector<double> target = problem.target.eigenvalues(30, 2, 1);
    const Matrix<double> S = Eigen::Map<const Eigen::VectorXd>(target.data(), 30).asDiagonal();
    const TestFigures figures = test_figures<double>(problem, target, S, 2000, 2, 1, 1);
    EXPECT_LT(figures.squared, 1e-24) << c.name;
    EXPECT_EQ(figures.wrong, 0) << c.name;
    if (problem.loss == Loss::cross_entropy) {
      EXPECT_NEAR(figures.loss, figures.entropy, 1e-12) << c.name;
    }
  }
}

/// u and u* are jointly normal up to 1/d: P(wrong sign) = arccos(m/√(q Q*))/π.
TEST(TestFigures, CountWrongSigns) {
  constexpr Index kDimension = 60;
  const Problem problem = sign(2);
  const std::vector<double> target = problem.target.eigenvalues(kDimension, 2, 1);
  const Eigen::VectorXd s = Eigen::Map<const Eigen::VectorXd>(target.data(), kDimension);
  Matrix<double> S = s.asDiagonal();
  const Matrix<double> G = gaussian(kDimension, kDimension, 9);
  S += 0.5 * (G + G.transpose()) / std::sqrt(2.0 * kDimension);
  const double cosine = S.diagonal().dot(s) / (S.norm() * s.norm());
  const double wrong = test_figures<double>(problem, target, S, 40'000, 2, 1, 1).wrong;
  EXPECT_NEAR(wrong, std::acos(cosine) / std::numbers::pi, 0.01);
}

/// S* itself misses noisy scores by their noise: Σ_ab ξ_ab², of mean T(T+1)Δ and variance 24Δ² at T = 2.
TEST(TestFigures, OfNoisyLabelsScatterByTheNoise) {
  constexpr double kNoise = 0.3;
  constexpr std::int64_t kSequences = 40'000;
  constexpr double kErrors = 4;
  Problem problem;
  problem.head = model::Head::linear;
  problem.noise = kNoise;
  const std::vector<double> target = problem.target.eigenvalues(30, 2, 1);
  const Matrix<double> S = Eigen::Map<const Eigen::VectorXd>(target.data(), 30).asDiagonal();
  const TestFigures figures = test_figures<double>(problem, target, S, kSequences, 2, 1, 1);
  EXPECT_LT(figures.loss, 1e-24);
  EXPECT_NEAR(figures.noisy_loss, 6 * kNoise, kErrors * std::sqrt(24.0 / kSequences) * kNoise);
  // The posterior mean of a score with its noise is that of the score: the error grows by Δ per unit of variance.
  constexpr double kPosterior = 0.1;
  const TestFigures bayes = test_figures<double>(problem, target, S, kSequences, 2, 1, 1, kPosterior);
  EXPECT_NEAR(bayes.noisy_loss, figures.noisy_loss, 1e-9);
}

class TrainingOnLosses : public testing::TestWithParam<Case> {};

/// Convex in S: all trainers end at the same objective. The squared loss of one entry is not, but its data determine S
/// here.
TEST_P(TrainingOnLosses, EndsAtTheSameMinimumByAllTrainers) {
  const Problem& problem = GetParam().problem;
  Options options = samples::small_run(20, 1, 5);
  // Objectives differ by its square, relative to a penalty that may be a large part of the objective.
  options.tolerance = 3e-6;
  const Instance lbfgs = run(problem, options).instances[0];
  ASSERT_TRUE(lbfgs.converged) << lbfgs.kkt;
  for (const Trainer trainer : trainers_for(problem)) {
    options.trainer = trainer;
    const Instance other = run(problem, options).instances[0];
    EXPECT_TRUE(other.converged) << name(trainer) << " " << other.kkt;
    EXPECT_NEAR(other.objective, lbfgs.objective, 1e-8 * lbfgs.objective) << name(trainer);
    EXPECT_NEAR(other.q, lbfgs.q, 1e-3 * lbfgs.q) << name(trainer);
    EXPECT_NEAR(other.test, lbfgs.test, 1e-3 * lbfgs.test) << name(trainer);
  }
}

/// B = −dΣℓ/dS at the trained S: tied B ⪯ λ and ⟨B, S⟩ = λ Tr S; untied ‖B‖_op ≤ λ and ⟨B, S⟩ = λ‖S‖_*; direct B = 2λS;
/// B/d by central differences of the loss, values by another library.
TEST_P(TrainingOnLosses, EndsWhereTheConditionsOfItsPenaltyHold) {
  constexpr Index kDimension = 16;
  const Problem& problem = GetParam().problem;
  const std::vector<double> target = problem.target.eigenvalues(kDimension, 5, 0);
  const Data<double> data = draw_data<double>(problem, target, 5, 0);
  Objective<double> objective(problem, data, 1);
  constexpr double kTolerance = 1e-6;
  const Matrix<double> S =
      train_fista(objective, {.tolerance = kTolerance, .max_iterations = 20000, .seed = 5, .instance = 0}).S;
  ASSERT_GT(S.norm(), 0.1);
  const bool symmetric = student_layout(problem).symmetric;
  Matrix<double> B(kDimension, kDimension);
  constexpr double kStep = 1e-4;
  for (Index i = 0; i < kDimension; ++i)
    for (Index j = 0; j < kDimension; ++j) {
      Matrix<double> direction = Matrix<double>::Zero(kDimension, kDimension);
      direction(i, j) += 0.5;
      (symmetric ? direction(j, i) : direction(i, j)) += 0.5;
      B(i, j) = (objective.loss(S - kStep * direction) - objective.loss(S + kStep * direction)) / (2 * kStep) *
                static_cast<double>(kDimension);
    }
  // Tolerance of the training, and kStep² of the differences.
  constexpr double kShare = 1e-5;
  const double lambda = problem.lambda;
  if (problem.student == Student::direct) {
    EXPECT_LT((B - 2 * lambda * S).norm(), kShare * 2 * lambda * S.norm());
    return;
  }
  const double largest = symmetric ? test::eigenvalues(B).maxCoeff() : test::singular_values(B)[0];
  const double norm = symmetric ? S.trace() : test::singular_values(S).sum();
  EXPECT_LE(largest, lambda * (1 + kShare));
  EXPECT_NEAR(inner(B, S), lambda * norm, kShare * lambda * norm);
}

INSTANTIATE_TEST_SUITE_P(Problems, TrainingOnLosses, testing::ValuesIn(kCases), kCaseName);

TEST(Measurements, HaveTheFiguresThatTheLossHas) {
  const auto measured = [](Problem problem) {
    problem.noise = 0;
    return run(problem, samples::small_run(20, 1, 5)).instances[0];
  };
  const Instance soft = measured(entropic(Labels::soft, 2)), sampled = measured(entropic(Labels::sampled, 2)),
                 signs = measured(sign(2)), square = measured(entry(2));
  EXPECT_GT(soft.excess_train, 0);
  EXPECT_GT(soft.excess_test, soft.excess_train);
  EXPECT_GT(soft.squared_test, soft.squared_train);
  EXPECT_GT(sampled.excess_test, 0);
  EXPECT_TRUE(std::isnan(sampled.excess_train));
  EXPECT_TRUE(std::isnan(sampled.squared_train));
  EXPECT_TRUE(std::isnan(soft.sign_error));
  EXPECT_GT(signs.sign_error, 0);
  EXPECT_LT(signs.sign_error, 0.5);
  EXPECT_TRUE(std::isnan(signs.estimation));
  EXPECT_TRUE(std::isnan(signs.squared_test));
  EXPECT_TRUE(std::isnan(square.excess_test));
  EXPECT_GT(square.estimation, 0);
}

}  // namespace
}  // namespace attnlaw::experiment
