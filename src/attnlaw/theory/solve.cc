#include "attnlaw/theory/solve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/infinity.h"
#include "attnlaw/model/custom_loss.h"
#include "attnlaw/model/custom_penalty.h"
#include "attnlaw/theory/bayes.h"
#include "attnlaw/theory/channel/linear_channel.h"
#include "attnlaw/theory/evolution/budget.h"
#include "attnlaw/theory/evolution/lambda_path.h"
#include "attnlaw/theory/fitting_student.h"
#include "attnlaw/theory/optimal_lambda.h"
#include "attnlaw/theory/point_ladder.h"
#include "attnlaw/theory/sensitivity.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
namespace {

/// Where the largest point set falls short of the accuracy asked for, the solution says so; beyond this it is none.
constexpr double kLargestError = 0.1;
/// The law of a coarse rule is looked at on all of its bands, whose errors add up to a few times that of one.
constexpr double kCoarseLaws = 10;
/// A law whose mass or moments are off by more than this is not trusted.
constexpr double kLawTolerance = 1e-7;

/// The error of a law that is accepted. Positions in bands of the noise around eigenvalues of the target are rounded,
/// and close to recovery these bands are narrow: of a width of about √(E/Q*) of the spectrum. That is no failure as
/// long as it stays far below the accuracy asked for. A coarse rule, where there was no time for another, has laws to
/// match.
double law_tolerance(const Solution& solution, double accuracy, const PointLadder& ladder) {
  if (ladder.coarse()) return std::max(kLawTolerance, kCoarseLaws * ladder.resolution().law);
  constexpr double kShare = 0.1, kRoundings = 16 * std::numeric_limits<double>::epsilon();
  const double E = solution.errors.estimation;
  const double rounding = E > 0 ? kRoundings * std::sqrt(solution.Q_star / E) : 0;
  return std::max(kLawTolerance, std::min(kShare * accuracy, rounding));
}

/// The equations of one problem, on point sets of any size.
struct Equations {
  const model::Problem& problem;
  const matrix_laws::Spectrum& target;
  std::optional<RidgelessPhase> phase;
  const SolveOptions& options;

