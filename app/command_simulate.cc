#include <fmt/format.h>

#include "attnlaw/base/fields/fields.h"
#include <nlohmann/json.hpp>
#include "attnlaw/cluster/communicator_loader.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/view/comparison.h"
#include "attnlaw/view/solution.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

report::Page page_of(const model::Problem& problem, const std::vector<report::Table>& tables,
                     std::span<const study::Comparison> comparisons) {
  report::Page page;
  page.title = "Finite-size experiments beside the theory";
  page.lead = describe(problem);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    report::Section section{tables[i].title, "", std::nullopt, tables[i]};
    section.table->title.clear();
    page.sections.push_back(std::move(section));
  }
  if (comparisons.size() < 2) return page;
  if (const std::optional<report::Chart> chart = difference_chart(comparisons))
    page.sections.push_back({"Towards infinite d",
                             "At a single d a correction of order 1/d remains; the theory is tested by its shrinking.",
                             chart, std::nullopt});
  return page;
}

/// The options at one d, on this process of several or alone.
experiment::Options options_at(const SimulateArguments& arguments, int d, base::Communicator* team) {
  experiment::Options options = arguments.experiments.at(d, arguments.common);
  if (!team) return options;
  options.communicator = team;
  options.processes_here = cluster::launch()->local_size;
  options.threads = cluster::threads_of_rank(options.threads);
  return options;
}

study::Comparison compare(const SimulateArguments& arguments, const model::Problem& problem, int d,
                          base::Communicator* team) {
  Progress progress(fmt::format("d = {}", d), arguments.common.quiet);
  experiment::Options options = options_at(arguments, d, team);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  return study::compare(problem, options, arguments.options);
}

/// On rank 0, or alone: experiments, the theory beside them, and everything that is written.
int lead(const SimulateArguments& arguments, base::Communicator* team) {
  require_outputs(arguments.common, arguments.html);
  const std::vector<int>& sizes = arguments.experiments.d;
  if (sizes.size() > 1) study::require_extrapolable(sizes, arguments.experiments.options.instances);
  for (const int d : sizes)
    experiment::require_feasible(study::with_some_lambda(arguments.problem), options_at(arguments, d, team));
  const study::Trainable trainable = study::resolve_lambda(arguments.problem, arguments.options);
  std::vector<study::Comparison> comparisons;
  for (const int d : sizes) comparisons.push_back(compare(arguments, trainable.problem, d, team));

  Result result{comparison_tables(comparisons), study::to_json(comparisons),
                comparison_rows(comparisons, arguments.problem), few_samples(comparisons)};
  if (arguments.distributed && !team)
    result.warnings.push_back("--distributed without mpirun: this process did all of the work.");
  bool converged = true;
  for (const study::Comparison& comparison : comparisons) {
    converged = converged && comparison.converged();
    result.warnings = std::move(result.warnings) + warnings(comparison.theory) + warnings(comparison.experiment);
  }
  if (const auto& optimum = trainable.optimal_lambda) {
    result.tables.insert(result.tables.begin(), optimum_table(*optimum));
    result.document["optimal_lambda"] = base::json_of(*optimum);
  }
  if (!arguments.html.empty())
    write_page(arguments.html, page_of(trainable.problem, result.tables, comparisons), result.warnings);
  result.note = report_note(arguments.html);
  emit(arguments.common, result);
  return converged ? 0 : 1;
}

/// On any other rank: its part of the experiments.
void assist(const SimulateArguments& arguments, base::Communicator& team) {
  const study::Trainable trainable = study::resolve_lambda(arguments.problem, arguments.options);
  for (const int d : arguments.experiments.d) experiment::run(trainable.problem, options_at(arguments, d, &team));
}

}  // namespace

int run(const SimulateArguments& arguments) {
  const std::unique_ptr<base::Communicator> team = arguments.distributed ? cluster::connect() : nullptr;
  if (!team || team->rank() == 0) return lead(arguments, team.get());
  assist(arguments, *team);
  return 0;
}

}  // namespace attnlaw::legacy
