#include "attnlaw/experiment/feasibility.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/instances.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/train/gamp.h"
#include "attnlaw/experiment/train/lbfgs.h"
#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/model/spectral_start.h"

namespace attnlaw::experiment {
namespace {

using base::reject;
using model::Student;

/// The number of d×d double matrices held at once while training, for temporaries and measurements; where S is not
/// symmetric, LAPACK takes more for singular vectors.
constexpr double kStudentMatrices = 6;
constexpr double kGeneralStudentMatrices = 14;
/// The number of matrices of the size of the trained parameters, beside the pairs that L-BFGS keeps.
constexpr double kOtherMatrices = 6;
/// The number of d×d matrices of the coordinates of L-BFGS and what they are made from: tangents at two points, and
/// eigenvectors, slack and workspace of LAPACK, which are 2d×2d for two factors.
constexpr double kMetricMatrices = 12, kMetricMatricesOfTwo = 28;

void require_valid(const Options& options) {
  if (options.d < 1) reject("d must be an integer >= 1, got {}", options.d);
  base::require_instances(options.instances, options.threads);
  if (!std::isfinite(options.tolerance) || options.tolerance < 0) {
    reject("tolerance must be a finite number >= 0 (0: the default of the precision), got {}", options.tolerance);
  }
  if (options.max_iterations < 1) reject("max_iterations must be an integer >= 1, got {}", options.max_iterations);
  if (options.processes_here < 1) reject("processes_here must be an integer >= 1, got {}", options.processes_here);
}

/// Throws unless λ is a number: an experiment trains one student with one penalty.
void require_number_lambda(const model::Problem& problem) {
  if (problem.lambda_known()) return;
  reject("an experiment needs lambda to be a number > 0, got {}", model::lambda_text(problem));
}

std::string described(const model::Problem& problem) {
  if (problem.student == Student::tied && problem.width < 1) return fmt::format("tied of width {}", problem.width);
  if (problem.custom_penalty) return fmt::format("{} with a custom penalty", model::name(problem.student));
  if (problem.custom_loss) return fmt::format("{} with a custom loss", model::name(problem.student));
  return model::name(problem.student);
}

/// Output sequences are compared by the square loss alone, of whole rows of softmax attention.
void require_sequences(const model::Problem& problem, const Options& options) {
  const bool rows = problem.head == model::Head::softmax && problem.readout == model::Readout::rows;
  if (rows && problem.labels == model::Labels::soft && problem.loss == model::Loss::square && !problem.custom_loss &&
      options.trainer != Trainer::gamp)
    return;
  reject(
      "outputs sequences is trained with head softmax, readout rows, labels soft and loss square, by the trainers "
      "lbfgs, adam and fista; got head {}, readout {}, labels {}, loss {}, trainer {}",
      name(problem.head), name(problem.readout), name(problem.labels),
      problem.custom_loss ? "custom" : name(problem.loss), name(options.trainer));
}

void require_served(const model::Problem& problem, const Options& options) {
  if (problem.head == model::Head::hardmax) {
    reject("head hardmax has no experiment; accepted: softmax and linear, got student {} with head hardmax",
           model::name(problem.student));
  }
  if (options.initialisation == Initialisation::spectral && !model::has_spectral_start(problem))
    reject(
        "a spectral start is there for self-attention with readout rows and labels soft, and for the students tied, "
        "direct, direct-general and bayes; got attention {}, readout {}, labels {}, student {}",
        name(problem.attention), name(problem.readout), name(problem.labels), name(problem.student));
  if (options.outputs == Outputs::sequences) require_sequences(problem, options);
  if (options.trainer != Trainer::adam && (options.rate > 0 || options.stop_change > 0))
    reject("rate and stop_change are options of the trainer adam, got trainer {}", name(options.trainer));
  if (options.stop_change > 0 && options.tolerance > 0)
    reject("stop_change ends training by the change of a step, and tolerance by the residual; got both, {} and {}",
           options.stop_change, options.tolerance);
  const std::vector<Trainer> accepted = trainers_for(problem);
  if (std::find(accepted.begin(), accepted.end(), options.trainer) != accepted.end()) return;
  std::vector<std::string> names;
  for (const Trainer trainer : accepted) names.push_back(name(trainer));
  reject("trainer {} does not serve student {}; accepted: {}", name(options.trainer), described(problem),
         fmt::join(names, ", "));
}

/// Returns the number of processes among which the sequences are divided.
int processes(const Options& options) { return options.communicator ? options.communicator->size() : 1; }

/// Returns the bytes of a sum over processes: the message, and two buffers that pass it on.
double message_bytes(const Options& options) {
  const double d = options.d;
  return processes(options) > 1 ? 3 * d * d * sizeof(double) : 0;
}

/// Returns the bytes of optimiser state and temporaries.
double trainer_bytes(const model::Problem& problem, const Options& options) {
  const double d = options.d;
  const bool factors = problem.student == Student::untied && options.trainer != Trainer::fista;
  const bool tied = problem.student == Student::tied;
  const double width = factors ? 2 : tied ? std::min(1.0, problem.width) : 1;
  const bool lbfgs = options.trainer == Trainer::lbfgs;
  const double pairs = lbfgs ? lbfgs_memory(problem) : 0;
  const double metric = !lbfgs ? 0 : factors ? kMetricMatricesOfTwo : tied ? kMetricMatrices : 0;
  const double students = student_layout(problem).symmetric ? kStudentMatrices : kGeneralStudentMatrices;
  const double start = options.initialisation == Initialisation::spectral ? 1 : 0;
  const double messages = options.trainer == Trainer::gamp ? gamp_bytes(problem, options.d) / processes(options) : 0;
  return (students + start + metric + width * (2 * pairs + kOtherMatrices)) * d * d * sizeof(double) + messages +
         message_bytes(options);
}

}  // namespace

std::vector<Trainer> trainers_for(const model::Problem& problem) {
  if (!problem.penalised()) return {Trainer::gamp};
  if (problem.custom_penalty) return {Trainer::fista};
  if (problem.width < 1) return {Trainer::lbfgs, Trainer::adam};
  if (problem.soft_threshold() && !problem.custom_loss)
    return {Trainer::lbfgs, Trainer::adam, Trainer::fista, Trainer::gamp};
  return {Trainer::lbfgs, Trainer::adam, Trainer::fista};
}

Threads share_threads(const Options& options) {
  const int threads = base::thread_count(options.threads);
  // Processes that train together must take the instances in the same order, so one at a time.
  if (options.communicator) return {1, threads};
  const int instances = std::min(threads, options.instances);
  return {instances, std::max(1, threads / instances)};
}

double tolerance_of(const model::Problem& problem, const Options& options) {
  if (options.tolerance > 0) return options.tolerance;
  return default_tolerance(options.precision, problem.penalised() ? problem.lambda : 1);
}

double default_tolerance(Precision precision, double lambda) {
  constexpr double kDouble = 1e-5, kSingle = 2e-4, kSingleRounding = 1e-6;
  // A residual of the order of the penalty itself says that nothing was trained.
  constexpr double kUntrained = 0.1;
  return precision == Precision::double_ ? kDouble : std::clamp(kSingleRounding / lambda, kSingle, kUntrained);
}

std::uint64_t bytes_needed(const model::Problem& problem, const Options& options) {
  // The sum is in double, which cannot overflow: the answer matters most where it is absurd.
  const std::size_t real = options.precision == Precision::single_ ? sizeof(float) : sizeof(double);
  const double d = options.d, rows = problem.tokens + (problem.cross() ? problem.key_tokens : 0),
               products = options.outputs == Outputs::sequences ? problem.keys() * (problem.keys() + 1) / 2 : 0,
               per_sequence = rows * d + label_count(problem) + products;
  const double sequences = std::ceil(wanted_sequences(problem, options.d) / processes(options));
  const double training = sequences * per_sequence * static_cast<double>(real) +
                          data_pass_bytes(problem, options.d, real) + trainer_bytes(problem, options);
  // The target is drawn before the data, and its workspace is then free again.
  const double one_instance = std::max(training, problem.target.bytes_needed(static_cast<std::size_t>(options.d)));
  const double all = std::ceil(one_instance * share_threads(options).instances);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return all < static_cast<double>(kMost) ? static_cast<std::uint64_t>(all) : kMost;
}

void require_feasible(const model::Problem& problem, const Options& options) {
  problem.validate();
  if (problem.custom_loss) require_consistent(problem);
  if (problem.custom_penalty) require_consistent(*problem.custom_penalty, has_negative_eigenvalues(problem));
  require_valid(options);
  require_number_lambda(problem);
  require_served(problem, options);
  factor_columns(problem, options.d);
  problem.target.require_dimension(static_cast<std::size_t>(options.d));
  const Threads threads = share_threads(options);
  base::require_memory(
      static_cast<double>(bytes_needed(problem, options)) + base::thread_bytes(threads.instances * threads.inside),
      fmt::format("an experiment with d = {}, alpha = {} and {} instances at a time", options.d, problem.alpha,
                  threads.instances),
      "a smaller d, fewer threads, or the precision single",
      base::memory_limit() / static_cast<std::uint64_t>(options.processes_here));
  const std::int64_t n = sequence_count(problem, options.d);
  if (n < processes(options))
    reject("{} processes cannot divide {} sequences: alpha d^2 must be at least 1 for each", processes(options), n);
}

}  // namespace attnlaw::experiment
