/// Describes the fields of the law of softmax attention and of what stands beside it.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/laws/softmax/finite_size.h"
#include "attnlaw/laws/softmax/simulation.h"

namespace attnlaw::laws {
namespace {

using base::figure_of;

constexpr base::Named<TokenModel> kTokens[] = {{TokenModel::orthonormal, "orthonormal"},
                                               {TokenModel::gaussian, "gaussian"}};
constexpr base::Named<Refinement> kRefinements[] = {
    {Refinement::none, "none"}, {Refinement::tail, "tail"}, {Refinement::head, "head"}};

constexpr double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace

std::span<const base::Named<TokenModel>> names_table(TokenModel) { return kTokens; }
std::span<const base::Named<Refinement>> names_table(Refinement) { return kRefinements; }

const base::Description& describe(const SoftmaxParameters*) {
  using P = SoftmaxParameters;
  static const base::Description description{
      "a softmax attention head at initialisation",
      {base::field("beta", &P::beta,
                   {.symbol = "β",
                    .range = {0, P::kMostBeta, true},
                    .doc = "inverse temperature: standard deviation of the logits",
                    .required = true}),
       base::field("rho", &P::rho,
                   {.symbol = "ρ",
                    .unit = "T/m",
                    .range = {0, kInfinite, true},
                    .doc = "T/m, tokens over head dimension",
                    .required = true}),
       base::field("tokens", &P::tokens, {.doc = "model of the tokens"}),
       base::field("tau", &P::tau,
                   {.symbol = "τ",
                    .unit = "T/d",
                    .doc = "T/d, tokens over embedding dimension",
                    .otherwise = "required for gaussian"})}};
  return description;
}

const base::Description& describe(const SoftmaxLaw::Band*) {
  using B = SoftmaxLaw::Band;
  static const base::Description description{
      "a band of the singular values",
      {figure_of<B>("lower", [](const B& band) { return band.support.lower; }, {.doc = "where it begins"}),
       figure_of<B>("upper", [](const B& band) { return band.support.upper; }, {.doc = "where it ends"}),
       base::field("mass", &B::mass, {.doc = "share of the singular values"})}};
  return description;
}

const base::Description& describe(const SoftmaxLaw::Curve*) {
  using C = SoftmaxLaw::Curve;
  static const base::Description description{
      "a density along the bands, which integrates to 1 over s ≥ 0",
      {base::field("s", &C::s, {.doc = "singular values, ascending"}),
       base::field("density", &C::density, {.doc = "density there, 0 at the ends of the bands"})}};
  return description;
}

const base::Description& describe(const SoftmaxLaw*) {
  using L = SoftmaxLaw;
  static const base::Description description{
      "the law of the singular values s of √T (A − 1/T)",
      {figure_of<L>("entry_variance", [](const L& law) { return law.model().variance(); },
                    {.symbol = "σ²", .doc = "variance of an entry, of the refined law if one was asked for"}),
       figure_of<L>("noise", [](const L& law) { return law.model().noise; },
                    {.symbol = "ω²", .doc = "variance of the noise of the linear model"}),
       figure_of<L>("moments", &L::moments, {.doc = "means of s², s⁴, s⁶"}),
       figure_of<L>("bands", &L::bands, {.doc = "bands of s, ascending"}),
       base::figure("edge", &L::edge, {.symbol = "s₊", .doc = "upper end of the last band"}),
       base::figure("edge_parameter", &L::edge_parameter, {.symbol = "t", .doc = "point of the parametrisation there"}),
       base::figure("density_at_zero", &L::density_at_zero, {.doc = "density of s at 0"}),
       figure_of<L>("law_error", [](const L& law) { return law.squared().quadrature().error(); },
                    {.doc = "error of mass, mean and second moment of s² against their exact values, relative"})}};
  return description;
}

const base::Description& describe(const MarchenkoPasturDistance*) {
  using D = MarchenkoPasturDistance;
  static const base::Description description{
      "the law of iid entries of the same variance, and how far the law is from it",
      {base::field("edge", &D::edge, {.symbol = "2σ", .doc = "upper end of its singular values"}),
       base::field("kolmogorov", &D::kolmogorov, {.doc = "Kolmogorov distance of the two laws"}),
       base::field("wasserstein", &D::wasserstein, {.symbol = "W₁", .doc = "Wasserstein distance of the laws of s"}),
       base::field("wasserstein_squared", &D::wasserstein_squared,
                   {.symbol = "W₁", .doc = "Wasserstein distance of the laws of s²"})}};
  return description;
}

const base::Description& describe(const Dimensions*) {
  static const base::Description description{
      "dimensions that T tokens stand for",
      {base::field("head_dimension", &Dimensions::head, {.symbol = "m", .doc = "head dimension"}),
       base::field("embedding_dimension", &Dimensions::embedding,
                   {.symbol = "d", .doc = "embedding dimension, 0 for orthonormal tokens"})}};
  return description;
}

const base::Description& describe(const FiniteSize*) {
  using F = FiniteSize;
  static const base::Description description{
      "how far T tokens are from the limit",
      {base::field("length", &F::length, {.symbol = "T", .doc = "tokens"}), base::flat(&F::dimensions),
       base::field("tail_share", &F::tail_share, {.doc = "share of the variance in entries beyond √T σ"}),
       base::field("bulk_from", &F::bulk_from,
                   {.doc = "T from which on the bulk follows the law; null where no double holds it"}),
       base::field("edge_from", &F::edge_from, {.doc = "T from which on the edge does"}),
       base::field("bulk_visible", &F::bulk_visible, {.doc = "whether T is beyond bulk_from"}),
       base::field("edge_visible", &F::edge_visible, {.doc = "whether T is beyond edge_from"}),
       base::field("mean", &F::mean, {.doc = "E s² with its 1/T term; null where the expansion fails"}),
       base::field("second_order_ratio", &F::second_order_ratio, {.symbol = "T/D₂", .doc = "T/D₂, D₂ = m(m+1)/2"}),
       base::field("tail_distance", &F::tail_distance,
                   {.doc = "Kolmogorov distance of the limit from the law refined by the tail"}),
       base::field("head_distance", &F::head_distance, {.doc = "the same for the head; null for Gaussian tokens"}),
       base::field("expected_kolmogorov", &F::expected_kolmogorov,
                   {.doc = "Kolmogorov distance to expect between T tokens and the limit"})}};
  return description;
}

const base::Description& describe(const AttentionInstance*) {
  using I = AttentionInstance;
  static const base::Description description{
      "one simulated attention matrix",
      {figure_of<I>("moments", &I::moments, {.doc = "means of s², s⁴, s⁶"}),
       figure_of<I>("trimmed_moments", &I::trimmed_moments, {.doc = "the same without the three largest"}),
       figure_of<I>("leading_excess", [](const I& one) { return one.leading_singular_value - 1; },
                    {.symbol = "s₁(A) − 1", .doc = "excess of the leading singular value of A"}),
       figure_of<I>("largest", [](const I& one) { return one.singular_values.back(); },
                    {.doc = "largest singular value of √T (A − 1/T)"}),
       base::field("seconds", &I::seconds, {.unit = "s", .doc = "time it took"})}};
  return description;
}

const base::Description& describe(const AttentionSimulation*) {
  using S = AttentionSimulation;
  static const base::Description description{
      "simulated attention matrices",
      {base::field("length", &S::length, {.symbol = "T", .doc = "tokens"}),
       base::field("head_dimension", &S::head_dimension, {.symbol = "m", .doc = "head dimension"}),
       base::field("embedding_dimension", &S::embedding_dimension,
                   {.symbol = "d", .doc = "embedding dimension, 0 for orthonormal tokens"}),
       figure_of<S>("rho", [](const S& s) { return s.parameters.rho; }, {.symbol = "ρ", .doc = "T/m simulated"}),
       figure_of<S>("tau", [](const S& s) { return s.parameters.tau; }, {.symbol = "τ", .doc = "T/d simulated"}),
       base::field("instances", &S::instances, {.doc = "one by one"})}};
  return description;
}

const base::Description& describe(const AttentionComparison*) {
  using C = AttentionComparison;
  static const base::Description description{
      "what was simulated beside the law",
      {figure_of<C>("moments", &C::moments, {.doc = "means of s², s⁴, s⁶ over the instances"}),
       figure_of<C>("trimmed_moments", &C::trimmed_moments, {.doc = "the same without the three largest"}),
       base::field("leading_excess", &C::leading_excess, {.symbol = "s₁(A) − 1", .doc = "mean of that excess"}),
       base::field("largest", &C::largest, {.doc = "mean largest singular value of √T (A − 1/T)"}),
       base::field("kolmogorov", &C::kolmogorov, {.doc = "distance of all singular values together from the law"}),
       base::field("kolmogorov_marchenko_pastur", &C::marchenko_pastur,
                   {.doc = "and from the Marchenko-Pastur law of the same variance"}),
       base::field("singular_values", &C::singular_values, {.doc = "of all instances, ascending"})}};
  return description;
}

}  // namespace attnlaw::laws
