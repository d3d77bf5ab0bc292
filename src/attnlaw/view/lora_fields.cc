/// The fields of what `lora` finds.

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/view/lora.h"

namespace attnlaw::view {
namespace {

struct Pretraining {
  laws::PretrainedOverlaps overlaps;
  std::optional<model::Problem> problem;
};

const base::Description& describe(const Pretraining*) {
  static const base::Description description{
      "what was pre-trained",
      {base::flat(&Pretraining::overlaps),
       base::field("problem", &Pretraining::problem, {.doc = "the problem, if one was solved"})}};
  return description;
}

Pretraining pretraining(const LoraResult& result) {
  return {result.prediction.pretrained, result.pretraining ? std::optional(result.pretraining->problem) : std::nullopt};
}

bool linear(const LoraResult& result) { return result.prediction.task.head == model::Head::linear; }

laws::LoraLargeAlpha large_alpha(const LoraResult& result) {
  return laws::large_alpha_law(result.prediction.task, result.prediction.pretrained);
}

laws::WeakRecovery weak_recovery(const LoraResult& result) {
  return laws::weak_recovery(result.prediction.task, result.prediction.pretrained);
}

}  // namespace

const base::Description& describe(const LoraMeasured*) {
  static const base::Description description{
      "fine-tuning at finite size",
      {base::inherited<LoraMeasured, laws::LoraExperiment>(),
       base::field("theory", &LoraMeasured::drawn, {.doc = "theory of what was drawn"}),
       base::field("bayes_theory", &LoraMeasured::drawn_bayes, {.doc = "that of the posterior mean, with bayes"})}};
  return description;
}

const base::Description& describe(const LoraResult*) {
  using R = LoraResult;
  static const base::Description description{
      "a pre-trained student, fine-tuned",
      {base::figure_of<R>("task", [](const R& result) { return result.prediction.task; },
                          {.doc = "what was asked for"}),
       base::figure_of<R>("pretraining", pretraining, {.doc = "what was pre-trained"}),
       base::field("prediction", &R::prediction, {.doc = "what the theory says"}),
       base::figure_of<R>("large_alpha", large_alpha, {.doc = "the limit of many sequences, linear head"}).when(linear),
       base::figure_of<R>("weak_recovery", weak_recovery, {.doc = "where learning begins, linear head"}).when(linear),
       base::field("curve", &R::curve, {.doc = "the theory along alpha_range"}).when([](const R& result) {
         return !result.curve.empty();
       }),
       base::field("bayes", &R::bayes, {.doc = "the posterior mean of the adapter, with the option bayes"}),
       base::field("experiment", &R::experiment, {.doc = "fine-tuning at finite size"}),
       // The loss of a matrix of rank one is not convex.
       base::evidence_field<R>([](const R&) { return base::Evidence::heuristic; }),
       base::figure("converged", &R::converged,
                    {.doc = "whether pre-training, prediction, curve, experiment and the theory beside it did"})}};
  return description;
}

}  // namespace attnlaw::view
