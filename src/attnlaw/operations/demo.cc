#include "attnlaw/operations/demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/study/grid.h"
#include "attnlaw/study/learning_curve.h"
#include "attnlaw/view/comparison.h"
#include "attnlaw/view/spectrum.h"

namespace attnlaw::operations {
namespace {

using view::operator+;

constexpr double kFirstAlpha = 0.05, kLastAlpha = 2;
constexpr int kTheoryPoints = 40;
constexpr int kExperimentPoints = 8;
constexpr int kInstances = 4;
constexpr int kDimension = 60;
constexpr double kSpectrumAlpha = 0.3;
constexpr int kSpectrumDimension = 100;

model::Problem demo_problem() {
  model::Problem problem;
  problem.tokens = 2;
  problem.lambda = 0.05;
  problem.target = model::Target::parse("wishart:0.5");
  return problem;
}

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

std::vector<theory::Solution> theory_curve(const Run& run) {
  return study::solve_each(study::along(demo_problem(), &model::Problem::alpha, alpha_grid()), {}, run.threads,
                           progress_of(run, "theory"));
}

/// Experiments at α of the theory grid, evenly spread over it.
std::vector<study::Comparison> experiment_points(const Run& run, std::span<const theory::Solution> curve) {
  const auto progress = progress_of(run, "experiments");
  std::vector<study::Comparison> points;
  for (int k = 0; k < kExperimentPoints; ++k) {
    const auto index = static_cast<std::size_t>(k * (kTheoryPoints - 1) / (kExperimentPoints - 1));
    points.push_back(study::compare(curve[index].problem, experiment_options(run, kDimension)));
    if (progress) progress(k + 1, kExperimentPoints);
  }
  return points;
}

/// The trained spectrum over its law.
void add_spectrum(const Run& run, Demo::Output& output) {
  model::Problem problem = demo_problem();
  problem.alpha = kSpectrumAlpha;
  experiment::Options options = experiment_options(run, kSpectrumDimension);
  options.progress = progress_of(run, "spectrum");
  output.spectrum = theory::solve(problem);
  output.density = theory::TrainedLaw(output.spectrum, problem.target_law()).density();
  const experiment::Experiment experiment = experiment::run(problem, options);
  output.measured = study::compare_spectra(experiment, output.spectrum, problem.target_law());
  output.notes = view::warnings(output.spectrum) + view::warnings(experiment);
  output.converged = output.spectrum.diagnostics.converged && experiment.converged();
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

report::Page demo_page(const Demo::Output& output) {
  const std::span<const study::Comparison> points = output.experiments;
  report::Page page{
      .title = "What a softmax attention layer learns",
      .lead = fmt::format(
          "A single-head attention layer with tied query and key (T = 2 tokens, weight decay λ = 0.05) learns a target "
          "attention map of rank d/2 from n = αd² sequences. Lines: the exact law for large d, solved without any fit. "
          "Points: layers trained by L-BFGS at d = {}, {} instances each, with standard errors.",
          kDimension, kInstances)};
  page.sections.push_back(
      {"Learning curve",
       fmt::format("At finite d a correction of order 1/d remains: at most {:.0f} % for α > 0.2 here, more where there "
                   "are few sequences ({:.0f} % in the training error at α = {}). "
                   "`attnlaw simulate --alpha 0.5 --lambda 0.05 --d 40,60,90,130` shows it vanish.",
                   100 * largest_difference(points), 100 * std::abs(points.front().difference.train.value),
                   kFirstAlpha),
       view::learning_curve_chart(output.theory, points)});
  page.sections.push_back(
      {"Spectrum of the trained map",
       fmt::format("At α = {}, λ = 0.05: weight decay sets {:.1f} % of the eigenvalues of S to zero (measured at d = "
                   "{}: {:.1f} %); the others follow the predicted density, at a Kolmogorov distance of {:.3f}.",
                   kSpectrumAlpha, 100 * output.spectrum.spectrum.zero_mass, kSpectrumDimension,
                   100 * output.measured.zero_mass, output.measured.kolmogorov_distance),
       view::spectrum_chart(output.spectrum, output.density, &output.measured),
       view::spectrum_table(output.spectrum, &output.measured)});
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

const base::Description& describe(const Demo::Output*) {
  using O = Demo::Output;
  static const base::Description description{
      "a learning curve and a spectrum",
      {base::field("theory", &O::theory, {.doc = "solutions along α"}),
       base::figure_of<O>("experiments", points_of, {.doc = "experiments beside the theory, as simulate has them"}),
       base::field("spectrum", &O::spectrum, {.doc = "solution behind the spectrum"}),
       base::field("converged", &O::converged, {.doc = "whether every solution and every experiment did"}),
       base::field("html", &O::html, {.doc = "where the page is"})}};
  return description;
}

Demo::Output Demo::run(const Input&, const Run& run) {
  Output output;
  output.html = run.page_path;
  output.theory = theory_curve(run);
  output.experiments = experiment_points(run, output.theory);
  add_spectrum(run, output);
  output.converged =
      output.converged &&
      std::all_of(output.experiments.begin(), output.experiments.end(), [](const auto& p) { return p.converged(); }) &&
      std::all_of(output.theory.begin(), output.theory.end(), [](const auto& s) { return s.diagnostics.converged; });
  return output;
}

view::Result Demo::show(const Output& output, const Run&) {
  report::Table table = view::learning_curve_table(output.theory, output.experiments);
  table.title = fmt::format("Learning curve: T = 2, softmax, λ = 0.05, κ* = 0.5; experiments at d = {}, {} instances",
                            kDimension, kInstances);
  report::Table spectrum = view::spectrum_table(output.spectrum, &output.measured);
  spectrum.title =
      fmt::format("Spectrum of the trained S at α = {}, experiments at d = {}", kSpectrumAlpha, kSpectrumDimension);
  view::Warnings notes = view::warnings(output.theory, "alpha", alpha_grid());
  for (const auto& point : output.experiments)
    notes = std::move(notes) + view::warnings(point.theory) + view::warnings(point.experiment);
  return {.tables = {table, spectrum},
          .rows = table,
          .warnings = std::move(notes) + output.notes,
          .note = "Report with charts: " + output.html,
          .page = demo_page(output),
          .converged = output.converged};
}

}  // namespace attnlaw::operations
