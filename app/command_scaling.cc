#include <algorithm>
#include <nlohmann/json.hpp>

#include "attnlaw/view/scaling.h"
#include "attnlaw/view/solution.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

theory::ScalingCurve solve_curve(const ScalingArguments& arguments) {
  Progress progress("scaling", arguments.common.quiet);
  theory::ScalingOptions options;
  options.solve = arguments.options;
  options.threads = arguments.common.threads;
  options.progress = [&](int done, int total) { progress.update(done, total); };
  return theory::scaling_curve(arguments.problem, arguments.n, options);
}

nlohmann::json document_of(const ScalingArguments& arguments, const theory::ScalingCurve& curve) {
  nlohmann::json document{
      {"schema", "attnlaw/2"}, {"command", "scaling"}, {"problem", model::to_json(arguments.problem)}};
  document["problem"].erase("alpha");
  document["scaling"] = theory::to_json(curve);
  return document;
}

report::Page page_of(const ScalingArguments& arguments, const theory::ScalingCurve& curve) {
  report::Page page;
  page.title = "Learning curve of a power-law target";
  page.lead = describe(arguments.problem, {"alpha"});
  const std::vector<report::Table> tables = scaling_tables(curve);
  page.sections.push_back({"Learning curve", "", scaling_chart(curve), tables.front()});
  for (std::size_t i = 1; i < tables.size(); ++i)
    page.sections.push_back({tables[i].title, "", std::nullopt, report::Table{"", tables[i].columns, tables[i].rows}});
  return page;
}

}  // namespace

int run(const ScalingArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const theory::ScalingCurve curve = solve_curve(arguments);
  std::vector<theory::Solution> solutions;
  for (const theory::ScalingPoint& point : curve.points) solutions.push_back(point.solution);
  const bool converged =
      std::all_of(solutions.begin(), solutions.end(), [](const auto& s) { return s.diagnostics.converged; });

  Result result{scaling_tables(curve), document_of(arguments, curve), scaling_rows(curve),
                warnings(solutions, "n", arguments.n), report_note(arguments.html)};
  result.tables.front().title = "Learning curve: " + describe(arguments.problem, {"alpha"});
  result.document["converged"] = converged;
  if (!arguments.html.empty()) write_page(arguments.html, page_of(arguments, curve), result.warnings);
  emit(arguments.common, result);
  return converged ? 0 : 1;
}

}  // namespace attnlaw::legacy
