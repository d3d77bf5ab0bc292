#include "attnlaw/laws/adapter/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "attnlaw/base/fields/description.h"
#include "attnlaw/base/index.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/experiment/data/data.h"
#include "attnlaw/experiment/data/data_pass.h"
#include "attnlaw/experiment/data/losses.h"
#include "attnlaw/experiment/data/outputs.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/experiment/student/spectral.h"
#include "attnlaw/experiment/train/lbfgs.h"
#include "attnlaw/matrix_laws/optimal_denoiser.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using base::size;
using base::Stream;
using Eigen::Index;
using Matrix = base::Matrix<double>;
using Columns = base::Columns<double>;

/// So many fresh sequences measure the error of softmax outputs: the relative error of about 1.5/√N is then below what
/// differs from instance to instance.
constexpr Index kTestSequences = 40000;

base::NormalStream stream(Stream purpose, Index d, std::uint64_t seed, std::uint64_t instance) {
  return {seed, base::stream_id(purpose, size(d), instance)};
}

Matrix draw(const base::NormalStream& source, Index first_row, Index rows, Index columns) {
  Matrix result(rows, columns);
  source.fill(static_cast<std::uint64_t>(first_row * columns), std::span(result.data(), size(result.size())));
  return result;
}

// --- pre-trained students -------------------------------------------------------------------------------------------

/// Makes the student diag(target)·c + a Z.
FrozenStudent noisy(std::vector<double> target, double c, double a, std::uint64_t seed, std::uint64_t instance) {
  const auto d = static_cast<Index>(target.size());
  const Matrix normals = draw(stream(Stream::pretraining, d, seed, instance), 0, d, d);
  FrozenStudent student{std::move(target),
                        (a / std::sqrt(2.0 * static_cast<double>(d))) * (normals + normals.transpose())};
  for (Index i = 0; i < d; ++i) student.S(i, i) += c * student.target_eigenvalues[size(i)];
  return student;
}

/// Returns the noise variance at which the posterior mean has the error E_pre, which must be > 0 and below the variance
/// of the spectrum.
double noise_of_error(const matrix_laws::Spectrum& spectrum, double E_pre) {
  constexpr double kFactor = 8, kLargest = 1e9;
  const auto excess = [&](double log_v) {
    return matrix_laws::OptimalDenoiser(spectrum, std::exp(log_v)).mean_square_error() - E_pre;
  };
  double upper = E_pre;  // the error is at most v
  while (excess(std::log(upper)) < 0) {
    upper *= kFactor;
    if (upper > kLargest) return upper;
  }
  constexpr int kBits = 30;
  std::uintmax_t steps = 60;
  const auto root = boost::math::tools::toms748_solve(excess, std::log(upper / kFactor), std::log(upper),
                                                      boost::math::tools::eps_tolerance<double>(kBits), steps);
  return std::exp(0.5 * (root.first + root.second));
}

FrozenStudent denoised(const matrix_laws::OptimalDenoiser& denoiser, std::vector<double> target, double v,
                       std::uint64_t seed, std::uint64_t instance) {
  FrozenStudent student = noisy(std::move(target), 1, std::sqrt(v), seed, instance);
  base::Eigensystem system = base::eigensystem(std::move(student.S));
  for (double& x : system.values) x = denoiser(x);
  student.S = experiment::recompose(system, system.values);
  return student;
}

// --- fine-tuning ----------------------------------------------------------------------------------------------------

/// What one instance learns from: the task, the frozen student and the direction u.
struct Setting {
  const LoraTask& task;
  model::Problem problem;  ///< head, tokens, noise and β of the labels
  FrozenStudent frozen;
  Eigen::VectorXd u;
  std::uint64_t seed, instance;

  Index d() const { return u.size(); }
  experiment::ScoreLayout layout() const { return experiment::student_layout(problem); }
};

model::Problem label_problem(const LoraTask& task) {
  model::Problem problem;
  problem.tokens = task.tokens;
  problem.head = task.head;
  problem.beta = problem.target_beta = task.beta;
  problem.noise = task.noise;
  return problem;
}

