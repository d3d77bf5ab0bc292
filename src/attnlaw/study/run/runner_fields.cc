/// The fields of the progress of a run.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/run/runner.h"

namespace attnlaw::study {

const base::Description& describe(const RunProgress*) {
  using P = RunProgress;
  static const base::Description description{
      "what a run did",
      {base::figure("complete", &P::complete, {.doc = "whether no task is left"}),
       base::field("tasks", &P::total, {.doc = "tasks of the study"}),
       base::field("reused", &P::reused, {.doc = "were in the store before"}),
       base::field("computed", &P::done, {.doc = "computed in this run, failures included"}),
       base::field("failed", &P::failed, {.doc = "of these, that failed"}),
       base::field("unconverged", &P::unconverged, {.doc = "of these, that did not converge"}),
       base::figure("left", &P::left, {.doc = "tasks that are left: the same command goes on with them"}),
       base::field("seconds", &P::seconds, {.unit = "s", .doc = "time of this run"})}};
  return description;
}

}  // namespace attnlaw::study
