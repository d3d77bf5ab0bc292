/// The command `lofi` as a user runs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "attnlaw/base/npy.h"
#include "cli/program.h"

namespace attnlaw::test {
namespace {

using nlohmann::json;

TEST(LofiCommand, PrintsTheTheoryAlone) {
  const Outcome outcome = attnlaw("lofi --target parity --d 100 --n 2000 --instances 0 --format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json run = json::parse(outcome.out)["runs"][0];
  ASSERT_EQ(run["theory"]["directions"].size(), 2U);  // one at either end
  EXPECT_NEAR(run["theory"]["directions"][0]["threshold"], 293.312, 1e-3);
  EXPECT_NEAR(run["theory"]["directions"][1]["overlap"], .86527, 1e-5);
  EXPECT_TRUE(run["instances"].empty());
}

/// Large labels are so rare at a high temperature that a direction is seen at any number of samples: its threshold of 0
/// is a row of the table like others.
TEST(LofiCommand, PrintsDirectionsThatAreAlwaysSeen) {
  const std::string command = "lofi --target attention:0.2 --d 100 --n 1000 --instances 0";
  const Outcome table = attnlaw(command);
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("above the bulk"), std::string::npos) << table.out;
  const json direction = json::parse(attnlaw(command + " --format json").out)["runs"][0]["theory"]["directions"][0];
  EXPECT_EQ(direction["threshold"], 0);
  EXPECT_GT(direction["overlap"], 0.8);
  // d E T²/θ² at T = 2 as β → 0: T is of second order in β, θ of first, and their ratio 5/9.
  EXPECT_NEAR(direction["wide_threshold"].get<double>(), 100 * 5. / 9 / 2, 1);
}

TEST(LofiCommand, ShowsExperimentsBesideTheTheory) {
  const Scratch scratch;
  const std::string html = (scratch / "report.html").string();
  const std::string options = "lofi --target sine:4,1.5 --d 30 --n 1000,3000 --instances 2 --test 500 --lift 60 ";
  const Outcome table = attnlaw(options + "--html " + html);
  ASSERT_EQ(table.code, 0) << table.err;
  for (const char* word : {"emerges at n", "depth 2", "above the bulk", "below the bulk"})
    EXPECT_NE(table.out.find(word), std::string::npos) << word;
  EXPECT_NE(slurp(html).find("Learning curve"), std::string::npos);
  const Outcome one = attnlaw(options + "--format csv --threads 1"),
                two = attnlaw(options + "--format csv --threads 2");
  EXPECT_EQ(one.out, two.out);
  // A row for the two readouts of two draws at two n.
  std::size_t readouts = 0;
  for (std::size_t at = one.out.find("readout,"); at != std::string::npos; at = one.out.find("readout,", at + 1))
    ++readouts;
  EXPECT_EQ(readouts, 2U * 2 * 2);
}

TEST(LofiCommand, FindsTheFeaturesOfAFile) {
  const Scratch scratch;
  // y = x₁x₂ of a small generator of numbers that look Gaussian: sums of twelve uniform ones.
  std::uint64_t state = 1;
  const auto normal = [&] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      sum += static_cast<double>(state >> 11) / 9007199254740992.0;
    }
    return sum;
  };
  std::string text = "# eight features and the label\n";
  for (int mu = 0; mu < 1500; ++mu) {
    double x[8];
    for (double& value : x) value = normal();
    for (const double value : x) text += std::to_string(value) + ",";
    text += std::to_string(x[0] * x[1]) + "\n";
  }
  const auto path = scratch.write("data.csv", text);
  const Outcome outcome = attnlaw("lofi --data " + path.string() + " --lazy --published --lift 100 --format json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document["n"], 1200);
  ASSERT_EQ(document["layers"][0]["features"].size(), 2U);
  EXPECT_EQ(document["layers"][0]["features"][0]["kept"], "above the bulk");
  EXPECT_EQ(document["layers"][0]["features"][1]["kept"], "below the bulk");
  EXPECT_LT(document["readouts"][1]["test_error"], 0.1);
  EXPECT_EQ(document["readouts"].size(), 7U);
  EXPECT_EQ(document["layers"][0]["features"][0]["direction"].size(), 8U);
  const std::string html = (scratch / "report.html").string();
  const Outcome table = attnlaw("lofi --data " + path.string() + " --permutations 99 --lift 100 --html " + html);
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("x1 "), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("above the bulk"), std::string::npos) << table.out;
  const std::string page = slurp(html);
  for (const char* word : {"Layers", "Features kept", "permutations", "a direction is kept below"})
    EXPECT_NE(page.find(word), std::string::npos) << word;
  // The same rows as four tokens of two features.
  const Outcome tokens = attnlaw("lofi --data " + path.string() + " --tokens 4 --lift 50 --format json");
  ASSERT_EQ(tokens.code, 0) << tokens.err;
  EXPECT_EQ(json::parse(tokens.out)["features"], 2);
}

/// Labels that lie in one row are those that stand in a column; one sample is no number of samples.
TEST(LofiCommand, TakesLabelsThatLieInARow) {
  const Scratch scratch;
  std::vector<double> x(60 * 5), y(60);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<double>(i * i));
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[i] * x[i + 60];  // columns lie one after the other
  const std::string data = scratch.write("x.npy", base::npy_bytes(x, 60, 5)).string(),
                    column = scratch.write("column.npy", base::npy_bytes(y, 60, 1)).string(),
                    row = scratch.write("row.npy", base::npy_bytes(y, 1, 60)).string();
  const auto result = [&](const std::string& labels) {
    const Outcome outcome = attnlaw("lofi --lift 20 --format json --data " + data + " --labels " + labels);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out);
  };
  EXPECT_EQ(result(row)["layers"], result(column)["layers"]);
  const std::string single = scratch.write("single.npy", base::npy_bytes(y, 1, 60)).string();
  const Outcome refused = attnlaw("lofi --lift 20 --data " + single);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("12 samples or more"), std::string::npos) << refused.err;
}

TEST(LofiCommand, NamesWhatIsWrong) {
  const Scratch scratch;
  const auto bad = scratch.write("bad.npy", "no array"), ragged = scratch.write("ragged.csv", "1,2,3\n1,2\n");
  const std::pair<std::string, const char*> cases[] = {{"--target cube", "staircase:R,GAMMA"},
                                                       {"--target sine:2,1", "4 to"},
                                                       {"--d 10", "d must"},
                                                       {"--n 5", "10 or more"},
                                                       {"--n x", "--n"},
                                                       {"--instances -1", "instances must"},
                                                       {"--significance 0", "significance"},
                                                       {"--significance 2", "significance"},
                                                       {"--permutations 3", "99"},
                                                       {"--lift 0", "lift"},
                                                       {"--clip 1", "--data"},
                                                       {"--labels x", "--data"},
                                                       {"--tokens 2", "--data"},
                                                       {"--data " + ragged.string() + " --tokens 0", "tokens must"},
                                                       {"--target attention:0", "BETA"},
                                                       {"--patches 2", "--published"},
                                                       {"--data " + bad.string(), "NUMPY"},
                                                       {"--data " + ragged.string(), "ragged.csv:2"},
                                                       {"--data " + ragged.string() + " --d 3", "excludes"}};
  for (const auto& [options, message] : cases) {
    const Outcome outcome = attnlaw("lofi " + options);
    EXPECT_EQ(outcome.code, 2) << options << outcome.err;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << options << ": " << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  EXPECT_EQ(attnlaw("lofi --data " + (scratch / "none.npy").string()).code, 1);
}

}  // namespace
}  // namespace attnlaw::test
