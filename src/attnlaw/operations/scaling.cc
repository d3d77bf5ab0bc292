#include "attnlaw/operations/scaling.h"

#include <algorithm>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/view/scaling.h"

namespace attnlaw::operations {
namespace {

/// Slopes take neighbours on both sides.
constexpr int kLeastForSlopes = 3;

}  // namespace

bool Scaling::Output::converged() const {
  const auto all = [](const theory::ScalingCurve& of) {
    return std::all_of(of.points.begin(), of.points.end(),
                       [](const auto& point) { return point.solution.diagnostics.converged; });
  };
  return curve ? all(*curve) : std::all_of(map->curves.begin(), map->curves.end(), all);
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
            kLeastForSlopes),
       base::field("lambda_exponent", &I::penalty_exponent,
                   {.range = {-10, 10}, .doc = "λ grows like n to this power, from that of --lambda at the first n"}),
       grid("lambda_range", &I::lambdas, study::Spacing::geometric,
            {.doc = "map of regimes over n and λ, equal ratios; --lambda is not read"})}};
  return description;
}

const base::Description& describe(const Scaling::Output*) {
  using O = Scaling::Output;
  static const base::Description description{
      "the learning curve of the problem",
      {base::custom<O>(
           "problem", base::type_of<model::Problem>(),
           [](const O& o) {
             return o.map ? problem_without(o.problem, {"alpha", "lambda"}) : problem_without(o.problem, {"alpha"});
           },
           nullptr, {.doc = "as given, without what varies"}),
       base::field("scaling", &O::curve, {.doc = "without lambda_range"}),
       base::field("map", &O::map, {.doc = "with lambda_range"}),
       base::evidence_field<O>([](const O& output) { return theory::evidence(output.problem); }),
       base::figure("converged", &O::converged, {.doc = "whether all points can be used"})}};
  return description;
}

Scaling::Input Scaling::read(const nlohmann::json& options) {
  if (options.contains("lambda_range") && options.contains("lambda_exponent"))
    base::reject("--lambda-range and --lambda-exponent exclude each other: every curve of a map has a λ of its own");
  return read_with_problem<Input>(options, about.name, {{"alpha", 1}, {"lambda", "edge"}});
}

std::vector<std::string> Scaling::unread(const nlohmann::json& options) {
  std::vector<std::string> names{"alpha", "seed"};
  if (options.contains("lambda_range")) names.emplace_back("lambda");
  return names;
}

Scaling::Output Scaling::run(const Input& input, const Run& run) {
  theory::ScalingOptions options;
  options.solve = input.theory.options();
  options.penalty_exponent = input.penalty_exponent;
  options.threads = run.threads;
  options.progress = progress_of(run, "scaling");
  const model::Problem& problem = input.problem.problem;
  if (input.lambdas.empty()) return {problem, theory::scaling_curve(problem, input.n, options), std::nullopt};
  const std::vector<double> descending(input.lambdas.rbegin(), input.lambdas.rend());
  return {problem, std::nullopt, theory::regime_map(problem, input.n, descending, options)};
}

view::Result Scaling::show(const Output& output, const Run& run) {
  view::Result result = output.map ? view::show(*output.map, output.problem, run.draw)
                                   : view::show(*output.curve, output.problem, run.draw);
  result.converged = output.converged();
  return result;
}

}  // namespace attnlaw::operations
