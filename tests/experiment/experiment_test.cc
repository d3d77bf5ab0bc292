#include "attnlaw/experiment/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "attnlaw/base/memory.h"

namespace attnlaw::experiment {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

Options small() {
  Options options;
  options.d = 20;
  options.instances = 3;
  options.seed = 11;
  options.threads = 1;
  return options;
}

void expect_same_bits(const Experiment& left, const Experiment& right) {
  ASSERT_EQ(left.instances.size(), right.instances.size());
  for (std::size_t i = 0; i < left.instances.size(); ++i) {
    const Instance &a = left.instances[i], &b = right.instances[i];
    EXPECT_EQ(a.train, b.train);
    EXPECT_EQ(a.test, b.test);
    EXPECT_EQ(a.estimation, b.estimation);
    EXPECT_EQ(a.objective, b.objective);
    EXPECT_EQ(a.kkt, b.kkt);
    EXPECT_EQ(a.iterations, b.iterations);
    EXPECT_EQ(a.eigenvalues, b.eigenvalues);
    EXPECT_EQ(a.target_eigenvalues, b.target_eigenvalues);
  }
  EXPECT_EQ(left.mean.estimation, right.mean.estimation);
}

TEST(Experiment, HasTheSameBitsOnAnyNumberOfThreads) {
  const model::Problem problem;
  Options options = small();
  options.d = 50;  // several groups of blocks in one gradient
  options.max_iterations = 40;
  for (const int instances : {1, 3}) {
    options.instances = instances;
    options.threads = 1;
    const Experiment one = run(problem, options);
    for (const int threads : {2, 3}) {
      options.threads = threads;
      expect_same_bits(run(problem, options), one);
    }
  }
}

TEST(Experiment, MeasuresWhatItsIdentitiesSay) {
  model::Problem problem;
  problem.noise = 0.1;
  const Experiment experiment = run(problem, small());
  EXPECT_TRUE(experiment.converged());
  EXPECT_EQ(experiment.n, 400);
  for (const Instance& instance : experiment.instances) {
    double trace = 0, second = 0;
    for (const double s : instance.eigenvalues) trace += s, second += s * s;
    EXPECT_NEAR(instance.estimation, instance.Q_star - 2 * instance.m + instance.q, 1e-10);
    EXPECT_NEAR(instance.q, second / 20, 1e-10);
    EXPECT_NEAR(instance.objective, problem.alpha * instance.train + problem.lambda * trace / 20, 1e-10);
    EXPECT_GE(instance.eigenvalues.back(), -1e-10);
    EXPECT_TRUE(std::is_sorted(instance.eigenvalues.rbegin(), instance.eigenvalues.rend()));
    EXPECT_LE(instance.kkt, default_tolerance(Precision::single_, problem.lambda));
  }
}

TEST(Experiment, TestErrorsAreTheSumOfTheirParts) {
  for (const model::Student student : {model::Student::tied, model::Student::direct, model::Student::direct_general}) {
    model::Problem problem;
    problem.student = student;
    problem.noise = 0.3;
    const Experiment experiment = run(problem, small());
    for (const Instance& instance : experiment.instances) {
      const auto sum = [&](const model::TestParts& parts) {
        return parts.floor + parts.price * instance.estimation + parts.amplitude;
      };
      EXPECT_NEAR(sum(instance.test_parts), instance.test, 1e-12);
      EXPECT_NEAR(sum(instance.noisy_parts), instance.test_noisy, 1e-12);
      EXPECT_NEAR(instance.test_parts.floor, 0, 1e-12) << "the target has its own labels";
      EXPECT_GT(instance.noisy_parts.floor, 0);
      EXPECT_GT(instance.test_parts.price, 0);
    }
    EXPECT_GT(experiment.standard_error.test_parts.price, 0);
  }
}

TEST(Experiment, OfALinearHeadHasThePriceOfEveryError) {
  // The test error is T(T + 1) E = 2 E, up to the sampling of fresh sequences.
  model::Problem problem;
  problem.tokens = 1;
  problem.head = model::Head::linear;
  const Experiment experiment = run(problem, small());
  EXPECT_NEAR(experiment.mean.test_parts.price, 2, 0.1);
  EXPECT_NEAR(experiment.mean.test_parts.amplitude, 0, 0.1 * experiment.mean.test);
}

TEST(Experiment, OfOneTargetDiffersInItsData) {
  model::Problem problem;
  Options options = small();
  options.one_target = true;
  const Experiment one = run(problem, options);
  EXPECT_EQ(one.instances[0].target_eigenvalues, one.instances[2].target_eigenvalues);
  EXPECT_NE(one.instances[0].train, one.instances[2].train);
  options.one_target = false;
  const Experiment several = run(problem, options);
  EXPECT_EQ(several.instances[0].test, one.instances[0].test) << "the target is that of instance 0";
  EXPECT_NE(several.instances[0].target_eigenvalues, several.instances[2].target_eigenvalues);
}

TEST(Adam, StopsWhereAStepChangesTheLossByLessAtTheRateAskedFor) {
  model::Problem problem;
  Options options = small();
  options.trainer = Trainer::adam;
  options.instances = 1;
  options.rate = 0.1;
  options.stop_change = 1e-2;
  const Experiment early = run(problem, options);
  options.stop_change = 1e-6;
  const Experiment late = run(problem, options);
  EXPECT_TRUE(early.converged() && late.converged());
  EXPECT_LT(early.mean.iterations, late.mean.iterations);
  EXPECT_LT(late.mean.kkt, early.mean.kkt);
  options.rate = 0.01;
  options.stop_change = 1e-2;
  EXPECT_NE(run(problem, options).mean.iterations, early.mean.iterations);
  Options both = options;
  both.tolerance = 1e-3;
  EXPECT_THAT([&] { run(problem, both); }, ThrowsMessage<std::invalid_argument>(HasSubstr("got both, 0.01 and 0.001")));
  options.trainer = Trainer::lbfgs;
  EXPECT_THAT([&] { run(problem, options); }, ThrowsMessage<std::invalid_argument>(HasSubstr("got trainer lbfgs")));
}

TEST(DefaultTolerance, NeverAcceptsWhatIsNotTrained) {
  EXPECT_EQ(default_tolerance(Precision::single_, 1), 2e-4);
  EXPECT_DOUBLE_EQ(default_tolerance(Precision::single_, 1e-4), 1e-2);
  for (const double lambda : {1e-6, 1e-9, 1e-12}) EXPECT_LE(default_tolerance(Precision::single_, lambda), 0.1);
}

TEST(Experiment, AveragesOverInstances) {
  const Experiment experiment = run(model::Problem{}, small());
  const auto& i = experiment.instances;
  const double mean = (i[0].test + i[1].test + i[2].test) / 3;
  EXPECT_DOUBLE_EQ(experiment.mean.test, mean);
  const double squares = std::pow(i[0].test - mean, 2) + std::pow(i[1].test - mean, 2) + std::pow(i[2].test - mean, 2);
  EXPECT_DOUBLE_EQ(experiment.standard_error.test, std::sqrt(squares / 2 / 3));
}

TEST(Experiment, OfOneInstanceHasNoStandardError) {
  Options options = small();
  options.instances = 1;
  const Experiment experiment = run(model::Problem{}, options);
  EXPECT_TRUE(std::isnan(experiment.standard_error.train));
  EXPECT_EQ(experiment.mean.train, experiment.instances[0].train);
}

TEST(Experiment, ReportsProgress) {
  std::vector<int> seen;
  Options options = small();
  options.progress = [&](int done, int total) {
    EXPECT_EQ(total, 3);
    seen.push_back(done);
  };
  run(model::Problem{}, options);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
}

TEST(Experiment, InSinglePrecisionAgreesWithDouble) {
  model::Problem problem;
  problem.alpha = 0.5;
  Options options = small();
  options.instances = 2;
  options.d = 30;
  const Experiment single = run(problem, options);
  options.precision = Precision::double_;
  const Experiment double_ = run(problem, options);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(single.instances[i].train, double_.instances[i].train, 1e-4 * double_.instances[i].train);
    EXPECT_NEAR(single.instances[i].test, double_.instances[i].test, 1e-4 * double_.instances[i].test);
    EXPECT_NEAR(single.instances[i].estimation, double_.instances[i].estimation,
                1e-4 * double_.instances[i].estimation);
  }
}

