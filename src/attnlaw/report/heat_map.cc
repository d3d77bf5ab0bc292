#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string_view>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/chart_parts.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

/// Dashes tell the lines apart, because colours belong to the cells.
constexpr std::array<std::array<int, 2>, 4> line_dashes = {{{1, 0}, {8, 4}, {2, 3}, {12, 3}}};

/// From so many cells on they are one image: rectangles leave a lattice of seams, and make a page large.
constexpr std::size_t least_of_image = 3600;

/// So many pixels do cells reach under those that are drawn after them: smoothed edges would leave a lattice between.
constexpr double cell_overlap = 0.6;

/// Returns the bytes of the values, the lowest first, as the characters of base64.
std::string base64(const std::vector<double>& values) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const unsigned group = byte(0) << 16U | byte(1) << 8U | byte(2);
    for (unsigned k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : alphabet[group >> (18 - 6 * k) & 63U];
  }
  return text;
}

/// Returns the ends of the cells around ascending values. They lie midway between the values, in the scale of the axis,
/// and as far beyond the first and the last.
std::vector<double> cell_edges(const std::vector<double>& values, Scale scale) {
  const auto to = [&](double x) { return scale == Scale::log ? std::log(x) : x; };
  const auto from = [&](double x) { return scale == Scale::log ? std::exp(x) : x; };
  std::vector<double> edges{from(1.5 * to(values[0]) - 0.5 * to(values[1]))};
  for (std::size_t i = 1; i < values.size(); ++i) edges.push_back(from(0.5 * (to(values[i - 1]) + to(values[i]))));
  const std::size_t last = values.size() - 1;
  edges.push_back(from(1.5 * to(values[last]) - 0.5 * to(values[last - 1])));
  return edges;
}

void require_grid(const HeatMap& map) {
  if (map.x_values.size() < 2 || map.y_values.size() < 2)
    throw std::invalid_argument(fmt::format("a heat map needs two values or more on each axis, got {} and {}",
                                            map.x_values.size(), map.y_values.size()));
  if (map.values.size() != map.x_values.size() * map.y_values.size())
    throw std::invalid_argument(fmt::format("a heat map of {} times {} cells got {} values", map.x_values.size(),
                                            map.y_values.size(), map.values.size()));
}

/// The axis of cells around whole numbers has ticks at these alone.
json cells_axis(const char* field, const Axis& axis, const std::vector<double>& values,
                const std::vector<double>& edges) {
  json encoding = parts::axis_encoding(field, axis, edges.front(), edges.back());
  if (std::all_of(values.begin(), values.end(), [](double x) { return x == std::round(x); }))
    encoding["axis"]["tickMinStep"] = 1;
  return encoding;
}

/// Returns a value as it is drawn: a figure, or the name that it stands for.
json shown(const HeatMap& map, double value) {
  return map.categories.empty() ? json(value) : json(map.categories.at(static_cast<std::size_t>(value)));
}

json cell_rows(const HeatMap& map, const std::vector<double>& x_edges, const std::vector<double>& y_edges) {
  json rows = json::array();
  for (std::size_t i = 0; i < map.x_values.size(); ++i) {
    for (std::size_t k = 0; k < map.y_values.size(); ++k) {
      const double value = map.values[i * map.y_values.size() + k];
      if (!parts::drawable(value, map.value.scale)) continue;
      rows.push_back({{"x", map.x_values[i]},
                      {"y", map.y_values[k]},
                      {"left", x_edges[i]},
                      {"right", x_edges[i + 1]},
                      {"low", y_edges[k]},
                      {"high", y_edges[k + 1]},
                      {"value", shown(map, value)}});
    }
  }
  return rows;
}

/// Returns what the template needs for the lines: their rows, and a name and dashes for each line that has rows.
json line_values(const HeatMap& map) {
  json rows = json::array(), names = json::array(), ranges = json::array();
  for (std::size_t i = 0; i < map.lines.size(); ++i) {
    const HeatMap::Line& line = map.lines[i];
    const std::size_t before = rows.size();
    parts::append_line(line.points, map.x.scale, map.y.scale, {{"line", line.name}}, "y", rows);
    if (rows.size() == before) continue;
    // A line is drawn through its points in their order, which need not be that of x.
    for (std::size_t place = before; place < rows.size(); ++place) rows[place]["place"] = place;
    names.push_back(line.name);
    ranges.push_back(line_dashes[i % line_dashes.size()]);
  }
  return {{"lines", rows}, {"line_names", names}, {"line_dashes", ranges}};
}

