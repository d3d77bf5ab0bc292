#include "attnlaw/theory/optimal_lambda.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/base/infinity.h"
#include "attnlaw/theory/evolution/budget.h"
#include "attnlaw/theory/evolution/lambda_path.h"
#include "attnlaw/theory/point_ladder.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Spectrum;

using base::kInfinity;
/// Integrals of the prior: test errors are compared to about the square root of this.
constexpr double kLaw = 1e-10;
/// Aimed at where errors are compared; what is accepted is a share of the accuracy, as where one problem is solved.
constexpr double kAimed = 1e-6;
constexpr double kAcceptedShare = 0.1;
constexpr double kScanLaw = 1e-8;
constexpr Tolerance kScanTolerance{.aimed = 1e-5, .accepted = 1e-3};
/// The scan: λ by factors of e, over a range beyond which test errors no longer change visibly.
constexpr double kScanStep = 1;
/// …and by smaller ones next to where the student vanishes: so far down errors may bend twice.
constexpr double kTopStep = 0.5;
constexpr double kTop = 2;
/// …and by larger ones far below a minimum, where errors have grown by so much.
constexpr double kBottomStep = 2;
constexpr double kGrown = 1.5;
constexpr double kScanDepth = 14;  ///< down to e^-14 ≈ 1e-6 of where something can be learned
/// On the coarse rule log λ is found to about this, on the fine one to the accuracy: the error of the test error is
/// its square times the curvature.
constexpr double kCoarseSquare = 1e-3;
constexpr double kCurvatureStep = 0.2;

model::Problem at_lambda(model::Problem problem, double lambda) {
  problem.lambda_rule = model::LambdaRule::value;
  problem.lambda = std::min(lambda, problem.largest_lambda());
  return problem;
}

/// Test errors along log λ on one rule, each found from the solutions before.
class TestError {
 public:
  TestError(const model::Problem& problem, const Spectrum& target, const Resolution& resolution,
            const Tolerance& tolerance, const std::optional<Start>& start, const Budget* budget)
      : student_(TrainedStudent(at_lambda(problem, problem.lambda_unit()), target, std::nullopt, resolution)),
        tolerance_(tolerance),
        start_(start),
        path_(student_->map().chart()) {
    workspace_.budget = budget;
  }

  /// Infinite where there is no solution.
  double operator()(double log_lambda) {
    const auto from = known_;
    find_at(log_lambda);
    if (!at_.converged && from) walk(*from, log_lambda);
    return at_.converged ? student_->channel().test(at_.overlaps) : kInfinity;
  }

  /// d(test error)/d log λ where it was asked for last: λ moves the fixed point x of F by −(∂F/∂x − 1)⁻¹ ∂F/∂ log λ,
  /// and enters the prior alone.
  double slope() {
    if (!(at_.overlaps.q > 0)) return 0;
    constexpr double kStep = 1e-4;  // differences over it leave out its square
    const EvolutionMap& map = student_->map();
    const Chart& chart = map.chart();
    const auto image = [&](double log_lambda) {
      const TrainedStudent moved = student_->at_lambda(std::exp(log_lambda));
      const Step step = moved.map().step_from({at_.step.conjugates}, OutputChannel::kAll, &workspace_);
      return chart.coordinates(step.prior.overlaps);
    };
    at_.slope = forward_slope(map, at_, workspace_);
    const Coordinates move = 0.5 * at_.slope->step(image(log_lambda_ + kStep) - image(log_lambda_ - kStep));
    const Coordinates x = chart.coordinates(at_.overlaps);
    const auto test = [&](const Coordinates& at) { return student_->channel().test(chart.overlaps(at)); };
    return (test(x + move) - test(x - move)) / (2 * kStep);
  }

  /// Of the solution that was found last.
  const Overlaps& overlaps() const { return at_.overlaps; }
  const std::optional<Slope>& slope_of_map() const { return at_.slope; }
  double several() const { return at_.step.several; }
  int iterations() const { return iterations_; }

 private:
  void find_at(double log_lambda) {
    log_lambda_ = log_lambda;
    const double lambda = std::exp(log_lambda);
    student_.emplace(student_->at_lambda(lambda));
    const auto nearest = path_.start_at(lambda);
    at_ = student_->find(nearest ? nearest : start_, tolerance_, workspace_);
    iterations_ += at_.iterations;
    if (at_.converged && at_.overlaps.q > 0) path_.add(lambda, at_), known_ = log_lambda;
  }
  /// A long step may lose its way where shorter ones do not.
  void walk(double from, double to) {
    constexpr int kSteps = 4;
    at_.converged = true;
    for (int i = 1; i <= kSteps && at_.converged; ++i) find_at(from + (to - from) * i / kSteps);
  }

  std::optional<TrainedStudent> student_;  ///< at the λ that was asked for last
  Tolerance tolerance_;
  std::optional<Start> start_;
  LambdaPath path_;
  Workspace workspace_;
  double log_lambda_ = 0;
  std::optional<double> known_;  ///< the last log λ with a solution of q > 0
  FixedPoint at_;
  int iterations_ = 0;
};