/// Noiseless quadratic measurements beyond the recovery threshold determine S*: the error is the bias of the penalty, ∝
/// λ².
TEST(Experiment, RecoversTheTargetOfTheLinearHeadAsThePenaltyVanishes) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.tokens = 1;
  problem.alpha = 2;
  Options options = small();
  options.precision = Precision::double_;
  options.instances = 1;
  double previous = std::numeric_limits<double>::infinity();
  for (const double lambda : {0.1, 0.01, 0.001}) {
    problem.lambda = lambda;
    const Experiment experiment = run(problem, options);
    EXPECT_TRUE(experiment.converged());
    EXPECT_LT(experiment.mean.estimation, previous / 20) << "lambda " << lambda;
    previous = experiment.mean.estimation;
  }
  EXPECT_LT(previous, 1e-6);
}

TEST(Experiment, ALargePenaltyGivesZeroByEveryTrainer) {
  for (const auto& [alpha, lambda] : {std::pair{1.0, 1e4}, std::pair{0.1, 10.0}}) {
    model::Problem problem;
    problem.alpha = alpha;
    problem.lambda = lambda;
    for (const Trainer trainer : {Trainer::lbfgs, Trainer::adam, Trainer::fista, Trainer::gamp}) {
      for (const Precision precision : {Precision::single_, Precision::double_}) {
        Options options = small();
        options.instances = 1;
        options.trainer = trainer;
        options.precision = precision;
        const Experiment experiment = run(problem, options);
        for (const Instance& instance : experiment.instances) {
          EXPECT_TRUE(instance.converged) << name(trainer) << " kkt " << instance.kkt;
          EXPECT_LE(instance.q, trainer == Trainer::fista ? 0 : 1e-12);
          EXPECT_NEAR(instance.estimation, instance.Q_star, 1e-6 * instance.Q_star);
        }
      }
    }
  }
}

