#include "attnlaw/operations/thresholds.h"

#include <fmt/format.h>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/base/json_text.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/operations/study_options.h"
#include "attnlaw/study/store/store.h"
#include "attnlaw/study/task.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/thresholds.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;

bool without_diagram(const Thresholds::Output& output) { return !output.diagram; }

void require_consistent(const json& options) {
  const bool kappas = options.contains("kappa_range"), noises = options.contains("noise_range");
  if (kappas && noises) base::reject("--kappa-range and --noise-range exclude each other");
  if ((kappas || noises) && !options.contains("alpha_range"))
    base::reject("--{}-range needs --alpha-range FROM,TO,N beside it", kappas ? "kappa" : "noise");
  if ((kappas || noises) && options.value("detachment", false))
    base::reject("--detachment is of one problem, not of a phase diagram: its line is of no diagram");
  if (options.contains("store") && !kappas && !noises)
    base::reject("--store keeps the points of a phase diagram: it needs --kappa-range or --noise-range beside it");
  if (options.contains("time_limit") && (kappas || noises))
    base::reject("--time-limit is for one problem: what a point of a diagram is must not depend on the machine");
}

bool reads_lambda(const Thresholds::Input& input) { return !input.alphas.empty() || input.detachment; }
bool reads_lambda(const json& options) { return options.contains("alpha_range") || options.value("detachment", false); }

/// What varies beside α, or has no effect: thresholds alone are those of λ → 0.
std::vector<std::string> varying(const Thresholds::Input& input) {
  if (!input.kappas.empty()) return {"alpha", "target"};
  if (!input.noises.empty()) return {"alpha", "noise"};
  if (!reads_lambda(input)) return {"alpha", "lambda"};
  return {"alpha"};
}

/// Solves what the store does not have yet; an interruption leaves points out.
study::PhaseDiagram solve_diagram(const Thresholds::Input& input, const Run& run) {
  const bool noises = !input.noises.empty();
  const study::Plane plane{input.problem.problem,
                           noises ? study::DiagramVariable::noise : study::DiagramVariable::kappa,
                           noises ? input.noises : input.kappas, input.alphas};
  const study::Study study = study::diagram_study(plane, input.theory.accuracy);
  const bool kept = !input.store.empty();
  study::Store store(kept ? input.store : study.name,
                     kept ? study::Store::Access::write : study::Store::Access::memory);
  StudyOptions options;
  options.retry_failed = true;
  run_study(study, store, {}, options, run);
  return study::phase_diagram(plane, study::outcomes(study, store));
}

/// What varies over a diagram, as comments of the file of its problem: targets with the hash of each.
std::string varying_text(const study::PhaseDiagram& diagram) {
  std::string text = fmt::format("# Over the diagram alpha = {}\n", base::json_text(json(diagram.alphas)));
  if (diagram.variable == study::DiagramVariable::noise)
    return text + fmt::format("# and noise = {}.\n", base::json_text(json(diagram.values)));
  study::Plane column = diagram;
  column.alphas.resize(1);
  text += "# and target, here with the hash of each:\n";
  for (const study::PlannedTask& planned : study::diagram_study(column, theory::SolveOptions{}.accuracy).tasks) {
    const model::Target& target = planned.task.problem.target;
    text += fmt::format("#   {} {}\n", target.spec(), study::target_hash(target));
  }
  return text;
}

study::Thresholds thresholds_of(const Thresholds::Input& input, const Run& run) {
  if (!input.detachment) return study::thresholds(input.problem.problem);
  study::Task task;
  task.kind = study::TaskKind::thresholds;
  task.problem = input.problem.problem;
  task.accuracy = input.theory.accuracy;
  task.detachment = true;
  announce(run, "detachment", task);
  return study::thresholds(input.problem.problem, input.theory.options());
}

}  // namespace

bool Thresholds::Output::converged() const {
  return thresholds.converged && (!continuation || continuation->converged) &&
         (!diagram || (diagram->unconverged == 0 && diagram->left == 0));
}

