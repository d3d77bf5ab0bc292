/// The main job of ./run: the learning curve of a softmax attention layer and its trained spectrum, theory and
/// experiment.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/grid.h"
#include "attnlaw/study/learning_curve.h"
#include "attnlaw/view/learning_curve.h"
#include "attnlaw/view/spectrum.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

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

experiment::Options experiment_options(const Common& common, int d) {
  experiment::Options options;
  options.d = d;
  options.instances = kInstances;
  options.seed = common.seed;
  options.threads = common.threads;
  return options;
}

std::vector<theory::Solution> theory_curve(const Common& common) {
  Progress progress("theory", common.quiet);
  return study::solve_each(study::along_alpha(demo_problem(), alpha_grid()), {}, common.threads,
                           [&](int done, int total) { progress.update(done, total); });
}

/// Experiments at α of the theory grid, evenly spread over it.
std::vector<study::Comparison> experiment_points(const Common& common, std::span<const theory::Solution> curve) {
  Progress progress("experiments", common.quiet);
  std::vector<study::Comparison> points;
  for (int k = 0; k < kExperimentPoints; ++k) {
    const auto index = static_cast<std::size_t>(k * (kTheoryPoints - 1) / (kExperimentPoints - 1));
    points.push_back(study::compare(curve[index].problem, experiment_options(common, kDimension)));
    progress.update(k + 1, kExperimentPoints);
  }
  return points;
}

struct SpectrumResult {
  theory::Solution solution;
  theory::TrainedLaw::Curve density;
  study::SpectrumComparison measured;
  Warnings notes;
  bool converged = false;
};

SpectrumResult spectrum_result(const Common& common) {
  Progress progress("spectrum", common.quiet);
  model::Problem problem = demo_problem();
  problem.alpha = kSpectrumAlpha;
  experiment::Options options = experiment_options(common, kSpectrumDimension);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  SpectrumResult result;
  result.solution = theory::solve(problem);
  result.density = theory::TrainedLaw(result.solution, problem.target_law()).density();
  const experiment::Experiment experiment = experiment::run(problem, options);
  result.measured = study::compare_spectra(experiment, result.solution, problem.target_law());
  result.notes = warnings(result.solution) + warnings(experiment);
  result.converged = result.solution.diagnostics.converged && experiment.converged();
  return result;
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

report::Page demo_page(std::span<const theory::Solution> curve, std::span<const study::Comparison> points,
                       const SpectrumResult& spectrum) {
  report::Page page;
  page.title = "What a softmax attention layer learns";
  page.lead = fmt::format(
      "A single-head attention layer with tied query and key (T = 2 tokens, weight decay λ = 0.05) learns a target "
      "attention map of "
      "rank d/2 from n = αd² sequences. Lines: the exact law for large d, solved without any fit. Points: layers "
      "trained by L-BFGS at "
      "d = {}, {} instances each, with standard errors.",
      kDimension, kInstances);
  page.sections.push_back(
      {"Learning curve",
       fmt::format("At finite d a correction of order 1/d remains: at most {:.0f} % for α > 0.2 here, more where there "
                   "are few sequences ({:.0f} % in the training error at α = {}). "
                   "`attnlaw simulate --alpha 0.5 --lambda 0.05 --d 40,60,90,130` shows it vanish.",
                   100 * largest_difference(points), 100 * std::abs(points.front().difference.train.value),
                   kFirstAlpha),
       learning_curve_chart(curve, points), std::nullopt});
  page.sections.push_back(
      {"Spectrum of the trained map",
       fmt::format("At α = {}, λ = 0.05: weight decay sets {:.1f} % of the eigenvalues of S to zero (measured at d = "
                   "{}: {:.1f} %); the others follow the predicted density, at a Kolmogorov distance of {:.3f}.",
                   kSpectrumAlpha, 100 * spectrum.solution.spectrum.zero_mass, kSpectrumDimension,
                   100 * spectrum.measured.zero_mass, spectrum.measured.kolmogorov_distance),
       spectrum_chart(spectrum.solution, spectrum.density, &spectrum.measured),
       spectrum_table(spectrum.solution, &spectrum.measured)});
  return page;
}

}  // namespace

int run(const DemoArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const std::vector<theory::Solution> curve = theory_curve(arguments.common);
  const std::vector<study::Comparison> points = experiment_points(arguments.common, curve);
  const SpectrumResult spectrum = spectrum_result(arguments.common);

  const bool converged = spectrum.converged &&
                         std::all_of(points.begin(), points.end(), [](const auto& p) { return p.converged(); }) &&
                         std::all_of(curve.begin(), curve.end(), [](const auto& s) { return s.diagnostics.converged; });

  report::Table table = learning_curve_table(curve, points);
  table.title = fmt::format("Learning curve: T = 2, softmax, λ = 0.05, κ* = 0.5; experiments at d = {}, {} instances",
                            kDimension, kInstances);
  report::Table spectrum_summary = spectrum_table(spectrum.solution, &spectrum.measured);
  spectrum_summary.title =
      fmt::format("Spectrum of the trained S at α = {}, experiments at d = {}", kSpectrumAlpha, kSpectrumDimension);
  nlohmann::json document{{"schema", "attnlaw/2"}, {"command", "demo"}};
  for (const auto& solution : curve) document["theory"].push_back(theory::to_json(solution));
  for (const auto& point : points) {
    document["experiments"].push_back(base::json_of(point));
    document["experiments"].back()["problem"] = base::json_of(point.experiment.problem);
  }
  document["spectrum"] = theory::to_json(spectrum.solution);
  document["converged"] = converged;
  document["html"] = arguments.html;
  Warnings notes = warnings(curve, "alpha", alpha_grid());
  for (const auto& point : points) notes = std::move(notes) + warnings(point.theory) + warnings(point.experiment);
  notes = std::move(notes) + spectrum.notes;
  write_page(arguments.html, demo_page(curve, points, spectrum), notes);
  emit(arguments.common, {{table, spectrum_summary}, document, table, notes, "Report with charts: " + arguments.html});

  return converged ? 0 : 1;
}

}  // namespace attnlaw::legacy
