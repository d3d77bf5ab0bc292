#include "attnlaw/operations/demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/operations/experiment_options.h"
#include "attnlaw/operations/interruption.h"
#include "attnlaw/study/grid.h"
#include "attnlaw/study/learning_curve.h"
#include "attnlaw/study/resolve.h"
#include "attnlaw/view/comparison.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::operations {
namespace {

using view::operator+;

constexpr double kLambda = 0.05;
constexpr double kFirstAlpha = 0.05, kLastAlpha = 2;
constexpr int kTheoryPoints = 40;
constexpr int kExperimentPoints = 8;
constexpr int kInstances = 4;
constexpr int kDimension = 60;
constexpr double kSpectrumAlpha = 0.3;
constexpr int kSpectrumDimension = 100;
/// Every target that has eigenvalues for both d above has them for these.
constexpr const char* kMoreDimensions = "40,60,100,140";

std::vector<double> alpha_grid() {
  return study::grid(kFirstAlpha, kLastAlpha, kTheoryPoints, study::Spacing::geometric);
}

experiment::Options experiment_options(const Run& run, int d) {
  experiment::Options options;
  options.instances = kInstances;
  options.d = d;
  options.seed = run.seed;
  options.threads = run.threads;
  return options;
}

/// With the trainer that serves the problem.
experiment::Options trained_by(const model::Problem& problem, experiment::Options options) {
  choose_trainer({}, problem, options);
  return options;
}

std::vector<theory::Solution> theory_curve(const model::Problem& problem, const Run& run) {
  return study::solve_each(study::along(problem, &model::Problem::alpha, alpha_grid()), {}, run.threads,
                           progress_of(run, "theory"));
}

/// Before the theory is solved, so that nobody waits for what cannot be trained.
void require_feasible(const model::Problem& problem) {
  for (const int d : {kDimension, kSpectrumDimension})
    experiment::require_feasible(study::with_some_lambda(problem), trained_by(problem, experiment_options({}, d)));
}

/// Experiments at α of the theory grid, evenly spread over it.
void add_experiment_points(const Run& run, Demo::Output& output) {
  const std::vector<theory::Solution>& curve = output.theory;
  const auto progress = progress_of(run, "experiments");
  for (int k = 0; k < kExperimentPoints; ++k) {
    const auto index = static_cast<std::size_t>(k * (kTheoryPoints - 1) / (kExperimentPoints - 1));
    const model::Problem& problem = curve[index].problem;
    study::require_trainable(problem);
    output.experiments.push_back(study::compare(problem, trained_by(problem, experiment_options(run, kDimension))));
    if (progress) progress(k + 1, kExperimentPoints);
  }
}

/// The trained spectrum over its law.
void add_spectrum(const Run& run, Demo::Output& output) {
  model::Problem problem = output.problem;
  problem.alpha = kSpectrumAlpha;
  const theory::Solution solution = theory::solve(problem);
  study::require_trainable(solution.problem);
  experiment::Options options = trained_by(problem, experiment_options(run, kSpectrumDimension));
  options.progress = progress_of(run, "spectrum");
  output.density = theory::TrainedLaw(solution, problem.target_law()).density();
  const experiment::Experiment experiment = experiment::run(solution.problem, options);
  output.measured = study::compare_spectra(experiment, solution, problem.target_law());
  output.spectrum = solution;
  output.notes = view::warnings(*output.spectrum) + view::warnings(experiment);
  output.converged = output.converged && output.spectrum->diagnostics.converged && experiment.converged();
}

/// The largest relative difference between experiment and theory beyond α = 0.2.
double largest_difference(std::span<const study::Comparison> points) {
  double largest = 0;
  for (const study::Comparison& point : points) {
    if (point.experiment.problem.alpha <= 0.2) continue;
    for (const study::Estimate& difference :
         {point.difference.train, point.difference.test, point.difference.estimation})
      largest = std::max(largest, std::abs(difference.value));
  }
  return largest;
}

/// The error that differs most from its theory, and by how much.
std::pair<const char*, double> worst_error(const study::Comparison& point) {
  std::pair<const char*, double> worst{study::kSharedErrors[0].name, 0};
  for (const study::SharedError& error : study::kSharedErrors)
    if (const double found = std::abs((point.difference.*error.difference).value); found > worst.second)
      worst = {error.name, found};
  return worst;
}

/// The problem in words, without its α.
std::string subject(const Demo::Output& output) { return view::describe(output.problem, {"alpha"}); }

report::Page demo_page(const Demo::Output& output) {
  const std::span<const study::Comparison> points = output.experiments;
  report::Page page{
      .title = fmt::format("What a {} attention layer learns", model::name(output.problem.head)),
      .lead = fmt::format(
          "A single-head attention layer ({}) learns a target attention map from n = αd² sequences. Lines: the exact "
          "law for large d, solved without any fit. Points: layers trained at d = {}, {} instances each, with standard "
          "errors.",
          subject(output), kDimension, kInstances)};
  const std::pair<const char*, double> worst = worst_error(points.front());
  page.sections.push_back(
      {"Learning curve",
       fmt::format("At finite d a correction of order 1/d remains: at most {:.0f} % for α > 0.2 here, more where there "
                   "are few sequences ({:.0f} % in the {} error at α = {}). "
                   "`attnlaw simulate --alpha 0.5{} --d {}` shows it vanish.",
                   100 * largest_difference(points), 100 * worst.second, worst.first, kFirstAlpha,
                   command_options(output.problem, {"alpha"}), kMoreDimensions),
       view::learning_curve_chart(output.theory, points)});
  if (!output.spectrum) return page;
  const theory::Solution& spectrum = *output.spectrum;
  page.sections.push_back(
      {"Spectrum of the trained map",
       fmt::format("At α = {}: the theory sets {:.1f} % of the {}s of S to zero (measured at d = {}: {:.1f} %); the "
                   "others follow the predicted density, at a Kolmogorov distance of {:.3f}.",
                   kSpectrumAlpha, 100 * spectrum.spectrum.zero_mass, view::spectral_value(spectrum.problem),
                   kSpectrumDimension, 100 * output.measured.zero_mass, output.measured.kolmogorov_distance),
       view::spectrum_chart(spectrum, output.density, &output.measured),
       view::spectrum_table(spectrum, &output.measured)});
  return page;
}

/// An experiment with its problem, as simulate has it.
struct Point {
  model::Problem problem;
  study::Comparison comparison;
};

const base::Description& describe(const Point*) {
  static const base::Description description{
      "an experiment beside the theory",
      {base::field("problem", &Point::problem, {.doc = "what was learned"}), base::flat(&Point::comparison)}};
  return description;
}

std::vector<Point> points_of(const Demo::Output& output) {
  std::vector<Point> points;
  for (const study::Comparison& comparison : output.experiments)
    points.push_back({comparison.experiment.problem, comparison});
  return points;
}

}  // namespace

