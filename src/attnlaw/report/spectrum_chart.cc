#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/chart_parts.h"
#include "attnlaw/report/histogram.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

/// The room above the highest density, as a part of it, where the label of the atom stands.
constexpr double headroom = 0.25;
/// A density that diverges at an edge is cut off at this multiple of the highest bar.
constexpr double max_density_over_bars = 2;
/// The width of a bar of the atom, as a part of the axis.
constexpr double atom_width = 0.012;

bool has_atom(const SpectrumChart& chart, const Histogram& measured) {
  return chart.predicted_zero_mass > 0 || measured.zero_mass > 0;
}

/// Returns the predicted density at x; zero outside the curve.
double interpolated(const std::vector<Point>& density, double x) {
  const auto upper =
      std::lower_bound(density.begin(), density.end(), x, [](const Point& p, double at) { return p.x < at; });
  if (upper == density.end() || density.empty()) return 0;
  if (upper->x == x) return upper->y;
  if (upper == density.begin()) return 0;
  const Point& a = *(upper - 1);
  return a.y + (upper->y - a.y) * (x - a.x) / (upper->x - a.x);
}

double highest(const std::vector<Point>& density) {
  double top = 0;
  for (const Point& point : density) {
    if (std::isfinite(point.y)) top = std::max(top, point.y);
  }
  return top;
}

/// Returns the upper end of the density axis.
double density_axis_top(const SpectrumChart& chart, const Histogram& measured) {
  double bars = 0;
  for (const Bin& bin : measured.bins) bars = std::max(bars, bin.density);
  double top = highest(chart.density);
  if (bars > 0) top = std::max(bars, std::min(top, max_density_over_bars * bars));
  return top > 0 ? (1 + headroom) * top : 1;
}

/// Returns an interval that holds all that is drawn.
std::pair<double, double> eigenvalue_range(const SpectrumChart& chart, const Histogram& measured) {
  std::vector<double> positions = chart.outliers;
  for (const Bin& bin : measured.bins) positions.insert(positions.end(), {bin.lower, bin.upper});
  for (const Point& point : chart.density) positions.push_back(point.x);
  if (has_atom(chart, measured)) positions.push_back(0);
  std::erase_if(positions, [](double x) { return !std::isfinite(x); });
  if (positions.empty()) return {0, 1};
  const auto [low, high] = std::minmax_element(positions.begin(), positions.end());
  // Marks at the very ends need some room, and so has the bar of an atom there.
  const double margin = *high > *low ? 2 * atom_width * (*high - *low) : 0.5;
  return {*low - margin, *high + margin};
}

std::string mass_label(const SpectrumChart& chart, const Histogram& measured, const char* separator) {
  std::string label = fmt::format("mass at 0{}predicted {:.4f}", separator, chart.predicted_zero_mass);
  if (!chart.eigenvalues.empty()) label += fmt::format("{}measured {:.4f}", separator, measured.zero_mass);
  return label;
}

/// Returns those values of the template that are rows of data.
json spectrum_rows(const SpectrumChart& chart, const Histogram& measured) {
  json bars = json::array(), density = json::array(), outliers = json::array();
  for (const Bin& bin : measured.bins)
    bars.push_back({{"lower", bin.lower}, {"upper", bin.upper}, {"density", bin.density}, {"count", bin.count}});
  parts::append_line(chart.density, Scale::linear, Scale::linear, json::object(), "density", density);
  for (const double x : chart.outliers)
    if (std::isfinite(x)) outliers.push_back({{"x", x}});
  const auto [left, right] = eigenvalue_range(chart, measured);
  const double width = atom_width * (right - left);
  json atom = json::array();
  // Both stand at zero, the measured one at the left of it.
  if (!chart.eigenvalues.empty())
    atom.push_back({{"kind", "measured"}, {"left", -width}, {"right", 0}, {"mass", measured.zero_mass}});
  atom.push_back({{"kind", "predicted"}, {"left", 0}, {"right", width}, {"mass", chart.predicted_zero_mass}});
  return {{"histogram", bars},
          {"density", density},
          {"outliers", outliers},
          {"atom", atom},
          {"atom_label", json::array({{{"x", 0}, {"label", mass_label(chart, measured, "\n")}}})}};
}

json spectrum_notes(const SpectrumChart& chart, const Histogram& measured) {
  json notes;
  if (measured.not_finite > 0)
    notes.push_back(fmt::format("Not drawn: {} {}s not finite.", measured.not_finite, chart.value));
  if (!chart.outliers.empty()) notes.push_back("Dashed: predicted outliers.");
  if (has_atom(chart, measured)) notes.push_back("Bars at 0: mass of the atom (axis at the right).");
  return notes;
}

/// Returns the atom (its mass in the place of a density), outliers, bars and the points of the law, told apart by kind.
Table spectrum_table(const SpectrumChart& chart, const Histogram& measured) {
  Table table{.title = chart.title,
              .columns = {{.name = "kind"},
                          {.name = chart.value, .id = "s"},
                          {.name = "predicted"},
                          {.name = "measured"},
                          {.name = chart.value + "s", .id = "count"}}};
  if (has_atom(chart, measured)) {
    table.rows.push_back({"atom", 0.0, chart.predicted_zero_mass, {}, {}});
    if (!chart.eigenvalues.empty()) table.rows.back()[3] = measured.zero_mass;
  }
  for (const double x : chart.outliers) table.rows.push_back({"outlier", x, {}, {}, {}});
  for (const Bin& bin : measured.bins) {
    const double centre = 0.5 * (bin.lower + bin.upper);
    table.rows.push_back({"bar", centre, {}, bin.density, bin.count});
    if (!chart.density.empty()) table.rows.back()[2] = interpolated(chart.density, centre);
  }
  for (const Point& point : chart.density) table.rows.push_back({"density", point.x, point.y, {}, {}});
  return table;
}

}  // namespace

Chart spectrum_chart(const SpectrumChart& chart) {
  const Histogram measured = histogram(chart.eigenvalues, chart.bins, chart.zero_tolerance);
  const auto [left, right] = eigenvalue_range(chart, measured);
  // The label of the atom stands on the side of its rule where there is more room.
  const bool label_right = -left < right;
  json values = {{"title", chart.title},
                 {"description", chart.description},
                 {"notes", spectrum_notes(chart, measured)},
                 {"x", parts::axis_encoding("x", {.title = chart.value}, left, right)},
                 {"x_range", {left, right}},
                 {"top", density_axis_top(chart, measured)},
                 {"value", chart.value},
                 {"values", chart.value + "s"},
                 {"kinds", chart.eigenvalues.empty() ? json{"predicted"} : json{"measured", "predicted"}},
                 {"has_density", !chart.density.empty()},
                 {"has_outliers", !chart.outliers.empty()},
                 {"has_atom", has_atom(chart, measured)},
                 {"label_align", label_right ? "left" : "right"},
                 {"label_dx", label_right ? 7 : -7},
                 {"links", parts::spectra_links({&chart.subject})}};
  values.update(spectrum_rows(chart, measured));
  return {.description = chart.description,
          .spec = parts::filled("spectrum_chart", values),
          .data = spectrum_table(chart, measured)};
}

}  // namespace attnlaw::report
