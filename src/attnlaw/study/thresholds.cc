#include "attnlaw/study/thresholds.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "attnlaw/theory/bayes.h"

namespace attnlaw::study {
namespace {

std::string unreachable(const model::Problem& problem) {
  if (problem.target_law().hull().lower < 0) return "the student has no negative eigenvalues, the target has";
  return fmt::format("the rank of the target exceeds that of a student of width {:g}", problem.width);
}

std::string noisy(const model::Problem& problem, double alpha) {
  return fmt::format("labels carry noise, Δ = {:g}; without it: at alpha = {:.6g}", problem.noise, alpha);
}

constexpr const char* kNotLinear = "labels of this kind are not fitted by linear conditions on S";

void set_ridgeless(const model::Problem& problem, Thresholds& result) {
  if (!problem.linear_when_fitted()) {
    result.no_recovery = result.no_interpolation = kNotLinear;
    return;
  }
  if (!theory::has_ridgeless(problem)) {
    result.no_recovery = result.no_interpolation =
        fmt::format("known for the students tied and direct, and for untied with cross-attention, not for {}{}",
                    model::name(problem.student), problem.untied_self() ? " of self-attention" : "");
    return;
  }
  const matrix_laws::Spectrum target = problem.target_law();
  result.recovery = theory::recovery(problem, target);
  if (!result.recovery) result.no_recovery = unreachable(problem);
  if (result.recovery && problem.noise > 0) {
    result.no_recovery = noisy(problem, result.recovery->alpha);
    result.recovery.reset();
  }
  result.interpolation_limit = theory::interpolation_limit(problem, target);
  result.interpolation = theory::interpolation(problem, target);
  if (!result.interpolation) result.no_interpolation = "noiseless labels of such a target can be fitted at any alpha";
}

void set_bayes_recovery(const model::Problem& problem, Thresholds& result) {
  if (!problem.linear_when_fitted()) {
    result.no_bayes_recovery = kNotLinear;
    return;
  }
  const double bayes_recovery = theory::bayes_recovery(problem, problem.target_law());
  if (std::isinf(bayes_recovery))
    result.no_bayes_recovery = "hardmax labels never determine the target exactly";
  else if (problem.noise > 0)
    result.no_bayes_recovery = noisy(problem, bayes_recovery);
  else
    result.bayes_recovery = bayes_recovery;
}

}  // namespace

const std::vector<std::string>& threshold_names() {
  static const std::vector<std::string> names{"recovery", "interpolation", "bayes_recovery", "detachment"};
  return names;
}

Thresholds thresholds(const model::Problem& problem, const std::optional<theory::SolveOptions>& detachment) {
  Thresholds result;
  result.tokens = problem.tokens;
  if (problem.cross()) result.key_tokens = problem.key_tokens;
  result.observed_scores = problem.observed_score_count();
  set_ridgeless(problem, result);
  set_bayes_recovery(problem, result);
  if (detachment) {
    theory::DetachmentSearch search = theory::detachment(problem, problem.target_law(), *detachment);
    result.detachment = search.found;
    result.no_detachment = std::move(search.none);
    result.converged = search.converged;
  }
  return result;
}

}  // namespace attnlaw::study
