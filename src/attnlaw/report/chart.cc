#include "attnlaw/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "attnlaw/report/chart_parts.h"
#include "attnlaw/report/histogram.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;
using parts::drawable;
using parts::frame;
using parts::log_ticks;
using parts::quantitative;
using parts::tooltip;

/// Okabe and Ito's colours that stand out on white and on black, told apart by every form of colour vision.
constexpr std::array palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
/// With a number of shapes prime to the number of colours, 30 series differ in colour or shape.
constexpr std::array shapes = {"circle", "square", "triangle-up", "diamond", "cross"};
/// Lines of one colour, in charts of more series than colours.
const std::array<std::vector<int>, 4> dashes = {{{1, 0}, {8, 4}, {12, 3, 3, 3}, {4, 4}}};
/// Of guides: unlike every dash.
const std::vector<int> dots = {2, 3};

constexpr const char* measured_colour = "#56B4E9";
constexpr const char* predicted_colour = "#D55E00";

/// Room above the highest density, as a part of it, where the label of the atom stands.
constexpr double headroom = 0.25;
/// A density that diverges at an edge is cut off at this multiple of the highest bar.
constexpr double max_density_over_bars = 2;

bool has_error_bar(const Point& point) { return std::isfinite(point.standard_error) && point.standard_error > 0; }

// ---- errors -------------------------------------------------------------------------------------------------------

void require_distinct_names(const std::vector<Series>& series) {
  std::set<std::string> names;
  for (const Series& one : series) {
    if (!names.insert(one.name).second) {
      throw std::invalid_argument(fmt::format("two series have the name '{}'", one.name));
    }
  }
}

/// Rows for the drawing, and the number of values that cannot be drawn.
struct Drawn {
  json theory = json::array();
  json experiment = json::array();
  json guide = json::array();
  json rules = json::array();
  int omitted = 0;
};

/// The finite pieces of a line, numbered: a value that cannot be drawn ends a piece. Returns how many there were.
int draw_line(const ErrorsChart& chart, const std::string& name, const std::vector<Point>& line, json& rows) {
  int piece = 0;
  for (const Point& point : line) {
    if (drawable(point.x, chart.x.scale) && drawable(point.y, chart.y.scale)) {
      rows.push_back({{"series", name}, {"piece", piece}, {"x", point.x}, {"y", point.y}});
    } else {
      ++piece;
    }
  }
  return piece;
}

void draw_points(const ErrorsChart& chart, const Series& series, double floor, Drawn& drawn) {
  for (const Point& point : series.experiment) {
    if (!drawable(point.x, chart.x.scale) || !drawable(point.y, chart.y.scale)) {
      ++drawn.omitted;
      continue;
    }
    json row = {{"series", series.name}, {"x", point.x}, {"y", point.y}};
    if (has_error_bar(point)) {
      const double lower = point.y - point.standard_error;
      row["standard_error"] = point.standard_error;
      row["lower"] = drawable(lower, chart.y.scale) ? lower : floor;
      row["upper"] = point.y + point.standard_error;
    }
    drawn.experiment.push_back(std::move(row));
  }
}

/// The lowest y that is drawn: where error bars end that would leave a logarithmic axis.
double lowest_drawn(const ErrorsChart& chart) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const Series& series : chart.series) {
    for (const auto* points : {&series.theory, &series.experiment}) {
      for (const Point& point : *points) {
        if (drawable(point.y, chart.y.scale)) lowest = std::min(lowest, point.y);
      }
    }
  }
  return lowest;
}

Drawn draw(const ErrorsChart& chart) {
  Drawn drawn;
  const double floor = lowest_drawn(chart);
  for (const Series& series : chart.series) {
    drawn.omitted += draw_line(chart, series.name, series.theory, drawn.theory);
    draw_points(chart, series, floor, drawn);
    draw_line(chart, series.name, series.guide, drawn.guide);
  }
  for (const Rule& rule : chart.rules)
    if (drawable(rule.x, chart.x.scale)) drawn.rules.push_back({{"label", rule.label}, {"x", rule.x}});
  return drawn;
}

