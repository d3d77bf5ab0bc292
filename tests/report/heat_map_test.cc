#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/report/chart.h"
#include "attnlaw/report/page.h"
#include "report/browser.h"

namespace attnlaw::report {
namespace {

HeatMap sample_map() {
  HeatMap map{.title = "Test error",
              .description = "Test error over kappa and alpha.",
              .x = {.title = "κ*"},
              .y = {.title = "α", .scale = Scale::log},
              .value = {.title = "test error", .scale = Scale::log},
              .x_values = {0.2, 0.4, 0.6},
              .y_values = {0.1, 1},
              .values = {1, 2, 3, 4, 5, 6}};
  map.lines = {{"recovery", {{0.2, 0.2}, {0.4, 0.3}, {0.6, 0.4}}},
               {"interpolation", {{0.2, std::numeric_limits<double>::quiet_NaN()}}}};
  return map;
}

TEST(HeatMap, CellsMeetInTheMiddleAndCoverThePlane) {
  const Chart chart = heat_map(sample_map());
  const nlohmann::json cells = chart.spec.at("datasets").at("cells");
  ASSERT_EQ(cells.size(), 6u);
  EXPECT_NEAR(cells[0].at("left").get<double>(), 0.1, 1e-12);
  EXPECT_NEAR(cells[0].at("right").get<double>(), 0.3, 1e-12);
  EXPECT_EQ(cells[0].at("right"), cells[2].at("left"));
  EXPECT_NEAR(cells[0].at("high").get<double>(), std::sqrt(0.1), 1e-12) << "middle of a logarithmic axis";
  EXPECT_EQ(cells[0].at("high"), cells[1].at("low"));
  EXPECT_EQ(chart.data.rows.size(), 6u);
}

TEST(HeatMap, WhatCannotBeDrawnIsBlankAndCounted) {
  HeatMap map = sample_map();
  map.values[1] = std::numeric_limits<double>::quiet_NaN();
  map.values[2] = 0;
  const Chart chart = heat_map(map);
  EXPECT_EQ(chart.spec.at("datasets").at("cells").size(), 4u);
  EXPECT_EQ(chart.spec.at("datasets").at("lines").size(), 3u);
  EXPECT_EQ(chart.spec.at("title").at("subtitle").back(), "Blank: 2 values not finite or not positive.");
}

/// A region has its name once, in the middle of where it is highest; one without a line of text of height has none.
TEST(HeatMap, RegionsBetweenLinesAreNamed) {
  HeatMap map = sample_map();
  map.lines[0].above = "above";
  map.lines[0].below = "below";
  const nlohmann::json rows = heat_map(map).spec.at("datasets").at("regions");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("label"), "below");
  EXPECT_EQ(rows[0].at("x"), 0.6) << "the line is highest there";
  // The cells reach over a decade and a half to each side of √0.1.
  EXPECT_NEAR(rows[0].at("y").get<double>(), std::sqrt(0.1 / std::sqrt(10.0) * 0.4), 1e-12);
  EXPECT_EQ(rows[1].at("label"), "above");
  EXPECT_EQ(rows[1].at("x"), 0.2);
  map.lines[0].above.clear();
  EXPECT_FALSE(heat_map(map).spec.at("datasets").contains("regions"));
}

/// Where the second axis is α, regions are beside each other; a name that is longer than its region is written upwards.
TEST(HeatMap, RegionsMayLieBesideEachOther) {
  HeatMap map{.title = "t",
              .description = "d",
              .x = {.title = "α = n/d²", .scale = Scale::log, .id = "alpha"},
              .y = {.title = "κ", .id = "kappa"},
              .value = {.title = "test"},
              .x_values = {0.1, 0.2, 0.4, 0.8},
              .y_values = {0.25, 0.5, 0.75},
              .values = std::vector<double>(12, 1),
              .above_is_right = true,
              .lines = {{"border", {{0.1, 0.25}, {0.2, 0.5}, {0.4, 0.75}}, "right of it", "left"}}};
  const nlohmann::json rows = heat_map(map).spec.at("datasets").at("regions");
  ASSERT_EQ(rows.size(), 2u);
  // The cells reach over half a step of √2 to each side.
  const double left = 0.1 / std::sqrt(2.0), right = 0.8 * std::sqrt(2.0);
  EXPECT_EQ(rows[0].at("label"), "left");
  EXPECT_EQ(rows[0].at("y"), 0.75) << "it is widest there";
  EXPECT_NEAR(rows[0].at("x").get<double>(), std::sqrt(left * 0.4), 1e-12);
  EXPECT_EQ(rows[1].at("label"), "right of it");
  EXPECT_EQ(rows[1].at("y"), 0.25);
  EXPECT_NEAR(rows[1].at("x").get<double>(), std::sqrt(0.1 * right), 1e-12);
  EXPECT_EQ(rows[0].at("angle"), 0);
  map.lines[0].above = "a name that is longer than its region, as names of regions beside lines can be, more or less";
  EXPECT_EQ(heat_map(map).spec.at("datasets").at("regions")[1].at("angle"), 270);
}

TEST(HeatMap, LinesMayTurnBack) {
  HeatMap map = sample_map();
  map.lines = {{"border", {{0.4, 0.2}, {0.2, 0.4}, {0.3, 0.8}}}};
  const nlohmann::json rows = heat_map(map).spec.at("datasets").at("lines");
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].at("place"), i);
  EXPECT_EQ(rows[1].at("x"), 0.2);
}

