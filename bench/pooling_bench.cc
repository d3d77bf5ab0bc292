/// The time of the theory of attention pooling: a millisecond at most for all that `attnlaw pooling` prints.

#include <benchmark/benchmark.h>

#include "attnlaw/laws/pooling/pooling.h"

namespace {

using namespace attnlaw::laws;

constexpr PoolingRatios kRatios{0.5, 0.25};

/// Law with its checked quadrature, 400 points of density, both transitions, all weights compared: one `attnlaw
/// pooling`.
void BM_Pooling(benchmark::State& state) {
  const auto length = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const SignCorrelations correlations(SignCorrelations::Profile{power_profile(0.9, 0.5, length)});
    const std::vector<double> weights = attention_weights(length, 1);
    const PoolingScalars scalars = pooling_scalars(weights, correlations);
    benchmark::DoNotOptimize(predict_pooling({kRatios, 1, scalars.alpha, scalars.kappa}));
    benchmark::DoNotOptimize(compare_weights(kRatios, correlations, weights));
    benchmark::DoNotOptimize(harmonic_crossing(0.9, length));
    benchmark::DoNotOptimize(pooling_density(kRatios, scalars.kappa, 400));
    benchmark::DoNotOptimize(pooling_law(kRatios, scalars.kappa).quadrature());
  }
}
BENCHMARK(BM_Pooling)->Arg(16)->Arg(64)->Unit(benchmark::kMicrosecond);

void BM_PoolingPrediction(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(predict_pooling({kRatios, 1, 3, 1}));
}
BENCHMARK(BM_PoolingPrediction)->Unit(benchmark::kMicrosecond);

void BM_PoolingDistribution(benchmark::State& state) {
  const auto law = pooling_law(kRatios);
  for (auto _ : state) benchmark::DoNotOptimize(law.cdf(1.1));
}
BENCHMARK(BM_PoolingDistribution)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
