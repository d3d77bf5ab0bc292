#include "attnlaw/report/chart_parts.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace attnlaw::report::parts {

using nlohmann::json;

namespace {

constexpr int chart_height = 340;
constexpr int tick_count = 8;
/// Pixels between the outermost marks and the ends of the axes.
constexpr int axis_padding = 10;
constexpr const char* number_format = ".4~g";

}  // namespace

bool drawable(double value, Scale scale) { return std::isfinite(value) && (scale == Scale::linear || value > 0); }

json quantitative(const char* field, const Axis& axis) {
  json scale = {{"zero", false}, {"nice", false}, {"padding", axis_padding}};
  if (axis.scale == Scale::log) scale = {{"type", "log"}, {"nice", false}, {"padding", axis_padding}};
  return {{"field", field},
          {"type", "quantitative"},
          {"title", axis.title},
          {"scale", scale},
          {"axis", {{"tickCount", tick_count}}}};
}

json tooltip(const char* field, const std::string& title) {
  return {{"field", field}, {"type", "quantitative"}, {"title", title}, {"format", number_format}};
}

json frame(const std::string& title, const std::vector<std::string>& notes, const std::string& description) {
  json spec = {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
               {"description", description},
               {"width", "container"},
               {"height", chart_height},
               {"autosize", {{"type", "fit-x"}, {"contains", "padding"}}},
               {"title", {{"text", title}, {"anchor", "start"}}}};
  if (!notes.empty()) spec["title"]["subtitle"] = notes;
  return spec;
}

std::vector<double> log_ticks(double lowest, double highest) {
  constexpr double decades_with_all = 3;
  const bool all = std::log10(highest / lowest) <= decades_with_all;
  std::vector<double> ticks;
  for (double exponent = std::floor(std::log10(lowest)); exponent <= std::log10(highest); ++exponent) {
    for (const double mantissa : {1.0, 2.0, 5.0}) {
      // pow rather than repeated products: the ticks are the nearest doubles to 0.01, 0.02, ...
      const double tick = exponent < 0 ? mantissa / std::pow(10, -exponent) : mantissa * std::pow(10, exponent);
      if (tick >= lowest && tick <= highest && (all || mantissa == 1)) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace attnlaw::report::parts
