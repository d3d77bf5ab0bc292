#include "attnlaw/checkpoint/inspection/rotary.h"

#include <cmath>
#include <numbers>

namespace attnlaw::checkpoint {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// Both rows of plane j.
struct Plane {
  Index first = 0, second = 0;
};

Plane plane(const Rotary& rotary, Index j) {
  if (rotary.interleaved) return {2 * j, 2 * j + 1};
  return {j, j + rotary.dimensions / 2};
}

double speed(const Rotary& rotary, Index j) {
  return std::pow(rotary.base, -2.0 * static_cast<double>(j) / rotary.dimensions);
}

/// Multiplies plane j of the keys by [[cosine, −sine], [sine, cosine]].
MatrixXd turned(const MatrixXd& key, const Rotary& rotary, const Eigen::VectorXd& cosine, const Eigen::VectorXd& sine) {
  MatrixXd result = key;
  for (Index j = 0; j < rotary.dimensions / 2; ++j) {
    const auto [first, second] = plane(rotary, j);
    result.row(first) = cosine[j] * key.row(first) - sine[j] * key.row(second);
    result.row(second) = sine[j] * key.row(first) + cosine[j] * key.row(second);
  }
  return result;
}

}  // namespace

MatrixXd keys_at_offset(const MatrixXd& key, const Rotary& rotary, double offset) {
  Eigen::VectorXd cosine(rotary.dimensions / 2), sine(rotary.dimensions / 2);
  for (Index j = 0; j < cosine.size(); ++j) {
    const double angle = offset * speed(rotary, j);
    cosine[j] = std::cos(angle);
    sine[j] = std::sin(angle);
  }
  return turned(key, rotary, cosine, sine);
}

MatrixXd keys_over_window(const MatrixXd& key, const Rotary& rotary, int window) {
  Eigen::VectorXd cosine(rotary.dimensions / 2), sine(rotary.dimensions / 2);
  for (Index j = 0; j < cosine.size(); ++j) {
    // The mean of a geometric sum: Σ_D exp(iDω) = exp(i(P − 1)ω/2) sin(Pω/2) / sin(ω/2), D = 0 … P − 1.
    const double half = std::remainder(speed(rotary, j), 2 * std::numbers::pi) / 2;
    const double length = half == 0 ? 1 : std::sin(window * half) / (window * std::sin(half));
    cosine[j] = length * std::cos((window - 1) * half);
    sine[j] = length * std::sin((window - 1) * half);
  }
  return turned(key, rotary, cosine, sine);
}

double offset_energy_ratio(const MatrixXd& query, const MatrixXd& key, const Rotary& rotary) {
  const MatrixXd query_gram = query * query.transpose(), key_gram = key * key.transpose();
  double mean = 0;
  for (Index j = 0; j < rotary.dimensions / 2; ++j) {
    const auto [first, second] = plane(rotary, j);
    mean += 0.5 * (query_gram(first, first) + query_gram(second, second)) *
            (key_gram(first, first) + key_gram(second, second));
  }
  const Index still = query.rows() - rotary.dimensions;
  mean += (query_gram.bottomRightCorner(still, still).array() * key_gram.bottomRightCorner(still, still).array()).sum();
  return (query_gram.array() * key_gram.array()).sum() / mean;
}

}  // namespace attnlaw::checkpoint
