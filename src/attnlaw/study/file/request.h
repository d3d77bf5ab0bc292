#pragma once
/// The request of one part of a study file, read and checked as far as it can be without making its points.

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/study/file/axes.h"
#include "attnlaw/study/file/keys.h"
#include "attnlaw/study/file/parts.h"

namespace attnlaw::study {

/// An axis α K_eff that stands in place of α: sequences in units of what they tell of S.
inline constexpr const char* kEffectiveRatio = "alpha_eff";

struct ExperimentRequest : ExperimentKeys {
  bool any_trainer = true;  ///< the first that serves the problem
};

struct PartRequest {
  std::string name;
  int line = 1;
  nlohmann::json problem;            ///< options given to all points
  std::map<std::string, int> lines;  ///< the line of each option, axis and key of the experiment
  std::vector<Axis> axes;
  std::optional<TheoryKeys> theory;
  std::optional<ExperimentRequest> experiment;
  std::optional<Values> n;  ///< the sizes of scaling
  std::optional<ThresholdsKeys> thresholds;

  /// Tasks of one point, at most.
  double tasks_per_point() const;
  double task_count() const { return point_count(axes) * tasks_per_point(); }
};

/// The keys that a problem takes.
const std::vector<std::string>& problem_options();

/// Throws std::invalid_argument for anything that is wrong with the part, its variables included.
PartRequest read_request(const SourceFile& file, const PartTable& part, std::uint64_t seed);

/// `text` with every {name} replaced by the value of that axis. Throws std::invalid_argument for a {name} without one.
std::string substituted(const std::string& text, const nlohmann::json& coordinates);

}  // namespace attnlaw::study
