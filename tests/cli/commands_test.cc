/// Tests of what the commands promise to programs and people.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

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
  EXPECT_EQ(document["schema"], "attnlaw/2");
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

/// Where no penalty binds, the edge is at λ = 0, and its student that of a vanishing one.
TEST(Solve, ReadsBackAnEdgeWithoutPenalty) {
  const Scratch scratch;
  const std::string edge = (scratch / "edge.json").string();
  ASSERT_EQ(attnlaw("solve --head linear --alpha 2 --lambda edge --format json --output " + edge).code, 0);
  ASSERT_EQ(json::parse(slurp(edge))["problem"]["lambda"], 0);
  EXPECT_EQ(run_json("solve --problem " + edge)["errors"], json::parse(slurp(edge))["errors"]);
}

TEST(Solve, ReadsTheProblemOfAnyResult) {
  const Scratch scratch;
  const auto write = [&](const std::string& options) {
    const std::string path = (scratch / "lora.json").string();
    EXPECT_EQ(attnlaw("lora --head linear --tokens 1 --alpha-ft 6 --format json --output " + path + options).code, 0);
    return path;
  };
  const std::string problem = " --alpha 0.5 --lambda 0.05";
  EXPECT_EQ(attnlaw("solve --format csv --problem " + write(problem)).code, 0);
  EXPECT_EQ(attnlaw("lora --head linear --tokens 1 --alpha-ft 6 --problem " + write(problem)).code, 0);
  const Outcome none = attnlaw("solve --problem " + write(" --e-pre 0.4"));
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.err.find("this result of lora has no problem in it"), std::string::npos) << none.err;
}

TEST(Solve, CsvLeavesOutWhatIsInfinite) {
  const Outcome outcome = attnlaw("solve --head linear --alpha 2 --lambda 0+ --format csv");
  EXPECT_EQ(outcome.out.find(",inf,"), std::string::npos) << outcome.out;
}

/// JSON has them inside, a table below it.
TEST(Options, WarningsBesideCsvGoToStandardError) {
  const std::string options = "lora --head linear --tokens 1 --alpha-ft 3 --e-pre 0.4 --format ";
  EXPECT_NE(attnlaw(options + "csv").err.find("Stein's identity is violated"), std::string::npos);
  EXPECT_EQ(attnlaw(options + "csv --quiet").err, "");
  for (const char* format : {"json", "table"}) EXPECT_EQ(attnlaw(options + format).err, "") << format;
  EXPECT_EQ(attnlaw("conventions --seed 3").err, "attnlaw: Without effect here: --seed.\n");
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
  EXPECT_EQ(csv.out.find("attention,tokens,head"), 0u);
  const Outcome table =
      attnlaw("solve --alpha 1 --lambda 0.1 --tokens 1 --head linear --noise 0.05 --target powerlaw:1.25,400");
  EXPECT_NE(table.out.find("0.0143"), std::string::npos) << table.out;  // published: 0.01439
  EXPECT_NE(csv.out.find(",0.0143"), std::string::npos) << csv.out;
}

TEST(Solve, EveryStudentAndLambdaRule) {
  const auto solve = [](const std::string& arguments) { return run_json("solve " + arguments); };
  const json optimal = solve("--head linear --alpha 0.3 --lambda optimal --noise 0.1");
  expect_keys(optimal, json::parse(R"({"optimal_lambda": {"lambda": 0, "test": 0, "curvature": 0, "where": 0}})"));
  EXPECT_EQ(optimal["problem"]["lambda"], optimal["optimal_lambda"]["lambda"]);
  EXPECT_EQ(solve("--head linear --alpha 0.3 --lambda 0+")["ridgeless"]["phase"], "recovered");
  EXPECT_EQ(solve("--head linear --lambda 0+ --alpha 0.1")["ridgeless"]["phase"], "interpolating");
  expect_keys(solve("--head linear --alpha 0.3 --lambda 0.1 --student direct-general"),
              json::parse(R"({"overlaps": {"q_a": 0, "V_a": 0}})"));
  const json bayes = solve("--head linear --alpha 0.3 --student bayes --noise 0.1");
  expect_keys(bayes, json::parse(R"({"bayes": {"noise_variance": 0, "plug_in_test": 0, "index_error": 0,
    "mutual_information": 0, "fixed_points": []}})"));
  EXPECT_TRUE(bayes["errors"]["train"].is_null());
  EXPECT_TRUE(bayes["problem"]["lambda"].is_null());
  EXPECT_EQ(solve("--alpha 0.3 --student bayes --head hardmax")["problem"]["head"], "hardmax");
}

/// Where the least test error is at an end of the range, it is said why.
TEST(Solve, AnOptimumAtAnEndHasItsReason) {
  const Outcome limit = attnlaw("solve --alpha 1 --target spikes:20,1 --lambda optimal");
  EXPECT_NE(limit.out.find("0+: the test error is 0 in the limit"), std::string::npos) << limit.out;
  const Outcome nothing = attnlaw("solve --head linear --alpha 1 --target spikes:1,-1 --lambda optimal");
  EXPECT_NE(nothing.out.find("S = 0: at no λ"), std::string::npos) << nothing.out;
  EXPECT_NE(nothing.out.find("every λ above 0"), std::string::npos) << nothing.out;
  const Outcome interior = attnlaw("solve --head linear --alpha 0.3 --lambda optimal --noise 0.1");
  EXPECT_NE(interior.out.find("λ of least test error\n       λ "), std::string::npos) << interior.out;
}

