/// The fields of what `icl` finds.

#include "attnlaw/base/fields/evidence.h"
#include "attnlaw/view/in_context.h"

namespace attnlaw::view {
namespace {

bool one_point(const InContextResult& result) { return result.points.size() == 1; }
bool several_points(const InContextResult& result) { return result.points.size() > 1; }

/// The document of a single point has its fields at the top.
base::FieldOf<InContextResult> only_point() {
  base::FieldOf<InContextResult> made;
  made.type = base::type_of<InContextPoint>();
  made.nesting = base::Nesting::flat;
  made.part = [](void* object) -> void* { return &static_cast<InContextResult*>(object)->points.front(); };
  return std::move(made).when(one_point);
}

/// Traces of random matrices are exact as d grows; that trained layers follow them is derived.
base::Evidence evidence(const InContextResult&) { return base::Evidence::derived; }

}  // namespace

const base::Description& describe(const InContextSpectrum*) {
  using S = InContextSpectrum;
  static const base::Description description{"law of the singular values of the trained matrix",
                                             {base::figure("edges", &S::edges, {.doc = "ends of its bands"}),
                                              base::field("density", &S::density, {.doc = "density over the bands"})}};
  return description;
}

const base::Description& describe(const InContextPoint*) {
  using P = InContextPoint;
  static const base::Description description{
      "a point of the law, and what was simulated there",
      {base::flat(&P::prediction),
       base::field("singular_values", &P::singular_values,
                   {.doc = "of the trained matrix: a single point, isotropic tasks, finitely many sequences"}),
       base::field("experiments", &P::experiments, {.doc = "one for each d"}),
       base::field("extrapolation", &P::extrapolation, {.doc = "of several d: relative differences as 1/d → 0"})}};
  return description;
}

const base::Description& describe(const InContextResult*) {
  static const base::Description description{
      "in-context regression by trained linear attention; of a grid one point each",
      {only_point(),
       base::field("points", &InContextResult::points, {.doc = "one for each combination of values of a grid"})
           .when(several_points),
       base::figure("converged", &InContextResult::converged, {.doc = "whether every layer was trained to the end"}),
       base::evidence_field<InContextResult>(evidence)}};
  return description;
}

}  // namespace attnlaw::view
