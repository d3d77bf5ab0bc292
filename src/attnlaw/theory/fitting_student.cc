#include "attnlaw/theory/fitting_student.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/theory/decreasing_root.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::theory {

using matrix_laws::Spectrum;

Overlaps fitting_overlaps(const model::Problem& problem, const Spectrum& target, double lambda,
                          const FittingChannel& channel) {
  const double c = problem.alpha * fitted_scores(problem), symmetry = problem.symmetry(), r = problem.beta_ratio();
  const auto student = [&](double a, double t) {
    return make_denoiser(problem, t / symmetry)->evaluate(target, {a * a, 1, channel.ratio}).overlaps;
  };
  const auto threshold = [&](double a) {
    // The response V falls from that of no penalty to 0 (tied) or towards it (direct).
    constexpr double kFar = 10;
    const auto hull = target.hull();
    const double reach = std::abs(hull.lower) + std::abs(hull.upper) + 2 * a;
    const double response = channel.response * c;
    const double high = problem.student == model::Student::direct ? kFar / response : reach;
    return decreasing_root([&](double t) { return student(a, t).V - response; }, 0.0, high);
  };
  const auto excess = [&](double log_a) {
    const double a = std::exp(log_a), E = student(a, threshold(a)).estimation(target.second_moment());
    return (E + problem.noise + channel.excess) / (a * a) - c;
  };
  const double scale = std::sqrt(target.second_moment() + problem.noise);
  constexpr double kLeast = 1e-5, kLargest = 1e3;
  const double a = std::exp(decreasing_root(excess, std::log(kLeast * scale), std::log(kLargest * scale / c)));
  const double t = threshold(a);
  const Overlaps fitted = student(a, t);
  // V = A/V̂ with m̂ = 2λ/t (λ/t with cross-attention); the student of another temperature is β*/β times this one.
  return {r * r * fitted.q, r * fitted.m, channel.response * r * c * t / (symmetry * lambda)};
}

FittingChannel fitting_channel(const model::Problem& problem, const Spectrum& target, const Overlaps& at,
                               const Conjugates& conjugates) {
  const double c = problem.alpha * fitted_scores(problem), r = problem.beta_ratio();
  const double Q_star = target.second_moment();
  const double E = r == 1 ? at.estimation(Q_star) : at.q / (r * r) - 2 * at.m / r + Q_star;
  const double m_hat = conjugates.m_hat;
  return {m_hat * at.V / (c * r), c * conjugates.q_hat / (m_hat * m_hat) - E - problem.noise,
          r * conjugates.V_hat / m_hat};
}

}  // namespace attnlaw::theory
