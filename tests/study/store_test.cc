/// The store keeps what was put, whatever happens to its writers, its file and its disk.

#include "attnlaw/study/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/study/store/process.h"
#include "attnlaw/study/store/schema.h"
#include "attnlaw/study/store/sqlite.h"
#include "attnlaw/theory/channel/overlaps.h"
#include "store_samples.h"

namespace attnlaw::study {
namespace {

namespace fs = std::filesystem;
using namespace samples;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string bytes_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const StoreError& error) {
    return error.what();
  }
  return "no StoreError";
}

/// Runs `action` in a process of its own; it ends with 0 if it returns true.
pid_t start_process(const std::function<bool()>& action) {
  const pid_t child = fork();
  if (child != 0) return child;
  bool fine = false;
  try {
    fine = action();
  } catch (const std::exception& error) {
    fmt::print(stderr, "child: {}\n", error.what());
  }
  _exit(fine ? 0 : 1);
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Root may write anything: what others may do is tried as nobody.
bool become_nobody() {
  constexpr uid_t kNobody = 65534;
  return geteuid() != 0 || (setgid(kNobody) == 0 && setuid(kNobody) == 0);
}

std::vector<std::string> keys_of(const Store& store, const std::string& where = "") {
  std::vector<std::string> keys;
  for (const auto& row : store.select(where).rows) keys.push_back(row[0]);
  return keys;
}

nlohmann::json cell(const Store::Rows& rows, std::size_t row, const std::string& column) {
  const auto found = std::find(rows.columns.begin(), rows.columns.end(), column);
  if (found == rows.columns.end()) throw std::out_of_range(column);
  return rows.rows.at(row)[static_cast<std::size_t>(found - rows.columns.begin())];
}

TEST(Store, GivesBackWhatWasPutBitForBit) {
  const Directory directory;
  const double infinity = std::numeric_limits<double>::infinity();
  Outcome outcome = experiment_outcome(0.1 + 0.2);
  outcome.figures["theory"]["test"] = nullptr;
  outcome.arrays = {{"z", {0.0, -0.0, 1.0 / 3, infinity, -infinity, std::numeric_limits<double>::denorm_min()}},
                    {"a", {}},
                    {"nan", {std::nan("")}}};
  const Store::Entry put = entry(experiment_task(0.3, 7), outcome);
  Store(directory / "s.db").put(std::span(&put, 1));

  const Store store(directory / "s.db", Store::Access::read);
  const auto found = store.find(put.key);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->figures, outcome.figures);
  EXPECT_EQ(found->status, Outcome::Status::converged);
  EXPECT_EQ(found->error, "");
  EXPECT_EQ(found->seconds, 1.5);
  ASSERT_EQ(found->arrays.size(), 3u);
  EXPECT_EQ(found->arrays[0].name, "z");
  EXPECT_EQ(found->arrays[0].values, outcome.arrays[0].values);
  EXPECT_TRUE(std::signbit(found->arrays[0].values[1]));
  EXPECT_EQ(found->arrays[1].name, "a");
  EXPECT_TRUE(found->arrays[1].values.empty());
  EXPECT_TRUE(std::isnan(found->arrays[2].values[0]));
  EXPECT_EQ(store.task(put.key), to_json(put.task));
  EXPECT_FALSE(store.find(std::string("0000")));
  EXPECT_FALSE(store.task("0000"));
  EXPECT_EQ(store.integrity(), "");
}

TEST(Store, InMemoryKeepsResultsAndLeavesNoFile) {
  const Directory directory;
  const std::string name = directory / "curve";
  Store first(name, Store::Access::memory), second(name, Store::Access::memory);
  const Store::Entry one = numbered(1);
  EXPECT_TRUE(claim_one(first, one.key));
  put_one(first, one);
  release_one(first, one.key);
  EXPECT_EQ(first.find(one.key)->figures, one.outcome.figures);
  EXPECT_EQ(first.select("").rows.size(), 1u);
  EXPECT_FALSE(has_one(second, one.key)) << "each has its own";
  first.settle();
  EXPECT_FALSE(fs::exists(name));
}

TEST(Store, KeepsTheFirstResultOfAKeyUnlessItFailed) {
  const Directory directory;
  Store store(directory / "s.db");
  const Task task = theory_task(0.5);
  EXPECT_EQ(put_one(store, entry(task, failure("no memory"))), 1u);
  EXPECT_EQ(store.find(key(task, "code"))->error, "no memory");
  EXPECT_TRUE(store.find(key(task, "code"))->figures.is_null());
  EXPECT_EQ(put_one(store, entry(task, theory_outcome(0.1))), 1u);
  EXPECT_EQ(put_one(store, entry(task, theory_outcome(0.2))), 0u);
  EXPECT_EQ(put_one(store, entry(task, failure("again"))), 0u);
  const auto found = store.find(key(task, "code"));
  EXPECT_EQ(found->figures, theory_outcome(0.1).figures);
  EXPECT_EQ(found->arrays.size(), 2u);
  EXPECT_EQ(store.select("").rows.size(), 1u);
}