/// Colour, shape or dash by series, in the order of the series; each value serves `run` series in turn.
template <class Value, std::size_t n>
json by_series(const std::vector<Series>& series, const std::array<Value, n>& range, std::size_t run = 1) {
  json domain = json::array();
  json values = json::array();
  for (std::size_t i = 0; i < series.size(); ++i) {
    domain.push_back(series[i].name);
    values.push_back(range[(i / run) % n]);
  }
  return {{"field", "series"},
          {"type", "nominal"},
          {"scale", {{"domain", domain}, {"range", values}}},
          {"legend", {{"title", nullptr}, {"orient", "top"}, {"direction", "horizontal"}, {"labelLimit", 320}}}};
}

/// The encoding of x or y, with ticks that suit the drawn values of `fields`.
json errors_axis(const char* field, const Axis& axis, const std::vector<const char*>& fields, const Drawn& drawn) {
  json encoding = quantitative(field, axis);
  if (axis.scale == Scale::linear) return encoding;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = 0;
  for (const json* rows : {&drawn.theory, &drawn.experiment, &drawn.guide}) {
    for (const json& row : *rows) {
      for (const char* name : fields) {
        if (!row.contains(name)) continue;
        lowest = std::min(lowest, row[name].get<double>());
        highest = std::max(highest, row[name].get<double>());
      }
    }
  }
  // Within less than two such ticks, Vega's own choice is finer.
  const std::vector<double> ticks = lowest <= highest ? log_ticks(lowest, highest) : std::vector<double>();
  encoding["axis"] = {{"format", "~g"}};
  if (ticks.size() >= 2) encoding["axis"]["values"] = ticks;
  return encoding;
}

/// Vertical lines with their labels along them, under everything else.
void add_rules(const json& x, json& layers) {
  layers.push_back(
      {{"name", "rules"},
       {"data", {{"name", "rules"}}},
       {"mark", {{"type", "rule"}, {"style", "annotation"}, {"strokeDash", {4, 3}}, {"opacity", 0.7}, {"clip", true}}},
       {"encoding", {{"x", x}}}});
  layers.push_back(
      {{"name", "rule_labels"},
       {"data", {{"name", "rules"}}},
       {"mark",
        {{"type", "text"},
         {"style", "annotation-label"},
         {"angle", 270},
         {"align", "right"},
         {"baseline", "bottom"},
         {"dx", -4},
         {"dy", -3},
         {"clip", true}}},
       {"encoding", {{"x", x}, {"y", {{"value", 0}}}, {"text", {{"field", "label"}, {"type", "nominal"}}}}}});
}

json errors_layers(const ErrorsChart& chart, const Drawn& drawn) {
  const json x = errors_axis("x", chart.x, {"x"}, drawn);
  const json y = errors_axis("y", chart.y, {"y", "lower", "upper"}, drawn);
  const json colour = by_series(chart.series, palette);
  json line_tooltip = json::array({{{"field", "series"}, {"type", "nominal"}, {"title", "theory"}},
                                   tooltip("x", chart.x.title),
                                   tooltip("y", chart.y.title)});
  json point_tooltip = line_tooltip;
  point_tooltip[0]["title"] = "experiment";
  point_tooltip.push_back(tooltip("standard_error", "standard error"));

  const json detail = {{"field", "piece"}, {"type", "nominal"}};

  json layers = json::array();
  if (!drawn.rules.empty()) add_rules(x, layers);
  if (!drawn.guide.empty()) {
    layers.push_back(
        {{"name", "guide"},
         {"data", {{"name", "guide"}}},
         {"mark", {{"type", "line"}, {"strokeWidth", 2}, {"strokeDash", dots}, {"clip", true}, {"aria", false}}},
         {"encoding", {{"x", x}, {"y", y}, {"color", colour}, {"detail", detail}}}});
  }
  if (!drawn.theory.empty()) {
    layers.push_back({{"name", "theory"},
                      {"data", {{"name", "theory"}}},
                      {"mark", {{"type", "line"}, {"strokeWidth", 2}, {"clip", true}}},
                      {"encoding", {{"x", x}, {"y", y}, {"color", colour}, {"detail", detail}}}});
    if (chart.series.size() > palette.size())
      layers.back()["encoding"]["strokeDash"] = by_series(chart.series, dashes, palette.size());
    layers.push_back({{"name", "theory_hover"},
                      {"data", {{"name", "theory"}}},
                      {"mark", {{"type", "point"}, {"opacity", 0}, {"size", 120}, {"aria", false}}},
                      {"encoding", {{"x", x}, {"y", y}, {"tooltip", line_tooltip}}}});
  }
  if (!drawn.experiment.empty()) {
    json lower = y;
    lower["field"] = "lower";
    layers.push_back({{"name", "error_bars"},
                      {"data", {{"name", "experiment"}}},
                      {"transform", json::array({{{"filter", "isValid(datum.lower)"}}})},
                      {"mark", {{"type", "rule"}, {"strokeWidth", 1.5}, {"aria", false}}},
                      {"encoding", {{"x", x}, {"y", lower}, {"y2", {{"field", "upper"}}}, {"color", colour}}}});
    layers.push_back({{"name", "experiment"},
                      {"data", {{"name", "experiment"}}},
                      {"mark", {{"type", "point"}, {"filled", true}, {"size", 50}, {"opacity", 1}}},
                      {"encoding",
                       {{"x", x},
                        {"y", y},
                        {"color", colour},
                        {"shape", by_series(chart.series, shapes)},
                        {"tooltip", point_tooltip}}}});
  }
  return layers;
}

