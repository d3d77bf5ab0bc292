/// The time of one cold solution, beside the arithmetic it is made of.
///
/// `million_exps` is the time in units of one million scalar std::exp calls, measured in the same run: a
/// machine-independent figure of the cost, from the fastest solution of the run.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "attnlaw/theory/bayes.h"
#include "attnlaw/theory/continuation.h"
#include "attnlaw/theory/solve.h"
#include "attnlaw/theory/thresholds.h"
#include "timing.h"

namespace {

using namespace attnlaw;

using bench::cpu_seconds;
using bench::million_exps;
using bench::time_work;

void solve_cold(benchmark::State& state, const model::Problem& problem, double accuracy) {
  double fastest = 1e300;
  theory::Solution solution;
  for (auto _ : state) {
    const double start = cpu_seconds();
    solution = theory::solve(problem, {accuracy, {}});
    fastest = std::min(fastest, cpu_seconds() - start);
    if (!solution.diagnostics.converged) throw std::runtime_error(solution.diagnostics.message);
  }
  state.counters["evaluations"] = solution.diagnostics.iterations;
  state.counters["points"] = static_cast<double>(solution.diagnostics.points);
  state.counters["best_ms"] = 1e3 * fastest;
  state.counters["million_exps"] = fastest / million_exps();
}

constexpr double kDefaultAccuracy = 1e-3;

model::Problem softmax(int tokens, double alpha, double lambda) {
  model::Problem problem;
  problem.tokens = tokens;
  problem.alpha = alpha;
  problem.lambda = lambda;
  return problem;
}

void BM_SolveTwoTokens(benchmark::State& state) { solve_cold(state, softmax(2, 0.3, 0.05), kDefaultAccuracy); }
BENCHMARK(BM_SolveTwoTokens)->Unit(benchmark::kMillisecond);

void BM_SolveThreeTokens(benchmark::State& state) { solve_cold(state, softmax(3, 0.15, 0.05), kDefaultAccuracy); }
BENCHMARK(BM_SolveThreeTokens)->Unit(benchmark::kMillisecond);

/// The overfitting phase: proximal points with several valleys.
void BM_SolveTwoTokensOverfitting(benchmark::State& state) {
  model::Problem problem = softmax(2, 0.1, 0.01);
  problem.noise = 10;
  solve_cold(state, problem, kDefaultAccuracy);
}
BENCHMARK(BM_SolveTwoTokensOverfitting)->Unit(benchmark::kMillisecond);

void BM_SolveCrossEntropy(benchmark::State& state) {
  model::Problem problem = softmax(2, 0.3, 0.05);
  problem.loss = model::Loss::cross_entropy;
  solve_cold(state, problem, kDefaultAccuracy);
}
BENCHMARK(BM_SolveCrossEntropy)->Unit(benchmark::kMillisecond);

void BM_SolveSampledRows(benchmark::State& state) {
  model::Problem problem = softmax(2, 1, 0.3);
  problem.loss = model::Loss::cross_entropy;
  problem.labels = model::Labels::sampled;
  solve_cold(state, problem, kDefaultAccuracy);
}
BENCHMARK(BM_SolveSampledRows)->Unit(benchmark::kMillisecond);

void BM_SolveSignLabels(benchmark::State& state) {
  model::Problem problem = softmax(2, 1, 0.1);
  problem.head = model::Head::linear;
  problem.readout = model::Readout::score;
  problem.labels = model::Labels::sign;
  problem.loss = model::Loss::logistic;
  solve_cold(state, problem, kDefaultAccuracy);
}
BENCHMARK(BM_SolveSignLabels)->Unit(benchmark::kMillisecond);

/// Two queries and `keys` keys.
void BM_SolveCrossAttention(benchmark::State& state) {
  model::Problem problem = softmax(2, 0.3, 0.05);
  problem.attention = model::Attention::cross;
  problem.key_tokens = static_cast<int>(state.range(0));
  problem.student = model::Student::untied;
  problem.target = model::Target::parse("product:0.5");
  solve_cold(state, problem, kDefaultAccuracy);
}
BENCHMARK(BM_SolveCrossAttention)->Arg(2)->Arg(3)->Unit(benchmark::kMillisecond);

/// A closed-form channel and 400 atoms: all the time is the law of m̂ S* + √q̂ Z.
void BM_SolveLinear400Atoms(benchmark::State& state) {
  model::Problem problem = softmax(1, 1, 0.1);
  problem.head = model::Head::linear;
  problem.noise = 0.05;
  problem.target = model::Target::parse("powerlaw:1.25,400");
  solve_cold(state, problem, kDefaultAccuracy);
}
BENCHMARK(BM_SolveLinear400Atoms)->Unit(benchmark::kMillisecond);

void BM_ContinueInAlpha200(benchmark::State& state) {
  std::vector<double> alphas;
  for (int i = 0; i < 200; ++i) alphas.push_back(0.05 * std::pow(40, i / 199.0));
  time_work(state, [&] { benchmark::DoNotOptimize(theory::continue_in_alpha(softmax(2, 1, 0.05), alphas)); });
}
BENCHMARK(BM_ContinueInAlpha200)->Unit(benchmark::kMillisecond)->Iterations(2);

/// Recovery, interpolation and Bayes recovery of one problem.
void BM_Thresholds(benchmark::State& state) {
  model::Problem problem = softmax(2, 1, 0.05);
  problem.noise = 0.5;
  const auto& target = problem.target.spectrum();
  time_work(state, [&] {
    benchmark::DoNotOptimize(theory::recovery(problem, target));
    benchmark::DoNotOptimize(theory::interpolation(problem, target));
    benchmark::DoNotOptimize(theory::bayes_recovery(problem, target));
  });
}
BENCHMARK(BM_Thresholds)->Unit(benchmark::kMillisecond);

/// One point of a learning curve with 10⁵ modes, about 150 or 1500 of them recovered.
void BM_ScalingPoint(benchmark::State& state) {
  model::Problem problem = softmax(2, 1, 1);
  problem.head = model::Head::linear;
  problem.lambda_rule = model::LambdaRule::edge;
  problem.target = model::Target::parse("powerlaw:1.25,100000");
  const double n = 1e5 * static_cast<double>(state.range(0));
  time_work(state, [&] {
    problem.alpha = n / 1e10;
    benchmark::DoNotOptimize(theory::solve(problem, {kDefaultAccuracy, {}, theory::Detail::errors}));
  });
}
BENCHMARK(BM_ScalingPoint)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

void BM_OptimalLambda(benchmark::State& state) {
  model::Problem problem = softmax(2, 0.5, 1);
  problem.noise = 0.5;
  problem.lambda_rule = model::LambdaRule::optimal;
  time_work(state, [&] { benchmark::DoNotOptimize(theory::solve(problem)); });
}
BENCHMARK(BM_OptimalLambda)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
