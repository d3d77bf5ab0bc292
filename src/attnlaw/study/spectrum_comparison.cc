#include "attnlaw/study/spectrum_comparison.h"

#include <algorithm>
#include <cmath>

namespace attnlaw::study {

SpectrumComparison compare_spectra(const experiment::Experiment& experiment, const theory::Solution& solution,
                                   const matrix_laws::Spectrum& target) {
  // Gradient training on W leaves a zero eigenvalue at the square of a small weight: far below this share of the
  // largest.
  constexpr double kZeroShare = 1e-3;
  SpectrumComparison result;
  for (const auto& instance : experiment.instances)
    result.eigenvalues.insert(result.eigenvalues.end(), instance.eigenvalues.begin(), instance.eigenvalues.end());
  std::sort(result.eigenvalues.begin(), result.eigenvalues.end());
  result.zero_tolerance = kZeroShare * std::max(0.0, result.eigenvalues.back());
  const auto first_positive =
      std::upper_bound(result.eigenvalues.begin(), result.eigenvalues.end(), result.zero_tolerance);
  const double count = static_cast<double>(result.eigenvalues.size());
  result.zero_mass = static_cast<double>(first_positive - result.eigenvalues.begin()) / count;
  result.kolmogorov_distance = std::abs(result.zero_mass - solution.spectrum.zero_mass);
  const theory::TrainedLaw law(solution, target);
  for (auto s = first_positive; s != result.eigenvalues.end(); ++s) {
    const double predicted = law.cdf(*s);
    const double below = static_cast<double>(s - result.eigenvalues.begin()) / count;
    result.kolmogorov_distance =
        std::max({result.kolmogorov_distance, std::abs(predicted - below), std::abs(predicted - below - 1 / count)});
  }
  return result;
}

}  // namespace attnlaw::study