/// A place along an axis as it is drawn, from 0 to 1.
double place_along(const Axis& axis, const std::vector<double>& edges, double value) {
  const auto at = [&](double x) { return axis.scale == Scale::log ? std::log(x) : x; };
  return (at(value) - at(edges.front())) / (at(edges.back()) - at(edges.front()));
}

/// The value at such a place.
double value_at(const Axis& axis, const std::vector<double>& edges, double place) {
  const auto [low, high] = std::pair(edges.front(), edges.back());
  return axis.scale == Scale::log ? low * std::pow(high / low, place) : low + place * (high - low);
}

/// A name in the middle of its region, where that is largest: at `at` on one axis, and at a place along the other.
struct RegionLabel {
  std::string text;
  double at = 0, place = 0, extent = 0;
};

/// Adds the region between two places, if it is the largest so far of this name.
void add_region(std::vector<RegionLabel>& labels, const RegionLabel& region) {
  constexpr double least_extent = 0.08;  // of the map: a line of text fits
  if (region.text.empty() || region.extent < least_extent) return;
  const auto known = std::find_if(labels.begin(), labels.end(), [&](const auto& l) { return l.text == region.text; });
  if (known == labels.end())
    labels.push_back(region);
  else if (region.extent > known->extent)
    *known = region;
}

/// Returns the names of regions between lines, with the largest extent along `along` that they have at a value of
/// `across`; none where no line names one.
std::vector<RegionLabel> region_labels(const HeatMap& map, const std::vector<double>& edges) {
  const bool right = map.above_is_right;
  const Axis& along = right ? map.x : map.y;
  const std::vector<double>& across = right ? map.y_values : map.x_values;
  std::vector<RegionLabel> labels;
  // At the sides of the map a name would be cut.
  const std::size_t margin = across.size() / 4;
  for (std::size_t i = margin; i + margin < across.size(); ++i) {
    std::vector<std::tuple<double, std::string, std::string>> crossings;
    for (const HeatMap::Line& line : map.lines)
      for (const Point& point : line.points) {
        const auto [at, value] = right ? std::pair(point.y, point.x) : std::pair(point.x, point.y);
        if (!line.above.empty() && at == across[i] && parts::drawable(value, along.scale))
          crossings.emplace_back(std::clamp(place_along(along, edges, value), 0.0, 1.0), line.above, line.below);
      }
    if (crossings.empty()) continue;
    std::sort(crossings.begin(), crossings.end());
    double from = 0;
    std::string name = std::get<2>(crossings.front());
    crossings.emplace_back(1.0, "", "");
    for (const auto& [to, next, lower] : crossings) {
      add_region(labels, {name, across[i], 0.5 * (from + to), to - from});
      from = to, name = next;
    }
  }
  return labels;
}

/// Returns the rows of the names of regions; one beside lines that are too near for it is written upwards.
json region_rows(const HeatMap& map, const std::vector<double>& x_edges, const std::vector<double>& y_edges) {
  constexpr double character = 0.013;  // of the width of a map
  const bool right = map.above_is_right;
  json rows;
  for (const RegionLabel& label : region_labels(map, right ? x_edges : y_edges)) {
    const double middle = value_at(right ? map.x : map.y, right ? x_edges : y_edges, label.place);
    const bool narrow = right && label.extent < character * static_cast<double>(label.text.size());
    rows.push_back({{"x", right ? middle : label.at},
                    {"y", right ? label.at : middle},
                    {"label", label.text},
                    {"angle", narrow ? 270 : 0}});
  }
  return rows;
}

/// Returns how the template colours figures, or names.
json colour_values(const HeatMap& map) {
  if (!map.categories.empty())
    return {{"value_type", "nominal"},
            {"value_colours", {{"domain", map.categories}, {"scheme", "tableau10"}}},
            {"value_legend", json::object()},
            {"figures", false},
            {"names", true}};
  json colours{{"scheme", "viridis"}};
  if (map.value.scale == Scale::log) colours["type"] = "log";
  return {{"value_type", "quantitative"},
          {"value_colours", colours},
          {"value_legend", {{"labelExpr", "format(datum.value, '~g')"}}},
          {"figures", true},
          {"names", false}};
}

