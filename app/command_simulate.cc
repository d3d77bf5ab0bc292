#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "output.h"
#include "progress.h"
#include "reports.h"

namespace attnlaw::app {
namespace {

report::Page page_of(const SimulateArguments& arguments, std::span<const study::Comparison> comparisons) {
  report::Page page;
  page.title = "Finite-size experiments beside the theory";
  page.lead = describe(arguments.problem);
  const std::vector<report::Table> tables = comparison_tables(comparisons);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    report::Section section{tables[i].title, "", std::nullopt, tables[i]};
    section.table->title.clear();
    page.sections.push_back(std::move(section));
  }
  if (comparisons.size() > 1)
    page.sections.push_back({"Towards infinite d",
                             "At a single d a correction of order 1/d remains; the theory is tested by its shrinking.",
                             difference_chart(comparisons), std::nullopt});
  return page;
}

}  // namespace

int run(const SimulateArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const std::vector<int>& sizes = arguments.experiments.d;
  if (sizes.size() > 1) study::require_extrapolable(sizes, arguments.experiments.options.instances);
  for (const int d : sizes)
    experiment::require_feasible(arguments.problem, arguments.experiments.at(d, arguments.common));
  std::vector<study::Comparison> comparisons;
  for (const int d : sizes) {
    Progress progress(fmt::format("d = {}", d), arguments.common.quiet);
    experiment::Options options = arguments.experiments.at(d, arguments.common);
    options.progress = [&](int done, int total) { progress.update(done, total); };
    comparisons.push_back(study::compare(arguments.problem, options, arguments.options));
  }
  const bool converged =
      std::all_of(comparisons.begin(), comparisons.end(), [](const auto& c) { return c.converged(); });
  std::vector<std::string> notes;
  for (const study::Comparison& comparison : comparisons) {
    notes.push_back(warnings(comparison.theory));
    notes.push_back(warnings(comparison.experiment));
  }
  emit(arguments.common,
       {comparison_tables(comparisons), study::to_json(comparisons), instance_rows(comparisons), lines(notes)});
  if (!arguments.html.empty()) write_page(arguments.html, page_of(arguments, comparisons));
  return converged ? 0 : 1;
}

}  // namespace attnlaw::app
