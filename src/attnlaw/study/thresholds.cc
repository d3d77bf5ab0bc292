#include "attnlaw/study/thresholds.h"

#include <fmt/format.h>

#include "attnlaw/theory/bayes.h"

namespace attnlaw::study {
namespace {

std::string unreachable(const model::Problem& problem) {
  if (problem.target.spectrum().hull().lower < 0) return "the student has no negative eigenvalues, the target has";
  return fmt::format("the rank of the target exceeds that of a student of width {:g}", problem.width);
}

std::string noisy(const model::Problem& problem, double alpha) {
  return fmt::format("labels carry noise, Δ = {:g}; without it: at alpha = {:.6g}", problem.noise, alpha);
}

}  // namespace

Thresholds thresholds(const model::Problem& problem) {
  const matrix_laws::Spectrum& target = problem.target.spectrum();
  Thresholds result;
  result.tokens = problem.tokens;
  result.observed_scores = problem.observed_score_count();
  result.recovery = theory::recovery(problem, target);
  if (!result.recovery) result.no_recovery = unreachable(problem);
  result.interpolation = theory::interpolation(problem, target);
  if (!result.interpolation) result.no_interpolation = "noiseless labels of such a target can be fitted at any alpha";
  result.bayes_recovery = theory::bayes_recovery(problem, target);
  if (problem.noise == 0) return result;
  if (result.recovery) result.no_recovery = noisy(problem, result.recovery->alpha);
  result.no_bayes_recovery = noisy(problem, *result.bayes_recovery);
  result.recovery.reset();
  result.bayes_recovery.reset();
  return result;
}

nlohmann::json to_json(const Thresholds& t) {
  nlohmann::json document{{"tokens", t.tokens},        {"K_eff", t.observed_scores},
                          {"recovery", nullptr},       {"interpolation", nullptr},
                          {"bayes_recovery", nullptr}, {"reasons", nlohmann::json::object()}};
  if (t.recovery) document["recovery"] = {{"alpha", t.recovery->alpha}, {"D", t.recovery->D}, {"t", t.recovery->t}};
  if (t.interpolation) document["interpolation"] = {{"alpha", t.interpolation->alpha}, {"a", t.interpolation->a}};
  if (t.bayes_recovery) document["bayes_recovery"] = {{"alpha", *t.bayes_recovery}};
  if (!t.recovery) document["reasons"]["recovery"] = t.no_recovery;
  if (!t.interpolation) document["reasons"]["interpolation"] = t.no_interpolation;
  if (!t.bayes_recovery) document["reasons"]["bayes_recovery"] = t.no_bayes_recovery;
  return document;
}

}  // namespace attnlaw::study
