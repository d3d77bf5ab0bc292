#include "attnlaw/laws/in_context/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/index.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/normal.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/laws/in_context/singular_values.h"
#include "attnlaw/matrix_laws/kolmogorov.h"

namespace attnlaw::laws {
namespace {

using base::index;
using base::reject;
using base::Stream;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// So many sequences are drawn at a time.
constexpr std::size_t kBlock = 256;

/// What all instances share.
struct Setup {
  InContextModel model;  ///< of the sizes
  std::size_t d, length, sequences;
  std::optional<std::size_t> tasks;
  std::size_t test_length;
  InContextSolver solver;
  int at_a_time;                                    ///< instances
  int threads;                                      ///< of each
  std::vector<double> covariance, test_covariance;  ///< by coordinates
};

/// Returns round(ratio·unit). Throws unless it lies between 1 and 1e9.
std::size_t count_of(const char* name, double ratio, double unit) {
  constexpr double kMost = 1e9;
  const double count = std::round(ratio * unit);
  if (!(count >= 1 && count <= kMost))
    reject("an experiment needs from 1 to 1e9 {}, got {:.6g} = {:.6g} x {:.6g}", name, count, ratio, unit);
  return static_cast<std::size_t>(count);
}

/// Returns the index of the eigenvalue that every coordinate has, in shares of their weights.
std::vector<std::size_t> assignment(const std::vector<double>& weights, std::size_t d) {
  std::vector<std::size_t> result;
  std::size_t at = 0;
  double below = weights.front();
  for (std::size_t a = 0; a < d; ++a) {
    const double level = (static_cast<double>(a) + 0.5) / static_cast<double>(d);
    while (level > below && at + 1 < weights.size()) below += weights[++at];
    result.push_back(at);
  }
  return result;
}

/// Sets the eigenvalues of the coordinates, those of the test in the same eigenspaces.
void set_covariances(Setup& setup) {
  const TaskCovariance& training = setup.model.covariance;
  const TaskCovariance& test = setup.model.covariance_of_test();
  // The one with eigenspaces, if there is one: both are paired with it.
  const TaskCovariance& law = training.values.size() == 1 ? test : training;
  const std::vector<double> values = paired_values(law, training), test_values = paired_values(law, test);
  for (const std::size_t place : assignment(law.weights, setup.d)) {
    setup.covariance.push_back(values[place]);
    setup.test_covariance.push_back(test_values[place]);
  }
  // Experiments with another covariance than that of the law would be compared with something else: traces of C, C² and
  // C C_te are what it enters by.
  double square = 0, mixed = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    square += law.weights[j] * values[j] * values[j];
    mixed += law.weights[j] * values[j] * test_values[j];
  }
  const auto mean_product = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / static_cast<double>(setup.d);
  };
  const auto require_alike = [&](const TaskCovariance& covariance, const char* figure, double drawn, double exact) {
    constexpr double kMostDeviation = 0.1;
    if (!(std::abs(drawn - exact) <= kMostDeviation * exact))
      reject(
          "'{}' cannot be the covariance of tasks in {} directions: {} would be {:.4g} instead of {:.4g}, and a tenth "
          "is accepted; take another d",
          covariance.spec, setup.d, figure, drawn, exact);
  };
  require_alike(training, "the mean of its eigenvalues", base::mean_of(setup.covariance), training.mean());
  require_alike(test, "the mean of its eigenvalues", base::mean_of(setup.test_covariance), test.mean());
  require_alike(training, "the mean of their squares", mean_product(setup.covariance, setup.covariance), square);
  require_alike(test, "their mean product with those of training",
                mean_product(setup.covariance, setup.test_covariance), mixed);
}

/// Returns the bytes of the sequences of an instance and of their tasks.
double sequence_bytes(const Setup& setup) {
  constexpr double kCopies = 2;  // of what products take transposed or weighted
  const double d = static_cast<double>(setup.d), n = static_cast<double>(setup.sequences);
  const double tasks = static_cast<double>(setup.tasks.value_or(setup.sequences));
  return kCopies * (n * (2 * d + 2) + tasks * d) * sizeof(double);
}

