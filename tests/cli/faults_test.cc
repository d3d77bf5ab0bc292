/// The program where the system fails: every write, flush, rename, large allocation and start of a thread in turn.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/program.h"

namespace attnlaw::test {
namespace {

constexpr const char* kStudy = R"([problem]
head = "linear"
lambda = 0.05
[[part]]
name = "curve"
axes = [{alpha = [0.2, 0.3, 0.4]}]
[[part]]
name = "experiment"
axes = [{alpha = [0.5]}]
[part.experiment]
d = [24]
instances = 1
[[chart]]
title = "Test error"
parts = ["curve"]
x = "alpha"
values = ["test"]
)";

constexpr const char* kKinds[] = {"write", "sync", "rename", "memory", "thread"};

/// A command whose every failure is tried out.
class Faults : public testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "a sanitizer has an allocator of its own";
    scratch_.write("study.toml", kStudy);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
  }

  /// Runs the command in the scratch folder with a plan of faults.
  Outcome run(const std::string& arguments, const std::string& plan = "") const {
    std::string prefix = "cd '" + scratch_.path().string() + "' && ";
    if (!plan.empty()) prefix += "LD_PRELOAD='" ATTNLAW_FAULTS "' ATTNLAW_FAULT=" + plan + " ATTNLAW_FAULT_MARK=mark ";
    return attnlaw(arguments, prefix);
  }

  /// Lets call 1, 2, … of a kind fail, as long as the command makes so many calls, and judges each end; `before` sets
  /// up the folder. Returns how many failures there were.
  int fail_in_turn(const std::string& kind, const std::string& arguments, const std::function<void()>& before,
                   const std::function<void(const std::string& where)>& judge) const {
    constexpr int kMost = 2000;
    for (int call = 1; call <= kMost; ++call) {
      std::filesystem::remove(scratch_ / "mark");
      before();
      const std::string plan = kind + ":" + std::to_string(call), where = plan + " of " + arguments;
      const Outcome outcome = run(arguments, plan);
      if (!std::filesystem::exists(scratch_ / "mark")) {
        EXPECT_EQ(outcome.code, 0) << where << ": nothing failed, " << outcome.err;
        return call - 1;
      }
      EXPECT_EQ(outcome.code, 1) << where << ": " << outcome.err;
      EXPECT_TRUE(outcome.err.starts_with("attnlaw: ")) << where << ": " << outcome.err;
      EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << where << ": " << outcome.err;
      judge(where);
    }
    ADD_FAILURE() << arguments << " has no end";
    return kMost;
  }

  /// Nothing temporary stays behind.
  void expect_tidy(const std::string& where) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.path()))
      EXPECT_FALSE(entry.path().filename().string().ends_with(".tmp")) << where << ": " << entry.path();
  }

  /// Everything that a store says but for times.
  std::string content(const std::string& store) const {
    const Outcome results =
        run("results " + store +
            " --format csv --columns key,kind,alpha,d,status,error,train,test,estimation,objective,q,"
            "m,V,Q_star,kkt,zero_mass | sort");
    EXPECT_EQ(results.code, 0) << results.err;
    return results.out;
  }

  /// SQLite finds the file in order, also one that has no tables yet.
  void expect_whole(const std::string& store, const std::string& where) const {
    if (!std::filesystem::exists(scratch_ / store)) return;
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open_v2((scratch_ / store).c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK)
        << where;
    std::string answer;
    const auto take = [](void* text, int, char** values, char**) {
      *static_cast<std::string*>(text) += values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, "PRAGMA integrity_check", take, &answer, nullptr), SQLITE_OK) << where;
    sqlite3_close(database);
    EXPECT_EQ(answer, "ok") << where;
  }

  void remove_store(const std::string& store) const {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(scratch_ / (store + end));
  }

  Scratch scratch_;
};

TEST_F(Faults, OfSolveLeaveTheOldFileOrTheWholeNewOne) {
  const std::string solve = "solve --alpha 0.3 --lambda 0.05 --format csv --output out.csv";
  ASSERT_EQ(run(solve).code, 0);
  const std::string whole = slurp(scratch_ / "out.csv");
  for (const std::string kind : kKinds) {
    const int failures = fail_in_turn(
        kind, solve, [&] { scratch_.write("out.csv", "old\n"); },
        [&](const std::string& where) {
          EXPECT_EQ(slurp(scratch_ / "out.csv"), "old\n") << where;
          expect_tidy(where);
        });
    const std::string names = whole.substr(0, whole.find('\n'));
    EXPECT_TRUE(slurp(scratch_ / "out.csv").starts_with(names)) << kind;
    if (kind == "write" || kind == "sync" || kind == "rename") {
      EXPECT_GE(failures, 1) << kind;
    }
  }
}

