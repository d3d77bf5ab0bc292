#include "attnlaw/operations/spectrum.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/base/interrupted_work.h"
#include "attnlaw/operations/experiment_options.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/operations/interruption.h"
#include "attnlaw/study/learning_curve.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::operations {
namespace {

using view::operator+;
using Line = Spectrum::Line;
using One = Spectrum::One;
using Along = Spectrum::Curve;
using nlohmann::json;

Line line_from_text(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string variable = text.substr(0, colon);
  if (colon == std::string::npos || (variable != "alpha" && variable != "lambda"))
    base::reject("--along takes lambda:FROM,TO,N or alpha:FROM,TO,N, got '{}'", text);
  return {variable, grid_from_text("--along", text.substr(colon + 1), study::Spacing::geometric)};
}

void read_line(Spectrum::Input& input, const json& text) {
  input.along = line_from_text(base::read_text(text, "along"));
}

// ---- documents -----------------------------------------------------------------------------------------------------

/// Of W, in units of √d: σ² = s √κ with S = W Wᵀ/√(m_h d), κ = m_h/d.
json singular_values(const One& one) {
  const double unit = std::sqrt(one.solution.problem.width);
  const auto sigma = [&](double s) { return std::sqrt(std::max(0.0, s) * unit); };
  json edges = json::array();
  for (const auto& edge : one.solution.spectrum.edges) edges.push_back({sigma(edge.lower), sigma(edge.upper)});
  std::vector<double> at, density;
  for (std::size_t i = 0; i < one.density.s.size(); ++i) {
    at.push_back(sigma(one.density.s[i]));
    density.push_back(one.density.density[i] * 2 * at.back() / unit);
  }
  return {{"edges", edges}, {"sigma", at}, {"density", density}};
}

json density_json(const theory::TrainedLaw::Curve& density) { return {{"s", density.s}, {"density", density.density}}; }

bool tied(const One& one) { return one.solution.problem.student == model::Student::tied; }

/// Measured spectra, with where they come from.
struct Measured {
  int d = 0;
  bool converged = false;
  study::SpectrumComparison spectra;
};

const base::Description& describe(const Measured*) {
  static const base::Description description{
      "experiments beside the law",
      {base::field("d", &Measured::d, {.doc = "embedding dimension"}),
       base::field("converged", &Measured::converged, {.doc = "whether every student trained"}),
       base::flat(&Measured::spectra)}};
  return description;
}

std::optional<Measured> measured_of(const One& one) {
  if (!one.measured) return std::nullopt;
  return Measured{one.experiment->d, one.experiment->converged(), *one.measured};
}

/// {variable, values, solutions}.
json along_json(const Along& curve) {
  json document{{"variable", curve.along.variable}, {"values", curve.along.values}};
  const matrix_laws::Spectrum target = curve.problem.target_law();
  for (const theory::Solution& solution : curve.solutions) {
    json point = base::json_of(solution);
    point["largest_eigenvalue"] = view::largest_eigenvalue(solution);
    point["density"] = density_json(theory::TrainedLaw(solution, target).density());
    document["solutions"].push_back(std::move(point));
  }
  return document;
}

bool single(const Spectrum::Output& output) { return !output.line() && !output.grid; }
bool many(const Spectrum::Output& output) { return output.line(); }

// ---- pages ---------------------------------------------------------------------------------------------------------

report::Page page_of(const One& one, const study::SpectrumComparison* measured, report::Table table) {
  table.title = "Law and experiment";
  report::Page page{"Spectrum of the trained map",
                    view::describe(one.solution.problem),
                    {view::section_of(std::move(table), view::spectrum_chart(one.solution, one.density, measured))}};
  if (measured)
    page.sections.push_back(
        {"Cumulative distribution", "", view::cumulative_chart(one.solution, one.density, *measured)});
  if (tied(one))
    page.sections.push_back(
        {"Singular values of W",
         "S = W Wᵀ/√(m_h d) of the tied student, in units of √d; zeros of S are zeros of W as well.",
         view::weights_chart(one.solution, one.density, measured)});
  return page;
}

report::Page page_of(const Along& curve, const report::Table& table) {
  const auto& [variable, values] = curve.along;
  return {"Collapse of the trained spectrum along " + variable,
          view::describe(curve.problem, {variable}),
          {{"Measures of collapse", "", view::collapse_chart(curve.solutions, variable, values), table}}};
}

// ---- results -------------------------------------------------------------------------------------------------------

view::Result show_one(const One& one, bool draw) {
  const study::SpectrumComparison* measured = one.measured ? &*one.measured : nullptr;
  report::Table table = view::spectrum_table(one.solution, measured);
  table.title = "Spectrum of the trained S: " + view::describe(one.solution.problem);
  view::Result result{.tables = {table, view::collapse_table(one.solution.spectrum.collapse)},
                      .rows = view::spectrum_rows(one.solution, one.density, measured),
                      .warnings = view::warnings(one.solution)};
  if (one.experiment) result.warnings = std::move(result.warnings) + view::warnings(*one.experiment);
  if (one.solution.optimal_lambda) result.tables.push_back(view::optimum_table(*one.solution.optimal_lambda));
  if (draw) result.page = page_of(one, measured, table);
  return result;
}

view::Result show_line(const Along& curve, bool draw) {
  const auto& [variable, values] = curve.along;
  report::Table table = view::collapse_table(curve.solutions, variable, values);
  view::Result result{.rows = view::collapse_rows(curve.solutions, variable, values),
                      .warnings = view::warnings(curve.solutions, variable, values)};
  if (draw) result.page = page_of(curve, table);
  table.title = "Spectrum of the trained S along " + variable + ": " + view::describe(curve.problem, {variable});
  result.tables = {std::move(table)};
  return result;
}

/// Trains; with the instances that have ended if it is interrupted.
void measure(const Spectrum::Input& input, const Run& run, Spectrum::Output& output) {
  One& one = output.one;
  const Interruption interruption;
  experiment::Options options = at_dimension(input.experiment, *input.d, run);
  options.keep_ended = interruption.listens();
  announce(run, one.solution.problem, options);
  interruption.completes([&] { one.experiment = experiment::run(one.solution.problem, options); });
  const std::size_t done = one.experiment ? one.experiment->instances.size() : 0,
                    total = static_cast<std::size_t>(options.instances);
  if (done < total) output.interrupted = after(done, total, "instances");
}

Spectrum::Output predict_and_measure(const Spectrum::Input& input, const Run& run) {
  const model::Problem& problem = input.problem.problem;
  if (input.d)
    experiment::require_feasible(study::with_some_lambda(problem), at_dimension(input.experiment, *input.d, {}));
  Spectrum::Output output;
  One& one = output.one;
  one.solution = theory::solve(problem, input.theory.options());
  one.density = theory::TrainedLaw(one.solution, problem.target_law()).density();
  if (!input.d) return output;
  study::require_trainable(one.solution.problem);
  measure(input, run, output);
  if (one.experiment) one.measured = study::compare_spectra(*one.experiment, one.solution, problem.target_law());
  return output;
}

Spectrum::Output follow(const Spectrum::Input& input, const Run& run) {
  const auto& [variable, values] = input.along;
  const std::vector<model::Problem> problems = study::along(
      input.problem.problem, variable == "alpha" ? &model::Problem::alpha : &model::Problem::lambda, values);
  for (const model::Problem& problem : problems) problem.validate();
  const Interruption interruption;
  const auto solve = [&](std::size_t i) { return theory::solve(problems[i], input.theory.options()); };
  auto solved = base::run_until_interrupted(problems.size(), run.threads, solve, progress_of(run, variable));
  if (!interruption.happened()) base::check_interrupt();
  Spectrum::Output output;
  output.curve = {input.problem.problem, {variable, {}}, {}};
  for (std::size_t i = 0; i < solved.size(); ++i)
    if (solved[i]) output.curve.along.values.push_back(values[i]);
  output.curve.solutions = base::those_that_ended(std::move(solved));
  const std::size_t done = output.curve.solutions.size();
  if (done == 0) throw base::Interrupted();
  if (done < values.size()) output.interrupted = after(done, values.size(), "points");
  return output;
}

}  // namespace

