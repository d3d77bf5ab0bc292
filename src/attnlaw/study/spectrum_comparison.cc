#include "attnlaw/study/spectrum_comparison.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/matrix_laws/kolmogorov.h"

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
  const base::Estimate estimate = base::estimate_of(measured);
  return {predicted, estimate, estimate.value - predicted.eigenvalue};
}

std::vector<double> pooled_eigenvalues(const experiment::Experiment& experiment) {
  std::vector<double> pooled;
  for (const auto& instance : experiment.instances)
    pooled.insert(pooled.end(), instance.eigenvalues.begin(), instance.eigenvalues.end());
  std::sort(pooled.begin(), pooled.end());
  return pooled;
}

}  // namespace

double zero_tolerance(std::span<const double> eigenvalues) {
  constexpr double kZeroShare = 1e-3;
  if (eigenvalues.empty()) return 0;
  return kZeroShare * std::max(std::abs(eigenvalues.front()), std::abs(eigenvalues.back()));
}

SpectrumComparison compare_spectra(const experiment::Experiment& experiment, const theory::Solution& solution,
                                   const matrix_laws::Spectrum& target) {
  SpectrumComparison result;
  result.eigenvalues = pooled_eigenvalues(experiment);
  const double atom = solution.spectrum.zero_mass;
  if (atom > 0) result.zero_tolerance = zero_tolerance(result.eigenvalues);
  std::vector<double> eigenvalues = result.eigenvalues;
  for (double& s : eigenvalues)
    if (std::abs(s) <= result.zero_tolerance) s = 0;
  result.zero_mass = static_cast<double>(std::count(eigenvalues.begin(), eigenvalues.end(), 0.0)) /
                     static_cast<double>(eigenvalues.size());
  const theory::TrainedLaw law(solution, target);
  result.kolmogorov_distance = matrix_laws::kolmogorov_distance(
      eigenvalues, [&](double s) { return law.cdf(s); }, atom);
  for (const theory::Outlier& outlier : solution.spectrum.outliers)
    result.outliers.push_back(compare_outlier(outlier, experiment));
  return result;
}

}  // namespace attnlaw::study
