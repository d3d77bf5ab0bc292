#include "reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attnlaw::app {
namespace {

using report::Cell;
using report::Column;
using report::Notation;
using report::Table;

constexpr int kFigures = 6;  ///< significant digits of overlaps and errors for people
constexpr int kErrorFigures = 2;

using study::kSharedErrors;
using study::SharedError;

Column general(std::string name, int precision = kFigures) {
  return {std::move(name), {}, Notation::general, precision};
}

Column percent(std::string name) { return {std::move(name), "%", Notation::fixed, 2}; }

}  // namespace

std::string describe(const model::Problem& problem) {
  std::string text = fmt::format("T = {}, {} head, α = {:g}, λ = {:g}, target {}", problem.tokens,
                                 model::name(problem.head), problem.alpha, problem.lambda, problem.target.spec());
  if (problem.noise > 0) text += fmt::format(", Δ = {:g}", problem.noise);
  if (problem.beta != 1 || problem.target_beta != 1)
    text += fmt::format(", β = {:g}, β* = {:g}", problem.beta, problem.target_beta);
  return text;
}

std::vector<Table> solution_tables(const theory::Solution& s) {
  const theory::Errors& sampling = s.diagnostics.sampling_error;
  Table errors{describe(s.problem), {general("error"), general("theory"), general("sampling error", kErrorFigures)}};
  errors.rows = {{"train", s.errors.train, sampling.train},
                 {"test", s.errors.test, sampling.test},
                 {"estimation", s.errors.estimation, sampling.estimation},
                 {"objective", s.errors.objective, sampling.objective}};
  Table order{
      "",
      {general("Q*"), general("q"), general("m"), general("V"), general("q_hat"), general("m_hat"), general("V_hat")}};
  order.rows = {
      {s.Q_star, s.overlaps.q, s.overlaps.m, s.overlaps.V, s.conjugates.q_hat, s.conjugates.m_hat, s.conjugates.V_hat}};
  Table diagnostics{"",
                    {general("replicon", 4), general("residual", kErrorFigures), general("iterations"),
                     general("points"), Column{"time", "s", Notation::general, 3}}};
  diagnostics.rows = {{s.diagnostics.replicon, s.diagnostics.residual, static_cast<long long>(s.diagnostics.iterations),
                       static_cast<long long>(s.diagnostics.points), s.diagnostics.seconds}};
  return {errors, order, spectrum_table(s, nullptr), diagnostics};
}

Table solution_row(const theory::Solution& s) {
  const theory::Errors& sampling = s.diagnostics.sampling_error;
  const std::vector<std::pair<std::string, Cell>> fields{
      {"tokens", static_cast<long long>(s.problem.tokens)},
      {"head", model::name(s.problem.head)},
      {"alpha", s.problem.alpha},
      {"lambda", s.problem.lambda},
      {"beta", s.problem.beta},
      {"target-beta", s.problem.target_beta},
      {"noise", s.problem.noise},
      {"target", s.problem.target.spec()},
      {"Q_star", s.Q_star},
      {"q", s.overlaps.q},
      {"m", s.overlaps.m},
      {"V", s.overlaps.V},
      {"q_hat", s.conjugates.q_hat},
      {"m_hat", s.conjugates.m_hat},
      {"V_hat", s.conjugates.V_hat},
      {"train", s.errors.train},
      {"test", s.errors.test},
      {"estimation", s.errors.estimation},
      {"objective", s.errors.objective},
      {"train_sampling_error", sampling.train},
      {"test_sampling_error", sampling.test},
      {"estimation_sampling_error", sampling.estimation},
      {"zero_mass", s.spectrum.zero_mass},
      {"replicon", s.diagnostics.replicon},
      {"residual", s.diagnostics.residual},
      {"converged", std::string(s.diagnostics.converged ? "true" : "false")},
      {"seconds", s.diagnostics.seconds}};
  Table row{"", {}, {{}}};
  for (const auto& [name, value] : fields) {
    row.columns.push_back({name});
    row.rows.front().push_back(value);
  }
  return row;
}

std::string lines(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts)
    if (!text.empty()) result += (result.empty() ? "" : "\n") + text;
  return result;
}