TEST(HeatMap, OfNamesHasAColourForEach) {
  HeatMap map = sample_map();
  map.value = {.title = "regime"};
  map.categories = {"collapse", "edge"};
  map.values = {0, 1, 1, 0, 1, std::numeric_limits<double>::quiet_NaN()};
  const Chart chart = heat_map(map);
  const nlohmann::json cells = chart.spec.at("datasets").at("cells"), layer = chart.spec.at("layer").at(0);
  ASSERT_EQ(cells.size(), 5u);
  EXPECT_EQ(cells[0].at("value"), "collapse");
  EXPECT_EQ(layer.at("encoding").at("color").at("scale").at("domain"), nlohmann::json(map.categories));
  EXPECT_EQ(std::get<std::string>(chart.data.rows[1][2]), "edge");
}

HeatMap large_map(int side) {
  HeatMap map{.title = "Explained",
              .description = "d",
              .x = {.title = "κ = k/d", .scale = Scale::log, .id = "tasks"},
              .y = {.title = "α = l/d", .scale = Scale::log, .id = "context"},
              .value = {.title = "explained"},
              .x_values = {},
              .y_values = {}};
  for (int i = 0; i < side; ++i) {
    map.x_values.push_back(std::pow(10, 2.0 * i / (side - 1) - 1));
    map.y_values.push_back(std::pow(10, 2.0 * i / (side - 1)));
  }
  for (int i = 0; i < side * side; ++i) map.values.push_back(std::sin(0.001 * i));
  map.lines = {{"border", {{0.2, 2}, {1, 20}}}};
  return map;
}

TEST(HeatMap, OfManyCellsIsOneImage) {
  const Chart few = heat_map(large_map(59)), many = heat_map(large_map(60));
  EXPECT_EQ(few.spec.at("datasets").at("cells").size(), 59U * 59U);
  EXPECT_FALSE(few.spec.contains("usermeta"));
  EXPECT_EQ(many.spec.at("datasets").at("cells").size(), 2U) << "the ends of the colours";
  EXPECT_EQ(many.spec.at("usermeta").at("grid").at("x").at("values").size(), 60U);
  EXPECT_EQ(many.data.rows.size(), 3600U);
  EXPECT_EQ(many.data.columns[0].id, "tasks");
}

