#include "attnlaw/study/run/cost.h"

#include <gtest/gtest.h>

#include <ctime>
#include <numeric>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/study/file/study_file.h"

namespace attnlaw::study {
namespace {

Study parse(const std::string& text) { return parse_study(text, "cost.toml"); }

const std::string kPoint = "[problem]\nalpha = 0.3\nlambda = 0.05\n";

double work_of(const std::string& text) { return estimated_seconds(parse(text).tasks.back().task); }

double seconds_of(const std::vector<Cost>& costs) {
  return std::accumulate(costs.begin(), costs.end(), 0.0,
                         [](double sum, const Cost& cost) { return sum + cost.seconds; });
}

/// The time of this thread: other tests may take their share of the machine meanwhile.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

TEST(RelativeWork, GrowsWithWhatTakesLonger) {
  const auto experiment = [](const std::string& options) {
    return work_of("theory = false\nexperiment = {instances = 1, " + options + "}\n" + kPoint);
  };
  EXPECT_GT(experiment("d = 100"), 3 * experiment("d = 60"));
  EXPECT_GT(experiment("d = 100, precision = 'double'"), experiment("d = 100"));
  EXPECT_GT(experiment("d = 100, trainer = 'adam'"), experiment("d = 100"));
  EXPECT_GT(work_of("accuracy = 1e-4\n" + kPoint), work_of(kPoint));
  EXPECT_GT(work_of(kPoint + "tokens = 3\n"), work_of(kPoint));
  EXPECT_GT(work_of(kPoint), work_of(kPoint + "head = 'linear'\n"));
  EXPECT_GT(work_of("[problem]\nalpha = 0.3\nlambda = 'optimal'\n"), work_of(kPoint));
  EXPECT_GT(work_of(kPoint + "head = 'linear'\ntarget = 'powerlaw:1,2000'\n"),
            work_of(kPoint + "head = 'linear'\ntarget = 'powerlaw:1,100'\n"));
  EXPECT_GT(work_of(kPoint), work_of("axes = [{alpha = [0.3, 0.31]}]\n" + kPoint));  // continued
}

TEST(RelativeWork, IsThatOfTheProductsAtLargeDimension) {
  const auto work = [](int d) {
    return work_of("theory = false\nexperiment = {instances = 1, d = " + std::to_string(d) + "}\n" + kPoint);
  };
  EXPECT_NEAR(work(8000) / work(4000), 16, 1);  // n T d² with n = α d²; drawing n T d numbers counts less and less
}

TEST(Cost, HasAPositiveTimeForEveryTaskAndTheMemoryOfExperiments) {
  const Study study = parse(
      "theory = true\nthresholds = true\nexperiment = {d = [20, 30], instances = 3}\n"
      "axes = [{alpha = [0.1, 0.2, 0.4]}]\n[problem]\nhead = 'linear'\nlambda = 0.1\n");
  const std::vector<Cost> costs = estimate_costs(study, 1);
  ASSERT_EQ(costs.size(), study.tasks.size());
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const Task& task = study.tasks[i].task;
    EXPECT_GT(costs[i].seconds, 0);
    EXPECT_EQ(costs[i].bytes,
              task.kind == TaskKind::experiment ? experiment::bytes_needed(task.problem, task.experiment) : 0);
  }
}

TEST(Cost, TakesAboutItsBudgetHoweverLargeTheStudy) {
  const Study study = parse(
      "accuracy = 1e-5\ntheory = true\nexperiment = {d = [100, 1000], instances = 64, trainer = 'adam'}\n"
      "axes = [{tokens = [2, 3, 4]}, {alpha = {from = 0.05, to = 2, count = 40, spacing = 'log'}}]\n" +
      kPoint);
  const double begin = processor_seconds();
  const double seconds = seconds_of(estimate_costs(study, 1));
  EXPECT_GT(seconds, 3600);
  EXPECT_LT(processor_seconds() - begin, 3);
}

TEST(Cost, ExperimentsAtOptimalLambdaAndOfDiscreteTargetsCanBeSampled) {
  const Study study = parse(
      "theory = false\nexperiment = {d = [200], instances = 2}\n[problem]\nhead = 'linear'\nalpha = 0.3\n"
      "noise = 0.2\nlambda = 'optimal'\ntarget = 'powerlaw:1.25,100'\n");
  const std::vector<Cost> costs = estimate_costs(study, 1);
  ASSERT_EQ(costs.size(), 3u);
  EXPECT_GT(costs[1].seconds, costs[0].seconds);
}

TEST(Cost, IsWithinAFactorOfTwoOfAStudyOfExperiments) {
  const Study study = parse(
      "theory = false\nexperiment = {d = [64, 80], instances = 1}\naxes = [{alpha = [0.1, 0.3]}]\n"
      "[problem]\nhead = 'linear'\nlambda = 0.05\n");
  const double estimated = seconds_of(estimate_costs(study, 1)), begin = processor_seconds();
  for (const PlannedTask& planned : study.tasks) perform(planned.task, nullptr, 1);
  const double actual = processor_seconds() - begin;
  EXPECT_GT(estimated, actual / 2);
  EXPECT_LT(estimated, actual * 2);
}

}  // namespace
}  // namespace attnlaw::study
