/// The fields of the detachment of the upper bulk.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/theory/detachment.h"

namespace attnlaw::theory {

const base::Description& describe(const Detachment*) {
  using D = Detachment;
  static const base::Description description{
      "where the learned directions leave the rest of the trained spectrum",
      {base::field(
           "alpha", &D::alpha,
           {.symbol = "α", .unit = "n/d²", .doc = "above it the trained spectrum has an upper bulk of its own"}),
       base::field("a", &D::a, {.symbol = "a", .doc = "effective noise √q̂/m̂ there; 0 where the student is the target"}),
       base::field("upper_mass", &D::upper_mass, {.doc = "weight of the upper bulk just above"})}};
  return description;
}

}  // namespace attnlaw::theory
