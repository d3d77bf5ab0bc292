#pragma once
/// The keys of the tables of a study file, described: what is read of them, what messages and the guide say.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/study/grid.h"

namespace attnlaw::study {

// A key that has a form of its own, as `axes` has, is a document here: whoever knows the form reads it, with its lines.

struct TheoryKeys {
  bool density = false;
  bool warm_start = true;
};
const base::Description& describe(const TheoryKeys*);

struct ThresholdsKeys {
  bool detachment = false;
};
const base::Description& describe(const ThresholdsKeys*);

struct ExperimentKeys {
  std::vector<int> d;
  experiment::Options options;  ///< instances, and how students are trained
};
const base::Description& describe(const ExperimentKeys*);

struct ScalingKeys {
  nlohmann::json n;
};
const base::Description& describe(const ScalingKeys*);

/// What belongs to a part: in a [[part]], in its `fast`, or at top level where there is no [[part]].
struct PartKeys {
  nlohmann::json problem, axes;
  TheoryKeys theory;
  ExperimentKeys experiment;
  ThresholdsKeys thresholds;
  ScalingKeys scaling;
};
const base::Description& describe(const PartKeys*);

/// A [[part]].
struct PartTableKeys {
  std::string name, like;
  PartKeys keys;
  nlohmann::json fast;
};
const base::Description& describe(const PartTableKeys*);

/// The top level.
struct StudyKeys {
  std::string title, description;
  std::uint64_t seed = 0;
  double accuracy = 1e-3;
  PartKeys keys;
  nlohmann::json fast, part, chart;
};
const base::Description& describe(const StudyKeys*);

/// A range of values.
struct RangeKeys {
  double from = 0, to = 0;
  std::int64_t count = 0;
  Spacing spacing = Spacing::linear;
};
const base::Description& describe(const RangeKeys*);

/// {study, part, range, chart}: the schema of each table.
nlohmann::json schema_of_files();

}  // namespace attnlaw::study
