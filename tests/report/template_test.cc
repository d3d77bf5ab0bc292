#include <gtest/gtest.h>

#include "attnlaw/report/chart_parts.h"

namespace attnlaw::report {
namespace {

using nlohmann::json;

TEST(ChartTemplate, NamesStandForValuesAndSharedParts) {
  EXPECT_EQ(parts::filled("by_series", {{"names", {"$a", "b"}}, {"range", {1, 2}}}), json::parse(R"({
    "field": "series", "type": "nominal", "scale": {"domain": ["$a", "b"], "range": [1, 2]},
    "legend": {"title": null, "orient": "top", "direction": "horizontal"}})"))
      << "values are taken as they are";
}

TEST(ChartTemplate, LikeChangesAValueAndNullRemovesAMember) {
  const json axis = parts::axis_encoding("y", {.title = "t"}, 0, 1);
  EXPECT_EQ(parts::filled("cells_y", {{"y", axis}, {"y_range", {0, 1}}}), json::parse(R"({
    "field": "y", "type": "quantitative", "title": "t", "scale": {"zero": false, "nice": false, "domain": [0, 1]},
    "axis": {"tickCount": 8, "grid": false}})"));
}

TEST(ChartTemplate, NullLeavesAMemberOut) {
  const json frame = parts::filled("frame", {{"title", "t"}, {"description", "d"}, {"notes", nullptr}});
  EXPECT_EQ(frame.at("title"), (json{{"text", "t"}, {"anchor", "start"}}));
}

TEST(ChartTemplate, RefusesANameWithoutValueAndAnUnknownTemplate) {
  EXPECT_THROW(parts::filled("frame", {{"title", "t"}}), json::out_of_range);
  EXPECT_THROW(parts::filled("no_such_chart", json::object()), json::out_of_range);
}

}  // namespace
}  // namespace attnlaw::report