std::vector<std::string> errors_notes(const ErrorsChart& chart, const Drawn& drawn) {
  std::vector<std::string> notes;
  if (!drawn.theory.empty() && !drawn.experiment.empty()) notes.emplace_back("Lines: theory. Points: experiment.");
  const bool bars = std::any_of(drawn.experiment.begin(), drawn.experiment.end(),
                                [](const json& row) { return row.contains("lower"); });
  if (bars) notes.emplace_back("Bars: one standard error to each side.");
  if (!drawn.guide.empty()) notes.push_back(fmt::format("Dotted: {}.", chart.guide_title));
  if (drawn.omitted > 0) {
    const bool log = chart.x.scale == Scale::log || chart.y.scale == Scale::log;
    notes.push_back(fmt::format("Not drawn: {} {} not finite{}.", drawn.omitted,
                                drawn.omitted == 1 ? "value" : "values", log ? " or not positive" : ""));
  }
  return notes;
}

/// Adds a column with the guides, at the rows of the theory where they have one, and rows for the others.
void add_guides(const ErrorsChart& chart, Table& table) {
  table.columns.push_back({.name = chart.guide_title, .precision = 5});
  for (auto& row : table.rows) row.emplace_back();
  for (const Series& series : chart.series) {
    for (const Point& point : series.guide) {
      if (!std::isfinite(point.x)) continue;  // the end of a piece
      const auto row = std::find_if(table.rows.begin(), table.rows.end(), [&](const auto& cells) {
        return cells[0] == Cell(series.name) && cells[1] == Cell(point.x) && cells.back() == Cell();
      });
      if (row != table.rows.end())
        row->back() = point.y;
      else
        table.rows.push_back({series.name, point.x, {}, {}, {}, point.y});
    }
  }
}

