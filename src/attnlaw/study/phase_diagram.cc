#include "attnlaw/study/phase_diagram.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "attnlaw/base/reject.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::study {
namespace {

model::Problem problem_at(const Plane& plane, double value) {
  model::Problem problem = plane.problem;
  if (plane.variable == DiagramVariable::noise) {
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

/// Adds the tasks of one value of the variable: ascending α, each from its neighbour, the first from that of the row
/// before. Returns the first one, if others may begin from it.
std::optional<std::size_t> add_row(model::Problem problem, const Plane& plane, double value, double accuracy,
                                   std::optional<std::size_t> neighbour, Study& study) {
  std::optional<std::size_t> first;
  for (const double alpha : plane.alphas) {
    problem.alpha = alpha;
    problem.validate();
    if (problem.lambda_rule == model::LambdaRule::ridgeless) theory::require_ridgeless(problem);
    Task task;
    task.problem = problem;
    task.accuracy = accuracy;
    task.errors_alone = true;
    task.continued = neighbour.has_value();
    const std::string key = study::key(task, code_version(), neighbour ? study.tasks[*neighbour].key : "");
    study.parts.front().entries.push_back({study.tasks.size(), {{name(plane.variable), value}, {"alpha", alpha}}});
    study.tasks.push_back({task, key, neighbour});
    if (problem.lambda_rule == model::LambdaRule::value) neighbour = study.tasks.size() - 1;
    if (!first) first = neighbour;
  }
  return first;
}

DiagramPoint point_of(const std::optional<Outcome>& outcome) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  DiagramPoint point{kNone, kNone, kNone, kNone};
  if (!outcome || outcome->status == Outcome::Status::failed) return point;
  const auto number = [&](const char* group, const char* name) {
    const nlohmann::json& value = outcome->figures.at(group).at(name);
    return value.is_null() ? kNone : value.get<double>();
  };
  point = {number("errors", "train"), number("errors", "test"), number("errors", "estimation"),
           number("diagnostics", "replicon"), outcome->status == Outcome::Status::converged};
  if (const auto* infinite = outcome->array("replicon")) point.replicon = infinite->front();
  return point;
}

}  // namespace

Study diagram_study(const Plane& plane, double accuracy) {
  Study study;
  study.name = "phase diagram";
  study.parts.push_back({study.name, {std::string(name(plane.variable)), "alpha"}, {}});
  std::optional<std::size_t> neighbour;
  for (const double value : plane.values)
    neighbour = add_row(problem_at(plane, value), plane, value, accuracy, neighbour, study);
  return study;
}

PhaseDiagram phase_diagram(const Plane& plane, const Outcomes& outcomes) {
  PhaseDiagram diagram{plane, {}, {}};
  for (const double value : plane.values) diagram.lines.push_back(thresholds(problem_at(plane, value)));
  for (const std::optional<Outcome>& outcome : outcomes) {
    diagram.points.push_back(point_of(outcome));
    diagram.left += !outcome;
    diagram.unconverged += outcome && !diagram.points.back().converged;
    if (outcome && diagram.fault.empty()) diagram.fault = outcome->error;
  }
  return diagram;
}

}  // namespace attnlaw::study
