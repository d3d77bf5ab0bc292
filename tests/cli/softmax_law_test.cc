/// attnlaw softmax-law, as a user runs it.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

json run_json(const std::string& arguments) {
  const Outcome outcome = attnlaw("softmax-law " + arguments + " --format json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return json::parse(outcome.out);
}

void expect_refused(const std::string& arguments, const std::string& named) {
  const Outcome outcome = attnlaw("softmax-law " + arguments);
  EXPECT_EQ(outcome.code, 2) << arguments;
  EXPECT_EQ(outcome.out, "") << arguments;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << arguments << "\n" << outcome.err;
  EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << " should name '" << named << "':\n"
                                                        << outcome.err;
}

TEST(SoftmaxLaw, DocumentKeepsTheContract) {
  const json document = run_json("--beta 0.5 --rho 10 --tokens gaussian --tau 5");
  EXPECT_EQ(document["command"], "softmax-law");
  EXPECT_EQ(document["parameters"], json::parse(R"({"beta": 0.5, "rho": 10.0, "tokens": "gaussian", "tau": 5.0,
    "refine": "none", "length": 1000})"));
  ASSERT_EQ(document["law"]["bands"].size(), 2u);
  EXPECT_NEAR(document["law"]["bands"][1]["lower"].get<double>(), 0.36033796, 1e-8);
  EXPECT_TRUE(document["law"]["outlier"].is_null());
  EXPECT_TRUE(document["finite_size"]["head_distance"].is_null());
  EXPECT_EQ(document["finite_size"]["embedding_dimension"], 200);
  EXPECT_EQ(document["density"]["s"].size(), document["density"]["density"].size());
  EXPECT_EQ(document["converged"], true);
  EXPECT_FALSE(document.contains("simulation"));
  for (const char* key : {"entry_variance", "noise", "moments", "edge", "edge_parameter", "density_at_zero",
                          "column_strength", "leading_excess", "law_error"})
    EXPECT_TRUE(document["law"].contains(key)) << key;
  for (const char* key : {"edge", "kolmogorov", "wasserstein", "wasserstein_squared"})
    EXPECT_TRUE(document["marchenko_pastur"].contains(key)) << key;
  for (const char* key : {"tail_share", "bulk_from", "edge_from", "bulk_visible", "edge_visible", "mean",
                          "second_order_ratio", "tail_distance", "expected_kolmogorov", "head_dimension", "length"})
    EXPECT_TRUE(document["finite_size"].contains(key)) << key;
}

TEST(SoftmaxLaw, SimulationStandsBesideTheLawOfItsOwnRatios) {
  const std::string arguments = "--beta 0.5 --rho 3 --simulate 200 --instances 2 --seed 4";
  const json document = run_json(arguments);
  const json& simulation = document["simulation"];
  EXPECT_EQ(simulation["head_dimension"], 67);
  EXPECT_DOUBLE_EQ(simulation["rho"].get<double>(), 200.0 / 67);
  EXPECT_EQ(simulation["singular_values"].size(), 400u);
  EXPECT_EQ(simulation["instances"].size(), 2u);
  EXPECT_LT(simulation["kolmogorov"], 0.1);
  EXPECT_GT(simulation["kolmogorov_marchenko_pastur"], 0.2);
  EXPECT_NEAR(simulation["moments"][0]["value"].get<double>(), document["law"]["moments"][0].get<double>(), 0.03);
  const std::string one = attnlaw("softmax-law " + arguments + " --threads 1").out;
  EXPECT_EQ(one, attnlaw("softmax-law " + arguments + " --threads 2").out);
  EXPECT_NE(one.find("without the 3 largest"), std::string::npos) << one;
}

TEST(SoftmaxLaw, OutlierAndDiagnosisInWords) {
  const json document = run_json("--beta 2 --rho 15");
  EXPECT_NEAR(document["law"]["outlier"].get<double>(), 16.2124, 1e-4);
  const Outcome heavy = attnlaw("softmax-law --beta 1.5 --rho 1");
  EXPECT_NE(heavy.out.find("at T = 1000 and beta = 1.5 the lognormal tail dominates"), std::string::npos) << heavy.out;
  EXPECT_NE(heavy.out.find("expect KS"), std::string::npos) << heavy.out;
  EXPECT_NE(attnlaw("softmax-law --beta 0.5 --rho 20").out.find("--refine head"), std::string::npos);
  EXPECT_EQ(run_json("--beta 0.5 --rho 1")["warnings"], json::array());
  EXPECT_TRUE(run_json("--beta 3 --rho 1")["law"]["leading_excess"].is_null()) << "no expansion where the bulk is off";
}

TEST(SoftmaxLaw, Refinements) {
  const double limit = run_json("--beta 1 --rho 1")["law"]["edge"];
  EXPECT_LT(run_json("--beta 1 --rho 1 --refine tail --length 300")["law"]["edge"], limit);
  EXPECT_GT(run_json("--beta 1 --rho 10 --refine head --length 300")["law"]["bands"].size(), 1u);
}

TEST(SoftmaxLaw, CsvAndReport) {
  const Scratch scratch;
  const std::string page = (scratch / "law.html").string();
  const Outcome csv =
      attnlaw("softmax-law --beta 0.5 --rho 1 --simulate 100 --instances 1 --format csv --html " + page);
  ASSERT_EQ(csv.code, 0) << csv.err;
  EXPECT_EQ(csv.out.find("kind,s,density,mass,marchenko_pastur\r\n"), 0u);
  for (const char* kind : {"\r\nband_upper,1.338", "\r\ndensity,", "\r\nsingular_value,"})
    EXPECT_NE(csv.out.find(kind), std::string::npos) << kind;
  const std::string html = slurp(page);
  EXPECT_NE(html.find("Softmax attention at initialisation"), std::string::npos);
  EXPECT_NE(html.find("Marchenko-Pastur"), std::string::npos);
}

TEST(SoftmaxLaw, RefusesBadInput) {
  expect_refused("--rho 1", "--beta is required");
  expect_refused("--beta 1", "--rho is required");
  expect_refused("--beta 0 --rho 1", "beta");
  expect_refused("--beta 11 --rho 1", "11");
  expect_refused("--beta 1 --rho -2", "-2");
  expect_refused("--beta 1 --rho 0", "rho");
  expect_refused("--beta 1 --rho nan", "rho");
  expect_refused("--beta 1 --rho 1 --tau 1.5", "T <= d");
  expect_refused("--beta 1 --rho 1 --tokens gaussian", "--tau is required");
  expect_refused("--beta 1 --rho 1 --tokens gaussian --tau 0", "tau");
  expect_refused("--beta 1 --rho 1 --tokens uniform", "'uniform'");
  expect_refused("--beta 1 --rho 1 --refine both", "'both'");
  expect_refused("--beta 1 --rho 1 --tokens gaussian --tau 1 --refine head", "orthonormal");
  expect_refused("--beta 1 --rho 1 --instances 3", "--simulate");
  expect_refused("--beta 1 --rho 1 --simulate 100 --instances 0", "instances must");
  expect_refused("--beta 1 --rho 1 --simulate 100 --length 200", "--length");
  expect_refused("--beta 1 --rho 1 --simulate 8", "8");
  expect_refused("--beta 1 --rho 1 --simulate 40000", "40000");
  expect_refused("--beta 1 --rho 3000", "head dimension");
  expect_refused("--beta 1 --rho 1e-9", "head dimension of 1e+12");
}

}  // namespace
}  // namespace attnlaw::test
