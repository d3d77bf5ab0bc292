#include "attnlaw/study/file/study_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "attnlaw/base/file.h"
#include "attnlaw/study/grid.h"

namespace attnlaw::study {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Study parse(const std::string& text, bool fast = false) { return parse_study(text, "curve.toml", {fast}); }

/// The message that a study file is refused with.
std::string refusal(const std::string& text, bool fast = false) {
  try {
    parse(text, fast);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

const std::string kPoint = "[problem]\nalpha = 0.3\nlambda = 0.05\n";
const std::string kLinear = "[problem]\nhead = 'linear'\nalpha = 0.3\nlambda = 0.05\n";

const Task& task(const Study& study, std::size_t part, std::size_t entry) {
  return study.tasks[study.parts.at(part).entries.at(entry).task].task;
}

const PlannedTask& planned(const Study& study, std::size_t part, std::size_t entry) {
  return study.tasks[study.parts.at(part).entries.at(entry).task];
}

std::set<std::string> keys(const Study& study) {
  std::set<std::string> result;
  for (const PlannedTask& planned : study.tasks) result.insert(planned.key);
  return result;
}

// ---- products, zips, ranges ----------------------------------------------------------------------------------------

TEST(StudyFile, AProblemAloneIsOneTheoryTaskInAPartNamedAfterTheFile) {
  const Study study = parse_study(kPoint, "some/where/one.point.toml");
  EXPECT_EQ(study.name, "one.point");
  EXPECT_EQ(study.title, "one.point");
  ASSERT_EQ(study.tasks.size(), 1u);
  EXPECT_EQ(study.tasks[0].task.kind, TaskKind::theory);
  EXPECT_EQ(study.tasks[0].task.problem.alpha, 0.3);
  EXPECT_EQ(study.tasks[0].key, key(study.tasks[0].task, code_version()));
  ASSERT_EQ(study.parts.size(), 1u);
  EXPECT_EQ(study.parts[0].name, "one.point");
  EXPECT_TRUE(study.charts.empty());
}

TEST(StudyFile, NamesAreReadWithDashesAndWithUnderscores) {
  const std::string dashed = "axes = [{my-gamma = [1.5, 2]}]\nexperiment = {d = 16, max-iterations = 7}\n" + kPoint +
                             "target-beta = 2\ntarget = 'powerlaw:{my-gamma},16'\n";
  std::string underscored = dashed;
  for (std::size_t i = 0; (i = underscored.find("-", i)) != std::string::npos;) underscored[i] = '_';
  const Study study = parse(dashed);
  EXPECT_EQ(keys(study), keys(parse(underscored)));
  EXPECT_EQ(task(study, 0, 0).problem.target_beta, 2);
  EXPECT_EQ(task(study, 0, 0).experiment.max_iterations, 7);
  EXPECT_THAT(refusal(kPoint + "target-beta = 2\ntarget_beta = 2\n"),
              HasSubstr("target_beta stands here twice; with dashes and with underscores"));
}

TEST(StudyFile, TablesOfAxesMultiplyWithTheFirstOutermostAndKeysOfOneTableGoTogether) {
  const Study study =
      parse("axes = [{student = ['tied', 'direct']}, {alpha = [0.1, 0.2, 0.4], noise = [0, 0.5, 1]}]\n" + kPoint);
  EXPECT_EQ(study.parts[0].axes, (std::vector<std::string>{"student", "alpha", "noise"}));
  ASSERT_EQ(study.parts[0].entries.size(), 6u);
  const double alphas[] = {0.1, 0.2, 0.4}, noises[] = {0, 0.5, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    const model::Problem& problem = task(study, 0, i).problem;
    EXPECT_EQ(problem.student, i < 3 ? model::Student::tied : model::Student::direct);
    EXPECT_EQ(problem.alpha, alphas[i % 3]);
    EXPECT_EQ(problem.noise, noises[i % 3]);
    EXPECT_EQ(study.parts[0].entries[i].coordinates.at("alpha"), alphas[i % 3]);
    EXPECT_EQ(study.parts[0].entries[i].coordinates.at("student"), i < 3 ? "tied" : "direct");
  }
}

TEST(StudyFile, RangesAreGridsWithBothEnds) {
  const Study log = parse("axes = [{alpha = {from = 0.05, to = 2, count = 7, spacing = 'log'}}]\n" + kPoint);
  const Study linear = parse("axes = [{alpha = {from = 0.05, to = 2, count = 7}}]\n" + kPoint);
  const auto geometric_values = grid(0.05, 2, 7, Spacing::geometric), values = grid(0.05, 2, 7, Spacing::linear);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(task(log, 0, i).problem.alpha, geometric_values[i]);
    EXPECT_EQ(task(linear, 0, i).problem.alpha, values[i]);
  }
}

TEST(StudyFile, ARangeOfIntegersServesTheNumberOfTokens) {
  const Study study = parse("axes = [{tokens = {from = 2, to = 5, count = 4}}]\n" + kPoint);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(task(study, 0, static_cast<std::size_t>(i)).problem.tokens, 2 + i);
}

TEST(StudyFile, LambdaTakesItsRulesAsValues) {
  const Study study = parse("axes = [{lambda = [0.1, 'optimal', '0+', 'edge']}]\n[problem]\nalpha = 0.3\n");
  using model::LambdaRule;
  const LambdaRule rules[] = {LambdaRule::value, LambdaRule::optimal, LambdaRule::ridgeless, LambdaRule::edge};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(task(study, 0, i).problem.lambda_rule, rules[i]);
}

TEST(StudyFile, AlongStudentsLambdaBelongsToThoseWithAPenalty) {
  const Study study = parse("axes = [{student = ['tied', 'bayes']}]\n" + kPoint);
  EXPECT_EQ(task(study, 0, 0).problem.lambda, 0.05);
  EXPECT_EQ(task(study, 0, 1).problem.lambda_rule, model::LambdaRule::none);
}

TEST(StudyFile, VariablesStandForThemselvesInStringsOfTheProblem) {
  const Study study = parse(
      "axes = [{gamma = [0.8, 1.25]}, {D = [200, 400]}]\n[problem]\nalpha = 1\nlambda = 0.1\nhead = 'linear'\n"
      "target = 'powerlaw:{gamma},{D}'\n");
  ASSERT_EQ(study.tasks.size(), 4u);
  EXPECT_EQ(task(study, 0, 0).problem.target.spec(), "powerlaw:0.8,200");
  EXPECT_EQ(task(study, 0, 3).problem.target.spec(), "powerlaw:1.25,400");
  EXPECT_EQ(study.parts[0].entries[3].coordinates, (nlohmann::json{{"gamma", 1.25}, {"D", 400}}));
}

TEST(StudyFile, VariablesMayStandInTheStringsOfAnAxis) {
  const Study study = parse(
      "axes = [{target = ['wishart:{kappa}', 'spikes:10,{kappa}']}, {kappa = [0.5, 2]}]\n[problem]\nalpha = 1\n"
      "lambda = 0.1\n");
  EXPECT_EQ(task(study, 0, 1).problem.target.spec(), "wishart:2");
  EXPECT_EQ(task(study, 0, 2).problem.target.spec(), "spikes:10,0.5");
}

// ---- parts ---------------------------------------------------------------------------------------------------------

TEST(StudyFile, PartsStartFromTheBaseProblemAndOverrideItKeyByKey) {
  const Study study =
      parse(kPoint + "noise = 0.5\n[[part]]\nname = 'a'\n[[part]]\nname = 'b'\nproblem = {alpha = 1}\n");
  EXPECT_EQ(task(study, 0, 0).problem.alpha, 0.3);
  EXPECT_EQ(task(study, 1, 0).problem.alpha, 1);
  EXPECT_EQ(task(study, 1, 0).problem.noise, 0.5);
}

TEST(StudyFile, APartMayBeLikeAnotherWhereverItStands) {
  const Study study = parse(kPoint +
                            "[[part]]\nname = 'c'\nlike = 'b'\nproblem = {noise = 1}\n"
                            "[[part]]\nname = 'b'\nlike = 'a'\naxes = [{alpha = [2]}]\n"
                            "[[part]]\nname = 'a'\nproblem = {tokens = 3}\naxes = [{alpha = [0.1, 0.2]}]\n"
                            "theory = {density = true}\n");
  EXPECT_EQ(study.parts[0].name, "c");
  ASSERT_EQ(study.parts[0].entries.size(), 1u);
  EXPECT_EQ(task(study, 0, 0).problem.tokens, 3);
  EXPECT_EQ(task(study, 0, 0).problem.noise, 1);
  EXPECT_EQ(task(study, 0, 0).problem.alpha, 2);
  EXPECT_TRUE(task(study, 0, 0).density);
  EXPECT_EQ(study.parts[2].entries.size(), 2u);
}

TEST(StudyFile, TasksThatPartsShareAreStoredOnce) {
  const Study study = parse(kPoint +
                            "[[part]]\nname = 'a'\naxes = [{alpha = [0.1, 0.2]}]\ntheory = {warm_start = false}\n"
                            "[[part]]\nname = 'b'\naxes = [{alpha = [0.2, 0.4]}]\ntheory = {warm_start = false}\n");
  EXPECT_EQ(study.tasks.size(), 3u);
  EXPECT_EQ(study.parts[0].entries[1].task, study.parts[1].entries[0].task);
  EXPECT_EQ(keys(study).size(), study.tasks.size());
}

TEST(StudyFile, APartMayComputeSeveralThingsAtEachPoint) {
  const Study study = parse(
      "theory = true\nthresholds = true\nexperiment = {d = [20, 30], instances = 3}\naxes = [{noise = [0, 1]}]\n" +
      kPoint);
  ASSERT_EQ(study.parts[0].entries.size(), 2u * (2 + 6));
  EXPECT_EQ(task(study, 0, 0).kind, TaskKind::theory);
  EXPECT_EQ(task(study, 0, 1).kind, TaskKind::thresholds);
  for (std::size_t i = 0; i < 6; ++i) {
    const Task& experiment = task(study, 0, 2 + i);
    EXPECT_EQ(experiment.kind, TaskKind::experiment);
    EXPECT_EQ(experiment.experiment.d, i < 3 ? 20 : 30);
    EXPECT_EQ(experiment.experiment.first_instance, i % 3);
    EXPECT_EQ(experiment.experiment.instances, 1);
    EXPECT_EQ(study.parts[0].entries[2 + i].coordinates.at("d"), i < 3 ? 20 : 30);
    EXPECT_EQ(study.parts[0].entries[2 + i].coordinates.at("instance"), i % 3);
  }
}

TEST(StudyFile, ThresholdsNeedNeitherAlphaNorLambdaAndAreTheSameAlongThem) {
  const Study alone = parse("thresholds = true\n[problem]\nhead = 'linear'\n");
  const Study along = parse("thresholds = true\naxes = [{alpha = [0.1, 1, 2]}]\n[problem]\nhead = 'linear'\n");
  EXPECT_EQ(along.parts[0].entries.size(), 3u);
  ASSERT_EQ(along.tasks.size(), 1u);
  EXPECT_EQ(along.tasks[0].key, alone.tasks[0].key);
}

TEST(StudyFile, TheDetachmentIsThatOfItsLambda) {
  const std::string problem = "[problem]\nhead = 'linear'\n";
  const Study study = parse("thresholds = {detachment = true}\naxes = [{lambda = [0.1, 0.2]}]\n" + problem);
  ASSERT_EQ(study.tasks.size(), 2u);
  EXPECT_TRUE(study.tasks[1].task.detachment);
  EXPECT_EQ(study.tasks[1].task.problem.lambda, 0.2);
  EXPECT_EQ(task_from_json(to_json(study.tasks[1].task)).problem.lambda, 0.2);
  EXPECT_EQ(key(task_from_json(to_json(study.tasks[1].task)), code_version()), study.tasks[1].key);
  EXPECT_THAT(refusal("thresholds = {detachment = true}\n" + problem), HasSubstr("lambda is required"));
  EXPECT_THAT(refusal("thresholds = {detached = true}\n" + problem), HasSubstr("'detached'"));
  EXPECT_FALSE(parse("thresholds = {}\n" + problem).tasks[0].task.detachment);
}

TEST(StudyFile, ScalingTakesItsNumbersOfSequencesAndTheLambdaOfTheTheory) {
  const Study study = parse(
      "scaling = {n = {from = 1e3, to = 1e5, count = 5, spacing = 'log'}}\n[problem]\nhead = 'linear'\nnoise = 1\n"
      "target = 'powerlaw:1.25,200'\n");
  ASSERT_EQ(study.tasks.size(), 1u);
  EXPECT_EQ(study.tasks[0].task.kind, TaskKind::scaling);
  EXPECT_EQ(study.tasks[0].task.n, grid(1e3, 1e5, 5, Spacing::geometric));
  EXPECT_EQ(study.tasks[0].task.problem.lambda_rule, model::LambdaRule::edge);
}

// ---- predecessors --------------------------------------------------------------------------------------------------

TEST(StudyFile, TheoryStartsFromItsNeighbourWithinSegmentsOfFive) {
  const Study study =
      parse("axes = [{student = ['tied', 'direct']}, {alpha = {from = 0.1, to = 1, count = 12}}]\n" + kPoint);
  for (std::size_t i = 0; i < 24; ++i) {
    const PlannedTask& point = planned(study, 0, i);
    const bool first = i % 12 % 5 == 0;
    EXPECT_EQ(point.task.continued, !first) << i;
    ASSERT_EQ(point.predecessor.has_value(), !first) << i;
    if (first) continue;
    EXPECT_EQ(*point.predecessor, study.parts[0].entries[i - 1].task) << i;
  }
}

TEST(StudyFile, PredecessorsComeFirst) {
  const Study study =
      parse(kPoint +
            "[[part]]\nname = 'e'\nproblem = {lambda = 'optimal'}\naxes = [{alpha = [0.1, 0.3]}]\ntheory = false\n"
            "experiment = {d = 20}\n[[part]]\nname = 't'\naxes = [{alpha = {from = 0.1, to = 1, count = 9}}]\n");
  for (std::size_t i = 0; i < study.tasks.size(); ++i) {
    if (!study.tasks[i].predecessor) continue;
    EXPECT_LT(*study.tasks[i].predecessor, i);
  }
  EXPECT_TRUE(planned(study, 0, 0).predecessor);
}

TEST(StudyFile, NothingIsContinuedWhereNeighboursAreNoStart) {
  const auto continued = [](const std::string& text) {
    const Study study = parse(text);
    return std::count_if(study.tasks.begin(), study.tasks.end(), [](const PlannedTask& p) { return p.task.continued; });
  };
  const std::string axes = "axes = [{alpha = [0.1, 0.2, 0.3]}]\n";
  EXPECT_EQ(continued(axes + kPoint), 2);
  EXPECT_EQ(continued("theory = {warm_start = false}\n" + axes + kPoint), 0);
  for (const char* rule : {"optimal", "0+", "edge"})
    EXPECT_EQ(continued(axes + "[problem]\nlambda = '" + rule + "'\n"), 0) << rule;
  EXPECT_EQ(continued(axes + "[problem]\nstudent = 'bayes'\n"), 0);
  EXPECT_EQ(continued("axes = [{alpha = [0.1, 0.2]}, {tokens = [2, 3]}]\n" + kPoint), 0);
  EXPECT_EQ(continued("axes = [{alpha = [0.1, 0.2], tokens = [2, 3]}]\n" + kPoint), 0);
  EXPECT_EQ(continued("axes = [{lambda = [0.1, 0.2, '0+', 0.3, 0.4]}]\n" + kPoint), 2);
}

TEST(StudyFile, ExperimentsAtOptimalLambdaFollowTheTheoryThatFindsIt) {
  const std::string text = "experiment = {d = [20, 24], instances = 2}\n[problem]\nalpha = 0.3\nlambda = 'optimal'\n";
  const Study added = parse("theory = false\n" + text), shared = parse("theory = {density = true}\n" + text);
  ASSERT_EQ(added.tasks.size(), 5u);
  EXPECT_EQ(added.parts[0].entries.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const PlannedTask& experiment = planned(added, 0, i);
    ASSERT_TRUE(experiment.predecessor);
    const Task& theory = added.tasks[*experiment.predecessor].task;
    EXPECT_EQ(theory.kind, TaskKind::theory);
    EXPECT_EQ(theory.problem.lambda_rule, model::LambdaRule::optimal);
    EXPECT_FALSE(theory.continued);
  }
  EXPECT_EQ(shared.tasks.size(), 5u);
  EXPECT_EQ(planned(shared, 0, 1).predecessor, shared.parts[0].entries[0].task);
}

TEST(StudyFile, TheTrainerIsOneThatServesTheStudent) {
  const Study study = parse("experiment = {d = 20}\naxes = [{student = ['tied', 'bayes']}]\n" + kLinear);
  EXPECT_EQ(task(study, 0, 0).experiment.trainer, experiment::Trainer::lbfgs);
  EXPECT_EQ(task(study, 0, 4).experiment.trainer, experiment::Trainer::gamp);
}

TEST(StudyFile, ExperimentsTakeTheirOptions) {
  const Study study = parse(
      "seed = 7\naccuracy = 1e-2\nexperiment = {d = 20, instances = 1, trainer = 'adam', init = 'spectral', "
      "precision = 'double', tolerance = 1e-4, max_iterations = 300}\n" +
      kPoint);
  const Task& only = task(study, 0, 0);
  EXPECT_EQ(only.experiment.seed, 7u);
  EXPECT_EQ(only.accuracy, 1e-2);
  EXPECT_EQ(only.experiment.trainer, experiment::Trainer::adam);
  EXPECT_EQ(only.experiment.initialisation, experiment::Initialisation::spectral);
  EXPECT_EQ(only.experiment.precision, experiment::Precision::double_);
  EXPECT_EQ(only.experiment.tolerance, 1e-4);
  EXPECT_EQ(only.experiment.max_iterations, 300);
}

// ---- fast ----------------------------------------------------------------------------------------------------------

const std::string kFast =
    kPoint +
    "[[part]]\nname = 'full'\naxes = [{alpha = [0.1, 0.2, 0.3]}]\nexperiment = {d = [30], instances = 5, precision = "
    "'double'}\nfast = {experiment = {d = [20], instances = 2}, axes = [{alpha = [0.2]}]}\n"
    "[[part]]\nname = 'child'\nlike = 'full'\nexperiment = {instances = 3}\n";

TEST(StudyFile, FastTablesAreMergedOverTheirPartWhenAskedFor) {
  const Study full = parse(kFast), fast = parse(kFast, true);
  EXPECT_EQ(full.parts[0].entries.size(), 15u);
  ASSERT_EQ(fast.parts[0].entries.size(), 2u);
  EXPECT_EQ(task(fast, 0, 0).experiment.d, 20);
  EXPECT_EQ(task(fast, 0, 0).experiment.precision, experiment::Precision::double_);
  EXPECT_EQ(task(fast, 0, 0).problem.alpha, 0.2);
}

TEST(StudyFile, APartInheritsTheFastOfWhatItIsLikeBelowItsOwnKeys) {
  EXPECT_EQ(parse(kFast).parts[1].entries.size(), 9u);
  const Study fast = parse(kFast, true);
  ASSERT_EQ(fast.parts[1].entries.size(), 3u);
  EXPECT_EQ(task(fast, 1, 0).experiment.d, 20);
}

TEST(StudyFile, ASinglePartHasItsFastAtTopLevel) {
  const std::string text = "axes = [{alpha = [0.1, 0.2]}]\nfast = {axes = [{alpha = [0.1]}]}\n" + kPoint;
  EXPECT_EQ(parse(text).tasks.size(), 2u);
  EXPECT_EQ(parse(text, true).tasks.size(), 1u);
}

// ---- keys ----------------------------------------------------------------------------------------------------------

TEST(StudyFile, TasksDoNotDependOnTheOrderOfKeysInTheFile) {
  const Study one = parse(
      "axes = [{alpha = [0.1, 0.2], noise = [0, 1]}]\nexperiment = {d = 20, instances = 2}\ntheory = true\n"
      "[problem]\nlambda = 0.05\nhead = 'linear'\n");
  const Study other = parse(
      "theory = true\nexperiment = {instances = 2, d = 20}\naxes = [{noise = [0, 1], alpha = [0.1, 0.2]}]\n"
      "[problem]\nhead = 'linear'\nlambda = 0.05\n");
  EXPECT_EQ(keys(one), keys(other));
  EXPECT_EQ(keys(one).size(), 6u);
}

TEST(StudyFile, IntegersAndNumbersOfTheSameValueAreTheSameTask) {
  EXPECT_EQ(keys(parse("[problem]\nalpha = 1\nlambda = 1\n")), keys(parse("[problem]\nalpha = 1.0\nlambda = 1.0\n")));
}

TEST(StudyFile, TargetsFromFilesAreLookedForBesideTheStudy) {
  const auto folder = std::filesystem::temp_directory_path() / "attnlaw_study_file_test";
  std::filesystem::create_directories(folder);
  base::write_atomically((folder / "spectrum.txt").string(), "1\n2\n3\n");
  const std::string path = (folder / "study.toml").string();
  base::write_atomically(path, kPoint + "target = 'file:spectrum.txt'\n");
  EXPECT_DOUBLE_EQ(read_study(path).tasks.at(0).task.problem.target.Q_star(), 14.0 / 3);
  EXPECT_THROW(read_study((folder / "absent.toml").string()), base::FileError);
  std::filesystem::remove_all(folder);
}

// ---- errors --------------------------------------------------------------------------------------------------------

TEST(StudyFile, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(refusal("title = 'a'\nseed = = 1\n"), StartsWith("curve.toml:2: column 8: "));
}

TEST(StudyFile, UnknownKeysAreRefusedWithTheAcceptedOnes) {
  EXPECT_THAT(refusal("\nacuracy = 0.1\n" + kPoint),
              AllOf(StartsWith("curve.toml:2: unknown key 'acuracy' in a study"), HasSubstr("accepted: title"),
                    HasSubstr("did you mean 'accuracy'?")));
  EXPECT_THAT(refusal(kPoint + "alfa = 2\n"),
              AllOf(StartsWith("curve.toml:4: unknown key 'alfa' in problem"), HasSubstr("target_beta")));
  EXPECT_THAT(refusal("theory = {densty = true}\n" + kPoint),
              AllOf(StartsWith("curve.toml:1: unknown key 'densty' in theory; accepted: density, warm_start")));
  EXPECT_THAT(refusal("experiment = {d = 20, iterations = 3}\n" + kPoint),
              AllOf(StartsWith("curve.toml:1: unknown key 'iterations'"), HasSubstr("max_iterations")));
  EXPECT_THAT(refusal(kPoint + "[[part]]\nname = 'a'\ncolour = 1\n"),
              StartsWith("curve.toml:6: unknown key 'colour' in a [[part]]"));
  EXPECT_THAT(refusal("fast = {seed = 1}\n" + kPoint), StartsWith("curve.toml:1: unknown key 'seed' in fast"));
  EXPECT_THAT(refusal("axes = [{alpha = {from = 1, to = 2, count = 3, step = 1}}]\n" + kPoint),
              StartsWith("curve.toml:1: unknown key 'step' in the range of alpha"));
}

TEST(StudyFile, WrongTypesAndValuesAreRefusedWithTheirLine) {
  EXPECT_THAT(refusal("title = 3\n" + kPoint), StartsWith("curve.toml:1: title must be a string, got 3"));
  EXPECT_THAT(refusal("seed = -1\n" + kPoint), StartsWith("curve.toml:1: seed must be an integer >= 0, got -1"));
  EXPECT_THAT(refusal("accuracy = 1\n" + kPoint), StartsWith("curve.toml:1: accuracy"));
  EXPECT_THAT(refusal("\ntheory = 1\n" + kPoint), StartsWith("curve.toml:2: theory must be true, false or a table"));
  EXPECT_THAT(refusal("thresholds = 'yes'\n" + kPoint),
              HasSubstr(":1: thresholds must be true, false or a table, got \"yes\""));
  EXPECT_THAT(refusal("experiment = true\n" + kPoint), HasSubstr(":1: experiment must be a table or false, got true"));
  EXPECT_THAT(refusal("experiment = {instances = 4}\n" + kPoint), HasSubstr(":1: experiment needs d"));
  EXPECT_THAT(refusal("experiment = {d = 2.5}\n" + kPoint), HasSubstr(":1: d must be an integer, got 2.5"));
  EXPECT_THAT(refusal("experiment = {d = [8, 10,\n8]}\n" + kPoint), HasSubstr(":2: d has 8 twice"));
  EXPECT_THAT(refusal("axes = [{alpha = [0.1, 1,\n1.0]}]\n" + kPoint), HasSubstr(":2: the axis alpha has 1"));
  EXPECT_THAT(refusal("axes = [{alpha = [1, 1, 1], noise = [0, 1, 0]}]\n" + kPoint), HasSubstr("has 1, 0 twice"));
  EXPECT_EQ(refusal("axes = [{alpha = [1, 1], noise = [0, 1]}]\n" + kPoint), "accepted");
  EXPECT_THAT(refusal("experiment = {d = []}\n" + kPoint), HasSubstr(":1: d needs at least one value"));
  EXPECT_THAT(refusal("experiment = {d = 20, instances = 0}\n" + kPoint), HasSubstr(":1: instances must be"));
  EXPECT_THAT(refusal("experiment = {d = 20, init = 'warm'}\n" + kPoint), HasSubstr(":1: init must be random"));
  EXPECT_THAT(refusal("experiment = {d = 20, trainer = 'sgd'}\n" + kPoint), HasSubstr(":1: trainer must be lbfgs"));
  EXPECT_THAT(refusal("experiment = {d = 20, precision = 1}\n" + kPoint), HasSubstr(":1: precision must be a string"));
  EXPECT_THAT(refusal("scaling = {}\n" + kPoint), HasSubstr(":1: scaling needs n"));
  EXPECT_THAT(refusal("problem = 3\n"), HasSubstr(":1: problem must be a table, got 3"));
  EXPECT_THAT(refusal("part = 3\n" + kPoint), HasSubstr(":1: parts are written [[part]]"));
  EXPECT_THAT(refusal(kPoint + "noise = 1979-05-27\n"), HasSubstr(":4: noise in problem must be a string or a number, "
                                                                  "got a date"));
  EXPECT_THAT(refusal("theory = false\n" + kPoint), HasSubstr("computes nothing"));
  EXPECT_THAT(refusal(kPoint + "[experiment]\nd = 20\ntolerance = -1\n"), HasSubstr(":6: tolerance must be"));
  EXPECT_THAT(refusal("experiment = {d = 20, instances = 1979-05-27}\n" + kPoint),
              HasSubstr(":1: instances must be an integer >= 1, got a date"));
  EXPECT_THAT(refusal("experiment = {d = 20, tolrance = 1e-4}\n" + kPoint), HasSubstr("did you mean 'tolerance'?"));
}

TEST(StudyFile, ProblemsOutOfRangeAreRefusedAtTheKeyAtFault) {
  EXPECT_THAT(refusal(kPoint + "noise = -1\n"), StartsWith("curve.toml:4: noise must be a finite number >= 0, got -1"));
  EXPECT_THAT(refusal("[problem]\nlambda = 1\n"), HasSubstr("alpha is required"));
  EXPECT_THAT(refusal("\naxes = [{student = ['tied', 'direct']},\n  {width = [0.5]}]\n" + kPoint),
              AllOf(StartsWith("curve.toml:3: width is a property of the tied student"),
                    HasSubstr("student = \"direct\""), HasSubstr("part 'curve'")));
  EXPECT_THAT(refusal("axes = [\n  {kappa = [0.5, -1]}]\n" + kPoint + "target = 'wishart:{kappa}'\n"),
              StartsWith("curve.toml:2: kappa of target wishart:KAPPA must be > 0, got '-1'"));
  EXPECT_THAT(refusal(kPoint + "target = 'file:no/such/file'\n"), StartsWith("curve.toml:4: target: cannot read"));
  EXPECT_THAT(refusal("[problem]\nalpha = 1\nstudent = 'direct-general'\nlambda = '0+'\n"),
              HasSubstr("the limit lambda = 0+"));
  EXPECT_THAT(refusal("scaling = {n = [1, 2, 3]}\n" + kPoint), HasSubstr("a scaling curve needs a target powerlaw"));
}

TEST(StudyFile, ExperimentsThatCannotBeRunAreRefused) {
  EXPECT_THAT(refusal("\nexperiment = {d = 20, trainer = 'gamp'}\n" + kPoint + "student = 'direct'\n"),
              StartsWith("curve.toml:2: trainer gamp does not serve student direct"));
  EXPECT_THAT(refusal("experiment = {d = 20}\n[problem]\nalpha = 1\nlambda = '0+'\n"),
              StartsWith("curve.toml:4: an experiment needs lambda to be a number > 0"));
  EXPECT_THAT(refusal("experiment = {d = 15}\n" + kPoint + "target = 'powerlaw:1,10'\n"), HasSubstr("multiple of D"));
}

TEST(StudyFile, ExperimentsBeyondTheMemoryOfThisMachineMayBeMeantForAnother) {
  const Study study = parse("experiment = {d = 20000, instances = 1}\n" + kPoint);
  EXPECT_THROW(experiment::require_feasible(task(study, 0, 0).problem, task(study, 0, 0).experiment),
               experiment::MemoryError);
}

TEST(StudyFile, AxesMustBeTablesOfEquallyManyValues) {
  EXPECT_THAT(refusal("axes = {alpha = [1]}\n" + kPoint), HasSubstr(":1: axes must be an array of tables"));
  EXPECT_THAT(refusal("axes = [1]\n" + kPoint), HasSubstr(":1: every one of axes must be a table"));
  EXPECT_THAT(refusal("axes = [{}]\n" + kPoint), HasSubstr("an empty one"));
  EXPECT_THAT(refusal("axes = [{alpha = 1}]\n" + kPoint), HasSubstr(":1: alpha must be a list"));
  EXPECT_THAT(refusal("axes = [{alpha = []}]\n" + kPoint), HasSubstr(":1: alpha needs at least one value"));
  EXPECT_THAT(refusal("axes = [{alpha = [true]}]\n" + kPoint), HasSubstr(":1: values of alpha must be numbers"));
  EXPECT_THAT(refusal("axes = [{alpha = [1, 2], lambda = [1]}]\n" + kPoint), HasSubstr("alpha has 2, lambda has 1"));
  EXPECT_THAT(refusal("axes = [{alpha = [1]},\n {alpha = [2]}]\n" + kPoint), HasSubstr(":2: axes have alpha twice"));
  EXPECT_THAT(refusal("axes = [{alpha = {from = 2, to = 1, count = 3}}]\n" + kPoint), HasSubstr(":1: range of alpha"));
  EXPECT_THAT(refusal("axes = [{alpha = {from = 1, to = 2}}]\n" + kPoint), HasSubstr("the range of alpha needs count"));
  EXPECT_THAT(refusal("axes = [{alpha = {from = 1, to = 2, count = 1}}]\n" + kPoint),
              HasSubstr(":1: count must be an integer >= 2, got 1"));
  EXPECT_THAT(refusal("axes = [{alpha = {from = 1, to = 2, count = 3, spacing = 'geometric'}}]\n" + kPoint),
              HasSubstr(":1: spacing must be linear or log, got 'geometric'"));
  EXPECT_THAT(refusal("experiment = {d = 20}\naxes = [{d = [20]}]\n" + kPoint), HasSubstr(":2: d cannot be an axis"));
}

TEST(StudyFile, VariablesNeedAnAxisAndAxesAVariable) {
  EXPECT_THAT(refusal("\naxes = [{alhpa = [1]}]\n" + kPoint),
              AllOf(StartsWith("curve.toml:2: axis alhpa is neither an option"), HasSubstr("did you mean 'alpha'?")));
  EXPECT_THAT(refusal(kPoint + "target = 'wishart:{kappa}'\n"),
              StartsWith("curve.toml:4: {kappa} in the problem of part 'curve' has no axis of this name; axes: none"));
}

TEST(StudyFile, PartsNeedUniqueNamesAndAreNotMixedWithTheTopLevel) {
  EXPECT_THAT(refusal(kPoint + "[[part]]\ntheory = true\n"),
              StartsWith("curve.toml:4: a [[part]] needs name: letters"));
  EXPECT_THAT(refusal(kPoint + "[[part]]\nname = 'a b'\n"), HasSubstr(":5: name of a part must be letters, digits"));
  EXPECT_THAT(refusal(kPoint + "[[part]]\nname = 'a'\n[[part]]\nname = 'a'\n"),
              HasSubstr(":7: a part named 'a' is there already, at line 5"));
  EXPECT_THAT(refusal("\naxes = []\n" + kPoint + "[[part]]\nname = 'a'\n"),
              HasSubstr(":2: axes stands at top level beside [[part]]"));
}

TEST(StudyFile, LikeMustNameAPartAndNotTurnInACircle) {
  EXPECT_THAT(refusal(kPoint + "[[part]]\nname = 'adam'\nlike = 'theorie'\n[[part]]\nname = 'theory'\n"),
              AllOf(StartsWith("curve.toml:6: like = 'theorie' is not a part"), HasSubstr("did you mean 'theory'?")));
  EXPECT_THAT(
      refusal(kPoint + "[[part]]\nname = 'a'\nlike = 'b'\n[[part]]\nname = 'b'\nlike = 'c'\n[[part]]\nname = 'c'\n"
                       "like = 'b'\n"),
      AllOf(StartsWith("curve.toml:12: a part cannot be like itself"), HasSubstr("b → c → b")));
  EXPECT_THAT(refusal(kPoint + "[[part]]\nname = 'a'\nlike = 'a'\n"),
              HasSubstr(":6: a part cannot be like itself: a → a"));
}

TEST(StudyFile, AMillionTasksByMistakeAreRefusedAtOnce) {
  const std::string range = " = {from = 0.1, to = 1, count = 1000}}";
  const std::string text = kPoint + "[[part]]\nname = 'grid'\naxes = [{alpha" + range + ", {lambda" + range + "]\n";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(parse(text), TooManyTasks);
  EXPECT_THAT(refusal(text), AllOf(StartsWith("curve.toml:4: this study has 1000000 tasks, more than 100000"),
                                   HasSubstr("part 'grid': alpha (1000) × lambda (1000)")));
  EXPECT_THROW(parse("axes = [{alpha = {from = 1, to = 2, count = 9000000000000000000}}]\n" + kPoint), TooManyTasks);
  EXPECT_THROW(parse("experiment = {d = [10, 20], instances = 1000000}\n" + kPoint), TooManyTasks);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST(StudyFile, TheLimitOfTasksCanBeMoved) {
  const std::string text = "theory = {warm_start = false}\naxes = [{alpha = [1, 2, 3]}]\n" + kPoint;
  EXPECT_THROW(parse_study(text, "x.toml", {false, 2}), TooManyTasks);
  EXPECT_EQ(parse_study(text, "x.toml", {false, 3}).tasks.size(), 3u);
}

// ---- charts --------------------------------------------------------------------------------------------------------

const std::string kTwoParts = kPoint + "[[part]]\nname = 'a'\naxes = [{alpha = [1, 2]}]\n[[part]]\nname = 'b'\n";

TEST(StudyFile, ChartsTakeTheBestOverAnOptionOfTheirExperiments) {
  const std::string parts = kPoint +
                            "[[part]]\nname = 'a'\naxes = [{alpha = [1, 2]}, {lambda = [0.1, 1]}, {kappa = [0.3, "
                            "0.5]}]\nproblem = {target = 'wishart:{kappa}'}\nexperiment = {d = [20], instances = 2}\n"
                            "[[part]]\nname = 'b'\naxes = [{alpha = [1, 2]}, {noise = [0, 1]}]\n";
  const auto chart = [&](const std::string& text) { return refusal(parts + "[[chart]]\n" + text); };
  const std::string curves = "x = 'alpha'\nvalues = ['test']\n";
  EXPECT_EQ(chart(curves + "best_over = 'lambda'\n"), "accepted");
  EXPECT_THAT(chart(curves + "best_over = 'noise'\n"), HasSubstr("'noise'; accepted: alpha, lambda"));
  EXPECT_THAT(chart(curves + "best_over = 'kappa'\n"), HasSubstr("'kappa'; accepted: alpha, lambda"));
  EXPECT_THAT(chart(curves + "best_over = 'alpha'\n"), HasSubstr("best_over must differ from x"));
  EXPECT_THAT(chart("kind = 'map'\nx = 'alpha'\ny = 'noise'\nvalues = ['test']\nbest_over = 'lambda'\n"),
              HasSubstr("best_over is of charts of kind curves, got kind map"));
}

TEST(StudyFile, ChartsAreReadWithTheirDefaults) {
  const Study study = parse(kTwoParts +
                            "[[chart]]\nkind = 'map'\ntitle = 'T'\ntext = 'Look.'\nparts = ['a']\nx = 'alpha'\n"
                            "y = 'noise'\nvalues = ['test']\nx_title = 'X'\ny_title = 'Y'\nlog_x = true\n"
                            "[[chart]]\nx = 'alpha'\nvalues = ['train', 'test']\nby = ['student', 'd']\nlog_y = true\n"
                            "[[chart]]\nkind = 'spectrum'\n");
  ASSERT_EQ(study.charts.size(), 3u);
  const ChartRequest& map = study.charts[0];
  EXPECT_EQ(map.kind, ChartRequest::Kind::map);
  EXPECT_EQ(map.title + map.text + map.x + map.y + map.x_title + map.y_title, "TLook.alphanoiseXY");
  EXPECT_EQ(map.parts, std::vector<std::string>{"a"});
  EXPECT_TRUE(map.log_x && !map.log_y);
  EXPECT_EQ(study.charts[1].kind, ChartRequest::Kind::curves);
  EXPECT_EQ(study.charts[1].by, (std::vector<std::string>{"student", "d"}));
  EXPECT_TRUE(study.charts[1].parts.empty() && study.charts[1].log_y);
  EXPECT_EQ(study.charts[2].kind, ChartRequest::Kind::spectrum);
}

TEST(StudyFile, ChartsMustFitTheStudy) {
  const auto chart = [](const std::string& text) { return refusal(kTwoParts + "[[chart]]\n" + text); };
  EXPECT_THAT(chart("kind = 'pie'\n"), StartsWith("curve.toml:10: kind must be curves, spectrum or map"));
  EXPECT_THAT(chart("x = 'alpha'\n"), StartsWith("curve.toml:9: a chart of kind curves needs values"));
  EXPECT_THAT(chart("values = ['test']\n"), HasSubstr(":9: a chart of kind curves needs x"));
  EXPECT_THAT(chart("kind = 'map'\nx = 'alpha'\nvalues = ['test']\n"), HasSubstr("map needs x and y"));
  EXPECT_THAT(chart("kind = 'map'\nx = 'alpha'\ny = 'noise'\nvalues = ['test', 'train']\n"), HasSubstr("exactly one"));
  EXPECT_THAT(chart("parts = ['c']\n"), HasSubstr(":10: parts of a chart has 'c'; accepted: a, b"));
  EXPECT_THAT(chart("by = ['studnet']\n"), HasSubstr("did you mean 'student'?"));
  EXPECT_THAT(
      chart("x = 'alpha'\nvalues = ['test',\n'objectve']\n"),
      AllOf(StartsWith("curve.toml:11: values of a chart has 'objectve'"), HasSubstr("did you mean 'objective'?")));
  EXPECT_THAT(chart("x = 'aplha'\nvalues = ['test']\n"), StartsWith("curve.toml:10: x of a chart has 'aplha'"));
  EXPECT_THAT(chart("kind = 'map'\nx = 'alpha'\ny = 'happiness'\nvalues = ['test']\n"),
              StartsWith("curve.toml:12: y of a chart has 'happiness'"));
  EXPECT_THAT(chart("x = 'alpha'\nvalues = ['eigenvalue:0']\n"), HasSubstr("eigenvalue:1, eigenvalue:2"));
  EXPECT_EQ(chart("x = 'n/d'\nvalues = ['eigenvalue:12', 'theory.test', 'lambda', 'rank', 'misalignment', "
                  "'excess_test', 'squared_train', 'sign_error', 'nuclear']\n"),
            "accepted");
  EXPECT_THAT(chart("x = 'alpha'\nvalues = ['test']\nsquare_roots = true\n"),
              HasSubstr(":12: square_roots is of charts of kind spectrum, got kind curves"));
  EXPECT_EQ(chart("x = 'alpha'\nvalues = ['test', 'detachment_eff']\nlines = ['detachment']\n"), "accepted");
  EXPECT_THAT(chart("x = 'alpha'\nvalues = ['test']\nlines = ['recovred']\n"),
              HasSubstr("accepted: recovery, interpolation"));
  EXPECT_THAT(chart("kind = 'spectrum'\nlines = ['recovery']\n"), HasSubstr("charts of kinds curves and map"));
  EXPECT_THAT(chart("log_x = 1\n"), HasSubstr(":10: log_x must be true or false"));
  EXPECT_THAT(chart("legend = true\n"), HasSubstr(":10: unknown key 'legend' in a [[chart]]"));
  EXPECT_THAT(refusal("chart = 3\n" + kPoint), HasSubstr(":1: charts are written [[chart]]"));
}

}  // namespace
}  // namespace attnlaw::study
