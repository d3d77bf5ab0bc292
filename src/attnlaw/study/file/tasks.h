#pragma once
/// From what a part asks for to its tasks.

#include <string>
#include <unordered_map>
#include <vector>

#include "attnlaw/study/file/request.h"
#include "attnlaw/study/study.h"

namespace attnlaw::study {

/// Warm starts run along segments of this many points, each from an uninformed start: a curve of 40 points makes 8
/// segments, which still fill several threads, and results do not depend on how far away a curve began.
inline constexpr std::size_t kWarmStartSegment = 5;

/// The tasks of a study, each once.
class TaskTable {
 public:
  /// Index of the task; it is added, with its predecessor, unless it is there.
  std::size_t index_of(Task task, std::optional<std::size_t> predecessor = std::nullopt);

  std::vector<PlannedTask> take() && { return std::move(tasks_); }

 private:
  std::vector<PlannedTask> tasks_;
  std::unordered_map<std::string, std::size_t> index_;
};

/// Makes the tasks of a part. Throws std::invalid_argument, with the line of the key at fault, for a problem or an
/// experiment out of range.
Part make_part(const SourceFile& file, const PartRequest& request, double accuracy, TaskTable& tasks);

}  // namespace attnlaw::study
