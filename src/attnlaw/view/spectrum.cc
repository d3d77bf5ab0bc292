#include "attnlaw/view/spectrum.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "attnlaw/view/columns.h"

namespace attnlaw::view {
namespace {

using report::Cell;
using report::Table;

constexpr std::pair<const char*, double theory::Collapse::*> kMeasures[] = {
    {"rank/d", &theory::Collapse::rank_fraction},
    {"stable rank/d", &theory::Collapse::stable_rank},
    {"effective rank/d", &theory::Collapse::effective_rank},
    {"nuclear/(√d Frobenius)", &theory::Collapse::nuclear_frobenius}};

Cell measured_cell(const study::SpectrumComparison* measured, std::size_t outlier) {
  if (measured == nullptr) return {};
  return measured->outliers[outlier].measured.value;
}

Cell error_cell(const study::SpectrumComparison* measured, std::size_t outlier) {
  if (measured == nullptr) return {};
  return or_nothing(measured->outliers[outlier].measured.standard_error);
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

report::Chart spectrum_chart(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                             const study::SpectrumComparison* measured) {
  report::SpectrumChart chart;
  chart.title = "Spectrum of the trained map S";
  chart.value = spectral_value(solution.problem);
  chart.description =
      fmt::format("Density of the {}s of the trained S, with an atom of mass {:.3f} at zero{}.", chart.value,
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
  const theory::TrainedSpectrum& spectrum = solution.spectrum;
  Table table{"Spectrum of the trained S",
              {general("part"), general("theory"), general("experiment"), general("squared overlap", 4)}};
  const bool scattered = measured != nullptr && !measured->outliers.empty();
  if (scattered) table.columns.push_back(general("standard error", kErrorFigures));
  const auto add = [&](std::string part, Cell predicted, Cell experiment = {}, Cell overlap = {}, Cell error = {}) {
    table.rows.push_back({std::move(part), std::move(predicted), std::move(experiment), std::move(overlap)});
    if (scattered) table.rows.back().push_back(std::move(error));
  };
  add("mass at zero", spectrum.zero_mass, measured ? Cell(measured->zero_mass) : Cell());
  for (const auto& edge : spectrum.edges) add("band", fmt::format("[{:.6g}, {:.6g}]", edge.lower, edge.upper));
  for (std::size_t k = 0; k < spectrum.outliers.size(); ++k) {
    const theory::Outlier& outlier = spectrum.outliers[k];
    add(fmt::format("outlier of target {:.6g}", outlier.target), outlier.eigenvalue, measured_cell(measured, k),
        outlier.overlap, error_cell(measured, k));
  }
  if (!measured) return table;
  add("largest " + spectral_value(solution.problem),
      spectrum.edges.empty() ? Cell() : Cell(spectrum.edges.back().upper), measured->eigenvalues.back());
  add("Kolmogorov distance", Cell(), measured->kolmogorov_distance);
  return table;
}

Table collapse_table(const theory::Collapse& collapse) {
  Table table{"", {}, {{}}};
  for (const auto& [name, measure] : kMeasures) {
    table.columns.push_back(general(name));
    table.rows.front().emplace_back(collapse.*measure);
  }
  return table;
}

Table spectrum_rows(const theory::Solution& solution, const theory::TrainedLaw::Curve& density,
                    const study::SpectrumComparison* measured) {
  Table table{"", {{"kind"}, {"s"}, {"density"}, {"mass"}, {"target"}, {"overlap"}, {"measured"}, {"standard_error"}}};
  const auto add = [&](const std::string& kind, double at, const std::vector<Cell>& more) {
    std::vector<Cell> row{kind, at};
    row.insert(row.end(), more.begin(), more.end());
    row.resize(table.columns.size());
    table.rows.push_back(std::move(row));
  };
  const Cell none;
  add("zero", 0, {none, solution.spectrum.zero_mass, none, none, measured ? Cell(measured->zero_mass) : none});
  for (std::size_t i = 0; i < density.s.size(); ++i) add("density", density.s[i], {density.density[i]});
  const auto& outliers = solution.spectrum.outliers;
  for (std::size_t k = 0; k < outliers.size(); ++k)
    add("outlier", outliers[k].eigenvalue,
        {none, none, outliers[k].target, outliers[k].overlap, measured_cell(measured, k), error_cell(measured, k)});
  if (measured)
    for (const double s : measured->eigenvalues) add(spectral_value_id(solution.problem), s, {});
  return table;
}

double largest_eigenvalue(const theory::Solution& solution) {
  return solution.spectrum.edges.empty() ? 0 : std::max(0.0, solution.spectrum.edges.back().upper);
}

namespace {

/// In the order of the columns of collapse_table and collapse_rows.
std::vector<Cell> collapse_cells(const theory::Solution& s, double value) {
  const theory::Collapse& collapse = s.spectrum.collapse;
  return {value,
          collapse.rank_fraction,
          collapse.stable_rank,
          collapse.effective_rank,
          collapse.nuclear_frobenius,
          largest_eigenvalue(s),
          static_cast<long long>(s.spectrum.outliers.size()),
          s.errors.test,
          or_nothing(s.diagnostics.replicon),
          yes_or_no(s.diagnostics.converged)};
}

}  // namespace

Table collapse_table(std::span<const theory::Solution> curve, const std::string& variable,
                     std::span<const double> values) {
  Table table{"",
              {general(variable, 4), general("rank/d", 4), general("stable rank/d", 4), general("effective rank/d", 4),
               general("nuclear/Frobenius", 4), general("largest " + spectral_value(curve.front().problem), 5),
               general("outliers"), general("test", 4), general("replicon", 4), general("converged")}};
  for (std::size_t i = 0; i < curve.size(); ++i) table.rows.push_back(collapse_cells(curve[i], values[i]));
  return table;
}

Table collapse_rows(std::span<const theory::Solution> curve, const std::string& variable,
                    std::span<const double> values) {
  Table table{"",
              {{variable},
               {"rank_fraction"},
               {"stable_rank"},
               {"effective_rank"},
               {"nuclear_frobenius"},
               {"largest_" + spectral_value_id(curve.front().problem)},
               {"outliers"},
               {"test"},
               {"replicon"},
               {"converged"}}};
  for (std::size_t i = 0; i < curve.size(); ++i) table.rows.push_back(collapse_cells(curve[i], values[i]));
  return table;
}

report::Chart collapse_chart(std::span<const theory::Solution> curve, const std::string& variable,
                             std::span<const double> values) {
  report::ErrorsChart chart;
  chart.title = "Collapse of the trained spectrum";
  chart.description = "Rank, stable rank and effective rank over d, and nuclear over Frobenius norm, against " +
                      variable + "; each is 1 for a multiple of the identity.";
  chart.x = {variable, report::Scale::log};
  chart.y = {"share", report::Scale::linear};
  for (const auto& [name, measure] : kMeasures) {
    report::Series series{name, {}, {}};
    for (std::size_t i = 0; i < curve.size(); ++i)
      series.theory.push_back({values[i], curve[i].spectrum.collapse.*measure});
    chart.series.push_back(std::move(series));
  }
  return report::errors_chart(chart);
}

}  // namespace attnlaw::view
