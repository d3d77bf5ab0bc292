/// Describes the fields of `inspect`: options, and what is said of every head.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/checkpoint/inspection/compare.h"
#include "attnlaw/checkpoint/inspection/course.h"
#include "attnlaw/checkpoint/inspection/inspect.h"
#include "attnlaw/checkpoint/layout/layouts.h"

namespace attnlaw::checkpoint {
namespace {

using base::field;
using base::figure_of;

constexpr const char* kWeight = "weight²";

/// The fields of a struct inside stand under its name, in rows with that name in front.
template <class S, class T>
base::FieldOf<S> part(const char* name, T S::*member, const char* doc) {
  return field(name, member, {.doc = doc}).nested(base::Nesting::prefixed);
}

}  // namespace

const base::Description& describe(const NullOptions*) {
  using O = NullOptions;
  static const base::Description description{
      "how nulls are computed",
      {field("exact_tables", &O::exact_tables,
             {.doc = "exact finite-size tables and Monte Carlo in place of closed forms"}),
       field("table_draws", &O::table_draws, {.range = {100}, .doc = "null heads of an exact table"}),
       field("draws", &O::draws,
             {.range = {19}, .doc = "rotations of each head with --exact-tables, or where no closed form holds"}),
       field("level", &O::level,
             {.range = {0, 1, true}, .doc = "of discoveries, after the correction for the number of heads"}),
       field("samples", &O::samples,
             {.symbol = "αK",
              .range = {0, std::numeric_limits<double>::infinity(), true},
              .doc = "samples over d² times scores of a sample of the training of a tied head, where known",
              .otherwise = "unknown"})}};
  return description;
}

const base::Description& describe(const InspectOptions*) {
  using O = InspectOptions;
  static const base::Description description{
      "what of a model is inspected",
      {base::flat(&O::nulls), field("map", &O::map, {.doc = "which product of factors is looked at"}),
       field("offset", &O::offset,
             {.symbol = "D", .doc = "of rotary positions: the map between tokens so far apart", .otherwise = "0"}),
       field("window", &O::window,
             {.symbol = "P", .range = {1}, .doc = "of rotary positions: the mean map over offsets 0 to P − 1"}),
       field("interleaved", &O::interleaved,
             {.doc = "rotary planes are coordinates 2j and 2j + 1 of a head, whatever the layout says"}),
       field("tokens", &O::tokens,
             {.range = {0}, .doc = "so many tokens of the vocabulary are named beside each outlier"}),
       field("keep_going", &O::keep_going,
             {.doc = "a head that cannot be read is a line of the result, a shard or a layer without use is left out "
                     "with the "
                     "reason"})}};
  return description;
}

const base::Description& describe(const OpenOptions*) {
  using O = OpenOptions;
  static const base::Description description{
      "how the checkpoint is read",
      {field("q", &O::query,
             {.doc = "tensor of the queries, {} for the layer, or a .npy file",
              .otherwise = "by the layout",
              .value_name = "NAME"}),
       field("k", &O::key, {.doc = "the same of the keys", .otherwise = "by the layout", .value_name = "NAME"}),
       field("heads", &O::heads, {.range = {0}, .doc = "query heads of a layer", .otherwise = "by the configuration"}),
       field("kv_heads", &O::kv_heads, {.range = {0}, .doc = "key heads of a layer", .otherwise = "as heads"}),
       field("layout", &O::layout,
             {.doc = "how heads are stored", .otherwise = "by names and shapes", .value_name = "NAME"})
           .words(layout_names()),
       field("base", &O::base,
             {.doc = "of an adapter: the model that it belongs to; maps are those after it, beside those before",
              .value_name = "PATH"}),
       field("fold", &O::fold_normalisation,
             {.doc = "multiply the gain of the normalisation before a layer into its maps"})}};
  return description;
}

const base::Description& describe(const RankMeasures*) {
  using M = RankMeasures;
  static const base::Description description{
      "sizes and ranks of the map, from its singular values s",
      {field("spectral_norm", &M::spectral_norm, {.symbol = "s₁", .unit = kWeight, .doc = "largest singular value"}),
       field("frobenius_norm", &M::frobenius_norm,
             {.symbol = "‖S‖", .unit = kWeight, .doc = "root of the sum of s²; times logit_scale it is in logits"}),
       field("stable_rank", &M::stable_rank, {.symbol = "Σs²/s₁²", .doc = "1 to m; m/x₊(m/d) for a random product"}),
       field("effective_rank", &M::effective_rank, {.symbol = "exp H", .doc = "1 to m; exp(−Σ p log p) with p = s/Σs"}),
       field("nuclear_rank", &M::nuclear_rank, {.symbol = "(Σs)²/Σs²", .doc = "1 to m"}),
       field("participation_ratio", &M::participation_ratio,
             {.symbol = "(Σs²)²/Σs⁴", .doc = "1 to m; m/(1 + 2m/d) for a random product"})}};
  return description;
}

const base::Description& describe(const SymmetryMeasures*) {
  using M = SymmetryMeasures;
  static const base::Description description{
      "how the map relates its space to itself; null in cross-attention",
      {field("symmetry", &M::symmetry,
             {.symbol = "τ", .doc = "Tr S²/‖S‖²: 1 symmetric, −1 antisymmetric, 1/d by chance"}),
       field("symmetric_share", &M::symmetric_share,
             {.symbol = "f_s", .doc = "‖(S+Sᵀ)/2‖²/‖S‖² = (1 + τ)/2, half by chance"}),
       field("positive_share", &M::positive_share,
             {.symbol = "f₊", .doc = "share of the positive eigenvalues in Σe² of (S+Sᵀ)/2, half by chance"}),
       field("trace", &M::trace, {.symbol = "Tr S √d/‖S‖", .doc = "near N(0,1) by chance; > 0: like attends to like"}),
       field("spectral_radius", &M::spectral_radius,
             {.symbol = "|λ|₁", .doc = "largest |eigenvalue| of S over σ_Q σ_K √(m d), 1 for a random product"}),
       field("tie", &M::tie,
             {.symbol = "c²", .doc = "share of W_K that is a copy of W_Q, if both are otherwise random: τ/(1+β−βτ)"})}};
  return description;
}

const base::Description& describe(const FactorMeasures*) {
  using M = FactorMeasures;
  static const base::Description description{
      "how the map is written as a product; this is no property of the map",
      {field("energy_cosine", &M::energy_cosine, {.doc = "⟨G_Q, G_K⟩/(‖G_Q‖ ‖G_K‖) of the Gram matrices W Wᵀ"}),
       field("norm_ratio", &M::norm_ratio, {.doc = "‖W_Q‖/‖W_K‖"}),
       field("kurtosis", &M::kurtosis,
             {.doc = "of the entries of the more heavy-tailed factor, 3 for normal ones; above 4 read shuffle_p and "
                     "permuted_p"})}};
  return description;
}

const base::Description& describe(const ProductTest*) {
  using T = ProductTest;
  static const base::Description description{
      "N1: against independent factors of independent entries; with --fold of the weights as they are stored",
      {field("largest", &T::largest, {.symbol = "T/d²", .doc = "s₁²/(σ̂_Q² σ̂_K² d²) with σ̂² = ‖W‖²/(m d)"}),
       field("edge_gap", &T::edge_gap, {.doc = "(√(T/d²) − √x₊)/√x₊, x₊ the edge of the law"}),
       field("score", &T::score, {.doc = "s₁²/Σs² on the scale of the Tracy-Widom law, whose 95 % point is 0.98"}),
       field("p", &T::p, {.symbol = "p_N1", .doc = "P(s₁²/Σs² as large), at least 1e-12"}),
       field("largest_p", &T::largest_p, {.doc = "P(T as large), at least 1e-12"}),
       field("shape_distance", &T::shape_distance,
             {.doc = "Kolmogorov distance of s²/mean(s²) from the law; about (0.85 + 0.53 log m)/m at 1 %"}),
       field("shape_p", &T::shape_p, {.doc = "P(a distance as large); with exact tables"}),
       field("shuffle_p", &T::shuffle_p,
             {.doc = "P(s₁²/Σs² as large) of the same entries in random places; with exact tables"})}};
  return description;
}

const base::Description& describe(const FactorTest*) {
  using T = FactorTest;
  static const base::Description description{
      "each factor against independent entries; with --fold as it is stored",
      {field("query_p", &T::query_p, {.doc = "P(the largest eigenvalue of W_Q W_Qᵀ as large)"}),
       field("key_p", &T::key_p, {.doc = "P(that of W_K W_Kᵀ as large)"})}};
  return description;
}

const base::Description& describe(const RotationTest*) {
  using T = RotationTest;
  static const base::Description description{
      "N2: against the same factors, one of them turned at random inside the head space",
      {field("energy_score", &T::energy_score,
             {.symbol = "z_N2", .doc = "(‖S‖² − mean)/deviation over rotations; > 0: matched"}),
       field(
           "energy_p", &T::energy_p,
           {.symbol = "p_N2",
            .doc = "P(‖S‖² as far out on either side), Pearson III with exact moments, or drawn rotations on the short "
                   "side of a skew law"}),
       field(
           "permuted_score", &T::permuted_score,
           {.symbol = "z_N2s", .doc = "the score over signed permutations of the rows, for entries with heavy tails"}),
       field("permuted_p", &T::permuted_p, {.doc = "P(‖S‖² as far out on either side) over these"}),
       field("edge_ratio", &T::edge_ratio, {.doc = "s₁² over the edge of the limit law of turned factors"}),
       field("largest_p", &T::largest_p, {.doc = "P(s₁ as large) over rotations; with exact tables"})}};
  return description;
}

const base::Description& describe(const SymmetryTest*) {
  using T = SymmetryTest;
  static const base::Description description{
      "N3: against the same singular values, outputs turned at random against inputs",
      {field("score", &T::score, {.symbol = "z_N3", .doc = "(τ − 1/d)/deviation over rotations"}),
       field("p", &T::p,
             {.symbol = "p_N3", .doc = "P(τ as far from 1/d), normal law, or Monte Carlo with exact tables"}),
       field("trace_score", &T::trace_score, {.doc = "Tr S/(‖S‖/√d)"}),
       field("trace_p", &T::trace_p, {.doc = "P(|Tr S| as large), as p"}),
       field("flipped_score", &T::flipped_score,
             {.symbol = "z_N3s", .doc = "Tr S² over random signs of the rows of S; with exact tables"})}};
  return description;
}

const base::Description& describe(const TiedTest*) {
  using T = TiedTest;
  static const base::Description description{
      "N4: of heads with f_s ≥ 0.9 and f₊ ≥ 0.95, against W_Q = W_K of independent entries",
      {field("score", &T::score, {.doc = "s₁/mean(s) on the scale of the Tracy-Widom law; null for other heads"}),
       field("p", &T::p, {.symbol = "p_N4", .doc = "P(s₁/mean(s) as large), at least 1e-12"})}};
  return description;
}

const base::Description& describe(const Outlier*) {
  using O = Outlier;
  static const base::Description description{
      "a singular value that stands out, or a block of them closer than 5 %",
      {field("first", &O::first, {.doc = "place of the first singular value, from 1"}),
       field("size", &O::size, {.doc = "singular values of the block, whose directions are known as one space only"}),
       field("singular_value", &O::singular_value, {.symbol = "s", .unit = kWeight, .doc = "their mean"}),
       field("position", &O::position, {.symbol = "z", .doc = "s over the root mean square of the rest, σ_Q σ_K d"}),
       field("strength", &O::strength,
             {.symbol = "θ", .doc = "of the additive spike that puts a singular value there, in the unit of z"}),
       field("overlap", &O::overlap,
             {.doc = "squared overlap of the directions with those of that additive spike, by the law"}),
       field("p", &O::p, {.doc = "P(a largest value as large) among what is left without the larger ones"})}};
  return description;
}

const base::Description& describe(const Outliers*) {
  using O = Outliers;
  static const base::Description description{
      "singular values beyond the law of a random product",
      {field("status", &O::status, {.doc = "whether the law describes the rest; strengths are given only if it does"}),
       field("count", &O::count, {.symbol = "k", .doc = "how many stand out, each at 1 %; too-many: at least"}),
       field("edge", &O::edge, {.unit = kWeight, .doc = "singular value where the law of the rest ends"}),
       field("query_strength", &O::query_strength, {.symbol = "a_Q", .doc = "of a spike in W_Q; null if none is seen"}),
       field("key_strength", &O::key_strength, {.symbol = "a_K", .doc = "of a spike in W_K; null if none is seen"}),
       field("alignment", &O::alignment,
             {.symbol = "ρ²",
              .doc = "squared cosine of both spikes in the head space, by the first outlier; null where no such pair "
                     "explains it"}),
       field("query_overlap", &O::query_overlap,
             {.doc = "squared overlap of the first outlier's direction with that of the spike in W_Q, by the law; null "
                     "without alignment, and where the law has no outlier there"}),
       field("key_overlap", &O::key_overlap, {.doc = "the same of W_K"}),
       field("outliers", &O::outliers, {.doc = "one for each block, the largest first"})}};
  return description;
}

const base::Description& describe(const TrainedLawFit*) {
  using F = TrainedLawFit;
  static const base::Description description{
      "the law of trained tied attention, fitted to the eigenvalues of (S+Sᵀ)/2",
      {field("status", &F::status, {.doc = "what became of the fit; gates are f_s ≥ 0.9, f₊ ≥ 0.95, 20 eigenvalues"}),
       field("noise", &F::noise, {.symbol = "a = √q̂/V̂", .unit = kWeight, .doc = "half the radius of the bulk"}),
       field("noise_error", &F::noise_error, {.unit = kWeight, .doc = "its standard error"}),
       field("threshold", &F::threshold,
             {.symbol = "t = 2λ/V̂", .unit = kWeight, .doc = "by which the bulk is shifted"}),
       field("threshold_error", &F::threshold_error, {.unit = kWeight, .doc = "its standard error"}),
       field("ratio", &F::ratio, {.symbol = "2λ/√q̂", .doc = "t/a, free of the scale of the weights"}),
       field("cut", &F::cut,
             {.unit = kWeight, .doc = "where the last eigenvalue of the law lies; 0: the threshold cuts"}),
       field("cut_error", &F::cut_error, {.unit = kWeight, .doc = "its standard error"}),
       field("spikes", &F::spikes, {.doc = "eigenvalues above the bulk"}),
       field("spike_strengths", &F::spike_strengths, {.unit = kWeight, .doc = "of m̂ S*/V̂"}),
       field("spike_overlaps", &F::spike_overlaps, {.doc = "squared overlaps of their directions"}),
       field("p", &F::p, {.doc = "P(a bulk as far from the law)"}),
       field("random_tied_p", &F::random_tied_p,
             {.doc = "P(the spectrum as far from Marchenko-Pastur) of a random tied head"}),
       field("implied_samples", &F::implied_samples,
             {.symbol = "αK ≥",
              .doc = "samples over d² times scores of a sample, if training was by their squared error: at least so "
                     "many, which are enough without noise of labels"}),
       field("implied_samples_error", &F::implied_samples_error, {.doc = "its standard error"}),
       field("implied_decay", &F::implied_decay,
             {.symbol = "λ",
              .unit = kWeight,
              .doc = "decay of that training, λ d Tr S beside Σ(y − h)²: with --samples, else the least one"}),
       field("implied_decay_error", &F::implied_decay_error, {.unit = kWeight, .doc = "its standard error"}),
       field("implied_noise", &F::implied_noise,
             {.symbol = "Δ", .unit = "weight⁴", .doc = "noise of its labels; with --samples"}),
       field("implied_noise_error", &F::implied_noise_error, {.unit = "weight⁴", .doc = "its standard error"}),
       field("too_few_samples", &F::too_few_samples,
             {.doc = "--samples is below implied_samples by more than two standard errors: neither decay nor noise "
                     "follows"})}};
  return description;
}

const base::Description& describe(const HeadReport*) {
  using R = HeadReport;
  static const base::Description description{
      "what is said of one head",
      {field("layer", &R::layer, {.doc = "number in the names of the tensors"}),
       field("head", &R::head, {.doc = "from 0"}),
       field("key_head", &R::key_head, {.doc = "whose keys it reads"}),
       field("block", &R::block, {.doc = "encoder, decoder or cross, where a file has several"}),
       field("rows", &R::rows, {.symbol = "m", .doc = "of both factors, the dimension of the head"}),
       field("dimension", &R::dimension, {.symbol = "d", .doc = "of the residual vectors"}),
       field("defect", &R::defect, {.doc = "why there are no figures; empty: there are"}),
       field("recipe", &R::recipe, {.doc = "how the small matrices were made"}),
       base::flat(&R::ranks),
       base::flat(&R::symmetry),
       base::flat(&R::factors),
       figure_of<R>("lower_rank", [](const R& r) { return r.tests.lower_rank; },
                    {.doc = "a factor has fewer directions than rows, as that of an adapter: N1 is not asked; absent "
                            "where no law is asked"}),
       field("key_bias", &R::key_bias,
             {.doc = "‖W_Kᵀ b_Q‖/‖S‖: what the bias of the queries adds to every logit of a key"}),
       field("offset_energy", &R::offset_energy,
             {.symbol = "E₀/Ē", .doc = "‖S‖² at distance 0 over its mean over distances; rotary positions only"}),
       figure_of<R>("product", [](const R& r) { return r.tests.product; }, {.doc = "N1"})
           .nested(base::Nesting::prefixed),
       figure_of<R>("factor", [](const R& r) { return r.tests.factors; }, {.doc = "each factor alone"})
           .nested(base::Nesting::prefixed),
       figure_of<R>("rotation", [](const R& r) { return r.tests.rotation; }, {.doc = "N2"})
           .nested(base::Nesting::prefixed),
       figure_of<R>("symmetry_test", [](const R& r) { return r.tests.symmetry; }, {.doc = "N3"})
           .nested(base::Nesting::prefixed),
       figure_of<R>("tied", [](const R& r) { return r.tests.tied; }, {.doc = "N4"}).nested(base::Nesting::prefixed),
       field("product_holm", &R::product_holm, {.doc = "p_N1 adjusted for all heads (Holm)"}),
       field("shuffle_holm", &R::shuffle_holm,
             {.doc = "shuffle_p adjusted for the heads with a kurtosis above 4 (Holm)"}),
       field("rotation_holm", &R::rotation_holm, {.doc = "p_N2 adjusted for all heads (Holm)"}),
       field("permuted_holm", &R::permuted_holm, {.doc = "permuted_p adjusted for all heads (Holm)"}),
       field("largest_holm", &R::largest_holm, {.doc = "p of s₁ over rotations adjusted for all heads (Holm)"}),
       field("symmetry_holm", &R::symmetry_holm, {.doc = "p_N3 adjusted for all heads (Holm)"}),
       field("trace_holm", &R::trace_holm, {.doc = "p of the trace adjusted for all heads (Holm)"}),
       field("tied_holm", &R::tied_holm, {.doc = "p_N4 adjusted for the heads that are like a tied one (Holm)"}),
       part("outlier", &R::outliers, "singular values that stand out"),
       part("fit", &R::fit, "the trained-attention law"),
       field("singular_values", &R::singular_values, {.symbol = "s", .unit = kWeight, .doc = "descending"})}};
  return description;
}

const base::Description& describe(const Skipped*) {
  static const base::Description description{
      "a tensor that was left out",
      {field("name", &Skipped::name, {.doc = "its name"}), field("reason", &Skipped::reason, {.doc = "why"})}};
  return description;
}

const base::Description& describe(const ModelFacts*) {
  using F = ModelFacts;
  static const base::Description description{
      "what is true of all heads",
      {field("file", &F::file, {.doc = "what was read"}),
       field("file_format", &F::format, {.doc = "safetensors, GGUF, ONNX, npz or npy"}),
       field("architecture", &F::architecture, {.doc = "the layout that was recognised or named"}),
       field("positions", &F::positions,
             {.doc = "how positions are told apart; figures are at distance 0 unless asked"}),
       field("logit_scale", &F::logit_scale, {.symbol = "c", .doc = "logits are c xᵀ S y; figures are of S without c"}),
       field("logit_cap", &F::logit_cap, {.doc = "logits are capped at this value"}),
       field("folded", &F::folded, {.doc = "whether S carries the gain of the normalisation before it"}),
       field("qk_norm", &F::qk_norm,
             {.doc = "queries and keys are normalised: logits are not bilinear, S carries the gains"}),
       field("adapter_alone", &F::adapter_alone, {.doc = "S is what an adapter adds, without its base"}),
       field("layers", &F::layers, {.doc = "with attention"}),
       field("head_count", &F::heads, {.doc = "over all layers"}),
       field("embedding_dimension", &F::embedding_dimension, {.doc = "of the residual stream"}),
       field("notes", &F::notes, {.doc = "what a reader of the figures should know"}),
       field("skipped", &F::skipped, {.doc = "tensors and layers that were left out"})}};
  return description;
}

const base::Description& describe(const TokenMatch*) {
  using T = TokenMatch;
  static const base::Description description{
      "a token along a direction",
      {field("token", &T::token, {.doc = "its number"}), field("text", &T::text, {.doc = "empty if not known"}),
       field("cosine", &T::cosine, {.doc = "of its embedding with the direction"})}};
  return description;
}

const base::Description& describe(const OutlierDirections*) {
  using D = OutlierDirections;
  static const base::Description description{
      "tokens along the directions of an outlier",
      {field("layer", &D::layer, {.doc = "of the head"}), field("head", &D::head, {.doc = "its number"}),
       field("block", &D::block, {.doc = "of the layer"}), field("outlier", &D::outlier, {.doc = "its number, from 1"}),
       field("query_tokens", &D::left_tokens, {.doc = "along the left direction: of queries, or of outputs"}),
       field("key_tokens", &D::right_tokens, {.doc = "along the right direction: of keys, or of inputs of values"})}};
  return description;
}

const base::Description& describe(const NullSummary*) {
  using N = NullSummary;
  static const base::Description description{
      "one null over all heads",
      {field("null", &N::null, {.doc = "its name"}), field("claim", &N::claim, {.doc = "what a rejection means"}),
       field("heads", &N::heads, {.doc = "that were tested"}),
       field("discoveries", &N::discoveries, {.doc = "heads that reject it, each claim by itself (Holm)"}),
       field("listed", &N::listed, {.doc = "heads of a list with few false ones (Benjamini-Yekutieli)"}),
       field("pooled_score", &N::pooled_score,
             {.doc = "Σ score/√heads, near N(0,1) without effect; heads that share keys are not independent"})}};
  return description;
}

const base::Description& describe(const HeadChange*) {
  using C = HeadChange;
  static const base::Description description{
      "one head before and after",
      {field("layer", &C::layer, {.doc = "number in the names of the tensors"}),
       field("head", &C::head, {.doc = "from 0"}), field("block", &C::block, {.doc = "of the layer"}),
       field("defect", &C::defect, {.doc = "why there are no figures; empty: there are"}),
       field("relative_change", &C::relative_change, {.symbol = "‖S′−S‖/‖S‖", .doc = "size of the change"}),
       field("cosine", &C::cosine, {.doc = "⟨S, S′⟩/(‖S‖ ‖S′‖)"}),
       field("change_stable_rank", &C::change_stable_rank, {.doc = "stable rank of S′ − S"}),
       field("left_overlap", &C::left_overlap, {.doc = "squared overlap of the leading left directions"}),
       field("right_overlap", &C::right_overlap, {.doc = "of the leading right directions"}),
       field("norm_before", &C::norm_before, {.symbol = "‖S‖", .unit = kWeight, .doc = "Frobenius norm before"}),
       field("norm_after", &C::norm_after, {.symbol = "‖S′‖", .unit = kWeight, .doc = "and after"}),
       field("stable_rank_before", &C::stable_rank_before, {.doc = "stable rank before"}),
       field("stable_rank_after", &C::stable_rank_after, {.doc = "and after"})}};
  return description;
}

const base::Description& describe(const HeadStep*) {
  using H = HeadStep;
  static const base::Description description{
      "one head at one step of training",
      {field("step", &H::step, {.doc = "its place among the steps, from 0"}),
       field("layer", &H::layer, {.doc = "number in the names of the tensors"}),
       field("head", &H::head, {.doc = "from 0"}),
       field("block", &H::block, {.doc = "of the layer"}),
       field("defect", &H::defect, {.doc = "why there are no figures; empty: there are"}),
       field("spectral_norm", &H::spectral_norm, {.symbol = "s₁", .unit = kWeight, .doc = "largest singular value"}),
       field("frobenius_norm", &H::frobenius_norm, {.symbol = "‖S‖", .unit = kWeight, .doc = "Frobenius norm"}),
       field("stable_rank", &H::stable_rank, {.symbol = "Σs²/s₁²", .doc = "1 to m"}),
       field("effective_rank", &H::effective_rank, {.symbol = "exp H", .doc = "1 to m"}),
       field("outlier_status", &H::outlier_status, {.doc = "whether the law describes the rest"}),
       field("outliers", &H::outliers, {.symbol = "k", .doc = "singular values that stand out; too-many: at least"}),
       field("product_p", &H::product_p, {.symbol = "p_N1", .doc = "P(s₁²/Σs² as large) of a random product"}),
       field("product_holm", &H::product_holm, {.doc = "p_N1 adjusted for all heads of the step (Holm)"}),
       field("rotation_score", &H::rotation_score, {.symbol = "z_N2", .doc = "> 0: queries and keys are matched"}),
       field("symmetry", &H::symmetry, {.symbol = "τ", .doc = "Tr S²/‖S‖²"}),
       field("symmetry_score", &H::symmetry_score, {.symbol = "z_N3", .doc = "of τ"}),
       field("cosine", &H::cosine, {.doc = "⟨S, S′⟩/(‖S‖ ‖S′‖) with the map S′ of the last step"}),
       field("directions", &H::directions,
             {.doc = "leading directions that are compared: outliers of the last step, "
                     "at least one"}),
       field("left_alignment", &H::left_alignment,
             {.doc = "mean squared cosine of the spaces of so many leading left directions, now and at the last step; "
                     "directions/d by chance"}),
       field("right_alignment", &H::right_alignment, {.doc = "the same of right directions"})}};
  return description;
}

const base::Description& describe(const Step*) {
  using S = Step;
  static const base::Description description{
      "all heads at one step of training",
      {field("file", &S::file, {.doc = "what was read"}),
       field("number", &S::number, {.doc = "in its name, where names differ by it; else its place"}),
       field("heads", &S::heads, {.doc = "with figures"}),
       field("not_random", &S::not_random, {.doc = "heads that reject N1 (Holm)"}),
       field("matched", &S::matched, {.doc = "heads that reject N2 (Holm)"}),
       field("related", &S::related, {.doc = "heads that reject N3 by τ (Holm)"}),
       field("pooled_rotation", &S::pooled_rotation, {.doc = "Σ z_N2/√heads"}),
       field("outliers", &S::outliers, {.doc = "of all heads that the law describes otherwise"}),
       field("frobenius_norm", &S::frobenius_norm, {.symbol = "‖S‖", .unit = kWeight, .doc = "median over heads"}),
       field("stable_rank", &S::stable_rank, {.doc = "median over heads"}),
       field("effective_rank", &S::effective_rank, {.doc = "median over heads"}),
       field("cosine", &S::cosine, {.doc = "with the map of the last step, median over heads"}),
       field("left_alignment", &S::left_alignment, {.doc = "with the last step, median over heads"}),
       field("right_alignment", &S::right_alignment, {.doc = "with the last step, median over heads"})}};
  return description;
}

const base::Description& describe(const Course*) {
  static const base::Description description{
      "a model over the steps of its training",
      {field("steps", &Course::steps, {.doc = "over all heads"}),
       field("heads", &Course::heads, {.doc = "every head at every step, in order of layers and heads"})}};
  return description;
}

const base::Description& describe(const Inspection*) {
  using I = Inspection;
  static const base::Description description{
      "what is said of a model",
      {field("model", &I::model, {.doc = "what was read"}),
       field("map", &I::map, {.doc = "which product of factors this is about"}),
       field("level", &I::level, {.doc = "of discoveries"}),
       field("exact_tables", &I::exact_tables, {.doc = "whether nulls are exact tables or closed forms"}),
       field("nulls", &I::nulls, {.doc = "every null over all heads"}),
       field("heads", &I::heads, {.doc = "in order of layers and heads"}),
       field("directions", &I::directions, {.doc = "tokens along the directions of outliers"})}};
  return description;
}

}  // namespace attnlaw::checkpoint
