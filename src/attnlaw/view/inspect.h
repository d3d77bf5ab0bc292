#pragma once
/// This file shows what `inspect` finds in a checkpoint.

#include <optional>
#include <vector>

#include "attnlaw/checkpoint/inspection/compare.h"
#include "attnlaw/checkpoint/inspection/course.h"
#include "attnlaw/checkpoint/inspection/inspect.h"
#include "attnlaw/view/result.h"

namespace attnlaw::view {

/// This is what was found in one checkpoint, in two, or in the steps of a training.
struct InspectOutcome {
  checkpoint::Inspection inspection;  ///< of the last one
  std::optional<checkpoint::Inspection> before = {};
  std::vector<checkpoint::HeadChange> changes = {};
  std::optional<checkpoint::Course> course = {};  ///< of many
  std::vector<std::string> written = {};          ///< files of directions
};
const base::Description& describe(const InspectOutcome*);

/// Heads stand in order of evidence. Rows are told apart by `kind`: head, outlier, change, step, head-step.
Result show(const InspectOutcome& outcome, bool draw);

}  // namespace attnlaw::view
