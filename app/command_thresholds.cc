#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "attnlaw/view/solution.h"
#include "attnlaw/view/thresholds.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
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
  return {diagram_tables(diagram), diagram_rows(diagram),
          report::Section{"Phase diagram", "", diagram_chart(diagram), std::nullopt}, warnings(diagram),
          diagram.failed == 0};
}

/// The option that varies beside α, or has no effect: thresholds alone are those of λ → 0.
std::string not_fixed(const ThresholdsArguments& arguments) {
  if (arguments.variable) return *arguments.variable == study::DiagramVariable::kappa ? "target" : "noise";
  return arguments.alphas.empty() ? "lambda" : "";
}

report::Page page_of(const std::string& title, const std::vector<report::Table>& tables, const Extension& extension) {
  report::Page page;
  page.title = "Thresholds";
  page.lead = title;
  page.sections.push_back(*extension.section);
  for (const report::Table& table : tables)
    page.sections.push_back({table.title, "", std::nullopt, report::Table{"", table.columns, table.rows}});
  return page;
}

}  // namespace

int run(const ThresholdsArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  if (arguments.alphas.empty()) theory::require_ridgeless(arguments.problem);
  nlohmann::json document{
      {"schema", "attnlaw/2"}, {"command", "thresholds"}, {"problem", model::to_json(arguments.problem)}};
  for (const std::string& key : {std::string("alpha"), not_fixed(arguments)}) document["problem"].erase(key);

  Extension extension;
  std::vector<report::Table> tables;
  std::optional<report::Table> rows;
  if (arguments.variable) {
    extension = map_phases(arguments, document);
  } else {
    const study::Thresholds thresholds = study::thresholds(arguments.problem);
    document.update(study::to_json(thresholds));
    tables.push_back(thresholds_table(thresholds));
    rows = thresholds_rows(thresholds);
    if (!arguments.alphas.empty()) extension = follow(arguments, document);
  }
  document["converged"] = extension.converged;

  tables.insert(tables.end(), extension.tables.begin(), extension.tables.end());
  const std::string title = fmt::format("{}, K_eff = {}", describe(arguments.problem, {"alpha", not_fixed(arguments)}),
                                        arguments.problem.observed_score_count());
  if (!arguments.html.empty()) write_page(arguments.html, page_of(title, tables, extension), extension.warnings);
  tables.front().title = fmt::format("{}: {}", tables.front().title, title);
  emit(arguments.common,
       {tables, document, extension.rows ? *extension.rows : *rows, extension.warnings, report_note(arguments.html)});
  return extension.converged ? 0 : 1;
}

}  // namespace attnlaw::legacy
