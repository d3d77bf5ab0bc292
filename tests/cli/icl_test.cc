/// attnlaw icl as a user runs it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "csv.h"
#include "program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

const std::string kPoint = "--context 2 --tasks 0.5 --sequences 2.5 --noise 0.1 --lambda 0.01 ";

json run_json(const std::string& arguments) {
  const Outcome outcome = attnlaw("icl --format json " + arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return json::parse(outcome.out);
}

void expect_refused(const std::string& arguments, const std::string& named) {
  const Outcome outcome = attnlaw("icl " + arguments);
  EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.err;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << arguments << "\n" << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << " should name '" << named << "':\n"
                                                        << outcome.err;
}

TEST(Icl, DocumentOfAPoint) {
  const json document = run_json(kPoint);
  EXPECT_EQ(document["schema"], "attnlaw/2");
  EXPECT_EQ(document["command"], "icl");
  EXPECT_NEAR(document["new_tasks"], 1.13378, 1e-5);
  EXPECT_NEAR(document["training_tasks"], 0.476733, 1e-6);
  EXPECT_NEAR(document["train"], 0.175983, 1e-6);
  EXPECT_NEAR(document["effective_ridge"], 0.016459, 1e-6);
  EXPECT_NEAR(document["baselines"]["memory_new"], 2.1, 1e-12);
  EXPECT_EQ(document["new_parts"]["unseen"], 0.5);
  EXPECT_EQ(document["phase"], "memorises");
  EXPECT_EQ(document["model"]["task_covariance"], "isotropic");
  EXPECT_TRUE(document["gap_number"].is_null());
  EXPECT_EQ(document["singular_values"]["edges"][0][0], 0);
  EXPECT_FALSE(document.contains("points"));
  EXPECT_EQ(document["evidence"], "derived");
}

TEST(Icl, EveryNumberTakesAGrid) {
  const json curve = run_json("--context 2,10 --tasks 0.5:2:3:log --sequences 3 --noise 0:0.2:2 --lambda optimal,0+");
  ASSERT_EQ(curve["points"].size(), 2u * 3 * 2 * 2);
  EXPECT_NEAR(curve["points"][4]["model"]["tasks"], 1, 1e-12);
  EXPECT_EQ(curve["points"][1]["model"]["lambda"], 0);
  EXPECT_GT(curve["points"][0]["model"]["lambda"], 0);
  EXPECT_LE(curve["points"][0]["new_tasks"], curve["points"][1]["new_tasks"]);
  const json tests = run_json("--context 2 --tasks 1 --sequences 3 --lambda 0.1 --test-context 1,2,4 --test-noise 0,1");
  EXPECT_EQ(tests["points"].size(), 6u);
  const json both = run_json("--context 2 --tasks 2 --sequences 3 --noise 0.1 --lambda optimal,optimal-training");
  EXPECT_LT(both["points"][0]["new_tasks"], both["points"][1]["new_tasks"]);
  EXPECT_GT(both["points"][0]["training_tasks"], both["points"][1]["training_tasks"]);
}

TEST(Icl, ValuesThatAreGivenTwiceAreOnePoint) {
  const json point = run_json("--context 2,2 --tasks 1 --sequences 3 --lambda 0.1,0.1");
  EXPECT_FALSE(point.contains("points"));
  EXPECT_NE(attnlaw("icl --context 2,2 --tasks 1,2 --sequences 3 --map").err.find("--map needs two options"),
            std::string::npos);
}

/// The line where the layer generalises passes next to infinite errors.
TEST(Icl, MapsTakeInfiniteErrors) {
  const Scratch scratch;
  const std::string html = (scratch / "map.html").string();
  const Outcome map = attnlaw("icl --context 10,100 --tasks 2,5 --sequences 1,8,9 --noise 0.1 --map");
  EXPECT_EQ(map.code, 2);
  const Outcome lines = attnlaw("icl --context 10 --tasks 2,5 --sequences 1,8,9 --noise 0.1 --map --html " + html);
  ASSERT_EQ(lines.code, 0) << lines.err;
  for (const char* coordinate : {"nan,", ",nan"}) EXPECT_EQ(slurp(html).find(coordinate), std::string::npos);
  expect_refused("--context 2 --tasks 1,2 --sequences 3 --test-context 1,inf --map", "--map takes finite values");
}

TEST(Icl, SaysWhereErrorsAreInfinite) {
  const json document = run_json("--context 2 --tasks 1 --sequences 1 --noise 0.1");
  EXPECT_TRUE(document["new_tasks"].is_null());
  EXPECT_NE(document["warnings"].dump().find("infinite"), std::string::npos);
  const Outcome table = attnlaw("icl --context 2 --tasks 1 --sequences 1 --noise 0.1");
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.out.find("inf"), std::string::npos) << table.out;
  EXPECT_NE(attnlaw("icl --context 2 --tasks 1 --sequences 0.5,1,2").out.find("at 1 of 3 points"), std::string::npos);
}

