#include "attnlaw/view/lofi.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/base/instances.h"
#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

using laws::FilteredLayer;
using laws::Kept;
using laws::LofiFeature;
using laws::LofiMeasurement;
using laws::LofiPrediction;
using laws::LofiReadout;
using laws::LofiResult;
using laws::LofiTheory;
using report::Cell;
using report::Table;

constexpr const char* kDepthTwo = "depth 2";
constexpr const char* kTitle = "Layer-wise spectral filtering";  ///< of pages

Cell finite_cell(double value) { return std::isfinite(value) ? Cell(value) : Cell("never"); }

/// The three coordinates of largest weight read as "x1 +0.71, x2 −0.70".
std::string main_coordinates(const Eigen::VectorXd& direction) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(direction.size()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
  const std::size_t shown = std::min<std::size_t>(3, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [&](auto a, auto b) { return std::abs(direction[a]) > std::abs(direction[b]); });
  std::string text;
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}x{} {:+.2f}", i == 0 ? "" : ", ", order[i] + 1, direction[order[i]]);
  return text;
}

Table layer_table(const LofiResult& result) {
  Table table = headed("Layers", {"operator", "samples", "dimension", general("bulk from", 5), general("bulk to", 5),
                                  general("kept below", 5), general("kept above", 5), general("smallest", 5),
                                  general("largest", 5), "features kept"});
  for (const auto& [name, layer] : result.layers()) {
    const auto below = [stacked = layer->stacked](double value) { return stacked ? Cell() : Cell(value); };
    add(table, name, layer->samples, layer->dimension, below(layer->lower_edge), layer->upper_edge,
        below(layer->lower_threshold), layer->upper_threshold, layer->eigenvalues.front(), layer->eigenvalues.back(),
        layer->features.size());
  }
  return table;
}

/// Returns the squared overlap with the target of a feature of the first operator; `overlaps` is null for data.
Cell overlap_of(const std::vector<double>* overlaps, bool first, std::size_t feature) {
  return overlaps && first ? Cell((*overlaps)[feature]) : Cell();
}

/// The features of all operators stand here with the reason why they are kept.
Table feature_table(const LofiResult& result, const std::vector<double>* overlaps) {
  Table table = headed("Features kept",
                       {"operator", "why", general("eigenvalue", 5), general("threshold", 5), general("p-value", 3),
                        overlaps ? general("squared overlap with target", 4) : general("largest coordinates")});
  for (const auto& [name, layer] : result.layers()) {
    for (std::size_t i = 0; i < layer->features.size(); ++i) {
      const LofiFeature& feature = layer->features[i];
      const double beyond = feature.kept == Kept::below ? layer->lower_threshold : layer->upper_threshold;
      std::string why = base::name(feature.kept);
      if (layer->stacked && feature.kept == Kept::degree_one) why += fmt::format(" of output {}", feature.output + 1);
      add(table, name, why, feature.eigenvalue, feature.kept == Kept::degree_one ? Cell() : Cell(beyond),
          feature.p_value,
          overlaps ? overlap_of(overlaps, layer == &result.first, i) : Cell(main_coordinates(feature.direction)));
    }
  }
  if (table.rows.empty()) table.title = "Features kept: none";
  return table;
}

Table readout_table(const LofiResult& result) {
  Table table = headed(
      "Error after each depth (mean square over variance, test samples)",
      {"readout", "inputs", general("test error", 4), general("validation error", 4), general("ridge penalty", 3)});
  const std::size_t outputs = result.readouts.front().output_errors.size();
  constexpr std::size_t kMostColumns = 6;
  for (std::size_t k = 0; outputs <= kMostColumns && k < outputs; ++k)
    table.columns.push_back(general(fmt::format("output {}", k + 1), 4));
  for (const LofiReadout& readout : result.readouts) {
    Row errors;
    for (const double error : readout.output_errors) append(errors, error);
    add(table, readout.name, readout.inputs, readout.test_error, readout.validation_error, readout.penalty, errors);
  }
  return table;
}

