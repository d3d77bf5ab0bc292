#include "attnlaw/experiment/student/estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attnlaw/matrix_laws/optimal_denoiser.h"

namespace attnlaw::experiment {
namespace {

using base::eigensystem;
using base::Eigensystem;
using base::Matrix;

/// The least V and the least variance of the noise in R, in units of Q*, where the target is recovered. On a finer
/// scale the spectrum of S* at d ~ 100 is not that of the prior any more: with 1e-4 or 1e-5, iterations beyond recovery
/// settle more slowly, or at larger errors.
constexpr double kResolution = 1e-3;

}  // namespace

double floored(const model::Problem& problem, double V) { return std::max(V, kResolution * problem.target.Q_star()); }

MatrixEstimate function_of(const Eigensystem& M, const std::vector<double>& values, const std::vector<double>& slopes) {
  const std::vector<double>& x = M.values;
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += 2 * slopes[i];
    for (std::size_t j = 0; j < i; ++j) {
      const double gap = x[i] - x[j];
      // For equal eigenvalues (to rounding) the quotient is the derivative.
      const bool equal = gap <= std::numeric_limits<double>::epsilon() * std::abs(x[i]);
      sum += 2 * (equal ? slopes[i] : (values[i] - values[j]) / gap);
    }
  }
  const auto d = static_cast<double>(x.size());
  return {recompose(M, values), sum / (d * d)};
}

MatrixEstimate soft_threshold(const Matrix<double>& M, double threshold, double stiffness) {
  const Eigensystem system = eigensystem(M);
  std::vector<double> values = system.values, slopes(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    slopes[i] = values[i] > threshold ? 1 / stiffness : 0;
    values[i] = std::max(0.0, values[i] - threshold) / stiffness;
  }
  return function_of(system, values, slopes);
}

MatrixEstimate posterior_mean(const model::Problem& problem, const Matrix<double>& R, double variance) {
  const Eigensystem system = eigensystem(R);
  const matrix_laws::OptimalDenoiser denoiser(problem.target.spectrum(), floored(problem, variance));
  // Eigenvalues beyond the outermost bands, which there are at finite d only, are moved to the edge: just outside it
  // the denoiser is infinitely steep, and iterations would not settle.
  const auto& bands = denoiser.law().bands();
  const double lowest = bands.front().support.lower, highest = bands.back().support.upper;
  std::vector<double> mapped = system.values;
  for (double& value : mapped) value = denoiser(std::clamp(value, lowest, highest));
  return {recompose(system, mapped), floored(problem, denoiser.mean_square_error())};
}

}  // namespace attnlaw::experiment
