/// The main job of ./run, end to end: its numbers and its report in a real browser.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"
#include "report/browser.h"

namespace attnlaw::test {
namespace {

TEST(Demo, ReportShowsTheoryThroughExperimentsInARealBrowser) {
  const Scratch scratch;
  const std::string page = (scratch / "demo.html").string();
  const Outcome outcome = attnlaw("demo --quiet --format json --html " + page);
  ASSERT_EQ(outcome.code, 0) << outcome.err;

  const nlohmann::json document = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(document["theory"].size(), 40u);
  ASSERT_EQ(document["experiments"].size(), 8u);
  EXPECT_EQ(document["theory"].front()["problem"]["alpha"], 0.05);
  EXPECT_EQ(document["theory"].back()["problem"]["alpha"], 2.0);
  for (const auto& experiment : document["experiments"]) {
    if (experiment["problem"]["alpha"] < 0.2)
      continue;  // fewer than 12 sequences per dimension: corrections beyond 5/d
    for (const auto& [name, difference] : experiment["difference"].items())
      EXPECT_LE(std::abs(difference["value"].get<double>()), 5.0 / 60 + 3 * difference["standard_error"].get<double>())
          << name << " at alpha " << experiment["problem"]["alpha"];
  }

  const PageReport report = inspect_page(page);
  // The numbers of charts say what they are of.
  const std::string &curve = report.saved.at("attnlaw-chart-1.csv"), &spectrum = report.saved.at("attnlaw-chart-2.csv");
  EXPECT_TRUE(curve.starts_with("series,alpha,theory,experiment,standard_error,lambda,target\r\n"))
      << curve.substr(0, 99);
  EXPECT_TRUE(spectrum.starts_with("kind,s,predicted,measured,count,alpha,lambda,target\r\n"))
      << spectrum.substr(0, 99);
  EXPECT_NE(spectrum.find(",wishart:0.5\r\n"), std::string::npos);
  EXPECT_EQ(report.charts, 2);
  EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  EXPECT_TRUE(report.requests.empty()) << report.requests.front();
  EXPECT_EQ(report.marks.at("spec-1/theory"), 3);
  EXPECT_EQ(report.marks.at("spec-1/experiment"), 24);
  EXPECT_EQ(report.marks.at("spec-1/error_bars"), 24);
  EXPECT_GT(report.marks.at("spec-2/histogram"), 5);
  EXPECT_EQ(report.marks.at("spec-2/density"), 1);
  EXPECT_EQ(report.marks.at("spec-2/atom"), 2) << "measured and predicted";
}

}  // namespace
}  // namespace attnlaw::test
