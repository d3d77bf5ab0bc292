#include "attnlaw/view/softmax_law.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/view/charts.h"
#include "attnlaw/view/rows.h"

namespace attnlaw::view {
namespace {

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

/// Returns the density of a singular value of a square matrix with iid entries of variance (edge/2)².
double quarter_circle(double s, double edge) {
  return s < edge ? 4 / (std::numbers::pi * edge * edge) * std::sqrt((edge - s) * (edge + s)) : 0;
}

/// Says from how many tokens on; enough for any machine is a number, more is not.
Cell tokens_from(double length) {
  constexpr double kBeyond = 1e15;
  return length < kBeyond ? Cell(std::ceil(length)) : Cell("beyond 1e15");
}

std::string verdict(bool met) { return met ? "yes" : "not at this T"; }

/// The parameters read as "β = 1, ρ = 1, orthonormal tokens".
std::string headline(const laws::SoftmaxParameters& parameters) {
  std::string text = fmt::format("β = {:.6g}, ρ = {:.6g}, ", parameters.beta, parameters.rho);
  if (parameters.tokens == laws::TokenModel::gaussian)
    return text + fmt::format("τ = {:.6g}, Gaussian tokens", parameters.tau);
  return text + "orthonormal tokens";
}

Table law_table(const SoftmaxLawResult& result) {
  const auto& measured = result.measured;
  Table table = headed("", {"part", "theory"});
  if (measured) add_columns(table, {"experiment", error_column("standard error")});
  for (const SoftmaxLaw::Band& band : result.law.bands())
    add(table, fmt::format("band of s, mass {:.6g}", band.mass),
        fmt::format("[{:.6g}, {:.6g}]", band.support.lower, band.support.upper));
  add(table, "largest s: edge", result.law.edge(), measured ? &measured->largest : nullptr);
  if (result.outlier) add(table, "largest s: outlier", *result.outlier);
  add(table, "density of s at 0", result.law.density_at_zero());
  const auto moments = result.law.moments();
  constexpr const char* kMoments[] = {"E s²", "E s⁴", "E s⁶"};
  for (std::size_t k = 0; k < moments.size(); ++k)
    add(table, kMoments[k], moments[k], measured ? &measured->moments[k] : nullptr);
  for (std::size_t k = 0; measured && k < moments.size(); ++k)
    add(table, fmt::format("{} without the {} largest", kMoments[k], laws::kTrimmed), kNothing,
        measured->trimmed_moments[k]);
  add(table, fmt::format("s₁(A) − 1 at T = {}", result.finite_size.length), result.leading_excess(),
      measured ? &measured->leading_excess : nullptr);
  if (measured) add(table, "Kolmogorov distance to the law", kNothing, measured->kolmogorov);
  add(table, "Kolmogorov distance to Marchenko-Pastur", result.marchenko_pastur.kolmogorov,
      measured ? cell(measured->marchenko_pastur) : Cell());
  add(table, "Wasserstein distance to it, of s", result.marchenko_pastur.wasserstein);
  add(table, "Wasserstein distance to it, of s²", result.marchenko_pastur.wasserstein_squared);
  return table;
}

Table finite_size_table(const FiniteSize& size) {
  Table table =
      headed(fmt::format("The limit at T = {}, m = {}{}", size.length, size.dimensions.head,
                         size.dimensions.embedding > 0 ? fmt::format(", d = {}", size.dimensions.embedding) : ""),
             {"criterion", general("value", 4), general("needs T", 3), "met"});
  add(table, "bulk follows the law: β² < ln(T)/2", kNothing, tokens_from(size.bulk_from), verdict(size.bulk_visible));
  add(table, "edge follows the law: β < 0.293 √ln T", kNothing, tokens_from(size.edge_from),
      verdict(size.edge_visible));
  add(table, "share of the variance in entries beyond √T σ", size.tail_share);
  add(table, "E s² with its 1/T term", size.mean);
  add(table, "T/D₂, second order against noise", size.second_order_ratio);
  add(table, "Kolmogorov distance to expect", size.expected_kolmogorov);
  return table;
}

Table rows_of(const SoftmaxLawResult& result) {
  Table table = records({"kind", "s", "density", "mass", "marchenko_pastur"});
  for (const SoftmaxLaw::Band& band : result.law.bands()) {
    add(table, "band_lower", band.support.lower, kNothing, band.mass);
    add(table, "band_upper", band.support.upper);
  }
  const auto& [s, density] = result.density;
  for (std::size_t i = 0; i < s.size(); ++i)
    add(table, "density", s[i], density[i], kNothing, quarter_circle(s[i], result.marchenko_pastur.edge));
  if (result.outlier) add(table, "outlier", *result.outlier);
  if (result.measured)
    for (const double value : result.measured->singular_values) add(table, "singular_value", value);
  return table;
}

/// The chart draws the measured singular values over the law.
report::Chart law_chart(const SoftmaxLawResult& result) {
  report::SpectrumChart chart{
      .title = "Singular values of the centred attention matrix",
      .description = fmt::format("Density of the singular values of √T (A − 1/T), {}{}.", headline(result.parameters),
                                 result.measured ? ", over a histogram of the measured ones" : ""),
      .value = "singular value",
      .density = points(result.density.s, result.density.density),
      .zero_tolerance = 0};
  if (result.outlier) chart.outliers = {*result.outlier};
  if (result.measured)
    for (const double s : result.measured->singular_values)
      // The matrix takes the constant vector to zero: one singular value that no density shows.
      if (s > 0) chart.eigenvalues.push_back(s);
  return report::spectrum_chart(chart);
}

/// The chart draws the law beside the Marchenko-Pastur law of the same variance.
report::Chart marchenko_pastur_chart(const SoftmaxLawResult& result) {
  const double edge = result.marchenko_pastur.edge;
  constexpr int kPoints = 200;
  std::vector<report::Point> iid;
  for (int i = 0; i <= kPoints; ++i) {
    const double s = edge * std::sin(0.5 * std::numbers::pi * i / kPoints);
    iid.push_back({s, quarter_circle(s, edge)});
  }
  return report::errors_chart(
      {.title = "The law beside that of iid entries",
       .description = "Density of the singular values of attention, and of a square matrix with iid entries of the "
                      "same variance.",
       .x = {"singular value s", report::Scale::linear, "s"},
       .y = {"density"},
       .series = {{"softmax attention", points(result.density.s, result.density.density)}, {"Marchenko-Pastur", iid}}});
}

Warnings warnings_of(const SoftmaxLawResult& result) {
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

report::Page page_of(const SoftmaxLawResult& result, Table table, const Table& finite_size) {
  std::string lead = headline(result.parameters);
  if (const auto& measured = result.measured)
    lead += fmt::format("; {} simulated attention matrices of {} tokens.", measured->simulation.instances.size(),
                        measured->simulation.length);
  table.title = result.measured ? "Law and experiment" : "The law";
  return {"Softmax attention at initialisation",
          std::move(lead),
          {section_of(std::move(table), law_chart(result)),
           {"Beside Marchenko-Pastur", "", marchenko_pastur_chart(result)},
           section_of(finite_size)}};
}

}  // namespace

bool SoftmaxLawResult::converged() const {
  constexpr double kLawError = 1e-7;
  return law.squared().quadrature().error() < kLawError;
}

double SoftmaxLawResult::leading_excess() const {
  return finite_size.bulk_visible ? laws::leading_singular_value_excess(parameters, finite_size.length)
                                  : std::numeric_limits<double>::quiet_NaN();
}

Result show(const SoftmaxLawResult& result, laws::Refinement refinement, bool draw) {
  Table table = law_table(result);
  table.title = "Softmax attention at initialisation: " + headline(result.parameters);
  if (refinement != laws::Refinement::none) table.title += ", refined: " + base::name(refinement);
  const Table finite_size = finite_size_table(result.finite_size);
  Result shown{.tables = {table, finite_size},
               .rows = rows_of(result),
               .warnings = warnings_of(result),
               .converged = result.converged()};
  if (draw) shown.page = page_of(result, table, finite_size);
  return shown;
}

}  // namespace attnlaw::view
