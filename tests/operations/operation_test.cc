/// An operation is described once: an option and a result field, one line each, are found wherever somebody looks.

#include "attnlaw/operations/operation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "attnlaw/base/fields/rows.h"
#include "attnlaw/base/fields/schema.h"
#include "attnlaw/base/fields/text.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/toml.h"
#include "attnlaw/operations/common_options.h"
#include "attnlaw/operations/completion.h"
#include "attnlaw/operations/grid_options.h"
#include "attnlaw/operations/interruption.h"
#include "attnlaw/operations/manual.h"
#include "attnlaw/operations/problem_grid.h"
#include "attnlaw/operations/solve.h"
#include "attnlaw/study/task.h"
#include "scratch.h"

namespace attnlaw::operations {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Toy {
  struct Input {
    double speed = 3;
  };
  struct Output {
    double distance = 0;
  };
  static constexpr About about{"toy", "how far one gets in an hour", "attnlaw toy --speed 4"};

  static Output run(const Input& input, const Run&) { return {input.speed}; }
  static view::Result show(const Output&, const Run&) { return {}; }
};

// The two lines.
const base::Description& describe(const Toy::Input*) {
  static const base::Description description{
      "a walk",
      {base::field("speed", &Toy::Input::speed, {.unit = "km/h", .range = {0}, .doc = "how fast one walks"})}};
  return description;
}
const base::Description& describe(const Toy::Output*) {
  static const base::Description description{
      "a place", {base::field("distance", &Toy::Output::distance, {.unit = "km", .doc = "how far that is"})}};
  return description;
}

TEST(Operation, FindsAnOptionAndAResultInEveryVisitor) {
  static_assert(OperationLike<Toy>);
  const Operation toy = make_operation<Toy>();
  // JSON in and out, with the head of every document.
  const json document = toy.run({{"speed", 5}}, {}).document;
  EXPECT_EQ(document["distance"], 5);
  EXPECT_EQ(document["command"], "toy");
  EXPECT_EQ(document["schema"], "attnlaw/2");
  EXPECT_EQ(toy.run(json::object(), {}).document["distance"], 3);
  EXPECT_THROW(toy.run({{"speed", -1}}, {}), std::invalid_argument);
  EXPECT_THROW(toy.run({{"sped", 1}}, {}), std::invalid_argument);
  EXPECT_EQ(toy.run({{"seed", 1}}, {}).document["warnings"], json({"Without effect here: --seed."}));
  EXPECT_EQ(unread_text(toy), "");
  EXPECT_EQ(unread_text(find("simulate")), "");
  EXPECT_EQ(unread_text(find("demo")), "Without effect unless other options need them: --alpha.");
  // Command line and its help.
  const Options options = options_of(toy);
  ASSERT_EQ(options.own.size(), 1u);
  // What never has an effect is accepted, not listed.
  ASSERT_EQ(options.idle.size(), 1u);
  EXPECT_EQ(options.idle.front().field->name, "seed");
  EXPECT_EQ(options.common.size() + 1, shared_options().size());
  EXPECT_EQ(options_of(find("version")).idle.size(), 2u);
  EXPECT_EQ(options_of(find("simulate")).idle.size(), 0u);
  EXPECT_EQ(base::option_name(*options.own.front().field), "--speed");
  EXPECT_EQ(base::help(*options.own.front().field, *options.own.front().defaults), "how fast one walks (default 3)");
  // Rows, schema, manual.
  EXPECT_THAT(base::columns(toy.output()), testing::ElementsAre("distance"));
  EXPECT_EQ(base::schema_of(toy.input(), toy.defaults)["fields"][0]["unit"], "km/h");
  EXPECT_THAT(manual_page(toy), HasSubstr("\\-\\-speed"));
  EXPECT_THAT(manual_page(toy), HasSubstr("how far that is"));
}

struct Walk {
  std::vector<double> speeds;
};

const base::Description& describe(const Walk*) {
  static const base::Description description{
      "walks", {grid("speeds", &Walk::speeds, study::Spacing::linear, {.range = {0, 10}, .doc = "how fast"})}};
  return description;
}

TEST(Grids, KeepToTheRangeOfTheirField) {
  Walk walk;
  base::read({{"speeds", "1,4,4"}}, walk, "a walk");
  EXPECT_THAT(walk.speeds, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THROW(base::read({{"speeds", "1,40,4"}}, walk, "a walk"), std::invalid_argument);
}

/// What is said of a target is said of the numbers that were computed with, whatever becomes of their file.
TEST(Operations, ReadTheirFilesOnce) {
  const test::Scratch scratch;
  for (const json& alpha : {json(0.5), json({0.5, 1})}) {
    const std::string path = scratch.write("target.txt", "2\n1\n0\n0\n");
    const std::string hash = study::target_hash(model::Target::parse("file:" + path));
    operations::Run run;
    run.draw = true;
    run.progress = [&](auto&&...) { std::filesystem::remove(path); };
    run.study_progress = [&](auto&&...) { std::filesystem::remove(path); };
    const view::Result result = find("simulate")
                                    .run({{"alpha", alpha},
                                          {"lambda", 0.1},
                                          {"head", "linear"},
                                          {"target", "file:" + path},
                                          {"d", {8}},
                                          {"instances", 2}},
                                         run);
    EXPECT_FALSE(std::filesystem::exists(path)) << "removed while it ran";
    ASSERT_TRUE(result.page);
    EXPECT_EQ(result.page->target_hash, hash);
    EXPECT_GE(result.rows.table().rows.size(), alpha.size());
  }
}

/// A page of what is no problem has the options as a file, from which they are read as they were.
TEST(Operations, KeepTheirOptionsOnPagesWithoutAProblem) {
  const std::vector<std::pair<std::string, json>> asked = {
      {"icl", {{"context", {2, INFINITY}}, {"tasks", 2.5}, {"sequences", "5,6"}, {"lambda", "optimal"}}},
      {"lofi", {{"target", "square"}, {"d", 20}, {"n", {400, 800}}, {"test", 100}, {"seed", 3}}},
      {"pooling", {{"delta", 0.5}, {"gamma", 0.5}, {"mu2", 1}, {"alpha_pool", 0.3}}},
      {"softmax-law", {{"beta", 0.5}, {"rho", 1}, {"simulate", 50}, {"instances", 1}, {"seed", 3}}}};
  for (const auto& [name, options] : asked) {
    operations::Run run;
    run.draw = true;
    json given = options;
    given["threads"] = 1;
    const view::Result result = find(name).run(given, run);
    ASSERT_TRUE(result.page) << name;
    EXPECT_EQ(result.page->input_name, name + ".toml");
    json read = json::object();
    for (const base::TomlEntry& entry : base::parse_toml(result.page->input).entries) {
      json& value = read[entry.key] = entry.value.scalar;
      for (const base::TomlValue& item : entry.value.items) value.push_back(item.scalar);
    }
    EXPECT_EQ(read, options) << result.page->input;
  }
}

TEST(Operations, PrintWhatIsKnownWhenInterrupted) {
  operations::Run run;
  run.threads = 1;
  // The first of many points ends, and somebody presses Ctrl-C.
  run.study_progress = [pressed = false](const std::string&, const study::RunProgress& progress) mutable {
    if (progress.done > 0 && !std::exchange(pressed, true)) std::raise(SIGINT);
  };
  std::vector<double> alpha;
  for (int i = 0; i < 400; ++i) alpha.push_back(0.1 + i / 400.0);
  const view::Result result = find("solve").run({{"alpha", alpha}, {"lambda", 0.1}, {"head", "linear"}}, run);
  EXPECT_FALSE(result.converged);
  const json& points = result.document["points"];
  ASSERT_EQ(points.size(), alpha.size());
  EXPECT_EQ(points.front()["status"], "converged");
  EXPECT_EQ(points.back()["status"], "not computed");
  EXPECT_THAT(result.interrupted, HasSubstr("of 400 points"));
  EXPECT_EQ(result.document["interrupted"], result.interrupted);
  EXPECT_THAT(result.warnings.front(), HasSubstr("Interrupted after "));
  EXPECT_THAT(result.warnings, testing::Not(testing::Contains(HasSubstr("not computed")))) << "which is the same";
}

/// The curve of twelve points during which somebody presses Ctrl-C when so many are known of the study of this name.
view::Result interrupted_curve(const std::string& study, std::size_t done, bool draw) {
  operations::Run run;
  run.threads = 1;
  run.draw = draw;
  bool pressed = false;
  run.study_progress = [&](const std::string& now, const study::RunProgress& progress) {
    if (now == study && progress.done >= done && !std::exchange(pressed, true)) std::raise(SIGINT);
  };
  std::vector<double> alpha;
  for (int i = 0; i < 12; ++i) alpha.push_back(0.1 + i / 12.0);
  view::Result result = find("solve").run({{"alpha", alpha}, {"lambda", 0.1}, {"head", "linear"}, {"tokens", 1}}, run);
  EXPECT_TRUE(pressed);
  return result;
}

/// The table needs no line.
TEST(Operations, KeepTheCurveWhoseLinesAreInterrupted) {
  const view::Result result = interrupted_curve("lines", 1, true);
  EXPECT_EQ(result.interrupted, "before the lines of the page were known");
  EXPECT_TRUE(result.converged) << "every point was computed";
  EXPECT_EQ(result.rows.table().rows.size(), 12u);
  EXPECT_FALSE(result.page);
  EXPECT_EQ(result.warnings.size(), 1u) << result.warnings.back();
}

TEST(Operations, AreWholeWhereASignalComesAfterTheLastPoint) {
  const view::Result result = interrupted_curve("theory", 12, false);
  EXPECT_EQ(result.interrupted, "");
  EXPECT_TRUE(result.converged);
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_FALSE(result.document.contains("interrupted"));
}

/// Points of the line are not in the table, which would say so.
TEST(Operations, SayWhichPointsOfTheLineAreMissing) {
  json options{{"alpha", {0.2, 0.5, 0.8}}, {"lambda", 0.1}, {"head", "linear"}, {"tokens", 1}};
  const ProblemGrid grid = take_grid(options);
  const auto input = read_with_problem<Solve::Input>(options, "solve");
  view::ProblemCurve curve = solve_curve(grid, input.problem.problem, {.draw = true}, {});
  ASSERT_GT(curve.line_outcomes.size(), 100u);
  EXPECT_TRUE(view::show(curve, true).warnings.empty());
  curve.line_outcomes[1]->status = study::Outcome::Status::unconverged;
  curve.line_outcomes[2]->status = study::Outcome::Status::failed;
  curve.line_outcomes[2]->error = "no root";
  const std::string of = fmt::format(" of {} ", curve.line_outcomes.size());
  EXPECT_THAT(view::show(curve, true).warnings,
              testing::ElementsAre("lines: 1" + of + "failed: no root.", "lines: 1" + of + "DID NOT CONVERGE."));
}

/// As the shell says it: the first signal asks, the second one ends.
TEST(Operations, LeaveTheSecondSignalOfEitherKindToTheSystem) {
  const auto handler = [](int signal) {
    struct sigaction now;
    sigaction(signal, nullptr, &now);
    return now.sa_handler;
  };
  const auto before = handler(SIGINT);
  {
    const Interruption interruption;
    ASSERT_TRUE(interruption.listens());
    EXPECT_NE(handler(SIGTERM), SIG_DFL);
    EXPECT_FALSE(interruption.happened());
    std::raise(SIGINT);
    EXPECT_TRUE(interruption.happened());
    EXPECT_EQ(handler(SIGINT), SIG_DFL);
    EXPECT_EQ(handler(SIGTERM), SIG_DFL);
  }
  EXPECT_EQ(handler(SIGINT), before);
  std::signal(SIGTERM, SIG_IGN);
  {
    const Interruption interruption;
    std::raise(SIGINT);
    EXPECT_EQ(handler(SIGTERM), SIG_IGN) << "what is ignored stays so";
  }
  std::signal(SIGTERM, SIG_DFL);
}

/// The result of an operation during which somebody presses Ctrl-C when progress of this name says so many.
view::Result interrupted_at(const std::string& operation, const json& options, const std::string& label, int done) {
  operations::Run run;
  run.threads = 1;
  run.draw = true;
  run.page_path = "page.html";
  run.progress = [&, pressed = false](const std::string& now, int count, int) mutable {
    if (now == label && count == done && !std::exchange(pressed, true)) std::raise(SIGINT);
  };
  return find(operation).run(options, run);
}

TEST(Operations, SayHowLongASingleTaskTakes) {
  std::map<std::string, double> expected;
  operations::Run run;
  run.threads = 1;
  run.expected = [&](const std::string& label, double seconds) { expected[label] = seconds; };
  find("solve").run({{"alpha", 0.3}, {"lambda", 0.1}, {"head", "linear"}}, run);
  EXPECT_TRUE(expected.empty()) << "it is there at once";
  study::Task task;
  task.problem.tokens = 5;
  announce(run, "five", task);
  task.problem.tokens = 8;
  announce(run, "eight", task);
  announce(run, "eight twice", task, 2, 1);
  EXPECT_GT(expected.at("five"), 1);
  EXPECT_GT(expected.at("eight"), 3 * expected.at("five"));
  EXPECT_DOUBLE_EQ(expected.at("eight twice"), 2 * expected.at("eight"));
}

TEST(Operations, KeepTheInstancesThatHaveEndedWhenInterrupted) {
  const json options{{"alpha", 0.5},   {"lambda", 0.1}, {"head", "linear"},      {"tokens", 1},
                     {"instances", 4}, {"seed", 5},     {"precision", "double"}, {"d", {12, 16, 20}}};
  const view::Result second = interrupted_at("simulate", options, "d = 16", 3);
  EXPECT_EQ(second.interrupted, "after 7 of 12 instances");
  EXPECT_FALSE(second.page) << "half a page is none";
  const json& sizes = second.document["sizes"];
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(sizes[1]["instances"].size(), 3u);
  EXPECT_TRUE(second.document.contains("extrapolation"));
  // The same instances as those of a run to the end, with the theory of each.
  json whole = options;
  whole["d"] = {12, 16};
  const json all = find("simulate").run(whole, {}).document["sizes"];
  EXPECT_EQ(sizes[0]["mean"]["test"], all[0]["mean"]["test"]);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sizes[1]["instances"][i]["test"], all[1]["instances"][i]["test"]);
    EXPECT_EQ(sizes[1]["instances"][i]["theory"], all[1]["instances"][i]["theory"]);
  }
  // One instance of a size says nothing about its scatter.
  const view::Result early = interrupted_at("simulate", options, "d = 16", 1);
  EXPECT_EQ(early.interrupted, "after 4 of 12 instances") << "which are in the document";
  EXPECT_EQ(early.document["d"], 12);
  EXPECT_THROW(interrupted_at("simulate", options, "d = 12", 0), base::Interrupted) << "nothing is known";
}

