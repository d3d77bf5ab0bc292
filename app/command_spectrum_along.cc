/// `attnlaw spectrum --along`: how the trained spectrum collapses along a line of problems.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attnlaw/study/learning_curve.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

std::vector<model::Problem> problems_of(const SpectrumAlongArguments& arguments) {
  const Range& along = arguments.along;
  std::vector<model::Problem> problems = along.variable == Range::Variable::alpha
                                             ? study::along_alpha(arguments.problem, along.values)
                                             : study::along_lambda(arguments.problem, along.values);
  for (const model::Problem& problem : problems) problem.validate();
  return problems;
}

std::vector<theory::Solution> solve(const SpectrumAlongArguments& arguments, const std::string& variable) {
  const std::vector<model::Problem> problems = problems_of(arguments);
  Progress progress(variable, arguments.common.quiet);
  return study::solve_each(problems, arguments.options, arguments.common.threads,
                           [&](int done, int total) { progress.update(done, total); });
}

nlohmann::json document_of(const SpectrumAlongArguments& arguments, const std::string& variable,
                           std::span<const theory::Solution> curve) {
  nlohmann::json document{{"schema", "attnlaw/2"},
                          {"command", "spectrum"},
                          {"problem", model::to_json(arguments.problem)},
                          {"along", {{"variable", variable}, {"values", arguments.along.values}}}};
  document["problem"].erase(variable);
  for (const theory::Solution& solution : curve) {
    nlohmann::json point = theory::to_json(solution);
    point["largest_eigenvalue"] = largest_eigenvalue(solution);
    document["along"]["solutions"].push_back(std::move(point));
  }
  return document;
}

}  // namespace

int run(const SpectrumAlongArguments& arguments) {
  require_spectral_law(arguments.problem);
  require_outputs(arguments.common, arguments.html);
  const std::string variable = arguments.along.variable == Range::Variable::alpha ? "alpha" : "lambda";
  const std::vector<theory::Solution> curve = solve(arguments, variable);
  const bool converged = std::all_of(curve.begin(), curve.end(), [](const auto& s) { return s.diagnostics.converged; });
  const Warnings notes = warnings(curve, variable, arguments.along.values);
  report::Table table = collapse_table(curve, variable, arguments.along.values);
  if (!arguments.html.empty()) {
    report::Page page;
    page.title = "Collapse of the trained spectrum along " + variable;
    page.lead = describe(arguments.problem, {variable});
    page.sections.push_back(
        {"Measures of collapse", "", collapse_chart(curve, variable, arguments.along.values), table});
    write_page(arguments.html, page, notes);
  }
  table.title = "Spectrum of the trained S along " + variable + ": " + describe(arguments.problem, {variable});
  nlohmann::json document = document_of(arguments, variable, curve);
  document["converged"] = converged;
  emit(arguments.common,
       {{table}, document, collapse_rows(curve, variable, arguments.along.values), notes, report_note(arguments.html)});
  return converged ? 0 : 1;
}

}  // namespace attnlaw::legacy
