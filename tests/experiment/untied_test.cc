/// The untied student, of one sequence and of two: its penalty, its minimiser, and what is measured of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/student/spectral.h"
#include "attnlaw/experiment/train/adam.h"
#include "attnlaw/experiment/train/fista.h"
#include "attnlaw/experiment/train/lbfgs.h"
#include "decompositions.h"
#include "experiment/samples.h"
#include "problems.h"

namespace attnlaw::experiment {
namespace {

using base::Columns;
using base::inner;
using base::Matrix;
using model::Student;

struct Case {
  const char* name;
  int tokens, key_tokens;  ///< key_tokens 0: self-attention
  double alpha, lambda, noise;
  int d;
  model::Head head = model::Head::softmax;
  Student student = Student::untied;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

model::Problem problem_of(const Case& c) {
  model::Problem problem;
  if (c.key_tokens > 0) problem = attnlaw::samples::crossed(problem, c.tokens, c.key_tokens);
  problem.tokens = c.tokens;
  problem.head = c.head;
  problem.student = c.student;
  problem.alpha = c.alpha;
  problem.lambda = c.lambda;
  problem.noise = c.noise;
  return problem;
}

/// Some S of ordinary size.
Matrix<double> general(Eigen::Index d, std::uint64_t stream) {
  return samples::gaussian(d, d, stream) / std::sqrt(static_cast<double>(d));
}

constexpr double kTolerance = 1e-5;
const TrainingOptions kTraining{.tolerance = kTolerance, .max_iterations = 20000, .seed = 5, .instance = 0};

/// Students of general S.
class General : public testing::TestWithParam<Case> {
 protected:
  General()
      : problem_(problem_of(GetParam())),
        target_(problem_.target.eigenvalues(static_cast<std::size_t>(GetParam().d), 5, 0)),
        data_(draw_data<double>(problem_, target_, 5, 0)),
        objective_(problem_, data_, 1) {}

  double objective_at(const Matrix<double>& S) { return objective_.loss(S) + make_penalty(problem_)->value(S); }

