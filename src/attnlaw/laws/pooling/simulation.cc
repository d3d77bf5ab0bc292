#include "attnlaw/laws/pooling/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/kolmogorov.h"

namespace attnlaw::laws {
namespace {

using base::reject;
using base::Stream;
using Eigen::Index;
using Matrix = base::Matrix<double>;

/// So many sequences are pooled at a time: their vectors stay in the second-level cache.
constexpr std::size_t kBlock = 256;

/// The setup that all instances share.
struct Setup {
  std::size_t d, vocabulary, sequences;
  PoolingRatios ratios;  ///< the ratios of these sizes
  double mu2;
  const SignCorrelations& correlations;
  Eigen::MatrixXd latent_factor;               ///< for general correlations
  std::optional<FixedLengthLaw> fixed_length;  ///< if it was asked for
  std::span<const double> weights;
  PoolingScalars scalars;
  const PoolingExperimentOptions& options;
};

std::uint64_t stream(const Setup& setup, Stream purpose, std::uint64_t instance) {
  return base::stream_id(purpose, setup.d, instance);
}

/// Returns A such that the signs of A z, z standard normal, have the correlations R: A Aᵀ = sin(πR/2) (elementwise).
Eigen::MatrixXd latent_factor(const Eigen::MatrixXd& R) {
  const auto [values, vectors] = base::eigensystem((0.5 * std::numbers::pi * R.array()).sin());
  const Eigen::Map<const Eigen::ArrayXd> variances(values.data(), R.rows());
  constexpr double kRounding = 1e-5;  // rounding of a correlation matrix in a file
  if (values.front() < -kRounding * static_cast<double>(R.rows()))
    reject(
        "signs of Gaussian variables cannot have this correlation matrix R: sin(pi R/2) must be positive "
        "semidefinite, got one with the eigenvalue {:.6g} (the theory needs no simulation: leave out --d)",
        values.front());
  return vectors.transpose() * variances.max(0).sqrt().matrix().asDiagonal();
}

/// Draws the signs of `count` sequences from number `first` on, one sequence per row.
class SignSource {
 public:
  SignSource(const Setup& setup, std::uint64_t instance)
      : setup_(setup), instance_(instance), length_(setup.correlations.length()) {}

  void fill(std::size_t first, std::size_t count, Matrix& signs) const {
    if (const auto* profile = std::get_if<SignCorrelations::Profile>(&setup_.correlations.kind())) {
      const std::vector<double> uniform = uniforms(first, count, length_ + 1);
      for (std::size_t i = 0; i < count; ++i) from_profile(*profile, &uniform[i * (length_ + 1)], signs.row(row(i)));
    } else if (const auto* markov = std::get_if<SignCorrelations::Markov>(&setup_.correlations.kind())) {
      const std::vector<double> uniform = uniforms(first, count, length_);
      for (std::size_t i = 0; i < count; ++i) from_chain(*markov, &uniform[i * length_], signs.row(row(i)));
    } else {
      Matrix normals(row(count), row(length_));
      base::NormalStream(setup_.options.seed, stream(setup_, Stream::pooling_latent_signs, instance_))
          .fill(first * length_, std::span(normals.data(), count * length_));
      signs.topRows(row(count)) =
          (normals * setup_.latent_factor.transpose()).unaryExpr([](double x) { return x < 0 ? -1.0 : 1.0; });
    }
  }

 private:
  static Index row(std::size_t i) { return static_cast<Index>(i); }

  std::vector<double> uniforms(std::size_t first, std::size_t count, std::size_t per_sequence) const {
    std::vector<double> numbers(count * per_sequence);
    base::UniformStream(setup_.options.seed, stream(setup_, Stream::pooling_signs, instance_))
        .fill(first * per_sequence, numbers);
    return numbers;
  }

  template <class Row>
  static void from_profile(const SignCorrelations::Profile& profile, const double* uniform, Row signs) {
    const double label = uniform[0] < 0.5 ? -1 : 1;
    for (std::size_t l = 0; l < profile.r.size(); ++l)
      signs[row(l)] = uniform[l + 1] < 0.5 * (1 + profile.r[l]) ? label : -label;
  }

