#include "attnlaw/matrix_laws/nulls/spikes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "attnlaw/matrix_laws/nulls/factor_product.h"

namespace attnlaw::matrix_laws {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Returns the largest root of t³ − z t² − (1 − β) t + z = 0, all of whose roots are real for z outside the bulk.
double largest_root(double beta, double z) {
  // In t = z/3 + r cos φ the cubic is that of cos 3φ.
  const double p = z * z / 9 + (1 - beta) / 3;
  const double q = z * z * z / 27 + z * (1 - beta) / 6 - z / 2;
  const double cosine = std::clamp(q / std::pow(p, 1.5), -1.0, 1.0);
  return z / 3 + 2 * std::sqrt(p) * std::cos(std::acos(cosine) / 3);
}

/// The overlaps of both vectors at an outlier with transform w.
SpikeOutlier outlier_at(double beta, const FactorSpike& spike, double w) {
  const double product = spike.alignment * spike.alignment * spike.query * spike.key;
  const double q = beta + spike.query, k = beta + spike.key;
  const double query = 1 + beta * w - q * w, key = 1 + beta * w - k * w;
  const double slope = (beta - q) * key + (beta - k) * query - product * (1 + 2 * w);
  const double rate = 1 / (1 + w) + 2 * beta / (1 + beta * w) - 1 / w;
  const auto overlap = [&](double own, double other) {
    return -(-own * w * other - product * w * (1 + w)) / slope * rate;
  };
  return {std::sqrt(factor_product_position(beta, w)), overlap(q, key), overlap(k, query)};
}

}  // namespace

double spike_threshold(double beta) { return std::sqrt((2 + beta + std::sqrt(beta * beta + 8 * beta)) / 2); }

double spike_position(double beta, double theta) {
  return theta > spike_threshold(beta) ? theta * (1 + beta / (theta * theta - 1)) : kNone;
}

double spike_overlap(double beta, double theta) {
  if (!(theta > spike_threshold(beta))) return 0;
  const double square = theta * theta;
  return 1 - beta * (square + 1) / ((square - 1) * (square - 1));
}

double spike_strength(double beta, double z) {
  return z * z > FactorProductLaw(beta).support().upper ? largest_root(beta, z) : kNone;
}

std::vector<SpikeOutlier> spike_outliers(double beta, const FactorSpike& spike) {
  // (1 − a_Q w)(1 − a_K w) = ρ² a_Q a_K w (1 + w), a quadratic in w with positive roots.
  const double both = spike.query * spike.key, square = spike.alignment * spike.alignment;
  const double a = both * (1 - square), b = spike.query + spike.key + both * square;
  const double root = std::sqrt(std::max(0.0, b * b - 4 * a));
  const double edge = FactorProductLaw(beta).edge_transform();
  std::vector<SpikeOutlier> outliers;
  if (const double w = 2 / (b + root); b > 0 && w < edge) outliers.push_back(outlier_at(beta, spike, w));
  if (const double w = (b + root) / (2 * a); a > 0 && root > 0 && w < edge)
    outliers.push_back(outlier_at(beta, spike, w));
  return outliers;
}

double factor_spike_strength(double beta, double eigenvalue) {
  const double centre = eigenvalue + 1 - beta, discriminant = centre * centre - 4 * eigenvalue;
  const double edge = (1 + std::sqrt(beta)) * (1 + std::sqrt(beta));
  return eigenvalue > edge ? (centre + std::sqrt(std::max(0.0, discriminant))) / 2 - 1 : kNone;
}

double spike_alignment(double beta, double query, double key, double z) {
  const double theta = spike_strength(beta, z), w = 1 / (theta * theta - 1);
  return (1 - query * w) * (1 - key * w) / (query * key * w * (1 + w));
}

}  // namespace attnlaw::matrix_laws
