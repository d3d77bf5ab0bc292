#include <fmt/format.h>

#include <optional>

#include "commands.h"
#include "output.h"
#include "progress.h"
#include "reports.h"

namespace attnlaw::app {
namespace {

using matrix_laws::Spectrum;

/// The law of the target as given (d → ∞), and what was measured.
struct Outcome {
  theory::Solution solution;
  theory::TrainedLaw::Curve density;
  std::optional<experiment::Experiment> experiment;
  std::optional<study::SpectrumComparison> measured;

  const study::SpectrumComparison* measurement() const { return measured ? &*measured : nullptr; }
  bool converged() const { return solution.diagnostics.converged && (!experiment || experiment->converged()); }
  std::string note() const { return lines({warnings(solution), experiment ? warnings(*experiment) : ""}); }
};

Outcome predict(const SpectrumArguments& arguments) {
  Outcome outcome;
  outcome.solution = theory::solve(arguments.problem, arguments.options);
  outcome.density = theory::TrainedLaw(outcome.solution, arguments.problem.target.spectrum()).density();
  return outcome;
}

Outcome predict_and_measure(const SpectrumArguments& arguments) {
  experiment::Options options = arguments.experiments.at(arguments.experiments.d.front(), arguments.common);
  experiment::require_feasible(arguments.problem, options);
  Outcome outcome = predict(arguments);
  Progress progress(fmt::format("d = {}", options.d), arguments.common.quiet);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  outcome.experiment = experiment::run(arguments.problem, options);
  outcome.measured = study::compare_spectra(*outcome.experiment, outcome.solution, arguments.problem.target.spectrum());
  return outcome;
}

nlohmann::json document_of(const Outcome& outcome) {
  nlohmann::json document = theory::to_json(outcome.solution);
  document["command"] = "spectrum";
  document["converged"] = outcome.converged();
  document["density"] = {{"s", outcome.density.s}, {"density", outcome.density.density}};
  if (outcome.measured)
    document["experiment"] = {{"d", outcome.experiment->d},
                              {"converged", outcome.experiment->converged()},
                              {"eigenvalues", outcome.measured->eigenvalues},
                              {"zero_tolerance", outcome.measured->zero_tolerance},
                              {"zero_mass", outcome.measured->zero_mass},
                              {"kolmogorov_distance", outcome.measured->kolmogorov_distance}};
  return document;
}

report::Table density_rows(const theory::TrainedLaw::Curve& density) {
  report::Table table{"", {{"s"}, {"density"}}};
  for (std::size_t i = 0; i < density.s.size(); ++i) table.rows.push_back({density.s[i], density.density[i]});
  return table;
}

}  // namespace

int run(const SpectrumArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const Outcome outcome = arguments.experiments.d.empty() ? predict(arguments) : predict_and_measure(arguments);
  report::Table table = spectrum_table(outcome.solution, outcome.measurement());
  table.title = "Spectrum of the trained S: " + describe(arguments.problem);
  emit(arguments.common, {{table}, document_of(outcome), density_rows(outcome.density), outcome.note()});
  if (!arguments.html.empty()) {
    report::Page page;
    page.title = "Spectrum of the trained map";
    page.lead = describe(arguments.problem);
    table.title.clear();
    page.sections.push_back(
        {"Law and experiment", "", spectrum_chart(outcome.solution, outcome.density, outcome.measurement()), table});
    write_page(arguments.html, page);
  }
  return outcome.converged() ? 0 : 1;
}

}  // namespace attnlaw::app
