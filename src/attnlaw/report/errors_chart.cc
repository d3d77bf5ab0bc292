#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/chart_parts.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;
using parts::drawable;

/// Okabe and Ito's colours that stand out on white and on black, told apart by every form of colour vision.
constexpr std::array palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
/// The number of shapes is prime to the number of colours, so that 30 series differ in colour or shape.
constexpr std::array shapes = {"circle", "square", "triangle-up", "diamond", "cross"};
constexpr const char* line_shape = "stroke";
/// Dashes tell lines of one colour apart in charts of more series than colours; guides have dots unlike every dash.
const std::array<std::vector<int>, 4> dashes = {{{1, 0}, {8, 4}, {12, 3, 3, 3}, {4, 4}}};

/// The value of x as the table has it: a number, or its word.
Cell x_cell(const Axis& axis, double x) {
  if (axis.words.empty() || !std::isfinite(x)) return x;
  return axis.words.at(static_cast<std::size_t>(x));
}

/// Gives rows their words.
void add_words(const Axis& axis, json& rows) {
  for (json& row : rows) row["word"] = axis.words.at(row["x"].get<std::size_t>());
}

bool has_error_bar(const Point& point) { return std::isfinite(point.standard_error) && point.standard_error > 0; }

void require_distinct_names(const std::vector<Series>& series) {
  std::set<std::string> names;
  for (const Series& one : series) {
    if (!names.insert(one.name).second) {
      throw std::invalid_argument(fmt::format("two series have the name '{}'", one.name));
    }
  }
}

/// The rows of the data sets (null where a chart has no such set), and the number of values that cannot be drawn.
struct Drawn {
  json theory = json::array();
  json experiment = json::array();
  json guide;
  json rules;
  int omitted = 0;
};

/// Returns the lowest y that is drawn; error bars that would leave a logarithmic axis end there.
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

void draw_points(const ErrorsChart& chart, const Series& series, double floor, Drawn& drawn) {
  for (const Point& point : series.experiment) {
    if (!drawable(point.x, chart.x.scale) || !drawable(point.y, chart.y.scale)) {
      ++drawn.omitted;
      continue;
    }
    json row = {{"series", series.name}, {"x", point.x}, {"y", point.y}};
    if (std::isfinite(point.own_theory)) row["own_theory"] = point.own_theory;
    if (has_error_bar(point)) {
      const double lower = point.y - point.standard_error;
      row["standard_error"] = point.standard_error;
      row["lower"] = drawable(lower, chart.y.scale) ? lower : floor;
      row["upper"] = point.y + point.standard_error;
    }
    drawn.experiment.push_back(std::move(row));
  }
}

Drawn draw(const ErrorsChart& chart) {
  Drawn drawn;
  const double floor = lowest_drawn(chart);
  const auto draw_line = [&](const Series& series, const std::vector<Point>& line, json& rows) {
    return parts::append_line(line, chart.x.scale, chart.y.scale, {{"series", series.name}}, "y", rows);
  };
  for (const Series& series : chart.series) {
    drawn.omitted += draw_line(series, series.theory, drawn.theory);
    draw_points(chart, series, floor, drawn);
    draw_line(series, series.guide, drawn.guide);
  }
  for (const Rule& rule : chart.rules)
    if (drawable(rule.x, chart.x.scale)) drawn.rules.push_back({{"label", rule.label}, {"x", rule.x}});
  if (!chart.x.words.empty())
    for (json* rows : {&drawn.theory, &drawn.experiment}) add_words(chart.x, *rows);
  return drawn;
}

/// How a series is told from the others.
struct Look {
  std::size_t colour = 0;  ///< the number of its group
  std::size_t shape = 0;   ///< among series with points: its number in a group, else in all
};

std::vector<Look> looks_of(const std::vector<Series>& series) {
  std::vector<Look> looks;
  std::map<std::string, std::size_t> colours, measured;
  std::size_t groups = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::string& group = series[i].group;
    Look& look = looks.emplace_back(Look{groups, i});
    if (!group.empty()) look = {colours.try_emplace(group, groups).first->second, measured[group]};
    groups = std::max(groups, look.colour + 1);
    if (!series[i].experiment.empty()) ++measured[group];
  }
  return looks;
}

