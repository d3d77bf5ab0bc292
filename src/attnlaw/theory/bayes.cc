#include "attnlaw/theory/bayes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/roots.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "attnlaw/base/infinity.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/matrix_laws/optimal_denoiser.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/matrix_laws/standard_laws.h"
#include "attnlaw/theory/channel/bayes_channel.h"
#include "attnlaw/theory/channel/bayes_labels.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Interval;
using matrix_laws::OptimalDenoiser;
using matrix_laws::Spectrum;

using base::kInfinity;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Least v/Q* looked at: E is then zero for every practical purpose.
constexpr double kLeastScalarNoise = 1e-24;
/// …and of which laws are made: below, that of S* + √v Z loses digits.
constexpr double kLeastLawNoise = 1e-11;
/// Grid on which fixed points are told apart. No spectrum is known that has more than one.
constexpr double kPointsPerDecade = 5;
/// A law whose mass or moments are off by more than this is not trusted (as for trained students).
constexpr double kBayesLawTolerance = 1e-7;

bool gaussian_output(const model::Problem& problem) { return problem.head != model::Head::hardmax; }

/// What S* + √v Z tells of S*. Where v is too small for its law E/v is that of the least v which is not: it differs by
/// about √(v/Q*) from its limit at 0.
class NoisyView {
 public:
  /// `law_noise`: that of the law of `denoiser`, v unless v is too small for one.
  NoisyView(double v, double law_noise, std::shared_ptr<const OptimalDenoiser> denoiser)
      : v_(v), law_v_(law_noise), denoiser_(std::move(denoiser)) {}

  double response() const { return denoiser_->response(); }
  double mean_square_error() const { return v_ < law_v_ ? v_ * response() : denoiser_->mean_square_error(); }
  /// Of S* and its noisy view: its derivative in log v is −E/(4v).
  double mutual_information() const {
    return denoiser_->mutual_information() + 0.25 * response() * std::log(law_v_ / v_);
  }
  const OptimalDenoiser& denoiser() const { return *denoiser_; }
  /// The v of its law.
  double law_noise() const { return law_v_; }

 private:
  double v_, law_v_;
  std::shared_ptr<const OptimalDenoiser> denoiser_;
};

/// Both channels at a noise v, as a function of log v.
class Balance {
 public:
  Balance(const model::Problem& problem, const Spectrum& target)
      : problem_(problem), target_(target), Q_star_(target.second_moment()) {}

  /// One law serves all v below the least of which there are any.
  NoisyView view(double v) const {
    const double least = kLeastLawNoise * Q_star_;
    if (v >= least) return {v, v, std::make_shared<const OptimalDenoiser>(target_, v)};
    if (!least_) least_ = std::make_shared<const OptimalDenoiser>(target_, least);
    return {v, least, least_};
  }

  /// Conjugate of the output channel at matrix error V.
  double q_hat(double V) const { return 2 * problem_.alpha * label_information(problem_, Q_star_, V); }

  /// −log(v q̂(V(v))), zero at a fixed point; > 0 where the labels leave more noise than v.
  double operator()(double log_v) const {
    ++evaluations_;
    const NoisyView estimate = view(std::exp(log_v));
    // In terms of f = V/v, so that nothing overflows.
    if (gaussian_output(problem_))
      return std::log((estimate.response() + problem_.noise * std::exp(-log_v)) /
                      (2 * problem_.alpha * problem_.observed_score_count()));
    return -log_v - std::log(q_hat(estimate.mean_square_error()));
  }

  /// Where roots can be. V never exceeds the variance of the target nor v, and labels say least when V is largest.
  Interval range() const {
    const double variance = Q_star_ - target_.mean() * target_.mean();
    constexpr double kMargin = 1.01;  // beyond rounding
    double low = kLeastScalarNoise * Q_star_;
    if (gaussian_output(problem_))
      low = std::max(low, problem_.noise / (2 * problem_.alpha * problem_.observed_score_count()));
    return {std::log(low), std::log(std::max(kMargin / q_hat(variance), kMargin * low))};
  }

