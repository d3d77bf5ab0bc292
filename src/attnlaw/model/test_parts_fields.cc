/// The fields of the parts of a test error.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/model/test_parts.h"

namespace attnlaw::model {

const base::Description& describe(const TestParts*) {
  using P = TestParts;
  static const base::Description description{
      "a test error by its origin: floor + price E + amplitude",
      {base::field("floor", &P::floor, {.symbol = "e₀", .doc = "that of the target itself"}),
       base::field("price", &P::price, {.symbol = "C", .doc = "of an estimation error orthogonal to the target"}),
       base::field("amplitude", &P::amplitude, {.doc = "what an error along the target costs beyond the price"})}};
  return description;
}

}  // namespace attnlaw::model
