/// Documents: studies and problems that people write, and what the program writes for itself.
#include <nlohmann/json.hpp>

#include "attnlaw/base/fields/json.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/cluster/request.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/study/file/study_file.h"
#include "attnlaw/study/outcome.h"
#include "attnlaw/study/task.h"
#include "fuzz/targets.h"

namespace attnlaw::fuzz {
namespace {

/// A task is the same after it has been written and read.
void require_same(const study::Task& task) {
  const std::string text = base::json_text(study::to_json(task));
  if (base::json_text(study::to_json(study::task_from_json(base::parse_json(text)))) != text)
    throw FaultFound{"a task is another one after it was written: " + text};
}

void require_same(const study::Outcome& outcome) {
  const std::string bytes = study::pack(outcome);
  if (study::pack(study::unpack(bytes)) != bytes) throw FaultFound{"an outcome is another one after it was written"};
}

}  // namespace

void study_file(std::string_view input) {
  constexpr std::size_t kMostTasks = 200;
  study::StudyFileOptions options;
  options.most_tasks = kMostTasks;
  for (const study::PlannedTask& planned : study::parse_study(std::string(input), "fuzz.toml", options).tasks)
    require_same(planned.task);
}

void problem(std::string_view input) {
  const model::Problem problem = model::problem_from_json(base::parse_json(std::string(input)));
  problem.validate();
  const std::string text = base::json_text(model::to_json(problem));
  if (base::json_text(model::to_json(model::problem_from_json(base::parse_json(text)))) != text)
    throw FaultFound{"a problem is another one after it was written: " + text};
}

void task(std::string_view input) { require_same(study::task_from_json(base::parse_json(std::string(input)))); }

void outcome(std::string_view input) { require_same(study::unpack(input)); }

void request(std::string_view input) {
  const cluster::Request request = cluster::unpack_request(input);
  require_same(request.task);
  if (request.predecessor) require_same(*request.predecessor);
}

}  // namespace attnlaw::fuzz