TEST(Experiment, RejectsBadOptionsByName) {
  const auto reject = [](const std::function<void(Options&)>& change, const char* key, const char* value) {
    Options options = small();
    change(options);
    EXPECT_THAT([&] { run(model::Problem{}, options); },
                ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr(key), HasSubstr(value))));
  };
  reject([](Options& o) { o.d = 0; }, "d must be", "got 0");
  reject([](Options& o) { o.d = -5; }, "d must be", "got -5");
  reject([](Options& o) { o.instances = 0; }, "instances", "got 0");
  reject([](Options& o) { o.threads = -1; }, "threads", "got -1");
  reject([](Options& o) { o.tolerance = -1; }, "tolerance", "got -1");
  reject([](Options& o) { o.tolerance = std::nan(""); }, "tolerance", "got nan");
  reject([](Options& o) { o.max_iterations = 0; }, "max_iterations", "got 0");
}

TEST(Experiment, RejectsDimensionsTooSmallForTheProblem) {
  model::Problem problem;
  Options options = small();
  problem.alpha = 1e-4;
  EXPECT_THAT([&] { run(problem, options); }, ThrowsMessage<std::invalid_argument>(HasSubstr("at least 1 sequence")));
  problem.alpha = 1;
  problem.target = model::Target::parse("wishart:0.01");
  EXPECT_THAT([&] { run(problem, options); }, ThrowsMessage<std::invalid_argument>(HasSubstr("got d = 20")));
  problem.target = model::Target::parse("powerlaw:1,15");
  EXPECT_THAT([&] { run(problem, options); }, ThrowsMessage<std::invalid_argument>(HasSubstr("multiple of D")));
  problem.target = model::Target();
  problem.alpha = -1;
  EXPECT_THROW(run(problem, options), std::invalid_argument);
}

TEST(Experiment, RefusesWhatDoesNotFitIntoTheMachineBeforeStarting) {
  const model::Problem problem;
  Options options = small();
  options.d = 10'000;  // n T d floats = 8 TB
  EXPECT_THAT([&] { run(problem, options); },
              ThrowsMessage<MemoryError>(
                  AllOf(HasSubstr("of memory"), HasSubstr("d = 10000"),
                        HasSubstr(base::bytes_text(static_cast<double>(bytes_needed(problem, options)))))));
}

