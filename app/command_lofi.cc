#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/companion/lofi_data.h"
#include "attnlaw/companion/lofi_network.h"
#include "columns.h"
#include "commands.h"
#include "output.h"
#include "progress.h"

namespace attnlaw::app {
namespace {

using companion::FilteredLayer;
using companion::LofiFeature;
using companion::LofiMeasurement;
using companion::LofiReadout;
using companion::LofiResult;
using companion::LofiTarget;
using companion::LofiTheory;
using nlohmann::json;
using report::Table;

json or_null(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }
report::Cell finite_cell(double value) { return std::isfinite(value) ? report::Cell(value) : report::Cell("never"); }

json to_json(const FilteredLayer& layer) {
  json features = json::array();
  for (const LofiFeature& feature : layer.features)
    features.push_back(
        {{"kept", name(feature.kept)}, {"eigenvalue", feature.eigenvalue}, {"p_value", feature.p_value}});
  return {{"edges", {layer.lower_edge, layer.upper_edge}},
          {"largest", layer.eigenvalues.back()},
          {"smallest", layer.eigenvalues.front()},
          {"features", features}};
}

json to_json(const std::vector<LofiReadout>& readouts) {
  json result = json::array();
  for (const LofiReadout& readout : readouts)
    result.push_back({{"name", readout.name},
                      {"inputs", readout.inputs},
                      {"test_error", readout.test_error},
                      {"validation_error", readout.validation_error},
                      {"penalty", readout.penalty}});
  return result;
}

json to_json(const LofiResult& result) {
  json layers = json::array({to_json(result.first)});
  layers[0]["name"] = "operator of t";
  if (result.leap) {
    layers.push_back(to_json(*result.leap));
    layers[1]["name"] = "leap";
  }
  return {{"layers", layers}, {"readouts", to_json(result.readouts)}, {"whiteness", result.whiteness}};
}

json to_json(const LofiTheory& theory) {
  json directions = json::array();
  for (const companion::LofiPrediction& direction : theory.directions)
    directions.push_back({{"group", direction.group},
                          {"end", name(direction.end)},
                          {"threshold", or_null(direction.threshold)},
                          {"wide_threshold", or_null(direction.wide_threshold)},
                          {"eigenvalue", direction.eigenvalue},
                          {"overlap", direction.overlap}});
  return {{"edges", {theory.lower_edge, theory.upper_edge}},
          {"directions", directions},
          {"mean_overlap", theory.mean_overlap},
          {"kernel_threshold", theory.kernel_threshold},
          {"kernel_plateau", theory.kernel_plateau},
          {"depth_two_error", theory.depth_two_error ? json(*theory.depth_two_error) : json(nullptr)}};
}

/// Features of both operators, and why they are kept. `overlaps` of the first operator may be missing (data).
Table feature_table(const LofiResult& result, const std::vector<double>& overlaps) {
  Table table{"Features kept",
              {general("operator"), general("why"), general("eigenvalue"), general("p-value", 3), general("bulk from"),
               general("to"), general("squared overlap with target", 4)}};
  const auto add = [&](const std::string& name, const FilteredLayer& layer, const std::vector<double>& seen) {
    for (std::size_t i = 0; i < layer.features.size(); ++i) {
      const LofiFeature& feature = layer.features[i];
      table.rows.push_back({name, companion::name(feature.kept), feature.eigenvalue, feature.p_value, layer.lower_edge,
                            layer.upper_edge, i < seen.size() ? report::Cell(seen[i]) : report::Cell()});
    }
  };
  add("t", result.first, overlaps);
  if (result.leap) add("leap: y ĥ", *result.leap, {});
  if (overlaps.empty()) {
    table.columns.pop_back();
    for (auto& row : table.rows) row.pop_back();
  }
  return table;
}

Table readout_table(const std::vector<LofiReadout>& readouts) {
  Table table{"Error after each depth (mean square over variance, test samples)",
              {general("readout"), general("inputs"), general("test error", 4), general("validation error", 4),
               general("ridge penalty", 3)}};
  for (const LofiReadout& readout : readouts)
    table.rows.push_back({readout.name, static_cast<long long>(readout.inputs), readout.test_error,
                          readout.validation_error, readout.penalty});
  return table;
}

report::Chart operator_chart(const FilteredLayer& layer, const std::vector<double>& outliers) {
  report::SpectrumChart chart;
  chart.title = "Spectrum of the label-weighted operator";
  chart.description =
      fmt::format("Histogram of the eigenvalues of M; white noise with these weights fills [{:.4g}, {:.4g}].",
                  layer.lower_edge, layer.upper_edge);
  chart.outliers = outliers;
  chart.eigenvalues = layer.eigenvalues;
  chart.zero_tolerance = 0;
  return report::spectrum_chart(chart);
}

void add_tables(report::Page& page, std::vector<Table> tables) {
  for (Table& table : tables) {
    report::Section section{table.title, "", std::nullopt, std::move(table)};
    section.table->title.clear();
    page.sections.push_back(std::move(section));
  }
}

// ---------------------------------------------------------------------------------------------- samples from a file

int run_on_data(const LofiArguments& arguments) {
  const companion::LabelledSamples samples = companion::read_labelled(arguments.data, arguments.labels);
  const int test = arguments.test > 0 ? arguments.test : static_cast<int>(samples.x.rows() / 5);
  const companion::Split split = companion::split_samples(samples, test);
  const LofiResult result = companion::run_lofi(
      split.train, split.test, companion::data_weights(split.train.y, arguments.options.clip), arguments.options);
  Result output;
  output.tables = {feature_table(result, {}), readout_table(result.readouts)};
  output.tables[0].title = fmt::format("Features kept: {} samples of {} features, {}", split.train.x.rows(),
                                       split.train.x.cols(), arguments.data);
  output.document = to_json(result);
  output.document["schema"] = "attnlaw/1";
  output.document["command"] = "lofi";
  output.document["data"] = arguments.data;
  output.document["n"] = split.train.x.rows();
  output.document["features"] = split.train.x.cols();
  output.document["test"] = test;
  output.rows = readout_table(result.readouts);
  constexpr double kWhite = 1.5;  // largest eigenvalue of the covariance, over that of white features
  if (result.whiteness > kWhite && arguments.options.filter.permutations == 0)
    output.warnings.push_back(
        fmt::format("features are not white (largest eigenvalue of their covariance {:.3g} times that of white ones): "
                    "p-values do not hold, use --permutations 99",
                    result.whiteness));
  if (result.first.features.empty())
    output.warnings.push_back("nothing stands out of the noise: the readouts answer the mean of the labels");
  if (!arguments.html.empty()) {
    report::Page page;
    page.title = "Layer-wise spectral filtering";
    page.lead = fmt::format("{} training samples of {} features from {}, {} test samples.", split.train.x.rows(),
                            split.train.x.cols(), arguments.data, test);
    page.sections.push_back({"Operator of the first layer", "", operator_chart(result.first, {}), std::nullopt});
    add_tables(page, output.tables);
    write_page(arguments.html, std::move(page), output.warnings);
    output.note = report_note(arguments.html);
  }
  emit(arguments.common, output);
  return 0;
}

// -------------------------------------------------------------------------------------------------- built-in targets

/// Theory and experiments at one n.
struct Run {
  int n = 0;
  LofiTheory theory;
  std::vector<LofiMeasurement> instances;

