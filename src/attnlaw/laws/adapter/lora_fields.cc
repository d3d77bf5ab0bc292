/// Describes the fields of fine-tuning by an adapter: task, law, and what was trained.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/laws/adapter/simulation.h"
#include "attnlaw/theory/accuracy_field.h"

namespace attnlaw::laws {
namespace {

using base::figure_of;
using base::kPositive;

constexpr base::Named<AdapterStart> kStarts[] = {{AdapterStart::spectral, "spectral"},
                                                 {AdapterStart::informed, "informed"}};
constexpr base::Named<LoraSequences> kSequences[] = {
    {LoraSequences::fresh, "fresh"}, {LoraSequences::reused, "reused"}, {LoraSequences::selected, "selected"}};

struct Errors {
  double alignment = 0, adapter_error = 0, index_error = 0, train = 0, test = 0, test_noisy = 0, objective = 0;
};

const base::Description& describe(const Errors*) {
  static const base::Description description{
      "errors of the adapter",
      {base::field("alignment", &Errors::alignment, {.symbol = "cos²", .doc = "m²/q"}),
       base::field("adapter_error", &Errors::adapter_error, {.doc = "‖ω u uᵀ − w wᵀ‖²_F"}),
       base::field("index_error", &Errors::index_error, {.doc = "of the scores of a fresh sequence, noiseless"}),
       base::field("train", &Errors::train, {.doc = "loss per training sequence, without penalty"}),
       base::field("test", &Errors::test, {.doc = "noiseless loss per fresh sequence"}),
       base::field("test_noisy", &Errors::test_noisy, {.doc = "loss per fresh sequence against labels with noise"}),
       base::field("objective", &Errors::objective, {.doc = "α·train + λq/2"})}};
  return description;
}

Errors errors_of(const LoraPrediction& p) {
  return {p.alignment, p.adapter_error, p.index_error, p.train, p.test, p.test_noisy, p.objective};
}

struct SamplingErrors {
  LoraOverlaps overlaps;
  double alignment = 0, train = 0, test = 0, test_noisy = 0;
};

const base::Description& describe(const SamplingErrors*) {
  using E = SamplingErrors;
  static const base::Description description{
      "standard errors of the quadrature",
      {base::flat(&E::overlaps), base::field("alignment", &E::alignment, {.doc = "of the alignment"}),
       base::field("train", &E::train, {.doc = "of the training error"}),
       base::field("test", &E::test, {.doc = "of the test error"}),
       base::field("test_noisy", &E::test_noisy, {.doc = "of that against labels with noise"})}};
  return description;
}

SamplingErrors sampling_errors(const LoraPrediction& p) {
  return {p.sampling_error, p.alignment_error, p.train_error, p.test_error, p.test_noisy_error};
}

}  // namespace

std::span<const base::Named<AdapterStart>> names_table(AdapterStart) { return kStarts; }
std::span<const base::Named<LoraSequences>> names_table(LoraSequences) { return kSequences; }

const base::Description& describe(const LoraTask*) {
  using T = LoraTask;
  static const base::Description description{
      "what is fine-tuned on",
      {base::field("alpha_ft", &T::alpha,
                   {.symbol = "α_ft",
                    .unit = "n/d",
                    .range = kPositive,
                    .doc = "n/d, sequences of fine-tuning per dimension",
                    .required = true}),
       base::field("omega", &T::omega,
                   {.symbol = "ω", .range = kPositive, .doc = "strength of the rank-one term to learn"}),
       base::field("lambda_ft", &T::lambda,
                   {.symbol = "λ_ft", .range = kPositive, .doc = "penalty (λ/2)|w|² of the adapter"}),
       base::field("noise", &T::noise, {.symbol = "Δ", .range = {0}, .doc = "index noise Δ of the labels"}),
       base::field(
           "tokens", &T::tokens,
           {.symbol = "T", .range = {1, model::kMaxTokens}, .doc = "T, tokens per sequence; softmax takes 2 or 3"}),
       base::field("head", &T::head,
                   {.doc = "output nonlinearity", .accepts = "softmax or linear", .value_name = "softmax|linear"}),
       base::field("beta", &T::beta, {.symbol = "β", .range = kPositive, .doc = "inverse temperature"}),
       base::field(
           "sequences", &T::sequences,
           {.doc = "linear head: new sequences, those of pre-training, or those new ones whose frozen scores are "
                   "least (heuristic)"}),
       base::field("share", &T::share,
                   {.range = {0, 1, true}, .doc = "of sequences selected: the part that is kept of those seen"})}};
  return description;
}

const base::Description& describe(const LoraOptions*) {
  static const base::Description description{"options of the theory", {theory::accuracy_field(&LoraOptions::accuracy)}};
  return description;
}

const base::Description& describe(const PretrainedOverlaps*) {
  using P = PretrainedOverlaps;
  static const base::Description description{
      "what fine-tuning needs to know of pre-training",
      {base::field("Q_star", &P::Q_star, {.symbol = "Q*", .doc = "Tr S*²/d"}),
       base::field("Q_pre", &P::Q_pre, {.symbol = "Q_pre", .doc = "Tr S_pre²/d"}),
       base::field("m_pre", &P::m_pre, {.symbol = "m_pre", .doc = "Tr S_pre S*/d"}),
       base::figure("E_pre", &P::E_pre, {.symbol = "E_pre", .doc = "‖S_pre − S*‖²_F/d"}),
       base::field("train_pre", &P::train,
                   {.doc = "loss per sequence of pre-training on linear scores, where a problem was solved"})}};
  return description;
}

const base::Description& describe(const LoraOverlaps*) {
  using O = LoraOverlaps;
  static const base::Description description{
      "order parameters of the adapter",
      {base::field("m", &O::m, {.symbol = "m", .doc = "w·u"}), base::field("q", &O::q, {.symbol = "q", .doc = "|w|²"}),
       base::field("V", &O::V, {.symbol = "V", .doc = "response of w to its field"})}};
  return description;
}

const base::Description& describe(const LoraPrediction*) {
  using P = LoraPrediction;
  static const base::Description description{
      "what the theory says; all figures are null where no solution with an adapter was found",
      {figure_of<P>("alpha_ft", [](const P& p) { return p.task.alpha; },
                    {.symbol = "α_ft", .doc = "n/d of fine-tuning"}),
       figure_of<P>("omega", [](const P& p) { return p.task.omega; },
                    {.symbol = "ω", .doc = "strength of the term to learn"}),
       base::field("converged", &P::converged, {.doc = "whether the search ended at a solution"}),
       base::field("overlaps", &P::overlaps, {.doc = "order parameters"}),
       figure_of<P>("errors", errors_of, {.doc = "errors"}),
       base::field("lambda_effective", &P::lambda_effective,
                   {.doc = "penalty, with what the centring of the index adds"}),
       base::field(
           "effective_noise", &P::effective_noise,
           {.doc = "variance of scores around the frozen ones beside the adapter: E_pre + Δ of fresh sequences"}),
       base::field("stability", &P::stability, {.doc = "replica symmetry is stable where it is below 1"}),
       base::field("stein", &P::stein, {.doc = "relative violation of Stein's identity: weight of jumps"}),
       figure_of<P>("sampling_error", sampling_errors, {.doc = "standard errors of the quadrature"})
           .nested(base::Nesting::suffixed),
       base::field("residual", &P::residual,
                   {.doc = "largest component of F(x) − x at the returned point, x = (m/√ω, log((q − m²)/ω), log V)"}),
       base::field("evaluations", &P::iterations, {.doc = "evaluations of the map"}),
       base::field("points", &P::points, {.doc = "points of the quadrature in all"}),
       base::field("seconds", &P::seconds, {.unit = "s", .doc = "time it took"})}};
  return description;
}

const base::Description& describe(const LoraLargeAlpha*) {
  using L = LoraLargeAlpha;
  static const base::Description description{
      "what the errors tend to for many sequences",
      {base::field("misalignment", &L::misalignment, {.doc = "1 − cos²"}),
       base::field("adapter_error", &L::adapter_error, {.doc = "‖ω u uᵀ − w wᵀ‖²_F"}),
       base::field("index_error", &L::index_error, {.doc = "of the scores of a fresh sequence"})}};
  return description;
}

const base::Description& describe(const WeakRecovery*) {
  using W = WeakRecovery;
  static const base::Description description{
      "α from which on the posterior knows a direction",
      {figure_of<W>("alpha",
                    [](const W& weak) { return weak.alpha.value_or(std::numeric_limits<double>::quiet_NaN()); },
                    {.symbol = "α_c", .doc = "for one token; null for more"}),
       base::field("upper_bound", &W::upper_bound, {.doc = "and a bound on it"})}};
  return description;
}

const base::Description& describe(const LoraExperimentOptions*) {
  using O = LoraExperimentOptions;
  static const base::Description description{
      "how to fine-tune at finite size",
      {base::field("d", &O::d,
                   {.symbol = "d",
                    .range = {2},
                    .doc = "fine-tune at this embedding dimension, beside the theory",
                    .otherwise = "none"}),
       base::field("instances", &O::instances, {.range = {1}, .doc = "independent pre-trained students and data sets"}),
       base::field("start", &O::start, {.doc = "of the adapter: from the data, or the answer"}),
       base::field("tolerance", &O::tolerance, {.range = kPositive, .doc = "relative gradient to reach"}),
       base::field("max_iterations", &O::max_iterations, {.range = {1}, .doc = "of L-BFGS"})}};
  return description;
}

const base::Description& describe(const LoraMeasurements*) {
  using M = LoraMeasurements;
  static const base::Description description{
      "what was measured",
      {base::field("m", &M::m, {.symbol = "m", .doc = "|w·u|"}),
       base::field("q", &M::q, {.symbol = "q", .doc = "|w|²"}),
       base::field("alignment", &M::alignment, {.symbol = "cos²", .doc = "m²/q"}),
       base::field("adapter_error", &M::adapter_error, {.doc = "‖ω u uᵀ − w wᵀ‖²_F"}),
       base::field("index_error", &M::index_error, {.doc = "of the scores of a fresh sequence, noiseless"}),
       base::field("train", &M::train, {.doc = "loss per training sequence, without penalty"}),
       base::field("test", &M::test, {.doc = "noiseless loss per fresh sequence"}),
       base::field("test_noisy", &M::test_noisy, {.doc = "loss per fresh sequence against labels with noise"}),
       base::field("objective", &M::objective, {.doc = "what was minimised, over d"}),
       base::field("E_pre", &M::E_pre, {.symbol = "E_pre", .doc = "‖S_pre − S*‖²_F/d as drawn"}),
       base::field("Q_star", &M::Q_star, {.symbol = "Q*", .doc = "Tr S*²/d as drawn"}),
       base::field("Q_pre", &M::Q_pre, {.symbol = "Q_pre", .doc = "Tr S_pre²/d as drawn"}),
       base::field("m_pre", &M::m_pre, {.symbol = "m_pre", .doc = "Tr S_pre S*/d as drawn"}),
       base::field("train_pre", &M::train_pre, {.doc = "loss per sequence of pre-training, if it was trained"}),
       base::field("omega_effective", &M::omega_effective, {.symbol = "ω", .doc = "strength that is left to learn"}),
       base::field("start_alignment", &M::start_alignment, {.doc = "cos² of the start"}),
       base::field("gradient", &M::gradient, {.doc = "|∇L|/(λ|w|) at the end"}),
       base::field("iterations", &M::iterations, {.doc = "iterations of L-BFGS"}),
       base::field("bayes_alignment", &M::bayes_alignment, {.doc = "cos² of the posterior mean, with bayes"}),
       base::field("bayes_adapter_error", &M::bayes_adapter_error, {.doc = "its adapter error"})}};
  return description;
}

const base::Description& describe(const LoraInstance*) {
  static const base::Description description{
      "one student with its data",
      {base::inherited<LoraInstance, LoraMeasurements>(),
       base::field("seed", &LoraInstance::seed, {.doc = "number of the instance"}),
       base::field("converged", &LoraInstance::converged,
                   {.doc = "whether student and adapter reached their tolerance"}),
       base::field("bayes_converged", &LoraInstance::bayes_converged,
                   {.doc = "whether message passing of the posterior mean did, with bayes"})}};
  return description;
}

const base::Description& describe(const LoraExperiment*) {
  using E = LoraExperiment;
  static const base::Description description{
      "fine-tuning at finite size",
      {base::field("d", &E::d, {.symbol = "d", .doc = "embedding dimension"}),
       base::field("n", &E::n, {.symbol = "n", .doc = "sequences of fine-tuning"}),
       base::field("instances", &E::instances, {.doc = "one by one"}),
       base::field("mean", &E::mean, {.doc = "means over the instances"}),
       base::field("standard_error", &E::standard_error, {.doc = "standard errors of these; null for one instance"})}};
  return description;
}

}  // namespace attnlaw::laws