TEST(Solve, CsvHasTheSameColumnsForEveryStudent) {
  const auto header = [](const std::string& arguments) {
    const std::string csv = attnlaw("solve --alpha 0.3 --head linear --format csv " + arguments).out;
    return csv.substr(0, csv.find('\r'));
  };
  const std::string columns = header("--lambda 0.1");
  EXPECT_NE(columns.find("lambda,lambda_rule"), std::string::npos) << columns;
  for (const char* other : {"--lambda 0+", "--student bayes", "--lambda 1 --student direct-general"})
    EXPECT_EQ(header(other), columns);
}

TEST(Solve, SaysWhereTheRankConstraintBinds) {
  const std::string arguments = "solve --alpha 0.6 --lambda 0.01 --head linear --width 0.2 --noise 0.1";
  const json document = run_json(arguments);
  EXPECT_TRUE(document["diagnostics"]["replicon"].is_null());
  ASSERT_EQ(document["warnings"].size(), 1u);
  EXPECT_NE(document["warnings"][0].get<std::string>().find("the rank constraint binds"), std::string::npos);
  EXPECT_NE(attnlaw(arguments).out.find("the rank constraint binds"), std::string::npos);
  EXPECT_EQ(run_json("solve --alpha 0.6 --lambda 0.01 --head linear")["warnings"], json::array());
}

TEST(Solve, FindsATargetBesideItsProblemFile) {
  const Scratch scratch;
  scratch.write("eigenvalues.txt", "1\n2\n");
  const std::string file =
      scratch.write("p.toml", "alpha = 1\nlambda = 0.1\nhead = \"linear\"\ntarget = \"file:eigenvalues.txt\"\n")
          .string();
  EXPECT_EQ(run_json("solve --problem " + file)["overlaps"]["Q_star"], 2.5);
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

TEST(Simulate, SpectralStartsAreShownBesideTheirTheory) {
  const std::string arguments =
      "simulate --alpha 0.5 --lambda 0.1 --head linear --d 16 --instances 2 --init spectral --format ";
  const json document = run_json(arguments.substr(0, arguments.size() - 9));
  expect_keys(document, json::parse(R"({"start": {"q": {}, "m": {}, "cosine": {"predicted": 0,
    "measured": {"value": 0, "standard_error": 0}, "difference": {"value": 0, "standard_error": 0, "z": 0}}}})"));
  expect_keys(document["instances"][0],
              json::parse(R"({"start": {"q": 0, "m": 0, "cosine": 0, "theory": {"q": 0, "m": 0, "cosine": 0}}})"));
  const Outcome table = attnlaw(arguments + "table"), csv = attnlaw(arguments + "csv");
  EXPECT_NE(table.out.find("Spectral start: d = 16"), std::string::npos) << table.out;
  EXPECT_NE(csv.out.find("start_q,start_m,start_cosine,theory_start_cosine"), std::string::npos) << csv.out;
  EXPECT_FALSE(run_json("simulate --alpha 0.5 --lambda 0.1 --head linear --d 16 --instances 2").contains("start"));
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

TEST(Simulate, OptimalLambdaIsFoundFirst) {
  const json document =
      run_json("simulate --alpha 0.5 --lambda optimal --noise 0.2 --head linear --d 16 --instances 2");
  EXPECT_EQ(document["problem"]["lambda"], document["optimal_lambda"]["lambda"]);
  EXPECT_EQ(document["optimal_lambda"]["where"], "interior");
  const std::string edge = "--alpha 0.5 --lambda edge --noise 0.2 --head linear";
  EXPECT_EQ(run_json("simulate --d 16 --instances 2 " + edge)["problem"]["lambda"],
            run_json("solve " + edge)["problem"]["lambda"]);
}

TEST(Simulate, BayesRunsByMessagePassing) {
  const json document =
      run_json("simulate --alpha 0.6 --student bayes --noise 0.3 --head linear --d 30,40 --instances 2");
  const json instance = document["sizes"][0]["instances"][0];
  EXPECT_TRUE(instance["train"].is_null());
  EXPECT_GT(instance["trajectory"].size(), 2u);
  expect_keys(instance["trajectory"][0], json::parse(R"({"q": 0, "m": 0, "V": 0, "estimation": 0})"));
  EXPECT_TRUE(document["extrapolation"]["train"]["value"].is_null());
  EXPECT_TRUE(document["extrapolation"]["estimation"]["value"].is_number());
  const Outcome table = attnlaw("simulate --alpha 0.6 --student bayes --noise 0.3 --head linear --d 30 --instances 2");
  EXPECT_EQ(table.out.find("nan"), std::string::npos) << table.out;
}

