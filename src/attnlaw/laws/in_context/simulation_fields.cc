/// Describes the fields of what was simulated of in-context regression.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/laws/in_context/simulation.h"

namespace attnlaw::laws {
namespace {

InContextModel model_of(const InContextExperiment& experiment) { return experiment.model; }

}  // namespace

const base::Description& describe(const InContextMeasured*) {
  using M = InContextMeasured;
  static const base::Description description{
      "a trained layer at finite size",
      {base::field("new_tasks", &M::new_tasks, {.doc = "test error on new tasks"}),
       base::field("training_tasks", &M::training_tasks, {.doc = "test error on the training tasks"}),
       base::field("train", &M::train, {.doc = "error on the training sequences"}),
       base::field("trace", &M::trace, {.symbol = "tr G/d", .doc = "of the trained matrix"}),
       base::field("squared_norm", &M::squared_norm, {.symbol = "‖G‖²/d", .doc = "of the trained matrix"})}};
  return description;
}

const base::Description& describe(const InContextInstance*) {
  using I = InContextInstance;
  static const base::Description description{
      "one trained layer",
      {base::field("seed", &I::seed, {.doc = "number of the instance"}), base::flat(&I::measured),
       base::field("theory", &I::theory, {.doc = "law at finite size, given its tasks"})
           .nested(base::Nesting::prefixed),
       base::field("iterations", &I::iterations, {.doc = "of conjugate gradients"}),
       base::field("converged", &I::converged, {.doc = "whether they ended"})}};
  return description;
}

const base::Description& describe(const InContextExperiment*) {
  using E = InContextExperiment;
  static const base::Description description{
      "trained layers at one dimension",
      {base::field("d", &E::d, {.symbol = "d", .doc = "dimension"}),
       base::field("length", &E::length, {.symbol = "l", .doc = "tokens of a context"}),
       base::field("tasks", &E::tasks, {.symbol = "k", .doc = "training tasks; none: a new one for each sequence"}),
       base::field("sequences", &E::sequences, {.symbol = "n", .doc = "training sequences"}),
       base::field("solver", &E::solver, {.doc = "how layers were trained"}),
       base::figure_of<E>("model", model_of, {.doc = "the ratios of these sizes, and the λ that was trained with"}),
       base::field("mean", &E::mean, {.doc = "means over instances"}),
       base::field("standard_error", &E::standard_error, {.doc = "their standard errors"}),
       base::field("theory", &E::theory, {.doc = "law at finite size, given the tasks of every instance: means"}),
       base::field("difference", &E::difference, {.doc = "means of measured/theory − 1"}),
       base::field("difference_error", &E::difference_error, {.doc = "their standard errors"}),
       base::field("kolmogorov_distance", &E::kolmogorov_distance, {.doc = "of singular values from their law"}),
       base::field("instances", &E::instances, {.doc = "every layer"}),
       base::figure("singular_values", &E::singular_values, {.doc = "of all trained matrices, ascending"}),
       base::figure("converged", &E::converged, {.doc = "whether every layer was trained to the end"})}};
  return description;
}

const base::Description& describe(const InContextLimit*) {
  using L = InContextLimit;
  static const base::Description description{
      "what is measured of layers, by lines in 1/d at 1/d → 0 (`value` is that of the line)",
      {base::field("new_tasks", &L::new_tasks, {.doc = "of the test error on new tasks"}),
       base::field("training_tasks", &L::training_tasks, {.doc = "of the test error on training tasks"}),
       base::field("train", &L::train, {.doc = "of the error on training sequences"}),
       base::field("trace", &L::trace, {.doc = "of tr G/d"}),
       base::field("squared_norm", &L::squared_norm, {.doc = "of ‖G‖²/d"})}};
  return description;
}

const base::Description& describe(const InContextExtrapolation*) {
  using E = InContextExtrapolation;
  static const base::Description description{
      "relative differences from the law of what was drawn, and what was measured, by lines in 1/d at 1/d → 0",
      {base::flat(&E::difference), base::field("measured", &E::measured, {.doc = "the figures themselves"})}};
  return description;
}

}  // namespace attnlaw::laws
