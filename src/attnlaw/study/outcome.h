#pragma once
/// What came out of one task of a study.

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attnlaw/base/names.h"

namespace attnlaw::study {

/// A named array of a result, e.g. `eigenvalues`.
struct Array {
  std::string name;
  std::vector<double> values;
};

/// What came out of a task. Everything but `seconds` is the same on any number of threads, processes and runs.
struct Outcome {
  enum class Status {
    converged,
    unconverged,  ///< the figures are there, with the reason in them
    failed        ///< it threw: `error` says what, there are no figures
  };
  Status status = Status::converged;
  std::string error;
  /// theory: the `solve` document without `problem`; experiment: an `instance` of the `simulate` document, with
  /// `lambda` as trained; thresholds, scaling: those of docs/json.md. All with `evidence`, and without times.
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

std::span<const base::Named<Outcome::Status>> names_table(Outcome::Status);

/// Outcomes as bytes, for messages between processes; throws std::invalid_argument for bytes that are none.
std::string pack(const Outcome& outcome);
Outcome unpack(std::string_view bytes);

}  // namespace attnlaw::study
