#include "attnlaw/study/run/runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "attnlaw/study/run/memory_gate.h"
#include "attnlaw/study/run/schedule.h"
#include "scratch.h"

namespace attnlaw::study {
namespace {

/// A study of theory tasks along α, in chains of the given length.
Study study_along_alpha(std::size_t count, std::size_t chain = 1) {
  Study study;
  study.name = "along-alpha";
  study.parts.push_back({"theory", {"alpha"}, {}});
  for (std::size_t i = 0; i < count; ++i) {
    PlannedTask planned;
    planned.task.problem.head = model::Head::linear;
    planned.task.problem.alpha = 0.3 + 0.002 * static_cast<double>(i);
    planned.task.continued = i % chain != 0;
    if (planned.task.continued) planned.predecessor = i - 1;
    planned.key = key(planned.task, code_version(), planned.predecessor ? study.tasks[i - 1].key : "");
    study.parts[0].entries.push_back({i, {{"alpha", planned.task.problem.alpha}}});
    study.tasks.push_back(planned);
  }
  return study;
}

Task failing_task() {
  Task task;
  task.kind = TaskKind::experiment;
  task.problem.head = model::Head::linear;
  task.problem.lambda_rule = model::LambdaRule::ridgeless;
  task.experiment.d = 10;
  return task;
}

/// A store in a folder of its own.
struct StoreFile {
  test::Scratch folder;
  std::string path() const { return (folder / "results.sqlite").string(); }
};

RunOptions on_threads(int threads) {
  RunOptions options;
  options.threads = threads;
  return options;
}

/// The outcomes that a plain loop computes.
std::vector<Outcome> one_after_the_other(const Study& study) {
  std::vector<Outcome> outcomes;
  for (const PlannedTask& planned : study.tasks)
    outcomes.push_back(perform(planned.task, planned.predecessor ? &outcomes[*planned.predecessor] : nullptr, 1));
  return outcomes;
}

void expect_equal(const Outcomes& found, const std::vector<Outcome>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(found[i].has_value()) << i;
    EXPECT_EQ(found[i]->figures, expected[i].figures) << i;
  }
}

TEST(Schedule, GivesPredecessorsFirstAndEveryTaskOnce) {
  const Study study = study_along_alpha(20, 5);
  Schedule schedule(study, std::vector<bool>(20, false));
  std::vector<bool> done(20, false);
  EXPECT_EQ(schedule.on_offer(), 4U);
  for (auto family = schedule.offer(); !family.empty(); family = schedule.offer()) {
    EXPECT_EQ(family.size(), 5U);
    schedule.admit(family);
  }
  while (const auto task = schedule.next()) {
    const auto& predecessor = study.tasks[*task].predecessor;
    EXPECT_TRUE(!predecessor || done[*predecessor]);
    EXPECT_FALSE(done[*task]);
    done[*task] = true;
    schedule.finish(*task);
  }
  EXPECT_EQ(std::count(done.begin(), done.end(), true), 20);
  EXPECT_FALSE(schedule.anything_left());
  EXPECT_NEAR(schedule.work_left(), 0, 1e-9 * schedule.work_total());
}

TEST(Schedule, GoesOnInTheMiddleOfAChain) {
  std::vector<bool> finished(10, false);
  for (std::size_t i = 0; i < 3; ++i) finished[i] = true;
  Schedule schedule(study_along_alpha(10, 5), finished);
  EXPECT_EQ(schedule.offer(), (std::vector<std::size_t>{5, 6, 7, 8, 9})) << "the longer chain comes first";
  EXPECT_EQ(schedule.offer(), (std::vector<std::size_t>{3, 4}));
  EXPECT_TRUE(schedule.offer().empty());
}

TEST(Schedule, TakesUpWhatIsLeftOfADeferredFamily) {
  Schedule schedule(study_along_alpha(5, 5), std::vector<bool>(5, false));
  schedule.defer(schedule.offer());
  EXPECT_FALSE(schedule.anything_left());
  EXPECT_EQ(schedule.deferred().size(), 5U);
  schedule.renew({true, true, false, false, false});
  EXPECT_EQ(schedule.offer(), (std::vector<std::size_t>{2, 3, 4}));
}

TEST(Runner, StoresWhatAPlainLoopComputesOnAnyNumberOfThreads) {
  const Study study = study_along_alpha(23, 5);
  const std::vector<Outcome> expected = one_after_the_other(study);
  for (const int threads : {1, 2, 5}) {
    const StoreFile file;
    Store store(file.path());
    const RunProgress progress = run(study, store, on_threads(threads));
    EXPECT_TRUE(progress.complete());
    EXPECT_EQ(progress.done, 23U);
    expect_equal(outcomes(study, store), expected);
  }
}

TEST(Runner, GoesOnWhereItStopped) {
  const Study study = study_along_alpha(40, 5);
  const StoreFile file;
  std::atomic<bool> stop{false};
  std::size_t first = 0;
  {
    Store store(file.path());
    RunOptions options = on_threads(2);
    options.stop = &stop;
    std::atomic<int> computed{0};
    options.compute = [&](const Task& task, const Outcome* predecessor, int threads) {
      if (++computed == 10) stop = true;
      return perform(task, predecessor, threads);
    };
    const RunProgress progress = run(study, store, options);
    EXPECT_FALSE(progress.complete());
    first = progress.done;
    EXPECT_GE(first, 10U);
  }
  Store store(file.path());
  const RunProgress progress = run(study, store, on_threads(2));
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.reused, first);
  EXPECT_EQ(progress.done, 40 - first);
  expect_equal(outcomes(study, store), one_after_the_other(study));
  EXPECT_EQ(run(study, store, on_threads(1)).done, 0U);
}

