/// The fields of what `lofi` finds.

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/view/lofi.h"

namespace attnlaw::view {

const base::Description& describe(const LofiDataOutcome*) {
  using O = LofiDataOutcome;
  static const base::Description description{
      "what was found in a file",
      {base::field("data", &O::source, {.doc = "the file"}),
       base::field("n", &O::n, {.symbol = "n", .doc = "training samples"}),
       base::field("tokens", &O::tokens, {.symbol = "T", .doc = "tokens of a sample"}),
       base::field("features", &O::features, {.doc = "of a token"}),
       base::field("outputs", &O::outputs, {.doc = "labels of a sample"}),
       base::field("attention", &O::attention, {.doc = "whether they are labels of pairs of tokens"}),
       base::field("test", &O::test, {.doc = "test samples"}), base::flat(&O::result),
       base::evidence_field<O>([](const O&) { return base::Evidence::derived; })}};
  return description;
}

const base::Description& describe(const LofiRun*) {
  using R = LofiRun;
  static const base::Description description{
      "theory and experiments at one n",
      {base::field("n", &R::n, {.symbol = "n", .doc = "training samples"}),
       base::field("theory", &R::theory, {.doc = "what the theory says"}),
       base::field("instances", &R::instances, {.doc = "what was found, draw by draw"})}};
  return description;
}

const base::Description& describe(const LofiTargetOutcome*) {
  using O = LofiTargetOutcome;
  static const base::Description description{
      "what was found of a target",
      {base::figure_of<O>("target", [](const O& outcome) { return outcome.target.spec(); }, {.doc = "the target"}),
       base::field("d", &O::d, {.symbol = "d", .doc = "dimension of a token"}),
       base::figure_of<O>("tokens", [](const O& outcome) { return outcome.target.tokens(); },
                          {.symbol = "T", .doc = "tokens of a sample"}),
       base::figure_of<O>(
           "linear_share", [](const O& outcome) { return outcome.target.linear_share(); },
           {.symbol = "c²", .doc = "share of the label's variance that a kernel of degree 2 learns, or null"}),
       base::field("runs", &O::runs, {.doc = "one for each n"}),
       base::evidence_field<O>([](const O&) { return base::Evidence::derived; })}};
  return description;
}

}  // namespace attnlaw::view