/// Chooses solver and how many instances run at a time: fewer than threads where memory is short.
void plan(Setup& setup, const InContextExperimentOptions& options) {
  const double d = static_cast<double>(setup.d), n = static_cast<double>(setup.sequences);
  const double limit = static_cast<double>(base::memory_limit()), drawn = sequence_bytes(setup);
  const int threads = base::thread_count(options.threads);
  setup.solver = chosen_solver(options.solver, {d, n, setup.model.lambda}, threads, limit - drawn);
  const auto bytes = [&](int at_a_time) {
    const int each = std::max(1, threads / at_a_time);
    return at_a_time * (solver_bytes(setup.solver, d, n, each) + drawn);
  };
  setup.at_a_time = base::instances_at_a_time(options.instances, options.threads);
  while (setup.at_a_time > 1 && bytes(setup.at_a_time) > limit) --setup.at_a_time;
  setup.threads = std::max(1, threads / setup.at_a_time);
  base::require_memory(
      bytes(setup.at_a_time),
      fmt::format("an experiment of in-context regression with d = {} and {} sequences", setup.d, setup.sequences),
      options.solver == InContextSolver::automatic ? "a smaller d or fewer sequences"
                                                   : "a smaller d, or --solver iterative");
}

Setup prepare(const InContextModel& model, const InContextExperimentOptions& options) {
  require_valid(model);
  if (options.d < 2 || options.d >= base::kStreamDimensions)
    reject("d must be an integer >= 2 and < {}, got {}", base::kStreamDimensions, options.d);
  base::require_instances(options.instances, options.threads);
  const double d = static_cast<double>(options.d);
  Setup setup{};
  setup.model = model;
  setup.d = options.d;
  setup.length = count_of("tokens of a context", model.context, d);
  setup.test_length = count_of("tokens of a test context", model.context_of_test(), d);
  setup.sequences = count_of("sequences", model.sequences, d * d);
  if (std::isfinite(model.tasks)) setup.tasks = count_of("tasks", model.tasks, d);
  if (setup.tasks && *setup.tasks > setup.sequences)
    reject(
        "an experiment needs a sequence for every task, got {} tasks and {} sequences (tasks = inf: a new task each)",
        *setup.tasks, setup.sequences);
  setup.model.context = static_cast<double>(setup.length) / d;
  if (model.test_context) setup.model.test_context = static_cast<double>(setup.test_length) / d;
  setup.model.sequences = static_cast<double>(setup.sequences) / (d * d);
  if (setup.tasks) setup.model.tasks = static_cast<double>(*setup.tasks) / d;
  if (model.lambda == 0) setup.model.lambda = kRidgelessPenalty;
  set_covariances(setup);
  plan(setup, options);
  return setup;
}

/// Draws tasks, one per row: on the sphere for C = I, Gaussian otherwise.
Matrix draw_tasks(const Setup& setup, std::uint64_t seed, std::uint64_t instance) {
  const std::size_t count = setup.tasks.value_or(setup.sequences);
  Matrix tasks(index(count), index(setup.d));
  base::NormalStream(seed, base::stream_id(Stream::in_context_tasks, setup.d, instance)).fill(0, base::entries(tasks));
  if (setup.model.covariance.isotropic()) {
    const double radius = std::sqrt(static_cast<double>(setup.d));
    for (Index i = 0; i < tasks.rows(); ++i) tasks.row(i) *= radius / tasks.row(i).norm();
  } else {
    const Eigen::Map<const Eigen::ArrayXd> variances(setup.covariance.data(), index(setup.d));
    tasks = tasks * variances.sqrt().matrix().asDiagonal();
  }
  return tasks;
}

/// Returns the moments of training, and of new tasks.
FiniteInContext finite_model(const Setup& setup, const Matrix& tasks) {
  const InContextModel& model = setup.model;
  const double length = static_cast<double>(setup.length), test_length = static_cast<double>(setup.test_length);
  const auto law = [](const std::vector<double>& covariance, const TaskCovariance& spec, double tokens, double noise) {
    return moments_of_law(covariance, spec.isotropic(), tokens, noise);
  };
  return {setup.tasks ? moments_of_tasks(tasks, length, model.noise)
                      : law(setup.covariance, model.covariance, length, model.noise),
          law(setup.test_covariance, model.covariance_of_test(), test_length, model.noise_of_test()),
          static_cast<double>(setup.sequences), model.lambda};
}

