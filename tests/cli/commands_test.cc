/// What the commands promise to programs and people.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

json run_json(const std::string& arguments, int code = 0) {
  const Outcome outcome = attnlaw(arguments + " --format json");
  EXPECT_EQ(outcome.code, code) << outcome.err;
  return json::parse(outcome.out);
}

/// Every key of `contract` is in `document`, objects all the way down.
void expect_keys(const json& document, const json& contract, const std::string& where = "") {
  for (const auto& [key, value] : contract.items()) {
    ASSERT_TRUE(document.contains(key)) << where << "/" << key;
    if (value.is_object()) expect_keys(document[key], value, where + "/" + key);
  }
}

/// Without wall-clock times, the only figures that may change from run to run.
json without_seconds(json document) {
  if (document.is_object()) document.erase("seconds");
  for (auto& value : document)
    if (value.is_structured()) value = without_seconds(value);
  return document;
}

TEST(Solve, DocumentKeepsTheContract) {
  const json document = run_json("solve --alpha 0.5 --lambda 0.05 --head linear");
  expect_keys(document, json::parse(R"({"schema": 0, "command": 0, "problem": {"alpha": 0, "lambda": 0, "target": 0},
    "overlaps": {"Q_star": 0, "q": 0, "m": 0, "V": 0}, "conjugates": {"q_hat": 0, "m_hat": 0, "V_hat": 0},
    "errors": {"train": 0, "test": 0, "estimation": 0, "objective": 0},
    "spectrum": {"zero_mass": 0, "edges": [], "outliers": []},
    "diagnostics": {"converged": true, "iterations": 0, "residual": 0, "replicon": 0,
                    "sampling_error": {"train": 0, "test": 0, "estimation": 0}, "seconds": 0}})"));
  EXPECT_EQ(document["schema"], "attnlaw/1");
  EXPECT_EQ(document["command"], "solve");
  EXPECT_EQ(document["diagnostics"]["converged"], true);
}

TEST(Solve, ReadsBackTheProblemItWrote) {
  const Scratch scratch;
  const std::string first = (scratch / "first.json").string();
  ASSERT_EQ(attnlaw("solve --alpha 0.7 --lambda 0.2 --head linear --noise 0.1 --format json --output " + first).code,
            0);
  EXPECT_EQ(scratch.listing(), "first.json ");
  EXPECT_EQ(without_seconds(run_json("solve --problem " + first)), without_seconds(json::parse(slurp(first))));
}

TEST(Solve, ProblemFileAndOverride) {
  const Scratch scratch;
  const std::string file =
      scratch.write("p.toml", "lambda = 0.1\nhead = \"linear\"\ntarget = \"wishart:0.3\"\n").string();
  const json document = run_json("solve --problem " + file + " --alpha 2");
  EXPECT_EQ(document["problem"]["alpha"], 2.0);
  EXPECT_EQ(document["problem"]["target"], "wishart:0.3");
}

TEST(Solve, TableAndCsvShowTheSameFigures) {
  const Outcome csv = attnlaw(
      "solve --alpha 1 --lambda 0.1 --tokens 1 --head linear --noise 0.05 --target powerlaw:1.25,400 --format csv");
  ASSERT_EQ(csv.code, 0);
  EXPECT_EQ(csv.out.find("tokens,head,alpha,lambda"), 0u);
  const Outcome table =
      attnlaw("solve --alpha 1 --lambda 0.1 --tokens 1 --head linear --noise 0.05 --target powerlaw:1.25,400");
  EXPECT_NE(table.out.find("0.0143"), std::string::npos) << table.out;  // published: 0.01439
  EXPECT_NE(csv.out.find(",0.0143"), std::string::npos) << csv.out;
}

TEST(Simulate, DocumentKeepsTheContractAndTheBitsForAnyThreads) {
  const std::string arguments =
      "simulate --alpha 0.5 --lambda 0.1 --head linear --d 16 --instances 3 --seed 5 --threads ";
  const json document = run_json(arguments + "1");
  expect_keys(document, json::parse(R"({"problem": {}, "d": 0, "n": 0, "instances": [],
    "mean": {"q": 0, "m": 0, "Q_star": 0, "train": 0, "test": 0, "estimation": 0, "kkt": 0},
    "standard_error": {"train": 0}, "theory": {"errors": {"train": 0}}, "difference": {"train": {}, "test": {}, "estimation": {}}})"));
  ASSERT_EQ(document["instances"].size(), 3u);
  expect_keys(document["instances"][0], json::parse(R"({"seed": 0, "q": 0, "m": 0, "Q_star": 0, "train": 0, "test": 0,
    "estimation": 0, "kkt": 0, "iterations": 0, "seconds": 0})"));
  EXPECT_EQ(without_seconds(document), without_seconds(run_json(arguments + "2")));
  EXPECT_NE(without_seconds(document),
            without_seconds(run_json("simulate --alpha 0.5 --lambda 0.1 --head linear --d 16 --instances 3 --seed 6")));
}