/// Sequences with their scores under the matrix of the task and under the frozen student.
struct Sequences {
  Matrix X;
  Columns task, frozen;
};

Sequences draw_sequences(const Setting& setting, const base::NormalStream& source, Index first, Index count) {
  const Index d = setting.d(), T = setting.task.tokens;
  const experiment::ScoreLayout layout = setting.layout();
  Sequences result{draw(source, first * T, count * T, d), Columns(count, layout.count()),
                   Columns(count, layout.count())};
  Matrix product;
  experiment::target_scores(layout, setting.frozen.target_eigenvalues, result.X.data(), result.X.data(), product,
                            result.task);
  const Matrix v = result.X * setting.u;
  Columns adapter(count, layout.count());
  experiment::pair_scores(layout, 1, v.data(), v.data(), setting.task.omega, setting.task.omega, adapter);
  result.task += adapter;
  base::gemm(base::Transpose::no, size(count * T), size(d), size(d), result.X.data(), setting.frozen.S.data(), 0.0,
             product.data());
  const double normalisation = 1 / std::sqrt(static_cast<double>(d));
  experiment::pair_scores(layout, d, product.data(), result.X.data(), normalisation,
                          normalisation * setting.frozen.S.trace(), result.frozen);
  return result;
}

/// Σ_ab h_ab² of every sequence.
Eigen::VectorXd score_squares(const experiment::ScoreLayout& layout, const Columns& scores) {
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(scores.rows());
  layout.for_each([&](int a, int b, int k) { squares += layout.multiplicity(a, b) * scores.col(k).square().matrix(); });
  return squares;
}