  template <class Row>
  static void from_chain(const SignCorrelations::Markov& markov, const double* uniform, Row signs) {
    double sign = uniform[0] < 0.5 ? -1 : 1;
    signs[0] = sign;
    for (std::size_t l = 1; l < markov.length; ++l) {
      if (uniform[l] >= 0.5 * (1 + markov.rho)) sign = -sign;
      signs[row(l)] = sign;
    }
  }

  const Setup& setup_;
  std::uint64_t instance_;
  std::size_t length_;
};

/// The table E of the vocabulary. The first half of its rows has labels +1, the second −1; μ points along the first
/// axis.
struct Vocabulary {
  Matrix rows;
  Eigen::VectorXd q;     ///< Eᵀy/V
  Eigen::VectorXd mean;  ///< Eᵀ1/V
};

Vocabulary draw_vocabulary(const Setup& setup, std::uint64_t instance) {
  Vocabulary vocabulary{Matrix(setup.vocabulary, setup.d), {}, {}};
  Matrix& E = vocabulary.rows;
  base::NormalStream(setup.options.seed, stream(setup, Stream::pooling_vocabulary, instance))
      .fill(0, std::span(E.data(), static_cast<std::size_t>(E.size())));
  const Index half = E.rows() / 2;
  E.col(0).head(half).array() += std::sqrt(setup.mu2);
  E.col(0).tail(half).array() -= std::sqrt(setup.mu2);
  const Eigen::VectorXd upper = E.topRows(half).colwise().mean(), lower = E.bottomRows(half).colwise().mean();
  vocabulary.q = 0.5 * (upper - lower);
  vocabulary.mean = 0.5 * (upper + lower);
  return vocabulary;
}

/// Adds PᵀP of the first `count` rows to C.
void add_gram(const Matrix& P, std::size_t count, Matrix& C) {
  const auto d = static_cast<std::size_t>(P.cols());
  base::gemm(base::Transpose::yes, d, d, count, P.data(), P.data(), 1.0, C.data());
}

Matrix gram(const Matrix& E) {
  Matrix C = Matrix::Zero(E.cols(), E.cols());
  add_gram(E, static_cast<std::size_t>(E.rows()), C);
  return C;
}

/// The covariance of the pooled vectors and the variance of Σ w_l s_l, both centred or not.
struct Sample {
  Matrix covariance;
  double alpha = 0;
};

/// Draws tokens, rows of the table, from the classes that the signs name.
void draw_tokens(const Setup& setup, const double* signs, const double* uniform, std::vector<Index>& tokens) {
  const double half = static_cast<double>(setup.vocabulary / 2);
  for (std::size_t l = 0; l < tokens.size(); ++l)
    tokens[l] = static_cast<Index>((signs[l] > 0 ? 0 : half) + std::floor(uniform[l] * half));
}

/// Computes the weight of each token when the outputs of causal softmax attention with scores τ⟨e_k, e_l⟩/d are
/// averaged.
void own_weights(const Matrix& rows, const std::vector<Index>& tokens, double tau, std::vector<double>& weights) {
  const double scale = tau / static_cast<double>(rows.cols());
  std::fill(weights.begin(), weights.end(), 0.0);
  for (std::size_t j = 0; j < tokens.size(); ++j) {
    Eigen::ArrayXd attention(static_cast<Index>(j + 1));
    for (std::size_t l = 0; l <= j; ++l)
      attention[static_cast<Index>(l)] = scale * rows.row(tokens[l]).dot(rows.row(tokens[j]));
    attention = (attention - attention.maxCoeff()).exp();
    attention /= attention.sum() * static_cast<double>(tokens.size());
    for (std::size_t l = 0; l <= j; ++l) weights[l] += attention[static_cast<Index>(l)];
  }
}

Sample draw_sample(const Setup& setup, const Vocabulary& vocabulary, std::uint64_t instance) {
  const std::size_t length = setup.weights.size();
  const auto d = static_cast<Index>(setup.d), L = static_cast<Index>(length);
  const SignSource sign_source(setup, instance);
  const base::UniformStream token_source(setup.options.seed, stream(setup, Stream::pooling_tokens, instance));
  std::vector<Index> tokens(length);
  std::vector<double> weights(setup.weights.begin(), setup.weights.end());
  Matrix pooled(kBlock, d), signs(kBlock, L), C = Matrix::Zero(d, d);
  std::vector<double> uniform(kBlock * length);
  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(d);
  double signal_sum = 0, signal_square = 0;
  for (std::size_t first = 0; first < setup.sequences; first += kBlock) {
    base::check_interrupt();
    const std::size_t count = std::min(kBlock, setup.sequences - first);
    const auto rows = static_cast<Index>(count);
    sign_source.fill(first, count, signs);
    token_source.fill(first * length, std::span(uniform.data(), count * length));
    for (Index i = 0; i < rows; ++i) {
      draw_tokens(setup, signs.row(i).data(), &uniform[static_cast<std::size_t>(i) * length], tokens);
      if (setup.options.own_scores) own_weights(vocabulary.rows, tokens, *setup.options.own_scores, weights);
      // The counts of a sequence are sparse, so rows of the table are added, each times the weight of its token.
      pooled.row(i).setZero();
      double signal = 0;
      for (std::size_t l = 0; l < length; ++l) {
        pooled.row(i) += weights[l] * vocabulary.rows.row(tokens[l]);
        signal += weights[l] * signs(i, static_cast<Index>(l));
      }
      signal_sum += signal;
      signal_square += signal * signal;
    }
    add_gram(pooled, count, C);
    sum += pooled.topRows(rows).colwise().sum();
  }
  const double N = static_cast<double>(setup.sequences);
  Sample sample{C / N, signal_square / N};
  if (!setup.options.centred) return sample;
  sample.covariance -= (sum / N).transpose() * (sum / N);
  sample.alpha -= std::pow(signal_sum / N, 2);
  return sample;
}

/// Returns the centred covariance of infinitely many sequences over this vocabulary.
Matrix population_covariance(const Setup& setup, const Vocabulary& vocabulary, const Matrix& table) {
  const auto& [alpha, kappa, sum, fourth] = setup.scalars;
  return kappa * table + (alpha - kappa) * vocabulary.q * vocabulary.q.transpose() -
         kappa * vocabulary.mean * vocabulary.mean.transpose();
}

/// The eigensystem of a covariance matrix, where eigenvalues that are zero to rounding are 0.
struct CovarianceSystem : base::Eigensystem {
  std::size_t zeros = 0;  ///< number of zeros, the first values