  TrainedStudent student(const model::Problem& of, const Resolution& resolution) const {
    using enum NumericalPrior::Approximation;
    return {of, target, phase, resolution, options.isotropic ? isotropic : none};
  }
};

std::string shortfall(const Solution& solution, const FixedPoint& at, const PointLadder& ladder,
                      const SolveOptions& options, double reached, bool late) {
  const double accuracy = options.accuracy;
  const Tolerance tolerance = ladder.tolerance();
  const Diagnostics& diagnostics = solution.diagnostics;
  if (!at.converged && late)
    return fmt::format("no fixed point found within the time limit, after {} iterations", diagnostics.iterations);
  if (!at.converged && at.residual <= tolerance.accepted)
    return fmt::format(
        "no fixed point found: after {} iterations the residual is {:.3g}, but the point may be {:.2g} from a fixed "
        "one, or is a student that runs away",
        diagnostics.iterations, diagnostics.residual, at.distance);
  if (!at.converged)
    return fmt::format("no fixed point found: residual {:.3g} after {} iterations, accepted {:.0e}",
                       diagnostics.residual, diagnostics.iterations, tolerance.accepted);
  if (const double accepted = law_tolerance(solution, accuracy, ladder); diagnostics.law_error > accepted)
    return fmt::format("the spectral law is not resolved: error {:.3g}, accepted {:.1e}", diagnostics.law_error,
                       accepted);
  if (options.isotropic)
    return "isotropic approximation: estimation too small by 17, 10 and 4 % at T = 2, 3, 5 (alpha = 0.3, 0.15, 0.06, "
           "lambda = 0.05, kappa* = 0.5), q_a by 74, 61 and 40 %";
  if (reached > accuracy && diagnostics.sampled_matrices > 0)
    return fmt::format(
        "accuracy {:.3g} was asked for, {:.2g} reached: no law of the untied student of self-attention is known, and "
        "{} matrices of dimension {} stand for it",
        accuracy, reached, NumericalPrior::kReplicates, diagnostics.sampled_matrices);
  if (reached > accuracy && diagnostics.points == 0)
    return fmt::format("the fixed point is ill-conditioned: its residual leaves a relative error of {:.2g}", reached);
  if (reached > accuracy)
    return fmt::format("accuracy {:.3g} was asked for, {:.2g} reached with {} points", accuracy, reached,
                       diagnostics.points);
  return "";
}

/// Ridgeless and exact: the student is the target, times β*/β.
void set_recovered(Solution& solution, const matrix_laws::Spectrum& target) {
  const double Q_star = target.second_moment();
  if (solution.problem.loss == model::Loss::cross_entropy) {
    constexpr int kLog2Points = 14;
    const LeastLosses entropy = least_losses(*make_output_channel(solution.problem, Q_star, SobolRule{kLog2Points}), 0);
    const double scatter = base::estimate_of(entropy.replicates).standard_error, alpha = solution.problem.alpha;
    solution.errors = {entropy.all, entropy.all, 0, alpha * entropy.all, entropy.all};
    solution.diagnostics.sampling_error = {scatter, scatter, 0, alpha * scatter, scatter};
    solution.loss_figures = LossFigures{0, 0, 0, 0, LossFigures::kNone};
  }
  const double r = solution.problem.beta_ratio();
  solution.overlaps = {r * r * Q_star, r * Q_star, 0};
  solution.errors.estimation = (1 - r) * (1 - r) * Q_star;
  using base::kInfinity;
  solution.conjugates = {kInfinity, kInfinity, kInfinity};
  solution.spectrum = recovered_spectrum(target.scaled(r), symmetry_of(solution.problem));
  solution.diagnostics.replicon = std::numeric_limits<double>::quiet_NaN();
  solution.diagnostics.converged = true;
}

/// Whether a student is beyond any that its labels ask for. Iterations from S = 0 may end there with a small penalty,
/// where all outputs are saturated: with a penalty no minimum is so far.
bool unbounded(const model::Problem& problem, double Q_star, const Overlaps& overlaps) {
  constexpr double kUnbounded = 1e4;
  const double r = problem.beta_ratio();
  return !(overlaps.q < kUnbounded * r * r * (Q_star + problem.noise));
}

/// Where labels can be fitted, the student at a small λ, but for what a sampled channel leaves open: the prior is
/// solved for what the channel was at the last student, by brackets. For little data a change of 1e-4 of V moves the
/// rank of S by as much as it is, and no iteration from S = 0 comes that close.
std::optional<Start> fitting_start(const Equations& equations, const TrainedStudent& student, Workspace& workspace) {
  constexpr int kRounds = 20;
  constexpr double kClose = 1e-7;
  constexpr double kSmall = 0.1;  // of where something can be learned
  const model::Problem& problem = equations.problem;
  if (problem.lambda_rule != model::LambdaRule::value || problem.lambda > kSmall * problem.lambda_unit() ||
      !has_ridgeless(problem) || ridgeless_phase(problem, equations.target) != RidgelessPhase::interpolating)
    return std::nullopt;
  Overlaps at = fitting_overlaps(problem, equations.target, problem.lambda, {});
  for (int round = 0; round < kRounds && usable(at) && !workspace.late(); ++round) {
    const auto output = student.channel().evaluate(at, OutputChannel::kAll, &workspace.channel);
    if (!usable(output.conjugates)) return std::nullopt;
    const FittingChannel channel = fitting_channel(problem, equations.target, at, output.conjugates);
    const double before = std::exchange(at, fitting_overlaps(problem, equations.target, problem.lambda, channel)).V;
    if (std::abs(at.V - before) < kClose * before) break;
  }
  if (!usable(at)) return std::nullopt;
  return Start{at, std::nullopt};
}

/// The fixed point from `start`; where there is none, from that of larger λ, stepwise downwards: close to an
/// interpolation peak a small λ, or none, is out of reach of the uninformed start. While labels can be fitted, from the
/// solution of the two equations.
FixedPoint find_patiently(const Equations& equations, const TrainedStudent& student, const PointLadder& ladder,
                          const std::optional<Start>& start, Workspace& workspace) {
  constexpr double kLost = 0.1;  // a distance that leaves no digit
  const model::Problem& problem = equations.problem;
  const auto found = [&](const FixedPoint& at) {
    const bool lost = equations.phase != RidgelessPhase::interpolating &&
                      unbounded(problem, equations.target.second_moment(), at.overlaps);
    return at.converged && at.distance < kLost && !lost;
  };
  const Tolerance tolerance = ladder.tolerance();
  FixedPoint at = student.find(start, tolerance, workspace);
  // A start with its slope comes from a coarser set, where the branch was found: what keeps the finest sets from it are
  // jumps of proximal points, and another way to the same place takes minutes.
  const bool refining = start && start->slope;
  if (found(at) || (refining && ladder.many_points()) || workspace.late()) return at;
  if (refining) {
    const int spent = at.iterations;
    at = student.find(std::nullopt, tolerance, workspace);
    at.iterations += spent;
    if (found(at)) return at;
  }
  if (equations.phase == RidgelessPhase::interpolating)
    return student.find(Start{interpolating_overlaps(problem, equations.target), std::nullopt}, tolerance, workspace);
  if (const auto fitting = fitting_start(equations, student, workspace)) {
    FixedPoint there = student.find(fitting, tolerance, workspace);
    there.iterations = at.iterations += there.iterations;
    if (found(there)) return there;
  }
  if (problem.lambda_rule == model::LambdaRule::edge) return at;
  constexpr double kStep = 0.3;
  constexpr double kVanishing = 1e-7;  // a student without a penalty is as close to one of this as matters for a start
  const double least = equations.phase ? kVanishing * problem.lambda_unit() : problem.lambda;
  LambdaPath path(student.map().chart());
  for (double lambda = problem.lambda_unit(); lambda > least && !workspace.late(); lambda *= kStep) {
    FixedPoint next = student.at_lambda(lambda).find(path.start_at(lambda), tolerance, workspace);
    next.iterations = at.iterations += next.iterations;
    if (equations.phase && unbounded(problem, equations.target.second_moment(), next.overlaps)) return next;
    if (found(next) && next.overlaps.q > 0) path.add(lambda, next);
  }
  std::optional<Start> near = path.start_at(least);
  if (near) near->slope.reset();  // it is that of far larger λ: what replicates differ by needs the one here
  workspace.channel.begin_another();
  FixedPoint again = student.find(near, tolerance, workspace);
  again.iterations += at.iterations;
  again.converged = found(again);
  return again;
}

/// What the rule λ = edge leads to before any equation is solved: the target itself, or perhaps a point close to the
/// solution.
struct EdgeLimit {
  bool recovered = false;
  std::optional<Overlaps> near;
};

/// Where message passing of a student at full width from S = 0 ends: at the target, or where it stands still before.
EdgeLimit follow_messages(const model::Problem& problem, const matrix_laws::Spectrum& target) {
  constexpr int kLog2Points = 10;
  constexpr int kSteps = 2000;
  constexpr double kStandstill = 1e-4;  // change of E in a step, relative
  // E, relative: at a transition E ~ (distance)², so that 1e-7 is within 1e-3 of it. A hundred times smaller, one law
  // of the target in so little noise takes more than 10 s.
  constexpr double kReached = 1e-7;
  const double r = problem.beta_ratio(), whole = r * r * target.second_moment();
  const auto error_of = [&](const Overlaps& overlaps) { return whole - 2 * r * overlaps.m + overlaps.q; };
  const auto channel = make_output_channel(problem, target.second_moment(), SobolRule{kLog2Points});
  const EdgeDenoiser denoiser(1, symmetry_of(problem));
  const EvolutionMap map(*channel, denoiser, target);
  Overlaps at = map.step_from_zero().prior.overlaps;
  double E = error_of(at);
  for (int i = 0; i < kSteps && at.q > 0 && at.V > 0; ++i) {
    at = map.step(at).prior.overlaps;
    const double before = std::exchange(E, error_of(at));
    if (E < kReached * whole) return {true, std::nullopt};
    if (std::abs(E - before) < kStandstill * before) break;
  }
  return {false, at};
}

/// No more eigenvalues of m̂ S* + √q̂ Z than the target has stand above the edge of √q̂ Z (Weyl), which is the threshold
/// of the rule λ = edge: a student of that width keeps them all.
bool width_never_binds(const model::Problem& problem, double rank) { return problem.width >= std::min(rank, 1.0); }

/// Noiseless labels under the rule λ = edge: is anything left of E? Of a linear head E is multiplied at every step by
/// its ratio to 2αK a² (αK a² with cross-attention), at E → 0 that of edge_dimension; below 1 it ends at 0. No head
/// shows more than its K_eff combinations of scores; how much more others need, message passing tells.
EdgeLimit edge_limit(const model::Problem& problem, const matrix_laws::Spectrum& target) {
  if (problem.lambda_rule != model::LambdaRule::edge || problem.noise > 0 || !problem.linear_when_fitted()) return {};
  const auto rank = target_rank(problem, target);
  if (!rank || !width_never_binds(problem, *rank)) return {};
  if (edge_dimension(*rank) >= problem.alpha * fitted_scores(problem)) return {};
  if (problem.head == model::Head::linear) return {true, std::nullopt};
  return follow_messages(problem, target);
}

/// A fixed point on one rule, and its errors.
struct Reached {
  PointLadder ladder;
  std::shared_ptr<const TrainedStudent> student;
  FixedPoint at;
  Workspace workspace;
  Errors errors;
  TrainedStudent::Scatter scatter;
  double error = 0;   ///< largest relative one: two standard errors, and the distance from the fixed point
  bool late = false;  ///< the search was ended by the time limit
  bool near = false;  ///< the student is in the coordinates of TrainedStudent::near_target

