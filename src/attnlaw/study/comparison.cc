#include "attnlaw/study/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>

#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupted_work.h"
#include "attnlaw/base/parallel.h"

namespace attnlaw::study {
namespace {

using matrix_laws::Spectrum;

/// NaN where the theory says exactly 0 (bayes, recovered): nothing is relative to that.
std::vector<double> relative_differences(const Comparison& comparison, const SharedError& error) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < comparison.instance_theory.size(); ++i) {
    const double predicted = comparison.instance_theory[i].*error.predicted;
    const double difference = comparison.experiment.instances[i].*error.measured - predicted;
    differences.push_back(predicted == 0 ? std::numeric_limits<double>::quiet_NaN() : difference / predicted);
  }
  return differences;
}

/// visit(error) for all that theory and experiment share of a problem.
template <class Visit>
void for_each_shared(const model::Problem& problem, const Visit& visit) {
  for (const SharedError& error : kSharedErrors) visit(error);
  for (const SharedError& figure : shared_figures(problem)) visit(figure);
}

constexpr std::pair<const char*, double model::SpectralStart::*> kStartFigures[] = {
    {"q", &model::SpectralStart::q}, {"m", &model::SpectralStart::m}, {"cosine", &model::SpectralStart::cosine}};

using theory::ErrorParts;

/// The first `learned` eigenvectors are those of modes; what of the target lies along the others is theirs to answer
/// for.
ErrorParts measured_parts(const experiment::Instance& instance, std::size_t learned) {
  ErrorParts parts;
  const std::vector<double>&target = instance.target_eigenvalues, &trained = instance.eigenvalues;
  const auto d = static_cast<double>(target.size());
  for (std::size_t k = 0; k < target.size(); ++k) {
    const double s = target[k], value = trained[k];
    if (k < learned) {
      parts.shrinkage += (s - value) * (s - value) / d;
    } else {
      parts.unlearned += s * s / d;
      parts.bulk += value * (value - 2 * instance.along_target[k]) / d;
    }
  }
  parts.misalignment = instance.estimation - parts.unlearned - parts.shrinkage - parts.bulk;
  return parts;
}

/// Targets with modes of their own, of students that learn them one by one.
bool has_modes(const model::Problem& problem) {
  const bool discrete = problem.target.spectrum().discrete() != nullptr;
  return discrete && problem.soft_threshold() && !problem.cross() && problem.labels != model::Labels::sign;
}

std::optional<PartsComparison> compare_parts(const Comparison& comparison, const Spectrum& target) {
  const theory::Solution& solution = comparison.theory;
  if (!has_modes(comparison.experiment.problem) || !(solution.overlaps.q > 0)) return std::nullopt;
  const double share = 1 - theory::unlearned_weight(solution, target);
  std::vector<ErrorParts> measured;
  for (const experiment::Instance& instance : comparison.experiment.instances) {
    const double learned = share * static_cast<double>(instance.target_eigenvalues.size());
    measured.push_back(measured_parts(instance, static_cast<std::size_t>(std::lround(learned))));
  }
  PartsComparison parts{theory::error_parts(solution, target), {}, {}};
  for (double ErrorParts::*part :
       {&ErrorParts::unlearned, &ErrorParts::shrinkage, &ErrorParts::misalignment, &ErrorParts::bulk})
    base::average_over(measured, part, parts.mean, parts.standard_error);
  return parts;
}

}  // namespace

std::span<const SharedError> shared_figures(const model::Problem& problem) {
  const std::span<const SharedError> of_entropy = std::span(kSharedFigures).first<4>(),
                                     of_noise = std::span(kSharedFigures).subspan<4, 1>(),
                                     of_sign = std::span(kSharedFigures).last<1>();
  const bool noisy = problem.noise > 0;
  switch (problem.loss) {
    case model::Loss::cross_entropy:
      return {of_entropy.begin(), noisy ? of_noise.end() : of_entropy.end()};
    case model::Loss::logistic:
      return {noisy ? of_noise.begin() : of_sign.begin(), of_sign.end()};
    case model::Loss::square:
      break;
  }
  return noisy ? of_noise : std::span<const SharedError>();
}

Prediction prediction_of(const theory::Solution& solution) {
  return {solution.errors, solution.loss_figures.value_or(theory::LossFigures{})};
}

std::vector<StartComparison> compare_starts(const experiment::Experiment& experiment) {
  std::vector<StartComparison> starts;
  for (const auto& [name, figure] : kStartFigures) {
    std::vector<double> measured, predicted, differences;
    for (const experiment::Instance& instance : experiment.instances) {
      if (!instance.start) return {};
      measured.push_back(instance.start->measured.*figure);
      predicted.push_back(instance.start->predicted.*figure);
      differences.push_back(measured.back() - predicted.back());
    }
    StartComparison start{name, base::estimate_of(measured), base::mean_of(predicted), {}};
    static_cast<Estimate&>(start.difference) = base::estimate_of(differences);
    start.difference.z = start.difference.value / start.difference.standard_error;
    starts.push_back(start);
  }
  return starts;
}

