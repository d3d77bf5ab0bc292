/// Figures end to end: the list, a study file of one's own with its charts as page and CSV, resuming, what is missing.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "program.h"
#include "report/browser.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

/// Theory at 6 values of α for two students, experiments at 2 of them with 3 instances, a spectrum, a map.
constexpr const char* kStudy = R"(
title = "A small figure"
description = "Of everything a little."

[problem]
tokens = 1
head = "linear"
noise = 0.5
lambda = 0.5
target = "wishart:0.5"

[[part]]
name = "theory"
axes = [{student = ["tied", "direct"]}, {alpha = {from = 0.2, to = 2, count = 6, spacing = "log"}}]
theory = true

[[part]]
name = "trained"
axes = [{student = ["tied", "direct"]}, {alpha = [0.5, 1]}]
experiment = {d = [16], instances = 3}

[[part]]
name = "lines"
thresholds = true

[[part]]
name = "spectra"
axes = [{alpha = [1]}]
theory = {density = true}
experiment = {d = [16], instances = 3}

[[part]]
name = "plane"
axes = [{noise = [0.1, 0.3, 1]}, {alpha = [0.2, 0.5, 1, 2]}]
theory = true

[[part]]
name = "plane-lines"
axes = [{noise = [0.1, 0.3, 1]}]
thresholds = true

[[chart]]
title = "Errors of S"
text = "Look at the gap."
parts = ["theory", "trained", "lines"]
x = "alpha"
values = ["test", "estimation"]
by = ["student"]
log_x = true
log_y = true

[[chart]]
kind = "spectrum"
title = "Spectrum"
parts = ["spectra"]

[[chart]]
kind = "map"
title = "Plane"
parts = ["plane", "plane-lines"]
x = "noise"
y = "alpha"
values = ["estimation"]
log_x = true
log_y = true
)";

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Figure : public testing::Test {
 protected:
  Outcome make(const std::string& options, const std::string& study = kStudy) {
    const auto file = scratch_.write("small.toml", study);
    return attnlaw("figure " + file.string() + " --quiet --directory " + (scratch_ / "out").string() + " " + options);
  }
  std::filesystem::path out(const std::string& name) const { return scratch_ / ("out/" + name); }

  Scratch scratch_;
};

TEST_F(Figure, ListHasEveryFigureOfThePapers) {
  const Outcome outcome = attnlaw("figure --list --format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::vector<std::string> names;
  const json document = json::parse(outcome.out);
  for (const json& figure : document.at("figures")) {
    names.push_back(figure.at("name"));
    EXPECT_FALSE(figure.at("title").get<std::string>().empty());
    EXPECT_EQ(figure.contains("alias"), names.back().starts_with("erm-fig")) << names.back();
    // Commands of a figure are as many with --fast, of fewer points each.
    EXPECT_GE(figure.at("tasks"), figure.at("fast_tasks")) << names.back();
    EXPECT_GT(figure.at("fast_tasks"), 0) << names.back();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"bayes-softmax", "bayes",        "cross_attention", "erm-fig1",
                                             "erm-fig2",      "erm-fig3",     "erm-fig4",        "erm-fig5",
                                             "erm-fig6",      "erm-parts",    "erm-power-laws",  "erm-regimes",
                                             "icl-descent",   "icl-spectrum", "icl-transition",  "learning_curve",
                                             "losses",        "phases",       "scaling_laws",    "tied_direct",
                                             "width"}));
  EXPECT_TRUE(contains(attnlaw("figure --list --format csv").out, "erm-fig3,fig3,"));
  EXPECT_EQ(attnlaw("figure fig3 --print").out, attnlaw("figure erm-fig3 --print").out);
}

/// `ratios` adds the experiments over the theory of their own targets, which lie within the 1/d of finite size.
TEST_F(Figure, DrawsRatiosBesideCurves) {
  const auto study = scratch_.write("ratios.toml", R"(
axes = [{alpha = [0.5, 1]}]
theory = true
experiment = {d = [16], instances = 3}
[problem]
head = "linear"
lambda = 0.1
[[chart]]
title = "Errors"
x = "alpha"
values = ["test"]
ratios = true
)");
  const Outcome outcome = attnlaw("figure " + study.string() + " --directory " + scratch_.path().string());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string numbers = slurp(scratch_ / "ratios-2-errors-experiment-over-theory.csv");
  EXPECT_TRUE(numbers.starts_with("series,alpha,theory,experiment,standard_error,figure,lambda,target\r\ntest,0.5,1,"))
      << numbers;
  EXPECT_TRUE(contains(numbers, "\r\ntheory,0.5,1,")) << numbers;
}

