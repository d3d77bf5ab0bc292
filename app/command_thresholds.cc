#include <fmt/format.h>

#include <string_view>

#include "commands.h"
#include "output.h"
#include "progress.h"
#include "report_solution.h"
#include "report_thresholds.h"

namespace attnlaw::app {
namespace {

/// What an α range adds to the thresholds: branches of solutions, or a phase diagram.
struct Extension {
  std::vector<report::Table> tables;
  std::optional<report::Table> rows;
  std::optional<report::Section> section;
  Warnings warnings;
  bool converged = true;
};

Extension follow(const ThresholdsArguments& arguments, nlohmann::json& document) {
  const theory::Continuation continuation =
      theory::continue_in_alpha(arguments.problem, arguments.alphas, arguments.options);
  document["continuation"] = to_json(continuation);
  return {continuation_tables(continuation), continuation_rows(continuation),
          report::Section{"Branches of solutions", "", continuation_chart(continuation), std::nullopt},
          warnings(continuation), continuation.converged};
}

study::PhaseDiagram solve_diagram(const ThresholdsArguments& arguments) {
  Progress progress("phase diagram", arguments.common.quiet);
  return study::phase_diagram(arguments.problem, *arguments.variable, arguments.values, arguments.alphas,
                              arguments.options, arguments.common.threads,
                              [&](int done, int total) { progress.update(done, total); });
}

Extension map_phases(const ThresholdsArguments& arguments, nlohmann::json& document) {
  const study::PhaseDiagram diagram = solve_diagram(arguments);
  document["diagram"] = study::to_json(diagram);
  return {{diagram_table(diagram)},
          diagram_rows(diagram),
          report::Section{"Phase diagram", "", diagram_chart(diagram), std::nullopt},
          warnings(diagram),
          diagram.failed == 0};
}

/// What varies is no part of the heading, and thresholds alone are those of λ → 0.
std::string title_of(const ThresholdsArguments& arguments, int observed_scores) {
  std::string_view varied = arguments.alphas.empty() ? "lambda" : "";
  if (arguments.variable) varied = *arguments.variable == study::DiagramVariable::kappa ? "target" : "noise";
  return fmt::format("{}, K_eff = {}", describe(arguments.problem, {"alpha", varied}), observed_scores);
}

report::Page page_of(const std::string& title, const report::Table& thresholds, const Extension& extension) {
  report::Page page;
  page.title = "Thresholds";
  page.lead = title;
  page.sections.push_back(*extension.section);
  page.sections.push_back({"Thresholds", "", std::nullopt, thresholds});
  for (const report::Table& table : extension.tables)
    page.sections.push_back({table.title, "", std::nullopt, report::Table{"", table.columns, table.rows}});
  return page;
}

}  // namespace

int run(const ThresholdsArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  if (arguments.alphas.empty()) theory::require_ridgeless(arguments.problem);
  const study::Thresholds thresholds = study::thresholds(arguments.problem);
  nlohmann::json document{
      {"schema", "attnlaw/1"}, {"command", "thresholds"}, {"problem", model::to_json(arguments.problem)}};
  document["problem"].erase("alpha");
  if (arguments.alphas.empty()) document["problem"].erase("lambda");
  document.update(study::to_json(thresholds));

  Extension extension;
  if (arguments.variable)
    extension = map_phases(arguments, document);
  else if (!arguments.alphas.empty())
    extension = follow(arguments, document);
  document["converged"] = extension.converged;

  report::Table table = thresholds_table(thresholds);
  const std::string title = title_of(arguments, thresholds.observed_scores);
  if (!arguments.html.empty()) write_page(arguments.html, page_of(title, table, extension), extension.warnings);
  table.title = title;
  Result result{{table},
                document,
                extension.rows.value_or(thresholds_rows(thresholds)),
                extension.warnings,
                report_note(arguments.html)};
  result.tables.insert(result.tables.end(), extension.tables.begin(), extension.tables.end());
  emit(arguments.common, result);
  return extension.converged ? 0 : 1;
}

}  // namespace attnlaw::app
