#pragma once
/// Small results to store, without computing anything.

#include <fmt/format.h>

#include <string>

#include "attnlaw/study/store/store.h"
#include "scratch.h"

namespace attnlaw::study::samples {

/// A directory of a test whose files are named as stores are.
struct Directory : test::Scratch {
  std::string operator/(const std::string& name) const { return (path() / name).string(); }
};

inline Task theory_task(double alpha) {
  Task task;
  task.problem.alpha = alpha;
  return task;
}

inline Task experiment_task(double alpha, std::uint64_t instance) {
  Task task = theory_task(alpha);
  task.kind = TaskKind::experiment;
  task.experiment.d = 60;
  task.experiment.trainer = experiment::Trainer::adam;
  task.experiment.first_instance = instance;
  return task;
}

/// Figures of the form of theory::to_json, all different.
inline Outcome theory_outcome(double test) {
  Outcome outcome;
  outcome.figures = {{"overlaps", {{"Q_star", 3.25}, {"q", 0.5}, {"m", 0.75}, {"V", 0.125}}},
                     {"errors", {{"train", test / 2}, {"test", test}, {"estimation", test * 2}, {"objective", 0.1}}},
                     {"spectrum", {{"zero_mass", 0.375}, {"edges", {{0.1, 1.2}}}}},
                     {"diagnostics", {{"converged", true}, {"replicon", 0.625}}},
                     {"lambda", 0.05}};
  outcome.arrays = {{"s", {0.1, 0.2, 0.3}}, {"density", {0, 1, 0}}};
  outcome.seconds = 0.25;
  return outcome;
}

inline Outcome experiment_outcome(double test) {
  Outcome outcome;
  outcome.figures = {{"train", 0.01},
                     {"test", test},
                     {"estimation", 0.5},
                     {"objective", 0.2},
                     {"q", 0.4},
                     {"m", 0.6},
                     {"Q_star", 3.1},
                     {"kkt", 1e-5},
                     {"n", 1080},
                     {"lambda", 0.07},
                     {"theory", {{"train", 0.02}, {"test", 0.03}, {"estimation", 0.6}}}};
  outcome.arrays = {{"eigenvalues", {2, 1, 0}}, {"target_eigenvalues", {3, 1, 0}}};
  outcome.seconds = 1.5;
  return outcome;
}

inline Outcome failure(const std::string& error) {
  Outcome outcome;
  outcome.status = Outcome::Status::failed;
  outcome.error = error;
  return outcome;
}

inline Store::Entry entry(const Task& task, const Outcome& outcome, const std::string& code = "code") {
  return {key(task, code), code, task, outcome};
}

/// The i-th of many different results of theory.
inline Store::Entry numbered(int i) { return entry(theory_task(1 + i * 1e-6), theory_outcome(1e-3 * i)); }

inline std::size_t put_one(Store& store, const Store::Entry& one) { return store.put(std::span(&one, 1)); }
inline bool has_one(const Store& store, const std::string& key) { return store.has(std::span(&key, 1), true)[0]; }
inline bool claim_one(Store& store, const std::string& key) { return store.claim(std::span(&key, 1))[0]; }
inline void release_one(Store& store, const std::string& key) { store.release(std::span(&key, 1)); }

}  // namespace attnlaw::study::samples
