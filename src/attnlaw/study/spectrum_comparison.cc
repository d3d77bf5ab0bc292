#include "attnlaw/study/spectrum_comparison.h"

#include <algorithm>
#include <cmath>

namespace attnlaw::study {
namespace {

/// The mean of the eigenvalues of S at the ranks of `target` among those of S*; both are in descending order.
double mean_at_ranks_of(double target, const experiment::Instance& instance) {
  constexpr double kRounding = 1e-9;
  const double scale = std::max(std::abs(instance.target_eigenvalues.front()), std::abs(target));
  double sum = 0, count = 0;
  for (std::size_t k = 0; k < instance.eigenvalues.size(); ++k) {
    if (std::abs(instance.target_eigenvalues[k] - target) > kRounding * scale) continue;
    sum += instance.eigenvalues[k];
    ++count;
  }
  return sum / count;
}

OutlierComparison compare_outlier(const theory::Outlier& predicted, const experiment::Experiment& experiment) {
  std::vector<double> measured;
  for (const auto& instance : experiment.instances) measured.push_back(mean_at_ranks_of(predicted.target, instance));
  const Estimate estimate = base::estimate_of(measured);
  return {predicted, estimate, estimate.value - predicted.eigenvalue};
}

}  // namespace

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
  for (const theory::Outlier& outlier : solution.spectrum.outliers)
    result.outliers.push_back(compare_outlier(outlier, experiment));
  return result;
}

}  // namespace attnlaw::study