/// The test errors of a scan from large λ to small ones; infinite where there is no solution.
struct Scan {
  std::vector<double> logs, errors;
  std::size_t least = 0;

  bool at_upper_end() const { return least == 0; }
  /// Below the least error there is no solution, or no λ was tried.
  bool at_lower_end() const { return least + 1 == logs.size() || !std::isfinite(errors[least + 1]); }
  bool at_end() const { return at_upper_end() || at_lower_end(); }
  /// The smallest λ are as good as the best: no penalty may be what is wanted.
  bool flat_below() const {
    constexpr double kFlat = 1e-4;
    return errors.back() <= (1 + kFlat) * errors[least];
  }
  double upper() const { return logs[at_upper_end() ? least : least - 1]; }
  double lower() const { return logs[std::min(least + 1, logs.size() - 1)]; }
  /// Of the parabola through the least error and its neighbours; NaN where one of them is missing.
  double curvature() const {
    if (at_end()) return std::numeric_limits<double>::quiet_NaN();
    const auto slope_from = [this](std::size_t i) { return (errors[i + 1] - errors[i]) / (logs[i + 1] - logs[i]); };
    return 2 * (slope_from(least) - slope_from(least - 1)) / (logs[least + 1] - logs[least - 1]);
  }
};

/// Stops early where two λ in a row have no solution below a minimum that was passed.
Scan scan_down(TestError& error, double largest, double depth) {
  Scan scan;
  constexpr int kMostLost = 1;
  int lost = 0;
  const double top = std::log(largest);
  const auto step_at = [&](double x) {
    if (x > top - kTop) return kTopStep;
    const double here = scan.errors.back();
    return std::isfinite(here) && here > kGrown * scan.errors[scan.least] ? kBottomStep : kScanStep;
  };
  for (double x = top; lost <= kMostLost && x > top - depth; x -= step_at(x)) {
    scan.logs.push_back(x);
    scan.errors.push_back(error(x));
    scan.least =
        static_cast<std::size_t>(std::min_element(scan.errors.begin(), scan.errors.end()) - scan.errors.begin());
    const bool known = std::isfinite(scan.errors.back()) || !std::isfinite(scan.errors[scan.least]);
    lost = known ? 0 : lost + 1;
  }
  return scan;
}

/// Where the test error is least, and roughly d² test/d(log λ)² there.
struct Minimum {
  double log_lambda;
  double curvature;
  bool stationary = false;  ///< the slope vanishes there; else it is an end of the range of solutions
};

/// The zero of the slope next to a guess, by Newton's method whose curvatures are those of the slopes met; or the end
/// of the interval that it leads to. Converges quadratically: a step whose square is at most `last_square` is the last.
Minimum find_minimum(TestError& error, Minimum guess, double lower, double upper, double last_square) {
  constexpr int kMaxSteps = 12;
  constexpr double kTellingMove = 0.01;  // slopes over less of log λ say little on how they change
  double x = guess.log_lambda, curvature = guess.curvature;
  if (!std::isfinite(error(x))) return guess;
  double slope = error.slope();
  for (int i = 0; i < kMaxSteps; ++i) {
    // Where the errors are not convex the way down is all that is known.
    const double step = curvature > 0 ? -slope / curvature : std::copysign(0.5 * kScanStep, -slope);
    const double next = std::clamp(x + step, lower, upper), moved = next - x;
    if (moved * moved <= last_square) return {next, curvature, next > lower && next < upper};
    if (!std::isfinite(error(next))) return {x, curvature};
    const double next_slope = error.slope();
    if (std::abs(moved) > kTellingMove) curvature = (next_slope - slope) / moved;
    x = next, slope = next_slope;
  }
  return {x, curvature, x > lower && x < upper};
}

/// The minimum that the scan has in its neighbourhood, evaluated last. Newton's method finds where the slope vanishes;
/// which of two is lower the errors themselves say.
Minimum find_in_scan(TestError& error, const Scan& scan) {
  const double scanned = scan.logs[scan.least];
  Minimum best = find_minimum(error, {scanned, scan.curvature()}, scan.lower(), scan.upper(), kCoarseSquare);
  if (error(best.log_lambda) <= scan.errors[scan.least]) return best;
  error(scanned);
  return {scanned, scan.curvature(), !scan.at_end()};
}

/// d² test/d(log λ)².
double curvature_at(TestError& error, double log_lambda) {
  const double middle = error(log_lambda);
  const double sides = error(log_lambda + kCurvatureStep) + error(log_lambda - kCurvatureStep);
  return (sides - 2 * middle) / (kCurvatureStep * kCurvatureStep);
}

SolveOptions within(const Budget& budget, SolveOptions options) {
  options.time_limit = budget.left();
  return options;
}

SolveOptions without_details(SolveOptions options) {
  options.detail = Detail::errors;
  options.sensitivities = false;
  return options;
}

