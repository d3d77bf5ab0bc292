/// Describes the fields of the laws of in-context regression.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/laws/in_context/in_context.h"
#include "attnlaw/laws/in_context/singular_values.h"

namespace attnlaw::laws {
namespace {

constexpr base::Named<InContextPhase> kPhases[] = {{InContextPhase::generalises, "generalises"},
                                                   {InContextPhase::memorises, "memorises"},
                                                   {InContextPhase::neither, "neither"}};

std::string training_covariance(const InContextModel& model) { return model.covariance.spec; }
std::optional<std::string> test_covariance(const InContextModel& model) {
  return model.test_covariance ? std::optional(model.test_covariance->spec) : std::nullopt;
}

}  // namespace

std::span<const base::Named<InContextPhase>> names_table(InContextPhase) { return kPhases; }

std::span<const base::Named<InContextTest>> names_table(InContextTest) {
  static constexpr base::Named<InContextTest> kTests[] = {{InContextTest::new_tasks, "optimal"},
                                                          {InContextTest::training_tasks, "optimal-training"}};
  return kTests;
}

const base::Description& describe(const InContextModel*) {
  using M = InContextModel;
  static const base::Description description{
      "what is trained on what, and tested on what",
      {base::field("context", &M::context,
                   {.symbol = "α", .unit = "l/d", .doc = "tokens of a context; null: infinite"}),
       base::field("tasks", &M::tasks, {.symbol = "κ", .unit = "k/d", .doc = "training tasks; null: a new one each"}),
       base::field("sequences", &M::sequences,
                   {.symbol = "τ", .unit = "n/d²", .doc = "training sequences; null: infinitely many"}),
       base::field("noise", &M::noise, {.symbol = "ρ", .doc = "variance of the noise of labels"}),
       base::field("lambda", &M::lambda, {.symbol = "λ", .doc = "penalty; 0: the limit 0+"}),
       base::field("test_context", &M::test_context,
                   {.symbol = "α_te", .unit = "l/d", .doc = "tokens of a context of new tasks, if others"}),
       base::field("test_noise", &M::test_noise,
                   {.symbol = "ρ_te", .doc = "noise of the labels of new tasks, if another"}),
       base::figure_of<M>("task_covariance", training_covariance,
                          {.symbol = "C", .doc = "covariance of training tasks"}),
       base::figure_of<M>("test_covariance", test_covariance,
                          {.symbol = "C_te", .doc = "that of new tasks, if another"})}};
  return description;
}

const base::Description& describe(const InContextParts*) {
  using P = InContextParts;
  static const base::Description description{
      "the parts of an error, which they sum up to",
      {base::field("noise", &P::noise, {.symbol = "ρ", .doc = "noise of the label"}),
       base::field("unseen", &P::unseen, {.doc = "bias: directions that no training task has"}),
       base::field("shrinkage", &P::shrinkage, {.doc = "bias: directions that are answered with less than they have"}),
       base::field("context", &P::context, {.doc = "noise of a finite context, passed on by the layer"}),
       base::field("variance", &P::variance, {.doc = "of the trained matrix, from finitely many sequences"})}};
  return description;
}

const base::Description& describe(const InContextBaselines*) {
  using B = InContextBaselines;
  static const base::Description description{
      "what others make of the same context",
      {base::field("nothing", &B::nothing, {.doc = "new tasks: who answers 0"}),
       base::field("ridge", &B::ridge, {.doc = "new tasks: the Bayes-optimal ridge on the context"}),
       base::field("memory_new", &B::memory_new,
                   {.doc = "new tasks: the posterior mean over the training tasks, as d → ∞"}),
       base::field("memory_training", &B::memory_training,
                   {.doc = "the same on its training tasks, in sequences like those of training"})}};
  return description;
}

const base::Description& describe(const InContextPrediction*) {
  using P = InContextPrediction;
  static const base::Description description{
      "a trained linear attention layer as it regresses in context",
      {base::field("model", &P::model, {.doc = "what was asked for, with the λ that was found"}),
       base::field("new_tasks", &P::new_tasks, {.symbol = "e_new", .doc = "test error on new tasks; null: infinite"}),
       base::field(
           "training_tasks", &P::training_tasks,
           {.symbol = "e_train",
            .doc = "test error on the training tasks, in new sequences like those of training; null: infinite"}),
       base::field("train", &P::train, {.doc = "error on the training sequences, without penalty"}),
       base::figure("phase", &P::phase,
                    {.doc = "generalises: explains half of what the ridge explains of new tasks; memorises: half of "
                            "what can be explained of its training tasks; neither"}),
       base::figure("generalisation", &P::generalisation,
                    {.doc = "of what the ridge explains of new tasks, the part that is explained"}),
       base::figure("memorisation", &P::memorisation,
                    {.doc = "of what can be explained of training tasks, the part that is explained"}),
       base::field("effective_ridge", &P::ridge, {.symbol = "ξ", .doc = "effective regularisation"}),
       base::field("trace", &P::trace, {.symbol = "tr G/d", .doc = "of the trained matrix"}),
       base::field("squared_norm", &P::squared_norm, {.symbol = "‖G‖²/d", .doc = "of the trained matrix"}),
       base::field("distance", &P::distance,
                   {.symbol = "‖G − I‖²/d", .doc = "of the trained matrix from one gradient step"}),
       base::field("variance", &P::variance, {.symbol = "V", .doc = "part of squared_norm that is noise"}),
       base::field("gap_number", &P::gap_number,
                   {.doc = "singular values have a gap at 0 if it is < 1; null: infinite, or tasks that are not "
                           "isotropic"}),
       base::field("new_parts", &P::new_parts, {.doc = "parts of new_tasks"}).nested(base::Nesting::prefixed),
       base::field("training_parts", &P::training_parts, {.doc = "parts of training_tasks"})
           .nested(base::Nesting::prefixed),
       base::field("baselines", &P::baselines, {.doc = "others beside it"})}};
  return description;
}

const base::Description& describe(const SingularValueDensity*) {
  using D = SingularValueDensity;
  static const base::Description description{"density of the singular values",
                                             {base::field("x", &D::x, {.symbol = "σ", .doc = "singular values"}),
                                              base::field("density", &D::density, {.doc = "density there"})}};
  return description;
}

}  // namespace attnlaw::laws
