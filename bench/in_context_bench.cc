/// The time of in-context regression: microseconds for a point of the law, and the speed of training beside that of a
/// plain matrix product in the same run.

#include <benchmark/benchmark.h>

#include <thread>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/laws/in_context/simulation.h"
#include "attnlaw/laws/in_context/singular_values.h"

namespace {

using namespace attnlaw;
using namespace attnlaw::laws;

InContextModel model(double sequences) {
  InContextModel result;
  result.context = 2, result.tasks = 0.5, result.sequences = sequences, result.noise = 0.1, result.lambda = 0.01;
  return result;
}

void BM_InContextPoint(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(predict_in_context(model(2.5)));
}
BENCHMARK(BM_InContextPoint)->Unit(benchmark::kMicrosecond);

void BM_InContextOptimalPenalty(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(optimal_lambda(model(2.5), InContextTest::new_tasks));
}
BENCHMARK(BM_InContextOptimalPenalty)->Unit(benchmark::kMicrosecond);

/// A phase map of 200 × 200 points, on one thread.
void BM_InContextMap(benchmark::State& state) {
  constexpr int kSide = 200;
  for (auto _ : state)
    for (int i = 1; i <= kSide; ++i)
      for (int j = 1; j <= kSide; ++j) {
        InContextModel at = model(5);
        at.context = 0.1 * i, at.tasks = 0.02 * j;
        benchmark::DoNotOptimize(predict_in_context(at).phase());
      }
}
BENCHMARK(BM_InContextMap)->Unit(benchmark::kMillisecond);

void BM_InContextSpectrum(benchmark::State& state) {
  const InContextPrediction prediction = predict_in_context(model(2.5));
  for (auto _ : state) benchmark::DoNotOptimize(SingularValueLaw(prediction).bands());
}
BENCHMARK(BM_InContextSpectrum)->Unit(benchmark::kMillisecond);

/// Operations per second of one product of this order on every thread at once.
double product_speed(int threads) {
  constexpr std::size_t kOrder = 1536;
  std::vector<std::vector<double>> matrices(3 * static_cast<std::size_t>(threads),
                                            std::vector<double>(kOrder * kOrder, 1.0));
  const auto start = std::chrono::steady_clock::now();
  base::parallel_for(static_cast<std::size_t>(threads), threads, [&](std::size_t i) {
    base::gemm(base::Transpose::no, kOrder, kOrder, kOrder, matrices[3 * i].data(), matrices[3 * i + 1].data(), 0.0,
               matrices[3 * i + 2].data());
  });
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return 2.0 * kOrder * kOrder * kOrder * threads / time.count();
}

/// Trains one layer on n = 1.5 d² sequences by the normal equations. `of_peak`: its nd⁴/2 + d⁶/3 operations a second
/// over those of a product.
void BM_InContextTraining(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const auto solver = static_cast<InContextSolver>(state.range(1));
  base::use_one_blas_thread();
  const int threads = base::available_threads();
  InContextExperimentOptions options;
  options.d = d;
  options.instances = 1;
  options.solver = solver;
  const double peak = product_speed(threads), dimension = static_cast<double>(d),
               unknowns = dimension * (dimension + 1);
  const double operations = 0.75 * dimension * dimension * unknowns * unknowns + unknowns * unknowns * unknowns / 3;
  double seconds = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(simulate_in_context(model(1.5), options));
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  seconds /= static_cast<double>(state.iterations());
  state.counters["peak_gflops"] = peak * 1e-9;
  if (solver == InContextSolver::normal) state.counters["of_peak"] = operations / seconds / peak;
}
BENCHMARK(BM_InContextTraining)
    ->ArgsProduct({{40, 60, 100},
                   {static_cast<long>(InContextSolver::normal), static_cast<long>(InContextSolver::iterative)}})
    ->Unit(benchmark::kSecond)
    ->UseRealTime()
    ->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