/// A series of a legend.
struct DrawnSeries {
  const Series* series;
  Look look;
};

/// Returns the encoding of a colour, shape or dash by series.
template <class Value>
json by_series(const std::vector<DrawnSeries>& drawn, const Value& value) {
  json names = json::array();
  json values = json::array();
  for (const auto& [series, look] : drawn) {
    names.push_back(series->name);
    values.push_back(value(*series, look));
  }
  return parts::filled("by_series", {{"names", names}, {"range", values}});
}

json colours(const std::vector<DrawnSeries>& drawn) {
  return by_series(drawn, [](const Series&, const Look& look) { return palette[look.colour % palette.size()]; });
}

/// A line without points has the shape of a line, which the legend shows.
json point_shapes(const std::vector<DrawnSeries>& drawn) {
  return by_series(drawn, [](const Series& one, const Look& look) {
    return one.experiment.empty() ? line_shape : shapes[look.shape % shapes.size()];
  });
}

/// Returns the dashes of lines; null where colours tell all of them apart.
json line_dashes_of(const std::vector<DrawnSeries>& drawn) {
  if (std::none_of(drawn.begin(), drawn.end(), [](const auto& one) { return one.look.colour >= palette.size(); }))
    return {};
  return by_series(drawn, [](const Series& one, const Look& look) {
    return dashes[one.theory.empty() ? 0 : look.colour / palette.size() % dashes.size()];
  });
}

/// Returns the encoding of x or y on an axis that fits the drawn values of `fields`.
json errors_axis(const char* field, const Axis& axis, const std::vector<const char*>& fields, const Drawn& drawn) {
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
  return parts::axis_encoding(field, axis, lowest, highest);
}

/// The series of which something is drawn: a legend promises no others. All of them where nothing is drawn. They look
/// as they do where all are drawn.
std::vector<DrawnSeries> series_drawn(const ErrorsChart& chart, const Drawn& drawn) {
  std::set<std::string> names;
  for (const json* rows : {&drawn.theory, &drawn.experiment, &drawn.guide})
    for (const json& row : *rows) names.insert(row.at("series").get<std::string>());
  const std::vector<Look> looks = looks_of(chart.series);
  std::vector<DrawnSeries> series;
  for (std::size_t i = 0; i < looks.size(); ++i)
    if (names.empty() || names.contains(chart.series[i].name)) series.push_back({&chart.series[i], looks[i]});
  return series;
}

bool has_error_bars(const Drawn& drawn) {
  return std::any_of(drawn.experiment.begin(), drawn.experiment.end(),
                     [](const json& row) { return row.contains("lower"); });
}

json errors_notes(const ErrorsChart& chart, const Drawn& drawn) {
  json notes;
  if (!drawn.theory.empty() && !drawn.experiment.empty())
    notes.push_back(chart.x.words.empty() ? "Lines: theory. Points: experiment." : "Bars: theory. Points: experiment.");
  if (has_error_bars(drawn)) notes.push_back("Error bars: one standard error to each side.");
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
  table.columns.push_back({.name = chart.guide_title, .precision = 5, .id = "guide"});
  for (auto& row : table.rows) row.emplace_back();
  for (const Series& series : chart.series) {
    for (const Point& point : series.guide) {
      if (!std::isfinite(point.x)) continue;  // a piece ends here
      const auto row = std::find_if(table.rows.begin(), table.rows.end(), [&](const auto& cells) {
        return cells[0] == Cell(series.name) && cells[1] == x_cell(chart.x, point.x) && cells.back() == Cell();
      });
      if (row != table.rows.end()) {
        row->back() = point.y;
        continue;
      }
      table.rows.push_back({series.name, x_cell(chart.x, point.x)});
      table.rows.back().resize(table.columns.size());
      table.rows.back().back() = point.y;
    }
  }
}

/// Adds the columns of what the series are of, in the order in which they name them.
void add_keys(const ErrorsChart& chart, Table& table) {
  std::map<std::string, std::map<std::string, Cell>> keys;
  std::vector<std::string> names;
  for (const Series& series : chart.series)
    for (const auto& [name, cell] : series.keys) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      keys[series.name][name] = cell;
    }
  for (const std::string& name : names) {
    table.columns.push_back({.name = name, .precision = 6});
    for (auto& row : table.rows) row.push_back(keys[std::get<std::string>(row[0])][name]);
  }
}

