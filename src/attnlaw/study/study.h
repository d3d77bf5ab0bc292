#pragma once
/// A study: tasks in parts, as a study file asks for them, and the charts drawn of them.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/names.h"
#include "attnlaw/study/outcome.h"
#include "attnlaw/study/task.h"

namespace attnlaw::study {

/// A task among those of a study.
struct PlannedTask {
  Task task;
  std::string key;                         ///< under the code version of this program
  std::optional<std::size_t> predecessor;  ///< index of the task whose outcome it needs first; always a smaller index
};

/// One task as it appears in a part. Several parts may share a task.
struct PartEntry {
  std::size_t task = 0;        ///< index in Study::tasks
  nlohmann::json coordinates;  ///< the values of the axes, e.g. {"alpha": 0.3, "gamma": 1.25}
};

/// Tasks of one family: a base problem along axes.
struct Part {
  std::string name;
  std::vector<std::string> axes;  ///< keys that vary, outermost first
  std::vector<PartEntry> entries;
};

/// A chart of a study (docs/guide/studies.md).
struct ChartRequest {
  enum class Kind {
    curves,    ///< figures against a number: theory as lines, experiments as points with error bars
    spectrum,  ///< trained eigenvalues over the predicted density, one chart per theory task with a density
    map        ///< one figure over two axes, with threshold lines
  };
  Kind kind = Kind::curves;
  std::string title;
  std::string text;                 ///< says what to look at; may be empty
  std::vector<std::string> parts;   ///< names; empty: all
  std::string x;                    ///< an axis, or another number of the task or its outcome
  std::string y;                    ///< map: the second axis
  std::vector<std::string> values;  ///< figures drawn: train, test, estimation, q, …; map: one
  /// curves: a series for each value of these axes, options of the problem, `d`, `part`, `trainer` or `outputs`; empty:
  /// of every axis that takes several values at one x.
  std::vector<std::string> by;
  std::string x_title, y_title;  ///< empty: the names
  bool log_x = false, log_y = false;
  bool ratios = false;        ///< curves: also experiments over the theory of their own targets
  bool square_roots = false;  ///< spectrum: of √s, the singular values of W up to their unit
  /// curves: an axis of experiments; of those that differ in it alone, each instance draws the one of least `test`.
  std::string best_over;
  /// curves, map: the thresholds drawn as lines; empty: all that there are.
  std::vector<std::string> lines;
};
std::span<const base::Named<ChartRequest::Kind>> names_table(ChartRequest::Kind);
const base::Description& describe(const ChartRequest*);

struct Study {
  std::string name;  ///< the file's name without folder and extension
  std::string title;
  std::string description;
  std::vector<PlannedTask> tasks;  ///< unique keys; predecessors first
  std::vector<Part> parts;
  std::vector<ChartRequest> charts;
};

/// One outcome per task, aligned with Study::tasks; empty where there is no result (yet).
using Outcomes = std::vector<std::optional<Outcome>>;

}  // namespace attnlaw::study