/// Labels without noise are all that such a student needs to be exact: no penalty makes its test error less.
bool recovered_without_penalty(const model::Problem& problem, const Spectrum& target) {
  return problem.noise == 0 && has_ridgeless(problem) && ridgeless_phase(problem, target) == RidgelessPhase::recovered;
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
  const Budget budget(options.time_limit);
  const auto finish = [&](Solution solution, OptimalLambda optimum, int iterations) {
    optimum.test = solution.errors.test;
    solution.optimal_lambda = optimum;
    solution.diagnostics.iterations += iterations;
    solution.diagnostics.seconds = budget.spent();
    return solution;
  };
  if (recovered_without_penalty(problem, target))
    return finish(solve_without_penalty(problem, target, options), {0, 0, 0, "0+"}, 0);
  const double collapse = collapse_lambda(problem, target);
  if (!(collapse > 0))
    return finish(solve(at_lambda(problem, problem.lambda_unit()), target, options), {0, 0, 0, "S = 0"}, 0);
  // A direct student of a hundred times this penalty is shrunk to nothing: V̂ at S = 0 is of the order of α K, and ridge
  // regression is best at the ratio of noise to signal.
  const double Q_star = target.second_moment();
  const double ridge =
      problem.lambda_unit() * (problem.alpha * problem.score_count() + (Q_star + problem.noise) / Q_star);
  constexpr double kBeyondRidge = 100;
  const bool collapses = std::isfinite(collapse);
  const double largest = collapses ? collapse : kBeyondRidge * ridge;
  const double depth = kScanDepth + (collapses ? 0 : std::log(kBeyondRidge));
  const PointLadder coarse(at_lambda(problem, 1), Q_star, std::nullopt, options.accuracy);
  // Few points, but all that else decides between two λ resolved: errors on a plateau differ by little.
  // Whatever the time limit is, the scan is made.
  TestError scanned(problem, target, {coarse.rule(), kScanLaw}, kScanTolerance, std::nullopt, nullptr);
  const Scan scan = scan_down(scanned, largest, depth);
  if (!std::isfinite(scan.errors[scan.least])) {
    Solution failed = solve(at_lambda(problem, largest), target, within(budget, options));
    failed.diagnostics.converged = false;
    failed.diagnostics.message = "no penalty was found whose equations have a solution";
    return finish(std::move(failed), {largest, 0, 0, "end of range"}, scanned.iterations());
  }
  if ((scan.at_lower_end() || scan.flat_below()) && has_ridgeless(problem)) {
    Solution limit = solve_without_penalty(problem, target, within(budget, options));
    const Solution smallest =
        solve(at_lambda(problem, std::exp(scan.logs[scan.least])), target, within(budget, without_details(options)));
    // Errors that no time was left for are not known, and then count for nothing.
    const double of_both = limit.diagnostics.sampling_error.test + smallest.diagnostics.sampling_error.test;
    const double uncertain = std::isnan(of_both) ? 0 : of_both;
    if (limit.diagnostics.converged && limit.errors.test <= smallest.errors.test + 2 * uncertain)
      return finish(std::move(limit), {0, 0, 0, "0+"}, scanned.iterations());
  }
  if (scan.at_upper_end() && collapses) {
    constexpr double kBeyond = 1.01;  // whatever the sampling error of the collapse
    return finish(solve(at_lambda(problem, kBeyond * collapse), target, within(budget, options)),
                  {collapse, 0, 0, "S = 0"}, scanned.iterations());
  }
  const Minimum coarse_best = find_in_scan(scanned, scan);
  Minimum minimum = coarse_best;
  int iterations = 0;
  SolveOptions near = options;
  if (scanned.overlaps().q > 0) near.start = scanned.overlaps();
  if (budget.allows(0)) {
    // On the rule that the accuracy asks for there.
    PointLadder ladder = coarse;
    ladder.refine({scanned.overlaps(), scanned.several()});
    std::optional<Start> start;
    if (near.start) start = Start{*near.start, scanned.slope_of_map()};
    TestError fine(problem, target, {ladder.rule(), kLaw}, {kAimed, kAcceptedShare * options.accuracy}, start, &budget);
    minimum = find_minimum(fine, coarse_best, scan.lower(), scan.upper(), options.accuracy);
    if (fine.overlaps().q > 0) near.start = fine.overlaps();
    iterations = fine.iterations();
  }
  OptimalLambda optimum{std::exp(minimum.log_lambda), 0, 0, "end of range"};
  if (minimum.stationary) {
    optimum.where = "interior";
    // Curvatures are read off few points, where they are cheap.
    const double measured = curvature_at(scanned, coarse_best.log_lambda);
    optimum.curvature = std::isfinite(measured) ? measured : minimum.curvature;
  }
  return finish(solve(at_lambda(problem, optimum.lambda), target, within(budget, near)), optimum,
                scanned.iterations() + iterations);
}

}  // namespace attnlaw::theory
