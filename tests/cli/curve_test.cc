/// Options of a problem with several values: curves of `solve` and `simulate`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/csv.h"
#include "program.h"
#include "report/browser.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kLinear = " --head linear --target wishart:0.5 ";

json curve_of(const std::string& arguments) {
  const Outcome outcome = attnlaw(arguments + " --format json");
  EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.err;
  return json::parse(outcome.out);
}

std::vector<std::string> names_of(const json& axes) {
  std::vector<std::string> names;
  for (const json& axis : axes) names.push_back(axis["name"]);
  return names;
}

TEST(Curve, HasThePointsOfItsAxesAndTheNumbersOfEachAlone) {
  const json curve = curve_of("solve --alpha 0.1:1:6:log --lambda 0.1,0.01" + kLinear);
  EXPECT_EQ(names_of(curve["axes"]), (std::vector<std::string>{"lambda", "alpha"})) << "the longest varies fastest";
  ASSERT_EQ(curve["points"].size(), 12u);
  EXPECT_FALSE(curve["problem"].contains("alpha"));
  EXPECT_FALSE(curve["problem"].contains("lambda"));
  EXPECT_EQ(curve["points"][0]["coordinates"], json({{"alpha", 0.1}, {"lambda", 0.1}}));
  EXPECT_EQ(curve["points"][11]["coordinates"], json({{"alpha", 1.0}, {"lambda", 0.01}}));
  const json& point = curve["points"][8];
  const json alone = curve_of("solve --lambda 0.01 --alpha " + point["coordinates"]["alpha"].dump() + kLinear);
  for (const char* error : {"train", "test", "estimation"})
    EXPECT_NEAR(point["errors"][error].get<double>() / alone["errors"][error].get<double>(), 1, 1e-4) << error;
  EXPECT_EQ(point["problem"], alone["problem"]);
}

TEST(Curve, DoesNotDependOnTheNumberOfThreads) {
  const std::string arguments = "solve --format csv --alpha 0.1:1:12:log --lambda 0.05 --tokens 2,3" + kLinear;
  EXPECT_EQ(attnlaw(arguments + "--threads 1").out, attnlaw(arguments + "--threads 2").out);
}

TEST(Curve, VariesInWordsRanksAndRules) {
  EXPECT_EQ(curve_of("solve --alpha 0.5,1 --lambda 0.1 --student tied,bayes,direct" + kLinear)["points"].size(), 6u);
  const json ranks = curve_of("solve --alpha 0.5 --lambda 0.1 --head linear --target wishart:0.25:0.75:3");
  EXPECT_EQ(names_of(ranks["axes"]), std::vector<std::string>{"kappa"});
  EXPECT_EQ(ranks["points"][1]["problem"]["target"], "wishart:0.5");
  const json targets = curve_of("solve --alpha 0.5 --lambda 0.1 --head linear --target powerlaw:1.25,40,wishart:0.5");
  EXPECT_EQ(targets["axes"][0]["values"], json({"powerlaw:1.25,40", "wishart:0.5"}));
  const json rules = curve_of("solve --alpha 0.5 --lambda 0.1,optimal --noise 0.5" + kLinear);
  ASSERT_EQ(rules["points"].size(), 2u);
  EXPECT_TRUE(rules["points"][1]["problem"]["lambda"].is_number()) << "the rule became a number";
  const json tokens = curve_of("solve --alpha 0.5 --lambda 0.1 --tokens 1:3:3" + kLinear);
  EXPECT_EQ(tokens["axes"][0]["values"], json({1, 2, 3}));
  // With cross-attention T1,T2 are one value.
  EXPECT_EQ(
      curve_of("solve --alpha 0.5 --lambda 0.1 --head linear --attention cross --tokens 2,3")["problem"]["tokens"],
      "2,3");
}

TEST(Curve, HasFilesAmongItsTargets) {
  const Scratch scratch;
  const std::string path = scratch.write("a,b.txt", "2\n1\n0\n0\n");
  EXPECT_EQ(curve_of("solve --alpha 0.5 --lambda 0.1 --head linear --target file:" + path +
                     ",wishart:0.5,powerlaw:1,40")["axes"][0]["values"],
            json({"file:" + path, "wishart:0.5", "powerlaw:1,40"}));
  EXPECT_EQ(curve_of("solve --alpha 0.5 --lambda 0.1 --head linear --target file:" + path)["problem"]["target"],
            "file:" + path);
}

TEST(Curve, TakesItsProblemFromAPipe) {
  const Outcome outcome = attnlaw("solve --problem /dev/stdin --alpha 0.5,1 --format json",
                                  "printf 'lambda = 0.1\\nhead = \"linear\"\\n' |");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["problem"]["head"], "linear");
}

