/// The time of the neighbouring laws, beside the arithmetic they are made of.
///
/// `million_exps` is the time in units of one million scalar std::exp calls, measured in the same run: a
/// machine-independent figure of the cost, from the fastest of all runs.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <span>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/laws/pooling/bulk.h"
#include "attnlaw/laws/softmax/simulation.h"
#include "attnlaw/laws/softmax/softmax_law.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "timing.h"

namespace {

using namespace attnlaw;
using bench::time_work;

// ---- softmax attention at initialisation --------------------------------------------------------------------------

laws::SoftmaxParameters softmax(bool gaussian, double beta, double rho) {
  return {beta, rho, gaussian ? laws::TokenModel::gaussian : laws::TokenModel::orthonormal, gaussian ? 1.0 : 0.0};
}

/// From the parameters to 400 points of the density: to take at most 2 ms (orthonormal) and 20 ms (Gaussian tokens).
void BM_SoftmaxDensity(benchmark::State& state) {
  const auto parameters = softmax(state.range(0) != 0, 0.01 * static_cast<double>(state.range(1)), 1);
  time_work(state, [&] { benchmark::DoNotOptimize(laws::SoftmaxLaw(parameters).density_curve(400)); });
}
BENCHMARK(BM_SoftmaxDensity)->ArgsProduct({{0, 1}, {5, 50, 150}})->Unit(benchmark::kMicrosecond);

void BM_SoftmaxMarchenkoPastur(benchmark::State& state) {
  const laws::SoftmaxLaw law(softmax(state.range(0) != 0, 0.5, 1));
  time_work(state, [&] { benchmark::DoNotOptimize(laws::marchenko_pastur_distance(law)); });
}
BENCHMARK(BM_SoftmaxMarchenkoPastur)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

/// One instance at T = 1000, to take at most 3 s; `over_decomposition` is its time over that of the Gram matrix and its
/// eigenvalues alone, of a matrix of this size.
void BM_SoftmaxInstance(benchmark::State& state) {
  constexpr int kTokens = 1000;
  laws::SimulationOptions options;
  options.length = kTokens;
  options.instances = 1;
  options.threads = 1;
  const auto parameters = softmax(state.range(0) != 0, 0.5, 1);
  const double fastest =
      time_work(state, [&] { benchmark::DoNotOptimize(laws::simulate_attention(parameters, options)); });
  constexpr std::size_t kEntries = std::size_t{kTokens} * kTokens;
  std::vector<double> matrix(kEntries), gram(kEntries);
  base::NormalStream(0, 1).fill(0, std::span<double>(matrix));
  const double start = bench::cpu_seconds();
  base::gemm(base::Transpose::yes, kTokens, kTokens, kTokens, matrix.data(), matrix.data(), 0.0, gram.data());
  benchmark::DoNotOptimize(base::symmetric_eigenvalues(gram, kTokens));
  state.counters["over_decomposition"] = fastest / (bench::cpu_seconds() - start);
}
BENCHMARK(BM_SoftmaxInstance)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->Iterations(3);

// ---- what Python is compared with ----------------------------------------------------------------------------------

/// bench/python_bench.py has the same points.
void BM_DensityOfAMillion(benchmark::State& state, const matrix_laws::Law& law) {
  constexpr int kPoints = 1'000'000;
  const matrix_laws::Interval hull = law.hull();
  std::vector<double> density(kPoints);
  time_work(state, [&] {
    for (int i = 0; i < kPoints; ++i)
      density[static_cast<std::size_t>(i)] = law.density(hull.lower + (hull.upper - hull.lower) * i / (kPoints - 1));
    benchmark::DoNotOptimize(density.data());
  });
}

BENCHMARK_CAPTURE(BM_DensityOfAMillion, marchenko_pastur,
                  matrix_laws::marchenko_pastur(matrix_laws::WishartSpectrum{0.5, 1}))
    ->Iterations(3);
BENCHMARK_CAPTURE(BM_DensityOfAMillion, semicircle_sum,
                  matrix_laws::semicircle_sum(matrix_laws::WishartSpectrum{0.5, 1}, 0.2))
    ->Iterations(3);
BENCHMARK_CAPTURE(BM_DensityOfAMillion, product_law, matrix_laws::product_law(matrix_laws::ProductSpectrum{0.5, 1}))
    ->Iterations(3);
BENCHMARK_CAPTURE(BM_DensityOfAMillion, pooling_law, laws::pooling_law(laws::PoolingRatios{0.5, 0.25}, 0.1))
    ->Iterations(3);
BENCHMARK_CAPTURE(BM_DensityOfAMillion, attention_law,
                  laws::SoftmaxLaw(laws::SoftmaxParameters{0.5, 2, laws::TokenModel::orthonormal, 0}).squared())
    ->Iterations(3);

}  // namespace

BENCHMARK_MAIN();
