#include "attnlaw/theory/prior/numerical_prior.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/random.h"
#include "attnlaw/base/reject.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/standard_laws.h"

namespace attnlaw::theory {
namespace {

using matrix_laws::Spectrum;

/// Of the sampled noise: fixed, so that the theory is deterministic.
constexpr std::uint64_t kSeed = 20250924;

/// The eigenvalues of a law at the quantiles (i − 1/2)/count, scaled to its second moment.
Eigen::VectorXd equally_spaced(const Spectrum& spectrum, int count) {
  const matrix_laws::Law law = matrix_laws::law_of(spectrum);
  Eigen::VectorXd values(count);
  for (int i = 0; i < count; ++i) values[i] = law.quantile((i + 0.5) / count);
  const double norm = values.norm();
  if (norm > 0) values *= std::sqrt(count * spectrum.second_moment()) / norm;
  return values;
}

/// Entries of the given parity, iid N(0, 1) off the diagonal.
template <class Matrix>
Matrix noise(int dimension, double parity, std::uint64_t number) {
  Matrix entries(dimension, dimension);
  base::NormalStream(kSeed, base::stream_id(base::Stream::fixed_points, 0, number))
      .fill(0, std::span(entries.data(), static_cast<std::size_t>(entries.size())));
  return (entries + parity * entries.transpose()) / std::sqrt(2.0);
}

template <class Matrix>
void normalise(Matrix& noise) {
  noise *= std::sqrt(static_cast<double>(noise.rows())) / noise.norm();
}

Overlaps operator+(const Overlaps& a, const Overlaps& b) {
  return {a.q + b.q, a.m + b.m, a.V + b.V, a.q_a + b.q_a, a.V_a + b.V_a};
}

Overlaps operator*(double c, const Overlaps& a) { return {c * a.q, c * a.m, c * a.V, c * a.q_a, c * a.V_a}; }

}  // namespace

NumericalPrior::NumericalPrior(const Spectrum& target, double lambda, int dimension, Approximation approximation)
    : lambda_(lambda), approximation_(approximation), noise_(kReplicates) {
  if (!(lambda > 0)) base::reject("a sampled nuclear-norm student needs lambda > 0, got {}", lambda);
  if (dimension < 2) base::reject("sampled matrices must have a dimension >= 2, got {}", dimension);
  target_ = equally_spaced(target, dimension);
  for (std::size_t i = 0; i < noise_.size(); ++i) {
    auto& [symmetric, antisymmetric] = noise_[i];
    symmetric = noise<Matrix>(dimension, 1, 2 * i);
    if (target_.squaredNorm() > 0)
      symmetric.diagonal() -= symmetric.diagonal().dot(target_) / target_.squaredNorm() * target_;
    antisymmetric = noise<Matrix>(dimension, -1, 2 * i + 1);
    normalise(symmetric);
    normalise(antisymmetric);
  }
}

/// From the eigenvectors v of SᵀS: Σ (1 − level/σ) S v vᵀ over σ > level, far above what squaring σ loses.
void NumericalPrior::threshold(double level, Student& student) {
  auto& [S, singular_values] = student;
  const Eigen::Index d = S.rows();
  const auto size = static_cast<std::size_t>(d);
  Matrix vectors = Matrix::Zero(d, d);  // rows
  base::symmetric_product(size, size, 1, S.data(), vectors.data());
  const std::vector<double> squares =
      base::symmetric_eigensystem(std::span(vectors.data(), size * size), size);  // ascending
  singular_values = Eigen::Map<const Eigen::VectorXd>(squares.data(), d).cwiseMax(0).cwiseSqrt();
  const Eigen::Index kept = (singular_values.array() > level).count();
  const auto kept_vectors = vectors.bottomRows(kept);
  const Eigen::VectorXd shrinkage = 1 - level / singular_values.tail(kept).array();
  S = ((S * kept_vectors.transpose()) * shrinkage.asDiagonal() * kept_vectors).eval();
  singular_values = (singular_values.array() - level).max(0);
}

/// Nesterov's method for a strongly convex function: gradient (V̂_s S_s + V̂_a S_a − pull)/2, curvatures V̂_s/2 and V̂_a/2.
void NumericalPrior::minimise(const Matrix& pull, const Conjugates& conjugates, Student& student) const {
  constexpr int kMaxSteps = 500;
  // Differences of 1e-5 along the coordinates of the fixed point are taken of the result.
  constexpr double kTolerance = 1e-9;
  const double steep = std::max(conjugates.V_hat, conjugates.V_hat_a);
  const double flat = std::max(std::min(conjugates.V_hat, conjugates.V_hat_a), 1e-3 * steep);
  const double momentum = (std::sqrt(steep) - std::sqrt(flat)) / (std::sqrt(steep) + std::sqrt(flat));
  const double mean = 0.5 * (conjugates.V_hat + conjugates.V_hat_a) / steep;
  const double half_difference = 0.5 * (conjugates.V_hat - conjugates.V_hat_a) / steep;
  Matrix& S = student.matrix;
  Matrix ahead = S, previous;
  for (int step = 0; step < kMaxSteps; ++step) {
    base::check_interrupt();
    previous = S;
    S = ahead - mean * ahead - half_difference * ahead.transpose() + pull / steep;
    threshold(2 * lambda_ / steep, student);
    const double move = (S - previous).norm();
    if (move <= kTolerance * (S.norm() + kTolerance * pull.norm())) return;
    ahead = S + momentum * (S - previous);
  }
}

Denoiser::Result NumericalPrior::evaluate_one(const Conjugates& conjugates, const Noise& noise,
                                              Student& student) const {
  Matrix pull = std::sqrt(conjugates.q_hat) * noise.symmetric + std::sqrt(conjugates.q_hat_a) * noise.antisymmetric;
  pull.diagonal() += conjugates.m_hat * target_;
  if (approximation_ == Approximation::isotropic) {
    student.matrix = pull / conjugates.V_hat;
    threshold(2 * lambda_ / conjugates.V_hat, student);
  } else {
    minimise(pull, conjugates, student);
  }
  const Matrix symmetric = 0.5 * (student.matrix + student.matrix.transpose());
  const Matrix antisymmetric = student.matrix - symmetric;
  const auto d = static_cast<double>(target_.size());
  const auto response = [d](const Matrix& part, const Matrix& noise_part, double q_hat) {
    return q_hat > 0 ? part.cwiseProduct(noise_part).sum() / (d * std::sqrt(q_hat)) : 0;
  };
  Result result;
  result.overlaps = {symmetric.squaredNorm() / d, symmetric.diagonal().dot(target_) / d,
                     response(symmetric, noise.symmetric, conjugates.q_hat), antisymmetric.squaredNorm() / d,
                     response(antisymmetric, noise.antisymmetric, conjugates.q_hat_a)};
  result.penalty = student.singular_values.sum() / d;
  result.zero_mass = static_cast<double>((student.singular_values.array() <= 0).count()) / d;
  return result;
}

Denoiser::Result NumericalPrior::evaluate(const Spectrum& /*target*/, const Conjugates& conjugates, int replicate,
                                          PriorWorkspace* workspace) const {
  base::use_one_blas_thread();
  PriorWorkspace fresh;
  std::vector<Student>& students = (workspace ? *workspace : fresh).students;
  if (students.empty()) students.assign(noise_.size(), {Matrix::Zero(target_.size(), target_.size()), {}});
  const auto evaluate_at = [&](std::size_t i) { return evaluate_one(conjugates, noise_[i], students[i]); };
  if (replicate != kAll) return evaluate_at(static_cast<std::size_t>(replicate));
  Result mean;
  mean.zero_mass = 0;
  for (std::size_t i = 0; i < noise_.size(); ++i) {
    constexpr double kShare = 1.0 / kReplicates;
    const Result result = evaluate_at(i);
    mean.overlaps = mean.overlaps + kShare * result.overlaps;
    mean.penalty += kShare * result.penalty;
    mean.zero_mass += kShare * result.zero_mass;
  }
  return mean;
}

std::vector<double> PriorWorkspace::singular_values() const {
  std::vector<double> all;
  for (const Student& student : students)
    all.insert(all.end(), student.singular_values.begin(), student.singular_values.end());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace attnlaw::theory
