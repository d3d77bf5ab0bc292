#include "attnlaw/laws/softmax/simulation.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "attnlaw/base/index.h"
#include "attnlaw/base/instances.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/matrix.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/laws/softmax/finite_size.h"
#include "attnlaw/matrix_laws/kolmogorov.h"
#include "attnlaw/matrix_laws/law_difference.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::laws {
namespace {

using base::product;
using base::reject;
using base::size;
using base::Stream;
using base::Transpose;
using Matrix = base::Matrix<double>;

Matrix gaussian(const SimulationOptions& options, Stream purpose, std::size_t instance, Eigen::Index rows,
                Eigen::Index columns) {
  Matrix matrix(rows, columns);
  const std::uint64_t stream = base::stream_id(purpose, static_cast<std::uint64_t>(options.length), instance);
  base::NormalStream(options.seed, stream).fill(0, {matrix.data(), size(matrix.size())});
  return matrix;
}

/// Draws scores of unit variance. Orthonormal tokens drop out, because X W_Q and X W_K are iid N(0,1) themselves.
Matrix scores(const AttentionSimulation& setup, const SimulationOptions& options, std::size_t instance) {
  const Eigen::Index T = setup.length, d = setup.embedding_dimension, m = setup.head_dimension;
  const double normalisation = 1 / std::sqrt(static_cast<double>(m));
  if (d == 0) {
    const Matrix queries = gaussian(options, Stream::attention_queries, instance, T, m);
    return normalisation * product(queries, gaussian(options, Stream::attention_keys, instance, m, T));
  }
  const Matrix tokens = gaussian(options, Stream::attention_tokens, instance, d, T);  // Xᵀ
  const Matrix queries = product(tokens, gaussian(options, Stream::attention_queries, instance, d, m), Transpose::yes);
  const Matrix keys = product(gaussian(options, Stream::attention_keys, instance, d, m), tokens, Transpose::yes);
  return normalisation / static_cast<double>(d) * product(queries, keys);
}

void softmax_rows(Matrix& logits) {
  for (Eigen::Index a = 0; a < logits.rows(); ++a) {
    base::check_interrupt();
    auto row = logits.row(a);
    row = (row.array() - row.maxCoeff()).exp();
    row /= row.sum();
  }
}

/// Returns s₁ of a row-stochastic matrix, by power iteration from the constant vector, which is close to the singular
/// vector.
double leading_singular_value(const Matrix& A) {
  constexpr int kMostIterations = 1000;
  constexpr double kRounding = 1e-15;
  Eigen::VectorXd vector = Eigen::VectorXd::Constant(A.cols(), 1 / std::sqrt(static_cast<double>(A.cols())));
  double value = 0;
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    base::check_interrupt();
    const Eigen::VectorXd image = A * vector;
    const double last = value;
    value = image.norm();
    if (std::abs(value - last) <= kRounding * value) break;
    vector.noalias() = A.transpose() * image;
    vector.normalize();
  }
  return value;
}

/// Returns the square roots of the eigenvalues of A_⊥ᵀ A_⊥, ascending. The smallest have an error of about 1e-8 of the
/// largest, far below the distance of neighbours.
std::vector<double> singular_values(const Matrix& A_perp) {
  std::vector<double> values = base::eigenvalues(product(A_perp, A_perp, Transpose::yes));
  for (double& value : values) value = std::sqrt(std::max(0.0, value));
  return values;
}

/// Returns the means of λ, λ², λ³ over all but the last `trimmed` of ascending singular values.
std::array<double, 3> moments_of(std::span<const double> ascending, int trimmed) {
  std::array<double, 3> moments{};
  const auto kept = ascending.first(ascending.size() - static_cast<std::size_t>(trimmed));
  for (const double s : kept) {
    double power = 1;
    for (double& moment : moments) moment += power *= s * s;
  }
  for (double& moment : moments) moment /= static_cast<double>(kept.size());
  return moments;
}

