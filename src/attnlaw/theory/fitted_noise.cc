#include "attnlaw/theory/fitted_noise.h"

#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "attnlaw/base/reject.h"

namespace attnlaw::theory {
namespace {

/// Of the semicircle above a threshold τ = 2 cos φ.
struct AboveThreshold {
  double threshold, mass, first, square;  ///< τ and ∫ (x − τ)₊^k ρ

  /// ∫ (x − τ)₊ x ρ
  double response() const { return square + threshold * first; }
};

AboveThreshold above_threshold(double phi) {
  constexpr unsigned kPoints = 20;
  // x = 2 cos θ: 2 cos θ − 2 cos φ without cancellation, as φ → 0 is the case of little data.
  const auto moment = [&](int power) {
    const auto density = [&](double theta) {
      const double excess = 4 * std::sin(0.5 * (phi - theta)) * std::sin(0.5 * (phi + theta));
      return std::pow(excess, power) * 2 / std::numbers::pi * std::pow(std::sin(theta), 2);
    };
    return boost::math::quadrature::gauss<double, kPoints>::integrate(density, 0.0, phi);
  };
  return {2 * std::cos(phi), moment(0), moment(1), moment(2)};
}

}  // namespace

FittedNoise fitted_noise(double data) {
  if (!(data > 0 && data < 1))
    base::reject("noise that is fitted needs data between 0 and those of the peak of interpolation, got {}", data);
  constexpr int kBits = 48;
  constexpr double kLeast = 1e-30;  // of φ, the fifth power of which is of the order of the data
  // In logarithms: A ∝ φ⁵ for little data.
  const auto excess = [&](double log_phi) {
    return std::log(above_threshold(std::exp(log_phi)).response() / (0.5 * data));
  };
  std::uintmax_t iterations = 200;
  const auto [low, high] =
      boost::math::tools::toms748_solve(excess, std::log(kLeast), std::log(0.5 * std::numbers::pi),
                                        boost::math::tools::eps_tolerance<double>(kBits), iterations);
  const AboveThreshold at = above_threshold(std::exp(0.5 * (low + high)));
  // A − e = τ ∫ (x − τ)₊ ρ; derivatives with respect to τ.
  const double rest = at.threshold * at.first;
  const double of_share = -2 * at.first / at.square - (at.first - at.threshold * at.mass) / rest;
  const double of_response = -(at.first + at.threshold * at.mass) / at.response();
  return {at.square / rest, of_share / of_response};
}

}  // namespace attnlaw::theory