/// A section with the title of its chart leaves the chart without one: the legend stands at its top.
TEST(HeatMap, LeavesItsLegendFreeOfTheExportMenu) {
  const test::Scratch directory;
  const std::string path = directory.path() / "page.html";
  HeatMap titled = large_map(10), untitled = titled;
  titled.title = "Errors";
  untitled.title = "";
  Page page;
  page.title = "Maps";
  page.sections = {{.heading = "titled", .chart = heat_map(titled)},
                   {.heading = "untitled", .chart = heat_map(untitled)}};
  base::write_atomically(path, html(page));
  for (const int width : {400, 1300}) {
    const test::PageReport report = test::inspect_page(path, {.width = width});
    EXPECT_EQ(report.charts, 2);
    EXPECT_EQ(report.covered, 0) << width;
    EXPECT_TRUE(report.warnings.empty()) << report.warnings.front();
  }
}

TEST(HeatMap, OfFortyThousandCellsMakesASmallPageThatABrowserDraws) {
  const test::Scratch directory;
  const std::string path = directory.path() / "page.html";
  HeatMap blank = large_map(60);
  blank.values[7] = std::numeric_limits<double>::quiet_NaN();
  HeatMap regimes = large_map(60);
  regimes.categories = {"collapse", "edge"};
  regimes.value = {.title = "regime"};
  for (std::size_t i = 0; i < regimes.values.size(); ++i) regimes.values[i] = i % 2 ? 1 : 0;
  Page page;
  page.title = "Phases";
  page.sections = {{.heading = "large", .chart = heat_map(large_map(200))},
                   {.heading = "blank", .chart = heat_map(blank)},
                   {.heading = "names", .chart = heat_map(regimes)}};
  const std::string text = html(page);
  EXPECT_LT(text.size(), 2000000U);
  base::write_atomically(path, text);
  const test::PageReport report = test::inspect_page(path);
  EXPECT_EQ(report.charts, 3);
  EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  EXPECT_TRUE(report.warnings.empty()) << report.warnings.front();
  EXPECT_EQ(report.overflow, 0);
  ASSERT_EQ(report.readouts.size(), 3U);
  EXPECT_TRUE(report.readouts[0].starts_with("κ = k/d = ")) << report.readouts[0];
  EXPECT_NE(report.readouts[2].find("regime"), std::string::npos) << report.readouts[2];
  // The numbers are those that the program writes.
  const std::string &saved = report.saved.at("attnlaw-chart-1.csv"), written = csv(page.sections[0].chart->data);
  EXPECT_EQ(std::count(saved.begin(), saved.end(), '\n'), 40001);
  EXPECT_EQ(saved.substr(0, saved.find('\r')), "tasks,context,explained");
  EXPECT_EQ(saved.substr(0, 200), written.substr(0, 200));
  EXPECT_EQ(saved.substr(saved.size() - 40), written.substr(written.size() - 40));
}

TEST(HeatMap, RefusesWhatIsNoGrid) {
  HeatMap map = sample_map();
  map.values.pop_back();
  EXPECT_THROW(heat_map(map), std::invalid_argument);
  map = sample_map();
  map.x_values = {1};
  EXPECT_THROW(heat_map(map), std::invalid_argument);
}

TEST(HeatMap, IsDrawnInARealBrowser) {
  const test::Scratch directory;
  const std::string path = directory.path() / "page.html";
  Page page;
  page.title = "Phases";
  page.sections.push_back({"Diagram", "", heat_map(sample_map()), std::nullopt});
  base::write_atomically(path, html(page));
  const test::PageReport report = test::inspect_page(path);
  EXPECT_EQ(report.charts, 1);
  EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  EXPECT_TRUE(report.warnings.empty()) << report.warnings.front();
  EXPECT_EQ(report.marks.at("spec-1/cells"), 6);
  EXPECT_EQ(report.marks.at("spec-1/lines"), 1);
}

}  // namespace
}  // namespace attnlaw::report
