/// Describes the fields of a spectral start.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/model/spectral_start.h"

namespace attnlaw::model {

const base::Description& describe(const SpectralStart*) {
  using S = SpectralStart;
  static const base::Description description{
      "overlaps of a first estimate of S* with it",
      {base::field("q", &S::q, {.symbol = "q", .doc = "‖S‖²_F/d of the start"}),
       base::field("m", &S::m, {.symbol = "m", .doc = "⟨S, S*⟩/d of the start"}),
       base::field("cosine", &S::cosine, {.symbol = "m/√(q Q*)", .doc = "cosine of the angle between the two"})}};
  return description;
}

}  // namespace attnlaw::model