  model::Problem problem_;
  std::vector<double> target_;
  Data<double> data_;
  Objective<double> objective_;
};
class NuclearNorm : public General {};

TEST_P(General, AllTrainersEndAtOneMinimiser) {
  const Trained fista = train_fista(objective_, kTraining);
  const double optimum = objective_at(fista.S);
  for (const Trained& trained : {fista, train_lbfgs(objective_, kTraining), train_adam(objective_, kTraining)}) {
    EXPECT_TRUE(trained.converged);
    EXPECT_LE(trained.kkt, kTolerance);
    EXPECT_LE((trained.S - fista.S).norm(), 1e-3 * fista.S.norm());
    EXPECT_NEAR(objective_at(trained.S), optimum, 1e-7 * optimum);
  }
}

/// ‖B/d‖_op ≤ λ and ⟨B/d, S⟩ = λ‖S‖_*, by the singular values of another library.
TEST_P(NuclearNorm, HoldsItsConditionsAtTheOptimum) {
  const Matrix<double> S = train_fista(objective_, kTraining).S;
  Matrix<double> gradient;
  objective_.loss(S, gradient);
  const Matrix<double> B = -static_cast<double>(GetParam().d) * gradient;
  const double nuclear = test::singular_values(S).sum(), lambda = problem_.lambda;
  EXPECT_GT(nuclear, 0);
  EXPECT_LE(test::singular_values(B)[0], lambda * (1 + 2 * kTolerance));
  EXPECT_NEAR(inner(B, S), lambda * nuclear, 10 * kTolerance * lambda * nuclear);
}

TEST_P(General, ResidualGrowsAwayFromTheOptimum) {
  TrainingOptions options = kTraining;
  options.tolerance = 1e-7;
  const Matrix<double> S = train_fista(objective_, options).S;
  Matrix<double> gradient;
  double previous = 1e-7;
  for (const double scale : {1.001, 1.01, 1.1}) {
    objective_.loss(scale * S, gradient);
    const double residual = kkt_residual(scale * S, gradient, problem_);
    EXPECT_GT(residual, 2 * previous);
    previous = residual;
  }
}

const Case kUntied[] = {
    {"cross_2_2", 2, 2, 0.5, 0.05, 0, 20},      {"cross_1_3", 1, 3, 0.6, 0.03, 0.3, 18},
    {"cross_3_2", 3, 2, 0.3, 0.05, 0, 18},      {"self", 2, 0, 0.5, 0.05, 0, 20},
    {"self_3_noise", 3, 0, 0.3, 0.05, 0.5, 18}, {"cross_linear", 1, 1, 0.8, 0.2, 0.1, 20, model::Head::linear}};
const Case kDirect{"cross_direct", 2, 2, 0.5, 0.05, 0, 20, model::Head::softmax, Student::direct};
const auto kCaseName = [](const auto& tested) { return std::string(tested.param.name); };
INSTANTIATE_TEST_SUITE_P(Problems, General, testing::ValuesIn(kUntied), kCaseName);
INSTANTIATE_TEST_SUITE_P(Direct, General, testing::Values(kDirect), kCaseName);
INSTANTIATE_TEST_SUITE_P(Problems, NuclearNorm, testing::ValuesIn(kUntied), kCaseName);

/// P = prox of λ step ‖·‖_* at M: (M − P)/(λ step) has singular values at most 1 and ⟨(M − P)/(λ step), P⟩ = ‖P‖_*.
TEST(NuclearPenalty, ProximalOperatorSolvesItsConditions) {
  model::Problem problem;
  problem.student = Student::untied;
  problem.lambda = 0.3;
  const double step = 2;
  const Matrix<double> M = general(17, 1), P = make_penalty(problem)->proximal(M, step);
  const Matrix<double> slope = (M - P) / (step * problem.lambda);
  const Eigen::VectorXd of_P = test::singular_values(P), of_slope = test::singular_values(slope);
  EXPECT_NEAR(of_slope[0], 1, 1e-12);
  EXPECT_NEAR(inner(slope, P), of_P.sum(), 1e-12);
  EXPECT_GT(of_P[0], 0.1);
  EXPECT_LT(of_P[16], 1e-12);
}

/// On S ⪰ 0 with a symmetric B the conditions are those of the trace.
TEST(NuclearPenalty, ResidualIsThatOfTheTiedStudentWhereStudentAndForceAreSymmetric) {
  model::Problem tied;
  tied.lambda = 0.1;
  model::Problem untied = tied;
  untied.student = Student::untied;
  const Matrix<double> W = general(15, 2).leftCols(6), S = W * W.transpose();
  // A force that pulls mostly upwards: for others the operator norm asks more than the largest eigenvalue.
  Matrix<double> force = general(15, 3) + general(15, 3).transpose();
  force.diagonal().array() += 3;
  const Matrix<double> gradient = -force / 15;
  const double residual = kkt_residual(S, gradient, untied);
  EXPECT_GT(residual, 1);
  EXPECT_NEAR(residual, kkt_residual(S, gradient, tied), 1e-12 * residual);
}

/// At S = 0 the loss pulls with B/d: the student leaves zero where λ is below its largest singular value.
TEST(CrossAttention, CollapsesWhereThePenaltyHoldsTheLossAtZero) {
  model::Problem problem = problem_of({"", 2, 2, 0.4, 1, 0, 20});
  const Data<double> data = draw_data<double>(problem, problem.target.eigenvalues(20, 5, 0), 5, 0);
  Objective<double> objective(problem, data, 1);
  Matrix<double> gradient;
  objective.loss(Matrix<double>::Zero(20, 20), gradient);
  const double pull = 20 * test::singular_values(gradient)[0];
  problem.lambda = 1.001 * pull;
  EXPECT_EQ(train_fista(objective, kTraining).S.norm(), 0);
  EXPECT_LT(train_lbfgs(objective, kTraining).S.norm(), 1e-6);
  problem.lambda = 0.99 * pull;
  EXPECT_GT(train_fista(objective, kTraining).S.norm(), 0);
}

/// T1 queries on shared keys are T1 sequences of one query each: the loss is the same function of S.
TEST(CrossAttention, RowsAreSequencesOfTheirOwn) {
  const model::Problem whole = problem_of({"", 3, 2, 0.5, 0.05, 0.2, 16});
  model::Problem split = whole;
  split.tokens = 1;
  split.alpha = 3 * whole.alpha;
  const Data<double> data = draw_data<double>(whole, whole.target.eigenvalues(16, 5, 0), 5, 0);
  const Eigen::Index n = data.labels.rows();
  Data<double> rows{.X = data.X, .Y = Matrix<double>(6 * n, 16), .labels = Columns<double>(3 * n, 2)};
  for (Eigen::Index mu = 0; mu < n; ++mu) {
    for (int a = 0; a < 3; ++a) {
      rows.Y.middleRows(2 * (3 * mu + a), 2) = data.Y.middleRows(2 * mu, 2);
      rows.labels.row(3 * mu + a) = data.labels.row(mu).segment(2 * a, 2);
    }
  }
  Objective<double> of_whole(whole, data, 1), of_rows(split, rows, 1);
  const Matrix<double> S = general(16, 4);
  Matrix<double> gradient, expected;
  const double loss = of_whole.loss(S, expected);
  EXPECT_NEAR(of_rows.loss(S, gradient), loss, 1e-12 * loss);
  EXPECT_LT((gradient - expected).norm(), 1e-12 * expected.norm());
}

TEST(CrossAttention, MeasuresSingularValuesAndTheirVectors) {
  model::Problem problem = problem_of({"", 2, 2, 4, 0.01, 0, 24});
  problem.target = model::Target::parse("spikes:24,9,5");
  Options options;
  options.d = 24;
  options.instances = 2;
  options.precision = Precision::double_;
  options.trained = [](const Instance& instance, std::span<const double> entries) {
    const Matrix<double> S = Eigen::Map<const Matrix<double>>(entries.data(), 24, 24);
    const test::SingularSystem svd = test::singular_system(S);
    EXPECT_TRUE(instance.eigenvalues.empty());
    EXPECT_EQ(instance.q_a, 0);
    EXPECT_NEAR(instance.q, S.squaredNorm() / 24, 1e-12);
    EXPECT_NEAR(instance.nuclear, svd.values.sum() / 24, 1e-12);
    EXPECT_NEAR(instance.m, (9 * S(0, 0) + 5 * S(1, 1)) / 24, 1e-12);
    EXPECT_NEAR(instance.estimation, instance.Q_star - 2 * instance.m + instance.q, 1e-12);
    for (int k = 0; k < 24; ++k)
      EXPECT_NEAR(instance.singular_values[static_cast<std::size_t>(k)], svd.values[k], 1e-12);
    for (int k = 0; k < 2; ++k) {
      EXPECT_NEAR(instance.left_overlaps[static_cast<std::size_t>(k)], std::pow(svd.left(k, k), 2), 1e-10);
      EXPECT_NEAR(instance.right_overlaps[static_cast<std::size_t>(k)], std::pow(svd.right(k, k), 2), 1e-10);
      EXPECT_GT(instance.left_overlaps[static_cast<std::size_t>(k)], 0.9);
    }
  };
  const Experiment experiment = run(problem, options);
  EXPECT_TRUE(experiment.converged());
  const Measurements& mean = experiment.mean;
  EXPECT_NEAR(mean.objective, problem.alpha * mean.train + problem.lambda * mean.nuclear, 1e-12);
}

/// With one sequence on both sides S has an antisymmetric part, which a symmetric target leaves small.
TEST(UntiedSelfAttention, MeasuresBothParts) {
  Options options;
  options.d = 30;
  options.instances = 2;
  options.trained = [](const Instance& instance, std::span<const double> entries) {
    const Matrix<double> S = Eigen::Map<const Matrix<double>>(entries.data(), 30, 30);
    EXPECT_NEAR(instance.q + instance.q_a, S.squaredNorm() / 30, 1e-12);
    EXPECT_GT(instance.q_a, 0);
    EXPECT_LT(instance.q_a, 0.3 * instance.q);
    EXPECT_EQ(instance.eigenvalues.size(), 30U);
    EXPECT_EQ(instance.singular_values.size(), 30U);
    EXPECT_NEAR(instance.estimation, instance.Q_star - 2 * instance.m + instance.q + instance.q_a, 1e-12);
  };
  EXPECT_TRUE(run(problem_of({"", 2, 0, 0.5, 0.05, 0, 30}), options).converged());
}

/// T = 2, α = 0.3, λ = 0.05, κ* = 0.5: the fixed point with a prior channel solved numerically at D = 200, whose draws
/// scatter by 1 %. Beside it corrections of order 1/d: 5/d of each figure.
TEST(UntiedSelfAttention, SlowReproducesTheFixedPointAtDimension60) {
  Options options;
  options.d = 60;
  options.instances = 12;
  const Experiment experiment = run(problem_of({"", 2, 0, 0.3, 0.05, 0, 60}), options);
  EXPECT_TRUE(experiment.converged());
  const auto expect_near = [&](double Measurements::*quantity, double theory) {
    EXPECT_NEAR(experiment.mean.*quantity, theory, 3 * experiment.standard_error.*quantity + 5.0 / 60 * theory);
  };
  expect_near(&Measurements::q, 0.503);
  expect_near(&Measurements::q_a, 0.0407);
  expect_near(&Measurements::m, 0.802);
  expect_near(&Measurements::estimation, 0.4395);
  expect_near(&Measurements::train, 0.0140);
  expect_near(&Measurements::test, 0.0901);
}

/// As for the tied student, rounding of the data leaves errors of 1e-5.
TEST(CrossAttention, TrainsToTheSameErrorsInFloat) {
  const model::Problem problem = problem_of({"", 2, 2, 0.4, 0.05, 0, 40});
  Options options;
  options.d = 40;
  options.instances = 1;
  const Measurements single = run(problem, options).mean;
  options.precision = Precision::double_;
  const Measurements reference = run(problem, options).mean;
  EXPECT_NEAR(single.train, reference.train, 1e-4 * reference.train);
  EXPECT_NEAR(single.test, reference.test, 1e-4 * reference.test);
  EXPECT_NEAR(single.estimation, reference.estimation, 1e-4 * reference.estimation);
}

TEST(CrossAttention, NeedsTheMemoryOfBothSequences) {
  const model::Problem problem = problem_of({"", 1, 4, 2, 0.05, 0, 200});
  Options options;
  options.d = 200;
  options.threads = 1;
  const double data = 2 * 200.0 * 200 * 5 * 200 * sizeof(float);
  const auto needed = static_cast<double>(bytes_needed(problem, options));
  EXPECT_GT(needed, data);
  EXPECT_LT(needed, 1.5 * data);
}

TEST(CrossAttention, IsServedByAllTrainersAndSelfAttentionByAllButMessagePassing) {
  model::Problem problem = problem_of({"", 2, 2, 1, 0.05, 0, 20});
  EXPECT_EQ(trainers_for(problem).size(), 4U);
  problem.attention = model::Attention::self;
  problem.target = model::Target::parse("wishart:0.5");
  EXPECT_THAT(trainers_for(problem), testing::ElementsAre(Trainer::lbfgs, Trainer::adam, Trainer::fista));
  Options options;
  options.d = 20;
  options.trainer = Trainer::gamp;
  EXPECT_THROW(run(problem, options), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::experiment