/// Returns the `count` sequences whose frozen scores are least, in their order.
Sequences least_scores(const experiment::ScoreLayout& layout, const Sequences& all, Index count) {
  const Eigen::VectorXd squares = score_squares(layout, all.frozen);
  std::vector<Index> order(size(squares.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::nth_element(order.begin(), order.begin() + count - 1, order.end(),
                   [&](Index i, Index j) { return std::pair(squares[i], i) < std::pair(squares[j], j); });
  order.resize(size(count));
  std::sort(order.begin(), order.end());
  const Index T = layout.rows;
  Sequences least{Matrix(count * T, all.X.cols()), Columns(count, all.task.cols()), Columns(count, all.frozen.cols())};
  for (Index i = 0; i < count; ++i) {
    const Index from = order[size(i)];
    least.X.middleRows(i * T, T) = all.X.middleRows(from * T, T);
    least.task.row(i) = all.task.row(from);
    least.frozen.row(i) = all.frozen.row(from);
  }
  return least;
}

/// Returns how many sequences are looked at for n to train on: of a small share more than an Index can hold, which
/// require_memory must have seen before it becomes one.
double seen_sequences(const LoraTask& task, double n) {
  return task.sequences == LoraSequences::selected ? std::ceil(n / task.share) : n;
}

/// Computes the objective (1/d) Σ ½‖Y − f(h)‖² + (λ/2)|w|² of the training set.
class FineTuning {
 public:
  FineTuning(const Setting& setting, Index n)
      : setting_(setting), frozen_(), data_(draw_training_set(n)), pass_(setting.problem, data_, 1) {}

  Index n() const { return frozen_.rows(); }

  /// Returns the posterior mean of u by message passing from a start, given the variance of scores beside the adapter.
  PosteriorMean posterior(double noise, const Matrix& start) const {
    const Eigen::VectorXd labels = (data_.labels - frozen_).col(0).matrix();
    return posterior_mean(data_.X, {labels.data(), size(labels.size())}, setting_.task.omega, noise, start);
  }

  double loss(const Matrix& w) { return pass_.at_factor(w, root_d(), pointwise(), nullptr)[0] / 2; }

  double objective(const Matrix& w, Matrix& gradient) {
    const double lambda = setting_.task.lambda, d = static_cast<double>(setting_.d());
    const double sum = pass_.at_factor(w, root_d(), pointwise(), &gradient)[0];
    gradient = gradient / root_d() + lambda * w;
    return sum / (2 * d) + 0.5 * lambda * w.squaredNorm();
  }

  /// Returns the leading eigenvector of −∇_S at w = 0, with the length of least objective among a few.
  Matrix spectral_start() {
    Matrix gradient;
    pass_.at_matrix(Matrix::Zero(setting_.d(), setting_.d()), pointwise(), &gradient);
    const base::Eigensystem system = base::eigensystem(-0.5 * (gradient + gradient.transpose()));
    const Matrix direction = system.vectors.row(setting_.d() - 1).transpose();
    constexpr double kShortest = 1.0 / 16, kLongest = 32, kRatio = 1.4142135623730951;
    double best = kShortest, least = std::numeric_limits<double>::infinity();
    Matrix unused;
    for (double length = kShortest; length < kLongest; length *= kRatio) {
      const double value = objective(length * direction, unused);
      if (value < least) best = length, least = value;
    }
    return best * direction;
  }

 private:
  double root_d() const { return std::sqrt(static_cast<double>(setting_.d())); }

  experiment::Data<double> draw_training_set(Index n) {
    const auto source = [&](Stream purpose) { return stream(purpose, setting_.d(), setting_.seed, setting_.instance); };
    const LoraSequences kind = setting_.task.sequences;
    const bool reused = kind == LoraSequences::reused;
    Sequences sequences = draw_sequences(setting_, source(reused ? Stream::data : Stream::adapter_data), 0,
                                         static_cast<Index>(seen_sequences(setting_.task, static_cast<double>(n))));
    if (kind == LoraSequences::selected) sequences = least_scores(setting_.layout(), sequences, n);
    frozen_ = std::move(sequences.frozen);
    if (setting_.task.noise > 0)
      experiment::add_noise(setting_.problem, source(reused ? Stream::label_noise : Stream::adapter_noise), 0,
                            sequences.task);
    experiment::Data<double> data{
        .X = std::move(sequences.X), .Y = {}, .labels = Columns(n, experiment::output_count(setting_.problem))};
    experiment::target_outputs(setting_.problem, sequences.task, data.labels);
    return data;
  }

  experiment::DataPass<double>::Pointwise pointwise() const {
    return [this](Index first, Columns& scores, Columns& outputs) {
      scores += frozen_.middleRows(first, scores.rows());
      const auto labels = data_.labels.middleRows(first, scores.rows());
      return experiment::DataPass<double>::Sums{
          experiment::loss_and_coefficients<double>(setting_.problem, labels, scores, outputs)};
    };
  }

  const Setting& setting_;
  Columns frozen_;
  experiment::Data<double> data_;
  experiment::DataPass<double> pass_;
};

/// Measures on fresh sequences the mean of ‖f(h of the task) − f(h of the student)‖², noiseless and with the noise of
/// the labels, whose numbers follow those of the n training sequences.
void measure_outputs(const Setting& setting, const Matrix& w, Index n, LoraInstance& result) {
  const base::NormalStream source = stream(Stream::adapter_test_data, setting.d(), setting.seed, setting.instance);
  const experiment::ScoreLayout layout = setting.layout();
  const double norm = w.squaredNorm();
  const base::NormalStream noise = stream(Stream::adapter_noise, setting.d(), setting.seed, setting.instance);
  double sum = 0, sum_noisy = 0;
  const Index block = experiment::block_sequences(setting.task.tokens);
  for (Index first = 0; first < kTestSequences; first += block) {
    base::check_interrupt();
    const Index count = std::min(block, kTestSequences - first);
    Sequences sequences = draw_sequences(setting, source, first, count);
    const Matrix p = sequences.X * w;
    Columns adapter(count, layout.count());
    experiment::pair_scores(layout, 1, p.data(), p.data(), 1, norm, adapter);
    Columns wanted(count, experiment::output_count(setting.problem)), given = wanted;
    experiment::target_outputs(setting.problem, sequences.task, wanted);
    experiment::student_outputs<double>(setting.problem, sequences.frozen + adapter, given);
    sum += experiment::squared_distance<double>(setting.problem, wanted, given);
    if (!(setting.task.noise > 0)) continue;
    experiment::add_noise(setting.problem, noise, n + first, sequences.task);
    experiment::target_outputs(setting.problem, sequences.task, wanted);
    sum_noisy += experiment::squared_distance<double>(setting.problem, wanted, given);
  }
  result.test = sum / static_cast<double>(kTestSequences);
  result.test_noisy = setting.task.noise > 0 ? sum_noisy / static_cast<double>(kTestSequences) : result.test;
}

void measure_pretraining(const Setting& setting, LoraInstance& result) {
  const auto d = static_cast<double>(setting.d());
  const Eigen::Map<const Eigen::VectorXd> target(setting.frozen.target_eigenvalues.data(), setting.d());
  Matrix residual = setting.frozen.S;
  residual.diagonal() -= target;
  result.Q_star = target.squaredNorm() / d;
  result.Q_pre = setting.frozen.S.squaredNorm() / d;
  result.m_pre = setting.frozen.S.diagonal().dot(target) / d;
  result.E_pre = residual.squaredNorm() / d;
  result.train_pre = setting.frozen.train;
  result.omega_effective = setting.task.omega - setting.u.dot(residual * setting.u) / std::sqrt(d);
}

void measure_adapter(const Setting& setting, const Matrix& w, Index n, LoraInstance& result) {
  const auto d = static_cast<double>(setting.d());
  const double overlap = setting.u.dot(w.col(0));
  const LoraOverlaps overlaps{std::abs(overlap), w.squaredNorm(), 0};
  result.m = overlaps.m;
  result.q = overlaps.q;
  result.alignment = overlaps.alignment();
  result.adapter_error = overlaps.adapter_error(setting.task.omega);
  Matrix difference =
      setting.frozen.S + std::sqrt(d) * (w * w.transpose() - setting.task.omega * setting.u * setting.u.transpose());
  difference.diagonal() -= Eigen::Map<const Eigen::VectorXd>(setting.frozen.target_eigenvalues.data(), setting.d());
  result.index_error = setting.task.score_square() * difference.squaredNorm() / d;
  if (setting.task.head == model::Head::linear)
    result.test = result.index_error, result.test_noisy = result.index_error + setting.task.label_scatter();
  else
    measure_outputs(setting, w, n, result);
}

Matrix train(FineTuning& fine_tuning, const Setting& setting, const LoraExperimentOptions& options,
             LoraInstance& result) {
  const Matrix start = options.start == AdapterStart::spectral ? fine_tuning.spectral_start()
                                                               : Matrix(std::sqrt(setting.task.omega) * setting.u);
  result.start_alignment = std::pow(setting.u.dot(start.col(0)), 2) / start.squaredNorm();
  const double least = 1e-4 * std::sqrt(setting.task.omega);  // an adapter this short counts as none
  const auto residual = [&](const Matrix& w, const Matrix& gradient) {
    return gradient.norm() / (setting.task.lambda * std::max(w.norm(), least));
  };
  const experiment::Minimisation minimisation{
      [&](const Matrix& w, Matrix& gradient) { return fine_tuning.objective(w, gradient); },
      [&](const Matrix& w, const Matrix& gradient, int) { return residual(w, gradient) <= options.tolerance; },
      {},
      options.max_iterations,
      std::numeric_limits<double>::epsilon()};
  const experiment::Minimum minimum = experiment::minimise_lbfgs(minimisation, start);
  Matrix gradient;
  result.objective = fine_tuning.objective(minimum.at, gradient);
  result.gradient = residual(minimum.at, gradient);
  result.iterations = minimum.iterations;
  result.converged = setting.frozen.converged && result.gradient <= options.tolerance;
  result.train = fine_tuning.loss(minimum.at) / static_cast<double>(fine_tuning.n());
  return minimum.at;
}

PretrainedOverlaps overlaps_of(const LoraMeasurements& drawn) {
  return {drawn.Q_star, drawn.Q_pre, drawn.m_pre, drawn.train_pre};
}

void measure_posterior(const Setting& setting, FineTuning& fine_tuning, LoraInstance& result) {
  const auto [mean, converged] =
      fine_tuning.posterior(residual_variance(setting.task, overlaps_of(result)), fine_tuning.spectral_start());
  result.bayes_converged = converged;
  const double overlap = setting.u.dot(mean.col(0)), square = mean.squaredNorm(), omega = setting.task.omega;
  result.bayes_alignment = square > 0 ? overlap * overlap / square : 0;
  result.bayes_adapter_error = omega * omega * (1 - 2 * overlap * overlap + square * square);
}

/// Throws unless the student was trained on the sequences that the task asks for.
void require_sequences(const LoraTask& task, const FrozenStudent& student, int d) {
  if (task.sequences != LoraSequences::reused) return;
  if (!student.problem)
    reject("sequences reused trains on the sequences of pre-training, which this student does not have");
  require_reusable(task, *student.problem, d);
}

LoraInstance run_instance(const LoraTask& task, const Pretraining& pretraining, const LoraExperimentOptions& options,
                          Index n, std::uint64_t instance) {
  LoraInstance result;
  result.seed = instance;
  Setting setting{task, label_problem(task), pretraining(options.d, options.seed, instance),
                  {},   options.seed,        instance};
  require_sequences(task, setting.frozen, options.d);
  setting.u = draw(stream(Stream::adapter, options.d, options.seed, instance), 0, options.d, 1).normalized();
  measure_pretraining(setting, result);
  FineTuning fine_tuning(setting, n);
  measure_adapter(setting, train(fine_tuning, setting, options, result), n, result);
  if (options.posterior) measure_posterior(setting, fine_tuning, result);
  return result;
}

/// Returns n = round(α d). Throws if it is below 1 or memory does not suffice.
Index sequence_count(const LoraTask& task, const LoraExperimentOptions& options) {
  const double d = options.d, n = std::round(task.alpha * d);
  if (n < 1) reject("alpha_ft d must be at least 1 sequence, got alpha_ft = {} with d = {}", task.alpha, options.d);
  // Memory goes to the sequences and their products with S (kCopies), and to matrices of the students (kSquares).
  constexpr double kCopies = 3, kSquares = 12;
  const int instances = base::instances_at_a_time(options.instances, options.threads);
  const double seen = seen_sequences(task, n);
  const bool selected = task.sequences == LoraSequences::selected;
  base::require_memory(instances * sizeof(double) * (kCopies * seen * task.tokens * d + kSquares * d * d) +
                           base::thread_bytes(instances),
                       fmt::format("fine-tuning with d = {}, alpha_ft = {}{} and {} instances at a time", options.d,
                                   task.alpha, selected ? fmt::format(", share = {}", task.share) : "", instances),
                       selected ? "a smaller d, a larger share or fewer threads" : "a smaller d or fewer threads");
  return static_cast<Index>(n);
}

}  // namespace

Pretraining train_students(const model::Problem& problem, const experiment::Options& options) {
  return [problem, options](int d, std::uint64_t seed, std::uint64_t instance) {
    FrozenStudent student;
    experiment::Options run = options;
    run.d = d;
    run.seed = seed;
    run.instances = 1;
    run.first_instance = instance;
    run.threads = 1;
    run.progress = {};
    run.trained = [&](const experiment::Instance& trained, std::span<const double> S) {
      student = {trained.target_eigenvalues, Eigen::Map<const Matrix>(S.data(), d, d), trained.converged, trained.train,
                 problem};
    };
    experiment::run(problem, run);
    return student;
  };
}

Pretraining rescaled(Pretraining pretraining, double beta) {
  return [pretraining = std::move(pretraining), beta](int d, std::uint64_t seed, std::uint64_t instance) {
    FrozenStudent student = pretraining(d, seed, instance);
    student.S *= beta;
    student.train = std::numeric_limits<double>::quiet_NaN();
    student.problem.reset();
    return student;
  };
}

FrozenStudent noisy_student(const model::Target& target, double c, double a, int d, std::uint64_t seed,
                            std::uint64_t instance) {
  return noisy(target.eigenvalues(static_cast<std::size_t>(d), seed, instance), c, a, seed, instance);
}

Pretraining sample_students(const model::Target& target, const PretrainedOverlaps& pretrained) {
  pretrained.validate();
  constexpr double kRounding = 1e-9;
  const double Q_star = pretrained.Q_star, E_pre = pretrained.E_pre();
  if (std::abs(Q_star - target.Q_star()) > kRounding * Q_star)
    reject("Q* of the overlaps must be that of the target, {}, got {}", target.Q_star(), Q_star);
  const matrix_laws::Spectrum& spectrum = target.spectrum();
  const bool calibrated = std::abs(pretrained.m_pre - pretrained.Q_pre) <= kRounding * Q_star;
  // Errors beyond this part of the variance would take a noise out of all proportion.
  constexpr double kLargestPart = 0.999;
  const double variance = Q_star - spectrum.mean() * spectrum.mean();
  if (calibrated && E_pre > kRounding * Q_star && E_pre < kLargestPart * variance) {
    const double v = noise_of_error(spectrum, E_pre);
    return [target, v, denoiser = matrix_laws::OptimalDenoiser(spectrum, v)](int d, std::uint64_t seed,
                                                                             std::uint64_t instance) {
      return denoised(denoiser, target.eigenvalues(static_cast<std::size_t>(d), seed, instance), v, seed, instance);
    };
  }
  const double c = Q_star > 0 ? pretrained.m_pre / Q_star : 0;
  const double a = std::sqrt(std::max(0.0, pretrained.Q_pre - c * pretrained.m_pre));
  return [target, c, a](int d, std::uint64_t seed, std::uint64_t instance) {
    return noisy_student(target, c, a, d, seed, instance);
  };
}

void LoraExperimentOptions::validate() const {
  base::require_in_ranges(describe(this), this);
  base::require_instances(instances, threads);
}

bool LoraExperiment::converged() const {
  return std::all_of(instances.begin(), instances.end(),
                     [](const LoraInstance& one) { return one.converged && one.bayes_converged; });
}

LoraExperiment simulate_lora(const LoraTask& task, const Pretraining& pretraining,
                             const LoraExperimentOptions& options) {
  task.validate();
  options.validate();
  if (options.posterior) require_posterior(task);
  LoraExperiment result{task, options.d, sequence_count(task, options), {}, {}, {}};
  result.instances = base::run_instances(
      options.instances, options.threads,
      [&](std::size_t i) { return run_instance(task, pretraining, options, result.n, i); }, options.progress);
  for (const base::Field& figure : describe(&result.mean).fields) {
    std::vector<double> values;
    for (const LoraMeasurements& instance : result.instances) values.push_back(figure.get(&instance).get<double>());
    const Estimate estimate = base::estimate_of(values);
    figure.set(&result.mean, estimate.value);
    figure.set(&result.standard_error, estimate.standard_error);
  }
  return result;
}

namespace {

/// The task with the ω that was left to learn. With a small ω and a small d the residual of pre-training may exceed ω;
/// then ω is left as it is.
LoraTask task_left(const LoraExperiment& experiment) {
  LoraTask task = experiment.task;
  if (experiment.mean.omega_effective > 0) task.omega = experiment.mean.omega_effective;
  return task;
}

}  // namespace

LoraBayes predict_posterior(const LoraExperiment& experiment) {
  return predict_posterior(task_left(experiment), overlaps_of(experiment.mean));
}

LoraPrediction predict_lora(const LoraExperiment& experiment, const LoraOptions& options) {
  LoraPrediction prediction = predict_lora(task_left(experiment), overlaps_of(experiment.mean), options);
  // The adapter was compared with the whole of ω u uᵀ, not with what was left to learn.
  prediction.adapter_error = prediction.overlaps.adapter_error(experiment.task.omega);
  return prediction;
}

}  // namespace attnlaw::laws
