#include <fmt/format.h>

#include "attnlaw/study/resolve.h"
#include "commands.h"
#include "output.h"
#include "progress.h"
#include "report_comparison.h"
#include "report_solution.h"

namespace attnlaw::app {
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

study::Comparison compare(const SimulateArguments& arguments, const model::Problem& problem, int d) {
  Progress progress(fmt::format("d = {}", d), arguments.common.quiet);
  experiment::Options options = arguments.experiments.at(d, arguments.common);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  return study::compare(problem, options, arguments.options);
}

}  // namespace

int run(const SimulateArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const std::vector<int>& sizes = arguments.experiments.d;
  if (sizes.size() > 1) study::require_extrapolable(sizes, arguments.experiments.options.instances);
  for (const int d : sizes)
    experiment::require_feasible(study::with_some_lambda(arguments.problem),
                                 arguments.experiments.at(d, arguments.common));
  const study::Trainable trainable = study::resolve_lambda(arguments.problem, arguments.options);
  std::vector<study::Comparison> comparisons;
  for (const int d : sizes) comparisons.push_back(compare(arguments, trainable.problem, d));

  Result result{comparison_tables(comparisons), study::to_json(comparisons), comparison_rows(comparisons)};
  bool converged = true;
  for (const study::Comparison& comparison : comparisons) {
    converged = converged && comparison.converged();
    result.warnings = std::move(result.warnings) + warnings(comparison.theory) + warnings(comparison.experiment);
  }
  if (const auto& optimum = trainable.optimal_lambda) {
    result.tables.insert(result.tables.begin(), optimum_table(*optimum));
    result.document["optimal_lambda"] = theory::to_json(*optimum);
  }
  if (!arguments.html.empty())
    write_page(arguments.html, page_of(trainable.problem, result.tables, comparisons), result.warnings);
  result.note = report_note(arguments.html);
  emit(arguments.common, result);
  return converged ? 0 : 1;
}

}  // namespace attnlaw::app
