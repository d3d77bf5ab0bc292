#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "attnlaw/laws/pooling/json.h"
#include "attnlaw/view/pooling.h"
#include "commands.h"
#include "legacy_progress.h"
#include "output.h"

namespace attnlaw::legacy {

using namespace view;
namespace {

constexpr int kDensityPoints = 400;

PoolingOutcome predict(const PoolingArguments& arguments) {
  PoolingOutcome outcome;
  const laws::PoolingRatios& ratios = arguments.model.ratios;
  outcome.prediction = laws::predict_pooling(arguments.model);
  outcome.density = laws::pooling_density(ratios, arguments.model.kappa_pool, kDensityPoints);
  outcome.sequences = arguments.sequences;
  if (!arguments.sequences) return outcome;
  const laws::PooledSequences& sequences = *arguments.sequences;
  if (arguments.fixed_length) outcome.fixed_length = laws::fixed_length_law(ratios, sequences.values);
  outcome.choices = laws::compare_weights(ratios, sequences.correlations, sequences.values);
  if (!arguments.centred) outcome.nuisance = laws::nuisance_spike(ratios, sequences.scalars);
  if (outcome.power_profile()) {
    const auto& profile = std::get<laws::SignCorrelations::Profile>(sequences.correlations.kind());
    outcome.harmonic_crossing = laws::harmonic_crossing(profile.r.front(), profile.r.size());
  }
  return outcome;
}

laws::PoolingExperiment simulate(const PoolingArguments& arguments) {
  laws::PoolingExperimentOptions options = *arguments.experiment;
  Progress progress(fmt::format("d = {}", options.d), arguments.common.quiet);
  options.progress = [&](int done, int total) { progress.update(done, total); };
  return laws::simulate_pooling(arguments.model.ratios, arguments.model.mu2, arguments.sequences->correlations,
                                arguments.sequences->values, options);
}

nlohmann::json weights_json(const PoolingOutcome& outcome) {
  const laws::PooledSequences& sequences = *outcome.sequences;
  nlohmann::json document{
      {"values", sequences.values},
      {"compared", laws::to_json(*outcome.choices)},
      {"fixed_length_excess", laws::fixed_length_excess(outcome.prediction.model.ratios, sequences.scalars)}};
  if (outcome.power_profile())
    document["harmonic_crossing"] =
        outcome.harmonic_crossing ? nlohmann::json(*outcome.harmonic_crossing) : nlohmann::json(nullptr);
  return document;
}

nlohmann::json document_of(const PoolingOutcome& outcome) {
  nlohmann::json document = laws::to_json(outcome.prediction);
  document["schema"] = "attnlaw/2";
  document["command"] = "pooling";
  document["density"] = {{"x", outcome.density.x}, {"density", outcome.density.density}};
  if (outcome.sequences) {
    document["model"]["profile"] = outcome.sequences->profile;
    document["model"]["weights"] = outcome.sequences->weights;
    document["model"]["length"] = outcome.sequences->values.size();
    document["weights"] = weights_json(outcome);
  }
  if (outcome.fixed_length) {
    document["fixed_length"] = laws::to_json(*outcome.fixed_length);
    document["fixed_length"]["distance"] = outcome.fixed_length_distance();
  }
  if (outcome.nuisance) document["nuisance"] = laws::to_json(*outcome.nuisance);
  if (outcome.experiment) document["experiment"] = laws::to_json(*outcome.experiment);
  return document;
}

report::Page page_of(const PoolingOutcome& outcome) {
  report::Page page;
  page.title = "Signal recovery from attention-pooled sequences";
  page.lead = describe(outcome);
  report::Table levels = level_table(outcome);
  levels.title.clear();
  page.sections.push_back({"Spectrum", "", pooling_spectrum_chart(outcome), bulk_table(outcome)});
  if (auto table = fixed_length_table(outcome)) {
    const std::string heading = std::exchange(table->title, {});
    page.sections.push_back({heading, "", std::nullopt, *table});
  }
  page.sections.push_back({"Signal",
                           "The vocabulary hides a signal below a first threshold, pooling infinitely many sequences "
                           "shifts it, and a finite "
                           "number of sequences puts a second one above it.",
                           alignment_chart(outcome), levels});
  if (auto table = weights_table(outcome)) {
    const std::string heading = std::exchange(table->title, {});
    page.sections.push_back({heading, "", std::nullopt, *table});
  }
  return page;
}

}  // namespace

int run(const PoolingArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  PoolingOutcome outcome = predict(arguments);
  if (arguments.experiment) outcome.experiment = simulate(arguments);
  Result result{{level_table(outcome), bulk_table(outcome)},
                document_of(outcome),
                pooling_rows(outcome),
                warnings(outcome),
                report_note(arguments.html)};
  result.tables.front().title = "Attention pooling: " + describe(outcome);
  if (const auto table = fixed_length_table(outcome)) result.tables.push_back(*table);
  if (const auto table = weights_table(outcome)) result.tables.push_back(*table);
  if (!arguments.html.empty()) write_page(arguments.html, page_of(outcome), result.warnings);
  emit(arguments.common, result);
  return 0;
}

}  // namespace attnlaw::legacy