TEST(Simulate, SeveralSizesAreExtrapolated) {
  const json document = run_json("simulate --alpha 0.5 --lambda 0.1 --head linear --d 12,18,24 --instances 2");
  ASSERT_EQ(document["sizes"].size(), 3u);
  expect_keys(
      document,
      json::parse(
          R"({"extrapolation": {"train": {"value": 0, "standard_error": 0, "z": 0}, "test": {}, "estimation": {}}})"));
}

TEST(Simulate, OneInstanceHasNoStandardError) {
  const json document = run_json("simulate --alpha 0.5 --lambda 0.1 --head linear --d 12 --instances 1");
  EXPECT_TRUE(document["standard_error"]["train"].is_null());
}

TEST(Simulate, TooFewIterationsAreAnError) {
  const json document =
      run_json("simulate --alpha 0.5 --lambda 0.1 --head linear --d 12 --instances 2 --max-iterations 2", 1);
  EXPECT_EQ(document["converged"], false);
  EXPECT_EQ(document["instances"][0]["converged"], false);
  EXPECT_EQ(run_json("simulate --alpha 0.5 --lambda 0.1 --head linear --d 12,14 --instances 2 --max-iterations 2",
                     1)["converged"],
            false);
  EXPECT_EQ(run_json("spectrum --alpha 0.5 --lambda 0.1 --head linear --d 12 --max-iterations 2", 1)["converged"],
            false);
}

TEST(Spectrum, SaysWhichStudentsDidNotConverge) {
  const Outcome outcome =
      attnlaw("spectrum --alpha 0.5 --lambda 0.1 --head linear --d 12 --instances 2 --max-iterations 2");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("NOT CONVERGED: 2 of 2 students"), std::string::npos) << outcome.out;
}

TEST(Spectrum, OverlaysExperimentsOnTheLaw) {
  const json document = run_json("spectrum --alpha 0.5 --lambda 0.3 --head linear --d 60 --instances 2");
  EXPECT_EQ(document["experiment"]["eigenvalues"].size(), 120u);
  EXPECT_NEAR(document["experiment"]["zero_mass"].get<double>(), document["spectrum"]["zero_mass"].get<double>(), 0.05);
  EXPECT_LT(document["experiment"]["kolmogorov_distance"].get<double>(), 0.05);
  EXPECT_EQ(document["density"]["s"].size(), document["density"]["density"].size());
}

TEST(Texts, ConventionsVersionHelpAndCompletion) {
  EXPECT_NE(attnlaw("conventions").out.find("alpha"), std::string::npos);
  EXPECT_TRUE(run_json("version")["parts"].contains("BLAS"));
  for (const char* command : {"solve", "simulate", "spectrum", "demo", "conventions", "version", "completion"}) {
    const Outcome help = attnlaw(std::string(command) + " --help");
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("Example: attnlaw " + std::string(command)), std::string::npos) << help.out;
  }
  EXPECT_EQ(attnlaw("").code, 0);
}

TEST(Texts, CompletionOffersCommandsOptionsAndChoices) {
  const Scratch scratch;
  const std::string script = scratch.write("completion", attnlaw("completion bash").out).string();
  const auto ask = [&](const std::string& words, int last) {
    const std::string file = (scratch / "reply").string();
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(last) + "; _attnlaw; echo \"${COMPREPLY[*]}\"' >" +
                                file;
    EXPECT_EQ(std::system(command.c_str()), 0);
    return slurp(file);
  };
  EXPECT_EQ(ask("attnlaw sim", 1), "simulate\n");
  EXPECT_EQ(ask("attnlaw solve --alp", 2), "--alpha\n");
  EXPECT_EQ(ask("attnlaw simulate --trainer f", 3), "fista\n");
}

}  // namespace
}  // namespace attnlaw::test