TEST(Operations, OfSpectraKeepTheLawWhenInterrupted) {
  const json problem{{"alpha", 0.5}, {"lambda", 0.1}, {"head", "linear"}, {"tokens", 1}};
  json options = problem;
  options.update({{"d", 12}, {"instances", 4}});
  const view::Result two = interrupted_at("spectrum", options, "d = 12", 2);
  EXPECT_EQ(two.interrupted, "after 2 of 4 instances");
  EXPECT_TRUE(two.document.contains("experiment"));
  const view::Result none = interrupted_at("spectrum", options, "d = 12", 0);
  EXPECT_EQ(none.interrupted, "after 0 of 4 instances");
  EXPECT_TRUE(none.document.value("experiment", json()).is_null());
  EXPECT_FALSE(none.document["density"]["s"].empty());
  options = problem;
  options["along"] = "alpha:0.3,0.6,5";
  const view::Result along = interrupted_at("spectrum", options, "alpha", 3);
  EXPECT_EQ(along.interrupted, "after 3 of 5 points");
  EXPECT_EQ(along.document["along"]["values"].size(), 3u);
  EXPECT_EQ(along.document["along"]["solutions"].size(), 3u);
}

TEST(Operations, OfDrawsAndDemoKeepWhatHasEndedWhenInterrupted) {
  const json draws{{"target", "square"}, {"d", 8}, {"n", {200, 400}}, {"instances", 3}, {"test", 100}};
  const view::Result lofi = interrupted_at("lofi", draws, "n = 400", 1);
  EXPECT_EQ(lofi.interrupted, "after 4 of 6 draws");
  EXPECT_EQ(lofi.document["runs"].size(), 2u);
  EXPECT_THROW(interrupted_at("lofi", draws, "n = 200", 0), base::Interrupted);
  const json problem{{"head", "linear"}, {"tokens", 1}};
  const view::Result demo = interrupted_at("demo", problem, "experiments", 1);
  EXPECT_EQ(demo.interrupted, "after 1 of 8 points with experiments");
  EXPECT_EQ(demo.document["experiments"].size(), 1u);
  EXPECT_EQ(demo.document["html"], "") << "there is no page";
  EXPECT_FALSE(demo.page);
}

