#include "attnlaw/report/gallery.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/report/chart_parts.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

/// Bars of the histogram per unit of the axis, so that all panels can be compared.
constexpr double kBarWidth = 0.1;

/// Values in a page carry what a reader can see.
double rounded(double x) { return std::round(x * 1e4) / 1e4; }

}  // namespace

json gallery_spec(const SpectrumGallery& gallery) {
  json density = json::array();
  for (const Point& point : gallery.density)
    if (std::isfinite(point.y)) density.push_back({{"x", rounded(point.x)}, {"density", rounded(point.y)}});
  return parts::filled("spectrum_panel", {{"title", nullptr},
                                          {"notes", nullptr},
                                          {"description", gallery.description},
                                          {"value", gallery.value},
                                          {"step", kBarWidth},
                                          {"has_density", !gallery.density.empty()},
                                          {"density", density}});
}

json panel_values(const SpectrumPanel& panel) {
  json values = json::array();
  for (const double value : panel.values) values.push_back(rounded(value));
  return {{"outliers", panel.outliers}, {"values", values}};
}

}  // namespace attnlaw::report
