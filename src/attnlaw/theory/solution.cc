#include "attnlaw/theory/solution.h"

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

DensityCurve trained_density(const Solution& solution, const matrix_laws::Spectrum& target) {
  DensityCurve curve;
  const double threshold = Denoiser(solution.problem.lambda).threshold();
  const double V_hat = solution.conjugates.V_hat;
  const matrix_laws::Law law = Denoiser::noisy_target(target, solution.conjugates);
  const double breakpoints[] = {threshold};
  const auto add = [&](double x, double density) {
    curve.s.push_back((x - threshold) / V_hat);
    curve.density.push_back(density * V_hat);
  };
  const std::vector<matrix_laws::Law::Node> nodes = law.quadrature(breakpoints).nodes;
  auto node = nodes.begin();
  for (const auto& band : law.bands()) {
    if (band.support.upper <= threshold) continue;
    const double first = std::max(threshold, band.support.lower);
    add(first, law.density(first));
    while (node != nodes.end() && node->x <= first) ++node;
    for (; node != nodes.end() && node->x < band.support.upper; ++node)
      add(node->x, -node->g.imag() / std::numbers::pi);
    add(band.support.upper, 0);
  }
  return curve;
}

double trained_cdf(const Solution& solution, const matrix_laws::Spectrum& target, double s) {
  if (s < 0) return 0;
  const double threshold = Denoiser(solution.problem.lambda).threshold();
  return Denoiser::noisy_target(target, solution.conjugates).cdf(threshold + solution.conjugates.V_hat * s);
}

}  // namespace attnlaw::theory
