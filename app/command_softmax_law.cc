#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "attnlaw/laws/softmax/document.h"
#include "attnlaw/view/softmax_law.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

constexpr int kDensityPoints = 400;

laws::SimulationOptions simulation_options(const SoftmaxLawArguments& arguments) {
  laws::SimulationOptions options;
  options.length = arguments.length;
  options.instances = arguments.instances;
  options.seed = arguments.common.seed;
  options.threads = arguments.common.threads;
  return options;
}

laws::AttentionSimulation simulate(const SoftmaxLawArguments& arguments) {
  Progress progress("attention", arguments.common.quiet);
  laws::SimulationOptions options = simulation_options(arguments);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  return laws::simulate_attention(arguments.parameters, options);
}

/// With a simulation, the law is that of the ratios which its whole dimensions have.
SoftmaxLawResult compute(const SoftmaxLawArguments& arguments) {
  std::optional<laws::AttentionSimulation> simulation;
  if (arguments.instances > 0) simulation = simulate(arguments);
  const laws::SoftmaxParameters parameters = simulation ? simulation->parameters : arguments.parameters;
  laws::SoftmaxLaw law(laws::linear_model(parameters, arguments.refinement, arguments.length));
  SoftmaxLawResult result{parameters,
                          law,
                          law.density_curve(kDensityPoints),
                          laws::marchenko_pastur_distance(law),
                          law.outlier(laws::column_strength(parameters)),
                          laws::finite_size(parameters, arguments.length)};
  if (simulation) {
    result.measured = laws::compare(*simulation, law);
    result.simulation = std::move(simulation);
  }
  return result;
}

nlohmann::json document_of(const SoftmaxLawArguments& arguments, const SoftmaxLawResult& result) {
  nlohmann::json document{{"schema", "attnlaw/2"},
                          {"command", "softmax-law"},
                          {"parameters", laws::to_json(arguments.parameters)},
                          {"law", laws::to_json(result.law)},
                          {"marchenko_pastur", laws::to_json(result.marchenko_pastur)},
                          {"finite_size", laws::to_json(result.finite_size)},
                          {"density", laws::to_json(result.density)},
                          {"converged", result.converged()}};
  document["parameters"]["refine"] = laws::name(arguments.refinement);
  document["parameters"]["length"] = arguments.length;
  document["law"]["column_strength"] = laws::column_strength(result.parameters);
  document["law"]["outlier"] = result.outlier ? nlohmann::json(*result.outlier) : nlohmann::json();
  document["law"]["leading_excess"] = result.leading_excess();
  if (result.simulation) document["simulation"] = laws::to_json(*result.simulation, *result.measured);
  return document;
}

report::Page page_of(const SoftmaxLawResult& result, report::Table table, report::Table finite_size) {
  report::Page page;
  page.title = "Softmax attention at initialisation";
  page.lead = describe(result.parameters);
  if (result.simulation)
    page.lead += fmt::format("; {} simulated attention matrices of {} tokens.", result.simulation->instances.size(),
                             result.simulation->length);
  table.title.clear();
  const std::string heading = finite_size.title;
  finite_size.title.clear();
  page.sections.push_back(
      {result.measured ? "Law and experiment" : "The law", "", softmax_law_chart(result), std::move(table)});
  page.sections.push_back({"Beside Marchenko-Pastur", "", marchenko_pastur_chart(result), std::nullopt});
  page.sections.push_back({heading, "", std::nullopt, std::move(finite_size)});
  return page;
}

}  // namespace

int run(const SoftmaxLawArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  const SoftmaxLawResult computed = compute(arguments);
  report::Table table = softmax_law_table(computed);
  table.title = "Softmax attention at initialisation: " + describe(computed.parameters);
  if (arguments.refinement != laws::Refinement::none)
    table.title += std::string(", refined: ") + laws::name(arguments.refinement);
  const report::Table finite_size = finite_size_table(computed.finite_size);
  Result result{{table, finite_size},
                document_of(arguments, computed),
                softmax_law_rows(computed),
                warnings(computed),
                report_note(arguments.html)};
  if (!arguments.html.empty()) write_page(arguments.html, page_of(computed, table, finite_size), result.warnings);
  emit(arguments.common, result);
  return computed.converged() ? 0 : 1;
}

}  // namespace attnlaw::legacy
