#pragma once
/// The unit of a study: one thing to compute, and the key it is stored under.

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/base/evidence.h"
#include "attnlaw/base/names.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::study {

using base::name;

enum class TaskKind {
  theory,      ///< theory::solve
  experiment,  ///< one instance at one d, with the theory of its own target
  thresholds,  ///< study::thresholds
  scaling      ///< theory::scaling_curve over Task::n
};

struct Outcome;

struct Task {
  TaskKind kind = TaskKind::theory;
  model::Problem problem;  ///< λ may be a rule; an experiment takes the number that its predecessor found
  double accuracy = 1e-3;  ///< accuracy of the theory, whatever the kind
  /// theory: starts from the overlaps of its predecessor instead of the uninformed start.
  bool continued = false;
  /// theory: with the density of the trained spectrum (arrays `s`, `density`).
  bool density = false;
  /// theory: overlaps and errors alone (theory::Detail::errors).
  bool errors_alone = false;
  /// thresholds: with the detachment of the upper bulk, at the λ of the problem.
  bool detachment = false;
  /// experiment: d, seed, first_instance, one_target and all of TrainerOptions. One instance; threads and progress are
  /// not part of the task.
  experiment::Options experiment;
  std::vector<double> n;  ///< scaling: numbers of sequences at d = D, ascending
};

std::span<const base::Named<TaskKind>> names_table(TaskKind);

/// The task with every option, defaults included; the same text for the same task (base::json_text of it).
nlohmann::json to_json(const Task& task);
/// Throws std::invalid_argument for what to_json does not write.
Task task_from_json(const nlohmann::json& document);

/// 32 hexadecimal digits: a 128-bit hash of the resolved task (with the eigenvalues of a target from a file, not its
/// path) and of `code`. A continued task ends where it does because of where it began: `predecessor` is the key of the
/// task that it follows, empty for all others.
std::string key(const Task& task, const std::string& code, const std::string& predecessor = {});

/// What the figures of a task rest on.
base::Evidence evidence(const Task& task);

/// Sixteen hexadecimal digits that tell targets apart: of the eigenvalues of one from a file, else of its name.
std::string target_hash(const model::Target& target);

/// Names the sources that determine results (a digest of the rooms up to this one, made at build time): results of
/// different codes are never mixed.
const std::string& code_version();

/// Computes a task on up to `threads` threads. `predecessor`: the outcome of the task it follows, null if there is none
/// or it failed. What the task itself throws is an outcome, see Outcome::Status. What the machine refuses, memory
/// (std::bad_alloc) or a thread (std::system_error), is thrown: it says nothing about the task.
Outcome perform(const Task& task, const Outcome* predecessor, int threads);

}  // namespace attnlaw::study
