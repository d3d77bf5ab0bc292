#include "attnlaw/laws/in_context/traces.h"

#include <algorithm>
#include <cmath>

#include "attnlaw/laws/in_context/roots.h"

namespace attnlaw::laws {
namespace {

/// For C = I and finite κ: 1 − 1/κ from κ − 1, which is exact next to κ = 1, and D with D² = (s+λ₊)(s+λ₋), λ± the edges
/// of Marchenko and Pastur.
struct Edges {
  double excess, D;

  Edges(double kappa, double s) : excess((kappa - 1) / kappa) {
    const double root = std::sqrt(kappa), lower = (kappa - 1) / (root * (root + 1)), upper = 1 + 1 / root;
    D = std::sqrt((s + upper * upper) * (s + lower * lower));
  }
};

}  // namespace

TaskGram::TaskGram(double kappa, const TaskCovariance& covariance, std::vector<double> test)
    : kappa_(kappa), covariance_(covariance), test_(std::move(test)) {
  for (std::size_t i = 0; i < test_.size(); ++i) test_mean_ += covariance_.weights[i] * test_[i];
}

TaskTraces TaskGram::operator()(double s) const { return covariance_.isotropic() ? marchenko_pastur(s) : deformed(s); }

TaskTraces TaskGram::marchenko_pastur(double s) const {
  TaskTraces t;
  if (std::isinf(kappa_)) {
    t.m = t.p1 = 1 / (1 + s);
    t.m1 = t.r1 = t.p2 = t.m * t.m;
  } else {
    const auto [excess, D] = Edges(kappa_, s);
    const double inverse = 1 / kappa_, q = s + excess;
    t.m = q >= 0 ? 2 / (q + D) : kappa_ * (D - q) / (2 * s);
    const double dressed = 1 + t.m * inverse;
    t.p1 = t.m / dressed;
    t.m1 = t.m * dressed / D;
    t.r1 = t.p1 / D;
    t.p2 = t.p1 * (excess * excess + 2 * s * (1 + inverse)) / (D * (D + s));
  }
  t.test_m1 = test_mean_ * t.m1;
  t.test_r1 = test_mean_ * t.r1;
  return t;
}

double TaskGram::dressing(double s) const {
  if (std::isinf(kappa_)) return 1;
  // The left side is concave in φ, so that Newton's method from a lower bound ascends to the root.
  const double start = s > 0 ? 1 / (1 + covariance_.mean() / (kappa_ * s)) : 1 - covariance_.rank() / kappa_;
  const auto equation = [&](double phi) {
    Sloped result{phi - 1, 1};
    for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
      const double c = covariance_.values[j], weight = covariance_.weights[j] / kappa_, denominator = phi * c + s;
      if (c == 0) continue;
      result.value += weight * phi * c / denominator;
      result.slope += weight * c * s / (denominator * denominator);
    }
    return result;
  };
  return std::min(1.0, one_sided_root(equation, start));
}

TaskTraces TaskGram::deformed(double s) const {
  const double phi = dressing(s), inverse = std::isinf(kappa_) ? 0 : 1 / kappa_;
  TaskTraces t;
  double c_q = 0, c1 = 0, c2 = 0, test_square = 0, test_c = 0, square = 0;
  for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
    const double c = covariance_.values[j], weight = covariance_.weights[j], q = 1 / (phi * c + s);
    t.m += weight * q;
    c_q += weight * c * q;
    square += weight * q * q;
    c1 += weight * c * q * q;
    c2 += weight * c * c * q * q;
    test_square += weight * test_[j] * q * q;
    test_c += weight * test_[j] * c * q * q;
  }
  t.p1 = phi * c_q;
  // 1 − φ²c₂/κ, from φ(1 + c_q/κ) = 1 and c_q = φc₂ + sc₁.
  const double stiffness = phi * (1 + s * c1 * inverse);
  t.r1 = phi * phi * c1 / stiffness;
  t.p2 = phi * phi * (c2 + s * s * c1 * c1 * inverse / stiffness);
  // (R+s)⁻² ≃ Q̄²(1 + φ'C) and R(R+s)⁻² ≃ Q̄² C (φ − sφ').
  const double derivative = t.r1 * inverse, rest = phi / (1 + s * c1 * inverse);
  t.m1 = square + derivative * c1;
  t.test_m1 = test_square + derivative * test_c;
  t.test_r1 = rest * test_c;
  return t;
}

double TaskGram::unseen_ridge() const {
  if (kappa_ >= covariance_.rank()) return 0;
  // A convex function of ν, so that Newton's method ascends from 0.
  return one_sided_root(
      [&](double nu) {
        Sloped result{-kappa_, 0};
        for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
          const double c = covariance_.values[j], weight = covariance_.weights[j];
          if (c == 0) continue;
          result.value += weight * c / (c + nu);
          result.slope -= weight * c / ((c + nu) * (c + nu));
        }
        return result;
      },
      0);
}

double TaskGram::unseen() const {
  if (covariance_.isotropic()) return kappa_ < 1 ? (1 - kappa_) * test_mean_ : 0;
  const double nu = unseen_ridge();
  double unseen = 0;
  for (std::size_t j = 0; j < covariance_.values.size(); ++j)
    unseen += covariance_.weights[j] * test_[j] * (covariance_.values[j] > 0 ? nu / (covariance_.values[j] + nu) : 1);
  return unseen;
}

double TaskGram::shrinkage(double s) const {
  if (covariance_.isotropic()) {
    if (kappa_ >= 1) return s * s * marchenko_pastur(s).test_m1;
    // Without its atom (1−κ)/s the resolvent is 2κ/(D + s − (1 − 1/κ)).
    const auto [excess, D] = Edges(kappa_, s);
    const double seen = s / (D + s - excess);
    return test_mean_ * 2 * kappa_ * seen * seen * (D + s + 1 + 1 / kappa_) / D;
  }
  return kappa_ < covariance_.rank() ? shrinkage_of_few(s) : shrinkage_of_many(s);
}

double TaskGram::shrinkage_of_many(double s) const {
  const double phi = dressing(s), derivative = deformed(s).r1 / kappa_;
  double sum = 0;
  for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
    const double c = covariance_.values[j], left = s / (phi * c + s);
    if (c > 0) sum += covariance_.weights[j] * test_[j] * left * left * (1 + derivative * c);
  }
  return sum;
}

double TaskGram::shrinkage_of_few(double s) const {
  if (s == 0) return 0;
  // s(R+s)⁻¹ ≃ σ(C+σ)⁻¹ for σ = s/φ, which descends to ν with s: with sums over C it is a difference in σ − ν alone,
  // which is sκ/(σ tr C(C+σ)⁻¹(C+ν)⁻¹).
  const double nu = unseen_ridge(), sigma = s / dressing(s);
  double mixed = 0, square = 0, third = 0;
  for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
    const double c = covariance_.values[j], at_sigma = c / (c + sigma), at_nu = 1 / (c + nu);
    const double weight = covariance_.weights[j];
    mixed += weight * at_sigma * at_nu;
    square += weight * at_sigma / (c + sigma);
    third += weight * at_sigma * at_sigma * at_nu;
  }
  const double above = s * kappa_ / (sigma * mixed), slope = above * mixed + sigma * square;
  double sum = 0;
  for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
    const double c = covariance_.values[j], shifted = c + sigma, share = above / shifted;
    sum +=
        covariance_.weights[j] * test_[j] * share * share * c * (shifted * third + sigma * mixed) / ((c + nu) * slope);
  }
  return sum;
}

}  // namespace attnlaw::laws
