/// The command `sweep` as a user runs it, and as a machine kills it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "attnlaw/study/store/store.h"
#include "cli/program.h"

extern char** environ;

namespace attnlaw::test {
namespace {

using nlohmann::json;

constexpr const char* kStudy = R"(title = "Cheap points"
[problem]
head = "linear"
lambda = 0.05
[[part]]
name = "curve"
axes = [{alpha = {from = 0.2, to = 0.6, count = %COUNT%}}]
)";

std::string study_of(int count) {
  std::string text = kStudy;
  const std::string mark = "%COUNT%";
  return text.replace(text.find(mark), mark.size(), std::to_string(count));
}

/// Everything that a store says but for times, one result a line, in an order of its own.
std::string content(const std::filesystem::path& store) {
  const Outcome results = attnlaw("results '" + store.string() +
                                  "' --format csv --columns key,kind,alpha,lambda,status,error,train,test,estimation,"
                                  "objective,q,m,V,Q_star,replicon,zero_mass,code | sort");
  EXPECT_EQ(results.code, 0) << results.err;
  return results.out;
}

/// A run of `attnlaw arguments` that may be killed.
class Running {
 public:
  explicit Running(const std::string& arguments) {
    const std::string command = std::string("exec '") + ATTNLAW_PROGRAM + "' " + arguments;
    std::string shell = "sh", option = "-c", text = command;
    char* words[] = {shell.data(), option.data(), text.data(), nullptr};
    posix_spawn_file_actions_t silent;
    posix_spawn_file_actions_init(&silent);
    posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&silent, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid_, "sh", &silent, nullptr, words, environ) != 0) throw std::runtime_error("cannot spawn");
    posix_spawn_file_actions_destroy(&silent);
  }
  void send(int signal) const { kill(pid_, signal); }
  /// Its exit code; -1 if a signal ended it.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
};

TEST(Sweep, RunsResumesAndReports) {
  const Scratch scratch;
  const std::string study = "'" + scratch.write("study.toml", study_of(12)).string() + "'";
  const std::string store = " --store '" + (scratch / "s.sqlite").string() + "'";
  const Outcome first = attnlaw("sweep " + study + store + " --format json");
  ASSERT_EQ(first.code, 0) << first.err;
  const json document = json::parse(first.out);
  EXPECT_EQ(document["tasks"], 12);
  EXPECT_EQ(document["computed"], 12);
  EXPECT_EQ(document["complete"], true);
  const json again = json::parse(attnlaw("sweep " + study + store + " --format json").out);
  EXPECT_EQ(again["computed"], 0);
  EXPECT_EQ(again["reused"], 12);
  const Outcome table = attnlaw("sweep " + study + store);
  EXPECT_NE(table.out.find("Cheap points"), std::string::npos);
}

TEST(Sweep, ResultsAreThoseOfSolve) {
  const Scratch scratch;
  const std::string study = "'" + scratch.write("study.toml", study_of(2)).string() + "'";
  const std::string store = (scratch / "s.sqlite").string();
  ASSERT_EQ(attnlaw("sweep " + study + " --store '" + store + "'").code, 0);
  const json rows = json::parse(attnlaw("results '" + store + "' --where 'alpha < 0.3' --format json").out);
  const json solve = json::parse(attnlaw("solve --head linear --lambda 0.05 --alpha 0.2 --format json").out);
  ASSERT_EQ(rows["rows"].size(), 1U);
  EXPECT_EQ(rows["rows"][0]["test"], solve["errors"]["test"]);
}