/// Returns all that the page needs to paint the cells, to name the one under the pointer and to write them as CSV.
json grid_of(const HeatMap& map, const std::vector<double>& x_edges, const std::vector<double>& y_edges) {
  const auto side = [](const Axis& axis, const std::vector<double>& values, const std::vector<double>& edges) {
    return json{{"title", axis.title},
                {"id", axis.id.empty() ? axis.title : axis.id},
                {"log", axis.scale == Scale::log},
                {"values", values},
                {"edges", edges}};
  };
  return {{"x", side(map.x, map.x_values, x_edges)},
          {"y", side(map.y, map.y_values, y_edges)},
          {"value",
           {{"title", map.value.title},
            {"id", map.value.id.empty() ? map.value.title : map.value.id},
            {"log", map.value.scale == Scale::log}}},
          {"categories", map.categories},
          {"values", base64(map.values)}};
}

/// Returns cells without extent, one for each end of the colours or for each name: the legend is made of them.
json legend_rows(const HeatMap& map, const json& cells) {
  json rows = json::array();
  const auto add = [&](json row) {
    row["right"] = row["left"];
    row["high"] = row["low"];
    rows.push_back(std::move(row));
  };
  if (!map.categories.empty()) {
    std::set<json> seen;
    for (const json& cell : cells)
      if (seen.insert(cell.at("value")).second) add(cell);
  } else if (!cells.empty()) {
    const auto [low, high] = std::minmax_element(cells.begin(), cells.end(), [](const json& a, const json& b) {
      return a.at("value").get<double>() < b.at("value").get<double>();
    });
    add(*low);
    add(*high);
  }
  return rows;
}

Table cells_table(const HeatMap& map) {
  Table table{map.title,
              {{.name = map.x.title, .id = map.x.id},
               {.name = map.y.title, .id = map.y.id},
               {.name = map.value.title, .precision = 5, .id = map.value.id}}};
  for (std::size_t i = 0; i < map.x_values.size(); ++i)
    for (std::size_t k = 0; k < map.y_values.size(); ++k) {
      const double value = map.values[i * map.y_values.size() + k];
      const bool named = !map.categories.empty() && std::isfinite(value);
      table.rows.push_back({map.x_values[i], map.y_values[k],
                            named ? Cell(map.categories.at(static_cast<std::size_t>(value))) : Cell(value)});
    }
  return table;
}

}  // namespace

Chart heat_map(const HeatMap& map) {
  require_grid(map);
  const std::vector<double> x_edges = cell_edges(map.x_values, map.x.scale);
  const std::vector<double> y_edges = cell_edges(map.y_values, map.y.scale);
  const bool log = map.value.scale == Scale::log;
  json cells = cell_rows(map, x_edges, y_edges), notes;
  if (const std::size_t blank = map.values.size() - cells.size(); blank > 0)
    notes.push_back(fmt::format("Blank: {} values not finite{}.", blank, log ? " or not positive" : ""));
  const bool image = map.values.size() >= least_of_image;
  if (image) cells = legend_rows(map, cells);
  json values = {{"title", map.title},
                 {"description", map.description},
                 {"notes", notes},
                 {"image", image},
                 {"right_offset", image ? 0 : cell_overlap},
                 {"top_offset", image ? 0 : -cell_overlap},
                 {"grid", image ? json{{"grid", grid_of(map, x_edges, y_edges)}} : json()},
                 {"x", cells_axis("x", map.x, map.x_values, x_edges)},
                 {"y", cells_axis("y", map.y, map.y_values, y_edges)},
                 {"x_range", {x_edges.front(), x_edges.back()}},
                 {"y_range", {y_edges.front(), y_edges.back()}},
                 {"x_title", map.x.title},
                 {"y_title", map.y.title},
                 {"value_title", map.value.title},
                 {"regions", region_rows(map, x_edges, y_edges)},
                 {"cells", std::move(cells)}};
  values.update(line_values(map));
  values.update(colour_values(map));
  return {.description = map.description, .spec = parts::filled("heat_map", values), .data = cells_table(map)};
}

}  // namespace attnlaw::report