TEST(Store, KnowsWhichKeysHaveResultsAndOfWhichCode) {
  const Directory directory;
  Store store(directory / "s.db");
  const std::vector<Store::Entry> entries{entry(theory_task(1), theory_outcome(0.1), "new"),
                                          entry(theory_task(2), failure("x"), "new"),
                                          entry(theory_task(1), theory_outcome(0.1), "old")};
  EXPECT_EQ(store.put(entries), 3u);
  const std::vector<std::string> keys{entries[1].key, "none", entries[0].key};
  EXPECT_THAT(store.has(keys, false), ElementsAre(false, false, true));
  EXPECT_THAT(store.has(keys, true), ElementsAre(true, false, true));
  EXPECT_EQ(store.count("new").this_code, 2u);
  EXPECT_EQ(store.count("new").other_codes, 1u);
}

TEST(Store, FindsAllResultsOfAProblemByAnIndex) {
  const Directory directory;
  Store store(directory / "s.db");
  Task thresholds = theory_task(0.5), scaling = theory_task(0.5), elsewhere = theory_task(0.25);
  thresholds.kind = TaskKind::thresholds;
  scaling.kind = TaskKind::scaling;
  scaling.n = {100, 1000};
  std::vector<Store::Entry> entries;
  for (const Task& task : {experiment_task(0.5, 0), elsewhere, theory_task(0.5), thresholds, scaling})
    entries.push_back(entry(task, theory_outcome(0.1)));
  entries.push_back(entry(theory_task(0.5), theory_outcome(0.1), "another code"));
  store.put(entries);
  EXPECT_THAT(store.find(theory_task(0.5).problem),
              ElementsAre(entries[0].key, entries[2].key, entries[3].key, entries[4].key, entries[5].key));
  EXPECT_THAT(store.find(theory_task(0.125).problem), ElementsAre(entries[3].key, entries[4].key))
      << "thresholds and curves read no alpha";

  sqlite::Connection connection(directory / "s.db", Store::Access::read);
  const sqlite::Query plan = connection.query(
      "EXPLAIN QUERY PLAN SELECT id, key FROM result WHERE json_extract(task, '$.problem') = ?1", "{}");
  ASSERT_TRUE(plan->next());
  EXPECT_THAT(plan->text(3), HasSubstr("USING INDEX result_by_problem"));
}

