/// What the page asks of the library, natively: the same functions as in WebAssembly.

#include "core/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/base/file.h"
#include "attnlaw/laws/in_context/penalty.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/solve.h"
#include "core/alternatives.h"

namespace attnlaw::explorer {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json ask(const json& question) { return json::parse(answer(question.dump())); }

TEST(Answer, SolvesAsTheLibraryDoes) {
  const json problem = {{"alpha", 0.3}, {"lambda", 0.05}, {"head", "linear"}, {"noise", 0.1}};
  const json found = ask({{"ask", "solve"}, {"problem", problem}, {"spectrum", true}});
  const theory::Solution solution = theory::solve(model::problem_from_json(problem));
  EXPECT_EQ(found["errors"]["test"], solution.errors.test);
  EXPECT_EQ(found["start"]["q"], solution.overlaps.q);
  EXPECT_EQ(found["spectrum"]["zero_mass"], solution.spectrum.zero_mass);
}

TEST(Answer, DensitiesHaveTheMassBesideTheirAtoms) {
  const json found = ask({{"ask", "solve"},
                          {"spectrum", true},
                          {"problem", {{"alpha", 0.5}, {"lambda", 0.02}, {"head", "linear"}, {"noise", 0.1}}}});
  const auto mass = [](const json& curve) {
    double sum = 0;
    for (std::size_t i = 1; i < curve["s"].size(); ++i)
      sum += (curve["s"][i].get<double>() - curve["s"][i - 1].get<double>()) *
             (curve["density"][i].get<double>() + curve["density"][i - 1].get<double>()) / 2;
    return sum;
  };
  EXPECT_NEAR(mass(found["density"]), 1 - found["spectrum"]["zero_mass"].get<double>(), 0.02);
  EXPECT_NEAR(mass(found["weights"]), 1 - found["spectrum"]["zero_mass"].get<double>(), 0.02);
  EXPECT_NEAR(mass(found["target"]) + found["target"]["atoms"][0][1].get<double>(), 1, 0.02);
}

TEST(Answer, SingularValuesOfAWeightAreRootsOfEigenvalues) {
  const json problem = {{"alpha", 2},   {"lambda", 0.1}, {"head", "linear"},          {"tokens", 1},
                        {"noise", 0.1}, {"width", 0.25}, {"target", "spikes:200,6,4"}};
  json question = {{"ask", "solve"}, {"spectrum", true}, {"problem", problem}};
  const json found = ask(question);
  const auto& outliers = found["spectrum"]["outliers"];
  ASSERT_EQ(outliers.size(), 2u);
  // W W^T/√(m_h d) = S, and a quarter of d rows: σ² = s/2 in units of d.
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_DOUBLE_EQ(std::pow(found["weights"]["outliers"][i].get<double>(), 2),
                     outliers[i]["eigenvalue"].get<double>() / 2);
  question["problem"]["student"] = "direct";
  question["problem"].erase("width");
  EXPECT_FALSE(ask(question).contains("weights"));
}

TEST(Answer, StartsFromANeighbour) {
  json question = {{"ask", "solve"}, {"problem", {{"alpha", 0.3}, {"lambda", 0.05}, {"head", "linear"}}}};
  const json cold = ask(question);
  question["problem"]["alpha"] = 0.301;
  const json far = ask(question);
  question["start"] = cold["start"];
  const json near = ask(question);
  EXPECT_LT(near["diagnostics"]["iterations"], far["diagnostics"]["iterations"]);
  EXPECT_NEAR(near["errors"]["test"].get<double>(), far["errors"]["test"].get<double>(),
              1e-7 * far["errors"]["test"].get<double>());
}

/// A curve asked for at once has the points that are asked for one by one, and a start for each of its neighbours.
TEST(Answer, SolvesAlongAnOption) {
  const json problem = {{"alpha", 1}, {"lambda", 0.05}, {"head", "linear"}, {"noise", 0.1}};
  const json points =
      ask({{"ask", "solve"}, {"problem", problem}, {"along", "alpha"}, {"values", {0.1, -1.0, 2.0}}})["points"];
  ASSERT_EQ(points.size(), 3u);
  json single = {{"ask", "solve"}, {"problem", problem}};
  for (const std::size_t i : {0, 2}) {
    single["problem"]["alpha"] = i == 0 ? 0.1 : 2.0;
    const json alone = ask(single);
    EXPECT_EQ(points[i]["errors"], alone["errors"]);
    EXPECT_EQ(points[i]["start"], alone["start"]);
    EXPECT_EQ(points[i]["replicon"], alone["diagnostics"]["replicon"]);
    EXPECT_EQ(points[i]["converged"], true);
  }
  EXPECT_THAT(points[1]["error"], HasSubstr("alpha"));
  const json near = ask({{"ask", "solve"},
                         {"problem", problem},
                         {"along", "alpha"},
                         {"values", {0.1, 2.01}},
                         {"starts", {nullptr, points[2]["start"]}}})["points"];
  EXPECT_EQ(near[0], points[0]);
  EXPECT_NEAR(near[1]["errors"]["test"].get<double>(), points[2]["errors"]["test"].get<double>(), 1e-2);
}

/// What the page asks of in-context regression is the law itself, at a point and along each of its options.
TEST(Answer, RegressesInContextAsTheLaw) {
  laws::InContextModel model;
  model.context = 10;
  model.tasks = 0.5;
  model.sequences = 3;
  model.noise = 0.1;
  model.lambda = 0.01;
  const laws::InContextPrediction prediction = laws::predict_in_context(model);
  json question = {{"ask", "in_context"},
                   {"problem", {{"context", 10}, {"tasks", 0.5}, {"sequences", 3}, {"noise", 0.1}, {"lambda", 0.01}}}};
  const json point = ask(question);
  EXPECT_EQ(point["new_tasks"], prediction.new_tasks);
  EXPECT_EQ(point["baselines"]["ridge"], prediction.baselines.ridge);
  // A density of the singular values has the mass 1.
  const auto& [x, density] = std::pair(point["density"]["x"], point["density"]["density"]);
  double mass = 0;
  for (std::size_t i = 1; i < x.size(); ++i)
    mass +=
        (x[i].get<double>() - x[i - 1].get<double>()) * (density[i].get<double>() + density[i - 1].get<double>()) / 2;
  EXPECT_NEAR(mass, 1, 0.01);

  question["along"] = "tasks";
  question["values"] = {0.1, 0.5, 10};
  const json points = ask(question)["points"];
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[1]["new_tasks"], prediction.new_tasks);
  EXPECT_GT(points[0]["new_tasks"], points[2]["new_tasks"]);

