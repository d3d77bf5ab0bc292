/// The fields of what `inspect` finds.

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/base/fields/fields.h"
#include "attnlaw/view/inspect.h"

namespace attnlaw::view {

const base::Description& describe(const InspectOutcome*) {
  using O = InspectOutcome;
  static const base::Description description{
      "what was found in one checkpoint, in two, or in the steps of a training",
      {base::flat(&O::inspection),
       base::field("before", &O::before, {.doc = "the same of the earlier checkpoint, if there are two"}),
       base::field("changes", &O::changes, {.doc = "what happened to every head between both"}),
       base::field("course", &O::course, {.doc = "what happened over the steps of a training, of three or more"}),
       base::field("written", &O::written, {.doc = "files of directions"}),
       base::evidence_field<O>([](const O&) { return base::Evidence::derived; })}};
  return description;
}

}  // namespace attnlaw::view
