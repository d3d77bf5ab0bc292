#include "attnlaw/view/softmax_law.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/view/columns.h"

namespace attnlaw::view {
namespace {

using base::Estimate;
using laws::FiniteSize;
using laws::SoftmaxLaw;
using report::Cell;
using report::Table;

/// Beyond this share of the variance the lognormal tail shapes the bulk.
constexpr double kHeavyTail = 0.05;
/// Second order features this correlated are no longer noise.
constexpr double kSmallHead = 0.1;
/// √T/d from which on outliers of Gaussian tokens come out visibly high.
constexpr double kFewDimensions = 0.05;

Cell value_of(const Estimate* estimate) { return estimate ? Cell(estimate->value) : Cell(); }
Cell error_of(const Estimate* estimate) { return estimate ? or_nothing(estimate->standard_error) : Cell(); }

/// The density of a singular value of a square matrix with iid entries of variance (edge/2)².
double quarter_circle(double s, double edge) {
  return s < edge ? 4 / (std::numbers::pi * edge * edge) * std::sqrt((edge - s) * (edge + s)) : 0;
}

/// From how many tokens on; enough for any machine is a number, more is not.
Cell tokens_from(double length) {
  constexpr double kBeyond = 1e15;
  return length < kBeyond ? Cell(std::ceil(length)) : Cell("beyond 1e15");
}

std::string verdict(bool met) { return met ? "yes" : "not at this T"; }

}  // namespace

bool SoftmaxLawResult::converged() const {
  constexpr double kLawError = 1e-7;
  return law.squared().quadrature().error() < kLawError;
}

double SoftmaxLawResult::leading_excess() const {
  return finite_size.bulk_visible ? laws::leading_singular_value_excess(parameters, finite_size.length)
                                  : std::numeric_limits<double>::quiet_NaN();
}

std::string describe(const laws::SoftmaxParameters& parameters) {
  std::string text = fmt::format("β = {:.6g}, ρ = {:.6g}, ", parameters.beta, parameters.rho);
  if (parameters.tokens == laws::TokenModel::gaussian)
    return text + fmt::format("τ = {:.6g}, Gaussian tokens", parameters.tau);
  return text + "orthonormal tokens";
}

Table softmax_law_table(const SoftmaxLawResult& result) {
  const laws::AttentionComparison* measured = result.measured ? &*result.measured : nullptr;
  Table table{"", {general("part"), general("theory")}};
  if (measured) {
    table.columns.push_back(general("experiment"));
    table.columns.push_back(general("standard error", kErrorFigures));
  }
  const auto add = [&](std::string part, Cell theory, Cell experiment = {}, Cell error = {}) {
    table.rows.push_back({std::move(part), std::move(theory)});
    if (measured) table.rows.back().insert(table.rows.back().end(), {std::move(experiment), std::move(error)});
  };
  const auto add_estimate = [&](std::string part, Cell theory, const Estimate* estimate) {
    add(std::move(part), std::move(theory), value_of(estimate), error_of(estimate));
  };
  for (const SoftmaxLaw::Band& band : result.law.bands())
    add(fmt::format("band of s, mass {:.6g}", band.mass),
        fmt::format("[{:.6g}, {:.6g}]", band.support.lower, band.support.upper));
  add_estimate("largest s: edge", result.law.edge(), measured ? &measured->largest : nullptr);
  if (result.outlier) add("largest s: outlier", *result.outlier);
  add("density of s at 0", result.law.density_at_zero());
  const auto moments = result.law.moments();
  constexpr const char* kMoments[] = {"E s²", "E s⁴", "E s⁶"};
  for (std::size_t k = 0; k < moments.size(); ++k)
    add_estimate(kMoments[k], moments[k], measured ? &measured->moments[k] : nullptr);
  for (std::size_t k = 0; measured && k < moments.size(); ++k)
    add_estimate(fmt::format("{} without the {} largest", kMoments[k], laws::kTrimmed), Cell(),
                 &measured->trimmed_moments[k]);
  add_estimate(fmt::format("s₁(A) − 1 at T = {}", result.finite_size.length), or_nothing(result.leading_excess()),
               measured ? &measured->leading_excess : nullptr);
  if (measured) add("Kolmogorov distance to the law", Cell(), measured->kolmogorov);
  add("Kolmogorov distance to Marchenko-Pastur", result.marchenko_pastur.kolmogorov,
      measured ? Cell(measured->marchenko_pastur) : Cell());
  add("Wasserstein distance to it, of s", result.marchenko_pastur.wasserstein);
  add("Wasserstein distance to it, of s²", result.marchenko_pastur.wasserstein_squared);
  return table;
}

Table finite_size_table(const FiniteSize& size) {
  Table table{fmt::format("The limit at T = {}, m = {}{}", size.length, size.dimensions.head,
                          size.dimensions.embedding > 0 ? fmt::format(", d = {}", size.dimensions.embedding) : ""),
              {general("criterion"), general("value", 4), general("needs T", 3), general("met")}};
  table.rows = {
      {"bulk follows the law: β² < ln(T)/2", Cell(), tokens_from(size.bulk_from), verdict(size.bulk_visible)},
      {"edge follows the law: β < 0.293 √ln T", Cell(), tokens_from(size.edge_from), verdict(size.edge_visible)},
      {"share of the variance in entries beyond √T σ", size.tail_share, Cell(), Cell()},
      {"E s² with its 1/T term", or_nothing(size.mean), Cell(), Cell()},
      {"T/D₂, second order against noise", size.second_order_ratio, Cell(), Cell()},
      {"Kolmogorov distance to expect", size.expected_kolmogorov, Cell(), Cell()}};
  return table;
}

Table softmax_law_rows(const SoftmaxLawResult& result) {
  Table table{"", {{"kind"}, {"s"}, {"density"}, {"mass"}, {"marchenko_pastur"}}};
  for (const SoftmaxLaw::Band& band : result.law.bands()) {
    add_row(table, {{"kind", "band_lower"}, {"s", band.support.lower}, {"mass", band.mass}});
    add_row(table, {{"kind", "band_upper"}, {"s", band.support.upper}});
  }
  for (std::size_t i = 0; i < result.density.s.size(); ++i)
    add_row(table, {{"kind", "density"},
                    {"s", result.density.s[i]},
                    {"density", result.density.density[i]},
                    {"marchenko_pastur", quarter_circle(result.density.s[i], result.marchenko_pastur.edge)}});
  if (result.outlier) add_row(table, {{"kind", "outlier"}, {"s", *result.outlier}});
  if (result.measured)
    for (const double s : result.measured->singular_values) add_row(table, {{"kind", "singular_value"}, {"s", s}});
  return table;
}

report::Chart softmax_law_chart(const SoftmaxLawResult& result) {
  report::SpectrumChart chart;
  chart.title = "Singular values of the centred attention matrix";
  chart.description = fmt::format("Density of the singular values of √T (A − 1/T), {}{}.", describe(result.parameters),
                                  result.measured ? ", over a histogram of the measured ones" : "");
  chart.value = "singular value";
  for (std::size_t i = 0; i < result.density.s.size(); ++i)
    chart.density.push_back({result.density.s[i], result.density.density[i]});
  if (result.outlier) chart.outliers = {*result.outlier};
  if (result.measured)
    for (const double s : result.measured->singular_values)
      // The matrix takes the constant vector to zero: one singular value that no density shows.
      if (s > 0) chart.eigenvalues.push_back(s);
  chart.zero_tolerance = 0;
  return report::spectrum_chart(chart);
}

report::Chart marchenko_pastur_chart(const SoftmaxLawResult& result) {
  report::ErrorsChart chart;
  chart.title = "The law beside that of iid entries";
  chart.description =
      "Density of the singular values of attention, and of a square matrix with iid entries of the same "
      "variance.";
  chart.x = {"singular value s", report::Scale::linear};
  chart.y = {"density", report::Scale::linear};
  report::Series law{"softmax attention", {}, {}}, iid{"Marchenko-Pastur", {}, {}};
  for (std::size_t i = 0; i < result.density.s.size(); ++i)
    law.theory.push_back({result.density.s[i], result.density.density[i]});
  constexpr int kPoints = 200;
  for (int i = 0; i <= kPoints; ++i) {
    const double s = result.marchenko_pastur.edge * std::sin(0.5 * std::numbers::pi * i / kPoints);
    iid.theory.push_back({s, quarter_circle(s, result.marchenko_pastur.edge)});
  }
  chart.series = {law, iid};
  return report::errors_chart(chart);
}

Warnings warnings(const SoftmaxLawResult& result) {
  const FiniteSize& size = result.finite_size;
  Warnings lines;
  if (!result.converged())
    lines.push_back("not converged: mass and moments of the law differ from their exact values by more than 1e-7");
  if (size.tail_share > kHeavyTail)
    lines.push_back(
        fmt::format("at T = {} and beta = {} the lognormal tail dominates: entries beyond √T σ carry {:.0f} % of the "
                    "variance; expect KS ≈ {:.2g}",
                    size.length, result.parameters.beta, 100 * size.tail_share, size.expected_kolmogorov));
  if (!size.edge_visible)
    lines.push_back(
        fmt::format("at T = {} single large entries put singular values beyond the edge; they re-enter the bulk for "
                    "T > {:.2g}",
                    size.length, size.edge_from));
  if (size.expected_kolmogorov > result.marchenko_pastur.kolmogorov)
    lines.push_back(fmt::format(
        "at T = {} the law cannot be told from Marchenko-Pastur: they differ by {:.2g}, finite size by {:.2g}",
        size.length, result.marchenko_pastur.kolmogorov, size.expected_kolmogorov));
  if (size.second_order_ratio > kSmallHead)
    lines.push_back(fmt::format(
        "head dimension {} is small for T = {}: T/D₂ = {:.2g}, so the second order of the exponential is not "
        "noise{}",
        size.dimensions.head, size.length, size.second_order_ratio,
        result.parameters.tokens == laws::TokenModel::orthonormal ? " (see --refine head)" : ""));
  if (result.outlier && size.dimensions.embedding > 0 &&
      std::sqrt(size.length) > kFewDimensions * size.dimensions.embedding)
    lines.push_back(fmt::format("with Gaussian tokens outliers come out some percent high while √T/d = {:.2g}",
                                std::sqrt(size.length) / size.dimensions.embedding));
  return lines;
}

}  // namespace attnlaw::view
