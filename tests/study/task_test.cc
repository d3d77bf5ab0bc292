#include "attnlaw/study/task.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/study/outcome.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::study {
namespace {

model::Problem linear_problem(double alpha = 0.5) {
  model::Problem problem;
  problem.head = model::Head::linear;
  problem.alpha = alpha;
  problem.lambda = 0.05;
  return problem;
}

Task theory_task(double alpha = 0.5) {
  Task task;
  task.problem = linear_problem(alpha);
  return task;
}

Task experiment_task(int d = 20) {
  Task task;
  task.kind = TaskKind::experiment;
  task.problem = linear_problem();
  task.experiment.d = d;
  task.experiment.instances = 1;
  task.experiment.first_instance = 3;
  task.experiment.seed = 7;
  return task;
}

Task scaling_task() {
  Task task;
  task.kind = TaskKind::scaling;
  task.problem = linear_problem();
  task.problem.target = model::Target::parse("powerlaw:1.25,50");
  task.problem.noise = 0.1;
  task.n = {1e3, 1e4, 1e5};
  return task;
}

Task thresholds_task() {
  Task task;
  task.kind = TaskKind::thresholds;
  task.problem = linear_problem();
  return task;
}

std::vector<Task> one_of_each() { return {theory_task(), experiment_task(), thresholds_task(), scaling_task()}; }

TEST(Task, IsItsDocument) {
  for (const Task& task : one_of_each()) EXPECT_EQ(to_json(task_from_json(to_json(task))), to_json(task));
}

TEST(Task, DocumentsThatAreNoneAreRefused) {
  nlohmann::json document = to_json(experiment_task());
  document["experiment"].erase("d");
  EXPECT_THROW(task_from_json(document), std::invalid_argument);
  EXPECT_THROW(task_from_json({{"kind", "guess"}}), std::invalid_argument);
}

TEST(Task, KeyTellsApartWhateverChangesTheResult) {
  std::vector<Task> tasks = one_of_each();
  tasks.push_back(theory_task(0.6));
  tasks.push_back(theory_task());
  tasks.back().accuracy = 1e-4;
  tasks.push_back(theory_task());
  tasks.back().continued = true;
  tasks.push_back(theory_task());
  tasks.back().density = true;
  tasks.push_back(experiment_task(21));
  tasks.push_back(experiment_task());
  tasks.back().experiment.first_instance = 4;
  tasks.push_back(experiment_task());
  tasks.back().experiment.seed = 8;
  tasks.push_back(experiment_task());
  tasks.back().experiment.trainer = experiment::Trainer::fista;
  tasks.push_back(experiment_task());
  tasks.back().experiment.initialisation = experiment::Initialisation::spectral;
  std::set<std::string> keys;
  for (const Task& task : tasks) keys.insert(key(task, "code"));
  EXPECT_EQ(keys.size(), tasks.size());
  EXPECT_NE(key(tasks[0], "code"), key(tasks[0], "other code"));
  EXPECT_NE(key(tasks[0], "code"), key(tasks[0], "code", "what it follows"));
  EXPECT_EQ(key(tasks[0], "code").size(), 32U);
}

/// Stores of before there was a choice.
TEST(Task, WithoutAnInitialisationStartsAsTrainersDo) {
  nlohmann::json document = to_json(experiment_task());
  document["experiment"].erase("init");
  EXPECT_EQ(to_json(task_from_json(document)), to_json(experiment_task()));
}

TEST(Task, KeyLeavesOutWhatDoesNotMatter) {
  Task a = experiment_task(), b = experiment_task();
  b.experiment.threads = 2;
  EXPECT_EQ(key(a, ""), key(b, ""));
  a = thresholds_task(), b = thresholds_task();
  b.problem.alpha = 2;
  b.problem.lambda = 0.3;
  EXPECT_EQ(key(a, ""), key(b, ""));
}

TEST(Task, KeyOfATargetFromAFileIsThatOfItsEigenvalues) {
  const auto path = std::filesystem::path(testing::TempDir()) / "attnlaw_task_target.txt";
  const auto key_of = [](const std::filesystem::path& file, const char* eigenvalues) {
    std::ofstream(file) << eigenvalues;
    Task task = theory_task();
    task.problem.target = model::Target::parse("file:" + file.string());
    return key(task, "");
  };
  const std::string first = key_of(path, "1\n2\n");
  EXPECT_EQ(key_of(path.string() + "2", "1\n2\n"), first);
  EXPECT_NE(key_of(path, "1\n3\n"), first);
}

TEST(Outcome, SurvivesPacking) {
  Outcome outcome;
  outcome.status = Outcome::Status::unconverged;
  outcome.error = "ü";
  outcome.figures = {{"q", 0.1}, {"none", nullptr}};
  outcome.arrays = {{"eigenvalues", {1.0 / 3, std::numeric_limits<double>::quiet_NaN(), -0.0}}, {"empty", {}}};
  outcome.seconds = 0.25;
  const Outcome copy = unpack(pack(outcome));
  EXPECT_EQ(copy.status, outcome.status);
  EXPECT_EQ(copy.error, outcome.error);
  EXPECT_EQ(copy.figures, outcome.figures);
  EXPECT_EQ(copy.seconds, outcome.seconds);
  ASSERT_NE(copy.array("eigenvalues"), nullptr);
  EXPECT_EQ(copy.array("eigenvalues")->at(0), 1.0 / 3);
  EXPECT_TRUE(std::isnan(copy.array("eigenvalues")->at(1)));
  EXPECT_TRUE(std::signbit(copy.array("eigenvalues")->at(2)));
  EXPECT_TRUE(copy.array("empty")->empty());
  EXPECT_EQ(copy.array("density"), nullptr);
  EXPECT_THROW(unpack("not an outcome"), std::invalid_argument);
}

TEST(Perform, TheoryIsThatOfSolve) {
  Task task = theory_task();
  task.density = true;
  const Outcome outcome = perform(task, nullptr, 1);
  const theory::Solution solution = theory::solve(task.problem);
  EXPECT_EQ(outcome.status, Outcome::Status::converged);
  EXPECT_EQ(outcome.figures["errors"]["test"], solution.errors.test);
  EXPECT_EQ(outcome.figures["lambda"], task.problem.lambda);
  EXPECT_FALSE(outcome.figures["diagnostics"].contains("seconds"));
  EXPECT_EQ(*outcome.array("s"), theory::TrainedLaw(solution, task.problem.target.spectrum()).density().s);
}

TEST(Perform, ContinuedTheoryStartsFromItsNeighbourAndAgreesWithAColdStart) {
  const Outcome neighbour = perform(theory_task(0.45), nullptr, 1);
  Task task = theory_task(0.5);
  const Outcome cold = perform(task, nullptr, 1);
  task.continued = true;
  const Outcome warm = perform(task, &neighbour, 1);
  EXPECT_LT(warm.figures["diagnostics"]["iterations"], cold.figures["diagnostics"]["iterations"]);
  const double expected = cold.figures["errors"]["test"];
  EXPECT_NEAR(warm.figures["errors"]["test"], expected, 1e-8 * expected);
  EXPECT_EQ(perform(task, nullptr, 1).figures, cold.figures) << "without a neighbour it is the cold start";
}

TEST(Perform, ExperimentIsTheInstanceOfThatNumberOnAnyNumberOfThreads) {
  const Task task = experiment_task();
  const Outcome outcome = perform(task, nullptr, 1);
  ASSERT_EQ(outcome.status, Outcome::Status::converged) << outcome.error;
  experiment::Options all = task.experiment;
  all.first_instance = 0;
  all.instances = 4;
  const experiment::Instance instance = experiment::run(task.problem, all).instances[3];
  EXPECT_EQ(outcome.figures["test"], instance.test);
  EXPECT_EQ(*outcome.array("eigenvalues"), instance.eigenvalues);
  const auto own = theory::solve(task.problem, matrix_laws::Spectrum::from_eigenvalues(instance.target_eigenvalues));
  EXPECT_EQ(outcome.figures["theory"]["estimation"], own.errors.estimation);
  EXPECT_EQ(perform(task, nullptr, 2).figures, outcome.figures);
}

TEST(Perform, ExperimentTrainsWithTheLambdaThatTheTheoryFound) {
  for (const auto rule : {model::LambdaRule::optimal, model::LambdaRule::edge}) {
    Task theory = theory_task();
    theory.problem.noise = 0.5;
    theory.problem.lambda_rule = rule;
    const Outcome found = perform(theory, nullptr, 1);
    Task task = experiment_task();
    task.problem = theory.problem;
    const Outcome outcome = perform(task, &found, 1);
    ASSERT_EQ(outcome.status, Outcome::Status::converged) << outcome.error;
    EXPECT_EQ(outcome.figures["lambda"], found.figures["lambda"]);
    EXPECT_GT(outcome.figures["lambda"], 0.0);
    EXPECT_EQ(perform(task, nullptr, 1).status, Outcome::Status::failed);
  }
}

TEST(Perform, GampLeavesItsTrajectory) {
  Task task = experiment_task();
  task.experiment.trainer = experiment::Trainer::gamp;
  const Outcome outcome = perform(task, nullptr, 1);
  ASSERT_NE(outcome.array("trajectory_estimation"), nullptr);
  EXPECT_EQ(outcome.array("trajectory_q")->size(), outcome.figures["iterations"].get<std::size_t>());
  EXPECT_FALSE(outcome.figures.contains("trajectory"));
}

TEST(Perform, AFailureIsAnOutcomeWithItsReason) {
  Task task = experiment_task();
  task.problem.lambda_rule = model::LambdaRule::ridgeless;
  const Outcome outcome = perform(task, nullptr, 1);
  EXPECT_EQ(outcome.status, Outcome::Status::failed);
  EXPECT_NE(outcome.error.find("lambda"), std::string::npos);
  EXPECT_EQ(message(outcome), outcome.error);
  EXPECT_TRUE(outcome.figures.is_null());
}

TEST(Perform, AnUnconvergedTrainerSaysSo) {
  Task task = experiment_task();
  task.experiment.max_iterations = 1;
  const Outcome outcome = perform(task, nullptr, 1);
  EXPECT_EQ(outcome.status, Outcome::Status::unconverged);
  EXPECT_NE(message(outcome).find("tolerance"), std::string::npos);
}

TEST(Perform, ThresholdsAndScalingAreThoseOfTheirFunctions) {
  const Outcome thresholds = perform(thresholds_task(), nullptr, 1);
  EXPECT_GT(thresholds.figures["recovery"]["alpha"], 0.0);
  const Outcome scaling = perform(scaling_task(), nullptr, 2);
  ASSERT_EQ(scaling.status, Outcome::Status::converged) << scaling.error;
  EXPECT_EQ(scaling.figures["points"].size(), 3U);
}

}  // namespace
}  // namespace attnlaw::study
