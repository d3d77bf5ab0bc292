#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/chart_parts.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

/// Lines are told apart by their dashes: colours belong to the cells.
constexpr std::array<std::array<int, 2>, 4> dashes = {{{1, 0}, {8, 4}, {2, 3}, {12, 3}}};

/// Ends of the cells around ascending values: middles, in the measure of the axis, and as far beyond the ends.
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
                      {"value", value}});
    }
  }
  return rows;
}

json line_rows(const HeatMap& map) {
  json rows = json::array();
  for (const HeatMap::Line& line : map.lines) {
    int piece = 0;
    for (const Point& point : line.points) {
      if (parts::drawable(point.x, map.x.scale) && parts::drawable(point.y, map.y.scale))
        rows.push_back({{"line", line.name}, {"piece", piece}, {"x", point.x}, {"y", point.y}});
      else
        ++piece;
    }
  }
  return rows;
}

/// An axis that ends where the cells end.
json plane_axis(const char* field, const Axis& axis, const std::vector<double>& edges) {
  json encoding = parts::quantitative(field, axis);
  encoding["scale"] = {{"domain", {edges.front(), edges.back()}}, {"nice", false}, {"zero", false}};
  encoding["axis"]["grid"] = false;
  if (axis.scale == Scale::linear) return encoding;
  encoding["scale"]["type"] = "log";
  encoding["scale"].erase("zero");
  encoding["axis"] = {{"format", "~g"}, {"grid", false}};
  const std::vector<double> ticks = parts::log_ticks(edges.front(), edges.back());
  if (ticks.size() >= 2) encoding["axis"]["values"] = ticks;
  return encoding;
}

json cell_layer(const HeatMap& map, const json& x, const json& y) {
  json left = x, low = y;
  left["field"] = "left";
  low["field"] = "low";
  json colour = {{"field", "value"},
                 {"type", "quantitative"},
                 {"title", map.value.title},
                 {"scale", {{"scheme", "viridis"}}},
                 {"legend", {{"format", "~g"}}}};
  if (map.value.scale == Scale::log) colour["scale"]["type"] = "log";
  return {{"name", "cells"},
          {"data", {{"name", "cells"}}},
          {"mark", {{"type", "rect"}, {"clip", true}}},
          {"encoding",
           {{"x", left},
            {"x2", {{"field", "right"}}},
            {"y", low},
            {"y2", {{"field", "high"}}},
            {"color", colour},
            {"tooltip", json::array({parts::tooltip("x", map.x.title), parts::tooltip("y", map.y.title),
                                     parts::tooltip("value", map.value.title)})}}}};
}

bool has_points(const HeatMap& map, const HeatMap::Line& line) {
  return std::any_of(line.points.begin(), line.points.end(), [&](const Point& point) {
    return parts::drawable(point.x, map.x.scale) && parts::drawable(point.y, map.y.scale);
  });
}

/// White lines on black ones, visible on every colour.
json line_layers(const HeatMap& map, const json& x, const json& y) {
  json domain = json::array(), range = json::array();
  for (std::size_t i = 0; i < map.lines.size(); ++i) {
    if (!has_points(map, map.lines[i])) continue;
    domain.push_back(map.lines[i].name);
    range.push_back(dashes[i % dashes.size()]);
  }
  const json dash = {{"field", "line"},
                     {"type", "nominal"},
                     {"scale", {{"domain", domain}, {"range", range}}},
                     {"legend", {{"title", nullptr}, {"orient", "top"}, {"symbolStrokeColor", "#888888"}}}};
  const json detail = {{"field", "piece"}, {"type", "nominal"}};
  const auto layer = [&](const char* name, const char* colour, double width, const json& dashed) {
    json encoding = {{"x", x}, {"y", y}, {"detail", json::array({detail, {{"field", "line"}, {"type", "nominal"}}})}};
    if (!dashed.is_null()) encoding["strokeDash"] = dashed;
    return json{{"name", name},
                {"data", {{"name", "lines"}}},
                {"mark", {{"type", "line"}, {"clip", true}, {"stroke", colour}, {"strokeWidth", width}}},
                {"encoding", encoding}};
  };
  constexpr double kUnder = 4, kOver = 2;
  return json::array({layer("lines_under", "black", kUnder, json()), layer("lines", "white", kOver, dash)});
}

Table cells_table(const HeatMap& map) {
  Table table{map.title, {{.name = map.x.title}, {.name = map.y.title}, {.name = map.value.title, .precision = 5}}};
  for (std::size_t i = 0; i < map.x_values.size(); ++i)
    for (std::size_t k = 0; k < map.y_values.size(); ++k)
      table.rows.push_back({map.x_values[i], map.y_values[k], map.values[i * map.y_values.size() + k]});
  return table;
}

}  // namespace

Chart heat_map(const HeatMap& map) {
  require_grid(map);
  const std::vector<double> x_edges = cell_edges(map.x_values, map.x.scale);
  const std::vector<double> y_edges = cell_edges(map.y_values, map.y.scale);
  const json cells = cell_rows(map, x_edges, y_edges), lines = line_rows(map);
  const std::size_t blank = map.values.size() - cells.size();
  std::vector<std::string> notes;
  if (blank > 0)
    notes.push_back(
        fmt::format("Blank: {} values not finite{}.", blank, map.value.scale == Scale::log ? " or not positive" : ""));
  json spec = parts::frame(map.title, notes, map.description);
  spec["datasets"] = {{"cells", cells}, {"lines", lines}};
  const json x = plane_axis("x", map.x, x_edges), y = plane_axis("y", map.y, y_edges);
  spec["layer"] = json::array({cell_layer(map, x, y)});
  if (!lines.empty())
    for (json& layer : line_layers(map, x, y)) spec["layer"].push_back(std::move(layer));
  return {.description = map.description, .spec = std::move(spec), .data = cells_table(map)};
}

}  // namespace attnlaw::report
