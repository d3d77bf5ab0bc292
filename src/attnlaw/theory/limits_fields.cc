/// The fields of limits.

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/base/fields/fields.h"
#include "attnlaw/theory/limits.h"

namespace attnlaw::theory {

const base::Description& describe(const Limit*) {
  using L = Limit;
  static const base::Description description{
      "a figure beside what it tends to",
      {base::field("limit", &L::kind, {.doc = "which one"}),
       base::field("figure", &L::figure, {.doc = "estimation, test, or the α of recovery or interpolation"}),
       base::field("parameter", &L::parameter, {.doc = "what is small or large"}),
       base::field("at", &L::at, {.doc = "its value in the problem"}),
       base::field("tends_to", &L::limit, {.doc = "the figure in the limit"}),
       base::field("value", &L::value, {.doc = "the figure of the problem"}),
       base::field("evidence", &L::evidence, {.doc = "what the limit rests on"})}};
  return description;
}

}  // namespace attnlaw::theory
