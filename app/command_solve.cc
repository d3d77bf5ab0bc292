#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "attnlaw/view/solution.h"
#include "commands.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;

int run(const SolveArguments& arguments) {
  require_outputs(arguments.common);
  const theory::Solution solution = theory::solve(arguments.problem, arguments.options);
  emit(arguments.common, {solution_tables(solution, arguments.problem), theory::to_json(solution),
                          solution_row(solution, arguments.problem), warnings(solution)});
  return solution.diagnostics.converged ? 0 : 1;
}

}  // namespace attnlaw::legacy