std::string warnings(const theory::Solution& solution) {
  const theory::Diagnostics& diagnostics = solution.diagnostics;
  return lines(
      {(diagnostics.converged || diagnostics.message.empty() ? "" : "NOT CONVERGED: ") + diagnostics.message,
       diagnostics.replicon < 1
           ? ""
           : fmt::format("Replicon R = {:.3g} ≥ 1: the replica-symmetric solution is unstable here; experiments may "
                         "end elsewhere, depending on start and trainer.",
                         diagnostics.replicon)});
}

std::string warnings(const experiment::Experiment& experiment) {
  std::size_t failed = 0;
  double worst = 0;
  for (const experiment::Instance& instance : experiment.instances) {
    if (instance.converged) continue;
    ++failed;
    worst = std::max(worst, instance.kkt);
  }
  if (failed == 0) return "";
  return fmt::format(
      "NOT CONVERGED: {} of {} students at d = {} did not reach the KKT tolerance (largest residual {:.2g}).", failed,
      experiment.instances.size(), experiment.d, worst);
}

std::vector<Table> comparison_tables(std::span<const study::Comparison> comparisons) {
  std::vector<Table> tables;
  for (const study::Comparison& comparison : comparisons) {
    const experiment::Experiment& run = comparison.experiment;
    Table table{fmt::format("{}: d = {}, n = {}, {} instance{}; theory on the targets drawn", describe(run.problem),
                            run.d, run.n, run.instances.size(), run.instances.size() == 1 ? "" : "s"),
                {general("error"), general("theory", 4), general("experiment", 4),
                 general("standard error", kErrorFigures), percent("difference"), percent("its standard error")}};
    for (const SharedError& error : kSharedErrors) {
      const study::Estimate& difference = comparison.difference.*error.difference;
      // One instance has no standard error.
      const auto or_nothing = [](double value) { return std::isnan(value) ? Cell() : Cell(value); };
      const Cell of_mean = or_nothing(run.standard_error.*error.measured);
      const Cell of_difference = or_nothing(100 * difference.standard_error);
      table.rows.push_back({error.name, comparison.theory.errors.*error.predicted, run.mean.*error.measured, of_mean,
                            100 * difference.value, of_difference});
    }
    tables.push_back(std::move(table));
  }
  if (comparisons.size() < 2) return tables;
  const study::Extrapolation extrapolation = study::extrapolate(comparisons);
  Table table{"Relative difference extrapolated to 1/d → 0",
              {general("error"), percent("difference"), percent("standard error"), {"z", {}, Notation::fixed, 2}}};
  for (const SharedError& error : kSharedErrors) {
    const study::Extrapolated& figure = extrapolation.*error.extrapolated;
    table.rows.push_back({error.name, 100 * figure.value, 100 * figure.standard_error, figure.z});
  }
  tables.push_back(std::move(table));
  return tables;
}

Table instance_rows(std::span<const study::Comparison> comparisons) {
  Table table{"",
              {{"d"},
               {"n"},
               {"seed"},
               {"q"},
               {"m"},
               {"Q_star"},
               {"train"},
               {"test"},
               {"estimation"},
               {"objective"},
               {"kkt"},
               {"iterations"},
               {"seconds"},
               {"converged"},
               {"theory_train"},
               {"theory_test"},
               {"theory_estimation"}}};
  for (const study::Comparison& comparison : comparisons)
    for (std::size_t i = 0; i < comparison.experiment.instances.size(); ++i) {
      const experiment::Instance& x = comparison.experiment.instances[i];
      const theory::Errors& predicted = comparison.instance_theory[i];
      table.rows.push_back({static_cast<long long>(comparison.experiment.d),
                            static_cast<long long>(comparison.experiment.n), static_cast<long long>(x.seed), x.q, x.m,
                            x.Q_star, x.train, x.test, x.estimation, x.objective, x.kkt, x.iterations, x.seconds,
                            std::string(x.converged ? "true" : "false"), predicted.train, predicted.test,
                            predicted.estimation});
    }
  return table;
}

