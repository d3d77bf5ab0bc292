/// The fields of measured spectra.

#include "attnlaw/base/fields/fields.h"
#include "attnlaw/study/spectrum_comparison.h"

namespace attnlaw::study {

const base::Description& describe(const OutlierComparison*) {
  using O = OutlierComparison;
  static const base::Description description{
      "a predicted outlier beside the eigenvalues at its ranks",
      {base::figure_of<O>("target", [](const O& o) { return o.predicted.target; }, {.doc = "that of the target"}),
       base::figure_of<O>("predicted", [](const O& o) { return o.predicted.eigenvalue; }, {.doc = "by the law"}),
       base::figure_of<O>("measured", [](const O& o) { return o.measured.value; }, {.doc = "mean over instances"}),
       base::figure_of<O>("standard_error", [](const O& o) { return o.measured.standard_error; },
                          {.doc = "of the mean; null for one instance"}),
       base::field("difference", &O::difference, {.doc = "measured − predicted"}),
       base::field("left_overlap", &O::left_overlap,
                   {.doc = "squared overlap of the left singular vectors with those of the target (cross-attention)"})
           .nested(base::Nesting::prefixed),
       base::field("right_overlap", &O::right_overlap,
                   {.doc = "squared overlap of the right singular vectors with those of the target (cross-attention)"})
           .nested(base::Nesting::prefixed)}};
  return description;
}

const base::Description& describe(const SpectrumComparison*) {
  using S = SpectrumComparison;
  static const base::Description description{
      "spectra of all instances together, against the law",
      {base::field("eigenvalues", &S::eigenvalues, {.doc = "of S, ascending; singular values with cross-attention"}),
       base::field("zero_tolerance", &S::zero_tolerance, {.doc = "what counts as zero"}),
       base::field("zero_mass", &S::zero_mass, {.doc = "measured weight at zero"}),
       base::field("upper_mass", &S::upper_mass,
                   {.doc = "measured weight above the gap below the bands that have detached; none before they do"}),
       base::field("kolmogorov_distance", &S::kolmogorov_distance,
                   {.doc = "largest difference of the measured and the predicted distribution function"}),
       base::field("outliers", &S::outliers, {.doc = "in the order of those predicted"})}};
  return description;
}

}  // namespace attnlaw::study