TEST(Curve, WritesOneRecordAPoint) {
  const Outcome outcome =
      attnlaw("solve --format csv --alpha 0.1,0.5,1 --lambda 0.1 --target wishart:0.3,wishart:0.6 --head linear");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 7);
  const std::vector<std::string> columns = columns_of(outcome.out);
  for (const char* column : {"alpha", "lambda", "target", "test", "status", "kappa"})
    EXPECT_THAT(columns, testing::Contains(column));
}

TEST(Curve, RefusesWhatIsForOneProblemOrForAStudy) {
  const auto refusal = [](const std::string& arguments) {
    const Outcome outcome = attnlaw(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    return outcome.err;
  };
  EXPECT_THAT(refusal("solve --alpha 0.1,1 --lambda 0.1 --sensitivities"),
              HasSubstr("--sensitivities is for one problem"));
  EXPECT_THAT(refusal("solve --alpha 0.1:1:200 --lambda 0.1:1:200"), HasSubstr("attnlaw sweep STUDY.toml"));
  EXPECT_THAT(refusal("solve --alpha 0.1:1 --lambda 0.1"), HasSubstr("FROM:TO:N"));
  EXPECT_THAT(refusal("solve --alpha 0.1,x --lambda 0.1"), HasSubstr("'x'"));
  EXPECT_THAT(refusal("solve --alpha 0.1,-1 --lambda 0.1"), HasSubstr("got -1"));
  EXPECT_THAT(refusal("solve --alpha 1 --lambda 0.1 --student tied,tide"), HasSubstr("did you mean 'tied'?"));
  EXPECT_THAT(refusal("thresholds --head linear --noise 0,1"), HasSubstr("'0,1'"));
  // Every point needs a law of its spectrum, not the first alone.
  EXPECT_THAT(refusal("spectrum --alpha 1 --lambda 0.1 --student tied,untied"), HasSubstr("student untied"));
  EXPECT_THAT(refusal("spectrum --alpha 1 --lambda 0.1 --student tied,bayes"), HasSubstr("got bayes"));
}

TEST(Curve, OfExperimentsStandsBesideTheTheoryOfItsTargets) {
  const std::string arguments =
      "simulate --alpha 0.3,0.6 --lambda 0.1 --d 12,20 --instances 3 --precision double" + kLinear;
  const json curve = curve_of(arguments);
  ASSERT_EQ(curve["points"].size(), 4u);
  EXPECT_EQ(curve["evidence"], "simulated");
  const json& point = curve["points"][3];
  EXPECT_EQ(point["d"], 20);
  EXPECT_EQ(point["instances"], 3);
  // The same instances as those of one problem.
  const json alone = curve_of("simulate --alpha 0.6 --lambda 0.1 --d 20 --instances 3 --precision double" + kLinear);
  EXPECT_NEAR(point["mean"]["test"].get<double>(), alone["mean"]["test"].get<double>(), 1e-9);
  EXPECT_NEAR(point["standard_error"]["test"].get<double>(), alone["standard_error"]["test"].get<double>(), 1e-9);
  EXPECT_NEAR(point["difference"]["test"]["value"].get<double>(), alone["difference"]["test"]["value"].get<double>(),
              1e-6);
  const Outcome csv = attnlaw(arguments + " --format csv");
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 5);
}

TEST(Curve, OfExperimentsEndsWithOneVerdict) {
  const std::string arguments = "simulate --alpha 0.3,0.6 --lambda 0.1 --instances 3" + kLinear;
  const json sizes = curve_of(arguments + " --d 12,20,30");
  const std::string verdict = sizes["verdict"];
  EXPECT_THAT(verdict, HasSubstr("taken to 1/d → 0"));
  EXPECT_THAT(verdict, HasSubstr("2 points"));
  EXPECT_THAT(verdict, HasSubstr(" at α = 0."));
  EXPECT_THAT(attnlaw(arguments + " --d 12,20,30").out, HasSubstr("\n" + verdict + "\n"));
  EXPECT_THAT(curve_of(arguments + " --d 12")["verdict"].get<std::string>(), HasSubstr("At one d"));
  EXPECT_FALSE(curve_of("solve --alpha 0.3,0.6 --lambda 0.1" + kLinear).contains("verdict"));
}