TEST(Store, ShowsResultsInColumns) {
  const Directory directory;
  Store store(directory / "s.db");
  Task optimal = theory_task(0.5);
  optimal.problem.lambda_rule = model::LambdaRule::optimal;
  optimal.problem.target_beta = 2;
  Outcome unconverged = theory_outcome(0.2);
  unconverged.status = Outcome::Status::unconverged;
  unconverged.figures["diagnostics"]["message"] = "no fixed point";
  Task thresholds = theory_task(1);
  thresholds.kind = TaskKind::thresholds;
  Outcome found;
  found.figures = {{"recovery", {{"alpha", 0.4}}}, {"interpolation", nullptr}, {"bayes_recovery", {{"alpha", 0.3}}}};
  store.put(std::vector{entry(optimal, unconverged), entry(experiment_task(0.75, 3), experiment_outcome(0.04)),
                        entry(theory_task(0.1), failure("out of memory")), entry(thresholds, found)});

  const Store::Rows rows = store.select("");
  ASSERT_EQ(rows.rows.size(), 4u);
  EXPECT_EQ(rows.columns.front(), "key");
  const std::vector<std::pair<std::string, nlohmann::json>> theory{{"kind", "theory"},
                                                                   {"student", "tied"},
                                                                   {"head", "softmax"},
                                                                   {"tokens", 2},
                                                                   {"alpha", 0.5},
                                                                   {"lambda", 0.05},
                                                                   {"lambda_rule", "optimal"},
                                                                   {"beta", 1},
                                                                   {"target_beta", 2},
                                                                   {"noise", 0},
                                                                   {"target", "wishart:0.5"},
                                                                   {"width", 1},
                                                                   {"d", nullptr},
                                                                   {"trainer", nullptr},
                                                                   {"accuracy", 1e-3},
                                                                   {"continued", 0},
                                                                   {"status", "unconverged"},
                                                                   {"error", "no fixed point"},
                                                                   {"train", 0.1},
                                                                   {"test", 0.2},
                                                                   {"estimation", 0.4},
                                                                   {"objective", 0.1},
                                                                   {"q", 0.5},
                                                                   {"m", 0.75},
                                                                   {"V", 0.125},
                                                                   {"Q_star", 3.25},
                                                                   {"kkt", nullptr},
                                                                   {"replicon", 0.625},
                                                                   {"zero_mass", 0.375},
                                                                   {"theory_test", nullptr},
                                                                   {"recovery", nullptr},
                                                                   {"seconds", 0.25},
                                                                   {"code", "code"}};
  for (const auto& [column, value] : theory) EXPECT_EQ(cell(rows, 0, column), value) << column;
  const std::vector<std::pair<std::string, nlohmann::json>> trained{{"kind", "experiment"},
                                                                    {"lambda", 0.07},
                                                                    {"lambda_rule", nullptr},
                                                                    {"d", 60},
                                                                    {"instance", 3},
                                                                    {"seed", 0},
                                                                    {"trainer", "adam"},
                                                                    {"precision", "single"},
                                                                    {"train", 0.01},
                                                                    {"test", 0.04},
                                                                    {"estimation", 0.5},
                                                                    {"objective", 0.2},
                                                                    {"q", 0.4},
                                                                    {"m", 0.6},
                                                                    {"V", nullptr},
                                                                    {"Q_star", 3.1},
                                                                    {"kkt", 1e-5},
                                                                    {"theory_train", 0.02},
                                                                    {"theory_test", 0.03},
                                                                    {"theory_estimation", 0.6},
                                                                    {"status", "converged"},
                                                                    {"error", nullptr}};
  for (const auto& [column, value] : trained) EXPECT_EQ(cell(rows, 1, column), value) << column;
  EXPECT_EQ(cell(rows, 2, "error"), "out of memory");
  EXPECT_EQ(cell(rows, 2, "test"), nullptr);
  EXPECT_EQ(cell(rows, 3, "recovery"), 0.4);
  EXPECT_EQ(cell(rows, 3, "interpolation"), nullptr);
  EXPECT_EQ(cell(rows, 3, "bayes_recovery"), 0.3);
  EXPECT_THAT(cell(rows, 0, "finished").get<std::string>(),
              testing::MatchesRegex("20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9]*Z"));
}

TEST(Store, SelectsByAnyReadingExpressionInOrderOfComputation) {
  const Directory directory;
  Store store(directory / "s.db");
  std::vector<Store::Entry> entries;
  for (int i = 0; i < 50; ++i) entries.push_back(numbered(49 - i));
  store.put(entries);
  std::vector<std::string> all;
  for (const Store::Entry& one : entries) all.push_back(one.key);
  EXPECT_EQ(keys_of(store), all);
  EXPECT_THAT(keys_of(store, "test < 0.0015 -- the smallest"), ElementsAre(all[48], all[49]));
  EXPECT_THAT(keys_of(store, "alpha = (SELECT max(alpha) FROM results)"), ElementsAre(all[0]));
  EXPECT_THAT(keys_of(store, "key IN (SELECT key FROM result WHERE json_extract(figures, '$.errors.test') = 0)"),
              ElementsAre(all[49]));
  EXPECT_THAT(keys_of(store, "student LIKE 'dir%'"), IsEmpty());
}

TEST(Store, RefusesExpressionsThatAreNoneOrDoMore) {
  const Directory directory;
  Store store(directory / "s.db");
  store.put(std::vector{numbered(1), numbered(2)});
  const std::string before = bytes_of(directory / "s.db") + bytes_of(directory / "s.db-wal");
  for (const char* where : {"alhpa > 1",
                            "student = \"tied\"",
                            "alpha >",

                            "1; DELETE FROM result",
                            "1); DELETE FROM result; --",
                            "1) UNION SELECT * FROM results --",
                            "1) UNION SELECT * FROM results /*",
                            "1) ORDER BY alpha LIMIT 1 /*",
                            "1) THEN 1 END FROM results /*",
                            "key IN (SELECT key FROM claim)",
                            "(SELECT count(*) FROM sqlite_schema) > 0",
                            "key IN (DELETE FROM result RETURNING key)",
                            "load_extension('x')",
                            "alpha > ?",
                            "alpha > :x",
                            "sum(alpha) > 0",
                            "json_extract('{', '$') = 1",
                            "EXISTS (SELECT * FROM pragma_journal_mode('delete'))",
                            ")",
                            "'",
                            "/*",
                            ";",
                            "--"})
    EXPECT_THROW(store.select(where), std::invalid_argument) << where;
  EXPECT_TRUE(bytes_of(directory / "s.db") + bytes_of(directory / "s.db-wal") == before);
  EXPECT_EQ(store.select("").rows.size(), 2u) << "and it goes on working";
  EXPECT_EQ(put_one(store, numbered(3)), 1u) << "also writing";
  try {
    store.select("alhpa > 1");
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("no such column: alhpa"));
    EXPECT_THAT(error.what(), HasSubstr("labels, loss, alpha, lambda"));
  }
}

