/// The time of `inspect` without reading: all figures and closed-form nulls of the heads of a model, beside the
/// singular values of the d×d map of one head.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/checkpoint/inspection/head_report.h"
#include "timing.h"

namespace {

using namespace attnlaw;

Eigen::MatrixXd gaussian(Eigen::Index m, Eigen::Index d, std::uint64_t stream) {
  Eigen::MatrixXd W(m, d);
  base::NormalStream(1, stream).fill(0, std::span(W.data(), static_cast<std::size_t>(W.size())));
  return W;
}

/// `ratio`: a d×d decomposition over all that is said of one head; `cpu_s`: of all heads.
void BM_Heads(benchmark::State& state) {
  const Eigen::Index m = state.range(0), d = state.range(1);
  const auto heads = static_cast<std::uint64_t>(state.range(2));
  std::vector<checkpoint::Factors> factors;
  for (std::uint64_t head = 0; head < heads; ++head)
    factors.push_back({gaussian(m, d, 2 * head), gaussian(m, d, 2 * head + 1)});
  checkpoint::NullTables tables(1, 1);
  const double all = bench::time_work(state, [&] {
    for (std::uint64_t head = 0; head < heads; ++head) {
      checkpoint::HeadReport report;
      checkpoint::fill_report(factors[head], {}, tables, {1, head}, report);
      benchmark::DoNotOptimize(report.tests.product.p);
    }
  });
  const Eigen::MatrixXd map = factors.front().left.transpose() * factors.front().right;
  const auto n = static_cast<std::size_t>(d);
  constexpr int kRepeats = 3;
  double dense = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    Eigen::MatrixXd overwritten = map;
    const double start = bench::cpu_seconds();
    benchmark::DoNotOptimize(base::singular_value_decomposition({overwritten.data(), n * n}, n, n));
    dense = std::min(dense, bench::cpu_seconds() - start);
  }
  state.counters["cpu_s"] = all;
  state.counters["ratio"] = dense * static_cast<double>(heads) / all;
}
BENCHMARK(BM_Heads)->Args({32, 384, 72})->Args({64, 768, 144})->Iterations(10)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