  explicit CovarianceSystem(Matrix covariance) : base::Eigensystem(base::eigensystem(std::move(covariance))) {
    constexpr double kRounding = 1e-13;
    while (zeros < values.size() && values[zeros] <= kRounding * values.back()) values[zeros++] = 0;
  }
};

/// The spike that the theory predicts for what was drawn, and its direction.
struct DrawnSpike {
  Spike spike;
  Eigen::VectorXd direction;

  /// Returns the squared overlap of the outlier with the first axis.
  double alignment() const { return spike.overlap * direction[0] * direction[0] / direction.squaredNorm(); }
};

/// The numbers of spikes above the bulk and in the gap.
struct Outliers {
  std::size_t above = 0, gap = 0;
};

/// Returns the index of the eigenvalue that belongs to a spike. Among the outliers on its side of the bulk it is the
/// one whose eigenvector lies nearest to its direction; for a hidden spike it is the largest one of the bulk.
std::size_t find(const CovarianceSystem& system, const DrawnSpike& drawn, const Outliers& outliers) {
  const std::size_t d = system.values.size();
  if (drawn.spike.place == Place::hidden) return d - 1 - outliers.above;
  const bool above = drawn.spike.place == Place::above;
  const std::size_t first = above ? d - outliers.above : system.zeros;
  const std::size_t last = above ? d : std::min(d, system.zeros + outliers.gap);
  std::size_t best = first;
  double nearest = -1;
  for (std::size_t k = first; k < last; ++k) {
    const double overlap = std::pow(system.vectors.row(static_cast<Index>(k)).dot(drawn.direction), 2);
    if (overlap > nearest) nearest = overlap, best = k;
  }
  return std::min(best, d - 1);
}

PoolingMeasurement measure(const CovarianceSystem& system, const DrawnSpike& drawn, std::size_t index) {
  const double first = system.vectors(static_cast<Index>(index), 0);
  return {{system.values[index], first * first}, {drawn.spike.eigenvalue, drawn.alignment()}, drawn.spike.place};
}

PoolingMeasurement measure_alone(Matrix matrix, const DrawnSpike& drawn) {
  const CovarianceSystem system(std::move(matrix));
  return measure(system, drawn, find(system, drawn, {drawn.spike.place == Place::above, 1}));
}

/// Measures the distance of the eigenvalues that are no outliers from the law, or from both laws.
void measure_bulk(const Setup& setup, std::vector<double> bulk, std::vector<std::size_t> outliers,
                  PoolingInstance& result) {
  std::sort(outliers.begin(), outliers.end(), std::greater<>());
  for (const std::size_t k : outliers) bulk.erase(bulk.begin() + static_cast<std::ptrdiff_t>(k));
  result.kolmogorov_distance = matrix_laws::kolmogorov_distance(bulk, pooling_law(setup.ratios, setup.scalars.kappa));
  if (!setup.fixed_length) return;
  const FixedLengthLaw& law = *setup.fixed_length;
  result.fixed_length_distance = matrix_laws::kolmogorov_distance(
      bulk, [&](double x) { return law.distribution(x); }, law.zero_mass);
}

void measure_sample(const Setup& setup, const Vocabulary& vocabulary, Sample sample, PoolingInstance& result) {
  const PoolingRatios& ratios = setup.ratios;
  const PoolingScalars& scalars = setup.scalars;
  const auto drawn_spike = [&](double strength, const Eigen::VectorXd& direction) {
    const double s = strength / scalars.kappa * direction.squaredNorm() - ratios.delta;
    return DrawnSpike{sample_spike(ratios, scalars.kappa, s), direction};
  };
  std::vector<DrawnSpike> spikes{drawn_spike(sample.alpha, vocabulary.q)};
  if (!setup.options.centred) spikes.push_back(drawn_spike(scalars.sum * scalars.sum, vocabulary.mean));
  Outliers outliers;
  for (const DrawnSpike& drawn : spikes) {
    outliers.above += drawn.spike.place == Place::above;
    outliers.gap += drawn.spike.place == Place::gap;
  }
  const CovarianceSystem system(std::move(sample.covariance));
  std::vector<std::size_t> visible;
  for (const DrawnSpike& drawn : spikes) {
    const std::size_t index = find(system, drawn, outliers);
    const bool is_signal = &drawn == &spikes.front();
    if (drawn.spike.place != Place::hidden) visible.push_back(index);
    if (is_signal) result.sample = measure(system, drawn, index);
    if (!is_signal && drawn.spike.place == Place::above) result.nuisance = measure(system, drawn, index);
  }
  result.alpha = sample.alpha;
  measure_bulk(setup, system.values, std::move(visible), result);
  result.eigenvalues = system.values;
}

PoolingInstance run_instance(const Setup& setup, std::uint64_t instance) {
  const Vocabulary vocabulary = draw_vocabulary(setup, instance);
  const double delta = setup.ratios.delta, kappa = setup.scalars.kappa;
  PoolingInstance result;
  result.seed = instance;
  result.q2 = vocabulary.q.squaredNorm();
  measure_sample(setup, vocabulary, draw_sample(setup, vocabulary, instance), result);
  const Matrix table = gram(vocabulary.rows) / static_cast<double>(setup.vocabulary);
  const double s = setup.scalars.ratio() * result.q2 - delta;
  result.population =
      measure_alone(population_covariance(setup, vocabulary, table), {population_spike(delta, kappa, s), vocabulary.q});
  result.table = measure_alone(table, {population_spike(delta, 1, result.q2 - delta), vocabulary.q});
  return result;
}

/// Returns the bytes of the vocabulary, a block of pooled vectors, and the d×d matrices alive at once: covariances,
/// eigenvectors, the workspace of dsyevd, the kept table.
double bytes_needed(const Setup& setup) {
  constexpr double kSquares = 7;
  const double d = static_cast<double>(setup.d), rows = static_cast<double>(setup.vocabulary + kBlock);
  return (rows * d + kSquares * d * d) * sizeof(double);
}

void require_memory(const Setup& setup) {
  const int at_a_time = base::instances_at_a_time(setup.options.instances, setup.options.threads);
  base::require_memory(bytes_needed(setup) * at_a_time + base::thread_bytes(at_a_time),
                       fmt::format("a pooling experiment with d = {}, a vocabulary of {} and {} instances at a time",
                                   setup.d, setup.vocabulary, at_a_time),
                       "a smaller d or fewer threads");
}

/// Returns round(d/ratio). Throws unless it lies between 2 and 1e9.
std::size_t count_of(const char* name, double d, double ratio) {
  constexpr double kMost = 1e9;
  const double count = std::round(d / ratio);
  if (!(count >= 2 && count <= kMost))
    reject("d/{} must lie between 2 and 1e9, got {:.6g} for d = {} and {} = {}", name, count, d, name, ratio);
  return static_cast<std::size_t>(count);
}

Setup prepare(const PoolingRatios& ratios, double mu2, const SignCorrelations& correlations,
              std::span<const double> weights, const PoolingExperimentOptions& options) {
  const PoolingScalars scalars = pooling_scalars(weights, correlations);
  require_valid(PoolingModel{ratios, mu2, std::max(0.0, scalars.alpha), scalars.kappa});
  if (options.d < 2 || options.d >= base::kStreamDimensions)
    reject("d must be an integer >= 2 and < {}, got {}", base::kStreamDimensions, options.d);
  base::require_instances(options.instances, options.threads);
  const double d = static_cast<double>(options.d);
  const std::size_t vocabulary = 2 * ((count_of("delta", d, ratios.delta) + 1) / 2);
  const std::size_t sequences = count_of("gamma", d, ratios.gamma);
  const PoolingRatios drawn{d / static_cast<double>(vocabulary), d / static_cast<double>(sequences)};
  Setup setup{options.d, vocabulary, sequences, drawn, mu2, correlations, {}, {}, weights, scalars, options};
  if (options.own_scores && !std::isfinite(*options.own_scores))
    reject("tau of the scores must be a finite number, got {}", *options.own_scores);
  if (options.fixed_length) setup.fixed_length = fixed_length_law(drawn, weights);
  if (const auto* general = std::get_if<SignCorrelations::General>(&correlations.kind()))
    setup.latent_factor = latent_factor(general->R);
  return setup;
}

/// Averages over instances for the matrix that `measurement` names.
template <class Measurement>
PoolingSummary summarise(const std::vector<PoolingInstance>& instances, const Measurement& measurement) {
  const auto estimate = [&](double (*figure)(const PoolingMeasurement&)) {
    return base::estimate_over(
        instances, [&](const PoolingInstance& instance) { return figure(std::invoke(measurement, instance)); });
  };
  return {estimate([](const PoolingMeasurement& m) { return m.measured.eigenvalue; }),
          estimate([](const PoolingMeasurement& m) { return m.measured.alignment; }),
          estimate([](const PoolingMeasurement& m) { return m.measured.eigenvalue / m.theory.eigenvalue - 1; }),
          estimate([](const PoolingMeasurement& m) { return m.measured.alignment - m.theory.alignment; })};
}

void summarise(PoolingExperiment& experiment) {
  const std::vector<PoolingInstance>& instances = experiment.instances;
  experiment.table = summarise(instances, &PoolingInstance::table);
  experiment.population = summarise(instances, &PoolingInstance::population);
  experiment.sample = summarise(instances, &PoolingInstance::sample);
  if (std::all_of(instances.begin(), instances.end(), [](const auto& one) { return one.nuisance.has_value(); }))
    experiment.nuisance = summarise(instances, [](const PoolingInstance& one) { return *one.nuisance; });
  experiment.kolmogorov_distance = base::estimate_over(instances, &PoolingInstance::kolmogorov_distance);
  if (experiment.fixed_length_distance)
    experiment.fixed_length_distance = base::estimate_over(instances, &PoolingInstance::fixed_length_distance);
}

}  // namespace

std::vector<double> PoolingExperiment::eigenvalues() const {
  std::vector<double> all;
  for (const PoolingInstance& instance : instances)
    all.insert(all.end(), instance.eigenvalues.begin(), instance.eigenvalues.end());
  std::sort(all.begin(), all.end());
  return all;
}

PoolingExperiment simulate_pooling(const PoolingRatios& ratios, double mu2, const SignCorrelations& correlations,
                                   std::span<const double> weights, const PoolingExperimentOptions& options) {
  const Setup setup = prepare(ratios, mu2, correlations, weights, options);
  require_memory(setup);
  PoolingExperiment experiment{setup.d, setup.vocabulary, setup.sequences, options.centred, {}, {}, {}, {}, {}, {}, {}};
  if (options.fixed_length) experiment.fixed_length_distance.emplace();
  experiment.instances = base::run_instances(
      options.instances, options.threads, [&](std::size_t i) { return run_instance(setup, i); }, options.progress);
  summarise(experiment);
  return experiment;
}

}  // namespace attnlaw::laws