  /// Potential per d² at log v = b, less that at a: on the curve V = MMSE(v) its slope in V is (q̂(V) − 1/v)/4.
  double potential_difference(double a, double b) const {
    constexpr int kSteps = 128;
    double sum = 0, previous_V = 0, previous_force = 0;
    for (int step = 0; step <= kSteps; ++step) {
      const double v = std::exp(a + (b - a) * step / kSteps);
      const double V = view(v).mean_square_error();
      const double force = 0.25 * (q_hat(V) - 1 / v);
      if (step > 0) sum += 0.5 * (force + previous_force) * (V - previous_V);
      previous_V = V, previous_force = force;
    }
    return sum;
  }

  int evaluations() const { return evaluations_; }

 private:
  const model::Problem& problem_;
  const Spectrum& target_;
  double Q_star_;
  mutable std::shared_ptr<const OptimalDenoiser> least_;
  mutable int evaluations_ = 0;
};

/// All fixed points log v on the grid, ascending; at least one: a root below the least noise counts as standing there.
std::vector<double> fixed_points(const Balance& balance) {
  const Interval range = balance.range();
  const int steps = 2 + static_cast<int>((range.upper - range.lower) / std::log(10) * kPointsPerDecade);
  std::vector<double> roots;
  double left = range.lower, left_value = balance(left);
  if (!(left_value > 0)) roots.push_back(left);
  for (int step = 1; step <= steps; ++step) {
    const double right = range.lower + (range.upper - range.lower) * step / steps;
    const double right_value = balance(right);
    if (left_value * right_value < 0) {
      std::uintmax_t iterations = 100;
      const auto [low, high] =
          boost::math::tools::toms748_solve([&](double x) { return balance(x); }, left, right, left_value, right_value,
                                            boost::math::tools::eps_tolerance<double>(), iterations);
      roots.push_back(0.5 * (low + high));
    }
    left = right, left_value = right_value;
  }
  if (roots.empty()) roots.push_back(range.upper);
  return roots;
}

double lowest(const Balance& balance, const std::vector<double>& roots) {
  double best = roots.front(), potential = 0, best_potential = 0;
  for (std::size_t i = 1; i < roots.size(); ++i) {
    potential += balance.potential_difference(roots[i - 1], roots[i]);
    if (potential < best_potential) best = roots[i], best_potential = potential;
  }
  return best;
}

TrainedSpectrum estimated_spectrum(const Spectrum& target, const OptimalDenoiser& denoiser, double v) {
  TrainedSpectrum spectrum;
  spectrum.zero_mass = 0;
  spectrum.edges = denoiser.bands();
  for (Outlier outlier : matrix_laws::outliers(denoiser.law(), target, v)) {
    outlier.eigenvalue = 2 * outlier.target - outlier.eigenvalue;  // ξ = 2u − x, and u = s* for an isolated eigenvalue
    spectrum.outliers.push_back(outlier);
  }
  double square = 0, nuclear = 0;
  for (const auto& node : denoiser.quadrature().nodes) {
    const double estimate = node.x - 2 * v * node.g.real();
    square += node.weight * estimate * estimate;
    nuclear += node.weight * std::abs(estimate);
  }
  const double largest = std::max(std::abs(spectrum.edges.front().lower), std::abs(spectrum.edges.back().upper));
  spectrum.collapse = collapse_of(square, nuclear, largest, 0);
  return spectrum;
}

/// (αK_eff/2) log(1 + V/Δ) + I(v) − V/(4v), see docs/theory/bayes_optimal.md, section 4.
double mutual_information(const model::Problem& problem, const NoisyView& estimate) {
  if (!gaussian_output(problem) || problem.noise == 0) return kNan;
  const double labels =
      0.5 * problem.alpha * problem.observed_score_count() * std::log1p(estimate.mean_square_error() / problem.noise);
  return labels + estimate.mutual_information() - 0.25 * estimate.response();
}

void fill_recovered(Solution& solution, const Spectrum& target) {
  solution.overlaps = {solution.Q_star, solution.Q_star, 0};
  solution.conjugates = {kInfinity, kInfinity, kInfinity};
  solution.errors = {kNan, 0, 0, kNan, 0};
  solution.spectrum = recovered_spectrum(target);
  solution.bayes = BayesFigures{0, 0, 0, kNan, {0}};
  solution.diagnostics.converged = true;
}

