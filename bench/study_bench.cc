/// The cost that the runner of studies adds to a plain loop, and the gain of a second thread.
#include <benchmark/benchmark.h>

#include <chrono>
#include <filesystem>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/study/run/runner.h"

namespace attnlaw {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// `count` theory tasks along α in chains of five, as a study file makes them.
study::Study theory_study(model::Head head, std::size_t count) {
  constexpr std::size_t kChain = 5;
  study::Study study;
  for (std::size_t i = 0; i < count; ++i) {
    study::PlannedTask planned;
    planned.task.problem.head = head;
    planned.task.problem.alpha = 0.2 + 0.4 * static_cast<double>(i) / static_cast<double>(count);
    planned.task.continued = i % kChain != 0;
    if (planned.task.continued) planned.predecessor = i - 1;
    planned.key = study::key(planned.task, study::code_version(), planned.predecessor ? study.tasks[i - 1].key : "");
    study.tasks.push_back(planned);
  }
  return study;
}

void loop(const study::Study& study) {
  std::optional<study::Outcome> before;
  for (const study::PlannedTask& planned : study.tasks)
    before = study::perform(planned.task, planned.predecessor ? &*before : nullptr, 1);
}

double run_seconds(const study::Study& study, int threads) {
  const auto path = std::filesystem::temp_directory_path() / "attnlaw_study_bench.sqlite";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + suffix);
  double seconds = 0;
  {
    study::Store store(path.string());
    study::RunOptions options;
    options.threads = threads;
    seconds = seconds_of([&] { study::run(study, store, options); });
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + suffix);
  return seconds;
}

/// Loop and runner take turns, so that a change of the machine's speed meets both; the least of each counts.
void compare(benchmark::State& state, model::Head head, std::size_t count) {
  base::use_one_blas_thread();
  const study::Study study = theory_study(head, count);
  double bare = 1e300, one = 1e300, two = 1e300;
  for (auto _ : state) {
    bare = std::min(bare, seconds_of([&] { loop(study); }));
    one = std::min(one, run_seconds(study, 1));
    two = std::min(two, run_seconds(study, 2));
  }
  state.counters["loop_ms_per_task"] = 1e3 * bare / static_cast<double>(count);
  state.counters["overhead"] = one / bare - 1;
  state.counters["speedup_2_threads"] = one / two;
}

BENCHMARK_CAPTURE(compare, linear_2000, model::Head::linear, 2000)->Iterations(5)->Unit(benchmark::kSecond);
BENCHMARK_CAPTURE(compare, softmax_100, model::Head::softmax, 100)->Iterations(3)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace attnlaw

BENCHMARK_MAIN();
