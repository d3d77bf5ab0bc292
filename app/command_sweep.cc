#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "attnlaw/base/parallel.h"
#include "attnlaw/study/file/study_file.h"
#include "attnlaw/study/run/cost.h"
#include "attnlaw/study/run/runner.h"
#include "attnlaw/view/columns.h"
#include "attnlaw/view/plan.h"
#include "commands.h"
#include "output.h"
#include "run_study.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

int check(const SweepArguments& arguments, const study::Study& study) {
  constexpr double kCalibration = 20;  // seconds
  const int threads = base::thread_count(arguments.common.threads);
  const std::vector<study::Cost> costs = study::estimate_costs(study, kCalibration);
  Result result{plan_tables(study, costs, threads), plan_json(study, costs, threads), plan_rows(study, costs)};
  result.document.update({{"schema", "attnlaw/2"}, {"command", "sweep"}});
  emit(arguments.common, result);
  return 0;
}

report::Table summary_table(const study::Study& study, const study::RunProgress& progress) {
  const auto count = [](std::size_t n) { return static_cast<long long>(n); };
  return {study.title.empty() ? study.name : study.title,
          {general("tasks"), general("from the store"), general("computed"), general("failed"), general("unconverged"),
           general("left"), general("seconds", 4)},
          {{count(progress.total), count(progress.reused), count(progress.done), count(progress.failed),
            count(progress.unconverged), count(progress.left()), progress.seconds}}};
}

/// Every task that has no figures, or figures that did not converge.
report::Table problem_rows(const study::Study& study, const study::Outcomes& outcomes) {
  report::Table table{
      "Tasks without a result to use",
      {general("part"), general("kind"), general("coordinates"), general("status"), general("message")}};
  for (const study::Part& part : study.parts)
    for (const study::PartEntry& entry : part.entries) {
      const auto& outcome = outcomes[entry.task];
      if (!outcome || outcome->status == study::Outcome::Status::converged) continue;
      table.rows.push_back({part.name, study::name(study.tasks[entry.task].task.kind), entry.coordinates.dump(),
                            study::name(outcome->status), study::message(*outcome)});
    }
  return table;
}

}  // namespace

int run(const SweepArguments& arguments) {
  if (served_rank_zero(arguments.common)) return 0;
  const Crew crew = assemble_crew();
  require_outputs(arguments.common);
  const study::Study study = read_study(arguments.study);
  if (arguments.check) return check(arguments, study);
  const std::string path = arguments.study.store.empty() ? study.name + ".sqlite" : arguments.study.store;
  study::Store store(path);
  const study::RunProgress progress = run_study(study, store, crew, arguments.study, arguments.common);
  const report::Table problems = problem_rows(study, study::outcomes(study, store, false));

  Result result{{summary_table(study, progress)},
                {{"schema", "attnlaw/2"},
                 {"command", "sweep"},
                 {"study", study.name},
                 {"store", path},
                 {"code", study::code_version()},
                 {"complete", progress.complete()},
                 {"tasks", progress.total},
                 {"reused", progress.reused},
                 {"computed", progress.done},
                 {"failed", progress.failed},
                 {"unconverged", progress.unconverged},
                 {"left", progress.left()},
                 {"seconds", progress.seconds}},
                problems};
  for (const auto& row : problems.rows) {
    result.document["problems"].push_back({{"part", std::get<std::string>(row[0])},
                                           {"kind", std::get<std::string>(row[1])},
                                           {"coordinates", nlohmann::json::parse(std::get<std::string>(row[2]))},
                                           {"status", std::get<std::string>(row[3])},
                                           {"message", std::get<std::string>(row[4])}});
  }
  constexpr std::size_t kMostShown = 10;
  if (!problems.rows.empty()) {
    report::Table shown = problems;
    if (shown.rows.size() > kMostShown) {
      shown.title += fmt::format(" (the first {} of {})", kMostShown, shown.rows.size());
      shown.rows.resize(kMostShown);
    }
    result.tables.push_back(std::move(shown));
  }
  if (!progress.complete())
    result.warnings.push_back(
        fmt::format("the study is not complete: {} tasks left; the same command goes on with them", progress.left()));
  result.note = fmt::format("Results: attnlaw results {}", path);
  emit(arguments.common, result);
  return progress.complete() && problems.rows.empty() ? 0 : 1;
}

}  // namespace attnlaw::legacy
