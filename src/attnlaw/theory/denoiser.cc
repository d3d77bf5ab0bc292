#include "attnlaw/theory/denoiser.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/matrix_laws/semicircle_sum.h"

namespace attnlaw::theory {

using matrix_laws::Law;

Law Denoiser::noisy_target(const matrix_laws::Spectrum& target, const Conjugates& conjugates) {
  return matrix_laws::semicircle_sum(target.scaled(conjugates.m_hat), conjugates.q_hat);
}

Denoiser::Result Denoiser::evaluate(const Law& noisy_target, const matrix_laws::Spectrum& target,
                                    const Conjugates& conjugates) const {
  const double breakpoints[] = {threshold_};
  const Law::Quadrature quadrature = noisy_target.quadrature(breakpoints);
  double square = 0, first = 0, response = 0, field = 0, kept = 0;
  for (const Law::Node& node : quadrature.nodes) {
    if (node.x <= threshold_) continue;
    const double excess = node.x - threshold_;
    kept += node.weight;
    first += node.weight * excess;
    square += node.weight * excess * excess;
    field += node.weight * excess * node.x;
    response += node.weight * excess * 2 * node.g.real();  // −Im(g²)/π = 2ρ Re g
  }
  const double V_hat = conjugates.V_hat;
  Result result;
  result.trace = first / V_hat;
  result.overlaps.q = square / (V_hat * V_hat);
  result.overlaps.V = response / V_hat;
  // m = E[S S*] by Gaussian integration by parts; without a signal the student is independent of the target.
  constexpr double kNoSignal = 1e-16;
  const bool signal = conjugates.m_hat * conjugates.m_hat * target.second_moment() > kNoSignal * conjugates.q_hat;
  result.overlaps.m =
      signal ? (field - conjugates.q_hat * response) / (V_hat * conjugates.m_hat) : target.mean() * result.trace;
  result.zero_mass = std::clamp(1 - kept, 0.0, 1.0);
  result.law_error = quadrature.error();
  return result;
}

double Denoiser::squared_response(const Law& noisy_target, const Conjugates& conjugates) const {
  // With f measured from the threshold: 1 where both are kept, (x/(x−y))² for a kept and a cut one, 0 where both are
  // cut.
  constexpr double kTolerance = 1e-6;
  const double breakpoints[] = {threshold_};
  const std::vector<Law::Node> nodes = noisy_target.quadrature(breakpoints, kTolerance).nodes;
  double kept_mass = 0, mixed = 0;
  for (const Law::Node& kept : nodes) {
    if (kept.x <= threshold_) continue;
    double row = 0;
    for (const Law::Node& cut : nodes) {
      if (cut.x > threshold_) continue;
      const double slope = (kept.x - threshold_) / (kept.x - cut.x);
      row += cut.weight * slope * slope;
    }
    kept_mass += kept.weight;
    mixed += kept.weight * row;
  }
  return (kept_mass * kept_mass + 2 * mixed) / (conjugates.V_hat * conjugates.V_hat);
}

}  // namespace attnlaw::theory
