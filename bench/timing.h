#pragma once
/// Times that travel: CPU seconds, and the machine-independent unit of a million exponentials.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace attnlaw::bench {

/// CPU seconds of this process: the machine may be shared.
inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Seconds of one million std::exp calls on arguments that change: the best of several runs.
inline double million_exps() {
  constexpr int kRuns = 9;
  constexpr int kCalls = 1'000'000;
  double best = 1e300;
  for (int run = 0; run < kRuns; ++run) {
    const double start = cpu_seconds();
    double x = 0.1;
    // Each argument depends on the last result: no call is vectorised or left out.
    for (int i = 0; i < kCalls; ++i) x = std::exp(-0.5 * x);
    benchmark::DoNotOptimize(x);
    best = std::min(best, cpu_seconds() - start);
  }
  return best;
}

/// Times `work`, reports its fastest run and that in units of one million exps, and returns its seconds.
template <class Work>
double time_work(benchmark::State& state, const Work& work) {
  double fastest = 1e300;
  for (auto _ : state) {
    const double start = cpu_seconds();
    work();
    fastest = std::min(fastest, cpu_seconds() - start);
  }
  state.counters["best_ms"] = 1e3 * fastest;
  state.counters["million_exps"] = fastest / million_exps();
  return fastest;
}

}  // namespace attnlaw::bench