const base::Description& describe(const One*) {
  static const base::Description description{
      "the law of the trained S, and what was measured",
      {base::flat(&One::solution),
       base::custom<One>("density", {base::Kind::object}, [](const One& one) { return density_json(one.density); },
                         nullptr, {.doc = "the law: points s along every band and the density there"}),
       base::custom<One>("singular_values", {base::Kind::object}, singular_values, nullptr,
                         {.unit = "√d", .doc = "of W of the student tied: edges, points sigma and the density there"})
           .when(tied),
       base::figure_of<One>("experiment", measured_of, {.doc = "with d"})}};
  return description;
}

const base::Description& describe(const Along*) {
  static const base::Description description{
      "the spectrum along a line of problems",
      {base::custom<Along>("problem", base::type_of<model::Problem>(),
                           [](const Along& c) { return problem_without(c.problem, {c.along.variable}); }, nullptr,
                           {.doc = "as given, without what varies"}),
       base::custom<Along>("along", {base::Kind::object}, along_json, nullptr,
                           {.doc = "variable, its values, and the solution at each with its largest_eigenvalue and "
                                   "density"})}};
  return description;
}

base::Evidence Spectrum::Output::evidence() const {
  if (grid) return grid->evidence();
  return theory::evidence(line() ? curve.problem : one.solution.problem);
}