TEST(Operations, StandInTheListOnceWithAnExampleThatNamesThem) {
  std::set<std::string> names;
  for (const Operation& operation : all()) {
    EXPECT_TRUE(names.insert(operation.about.name).second) << operation.about.name;
    EXPECT_THAT(operation.about.example, HasSubstr(std::string("attnlaw ") + operation.about.name));
    EXPECT_THAT(bash_completion(), HasSubstr(std::string("    ") + operation.about.name + ":*)"));
  }
}

/// Whoever reads a page, a help or the schema finds a sentence at every name.
TEST(Operations, EveryOptionAndEveryResultHasADescription) {
  const std::function<void(const base::Description&, const std::string&)> check =
      [&](const base::Description& description, const std::string& where) {
        base::for_each_field(description, [&](const base::Field& field) {
          const bool inside = field.type.kind == base::Kind::object && field.type.object;
          EXPECT_TRUE(inside || !field.about.doc.empty()) << where << "." << field.name;
          EXPECT_EQ(field.name.find('-'), std::string::npos) << where << "." << field.name;
          if (inside) check(field.type.object(), where + "." + field.name);
        });
      };
  for (const Operation& operation : all()) {
    check(operation.input(), operation.about.name);
    check(operation.output(), operation.about.name);
  }
}

TEST(Operations, ANameThatIsNearlyRightIsSuggested) {
  try {
    find("sovle");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'solve'?"));
  }
}

/// A misspelt option is what is said to be wrong, not that the one is missing which it was meant for.
TEST(Operations, AMisspeltOptionIsNamedBeforeTheOneThatIsMissing) {
  for (const auto& [command, options] : {std::pair("solve", nlohmann::json{{"alpah", 0.3}, {"lambda", 0.05}}),
                                         std::pair("icl", nlohmann::json{{"contex", 1}, {"tasks", 1}})})
    EXPECT_THAT([&] { find(command).run(options, {}); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr("did you mean")))
        << command;
}

}  // namespace
}  // namespace attnlaw::operations