  /// A coarse grid has one replicate, which tells nothing of its error.
  bool error_unknown() const {
    const auto* grid = std::get_if<GridRule>(&ladder.rule());
    return ladder.has_points() && grid && !grid->interleaved;
  }
};

/// The relative error of E that the distance from the fixed point leaves: E changes by as much as coordinates do,
/// except close to the target, where E is of the order of its share of Q* squared.
double share_of_distance(const Reached& reached) {
  const Chart& chart = reached.student->map().chart();
  const double distance = reached.at.distance, E = reached.errors.estimation;
  if (chart.signal != Chart::Signal::correlation || !(E > 0)) return distance;
  // Correlations of overlaps are known to their rounding, and E no better than they.
  constexpr double kRounding = 1e-15;
  return distance + (0.25 * distance * distance + 2 * kRounding) * chart.Q_star / E;
}

/// Makes the student the same one in coordinates that keep the digits of a small S − S*, where there are such.
bool take_near_coordinates(Reached& reached) {
  std::optional<TrainedStudent> near = reached.student->near_target();
  if (near) reached.student = std::make_shared<const TrainedStudent>(std::move(*near));
  return near.has_value();
}

/// Goes on in these coordinates where the student found is close to its target.
void go_on_near_target(const PointLadder& ladder, Reached& now) {
  constexpr double kClose = 1e-6;  // of Q*: correlations of overlaps still have their digits
  const Overlaps& image = now.at.step.prior.overlaps;
  const auto before = now.student;
  if (!now.at.converged || !(image.deviation < kClose * now.student->map().chart().Q_star)) return;
  if (!take_near_coordinates(now)) return;
  FixedPoint at = now.student->find(Start{image, std::nullopt}, ladder.tolerance(), now.workspace);
  at.iterations += now.at.iterations;
  now.near = at.converged;
  if (now.near)
    now.at = std::move(at);
  else
    now.student = before;
}

/// `coarser`: what was found before, if anything was.
Reached reach(const Equations& equations, const PointLadder& ladder, const std::optional<Start>& start,
              const Reached* coarser, const Budget& budget) {
  using Owned = std::shared_ptr<const TrainedStudent>;
  Reached now{
      ladder, Owned(new TrainedStudent(equations.student(equations.problem, ladder.resolution()))), {}, {}, {}, {}, 0};
  now.workspace.budget = &budget;
  const auto samples = [](const Reached& reached) {
    return reached.ladder.has_points() && std::holds_alternative<SobolRule>(reached.ladder.rule());
  };
  if (coarser && samples(*coarser) && samples(now)) {
    now.workspace.channel = coarser->workspace.channel;
    now.workspace.channel.begin_finer();
  }
  const auto student = now.student;
  now.near = coarser && coarser->near && start && start->slope && take_near_coordinates(now);
  if (now.near) now.at = now.student->find(start, ladder.tolerance(), now.workspace);
  // Other coordinates know nothing of the slope.
  const bool lost = now.near && !now.at.converged;
  if (lost) now.student = student;
  if (!now.near || lost) {
    const auto from = lost ? std::optional(Start{start->overlaps, std::nullopt}) : start;
    now.at = find_patiently(equations, *now.student, ladder, from, now.workspace);
    now.near = false;
    go_on_near_target(ladder, now);
  }
  now.late = now.workspace.late();
  now.workspace.budget = nullptr;
  // Where proximal points jump, the slope of a coarser rule is that of the few of its points which do.
  if (start && start->slope && now.at.converged && now.at.step.several > 0)
    now.at.slope = forward_slope(now.student->map(), now.at, now.workspace);
  now.errors = now.student->errors(now.at);
  now.scatter = now.student->scatter(now.at, now.workspace);
  now.error = 2 * (relative_error(now.scatter.errors, now.errors) + share_of_distance(now));
  return now;
}

/// Says that proximal points are not the lowest minima, where their mean envelope shows it: then it is not the
/// derivative of the objective with respect to λ that the penalty is.
std::string unbalanced(const base::Estimate& imbalance) {
  constexpr double kSignificant = 6, kVisible = 0.01;
  const double size = std::abs(imbalance.value);
  if (!(size > kVisible && size > kSignificant * imbalance.standard_error)) return "";
  return fmt::format(
      "some proximal points are not the lowest minima: the mean of their envelopes misses Stein's lemma by {:.2g} of "
      "itself, and the penalty is not the derivative of the objective with respect to lambda",
      size);
}

void append(const std::string& text, std::string& message) {
  message += message.empty() || text.empty() ? text : "; " + text;
}

/// The student's law and its stability, beside what is asked of every rule.
void record_details(const Reached& reached, Solution& solution) {
  const TrainedStudent& student = *reached.student;
  solution.spectrum = student.spectrum(reached.at, reached.workspace);
  solution.loss_figures = student.channel().loss_figures(reached.at.overlaps);
  solution.diagnostics.law_error = std::max(solution.diagnostics.law_error, student.certified_law_error(reached.at));
}

void record(const Equations& equations, Reached& reached, Solution& solution) {
  const TrainedStudent& student = *reached.student;
  const FixedPoint& at = reached.at;
  const SolveOptions& options = equations.options;
  solution.overlaps = at.overlaps;
  solution.conjugates = at.step.conjugates;
  solution.errors = reached.errors;
  Diagnostics& diagnostics = solution.diagnostics;
  const bool unknown = reached.error_unknown();
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  diagnostics.sampling_error =
      unknown ? Errors{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown} : reached.scatter.errors;
  diagnostics.residual = at.residual;
  diagnostics.rule = reached.ladder.rule();
  diagnostics.points = student.channel().points();
  diagnostics.law_error = at.step.prior.law_error;
  if (const NumericalPrior* sampled = student.numerical_prior()) diagnostics.sampled_matrices = sampled->dimension();
  const bool full = options.detail == Detail::full;
  if (full) record_details(reached, solution);
  diagnostics.replicon = full || !many_atoms(equations.target) ? student.replicon(at, reached.workspace)
                                                               : std::numeric_limits<double>::quiet_NaN();
  diagnostics.message = shortfall(solution, at, reached.ladder, options, unknown ? 0 : reached.error, reached.late);
  append(unbalanced(reached.scatter.imbalance), diagnostics.message);
  diagnostics.converged = at.converged && !unknown &&
                          diagnostics.law_error <= law_tolerance(solution, options.accuracy, reached.ladder) &&
                          reached.error <= kLargestError;
}

Sensitivities sensitivities_of(const Equations& equations, const PointLadder& ladder, const FixedPoint& at, bool near) {
  ErrorResponse response(equations.problem, equations.target, equations.phase, ladder.resolution(), at, near);
  using P = model::Problem;
  Sensitivities result{
      response.derivative(&P::alpha), {}, response.derivative(&P::noise), response.derivative(&P::beta)};
  if (!equations.phase) result.lambda = response.derivative(&P::lambda);
  return result;
}

/// Refines the rule until the accuracy is met, or for as long as the time limit allows.
void solve_trained(const matrix_laws::Spectrum& target, const SolveOptions& options, const Budget& budget,
                   Solution& solution) {
  const model::Problem& problem = solution.problem;
  Equations equations{problem, target, std::nullopt, options};
  if (solution.ridgeless) equations.phase = solution.ridgeless->phase;
  std::optional<Start> given;
  if (options.start) given = Start{*options.start, std::nullopt};
  std::optional<Start> start = given;
  PointLadder ladder(problem, target.second_moment(), equations.phase, options.accuracy);
  // The last rule with a fixed point: a finer one without is no reason to give up what is known. A coarse one counts
  // where there is no time for another.
  std::optional<Reached> last, coarse;
  std::string late;
  while (true) {
    const double begun = budget.spent(), points = ladder.points();
    const Reached* coarser = last ? &*last : coarse ? &*coarse : nullptr;
    Reached now = reach(equations, ladder, start, coarser, budget);
    const double seconds = budget.spent() - begun;
    const FixedPoint at = now.at;
    solution.diagnostics.iterations += at.iterations;
    if (equations.phase == RidgelessPhase::overdetermined && (at.converged || !ladder.coarse()) &&
        unbounded(problem, target.second_moment(), at.overlaps)) {
      record(equations, now, solution);
      solution.diagnostics.converged = false;
      solution.diagnostics.message =
          "without a penalty the student grows without bound here: labels are almost fitted by saturated outputs, and "
          "no ridgeless limit exists; give a finite lambda";
      return;
    }
    const bool enough = !(now.error > options.accuracy) && !ladder.coarse();
    const double error = now.error / options.accuracy;
    const bool known = !at.converged && last;
    if (!known) (ladder.coarse() ? coarse : last) = std::move(now);
    if (known || enough || !ladder.refine({at.overlaps, at.step.several, error})) break;
    // Closed forms have no points: their one other rule has finer laws, and costs no more.
    if (ladder.has_points() && !budget.allows(seconds * ladder.points() / points)) {
      late = "finer points need more time than the limit leaves";
      if (!last && coarse->error_unknown()) late += ", and the error of these is not known";
      break;
    }
    // Without a fixed point on the coarse rule, a finer one may still have it.
    start = at.converged ? Start{at.overlaps, at.slope} : given;
  }
  Reached& best = last ? *last : *coarse;
  record(equations, best, solution);
  append(late, solution.diagnostics.message);
  if (options.sensitivities && best.at.converged)
    solution.sensitivities = sensitivities_of(equations, best.ladder, best.at, best.near);
}

/// A trained student whose λ is a number, or follows from the solution.
Solution solve_at_lambda(const model::Problem& problem, const matrix_laws::Spectrum& target,
                         const SolveOptions& options) {
  const Budget budget(options.time_limit);
  Solution solution;
  solution.problem = problem;
  solution.Q_star = target.second_moment();
  if (problem.lambda_rule == model::LambdaRule::ridgeless) solution.ridgeless = {ridgeless_phase(problem, target)};
  const bool recovered = solution.ridgeless && solution.ridgeless->phase == RidgelessPhase::recovered;
  const EdgeLimit limit = edge_limit(problem, target);
  if (recovered || limit.recovered) {
    set_recovered(solution, target);
  } else {
    SolveOptions from_there = options;
    if (limit.near) from_there.start = limit.near;
    solve_trained(target, from_there, budget, solution);
  }
  if (solution.ridgeless && solution.ridgeless->phase == RidgelessPhase::interpolating) {
    // Conjugates are those of λ = 1.
    solution.ridgeless->a = std::sqrt(solution.conjugates.q_hat) / solution.conjugates.m_hat;
    solution.ridgeless->t = problem.symmetry() / solution.conjugates.m_hat;
  }
  if (problem.lambda_rule == model::LambdaRule::edge) {
    solution.problem.lambda_rule = model::LambdaRule::value;
    solution.problem.lambda =
        std::isinf(solution.conjugates.q_hat) ? 0 : 2 * std::sqrt(solution.conjugates.q_hat) / problem.symmetry();
  }
  solution.diagnostics.seconds = budget.spent();
  return solution;
}

Solution solve_by_rule(const model::Problem& problem, const matrix_laws::Spectrum& target,
                       const SolveOptions& options) {
  if (!problem.penalised()) return solve_bayes(problem, target, options);
  if (problem.lambda_rule == model::LambdaRule::optimal) return solve_at_optimal_lambda(problem, target, options);
  return solve_at_lambda(problem, target, options);
}

}  // namespace