bool Spectrum::Output::converged() const {
  if (grid) return grid->converged();
  if (!line()) return one.solution.diagnostics.converged && (!one.experiment || one.experiment->converged());
  return std::all_of(curve.solutions.begin(), curve.solutions.end(),
                     [](const theory::Solution& s) { return s.diagnostics.converged; });
}

const base::Description& describe(const Spectrum::Input*) {
  static const base::Description description{
      "a problem, and experiments on it or a line through it",
      {base::flat(&Spectrum::Input::problem), base::flat(&Spectrum::Input::theory),
       base::field("d", &Spectrum::Input::d, {.doc = "overlay experiments at this embedding dimension"}),
       base::flat(&Spectrum::Input::experiment),
       base::custom<Spectrum::Input>(
           "along", {base::Kind::text}, [](const Spectrum::Input&) { return json(); }, read_line,
           {.doc = "instead: how the spectrum collapses along lambda:FROM,TO,N or alpha:FROM,TO,N (equal ratios)",
            .value_name = "VARIABLE:FROM,TO,N"})}};
  return description;
}

const base::Description& describe(const Spectrum::Output*) {
  static const base::Description description{
      "the spectrum of the trained S; with along, that of many problems",
      {base::flat(&Spectrum::Output::one).when(single), base::flat(&Spectrum::Output::curve).when(many),
       base::flat(&Spectrum::Output::grid), base::evidence_field<Spectrum::Output>(&Spectrum::Output::evidence),
       base::figure("converged", &Spectrum::Output::converged, {.doc = "whether everything can be used"})}};
  return description;
}

Spectrum::Input Spectrum::read(const json& given) {
  json options = given, fallback = json::object();
  if (options.contains("along")) {
    const Line line = line_from_text(options["along"].get<std::string>());
    fallback[line.variable] = line.values.front();
  }
  ProblemGrid grid = take_grid(options, fallback);
  bool experiments = options.contains("d");
  for (const std::string& name : base::field_names(describe(static_cast<const experiment::Options*>(nullptr))))
    experiments = experiments || options.contains(name);
  if (options.contains("along") && experiments)
    base::reject("--along is theory alone: leave out --d and the other options of experiments");
  require_tolerance(options);
  Spectrum::Input input = read_with_problem<Spectrum::Input>(options, about.name, fallback);
  choose_trainer(options, input.problem.problem, input.experiment);
  if (experiments && !input.d) base::reject("options of experiments need --d, an embedding dimension to run them at");
  view::require_spectral_law(input.problem.problem);
  if (!grid.one()) refuse_along_curve(options, {"along", "d", "time_limit"});
  input.grid = std::move(grid);
  return input;
}

std::vector<std::string> Spectrum::unread(const json& options) {
  if (options.contains("along")) return {line_from_text(options["along"].get<std::string>()).variable, "seed"};
  return options.contains("d") ? std::vector<std::string>{} : std::vector<std::string>{"seed"};
}

Spectrum::Output Spectrum::run(const Spectrum::Input& input, const Run& run) {
  if (!input.grid.one()) {
    const CurveRequest request{.accuracy = input.theory.accuracy, .spectra = true};
    return {{}, {}, solve_curve(input.grid, input.problem.problem, request, run), {}};
  }
  return input.along.variable.empty() ? predict_and_measure(input, run) : follow(input, run);
}

view::Result Spectrum::show(const Spectrum::Output& output, const Run& run) {
  if (output.grid) return view::show(*output.grid, run.draw);
  view::Result result = output.line() ? show_line(output.curve, run.draw) : show_one(output.one, run.draw);
  result.converged = output.converged();
  result.interrupted = output.interrupted;
  return result;
}

}  // namespace attnlaw::operations
