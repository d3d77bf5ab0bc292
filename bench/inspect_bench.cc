/// The time of `inspect` without reading: all figures and closed-form nulls of the heads of a model, beside the
/// singular values of the d×d map of one head.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "attnlaw/base/freed_memory.h"
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

/// Seconds per head where heads of this shape were first timed.
double first_per_head(Eigen::Index m, Eigen::Index d, double per_head) {
  static std::map<std::pair<Eigen::Index, Eigen::Index>, double> first;
  return first.emplace(std::pair(m, d), per_head).first->second;
}

/// Seconds of the singular value decomposition of a d×d map of such factors, the best of several; of the first heads of
/// the shape.
double dense_seconds(const checkpoint::Factors& factors) {
  static std::map<Eigen::Index, double> known;
  constexpr int kRepeats = 10;
  const Eigen::Index d = factors.left.cols();
  const auto [place, unknown] = known.emplace(d, std::numeric_limits<double>::infinity());
  if (!unknown) return place->second;
  const Eigen::MatrixXd map = factors.left.transpose() * factors.right;
  const auto n = static_cast<std::size_t>(d);
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    Eigen::MatrixXd overwritten = map;
    const double start = bench::cpu_seconds();
    benchmark::DoNotOptimize(base::singular_value_decomposition({overwritten.data(), n * n}, n, n));
    place->second = std::min(place->second, bench::cpu_seconds() - start);
  }
  return place->second;
}

/// `ratio`: a d×d decomposition over all that is said of one head; `cpu_s`: of all heads; `linear`: the time of a head
/// over that with the fewest heads of its shape, 1 where the time is linear in heads.
void BM_Heads(benchmark::State& state) {
  const Eigen::Index m = state.range(0), d = state.range(1);
  const auto heads = static_cast<std::uint64_t>(state.range(2));
  std::vector<checkpoint::Factors> factors;
  for (std::uint64_t head = 0; head < heads; ++head)
    factors.push_back({gaussian(m, d, 2 * head), gaussian(m, d, 2 * head + 1)});
  checkpoint::NullTables tables(1, 1);
  base::keep_freed_memory();  // as the program does
  const double all = bench::time_work(state, [&] {
    for (std::uint64_t head = 0; head < heads; ++head) {
      checkpoint::HeadReport report;
      checkpoint::fill_report(factors[head], {}, tables, {1, head}, report);
      benchmark::DoNotOptimize(report.tests.product.p);
    }
  });
  state.counters["cpu_s"] = all;
  state.counters["linear"] = all / static_cast<double>(heads) / first_per_head(m, d, all / static_cast<double>(heads));
  state.counters["ratio"] = dense_seconds(factors.front()) * static_cast<double>(heads) / all;
}
BENCHMARK(BM_Heads)
    ->Args({32, 384, 36})
    ->Args({32, 384, 72})
    ->Args({64, 768, 36})
    ->Args({64, 768, 72})
    ->Args({64, 768, 144})
    ->Iterations(20)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
