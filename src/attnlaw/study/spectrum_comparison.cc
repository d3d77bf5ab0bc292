#include "attnlaw/study/spectrum_comparison.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "attnlaw/matrix_laws/kolmogorov.h"

namespace attnlaw::study {
namespace {

/// The mean of `figures`, one for each eigenvalue of S, at the ranks of `target` among those of S*, which descend.
double mean_at_ranks_of(double target, const experiment::Instance& instance, const std::vector<double>& figures) {
  constexpr double kRounding = 1e-9;
  const double scale = std::max(std::abs(instance.target_eigenvalues.front()), std::abs(target));
  double sum = 0, count = 0;
  for (std::size_t k = 0; k < figures.size(); ++k) {
    if (std::abs(instance.target_eigenvalues[k] - target) > kRounding * scale) continue;
    sum += figures[k];
    ++count;
  }
  return sum / count;
}

/// Over instances, of what `figures` takes from each.
template <class Figures>
base::Estimate estimate_at(double target, const experiment::Experiment& experiment, Figures figures) {
  std::vector<double> measured;
  for (const auto& instance : experiment.instances)
    measured.push_back(mean_at_ranks_of(target, instance, figures(instance)));
  return base::estimate_of(measured);
}

OutlierComparison compare_outlier(const theory::Outlier& predicted, const experiment::Experiment& experiment) {
  using experiment::Instance;
  OutlierComparison outlier{
      predicted, estimate_at(predicted.target, experiment, std::mem_fn(&Instance::spectrum)), 0, {}, {}};
  outlier.difference = outlier.measured.value - predicted.eigenvalue;
  if (!experiment.problem.cross()) return outlier;
  outlier.left_overlap = estimate_at(predicted.target, experiment, std::mem_fn(&Instance::left_overlaps));
  outlier.right_overlap = estimate_at(predicted.target, experiment, std::mem_fn(&Instance::right_overlaps));
  return outlier;
}

std::vector<double> pooled_spectrum(const experiment::Experiment& experiment) {
  std::vector<double> pooled;
  for (const auto& instance : experiment.instances) {
    const std::vector<double>& values = instance.spectrum();
    pooled.insert(pooled.end(), values.begin(), values.end());
  }
  std::sort(pooled.begin(), pooled.end());
  return pooled;
}

/// Halfway down the gap below the bands that have detached: of all gaps the one with their mass above it.
double gap_below_upper_bands(const theory::TrainedSpectrum& spectrum, const theory::TrainedLaw& law) {
  double gap = 0, least = std::numeric_limits<double>::infinity(), below = 0;
  for (const auto& [lower, upper] : spectrum.edges) {
    const double middle = 0.5 * (below + lower), miss = std::abs(1 - law.cdf(middle) - spectrum.upper_mass);
    if (lower > 0 && miss < least) gap = middle, least = miss;
    below = std::max(upper, 0.0);
  }
  return gap;
}

double share_above(double threshold, const std::vector<double>& ascending) {
  const auto first = std::upper_bound(ascending.begin(), ascending.end(), threshold);
  return static_cast<double>(ascending.end() - first) / static_cast<double>(ascending.size());
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
  result.eigenvalues = pooled_spectrum(experiment);
  const double atom = solution.spectrum.zero_mass;
  if (atom > 0) result.zero_tolerance = zero_tolerance(result.eigenvalues);
  std::vector<double> eigenvalues = result.eigenvalues;
  for (double& s : eigenvalues)
    if (std::abs(s) <= result.zero_tolerance) s = 0;
  result.zero_mass = static_cast<double>(std::count(eigenvalues.begin(), eigenvalues.end(), 0.0)) /
                     static_cast<double>(eigenvalues.size());
  const theory::TrainedLaw law(solution, target);
  if (!std::isnan(solution.spectrum.upper_mass))
    result.upper_mass = share_above(gap_below_upper_bands(solution.spectrum, law), eigenvalues);
  result.kolmogorov_distance = matrix_laws::kolmogorov_distance(
      eigenvalues, [&](double s) { return law.cdf(s); }, atom);
  for (const theory::Outlier& outlier : solution.spectrum.outliers)
    result.outliers.push_back(compare_outlier(outlier, experiment));
  return result;
}

}  // namespace attnlaw::study