  template <class Figure>
  base::Estimate estimate(const Figure& figure) const {
    std::vector<double> values;
    for (const LofiMeasurement& instance : instances) values.push_back(figure(instance));
    return base::estimate_of(values);
  }
  base::Estimate test_error(std::size_t readout) const {
    return estimate([&](const LofiMeasurement& m) { return m.result.readouts[readout].test_error; });
  }
};

Run run_at(const LofiArguments& arguments, const LofiTarget& target, int n) {
  Run run{n, companion::predict_lofi(target, arguments.d, n), {}};
  run.instances.resize(static_cast<std::size_t>(arguments.instances));
  Progress progress(fmt::format("n = {}", n), arguments.common.quiet);
  int done = 0;
  std::mutex mutex;
  base::parallel_for(run.instances.size(), arguments.common.threads, [&](std::size_t i) {
    run.instances[i] = companion::measure_lofi(target, arguments.d, n, arguments.test > 0 ? arguments.test : 10000, i,
                                               arguments.options);
    const std::lock_guard lock(mutex);
    progress.update(++done, arguments.instances);
  });
  return run;
}

Table theory_table(const LofiArguments& arguments, const Run& run) {
  Table table{fmt::format("Theory: {}, d = {}, n = {}; bulk [{:.4g}, {:.4g}]", arguments.target, arguments.d, run.n,
                          run.theory.lower_edge, run.theory.upper_edge),
              {general("direction"), general("seen through"), general("end"), general("emerges at n", 5),
               general("d E T²/θ²", 5), general("eigenvalue", 5), general("squared overlap", 4)}};
  long long number = 0;
  for (const companion::LofiPrediction& direction : run.theory.directions)
    table.rows.push_back({++number, std::string(direction.group == 1 ? "y" : "y h₁"), name(direction.end),
                          finite_cell(direction.threshold), finite_cell(direction.wide_threshold), direction.eigenvalue,
                          direction.overlap});
  return table;
}

/// One row for each n.
Table curve_table(const std::vector<Run>& runs) {
  Table table{"Experiments beside the theory",
              {general("n"), general("seen"), general("theory seen"), general("overlap", 4),
               general("±", kErrorFigures), general("theory overlap", 4), general("depth 2 theory", 4)}};
  const Run& last = runs.back();
  for (const LofiReadout& readout : last.instances.front().result.readouts) {
    table.columns.push_back(general(readout.name, 4));
    table.columns.push_back(general("±", kErrorFigures));
  }
  for (const Run& run : runs) {
    const base::Estimate overlap = run.estimate([](const auto& m) { return m.mean_overlap; });
    const auto seen = std::count_if(run.theory.directions.begin(), run.theory.directions.end(),
                                    [](const auto& x) { return x.group == 1 && x.overlap > 0; });
    std::vector<report::Cell> row{
        static_cast<long long>(run.n),
        run.estimate([](const auto& m) { return static_cast<double>(m.seen); }).value,
        static_cast<long long>(seen),
        overlap.value,
        or_nothing(overlap.standard_error),
        run.theory.mean_overlap,
        run.theory.depth_two_error ? report::Cell(*run.theory.depth_two_error) : report::Cell()};
    for (std::size_t i = 0; i < run.instances.front().result.readouts.size(); ++i) {
      const base::Estimate error = run.test_error(i);
      row.emplace_back(error.value);
      row.push_back(or_nothing(error.standard_error));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table record_table(const std::vector<Run>& runs) {
  Table table{"",
              {general("n"), general("instance"), general("seen"), general("overlap"), general("theory_overlap"),
               general("leap_overlap"), general("readout"), general("inputs"), general("test_error"),
               general("validation_error"), general("theory_depth_two")}};
  for (const Run& run : runs)
    for (std::size_t i = 0; i < run.instances.size(); ++i)
      for (const LofiReadout& readout : run.instances[i].result.readouts)
        table.rows.push_back({static_cast<long long>(run.n), static_cast<long long>(i),
                              static_cast<long long>(run.instances[i].seen), run.instances[i].mean_overlap,
                              run.theory.mean_overlap, run.instances[i].leap_overlap, readout.name,
                              static_cast<long long>(readout.inputs), readout.test_error, readout.validation_error,
                              run.theory.depth_two_error ? report::Cell(*run.theory.depth_two_error) : report::Cell()});
  return table;
}

json document_of(const LofiArguments& arguments, const LofiTarget& target, const std::vector<Run>& runs) {
  json document{{"schema", "attnlaw/1"},
                {"command", "lofi"},
                {"target", target.spec()},
                {"d", arguments.d},
                {"linear_share", target.linear_share()},
                {"runs", json::array()}};
  for (const Run& run : runs) {
    json instances = json::array();
    for (const LofiMeasurement& measured : run.instances) {
      json instance = to_json(measured.result);
      instance["seen"] = measured.seen;
      instance["mean_overlap"] = measured.mean_overlap;
      instance["feature_overlaps"] = measured.feature_overlaps;
      instance["leap_overlap"] = measured.leap_overlap;
      instances.push_back(std::move(instance));
    }
    document["runs"].push_back({{"n", run.n}, {"theory", to_json(run.theory)}, {"instances", instances}});
  }
  return document;
}

report::Chart error_chart(const std::vector<Run>& runs) {
  report::ErrorsChart chart{"Test error after each depth",
                            "Test error over the variance of the label against the number of samples.",
                            {"n", report::Scale::log},
                            {"test error / Var y", report::Scale::log},
                            {}};
  const auto& readouts = runs.front().instances.front().result.readouts;
  for (std::size_t i = 0; i < readouts.size(); ++i) {
    report::Series series{readouts[i].name, {}, {}};
    for (const Run& run : runs) {
      const base::Estimate error = run.test_error(i);
      series.experiment.push_back({static_cast<double>(run.n), error.value, error.standard_error});
      if (readouts[i].name == "depth 2" && run.theory.depth_two_error)
        series.theory.push_back({static_cast<double>(run.n), *run.theory.depth_two_error, 0});
    }
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

std::vector<double> predicted_outliers(const LofiTheory& theory) {
  std::vector<double> values;
  for (const auto& direction : theory.directions)
    if (direction.group == 1 && direction.overlap > 0) values.push_back(direction.eigenvalue);
  return values;
}

int run_on_target(const LofiArguments& arguments) {
  const LofiTarget target = LofiTarget::parse(arguments.target);
  std::vector<Run> runs;
  for (const int n : arguments.n) runs.push_back(run_at(arguments, target, n));
  const Run& last = runs.back();
  Result output;
  output.tables = {theory_table(arguments, last)};
  output.document = document_of(arguments, target, runs);
  output.rows = output.tables.front();
  report::Page page;
  page.title = "Layer-wise spectral filtering";
  page.lead = fmt::format(
      "Target {}, d = {}. A lazy kernel needs n ≈ {:.0f} for the part of degree 2 and then stays at "
      "an error of {:.3f}.",
      target.spec(), arguments.d, last.theory.kernel_threshold, last.theory.kernel_plateau);
  if (!last.instances.empty()) {
    output.tables.push_back(curve_table(runs));
    output.tables.push_back(feature_table(last.instances.front().result, last.instances.front().feature_overlaps));
    output.rows = record_table(runs);
    page.sections.push_back({"Learning curve", "", error_chart(runs), std::nullopt});
    page.sections.push_back({"Operator of the first layer", fmt::format("At n = {}.", last.n),
                             operator_chart(last.instances.front().result.first, predicted_outliers(last.theory)),
                             std::nullopt});
  }
  if (!arguments.html.empty()) {
    add_tables(page, output.tables);
    write_page(arguments.html, std::move(page), {});
    output.note = report_note(arguments.html);
  }
  emit(arguments.common, output);
  return 0;
}

}  // namespace

int run(const LofiArguments& arguments) {
  require_outputs(arguments.common, arguments.html);
  return arguments.data.empty() ? run_on_target(arguments) : run_on_data(arguments);
}

}  // namespace attnlaw::app
