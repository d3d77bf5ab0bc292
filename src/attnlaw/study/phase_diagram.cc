#include "attnlaw/study/phase_diagram.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attnlaw/base/parallel.h"
#include "attnlaw/base/reject.h"

namespace attnlaw::study {
namespace {

model::Problem with(model::Problem problem, DiagramVariable variable, double value) {
  if (variable == DiagramVariable::noise) {
    problem.noise = value;
  } else if (problem.target.is_wishart() || problem.target.is_product()) {
    const char* kind = problem.target.is_wishart() ? "wishart" : "product";
    problem.target = model::Target::parse(fmt::format("{}:{}", kind, value));
  } else {
    base::reject("a diagram over kappa needs a target wishart:KAPPA or product:KAPPA, got {}", problem.target.spec());
  }
  problem.validate();
  return problem;
}

/// One value of the variable: ascending α, each from its neighbour.
void solve_row(model::Problem problem, std::span<const double> alphas, theory::SolveOptions options,
               std::span<DiagramPoint> row) {
  options.detail = theory::Detail::errors;
  for (std::size_t k = 0; k < alphas.size(); ++k) {
    problem.alpha = alphas[k];
    const theory::Solution solution = theory::solve(problem, options);
    row[k] = {solution.errors, solution.diagnostics.replicon, solution.diagnostics.converged};
    options.start.reset();
    const bool neighbour = problem.lambda_rule == model::LambdaRule::value && solution.diagnostics.converged &&
                           solution.overlaps.q > 0 && solution.overlaps.V > 0;
    if (neighbour) options.start = solution.overlaps;
  }
}

}  // namespace

PhaseDiagram phase_diagram(const model::Problem& problem, DiagramVariable variable, std::span<const double> values,
                           std::span<const double> alphas, const theory::SolveOptions& options, int threads,
                           const std::function<void(int, int)>& progress) {
  PhaseDiagram diagram{problem, variable, {values.begin(), values.end()}, {alphas.begin(), alphas.end()}, {}, {}, 0};
  std::vector<model::Problem> rows;
  for (const double value : values) rows.push_back(with(problem, variable, value));
  for (const model::Problem& row : rows) diagram.lines.push_back(thresholds(row));
  diagram.points.resize(values.size() * alphas.size());
  const auto solve_one = [&](std::size_t i) {
    solve_row(rows[i], alphas, options, std::span(diagram.points).subspan(i * alphas.size(), alphas.size()));
  };
  base::parallel_for(rows.size(), threads, solve_one, progress);
  diagram.failed = static_cast<int>(std::count_if(diagram.points.begin(), diagram.points.end(),
                                                  [](const DiagramPoint& point) { return !point.converged; }));
  return diagram;
}

}  // namespace attnlaw::study