AttentionInstance draw(const AttentionSimulation& setup, const SimulationOptions& options, std::size_t number) {
  const auto begin = std::chrono::steady_clock::now();
  AttentionInstance instance;
  Matrix A = setup.parameters.beta * scores(setup, options, number);
  softmax_rows(A);
  instance.leading_singular_value = leading_singular_value(A);
  const double T = setup.length;
  A = std::sqrt(T) * (A.array() - 1 / T);
  instance.singular_values = singular_values(A);
  instance.moments = moments_of(instance.singular_values, 0);
  instance.trimmed_moments = moments_of(instance.singular_values, kTrimmed);
  instance.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return instance;
}

void require_valid(const SimulationOptions& options) {
  if (options.length > kMostLength) reject("a simulation takes at most {} tokens, got {}", kMostLength, options.length);
  base::require_instances(options.instances, options.threads);
}

AttentionSimulation setup_of(const SoftmaxParameters& parameters, const SimulationOptions& options) {
  require_valid(options);
  const Dimensions dimensions = dimensions_of(parameters, options.length);
  AttentionSimulation setup{parameters, options.length, dimensions.head, dimensions.embedding, {}};
  setup.parameters.rho = static_cast<double>(options.length) / dimensions.head;
  if (dimensions.embedding > 0) setup.parameters.tau = static_cast<double>(options.length) / dimensions.embedding;
  return setup;
}

std::uint64_t bytes_of(const AttentionSimulation& setup, const SimulationOptions& options) {
  const double T = setup.length, d = setup.embedding_dimension, m = setup.head_dimension;
  // While scores are drawn, their product and its factors are held; while they are decomposed, A_⊥ and its square.
  const double drawing = 2 * T * T + (d == 0 ? 2 * T * m : d * T + d * m + 2 * T * m);
  constexpr double kSquares = 2;
  return static_cast<std::uint64_t>(sizeof(double) * std::max(drawing, kSquares * T * T) *
                                    base::instances_at_a_time(options.instances, options.threads));
}

}  // namespace

std::uint64_t simulation_bytes(const SoftmaxParameters& parameters, const SimulationOptions& options) {
  return bytes_of(setup_of(parameters, options), options);
}

AttentionSimulation simulate_attention(const SoftmaxParameters& parameters, const SimulationOptions& options) {
  AttentionSimulation simulation = setup_of(parameters, options);
  const int at_a_time = base::instances_at_a_time(options.instances, options.threads);
  base::require_memory(static_cast<double>(bytes_of(simulation, options)) + base::thread_bytes(at_a_time),
                       fmt::format("simulating {} tokens, {} instances at a time,", options.length, at_a_time),
                       "fewer tokens or threads");
  simulation.instances = base::run_instances(
      options.instances, options.threads, [&](std::size_t i) { return draw(simulation, options, i); },
      options.progress);
  return simulation;
}

AttentionComparison compare(const AttentionSimulation& simulation, const SoftmaxLaw& law) {
  AttentionComparison result;
  for (const AttentionInstance& instance : simulation.instances)
    result.singular_values.insert(result.singular_values.end(), instance.singular_values.begin(),
                                  instance.singular_values.end());
  std::sort(result.singular_values.begin(), result.singular_values.end());
  std::vector<double> squares;
  for (const double s : result.singular_values) squares.push_back(s * s);
  result.kolmogorov = matrix_laws::kolmogorov_distance(squares, law.squared());
  result.marchenko_pastur = matrix_laws::kolmogorov_distance(
      squares, matrix_laws::marchenko_pastur({1, entry_variance(simulation.parameters.beta)}));
  const auto over_instances = [&](const auto& figure) { return base::estimate_over(simulation.instances, figure); };
  for (std::size_t k = 0; k < result.moments.size(); ++k) {
    result.moments[k] = over_instances([&](const auto& instance) { return instance.moments[k]; });
    result.trimmed_moments[k] = over_instances([&](const auto& instance) { return instance.trimmed_moments[k]; });
  }
  result.leading_excess = over_instances([](const auto& instance) { return instance.leading_singular_value - 1; });
  result.largest = over_instances([](const auto& instance) { return instance.singular_values.back(); });
  return result;
}

}  // namespace attnlaw::laws
