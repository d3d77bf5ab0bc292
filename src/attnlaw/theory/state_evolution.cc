#include "attnlaw/theory/state_evolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>

#include "attnlaw/theory/fixed_point.h"

namespace attnlaw::theory {
namespace {

/// A fixed point is accepted with a residual of this share of the accuracy.
constexpr double kResidualShare = 0.1;
/// Aimed at: far below what sampling leaves open.
constexpr double kAimedShare = 1e-3;
/// Where the largest point set falls short of the accuracy asked for, the solution says so; beyond this it is none.
constexpr double kLargestError = 0.1;
/// A law whose mass or moments are off by more than this is not trusted.
constexpr double kLawTolerance = 1e-7;

/// Points per replicate, as powers of two: a coarse set finds the neighbourhood of the fixed point and the size of the
/// sampling error; from there the number of points that the accuracy needs is predicted, and corrected where it falls
/// short.
constexpr int kCoarseLog2Points = 7;
constexpr int kLastLog2Points = 16;
/// Sampling error ∝ points^-1.2 at T = 2 (measured; nearer to points^-0.9 at T = 3, where one more level corrects it).
constexpr double kConvergenceOrder = 1.2;

/// The error of a coarse set is itself uncertain: no step may grow the set by more than 2^5.
constexpr int kLongestLevelStep = 5;

int next_level(int level, double error, double accuracy) {
  // A set without a fixed point has no error to go by: as far as a step may go.
  const double wanted =
      std::isfinite(error) ? std::log2(std::max(error / accuracy, 1.0)) / kConvergenceOrder : kLongestLevelStep;
  const int more = static_cast<int>(std::min<double>(std::ceil(wanted), kLongestLevelStep));
  return std::min(kLastLog2Points, level + std::max(more, 1));
}

double estimation_error(const Overlaps& overlaps, double Q_star) { return Q_star - 2 * overlaps.m + overlaps.q; }

double standard_error(const std::vector<Errors>& samples, double Errors::*member) {
  double mean = 0, square = 0;
  const double count = static_cast<double>(samples.size());
  for (const Errors& sample : samples) mean += sample.*member / count;
  for (const Errors& sample : samples) square += (sample.*member - mean) * (sample.*member - mean);
  return std::sqrt(square / (count * (count - 1)));
}

/// Standard errors over replicates.
Errors sampling_error(const StateEvolution& evolution, const FixedPoint& fixed_point, const model::Problem& problem) {
  const OutputChannel& channel = evolution.channel();
  if (channel.replicates() == 1) return {};
  std::vector<ReplicatePoint> points;
  if (fixed_point.slope) {
    points = replicate_fixed_points(evolution, fixed_point);
  } else {
    for (int replicate = 0; replicate < channel.replicates(); ++replicate)
      points.push_back({{}, channel.evaluate_at_zero(replicate).train});
  }
  std::vector<Errors> samples;
  for (int replicate = 0; replicate < channel.replicates(); ++replicate) {
    const ReplicatePoint& point = points[static_cast<std::size_t>(replicate)];
    samples.push_back({point.train, channel.test(point.overlaps, replicate),
                       estimation_error(point.overlaps, evolution.Q_star()), 0});
  }
  Errors error{standard_error(samples, &Errors::train), standard_error(samples, &Errors::test),
               standard_error(samples, &Errors::estimation), 0};
  // The objective is stationary in the overlaps: what is left is at most the error of its loss.
  error.objective = problem.alpha * error.train;
  return error;
}

double relative_error(const Errors& error, const Errors& value) {
  const auto ratio = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  return std::max(
      {ratio(error.train, value.train), ratio(error.test, value.test), ratio(error.estimation, value.estimation)});
}

TrainedSpectrum trained_spectrum(const matrix_laws::Spectrum& target, const matrix_laws::Law& noisy_target,
                                 const Conjugates& conjugates, double zero_mass, double threshold) {
  TrainedSpectrum spectrum;
  spectrum.zero_mass = zero_mass;
  const auto trained = [&](double x) { return (x - threshold) / conjugates.V_hat; };
  for (const auto& band : noisy_target.bands())
    if (band.support.upper > threshold)
      spectrum.edges.push_back({std::max(0.0, trained(band.support.lower)), trained(band.support.upper)});
  // An eigenvalue of the target counts as isolated if it is a small part of the spectrum.
  constexpr double kLargestOutlierWeight = 0.05;
  for (Outlier outlier :
       matrix_laws::outliers(target.scaled(conjugates.m_hat), conjugates.q_hat, kLargestOutlierWeight)) {
    if (outlier.eigenvalue <= threshold) continue;
    spectrum.outliers.push_back({outlier.target / conjugates.m_hat, trained(outlier.eigenvalue), outlier.overlap});
  }
  return spectrum;
}

}  // namespace

void require_valid(const SolveOptions& options) {
  if (!(options.accuracy >= 1e-6 && options.accuracy <= 0.1))
    throw std::invalid_argument(fmt::format("accuracy must be between 1e-6 and 0.1, got {}", options.accuracy));
}

Solution solve(const model::Problem& problem, const SolveOptions& options) {
  return solve(problem, problem.target.spectrum(), options);
}

Solution solve(const model::Problem& problem, const matrix_laws::Spectrum& target, const SolveOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  problem.validate();
  require_valid(options);
  Solution solution;
  solution.problem = problem;
  solution.Q_star = target.second_moment();
  Diagnostics& diagnostics = solution.diagnostics;
  const Denoiser denoiser(problem.lambda);

  const Tolerance tolerance{kAimedShare * options.accuracy, kResidualShare * options.accuracy};
  std::optional<Start> start;
  if (options.start) start = Start{*options.start, std::nullopt};
  for (int level = kCoarseLog2Points;;) {
    const auto channel = make_output_channel(problem, solution.Q_star, level);
    const StateEvolution evolution(*channel, denoiser, target);
    const FixedPoint fixed_point = find_fixed_point(evolution, start, tolerance);
    diagnostics.iterations += fixed_point.iterations;
    solution.overlaps = fixed_point.overlaps;
    solution.conjugates = fixed_point.step.conjugates;
    solution.errors = {fixed_point.step.train, channel->test(solution.overlaps),
                       estimation_error(solution.overlaps, solution.Q_star), 0};
    solution.errors.objective = problem.alpha * solution.errors.train + problem.lambda * fixed_point.step.prior.trace;
    diagnostics.sampling_error = sampling_error(evolution, fixed_point, problem);
    const double reached = 2 * (relative_error(diagnostics.sampling_error, solution.errors) + fixed_point.distance);
    const bool accurate = reached <= options.accuracy;
    const bool refinable = channel->points() > 0 && level < kLastLog2Points;
    if (refinable && (!accurate || level == kCoarseLog2Points)) {
      // Without a fixed point on the coarse set, a finer one may still have it.
      start.reset();
      if (fixed_point.converged) start = Start{fixed_point.overlaps, fixed_point.slope};
      level = next_level(level, reached, options.accuracy);
      continue;
    }
    diagnostics.residual = fixed_point.residual;
    diagnostics.points = channel->points();
    diagnostics.law_error = fixed_point.step.prior.law_error;
    if (usable(solution.conjugates)) {
      const matrix_laws::Law law = Denoiser::noisy_target(target, solution.conjugates);
      solution.spectrum =
          trained_spectrum(target, law, solution.conjugates, fixed_point.step.prior.zero_mass, denoiser.threshold());
      if (solution.overlaps.q > 0)
        diagnostics.replicon =
            channel->squared_response(solution.overlaps) * denoiser.squared_response(law, solution.conjugates);
    }
    if (!fixed_point.converged)
      diagnostics.message = fmt::format("no fixed point found: residual {:.3g} after {} iterations, accepted {:.0e}",
                                        diagnostics.residual, diagnostics.iterations, tolerance.accepted);
    else if (diagnostics.law_error > kLawTolerance)
      diagnostics.message = fmt::format("the spectral law is not resolved: error {:.3g}, accepted {:.0e}",
                                        diagnostics.law_error, kLawTolerance);
    else if (!accurate)
      diagnostics.message = fmt::format("accuracy {:.3g} was asked for, {:.2g} reached with {} points",
                                        options.accuracy, reached, diagnostics.points);
    diagnostics.converged = fixed_point.converged && diagnostics.law_error <= kLawTolerance && reached <= kLargestError;
    break;
  }
  diagnostics.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace attnlaw::theory