void require_valid(const SolveOptions& options) {
  if (!(options.accuracy >= 1e-6 && options.accuracy <= 0.1))
    throw std::invalid_argument(fmt::format("accuracy must be between 1e-6 and 0.1, got {}", options.accuracy));
  if (options.time_limit && !(*options.time_limit > 0))
    throw std::invalid_argument(fmt::format("time_limit must be a number of seconds > 0, got {}", *options.time_limit));
}

Solution solve(const model::Problem& problem, const SolveOptions& options) {
  return solve(problem, problem.target_law(), options);
}

Solution solve(const model::Problem& problem, const matrix_laws::Spectrum& target, const SolveOptions& options) {
  problem.validate();
  if (problem.custom_loss) require_consistent(problem);
  if (problem.custom_penalty) require_consistent(*problem.custom_penalty, has_negative_eigenvalues(problem));
  require_valid(options);
  if (options.isotropic && !problem.untied_self())
    throw std::invalid_argument(fmt::format(
        "the isotropic approximation is one of the student untied of self-attention, got student {} of {}-attention",
        name(problem.student), name(problem.attention)));
  if (options.sensitivities &&
      (!problem.penalised() || problem.untied_self() || problem.lambda_rule == model::LambdaRule::edge))
    throw std::invalid_argument(
        fmt::format("sensitivities need a student trained at a given, optimal or ridgeless lambda whose prior is known "
                    "exactly, got "
                    "student {} of {}-attention and lambda {}",
                    name(problem.student), name(problem.attention), model::lambda_text(problem)));
  Solution solution = solve_by_rule(problem, target, options);
  solution.lambda_rule = problem.lambda_rule;
  return solution;
}

}  // namespace attnlaw::theory