TEST(Simulate, NothingIsRelativeToAnErrorOfZero) {
  const std::string arguments = "simulate --head linear --student bayes --alpha 0.8 --d 16,20 --instances 2";
  const Outcome table = attnlaw(arguments);
  EXPECT_NE(table.out.find("estimation"), std::string::npos) << table.out;
  for (const char* text : {"nan", "inf"}) EXPECT_EQ(table.out.find(text), std::string::npos) << table.out;
  const json document = run_json(arguments);
  EXPECT_TRUE(document["sizes"][0]["difference"]["test"]["value"].is_null());
  EXPECT_TRUE(document["extrapolation"]["test"]["z"].is_null());
}

TEST(Simulate, CsvCarriesTheExtrapolation) {
  const std::string csv =
      attnlaw("simulate --alpha 0.5 --lambda 0.1 --head linear --d 12,18 --instances 2 --format csv").out;
  for (const char* kind : {"\ninstance,", "\ntheory,12", "\ndifference,18", "\nextrapolation_z,"})
    EXPECT_NE(csv.find(kind), std::string::npos) << kind << "\n" << csv;
}

TEST(Simulate, CsvHasTheProblemAndEveryMeasuredFigure) {
  const std::string csv =
      attnlaw("simulate --alpha 1 --lambda 0.1 --labels sign --d 12 --instances 2 --precision double --format csv").out;
  const std::string head = csv.substr(0, csv.find("\r\n"));
  for (const char* column : {",nuclear,", ",sign_error,", ",theory_sign_error,", ",attention,", ",labels,", ",alpha,",
                             ",lambda,", ",target,", ",student,"})
    EXPECT_NE((head + ",").find(column), std::string::npos) << column;
  const std::string table =
      attnlaw("simulate --alpha 1 --lambda 0.1 --labels sign --d 12 --instances 2 --precision double").out;
  EXPECT_NE(table.find("sign error"), std::string::npos);
  EXPECT_EQ(table.find("sign_error"), std::string::npos);
}

TEST(Simulate, SaysWhatFewInstancesAndTwoSizesAreWorth) {
  const auto warned = [](const std::string& more, const std::string& words) {
    const json document = run_json("simulate --alpha 1 --lambda 0.1 --head linear --precision double " + more);
    const json warnings = document["warnings"];
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const json& line) { return line.get<std::string>().find(words) != std::string::npos; });
  };
  EXPECT_TRUE(warned("--d 10,16 --instances 2", "rest on 2 instances"));
  EXPECT_TRUE(warned("--d 10,16 --instances 2", "a line through two d"));
  EXPECT_FALSE(warned("--d 10,14,18 --instances 3", "instances"));
  EXPECT_FALSE(warned("--d 10,14,18 --instances 3", "two d"));
}

