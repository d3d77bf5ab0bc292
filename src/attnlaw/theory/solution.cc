#include "attnlaw/theory/solution.h"

#include <algorithm>
#include <numbers>

#include "attnlaw/theory/denoiser.h"

namespace attnlaw::theory {
namespace {

nlohmann::json to_json(const Errors& errors) {
  return {{"train", errors.train},
          {"test", errors.test},
          {"estimation", errors.estimation},
          {"objective", errors.objective}};
}

nlohmann::json to_json(const TrainedSpectrum& spectrum) {
  nlohmann::json edges = nlohmann::json::array(), outliers = nlohmann::json::array();
  for (const auto& edge : spectrum.edges) edges.push_back({edge.lower, edge.upper});
  for (const auto& outlier : spectrum.outliers)
    outliers.push_back({{"target", outlier.target}, {"eigenvalue", outlier.eigenvalue}, {"overlap", outlier.overlap}});
  return {{"zero_mass", spectrum.zero_mass}, {"edges", edges}, {"outliers", outliers}};
}

nlohmann::json to_json(const Diagnostics& diagnostics) {
  nlohmann::json document{{"converged", diagnostics.converged},
                          {"iterations", diagnostics.iterations},
                          {"residual", diagnostics.residual},
                          {"replicon", diagnostics.replicon},
                          {"sampling_error", to_json(diagnostics.sampling_error)},
                          {"law_error", diagnostics.law_error},
                          {"points", diagnostics.points},
                          {"seconds", diagnostics.seconds}};
  if (!diagnostics.message.empty()) document["message"] = diagnostics.message;
  return document;
}

}  // namespace

nlohmann::json to_json(const Solution& solution) {
  const auto& [q, m, V] = solution.overlaps;
  const auto& [q_hat, m_hat, V_hat] = solution.conjugates;
  return {{"schema", "attnlaw/1"},
          {"command", "solve"},
          {"problem", model::to_json(solution.problem)},
          {"overlaps", {{"Q_star", solution.Q_star}, {"q", q}, {"m", m}, {"V", V}}},
          {"conjugates", {{"q_hat", q_hat}, {"m_hat", m_hat}, {"V_hat", V_hat}}},
          {"errors", to_json(solution.errors)},
          {"spectrum", to_json(solution.spectrum)},
          {"diagnostics", to_json(solution.diagnostics)}};
}

TrainedLaw::TrainedLaw(const Solution& solution, const matrix_laws::Spectrum& target)
    : threshold_(Denoiser(solution.problem.lambda).threshold()),
      V_hat_(solution.conjugates.V_hat),
      noisy_target_(Denoiser::noisy_target(target, solution.conjugates)) {}

TrainedLaw::Curve TrainedLaw::density() const {
  Curve curve;
  const auto add = [&](double x, double density) {
    curve.s.push_back((x - threshold_) / V_hat_);
    curve.density.push_back(density * V_hat_);
  };
  const double breakpoints[] = {threshold_};
  const std::vector<matrix_laws::Law::Node> nodes = noisy_target_.quadrature(breakpoints).nodes;
  auto node = nodes.begin();
  for (const auto& band : noisy_target_.bands()) {
    if (band.support.upper <= threshold_) continue;
    const double first = std::max(threshold_, band.support.lower);
    add(first, noisy_target_.density(first));
    while (node != nodes.end() && node->x <= first) ++node;
    for (; node != nodes.end() && node->x < band.support.upper; ++node)
      add(node->x, -node->g.imag() / std::numbers::pi);
    add(band.support.upper, 0);
  }
  return curve;
}

double TrainedLaw::cdf(double s) const { return s < 0 ? 0 : noisy_target_.cdf(threshold_ + V_hat_ * s); }

}  // namespace attnlaw::theory