void fill_learned(Solution& solution, const Spectrum& target, double accuracy) {
  const model::Problem& problem = solution.problem;
  Diagnostics& diagnostics = solution.diagnostics;
  const Balance balance(problem, target);
  const std::vector<double> roots = fixed_points(balance);
  const double log_v = lowest(balance, roots);
  const double v = std::exp(log_v);
  const NoisyView estimate = balance.view(v);
  const double E = estimate.mean_square_error();
  const double q = std::max(0.0, solution.Q_star - E);
  const LabelErrors labels = label_errors(problem, q, E, accuracy);
  solution.overlaps = {q, q, E};
  solution.conjugates = {1 / v, 1 / v, 1 / v};
  // A noisy label is that of the scores and their noise together, of variance E + Δ given the data.
  const LabelErrors noisy = problem.noise > 0 ? label_errors(problem, q, E + problem.noise, accuracy) : labels;
  solution.errors = {kNan, labels.posterior_mean, E, kNan, noisy.posterior_mean};
  solution.spectrum = estimated_spectrum(target, estimate.denoiser(), estimate.law_noise());

  BayesFigures figures;
  figures.noise_variance = v;
  figures.plug_in_test = labels.plug_in;
  figures.index_error = 2 * problem.score_count() * E;
  figures.mutual_information = mutual_information(problem, estimate);
  for (const double root : roots) figures.fixed_points.push_back(balance.view(std::exp(root)).mean_square_error());
  solution.bayes = figures;

  diagnostics.residual = std::abs(balance(log_v));
  diagnostics.iterations = balance.evaluations();
  diagnostics.sampling_error.test = labels.posterior_mean_sampling_error;
  diagnostics.sampling_error.test_noisy = noisy.posterior_mean_sampling_error;
  diagnostics.points = labels.points;
  diagnostics.law_error = estimate.denoiser().quadrature().error();
  constexpr double kResidualTolerance = 1e-7;
  diagnostics.converged = diagnostics.law_error <= kBayesLawTolerance;
  const double reached =
      labels.posterior_mean > 0 ? 2 * labels.posterior_mean_sampling_error / labels.posterior_mean : 0;
  if (!diagnostics.converged)
    diagnostics.message = fmt::format("the spectral law is not resolved: error {:.3g}, accepted {:.0e}",
                                      diagnostics.law_error, kBayesLawTolerance);
  else if (log_v <= balance.range().lower && !(balance(log_v) > 0))
    diagnostics.message = fmt::format("the estimation error is at most {:.3g}, too small to be resolved", E);
  else if (diagnostics.residual > kResidualTolerance) {
    diagnostics.converged = false;
    diagnostics.message =
        fmt::format("no fixed point found: residual {:.3g}, accepted {:.0e}", diagnostics.residual, kResidualTolerance);
  } else if (reached > accuracy)
    diagnostics.message = fmt::format("accuracy {:.3g} was asked for, {:.2g} reached with {} points", accuracy, reached,
                                      diagnostics.points);
}

}  // namespace

double bayes_recovery(const model::Problem& problem, const Spectrum& target) {
  if (!gaussian_output(problem)) return kInfinity;
  return (1 - matrix_laws::atom_collision(target)) / fitted_scores(problem);
}

Solution solve_bayes(const model::Problem& problem, const Spectrum& target, const SolveOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  problem.validate();
  require_valid(options);
  if (problem.penalised())
    base::reject("the student must be bayes for the Bayes-optimal theory, got {}", name(problem.student));
  Solution solution;
  solution.problem = problem;
  solution.Q_star = target.second_moment();
  solution.diagnostics.replicon = kNan;
  // A multiple of the identity is known before any data.
  const bool known = matrix_laws::atom_collision(target) >= 1;
  if (known || (problem.noise == 0 && problem.alpha >= bayes_recovery(problem, target)))
    fill_recovered(solution, target);
  else
    fill_learned(solution, target, options.accuracy);
  solution.diagnostics.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace attnlaw::theory