TEST(Simulate, NamesItsReport) {
  const Scratch scratch;
  const std::string page = (scratch / "page.html").string();
  const Outcome outcome =
      attnlaw("simulate --alpha 0.5 --lambda 0.1 --head linear --d 12 --instances 1 --html " + page);
  EXPECT_NE(outcome.out.find("Report: " + page), std::string::npos) << outcome.out;
  EXPECT_EQ(scratch.listing(), "page.html ");
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

TEST(Spectrum, OutliersAreMeasured) {
  const std::string arguments =
      "spectrum --alpha 1 --lambda 0.1 --head linear --noise 0.5 --target spikes:30,6,3 --d 60 --instances 3";
  const json document = run_json(arguments);
  const json outliers = document["experiment"]["outliers"];
  ASSERT_EQ(outliers.size(), 2u);
  for (const json& outlier : outliers) {
    expect_keys(outlier, json::parse(R"({"target": 0, "predicted": 0, "measured": 0, "standard_error": 0})"));
    const double difference = outlier["difference"];
    EXPECT_EQ(difference, outlier["measured"].get<double>() - outlier["predicted"].get<double>());
    EXPECT_LT(std::abs(difference), 0.1);
  }
  const std::string csv = attnlaw(arguments + " --format csv").out;
  for (const char* kind : {"\nzero,", "\ndensity,", "\noutlier,", "\neigenvalue,"})
    EXPECT_NE(csv.find(kind), std::string::npos) << kind;
}

TEST(Spectrum, TableHasABandOnceEvenIfItHoldsAnOutlier) {
  const std::string arguments =
      "spectrum --alpha 2 --lambda 0.02 --target spikes:40,5,3 --head linear --tokens 1 --noise 0.1";
  const json spectrum = run_json(arguments)["spectrum"];
  ASSERT_EQ(spectrum["outliers"].size(), 2u);
  std::size_t bulk = spectrum["edges"].size();
  for (const json& edge : spectrum["edges"])
    for (const json& outlier : spectrum["outliers"])
      if (edge[0] <= outlier["eigenvalue"] && outlier["eigenvalue"] <= edge[1]) --bulk;
  EXPECT_LT(bulk, spectrum["edges"].size());
  const std::string table = attnlaw(arguments).out;
  std::size_t bands = 0;
  for (std::size_t at = table.find("\nband "); at != std::string::npos; at = table.find("\nband ", at + 1)) ++bands;
  EXPECT_EQ(bands, bulk) << table;
}

TEST(Simulate, TablesShowNoRoundingOfLargerParts) {
  const std::string table = attnlaw("simulate --alpha 0.5 --lambda 0.05 --head linear --d 30 --instances 2").out;
  const std::size_t parts = table.find("Test errors by their origin");
  ASSERT_NE(parts, std::string::npos) << table;
  const std::string shown = table.substr(parts, table.find("\n\n", parts) - parts);
  EXPECT_EQ(shown.find("e-1"), std::string::npos) << shown;
  EXPECT_NE(shown.find("  0\n"), std::string::npos) << shown;
}

TEST(Spectrum, SingularValuesOfWCarryTheSameMass) {
  const json document = run_json("spectrum --alpha 0.5 --lambda 0.1 --head linear --width 2");
  const auto mass = [](const json& x, const json& density) {
    double sum = 0;
    for (std::size_t i = 1; i < x.size(); ++i)
      sum += 0.5 * (density[i].get<double>() + density[i - 1].get<double>()) *
             (x[i].get<double>() - x[i - 1].get<double>());
    return sum;
  };
  const json singular = document["singular_values"];
  EXPECT_NEAR(mass(singular["sigma"], singular["density"]), 1 - document["spectrum"]["zero_mass"].get<double>(), 0.01);
  const double largest = document["spectrum"]["edges"].back()[1];
  EXPECT_NEAR(singular["edges"].back()[1].get<double>(), std::sqrt(largest * std::sqrt(2.0)), 1e-12);
}

TEST(Spectrum, PageHasTheShareOfEigenvaluesUpToEachValue) {
  const Scratch scratch;
  const std::string page = (scratch / "page.html").string();
  ASSERT_EQ(attnlaw("spectrum --alpha 0.5 --lambda 0.3 --head linear --d 60 --instances 2 --html " + page).code, 0);
  const std::string text = slurp(page);
  EXPECT_NE(text.find("Cumulative distribution"), std::string::npos);
  const std::size_t from = text.find("share,");
  ASSERT_NE(from, std::string::npos);
  // The line ends at 1, the atom is a step.
  EXPECT_NE(text.find("share of the eigenvalues"), std::string::npos);
}

TEST(Spectrum, CollapsesAlongLambda) {
  const Scratch scratch;
  const std::string page = (scratch / "page.html").string();
  const json document = run_json("spectrum --alpha 0.5 --head linear --along lambda:0.1,30,6 --html " + page);
  const json solutions = document["along"]["solutions"];
  ASSERT_EQ(solutions.size(), 6u);
  for (std::size_t i = 1; i < solutions.size(); ++i)
    EXPECT_LE(solutions[i]["spectrum"]["collapse"]["rank_fraction"].get<double>(),
              solutions[i - 1]["spectrum"]["collapse"]["rank_fraction"].get<double>() + 1e-12);
  EXPECT_EQ(solutions.back()["spectrum"]["collapse"]["rank_fraction"], 0);
  const double lambda = document["along"]["values"][2];
  EXPECT_EQ(solutions[2]["density"],
            run_json(fmt::format("spectrum --alpha 0.5 --head linear --lambda {:.17g}", lambda))["density"]);
  EXPECT_EQ(scratch.listing(), "page.html ");
}

TEST(Spectrum, OfCrossAttentionIsOfSingularValues) {
  const std::string cross = "--attention cross --head linear --lambda 0.3 ";
  const std::string target = "--target powerlaw:1,10 --noise 0.5 ";
  const std::pair<std::string, const char*> cases[] = {
      {"spectrum --alpha 1 --d 12 --instances 2 " + cross, "largest singular value"},
      {"spectrum --along alpha:0.5,1,2 " + cross, "largest singular value"},
      {"spectrum --along alpha:0.5,1,2 --format csv " + cross, "largest_singular_value"},
      {"spectrum --alpha 1 --d 12 --instances 2 --format csv " + cross, "\nsingular_value,"},
      {"scaling --n 1e2,1e3,3 " + target + cross, "singular value"},
      {"scaling --n 1e2,1e3,3 --format csv " + target + cross, "singular_value"}};
  for (const auto& [arguments, words] : cases) {
    const std::string out = attnlaw(arguments).out;
    EXPECT_NE(out.find(words), std::string::npos) << arguments << "\n" << out;
    EXPECT_EQ(out.find("eigenvalue"), std::string::npos) << arguments << "\n" << out;
  }
}

TEST(PhaseDiagrams, GoOnAfterAnInterruption) {
  const Scratch scratch;
  // Four seconds or more of work.
  const std::string
      arguments = "thresholds --lambda 0.05 --alpha-range 0.1,1,16 --noise-range 0.05,0.5,12 --threads 1 --format json",
      stored = arguments + " --store " + (scratch / "d.sqlite").string();
  const Outcome interrupted = attnlaw(stored, "timeout --foreground --preserve-status --signal INT 0.6");
  ASSERT_EQ(interrupted.code, 1);
  for (const char* said : {"of 192 points", "the same command goes on"})
    EXPECT_NE(interrupted.out.find(said), std::string::npos) << interrupted.out;
  EXPECT_FALSE(json::parse(interrupted.out)["converged"]);
  const Outcome resumed = attnlaw(stored), whole = attnlaw(arguments);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resumed.out, whole.out);
  // Nothing is left to do.
  EXPECT_EQ(attnlaw(stored).out, whole.out);
  EXPECT_EQ(attnlaw("results " + (scratch / "d.sqlite").string()).code, 0);
}