InContextInstance run_instance(const Setup& setup, std::uint64_t seed, std::uint64_t instance) {
  const Matrix tasks = draw_tasks(setup, seed, instance);
  const FiniteInContext finite = finite_model(setup, tasks);
  const InContextModel& model = setup.model;
  const TrainedLayer layer =
      train_layer(draw_sequences(tasks, setup.sequences, setup.length, model.noise, seed, instance, setup.threads),
                  model.lambda, setup.solver, setup.threads);
  InContextInstance result;
  result.seed = instance;
  result.theory = predict_finite_size(finite);
  Matrix square = layer.gamma.leftCols(layer.gamma.rows());
  const double d = static_cast<double>(setup.d);
  result.measured = {finite.test.error(layer.gamma), finite.training.error(layer.gamma), layer.train,
                     square.trace() / d, square.squaredNorm() / d};
  result.singular_values = base::singular_values(base::entries(square), setup.d, setup.d);
  result.iterations = layer.iterations;
  result.converged = layer.converged;
  return result;
}

constexpr double InContextMeasured::*kFigures[] = {&InContextMeasured::new_tasks, &InContextMeasured::training_tasks,
                                                   &InContextMeasured::train, &InContextMeasured::trace,
                                                   &InContextMeasured::squared_norm};

void summarise(InContextExperiment& experiment) {
  for (const auto figure : kFigures) {
    const auto estimate = [&](const auto& of) { return base::estimate_over(experiment.instances, of); };
    const base::Estimate measured = estimate([=](const InContextInstance& i) { return i.measured.*figure; });
    const base::Estimate difference =
        estimate([=](const InContextInstance& i) { return i.measured.*figure / (i.theory.*figure) - 1; });
    experiment.mean.*figure = measured.value;
    experiment.standard_error.*figure = measured.standard_error;
    experiment.theory.*figure = estimate([=](const InContextInstance& i) { return i.theory.*figure; }).value;
    experiment.difference.*figure = difference.value;
    experiment.difference_error.*figure = difference.standard_error;
  }
}

/// Measures how far singular values are from their law, where there is one.
void measure_distance(InContextExperiment& experiment) {
  const auto law = SingularValueLaw::of(predict_in_context(experiment.model));
  if (!law) return;
  experiment.kolmogorov_distance = base::estimate_over(experiment.instances, [&](const InContextInstance& instance) {
    const std::vector<double> ascending(instance.singular_values.rbegin(), instance.singular_values.rend());
    return matrix_laws::kolmogorov_distance(
        ascending, [&](double x) { return law->cdf(x); }, 0);
  });
}

/// Returns a of the line a + b/d through figures with their standard errors, by least squares with weights
/// (instances)·d².
template <class Figure>
base::Estimate line_at_infinity(const std::vector<InContextExperiment>& experiments, const Figure& figure) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0, scatter = 0, freedom = 0;
  for (const InContextExperiment& experiment : experiments) {
    const double d = static_cast<double>(experiment.d), layers = static_cast<double>(experiment.instances.size());
    const auto [y, error] = figure(experiment);
    const double weight = layers * d * d, x = 1 / d;
    w += weight, wx += weight * x, wxx += weight * x * x, wy += weight * y, wxy += weight * x * y;
    scatter += (layers - 1) * weight * error * error;
    freedom += layers - 1;
  }
  const double determinant = w * wxx - wx * wx;
  return {(wxx * wy - wx * wxy) / determinant, std::sqrt(wxx / determinant * scatter / freedom)};
}

}  // namespace

