#pragma once
/// The unit of a study: one thing to compute, what came out of it, and the key it is stored under.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::study {

enum class TaskKind {
  theory,      ///< theory::solve
  experiment,  ///< one instance at one d, with the theory of its own target
  thresholds,  ///< study::thresholds
  scaling      ///< theory::scaling_curve over Task::n
};

struct Task {
  TaskKind kind = TaskKind::theory;
  model::Problem problem;  ///< λ may be a rule; an experiment takes the number that its predecessor found
  double accuracy = 1e-3;  ///< accuracy of the theory, whatever the kind
  /// theory: starts from the overlaps of its predecessor instead of the uninformed start.
  bool continued = false;
  /// theory: with the density of the trained spectrum (arrays `s`, `density`).
  bool density = false;
  /// experiment: d, trainer, initialisation, precision, seed, tolerance, max_iterations, first_instance. One instance;
  /// threads and progress are not part of the task.
  experiment::Options experiment;
  std::vector<double> n;  ///< scaling: numbers of sequences at d = D, ascending
};

/// A named array of a result, e.g. `eigenvalues`.
struct Array {
  std::string name;
  std::vector<double> values;
};

/// The result of a task. Everything but `seconds` is the same on any number of threads, processes and runs.
struct Outcome {
  enum class Status {
    converged,
    unconverged,  ///< the figures are there, with the reason in them
    failed        ///< it threw: `error` says what, there are no figures
  };
  Status status = Status::converged;
  std::string error;
  /// theory: the `solve` document without `problem`; experiment: an `instance` of the `simulate` document, with
  /// `lambda` as trained; thresholds, scaling: those of docs/json.md. Times are left out.
  nlohmann::json figures;
  /// theory: `s`, `density` if asked for. experiment: `eigenvalues`, `target_eigenvalues` (descending; singular values
  /// with cross-attention), and with gamp `trajectory_q`, `trajectory_m`, `trajectory_V`, `trajectory_estimation`.
  std::vector<Array> arrays;
  double seconds = 0;  ///< wall time

  /// The array of this name; null if there is none.
  const std::vector<double>* array(const std::string& name) const;
};

/// Why an outcome did not converge or failed; empty if it did not say, or did well.
std::string message(const Outcome& outcome);

std::string name(TaskKind kind);
std::string name(Outcome::Status status);
/// Throws std::invalid_argument for anything but the names.
TaskKind task_kind_from_name(const std::string& name);
Outcome::Status status_from_name(const std::string& name);

/// The task with every option, defaults included; the same text for the same task (to_json(task).dump()).
nlohmann::json to_json(const Task& task);
/// Throws std::invalid_argument for what to_json does not write.
Task task_from_json(const nlohmann::json& document);

/// Outcomes as bytes, for messages between processes; throws std::invalid_argument for bytes that are none.
std::string pack(const Outcome& outcome);
Outcome unpack(std::string_view bytes);

/// 32 hexadecimal digits: a 128-bit hash of the resolved task (with the eigenvalues of a target from a file, not its
/// path) and of `code`. A continued task ends where it does because of where it began: `predecessor` is the key of the
/// task that it follows, empty for all others.
std::string key(const Task& task, const std::string& code, const std::string& predecessor = {});

/// Names the sources that determine results (a digest of the rooms up to this one, made at build time): results of
/// different codes are never mixed.
const std::string& code_version();

/// Computes a task on up to `threads` threads. `predecessor`: the outcome of the task it follows, null if there is none
/// or it failed. Never throws: see Outcome::Status.
Outcome perform(const Task& task, const Outcome* predecessor, int threads);

}  // namespace attnlaw::study
