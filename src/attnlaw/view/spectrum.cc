#include "attnlaw/view/spectrum.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"
#include "attnlaw/view/solution.h"

namespace attnlaw::view {
namespace {

using report::Cell;
using report::Table;

constexpr std::pair<const char*, double theory::Collapse::*> kMeasures[] = {
    {"rank/d", &theory::Collapse::rank_fraction},
    {"stable rank/d", &theory::Collapse::stable_rank},
    {"effective rank/d", &theory::Collapse::effective_rank},
    {"nuclear/(√d Frobenius)", &theory::Collapse::nuclear_frobenius}};

/// Returns what was measured of an outlier; null if nothing was.
const base::Estimate* measured_outlier(const study::SpectrumComparison* measured, std::size_t outlier) {
  return measured ? &measured->outliers[outlier].measured : nullptr;
}

/// Tells whether a band is that of an outlier of a finite target, whose multiples widen into one.
bool holds_outlier(const matrix_laws::Interval& band, const theory::TrainedSpectrum& spectrum) {
  return std::any_of(spectrum.outliers.begin(), spectrum.outliers.end(), [&](const theory::Outlier& outlier) {
    return band.lower <= outlier.eigenvalue && outlier.eigenvalue <= band.upper;
  });
}

}  // namespace

std::string spectral_value(const model::Problem& problem) { return problem.cross() ? "singular value" : "eigenvalue"; }

std::string spectral_value_id(const model::Problem& problem) {
  return problem.cross() ? "singular_value" : "eigenvalue";
}

void require_spectral_law(const model::Problem& problem) {
  if (!problem.penalised())
    throw std::invalid_argument(
        "spectrum is about trained students, got bayes (attnlaw solve prints the bands of the posterior mean)");
  if (problem.untied_self())
    throw std::invalid_argument(
        "no law of the student untied of self-attention is known: spectrum takes tied, direct and direct-general, and "
        "untied with --attention cross (attnlaw solve prints the mass at zero)");
}

report::Chart trained_spectrum_chart(report::SpectrumChart chart) {
  chart.description = fmt::format("Density of the {}s of the trained S, with an atom of mass {:.3f} at zero{}.",
                                  chart.value, chart.predicted_zero_mass,
                                  chart.eigenvalues.empty() ? "" : ", over a histogram of the measured ones");
  return report::spectrum_chart(chart);
}

namespace {

/// Says in the numbers of a chart what they are of.
report::Chart with_problem(report::Chart chart, const theory::Solution& solution) {
  add_constants(chart.data, solution.problem, {"alpha", "lambda", "target"});
  return chart;
}

report::SpectrumChart chart_of(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                               const study::SpectrumComparison* measured) {
  report::SpectrumChart chart{.title = "Spectrum of the trained map S",
                              .value = spectral_value(solution.problem),
                              .density = points(density.s, density.density),
                              .predicted_zero_mass = solution.spectrum.zero_mass};
  for (const auto& outlier : solution.spectrum.outliers) chart.outliers.push_back(outlier.eigenvalue);
  if (measured) {
    chart.eigenvalues = measured->eigenvalues;
    chart.zero_tolerance = measured->zero_tolerance;
  }
  return chart;
}

}  // namespace

report::Chart spectrum_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                             const study::SpectrumComparison* measured) {
  return with_problem(trained_spectrum_chart(chart_of(solution, density, measured)), solution);
}

void take_square_roots(report::SpectrumChart& chart, const theory::SquareRoots& roots) {
  for (report::Point& point : chart.density) point = {roots.of(point.x), roots.density(point.x, point.y)};
  for (std::vector<double>* values : {&chart.outliers, &chart.eigenvalues})
    for (double& value : *values) value = roots.of(value);
  chart.zero_tolerance = roots.of(chart.zero_tolerance);
}

report::Chart weights_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                            const study::SpectrumComparison* measured) {
  report::SpectrumChart chart = chart_of(solution, density, measured);
  take_square_roots(chart, theory::weights_of(solution.problem));
  chart.title = "Singular values of W/√d";
  chart.value = "singular value";
  chart.description = "Density of the singular values of the trained W, the square roots of the eigenvalues of S.";
  return with_problem(report::spectrum_chart(chart), solution);
}

namespace {

/// The distribution function of a density that falls to 0 at the ends of bands, with an atom at 0. The integral is
/// scaled to the mass that is left, so that what is lost at hard edges does not add up.
std::vector<report::Point> cumulated(const theory::TrainedLaw::Curve& law, double atom) {
  std::vector<double> below{0};
  for (std::size_t i = 1; i < law.s.size(); ++i)
    below.push_back(below.back() + 0.5 * (law.density[i] + law.density[i - 1]) * (law.s[i] - law.s[i - 1]));
  const double unit = below.back() > 0 ? (1 - atom) / below.back() : 0;
  std::vector<report::Point> line;
  double reached = 0;
  for (std::size_t i = 0; i < law.s.size(); ++i) {
    if (reached == 0 && law.s[i] >= 0 && atom > 0) {
      line.push_back({0, unit * below[i]});
      reached = atom;
      line.push_back({0, unit * below[i] + reached});
    }
    line.push_back({law.s[i], unit * below[i] + reached});
  }
  return line;
}

}  // namespace

