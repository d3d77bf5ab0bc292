#include "attnlaw/operations/sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/printable.h"
#include "attnlaw/study/run/cost.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::operations {
namespace {

view::Plan plan_of(const study::Study& study, const Run& run) {
  constexpr double kCalibration = 20;  // seconds
  const int threads = run.threads > 0 ? run.threads : base::available_threads();
  return view::plan(study, study::estimate_costs(study, kCalibration), threads);
}

/// Every task that has no figures, or figures that did not converge.
std::vector<Sweep::Problem> problems_of(const study::Study& study, const study::Outcomes& outcomes) {
  std::vector<Sweep::Problem> problems;
  for (const study::Part& part : study.parts)
    for (const study::PartEntry& entry : part.entries) {
      const auto& outcome = outcomes[entry.task];
      if (!outcome || outcome->status == study::Outcome::Status::converged) continue;
      problems.push_back({part.name, study::name(study.tasks[entry.task].task.kind), entry.coordinates,
                          study::name(outcome->status), study::message(*outcome)});
    }
  return problems;
}

report::Table summary_table(const Sweep::Output& output) {
  const study::RunProgress& progress = output.progress;
  report::Table table = view::headed(
      output.title.empty() ? output.study : output.title,
      {"tasks", "from the store", "computed", "failed", "unconverged", "left", view::general("seconds", 4)});
  view::add(table, progress.total, progress.reused, progress.done, progress.failed, progress.unconverged,
            progress.left(), progress.seconds);
  return table;
}

report::Table problem_table(const std::vector<Sweep::Problem>& problems) {
  report::Table table =
      view::headed("Tasks without a result to use", {"part", "kind", "coordinates", "status", "message"});
  for (const Sweep::Problem& problem : problems) view::add(table, view::cells(problem));
  return table;
}

/// The first rows of a long table.
report::Table shortened(report::Table table) {
  constexpr std::size_t kMostShown = 10;
  if (table.rows.size() > kMostShown) {
    table.title += fmt::format(" (the first {} of {})", kMostShown, table.rows.size());
    table.rows.resize(kMostShown);
  }
  return table;
}

bool ran(const Sweep::Output& output) { return !output.plan; }

}  // namespace

const base::Description& describe(const Sweep::Input*) {
  using I = Sweep::Input;
  static const base::Description description{
      "a study and how to run it",
      {base::field("study", &I::study,
                   {.doc = "the study file (TOML)", .required = true, .value_name = "FILE", .positional = true}),
       base::field("check", &I::check, {.doc = "print the plan with its cost on this machine, run nothing"}),
       base::field(
           "store", &I::store,
           {.doc = "the store of results", .otherwise = "name of the study with .sqlite", .value_name = "FILE"}),
       base::flat(&I::options)}};
  return description;
}

const base::Description& describe(const Sweep::Problem*) {
  using P = Sweep::Problem;
  static const base::Description description{
      "a task without a result to use",
      {base::field("part", &P::part, {.doc = "name of its part"}),
       base::field("kind", &P::kind, {.doc = "theory, experiment, thresholds or scaling"}),
       base::field("coordinates", &P::coordinates, {.doc = "values of the axes"}),
       base::field("status", &P::status, {.doc = "unconverged or failed"}),
       base::field("message", &P::message, {.doc = "the reason"})}};
  return description;
}

const base::Description& describe(const Sweep::Output*) {
  using O = Sweep::Output;
  static const base::Description description{
      "what was computed; with check, what is going to be",
      {base::flat(&O::plan), base::field("study", &O::study, {.doc = "name of the study"}).when(ran),
       base::field("store", &O::store, {.doc = "path of the store"}).when(ran),
       base::field("code", &O::code, {.doc = "code version that the results are stored under"}).when(ran),
       base::evidence_field<O>([](const O& output) { return output.evidence; }).when(ran),
       base::flat(&O::progress).when(ran),
       base::field("problems", &O::problems, {.doc = "tasks without a result to use, where there are any"})
           .when([](const O& output) { return !output.problems.empty(); })}};
  return description;
}

Sweep::Input Sweep::read(const nlohmann::json& options) {
  if (!options.contains("study")) throw std::invalid_argument("sweep needs a study file: attnlaw sweep STUDY.toml");
  Input input;
  base::read(options, input, "options of sweep");
  if (input.check) refuse_beside("check", options, {"study", "fast", "yes"});
  input.options.max_seconds();
  return input;
}

Sweep::Output Sweep::run(const Input& input, const Run& run) {
  Output output;
  const std::optional<Crew> crew = input.check ? Crew{} : assemble_crew(run);
  if (!crew) return output;
  const study::Study study = read_study(input.study, input.options);
  if (input.check) {
    output.plan = plan_of(study, run);
    return output;
  }
  output.study = study.name;
  output.title = study.title;
  output.store = input.store.empty() ? study.name + ".sqlite" : input.store;
  output.code = study::code_version();
  for (const study::PlannedTask& planned : study.tasks)
    output.evidence = std::max(output.evidence, study::evidence(planned.task));
  study::Store store(output.store);
  output.progress = run_study(study, store, *crew, input.options, run);
  output.problems = problems_of(study, study::outcomes(study, store, false));
  return output;
}

view::Result Sweep::show(const Output& output, const Run&) {
  if (output.plan) return {.tables = view::plan_tables(*output.plan), .rows = view::plan_rows(*output.plan)};
  const study::RunProgress& progress = output.progress;
  view::Result result{.tables = {summary_table(output)},
                      .rows = problem_table(output.problems),
                      .note = fmt::format("Results: attnlaw results {}", base::on_one_line(output.store)),
                      .converged = progress.complete() && output.problems.empty()};
  if (!output.problems.empty()) result.tables.push_back(shortened(result.rows.table()));
  if (!progress.complete())
    result.warnings.push_back(
        fmt::format("the study is not complete: {} tasks left; the same command goes on with them", progress.left()));
  return result;
}

}  // namespace attnlaw::operations
