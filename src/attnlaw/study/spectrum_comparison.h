#pragma once
/// Trained eigenvalues against the predicted law.

#include <vector>

#include "attnlaw/experiment/experiment.h"
#include "attnlaw/theory/solution.h"

namespace attnlaw::study {

struct SpectrumComparison {
  std::vector<double> eigenvalues;  ///< of S, all instances together, ascending
  double zero_tolerance = 0;        ///< eigenvalues up to here count as zero: what a trainer leaves of an exact zero
  double zero_mass = 0;             ///< measured mass at zero
  double kolmogorov_distance = 0;   ///< sup |F_measured − F_predicted| over s > 0, the atoms included
};

/// Holds the pooled spectrum of all instances against the law of `solution` on the given target spectrum.
SpectrumComparison compare_spectra(const experiment::Experiment& experiment, const theory::Solution& solution,
                                   const matrix_laws::Spectrum& target);

}  // namespace attnlaw::study
