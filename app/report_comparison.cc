#include "report_comparison.h"

#include <fmt/format.h>

#include <functional>

#include "columns.h"
#include "report_solution.h"

namespace attnlaw::app {
namespace {

using report::Cell;
using report::Table;
using study::kSharedErrors;
using study::SharedError;

/// Errors and figures of the loss that theory and experiment share; the training error of a posterior mean, for one,
/// does not exist.
std::vector<SharedError> shared_errors(const study::Comparison& comparison) {
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  std::vector<SharedError> errors(std::begin(kSharedErrors), std::end(kSharedErrors));
  const auto figures = study::shared_figures(comparison.experiment.problem);
  errors.insert(errors.end(), figures.begin(), figures.end());
  std::erase_if(errors, [&](const SharedError& error) { return std::isnan(predicted.*error.predicted); });
  return errors;
}

Table comparison_table(const study::Comparison& comparison) {
  const experiment::Experiment& run = comparison.experiment;
  Table table{fmt::format("{}: d = {}, n = {}, {} instance{}; theory on the targets drawn", describe(run.problem),
                          run.d, run.n, run.instances.size(), run.instances.size() == 1 ? "" : "s"),
              {general("error"), general("theory", 4), general("experiment", 4),
               general("standard error", kErrorFigures), percent("difference"), percent("its standard error")}};
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  for (const SharedError& error : shared_errors(comparison)) {
    const study::Estimate& difference = comparison.difference.*error.difference;
    table.rows.push_back({error.name, predicted.*error.predicted, run.mean.*error.measured,
                          or_nothing(run.standard_error.*error.measured), or_nothing(100 * difference.value),
                          or_nothing(100 * difference.standard_error)});
  }
  return table;
}

/// What a spectral start shows of S*, beside its theory; nothing without one.
std::optional<Table> start_table(const study::Comparison& comparison) {
  const std::vector<study::StartComparison> starts = study::compare_starts(comparison.experiment);
  if (starts.empty()) return std::nullopt;
  Table table{fmt::format("Spectral start: d = {}; overlaps with S*", comparison.experiment.d),
              {general("overlap"),
               general("predicted", 4),
               general("measured", 4),
               general("standard error", kErrorFigures),
               general("difference", kErrorFigures),
               general("its standard error", kErrorFigures),
               {"z", {}, report::Notation::fixed, 2}}};
  for (const study::StartComparison& start : starts)
    table.rows.push_back({start.name, start.predicted, start.measured.value, or_nothing(start.measured.standard_error),
                          start.difference.value, or_nothing(start.difference.standard_error),
                          or_nothing(start.difference.z)});
  return table;
}

Table extrapolation_table(std::span<const study::Comparison> comparisons) {
  const study::Extrapolation extrapolation = study::extrapolate(comparisons);
  Table table{
      "Relative difference extrapolated to 1/d → 0",
      {general("error"), percent("difference"), percent("standard error"), {"z", {}, report::Notation::fixed, 2}}};
  for (const SharedError& error : shared_errors(comparisons.front())) {
    const study::Extrapolated& figure = extrapolation.*error.extrapolated;
    table.rows.push_back(
        {error.name, or_nothing(100 * figure.value), or_nothing(100 * figure.standard_error), or_nothing(figure.z)});
  }
  return table;
}

constexpr const char* kRowColumns[] = {"kind",
                                       "d",
                                       "n",
                                       "seed",
                                       "q",
                                       "q_a",
                                       "m",
                                       "Q_star",
                                       "kkt",
                                       "iterations",
                                       "seconds",
                                       "converged",
                                       "objective",
                                       "train",
                                       "test",
                                       "estimation",
                                       "theory_train",
                                       "theory_test",
                                       "theory_estimation",
                                       "start_q",
                                       "start_m",
                                       "start_cosine",
                                       "theory_start_cosine",
                                       "replicon"};

std::vector<Cell> instance_row(const study::Comparison& comparison, std::size_t i) {
  const experiment::Instance& x = comparison.experiment.instances[i];
  const auto of_start = [&](auto figure) { return x.start ? Cell(figure(*x.start)) : Cell(); };
  const study::Prediction& predicted = comparison.instance_theory[i];
  std::vector<Cell> row{"instance",
                        static_cast<long long>(comparison.experiment.d),
                        static_cast<long long>(comparison.experiment.n),
                        static_cast<long long>(x.seed),
                        x.q,
                        x.q_a,
                        x.m,
                        x.Q_star,
                        x.kkt,
                        x.iterations,
                        x.seconds,
                        yes_or_no(x.converged),
                        or_nothing(x.objective),
                        or_nothing(x.train),
                        x.test,
                        or_nothing(x.estimation),
                        or_nothing(predicted.train),
                        predicted.test,
                        or_nothing(predicted.estimation),
                        of_start([](const experiment::Start& start) { return start.measured.q; }),
                        of_start([](const experiment::Start& start) { return start.measured.m; }),
                        of_start([](const experiment::Start& start) { return start.measured.cosine; }),
                        of_start([](const experiment::Start& start) { return start.predicted.cosine; }),
                        Cell()};
  const auto figures = study::shared_figures(comparison.experiment.problem);
  for (const SharedError& figure : figures) row.push_back(or_nothing(x.*figure.measured));
  for (const SharedError& figure : figures) row.push_back(or_nothing(predicted.*figure.predicted));
  return row;
}

using Figure = std::function<double(const SharedError&)>;

/// A row that has one figure for each shared error and nothing else; d = 0: of all sizes together.
void add_figures(Table& table, const study::Comparison& of, const char* kind, int d, const Figure& figure,
                 const Cell& replicon = {}) {
  std::vector<std::pair<std::string, Cell>> cells{{"kind", kind}, {"replicon", replicon}};
  if (d > 0) cells.emplace_back("d", static_cast<long long>(d));
  for (const SharedError& error : kSharedErrors) cells.emplace_back(error.name, or_nothing(figure(error)));
  for (const SharedError& error : study::shared_figures(of.experiment.problem))
    cells.emplace_back(error.name, or_nothing(figure(error)));
  add_row(table, cells);
}

void add_comparison(Table& table, const study::Comparison& comparison) {
  const int d = comparison.experiment.d;
  for (std::size_t i = 0; i < comparison.experiment.instances.size(); ++i)
    table.rows.push_back(instance_row(comparison, i));
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  add_figures(
      table, comparison, "theory", d, [&](const SharedError& e) { return predicted.*e.predicted; },
      or_nothing(comparison.theory.diagnostics.replicon));
  add_figures(table, comparison, "difference", d,
              [&](const SharedError& e) { return (comparison.difference.*e.difference).value; });
  add_figures(table, comparison, "difference_standard_error", d,
              [&](const SharedError& e) { return (comparison.difference.*e.difference).standard_error; });
}

}  // namespace

std::vector<Table> comparison_tables(std::span<const study::Comparison> comparisons) {
  std::vector<Table> tables;
  for (const study::Comparison& comparison : comparisons) {
    tables.push_back(comparison_table(comparison));
    if (auto starts = start_table(comparison)) tables.push_back(std::move(*starts));
  }
  if (comparisons.size() > 1) tables.push_back(extrapolation_table(comparisons));
  return tables;
}

Table comparison_rows(std::span<const study::Comparison> comparisons) {
  Table table;
  for (const char* name : kRowColumns) table.columns.push_back({name});
  if (!comparisons.empty()) {
    const auto figures = study::shared_figures(comparisons.front().experiment.problem);
    for (const SharedError& figure : figures) table.columns.push_back({figure.name});
    for (const SharedError& figure : figures) table.columns.push_back({fmt::format("theory_{}", figure.name)});
  }
  for (const study::Comparison& comparison : comparisons) add_comparison(table, comparison);
  if (comparisons.size() < 2) return table;
  const study::Extrapolation limit = study::extrapolate(comparisons);
  const auto add = [&](const char* kind, double study::Extrapolated::*figure) {
    add_figures(table, comparisons.front(), kind, 0,
                [&](const SharedError& e) { return (limit.*e.extrapolated).*figure; });
  };
  add("extrapolation", &study::Extrapolated::value);
  add("extrapolation_standard_error", &study::Extrapolated::standard_error);
  add("extrapolation_z", &study::Extrapolated::z);
  return table;
}

std::optional<report::Chart> difference_chart(std::span<const study::Comparison> comparisons) {
  if (comparisons.empty()) return std::nullopt;
  report::ErrorsChart chart;
  chart.title = "Experiment against theory as d grows";
  chart.description =
      "Relative difference of every error between experiment and theory against 1/d; it should "
      "shrink to zero with 1/d.";
  chart.x.title = "1/d";
  chart.y.title = "(experiment − theory)/theory";
  for (const SharedError& error : shared_errors(comparisons.front())) {
    report::Series series{error.name, {}, {}};
    for (const study::Comparison& comparison : comparisons) {
      const study::Estimate& difference = comparison.difference.*error.difference;
      if (!std::isnan(difference.value))
        series.experiment.push_back({1.0 / comparison.experiment.d, difference.value, difference.standard_error});
    }
    if (!series.experiment.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  return report::errors_chart(chart);
}

}  // namespace attnlaw::app