TEST(Runner, StartsNothingAfterItsTime) {
  const Study study = study_along_alpha(10);
  const StoreFile file;
  Store store(file.path());
  RunOptions options = on_threads(2);
  options.max_seconds = 0;
  const RunProgress progress = run(study, store, options);
  EXPECT_EQ(progress.done, 0U);
  EXPECT_EQ(progress.left(), 10U);
}

TEST(Runner, RecordsAFailureAndGoesOn) {
  Study study = study_along_alpha(4);
  study.tasks.push_back({failing_task(), key(failing_task(), code_version()), std::nullopt});
  const StoreFile file;
  Store store(file.path());
  RunProgress progress = run(study, store, on_threads(2));
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.failed, 1U);
  const auto failed = store.find(study.tasks.back().key);
  ASSERT_TRUE(failed.has_value());
  EXPECT_NE(failed->error.find("lambda"), std::string::npos);
  progress = run(study, store, on_threads(2));
  EXPECT_EQ(progress.done, 0U);
  RunOptions again = on_threads(2);
  again.retry_failed = true;
  EXPECT_EQ(run(study, store, again).done, 1U);
}

TEST(Runner, GivesTheTaskOfALostWorkerToAnother) {
  // So many that every worker gets one before the others have done them all.
  const Study study = study_along_alpha(400, 3);
  const StoreFile file;
  Store store(file.path());
  RunOptions options = on_threads(1);
  std::atomic<int> remote{0};
  options.remote_workers.push_back([&](const Task& task, const Outcome* predecessor) {
    ++remote;
    return perform(task, predecessor, 1);
  });
  options.remote_workers.push_back([](const Task&, const Outcome*) -> Outcome { throw WorkerLost("gone"); });
  const RunProgress progress = run(study, store, options);
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.lost_workers, 1U);
  EXPECT_GT(remote, 0);
  expect_equal(outcomes(study, store), one_after_the_other(study));
}

