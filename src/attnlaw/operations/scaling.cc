#include "attnlaw/operations/scaling.h"

#include <algorithm>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/view/scaling.h"

namespace attnlaw::operations {
namespace {

/// Slopes take neighbours on both sides.
constexpr int kLeastForSlopes = 3;

}  // namespace

bool Scaling::Output::converged() const {
  return std::all_of(curve.points.begin(), curve.points.end(),
                     [](const auto& point) { return point.solution.diagnostics.converged; });
}

const base::Description& describe(const Scaling::Input*) {
  using I = Scaling::Input;
  static const base::Description description{
      "a problem with a power-law target, and numbers of sequences",
      {problem_field(&I::problem, {{"alpha", "1, not read"}, {"lambda", "edge"}}), base::flat(&I::theory),
       grid("n", &I::n, study::Spacing::geometric,
            {.doc = "numbers of sequences at d = D, equal ratios",
             .required = true,
             .accepts = "FROM,TO,N numbers of sequences, as in 1e3,1e6,31"},
            kLeastForSlopes)}};
  return description;
}

const base::Description& describe(const Scaling::Output*) {
  using O = Scaling::Output;
  static const base::Description description{
      "the learning curve of the problem",
      {base::custom<O>("problem", base::type_of<model::Problem>(),
                       [](const O& o) { return problem_without(o.problem, {"alpha"}); }, nullptr,
                       {.doc = "as given, without what varies"}),
       base::field("scaling", &O::curve, {}),
       base::evidence_field<O>([](const O& output) { return theory::evidence(output.problem); }),
       base::figure("converged", &O::converged, {.doc = "whether all points can be used"})}};
  return description;
}

Scaling::Input Scaling::read(const nlohmann::json& options) {
  return read_with_problem<Input>(options, about.name, {{"alpha", 1}, {"lambda", "edge"}});
}

Scaling::Output Scaling::run(const Input& input, const Run& run) {
  theory::ScalingOptions options;
  options.solve = input.theory.options();
  options.threads = run.threads;
  options.progress = progress_of(run, "scaling");
  return {input.problem.problem, theory::scaling_curve(input.problem.problem, input.n, options)};
}

view::Result Scaling::show(const Output& output, const Run& run) {
  view::Result result = view::show(output.curve, output.problem, run.draw);
  result.converged = output.converged();
  return result;
}

}  // namespace attnlaw::operations
