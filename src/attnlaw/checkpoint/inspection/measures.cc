#include "attnlaw/checkpoint/inspection/measures.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/matrix_laws/nulls/small_eigenvalues.h"
#include "attnlaw/matrix_laws/nulls/tied_factor.h"

namespace attnlaw::checkpoint {
namespace {

double kurtosis_of_entries(const Eigen::MatrixXd& W) {
  const auto off = W.array() - W.mean();
  const double variance = off.square().mean();
  return off.square().square().mean() / (variance * variance);
}

}  // namespace

RankMeasures rank_measures(std::span<const double> singular_values) {
  // A copy has Eigen's alignment, so that sums have the same bits wherever the values lie.
  const Eigen::ArrayXd s =
      Eigen::ArrayXd::Map(singular_values.data(), static_cast<Eigen::Index>(singular_values.size()));
  const double largest = s.maxCoeff(), sum = s.sum(), squares = s.square().sum();
  double entropy = 0;
  for (const double x : s)
    if (x > 0) entropy -= x / sum * std::log(x / sum);
  if (largest == 0) return {0, 0, kAbsent, kAbsent, kAbsent, kAbsent};
  return {largest,           std::sqrt(squares),  squares / (largest * largest),
          std::exp(entropy), sum * sum / squares, squares * squares / s.square().square().sum()};
}

bool like_tied(const SymmetryMeasures& symmetry) {
  constexpr double kLeastSymmetric = 0.9, kLeastPositive = 0.95;
  return symmetry.symmetric_share >= kLeastSymmetric && symmetry.positive_share >= kLeastPositive;
}

SymmetryMeasures symmetry_measures(const FactoredMap& map) {
  if (!map.square()) return {};
  const double energy = map.energy(), m = static_cast<double>(map.m()), d = static_cast<double>(map.query_dimension);
  SymmetryMeasures measures;
  measures.symmetry = map.trace_of_square() / energy;
  measures.symmetric_share = (1 + measures.symmetry) / 2;
  double positive = 0, all = 0;
  for (const double e : map.symmetric_eigenvalues) {
    all += e * e;
    if (e > 0) positive += e * e;
  }
  measures.positive_share = positive / all;
  measures.trace = map.trace() * std::sqrt(d / energy);
  // σ_Q² σ_K² = Tr G_Q Tr G_K/(m d)², so that the null radius squared is this over m d.
  measures.spectral_radius =
      matrix_laws::spectral_radius(map.cross) / std::sqrt(map.query_gram.trace() * map.key_gram.trace() / (m * d));
  measures.tie = measures.symmetry >= 0 ? matrix_laws::tie_coefficient(m / d, measures.symmetry) : kAbsent;
  return measures;
}

double kurtosis_of(const Eigen::MatrixXd& query, const Eigen::MatrixXd& key) {
  return std::max(kurtosis_of_entries(query), kurtosis_of_entries(key));
}

FactorMeasures factor_measures(const FactoredMap& map, const Eigen::MatrixXd& query, const Eigen::MatrixXd& key) {
  return {map.energy() / (map.query_gram.norm() * map.key_gram.norm()),
          std::sqrt(map.query_gram.trace() / map.key_gram.trace()), kurtosis_of(query, key)};
}

}  // namespace attnlaw::checkpoint