TEST(Icl, InfinitelyManyAreNumbers) {
  EXPECT_NEAR(run_json("--context 10 --tasks inf --sequences 2 --noise 0.1")["new_tasks"], 0.398198, 1e-6);
  EXPECT_NEAR(run_json("--context 10 --tasks 0.5 --sequences inf --noise 0.1")["new_tasks"], 0.652849, 1e-6);
  EXPECT_NEAR(run_json("--context inf --tasks 2 --sequences inf --noise 0.1")["new_tasks"], 0.1, 1e-9);
  EXPECT_NE(attnlaw("icl --context 10 --tasks inf --sequences 2").out.find("κ = ∞"), std::string::npos);
}

TEST(Icl, ExperimentIsTheSameOnAnyNumberOfThreads) {
  const std::string arguments = kPoint + "--d 8,12 --instances 3 ";
  const json one = run_json(arguments + "--threads 1"), two = run_json(arguments + "--threads 2");
  EXPECT_EQ(one, two);
  ASSERT_EQ(one["experiments"].size(), 2u);
  const json& experiment = one["experiments"][1];
  EXPECT_EQ(experiment["length"], 24);
  EXPECT_EQ(experiment["tasks"], 6);
  EXPECT_EQ(experiment["sequences"], 360);
  EXPECT_EQ(experiment["singular_values"].size(), 36u);
  EXPECT_TRUE(one["extrapolation"]["new_tasks"]["value"].is_number());
  const json iterative = run_json(kPoint + "--d 12 --instances 3 --solver iterative");
  const json normal = run_json(kPoint + "--d 12 --instances 3 --solver normal");
  EXPECT_NEAR(iterative["experiments"][0]["mean"]["new_tasks"].get<double>() /
                  normal["experiments"][0]["mean"]["new_tasks"].get<double>(),
              1, 1e-6);
}

TEST(Icl, TablesCsvAndPages) {
  const Scratch scratch;
  const std::string html = (scratch / "icl.html").string();
  const Outcome table = attnlaw("icl " + kPoint + "--d 10 --instances 2 --html " + html);
  ASSERT_EQ(table.code, 0) << table.err;
  for (const char* text : {"new tasks", "unseen", "Bayes-optimal ridge", "the layer memorises", "law at this size"})
    EXPECT_NE(table.out.find(text), std::string::npos) << text << "\n" << table.out;
  EXPECT_NE(slurp(html).find("Singular values"), std::string::npos);
  const Outcome csv = attnlaw("icl " + kPoint + "--format csv --d 10 --instances 2");
  EXPECT_EQ(csv.out.find("kind,d,seed,context,tasks,sequences,noise,lambda"), 0u) << csv.out.substr(0, 200);
  for (const char* kind :
       {"theory,", "mean,", "standard_error,", "law,", "difference,", "instance,", "density,", "singular_value,"})
    EXPECT_NE(csv.out.find(std::string("\r\n") + kind), std::string::npos) << kind;
  ASSERT_EQ(attnlaw("icl --context 2,10 --tasks 0.2:5:9:log --sequences 3 --noise 0.1 --html " + html).code, 0);
  EXPECT_NE(slurp(html).find("new, α = 10"), std::string::npos);
  // Descending values, and rules for the penalty, make curves as others do.
  const Outcome rules =
      attnlaw("icl --context 2 --tasks 5,2,1 --sequences 3 --noise 0.1 --lambda optimal,0.1 --html " + html);
  ASSERT_EQ(rules.code, 0) << rules.err;
  EXPECT_NE(slurp(html).find("training, λ optimal"), std::string::npos);
  EXPECT_NE(slurp(html).find("training, λ = 0.1"), std::string::npos);
}

