#include "attnlaw/view/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "attnlaw/view/columns.h"
#include "attnlaw/view/solution.h"

namespace attnlaw::view {
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
    table.rows.push_back({words(error.name), predicted.*error.predicted, run.mean.*error.measured,
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
    table.rows.push_back({words(error.name), or_nothing(100 * figure.value), or_nothing(100 * figure.standard_error),
                          or_nothing(figure.z)});
  }
  return table;
}

/// "theory_test" of "test".
std::string predicted_column(const SharedError& error) { return fmt::format("theory_{}", error.name); }

Fields instance_fields(const study::Comparison& comparison, std::size_t i) {
  const experiment::Instance& x = comparison.experiment.instances[i];
  const study::Prediction& predicted = comparison.instance_theory[i];
  Fields fields{{"kind", "instance"},
                {"d", static_cast<long long>(comparison.experiment.d)},
                {"n", static_cast<long long>(comparison.experiment.n)},
                {"seed", static_cast<long long>(x.seed)},
                {"converged", yes_or_no(x.converged)}};
  append(fields, fields_of(static_cast<const experiment::Measurements&>(x)));
  const auto figures = study::shared_figures(comparison.experiment.problem);
  const auto add = [&](const SharedError& error) {
    fields.emplace_back(predicted_column(error), or_nothing(predicted.*error.predicted));
  };
  for (const SharedError& error : kSharedErrors) add(error);
  for (const SharedError& figure : figures) add(figure);
  // Figures of another loss are not zero, there are none.
  std::erase_if(fields, [&](const auto& field) {
    const auto is = [&](const SharedError& error) { return field.first == error.name; };
    return std::any_of(std::begin(study::kSharedFigures), std::end(study::kSharedFigures), is) &&
           std::none_of(figures.begin(), figures.end(), is);
  });
  const auto started = [&](double figure) { return x.start ? Cell(figure) : Cell(); };
  const experiment::Start start = x.start.value_or(experiment::Start{});
  append(fields, {{"start_q", started(start.measured.q)},
                  {"start_m", started(start.measured.m)},
                  {"start_cosine", started(start.measured.cosine)},
                  {"theory_start_cosine", started(start.predicted.cosine)}});
  return fields;
}

/// Rows, each with the options of the problem.
class Rows {
 public:
  Rows(const study::Comparison& of, const model::Problem& asked)
      : shared_(study::shared_figures(of.experiment.problem)), problem_(problem_fields(of.experiment.problem, asked)) {}

  void add(Fields fields) {
    append(fields, problem_);
    rows_.push_back(std::move(fields));
  }

  Table table() const { return table_of(rows_); }

  /// One figure for each shared error and nothing else; d = 0: of all sizes together.
  void add_figures(const char* kind, int d, const std::function<double(const SharedError&)>& figure,
                   const Cell& replicon = {}) {
    Fields fields{{"kind", kind}, {"replicon", replicon}};
    if (d > 0) fields.emplace_back("d", static_cast<long long>(d));
    for (const SharedError& error : kSharedErrors) fields.emplace_back(error.name, or_nothing(figure(error)));
    for (const SharedError& error : shared_) fields.emplace_back(error.name, or_nothing(figure(error)));
    add(std::move(fields));
  }

 private:
  std::vector<Fields> rows_;
  std::span<const SharedError> shared_;
  Fields problem_;
};

void add_comparison(Rows& rows, const study::Comparison& comparison) {
  const int d = comparison.experiment.d;
  for (std::size_t i = 0; i < comparison.experiment.instances.size(); ++i) rows.add(instance_fields(comparison, i));
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  rows.add_figures(
      "theory", d, [&](const SharedError& e) { return predicted.*e.predicted; },
      or_nothing(comparison.theory.diagnostics.replicon));
  rows.add_figures("difference", d, [&](const SharedError& e) { return (comparison.difference.*e.difference).value; });
  rows.add_figures("difference_standard_error", d,
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

Table comparison_rows(std::span<const study::Comparison> comparisons, const model::Problem& asked) {
  if (comparisons.empty()) return {};
  Rows rows(comparisons.front(), asked);
  for (const study::Comparison& comparison : comparisons) add_comparison(rows, comparison);
  if (comparisons.size() < 2) return rows.table();
  const study::Extrapolation limit = study::extrapolate(comparisons);
  const auto add = [&](const char* kind, double study::Extrapolated::*figure) {
    rows.add_figures(kind, 0, [&](const SharedError& e) { return (limit.*e.extrapolated).*figure; });
  };
  add("extrapolation", &study::Extrapolated::value);
  add("extrapolation_standard_error", &study::Extrapolated::standard_error);
  add("extrapolation_z", &study::Extrapolated::z);
  return rows.table();
}

Warnings few_samples(std::span<const study::Comparison> comparisons) {
  constexpr std::size_t kFew = 3;
  Warnings result;
  const std::size_t instances = comparisons.empty() ? 0 : comparisons.front().experiment.instances.size();
  if (instances > 1 && instances < kFew)
    result.push_back(fmt::format(
        "Standard errors rest on {} instances at each d: they give the order of magnitude alone (--instances {} or "
        "more).",
        instances, kFew));
  if (comparisons.size() == 2)
    result.push_back("The extrapolation is a line through two d: nothing shows how far it is one (three --d or more).");
  return result;
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
    report::Series series{words(error.name), {}, {}};
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

}  // namespace attnlaw::view
