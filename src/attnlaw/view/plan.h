#pragma once
/// What a study is going to do, as tables.

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "attnlaw/report/table.h"
#include "attnlaw/study/run/cost.h"
#include "attnlaw/study/study.h"

namespace attnlaw::view {

// In all of them `costs` are aligned with study.tasks. A task that several parts share counts for the first of them.

/// Parts with their axes, tasks, time and memory; then the whole on `threads` threads.
std::vector<report::Table> plan_tables(const study::Study& study, const std::vector<study::Cost>& costs, int threads);
/// `study`, `title`, `parts`, `total` (docs/json.md).
nlohmann::json plan_json(const study::Study& study, const std::vector<study::Cost>& costs, int threads);
/// One row per part and kind of task.
report::Table plan_rows(const study::Study& study, const std::vector<study::Cost>& costs);

}  // namespace attnlaw::view