/// Ctrl-C ends what is running; tests of Operations have what is printed then.
TEST(Curve, ThatIsInterruptedEndsSoonAndLeavesFilesAsTheyWere) {
  const Scratch scratch;
  const std::string file = scratch.write("curve.json", "what was there").string();
  const auto begin = std::chrono::steady_clock::now();
  // Many minutes of work, of which a busy machine may have done nothing by then.
  const Outcome outcome =
      attnlaw("solve --alpha 0.1:1:500 --lambda 0.05 --tokens 3 --accuracy 1e-5 --format json --output " + file,
              "timeout --foreground --preserve-status --signal INT 3");
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_LT(taken.count(), 3 + 20);
  const json known = json::parse(outcome.out);
  EXPECT_FALSE(known["converged"]);
  EXPECT_THAT(known["interrupted"].get<std::string>(), HasSubstr("of 500 points"));
  EXPECT_EQ(slurp(file), "what was there");
  EXPECT_THAT(outcome.err, HasSubstr("interrupted after "));
  EXPECT_THAT(outcome.err, HasSubstr("not written: " + file));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
}

/// CSV has no place for warnings, which stand on standard error, each once.
TEST(Curve, ThatIsInterruptedSaysSoOnceBesideCsv) {
  const Outcome outcome = attnlaw("solve --alpha 0.1:1:500 --lambda 0.05 --tokens 3 --accuracy 1e-5 --format csv",
                                  "timeout --foreground --preserve-status --signal INT 3");
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("attnlaw: interrupted after "));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("Interrupted after ")));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("not computed")));
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1 + 500);
}

TEST(Curve, HasAPageWithItsChartAndItsStudy) {
  const Scratch scratch;
  const std::string page = (scratch / "curve.html").string(), study = (scratch / "study.toml").string();
  const Outcome drawn = attnlaw("simulate --alpha 0.3,0.6 --lambda 0.1 --d 12 --instances 2 --html " + page + kLinear);
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const PageReport report = inspect_page(page);
  EXPECT_EQ(report.charts, 2);
  EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  EXPECT_EQ(report.marks.at("spec-1/theory"), 3);
  EXPECT_EQ(report.marks.at("spec-1/experiment"), 6);
  EXPECT_EQ(report.marks.at("spec-2/experiment"), 6) << "over the theory of their own targets";
  EXPECT_EQ(report.marks.at("spec-2/theory"), 1) << "1";
  // Its line stands at every x that was measured, the one theory of all figures.
  for (auto& ratio : records_of(report.saved.at("attnlaw-chart-2.csv")))
    EXPECT_EQ(ratio["theory"], "1") << ratio["series"];
  const std::string& text = report.saved.at("study.toml");
  base::write_atomically(study, text);
  const json plan = curve_of("sweep --check " + study);
  ASSERT_EQ(plan["parts"].size(), 2u) << text;
  // All that is drawn: the line of the theory has more points than the experiments.
  EXPECT_GE(plan["parts"][0]["axes"]["alpha"].size(), 40u) << text;
  EXPECT_EQ(plan["parts"][1]["axes"]["alpha"], json({0.3, 0.6})) << text;
  EXPECT_EQ(plan["parts"][1]["axes"]["instance"].size(), 2u) << text;
}

/// Lines go through many points where that takes no time, and the table keeps those that were asked for.
TEST(Curve, DrawsLinesThroughAHundredPoints) {
  const Scratch scratch;
  const std::string page = (scratch / "line.html").string();
  const json curve = curve_of("solve --alpha 0.05:2:5:log --lambda 0.1,0.2 --html " + page + kLinear);
  ASSERT_EQ(curve["points"].size(), 10u);
  const std::string csv = inspect_page(page).saved.at("attnlaw-chart-1.csv");
  EXPECT_GE(std::count(csv.begin(), csv.end(), '\n'), 2 * 100) << csv.substr(0, 300);
  // The points of the table are among them.
  EXPECT_THAT(csv, HasSubstr(",2,"));
  EXPECT_THAT(csv, HasSubstr(",0.05,"));
  // Four tokens take seconds a point.
  const std::string slow =
      "solve --alpha 0.1:1:3 --lambda 0.05 --tokens 4 --accuracy 1e-4 --threads 1 --quiet --html " + page;
  ASSERT_EQ(attnlaw(slow).code, 0);
  EXPECT_THAT(slurp(page), HasSubstr(" points: 101 would take about "));
}

/// Points of several d have no line of their own, but a theory.
TEST(Curve, OfSeveralSizesHasATheoryBesideEveryMeasuredNumber) {
  const Scratch scratch;
  const std::string page = (scratch / "curve.html").string();
  ASSERT_EQ(attnlaw("simulate --alpha 0.3,0.6 --lambda 0.1 --d 12,16 --instances 2 --html " + page + kLinear).code, 0);
  const std::string csv = inspect_page(page).saved.at("attnlaw-chart-1.csv");
  EXPECT_THAT(csv, testing::StartsWith("series,alpha,theory,experiment,standard_error,own_theory,figure,"));
  EXPECT_THAT(csv, HasSubstr("\"d = 12, test\",0.3,0."));
  EXPECT_THAT(csv, testing::Not(HasSubstr("\",0.3,,")));
}

