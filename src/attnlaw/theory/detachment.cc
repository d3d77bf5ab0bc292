#include "attnlaw/theory/detachment.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "attnlaw/theory/evolution/budget.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::theory {
namespace {

/// The ratio of two α while their sides are looked for, the least of them, and the relative width of the last bracket:
/// a hundredth of the default accuracy of the overlaps that decide it.
constexpr double kDetachmentLadder = std::numbers::sqrt2;
constexpr double kLeastDetachment = 1e-6;
constexpr double kDetachmentWidth = 1e-5;

bool is_apart(const Solution& solution) { return !std::isnan(solution.spectrum.upper_mass); }

/// Solves one problem at the α that it is asked for, until a solution is not known.
class AlongAlpha {
 public:
  AlongAlpha(const model::Problem& problem, const matrix_laws::Spectrum& target, const SolveOptions& options)
      : problem_(problem), target_(target), options_(options), budget_(options.time_limit) {
    options_.detail = Detail::full;
    options_.sensitivities = false;
    options_.start.reset();
  }

  /// Nothing where the solution is not known.
  std::optional<Solution> at(double alpha) {
    if (!budget_.allows(0)) {
      fault_ = "the time limit ended the search";
      return std::nullopt;
    }
    problem_.alpha = alpha;
    options_.time_limit = budget_.left();
    Solution solution = solve(problem_, target_, options_);
    if (solution.diagnostics.converged) return solution;
    fault_ = fmt::format("no solution was found at alpha = {:.6g}: {}", alpha, solution.diagnostics.message);
    return std::nullopt;
  }
  DetachmentSearch failed() const { return {std::nullopt, fault_, false}; }

 private:
  model::Problem problem_;
  const matrix_laws::Spectrum& target_;
  SolveOptions options_;
  Budget budget_;
  std::string fault_;
};

double noise_of(const Conjugates& conjugates) {
  return std::isinf(conjugates.m_hat) ? 0 : std::sqrt(conjugates.q_hat) / conjugates.m_hat;
}

DetachmentSearch bisected(AlongAlpha& solutions, double low, double high, Solution above) {
  while (high > (1 + kDetachmentWidth) * low) {
    const double middle = std::sqrt(low * high);
    std::optional<Solution> solution = solutions.at(middle);
    if (!solution) return solutions.failed();
    if (is_apart(*solution))
      high = middle, above = std::move(*solution);
    else
      low = middle;
  }
  return {Detachment{std::sqrt(low * high), noise_of(above.conjugates), above.spectrum.upper_mass}, "", true};
}

}  // namespace

DetachmentSearch detachment(const model::Problem& problem, const matrix_laws::Spectrum& target,
                            const SolveOptions& options) {
  if (!problem.penalised()) return {std::nullopt, "of trained students alone: the posterior mean has no penalty", true};
  if (problem.untied_self())
    return {std::nullopt, "the spectrum of the student untied of self-attention is known by sampled matrices alone",
            true};
  AlongAlpha solutions(problem, target, options);
  // Beyond interpolation, around which solutions without a penalty are dear.
  constexpr double kFirst = 4;
  double alpha = kFirst / fitted_scores(problem);
  std::optional<Solution> here = solutions.at(alpha);
  if (!here) return solutions.failed();
  const bool down = is_apart(*here);
  while (true) {
    const double next = down ? alpha / kDetachmentLadder : alpha * kDetachmentLadder;
    if (next < kLeastDetachment)
      return {std::nullopt, fmt::format("the upper bulk is apart from alpha = {:.2g} on", alpha), true};
    if (next > model::kMaxAlpha)
      return {std::nullopt, fmt::format("no bulk has detached up to alpha = {:.2g}", alpha), true};
    std::optional<Solution> there = solutions.at(next);
    if (!there) return solutions.failed();
    if (is_apart(*there) != down)
      return down ? bisected(solutions, next, alpha, std::move(*here))
                  : bisected(solutions, alpha, next, std::move(*there));
    alpha = next, here = std::move(there);
  }
}

}  // namespace attnlaw::theory