/// One row per series and x, theory beside experiment; then the rules.
Table errors_table(const ErrorsChart& chart) {
  Table table{.title = chart.title,
              .columns = {{.name = "series"},
                          {.name = chart.x.title},
                          {.name = "theory", .precision = 5},
                          {.name = "experiment", .precision = 5},
                          {.name = "standard error", .precision = 2}}};
  for (const Series& series : chart.series) {
    std::vector<Point> measured = series.experiment;
    std::stable_sort(measured.begin(), measured.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    auto next = measured.begin();
    const auto push_measured = [&](Cell theory) {
      table.rows.push_back({series.name, next->x, std::move(theory), next->y,
                            has_error_bar(*next) ? Cell(next->standard_error) : Cell()});
      ++next;
    };
    for (const Point& predicted : series.theory) {
      while (next != measured.end() && next->x < predicted.x) push_measured({});
      if (next != measured.end() && next->x == predicted.x) {
        push_measured(predicted.y);
      } else {
        table.rows.push_back({series.name, predicted.x, predicted.y, {}, {}});
      }
    }
    while (next != measured.end()) push_measured({});
  }
  if (std::any_of(chart.series.begin(), chart.series.end(), [](const Series& one) { return !one.guide.empty(); }))
    add_guides(chart, table);
  for (const Rule& rule : chart.rules) {
    table.rows.push_back({rule.label, rule.x});
    table.rows.back().resize(table.columns.size());
  }
  return table;
}

// ---- spectrum -----------------------------------------------------------------------------------------------------

bool has_atom(const SpectrumChart& chart, const Histogram& measured) {
  return chart.predicted_zero_mass > 0 || measured.zero_mass > 0;
}

/// The predicted density at x; zero outside the curve.
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

/// The upper end of the density axis.
double density_axis_top(const SpectrumChart& chart, const Histogram& measured) {
  double bars = 0;
  for (const Bin& bin : measured.bins) bars = std::max(bars, bin.density);
  double top = highest(chart.density);
  if (bars > 0) top = std::max(bars, std::min(top, max_density_over_bars * bars));
  return top > 0 ? (1 + headroom) * top : 1;
}

/// An interval that holds all that is drawn.
std::pair<double, double> eigenvalue_range(const SpectrumChart& chart, const Histogram& measured) {
  std::vector<double> positions = chart.outliers;
  for (const Bin& bin : measured.bins) positions.insert(positions.end(), {bin.lower, bin.upper});
  for (const Point& point : chart.density) positions.push_back(point.x);
  if (has_atom(chart, measured)) positions.push_back(0);
  std::erase_if(positions, [](double x) { return !std::isfinite(x); });
  if (positions.empty()) return {0, 1};
  const auto [low, high] = std::minmax_element(positions.begin(), positions.end());
  // Room for marks that stand at the very ends.
  const double margin = *high > *low ? 0.02 * (*high - *low) : 0.5;
  return {*low - margin, *high + margin};
}

std::string mass_label(const SpectrumChart& chart, const Histogram& measured, const char* separator) {
  std::string label = fmt::format("mass at 0{}predicted {:.4f}", separator, chart.predicted_zero_mass);
  if (!chart.eigenvalues.empty()) label += fmt::format("{}measured {:.4f}", separator, measured.zero_mass);
  return label;
}

json spectrum_layers(const SpectrumChart& chart, const Histogram& measured) {
  const auto [left, right] = eigenvalue_range(chart, measured);
  const double top = density_axis_top(chart, measured);
  const auto x = [&, l = left, r = right](const char* field) {
    json encoding = quantitative(field, {.title = chart.value});
    encoding["scale"] = {{"domain", {l, r}}, {"nice", false}, {"zero", false}};
    return encoding;
  };
  json y = quantitative("density", {.title = "density"});
  y["scale"] = {{"domain", {0, top}}, {"nice", false}};
  const auto colour = [&](const char* which) {
    return json{
        {"datum", which},
        {"scale", {{"domain", {"measured", "predicted"}}, {"range", {measured_colour, predicted_colour}}}},
        {"legend", {{"title", nullptr}, {"orient", "top"}, {"direction", "horizontal"}, {"symbolType", "square"}}}};
  };

  json layers = json::array();
  if (!measured.bins.empty()) {
    layers.push_back(
        {{"name", "histogram"},
         {"data", {{"name", "histogram"}}},
         {"mark", {{"type", "bar"}, {"binSpacing", 1}}},
         {"encoding",
          {{"x", x("lower")},
           {"x2", {{"field", "upper"}}},
           {"y", y},
           {"y2", {{"datum", 0}}},
           {"color", colour("measured")},
           {"tooltip", json::array({tooltip("lower", "from"), tooltip("upper", "to"), tooltip("density", "density"),
                                    tooltip("count", chart.value + "s")})}}}});
  }
  if (!chart.density.empty()) {
    layers.push_back({{"name", "density"},
                      {"data", {{"name", "density"}}},
                      {"mark", {{"type", "line"}, {"strokeWidth", 2}, {"clip", true}}},
                      {"encoding",
                       {{"x", x("x")},
                        {"y", y},
                        {"color", colour("predicted")},
                        {"detail", {{"field", "piece"}, {"type", "nominal"}}}}}});
    layers.push_back(
        {{"name", "density_hover"},
         {"data", {{"name", "density"}}},
         {"mark", {{"type", "point"}, {"opacity", 0}, {"size", 120}, {"clip", true}, {"aria", false}}},
         {"encoding",
          {{"x", x("x")},
           {"y", y},
           {"tooltip", json::array({tooltip("x", chart.value), tooltip("density", "predicted density")})}}}});
  }
  if (!chart.outliers.empty()) {
    layers.push_back(
        {{"name", "outliers"},
         {"data", {{"name", "outliers"}}},
         {"mark", {{"type", "rule"}, {"strokeDash", {4, 3}}, {"strokeWidth", 1.5}, {"color", predicted_colour}}},
         {"encoding", {{"x", x("x")}, {"tooltip", json::array({tooltip("x", "predicted outlier")})}}}});
  }
  if (has_atom(chart, measured)) {
    // The label stands on the side of the rule where there is more room.
    const bool label_right = -left < right;
    const json masses =
        json::array({tooltip("predicted", "predicted mass at 0"), tooltip("measured", "measured mass at 0")});
    layers.push_back({{"name", "atom"},
                      {"data", {{"name", "atom"}}},
                      {"mark", {{"type", "rule"}, {"strokeWidth", 2.5}, {"style", "annotation"}}},
                      {"encoding", {{"x", x("x")}, {"tooltip", masses}}}});
    layers.push_back(
        {{"name", "atom_label"},
         {"data", {{"name", "atom"}}},
         {"mark",
          {{"type", "text"},
           {"style", "annotation-label"},
           {"lineBreak", "\n"},
           {"baseline", "top"},
           {"align", label_right ? "left" : "right"},
           {"dx", label_right ? 7 : -7},
           {"dy", 3}}},
         {"encoding", {{"x", x("x")}, {"y", {{"value", 0}}}, {"text", {{"field", "label"}, {"type", "nominal"}}}}}});
  }
  return layers;
}

json density_rows(const std::vector<Point>& density) {
  json rows = json::array();
  int piece = 0;
  for (const Point& point : density) {
    if (std::isfinite(point.x) && std::isfinite(point.y)) {
      rows.push_back({{"piece", piece}, {"x", point.x}, {"density", point.y}});
    } else {
      ++piece;
    }
  }
  return rows;
}

json spectrum_data(const SpectrumChart& chart, const Histogram& measured) {
  json bars = json::array();
  for (const Bin& bin : measured.bins) {
    bars.push_back({{"lower", bin.lower}, {"upper", bin.upper}, {"density", bin.density}, {"count", bin.count}});
  }
  json outliers = json::array();
  for (const double x : chart.outliers) {
    if (std::isfinite(x)) outliers.push_back({{"x", x}});
  }
  json atom = {{"x", 0}, {"predicted", chart.predicted_zero_mass}, {"label", mass_label(chart, measured, "\n")}};
  if (!chart.eigenvalues.empty()) atom["measured"] = measured.zero_mass;
  return {{"histogram", bars},
          {"density", density_rows(chart.density)},
          {"outliers", outliers},
          {"atom", json::array({atom})}};
}

Table spectrum_table(const SpectrumChart& chart, const Histogram& measured) {
  Table table{.title = chart.title, .columns = {{.name = chart.value}, {.name = "predicted density"}}};
  if (has_atom(chart, measured)) table.title += fmt::format(" ({})", mass_label(chart, measured, ", "));
  if (measured.bins.empty()) {
    for (const Point& point : chart.density) table.rows.push_back({point.x, point.y});
    return table;
  }
  table.columns.push_back({.name = "measured density"});
  table.columns.push_back({.name = chart.value + "s"});
  for (const Bin& bin : measured.bins) {
    const double centre = 0.5 * (bin.lower + bin.upper);
    table.rows.push_back({centre, {}, bin.density, bin.count});
    if (!chart.density.empty()) table.rows.back()[1] = interpolated(chart.density, centre);
  }
  return table;
}

}  // namespace

