/// The time of the theory of fine-tuning: a point with linear scores 50 ms at most, one with softmax some 2 s.

#include <benchmark/benchmark.h>

#include "attnlaw/laws/adapter/lora.h"

namespace {

using namespace attnlaw;

/// One token by the product rule, two by quasi-Monte Carlo at the default accuracy.
void BM_LoraLinear(benchmark::State& state) {
  const laws::LoraTask task{static_cast<int>(state.range(0)), model::Head::linear, 6, 1, 0.1, 0, 1};
  for (auto _ : state)
    benchmark::DoNotOptimize(laws::predict_lora(task, laws::PretrainedOverlaps::calibrated(1.5, 0.4)));
}
BENCHMARK(BM_LoraLinear)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

/// By α and 1/accuracy; at α = 4 proximal points jump.
void BM_LoraSoftmax(benchmark::State& state) {
  const laws::LoraTask task{2, model::Head::softmax, static_cast<double>(state.range(0)), 2, 0.02, 0, 1};
  const laws::LoraOptions options{1.0 / static_cast<double>(state.range(1)), 1};
  for (auto _ : state) {
    const auto found = laws::predict_lora(task, laws::PretrainedOverlaps::calibrated(1.5, 0.4), options);
    state.counters["evaluations"] = found.iterations;
    state.counters["points"] = static_cast<double>(found.points);
  }
}
BENCHMARK(BM_LoraSoftmax)->ArgsProduct({{4, 8, 16}, {100, 1000}})->Unit(benchmark::kMillisecond);

void BM_LoraWeakRecovery(benchmark::State& state) {
  const laws::LoraTask task{1, model::Head::linear, 6, 1, 0.1, 0, 1};
  for (auto _ : state)
    benchmark::DoNotOptimize(laws::weak_recovery(task, laws::PretrainedOverlaps::calibrated(1.5, 0.1)));
}
BENCHMARK(BM_LoraWeakRecovery)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
