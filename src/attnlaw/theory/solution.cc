#include "attnlaw/theory/solution.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/prior/numerical_prior.h"
#include "attnlaw/theory/trained_student.h"

namespace attnlaw::theory {
namespace {

nlohmann::json to_json(const Errors& errors) {
  return {{"train", errors.train},
          {"test", errors.test},
          {"estimation", errors.estimation},
          {"objective", errors.objective}};
}

/// The keys of those figures that the loss has.
nlohmann::json to_json(const LossFigures& figures, model::Loss loss) {
  if (loss == model::Loss::logistic) return {{"sign_error", figures.sign_error}};
  return {{"excess_train", figures.excess_train},
          {"excess_test", figures.excess_test},
          {"squared_train", figures.squared_train},
          {"squared_test", figures.squared_test}};
}

nlohmann::json to_json(const TrainedSpectrum& spectrum) {
  nlohmann::json edges = nlohmann::json::array(), outliers = nlohmann::json::array();
  for (const auto& edge : spectrum.edges) edges.push_back({edge.lower, edge.upper});
  for (const auto& outlier : spectrum.outliers)
    outliers.push_back({{"target", outlier.target}, {"eigenvalue", outlier.eigenvalue}, {"overlap", outlier.overlap}});
  const Collapse& collapse = spectrum.collapse;
  return {{"zero_mass", spectrum.zero_mass},
          {"edges", edges},
          {"outliers", outliers},
          {"collapse",
           {{"rank_fraction", collapse.rank_fraction},
            {"stable_rank", collapse.stable_rank},
            {"effective_rank", collapse.effective_rank},
            {"nuclear_frobenius", collapse.nuclear_frobenius}}}};
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
  if (diagnostics.sampled_matrices > 0)
    document["sampled_prior"] = {{"dimension", diagnostics.sampled_matrices},
                                 {"matrices", NumericalPrior::kReplicates}};
  if (!diagnostics.message.empty()) document["message"] = diagnostics.message;
  return document;
}

}  // namespace

Collapse collapse_of(double square, double nuclear, double largest, double zero_mass) {
  if (!(square > 0)) return {};
  return {1 - zero_mass, square / (largest * largest), nuclear * nuclear / square, nuclear / std::sqrt(square)};
}

TrainedSpectrum recovered_spectrum(const matrix_laws::Spectrum& target, Symmetry symmetry) {
  const bool general = symmetry == Symmetry::general;
  const matrix_laws::Law law = matrix_laws::law_of(target);
  TrainedSpectrum spectrum;
  spectrum.zero_mass = 0;
  double nuclear = 0;
  for (const auto& atom : law.atoms()) {
    nuclear += atom.mass * std::abs(atom.x);
    if (atom.x == 0)
      spectrum.zero_mass = atom.mass;
    else if (!general || atom.x > 0)
      spectrum.edges.push_back({atom.x, atom.x});
  }
  // The bulk of a Wishart matrix has one sign.
  if (target.wishart()) nuclear = std::abs(target.mean());
  if (target.product())
    for (const auto& node : law.quadrature().nodes) nuclear += node.weight * std::abs(node.x);
  for (const auto& band : law.bands())
    if (!general || band.support.upper > 0) spectrum.edges.push_back(band.support);
  const matrix_laws::Interval hull = law.hull();
  spectrum.collapse = collapse_of(target.second_moment(), nuclear, std::max(std::abs(hull.lower), std::abs(hull.upper)),
                                  spectrum.zero_mass);
  return spectrum;
}

nlohmann::json to_json(const OptimalLambda& optimum) {
  return {
      {"lambda", optimum.lambda}, {"test", optimum.test}, {"curvature", optimum.curvature}, {"where", optimum.where}};
}

nlohmann::json to_json(const Solution& solution) {
  const Overlaps& overlaps = solution.overlaps;
  const Conjugates& conjugates = solution.conjugates;
  nlohmann::json document{
      {"schema", "attnlaw/1"},
      {"command", "solve"},
      {"problem", model::to_json(solution.problem)},
      {"overlaps", {{"Q_star", solution.Q_star}, {"q", overlaps.q}, {"m", overlaps.m}, {"V", overlaps.V}}},
      {"conjugates", {{"q_hat", conjugates.q_hat}, {"m_hat", conjugates.m_hat}, {"V_hat", conjugates.V_hat}}},
      {"errors", to_json(solution.errors)},
      {"spectrum", to_json(solution.spectrum)},
      {"diagnostics", to_json(solution.diagnostics)}};
  if (solution.problem.two_sectors()) {
    document["overlaps"].update({{"q_a", overlaps.q_a}, {"V_a", overlaps.V_a}});
    document["conjugates"].update({{"q_hat_a", conjugates.q_hat_a}, {"V_hat_a", conjugates.V_hat_a}});
  }
  if (solution.ridgeless)
    document["ridgeless"] = {
        {"phase", name(solution.ridgeless->phase)}, {"a", solution.ridgeless->a}, {"t", solution.ridgeless->t}};
  if (solution.optimal_lambda) document["optimal_lambda"] = to_json(*solution.optimal_lambda);
  if (solution.loss_figures) document["loss_figures"] = to_json(*solution.loss_figures, solution.problem.loss);
  if (const auto& bayes = solution.bayes)
    document["bayes"] = {{"noise_variance", bayes->noise_variance},
                         {"plug_in_test", bayes->plug_in_test},
                         {"index_error", bayes->index_error},
                         {"mutual_information", bayes->mutual_information},
                         {"fixed_points", bayes->fixed_points}};
  return document;
}

namespace {

/// An exact copy of the target: f(x) = x on the law of S* itself.
bool copies_target(const Solution& solution) { return std::isinf(solution.conjugates.q_hat); }

matrix_laws::Law noisy_target_of(const Solution& solution, const matrix_laws::Spectrum& target) {
  return copies_target(solution) ? matrix_laws::law_of(target) : noisy_target(target, solution.conjugates);
}

}  // namespace

SpectralFunction spectral_function(const Solution& solution, const matrix_laws::Law& noisy_target) {
  if (copies_target(solution)) return {0, 0, 1};
  std::optional<RidgelessPhase> phase;
  if (solution.ridgeless) phase = solution.ridgeless->phase;
  return make_denoiser(solution.problem, effective_lambda(solution.problem, phase))
      ->function(noisy_target, solution.conjugates);
}

TrainedLaw::TrainedLaw(const Solution& solution, const matrix_laws::Spectrum& target)
    : symmetry_(symmetry_of(solution.problem)), noisy_target_(noisy_target_of(solution, target)) {
  function_ = kept_side(spectral_function(solution, noisy_target_), symmetry_);
}

TrainedLaw::Curve TrainedLaw::density() const {
  Curve curve;
  const auto add = [&](double x, double density) {
    curve.s.push_back(function_.slope * (x - function_.shift));
    curve.density.push_back(sides(symmetry_) * density / function_.slope);
  };
  const double breakpoints[] = {function_.cut};
  const std::vector<matrix_laws::Law::Node> nodes = noisy_target_.quadrature(breakpoints).nodes;
  auto node = nodes.begin();
  for (const auto& band : noisy_target_.bands()) {
    if (band.support.upper <= function_.cut) continue;
    const double first = std::max(function_.cut, band.support.lower);
    add(first, noisy_target_.density(first));
    while (node != nodes.end() && node->x <= first) ++node;
    for (; node != nodes.end() && node->x < band.support.upper; ++node)
      add(node->x, -node->g.imag() / std::numbers::pi);
    add(band.support.upper, 0);
  }
  return curve;
}

double TrainedLaw::cdf(double s) const {
  // Eigenvalues of M up to the cut are trained to 0.
  const double x = function_.shift + s / function_.slope;
  if (std::isinf(function_.cut)) return noisy_target_.cdf(x);
  const double below = s < 0 ? 0 : noisy_target_.cdf(std::max(x, function_.cut));
  // P(|x| ≤ x₀) = 2P(x ≤ x₀) − 1 of a symmetrised law.
  return symmetry_ == Symmetry::general ? std::max(0.0, 2 * below - 1) : below;
}

}  // namespace attnlaw::theory
