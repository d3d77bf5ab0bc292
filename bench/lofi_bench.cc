/// The time of layer-wise spectral filtering: the theory of one operator, and a layer beside its own syrk and syevd.

#include <benchmark/benchmark.h>

#include <ctime>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/laws/filtering/layer.h"
#include "attnlaw/laws/filtering/target.h"

namespace {

using namespace attnlaw::laws;
using Matrix = attnlaw::base::Matrix<double>;

/// Edges of both ends, outliers and overlaps of one operator.
void BM_Theory(benchmark::State& state, const char* spec) {
  const LofiTarget target = LofiTarget::parse(spec);
  for (auto _ : state) {
    const LofiLaw upper(target.weights(), 100), lower(target.weights().negated(), 100);
    benchmark::DoNotOptimize(upper.outliers(target.moments()));
    benchmark::DoNotOptimize(lower.outliers(target.moments()));
  }
}
BENCHMARK_CAPTURE(BM_Theory, parity, "parity")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Theory, square, "square")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Theory, sine, "sine:8,1.5")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Theory, staircase, "staircase:12,1")->Unit(benchmark::kMillisecond);

/// CPU seconds of this process: the machine may be shared.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// `ratio`: a layer over one product of its size and one eigenproblem.
void BM_Layer(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0)), p = static_cast<std::size_t>(state.range(1));
  Matrix phi(state.range(0), state.range(1));
  attnlaw::base::NormalStream(0, 1).fill(0, {phi.data(), n * p});
  const Eigen::ArrayXd t = (phi.col(0).array() * phi.col(1).array()).sign();
  attnlaw::base::use_one_blas_thread();
  Matrix M = Matrix::Zero(state.range(1), state.range(1));
  const double start = cpu_seconds();
  attnlaw::base::symmetric_product(n, p, 1.0 / static_cast<double>(n), phi.data(), M.data());
  attnlaw::base::symmetric_eigensystem({M.data(), p * p}, p);
  const double reference = cpu_seconds() - start;
  double layer = 0;
  for (auto _ : state) {
    const double begin = cpu_seconds();
    benchmark::DoNotOptimize(filter_layer(phi, t, {}));
    layer = cpu_seconds() - begin;
  }
  state.counters["reference_s"] = reference;
  state.counters["ratio"] = layer / reference;
}
BENCHMARK(BM_Layer)->Args({16000, 2000})->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