  question["problem"]["lambda"] = "optimal";
  for (const json& best : ask(question)["points"]) {
    model.tasks = best["value"];
    EXPECT_LE(best["new_tasks"].get<double>(), laws::predict_in_context(model).new_tasks) << best;
  }
  question["problem"]["lambda"] = "best";
  EXPECT_THAT(ask(question)["error"].get<std::string>(), HasSubstr("lambda takes numbers, 0+, optimal"));
}

TEST(Answer, SaysWhatIsWrong) {
  EXPECT_THAT(ask({{"ask", "solve"}, {"problem", {{"alpha", -1}, {"lambda", 1}}}})["error"].get<std::string>(),
              HasSubstr("alpha"));
  EXPECT_THAT(ask({{"ask", "solv"}})["error"].get<std::string>(), HasSubstr("got 'solv'"));
  EXPECT_THAT(ask({{"problm", 1}})["error"].get<std::string>(), HasSubstr("problm"));
  EXPECT_TRUE(json::parse(answer("{")).contains("error"));
  EXPECT_TRUE(json::parse(answer("[1]")).contains("error"));
}

TEST(Alternatives, LeaveOutDefaultsAndKeepWhatIsRequired) {
  const json found =
      alternatives({{"alpha", 0.3}, {"lambda", 0.05}, {"head", "softmax"}, {"tokens", 2}, {"noise", 0.5}});
  EXPECT_EQ(found["problem"], json({{"alpha", 0.3}, {"lambda", 0.05}, {"noise", 0.5}}));
  EXPECT_EQ(found["full"]["head"], "softmax");
  // Labels of signs have a head, a readout and a loss of their own.
  EXPECT_EQ(alternatives({{"alpha", 1}, {"lambda", 0.1}, {"labels", "sign"}})["problem"],
            json({{"alpha", 1}, {"lambda", 0.1}, {"labels", "sign"}}));
}

TEST(Alternatives, EveryOfferIsAProblemAndEveryRefusalHasAReason) {
  for (const json& problem : {json{{"alpha", 0.3}, {"lambda", 0.05}}, json{{"alpha", 1}, {"student", "bayes"}},
                              json{{"alpha", 1}, {"lambda", 0.1}, {"attention", "cross"}, {"head", "linear"}}}) {
    const json found = alternatives(problem);
    int offered = 0, refused = 0;
    for (const auto& [field, choices] : found["choices"].items())
      for (const auto& [choice, tried] : choices.items()) {
        if (tried.contains("problem")) {
          ++offered;
          EXPECT_NO_THROW(model::problem_from_json(tried["problem"])) << field << " " << choice;
        } else {
          ++refused;
          EXPECT_NE(tried["refused"].get<std::string>(), "") << field << " " << choice;
        }
      }
    EXPECT_GT(offered, 10);
    EXPECT_GT(refused, 3);
  }
}

TEST(Alternatives, TakeAlongWhatFollows) {
  const json found = alternatives({{"alpha", 0.3}, {"lambda", 0.05}, {"target", "wishart:0.2"}, {"tokens", 3}});
  // Another attention starts from its own tokens and target, the posterior mean has no penalty.
  EXPECT_TRUE(found["choices"]["attention"]["cross"].contains("problem"));
  EXPECT_FALSE(found["choices"]["student"]["bayes"]["problem"].contains("lambda"));
  EXPECT_THAT(found["choices"]["head"]["hardmax"]["refused"].get<std::string>(), HasSubstr("student bayes only"));
  EXPECT_TRUE(alternatives({{"alpha", 1}, {"student", "bayes"}})["choices"]["student"]["tied"].contains("problem"));
}

TEST(Alternatives, NumbersThatCannotChangeSayWhy) {
  const json linear = alternatives({{"alpha", 0.3}, {"lambda", 0.05}, {"head", "linear"}});
  EXPECT_THAT(linear["refused"]["beta"].get<std::string>(), HasSubstr("linear"));
  EXPECT_FALSE(linear["refused"].contains("noise"));
  EXPECT_FALSE(alternatives({{"alpha", 0.3}, {"lambda", 0.05}})["refused"].contains("beta"));
  EXPECT_TRUE(alternatives({{"alpha", 0.3}, {"lambda", 0.05}})["together"].empty());
  // Bayes knows β of the target: the two move as one.
  const json bayes = alternatives({{"alpha", 0.3}, {"student", "bayes"}});
  EXPECT_EQ(bayes["together"], json({{"beta", {"target_beta"}}, {"target_beta", {"beta"}}}));
  EXPECT_FALSE(bayes["refused"].contains("beta"));
  EXPECT_NO_THROW(alternatives({{"alpha", 0.3}, {"student", "bayes"}, {"beta", 2}, {"target_beta", 2}}));
}

}  // namespace
}  // namespace attnlaw::explorer
