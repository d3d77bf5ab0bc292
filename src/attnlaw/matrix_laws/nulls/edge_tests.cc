#include "attnlaw/matrix_laws/nulls/edge_tests.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attnlaw/matrix_laws/nulls/factor_product.h"
#include "attnlaw/matrix_laws/nulls/tracy_widom.h"

namespace attnlaw::matrix_laws {
namespace {

constexpr double kShift = 0.5;

/// Mean and variance of a statistic.
struct Moments {
  double mean = 0, variance = 0;
};

Moments moments(const EdgeScale& edge) {
  return {edge.centre + kTracyWidomMean * edge.scale, kTracyWidomVariance * edge.scale * edge.scale};
}

/// The statistic T of T·X, where X is an independent factor of mean 1 and mean square 1 + spread.
Moments without_factor(const Moments& product, double spread) {
  return {product.mean, std::max(0.0, product.variance - product.mean * product.mean * spread) / (1 + spread)};
}

/// The variance of ‖W‖²/(σ² m d).
double norm_spread(int m, int d) { return 2.0 / (static_cast<double>(m) * d); }

Moments self_normalised(int m, int d) {
  const double v = norm_spread(m, d);
  return without_factor(moments(factor_product_edge(m, d)), (1 + v) * (1 + v) - 1);
}

/// log(1 − F₁) by barycentric interpolation in Chebyshev points: a determinant for every p-value of every head would
/// take most of the time of an inspection.
class TailTable {
 public:
  TailTable() {
    for (int i = 0; i < kPoints; ++i) {
      const double angle = std::numbers::pi * i / (kPoints - 1);
      points_[i] = kLow + (kHigh - kLow) * (1 - std::cos(angle)) / 2;
      logs_[i] = std::log(tracy_widom_tail(points_[i]));
      weights_[i] = (i % 2 == 0 ? 1 : -1) * (i == 0 || i == kPoints - 1 ? 0.5 : 1);
    }
  }
  double tail(double s) const {
    if (s <= kLow) return 1;
    if (s >= kHigh) return 0;
    double above = 0, below = 0;
    for (int i = 0; i < kPoints; ++i) {
      if (s == points_[i]) return std::exp(logs_[i]);
      const double weight = weights_[i] / (s - points_[i]);
      above += weight * logs_[i];
      below += weight;
    }
    return std::exp(above / below);
  }

 private:
  /// F₁ is below 1e-9 on the left of the range, 1 − F₁ below 1e-14 on the right.
  static constexpr double kLow = -8, kHigh = 14;
  static constexpr int kPoints = 64;
  double points_[kPoints], logs_[kPoints], weights_[kPoints];
};

double standardised(double value, const Moments& null) {
  return (value - null.mean) / std::sqrt(null.variance) * std::sqrt(kTracyWidomVariance) + kTracyWidomMean;
}

/// x₊/(2m), by which s₁² in the denominator of its share narrows it.
double leading_correction(int m, int d) {
  return FactorProductLaw(static_cast<double>(m) / d).support().upper / (2 * m);
}

}  // namespace

EdgeScale factor_product_edge(int m, int d) {
  const double rows = m - kShift, columns = d - kShift;
  const FactorProductLaw law(rows / columns);
  const double unit = columns * columns;
  return {unit * law.support().upper, unit * std::pow(law.edge_coefficient() * rows, -2.0 / 3)};
}

EdgeScale tied_edge(int m, int d) {
  const double rows = std::sqrt(m - kShift), columns = std::sqrt(d - kShift);
  return {(rows + columns) * (rows + columns), (rows + columns) * std::cbrt(1 / rows + 1 / columns)};
}

double factor_product_score(int m, int d, double t) { return standardised(t, self_normalised(m, d)); }

bool edge_scores_hold(int m, int d) {
  constexpr int kFewestRows = 16;
  constexpr double kLargestCorrection = 0.1;
  return m >= kFewestRows && leading_correction(m, d) <= kLargestCorrection;
}

double leading_share_score(int m, int d, double share) {
  Moments null = self_normalised(m, d);
  const double shrink = 1 - leading_correction(m, d), unit = static_cast<double>(d) * d;
  null.variance *= shrink * shrink;
  return standardised(share * unit, null);
}

double tied_score(int m, int d, double t) {
  return standardised(t, without_factor(moments(tied_edge(m, d)), norm_spread(m, d)));
}

double edge_p_value(double score) {
  static const TailTable table;
  return std::clamp(table.tail(score), kLeastPValue, 1.0);
}

double shape_distance_bound(int m) { return (0.85 + 0.53 * std::log(m)) / m; }

}  // namespace attnlaw::matrix_laws