const base::Description& describe(const Thresholds::Input*) {
  using study::Spacing;
  static const base::Description description{
      "a problem, and ranges to follow its solutions along",
      {problem_field(&Thresholds::Input::problem,
                     {{"alpha", "1, not read"}, {"lambda", "required for ranges and the detachment"}}),
       base::flat(&Thresholds::Input::theory),
       base::field("detachment", &Thresholds::Input::detachment,
                   {.doc = "also where the upper bulk of the trained spectrum detaches, at this lambda"}),
       grid("alpha_range", &Thresholds::Input::alphas, Spacing::geometric,
            {.doc = "follow all solutions along alpha (equal ratios)"}),
       grid("kappa_range", &Thresholds::Input::kappas, Spacing::linear,
            {.doc = "with --alpha-range: phase diagram over κ* of a Wishart target"}),
       grid("noise_range", &Thresholds::Input::noises, Spacing::linear,
            {.doc = "with --alpha-range: phase diagram over the noise Δ"}),
       base::field("store", &Thresholds::Input::store,
                   {.doc = "keep the points of a phase diagram in this store: the same command goes on after an "
                           "interruption",
                    .value_name = "FILE"})}};
  return description;
}

const base::Description& describe(const Thresholds::Output*) {
  static const base::Description description{
      "thresholds, and with ranges solutions along alpha or over a plane",
      {base::custom<Thresholds::Output>(
           "problem", base::type_of<model::Problem>(),
           [](const Thresholds::Output& o) { return problem_without(o.problem, o.varying); }, nullptr,
           {.doc = "as given, without what varies or has no effect"}),
       base::flat(&Thresholds::Output::thresholds).when(without_diagram),
       base::field("continuation", &Thresholds::Output::continuation, {.doc = "with alpha_range"}),
       base::field("diagram", &Thresholds::Output::diagram, {.doc = "with kappa_range or noise_range"}),
       base::evidence_field<Thresholds::Output>(
           [](const Thresholds::Output& output) { return theory::evidence(output.problem); }),
       base::figure("converged", &Thresholds::Output::converged, {.doc = "whether all points can be used"})}};
  return description;
}

Thresholds::Input Thresholds::read(const json& options) {
  require_consistent(options);
  json fallback{{"alpha", 1}};
  if (!reads_lambda(options)) fallback["lambda"] = 1;
  return read_with_problem<Thresholds::Input>(options, about.name, fallback);
}

std::vector<std::string> Thresholds::unread(const json& options) {
  std::vector<std::string> names{"alpha", "seed"};
  if (!reads_lambda(options)) names.insert(names.end(), {"lambda", "accuracy"});
  if (options.contains("kappa_range")) names.emplace_back("target");
  if (options.contains("noise_range")) names.emplace_back("noise");
  return names;
}

Thresholds::Output Thresholds::run(const Thresholds::Input& input, const Run& run) {
  const model::Problem& problem = input.problem.problem;
  if (!reads_lambda(input)) theory::require_ridgeless(problem);
  Thresholds::Output output{problem, varying(input), {}, std::nullopt, std::nullopt};
  if (input.diagram()) {
    output.diagram = solve_diagram(input, run);
    output.store = input.store;
    return output;
  }
  output.thresholds = thresholds_of(input, run);
  if (!input.alphas.empty())
    output.continuation = theory::continue_in_alpha(problem, input.alphas, input.theory.options());
  return output;
}

view::Result Thresholds::show(const Thresholds::Output& output, const Run& run) {
  const std::string title = fmt::format("{}, K_eff = {}", view::describe(output.problem, output.varying),
                                        output.problem.observed_score_count());
  view::Result result = output.diagram ? view::show(*output.diagram, title, run.draw)
                                       : view::show(output.thresholds, output.continuation, title, run.draw);
  for (const std::string& note : {output.problem.target.note(), output.problem.target.doubt()})
    if (!note.empty()) result.warnings.push_back(note);
  if (output.diagram && output.diagram->left > 0 && !output.store.empty())
    result.warnings.push_back(fmt::format("{} has the others: the same command goes on with those left", output.store));
  if (result.page && output.diagram) result.page->input = varying_text(*output.diagram);
  result.converged = output.converged();
  return result;
}

}  // namespace attnlaw::operations