TEST(Curve, OfSpectraIsDrawnAsRidges) {
  const Scratch scratch;
  const std::string page = (scratch / "ridges.html").string(),
                    arguments = "spectrum --lambda 0.02:0.5:6:log --alpha 1 --noise 0.5" + kLinear;
  const json curve = curve_of(arguments + "--html " + page);
  ASSERT_EQ(curve["points"].size(), 6u);
  EXPECT_EQ(curve["points"][2]["density"]["s"].size(), curve["points"][2]["density"]["density"].size());
  const PageReport report = inspect_page(page);
  EXPECT_EQ(report.charts, 2);
  EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  EXPECT_TRUE(report.warnings.empty()) << report.warnings.front();
  ASSERT_EQ(report.links.size(), 4u);
  EXPECT_EQ(report.links[0].chosen, "λ = 0.02");
  EXPECT_EQ(report.links[0].marked, 1);
  EXPECT_THAT(report.links[2].chosen, testing::StartsWith("λ = 0.26")) << "the last point of the curve but one";
  EXPECT_GT(report.links[2].faint, 0);
  EXPECT_THAT(columns_of(attnlaw(arguments + "--format csv").out),
              testing::IsSupersetOf({"largest_eigenvalue", "outliers", "stable_rank"}));
}

/// Words have places along the axis, and stand in its numbers.
TEST(Curve, AlongWordsIsDrawnAtThem) {
  const Scratch scratch;
  const std::string page = (scratch / "words.html").string();
  const auto drawn = [&](const std::string& arguments) {
    const Outcome outcome = attnlaw(arguments + " --html " + page + kLinear);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const PageReport report = inspect_page(page);
    EXPECT_TRUE(report.errors.empty()) << report.errors.front();
    EXPECT_TRUE(report.warnings.empty()) << report.warnings.front();
    return report;
  };
  const PageReport students = drawn("solve --alpha 1 --lambda 0.1 --student tied,direct");
  EXPECT_EQ(students.charts, 1);
  EXPECT_EQ(students.marks.at("spec-1/theory_at_words"), 6) << "three errors of two students";
  EXPECT_EQ(students.marks.count("spec-1/theory"), 0u) << "there is nothing between words";
  EXPECT_THAT(students.saved.at("attnlaw-chart-1.csv"), HasSubstr("test,direct,"));
  const PageReport measured = drawn("simulate --alpha 1 --lambda 0.1 --student tied,direct --d 12 --instances 2");
  EXPECT_EQ(measured.marks.at("spec-1/experiment"), 6);
  const PageReport spectra = drawn("spectrum --alpha 1 --lambda 0.1 --student tied,direct");
  EXPECT_EQ(spectra.charts, 2);
  EXPECT_THAT(spectra.saved.at("attnlaw-chart-1.csv"), HasSubstr("\r\ndirect,density,"));
  // With a second axis there are ridges for each of its values, and a chart for each measure of collapse.
  EXPECT_EQ(drawn("spectrum --alpha 0.5,1,2 --lambda 0.1 --student tied,direct").charts, 5);
}

TEST(Curve, OverTwoLongAxesIsDrawnAsAMap) {
  const Scratch scratch;
  const std::string page = (scratch / "map.html").string();
  ASSERT_EQ(attnlaw("solve --alpha 0.1:1:9:log --noise 0:1:8 --lambda 0.1 --html " + page + kLinear).code, 0);
  const PageReport report = inspect_page(page);
  EXPECT_EQ(report.charts, 3);
  EXPECT_TRUE(report.errors.empty()) << report.errors.front();
  EXPECT_EQ(report.marks.at("spec-1/cells"), 72);
}

TEST(Demo, TakesTheOptionsOfAProblem) {
  const Scratch scratch;
  const Outcome outcome = attnlaw("demo --quiet --head linear --student direct --lambda 0.1 --format json --html " +
                                  (scratch / "demo.html").string());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document["theory"][0]["problem"]["student"], "direct");
  EXPECT_EQ(document["experiments"][0]["problem"]["lambda"], 0.1);
  // What the page recommends is about the same problem.
  EXPECT_THAT(slurp(scratch / "demo.html"),
              HasSubstr("attnlaw simulate --alpha 0.5 --head linear --lambda 0.1 --student direct --d 40"));
}

}  // namespace
}  // namespace attnlaw::test