bool Comparison::converged() const { return experiment.converged() && theory.diagnostics.converged; }

Comparison compare(const model::Problem& problem, const experiment::Options& options,
                   const theory::SolveOptions& theory_options) {
  Comparison comparison;
  comparison.experiment = experiment::run(problem, options);
  std::optional<base::InterruptGrace> grace;
  if (options.keep_ended) grace.emplace();
  const std::vector<experiment::Instance>& instances = comparison.experiment.instances;
  std::vector<double> pooled;
  for (const auto& instance : instances)
    pooled.insert(pooled.end(), instance.target_eigenvalues.begin(), instance.target_eigenvalues.end());
  const Spectrum target = problem.law_of(Spectrum::from_eigenvalues(pooled));
  comparison.theory = theory::solve(problem, target, theory_options);
  comparison.estimation_parts = compare_parts(comparison, target);

  comparison.instance_theory.resize(instances.size());
  std::vector<char> solved(instances.size(), 0);
  base::parallel_for(instances.size(), options.threads, [&](std::size_t i) {
    const theory::Solution solution = theory_of(problem, instances[i], theory_options);
    comparison.instance_theory[i] = prediction_of(solution);
    solved[i] = solution.diagnostics.converged;
  });
  if (std::find(solved.begin(), solved.end(), 0) != solved.end()) {
    comparison.theory.diagnostics.converged = false;
    if (comparison.theory.diagnostics.message.empty())
      comparison.theory.diagnostics.message = "the theory of an instance's own target did not converge";
  }
  for_each_shared(problem, [&](const SharedError& error) {
    comparison.difference.*error.difference = base::estimate_of(relative_differences(comparison, error));
  });
  return comparison;
}

theory::Solution theory_of(const model::Problem& problem, const experiment::Instance& instance,
                           const theory::SolveOptions& options) {
  return theory::solve(problem, problem.law_of(Spectrum::from_eigenvalues(instance.target_eigenvalues)), options);
}

void require_extrapolable(std::span<const int> d, int instances) {
  const std::set<int> sizes(d.begin(), d.end());
  if (sizes.size() < std::max<std::size_t>(d.size(), 2) || instances < 2)
    throw std::invalid_argument(
        fmt::format("several d are extrapolated to 1/d → 0, which takes two or more different d and two instances; got "
                    "d = {} and {} instance(s)",
                    fmt::join(d, ","), instances));
}

Extrapolated extrapolate_differences(std::span<const DifferencesAt> sizes) {
  constexpr std::size_t kSizesForQuadratic = 4;
  std::set<int> different;
  for (const DifferencesAt& size : sizes) different.insert(size.d);
  const int degree = different.size() >= kSizesForQuadratic ? 2 : 1;
  const auto count = static_cast<Eigen::Index>(sizes.size());
  Eigen::MatrixXd design(count, degree + 1);
  Eigen::VectorXd values(count), weights(count);
  double scatter = 0, freedom = 0;
  for (Eigen::Index k = 0; k < count; ++k) {
    const DifferencesAt& size = sizes[static_cast<std::size_t>(k)];
    const double d = size.d, instances = static_cast<double>(size.differences.size());
    for (int power = 0; power <= degree; ++power) design(k, power) = std::pow(1 / d, power);
    values[k] = base::mean_of(size.differences);
    weights[k] = instances * d * d;
    scatter += d * d * base::squared_deviations(size.differences);
    freedom += instances - 1;
  }
  // In units of s: Var(values[k]) = s²/weights[k].
  const Eigen::MatrixXd normal = design.transpose() * weights.asDiagonal() * design;
  const Eigen::MatrixXd inverse = normal.inverse();
  const Eigen::VectorXd coefficients = inverse * (design.transpose() * weights.asDiagonal() * values);
  Extrapolated result;
  result.value = coefficients[0];
  result.standard_error = std::sqrt(scatter / freedom * inverse(0, 0));
  result.z = result.value / result.standard_error;
  return result;
}

Extrapolation extrapolate(std::span<const Comparison> comparisons) {
  std::vector<int> d;
  std::size_t instances = 0;
  for (const Comparison& comparison : comparisons) {
    d.push_back(comparison.experiment.d);
    instances = std::max(instances, comparison.experiment.instances.size());
  }
  require_extrapolable(d, static_cast<int>(instances));
  Extrapolation result;
  for_each_shared(comparisons.front().experiment.problem, [&](const SharedError& error) {
    std::vector<DifferencesAt> sizes;
    for (const Comparison& comparison : comparisons)
      sizes.push_back({comparison.experiment.d, relative_differences(comparison, error)});
    result.*error.extrapolated = extrapolate_differences(sizes);
  });
  return result;
}

}  // namespace attnlaw::study