TEST(Store, ClaimsAreExclusiveUntilReleasedOrTheEndOfTheStore) {
  const Directory directory;
  Store first(directory / "s.db");
  const std::vector<std::string> keys{"a", "b", "c"};
  EXPECT_THAT(first.claim(std::vector<std::string>{"b"}), ElementsAre(true));
  {
    Store second(directory / "s.db");
    EXPECT_THAT(second.claim(keys), ElementsAre(true, false, true));
    EXPECT_THAT(second.claim(keys), ElementsAre(true, false, true)) << "one's own claims are still one's own";
    second.release(std::vector<std::string>{"b", "c"});
    EXPECT_THAT(first.claim(keys), ElementsAre(false, true, true)) << "b was not second's to release";
  }
  EXPECT_THAT(first.claim(keys), ElementsAre(true, true, true));
  first.heartbeat();
  Store moved(std::move(first));
  Store second(directory / "s.db");
  EXPECT_THAT(second.claim(keys), ElementsAre(false, false, false));
}

TEST(Store, ClaimsOfAKilledProcessAreFree) {
  const Directory directory;
  const std::string path = directory / "s.db";
  Store store(path);
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t child = start_process([&] {
    Store other(path);
    const bool taken = claim_one(other, "a");
    if (write(ready[1], "!", 1) != 1) return false;
    pause();
    return taken;
  });
  char signal = 0;
  ASSERT_EQ(read(ready[0], &signal, 1), 1);
  EXPECT_FALSE(claim_one(store, "a"));
  kill(child, SIGKILL);
  // Also while its parent has not noticed yet.
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_TRUE(claim_one(store, "a"));
  wait_for(child);
  close(ready[0]), close(ready[1]);
}

TEST(Store, ClaimsOfEarlierProcessesWithTheSameNumberAndOfSilentMachinesAreFree) {
  const Directory directory;
  Store store(directory / "s.db");
  sqlite::Connection connection(directory / "s.db", Store::Access::write);
  const Process self = this_process();
  EXPECT_EQ(is_alive(self), true);
  const auto add_run = [&](const std::string& key, const Process& process, const char* heartbeat) {
    connection.run(
        std::string("INSERT INTO run (machine, pid, started, heartbeat) VALUES (?1, ?2, ?3, ") + heartbeat + ")",
        process.machine, process.pid, process.started);
    connection.run("INSERT INTO claim (key, run) VALUES (?1, ?2)", key, connection.last_id());
  };
  const char* kNow = "strftime('%s', 'now')";
  const char* kLongAgo = "strftime('%s', 'now') - 61";
  add_run("alive", self, kLongAgo);
  add_run("reused number", {self.machine, self.pid, self.started + 1}, kNow);
  add_run("elsewhere", {"another machine", self.pid, self.started}, kNow);
  add_run("elsewhere, silent", {"another machine", self.pid, self.started}, kLongAgo);
  EXPECT_THAT(store.claim(std::vector<std::string>{"alive", "reused number", "elsewhere", "elsewhere, silent"}),
              ElementsAre(false, true, false, true));
  // Taken for dead by mistake: it comes back with its next sign of life.
  connection.run("DELETE FROM run");
  store.heartbeat();
  EXPECT_EQ(connection.integer("SELECT count(*) FROM run"), 1);
  EXPECT_TRUE(claim_one(store, "alive"));
}

TEST(Store, TwoProcessesWriteWithoutDuplicates) {
  const Directory directory;
  const std::string path = directory / "s.db";
  constexpr int kRows = 400;
  const auto writer = [&](int step) {
    return start_process([&, step] {
      Store store(path);  // also the creation is a race
      for (int i = 0; i < kRows; ++i) put_one(store, numbered(step > 0 ? i : kRows - 1 - i));
      return true;
    });
  };
  const std::vector<pid_t> children{writer(1), writer(-1), writer(1)};
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  const Store store(path, Store::Access::read);
  const std::vector<std::string> keys = keys_of(store);
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(kRows));
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
  EXPECT_EQ(store.integrity(), "");
}

