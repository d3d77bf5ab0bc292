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
      "what the theory says about the problem, or about those of a curve",
      {base::flat(&Solve::Output::solution).when([](const Solve::Output& output) { return output.one(); }),
       base::flat(&Solve::Output::curve), base::evidence_field<Solve::Output>([](const Solve::Output& output) {
         return output.one() ? theory::evidence(output.asked) : output.curve->evidence();
       })}};
  return description;
}

Solve::Input Solve::read(const nlohmann::json& given) {
  nlohmann::json options = given;
  ProblemGrid grid = take_grid(options);
  if (!grid.one()) refuse_along_curve(options, {"time_limit", "sensitivities", "isotropic"});
  Input input = read_with_problem<Input>(options, about.name);
  input.grid = std::move(grid);
  return input;
}

Solve::Output Solve::run(const Input& input, const Run& run) {
  const model::Problem& problem = input.problem.problem;
  if (!input.grid.one())
    return {{}, problem, solve_curve(input.grid, problem, {input.theory.accuracy, {}, run.draw}, run)};
  theory::SolveOptions options = input.theory.options();
  options.isotropic = input.isotropic;
  options.sensitivities = input.sensitivities;
  study::Task task;
  task.problem = problem;
  task.accuracy = options.accuracy;
  announce(run, about.name, task);
  return {theory::solve(problem, options), problem, {}};
}

view::Result Solve::show(const Output& output, const Run& run) {
  if (output.curve) return view::show(*output.curve, run.draw);
  view::Result result{.tables = view::solution_tables(output.solution, output.asked),
                      .rows = view::Rows([output] { return view::solution_row(output.solution, output.asked); }),
                      .warnings = view::warnings(output.solution),
                      .converged = output.solution.diagnostics.converged};
  if (run.draw) result.page = view::solution_page(output.solution, result.tables);
  return result;
}

}  // namespace attnlaw::operations
