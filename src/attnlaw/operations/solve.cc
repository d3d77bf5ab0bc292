#include "attnlaw/operations/solve.h"

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/view/solution.h"

namespace attnlaw::operations {

const base::Description& describe(const Solve::Input*) {
  using I = Solve::Input;
  static const base::Description description{
      "a problem and how accurately to solve it",
      {base::flat(&I::problem), base::flat(&I::theory),
       base::field("sensitivities", &I::sensitivities,
                   {.doc = "also how every error changes with alpha, lambda, noise and beta"}),
       base::field(
           "isotropic", &I::isotropic,
           {.doc = "student untied of self-attention: an approximation that takes a tenth of the time; its error "
                   "is printed"})}};
  return description;
}

const base::Description& describe(const Solve::Output*) {
  static const base::Description description{
      "what the theory says about the problem",
      {base::flat(&Solve::Output::solution), base::evidence_field<Solve::Output>([](const Solve::Output& output) {
         return theory::evidence(output.asked);
       })}};
  return description;
}

Solve::Input Solve::read(const nlohmann::json& options) { return read_with_problem<Input>(options, about.name); }

Solve::Output Solve::run(const Input& input, const Run&) {
  theory::SolveOptions options = input.theory.options();
  options.isotropic = input.isotropic;
  options.sensitivities = input.sensitivities;
  return {theory::solve(input.problem.problem, options), input.problem.problem};
}

view::Result Solve::show(const Output& output, const Run&) {
  return {.tables = view::solution_tables(output.solution, output.asked),
          .rows = view::Rows([output] { return view::solution_row(output.solution, output.asked); }),
          .warnings = view::warnings(output.solution),
          .converged = output.solution.diagnostics.converged};
}

}  // namespace attnlaw::operations