TEST(Thresholds, DocumentKeepsTheContract) {
  const json document = run_json("thresholds --head linear --target wishart:0.3");
  expect_keys(document, json::parse(R"({"tokens": 2, "K_eff": 3, "recovery": {"alpha": 0, "D": 0, "t": 0},
    "interpolation": 0, "bayes_recovery": {"alpha": 0}, "reasons": {"interpolation": 0}})"));
  EXPECT_TRUE(document["interpolation"].is_null());
  EXPECT_LT(document["bayes_recovery"]["alpha"], document["recovery"]["alpha"]);
  EXPECT_FALSE(document["problem"].contains("alpha"));
  EXPECT_FALSE(document["problem"].contains("lambda"));
  EXPECT_EQ(document["bayes_recovery"]["verified"], true);
  const std::string cross = "thresholds --attention cross --head linear --target powerlaw:1,20";
  EXPECT_EQ(run_json(cross)["bayes_recovery"]["verified"], false);
  for (const char* format : {" --format table", " --format csv"})
    EXPECT_NE(attnlaw(cross + format).out.find("a count of degrees of freedom, not verified"), std::string::npos);
  const json noisy = run_json("thresholds --head linear --noise 0.1");
  EXPECT_TRUE(noisy["recovery"].is_null());
  expect_keys(noisy, json::parse(R"({"interpolation": {"alpha": 0, "a": 0}, "reasons": {"recovery": 0}})"));
}

/// Students that are S* + aZ fit noisy labels with a that grows without end: their thresholds have no other figure.
TEST(Thresholds, MayHaveAnInfiniteNoise) {
  for (const char* of : {"--student direct", "--tokens 1 --target spikes:5,-1.376", "--attention cross"}) {
    const std::string command = std::string("thresholds --head linear --noise 0.25 ") + of;
    const json document = run_json(command);
    EXPECT_GT(document["interpolation"]["alpha"], 0) << of;
    EXPECT_TRUE(document["interpolation"]["a"].is_null()) << of;
    for (const char* format : {" --format table", " --format csv"}) EXPECT_EQ(attnlaw(command + format).code, 0) << of;
  }
}

TEST(Solve, PrintsTheEntropyOfLabelsBesideExcesses) {
  EXPECT_NE(attnlaw("solve --labels sampled --alpha 1 --lambda 0.1").out.find("entropy of the labels"),
            std::string::npos);
  EXPECT_EQ(attnlaw("solve --labels sign --alpha 1 --lambda 0.1").out.find("entropy of the labels"), std::string::npos);
}

TEST(Thresholds, FollowsSolutionsAlongAlpha) {
  const Scratch scratch;
  const std::string page = (scratch / "page.html").string();
  const json document = run_json("thresholds --head linear --lambda 0.05 --alpha-range 0.1,1,12 --html " + page);
  expect_keys(document["continuation"],
              json::parse(R"({"branches": [], "spinodals": [], "replicon_crossings": [], "converged": true})"));
  ASSERT_EQ(document["continuation"]["branches"].size(), 1u) << "convex: one solution everywhere";
  EXPECT_EQ(document["continuation"]["branches"][0]["points"].size(), 12u);
  EXPECT_EQ(scratch.listing(), "page.html ");
}

/// Regions have the names of the lines that are there at their x: noisy labels are fitted or not, and the posterior
/// mean is the target beyond its threshold.
TEST(Thresholds, RegionsOfDiagramsHaveTheirNames) {
  const Scratch scratch;
  const std::string page = (scratch / "page.html").string();
  const auto drawn = [&](const std::string& options) {
    EXPECT_EQ(attnlaw("thresholds --head linear " + options + " --html " + page).code, 0);
    return slurp(page);
  };
  const std::string noisy = drawn("--lambda 0.01 --noise-range 0,0.5,5 --alpha-range 0.02,1,8");
  EXPECT_NE(noisy.find(R"("label":"labels are fitted")"), std::string::npos);
  EXPECT_EQ(noisy.find(R"("label":"target undetermined")"), std::string::npos);
  const std::string bayes = drawn("--student bayes --kappa-range 0.2,1,4 --alpha-range 0.02,1,6");
  EXPECT_NE(bayes.find(R"("label":"recovered")"), std::string::npos);
  EXPECT_EQ(bayes.find("determined, not recovered"), std::string::npos);
}

TEST(Thresholds, MapsThePhases) {
  const std::string arguments = "thresholds --head linear --lambda 0.05 --alpha-range 0.1,1,5 --kappa-range 0.2,0.8,3";
  const json document = run_json(arguments + " --threads 1");
  const json diagram = document["diagram"];
  ASSERT_EQ(diagram["test"].size(), 3u);
  ASSERT_EQ(diagram["test"][0].size(), 5u);
  EXPECT_EQ(diagram["lines"]["recovery"].size(), 3u);
  EXPECT_EQ(document, run_json(arguments + " --threads 2"));
  const json alone = run_json("solve --head linear --lambda 0.05 --alpha 1 --target wishart:0.2");
  EXPECT_NEAR(diagram["test"][0][4].get<double>(), alone["errors"]["test"].get<double>(), 1e-7);
}