TEST(Sweep, SurvivesFiftyKills) {
  constexpr int kPoints = 2000, kKills = 50;
  const Scratch scratch;
  const std::string study = "'" + scratch.write("study.toml", study_of(kPoints)).string() + "'";
  const auto store = scratch / "s.sqlite", whole = scratch / "whole.sqlite";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(attnlaw("sweep " + study + " --store '" + whole.string() + "'").code, 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  std::mt19937 random(1);
  // So that fifty pieces of this length make up less than the whole.
  std::uniform_real_distribution<double> piece(0, 1.6 * seconds / kKills);
  std::size_t before = 0;
  int killed = 0;
  for (int i = 0; i < kKills; ++i) {
    Running run("sweep " + study + " --store '" + store.string() + "'");
    std::this_thread::sleep_for(std::chrono::duration<double>(0.02 + piece(random)));
    run.send(SIGKILL);
    killed += run.wait() == -1;
    if (!std::filesystem::exists(store)) continue;
    const Outcome count = attnlaw("results '" + store.string() + "' --format csv --columns key | wc -l");
    const std::size_t now = std::stoul("0" + count.out);
    EXPECT_GE(now, before) << "a finished result was lost";
    before = now;
  }
  EXPECT_GE(killed, kKills / 2) << "most of the runs were still going";
  ASSERT_EQ(attnlaw("sweep " + study + " --store '" + store.string() + "'").code, 0);
  EXPECT_EQ(content(store), content(whole));
  EXPECT_EQ(study::Store(store.string(), study::Store::Access::read).integrity(), "");
}

/// Short runs, killed at any moment of their life, from before the store exists to after its last result.
TEST(Sweep, SlowSurvivesAThousandKills) {
  constexpr int kKills = 1000;
  const Scratch scratch;
  const std::string study = "'" + scratch.write("study.toml", study_of(40)).string() + "'";
  const auto whole = scratch / "whole.sqlite";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(attnlaw("sweep " + study + " --store '" + whole.string() + "'").code, 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::string expected = content(whole);

  std::mt19937 random(2);
  std::uniform_real_distribution<double> moment(0, seconds);
  int killed = 0, resumed = 0;
  for (int i = 0, number = 0; i < kKills; ++i) {
    const auto store = scratch / ("s" + std::to_string(number) + ".sqlite");
    const std::string sweep = "sweep " + study + " --store '" + store.string() + "'";
    Running run(sweep);
    std::this_thread::sleep_for(std::chrono::duration<double>(moment(random)));
    run.send(SIGKILL);
    const bool died = run.wait() == -1;
    killed += died;
    if (std::filesystem::exists(store) && std::filesystem::file_size(store) > 0) {
      ASSERT_EQ(study::Store(store.string(), study::Store::Access::write).integrity(), "") << "kill " << i;
    }
    // Most stores are killed several times before a run goes to the end.
    constexpr int kResumeEach = 10;
    if (died && i % kResumeEach != 0) continue;
    ASSERT_EQ(attnlaw(sweep).code, 0) << "kill " << i;
    ASSERT_EQ(content(store), expected) << "kill " << i;
    ++resumed;
    ++number;
  }
  EXPECT_GE(killed, kKills / 3) << "many of the runs were still going";
  EXPECT_GE(resumed, kKills / 20);
}

TEST(Sweep, ASignalLetsItEndAndTheNextRunGoOn) {
  const Scratch scratch;
  const std::string study = "'" + scratch.write("study.toml", study_of(20000)).string() + "'";
  const std::string store = " --store '" + (scratch / "s.sqlite").string() + "'";
  Running run("sweep " + study + store);
  // It is under way once its first results are stored.
  const std::string count = "results '" + (scratch / "s.sqlite").string() + "' --format csv --columns key";
  const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (attnlaw(count).out.size() < 100 && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  run.send(SIGTERM);
  EXPECT_EQ(run.wait(), 1) << "incomplete, but not killed";
  const json document = json::parse(attnlaw("sweep " + study + store + " --max-time 0 --format json").out);
  EXPECT_GT(document["reused"], 0);
  EXPECT_EQ(document["computed"], 0);
}

/// One task of minutes: nothing of it is kept, and the next run computes it.
TEST(Sweep, ASignalEndsWhatRunsWithinASecond) {
  const std::string problems[] = {
      "alpha = 0.5\nlambda = 0.05\nnoise = 100\ntokens = 6\n",                 // channels of six tokens
      "alpha = 2\nlambda = 1e-5\nhead = \"linear\"\nstudent = \"untied\"\n"};  // sampled matrices
  for (const std::string& problem : problems) {
    const Scratch scratch;
    const auto study = scratch.write("study.toml", "accuracy = 1e-6\naxes = [{beta = [1]}]\n[problem]\n" + problem);
    const std::string store = "'" + (scratch / "s.sqlite").string() + "'";
    const auto begin = std::chrono::steady_clock::now();
    const Outcome run = attnlaw("sweep '" + study.string() + "' --store " + store,
                                "timeout --foreground --preserve-status --signal INT 5");
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(run.code, 1) << problem << run.err;
    EXPECT_EQ(run.err.find("attnlaw: interrupted: "), 0U) << problem << run.err;
    EXPECT_LT(taken.count(), 5 + 5) << "a second, and some for a busy machine";
    EXPECT_EQ(attnlaw("results " + store + " --format csv --columns key").out, "key\r\n") << "nothing is stored";
  }
}

TEST(Sweep, AFullDiskIsAnErrorAndNothingStoredIsLost) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "small");
  if (mount("none", (scratch / "small").c_str(), "tmpfs", 0, "size=400k") != 0)
    GTEST_SKIP() << "mounting a small file system needs root";
  struct Unmount {
    std::filesystem::path path;
    ~Unmount() { umount2(path.c_str(), MNT_DETACH); }
  } unmount{scratch / "small"};
  const std::string study = "'" + scratch.write("study.toml", study_of(2000)).string() + "'";
  const auto store = scratch / "small" / "s.sqlite";
  const Outcome full = attnlaw("sweep " + study + " --store '" + store.string() + "'");
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.err.find(store.string()), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("full"), std::string::npos) << full.err;
  // What was stored before is there, and goes on elsewhere.
  const auto copy = scratch / "copy.sqlite";
  for (const char* part : {"", "-wal"})
    if (std::filesystem::exists(store.string() + part))
      std::filesystem::copy_file(store.string() + part, copy.string() + part);
  const json document = json::parse(attnlaw("sweep " + study + " --store '" + copy.string() + "' --format json").out);
  EXPECT_GT(document["reused"], 0);
  EXPECT_EQ(document["complete"], true);
}

