#include "attnlaw/study/run/cost.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <tuple>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/study/run/memory_gate.h"

namespace attnlaw::study {
namespace {

using experiment::Trainer;
using model::Head;
using model::LambdaRule;
using model::Problem;
using model::Student;

// ---- the reference -------------------------------------------------------------------------------------------------
// Seconds of one thread of the machine of docs/performance.md: right to a factor of two or three. What they
// miss, calibration finds.

/// A fixed point over quasi-random points: their number grows as the accuracy shrinks, and a point costs a Newton solve
/// in K unknowns (two for T = 2; those of one row with cross-attention), for each label that is summed over.
double softmax_seconds(const Problem& problem, double accuracy) {
  constexpr double kSampledMatrices = 7;
  const int T = problem.keys();
  const double points = std::pow(1e-3 / accuracy, 0.85), K = problem.cross() ? T : problem.score_count();
  const double solves = T == 2 ? 1 : 10 * std::pow(K / 6, 2);
  const double labels = problem.labels == model::Labels::sampled ? std::pow(T, problem.cross() ? 1 : T) : 1;
  return 0.05 * points * solves * labels * (problem.two_sectors() ? 7 : 1) +
         (problem.untied_self() ? kSampledMatrices : 0);
}

/// A spectral law for each evaluation of the map: a cubic per node, or a sum over the atoms.
double law_seconds(const Problem& problem, double atoms) {
  const double one = atoms > 0 ? 1e-3 + 4.5e-5 * atoms : 2e-3;
  return problem.penalised() ? one : 5 * one;
}

double theory_seconds(const Problem& problem, double accuracy, double atoms) {
  const bool sampled = problem.head == Head::softmax && problem.penalised();
  const double one = law_seconds(problem, atoms) + (sampled ? softmax_seconds(problem, accuracy) : 0);
  constexpr double kSolvesOfASearch = 15;  ///< for λ = optimal
  return problem.lambda_rule == LambdaRule::optimal ? kSolvesOfASearch * one : one;
}

double atoms_of(const Problem& problem) {
  const auto* discrete = problem.target.spectrum().discrete();
  return discrete ? static_cast<double>(discrete->atoms.size()) : 0;
}

/// Iterations to the default tolerance at moderate λ.
double usual_iterations(const experiment::Options& options) {
  const auto is = [&](Trainer trainer) { return options.trainer == trainer; };
  const double usual = is(Trainer::adam) ? 320 : is(Trainer::fista) ? 60 : is(Trainer::gamp) ? 40 : 45;
  return std::min(usual, static_cast<double>(options.max_iterations));
}

/// Floating-point operations of training and test, at the rate that products of this d reach, random numbers of the
/// data, proximal problems of gamp, and the theory of the instance's own target.
double experiment_seconds(const Task& task, double iterations) {
  const Problem& problem = task.problem;
  const experiment::Options& options = task.experiment;
  const double d = options.d, T = problem.tokens, K = problem.score_count();
  const double sequences = problem.alpha * d * d, test_sequences = 25 * d * d;
  const double passes = options.trainer == Trainer::fista ? 2 : 1;
  const double operations = 4 * iterations * passes * sequences * T * d * d + 2 * test_sequences * T * d * d;
  const double rate = 9e10 * d / (d + 60) * (options.precision == experiment::Precision::double_ ? 0.5 : 1);
  const double drawn = 5e-9 * (sequences + test_sequences) * T * d;
  const double proximal = problem.head == Head::softmax && options.trainer == Trainer::gamp
                              ? 1.2e-5 * std::pow(K / 3, 2) * iterations * sequences
                              : 0;
  return operations / rate + drawn + proximal + theory_seconds(with_some_lambda(problem), task.accuracy, d);
}

/// A theory for every n; of the modes, those that are recovered cost most, which are few where there are many.
double scaling_seconds(const Task& task) {
  return 4e-3 * std::pow(atoms_of(task.problem) / 200, 0.7) * static_cast<double>(task.n.size());
}

/// The cost of a task whose experiment takes so many iterations.
double reference_seconds(const Task& task, double iterations) {
  constexpr double kThresholds = 1e-3, kSolvesOfDetachment = 22;
  constexpr double kWarmStart = 0.6;  ///< its share of the work without one
  switch (task.kind) {
    case TaskKind::experiment:
      return experiment_seconds(task, iterations);
    case TaskKind::thresholds:
      return kThresholds + (task.detachment ? kSolvesOfDetachment *
                                                  theory_seconds(task.problem, task.accuracy, atoms_of(task.problem))
                                            : 0);
    case TaskKind::scaling:
      return scaling_seconds(task);
    case TaskKind::theory:
      break;
  }
  return theory_seconds(task.problem, task.accuracy, atoms_of(task.problem)) * (task.continued ? kWarmStart : 1);
}

// ---- samples -------------------------------------------------------------------------------------------------------

/// The time of this thread, so that other work on the machine does not count.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// A target of the same kind that an instance of this d can have.
model::Target resized(const Problem& problem, int d) {
  const model::Target& target = problem.target;
  if (!target.spectrum().discrete()) return target;
  if (const auto* law = target.power_law()) {
    const auto cutoff = static_cast<int>(law->cutoff) * d / static_cast<int>(law->dimension);
    return model::Target::parse("powerlaw:" + std::to_string(law->gamma) + "," + std::to_string(d) + "," +
                                std::to_string(std::max(1, cutoff)));
  }
  return problem.cross() ? model::Target::parse("product:0.5") : model::Target();
}

bool is_feasible(const Task& task) {
  try {
    experiment::require_feasible(with_some_lambda(task.problem), task.experiment);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// The experiment at the largest of a few small d that takes about `seconds` at most.
Task small_experiment(const Task& task, double seconds) {
  Task small = task;
  for (const int d : {60, 40, 30, 20, 12}) {
    if (d > task.experiment.d) continue;
    small.experiment.d = d;
    if (d < task.experiment.d) small.problem.target = resized(task.problem, d);
    if (is_feasible(small) && reference_seconds(small, usual_iterations(small.experiment)) <= seconds) break;
  }
  return small;
}

/// A task like this one that takes about `seconds` at most, as far as can be told.
Task cheaper(const Task& task, double seconds) {
  constexpr double kCoarsest = 0.1;
  Task result = task;
  if (task.kind == TaskKind::experiment) result = small_experiment(task, seconds);
  const auto too_long = [&] { return estimated_seconds(result) > seconds; };
  while (task.kind == TaskKind::scaling && result.n.size() > 3 && too_long())
    result.n.resize(std::max<std::size_t>(3, result.n.size() / 2));
  while (result.kind != TaskKind::scaling && result.accuracy < kCoarsest && too_long())
    result.accuracy = std::min(kCoarsest, 2 * result.accuracy);
  return result;
}

/// The facts that one sample tells about the tasks around it.
struct Sample {
  double position = 0;    ///< in its group
  double speed = 1;       ///< seconds in those of the reference
  double iterations = 0;  ///< those of an experiment
};

/// Tasks that cost alike.
struct Group {
  std::vector<std::size_t> tasks;
  std::vector<Sample> samples;  ///< ascending positions
};

/// Linear between samples, constant beyond them.
double interpolated(const std::vector<Sample>& samples, double position, double Sample::*field) {
  const auto next = std::lower_bound(samples.begin(), samples.end(), position,
                                     [](const Sample& sample, double at) { return sample.position < at; });
  if (next == samples.begin()) return (*next).*field;
  if (next == samples.end()) return samples.back().*field;
  const Sample& last = *(next - 1);
  const double share = (position - last.position) / (next->position - last.position);
  return (1 - share) * last.*field + share * (*next).*field;
}

class Calibration {
 public:
  Calibration(const Study& study, double budget)
      : study_(study), budget_(budget), begin_(processor_seconds()), groups_(groups_of(study)) {}

  void run() {
    base::use_one_blas_thread();
    // Ends and middle first, of all groups in turn: the budget may end at any time.
    for (const double share : {0.0, 1.0, 0.5, 0.25, 0.75}) {
      for (Group& group : groups_) {
        if (spent() > budget_) return;
        add_sample(group, share);
      }
    }
  }

  std::vector<Cost> costs() const {
    std::vector<Cost> result(study_.tasks.size());
    for (const Group& group : groups_)
      for (std::size_t i = 0; i < group.tasks.size(); ++i) {
        const Task& task = study_.tasks[group.tasks[i]].task;
        result[group.tasks[i]] = {seconds(group, static_cast<double>(i), task), MemoryGate::bytes_needed(task)};
      }
    return result;
  }

 private:
  static std::vector<Group> groups_of(const Study& study) {
    std::vector<std::size_t> part(study.tasks.size(), study.parts.size());
    for (std::size_t p = study.parts.size(); p-- > 0;)
      for (const PartEntry& entry : study.parts[p].entries) part[entry.task] = p;
    using Signature = std::tuple<std::size_t, TaskKind, Student, Head, std::string, model::Readout, model::Labels,
                                 model::Loss, LambdaRule, bool, Trainer>;
    std::map<Signature, Group> groups;
    for (std::size_t i = 0; i < study.tasks.size(); ++i) {
      const auto& [task, key, predecessor] = study.tasks[i];
      const Problem& problem = task.problem;
      groups[{part[i], task.kind, problem.student, problem.head, tokens_text(problem), problem.readout, problem.labels,
              problem.loss, problem.lambda_rule, task.continued, task.experiment.trainer}]
          .tasks.push_back(i);
    }
    std::vector<Group> result;
    for (auto& [signature, group] : groups) result.push_back(std::move(group));
    return result;
  }

  double spent() const { return processor_seconds() - begin_; }

  /// The time that one sample may take.
  double allowance() const {
    constexpr double kRounds = 5;
    return std::max(0.02, budget_ / kRounds / static_cast<double>(groups_.size()));
  }

  /// The outcome that a task follows, from a rough theory: its overlaps to start from, or its λ to train with.
  const Outcome* predecessor_of(std::size_t index) {
    const auto& predecessor = study_.tasks[index].predecessor;
    if (!predecessor) return nullptr;
    const auto [at, added] = predecessors_.try_emplace(*predecessor);
    if (added) {
      constexpr double kRough = 0.02;
      Task task = study_.tasks[*predecessor].task;
      task.continued = task.density = false;
      task.accuracy = std::max(task.accuracy, kRough);
      at->second = perform(task, nullptr, 1);
    }
    return &at->second;
  }

  void add_sample(Group& group, double share) {
    const double position = std::round(share * static_cast<double>(group.tasks.size() - 1));
    const auto same = [&](const Sample& sample) { return sample.position == position; };
    if (std::any_of(group.samples.begin(), group.samples.end(), same)) return;
    const std::size_t index = group.tasks[static_cast<std::size_t>(position)];
    const Task task = cheaper(study_.tasks[index].task, allowance());
    const Outcome* predecessor = predecessor_of(index);
    const double begin = processor_seconds();
    const Outcome outcome = perform(task, predecessor, 1);
    const double seconds = processor_seconds() - begin;
    if (outcome.status == Outcome::Status::failed) return;
    Sample sample{position, 1, usual_iterations(task.experiment)};
    if (task.kind == TaskKind::experiment) sample.iterations = outcome.figures.at("iterations");
    sample.speed = seconds / reference_seconds(task, sample.iterations);
    const auto next = std::find_if(group.samples.begin(), group.samples.end(),
                                   [&](const Sample& other) { return other.position > position; });
    group.samples.insert(next, sample);
  }

  double seconds(const Group& group, double position, const Task& task) const {
    if (group.samples.empty()) return mean_speed() * estimated_seconds(task);
    return interpolated(group.samples, position, &Sample::speed) *
           reference_seconds(task, interpolated(group.samples, position, &Sample::iterations));
  }

  /// The speed of this machine, for groups without a sample.
  double mean_speed() const {
    double sum = 0, count = 0;
    for (const Group& group : groups_)
      for (const Sample& sample : group.samples) sum += std::log(sample.speed), ++count;
    return count > 0 ? std::exp(sum / count) : 1;
  }

  const Study& study_;
  double budget_;
  double begin_;
  std::vector<Group> groups_;
  std::map<std::size_t, Outcome> predecessors_;
};

}  // namespace

double estimated_seconds(const Task& task) { return reference_seconds(task, usual_iterations(task.experiment)); }

std::vector<Cost> estimate_costs(const Study& study, double budget) {
  Calibration calibration(study, budget);
  calibration.run();
  return calibration.costs();
}

}  // namespace attnlaw::study