TEST(Thresholds, DiagramsTakeAnyStudent) {
  for (const char* student : {"bayes", "direct-general --lambda 0.1"}) {
    const std::string arguments =
        std::string("thresholds --head linear --alpha-range 0.1,1,3 --noise-range 0,1,2 --student ") + student;
    const json document = run_json(arguments);
    EXPECT_EQ(document["diagram"]["lines"]["recovery"], json::parse("[null, null]"));
    EXPECT_TRUE(document["diagram"]["lines"]["bayes_recovery"][0].is_number());
    EXPECT_NE(document["diagram"]["reasons"][0]["recovery"].get<std::string>().find("tied and direct"),
              std::string::npos);
    EXPECT_NE(attnlaw(arguments).out.find("tied and direct"), std::string::npos);
  }
}

TEST(Thresholds, HaveTheDetachmentWhereItIsAskedFor) {
  const std::string asked = "thresholds --target wishart:0.2 --noise 0.25 --lambda 0.01 --detachment";
  const json document = run_json(asked);
  expect_keys(document,
              json::parse(R"({"detachment": {"alpha": 0, "a": 0, "upper_mass": 0}, "interpolation": {"alpha": 0}})"));
  const double alpha = document["detachment"]["alpha"];
  EXPECT_EQ(document["problem"]["lambda"], 0.01);
  const auto upper_mass = [](double at) {
    return run_json(
        fmt::format("solve --target wishart:0.2 --noise 0.25 --lambda 0.01 --alpha {}", at))["spectrum"]["upper_mass"];
  };
  EXPECT_TRUE(upper_mass(0.999 * alpha).is_null());
  EXPECT_NEAR(upper_mass(1.001 * alpha).get<double>(), 0.2, 1e-6);
  EXPECT_NE(attnlaw(asked).out.find("upper_mass = 0.2"), std::string::npos);
  EXPECT_FALSE(run_json("thresholds --target wishart:0.2 --noise 0.25 --lambda 0.01").contains("detachment"));
  const json none = run_json("thresholds --head linear --target wishart:2 --lambda 0.01 --detachment");
  EXPECT_TRUE(none["detachment"].is_null());
  EXPECT_TRUE(none["reasons"].contains("detachment"));
  // Labels whose other thresholds are not known have this one.
  EXPECT_TRUE(
      run_json("thresholds --labels sign --target wishart:0.2 --lambda 0.01 --detachment")["detachment"].is_object());
  const Outcome late =
      attnlaw("thresholds --target wishart:0.2 --lambda 0.01 --detachment --time-limit 1e-6 --format json");
  EXPECT_EQ(late.code, 1);
  EXPECT_EQ(json::parse(late.out)["converged"], false);
}

TEST(Thresholds, DoNotDependOnLambda) {
  for (const char* lambda : {"", " --lambda edge", " --lambda 0.3"})
    EXPECT_NEAR(run_json(std::string("thresholds --noise 0.5") + lambda)["interpolation"]["alpha"].get<double>(),
                0.145551, 1e-6)
        << lambda;
}

TEST(Thresholds, HeadingsLeaveOutWhatVaries) {
  const std::string arguments = "thresholds --head linear --lambda 0.05 --target wishart:0.37 --noise 0.123";
  const auto heading = [&](const std::string& range) {
    const std::string text = attnlaw(arguments + " --alpha-range 0.1,1,3" + range).out;
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(heading(" --kappa-range 0.2,0.8,2").find("target"), std::string::npos);
  EXPECT_NE(heading(" --kappa-range 0.2,0.8,2").find("0.123"), std::string::npos);
  EXPECT_EQ(heading(" --noise-range 0,1,2").find("0.123"), std::string::npos);
  EXPECT_NE(heading("").find("wishart:0.37, Δ = 0.123"), std::string::npos);
}

TEST(Thresholds, DiagramsHaveTheThresholdsOfTheirOwnValuesAlone) {
  const json document =
      run_json("thresholds --head linear --lambda 0.05 --alpha-range 0.1,1,3 --kappa-range 0.2,0.8,2");
  for (const char* key : {"recovery", "interpolation", "bayes_recovery"}) EXPECT_FALSE(document.contains(key)) << key;
  EXPECT_FALSE(document["problem"].contains("target"));
  EXPECT_NEAR(document["diagram"]["lines"]["recovery"][0].get<double>(),
              run_json("thresholds --head linear --target wishart:0.2")["recovery"]["alpha"].get<double>(), 1e-12);
}

TEST(Options, ThoseWithoutEffectAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"solve --alpha 1 --lambda 1 --head linear --seed 3", "--seed"},
      {"softmax-law --beta 0.5 --rho 1 --seed 3", "--seed"},
      {"pooling --delta 0.5 --gamma 0.5 --mu2 1 --alpha-pool 1 --seed 3", "--seed"},
      {"icl --context 2 --tasks 1 --sequences 2 --seed 3", "--seed"},
      {"lora --head linear --tokens 1 --alpha-ft 6 --e-pre 0.4 --seed 3", "--seed"},
      {"lofi --d 50 --target staircase:4,1 --n 2000 --instances 0 --seed 3", "--seed"},
      {"thresholds --head linear --alpha 2 --lambda 0.1", "--alpha, --lambda"},
      {"thresholds --head linear --lambda 0.1 --target wishart:0.3 --alpha-range 0.1,1,2 --kappa-range 0.1,1,2",
       "--target"},
      {"spectrum --alpha 1 --lambda 1 --head linear --along lambda:0.1,1,2", "--lambda"},
      {"scaling --head linear --target powerlaw:1,20 --noise 0.1 --n 1e2,1e4,3 --alpha 1", "--alpha"}};
  for (const auto& [arguments, names] : cases) {
    const json warnings = run_json(arguments)["warnings"];
    ASSERT_FALSE(warnings.empty()) << arguments;
    EXPECT_EQ(warnings.back(), std::string("Without effect here: ") + names + ".") << arguments;
  }
  EXPECT_TRUE(run_json("solve --alpha 1 --lambda 1 --head linear --threads 1 --quiet")["warnings"].empty());
}

