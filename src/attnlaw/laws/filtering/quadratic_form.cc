#include "attnlaw/laws/filtering/quadratic_form.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <numeric>
#include <unsupported/Eigen/FFT>
#include <utility>
#include <vector>

#include "attnlaw/base/reject.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Complex = std::complex<double>;

void require_form(std::span<const double> a) {
  for (const double x : a)
    if (!std::isfinite(x) || x == 0) reject("coefficients of a quadratic form must be finite and not 0, got {}", x);
  if (a.size() < kLeastForm)
    reject("a quadratic form needs {} or more directions (the density of fewer is singular), got {}", kLeastForm,
           a.size());
}

/// Returns half the width of the grid of h: tails fall like exp(−|h| norm/(2 max|a|)), and less than 1e-13 is left
/// beyond.
double half_range_of(std::span<const double> a, double norm) {
  double largest = 0;
  for (const double x : a) largest = std::max(largest, std::abs(x));
  return 8 + 64 * largest / norm;
}

/// Returns the frequencies t_k = πk/half_range, negative in the second half.
std::vector<double> frequencies(std::size_t points, double half_range) {
  std::vector<double> frequency(points);
  for (std::size_t k = 0; k < points; ++k) {
    const auto index = static_cast<double>(k) - (k < points / 2 ? 0.0 : static_cast<double>(points));
    frequency[k] = std::numbers::pi * index / half_range;
  }
  return frequency;
}

/// Returns E exp(i t h) at every frequency t.
std::vector<Complex> characteristic_function(std::span<const double> a, double norm,
                                             std::span<const double> frequency) {
  std::vector<Complex> characteristic;
  for (const double t : frequency) {
    Complex logarithm = 0;
    for (const double x : a) logarithm -= 0.5 * std::log(Complex(1, -2 * t * x / norm)) + Complex(0, t * x / norm);
    characteristic.push_back(std::exp(logarithm));
  }
  characteristic[characteristic.size() / 2] = 0;  // it has no conjugate partner on the grid
  return characteristic;
}

/// Returns the density on the grid from its characteristic function at t_k = πk/half_range, in the order of an FFT.
std::vector<double> invert(const std::vector<Complex>& characteristic, double half_range) {
  const std::size_t points = characteristic.size();
  std::vector<Complex> shifted(points), density;
  // With h_j = −half_range + j Δ, e^{−i t_k h_j} = (−1)^k e^{−2πi k j/points}.
  for (std::size_t k = 0; k < points; ++k) shifted[k] = (k % 2 == 0 ? 1.0 : -1.0) * characteristic[k];
  Eigen::FFT<double> fft;
  fft.fwd(density, shifted);
  std::vector<double> real(points);
  for (std::size_t i = 0; i < points; ++i) real[i] = density[i].real() / (2 * half_range);
  return real;
}

/// Returns the density weighted by E[s_j² | h], for every value of a_j.
std::map<double, std::vector<double>> tilted_densities(std::span<const double> a, double norm,
                                                       std::span<const double> frequency,
                                                       const std::vector<Complex>& characteristic, double half_range) {
  std::map<double, std::vector<double>> tilted;
  for (const double x : a) {
    if (tilted.contains(x)) continue;
    // s_j² as a weight makes s_j² a χ² variable of three degrees of freedom.
    std::vector<Complex> weighted(frequency.size());
    for (std::size_t k = 0; k < frequency.size(); ++k)
      weighted[k] = characteristic[k] / Complex(1, -2 * frequency[k] * x / norm);
    tilted[x] = invert(weighted, half_range);
  }
  return tilted;
}

/// Returns the places on the grid that matter. Ripples of the cut-off frequencies have either sign and cancel in sums
/// over smooth functions: they stay.
std::vector<std::size_t> kept_nodes(const std::vector<double>& density, double step) {
  constexpr double kNegligible = 1e-15;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < density.size(); ++i)
    if (std::abs(density[i]) * step > kNegligible) kept.push_back(i);
  return kept;
}

}  // namespace

double form_norm(std::span<const double> a) {
  return std::sqrt(2 * std::inner_product(a.begin(), a.end(), a.begin(), 0.0));
}

double quadratic_form(std::span<const double> a, std::span<const double> s, double norm) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * (s[j] * s[j] - 1);
  return sum / norm;
}

QuadraticFormLaw quadratic_form_law(std::span<const double> a, std::size_t points) {
  require_form(a);
  const double norm = form_norm(a), half_range = half_range_of(a, norm);
  const std::vector<double> frequency = frequencies(points, half_range);
  const std::vector<Complex> characteristic = characteristic_function(a, norm, frequency);
  const std::vector<double> density = invert(characteristic, half_range);
  const auto tilted = tilted_densities(a, norm, frequency, characteristic, half_range);
  const double step = 2 * half_range / static_cast<double>(points);
  const std::vector<std::size_t> kept = kept_nodes(density, step);
  const auto nodes = static_cast<Index>(kept.size());
  QuadraticFormLaw law{ArrayXd(nodes), ArrayXd(nodes), ArrayXXd(nodes, static_cast<Index>(a.size()))};
  for (Index i = 0; i < nodes; ++i) {
    const std::size_t at = kept[static_cast<std::size_t>(i)];
    law.h[i] = -half_range + step * static_cast<double>(at);
    law.probability[i] = density[at] * step;
    for (std::size_t j = 0; j < a.size(); ++j)
      law.squares(i, static_cast<Index>(j)) = tilted.at(a[j])[at] / density[at];
  }
  law.probability /= law.probability.sum();
  return law;
}

FormPairLaw form_pair_law(std::span<const double> a) {
  constexpr std::size_t kPoints = 1024;  // Δh ≈ 0.06
  const QuadraticFormLaw law = quadratic_form_law(a, kPoints);
  constexpr double kNegligible = 1e-11;
  std::vector<std::pair<Index, Index>> kept;
  for (Index i = 0; i < law.h.size(); ++i)
    for (Index j = 0; j < law.h.size(); ++j)
      if (std::abs(law.probability[i] * law.probability[j]) > kNegligible) kept.emplace_back(i, j);
  const auto nodes = static_cast<Index>(kept.size());
  const Index r = law.squares.cols();
  FormPairLaw pairs{ArrayXd(nodes), ArrayXd(nodes), ArrayXd(nodes), ArrayXXd(nodes, r), ArrayXXd(nodes, r)};
  for (Index k = 0; k < nodes; ++k) {
    const auto [i, j] = kept[static_cast<std::size_t>(k)];
    pairs.h1[k] = law.h[i], pairs.h2[k] = law.h[j];
    pairs.probability[k] = law.probability[i] * law.probability[j];
    pairs.first.row(k) = law.squares.row(i), pairs.second.row(k) = law.squares.row(j);
  }
  pairs.probability /= pairs.probability.sum();
  return pairs;
}

}  // namespace attnlaw::laws