/// Returns what the page needs to find the spectra of a point: the name of x, its words, and what the series are of.
json curve_links(const ErrorsChart& chart) {
  json series = json::object();
  for (const Series& one : chart.series)
    for (const auto& [key, cell] : one.keys)
      if (cell != Cell()) series[one.name][key] = parts::json_of(cell);
  if (chart.x.id.empty() || series.empty()) return {};
  return {{"curve", {{"x", chart.x.id}, {"words", chart.x.words}, {"series", std::move(series)}}}};
}

/// Whether some point has a prediction of its own.
bool has_own_theory(const ErrorsChart& chart) {
  const auto has = [](const Point& point) { return std::isfinite(point.own_theory); };
  return std::any_of(chart.series.begin(), chart.series.end(),
                     [&](const Series& one) { return std::any_of(one.experiment.begin(), one.experiment.end(), has); });
}

/// Returns a table with one row per series and x, theory beside experiment, and then the rules.
Table errors_table(const ErrorsChart& chart) {
  const bool own = has_own_theory(chart);
  Table table{.title = chart.title,
              .columns = {{.name = "series"},
                          {.name = chart.x.title, .id = chart.x.id},
                          {.name = "theory", .precision = 5},
                          {.name = "experiment", .precision = 5},
                          {.name = "standard error", .precision = 2, .id = "standard_error"}}};
  if (own) table.columns.push_back({.name = "theory of what was measured", .precision = 5, .id = "own_theory"});
  for (const Series& series : chart.series) {
    std::vector<Point> measured = series.experiment;
    std::stable_sort(measured.begin(), measured.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
    auto next = measured.begin();
    // Beside what the line does not pass stands the theory of what was measured there.
    const auto push_measured = [&](Cell theory) {
      if (theory == Cell() && std::isfinite(next->own_theory)) theory = next->own_theory;
      table.rows.push_back({series.name, x_cell(chart.x, next->x), std::move(theory), next->y,
                            has_error_bar(*next) ? Cell(next->standard_error) : Cell()});
      if (own) table.rows.back().push_back(std::isfinite(next->own_theory) ? Cell(next->own_theory) : Cell());
      ++next;
    };
    for (const Point& predicted : series.theory) {
      while (next != measured.end() && next->x < predicted.x) push_measured({});
      if (next != measured.end() && next->x == predicted.x) {
        push_measured(predicted.y);
      } else {
        table.rows.push_back({series.name, x_cell(chart.x, predicted.x), predicted.y, {}, {}});
        table.rows.back().resize(table.columns.size());
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
  add_keys(chart, table);
  return table;
}

}  // namespace

Chart errors_chart(const ErrorsChart& chart) {
  require_distinct_names(chart.series);
  const Drawn drawn = draw(chart);
  const std::vector<DrawnSeries> series = series_drawn(chart, drawn);
  const bool words = !chart.x.words.empty();
  const json values = {{"title", chart.title},
                       {"description", chart.description},
                       {"notes", errors_notes(chart, drawn)},
                       {"x", errors_axis("x", chart.x, {"x"}, drawn)},
                       {"y", errors_axis("y", chart.y, {"y", "lower", "upper"}, drawn)},
                       {"x_title", chart.x.title},
                       {"y_title", chart.y.title},
                       {"x_tooltip", parts::filled(words ? "x_word" : "x_number", {{"x_title", chart.x.title}})},
                       {"own_theory", has_own_theory(chart)},
                       {"has_error_bars", has_error_bars(drawn)},
                       {"lines", !words && !drawn.theory.empty()},
                       {"words", words && !drawn.theory.empty()},
                       {"colour", colours(series)},
                       {"shape", point_shapes(series)},
                       {"dash", line_dashes_of(series)},
                       {"theory", drawn.theory},
                       {"experiment", drawn.experiment},
                       {"guide", drawn.guide},
                       {"rules", drawn.rules},
                       {"links", curve_links(chart)}};
  return {.description = chart.description, .spec = parts::filled("errors_chart", values), .data = errors_table(chart)};
}

}  // namespace attnlaw::report