report::Chart cumulative_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                               const study::SpectrumComparison& measured) {
  constexpr std::size_t kMostPoints = 80;
  const std::vector<double>& found = measured.eigenvalues;
  report::Series series{.name = "share", .theory = cumulated(density, solution.spectrum.zero_mass)};
  const std::size_t step = std::max<std::size_t>(1, found.size() / kMostPoints);
  for (std::size_t i = step - 1; i < found.size(); i += step)
    series.experiment.push_back({found[i], static_cast<double>(i + 1) / static_cast<double>(found.size())});
  const std::string value = spectral_value(solution.problem);
  report::Chart chart = report::errors_chart(
      {.title = "Cumulative distribution",
       .description = fmt::format("Share of the {}s up to each value: that of the law, and of all instances.", value),
       .x = {value, report::Scale::linear, "s"},
       .y = {fmt::format("share of the {}s", value)},
       .series = {series}});
  return with_problem(std::move(chart), solution);
}

Table spectrum_table(const theory::Solution& solution, const study::SpectrumComparison* measured) {
  const theory::TrainedSpectrum& spectrum = solution.spectrum;
  Table table = headed("Spectrum of the trained S", {"part", "theory", "experiment", general("squared overlap", 4)});
  if (measured && !measured->outliers.empty()) table.columns.push_back(error_column("standard error"));
  add(table, "mass at zero", spectrum.zero_mass, measured ? cell(measured->zero_mass) : Cell());
  if (!std::isnan(spectrum.upper_mass))
    add(table, "mass of detached bands", spectrum.upper_mass, measured ? cell(measured->upper_mass) : Cell());
  for (const auto& edge : spectrum.edges)
    if (!holds_outlier(edge, spectrum)) add(table, "band", fmt::format("[{:.6g}, {:.6g}]", edge.lower, edge.upper));
  for (std::size_t k = 0; k < spectrum.outliers.size(); ++k) {
    const theory::Outlier& outlier = spectrum.outliers[k];
    const Row found = row(measured_outlier(measured, k));
    add(table, fmt::format("outlier of target {:.6g}", outlier.target), outlier.eigenvalue, found[0], outlier.overlap,
        found[1]);
  }
  if (!measured) return table;
  add(table, "largest " + spectral_value(solution.problem),
      spectrum.edges.empty() ? Cell() : cell(spectrum.edges.back().upper), measured->eigenvalues.back());
  // Six digits of a distance that is known to some per cent would say nothing.
  add(table, "Kolmogorov distance", kNothing, fmt::format("{:.2g}", measured->kolmogorov_distance));
  return table;
}

Table collapse_table(const theory::Collapse& collapse) {
  Table table{"", {}, {{}}};
  for (const auto& [name, measure] : kMeasures) {
    table.columns.push_back(general(name));
    append(table.rows.front(), collapse.*measure);
  }
  return table;
}

Table spectrum_rows(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                    const study::SpectrumComparison* measured) {
  Table table = records({"kind", "s", "density", "mass", "target", "overlap", "measured", "standard_error"});
  add(table, "zero", 0.0, kNothing, solution.spectrum.zero_mass, kNothing, kNothing,
      measured ? cell(measured->zero_mass) : Cell());
  for (std::size_t i = 0; i < density.s.size(); ++i) add(table, "density", density.s[i], density.density[i]);
  const auto& outliers = solution.spectrum.outliers;
  for (std::size_t k = 0; k < outliers.size(); ++k)
    add(table, "outlier", outliers[k].eigenvalue, kNothing, kNothing, outliers[k].target, outliers[k].overlap,
        measured_outlier(measured, k));
  if (measured)
    for (const double s : measured->eigenvalues) add(table, spectral_value_id(solution.problem), s);
  return table;
}

double largest_eigenvalue(const theory::Solution& solution) {
  return solution.spectrum.edges.empty() ? 0 : std::max(0.0, solution.spectrum.edges.back().upper);
}

Table collapse_rows(std::span<const theory::Solution> curve, const std::string& variable,
                    std::span<const double> values) {
  const std::string largest = "largest_" + spectral_value_id(curve.front().problem);
  Table table = records<theory::Collapse>({variable}, {largest, "outliers", "test", "replicon", "converged"});
  for (std::size_t i = 0; i < curve.size(); ++i)
    add(table, values[i], cells(curve[i].spectrum.collapse), largest_eigenvalue(curve[i]),
        curve[i].spectrum.outliers.size(), curve[i].errors.test, curve[i].diagnostics.replicon,
        curve[i].diagnostics.converged);
  return table;
}

Table collapse_table(std::span<const theory::Solution> curve, const std::string& variable,
                     std::span<const double> values) {
  Table table = collapse_rows(curve, variable, values);
  table.columns = headed("", {general(variable, 4), general("rank/d", 4), general("stable rank/d", 4),
                              general("effective rank/d", 4), general("nuclear/Frobenius", 4),
                              general("largest " + spectral_value(curve.front().problem), 5), "outliers",
                              general("test", 4), general("replicon", 4), "converged"})
                      .columns;
  return table;
}

report::Chart collapse_chart(std::span<const theory::Solution> curve, const std::string& variable,
                             std::span<const double> values) {
  report::ErrorsChart chart{
      .title = "Collapse of the trained spectrum",
      .description = "Rank, stable rank and effective rank over d, and nuclear over Frobenius norm, against " +
                     variable + "; each is 1 for a multiple of the identity.",
      .x = {variable, Scale::log},
      .y = {"share"}};
  for (const auto& [name, measure] : kMeasures) {
    const auto share = [measure = measure](const auto& solution) { return solution.spectrum.collapse.*measure; };
    std::vector<double> shares;
    std::transform(curve.begin(), curve.end(), std::back_inserter(shares), share);
    chart.series.push_back({name, points(values, shares)});
  }
  return report::errors_chart(chart);
}

}  // namespace attnlaw::view