TEST_F(Figure, PrintedStudyFilesAreStudyFiles) {
  const Outcome printed = attnlaw("figure phases --print");
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_TRUE(contains(printed.out, "[[chart]]"));
  const auto copy = scratch_.write("copy.toml", printed.out);
  EXPECT_EQ(attnlaw("figure " + copy.string() + " --print").out, printed.out);
}

TEST_F(Figure, WritesPageAndNumbersAndResumesWithoutComputing) {
  const Outcome outcome = make("--format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  // 12 + 12 theory and 1 density; the spectrum shares its 3 experiments with the 12 of the curves; 1 + 3 thresholds.
  EXPECT_EQ(document.at("tasks").at("total"), 25 + 12 + 4);
  EXPECT_EQ(document.at("tasks").at("reused"), 0);
  EXPECT_EQ(document.at("tasks").at("computed"), document.at("tasks").at("total"));
  EXPECT_EQ(document.at("complete"), true);
  ASSERT_EQ(document.at("charts").size(), 3u);

  const std::string errors = slurp(out("small-1-errors-of-s.csv"));
  EXPECT_TRUE(errors.starts_with(
      "series,alpha,theory,experiment,standard_error,own_theory,figure,student,lambda,target\r\n\"tied, test\",0.2,"))
      << errors;
  // Four series of 6 theory points and 2 experiments between them, one threshold: interpolation of the tied student;
  // for the direct one there is no entry.
  EXPECT_EQ(lines(errors), 1 + 4 * (6 + 2) + 1u);
  EXPECT_TRUE(contains(errors, "\r\ninterpolation,")) << errors;
  EXPECT_GT(lines(slurp(out("small-2-spectrum-1.csv"))), 3u);
  EXPECT_EQ(lines(slurp(out("small-3-plane.csv"))), 1 + 3 * 4u);
  EXPECT_TRUE(contains(slurp(out("small.html")), "Experiments: d = 16, 3 instances, lbfgs."));

  const Outcome again = make("--format json");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(json::parse(again.out).at("tasks").at("computed"), 0);
  EXPECT_EQ(slurp(out("small-1-errors-of-s.csv")), errors);
}

TEST_F(Figure, IsDrawnInARealBrowserWithoutAFault) {
  ASSERT_EQ(make("").code, 0);
  const PageReport report = inspect_page(out("small.html"));
  EXPECT_EQ(report.charts, 3);
  EXPECT_EQ(report.errors, std::vector<std::string>{});
  EXPECT_EQ(report.warnings, std::vector<std::string>{});
  EXPECT_EQ(report.requests, std::vector<std::string>{});
  EXPECT_EQ(report.marks.at("spec-1/theory"), 4);
  EXPECT_EQ(report.marks.at("spec-1/experiment"), 8);
  EXPECT_EQ(report.marks.at("spec-1/error_bars"), 8);
  EXPECT_EQ(report.marks.at("spec-1/rules"), 1);
  EXPECT_EQ(report.marks.at("spec-2/density"), 1);
  EXPECT_GE(report.marks.at("spec-2/histogram"), 2);
  EXPECT_EQ(report.marks.at("spec-3/cells"), 12);
  EXPECT_EQ(report.marks.at("spec-3/lines"), 1);
}

TEST_F(Figure, DrawsAlongTheEffectiveSampleRatio) {
  const Outcome outcome = make("--format json", R"(
[problem]
head = "linear"
noise = 0.5
lambda = 0.5
[[part]]
name = "tokens"
axes = [{tokens = [1, 2]}, {alpha_eff = [0.3, 0.6, 1.2]}]
[[part]]
name = "line"
problem = {tokens = 2}
thresholds = true
[[part]]
name = "ranks"
problem = {tokens = 2, noise = 0, target = "wishart:{kappa}"}
axes = [{kappa = [0.2, 0.4]}]
thresholds = true
[[chart]]
title = "Collapse"
parts = ["tokens", "line"]
x = "alpha_eff"
values = ["q"]
by = ["tokens"]
[[chart]]
title = "Ranks"
parts = ["ranks"]
x = "kappa"
values = ["bayes_recovery_eff", "interpolation_limit_eff"]
)");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string collapse = slurp(out("small-1-collapse.csv")), ranks = slurp(out("small-2-ranks.csv"));
  EXPECT_TRUE(contains(collapse, "T = 2,1.2,")) << collapse;
  // One curve at α K_eff = 0.3 of either number of tokens needs λ K_eff alike: here they share their places alone.
  EXPECT_EQ(lines(collapse), 1 + 2 * 3 + 1u);
  // κ* − κ*²/2 and (1 + 2κ* − κ*²)/4 at any number of tokens.
  const auto value_after = [&](const std::string& beginning) {
    const std::size_t at = ranks.find(beginning);
    return at == std::string::npos ? 0 : std::stod(ranks.substr(at + beginning.size()));
  };
  EXPECT_NEAR(value_after("Bayes recovery,0.2,"), 0.18, 1e-12) << ranks;
  EXPECT_NEAR(value_after("\"interpolation, Δ → 0\",0.4,"), 0.41, 1e-12) << ranks;
}

TEST_F(Figure, TakesSquareRootsOfEigenvaluesThatAreNoneNegative) {
  const std::string head = "axes = [{alpha = [1]}]\ntheory = {density = true}\n";
  const std::string chart = "[[chart]]\nkind = \"spectrum\"\ntitle = \"Spectrum\"\nsquare_roots = true\n";
  const std::string problem = "[problem]\nhead = \"linear\"\nnoise = 0.5\nlambda = 0.1\n";
  const Outcome tied = make("--format json", head + problem + chart);
  ASSERT_EQ(tied.code, 0) << tied.err;
  EXPECT_TRUE(contains(slurp(out("small.html")), "√eigenvalue"));
  const Outcome direct = make("", head + problem + "student = \"direct\"\n" + chart);
  EXPECT_EQ(direct.code, 2);
  EXPECT_TRUE(contains(direct.err, "negative eigenvalues")) << direct.err;
}

TEST_F(Figure, RefusesTwoSampleRatios) {
  const Outcome twice = make("", R"(
axes = [{alpha_eff = [0.3, 0.6]}]
[problem]
alpha = 1
lambda = 0.1
[[chart]]
x = "alpha_eff"
values = ["q"]
)");
  EXPECT_EQ(twice.code, 2);
  EXPECT_TRUE(contains(twice.err, "alpha_eff = alpha K_eff stands in place of alpha")) << twice.err;
}

/// The column `experiment` of the CSV of a chart, by series: the third after it.
std::map<std::string, std::vector<double>> measured(const std::string& csv) {
  std::map<std::string, std::vector<double>> found;
  std::istringstream rows(csv);
  std::string row;
  std::getline(rows, row);  // the names of columns
  while (std::getline(rows, row)) {
    std::size_t comma = row.find(',', row.front() == '"' ? row.find('"', 1) : 0);
    const std::string series = row.substr(0, comma);
    for (int skipped = 0; skipped < 2; ++skipped) comma = row.find(',', comma + 1);
    found[series].push_back(std::stod(row.substr(comma + 1)));
  }
  return found;
}

TEST_F(Figure, DrawsTheBestPenaltyOfEveryInstance) {
  // The first penalty is the worst, and the best is not that of all instances.
  const Outcome outcome = make("--format json", R"(
[problem]
tokens = 1
head = "linear"
noise = 0.5
[[part]]
name = "trained"
axes = [{alpha = [0.5, 1]}, {lambda = [5, 0.2, 0.5]}]
experiment = {d = [16], instances = 3, one_target = true}
[[chart]]
title = "Best"
x = "alpha"
values = ["test", "lambda"]
best_over = "lambda"
[[chart]]
title = "All"
x = "lambda"
values = ["test"]
by = ["alpha", "instance"]
)");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto best = measured(slurp(out("small-1-best.csv"))), all = measured(slurp(out("small-2-all.csv")));
  ASSERT_EQ(all.size(), 2 * 3u);
  std::vector<double> means(2, 0.0);
  std::size_t series = 0;
  // Series are in the order of their names: instances of the first α, then of the second.
  for (const auto& [name, tests] : all) means[series++ / 3] += *std::min_element(tests.begin(), tests.end()) / 3;
  ASSERT_EQ(best.at("test").size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(best.at("test")[i], means[i], 1e-12) << i;
  EXPECT_GT(best.at("λ")[0], 0.2) << "one of three instances takes 0.2";
  EXPECT_LT(best.at("λ")[0], 0.5);
}

TEST_F(Figure, DrawsRegimesAsAreasAndPartsOfTheTestError) {
  const Outcome outcome = make("--format json", R"(
[problem]
tokens = 1
head = "linear"
noise = 0.5
target = "powerlaw:1,100"
[[part]]
name = "map"
axes = [{lambda = [0.1, 1, 1000]}]
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
[[chart]]
title = "Parts"
parts = ["map"]
x = "n"
values = ["test", "test_parts.floor", "test_parts.unlearned", "test_parts.shrinkage", "test_parts.misalignment",
          "test_parts.bulk", "test_parts.amplitude"]
by = ["lambda"]
)");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string regimes = slurp(out("small-1-regimes.csv"));
  EXPECT_EQ(lines(regimes), 1 + 9u);
  EXPECT_TRUE(contains(regimes, "1000,1000,collapse")) << regimes;
  EXPECT_TRUE(contains(regimes, "10000,1,noise-dominated")) << regimes;
  const std::string page = slurp(out("small.html"));
  for (const char* line : {"collapse", "edge of the noise"}) EXPECT_TRUE(contains(page, line)) << line;
  // The parts of every point sum to its test error.
  std::map<std::string, double> test, sum;
  std::istringstream parts(slurp(out("small-2-parts.csv")));
  std::string line;
  std::getline(parts, line);
  while (std::getline(parts, line)) {
    const std::size_t end = line.find('"', 1);  // "λ = 0.1, test",1000,…
    const std::string name = line.substr(1, end - 1), rest = line.substr(end + 2);
    const std::size_t comma = rest.find(',');
    const std::string at = name.substr(0, name.find(',')) + " " + rest.substr(0, comma);
    const double value = std::stod(rest.substr(comma + 1));
    (name.ends_with(", test") ? test : sum)[at] += value;
  }
  ASSERT_EQ(test.size(), 9u);
  for (const auto& [at, value] : test) EXPECT_NEAR(sum[at], value, 1e-9) << at;
  const PageReport report = inspect_page(out("small.html"));
  EXPECT_EQ(report.errors, std::vector<std::string>{});
  EXPECT_EQ(report.warnings, std::vector<std::string>{});
  EXPECT_EQ(report.marks.at("spec-1/cells"), 9);
}

TEST_F(Figure, SaysWhatIsMissingAndGoesOnLater) {
  const Outcome interrupted = make("--max-time 0.000001s --threads 1 --format json");
  EXPECT_EQ(interrupted.code, 1);
  const json document = json::parse(interrupted.out);
  EXPECT_EQ(document.at("complete"), false);
  EXPECT_TRUE(contains(document.at("warnings").dump(), "not computed")) << interrupted.out;
  EXPECT_TRUE(contains(slurp(out("small.html")), "not computed yet"));
  const Outcome resumed = make("--format json");
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(json::parse(resumed.out).at("warnings"), json::array());
}

TEST_F(Figure, CountsExperimentsThatFailed) {
  const Outcome outcome = make("--format json", R"(
[problem]
tokens = 1
head = "linear"
lambda = "optimal"    # 0+ for noiseless labels, at which nothing can be trained
[[part]]
name = "both"
axes = [{alpha = [0.3, 0.6]}]
theory = true
experiment = {d = [16], instances = 2}
[[chart]]
x = "alpha"
title = "Test error"
values = ["estimation"]
)");
  EXPECT_EQ(outcome.code, 1);
  const json document = json::parse(outcome.out);
  EXPECT_TRUE(contains(document.at("warnings").dump(), "4 results that failed")) << outcome.out << outcome.err;
  EXPECT_TRUE(contains(slurp(out("small.html")), "Left out: 4 results that failed"));
  EXPECT_EQ(document.at("charts").at(0).at("rows"), 2) << "the theory is drawn";
}

TEST_F(Figure, SeriesFollowTheAxesThatVary) {
  const Outcome outcome = make("--format json", R"(
[problem]
tokens = 1
head = "linear"
noise = 1
lambda = "edge"
target = "powerlaw:{gamma},40"
[[part]]
name = "curves"
axes = [{gamma = [1, 1.5]}]
scaling = {n = {from = 1e3, to = 1e5, count = 9, spacing = "log"}}
[[chart]]
title = "Error"
x = "n"
values = ["estimation"]
log_x = true
log_y = true
[[chart]]
title = "Slope"
x = "n/d"
values = ["slope"]
log_x = true
[[chart]]
title = "Modes"
x = "n"
values = ["recovered"]
)");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  const std::string error = slurp(out("small-1-error.csv")), slope = slurp(out("small-2-slope.csv"));
  EXPECT_TRUE(contains(error, "γ = 1,1000,")) << error;
  EXPECT_TRUE(contains(error, "γ = 1.5,100000,")) << error;
  EXPECT_TRUE(contains(error, ",guide,figure,gamma,")) << error;
  EXPECT_EQ(lines(error), 1 + 2 * 9u);
  EXPECT_TRUE(contains(slope, "γ = 1,25,")) << slope;
  EXPECT_TRUE(contains(slope, ",-0.5,slope,") || contains(slope, ",-1,slope,")) << slope;
  EXPECT_TRUE(contains(slurp(out("small.html")), "Modes are recovered at"));
}

TEST_F(Figure, RefusesWhatItCannotDraw) {
  const Outcome unknown = attnlaw("figure nothing");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_TRUE(contains(unknown.err, "learning_curve, losses, phases")) << unknown.err;
  EXPECT_EQ(attnlaw("figure").code, 2);
  EXPECT_EQ(attnlaw("figure phases --list").code, 2);
  EXPECT_EQ(attnlaw("figure phases --seed 3").code, 2);
  EXPECT_EQ(attnlaw("figure /nowhere/study.toml").code, 1);
  const Outcome chartless = make("", "[problem]\nlambda = 0.1\nalpha = 1\ntheory = true\n");
  EXPECT_EQ(chartless.code, 2);
  const Outcome nonsense = make("",
                                "theory = true\naxes = [{alpha = [1, 2]}]\n[problem]\nlambda = 0.1\nhead = \"linear\"\n"
                                "[[chart]]\nx = \"alpha\"\nvalues = [\"happiness\"]\n");
  EXPECT_EQ(nonsense.code, 2);
  EXPECT_TRUE(contains(nonsense.err, "small.toml:8: values of a chart has 'happiness'")) << nonsense.err;
}

/// Two experiments that differ in the noise alone, at α = 1 of three instances each, drawn against α.
std::string two_noises(const std::string& chart) {
  return R"(
[problem]
tokens = 1
head = "linear"
lambda = 0.5
target = "wishart:0.5"
alpha = 1
[[part]]
name = "quiet"
experiment = {d = [8, 10], instances = 3}
[[part]]
name = "noisy"
problem = {noise = 0.10004}
experiment = {d = [8, 10], instances = 3}
[[part]]
name = "again"
like = "quiet"
[[chart]]
title = "Test error"
x = "alpha"
values = ["test"]
)" + chart;
}

TEST_F(Figure, DifferentProblemsAreNeverOnePoint) {
  const Outcome mixed = make("", two_noises("by = [\"student\"]\n"));
  EXPECT_EQ(mixed.code, 2);
  EXPECT_TRUE(contains(mixed.err, "the chart 'Test error' has different problems at one point")) << mixed.err;
  EXPECT_TRUE(contains(mixed.err, "noise (0 and 0.10004")) << mixed.err;
  EXPECT_FALSE(std::filesystem::exists(out("small.sqlite"))) << "refused before anything is computed";
}

TEST_F(Figure, TasksThatPartsShareCountOnce) {
  ASSERT_EQ(make("", two_noises("by = [\"noise\", \"d\"]\n")).code, 0);
  const std::string both = slurp(out("small-1-test-error.csv"));
  EXPECT_EQ(lines(both), 1 + 4u) << both;
  EXPECT_TRUE(contains(both, "\"Δ = 0.1, d = 8\",1,")) << both;
  const auto line_of = [](const std::string& csv, const std::string& series) {
    const std::size_t begin = csv.find(series);
    return begin == std::string::npos
               ? "none"
               : csv.substr(csv.find(",1,", begin), csv.find(",test,", begin) - begin - series.size());
  };
  ASSERT_EQ(make("", two_noises("by = [\"d\"]\nparts = [\"quiet\"]\n")).code, 0);
  const std::string alone = slurp(out("small-1-test-error.csv"));
  EXPECT_EQ(line_of(both, "\"Δ = 0, d = 8\""), line_of(alone, "d = 8")) << both << alone;
}

TEST_F(Figure, SeriesAreToldApartByPartAndDWithoutBeingAsked) {
  ASSERT_EQ(make("", two_noises("parts = [\"quiet\", \"noisy\"]\n")).code, 0);
  const std::string csv = slurp(out("small-1-test-error.csv"));
  for (const char* series : {"\"d = 8, quiet\",", "\"d = 10, quiet\",", "\"d = 8, noisy\",", "\"d = 10, noisy\","})
    EXPECT_TRUE(contains(csv, series)) << csv;
}

TEST_F(Figure, SeriesThatDifferBeyondFourDigitsStayApart) {
  ASSERT_EQ(make("",
                 "theory = true\naxes = [{noise = [0.10001, 0.10002]}, {alpha = [0.5, 1]}]\n[problem]\nlambda = 0.1\n"
                 "head = \"linear\"\n[[chart]]\nx = \"alpha\"\nvalues = [\"test\"]\n")
                .code,
            0);
  const std::string csv = slurp(out("small-1-chart.csv"));
  EXPECT_TRUE(contains(csv, "Δ = 0.10001,0.5,") && contains(csv, "Δ = 0.10002,0.5,")) << csv;
}

TEST_F(Figure, AChartThatCannotBeDrawnIsSaidOnThePageAmongTheOthers) {
  const std::string study = "theory = true\naxes = [{alpha = [0.5, 1]}]\n[problem]\nlambda = 0.1\nhead = \"linear\"\n";
  const Outcome outcome =
      make("--format json", study +
                                "[[chart]]\ntitle = \"None\"\nx = \"alpha\"\nvalues = [\"kkt\"]\n"
                                "[[chart]]\ntitle = \"Test\"\nx = \"alpha\"\nvalues = [\"test\"]\n");
  EXPECT_EQ(outcome.code, 1);
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document.at("complete"), false);
  EXPECT_TRUE(contains(document.at("warnings").dump(), "None: Not drawn: no result has kkt")) << outcome.out;
  EXPECT_TRUE(contains(slurp(out("small.html")), "Not drawn: no result has kkt"));
  ASSERT_EQ(document.at("charts").size(), 1u);
  EXPECT_EQ(document.at("charts")[0].at("chart"), "Test");

  const Outcome map = make("", study +
                                   "[[chart]]\nkind = \"map\"\ntitle = \"Plane\"\nx = \"alpha\"\ny = \"noise\"\n"
                                   "values = [\"test\"]\n");
  EXPECT_EQ(map.code, 2);
  EXPECT_TRUE(contains(map.err, "the map 'Plane' needs at least two values of noise")) << map.err;
}

TEST_F(Figure, SaysWhyADirectoryCannotBeMade) {
  const auto file = scratch_.write("small.toml", kStudy);
  const Outcome outcome = attnlaw("figure " + file.string() + " --quiet --directory " + file.string() + "/below");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(contains(outcome.err, "--directory " + file.string() + "/below cannot be made: Not a directory"))
      << outcome.err;
}

}  // namespace
}  // namespace attnlaw::test
