#include "attnlaw/theory/limits.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/theory/bayes.h"
#include "attnlaw/theory/channel/output_channel.h"
#include "attnlaw/theory/evidence.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::theory {
namespace {

using base::Evidence;
using model::Student;

/// κ* of a Wishart target below full rank, whose nonzero part is a share κ* of all eigenvalues; nothing for others.
std::optional<double> rank_of(const model::Problem& problem) {
  const auto* wishart = problem.target.spectrum().wishart();
  if (!wishart || problem.cross() || wishart->kappa >= 1 || wishart->scale <= 0) return std::nullopt;
  return wishart->kappa;
}

bool tied(const model::Problem& problem) { return problem.student == Student::tied && problem.width >= 1; }
bool bayes(const model::Problem& problem) { return problem.student == Student::bayes; }
bool ridgeless(const model::Problem& problem) { return problem.lambda_rule == model::LambdaRule::ridgeless; }

void add_low_rank(const Solution& solution, std::vector<Limit>& found) {
  const model::Problem& problem = solution.problem;
  const auto kappa = rank_of(problem);
  if (!kappa || problem.noise > 0 || !problem.linear_when_fitted()) return;
  if (!bayes(problem) && !(tied(problem) && ridgeless(problem) && has_ridgeless(problem))) return;
  const double unit = problem.observed_score_count() / *kappa;
  // Of another temperature the trained student tends to a multiple of the target.
  if (bayes(problem) || problem.beta_ratio() == 1)
    found.push_back({LimitKind::low_rank, "estimation", "κ*", *kappa,
                     low_rank_error(bayes(problem), problem.alpha * unit), solution.errors.estimation,
                     Evidence::derived});
  const double recovered =
      bayes(problem) ? bayes_recovery(problem, problem.target_law()) : recovery(problem, problem.target_law())->alpha;
  found.push_back({LimitKind::low_rank, "recovery", "κ*", *kappa, low_rank_recovery(bayes(problem), *kappa) / unit,
                   recovered, Evidence::derived});
}

void add_vanishing_noise(const Solution& solution, std::vector<Limit>& found) {
  const model::Problem& problem = solution.problem;
  if (!(problem.noise > 0) || !tied(problem) || !has_ridgeless(problem)) return;
  const auto limit = interpolation_limit(problem, problem.target_law());
  const auto here = interpolation(problem, problem.target_law());
  if (limit && here)
    found.push_back(
        {LimitKind::vanishing_noise, "interpolation", "Δ", problem.noise, *limit, here->alpha, Evidence::derived});
}

/// What α K_eff E/Δ tends to at a linear head: half of the degrees of freedom of the student that noise can move, by
/// the way in which λ is chosen. At the edge λ grows like √α, and its shrinkage stays.
std::optional<double> freedom(const model::Problem& problem, model::LambdaRule rule) {
  const auto kappa = rank_of(problem);
  if (!kappa) return std::nullopt;
  if (bayes(problem)) return 0.5 * (2 * *kappa - *kappa * *kappa);
  if (!tied(problem) || !has_ridgeless(problem)) return std::nullopt;
  if (rule == model::LambdaRule::optimal) return 0.5 * recovery(problem, problem.target_law())->D;
  if (rule == model::LambdaRule::edge) return 0.5 * edge_dimension(*kappa);
  return 0.5 * (1 - 0.5 * (1 - *kappa) * (1 - *kappa));
}

void add_many_sequences(const Solution& solution, std::vector<Limit>& found) {
  const model::Problem& problem = solution.problem;
  if (!(problem.noise > 0) || problem.head != model::Head::linear || problem.custom_loss ||
      problem.labels != model::Labels::soft)
    return;
  if (const auto part = freedom(problem, solution.lambda_rule))
    found.push_back({LimitKind::many_sequences, "estimation", "α", problem.alpha,
                     *part * problem.noise / (problem.alpha * problem.observed_score_count()),
                     solution.errors.estimation, Evidence::derived});
}

/// The multiple of the target that fits noisy labels best.
double plateau_ratio(const Solution& solution) {
  const model::Problem& problem = solution.problem;
  const double Q_star = solution.Q_star;
  const auto channel = make_output_channel(problem, Q_star, solution.diagnostics.rule);
  const auto loss = [&](double ratio) {
    return channel->fresh_loss({ratio * ratio * Q_star, ratio * Q_star, 0}, problem.noise);
  };
  // Half of the digits are all that a minimum tells.
  constexpr int kBits = std::numeric_limits<double>::digits / 2;
  // Noise flattens the probabilities that labels have on average, so that the best multiple is below β*/β; twice that
  // leaves the minimum well inside the bracket.
  constexpr double kLargest = 2;
  const double most = kLargest * problem.target_beta / problem.beta;
  return boost::math::tools::brent_find_minima(loss, 0.0, most, kBits).first;
}

void add_plateau(const Solution& solution, std::vector<Limit>& found) {
  const model::Problem& problem = solution.problem;
  if (!(problem.noise > 0) || problem.head != model::Head::softmax || problem.loss != model::Loss::square ||
      problem.labels != model::Labels::soft || problem.custom_loss || problem.cross() || !tied(problem) ||
      !(solution.overlaps.q > 0))
    return;
  const double deviation = plateau_ratio(solution) - 1;
  found.push_back({LimitKind::many_sequences, "estimation", "α", problem.alpha, deviation * deviation * solution.Q_star,
                   solution.errors.estimation, Evidence::derived});
}

/// The test error of the overlaps of a solution if sequences had so many tokens.
double test_with(const Solution& solution, int tokens) {
  // The squared distances of single sequences scatter by 0.4 of their mean at T = 8: these points leave less than 1 %.
  constexpr int kLog2Points = 9;
  model::Problem problem = solution.problem;
  problem.tokens = tokens;
  return make_output_channel(problem, solution.Q_star, SobolRule{.log2_points = kLog2Points})->test(solution.overlaps);
}

/// The limit beside the test error of the problem, and beside that of its overlaps with so many tokens: how far from it
/// they are tells whether it can be used.
void add_many_tokens(const Solution& solution, std::vector<Limit>& found) {
  const model::Problem& problem = solution.problem;
  if (problem.head != model::Head::softmax || problem.cross() || problem.readout != model::Readout::rows ||
      problem.labels != model::Labels::soft || problem.loss != model::Loss::square || problem.custom_loss ||
      bayes(problem))
    return;
  const double of_target = problem.target_beta, of_student = problem.beta;
  const double q = solution.overlaps.q + solution.overlaps.q_a;
  const double limit = many_tokens_test(of_target * of_target * solution.Q_star,
                                        of_target * of_student * solution.overlaps.m, of_student * of_student * q);
  const auto add = [&](int tokens, double test) {
    found.push_back(
        {LimitKind::many_tokens, "test", "T", static_cast<double>(tokens), limit, test, Evidence::heuristic});
  };
  add(problem.tokens, solution.errors.test);
  for (const int tokens : {model::kMaxTokens / 2, model::kMaxTokens})
    if (tokens > problem.tokens) add(tokens, test_with(solution, tokens));
}

void add_unfactorised(const Solution& solution, std::vector<Limit>& found) {
  const model::Problem& problem = solution.problem;
  if (problem.student != Student::direct || problem.cross() || !ridgeless(problem) || problem.noise > 0 ||
      problem.beta_ratio() != 1)
    return;
  const double x = problem.alpha * problem.observed_score_count();
  found.push_back({LimitKind::unfactorised, "estimation", "αK_eff", x, solution.Q_star * std::max(0.0, 1 - 2 * x),
                   solution.errors.estimation, Evidence::derived});
}

}  // namespace