Chart errors_chart(const ErrorsChart& chart) {
  require_distinct_names(chart.series);
  const Drawn drawn = draw(chart);
  json spec = frame(chart.title, errors_notes(chart, drawn), chart.description);
  spec["datasets"] = {{"theory", drawn.theory}, {"experiment", drawn.experiment}};
  if (!drawn.guide.empty()) spec["datasets"]["guide"] = drawn.guide;
  if (!drawn.rules.empty()) spec["datasets"]["rules"] = drawn.rules;
  spec["layer"] = errors_layers(chart, drawn);
  return {.description = chart.description, .spec = std::move(spec), .data = errors_table(chart)};
}

Chart spectrum_chart(const SpectrumChart& chart) {
  const Histogram measured = histogram(chart.eigenvalues, chart.bins, chart.zero_tolerance);
  std::vector<std::string> notes;
  if (measured.not_finite > 0)
    notes.push_back(fmt::format("Not drawn: {} {}s not finite.", measured.not_finite, chart.value));
  if (!chart.outliers.empty()) notes.emplace_back("Dashed: predicted outliers.");
  json spec = frame(chart.title, notes, chart.description);
  spec["datasets"] = spectrum_data(chart, measured);
  spec["layer"] = spectrum_layers(chart, measured);
  return {.description = chart.description, .spec = std::move(spec), .data = spectrum_table(chart, measured)};
}

}  // namespace attnlaw::report
