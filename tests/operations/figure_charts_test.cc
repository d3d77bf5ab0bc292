/// Charts of studies whose outcomes are known beforehand.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attnlaw/study/file/study_file.h"
#include "attnlaw/view/figure/charts.h"

namespace attnlaw::view {
namespace {

using nlohmann::json;

struct Solved {
  study::Study study;
  study::Outcomes outcomes;

  explicit Solved(const std::string& text) : study(study::parse_study(text, "test.toml")) {
    for (const study::PlannedTask& planned : study.tasks) {
      const study::Outcome* predecessor = planned.predecessor ? &*outcomes[*planned.predecessor] : nullptr;
      outcomes.emplace_back(study::perform(planned.task, predecessor, 1));
    }
  }
  /// The specification of the first chart.
  json chart() const { return figure_charts(study, outcomes).sections.at(0).chart.value().spec; }
};

std::vector<double> along(const json& rows, const std::string& line, const char* axis) {
  std::vector<double> values;
  for (const json& row : rows)
    if (row.at("line") == line) values.push_back(row.at(axis));
  return values;
}

/// Where theory::regime_map has none, of a student that is 0 or of no solution, there is no edge of the noise.
TEST(FigureCharts, TheEdgeOfTheNoiseGoesThroughSolutionsAlone) {
  Solved solved(R"(
[problem]
tokens = 1
head = "linear"
noise = 0.5
target = "powerlaw:1,60"
[[part]]
name = "map"
axes = [{lambda = [0.1, 1000]}]
scaling = {n = [1e3, 1e4, 1e5]}
[[part]]
name = "edge"
problem = {lambda = "edge"}
scaling = {n = [1e3, 1e4, 1e5]}
[[chart]]
kind = "map"
title = "Regimes"
x = "n"
y = "lambda"
values = ["regime"]
log_x = true
log_y = true
)");
  const auto edge = [&] { return along(solved.chart().at("datasets").at("lines"), "edge of the noise", "x"); };
  EXPECT_EQ(edge(), (std::vector<double>{1e3, 1e4, 1e5}));
  json& points = solved.outcomes.back()->figures.at("points");
  ASSERT_EQ(points.size(), 3u);
  points[1]["converged"] = false;
  EXPECT_EQ(edge(), (std::vector<double>{1e3, 1e5}));
  points[0]["regime"] = "collapse";
  EXPECT_EQ(edge(), (std::vector<double>{1e5}));
}

constexpr const char* kPlane = R"(
[problem]
head = "linear"
lambda = 0.01
target = "wishart:{kappa}"
[[part]]
name = "theory"
axes = [{kappa = [0.1, 0.3, 0.5]}, {alpha = [0.02, 0.05, 0.1, 0.2, 0.4]}]
theory = true
[[part]]
name = "lines"
axes = [{kappa = [0.1, 0.3, 0.5]}]
thresholds = true
[[chart]]
kind = "map"
title = "Diagram"
values = ["test"]
)";

TEST(FigureCharts, RegionsAreNamedOnEitherAxisOfAlpha) {
  for (const bool right : {false, true}) {
    const std::string axes =
        right ? "x = \"alpha\"\ny = \"kappa\"\nlog_x = true\n" : "x = \"kappa\"\ny = \"alpha\"\nlog_y = true\n";
    const json regions = Solved(kPlane + axes).chart().at("datasets").at("regions");
    double undetermined = 0, recovered = 0;
    for (const json& region : regions) {
      const double alpha = region.at(right ? "x" : "y");
      if (region.at("label") == "target undetermined") undetermined = alpha;
      if (region.at("label") == "recovered as λ → 0") recovered = alpha;
    }
    EXPECT_GT(undetermined, 0) << regions.dump();
    EXPECT_GT(recovered, undetermined) << regions.dump();
  }
}

TEST(FigureCharts, ALineMayBeTheDetachmentAlone) {
  const auto rules = [](const std::string& lines) {
    return Solved(R"(
[problem]
head = "linear"
lambda = 0.01
noise = 0.25
target = "wishart:{kappa}"
[[part]]
name = "theory"
axes = [{kappa = [0.1, 0.2]}, {alpha = [0.1, 1]}]
theory = true
[[part]]
name = "detachment"
axes = [{kappa = [0.1, 0.2]}]
thresholds = {detachment = true}
[[chart]]
x = "alpha"
values = ["upper_mass"]
)" + lines)
        .chart()
        .at("datasets")
        .at("rules");
  };
  const json all = rules(""), one = rules("lines = ['detachment']\n");
  EXPECT_EQ(all.size(), 4u) << "with the interpolation of both";
  ASSERT_EQ(one.size(), 2u);
  for (const json& rule : one)
    EXPECT_EQ(rule.at("label").get<std::string>().rfind("detachment, κ* = ", 0), 0u) << rule.dump();
}

TEST(FigureCharts, SpectraSayWhatTheyAreOf) {
  const Solved solved(R"(
axes = [{lambda = [0.1, 0.2]}, {alpha = [0.5, 1]}]
theory = {density = true}
[problem]
head = "linear"
[[chart]]
kind = "spectrum"
title = "Spectrum"
[[chart]]
title = "Errors"
x = "alpha"
values = ["test"]
)");
  const FigureCharts charts = figure_charts(solved.study, solved.outcomes);
  ASSERT_EQ(charts.sections.size(), 5u);
  EXPECT_EQ(charts.sections[1].chart->spec.at("usermeta"),
            json::parse(R"({"spectra": [{"name": "λ = 0.1, α = 1", "at": {"lambda": 0.1, "alpha": 1.0}}]})"));
  const json curve = charts.sections[4].chart->spec.at("usermeta").at("curve");
  EXPECT_EQ(curve.at("x"), "alpha");
  EXPECT_EQ(curve.at("series").at("λ = 0.2").at("lambda"), 0.2);
}

}  // namespace
}  // namespace attnlaw::view
