#pragma once
/// Trained eigenvalues, or singular values with cross-attention, against the predicted law.

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/experiment/experiment.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::study {

/// A predicted outlier beside the eigenvalues of S at the ranks that the target's eigenvalue has in S*, averaged over
/// its d/D copies.
struct OutlierComparison {
  theory::Outlier predicted;
  base::Estimate measured;  ///< over instances
  double difference = 0;    ///< measured − predicted
  /// Squared overlaps of the left and right singular vectors with those of the target; cross-attention only.
  std::optional<base::Estimate> left_overlap, right_overlap;
};

struct SpectrumComparison {
  std::vector<double> eigenvalues;  ///< of S (singular values with cross-attention), all instances together, ascending
  /// |s| up to here counts as zero: what a trainer leaves of an exact one. 0 where the law has no atom at zero.
  double zero_tolerance = 0;
  double zero_mass = 0;  ///< measured mass at zero
  /// Measured mass above the gap below those bands that have detached (theory::TrainedSpectrum::upper_mass); NaN while
  /// there are none.
  double upper_mass = std::numeric_limits<double>::quiet_NaN();
  double kolmogorov_distance = 0;           ///< sup |F_measured − F_predicted| over all s, the atom at zero included
  std::vector<OutlierComparison> outliers;  ///< in the order of the solution
};

const base::Description& describe(const OutlierComparison*);
const base::Description& describe(const SpectrumComparison*);

/// |s| up to here is zero where the law has an atom there: gradient training on W leaves a zero eigenvalue at the
/// square of a small weight, far below this share (1e-3) of the largest |s|. `eigenvalues` ascending or descending.
double zero_tolerance(std::span<const double> eigenvalues);

/// Holds the pooled spectrum of all instances against the law of `solution` on the given target spectrum.
SpectrumComparison compare_spectra(const experiment::Experiment& experiment, const theory::Solution& solution,
                                   const matrix_laws::Spectrum& target);

}  // namespace attnlaw::study