bool alike(const LofiPrediction& a, const LofiPrediction& b) {
  constexpr double kSame = 1e-3;  // of the accuracy with which laws of forms are known on their grid
  // A threshold may be 0: seen at any number of samples.
  return a.group == b.group && a.end == b.end && std::abs(a.threshold - b.threshold) <= kSame * a.threshold &&
         std::abs(a.overlap - b.overlap) <= kSame;
}

/// There is one row for directions that are alike.
Table theory_table(const LofiTargetOutcome& outcome) {
  const LofiRun& run = outcome.runs.back();
  Table table = headed(fmt::format("Theory: {}, d = {}, n = {}; bulk [{:.4g}, {:.4g}]", outcome.target.spec(),
                                   outcome.d, run.n, run.theory.lower_edge, run.theory.upper_edge),
                       {"directions", "seen through", "end", general("emerges at n", 5), general("d E T²/θ²", 5),
                        general("eigenvalue", 5), general("squared overlap", 4)});
  const auto& directions = run.theory.directions;
  for (std::size_t i = 0, next = 0; i < directions.size(); i = next) {
    do ++next;
    while (next < directions.size() && alike(directions[i], directions[next]));
    const LofiPrediction& direction = directions[i];
    add(table, next - i, direction.group == 1 ? "y" : "y h₁", direction.end, finite_cell(direction.threshold),
        finite_cell(direction.wide_threshold), direction.eigenvalue, direction.overlap);
  }
  return table;
}

long long seen_in_theory(const LofiTheory& theory) {
  return std::count_if(theory.directions.begin(), theory.directions.end(),
                       [](const auto& x) { return x.group == 1 && x.overlap > 0; });
}

/// There is one row for each n.
Table curve_table(const std::vector<LofiRun>& runs) {
  Table table =
      headed("Experiments beside the theory", {"n", "seen", "theory seen", general("overlap", 4), error_column(),
                                               general("theory overlap", 4), general("depth 2 theory", 4)});
  const std::vector<LofiReadout>& readouts = runs.back().instances.front().result.readouts;
  for (const LofiReadout& readout : readouts) add_columns(table, {general(readout.name, 4), error_column()});
  for (const LofiRun& run : runs) {
    Row errors;
    for (std::size_t i = 0; i < readouts.size(); ++i) append(errors, run.test_error(i));
    const auto seen = base::estimate_over(run.instances, [](const auto& m) { return static_cast<double>(m.seen); });
    add(table, run.n, seen.value, seen_in_theory(run.theory),
        base::estimate_over(run.instances, [](const auto& m) { return m.mean_overlap; }), run.theory.mean_overlap,
        run.theory.depth_two_error, errors);
  }
  return table;
}

void add_records(Table& table, const LofiResult& result, const Fields& common, const std::vector<double>* overlaps) {
  const auto with = [&](Fields cells) {
    append(cells, common);
    return cells;
  };
  for (const auto& [name, layer] : result.layers())
    for (std::size_t i = 0; i < layer->features.size(); ++i)
      add_row(table,
              with({{"kind", "feature"},
                    {"layer", name},
                    {"name", layer->features[i].kept},
                    {"overlap", overlap_of(overlaps, layer == &result.first, i)}}),
              layer->features[i]);
  for (const LofiReadout& readout : result.readouts) add_row(table, with({{"kind", "readout"}}), readout);
}

report::Chart operator_chart(const FilteredLayer& layer, const std::vector<double>& outliers) {
  const char* values =
      layer.stacked ? "singular values of the operators of all outputs" : "eigenvalues of the operator";
  constexpr double kRounding = 1e-12;
  return report::spectrum_chart(
      {.title = "Spectrum of the label-weighted operator",
       .description =
           fmt::format("Histogram of the {}; line: its bulk for white noise with these very weights.", values),
       .value = layer.stacked ? "singular value" : "eigenvalue",
       .density = points_over(layer.bulk,
                              [](const auto& at) {
                                return report::Point{at.x, at.density};
                              }),
       .predicted_zero_mass = layer.zero_mass,
       .outliers = outliers,
       .eigenvalues = layer.eigenvalues,
       .zero_tolerance =
           kRounding * std::max(std::abs(layer.eigenvalues.front()), std::abs(layer.eigenvalues.back()))});
}

