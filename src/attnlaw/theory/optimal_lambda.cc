#include "attnlaw/theory/optimal_lambda.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <chrono>
#include <cmath>
#include <limits>

#include "attnlaw/theory/point_ladder.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Spectrum;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// The scan: this many λ per factor e, over a range beyond which test errors no longer change visibly.
constexpr double kScanStep = 0.5;
constexpr double kScanDepth = 14;  ///< down to e^-14 ≈ 1e-6 of where it begins
constexpr int kScanLog2Points = 8;
/// log λ is found to about this: the error in the test error is its square times the curvature.
constexpr int kBits = 12;
constexpr double kCurvatureStep = 0.05;
/// Integrals of the prior: test errors are compared to about the square root of this.
constexpr double kLaw = 1e-10;

model::Problem at_lambda(model::Problem problem, double lambda) {
  problem.lambda_rule = model::LambdaRule::value;
  problem.lambda = std::min(lambda, model::kMaxLambda);
  return problem;
}

/// Test errors along log λ on one point set, each from the solution before.
class TestError {
 public:
  TestError(const model::Problem& problem, const Spectrum& target, const PointRule& rule)
      : problem_(problem),
        target_(target),
        resolution_{rule, kLaw},
        holder_(at_lambda(problem, 1), target, std::nullopt, resolution_) {}

  double operator()(double log_lambda) {
    const TrainedStudent student(at_lambda(problem_, std::exp(log_lambda)), target_, std::nullopt, resolution_);
    constexpr double kAimed = 1e-9, kAccepted = 1e-6;
    const FixedPoint at = student.find(start_, {kAimed, kAccepted});
    iterations_ += at.iterations;
    if (!at.converged) return kInfinity;
    if (at.overlaps.q > 0) start_ = Start{at.overlaps, at.slope};
    return student.channel().test(at.overlaps);
  }

  void start_from(const std::optional<Start>& start) { start_ = start; }
  int iterations() const { return iterations_; }

 private:
  const model::Problem& problem_;
  const Spectrum& target_;
  Resolution resolution_;
  TrainedStudent holder_;  ///< keeps the point set that all λ share (point_set)
  std::optional<Start> start_;
  int iterations_ = 0;
};

Solution solve_without_penalty(model::Problem problem, const Spectrum& target, const SolveOptions& options) {
  problem.lambda_rule = model::LambdaRule::ridgeless;
  return solve(problem, target, options);
}

}  // namespace

double collapse_lambda(const model::Problem& problem, const Spectrum& target) {
  if (!problem.soft_threshold()) return kInfinity;
  const PointRule rule = rule_at_zero(problem, target.second_moment());
  const TrainedStudent student(at_lambda(problem, 1), target, std::nullopt, {rule});
  const Step step = student.map().step_from_zero();
  return noisy_target(target, step.conjugates).hull().upper / problem.symmetry();
}

Solution solve_at_optimal_lambda(const model::Problem& problem, const Spectrum& target, const SolveOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const auto finish = [&](Solution solution, OptimalLambda optimum, int iterations) {
    optimum.test = solution.errors.test;
    solution.optimal_lambda = optimum;
    solution.diagnostics.iterations += iterations;
    solution.diagnostics.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return solution;
  };
  const double collapse = collapse_lambda(problem, target);
  constexpr double kBeyond = 1.01;  // whatever the sampling error of the collapse
  // A direct student of this penalty is shrunk to nothing: V̂ at S = 0 is of the order of α K, and ridge regression is
  // best at the ratio of noise to signal.
  const double Q_star = target.second_moment();
  const double ridge = 100 * (problem.alpha * problem.score_count() + (Q_star + problem.noise) / Q_star);
  const double largest = std::isfinite(collapse) ? collapse : ridge;
  TestError scan(problem, target, SobolRule{kScanLog2Points});
  std::vector<double> logs, errors;
  for (double x = std::log(largest); x > std::log(largest) - kScanDepth; x -= kScanStep) {
    logs.push_back(x);
    errors.push_back(scan(x));
  }
  if (std::none_of(errors.begin(), errors.end(), [](double error) { return std::isfinite(error); })) {
    Solution failed = solve(at_lambda(problem, largest), target, options);
    failed.diagnostics.converged = false;
    failed.diagnostics.message = "no penalty was found whose equations have a solution";
    return finish(std::move(failed), {largest, 0, 0, "end of range"}, scan.iterations());
  }
  const auto least = static_cast<std::size_t>(std::min_element(errors.begin(), errors.end()) - errors.begin());
  const bool ridgeless_known = has_ridgeless(problem);
  if (least + 1 == errors.size() && ridgeless_known) {
    Solution limit = solve_without_penalty(problem, target, options);
    if (limit.diagnostics.converged && limit.errors.test <= errors[least])
      return finish(std::move(limit), {0, 0, 0, "0+"}, scan.iterations());
  }
  if (least == 0 && std::isfinite(collapse))
    return finish(solve(at_lambda(problem, kBeyond * collapse), target, options), {collapse, 0, 0, "S = 0"},
                  scan.iterations());
  // Brent's method on the point set that the accuracy asks for at the best λ so far.
  SolveOptions probing = options;
  probing.detail = Detail::errors;
  const Solution probe = solve(at_lambda(problem, std::exp(logs[least])), target, probing);
  TestError fine(problem, target, probe.diagnostics.rule);
  if (probe.overlaps.q > 0) fine.start_from(Start{probe.overlaps, std::nullopt});
  const double upper = logs[least > 0 ? least - 1 : 0], lower = logs[std::min(least + 1, logs.size() - 1)];
  const auto [best, test] =
      boost::math::tools::brent_find_minima([&](double x) { return fine(x); }, lower, upper, kBits);
  const bool at_end = least == 0 || least + 1 == logs.size();
  OptimalLambda optimum{std::exp(best), test, 0, at_end ? "end of range" : "interior"};
  optimum.curvature =
      (fine(best + kCurvatureStep) - 2 * fine(best) + fine(best - kCurvatureStep)) / (kCurvatureStep * kCurvatureStep);
  SolveOptions final_options = options;
  if (probe.overlaps.q > 0) final_options.start = probe.overlaps;
  return finish(solve(at_lambda(problem, optimum.lambda), target, final_options), optimum,
                scan.iterations() + fine.iterations());
}

}  // namespace attnlaw::theory