TEST(Thresholds, DiagramsWarnOfUnstablePoints) {
  const json document =
      run_json("thresholds --head linear --lambda 0.01 --width 0.2 --alpha-range 0.5,0.6,2 --noise-range 0.1,0.2,2");
  EXPECT_TRUE(document["diagram"]["replicon"][0][1].is_null());
  ASSERT_EQ(document["warnings"].size(), 1u);
  EXPECT_NE(document["warnings"][0].get<std::string>().find("at 4 of 4 points of the diagram: the rank constraint"),
            std::string::npos)
      << document["warnings"];
}

TEST(Scaling, DocumentKeepsTheContract) {
  const Scratch scratch;
  const std::string page = (scratch / "page.html").string();
  const std::string arguments =
      "scaling --head linear --tokens 1 --noise 0.05 --target powerlaw:1.25,60 --n 1e2,1e5,13";
  const json document = run_json(arguments + " --html " + page);
  expect_keys(document, json::parse(R"({"problem": {"lambda": "edge"}, "scaling": {"gamma": 0, "dimension": 0,
    "points": [], "transitions": [], "crossovers": [], "exponents": {"noise-dominated": {"fitted": 0, "predicted": 0}}}})"));
  ASSERT_EQ(document["scaling"]["points"].size(), 13u);
  for (const json& point : document["scaling"]["points"]) {
    expect_keys(point, json::parse(R"({"n": 0, "slope": 0, "predicted": 0, "regime": 0, "recovered": 0,
      "parts": {"unlearned": 0, "shrinkage": 0, "misalignment": 0, "bulk": 0}})"));
    double sum = 0;
    for (const auto& [name, part] : point["parts"].items()) sum += part.get<double>();
    EXPECT_NEAR(sum, point["estimation"].get<double>(), 1e-9);
  }
  EXPECT_EQ(document["problem"]["lambda"], "edge");
  EXPECT_EQ(scratch.listing(), "page.html ");
  const Outcome table = attnlaw(arguments);
  EXPECT_NE(table.out.find("Exponents"), std::string::npos) << table.out;
}

TEST(Scaling, TablesNameThePenaltyWhereItVaries) {
  const std::string arguments = "scaling --head linear --tokens 1 --noise 0.5 --target powerlaw:1.25,60 --n 1e3,1e5,5";
  for (const char* rule : {"edge", "optimal", "0.1 --lambda-exponent 0.25"}) {
    const Outcome table = attnlaw(arguments + " --lambda " + rule);
    EXPECT_NE(table.out.find(" λ  "), std::string::npos) << table.out;
    EXPECT_NE(table.out.find("Exponent of λ in n"), std::string::npos) << table.out;
  }
  EXPECT_NE(attnlaw(arguments + " --lambda 0.1 --lambda-exponent 0.25").out.find("  0.25       0.25"),
            std::string::npos);
  EXPECT_EQ(attnlaw(arguments + " --lambda 0.1").out.find("Exponent of λ"), std::string::npos);
}

TEST(Scaling, MapsHaveExponentsInThePenalty) {
  const std::string arguments =
      "scaling --head linear --tokens 1 --noise 1e-3 --target powerlaw:1,1000 --n 1e5,2e5,3 --lambda-range 0.5,4,7";
  const json map = run_json(arguments)["map"];
  ASSERT_FALSE(map["penalty_fits"].empty());
  for (const json& fit : map["penalty_fits"]) {
    EXPECT_EQ(fit["regime"], "lambda-dominated");
    EXPECT_EQ(fit["predicted"], 1);
    EXPECT_NEAR(fit["fitted"].get<double>(), 1, 0.1);
  }
  EXPECT_NE(attnlaw(arguments).out.find("Exponents of the estimation error in λ"), std::string::npos);
}

TEST(Texts, ConventionsVersionHelpAndCompletion) {
  EXPECT_NE(attnlaw("conventions").out.find("alpha"), std::string::npos);
  EXPECT_TRUE(run_json("version")["parts"].contains("blas"));
  for (const char* command :
       {"solve", "simulate", "spectrum", "thresholds", "scaling", "demo", "conventions", "version", "completion"}) {
    const Outcome help = attnlaw(std::string(command) + " --help");
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("Example: attnlaw " + std::string(command)), std::string::npos) << help.out;
  }
  EXPECT_EQ(attnlaw("").code, 0);
}

