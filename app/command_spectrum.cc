#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "attnlaw/study/resolve.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/spectrum.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

using Curve = theory::TrainedLaw::Curve;

/// The law of the target as given (d → ∞), and what was measured.
struct Outcome {
  theory::Solution solution;
  Curve density;
  std::optional<experiment::Experiment> experiment;
  std::optional<study::SpectrumComparison> measured;

  const study::SpectrumComparison* measurement() const { return measured ? &*measured : nullptr; }
  bool converged() const { return solution.diagnostics.converged && (!experiment || experiment->converged()); }
  Warnings notes() const { return warnings(solution) + (experiment ? warnings(*experiment) : Warnings()); }
};

Outcome predict(const SpectrumArguments& arguments) {
  Outcome outcome;
  outcome.solution = theory::solve(arguments.problem, arguments.options);
  outcome.density = theory::TrainedLaw(outcome.solution, arguments.problem.target_law()).density();
  return outcome;
}

Outcome predict_and_measure(const SpectrumArguments& arguments) {
  experiment::Options options = arguments.experiments.at(arguments.experiments.d.front(), arguments.common);
  experiment::require_feasible(study::with_some_lambda(arguments.problem), options);
  Outcome outcome = predict(arguments);
  study::require_trainable(outcome.solution.problem);
  Progress progress(fmt::format("d = {}", options.d), arguments.common.quiet);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  outcome.experiment = experiment::run(outcome.solution.problem, options);
  outcome.measured = study::compare_spectra(*outcome.experiment, outcome.solution, arguments.problem.target_law());
  return outcome;
}

/// Of W, in units of √d: σ² = s √κ with S = W Wᵀ/√(m_h d), κ = m_h/d.
nlohmann::json singular_values(const Outcome& outcome) {
  const double unit = std::sqrt(outcome.solution.problem.width);
  const auto sigma = [&](double s) { return std::sqrt(std::max(0.0, s) * unit); };
  nlohmann::json edges = nlohmann::json::array();
  for (const auto& edge : outcome.solution.spectrum.edges) edges.push_back({sigma(edge.lower), sigma(edge.upper)});
  Curve curve;
  for (std::size_t i = 0; i < outcome.density.s.size(); ++i) {
    curve.s.push_back(sigma(outcome.density.s[i]));
    curve.density.push_back(outcome.density.density[i] * 2 * curve.s.back() / unit);
  }
  return {{"edges", edges}, {"sigma", curve.s}, {"density", curve.density}};
}

nlohmann::json measured_outliers(const study::SpectrumComparison& measured) {
  nlohmann::json document = nlohmann::json::array();
  for (const study::OutlierComparison& outlier : measured.outliers) {
    document.push_back({{"target", outlier.predicted.target},
                        {"predicted", outlier.predicted.eigenvalue},
                        {"measured", outlier.measured.value},
                        {"standard_error", outlier.measured.standard_error},
                        {"difference", outlier.difference}});
    const auto add = [&](const char* key, const std::optional<base::Estimate>& overlap) {
      if (overlap) document.back()[key] = {{"value", overlap->value}, {"standard_error", overlap->standard_error}};
    };
    add("left_overlap", outlier.left_overlap);
    add("right_overlap", outlier.right_overlap);
  }
  return document;
}

nlohmann::json document_of(const Outcome& outcome) {
  nlohmann::json document = theory::to_json(outcome.solution);
  document["command"] = "spectrum";
  document["converged"] = outcome.converged();
  document["density"] = {{"s", outcome.density.s}, {"density", outcome.density.density}};
  if (outcome.solution.problem.student == model::Student::tied) document["singular_values"] = singular_values(outcome);
  if (outcome.measured)
    document["experiment"] = {{"d", outcome.experiment->d},
                              {"converged", outcome.experiment->converged()},
                              {"eigenvalues", outcome.measured->eigenvalues},
                              {"zero_tolerance", outcome.measured->zero_tolerance},
                              {"zero_mass", outcome.measured->zero_mass},
                              {"kolmogorov_distance", outcome.measured->kolmogorov_distance},
                              {"outliers", measured_outliers(*outcome.measured)}};
  return document;
}

report::Page page_of(const Outcome& outcome, report::Table table) {
  report::Page page;
  page.title = "Spectrum of the trained map";
  page.lead = describe(outcome.solution.problem);
  table.title.clear();
  page.sections.push_back(
      {"Law and experiment", "", spectrum_chart(outcome.solution, outcome.density, outcome.measurement()), table});
  return page;
}

}  // namespace

int run(const SpectrumArguments& arguments) {
  require_spectral_law(arguments.problem);
  require_outputs(arguments.common, arguments.html);
  const Outcome outcome = arguments.experiments.d.empty() ? predict(arguments) : predict_and_measure(arguments);
  report::Table table = spectrum_table(outcome.solution, outcome.measurement());
  table.title = "Spectrum of the trained S: " + describe(outcome.solution.problem);
  Result result{{table, collapse_table(outcome.solution.spectrum.collapse)},
                document_of(outcome),
                spectrum_rows(outcome.solution, outcome.density, outcome.measurement()),
                outcome.notes(),
                report_note(arguments.html)};
  if (outcome.solution.optimal_lambda) result.tables.push_back(optimum_table(*outcome.solution.optimal_lambda));
  if (!arguments.html.empty()) write_page(arguments.html, page_of(outcome, table), result.warnings);
  emit(arguments.common, result);
  return outcome.converged() ? 0 : 1;
}

}  // namespace attnlaw::legacy
