/// attnlaw pooling as a user runs it.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

const std::string kSequences = "--delta 0.5 --gamma 0.5 --mu2 1 --profile power:0.9,0.5 --length 16 ";

json run_json(const std::string& arguments) {
  const Outcome outcome = attnlaw("pooling --format json " + arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return json::parse(outcome.out);
}

void expect_refused(const std::string& arguments, const std::string& named) {
  const Outcome outcome = attnlaw("pooling " + arguments);
  EXPECT_EQ(outcome.code, 2) << arguments << "\n" << outcome.err;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << arguments << "\n" << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << " should name '" << named << "':\n"
                                                        << outcome.err;
}

TEST(Pooling, DocumentOfTheScalars) {
  const json document = run_json("--delta 0.5 --gamma 0.5 --mu2 1 --alpha-pool 1.5");
  EXPECT_EQ(document["schema"], "attnlaw/2");
  EXPECT_EQ(document["command"], "pooling");
  EXPECT_EQ(document["model"]["kappa_pool"], 1);
  EXPECT_EQ(document["levels"]["sample"]["place"], "above");
  EXPECT_NEAR(document["levels"]["sample"]["eigenvalue"], 4.545918, 1e-6);
  EXPECT_NEAR(document["levels"]["sample"]["alignment"], 0.258503, 1e-6);
  EXPECT_NEAR(document["levels"]["population"]["threshold"], 0.30474, 1e-5);
  EXPECT_NEAR(document["bulk"]["edges"][0][1], 4.409150, 1e-6);
  EXPECT_EQ(document["bulk"]["zero_mass"], 0);
  EXPECT_EQ(document["density"]["x"].size(), document["density"]["density"].size());
  EXPECT_EQ(document["warnings"], json::array());
  EXPECT_FALSE(document.contains("experiment"));
}

TEST(Pooling, DocumentOfSequences) {
  const json document = run_json(kSequences + "--weights optimal");
  EXPECT_NEAR(document["weights"]["compared"]["mean"]["ratio"], 3.07705, 1e-5);
  EXPECT_NEAR(document["weights"]["compared"]["harmonic"]["ratio"], 3.02129, 1e-5);
  EXPECT_NEAR(document["weights"]["compared"]["given"]["ratio"], 3.38923, 1e-5);
  EXPECT_EQ(document["weights"]["compared"]["harmonic_beats_mean"], false);
  EXPECT_NEAR(document["weights"]["harmonic_crossing"], 0.52354, 1e-5);
  EXPECT_EQ(document["weights"]["values"].size(), 16u);
}

TEST(Pooling, ExperimentIsTheSameOnAnyNumberOfThreads) {
  const std::string arguments = kSequences + "--d 60 --instances 3 ";
  const json one = run_json(arguments + "--threads 1"), two = run_json(arguments + "--threads 2");
  EXPECT_EQ(one, two);
  const json& experiment = one["experiment"];
  EXPECT_EQ(experiment["vocabulary"], 120);
  EXPECT_EQ(experiment["sequences"], 120);
  EXPECT_EQ(experiment["eigenvalues"].size(), 180u);
  EXPECT_EQ(experiment["instances"].size(), 3u);
  EXPECT_GT(experiment["standard_error"]["sample"]["eigenvalue"], 0);
  EXPECT_TRUE(
      run_json(kSequences + "--d 40 --instances 1")["experiment"]["standard_error"]["sample"]["alignment"].is_null());
}

TEST(Pooling, UncentredNamesTheNuisance) {
  const json document = run_json(kSequences + "--uncentred --d 60");
  EXPECT_EQ(document["nuisance"]["place"], "above");
  EXPECT_TRUE(document["experiment"]["mean"].contains("nuisance"));
  const Outcome table = attnlaw("pooling " + kSequences + "--uncentred");
  EXPECT_NE(table.out.find("mean of the vocabulary"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("not centred"), std::string::npos) << table.out;
}

TEST(Pooling, FixedLengthStandsBesideTheLaw) {
  const std::string one = "--delta 0.5 --gamma 0.5 --mu2 0 --profile power:0,0 --length 1 --fixed-length ";
  const json document = run_json(one + "--d 200 --instances 3");
  EXPECT_NEAR(document["fixed_length"]["distance"], 0.039, 0.002);
  EXPECT_EQ(document["fixed_length"]["x"].size(), document["fixed_length"]["cdf"].size());
  EXPECT_LT(document["experiment"]["fixed_length_distance"]["value"],
            document["experiment"]["kolmogorov_distance"]["value"]);
  const Outcome table = attnlaw("pooling " + one);
  EXPECT_NE(table.out.find("Sequences of 1 tokens, not of many"), std::string::npos) << table.out;
  EXPECT_NE(attnlaw("pooling --format csv " + one).out.find("\r\nfixed_length_density,"), std::string::npos);
}

TEST(Pooling, ScoresOfTheirOwnAreOtherWeights) {
  const std::string attention = kSequences + "--weights attention:1 --d 40 --instances 2 ";
  const json own = run_json(attention + "--own-scores"), limit = run_json(attention);
  EXPECT_NE(own["experiment"]["eigenvalues"], limit["experiment"]["eigenvalues"]);
  EXPECT_EQ(own["levels"], limit["levels"]);
}

TEST(Pooling, SaysWhenAnOutlierIsNoSignal) {
  const json document = run_json("--delta 0.5 --gamma 0.5 --mu2 0 --alpha-pool 4");
  EXPECT_EQ(document["phantom"], true);
  ASSERT_EQ(document["warnings"].size(), 1u);
  EXPECT_NE(document["warnings"][0].get<std::string>().find("without a signal"), std::string::npos);
  EXPECT_NE(attnlaw("pooling --delta 0.5 --gamma 0.5 --mu2 0 --alpha-pool 4").out.find("phantom outlier"),
            std::string::npos);
}

TEST(Pooling, TableCsvAndReport) {
  const Scratch scratch;
  const std::string html = (scratch / "pooling.html").string();
  const Outcome table = attnlaw("pooling " + kSequences + "--d 40 --instances 2 --html " + html);
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("harmonic beats the mean for a decay B > 0.52354"), std::string::npos) << table.out;
  const std::string page = slurp(html);
  EXPECT_NE(page.find("Alignment with the signal"), std::string::npos);
  EXPECT_NE(page.find("pooled, N sequences"), std::string::npos);
  const Outcome csv = attnlaw("pooling " + kSequences + "--format csv");
  EXPECT_EQ(csv.out.find("kind,name,eigenvalue,alignment,threshold,place"), 0u);
  EXPECT_NE(csv.out.find("\r\ndensity,"), std::string::npos);
}

TEST(Pooling, BadInputIsNamed) {
  for (const char* bad : {"0", "-1", "nan", "inf"}) {
    expect_refused(std::string("--gamma 1 --mu2 1 --alpha-pool 1 --delta ") + bad, "delta");
    expect_refused(std::string("--delta 1 --mu2 1 --alpha-pool 1 --gamma ") + bad, "gamma");
    expect_refused(std::string("--delta 1 --gamma 1 --mu2 1 --alpha-pool 1 --kappa-pool ") + bad, "kappa_pool");
  }
  expect_refused("--delta 1 --gamma 1 --mu2 -1 --alpha-pool 1", "mu2");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --alpha-pool -0.5", "-0.5");
  expect_refused("--delta 1 --gamma 1 --mu2 1", "--alpha-pool is required");
  expect_refused("--delta 1 --gamma 1 --alpha-pool 1", "--mu2 is required");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --alpha-pool 1 --d 20", "--profile");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --alpha-pool 1 --uncentred", "--profile");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --weights mean", "--profile");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --profile power:0.9,0.5", "length");
  expect_refused(kSequences + "--alpha-pool 1", "--alpha-pool");
  expect_refused(kSequences + "--weights softmax", "softmax");
  expect_refused(kSequences + "--instances 3", "--d");
  expect_refused(kSequences + "--d 1", "d must");
  expect_refused(kSequences + "--own-scores", "--d");
  expect_refused(kSequences + "--own-scores --d 20 --weights optimal", "optimal");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --alpha-pool 1 --fixed-length", "--profile");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --profile power:0.5,0 --length 64 --fixed-length", "64");
  expect_refused(kSequences + "--d 20 --instances 0", "instances");
  expect_refused("--delta 1 --gamma 1 --mu2 1 --profile power:1.9,0.5 --length 4", "1.9");
}

TEST(Pooling, BadFilesAreNamed) {
  const Scratch scratch;
  const auto with = [&](const std::string& profile, const std::string& more = "") {
    return "--delta 1 --gamma 1 --mu2 1 " + more + " --profile file:" + scratch.write("r.txt", profile).string();
  };
  expect_refused(with("1 0.9 -0.9\n0.9 1 0.9\n-0.9 0.9 1\n"), "positive semidefinite");
  expect_refused(with("1 0.2\n0.3 1\n"), "symmetric");
  const std::string weights = scratch.write("w.txt", "1\n2\n3\n").string();
  expect_refused(with("1 0.2\n0.2 1\n", "--weights file:" + weights), "3 weights for sequences of 2 tokens");
  const std::string zeros = scratch.write("z.txt", "0\n0\n").string();
  expect_refused(with("1 0.2\n0.2 1\n", "--weights file:" + zeros), "kappa");
  EXPECT_EQ(attnlaw("pooling --delta 1 --gamma 1 --mu2 1 --profile file:/nowhere/r.txt").code, 1);
}

}  // namespace
}  // namespace attnlaw::test
