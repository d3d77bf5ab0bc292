#include "attnlaw/view/comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "attnlaw/base/counted.h"
#include "attnlaw/theory/error_parts.h"
#include "attnlaw/view/charts.h"
#include "attnlaw/view/solution.h"
#include "attnlaw/view/verdict.h"

namespace attnlaw::view {
namespace {

using report::Table;
using study::SharedError;

const report::Column kStandardised{"z", {}, report::Notation::fixed, 2};

/// Returns errors, and the figures that the loss of the problem has.
std::vector<SharedError> errors_of(const model::Problem& problem) {
  std::vector<SharedError> errors(std::begin(study::kSharedErrors), std::end(study::kSharedErrors));
  const auto figures = study::shared_figures(problem);
  errors.insert(errors.end(), figures.begin(), figures.end());
  return errors;
}

/// Returns those that the theory has: the training error of a posterior mean, for one, does not exist.
std::vector<SharedError> predicted_errors(const study::Comparison& comparison) {
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  std::vector<SharedError> errors = errors_of(comparison.experiment.problem);
  std::erase_if(errors, [&](const SharedError& error) { return std::isnan(predicted.*error.predicted); });
  return errors;
}

Table comparison_table(const study::Comparison& comparison) {
  const experiment::Experiment& run = comparison.experiment;
  Table table = headed(fmt::format("{}: d = {}, n = {}, {}; theory on the targets drawn", describe(run.problem), run.d,
                                   run.n, base::counted(run.instances.size(), "instance")),
                       {"error", general("theory", 4), general("experiment", 4), error_column("standard error"),
                        percent("difference"), percent("±")});
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  for (const SharedError& error : predicted_errors(comparison)) {
    const study::Estimate& difference = comparison.difference.*error.difference;
    add(table, words(error.name), predicted.*error.predicted, run.mean.*error.measured,
        run.standard_error.*error.measured, 100 * difference.value, 100 * difference.standard_error);
  }
  return table;
}

/// The table tells where the test errors come from, in theory and as measured; there is none of a posterior mean, or of
/// signs.
std::optional<Table> parts_table(const study::Comparison& comparison) {
  using M = experiment::Measurements;
  const experiment::Experiment& run = comparison.experiment;
  if (std::isnan(run.mean.test_parts.price)) return std::nullopt;
  Table table = headed("Test errors by their origin: floor + price · E + amplitude",
                       {"error", "", general("floor", 4), general("price", 4), general("amplitude", 4)});
  const auto add_parts = [&](const char* error, double whole, model::TestParts M::*parts, double noise) {
    const auto shown = [&](const model::TestParts& found) { return without_rounding(cells(found), whole); };
    add(table, error, "theory", shown(theory::test_parts(comparison.theory, noise)));
    add(table, "", "mean", shown(run.mean.*parts));
    if (run.instances.size() > 1) add(table, "", "standard error", shown(run.standard_error.*parts));
  };
  add_parts("test", run.mean.test, &M::test_parts, 0);
  if (run.problem.noise > 0) add_parts("test (noisy labels)", run.mean.test_noisy, &M::noisy_parts, run.problem.noise);
  return table;
}

/// The table tells where the estimation error comes from; there is none of targets without modes of their own.
std::optional<Table> estimation_table(const study::Comparison& comparison) {
  const auto& parts = comparison.estimation_parts;
  if (!parts) return std::nullopt;
  const double whole = comparison.experiment.mean.estimation;
  Table table = headed("Estimation error by its origin", {""});
  for (const std::string& part : base::columns(base::detail::description_of<theory::ErrorParts>()))
    table.columns.push_back(general(part, 4));
  add(table, "theory", without_rounding(cells(parts->theory), whole));
  add(table, "mean", without_rounding(cells(parts->mean), whole));
  if (comparison.experiment.instances.size() > 1)
    add(table, "standard error", without_rounding(cells(parts->standard_error), whole));
  return table;
}

/// The table shows what a spectral start finds of S*, beside its theory; there is none without such a start.
std::optional<Table> start_table(const study::Comparison& comparison) {
  const std::vector<study::StartComparison> starts = study::compare_starts(comparison.experiment);
  if (starts.empty()) return std::nullopt;
  Table table = headed(fmt::format("Spectral start: d = {}; overlaps with S*", comparison.experiment.d),
                       {"overlap", general("predicted", 4), general("measured", 4), error_column("standard error"),
                        error_column("difference"), error_column("its standard error")});
  // At one d a z-score would reject a theory whose correction is of order 1/d.
  for (const study::StartComparison& start : starts)
    add(table, start.name, start.predicted, start.measured, start.difference.value, start.difference.standard_error);
  return table;
}

Table extrapolation_table(std::span<const study::Comparison> comparisons) {
  const study::Extrapolation extrapolation = study::extrapolate(comparisons);
  Table table = headed("Relative difference extrapolated to 1/d → 0",
                       {"error", percent("difference"), percent("standard error"), kStandardised});
  for (const SharedError& error : predicted_errors(comparisons.front())) {
    const study::Extrapolated& figure = extrapolation.*error.extrapolated;
    add(table, words(error.name), 100 * figure.value, 100 * figure.standard_error, figure.z);
  }
  return table;
}

/// Returns a difference with its name for every error that the theory has.
template <class Difference>
std::vector<NamedDifference> named_differences(const study::Comparison& comparison, const Difference& difference) {
  std::vector<NamedDifference> named;
  for (const SharedError& error : predicted_errors(comparison)) named.push_back({words(error.name), difference(error)});
  return named;
}

double degrees_of_freedom(std::span<const study::Comparison> comparisons) {
  double freedom = 0;
  for (const study::Comparison& comparison : comparisons)
    freedom += static_cast<double>(comparison.experiment.instances.size()) - 1;
  return freedom;
}

Fields instance_fields(const study::Comparison& comparison, std::size_t i) {
  const experiment::Instance& x = comparison.experiment.instances[i];
  const std::vector<SharedError> errors = errors_of(comparison.experiment.problem);
  Fields fields{{"kind", "instance"},
                {"d", comparison.experiment.d},
                {"n", comparison.experiment.n},
                {"seed", x.seed},
                {"converged", x.converged}};
  append(fields, fields_of(static_cast<const experiment::Measurements&>(x)));
  // Figures of another loss are not zero, there are none.
  for (const SharedError& figure : study::kSharedFigures)
    if (std::none_of(errors.begin(), errors.end(), [&](const auto& error) { return error.name == figure.name; }))
      std::erase_if(fields, [&](const auto& field) { return field.first == figure.name; });
  for (const SharedError& error : errors)
    fields.emplace_back(fmt::format("theory_{}", error.name), comparison.instance_theory[i].*error.predicted);
  const auto started = [&](auto figure) { return x.start ? std::optional(figure(*x.start)) : std::nullopt; };
  append(fields, {{"start_q", started([](const auto& start) { return start.measured.q; })},
                  {"start_m", started([](const auto& start) { return start.measured.m; })},
                  {"start_cosine", started([](const auto& start) { return start.measured.cosine; })},
                  {"theory_start_cosine", started([](const auto& start) { return start.predicted.cosine; })}});
  return fields;
}

/// Returns one figure for each shared error and nothing else; d = 0 stands for all sizes together.
template <class Figure>
Fields figure_fields(const char* kind, const study::Comparison& comparison, int d, const Figure& figure,
                     const Value& replicon = kNothing) {
  Fields fields{{"kind", kind}, {"replicon", replicon}};
  if (d > 0) fields.emplace_back("d", d);
  for (const SharedError& error : errors_of(comparison.experiment.problem))
    fields.emplace_back(error.name, figure(error));
  return fields;
}

void add_comparison(std::vector<Fields>& rows, const study::Comparison& comparison) {
  for (std::size_t i = 0; i < comparison.experiment.instances.size(); ++i)
    rows.push_back(instance_fields(comparison, i));
  const auto add = [&](const char* kind, const auto& figure, const Value& replicon = kNothing) {
    rows.push_back(figure_fields(kind, comparison, comparison.experiment.d, figure, replicon));
  };
  const study::Prediction predicted = study::prediction_of(comparison.theory);
  add(
      "theory", [&](const SharedError& e) { return predicted.*e.predicted; }, comparison.theory.diagnostics.replicon);
  add("difference", [&](const SharedError& e) { return (comparison.difference.*e.difference).value; });
  add("difference_standard_error",
      [&](const SharedError& e) { return (comparison.difference.*e.difference).standard_error; });
}

void add_extrapolation(std::vector<Fields>& rows, std::span<const study::Comparison> comparisons) {
  const study::Extrapolation limit = study::extrapolate(comparisons);
  const auto add = [&](const char* kind, double study::Extrapolated::*figure) {
    rows.push_back(figure_fields(kind, comparisons.front(), 0,
                                 [&](const SharedError& e) { return (limit.*e.extrapolated).*figure; }));
  };
  add("extrapolation", &study::Extrapolated::value);
  add("extrapolation_standard_error", &study::Extrapolated::standard_error);
  add("extrapolation_z", &study::Extrapolated::z);
}

double predicted(const theory::Solution& solution, const study::SharedError& error) {
  return study::prediction_of(solution).*error.predicted;
}

base::Estimate measured(const study::Comparison& point, const study::SharedError& error) {
  return {point.experiment.mean.*error.measured, point.experiment.standard_error.*error.measured};
}

std::vector<Table> tables_of(std::span<const study::Comparison> comparisons) {
  std::vector<Table> tables;
  for (const study::Comparison& comparison : comparisons) {
    tables.push_back(comparison_table(comparison));
    if (auto parts = parts_table(comparison)) tables.push_back(std::move(*parts));
    if (auto parts = estimation_table(comparison)) tables.push_back(std::move(*parts));
    if (auto starts = start_table(comparison)) tables.push_back(std::move(*starts));
  }
  if (comparisons.size() > 1) tables.push_back(extrapolation_table(comparisons));
  return tables;
}

Table rows_of(std::span<const study::Comparison> comparisons, const model::Problem& asked) {
  if (comparisons.empty()) return {};
  std::vector<Fields> rows;
  for (const study::Comparison& comparison : comparisons) add_comparison(rows, comparison);
  if (comparisons.size() > 1) add_extrapolation(rows, comparisons);
  const Fields problem = problem_fields(comparisons.front().experiment.problem, asked);
  for (Fields& row : rows) append(row, problem);
  return table_of(rows);
}

/// Says what standard errors over few instances, and an extrapolation from two d, are worth.
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

/// The chart draws relative differences against 1/d; there is none where no difference is known.
std::optional<report::Chart> difference_chart(std::span<const study::Comparison> comparisons) {
  if (comparisons.empty()) return std::nullopt;
  report::ErrorsChart chart{
      .title = "Experiment against theory as d grows",
      .description =
          "Relative difference of every error between experiment and theory against 1/d; it should shrink to zero "
          "with 1/d.",
      .x = {"1/d", Scale::linear, "inverse_d"},
      .y = {"(experiment − theory)/theory"}};
  for (const SharedError& error : predicted_errors(comparisons.front())) {
    report::Series series{words(error.name)};
    for (const study::Comparison& comparison : comparisons)
      if (const study::Estimate& difference = comparison.difference.*error.difference; !std::isnan(difference.value))
        series.experiment.push_back(measured_point(1.0 / comparison.experiment.d, difference));
    if (!series.experiment.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  return report::errors_chart(chart);
}

report::Page page_of(std::span<const study::Comparison> comparisons, const std::string& lead,
                     const std::vector<Table>& tables) {
  report::Page page{"Finite-size experiments beside the theory", lead, sections_of(tables)};
  if (comparisons.size() < 2) return page;
  if (const std::optional<report::Chart> chart = difference_chart(comparisons))
    page.sections.push_back({"Towards infinite d",
                             "At a single d a correction of order 1/d remains; the theory is tested by its shrinking.",
                             chart});
  return page;
}

}  // namespace

std::string verdict(std::span<const study::Comparison> comparisons) {
  if (comparisons.empty()) return {};
  const bool converged = std::all_of(comparisons.begin(), comparisons.end(),
                                     [](const study::Comparison& comparison) { return comparison.converged(); });
  if (!converged) return kNoVerdict;
  const study::Comparison& first = comparisons.front();
  if (comparisons.size() == 1)
    return verdict_at(first.experiment.d, named_differences(first, [&](const SharedError& error) {
                        return study::Extrapolated{first.difference.*error.difference};
                      }));
  const study::Extrapolation limit = study::extrapolate(comparisons);
  return verdict_of_limits(
      named_differences(first, [&](const SharedError& error) { return limit.*error.extrapolated; }), comparisons.size(),
      1, degrees_of_freedom(comparisons));
}

Result show(const study::Trainable& trained, std::span<const study::Comparison> comparisons,
            const model::Problem& asked, const Warnings& notes, bool draw) {
  Result result{.tables = tables_of(comparisons),
                .rows = rows_of(comparisons, asked),
                .warnings = few_samples(comparisons) + notes,
                .note = verdict(comparisons)};
  for (const study::Comparison& comparison : comparisons)
    result.warnings = std::move(result.warnings) + warnings(comparison.theory) + warnings(comparison.experiment);
  if (trained.optimal_lambda) result.tables.insert(result.tables.begin(), optimum_table(*trained.optimal_lambda));
  if (draw) result.page = page_of(comparisons, describe(trained.problem) + ". " + result.note, result.tables);
  return result;
}

report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  report::ErrorsChart chart{
      .title = "Learning curve: theory (lines) and experiment (points)",
      .description = "Train, test and estimation error against the number of sequences per squared dimension, alpha.",
      .x = {"α = n/d²", Scale::log, "alpha"},
      .y = {"error", Scale::log}};
  for (const SharedError& error : study::kSharedErrors) {
    const auto line = [&](const auto& s) { return report::Point{s.problem.alpha, predicted(s, error)}; };
    const auto point = [&](const auto& p) { return measured_point(p.experiment.problem.alpha, measured(p, error)); };
    report::Series series{error.name, points_over(curve, line), points_over(points, point)};
    const auto exists = [](const report::Point& at) { return !std::isnan(at.y); };
    if (std::any_of(series.theory.begin(), series.theory.end(), exists)) chart.series.push_back(std::move(series));
  }
  report::Chart drawn = report::errors_chart(chart);
  if (!curve.empty()) add_constants(drawn.data, curve.front().problem, {"lambda", "target"});
  return drawn;
}

Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  Table table = headed("", {general("alpha", 4)});
  for (const SharedError& error : study::kSharedErrors)
    add_columns(table, {general(fmt::format("{} theory", error.name), 4), general("experiment", 4), error_column()});
  auto point = points.begin();
  for (const theory::Solution& solution : curve) {
    Row cells = row(solution.problem.alpha);
    const bool found = point != points.end() && point->experiment.problem.alpha == solution.problem.alpha;
    for (const SharedError& error : study::kSharedErrors)
      append(cells, row(predicted(solution, error), found ? row(measured(*point, error)) : Row(2)));
    if (found) ++point;
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace attnlaw::view