std::vector<double> predicted_outliers(const LofiTheory& theory, int group) {
  std::vector<double> values;
  for (const LofiPrediction& direction : theory.directions)
    if (direction.group == group && direction.overlap > 0) values.push_back(direction.eigenvalue);
  return values;
}

/// Adds a section for every operator; `theory` of a target gives the predicted outliers.
void add_spectra(report::Page& page, const LofiResult& result, const LofiTheory* theory) {
  for (const auto& [name, layer] : result.layers()) {
    const int group = layer == &result.first ? 1 : 2;
    std::string text = fmt::format("{} samples in dimension {}. ", layer->samples, layer->dimension);
    text += layer->stacked
                ? fmt::format("White noise ends at {:.5g}; a direction is kept above {:.5g}.", layer->upper_edge,
                              layer->upper_threshold)
                : fmt::format("White noise fills [{:.5g}, {:.5g}]; a direction is kept below {:.5g} or above {:.5g}.",
                              layer->lower_edge, layer->upper_edge, layer->lower_threshold, layer->upper_threshold);
    page.sections.push_back(
        {group == 1 ? "Operator of the first layer" : "Leap: operator of y ĥ", text,
         operator_chart(*layer, theory ? predicted_outliers(*theory, group) : std::vector<double>{})});
  }
}

void add_tables(report::Page& page, const std::vector<Table>& tables) {
  for (report::Section& section : sections_of(tables)) page.sections.push_back(std::move(section));
}

