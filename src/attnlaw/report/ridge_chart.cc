#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/chart_parts.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

/// The highest density reaches over so many ridges.
constexpr double overlap = 2.5;
/// More labels than these stand too close.
constexpr std::size_t most_labels = 12;

double largest_atom(const RidgeChart& chart) {
  double largest = 0;
  for (const Ridge& ridge : chart.ridges) largest = std::max(largest, ridge.zero_mass);
  return largest;
}

double highest(const Ridge& ridge) {
  double top = 0;
  for (const Point& point : ridge.density)
    if (std::isfinite(point.y)) top = std::max(top, point.y);
  return top;
}

/// Returns the density that is `overlap` rows high: the highest one, or less where a narrow band of one spectrum would
/// flatten all others. What is beyond is cut off there.
double highest_drawn(const RidgeChart& chart) {
  constexpr double most_over_median = 2;
  std::vector<double> peaks;
  for (const Ridge& ridge : chart.ridges)
    if (const double top = highest(ridge); top > 0) peaks.push_back(top);
  if (peaks.empty()) return 1;
  std::sort(peaks.begin(), peaks.end());
  return std::min(peaks.back(), most_over_median * peaks[peaks.size() / 2]);
}

/// Returns the ridges that have a label: about most_labels of them, evenly spread.
std::vector<std::size_t> labelled(std::size_t count) {
  const std::size_t step = (count + most_labels - 1) / most_labels;
  std::vector<std::size_t> ridges;
  for (std::size_t i = 0; i < count; i += std::max<std::size_t>(1, step)) ridges.push_back(i);
  return ridges;
}

/// Returns the expression of a label of the axis: the names of the ridges by their number.
std::string label_expression(const RidgeChart& chart) {
  json names = json::array();
  for (const Ridge& ridge : chart.ridges) names.push_back(ridge.label);
  return names.dump() + "[datum.value]";
}

}  // namespace

Chart ridge_chart(const RidgeChart& chart) {
  const double limit = highest_drawn(chart), unit = overlap / limit;
  bool cut = false;
  const double atom_unit = largest_atom(chart);
  json rows = json::array(), atoms = json::array();
  Table table{chart.title,
              {{.name = chart.along.title, .id = chart.along.id},
               {.name = "kind"},
               {.name = chart.value, .id = "s"},
               {.name = "density"}}};
  double left = 0, right = 0;
  // The last ridge is drawn first: the others stand before it.
  for (std::size_t i = chart.ridges.size(); i-- > 0;) {
    const Ridge& ridge = chart.ridges[i];
    const auto base = static_cast<double>(i);
    json row = {{"label", ridge.label}, {"ridge", base}};
    json drawn = json::array();
    parts::append_line(ridge.density, Scale::linear, Scale::linear, row, "density", drawn);
    for (json& one : drawn) {
      const double density = one["density"].get<double>();
      cut = cut || density > limit;
      one["top"] = base + unit * std::min(density, limit);
      left = std::min(left, one["x"].get<double>()), right = std::max(right, one["x"].get<double>());
      rows.push_back(std::move(one));
    }
    if (ridge.zero_mass > 0)
      atoms.push_back({{"label", ridge.label},
                       {"ridge", base},
                       {"x", 0},
                       {"mass", ridge.zero_mass},
                       {"top", base + ridge.zero_mass / atom_unit}});
  }
  for (const Ridge& ridge : chart.ridges) {
    if (ridge.zero_mass > 0) table.rows.push_back({ridge.at, "atom", 0.0, ridge.zero_mass});
    for (const Point& point : ridge.density) table.rows.push_back({ridge.at, "density", point.x, point.y});
  }
  const double margin = 0.02 * std::max(1e-300, right - left);
  json notes;
  if (!atoms.empty()) notes.push_back(fmt::format("Bars at 0: mass of the atom; one row high is {:.3g}.", atom_unit));
  if (cut) notes.push_back(fmt::format("Cut off: densities beyond {:.3g}.", limit));
  std::vector<const Subject*> subjects;
  for (const Ridge& ridge : chart.ridges) subjects.push_back(&ridge.subject);
  json values = {{"title", chart.title},
                 {"description", chart.description},
                 {"notes", notes},
                 {"x", parts::axis_encoding("x", {.title = chart.value}, left, right)},
                 {"x_range", {left - margin, right + margin}},
                 {"y_range", {-0.2, static_cast<double>(chart.ridges.size()) - 1 + 1.05 * overlap}},
                 {"along", chart.along.title},
                 {"labels", label_expression(chart)},
                 {"labelled", labelled(chart.ridges.size())},
                 {"value", chart.value},
                 {"ridges", rows},
                 {"atoms", atoms},
                 {"links", parts::spectra_links(subjects)}};
  return {.description = chart.description, .spec = parts::filled("ridge_chart", values), .data = table};
}

}  // namespace attnlaw::report
