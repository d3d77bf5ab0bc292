/// The command `lora` as a user runs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

constexpr const char* kLinear = "lora --head linear --tokens 1 --alpha-ft 5 --e-pre 0.1 ";

json document(const std::string& arguments) {
  const Outcome outcome = attnlaw(arguments + " --format json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return json::parse(outcome.out);
}

TEST(Lora, PrintsTheRowOfTheSpecification) {
  const json found = document(kLinear);
  EXPECT_EQ(found["command"], "lora");
  EXPECT_TRUE(found["converged"]);
  EXPECT_TRUE(found["warnings"].empty());
  EXPECT_NEAR(found["prediction"]["overlaps"]["m"], .995410, 1e-6);
  EXPECT_NEAR(found["prediction"]["errors"]["adapter_error"], .036649, 1e-6);
  EXPECT_NEAR(found["prediction"]["stability"], .3975, 1e-4);
  EXPECT_NEAR(found["weak_recovery"]["alpha"], .53401, 1e-5);
  EXPECT_NEAR(found["large_alpha"]["adapter_error"], .02, 1e-12);
  EXPECT_NEAR(found["pretraining"]["E_pre"], .1, 1e-12);
  const Outcome table = attnlaw(kLinear);
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.out.find("alignment"), std::string::npos);
}

TEST(Lora, WarnsWhereTheTheoryIsNotReliable) {
  const Outcome outcome = attnlaw("lora --head linear --tokens 1 --alpha-ft 3 --e-pre 0.4");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("Stein's identity is violated"), std::string::npos);
}

/// Too few data: exit code 1, soon, and no number where there is no solution.
TEST(Lora, WithoutASolutionThereAreNoFigures) {
  for (const char* tokens : {"1", "2"}) {
    const Outcome outcome =
        attnlaw(std::string("lora --head linear --alpha-ft 0.5 --e-pre 0.4 --format json --tokens ") + tokens);
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    const json found = json::parse(outcome.out);
    EXPECT_FALSE(found["converged"]);
    EXPECT_TRUE(found["prediction"]["overlaps"]["m"].is_null());
    EXPECT_TRUE(found["prediction"]["errors"]["test"].is_null());
    EXPECT_NE(found["warnings"].dump().find("NOT CONVERGED"), std::string::npos);
  }
  EXPECT_EQ(attnlaw("lora --head linear --alpha-ft 0.5 --e-pre 0.4").out.find("nan"), std::string::npos);
}

TEST(Lora, PretrainingIsSolved) {
  const json tied = document("lora --head linear --tokens 2 --alpha-ft 3 --alpha 0.5 --lambda 0.05");
  const json solved = json::parse(attnlaw("solve --head linear --alpha 0.5 --lambda 0.05 --format json").out);
  EXPECT_NEAR(tied["pretraining"]["E_pre"], solved["errors"]["estimation"], 1e-9);
  EXPECT_NE(tied["pretraining"]["Q_pre"], tied["pretraining"]["m_pre"]);
  const json bayes =
      document("lora --head linear --alpha-ft 3 --alpha 0.12 --student bayes --pre-head softmax --pre-noise 0.05");
  EXPECT_EQ(bayes["pretraining"]["problem"]["head"], "softmax");
  EXPECT_NEAR(bayes["pretraining"]["E_pre"], .3594, 5e-5);  // of the specification
  EXPECT_DOUBLE_EQ(bayes["pretraining"]["Q_pre"], bayes["pretraining"]["m_pre"]);
}

TEST(Lora, ExperimentsStandBesideTheTheoryOfWhatWasDrawn) {
  const json found = document(std::string(kLinear) + "--d 60 --instances 2");
  EXPECT_EQ(found["experiment"]["d"], 60);
  EXPECT_EQ(found["experiment"]["n"], 300);
  EXPECT_EQ(found["experiment"]["instances"].size(), 2u);
  const double measured = found["experiment"]["mean"]["q"], predicted = found["experiment"]["theory"]["overlaps"]["q"];
  EXPECT_NEAR(measured, predicted, .15);
  const json alone = document(std::string(kLinear) + "--d 60 --instances 2 --threads 1");
  EXPECT_EQ(found["experiment"]["instances"], alone["experiment"]["instances"]) << "threads change no bit";
}

