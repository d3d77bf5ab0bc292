#include "attnlaw/theory/optimal_lambda.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "attnlaw/theory/point_ladder.h"
#include "attnlaw/theory/sensitivity.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Spectrum;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Integrals of the prior: test errors are compared to about the square root of this.
constexpr double kLaw = 1e-10;
/// Aimed at where errors are compared; what is accepted is a share of the accuracy, as where one problem is solved.
constexpr double kAimed = 1e-9;
constexpr double kAcceptedShare = 0.1;
constexpr double kScanLaw = 1e-8;
constexpr Tolerance kScanTolerance{.aimed = 1e-6, .accepted = 1e-3};
/// The scan: this many λ per factor e, over a range beyond which test errors no longer change visibly.
constexpr double kScanStep = 0.5;
constexpr double kScanDepth = 14;  ///< down to e^-14 ≈ 1e-6 of where it begins
/// log λ is found to about this: the error in the test error is its square times the curvature.
constexpr double kLogTolerance = 1e-4;
constexpr double kCurvatureStep = 0.05;

model::Problem at_lambda(model::Problem problem, double lambda) {
  problem.lambda_rule = model::LambdaRule::value;
  problem.lambda = std::min(lambda, problem.largest_lambda());
  return problem;
}

/// Test errors along log λ on one rule, each from the solution before.
class TestError {
 public:
  TestError(const model::Problem& problem, const Spectrum& target, const Resolution& resolution,
            const Tolerance& tolerance)
      : problem_(problem),
        target_(target),
        resolution_(resolution),
        tolerance_(tolerance),
        holder_(at_lambda(problem, 1), target, std::nullopt, resolution) {}

  double operator()(double log_lambda) {
    const TrainedStudent student(at_lambda(problem_, std::exp(log_lambda)), target_, std::nullopt, resolution_);
    at_ = student.find(start_, tolerance_);
    iterations_ += at_.iterations;
    if (!at_.converged) return kInfinity;
    if (at_.overlaps.q > 0) start_ = Start{at_.overlaps, at_.slope};
    return student.channel().test(at_.overlaps);
  }

  /// d(test error)/d log λ where it was asked for last.
  double slope(double log_lambda) const {
    const model::Problem problem = at_lambda(problem_, std::exp(log_lambda));
    return problem.lambda *
           ErrorResponse(problem, target_, std::nullopt, resolution_, at_).derivative(&model::Problem::lambda).test;
  }

  void start_from(const std::optional<Start>& start) { start_ = start; }
  int iterations() const { return iterations_; }

 private:
  const model::Problem& problem_;
  const Spectrum& target_;
  Resolution resolution_;
  Tolerance tolerance_;
  TrainedStudent holder_;  ///< keeps the point set that all λ share (point_set)
  std::optional<Start> start_;
  FixedPoint at_;
  int iterations_ = 0;
};

/// The test errors of a scan from large λ to small ones; infinite where there is no solution.
struct Scan {
  std::vector<double> logs, errors;
  std::size_t least = 0;

  bool at_end() const { return least == 0 || least + 1 == logs.size(); }
  double upper() const { return logs[least > 0 ? least - 1 : 0]; }
  double lower() const { return logs[std::min(least + 1, logs.size() - 1)]; }
  /// Of the parabola through the least error and its neighbours; NaN where one of them is missing.
  double curvature() const {
    if (at_end()) return std::numeric_limits<double>::quiet_NaN();
    return (errors[least - 1] - 2 * errors[least] + errors[least + 1]) / (kScanStep * kScanStep);
  }
};

/// Stops early where two λ in a row have no solution below a minimum that was passed.
Scan scan_down(TestError& error, double largest) {
  Scan scan;
  int lost = 0;
  for (double x = std::log(largest); x > std::log(largest) - kScanDepth && lost < 2; x -= kScanStep) {
    scan.logs.push_back(x);
    scan.errors.push_back(error(x));
    scan.least =
        static_cast<std::size_t>(std::min_element(scan.errors.begin(), scan.errors.end()) - scan.errors.begin());
    lost = std::isfinite(scan.errors.back()) || scan.at_end() ? 0 : lost + 1;
  }
  return scan;
}

/// Where the test error is least, and roughly d² test/d(log λ)² there.
struct Minimum {
  double log_lambda;
  double curvature;
};