TEST(Icl, MapsHaveALetterForEachPoint) {
  const Scratch scratch;
  const std::string html = (scratch / "map.html").string();
  const Outcome map = attnlaw(
      "icl --context 0.1:1000:9:log --tasks 0.1:10:12:log --sequences 30 --noise 0.1 --lambda 0.01 --map --html " +
      html);
  ASSERT_EQ(map.code, 0) << map.err;
  EXPECT_NE(map.out.find("MMMM"), std::string::npos) << map.out;
  EXPECT_NE(map.out.find("GGGG"), std::string::npos) << map.out;
  EXPECT_NE(map.out.find("...."), std::string::npos) << map.out;
  EXPECT_NE(slurp(html).find("generalises"), std::string::npos);
}

/// A penalty that was found is a result of every point, told apart from those that were given.
TEST(Icl, CurvesTellThePenaltiesThatTheyFound) {
  const std::string curve = "icl --context 2 --tasks 0.5,1 --sequences 3 --noise 0.1 --lambda ";
  const json found = json::parse(attnlaw(curve + "optimal --format json").out)["points"];
  const std::string table = attnlaw(curve + "optimal").out;
  for (const json& point : found)
    EXPECT_NE(table.find(fmt::format("{:.6g}", point["model"]["lambda"].get<double>())), std::string::npos) << table;
  const std::string both = attnlaw(curve + "optimal,0.1").out;
  EXPECT_NE(both.find("optimal"), std::string::npos) << both;
  EXPECT_NE(both.find("given"), std::string::npos) << both;
  for (auto& row : records_of(attnlaw(curve + "optimal,0.1 --format csv").out)) {
    EXPECT_EQ(row["lambda_rule"], row["lambda"] == "0.1" ? "" : "optimal");
  }
}

/// Layers have whole numbers of tokens and tasks, and at 0+ they are trained with a small penalty: their rows tell.
TEST(Icl, RowsOfLayersHaveTheRatiosAndThePenaltyOfTheirTraining) {
  const Outcome rows = attnlaw("icl --context 2.1 --tasks 1 --sequences 2 --noise 0.1 --d 8 --format csv");
  ASSERT_EQ(rows.code, 0) << rows.err;
  std::map<std::string, double> penalties;
  for (auto& row : records_of(rows.out)) {
    if (row["lambda"].empty()) continue;
    penalties[row["kind"]] = std::stod(row["lambda"]);
    EXPECT_EQ(std::stod(row["context"]), row["kind"] == "theory" ? 2.1 : 17 / 8.);
  }
  EXPECT_EQ(penalties.at("theory"), 0);
  for (const char* kind : {"mean", "standard_error", "law", "difference", "instance"})
    EXPECT_EQ(penalties.at(kind), 1e-6) << kind;
}

