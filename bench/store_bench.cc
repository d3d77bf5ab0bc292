/// The speed at which a store takes and finds results.
///
/// BM_PutOne: one row per transaction, as the runner does. BM_PutBatch: many rows in one. BM_Find*: among 1e5 rows, of
/// 20 instances for each problem. `per_second` counts rows or lookups.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "attnlaw/study/store/store.h"

namespace {

using namespace attnlaw;

constexpr int kRows = 100000;
constexpr int kInstances = 20;

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "attnlaw-bench-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ + "/store.db"; }

 private:
  std::string path_;
};

/// An experiment at d = 100: figures of `simulate` and two arrays of 100 numbers, 2.6 kB in all.
study::Store::Entry result(int i) {
  study::Task task;
  task.kind = study::TaskKind::experiment;
  task.problem.alpha = 0.1 + 1e-6 * (i / kInstances);
  task.experiment.first_instance = static_cast<std::uint64_t>(i % kInstances);
  study::Outcome outcome;
  const double figure = 1.0 / (3 + i);
  outcome.figures = {{"train", figure},
                     {"test", figure / 3},
                     {"estimation", figure / 7},
                     {"objective", figure / 11},
                     {"q", figure},
                     {"q_a", 0.0},
                     {"m", figure / 13},
                     {"Q_star", 3 + figure},
                     {"kkt", 1e-5},
                     {"iterations", 213},
                     {"seed", i % kInstances},
                     {"converged", true},
                     {"n", 5000},
                     {"lambda", 0.05},
                     {"theory", {{"train", figure}, {"test", figure / 3}}}};
  outcome.arrays = {{"eigenvalues", std::vector<double>(100, figure)},
                    {"target_eigenvalues", std::vector<double>(100, 2 * figure)}};
  const std::string code = "bench";
  return {study::key(task, code), code, task, outcome};
}

std::vector<study::Store::Entry> results(int first, int count) {
  std::vector<study::Store::Entry> entries;
  for (int i = 0; i < count; ++i) entries.push_back(result(first + i));
  return entries;
}

/// A store of kRows rows, made once.
const std::string& full_store() {
  static const Scratch scratch;
  static const std::string path = [] {
    study::Store store(scratch.file());
    constexpr int kBatch = 1000;
    for (int i = 0; i < kRows; i += kBatch) store.put(results(i, kBatch));
    return scratch.file();
  }();
  return path;
}

void count_rate(benchmark::State& state, int items_per_iteration) {
  state.counters["per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * items_per_iteration, benchmark::Counter::kIsRate);
}

/// `batch` rows per transaction until there are kRows.
void BM_Put(benchmark::State& state) {
  const int batch = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const Scratch scratch;
    study::Store store(scratch.file());
    for (int i = 0; i < kRows; i += batch) {
      state.PauseTiming();
      const std::vector<study::Store::Entry> entries = results(i, batch);
      state.ResumeTiming();
      store.put(entries);
    }
  }
  count_rate(state, kRows);
}
BENCHMARK(BM_Put)->Arg(1)->Arg(1000)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_FindByKey(benchmark::State& state) {
  const study::Store store(full_store(), study::Store::Access::read);
  constexpr int kStride = 7919;
  int i = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::string key = result(i = (i + kStride) % kRows).key;
    state.ResumeTiming();
    if (!store.find(key)) state.SkipWithError("a result is missing");
  }
  count_rate(state, 1);
}
BENCHMARK(BM_FindByKey)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_FindByProblem(benchmark::State& state) {
  const study::Store store(full_store(), study::Store::Access::read);
  constexpr int kStride = 7919;
  int i = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const model::Problem problem = result(i = (i + kStride) % kRows).task.problem;
    state.ResumeTiming();
    if (store.find(problem).size() != kInstances) state.SkipWithError("results are missing");
  }
  count_rate(state, 1);
}
BENCHMARK(BM_FindByProblem)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_SelectOnePercent(benchmark::State& state) {
  const study::Store store(full_store(), study::Store::Access::read);
  for (auto _ : state) benchmark::DoNotOptimize(store.select("alpha < 0.10005"));
}
BENCHMARK(BM_SelectOnePercent)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_SelectAll(benchmark::State& state) {
  const study::Store store(full_store(), study::Store::Access::read);
  for (auto _ : state) benchmark::DoNotOptimize(store.select(""));
}
BENCHMARK(BM_SelectAll)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