/// The zero of the slope next to a guess, by Newton's method whose curvatures are those of the slopes met; or the end
/// of the interval that it leads to. Converges quadratically: a last step leaves an error of about its square.
Minimum find_minimum(TestError& error, Minimum guess, double lower, double upper) {
  constexpr int kMaxSteps = 12;
  constexpr double kTellingMove = 0.01;  // slopes over less of log λ say little on how they change
  double x = guess.log_lambda, curvature = guess.curvature;
  if (!std::isfinite(error(x))) return guess;
  double slope = error.slope(x);
  for (int i = 0; i < kMaxSteps; ++i) {
    // Where the errors are not convex the way down is all that is known.
    const double step = curvature > 0 ? -slope / curvature : std::copysign(0.5 * kScanStep, -slope);
    const double next = std::clamp(x + step, lower, upper), moved = next - x;
    if (moved * moved <= kLogTolerance) return {next, curvature};
    if (!std::isfinite(error(next))) return {x, curvature};
    const double next_slope = error.slope(next);
    if (std::abs(moved) > kTellingMove) curvature = (next_slope - slope) / moved;
    x = next, slope = next_slope;
  }
  return {x, curvature};
}

SolveOptions without_details(SolveOptions options) {
  options.detail = Detail::errors;
  options.sensitivities = false;
  return options;
}

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
  const double ridge =
      100 * problem.lambda_unit() * (problem.alpha * problem.score_count() + (Q_star + problem.noise) / Q_star);
  const double largest = std::isfinite(collapse) ? collapse : ridge;
  const PointLadder coarse(at_lambda(problem, 1), Q_star, std::nullopt, options.accuracy);
  // Few points, but all that else decides between two λ resolved: errors on a plateau differ by little.
  TestError scanned(problem, target, {coarse.rule(), kScanLaw}, kScanTolerance);
  const Scan scan = scan_down(scanned, largest);
  if (!std::isfinite(scan.errors[scan.least])) {
    Solution failed = solve(at_lambda(problem, largest), target, options);
    failed.diagnostics.converged = false;
    failed.diagnostics.message = "no penalty was found whose equations have a solution";
    return finish(std::move(failed), {largest, 0, 0, "end of range"}, scanned.iterations());
  }
  const bool ridgeless_known = has_ridgeless(problem);
  if (scan.least + 1 == scan.errors.size() && ridgeless_known) {
    Solution limit = solve_without_penalty(problem, target, options);
    const Solution smallest = solve(at_lambda(problem, std::exp(scan.logs.back())), target, without_details(options));
    const double uncertain = limit.diagnostics.sampling_error.test + smallest.diagnostics.sampling_error.test;
    if (limit.diagnostics.converged && limit.errors.test <= smallest.errors.test + 2 * uncertain)
      return finish(std::move(limit), {0, 0, 0, "0+"}, scanned.iterations());
  }
  if (scan.least == 0 && std::isfinite(collapse))
    return finish(solve(at_lambda(problem, kBeyond * collapse), target, options), {collapse, 0, 0, "S = 0"},
                  scanned.iterations());
  // On the coarse rule, then on the one that the accuracy asks for there.
  const double lower = scan.lower(), upper = scan.upper();
  const Minimum near = find_minimum(scanned, {scan.logs[scan.least], scan.curvature()}, lower, upper);
  const Solution probe = solve(at_lambda(problem, std::exp(near.log_lambda)), target, without_details(options));
  TestError fine(problem, target, {probe.diagnostics.rule, kLaw}, {kAimed, kAcceptedShare * options.accuracy});
  SolveOptions final_options = options;
  if (probe.overlaps.q > 0) {
    fine.start_from(Start{probe.overlaps, std::nullopt});
    final_options.start = probe.overlaps;
  }
  double best = find_minimum(fine, near, lower, upper).log_lambda, test = fine(best);
  // Newton's method finds where the slope vanishes; of the two the scan has the last word on which is lower.
  const double scanned_best = scan.logs[scan.least], scanned_test = fine(scanned_best);
  if (scanned_test < test) best = scanned_best, test = scanned_test;
  OptimalLambda optimum{std::exp(best), 0, 0, scan.at_end() ? "end of range" : "interior"};
  if (!scan.at_end())
    optimum.curvature =
        (fine(best + kCurvatureStep) - 2 * test + fine(best - kCurvatureStep)) / (kCurvatureStep * kCurvatureStep);
  return finish(solve(at_lambda(problem, optimum.lambda), target, final_options), optimum,
                scanned.iterations() + fine.iterations());
}

}  // namespace attnlaw::theory
