/// Is training bound by matrix products? One gradient beside the sgemm of the same run, and the peak memory of
/// training.
///
/// `of_peak` of BM_Gradient and BM_UntiedGradient is their 4·nT·d² flops per second of CPU time (T the shorter side of
/// cross-attention) over those of the fastest sgemm found in the same process: a large square product and the two
/// products a gradient is made of, alone and on data that stay in cache. Where scores are symmetric fewer flops do, so
/// that it may be above one.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/train/trainer.h"
#include "timing.h"

namespace {

using namespace attnlaw;
using base::Transpose;

/// Flops per second of one shape: the best of several runs, the machine may be shared.
double sgemm_rate(Transpose transpose, std::size_t rows, std::size_t columns, std::size_t inner) {
  constexpr int kRuns = 7;
  constexpr double kFlopsPerRun = 1e10;
  const std::vector<float> a(rows * inner, 0.5F), b(inner * columns, 0.25F);
  std::vector<float> c(rows * columns);
  const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(inner);
  const int repetitions = std::max(1, static_cast<int>(kFlopsPerRun / flops));
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const double start = bench::cpu_seconds();
    for (int i = 0; i < repetitions; ++i)
      base::gemm(transpose, rows, columns, inner, a.data(), b.data(), 0.0F, c.data());
    best = std::max(best, flops * repetitions / (bench::cpu_seconds() - start));
  }
  return best;
}

double sgemm_peak(std::size_t d) {
  return std::max({sgemm_rate(Transpose::no, 2000, 2000, 2000), sgemm_rate(Transpose::no, experiment::kBlockRows, d, d),
                   sgemm_rate(Transpose::yes, d, d, experiment::kBlockRows)});
}

/// Runs `gradient` and reports `flops` of one call over the time of the fastest beside the peak.
template <class Gradient>
void measure_gradient(benchmark::State& state, std::size_t d, double flops, Gradient gradient) {
  double fastest = 0;
  for (auto _ : state) {
    const double start = bench::cpu_seconds();
    benchmark::DoNotOptimize(gradient());
    fastest = std::max(fastest, flops / (bench::cpu_seconds() - start));
  }
  const double peak = sgemm_peak(d);
  state.counters["gflops"] = fastest / 1e9;
  state.counters["sgemm_gflops"] = peak / 1e9;
  state.counters["of_peak"] = fastest / peak;
}

/// The last argument is the loss: 0 square, 1 cross-entropy, 2 cross-entropy of sampled rows.
void BM_Gradient(benchmark::State& state) {
  base::use_one_blas_thread();
  const auto d = static_cast<std::size_t>(state.range(0));
  model::Problem problem;
  if (state.range(2) > 0) problem.loss = model::Loss::cross_entropy;
  if (state.range(2) > 1) problem.labels = model::Labels::sampled;
  problem.alpha = static_cast<double>(state.range(1)) / static_cast<double>(d * d);
  const std::vector<double> target = problem.target.eigenvalues(d, 0, 0);
  const experiment::Data<float> data = experiment::draw_data<float>(problem, target, 0, 0);
  experiment::Objective<float> objective(problem, data, 1);
  const base::Matrix<double> W = experiment::initial_weights(static_cast<Eigen::Index>(d), {});
  base::Matrix<double> gradient;
  const double flops = 4.0 * static_cast<double>(data.X.size()) * static_cast<double>(d);
  measure_gradient(state, d, flops, [&] { return objective.objective_of_factor(W, gradient); });
}
BENCHMARK(BM_Gradient)
    ->ArgNames({"d", "n", "loss"})
    ->Args({60, 1800, 0})
    ->Args({130, 8450, 0})
    ->Args({200, 40000, 0})
    ->Args({200, 40000, 1})
    ->Args({200, 40000, 2})
    ->Unit(benchmark::kMillisecond);

/// In both factors of the untied student: of cross-attention, or of one sequence where T2 = 0.
void BM_UntiedGradient(benchmark::State& state) {
  base::use_one_blas_thread();
  const auto d = static_cast<std::size_t>(state.range(0));
  model::Problem problem;
  problem.student = model::Student::untied;
  problem.alpha = static_cast<double>(state.range(1)) / static_cast<double>(d * d);
  problem.tokens = static_cast<int>(state.range(2));
  if (state.range(3) > 0) {
    problem.attention = model::Attention::cross;
    problem.key_tokens = static_cast<int>(state.range(3));
    problem.target = model::Target::parse("product:0.5");
  }
  const std::vector<double> target = problem.target.eigenvalues(d, 0, 0);
  const experiment::Data<float> data = experiment::draw_data<float>(problem, target, 0, 0);
  experiment::Objective<float> objective(problem, data, 1);
  const base::Matrix<double> factors = experiment::make_parameters(objective)->initial({});
  base::Matrix<double> gradient;
  const auto entries = static_cast<double>(std::min(data.X.size(), data.keys().size()));
  measure_gradient(state, d, 4 * entries * static_cast<double>(d),
                   [&] { return objective.objective_of_factors(factors, gradient); });
}
BENCHMARK(BM_UntiedGradient)
    ->ArgNames({"d", "n", "T1", "T2"})
    ->Args({60, 1800, 2, 2})
    ->Args({130, 8450, 2, 2})
    ->Args({200, 40000, 2, 2})
    ->Args({200, 40000, 2, 3})
    ->Args({200, 40000, 4, 2})
    ->Args({200, 40000, 2, 0})
    ->Unit(benchmark::kMillisecond);

/// A figure of /proc/self/status in bytes.
double process_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return 1024 * std::stod(line.substr(key.size() + 1));
  }
  return 0;
}

/// Peak resident memory of a whole experiment (less what the process held before) over the bytes of X.
void BM_TrainingMemory(benchmark::State& state) {
  model::Problem problem;
  problem.alpha = 0.5;
  experiment::Options options;
  options.d = static_cast<int>(state.range(0));
  options.instances = 1;
  options.threads = 1;
  // More than the pairs of the L-BFGS memory: from then on nothing grows.
  options.max_iterations = 15;
  const double before = process_bytes("VmRSS");
  // Resets the peak (Linux, proc(5)); run alone with --benchmark_filter where that is not permitted.
  std::ofstream("/proc/self/clear_refs") << "5";
  for (auto _ : state) benchmark::DoNotOptimize(experiment::run(problem, options).mean.train);
  const double d = options.d, data = problem.alpha * d * d * problem.tokens * d * sizeof(float);
  state.counters["peak_over_data"] = (process_bytes("VmHWM") - before) / data;
  state.counters["needed_over_data"] = static_cast<double>(experiment::bytes_needed(problem, options)) / data;
}
BENCHMARK(BM_TrainingMemory)->ArgName("d")->Arg(60)->Arg(130)->Arg(200)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace

BENCHMARK_MAIN();