TEST_F(Faults, OfASweepLeaveAStoreFromWhichTheNextRunGoesOn) {
  ASSERT_EQ(run("sweep study.toml --store whole.sqlite").code, 0);
  const std::string whole = content("whole.sqlite");
  for (const std::string kind : kKinds) {
    const int failures = fail_in_turn(
        kind, "sweep study.toml --store s.sqlite --threads 2", [&] { remove_store("s.sqlite"); },
        [&](const std::string& where) {
          expect_whole("s.sqlite", where);
          const Outcome again = run("sweep study.toml --store s.sqlite");
          EXPECT_EQ(again.code, 0) << where << ": " << again.err;
          EXPECT_EQ(content("s.sqlite"), whole) << where;
        });
    if (kind == "write" || kind == "thread") {
      EXPECT_GE(failures, 2) << kind;
    }
  }
}

/// Of an experiment, whose data are large enough to be refused.
TEST_F(Faults, OfMemoryEndARunWithoutAResult) {
  std::string study = kStudy;
  const std::string small = "d = [24]";
  study.replace(study.find(small), small.size(), "d = [80]");
  scratch_.write("large.toml", study);
  ASSERT_EQ(run("sweep large.toml --store whole.sqlite").code, 0);
  const std::string whole = content("whole.sqlite");
  const int failures = fail_in_turn(
      "memory", "sweep large.toml --store s.sqlite", [&] { remove_store("s.sqlite"); },
      [&](const std::string& where) {
        expect_whole("s.sqlite", where);
        EXPECT_EQ(run("sweep large.toml --store s.sqlite").code, 0) << where;
        EXPECT_EQ(content("s.sqlite"), whole) << where;
      });
  EXPECT_GE(failures, 1);
  EXPECT_GE(fail_in_turn(
                "memory", "simulate --head linear --alpha 0.5 --lambda 0.5 --d 80 --instances 2 --output x.txt", [] {},
                [&](const std::string& where) { EXPECT_FALSE(std::filesystem::exists(scratch_ / "x.txt")) << where; }),
            1);
}

TEST_F(Faults, OfAFigureLeaveOldFilesAndTheStoreWhole) {
  const std::string figure = "figure study.toml --directory out --threads 2";
  ASSERT_EQ(run(figure).code, 0);
  const std::string store = content("out/study.sqlite"), csv = "out/study-1-test-error.csv",
                    numbers = slurp(scratch_ / csv), page = slurp(scratch_ / "out/study.html");
  ASSERT_FALSE(numbers.empty());
  for (const std::string kind : kKinds) {
    const int failures = fail_in_turn(
        kind, figure,
        [&] {
          remove_store("out/study.sqlite");
          scratch_.write(csv, "old\n");
          scratch_.write("out/study.html", "old\n");
        },
        [&](const std::string& where) {
          const std::string left = slurp(scratch_ / csv);
          EXPECT_TRUE(left == "old\n" || left == numbers) << where;
          const std::string left_page = slurp(scratch_ / "out/study.html");
          EXPECT_TRUE(left_page == "old\n" || left_page.ends_with("</html>\n")) << where;
          expect_whole("out/study.sqlite", where);
          expect_tidy(where);
          EXPECT_EQ(run(figure).code, 0) << where;
          EXPECT_EQ(content("out/study.sqlite"), store) << where;
        });
    if (kind == "write" || kind == "rename") {
      EXPECT_GE(failures, 2) << kind;
    }
  }
}

TEST_F(Faults, OfResultsLeaveTheStoreAsItIs) {
  ASSERT_EQ(run("sweep study.toml --store s.sqlite").code, 0);
  const std::string whole = content("s.sqlite");
  for (const std::string arguments : {"results s.sqlite", "results s.sqlite --format json --output rows.json"})
    for (const std::string kind : kKinds)
      fail_in_turn(
          kind, arguments, [&] { scratch_.write("rows.json", "old\n"); },
          [&](const std::string& where) {
            EXPECT_EQ(slurp(scratch_ / "rows.json"), "old\n") << where;
            expect_whole("s.sqlite", where);
            expect_tidy(where);
          });
  EXPECT_EQ(content("s.sqlite"), whole);
}

}  // namespace
}  // namespace attnlaw::test