report::Chart error_chart(const std::vector<LofiRun>& runs) {
  report::ErrorsChart chart{.title = "Test error after each depth",
                            .description = "Test error over the variance of the label against the number of samples.",
                            .x = {"n", Scale::log},
                            .y = {"test error / Var y", Scale::log}};
  const auto& readouts = runs.front().instances.front().result.readouts;
  for (std::size_t i = 0; i < readouts.size(); ++i) {
    report::Series series{readouts[i].name};
    for (const LofiRun& run : runs) {
      series.experiment.push_back(measured_point(run.n, run.test_error(i)));
      if (readouts[i].name == kDepthTwo && run.theory.depth_two_error)
        series.theory.push_back({static_cast<double>(run.n), *run.theory.depth_two_error});
    }
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

std::vector<Table> tables_of(const LofiDataOutcome& outcome) {
  std::vector<Table> tables{layer_table(outcome.result), feature_table(outcome.result, nullptr),
                            readout_table(outcome.result)};
  tables[0].title =
      fmt::format("Layers: {} training samples of {}{} features, {}{}", outcome.n,
                  outcome.tokens > 1 ? fmt::format("{} tokens of ", outcome.tokens) : "", outcome.features,
                  outcome.outputs > 1 ? fmt::format("{} outputs, ", outcome.outputs) : "", outcome.source);
  return tables;
}

std::vector<Table> tables_of(const LofiTargetOutcome& outcome) {
  std::vector<Table> tables{theory_table(outcome)};
  const LofiRun& last = outcome.runs.back();
  if (last.instances.empty()) return tables;
  const LofiMeasurement& shown = last.instances.front();
  tables.push_back(curve_table(outcome.runs));
  tables.push_back(layer_table(shown.result));
  tables.push_back(feature_table(shown.result, &shown.feature_overlaps));
  return tables;
}

Table rows_of(const LofiDataOutcome& outcome) {
  Table table = records(
      {"kind", "layer", "name", "eigenvalue", "p_value", "inputs", "test_error", "validation_error", "penalty"});
  add_records(table, outcome.result, {}, nullptr);
  return table;
}

Table rows_of(const LofiTargetOutcome& outcome) {
  Table table = records({"kind", "n", "instance", "layer", "name", "group", "threshold", "wide_threshold", "eigenvalue",
                         "overlap", "p_value", "inputs", "test_error", "validation_error", "penalty", "theory"});
  for (const LofiRun& run : outcome.runs) {
    for (const LofiPrediction& direction : run.theory.directions)
      add_row(table, {{"kind", "direction"}, {"n", run.n}, {"name", direction.end}}, direction);
    for (std::size_t i = 0; i < run.instances.size(); ++i) {
      const LofiMeasurement& measured = run.instances[i];
      const Fields common{{"n", run.n}, {"instance", i}};
      Fields overlap{{"kind", "overlap"},
                     {"name", "first group"},
                     {"overlap", measured.mean_overlap},
                     {"theory", run.theory.mean_overlap}};
      append(overlap, common);
      add_row(table, overlap);
      add_records(table, measured.result, common, &measured.feature_overlaps);
    }
  }
  return table;
}

report::Page page_of(const LofiDataOutcome& outcome, std::vector<Table> tables) {
  const std::string permutations = fmt::format(", by {} permutations of the labels", outcome.filter.permutations);
  report::Page page{
      .title = kTitle,
      .lead = fmt::format("{}, {} test samples. Directions are kept that noise makes at most {:g} of the time{}.",
                          tables[0].title, outcome.test, outcome.filter.significance,
                          outcome.filter.permutations > 0 ? permutations : "")};
  tables[0].title = "Layers";
  add_spectra(page, outcome.result, nullptr);
  add_tables(page, tables);
  return page;
}

report::Page page_of(const LofiTargetOutcome& outcome, const std::vector<Table>& tables) {
  const LofiRun& last = outcome.runs.back();
  report::Page page{
      .title = kTitle,
      .lead =
          fmt::format("Target {}, d = {}. A kernel that is fixed in advance needs n ≈ {:.0f} for the part of degree 2",
                      outcome.target.spec(), outcome.d, last.theory.kernel_threshold)};
  page.lead += std::isfinite(last.theory.kernel_plateau)
                   ? fmt::format(" and then stays at an error of {:.3f}.", last.theory.kernel_plateau)
                   : ".";
  if (!last.instances.empty()) {
    page.sections.push_back({"Learning curve", "", error_chart(outcome.runs)});
    add_spectra(page, last.instances.front().result, &last.theory);
  }
  add_tables(page, tables);
  return page;
}

Warnings warnings_of(const LofiDataOutcome& outcome) {
  Warnings lines;
  constexpr double kWhite = 1.5;  // largest eigenvalue of the covariance, over that of white features
  if (outcome.result.whiteness > kWhite && outcome.filter.permutations == 0)
    lines.push_back(
        fmt::format("features are not white (largest eigenvalue of their covariance {:.3g} times that of white ones): "
                    "p-values do not hold, use --permutations {}",
                    outcome.result.whiteness, static_cast<int>(std::ceil(1 / outcome.filter.significance)) - 1));
  if (outcome.result.first.features.empty())
    lines.push_back("nothing stands out of the noise: the readouts answer the mean of the labels");
  return lines;
}

Warnings warnings_of(const LofiTargetOutcome& outcome) {
  Warnings lines;
  for (const LofiRun& run : outcome.runs) {
    const auto blind = std::count_if(run.instances.begin(), run.instances.end(),
                                     [](const LofiMeasurement& m) { return m.result.first.features.empty(); });
    if (blind > 0)
      lines.push_back(
          fmt::format("n = {}: nothing stands out of the noise in {} of {} instances, whose readouts answer "
                      "the mean of the labels",
                      run.n, blind, run.instances.size()));
  }
  return lines;
}

template <class Outcome>
Result shown(const Outcome& outcome, bool draw) {
  Result result{.tables = tables_of(outcome), .rows = rows_of(outcome), .warnings = warnings_of(outcome)};
  if (draw) result.page = page_of(outcome, result.tables);
  return result;
}

}  // namespace

base::Estimate LofiRun::test_error(std::size_t readout) const {
  return base::estimate_over(instances,
                             [&](const LofiMeasurement& m) { return m.result.readouts[readout].test_error; });
}

Result show(const LofiDataOutcome& outcome, bool draw) { return shown(outcome, draw); }
Result show(const LofiTargetOutcome& outcome, bool draw) { return shown(outcome, draw); }

}  // namespace attnlaw::view