report::Chart difference_chart(std::span<const study::Comparison> comparisons) {
  report::ErrorsChart chart;
  chart.title = "Experiment against theory as d grows";
  chart.description =
      "Relative difference of train, test and estimation error between experiment and theory against 1/d; it should "
      "shrink "
      "to zero with 1/d.";
  chart.x.title = "1/d";
  chart.y.title = "(experiment − theory)/theory";
  for (const SharedError& error : kSharedErrors) {
    report::Series series{error.name, {}, {}};
    for (const study::Comparison& comparison : comparisons) {
      const study::Estimate& difference = comparison.difference.*error.difference;
      series.experiment.push_back({1.0 / comparison.experiment.d, difference.value, difference.standard_error});
    }
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

report::Chart learning_curve_chart(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  report::ErrorsChart chart;
  chart.title = "Learning curve: theory (lines) and experiment (points)";
  chart.description = "Train, test and estimation error against the number of sequences per squared dimension, alpha.";
  chart.x = {"α = n/d²", report::Scale::log};
  chart.y = {"error", report::Scale::log};
  for (const SharedError& error : kSharedErrors) {
    report::Series series{error.name, {}, {}};
    for (const theory::Solution& solution : curve)
      series.theory.push_back({solution.problem.alpha, solution.errors.*error.predicted});
    for (const study::Comparison& point : points)
      series.experiment.push_back({point.experiment.problem.alpha, point.experiment.mean.*error.measured,
                                   point.experiment.standard_error.*error.measured});
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

Table learning_curve_table(std::span<const theory::Solution> curve, std::span<const study::Comparison> points) {
  Table table{"", {general("alpha", 4)}};
  for (const SharedError& error : kSharedErrors) {
    table.columns.push_back(general(fmt::format("{} theory", error.name), 4));
    table.columns.push_back(general("experiment", 4));
    table.columns.push_back(general("±", kErrorFigures));
  }
  auto point = points.begin();
  for (const theory::Solution& solution : curve) {
    std::vector<Cell> row{solution.problem.alpha};
    const bool measured = point != points.end() && point->experiment.problem.alpha == solution.problem.alpha;
    for (const SharedError& error : kSharedErrors) {
      row.emplace_back(solution.errors.*error.predicted);
      row.push_back(measured ? Cell(point->experiment.mean.*error.measured) : Cell());
      row.push_back(measured ? Cell(point->experiment.standard_error.*error.measured) : Cell());
    }
    if (measured) ++point;
    table.rows.push_back(std::move(row));
  }
  return table;
}

report::Chart spectrum_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                             const study::SpectrumComparison* measured) {
  report::SpectrumChart chart;
  chart.title = "Spectrum of the trained map S";
  chart.description =
      fmt::format("Density of the eigenvalues of the trained S, with an atom of mass {:.3f} at zero{}.",
                  solution.spectrum.zero_mass, measured ? ", over a histogram of the measured ones" : "");
  for (std::size_t i = 0; i < density.s.size(); ++i) chart.density.push_back({density.s[i], density.density[i]});
  chart.predicted_zero_mass = solution.spectrum.zero_mass;
  for (const auto& outlier : solution.spectrum.outliers) chart.outliers.push_back(outlier.eigenvalue);
  if (measured) {
    chart.eigenvalues = measured->eigenvalues;
    chart.zero_tolerance = measured->zero_tolerance;
  }
  return report::spectrum_chart(chart);
}

Table spectrum_table(const theory::Solution& solution, const study::SpectrumComparison* measured) {
  Table table{"Spectrum of the trained S",
              {general("part"), general("theory"), general("experiment"), general("squared overlap", 4)}};
  const Cell zero_mass = measured ? Cell(measured->zero_mass) : Cell();
  table.rows.push_back({"mass at zero", solution.spectrum.zero_mass, zero_mass, Cell()});
  const auto& edges = solution.spectrum.edges;
  for (const auto& edge : edges)
    table.rows.push_back({"band", fmt::format("[{:.6g}, {:.6g}]", edge.lower, edge.upper), Cell(), Cell()});
  for (const auto& outlier : solution.spectrum.outliers)
    table.rows.push_back(
        {fmt::format("outlier of target {:.6g}", outlier.target), outlier.eigenvalue, Cell(), outlier.overlap});
  if (!measured) return table;
  const Cell upper_edge = edges.empty() ? Cell() : Cell(edges.back().upper);
  table.rows.push_back({"largest eigenvalue", upper_edge, measured->eigenvalues.back(), Cell()});
  table.rows.push_back({"Kolmogorov distance", Cell(), measured->kolmogorov_distance, Cell()});
  return table;
}

}  // namespace attnlaw::app
