#include "attnlaw/matrix_laws/nulls/factor_rotation.h"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <vector>

#include "attnlaw/base/index.h"
#include "attnlaw/base/interrupt.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/normal.h"
#include "attnlaw/base/streams.h"
#include "attnlaw/matrix_laws/nulls/edge_tests.h"
#include "attnlaw/matrix_laws/nulls/random_matrices.h"
#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"

namespace attnlaw::matrix_laws {
namespace {

using Complex = std::complex<double>;

/// ψ(z) = mean of a z/(1 − a z).
Complex psi(const Eigen::VectorXd& a, Complex z) {
  Complex sum = 0;
  for (const double x : a) sum += x * z / (1.0 - x * z);
  return sum / static_cast<double>(a.size());
}

/// ψ and its derivative at a real z.
struct Psi {
  double value = 0, slope = 0;
};
Psi psi(const Eigen::VectorXd& a, double z) {
  double sum = 0, slope = 0;
  const double* values = a.data();
#pragma omp simd reduction(+ : sum, slope)
  for (Eigen::Index i = 0; i < a.size(); ++i) {
    const double ratio = values[i] / (1 - values[i] * z);
    sum += ratio;
    slope += ratio * (1 + z * ratio);
  }
  const auto m = static_cast<double>(a.size());
  return {z * sum / m, slope / m};
}

/// The z in (0, 1/max a) with ψ(z) = w, for w > 0, up to a last step of `tolerance` z.
double inverse_psi(const Eigen::VectorXd& a, double w, double tolerance) {
  constexpr int kMostSteps = 100;
  // At most that of the largest value alone, with weight 1/m.
  const double share = w * static_cast<double>(a.size());
  double z = share / (1 + share) / a.maxCoeff();
  // 1/(1 + ψ) is the harmonic mean of 1 − a z, concave and falling in z: Newton's steps for it come down to the root
  // from above, and never pass it.
  for (int i = 0; i < kMostSteps; ++i) {
    const auto [value, slope] = psi(a, z);
    const double step = (value - w) * (1 + value) / ((1 + w) * slope);
    z -= step;
    if (!(std::abs(step) > tolerance * z)) break;
  }
  return z;
}

double position(const Eigen::VectorXd& a, const Eigen::VectorXd& b, double w, double tolerance) {
  return w / ((1 + w) * inverse_psi(a, w, tolerance) * inverse_psi(b, w, tolerance));
}

/// Rows of a symmetric matrix, permuted like its columns, with signs.
double permuted_inner(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key, Draws& draws) {
  const std::vector<Eigen::Index> order = permutation(base::size(key.rows()), draws);
  Eigen::VectorXd sign(key.rows());
  for (double& x : sign) x = draws.normal() < 0 ? -1 : 1;
  double sum = 0;
  for (Eigen::Index j = 0; j < key.cols(); ++j) {
    double column = 0;
    for (Eigen::Index i = 0; i < key.rows(); ++i)
      column += query(i, j) * sign[i] * key(order[base::size(i)], order[base::size(j)]);
    sum += sign[j] * column;
  }
  return sum;
}

double centred_sum(const Eigen::VectorXd& a, int power) {
  return (a.array() - a.mean()).pow(static_cast<double>(power)).sum();
}

}  // namespace

Cumulants rotated_energy(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  const auto m = static_cast<double>(a.size());
  const double variance = 2 * centred_sum(a, 2) * centred_sum(b, 2) / ((m - 1) * (m + 2));
  const double third =
      m < 3 ? 0 : 8 * m * centred_sum(a, 3) * centred_sum(b, 3) / ((m - 1) * (m - 2) * (m + 2) * (m + 4));
  return {a.sum() * b.sum() / m, variance, third};
}

Cumulants permuted_energy(const Eigen::MatrixXd& query_gram, const Eigen::MatrixXd& key_gram) {
  const auto m = static_cast<double>(query_gram.rows());
  // Not a difference of sums, which for nearly orthonormal rows would be rounding.
  const auto off = [](Eigen::MatrixXd G) {
    G.diagonal().setZero();
    return G.squaredNorm();
  };
  const double diagonal = centred_sum(query_gram.diagonal(), 2) * centred_sum(key_gram.diagonal(), 2) / (m - 1);
  return {query_gram.trace() * key_gram.trace() / m, diagonal + 2 * off(query_gram) * off(key_gram) / (m * (m - 1)), 0};
}

double pearson_tail(const Cumulants& null, double value) {
  // Below this skewness the first term of Edgeworth's series is as exact, and the gamma law of a huge shape is not
  // needed.
  constexpr double kSmall = 1e-3;
  const double deviation = std::sqrt(null.variance), score = (value - null.mean) / deviation;
  const double skewness = null.third / (null.variance * deviation);
  if (std::abs(skewness) < kSmall)
    return std::clamp(base::normal_cdf(-score) + base::normal_density(score) * skewness / 6 * (score * score - 1), 0.0,
                      1.0);
  const double shape = 4 / (skewness * skewness), place = shape + 2 * score / skewness;
  if (place <= 0) return skewness > 0 ? 1 : 0;
  return skewness > 0 ? boost::math::gamma_q(shape, place) : boost::math::gamma_p(shape, place);
}

double two_sided_pearson(const Cumulants& null, double value) {
  const Cumulants mirrored{-null.mean, null.variance, -null.third};
  return std::clamp(2 * std::min(pearson_tail(null, value), pearson_tail(mirrored, -value)), kLeastPValue, 1.0);
}

bool short_tail(const Cumulants& null, double value) {
  constexpr double kSkewed = 0.5;
  const double skewness = null.third / std::pow(null.variance, 1.5);
  return std::abs(skewness) > kSkewed && (value < null.mean) == (skewness > 0);
}

RotatedEdge rotated_edge(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  // x(w) is large at both ends; it has one minimum unless a spectrum has outliers of its own, and then the lowest of a
  // grid in log w is refined.
  constexpr int kGrid = 120;
  constexpr double kGridTolerance = 1e-4, kTolerance = 1e-12;  // Newton's error is the square of its last step
  constexpr int kMinimumBits = 26;                             // half of those of x: a minimum is flat
  constexpr double kLowest = 1e-4, kHighest = 1e6;
  const double step = std::log(kHighest / kLowest) / kGrid;
  const auto at = [&](double log_w, double tolerance) { return position(a, b, std::exp(log_w), tolerance); };
  int best = 0;
  double least = at(std::log(kLowest), kGridTolerance);
  for (int i = 1; i <= kGrid; ++i)
    if (const double x = at(std::log(kLowest) + step * i, kGridTolerance); x < least) least = x, best = i;
  const double middle = std::log(kLowest) + step * best;
  const auto [log_w, x] = boost::math::tools::brent_find_minima([&](double place) { return at(place, kTolerance); },
                                                                middle - step, middle + step, kMinimumBits);
  return {x, std::exp(log_w)};
}

std::complex<double> rotated_transform(const Eigen::VectorXd& a, const Eigen::VectorXd& b, std::complex<double> x) {
  constexpr int kMaxSteps = 100000;
  constexpr double kConverged = 1e-15;
  const Complex z = 1.0 / x;
  const auto h = [](const Eigen::VectorXd& values, Complex omega) {
    const Complex p = psi(values, omega);
    return p / (1.0 + p) / omega;
  };
  Complex omega = z;
  for (int step = 0; step < kMaxSteps; ++step) {
    const Complex next = z * h(b, z * h(a, omega));
    const double moved = std::abs(next - omega);
    omega = next;
    if (moved <= kConverged * std::abs(omega)) break;
  }
  return psi(a, omega);
}

RotationCounts count_rotations(const Eigen::VectorXd& a, const Eigen::VectorXd& b, const RotatedFigures& measured,
                               RotationCounts counts, std::uint64_t seed, std::uint64_t head) {
  const auto m = static_cast<int>(a.size());
  // In the bases of the eigenvectors, which a uniform matrix forgets, S has the singular values of √a O √b.
  const Eigen::VectorXd query = a.cwiseSqrt(), key = b.cwiseSqrt();
  Eigen::MatrixXd core(m, m), gram(m, m);
  for (std::size_t draw = 0; counts.largest.open() || counts.energy.open(); ++draw) {
    base::check_interrupt();
    Draws rotation(seed, base::stream_id(base::Stream::head_rotations, head, draw));
    core.noalias() = query.asDiagonal() * haar_matrix(m, rotation) * key.asDiagonal();
    if (counts.energy.open()) {
      const double drawn = core.squaredNorm();
      counts.energy.add(measured.below ? drawn <= measured.energy : drawn >= measured.energy);
    }
    if (!counts.largest.open()) continue;
    gram.noalias() = core * core.transpose();
    counts.largest.add(largest_eigenvalue_reaches(gram, measured.largest_square));
  }
  return counts;
}

PermutationCounts count_permutations(const Eigen::MatrixXd& query_gram, const Eigen::MatrixXd& key_gram, double energy,
                                     std::size_t draws, std::uint64_t seed, std::uint64_t head) {
  PermutationCounts counts;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    base::check_interrupt();
    Draws signs(seed, base::stream_id(base::Stream::row_permutations, head, draw));
    const double drawn = permuted_inner(query_gram, key_gram, signs);
    counts.above += drawn >= energy;
    counts.below += drawn <= energy;
  }
  return counts;
}

}  // namespace attnlaw::matrix_laws