TEST(Icl, RefusesWithOneLine) {
  const std::string rest = " --sequences 2 --noise 0.1";
  expect_refused("--context 2 --tasks 0" + rest, "tasks must be a number from 1e-12 to 1e+12, or inf, got 0");
  expect_refused("--context 2 --tasks -1" + rest, "got -1");
  expect_refused("--context nan --tasks 1" + rest, "context must be");
  expect_refused("--context 2 --tasks 1 --sequences 2 --noise -0.1",
                 "noise must be 0 or a number from 1e-100 to 1e+12, got -0.1");
  expect_refused("--context 2 --tasks 1 --sequences 2 --lambda -1", "lambda must be 0 (the limit 0+) or a number");
  expect_refused("--context 1e300 --tasks 1" + rest,
                 "context must be a number from 1e-12 to 1e+12, or inf, got 1e+300");
  expect_refused("--context 2 --tasks 1 --sequences 2 --lambda best", "optimal-training, got \"best\"");
  expect_refused("--context 2 --tasks many" + rest,
                 "tasks takes numbers, as in 2, 1,2,5 or 0.1:10:20:log, got \"many\"");
  expect_refused("--context 2 --tasks 1:2" + rest, "--tasks takes FROM:TO:N or FROM:TO:N:log, got '1:2'");
  expect_refused("--context 2 --tasks 0:2:5:log" + rest, "--tasks '0:2:5:log'");
  expect_refused("--tasks 1" + rest, "--context");
  expect_refused("--context inf --tasks 0.5" + rest, "context = inf with lambda = 0+ needs tasks > 1");
  expect_refused("--context 2 --tasks 1 --map" + rest, "--map needs two options with several values");
  expect_refused("--context 1,2 --tasks 1,2 --map --d 10" + rest, "--map draws the law alone");
  expect_refused("--context 1,inf --tasks 2,3 --map" + rest, "--map takes finite values");
  expect_refused("--context 1 --tasks 2,3 --lambda optimal,0.1 --map" + rest, "a single rule");
  expect_refused("--context 2 --tasks 1 --instances 3" + rest, "--instances and --solver need --d");
  expect_refused("--context 2 --tasks 1 --d 10,10" + rest, "every dimension once");
  expect_refused("--context 2 --tasks 1 --d 10,12 --instances 1" + rest, "two instances");
  expect_refused("--context 2 --tasks 1 --task-covariance wishart:1" + rest, "isotropic, list:");
  expect_refused("--context 2 --tasks 1 --task-covariance list:1,2 --test-covariance list:1,2,3" + rest,
                 "as many eigenvalues");
  expect_refused("--context 5 --tasks 2 --task-covariance powerlaw:1.5,1000 --d 20" + rest,
                 "the mean of its eigenvalues would be 0.2402 instead of 1");
  const Outcome memory = attnlaw("icl " + kPoint + "--d 3000 --solver normal");
  EXPECT_EQ(memory.code, 1) << memory.err;
  EXPECT_NE(memory.err.find("--solver iterative"), std::string::npos) << memory.err;
}

TEST(Icl, FiguresAreDrawnByTheCommand) {
  const Scratch scratch;
  const Outcome outcome = attnlaw("figure icl-descent --fast --format json --directory " + (scratch / "out").string());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document["charts"].size(), 3u);
  EXPECT_EQ(document["complete"], true);
  EXPECT_NE(slurp(scratch / "out/icl-descent.html").find("Two peaks: long contexts"), std::string::npos);
  EXPECT_NE(slurp(document["charts"][0]["file"].get<std::string>()).find("new tasks"), std::string::npos);
  EXPECT_EQ(attnlaw("figure icl-descent --store x.sqlite --directory " + (scratch / "out").string()).code, 2);
  const std::string figure = (scratch / "own.toml").string();
  std::ofstream(figure) << ("title = \"Mine\"\n[[run]]\ncommand = \"icl\"\noptins = {}\n");
  const Outcome slip = attnlaw("figure " + figure);
  EXPECT_EQ(slip.code, 2);
  EXPECT_NE(slip.err.find("own.toml:4: unknown key 'optins'"), std::string::npos) << slip.err;
  std::ofstream(figure) << ("[[run]]\ncommand = \"version\"\n");
  EXPECT_NE(attnlaw("figure " + figure).err.find("draws nothing"), std::string::npos);
}

}  // namespace
}  // namespace attnlaw::test