TEST(Store, ProcessesShareWorkByClaimsWithoutDoingItTwice) {
  const Directory directory;
  const std::string path = directory / "s.db";
  constexpr int kTasks = 200;
  const auto worker = [&] {
    return start_process([&] {
      Store store(path);
      for (int i = 0; i < kTasks; ++i) {
        const Store::Entry one = numbered(i);
        if (!claim_one(store, one.key)) continue;
        const bool mine = !has_one(store, one.key);
        if (mine && put_one(store, one) != 1) return false;
        release_one(store, one.key);
      }
      return true;
    });
  };
  const std::vector<pid_t> children{worker(), worker()};
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(Store(path, Store::Access::read).select("").rows.size(), static_cast<std::size_t>(kTasks));
}

TEST(Store, ThreadsShareOneStore) {
  const Directory directory;
  Store store(directory / "s.db");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 50; ++i) {
        put_one(store, numbered(i % 2 == 0 ? i : 100 * (t + 1) + i));
        if (!store.find(numbered(i % 2 == 0 ? i : 100 * (t + 1) + i).key)) std::abort();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.select("").rows.size(), 25u + 4 * 25u);
}

/// Puts results until it is killed, and reports the number of each after its put has returned.
pid_t start_writer(const std::string& path, int first, int report) {
  return start_process([&, first, report] {
    Store store(path);
    for (int i = first;; ++i) {
      put_one(store, numbered(i));
      if (write(report, &i, sizeof(i)) != sizeof(i)) return false;
    }
  });
}

TEST(Store, NothingThatWasPutIsLostByKills) {
  const Directory directory;
  const std::string path = directory / "s.db";
  std::mt19937 random(1);
  int last = -1;
  constexpr int kKills = 25;
  for (int round = 0; round < kKills; ++round) {
    std::array<int, 2> report{};
    ASSERT_EQ(pipe(report.data()), 0);
    const pid_t child = start_writer(path, last + 1, report[1]);
    close(report[1]);
    // At any time, from before the store is open; and after some results, however slow the machine is.
    for (auto results = round % 2 == 0 ? 0 : 1 + random() % 40; results > 0; --results)
      ASSERT_EQ(read(report[0], &last, sizeof(last)), static_cast<ssize_t>(sizeof(last)));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % (round % 2 == 0 ? 40000 : 500)));
    kill(child, SIGKILL);
    wait_for(child);
    while (read(report[0], &last, sizeof(last)) == sizeof(last)) {
    }
    close(report[0]);
    if (last < 0) continue;
    const Store store(path, round % 4 < 2 ? Store::Access::read : Store::Access::write);
    EXPECT_EQ(store.integrity(), "");
    std::vector<std::string> keys;
    for (int i = 0; i <= last; ++i) keys.push_back(numbered(i).key);
    const std::vector<bool> there = store.has(keys, false);
    EXPECT_EQ(std::count(there.begin(), there.end(), true), last + 1) << "after kill " << round;
    const auto count = static_cast<int>(store.select("").rows.size());
    EXPECT_TRUE(count == last + 1 || count == last + 2) << "at most the put that was running is there beyond";
  }
  Store store(path);
  for (int i = 0; i <= last; ++i)
    ASSERT_EQ(store.find(numbered(i).key)->figures, theory_outcome(1e-3 * i).figures) << i;
}

TEST(Store, ABatchIsThereWholeOrNotAtAll) {
  const Directory directory;
  const std::string path = directory / "s.db";
  std::vector<Store::Entry> batch;
  for (int i = 0; i < 500; ++i) batch.push_back(numbered(i));
  std::mt19937 random(2);
  for (int round = 0; round < 10; ++round) {
    const pid_t child = start_process([&] { return Store(path).put(batch) > 0; });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60000));
    kill(child, SIGKILL);
    wait_for(child);
    Store store(path);
    const std::size_t rows = store.select("").rows.size();
    EXPECT_TRUE(rows == 0 || rows == batch.size()) << rows;
    EXPECT_EQ(store.integrity(), "");
  }
}

TEST(StoreReading, NeverCreates) {
  const Directory directory;
  EXPECT_THAT(complaint([&] { Store(directory / "none.db", Store::Access::read); }),
              testing::AllOf(HasSubstr(directory / "none.db"), HasSubstr("no such file"), HasSubstr("attnlaw sweep")));
  std::ofstream(directory / "empty.db");
  EXPECT_THAT(complaint([&] { Store(directory / "empty.db", Store::Access::read); }), HasSubstr("it is empty"));
  EXPECT_THAT(complaint([&] { Store("", Store::Access::read); }), HasSubstr("no such file"));
  EXPECT_EQ(directory.listing(), "empty.db ");
  EXPECT_EQ(fs::file_size(directory / "empty.db"), 0u);
}

