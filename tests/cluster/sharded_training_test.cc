/// An experiment divided over processes is the experiment of one process.
#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/sharding.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/student/parameters.h"
#include "attnlaw/experiment/student/spectral_start.h"
#include "cluster/in_process.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;
using model::Head;
using model::Student;
using test::on_ranks;

struct Case {
  const char* name;
  Student student;
  Head head;
  Trainer trainer;
  int tokens;
  double noise;
  int key_tokens = 0;  ///< the T2 of cross-attention
  model::Labels labels = model::Labels::soft;
  Initialisation initialisation = Initialisation::random;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

constexpr Case kCases[] = {
    {"lbfgs", Student::tied, Head::softmax, Trainer::lbfgs, 2, 0.1},
    {"adam", Student::tied, Head::softmax, Trainer::adam, 2, 0},
    {"fista", Student::tied, Head::linear, Trainer::fista, 2, 0.3},
    {"gamp", Student::tied, Head::softmax, Trainer::gamp, 2, 0},
    {"general", Student::direct_general, Head::softmax, Trainer::lbfgs, 3, 0},
    {"bayes", Student::bayes, Head::softmax, Trainer::gamp, 2, 0.1},
    {"cross", Student::untied, Head::softmax, Trainer::lbfgs, 2, 0.1, 3},
    {"sampled", Student::tied, Head::softmax, Trainer::lbfgs, 3, 0.2, 0, model::Labels::sampled},
    {"untied", Student::untied, Head::softmax, Trainer::fista, 2, 0},
    {"spectral", Student::tied, Head::softmax, Trainer::lbfgs, 2, 0.1, 0, model::Labels::soft,
     Initialisation::spectral},
    {"spectral_bayes", Student::bayes, Head::linear, Trainer::gamp, 1, 0.1, 0, model::Labels::soft,
     Initialisation::spectral},
};

model::Problem problem_of(const Case& c) {
  model::Problem problem;
  problem.student = c.student;
  problem.head = c.head;
  problem.tokens = c.tokens;
  problem.noise = c.noise;
  problem.labels = c.labels;
  if (c.labels == model::Labels::sampled) problem.loss = model::Loss::cross_entropy;
  problem.alpha = 0.5;
  problem.lambda = 0.05;
  if (c.key_tokens > 0) {
    problem.attention = model::Attention::cross;
    problem.key_tokens = c.key_tokens;
    problem.target = model::Target::parse("product:0.5");
  }
  if (c.student == Student::bayes) problem.lambda_rule = model::LambdaRule::none;
  return problem;
}

Options options_of(const Case& c) {
  Options options;
  options.trainer = c.trainer;
  options.initialisation = c.initialisation;
  options.precision = Precision::double_;
  // No multiple of the number of ranks, and several blocks.
  options.d = 31;
  options.instances = 2;
  options.threads = 1;
  options.seed = 7;
  return options;
}

/// The result of every rank.
std::vector<Experiment> run_on_ranks(int ranks, const model::Problem& problem, const Options& options) {
  std::vector<Experiment> results(static_cast<std::size_t>(ranks));
  on_ranks(ranks, [&](base::Communicator& communicator) {
    Options mine = options;
    mine.communicator = &communicator;
    results[static_cast<std::size_t>(communicator.rank())] = run(problem, mine);
  });
  return results;
}

double relative(double a, double b) { return std::abs(a - b) / std::abs(b); }

class ShardedTraining : public testing::TestWithParam<Case> {};

TEST_P(ShardedTraining, EndsWhereOneProcessEnds) {
  const model::Problem problem = problem_of(GetParam());
  const Options options = options_of(GetParam());
  const Experiment alone = run(problem, options);
  ASSERT_TRUE(alone.converged());
  for (const int ranks : {1, 2, 3, 4}) {
    const std::vector<Experiment> shared = run_on_ranks(ranks, problem, options);
    for (std::size_t i = 0; i < alone.instances.size(); ++i) {
      const Instance &one = alone.instances[i], &all = shared[0].instances[i];
      EXPECT_TRUE(all.converged);
      EXPECT_EQ(all.target_eigenvalues, one.target_eigenvalues);
      // Both stand within the tolerance, 1e-5 of the gradient, of the same optimum; objectives to its square.
      EXPECT_LT(relative(all.test, one.test), 1e-4) << ranks;
      EXPECT_LT(relative(all.estimation, one.estimation), 1e-4) << ranks;
      if (problem.student == Student::bayes) continue;
      EXPECT_LT(relative(all.objective, one.objective), 1e-8) << ranks;
      EXPECT_LE(all.kkt, default_tolerance(options.precision, problem.lambda));
    }
  }
}

TEST_P(ShardedTraining, IsTheSameToTheLastBitOnEveryRank) {
  const std::vector<Experiment> shared = run_on_ranks(3, problem_of(GetParam()), options_of(GetParam()));
  for (const Experiment& other : {shared[1], shared[2]}) {
    for (std::size_t i = 0; i < other.instances.size(); ++i) {
      EXPECT_EQ(other.instances[i].eigenvalues, shared[0].instances[i].eigenvalues);
      EXPECT_EQ(other.instances[i].singular_values, shared[0].instances[i].singular_values);
      EXPECT_EQ(other.instances[i].test, shared[0].instances[i].test);
      EXPECT_EQ(other.instances[i].iterations, shared[0].instances[i].iterations);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Trainers, ShardedTraining, testing::ValuesIn(kCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Sharding, SharesAreWholeAndEqualToOne) {
  for (const int ranks : {1, 2, 3, 4, 7}) {
    Eigen::Index next = 0;
    test::Machine machine(ranks);
    for (int rank = 0; rank < ranks; ++rank) {
      const test::InProcess communicator(machine, rank);
      const Shard shard = shard_of(100, &communicator);
      EXPECT_EQ(shard.first, next);
      EXPECT_LE(std::abs(static_cast<double>(shard.count) - 100.0 / ranks), 1);
      next += shard.count;
    }
    EXPECT_EQ(next, 100);
  }
}

TEST(Sharding, EverySequenceIsDrawnAsByOneProcess) {
  model::Problem problem = problem_of(kCases[0]);
  const std::vector<double> target = problem.target.eigenvalues(30, 3, 1);
  const Data<float> whole = draw_data<float>(problem, target, 3, 1);
  const int ranks = 3;
  test::Machine machine(ranks);
  for (int rank = 0; rank < ranks; ++rank) {
    test::InProcess communicator(machine, rank);
    const Shard shard = shard_of(whole.labels.rows(), &communicator);
    const Data<float> part = draw_data<float>(problem, target, 3, 1, &communicator);
    EXPECT_EQ(part.X, whole.X.middleRows(shard.first * problem.tokens, shard.count * problem.tokens));
    // Scores are summed in vector registers whose fill depends on the place in a block.
    EXPECT_LT((part.labels - whole.labels.middleRows(shard.first, shard.count)).abs().maxCoeff(), 1e-6);
  }
}

TEST(Sharding, LabelsAreSampledAsByOneProcess) {
  model::Problem problem = problem_of(kCases[0]);
  problem.loss = model::Loss::cross_entropy;
  problem.labels = model::Labels::sampled;
  const std::vector<double> target = problem.target.eigenvalues(30, 3, 1);
  const Data<double> whole = draw_data<double>(problem, target, 3, 1);
  test::Machine machine(3);
  for (int rank = 0; rank < 3; ++rank) {
    test::InProcess communicator(machine, rank);
    const Shard shard = shard_of(whole.labels.rows(), &communicator);
    const Data<double> part = draw_data<double>(problem, target, 3, 1, &communicator);
    EXPECT_TRUE((part.labels == whole.labels.middleRows(shard.first, shard.count)).all());
  }
}

TEST(Sharding, LossAndGradientsAreThoseOfOneProcess) {
  const model::Problem problem = problem_of(kCases[0]);
  const std::vector<double> target = problem.target.eigenvalues(40, 3, 1);
  TrainingOptions start;
  const Matrix<double> W = initial_weights(40, start), S = student_of_factor(W);
  const Data<double> whole = draw_data<double>(problem, target, 3, 1);
  Objective<double> alone(problem, whole, 1);
  Matrix<double> gradient, factor_gradient;
  const double loss = alone.loss(S, gradient), objective = alone.objective_of_factor(W, factor_gradient);
  on_ranks(4, [&](base::Communicator& communicator) {
    const Data<double> part = draw_data<double>(problem, target, 3, 1, &communicator);
    Objective<double> shared(problem, part, 1);
    Matrix<double> other;
    EXPECT_LT(relative(shared.loss(S, other), loss), 1e-13);
    EXPECT_LT((other - gradient).norm(), 1e-13 * gradient.norm());
    EXPECT_LT(relative(shared.loss(S), loss), 1e-13);
    EXPECT_LT(relative(shared.objective_of_factor(W, other), objective), 1e-13);
    EXPECT_LT((other - factor_gradient).norm(), 1e-13 * factor_gradient.norm());
  });
}

TEST(Sharding, SpectralStartsAreThoseOfOneProcess) {
  const model::Problem problem = problem_of(kCases[0]);
  const std::vector<double> target = problem.target.eigenvalues(40, 3, 1);
  const Data<double> whole = draw_data<double>(problem, target, 3, 1);
  Objective<double> alone(problem, whole, 1);
  const Matrix<double> R = label_operator(alone), S = spectral_start(alone).S;
  on_ranks(4, [&](base::Communicator& communicator) {
    const Data<double> part = draw_data<double>(problem, target, 3, 1, &communicator);
    Objective<double> shared(problem, part, 1);
    EXPECT_LT((label_operator(shared) - R).norm(), 1e-12 * R.norm());
    EXPECT_LT((spectral_start(shared).S - S).norm(), 1e-12 * S.norm());
  });
}

TEST(Sharding, DifferentStudentsAreNeverMixed) {
  int refused = 0;
  std::mutex mutex;
  on_ranks(3, [&](base::Communicator& communicator) {
    Matrix<double> S = Matrix<double>::Identity(5, 5);
    double number = 1;
    sum_over_processes(&communicator, S, std::span(&number, 1), nullptr);
    EXPECT_EQ(number, 3);
    if (communicator.rank() == 1) S(2, 3) = 1e-300;
    try {
      sum_over_processes(&communicator, S, std::span(&number, 1), nullptr);
    } catch (const base::CommunicationError&) {
      const std::lock_guard lock(mutex);
      ++refused;
    }
  });
  EXPECT_EQ(refused, 3);
}

TEST(Sharding, MemoryIsThatOfTheShare) {
  model::Problem problem = problem_of(kCases[0]);
  problem.alpha = 20;
  Options options = options_of(kCases[0]);
  options.d = 300;
  options.instances = 1;
  const double alone = static_cast<double>(bytes_needed(problem, options));
  test::Machine machine(4);
  test::InProcess communicator(machine, 0);
  options.communicator = &communicator;
  const double share = static_cast<double>(bytes_needed(problem, options));
  // The data are 20·300²·(2·300 + 4) doubles; three quarters of them stay away.
  const double data = 20 * 300.0 * 300 * 604 * 8;
  EXPECT_NEAR(alone - share, 0.75 * data, 0.01 * data);
}

TEST(Sharding, NeedsASequenceForEachProcess) {
  model::Problem problem = problem_of(kCases[0]);
  Options options = options_of(kCases[0]);
  options.d = 3;
  problem.alpha = 0.2;  // 2 sequences
  test::Machine machine(3);
  test::InProcess communicator(machine, 0);
  options.communicator = &communicator;
  EXPECT_THROW(require_feasible(problem, options), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::experiment
