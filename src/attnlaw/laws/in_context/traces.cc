#include "attnlaw/laws/in_context/traces.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attnlaw::laws {
namespace {

/// Newton's method from one side of a root of a convex or concave function ends when rounding moves it.
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();
constexpr int kMostSteps = 400;

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
    // 1 − κ^{−1/2} and 1 − 1/κ from κ − 1, which is exact next to κ = 1.
    const double inverse = 1 / kappa_, root = std::sqrt(kappa_);
    const double excess = (kappa_ - 1) / kappa_, lower = (kappa_ - 1) / (root * (root + 1));
    const double q = s + excess, upper = 1 + 1 / root;
    const double D = std::sqrt((s + upper * upper) * (s + lower * lower));
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

double TaskGram::shrinkage(double s) const {
  if (std::isinf(kappa_)) return 1;
  // The left side is concave in φ, so that Newton's method from a lower bound ascends to the root.
  double phi = s > 0 ? 1 / (1 + covariance_.mean() / (kappa_ * s)) : 1 - covariance_.rank() / kappa_;
  for (int i = 0; i < kMostSteps; ++i) {
    double value = phi - 1, slope = 1;
    for (std::size_t j = 0; j < covariance_.values.size(); ++j) {
      const double c = covariance_.values[j], weight = covariance_.weights[j] / kappa_, denominator = phi * c + s;
      if (c == 0) continue;
      value += weight * phi * c / denominator;
      slope += weight * c * s / (denominator * denominator);
    }
    const double next = std::min(1.0, phi - value / slope);
    const bool done = std::abs(next - phi) <= kRounding * phi;
    phi = next;
    if (done) break;
  }
  return phi;
}

TaskTraces TaskGram::deformed(double s) const {
  const double phi = shrinkage(s), inverse = std::isinf(kappa_) ? 0 : 1 / kappa_;
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

double TaskGram::unseen() const {
  if (covariance_.isotropic()) return kappa_ < 1 ? (1 - kappa_) * test_mean_ : 0;
  const std::size_t count = covariance_.values.size();
  // Of few tasks the projector is ν(C+ν)⁻¹ with (1/d) tr C(C+ν)⁻¹ = κ: a convex function, so that Newton's method
  // ascends from 0.
  double nu = 0;
  for (int i = 0; kappa_ < covariance_.rank() && i < kMostSteps; ++i) {
    double value = -kappa_, slope = 0;
    for (std::size_t j = 0; j < count; ++j) {
      const double c = covariance_.values[j], weight = covariance_.weights[j];
      if (c == 0) continue;
      value += weight * c / (c + nu);
      slope += weight * c / ((c + nu) * (c + nu));
    }
    const double step = value / slope;
    nu += step;
    if (!(step > kRounding * nu)) break;
  }
  double unseen = 0;
  for (std::size_t j = 0; j < count; ++j)
    unseen += covariance_.weights[j] * test_[j] * (covariance_.values[j] > 0 ? nu / (covariance_.values[j] + nu) : 1);
  return unseen;
}

}  // namespace attnlaw::laws