TEST(StoreReading, NeverChanges) {
  const Directory directory;
  const std::string path = directory / "s.db";
  {
    Store store(path);
    put_one(store, numbered(0));
  }
  const std::string before = bytes_of(path);
  {
    Store store(path, Store::Access::read);
    EXPECT_EQ(store.select("").rows.size(), 1u);
    EXPECT_THAT(complaint([&] { put_one(store, numbered(1)); }), HasSubstr("readonly"));
    EXPECT_THAT(complaint([&] { claim_one(store, "a"); }), HasSubstr("readonly"));
  }
  EXPECT_TRUE(bytes_of(path) == before);
  EXPECT_EQ(directory.listing(), "s.db ");
}

TEST(StoreReading, SeesWhatAKilledWriterLeftInTheLogAndLeavesItThere) {
  const Directory directory;
  const std::string path = directory / "s.db";
  wait_for(start_process([&] {
    Store store(path);
    put_one(store, numbered(0));
    kill(getpid(), SIGKILL);
    return true;
  }));
  const std::string file = bytes_of(path), log = bytes_of(path + "-wal");
  ASSERT_GT(log.size(), 0u);
  EXPECT_EQ(Store(path, Store::Access::read).select("").rows.size(), 1u);
  EXPECT_TRUE(bytes_of(path) == file);
  EXPECT_TRUE(bytes_of(path + "-wal") == log);
  Store(path).integrity();
  EXPECT_EQ(directory.listing(), "s.db ") << "a writer tidies up";
  EXPECT_EQ(Store(path, Store::Access::read).select("").rows.size(), 1u);
}

TEST(StoreReading, NeedsNoPermissionToWrite) {
  const Directory directory;
  const std::string path = directory / "s.db";
  {
    Store store(path);
    put_one(store, numbered(0));
  }
  chmod(path.c_str(), 0444);
  chmod(directory.path().c_str(), 0555);
  EXPECT_EQ(wait_for(start_process(
                [&] { return become_nobody() && Store(path, Store::Access::read).find(numbered(0).key).has_value(); })),
            0);
  EXPECT_EQ(directory.listing(), "s.db ");
  chmod(directory.path().c_str(), 0755);
}

/// Checks the error of a process that may not write when it opens a store for writing.
void expect_unwritable(const std::string& path) {
  EXPECT_EQ(wait_for(start_process([&] {
              if (!become_nobody()) return false;
              const std::string told = complaint([&] { Store store(path); });
              const bool fine = told.find(path) != std::string::npos && told.find("writable") != std::string::npos;
              if (!fine) fmt::print(stderr, "{}\n", told);
              return fine;
            })),
            0)
      << path;
}

TEST(StoreWriting, NeedsPermissionAndSaysSo) {
  const Directory directory;
  const std::string path = directory / "s.db";
  {
    Store store(path);
    put_one(store, numbered(0));
  }
  const std::string before = bytes_of(path);
  chmod(path.c_str(), 0444);
  chmod(directory.path().c_str(), 0777);
  expect_unwritable(path);
  chmod(path.c_str(), 0666);
  chmod(directory.path().c_str(), 0555);
  expect_unwritable(path);
  expect_unwritable(directory / "new.db");
  chmod(directory.path().c_str(), 0755);
  expect_unwritable(directory / "no such folder/new.db");
  EXPECT_EQ(directory.listing(), "s.db ");
  EXPECT_TRUE(bytes_of(path) == before);
}

TEST(StoreWriting, RefusesFilesThatAreNoStoreAndLeavesThem) {
  const Directory directory;
  std::ofstream(directory / "text.db") << "alpha = 0.5\n" << std::string(5000, 'x');
  std::ofstream(directory / "short.db") << "x";
  sqlite::Connection(directory / "foreign.db", Store::Access::write)
      .script("CREATE TABLE mine (a); PRAGMA user_version = 1");
  for (const char* name : {"text.db", "short.db", "foreign.db"}) {
    const std::string before = bytes_of(directory / name);
    for (const auto access : {Store::Access::write, Store::Access::read}) {
      const std::string told = complaint([&] { Store(directory / name, access); });
      EXPECT_THAT(told, HasSubstr(directory / name));
      EXPECT_THAT(told, HasSubstr("give another name"));
    }
    EXPECT_TRUE(bytes_of(directory / name) == before) << name;
  }
  EXPECT_THAT(complaint([&] { Store(directory.path().string()); }), HasSubstr("is a directory"));
  EXPECT_THAT(complaint([&] { Store("/dev/null"); }), HasSubstr("regular file"));
  EXPECT_EQ(directory.listing(), "foreign.db short.db text.db ");
}

