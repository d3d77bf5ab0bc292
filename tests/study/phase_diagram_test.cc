#include "attnlaw/study/phase_diagram.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/grid.h"

namespace attnlaw::study {
namespace {

model::Problem linear_problem() {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.lambda = 0.05;
  return problem;
}

TEST(PhaseDiagram, NeighboursLeadToTheSolutionsOfThePointsAlone) {
  const std::vector<double> kappas = grid(0.2, 0.8, 3, Spacing::linear);
  const std::vector<double> alphas = grid(0.05, 1, 8, Spacing::geometric);
  const PhaseDiagram diagram = phase_diagram(linear_problem(), DiagramVariable::kappa, kappas, alphas, {}, 2);
  ASSERT_EQ(diagram.points.size(), 24u);
  EXPECT_EQ(diagram.failed, 0);
  for (std::size_t i = 0; i < kappas.size(); ++i)
    for (const std::size_t k : {2, 7}) {
      model::Problem problem = linear_problem();
      problem.alpha = alphas[k];
      problem.target = model::Target::parse("wishart:" + std::to_string(kappas[i]));
      EXPECT_NEAR(diagram.at(i, k).errors.test, theory::solve(problem).errors.test, 1e-6);
    }
  // A richer target takes more data.
  EXPECT_LT(diagram.lines[0].recovery->alpha, diagram.lines[2].recovery->alpha);
}

TEST(PhaseDiagram, SameBitsOnAnyNumberOfThreads) {
  const std::vector<double> noises = grid(0, 1, 3, Spacing::linear), alphas = grid(0.1, 1, 4, Spacing::geometric);
  const auto one = phase_diagram(linear_problem(), DiagramVariable::noise, noises, alphas, {}, 1);
  const auto three = phase_diagram(linear_problem(), DiagramVariable::noise, noises, alphas, {}, 3);
  EXPECT_EQ(base::json_of(one), base::json_of(three));
  EXPECT_TRUE(one.lines[0].recovery.has_value());
  EXPECT_FALSE(one.lines[1].recovery.has_value()) << "noisy labels";
  EXPECT_TRUE(one.lines[1].interpolation.has_value());
}

TEST(PhaseDiagram, EveryPointHasItsReplicon) {
  const std::vector<double> noises = grid(0, 1, 2, Spacing::linear), alphas = grid(0.1, 1, 3, Spacing::geometric);
  const PhaseDiagram diagram = phase_diagram(linear_problem(), DiagramVariable::noise, noises, alphas, {}, 1);
  model::Problem problem = linear_problem();
  problem.alpha = 1;
  EXPECT_NEAR(diagram.at(0, 2).replicon, theory::solve(problem).diagnostics.replicon, 1e-4);
  EXPECT_EQ(base::json_of(diagram)["replicon"].size(), 2u);
}

TEST(PhaseDiagram, TakesAnyStudent) {
  const std::vector<double> noises = grid(0, 1, 2, Spacing::linear), alphas = grid(0.1, 1, 3, Spacing::geometric);
  for (const model::Student student : {model::Student::direct_general, model::Student::bayes}) {
    model::Problem problem = linear_problem();
    problem.student = student;
    if (student == model::Student::bayes) problem.lambda_rule = model::LambdaRule::none;
    const PhaseDiagram diagram = phase_diagram(problem, DiagramVariable::noise, noises, alphas, {}, 1);
    EXPECT_EQ(diagram.failed, 0);
    EXPECT_FALSE(diagram.lines[0].recovery.has_value());
    EXPECT_EQ(diagram.lines[0].bayes_recovery, thresholds(linear_problem()).bayes_recovery);
    EXPECT_FALSE(diagram.lines[1].bayes_recovery.has_value()) << "noisy labels";
  }
}

TEST(PhaseDiagram, OverKappaNeedsAWishartTarget) {
  model::Problem problem = linear_problem();
  problem.target = model::Target::parse("spikes:10,1");
  const std::vector<double> values{0.1, 0.2};
  EXPECT_THROW(phase_diagram(problem, DiagramVariable::kappa, values, values, {}, 1), std::invalid_argument);
}

TEST(Thresholds, AgreeWithTheTheoryAndSayWhy) {
  const Thresholds clean = thresholds(linear_problem());
  EXPECT_EQ(clean.observed_scores, 3);
  EXPECT_EQ(clean.recovery->alpha, theory::recovery(linear_problem(), linear_problem().target.spectrum())->alpha);
  EXPECT_FALSE(clean.interpolation.has_value());
  EXPECT_FALSE(clean.no_interpolation.empty());
  model::Problem narrow = linear_problem();
  narrow.width = 0.2;
  EXPECT_FALSE(thresholds(narrow).recovery.has_value());
  EXPECT_NE(thresholds(narrow).no_recovery.find("0.2"), std::string::npos);
  model::Problem hard = linear_problem();
  hard.student = model::Student::bayes;
  hard.head = model::Head::hardmax;
  EXPECT_FALSE(thresholds(hard).bayes_recovery.has_value());
  EXPECT_FALSE(thresholds(hard).no_bayes_recovery.empty());
}

}  // namespace
}  // namespace attnlaw::study
