#include "attnlaw/experiment/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <span>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/memory.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/experiment/adam.h"
#include "attnlaw/experiment/data.h"
#include "attnlaw/experiment/fista.h"
#include "attnlaw/experiment/lbfgs.h"
#include "attnlaw/experiment/objective.h"
#include "attnlaw/experiment/scores.h"

namespace attnlaw::experiment {
namespace {

using base::reject;

/// Test sequences per d². The loss of one sequence varies by about its mean, so the mean over 25 d² is known to
/// 0.2–0.3/d; from instance to instance the error itself varies by about 1.2/d (d = 60, α = 0.5). Sampling thus adds a
/// few percent to the variance, and the test costs as much as 50/α forward passes: a small part of training.
constexpr double kTestSequencesPerEntry = 25;

/// d×d double matrices held at once while training (optimiser state, temporaries), by trainer: L-BFGS keeps 10 pairs.
constexpr double kLbfgsMatrices = 32;
constexpr double kOtherMatrices = 12;

/// How threads are shared: instances at the same time, and threads inside each.
struct Threads {
  int instances = 1;
  int inside = 1;
};

Threads share(const Options& options) {
  const int threads = options.threads > 0 ? options.threads : base::available_threads();
  const int instances = std::min(threads, options.instances);
  return {instances, std::max(1, threads / instances)};
}

double tolerance(const Options& options, double lambda) {
  return options.tolerance > 0 ? options.tolerance : default_tolerance(options.precision, lambda);
}

void require_valid(const Options& options) {
  if (options.d < 1) reject("d must be an integer >= 1, got {}", options.d);
  if (options.instances < 1) reject("instances must be an integer >= 1, got {}", options.instances);
  if (options.threads < 0) reject("threads must be an integer >= 0 (0: all available), got {}", options.threads);
  if (!std::isfinite(options.tolerance) || options.tolerance < 0) {
    reject("tolerance must be a finite number >= 0 (0: the default of the precision), got {}", options.tolerance);
  }
  if (options.max_iterations < 1) reject("max_iterations must be an integer >= 1, got {}", options.max_iterations);
}

template <class Real>
Trained train(Objective<Real>& objective, const Options& options, std::uint64_t instance) {
  const TrainingOptions training{tolerance(options, objective.problem().lambda), options.max_iterations, options.seed,
                                 instance};
  switch (options.trainer) {
    case Trainer::adam:
      return train_adam(objective, training);
    case Trainer::fista:
      return train_fista(objective, training);
    case Trainer::lbfgs:
      break;
  }
  return train_lbfgs(objective, training);
}

/// q, m, Q*, estimation and the spectrum of S against S* = diag(target).
void measure_student(const Matrix<double>& S, Instance& result) {
  const auto d = static_cast<double>(S.rows());
  const Eigen::Map<const Eigen::VectorXd> target(result.target_eigenvalues.data(), S.rows());
  result.q = S.squaredNorm() / d;
  result.m = S.diagonal().dot(target) / d;
  result.Q_star = target.squaredNorm() / d;
  Matrix<double> difference = S;
  difference.diagonal() -= target;
  result.estimation = difference.squaredNorm() / d;
  Matrix<double> copy = S;
  const auto size = static_cast<std::size_t>(S.rows());
  result.eigenvalues = base::symmetric_eigenvalues(std::span(copy.data(), size * size), size);
  std::reverse(result.eigenvalues.begin(), result.eigenvalues.end());
}

template <class Real>
Trained train_on_data(const model::Problem& problem, const Options& options, int threads, Instance& result) {
  const Data<Real> data = draw_data<Real>(problem, result.target_eigenvalues, options.seed, result.seed);
  Objective<Real> objective(problem, data, threads);
  Trained trained = train(objective, options, result.seed);
  const double d = options.d, loss = objective.loss(trained.S);
  result.train = loss * d * d / static_cast<double>(sequence_count(problem, options.d));
  result.objective = loss + problem.lambda * trained.S.trace() / d;
  return trained;
}

template <class Real>
Instance run_instance(const model::Problem& problem, const Options& options, int threads, std::uint64_t instance) {
  const auto start = std::chrono::steady_clock::now();
  Instance result;
  result.seed = instance;
  result.target_eigenvalues = problem.target.eigenvalues(static_cast<std::size_t>(options.d), options.seed, instance);
  const Trained trained = train_on_data<Real>(problem, options, threads, result);
  result.kkt = trained.kkt;
  result.iterations = trained.iterations;
  result.converged = trained.converged;
  measure_student(trained.S, result);
  const double test_sequences = std::ceil(kTestSequencesPerEntry * options.d * options.d);
  result.test = test_error<Real>(problem, result.target_eigenvalues, trained.S,
                                 static_cast<std::int64_t>(test_sequences), options.seed, instance, threads);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Mean and standard error of one quantity over the instances.
void average(const std::vector<Instance>& instances, double Measurements::*quantity, Experiment& experiment) {
  const auto count = static_cast<double>(instances.size());
  double sum = 0, squares = 0;
  for (const Instance& instance : instances) sum += instance.*quantity;
  const double mean = sum / count;
  for (const Instance& instance : instances) squares += (instance.*quantity - mean) * (instance.*quantity - mean);
  experiment.mean.*quantity = mean;
  experiment.standard_error.*quantity =
      instances.size() > 1 ? std::sqrt(squares / (count - 1) / count) : std::numeric_limits<double>::quiet_NaN();
}

void average_all(Experiment& experiment) {
  using M = Measurements;
  for (double M::*quantity : {&M::q, &M::m, &M::Q_star, &M::train, &M::test, &M::estimation, &M::objective, &M::kkt,
                              &M::iterations, &M::seconds}) {
    average(experiment.instances, quantity, experiment);
  }
}

}  // namespace

double default_tolerance(Precision precision, double lambda) {
  constexpr double kDouble = 1e-5, kSingle = 2e-4, kSingleRounding = 1e-6;
  return precision == Precision::double_ ? kDouble : std::max(kSingle, kSingleRounding / lambda);
}

bool Experiment::converged() const {
  return std::all_of(instances.begin(), instances.end(), [](const Instance& instance) { return instance.converged; });
}

std::uint64_t bytes_needed(const model::Problem& problem, const Options& options) {
  // In double, which cannot overflow: the answer matters most where it is absurd.
  const std::size_t real = options.precision == Precision::single_ ? sizeof(float) : sizeof(double);
  const double d = options.d, per_sequence = problem.tokens * d + output_count(problem);
  const double matrices = options.trainer == Trainer::lbfgs ? kLbfgsMatrices : kOtherMatrices;
  const double training = wanted_sequences(problem, options.d) * per_sequence * static_cast<double>(real) +
                          objective_bytes(problem, options.d, real) + matrices * d * d * sizeof(double);
  // The target is drawn before the data.
  const double one_instance = std::max(training, problem.target.bytes_needed(static_cast<std::size_t>(options.d)));
  const double all = std::ceil(one_instance * share(options).instances);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return all < static_cast<double>(kMost) ? static_cast<std::uint64_t>(all) : kMost;
}

void require_feasible(const model::Problem& problem, const Options& options) {
  problem.validate();
  require_valid(options);
  problem.target.require_dimension(static_cast<std::size_t>(options.d));
  const std::uint64_t needed = bytes_needed(problem, options), available = base::memory_limit();
  if (needed > available) {
    throw MemoryError(
        fmt::format("an experiment with d = {}, alpha = {} and {} instances at a time needs {} bytes of memory, this "
                    "process may use {}; choose a smaller d, fewer threads, or the precision single",
                    options.d, problem.alpha, share(options).instances, needed, available));
  }
  sequence_count(problem, options.d);
}

Experiment run(const model::Problem& problem, const Options& options) {
  require_feasible(problem, options);
  base::use_one_blas_thread();
  Experiment experiment{problem, options.d, sequence_count(problem, options.d), {}, {}, {}};
  experiment.instances.resize(static_cast<std::size_t>(options.instances));
  const Threads threads = share(options);
  std::mutex progress_mutex;
  int done = 0;
  base::parallel_for(experiment.instances.size(), threads.instances, [&](std::size_t i) {
    experiment.instances[i] = options.precision == Precision::single_
                                  ? run_instance<float>(problem, options, threads.inside, i)
                                  : run_instance<double>(problem, options, threads.inside, i);
    const std::lock_guard lock(progress_mutex);
    ++done;
    if (options.progress) options.progress(done, options.instances);
  });
  average_all(experiment);
  return experiment;
}

std::string name(Trainer trainer) {
  switch (trainer) {
    case Trainer::adam:
      return "adam";
    case Trainer::fista:
      return "fista";
    case Trainer::lbfgs:
      break;
  }
  return "lbfgs";
}

Trainer trainer_from_name(const std::string& name) {
  if (name == "lbfgs") return Trainer::lbfgs;
  if (name == "adam") return Trainer::adam;
  if (name == "fista") return Trainer::fista;
  reject("trainer must be lbfgs, adam or fista, got '{}'", name);
}

std::string name(Precision precision) { return precision == Precision::single_ ? "single" : "double"; }

Precision precision_from_name(const std::string& name) {
  if (name == "single") return Precision::single_;
  if (name == "double") return Precision::double_;
  reject("precision must be single or double, got '{}'", name);
}

}  // namespace attnlaw::experiment