TEST(StoreWriting, RefusesANewerStorePolitely) {
  const Directory directory;
  const std::string path = directory / "s.db";
  Store{path};
  sqlite::Connection(path, Store::Access::write).script("PRAGMA user_version = 9");
  const std::string before = bytes_of(path);
  for (const auto access : {Store::Access::write, Store::Access::read}) {
    const std::string told = complaint([&] { Store(path, access); });
    EXPECT_THAT(told, HasSubstr(path));
    EXPECT_THAT(told, HasSubstr("version 9, written by a newer attnlaw"));
  }
  EXPECT_TRUE(bytes_of(path) == before);
}

TEST(StoreWriting, FindsDamage) {
  const Directory directory;
  const std::string path = directory / "s.db";
  {
    Store store(path);
    std::vector<Store::Entry> entries;
    for (int i = 0; i < 300; ++i) entries.push_back(numbered(i));
    store.put(entries);
  }
  const auto whole = fs::file_size(path);
  for (const auto size : {whole - 4096, whole / 2, std::uintmax_t{4096}, std::uintmax_t{100}}) {
    const std::string truncated = directory / "truncated.db";
    fs::copy_file(path, truncated, fs::copy_options::overwrite_existing);
    fs::resize_file(truncated, size);
    const std::string before = bytes_of(truncated);
    for (const auto access : {Store::Access::write, Store::Access::read})
      EXPECT_THAT(complaint([&] { Store(truncated, access); }), HasSubstr(truncated)) << size;
    EXPECT_TRUE(bytes_of(truncated) == before) << size;
  }
  std::string bytes = bytes_of(path);
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 20000; ++i) bytes[i] = '\x55';
  std::ofstream(path, std::ios::binary) << bytes;
  const Store damaged(path, Store::Access::read);
  EXPECT_NE(damaged.integrity(), "");
}

TEST(StoreWriting, OpensAnyFileName) {
  const Directory directory;
  const fs::path start = fs::current_path();
  fs::current_path(directory.path());
  for (const char* name : {":memory:", "a%41b?mode=ro#c.db", "file:x.db", "mit Leerzeichen ü.db"}) {
    {
      Store store(name);
      put_one(store, numbered(0));
      EXPECT_EQ(store.path(), name);
    }
    EXPECT_TRUE(fs::exists(directory / name)) << name;
    EXPECT_EQ(Store(name, Store::Access::read).select("").rows.size(), 1u) << name;
  }
  fs::current_path(start);
}

