/// The fields of the thresholds of a problem.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/thresholds.h"

namespace attnlaw::study {
namespace {

using Json = nlohmann::json;

struct BayesRecovery {
  double alpha = 0;
  bool verified = true;
};

const base::Description& describe(const BayesRecovery*) {
  static const base::Description description{
      "where the posterior becomes certain",
      {base::field("alpha", &BayesRecovery::alpha,
                   {.symbol = "α", .unit = "n/d²", .doc = "above it the posterior mean is the target"}),
       base::field("verified", &BayesRecovery::verified,
                   {.doc = "false with cross-attention: a count of degrees of freedom that no posterior mean was "
                           "compared with"})}};
  return description;
}

/// The α of interpolation in the limit of small noise.
struct VanishingNoise {
  double alpha = 0;
};

const base::Description& describe(const VanishingNoise*) {
  static const base::Description description{
      "where the student at λ → 0 stops to fit every label, as the noise vanishes",
      {base::field("alpha", &VanishingNoise::alpha,
                   {.symbol = "α", .unit = "n/d²", .doc = "below it every label of vanishing noise is fitted"})}};
  return description;
}

std::optional<VanishingNoise> interpolation_limit_of(const Thresholds& t) {
  return t.interpolation_limit ? std::optional(VanishingNoise{*t.interpolation_limit}) : std::nullopt;
}

/// Why there is none, of those thresholds that there are not.
Json reasons_json(const Thresholds& t) {
  Json reasons = Json::object();
  if (!t.recovery) reasons["recovery"] = t.no_recovery;
  if (!t.interpolation) reasons["interpolation"] = t.no_interpolation;
  if (!t.bayes_recovery) reasons["bayes_recovery"] = t.no_bayes_recovery;
  if (!t.no_detachment.empty()) reasons["detachment"] = t.no_detachment;
  return reasons;
}

std::optional<BayesRecovery> bayes_recovery_of(const Thresholds& t) {
  return t.bayes_recovery ? std::optional(BayesRecovery{*t.bayes_recovery, !t.bayes_unverified()}) : std::nullopt;
}

}  // namespace

const base::Description& describe(const Thresholds*) {
  using T = Thresholds;
  // A threshold that does not exist is null, and has a reason.
  static const base::Description description{
      "the thresholds of one problem",
      {base::field("tokens", &T::tokens, {.symbol = "T", .doc = "per sequence; T1 with cross-attention"}),
       base::field("key_tokens", &T::key_tokens, {.doc = "T2 with cross-attention"}).when([](const T& t) {
         return t.key_tokens > 0;
       }),
       base::field("K_eff", &T::observed_scores, {.symbol = "K_eff", .doc = "observed scores of a sequence"}),
       base::field("recovery", &T::recovery, {.doc = "null where there is none"}).nullable(),
       base::field("interpolation", &T::interpolation, {.doc = "null where there is none"}).nullable(),
       base::figure_of<T>("interpolation_limit", interpolation_limit_of,
                          {.doc = "of interpolation as the noise vanishes; null where it does not depend on the noise"})
           .nullable(),
       base::figure_of<T>("bayes_recovery", bayes_recovery_of, {.doc = "null where there is none"}).nullable(),
       base::field("detachment", &T::detachment, {.doc = "if asked for; null where there is none"})
           .nullable()
           .when([](const T& t) { return t.with_detachment(); }),
       base::custom<T>("reasons", {base::Kind::object}, reasons_json, nullptr,
                       {.doc = "why there is none, under the name of every threshold that there is not"})}};
  return description;
}

}  // namespace attnlaw::study
