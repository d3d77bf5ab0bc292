#include "attnlaw/study/phase_diagram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/grid.h"
#include "attnlaw/study/run/runner.h"
#include "attnlaw/theory/solve.h"
#include "scratch.h"

namespace attnlaw::study {
namespace {

model::Problem linear_problem() {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.lambda = 0.05;
  return problem;
}

constexpr double kAccuracy = 1e-3;

PhaseDiagram diagram_over(DiagramVariable variable, const std::vector<double>& values,
                          const std::vector<double>& alphas, const model::Problem& problem = linear_problem(),
                          int threads = 1) {
  const Plane plane{problem, variable, values, alphas};
  const Study study = diagram_study(plane, kAccuracy);
  Store store(study.name, Store::Access::memory);
  RunOptions options;
  options.threads = threads;
  run(study, store, options);
  return phase_diagram(plane, outcomes(study, store));
}

TEST(PhaseDiagram, NeighboursLeadToTheSolutionsOfThePointsAlone) {
  const std::vector<double> kappas = grid(0.2, 0.8, 3, Spacing::linear);
  const std::vector<double> alphas = grid(0.05, 1, 8, Spacing::geometric);
  const PhaseDiagram diagram = diagram_over(DiagramVariable::kappa, kappas, alphas, linear_problem(), 2);
  ASSERT_EQ(diagram.points.size(), 24u);
  EXPECT_EQ(diagram.unconverged, 0);
  for (std::size_t i = 0; i < kappas.size(); ++i)
    for (const std::size_t k : {2, 7}) {
      model::Problem problem = linear_problem();
      problem.alpha = alphas[k];
      problem.target = model::Target::parse("wishart:" + std::to_string(kappas[i]));
      EXPECT_NEAR(diagram.at(i, k).test, theory::solve(problem).errors.test, 1e-6);
    }
  // A richer target takes more data.
  EXPECT_LT(diagram.lines[0].recovery->alpha, diagram.lines[2].recovery->alpha);
}

TEST(PhaseDiagram, SameBitsOnAnyNumberOfThreads) {
  const std::vector<double> noises = grid(0, 1, 3, Spacing::linear), alphas = grid(0.1, 1, 4, Spacing::geometric);
  const auto one = diagram_over(DiagramVariable::noise, noises, alphas);
  const auto three = diagram_over(DiagramVariable::noise, noises, alphas, linear_problem(), 3);
  EXPECT_EQ(base::json_of(one), base::json_of(three));
  EXPECT_TRUE(one.lines[0].recovery.has_value());
  EXPECT_FALSE(one.lines[1].recovery.has_value()) << "noisy labels";
  EXPECT_TRUE(one.lines[1].interpolation.has_value());
}

/// What an interruption left in the store leads to the same bits: a row goes on from the neighbour that was stored.
TEST(PhaseDiagram, IsTheSameAfterAnInterruption) {
  const Plane plane{linear_problem(), DiagramVariable::noise, grid(0.1, 1, 3, Spacing::linear),
                    grid(0.1, 1, 5, Spacing::geometric)};
  const Study study = diagram_study(plane, kAccuracy);
  ASSERT_EQ(study.tasks.size(), 15u);
  const test::Scratch scratch;
  const std::string path = scratch / "diagram.sqlite";
  Study first = study;
  first.tasks.resize(8);
  first.parts.front().entries.resize(8);
  {
    Store store(path);
    run(first, store, {});
    const PhaseDiagram known = phase_diagram(plane, outcomes(study, store));
    EXPECT_EQ(known.left, 7);
    EXPECT_EQ(known.unconverged, 0);
    EXPECT_TRUE(known.at(1, 2).converged);
    EXPECT_TRUE(std::isnan(known.at(1, 3).test));
  }
  Store store(path);
  EXPECT_EQ(run(study, store, {}).reused, 8u);
  EXPECT_EQ(base::json_of(phase_diagram(plane, outcomes(study, store))),
            base::json_of(diagram_over(plane.variable, plane.values, plane.alphas)));
}

TEST(PhaseDiagram, EveryPointHasItsReplicon) {
  const std::vector<double> noises = grid(0, 1, 2, Spacing::linear), alphas = grid(0.1, 1, 3, Spacing::geometric);
  const PhaseDiagram diagram = diagram_over(DiagramVariable::noise, noises, alphas);
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
    const PhaseDiagram diagram = diagram_over(DiagramVariable::noise, noises, alphas, problem);
    EXPECT_EQ(diagram.unconverged, 0);
    EXPECT_FALSE(diagram.lines[0].recovery.has_value());
    EXPECT_EQ(diagram.lines[0].bayes_recovery, thresholds(linear_problem()).bayes_recovery);
    EXPECT_FALSE(diagram.lines[1].bayes_recovery.has_value()) << "noisy labels";
  }
}

TEST(PhaseDiagram, OverKappaNeedsAWishartTarget) {
  model::Problem problem = linear_problem();
  problem.target = model::Target::parse("spikes:10,1");
  const std::vector<double> values{0.1, 0.2};
  EXPECT_THROW(diagram_study({problem, DiagramVariable::kappa, values, values}, kAccuracy), std::invalid_argument);
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