TEST(Sweep, BadUsageIsRefusedWithTheReason) {
  const Scratch scratch;
  const auto refused = [&](const std::string& arguments, const std::string& reason) {
    const Outcome outcome = attnlaw("sweep " + arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_NE(outcome.err.find(reason), std::string::npos) << outcome.err;
  };
  const std::string study = "'" + scratch.write("study.toml", study_of(2)).string() + "'";
  refused("", "sweep needs a study file");
  refused(study + " --max-time soon", "--max-time takes a time such as 90s, 15m or 2h, got 'soon'");
  refused(study + " --seed 1", "--seed is not accepted here");
  refused("'" + scratch.write("typo.toml", "[problem]\nalpah = 1\n").string() + "'", "typo.toml:2: ");
  const std::string huge = "'" + scratch.write("huge.toml", study_of(1000000)).string() + "'";
  refused(huge, "add --yes");
}

TEST(Sweep, ACheckRunsNothing) {
  const Scratch scratch;
  const std::string study = "'" + scratch.write("study.toml", study_of(30)).string() + "'";
  const Outcome check = attnlaw("sweep " + study + " --check", "cd '" + (scratch / "").string() + "';");
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_NE(check.out.find("30"), std::string::npos) << check.out;
  EXPECT_FALSE(std::filesystem::exists(scratch / "study.sqlite"));
}

}  // namespace
}  // namespace attnlaw::test