std::span<const base::Named<LimitKind>> names_table(LimitKind) {
  static constexpr base::Named<LimitKind> kKinds[] = {{LimitKind::low_rank, "low-rank"},
                                                      {LimitKind::vanishing_noise, "vanishing-noise"},
                                                      {LimitKind::many_sequences, "many-sequences"},
                                                      {LimitKind::many_tokens, "many-tokens"},
                                                      {LimitKind::unfactorised, "unfactorised"}};
  return kKinds;
}

double low_rank_error(bool bayes, double x) {
  constexpr double kStart = 0.5;
  if (x <= kStart) return 1;
  if (bayes) return x < 1 ? 4 * x * (1 - x) : 0;
  constexpr double kEnd = 3;
  const double w = (4 - std::sqrt(6 * x - 2)) / 3;
  return x < kEnd ? 2 * x * w * w : 0;
}

double low_rank_recovery(bool bayes, double kappa) {
  if (bayes) return 1 - 0.5 * kappa;
  return 3 - 10.0 / 7 * std::pow(7.5 * std::numbers::pi * kappa, 0.4);
}

double many_tokens_test(double Q_star, double m, double q) { return std::exp(Q_star) - 2 * std::exp(m) + std::exp(q); }

std::vector<Limit> limits(const Solution& solution) {
  std::vector<Limit> found;
  add_low_rank(solution, found);
  add_vanishing_noise(solution, found);
  add_many_sequences(solution, found);
  add_plateau(solution, found);
  add_many_tokens(solution, found);
  add_unfactorised(solution, found);
  // A limit of equations rests on what they rest on.
  for (Limit& limit : found) limit.evidence = std::max(limit.evidence, evidence(solution.problem));
  return found;
}

}  // namespace attnlaw::theory