InContextSequences draw_sequences(const Matrix& tasks, std::size_t sequences, std::size_t length, double noise,
                                  std::uint64_t seed, std::uint64_t instance, int threads) {
  const std::size_t d = static_cast<std::size_t>(tasks.cols()), stride = 2 * d + 2;
  const double dimension = static_cast<double>(d), tokens = static_cast<double>(length);
  InContextSequences result{Matrix(index(sequences), tasks.cols()), Matrix(index(sequences), tasks.cols() + 1),
                            std::vector<double>(sequences)};
  const base::NormalStream stream(seed, base::stream_id(Stream::in_context_sequences, d, instance));
  const auto draw = [&](std::size_t sequence, const double* normal) {
    const auto task = tasks.row(index(sequence) % tasks.rows());
    const Eigen::Map<const Eigen::RowVectorXd> query(normal, index(d)), free(normal + d, index(d));
    const double norm2 = task.squaredNorm(), label_variance = norm2 / dimension + noise;
    const double square = label_variance * base::chi_square_at(tokens, normal[2 * d + 1]);  // Σ y_i²
    // Given the labels, tokens are free but for their part along the task, of which they leave ρ/(c + ρ).
    const double along = norm2 > 0 ? (1 - std::sqrt(noise / label_variance)) * task.dot(free) / norm2 : 0;
    auto context = result.context.row(index(sequence));
    context.head(index(d)) =
        square / (tokens * label_variance) * task + std::sqrt(square * dimension) / tokens * (free - along * task);
    context[index(d)] = square / tokens;
    result.query.row(index(sequence)) = query / std::sqrt(dimension);
    result.label[sequence] = task.dot(query) / std::sqrt(dimension) + std::sqrt(noise) * normal[2 * d];
  };
  base::parallel_for((sequences + kBlock - 1) / kBlock, threads, [&](std::size_t block) {
    std::vector<double> normal(stride);
    for (std::size_t i = block * kBlock; i < std::min(sequences, (block + 1) * kBlock); ++i) {
      stream.fill(i * stride, normal);
      draw(i, normal.data());
    }
  });
  return result;
}

bool InContextExperiment::converged() const {
  return std::all_of(instances.begin(), instances.end(), [](const auto& instance) { return instance.converged; });
}

std::vector<double> InContextExperiment::singular_values() const {
  std::vector<double> all;
  for (const InContextInstance& instance : instances)
    all.insert(all.end(), instance.singular_values.begin(), instance.singular_values.end());
  std::sort(all.begin(), all.end());
  return all;
}

void require_feasible(const InContextModel& model, const InContextExperimentOptions& options) {
  prepare(model, options);
}

InContextExperiment simulate_in_context(const InContextModel& model, const InContextExperimentOptions& options) {
  const Setup setup = prepare(model, options);
  InContextExperiment experiment;
  experiment.d = setup.d;
  experiment.length = setup.length;
  experiment.sequences = setup.sequences;
  experiment.tasks = setup.tasks;
  experiment.solver = setup.solver;
  experiment.model = setup.model;
  experiment.instances = base::run_instances(
      options.instances, setup.at_a_time, [&](std::size_t i) { return run_instance(setup, options.seed, i); },
      options.progress);
  summarise(experiment);
  measure_distance(experiment);
  return experiment;
}

InContextExtrapolation extrapolate(const std::vector<InContextExperiment>& experiments) {
  const bool scattered = std::all_of(experiments.begin(), experiments.end(),
                                     [](const auto& experiment) { return experiment.instances.size() >= 2; });
  if (experiments.size() < 2 || !scattered)
    reject("several d are extrapolated to 1/d -> 0, which takes two or more d and two instances, got {} d",
           experiments.size());
  const auto limit = [&](const InContextMeasured InContextExperiment::*values,
                         const InContextMeasured InContextExperiment::*errors) {
    const auto of = [&](double InContextMeasured::*figure) {
      return line_at_infinity(experiments, [&](const InContextExperiment& experiment) {
        return base::Estimate{experiment.*values.*figure, experiment.*errors.*figure};
      });
    };
    return InContextLimit{of(&InContextMeasured::new_tasks), of(&InContextMeasured::training_tasks),
                          of(&InContextMeasured::train), of(&InContextMeasured::trace),
                          of(&InContextMeasured::squared_norm)};
  };
  return {limit(&InContextExperiment::difference, &InContextExperiment::difference_error),
          limit(&InContextExperiment::mean, &InContextExperiment::standard_error)};
}

}  // namespace attnlaw::laws