const base::Description& describe(const Demo::Input*) {
  static const std::string lambda = fmt::to_string(kLambda);
  static const base::Description description{
      "a problem, along α",
      {problem_field(&Demo::Input::problem, {{"alpha", "0.05 to 2, not read"}, {"lambda", lambda.c_str()}})}};
  return description;
}

const base::Description& describe(const Demo::Output*) {
  using O = Demo::Output;
  static const base::Description description{
      "a learning curve and a spectrum",
      {base::custom<O>("problem", base::type_of<model::Problem>(),
                       [](const O& output) { return problem_without(output.problem, {"alpha"}); }, nullptr,
                       {.doc = "as given, without its alpha"}),
       base::field("theory", &O::theory, {.doc = "solutions along α"}),
       base::figure_of<O>("experiments", points_of, {.doc = "experiments beside the theory, as simulate has them"}),
       base::field("spectrum", &O::spectrum, {.doc = "solution behind the spectrum, where that has a law"}),
       base::field("converged", &O::converged, {.doc = "whether every solution and every experiment did"}),
       base::field("html", &O::html,
                   {.doc = "where the page is; empty if the demo was interrupted, which writes none"})}};
  return description;
}

Demo::Input Demo::read(const nlohmann::json& options) {
  return read_with_problem<Input>(options, about.name, {{"alpha", 1}, {"lambda", kLambda}});
}

Demo::Output Demo::run(const Input& input, const Run& run) {
  Output output;
  output.problem = input.problem.problem;
  output.html = run.page_path;
  require_feasible(output.problem);
  const Interruption interruption;
  output.theory = theory_curve(output.problem, run);
  const bool trained = interruption.completes([&] { add_experiment_points(run, output); });
  output.converged =
      std::all_of(output.experiments.begin(), output.experiments.end(), [](const auto& p) { return p.converged(); }) &&
      std::all_of(output.theory.begin(), output.theory.end(), [](const auto& s) { return s.diagnostics.converged; });
  const bool whole = trained && (!theory::TrainedLaw::exists(output.problem) ||
                                 interruption.completes([&] { add_spectrum(run, output); }));
  if (whole) return output;
  output.html.clear();
  output.interrupted = trained ? "before the spectrum was trained"
                               : after(output.experiments.size(), kExperimentPoints, "points with experiments");
  return output;
}

view::Result Demo::show(const Output& output, const Run&) {
  report::Table table = view::learning_curve_table(output.theory, output.experiments);
  table.title =
      fmt::format("Learning curve: {}; experiments at d = {}, {} instances", subject(output), kDimension, kInstances);
  view::Warnings notes = view::warnings(output.theory, "alpha", alpha_grid());
  for (const auto& point : output.experiments)
    notes = std::move(notes) + view::warnings(point.theory) + view::warnings(point.experiment);
  view::Result result{.tables = {table},
                      .rows = table,
                      .warnings = std::move(notes) + output.notes,
                      .converged = output.converged,
                      .interrupted = output.interrupted};
  if (output.interrupted.empty()) result.page = demo_page(output);
  if (!output.spectrum) return result;
  report::Table& spectrum = result.tables.emplace_back(view::spectrum_table(*output.spectrum, &output.measured));
  spectrum.title =
      fmt::format("Spectrum of the trained S at α = {}, experiments at d = {}", kSpectrumAlpha, kSpectrumDimension);
  return result;
}

}  // namespace attnlaw::operations
