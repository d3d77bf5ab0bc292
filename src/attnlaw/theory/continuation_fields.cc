/// The fields of branches of solutions.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/theory/continuation.h"

namespace attnlaw::theory {
namespace {

/// The overlaps of the symmetric part.
struct BranchOverlaps {
  double q = 0, m = 0, V = 0;
};

const base::Description& describe(const BranchOverlaps*) {
  using O = BranchOverlaps;
  static const base::Description description{
      "overlaps",
      {base::field("q", &O::q, {.symbol = "q", .doc = "‖S_s‖²_F/d of the symmetric part"}),
       base::field("m", &O::m, {.symbol = "m", .doc = "⟨S, S*⟩/d"}),
       base::field("V", &O::V, {.symbol = "V", .doc = "response of S to its field"})}};
  return description;
}

BranchOverlaps overlaps_of(const BranchPoint& point) { return {point.overlaps.q, point.overlaps.m, point.overlaps.V}; }

}  // namespace

const base::Description& describe(const BranchPoint*) {
  using P = BranchPoint;
  static const base::Description description{
      "one solution of a branch",
      {base::field("alpha", &P::alpha, {.symbol = "α", .unit = "n/d²", .doc = "sequences per squared dimension"}),
       base::figure_of<P>("overlaps", overlaps_of, {}), base::field("errors", &P::errors, {}),
       base::field("replicon", &P::replicon, {.symbol = "R", .doc = "the solution is stable where R < 1"}),
       base::field("lowest", &P::lowest, {.doc = "whether it is of lowest objective among all branches here"})}};
  return description;
}

const base::Description& describe(const Branch*) {
  static const base::Description description{
      "a connected family of stable solutions",
      {base::field("name", &Branch::name,
                   {.doc = "uninformed or informed, after where it was entered; both if the two agree"}),
       base::field("points", &Branch::points, {.doc = "ascending in alpha"})}};
  return description;
}

const base::Description& describe(const Spinodal*) {
  using S = Spinodal;
  static const base::Description description{
      "where a branch of stable solutions ends",
      {base::field("alpha", &S::alpha, {.symbol = "α", .unit = "n/d²", .doc = "located by bisection"}),
       base::field("width", &S::width, {.doc = "of the bracket"}),
       base::field("branch", &S::branch, {.doc = "the branch that ends"}),
       base::field("upper", &S::upper, {.doc = "whether it ends going up in alpha"})}};
  return description;
}

const base::Description& describe(const Continuation*) {
  using C = Continuation;
  static const base::Description description{
      "all solutions along alpha",
      {base::field("branches", &C::branches, {.doc = "one if the two starts agree everywhere"}),
       base::field("spinodals", &C::spinodals, {.doc = "ends of branches"}),
       base::field("replicon_crossings", &C::replicon_crossings,
                   {.doc = "values of alpha at which R of the lowest branch passes 1"}),
       base::field("converged", &C::converged, {.doc = "whether every branch was followed to its end"}),
       base::field("points", &C::points, {.doc = "quasi-Monte Carlo points, 0 for closed forms"}),
       base::field("seconds", &C::seconds, {.unit = "s", .doc = "wall time"})}};
  return description;
}

}  // namespace attnlaw::theory