/// A file system of 2 MB for one test.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    fs::create_directory(path_);
    mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount(path_.c_str());
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(StoreWriting, SurvivesAFullDisk) {
  const Directory directory;
  const SmallDisk disk(directory / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk needs root";
  const std::string path = directory / "disk/s.db", ballast = directory / "disk/ballast";
  std::ofstream(ballast) << std::string(500000, 'x');
  int stored = 0;
  {
    Store store(path);
    std::string told;
    for (; told.empty() && stored < 100000; ++stored) try {
        put_one(store, numbered(stored));
      } catch (const StoreError& error) {
        told = error.what();
        --stored;
      }
    EXPECT_THAT(told, HasSubstr(path));
    EXPECT_THAT(told, HasSubstr("full"));
    EXPECT_GT(stored, 20);
    EXPECT_TRUE(has_one(store, numbered(stored - 1).key)) << "it still reads";
    EXPECT_FALSE(has_one(store, numbered(stored).key));
    EXPECT_THAT(complaint([&] { put_one(store, numbered(stored)); }), HasSubstr("full"));
  }
  EXPECT_THAT(complaint([&] { Store(directory / "disk/other.db"); }), HasSubstr("full"));
  EXPECT_EQ(Store(path, Store::Access::read).select("").rows.size(), static_cast<std::size_t>(stored));
  fs::remove(ballast);
  Store store(path);
  EXPECT_EQ(put_one(store, numbered(stored)), 1u) << "once there is space it goes on";
  EXPECT_EQ(store.integrity(), "");
  std::vector<std::string> keys;
  for (int i = 0; i <= stored; ++i) keys.push_back(numbered(i).key);
  const std::vector<bool> there = store.has(keys, false);
  EXPECT_EQ(std::count(there.begin(), there.end(), true), stored + 1);
}

TEST(StoreSchema, TakesAnOlderStoreThroughTheStepsItHasNotHad) {
  const Directory directory;
  const std::string path = directory / "s.db";
  {
    Store store(path);
    put_one(store, numbered(0));
  }
  std::vector<std::string> steps(schema_steps().begin(), schema_steps().end());
  const auto version = static_cast<std::int64_t>(steps.size());
  steps.push_back("ALTER TABLE result ADD COLUMN note TEXT");
  steps.push_back("UPDATE result SET note = 'seen by step ' || key");
  sqlite::Connection connection(path, Store::Access::write);
  migrate(connection, steps);
  EXPECT_EQ(connection.integer("PRAGMA user_version"), version + 2);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM result WHERE note = 'seen by step ' || key"), 1);
  connection.run("UPDATE result SET note = 'mine'");
  migrate(connection, steps);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM result WHERE note = 'mine'"), 1) << "no step is made twice";
  EXPECT_THAT(complaint([&] { Store{path}; }), HasSubstr("newer attnlaw"));
}

TEST(StoreSchema, AStepThatFailsChangesNothing) {
  const Directory directory;
  const std::string path = directory / "s.db";
  Store{path};
  std::vector<std::string> steps(schema_steps().begin(), schema_steps().end());
  steps.push_back("CREATE TABLE extra (a)");
  steps.push_back("DROP TABLE nothing");
  sqlite::Connection connection(path, Store::Access::write);
  EXPECT_THROW(migrate(connection, steps), StoreError);
  EXPECT_EQ(connection.integer("PRAGMA user_version"), static_cast<std::int64_t>(schema_steps().size()));
  EXPECT_EQ(connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
}

/// The view is made of the descriptions of what stands in the tables.
TEST(StoreSchema, EveryColumnOfAResultIsWhereItsDocumentHasIt) {
  const std::string& view = schema_steps().back();
  for (const char* column :
       {"coalesce(json_extract(figures, '$.errors.test'), json_extract(figures, '$.test'), NULL) AS test",
        "coalesce(json_extract(figures, '$.overlaps.q'), json_extract(figures, '$.q'), NULL) AS q",
        "coalesce(json_extract(figures, '$.diagnostics.replicon'), NULL) AS replicon",
        "coalesce(json_extract(figures, '$.theory.train'), NULL) AS theory_train",
        "json_extract(task, '$.problem.target_beta') AS target_beta", "json_extract(task, '$.experiment.d') AS d"})
    EXPECT_THAT(view, HasSubstr(column));
}

/// A new option, or a new error, needs a column, and with it a new version.
TEST(StoreSchema, HasAColumnForEveryOptionOfAProblemAndEveryError) {
  const Directory directory;
  Store store(directory / "s.db");
  const std::vector<std::string> columns = store.select("").columns;
  for (const base::Description* described :
       {&describe(static_cast<model::Problem*>(nullptr)), &describe(static_cast<theory::Errors*>(nullptr))})
    for (const std::string& name : base::field_names(*described)) EXPECT_THAT(columns, testing::Contains(name));
}

TEST(StoreSchema, OlderStoresAreSpelledInSnakeCase) {
  const Directory directory;
  sqlite::Connection connection(directory / "s.db", Store::Access::write);
  migrate(connection, schema_steps().first(2));
  connection.run(
      R"(INSERT INTO result (key, code, task, status, seconds, finished) VALUES ('a', 'c',
         '{"kind":"experiment","problem":{"target-beta":2.5},"experiment":{"max-iterations":7}}', 'converged', 1, 'now'))");
  migrate(connection);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM results WHERE target_beta = 2.5"), 1);
  EXPECT_EQ(connection.integer("SELECT json_extract(task, '$.experiment.max_iterations') FROM result"), 7);
}

TEST(StoreSchema, OlderStoresGetTheColumnsOfLosses) {
  const Directory directory;
  sqlite::Connection connection(directory / "s.db", Store::Access::write);
  migrate(connection, schema_steps().first(1));
  EXPECT_THROW(connection.integer("SELECT count(loss) FROM results"), sqlite::Error);
  migrate(connection);
  EXPECT_EQ(connection.integer("SELECT count(loss) + count(sign_error) FROM results"), 0);
}

TEST(StoreSchema, SaysWhatItIs) {
  const Directory directory;
  Store{directory / "s.db"};
  sqlite::Connection connection(directory / "s.db", Store::Access::read);
  EXPECT_EQ(connection.integer("PRAGMA application_id"), kApplicationId);
  EXPECT_EQ(connection.integer("PRAGMA user_version"), 6);
  EXPECT_EQ(bytes_of(directory / "s.db").substr(68, 4), "attn") << "where file(1) looks for it";
}

}  // namespace
}  // namespace attnlaw::study
