/// The fields of what `softmax-law` finds.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/view/softmax_law.h"

namespace attnlaw::view {
namespace {

/// The law stands beside what it says of T tokens.
struct LawFigures {
  laws::SoftmaxLaw law;
  double column_strength = 0, outlier = 0, leading_excess = 0;
};

const base::Description& describe(const LawFigures*) {
  using F = LawFigures;
  static const base::Description description{
      "the law of the singular values; with a simulation, at the ratios simulated",
      {base::flat(&F::law),
       base::field("column_strength", &F::column_strength,
                   {.symbol = "θ", .doc = "strength of the rank-one term that the norms of the keys leave"}),
       base::field("outlier", &F::outlier,
                   {.doc = "where that puts a singular value beyond the edge; null if nowhere"}),
       base::field(
           "leading_excess", &F::leading_excess,
           {.symbol = "s₁(A) − 1",
            .doc = "excess of the leading singular value for T tokens; null where T tokens do not show the law"})}};
  return description;
}

LawFigures law_figures(const SoftmaxLawResult& result) {
  return {result.law, laws::column_strength(result.parameters),
          result.outlier.value_or(std::numeric_limits<double>::quiet_NaN()), result.leading_excess()};
}

}  // namespace

const base::Description& describe(const SoftmaxMeasured*) {
  static const base::Description description{
      "simulated attention matrices beside the law",
      {base::flat(&SoftmaxMeasured::simulation), base::inherited<SoftmaxMeasured, laws::AttentionComparison>()}};
  return description;
}

const base::Description& describe(const SoftmaxLawResult*) {
  using R = SoftmaxLawResult;
  static const base::Description description{
      "the law, what T tokens do to it, and what was measured",
      {base::figure_of<R>("law", law_figures, {.doc = "the law"}),
       base::field("marchenko_pastur", &R::marchenko_pastur, {.doc = "beside the law of iid entries"}),
       base::field("finite_size", &R::finite_size, {.doc = "how far T tokens are from the limit"}),
       base::field("density", &R::density, {.doc = "the density along the bands"}),
       base::field("simulation", &R::measured, {.doc = "what was simulated"}),
       base::figure("converged", &R::converged, {.doc = "whether law_error is below 1e-7"})}};
  return description;
}

}  // namespace attnlaw::view
