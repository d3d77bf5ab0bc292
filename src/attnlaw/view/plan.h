#pragma once
/// A plan says what a study is going to do; these functions show it as tables.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/report/table.h"
#include "attnlaw/study/run/cost.h"
#include "attnlaw/study/study.h"

namespace attnlaw::view {

/// An axis has the values that one coordinate takes, in the order of the file.
struct PlannedAxis {
  std::string key;
  std::vector<nlohmann::json> values;
  std::set<nlohmann::json> seen;
};

/// A planned part has the tasks of one kind in one part. A task that several parts share counts for the first of them.
struct PlannedPart {
  std::string name;
  std::string kind;
  std::vector<PlannedAxis> axes;
  std::size_t points = 0;  ///< entries of the part
  std::size_t tasks = 0;   ///< that no part before has
  double seconds = 0;
  std::uint64_t bytes = 0;  ///< of the largest
};

struct PlanTotal {
  std::size_t tasks = 0;
  double seconds = 0;  ///< of one thread
  int threads = 1;
  double seconds_on_threads = 0;  ///< at best: the work divided, but no chain of tasks divides
  std::uint64_t bytes = 0;        ///< of the largest tasks, one on each thread
  std::uint64_t memory = 0;       ///< of this machine
};

struct Plan {
  std::string study, title;
  std::vector<PlannedPart> parts;
  PlanTotal total;
};
const base::Description& describe(const PlannedPart*);
const base::Description& describe(const PlanTotal*);
const base::Description& describe(const Plan*);

/// `costs` are aligned with study.tasks.
Plan plan(const study::Study& study, const std::vector<study::Cost>& costs, int threads);

/// The first table has the parts with their axes, tasks, time and memory; the second has the whole.
std::vector<report::Table> plan_tables(const Plan& plan);
/// There is one row per part and kind of task.
report::Table plan_rows(const Plan& plan);

}  // namespace attnlaw::view
