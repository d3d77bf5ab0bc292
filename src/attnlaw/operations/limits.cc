#include "attnlaw/operations/limits.h"

#include "attnlaw/view/rows.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/warnings.h"

namespace attnlaw::operations {

const base::Description& describe(const Limits::Input*) {
  using I = Limits::Input;
  static const base::Description description{"a problem and how accurately to solve it",
                                             {base::flat(&I::problem), base::flat(&I::theory)}};
  return description;
}

const base::Description& describe(const Limits::Output*) {
  using O = Limits::Output;
  static const base::Description description{
      "the limits of a problem",
      {base::figure_of<O>("problem", [](const O& o) { return o.solution.problem; },
                          {.doc = "with the λ that was found"}),
       base::field("limits", &O::limits, {.doc = "those that are known of such a problem; empty where none is"}),
       base::figure_of<O>("converged", [](const O& o) { return o.solution.diagnostics.converged; },
                          {.doc = "whether the figures of the problem can be used"})}};
  return description;
}

Limits::Input Limits::read(const nlohmann::json& options) { return read_with_problem<Input>(options, about.name); }

Limits::Output Limits::run(const Input& input, const Run&) {
  theory::Solution solution = theory::solve(input.problem.problem, input.theory.options());
  std::vector<theory::Limit> limits = theory::limits(solution);
  return {std::move(solution), std::move(limits)};
}

view::Result Limits::show(const Output& output, const Run&) {
  report::Table table = view::headed("Limits: " + view::describe(output.solution.problem),
                                     {"limit", "figure", "parameter", "here", "tends to", "is", "evidence"});
  report::Table rows = view::records<theory::Limit>({}, {});
  for (const theory::Limit& limit : output.limits) {
    view::add(table, view::cells(limit));
    view::add(rows, view::cells(limit));
  }
  view::Result result{.tables = {table}, .rows = rows, .warnings = view::warnings(output.solution)};
  if (output.limits.empty()) result.note = "No limit is known of such a problem.";
  result.converged = output.solution.diagnostics.converged;
  return result;
}

}  // namespace attnlaw::operations
