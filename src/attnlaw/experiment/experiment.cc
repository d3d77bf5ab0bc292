#include "attnlaw/experiment/experiment.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/base/index.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupted_work.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/feasibility.h"
#include "attnlaw/experiment/student/objective.h"
#include "attnlaw/experiment/student/penalty.h"
#include "attnlaw/experiment/student/spectral.h"
#include "attnlaw/experiment/student/spectral_start.h"
#include "attnlaw/experiment/train/adam.h"
#include "attnlaw/experiment/train/fista.h"
#include "attnlaw/experiment/train/gamp.h"
#include "attnlaw/experiment/train/lbfgs.h"
#include "attnlaw/experiment/train/training_figures.h"
#include "attnlaw/model/custom_loss.h"

namespace attnlaw::experiment {
namespace {

using base::Matrix;

/// The number of test sequences per d². The loss of one sequence varies by about its mean, so the mean over 25 d² is
/// known to 0.2–0.3/d; from instance to instance the error itself varies by about 1.2/d (d = 60, α = 0.5). Sampling
/// thus adds a few percent to the variance, and the test costs as much as 50/α forward passes: a small part of
/// training.
constexpr double kTestSequencesPerEntry = 25;

/// m = ⟨S, S*⟩/d and estimation = ‖S − S*‖²_F/d, with S* = diag(target).
struct TargetOverlap {
  double m = 0, estimation = 0;
};

TargetOverlap overlap_with(const std::vector<double>& target_eigenvalues, const Matrix<double>& S) {
  const auto d = static_cast<double>(S.rows());
  const Eigen::Map<const Eigen::VectorXd> target(target_eigenvalues.data(), S.rows());
  Matrix<double> difference = S;
  difference.diagonal() -= target;
  return {S.diagonal().dot(target) / d, difference.squaredNorm() / d};
}

double mean_absolute(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum / static_cast<double>(values.size());
}

/// Returns for every k the weight of vector k on the coordinates i where the target has its k-th value; `vector(k, i)`
/// is coordinate i of vector k.
template <class Vector>
std::vector<double> overlaps_by_rank(const std::vector<double>& target, Vector vector) {
  std::vector<double> overlaps(target.size(), 0.0);
  for (std::size_t k = 0; k < target.size(); ++k)
    for (std::size_t i = 0; i < target.size(); ++i)
      if (target[i] == target[k]) overlaps[k] += vector(k, i) * vector(k, i);
  return overlaps;
}

/// Measures the singular values of S, and the overlaps of its singular vectors with those of the target
/// (cross-attention).
void measure_singular_vectors(const Matrix<double>& S, Instance& result) {
  SingularSystem system = singular_system(S);
  using base::index;
  result.left_overlaps = overlaps_by_rank(
      result.target_eigenvalues, [&](std::size_t k, std::size_t i) { return system.left(index(i), index(k)); });
  result.right_overlaps = overlaps_by_rank(
      result.target_eigenvalues, [&](std::size_t k, std::size_t i) { return system.right(index(k), index(i)); });
  result.singular_values = std::move(system.values);
}

/// Measures the eigenvalues of the symmetric part of S, and of a target with modes what lies along its eigenvectors.
void measure_eigenvalues(const model::Problem& problem, Matrix<double> symmetric, Instance& result) {
  if (problem.target.spectrum().discrete()) {
    base::Eigensystem system = base::eigensystem(std::move(symmetric));
    const Eigen::Map<const Eigen::VectorXd> target(result.target_eigenvalues.data(), system.vectors.cols());
    const Eigen::VectorXd along = system.vectors.cwiseAbs2() * target;
    result.eigenvalues = std::move(system.values);
    result.along_target.assign(along.begin(), along.end());
    std::reverse(result.along_target.begin(), result.along_target.end());
  } else {
    result.eigenvalues = base::eigenvalues(std::move(symmetric));
  }
  std::reverse(result.eigenvalues.begin(), result.eigenvalues.end());
}

/// Measures overlaps and spectrum of S.
void measure_student(const model::Problem& problem, const Matrix<double>& S, Instance& result) {
  const auto d = static_cast<double>(S.rows());
  const TargetOverlap overlap = overlap_with(result.target_eigenvalues, S);
  result.m = overlap.m;
  result.estimation = overlap.estimation;
  result.Q_star = Eigen::Map<const Eigen::VectorXd>(result.target_eigenvalues.data(), S.rows()).squaredNorm() / d;
  if (problem.cross()) {
    result.q = S.squaredNorm() / d;
    measure_singular_vectors(S, result);
  } else {
    Matrix<double> symmetric = 0.5 * (S + S.transpose());
    result.q = symmetric.squaredNorm() / d;
    result.q_a = (S - symmetric).squaredNorm() / d;
    measure_eigenvalues(problem, std::move(symmetric), result);
    if (!student_layout(problem).symmetric) result.singular_values = singular_values(S);
  }
  result.nuclear = mean_absolute(result.singular_values.empty() ? result.eigenvalues : result.singular_values);
}

/// Measures a start, and predicts it from the target drawn.
Start measure_start(const model::Problem& problem, const Matrix<double>& S, const std::vector<double>& target) {
  const auto d = static_cast<double>(S.rows());
  const double m = overlap_with(target, S).m, norm = Eigen::Map<const Eigen::VectorXd>(target.data(), S.rows()).norm();
  return {{S.squaredNorm() / d, m, m * d / (S.norm() * norm)},
          model::spectral_start(problem, matrix_laws::Spectrum::from_eigenvalues(target))};
}

/// Returns the estimate that training begins from, and records its measures; nothing if the trainer takes its own
/// start.
template <class Real>
std::optional<MatrixEstimate> start_of(Objective<Real>& objective, const Options& options, Instance& result) {
  if (options.initialisation == Initialisation::random) return std::nullopt;
  MatrixEstimate start = spectral_start(objective);
  result.start = measure_start(objective.problem(), start.S, result.target_eigenvalues);
  return start;
}

template <class Real>
Trained train(Objective<Real>& objective, const Options& options, Instance& result) {
  const std::optional<MatrixEstimate> start = start_of(objective, options, result);
  const auto record = [&result](const Matrix<double>& S, double V) {
    const TargetOverlap overlap = overlap_with(result.target_eigenvalues, S);
    result.trajectory.push_back({S.squaredNorm() / static_cast<double>(S.rows()), overlap.m, V, overlap.estimation});
  };
  const TrainingOptions training{tolerance_of(objective.problem(), options),
                                 options.max_iterations,
                                 options.seed,
                                 result.seed,
                                 record,
                                 start ? &*start : nullptr,
                                 options.rate,
                                 options.stop_change};
  switch (options.trainer) {
    case Trainer::adam:
      return train_adam(objective, training);
    case Trainer::fista:
      return train_fista(objective, training);
    case Trainer::gamp:
      return train_gamp(objective, training);
    case Trainer::lbfgs:
      break;
  }
  return train_lbfgs(objective, training);
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Records the losses beside the one trained on, as far as they have a meaning.
void measure_losses(const model::Problem& problem, const TrainingFigures& train, const TestFigures& test,
                    Measurements& result) {
  const bool entropic = problem.loss == model::Loss::cross_entropy;
  const bool soft = entropic && problem.labels == model::Labels::soft;
  result.excess_train = soft ? train.loss - train.entropy : kNone;
  result.excess_test = entropic ? test.loss - test.entropy : kNone;
  result.squared_train = soft ? train.squared : kNone;
  result.squared_test = entropic ? test.squared : kNone;
  result.sign_error = kNone;
  const bool signs = problem.labels == model::Labels::sign;
  if (signs) result.sign_error = test.wrong;
  if (!signs && !(problem.custom_loss && problem.custom_loss->labels == model::CustomLabels::sign)) return;
  // Signs do not tell the scale of S.
  result.estimation = kNone;
}

/// Records the test errors by their origin. Signs do not tell the scale of S, and a posterior mean is no matrix.
void measure_parts(const model::Problem& problem, const TestFigures& test, Measurements& result) {
  if (std::isnan(result.estimation) || !problem.penalised()) {
    result.test_parts = result.noisy_parts = {kNone, kNone, kNone};
    return;
  }
  const double deviation = result.Q_star > 0 ? result.m / result.Q_star - 1 : 0;
  const double along = deviation * deviation * result.Q_star, orthogonal = result.estimation - along;
  result.test_parts = model::TestParts::of(test.loss, test.aligned, test.floor, orthogonal, along, result.Q_star);
  result.noisy_parts =
      model::TestParts::of(test.noisy_loss, test.noisy_aligned, test.noisy_floor, orthogonal, along, result.Q_star);
}

template <class Real>
Trained train_on_data(const model::Problem& problem, const Options& options, int threads, Instance& result,
                      TrainingFigures& figures) {
  Data<Real> data =
      draw_data<Real>(problem, result.target_eigenvalues, options.seed, result.seed, options.communicator);
  if (options.outputs == Outputs::sequences) data.products = token_products(problem, data);
  Objective<Real> objective(problem, data, threads);
  Trained trained = train(objective, options, result);
  result.train = result.objective = kNone;
  if (!problem.penalised()) return trained;
  figures = training_figures(objective, trained.S);
  const double d = options.d, n = static_cast<double>(sequence_count(problem, options.d));
  result.train = figures.loss;
  result.objective = figures.loss * n / (d * d) + make_penalty(problem)->value(trained.S);
  return trained;
}

template <class Real>
Instance run_instance(const model::Problem& problem, const Options& options, int threads, std::uint64_t instance) {
  const auto start = std::chrono::steady_clock::now();
  Instance result;
  result.seed = instance;
  result.target_eigenvalues =
      problem.target.eigenvalues(static_cast<std::size_t>(options.d), options.seed, options.one_target ? 0 : instance);
  TrainingFigures train;
  const Trained trained = train_on_data<Real>(problem, options, threads, result, train);
  result.kkt = trained.kkt;
  result.iterations = trained.iterations;
  result.converged = trained.converged;
  measure_student(problem, trained.S, result);
  const double test_sequences = std::ceil(kTestSequencesPerEntry * options.d * options.d);
  const TestFigures test =
      test_figures<Real>(problem, result.target_eigenvalues, trained.S, static_cast<std::int64_t>(test_sequences),
                         options.seed, instance, threads, trained.posterior_variance, options.communicator);
  result.test = test.loss;
  result.test_noisy = test.noisy_loss;
  measure_losses(problem, train, test, result);
  measure_parts(problem, test, result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (options.trained) options.trained(result, {trained.S.data(), base::size(trained.S.size())});
  return result;
}

/// Averages the parts of a test error over instances.
void average_parts(model::TestParts Measurements::*parts, Experiment& experiment) {
  using P = model::TestParts;
  for (double P::*part : {&P::floor, &P::price, &P::amplitude}) {
    const base::Estimate estimate =
        base::estimate_over(experiment.instances, [&](const Instance& instance) { return instance.*parts.*part; });
    experiment.mean.*parts.*part = estimate.value;
    experiment.standard_error.*parts.*part = estimate.standard_error;
  }
}

void average_all(Experiment& experiment) {
  using M = Measurements;
  for (double M::*quantity : {&M::q, &M::q_a, &M::m, &M::Q_star, &M::nuclear, &M::train, &M::test, &M::test_noisy,
                              &M::estimation, &M::objective, &M::kkt, &M::iterations, &M::seconds, &M::excess_train,
                              &M::excess_test, &M::squared_train, &M::squared_test, &M::sign_error}) {
    base::average_over(experiment.instances, quantity, experiment.mean, experiment.standard_error);
  }
  average_parts(&M::test_parts, experiment);
  average_parts(&M::noisy_parts, experiment);
}

}  // namespace

bool Experiment::converged() const {
  return std::all_of(instances.begin(), instances.end(), [](const Instance& instance) { return instance.converged; });
}

Experiment run(const model::Problem& problem, const Options& options) {
  require_feasible(problem, options);
  Experiment experiment{problem, options.d, sequence_count(problem, options.d), {}, {}, {}};
  const Threads threads = share_threads(options);
  const auto run_one = [&](std::size_t i) {
    const std::uint64_t instance = options.first_instance + i;
    return options.precision == Precision::single_ ? run_instance<float>(problem, options, threads.inside, instance)
                                                   : run_instance<double>(problem, options, threads.inside, instance);
  };
  if (options.keep_ended) {
    experiment.instances = base::those_that_ended(base::run_until_interrupted(
        static_cast<std::size_t>(options.instances), threads.instances, run_one, options.progress));
    if (experiment.instances.empty()) throw base::Interrupted();
  } else {
    experiment.instances = base::run_instances(options.instances, threads.instances, run_one, options.progress);
  }
  average_all(experiment);
  return experiment;
}

}  // namespace attnlaw::experiment
