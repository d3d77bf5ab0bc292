#include "attnlaw/report/chart_parts.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <variant>

#include "attnlaw/report/assets.h"

namespace attnlaw::report::parts {

using nlohmann::json;

namespace {

const json& templates() {
  static const json parsed = json::parse(chart_templates());
  return parsed;
}

std::optional<json> fill(const json& part, const json& values);

/// Returns the value of a name, or the shared part of that name where no value is given.
std::optional<json> named(const std::string& name, const json& values) {
  if (!values.contains(name)) return fill(templates().at("chart_parts").at(name), values);
  if (values[name].is_null()) return std::nullopt;
  return values[name];
}

bool is_wanted(const json& object, const json& values) {
  if (!object.contains("when")) return true;
  const json& condition = values.at(object["when"].get<std::string>());
  return condition.is_boolean() ? condition.get<bool>() : !condition.empty();
}

std::optional<json> fill_object(const json& object, const json& values) {
  if (!is_wanted(object, values)) return std::nullopt;
  json own = json::object();
  for (const auto& [key, member] : object.items()) {
    if (key == "like" || key == "when") continue;
    if (std::optional<json> value = fill(member, values)) own[key] = std::move(*value);
  }
  if (!object.contains("like")) return own;
  json result = fill(object["like"], values).value();
  result.merge_patch(own);
  return result;
}

/// Returns the part with its names replaced by their values; nothing if it is to be left out.
std::optional<json> fill(const json& part, const json& values) {
  if (part.is_object()) return fill_object(part, values);
  if (part.is_array()) {
    json result = json::array();
    for (const json& element : part)
      if (std::optional<json> value = fill(element, values)) result.push_back(std::move(*value));
    return result;
  }
  const auto* text = part.get_ptr<const std::string*>();
  if (text != nullptr && text->starts_with('$')) return named(text->substr(1), values);
  return part;
}

std::vector<double> log_ticks(double lowest, double highest) {
  constexpr double decades_with_all = 3;
  const bool all = std::log10(highest / lowest) <= decades_with_all;
  std::vector<double> ticks;
  for (double exponent = std::floor(std::log10(lowest)); exponent <= std::log10(highest); ++exponent) {
    for (const double mantissa : {1.0, 2.0, 5.0}) {
      // With pow rather than repeated products the ticks are the nearest doubles to 0.01, 0.02, ...
      const double tick = exponent < 0 ? mantissa / std::pow(10, -exponent) : mantissa * std::pow(10, exponent);
      if (tick >= lowest && tick <= highest && (all || mantissa == 1)) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

json filled(const std::string& name, const json& values) {
  const json& all = templates();
  return fill(all.contains(name) ? all[name] : all.at("chart_parts").at(name), values).value();
}

json json_of(const Cell& cell) {
  return std::visit(
      []<class Value>(const Value& value) {
        if constexpr (std::is_same_v<Value, std::monostate>)
          return json();
        else
          return json(value);
      },
      cell);
}

json spectra_links(const std::vector<const Subject*>& subjects) {
  json spectra = json::array();
  bool linked = false;
  for (const Subject* subject : subjects) {
    json at = json::object();
    for (const auto& [key, cell] : subject->keys) at[key] = json_of(cell);
    linked = linked || !at.empty();
    spectra.push_back({{"name", subject->name}, {"at", std::move(at)}});
  }
  return linked ? json{{"spectra", std::move(spectra)}} : json();
}

bool drawable(double value, Scale scale) { return std::isfinite(value) && (scale == Scale::linear || value > 0); }

json axis_encoding(const char* field, const Axis& axis, double lowest, double highest) {
  json values = {{"field", field}, {"title", axis.title}, {"ticks", nullptr}};
  if (!axis.words.empty()) {
    constexpr double kMargin = 0.5;
    json places = json::array();
    for (std::size_t i = 0; i < axis.words.size(); ++i) places.push_back(i);
    values["places"] = places;
    values["labels"] = json(axis.words).dump() + "[datum.value]";
    values["range"] = {-kMargin, static_cast<double>(axis.words.size()) - kMargin};
    return filled("word_axis", values);
  }
  if (axis.scale == Scale::linear) return filled("linear_axis", values);
  const std::vector<double> ticks = lowest <= highest ? log_ticks(lowest, highest) : std::vector<double>();
  // With fewer than two such ticks, Vega's own choice is finer.
  if (ticks.size() >= 2) values["ticks"] = ticks;
  return filled("log_axis", values);
}

int append_line(const std::vector<Point>& line, Scale x, Scale y, json row, const char* y_field, json& rows) {
  int piece = 0;
  for (const Point& point : line) {
    if (!drawable(point.x, x) || !drawable(point.y, y)) {
      ++piece;
      continue;
    }
    row["piece"] = piece;
    row["x"] = point.x;
    row[y_field] = point.y;
    rows.push_back(row);
  }
  return piece;
}

}  // namespace attnlaw::report::parts