/// More rows than an index holds, and more bytes than 64 bits count: still the bytes are what is wrong.
TEST(Experiment, RefusesAbsurdSizesByTheirBytes) {
  model::Problem problem;
  problem.alpha = 10;
  Options options = small();
  options.d = 100'000;
  const double data = 1e11 * (2 * 1e5 + 4) * sizeof(float);
  EXPECT_NEAR(static_cast<double>(bytes_needed(problem, options)), data, 0.01 * data);
  EXPECT_THAT(
      [&] { require_feasible(problem, options); },
      ThrowsMessage<MemoryError>(HasSubstr(base::bytes_text(static_cast<double>(bytes_needed(problem, options))))));
  problem.alpha = model::kMaxAlpha;
  problem.tokens = model::kMaxTokens;
  problem.target = model::Target::parse("wishart:0.1");
  options.d = std::numeric_limits<int>::max();
  EXPECT_EQ(bytes_needed(problem, options), std::numeric_limits<std::uint64_t>::max());
  EXPECT_THROW(require_feasible(problem, options), MemoryError);
}

TEST(Experiment, RefusesTargetsThatDoNotFitIntoTheMachine) {
  model::Problem problem;
  problem.target = model::Target::parse("wishart:1e8");
  const double weights = 20 * 20e8 * sizeof(double);
  EXPECT_GE(static_cast<double>(bytes_needed(problem, small())), 2 * weights);
  EXPECT_THROW(require_feasible(problem, small()), MemoryError);
}

TEST(BytesNeeded, AreLittleMoreThanTheData) {
  const model::Problem problem;
  Options options = small();
  options.d = 200;
  options.instances = 2;
  const double data = 200.0 * 200 * 2 * 200 * sizeof(float);
  const auto one = static_cast<double>(bytes_needed(problem, options));
  EXPECT_GT(one, data);
  EXPECT_LT(one, 1.5 * data);
  options.threads = 2;
  EXPECT_EQ(static_cast<double>(bytes_needed(problem, options)), 2 * one);
}

TEST(Names, RoundTrip) {
  for (const Trainer trainer : {Trainer::lbfgs, Trainer::adam, Trainer::fista, Trainer::gamp}) {
    EXPECT_EQ(base::value_of<Trainer>("trainer", name(trainer)), trainer);
  }
  for (const Precision precision : {Precision::single_, Precision::double_}) {
    EXPECT_EQ(base::value_of<Precision>("precision", name(precision)), precision);
  }
  EXPECT_THAT([] { base::value_of<Trainer>("trainer", "sgd"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("got 'sgd'")));
  EXPECT_THAT([] { base::value_of<Precision>("precision", "half"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("got 'half'")));
}

/// Theory (docs/theory/erm.md, section 9: κ* = 0.5, λ = 0.05, T = 2) up to its measured finite-size corrections of a
/// few percent at d = 60.
TEST(Experiment, SlowReproducesTheTheoryAtDimension60) {
  struct Row {
    double alpha, train, test, estimation;
  };
  for (const Row& row : {Row{0.3, 0.01672, 0.05515, 0.2903}, Row{0.5, 0.008516, 0.01896, 0.1271},
                         Row{1.0, 0.002674, 0.004002, 0.03617}}) {
    model::Problem problem;
    problem.alpha = row.alpha;
    Options options;
    options.d = 60;
    options.instances = 16;
    const Experiment experiment = run(problem, options);
    EXPECT_TRUE(experiment.converged());
    const auto expect_near = [&](double Measurements::*error, double theory) {
      EXPECT_NEAR(experiment.mean.*error, theory, 4 * experiment.standard_error.*error + 0.04 * theory);
    };
    expect_near(&Measurements::train, row.train);
    expect_near(&Measurements::test, row.test);
    expect_near(&Measurements::estimation, row.estimation);
  }
}

}  // namespace
}  // namespace attnlaw::experiment