TEST(Texts, OptionsWithoutEffectAreAcceptedButNotListed) {
  for (const char* command : {"version", "completion", "conventions", "results", "solve"}) {
    const std::string help = attnlaw(std::string(command) + " --help").out;
    EXPECT_EQ(help.find("--seed"), std::string::npos) << help;
    EXPECT_EQ(help.find("--threads") != std::string::npos, std::string(command) == "solve") << help;
  }
  EXPECT_NE(attnlaw("simulate --help").out.find("--seed"), std::string::npos);
  EXPECT_EQ(run_json("version --seed 3 --threads 1")["warnings"], json({"Without effect here: --threads, --seed."}));
}

TEST(Texts, ManualHasAPageForEveryCommand) {
  EXPECT_NE(attnlaw("manual").out.find("\n\\fBlofi\\fR\n"), std::string::npos);
  const std::string page = attnlaw("manual lofi").out;
  EXPECT_TRUE(page.starts_with(".TH ATTNLAW\\-LOFI 1")) << page.substr(0, 80);
  EXPECT_NE(page.find("\\-\\-permutations"), std::string::npos);
  const Scratch scratch;
  const Outcome written = attnlaw("manual --directory " + (scratch / "man").string());
  EXPECT_EQ(written.code, 0);
  const json schema = run_json("schema");
  for (const auto& operation : schema["operations"])
    EXPECT_TRUE(std::filesystem::exists(scratch / "man" / ("attnlaw-" + operation["name"].get<std::string>() + ".1")));
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
  EXPECT_EQ(ask("attnlaw solve --student b", 3), "bayes\n");
  EXPECT_EQ(ask("attnlaw thresholds --kap", 2), "--kappa-range\n");
  EXPECT_EQ(ask("attnlaw figure learn", 2), "learning_curve\n");
  EXPECT_EQ(ask("attnlaw manual sol", 2), "solve\n");
  EXPECT_EQ(ask("attnlaw help so", 2), "solve softmax-law\n");
  EXPECT_EQ(ask("attnlaw figure f", 2), "fig1 fig2 fig3 fig4 fig5 fig6\n");
  EXPECT_EQ(ask("attnlaw solve --lambda \"\"", 3), "0+ optimal edge\n");
  // Nothing of ours: the shell offers files.
  EXPECT_EQ(ask("attnlaw sweep stu", 2), "\n");
  EXPECT_EQ(ask("attnlaw solve --problem p", 3), "\n");
  EXPECT_NE(slurp(script).find("complete -o default"), std::string::npos);
}

TEST(Texts, HelpAndVersionStandWherePeopleLook) {
  EXPECT_EQ(attnlaw("help solve").out, attnlaw("solve --help").out);
  EXPECT_EQ(attnlaw("help").out, attnlaw("--help").out);
  EXPECT_TRUE(attnlaw("--version").out.starts_with("attnlaw 0.")) << attnlaw("--version").out;
  const Scratch scratch;
  const std::string file = (scratch / "out").string();
  EXPECT_EQ(attnlaw("conventions -o " + file).out, "");
  EXPECT_EQ(slurp(file), attnlaw("conventions").out);
}

TEST(Texts, CompletionOfOtherShells) {
  const std::string zsh = attnlaw("completion zsh").out;
  EXPECT_TRUE(zsh.starts_with("#compdef attnlaw\n"));
  // The file is the body of a function when zsh first completes: it has to complete as well.
  EXPECT_NE(zsh.find("\n[[ $funcstack[1] != _attnlaw ]] || _bash_complete "), std::string::npos);
  const std::string fish = attnlaw("completion fish").out;
  for (const char* line : {"complete -c attnlaw -n '__fish_use_subcommand' -f -a solve -d '",
                           "complete -c attnlaw -n '__fish_seen_subcommand_from solve' -l alpha -x -d '",
                           "complete -c attnlaw -n '__fish_seen_subcommand_from solve' -l problem -r -F -d '",
                           "complete -c attnlaw -n '__fish_seen_subcommand_from simulate' -l trainer -a 'lbfgs ",
                           "complete -c attnlaw -n '__fish_seen_subcommand_from figure' -a 'bayes",
                           "complete -c attnlaw -n '__fish_seen_subcommand_from help' -f -a 'solve simulate "})
    EXPECT_NE(fish.find(line), std::string::npos) << line;
}

/// Parts that exclude each other may share a name, as the problems of spectrum do.
TEST(Texts, SchemaHasEveryFieldOnce) {
  std::size_t instances = 0;
  const std::function<void(const json&, const std::string&)> check = [&](const json& object, const std::string& where) {
    std::set<std::string> names;
    for (const json& field : object.value("fields", json::array())) {
      const std::string name = where + "." + field["name"].get<std::string>();
      EXPECT_TRUE(names.insert(name).second) << name;
      if (name == "simulate.instances.theory") ++instances;
      check(field, name);
      if (field.contains("item")) check(field["item"], name);
    }
  };
  const json schema = run_json("schema");
  for (const json& operation : schema["operations"]) {
    check(operation["options"], operation["name"]);
    check(operation["result"], operation["name"]);
  }
  EXPECT_EQ(instances, 1u);
}

}  // namespace
}  // namespace attnlaw::test