TEST(Runner, TwoRunsOnOneStoreShareTheWork) {
  const Study study = study_along_alpha(200, 4);
  const StoreFile file;
  RunProgress progress[2];
  {
    Store stores[2] = {Store(file.path()), Store(file.path())};
    std::vector<std::jthread> runs;
    for (int i = 0; i < 2; ++i) runs.emplace_back([&, i] { progress[i] = run(study, stores[i], on_threads(1)); });
  }
  EXPECT_TRUE(progress[0].complete());
  EXPECT_TRUE(progress[1].complete());
  EXPECT_EQ(progress[0].done + progress[1].done, 200U) << "nothing is computed twice";
  Store store(file.path());
  EXPECT_EQ(store.count(code_version()).this_code, 200U);
  EXPECT_EQ(store.integrity(), "");
  expect_equal(outcomes(study, store), one_after_the_other(study));
}

TEST(Runner, DividesItsThreadsAmongTheTasksThereAre) {
  EXPECT_EQ(threads_for(8, 1, 0, 0), 8) << "a task alone";
  EXPECT_EQ(threads_for(8, 1, 1, 0), 4) << "another one waits";
  EXPECT_EQ(threads_for(8, 2, 0, 0), 4);
  EXPECT_EQ(threads_for(32, 1, 2, 0), 10);
  EXPECT_EQ(threads_for(2, 2, 100, 0), 1);
  EXPECT_EQ(threads_for(8, 1, 3, 5), 1) << "others may take what waits";
  EXPECT_EQ(threads_for(8, 1, 0, 5), 8);
}

TEST(Runner, GivesAllThreadsToASingleTask) {
  Study study;
  Task task;
  task.kind = TaskKind::experiment;
  task.problem.head = model::Head::linear;
  task.problem.alpha = 1;
  task.experiment.d = 30;
  study.tasks.push_back({task, key(task, code_version()), std::nullopt});
  const StoreFile file;
  Store store(file.path());
  RunOptions options = on_threads(2);
  int given = 0;
  options.compute = [&](const Task& t, const Outcome* predecessor, int threads) {
    given = threads;
    return perform(t, predecessor, threads);
  };
  EXPECT_TRUE(run(study, store, options).complete());
  EXPECT_EQ(given, 2);
  EXPECT_EQ(store.find(study.tasks[0].key)->figures, perform(task, nullptr, 1).figures);
}

TEST(Runner, StoresWhatIsFinishedWithinMoments) {
  const Study study = study_along_alpha(40);
  const StoreFile file;
  Store store(file.path());
  RunOptions options = on_threads(2);
  std::atomic<std::size_t> finished{0};
  std::size_t stored_late = 0;
  options.compute = [&](const Task& t, const Outcome* predecessor, int threads) {
    // All but what ended within the last half second must be in the store by now.
    const std::size_t before = finished;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const std::size_t stored = store.count(code_version()).this_code;
    if (stored < before) ++stored_late;
    const Outcome outcome = perform(t, predecessor, threads);
    ++finished;
    return outcome;
  };
  options.max_seconds = 4;
  EXPECT_GT(run(study, store, options).done, 4U);
  EXPECT_EQ(stored_late, 0U);
}

TEST(MemoryGate, LetsInWhatFitsAndOneThatDoesNot) {
  Task task = failing_task();
  task.problem.lambda_rule = model::LambdaRule::value;
  task.experiment.d = 30;
  const std::uint64_t bytes = MemoryGate::bytes_needed(task);
  EXPECT_GT(bytes, 0U);
  for (const std::uint64_t limit : {bytes / 2, 2 * bytes}) {
    MemoryGate gate(limit);
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
          const MemoryGate::Place place = gate.enter(task);
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          --inside;
        });
    }
    EXPECT_LE(most, limit < bytes ? 1 : 2);
  }
}

TEST(Runner, ProgressAddsUp) {
  const Study study = study_along_alpha(50, 5);
  const StoreFile file;
  Store store(file.path());
  RunOptions options = on_threads(2);
  std::size_t last = 0;
  options.progress = [&](const RunProgress& now) {
    EXPECT_EQ(now.total, 50U);
    EXPECT_GE(now.done, last);
    EXPECT_LE(now.running, 2U);
    last = now.done;
  };
  run(study, store, options);
  EXPECT_EQ(last, 50U);
}

}  // namespace
}  // namespace attnlaw::study