TEST(Lora, ReusesOrSelectsSequencesAndRecalibrates) {
  const std::string base = "lora --head linear --tokens 1 --noise 0.1 --alpha-ft 6 --format json ";
  const auto noise_of = [&](const std::string& options) {
    const Outcome outcome = attnlaw(base + options);
    EXPECT_EQ(outcome.code, 0) << options << outcome.err;
    return nlohmann::json::parse(outcome.out).at("prediction").at("effective_noise").get<double>();
  };
  EXPECT_NEAR(noise_of("--alpha 0.5 --lambda 0.05 --sequences reused"), .0239, 5e-5);
  EXPECT_NEAR(noise_of("--q-pre 0.716 --m-pre 0.9 --recalibrate"), .1 + 1.5 - .81 / .716, 1e-9);
  EXPECT_LT(noise_of("--q-pre 3.625 --m-pre 2.25 --sequences selected --share 0.1"), .25);
  for (const char* wrong : {"--e-pre 0.4 --sequences reused", "--e-pre 0.4 --share 0.1",
                            "--alpha 0.5 --lambda 0.05 --sequences reused --pre-noise 0.2",
                            "--alpha 0.5 --lambda 0.05 --sequences reused --recalibrate"})
    EXPECT_EQ(attnlaw(base + wrong).code, 2) << wrong;
  EXPECT_EQ(attnlaw("lora --alpha-ft 6 --alpha 0.5 --lambda 0.05 --sequences reused").code, 2) << "softmax";
}

/// Counts of sequences that no integer holds are refused like others that no memory holds.
TEST(Lora, RefusesMoreSequencesToSelectFromThanMemoryHolds) {
  for (const char* share : {"1e-10", "1e-30", "1e-300"}) {
    const Outcome refused = attnlaw(
        std::string("lora --head linear --tokens 1 --e-pre 0.4 --sequences selected --alpha-ft 6 --d 20 --instances 1 "
                    "--share ") +
        share);
    EXPECT_EQ(refused.code, 1) << share;
    EXPECT_NE(refused.err.find("of memory"), std::string::npos) << share << refused.err;
    EXPECT_NE(refused.err.find("a larger share"), std::string::npos) << share << refused.err;
  }
}

TEST(Lora, CurveGoesIntoTablesRowsAndReport) {
  const Scratch scratch;
  const std::string report = (scratch / "lora.html").string();
  const Outcome outcome = attnlaw(std::string(kLinear) + "--alpha-range 4,40,4 --format csv --html " + report);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1 + 1 + 4);
  EXPECT_NE(slurp(report).find("Learning curve"), std::string::npos);
}

TEST(Lora, RefusesBadUsage) {
  const std::pair<const char*, const char*> cases[] = {
      {"lora --e-pre 0.1", "--alpha-ft"},
      {"lora --alpha-ft 5", "--e-pre"},
      {"lora --alpha-ft 5 --e-pre 0.1 --alpha 1", "one of three"},
      {"lora --alpha-ft 5 --q-pre 1", "--m-pre"},
      {"lora --alpha-ft 5 --e-pre -1", "--e-pre"},
      {"lora --alpha-ft 5 --e-pre 2", "--e-pre"},
      {"lora --alpha-ft 5 --q-pre 1 --m-pre 2", "m_pre"},
      {"lora --alpha-ft 0 --e-pre 0.1", "alpha_ft"},
      {"lora --alpha-ft x --e-pre 0.1", "alpha-ft"},
      {"lora --alpha-ft 5 --e-pre 0.1 --target product:0.5", "product:0.5"},
      {"lora --alpha-ft 5 --e-pre 0.1 --head linear --beta 2", "beta"},
      {"lora --alpha-ft 5 --alpha 1 --lambda 0.1 --student untied", "of self-attention"},
      {"lora --alpha-ft 5 --e-pre 0.1 --omega 0", "omega"},
      {"lora --alpha-ft 5 --e-pre 0.1 --lambda-ft -1", "lambda_ft"},
      {"lora --alpha-ft 5 --e-pre 0.1 --noise -1", "noise"},
      {"lora --alpha-ft 5 --e-pre 0.1 --tokens 4", "tokens"},
      {"lora --alpha-ft 5 --e-pre 0.1 --head hardmax", "head must"},
      {"lora --alpha-ft 5 --e-pre 0.1 --lambda 1", "--alpha"},
      {"lora --alpha-ft 5 --e-pre 0.1 --accuracy 1", "accuracy"},
      {"lora --alpha-ft 5 --e-pre 0.1 --instances 2", "--d"},
      {"lora --alpha-ft 5 --e-pre 0.1 --d 1", "d must be"},
      {"lora --alpha-ft 5 --e-pre 0.1 --d 20 --instances 0", "instances"},
      {"lora --alpha-ft 5 --e-pre 0.1 --html x.html", "--alpha-range"},
      {"lora --alpha-ft 5 --alpha 1 --lambda 0.1 --student direct-general", "direct-general"},
  };
  for (const auto& [arguments, named] : cases) {
    const Outcome outcome = attnlaw(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_NE(outcome.err.find(named), std::string::npos) << arguments << "\n" << outcome.err;
  }
}

}  // namespace
}  // namespace attnlaw::test
