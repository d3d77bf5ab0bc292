/// The fields of thresholds.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::theory {

const base::Description& describe(const Recovery*) {
  using R = Recovery;
  static const base::Description description{
      "where the student at λ → 0 becomes the target",
      {base::field("alpha", &R::alpha, {.symbol = "α", .unit = "n/d²", .doc = "above it the student is the target"}),
       base::field("D", &R::D, {.symbol = "D", .doc = "statistical dimension of the student class at the target"}),
       base::field("t", &R::t, {.symbol = "t", .doc = "effective threshold in units of the effective noise"})}};
  return description;
}

const base::Description& describe(const Interpolation*) {
  using I = Interpolation;
  static const base::Description description{
      "where the student at λ → 0 stops to fit every label",
      {base::field("alpha", &I::alpha, {.symbol = "α", .unit = "n/d²", .doc = "below it every label is fitted"}),
       base::field("a", &I::a, {.symbol = "a", .doc = "effective noise √q̂/m̂ there; infinite where S is all noise"})}};
  return description;
}

}  // namespace attnlaw::theory
