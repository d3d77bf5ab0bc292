/// How long the theory of fine-tuning takes: a point with linear scores 50 ms at most.

#include <benchmark/benchmark.h>

#include "attnlaw/companion/lora.h"

namespace {

using namespace attnlaw;

/// One token by the product rule, two by quasi-Monte Carlo at the default accuracy.
void BM_LoraLinear(benchmark::State& state) {
  const companion::LoraTask task{static_cast<int>(state.range(0)), model::Head::linear, 6, 1, 0.1, 0, 1};
  for (auto _ : state)
    benchmark::DoNotOptimize(companion::predict_lora(task, companion::PretrainedOverlaps::calibrated(1.5, 0.4)));
}
BENCHMARK(BM_LoraLinear)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

void BM_LoraSoftmax(benchmark::State& state) {
  const companion::LoraTask task{2, model::Head::softmax, 8, 2, 0.02, 0, 1};
  for (auto _ : state)
    benchmark::DoNotOptimize(
        companion::predict_lora(task, companion::PretrainedOverlaps::calibrated(1.5, 0.4), {1e-2, 1}));
}
BENCHMARK(BM_LoraSoftmax)->Unit(benchmark::kMillisecond);

void BM_LoraWeakRecovery(benchmark::State& state) {
  const companion::LoraTask task{1, model::Head::linear, 6, 1, 0.1, 0, 1};
  for (auto _ : state)
    benchmark::DoNotOptimize(companion::weak_recovery(task, companion::PretrainedOverlaps::calibrated(1.5, 0.1)));
}
BENCHMARK(BM_LoraWeakRecovery)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
