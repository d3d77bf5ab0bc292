#pragma once
/// Softmax rows of two scores: functions of r differences u = Lζ of scores, ζ of metric identity, C = LLᵀ
/// (docs/theory/losses.md).

#include <algorithm>
#include <array>
#include <cmath>

#include "attnlaw/theory/channel/row_losses.h"

namespace attnlaw::theory {

/// C = LLᵀ of r differences of scores.
template <int r>
struct FeatureMetric {
  std::array<double, static_cast<std::size_t>(lower_index(r, 0))> factor;  ///< L by lower rows
  double largest_eigenvalue;                                               ///< of C
};

/// u₁ = h₁₁ − h₁₂, u₂ = h₂₂ − h₁₂ of symmetric scores: C = [[3,1],[1,3]], L = [[√3,0],[1/√3,√(8/3)]].
inline constexpr FeatureMetric<2> kPairMetric{{1.7320508075688772, 0.57735026918962576, 1.6329931618554521}, 4};

/// One difference of the given variance: 3 of h₁₁ − h₁₂ with symmetric scores, 2 with cross-attention.
inline FeatureMetric<1> single_metric(double variance) { return {{std::sqrt(variance)}, variance}; }

template <int r, RowLoss Loss>
class LogisticFeatures {
 public:
  using Label = std::array<Pack, static_cast<std::size_t>(r)>;

  LogisticFeatures(const FeatureMetric<r>& metric, double beta, double target_beta, LabelLaw law = LabelLaw::outputs)
      : metric_(metric), beta_(beta), target_beta_(target_beta), law_(law) {}

  /// The same rows with another loss.
  template <RowLoss Other>
  LogisticFeatures<r, Other> with() const {
    return {metric_, beta_, target_beta_, law_};
  }

  static constexpr int kDimension = r;
  static constexpr bool kGeneral = false;
  static constexpr bool kConvex = Loss::kConvex;
  static constexpr int dimension() { return r; }
  static constexpr int symmetric_dimension() { return r; }
  static constexpr int sampled_dimension() { return r; }
  static void embed(const Pack* sampled, Pack* zeta) { std::copy(sampled, sampled + r, zeta); }

  static Label make_label() { return {}; }
  /// The probabilities of the rows.
  void label(const Pack* zeta, Label& y) const {
    const Label u = features(zeta);
    for (std::size_t i = 0; i < r; ++i) y[i] = logistic(target_beta_ * u[i]);
  }
  /// Labels that a field may have, and the probability of the k-th.
  int outcomes() const { return law_ == LabelLaw::sampled ? 1 << r : 1; }
  Pack outcome(int k, const Pack* zeta, Label& y) const {
    label(zeta, y);
    Pack probability = 1;
    if (law_ == LabelLaw::outputs) return probability;
    for (std::size_t i = 0; i < r; ++i) {
      const bool first = (k >> i & 1) == 0;
      probability *= first ? y[i] : 1 - y[i];
      y[i] = first ? 1 : 0;
    }
    return probability;
  }

  Pack value(const Label& y, const Pack* zeta) const {
    const Label u = features(zeta);
    Pack sum = 0;
    for (std::size_t i = 0; i < r; ++i) sum += Loss::at(y[i], beta_ * u[i]).value;
    return sum;
  }

  /// Logistic functions are flat beyond a few 1/β.
  double reach() const { return Loss::kReach / beta_; }
  /// Lanes where a minimum of this value of ℓ(ζ) + |ζ − ω|²/(2V) is known to be the global one.
  ///
  /// Everywhere for a convex loss. For w(y − s(βu))² and μ the largest eigenvalue of C: everywhere for wμβ²V ≤ 8, the
  /// curvature being at least 2wβ² min s(1−s)²(3s−1) = −0.1202 wβ². Else where μβ²V·value < 2: at a lower minimum no
  /// residual r exceeds ρ = √(value/w), hence (s is monotone) nor on the segment to it, where with p = s(1−s) the
  /// curvatures are then at least 2wβ²p(p − ρ) ≥ −wβ²ρ²/2: the objective is convex along the segment, which has but one
  /// stationary point.
  Mask certain(Pack value, double V) const {
    const double softness = metric_.largest_eigenvalue * beta_ * beta_ * V;
    return Loss::kWeight * softness <= 8 ? Pack(0) < Pack(1) : softness * value < Pack(2);
  }
  /// u_i where the label has it, the other one where the spring then pulls it.
  static constexpr int mixed_starts() { return Loss::kConvex || r == 1 ? 0 : r; }
  void mixed_start(int i, const Pack* omega, const Pack* fit, Pack* zeta) const {
    static_assert(r <= 2, "one other difference");
    if constexpr (r == 2) {
      const Label at_omega = features(omega), at_fit = features(fit);
      const auto fitted = static_cast<std::size_t>(i), other = 1 - fitted;
      const auto& [l00, l10, l11] = metric_.factor;
      const double variance = fitted == 0 ? l00 * l00 : l10 * l10 + l11 * l11, covariance = l00 * l10;
      Label u;
      u[fitted] = at_fit[fitted];
      u[other] = at_omega[other] + (covariance / variance) * (u[fitted] - at_omega[fitted]);
      zeta[0] = (1 / l00) * u[0];
      zeta[1] = (1 / l11) * (u[1] - l10 * zeta[0]);
    }
  }

  [[gnu::always_inline]] void expand(const Label& y, const Pack* zeta, Expansion<r>& at) const {
    const Label u = features(zeta);
    Label slope, curvature, gauss_newton;
    at.value = 0;
    for (std::size_t i = 0; i < r; ++i) {
      const LogisticPoint point = Loss::at(y[i], beta_ * u[i]);
      at.value += point.value;
      slope[i] = beta_ * point.slope;
      curvature[i] = beta_ * beta_ * point.curvature;
      gauss_newton[i] = beta_ * beta_ * point.gauss_newton;
    }
    for (int k = 0; k < r; ++k) {
      at.gradient[index(k)] = 0;
      for (int i = k; i < r; ++i) at.gradient[index(k)] += factor(i, k) * slope[index(i)];
    }
    pull_back(curvature, at.hessian);
    pull_back(gauss_newton, at.gauss_newton);
  }

 private:
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  double factor(int i, int k) const { return metric_.factor[index(lower_index(i, k))]; }
  Label features(const Pack* zeta) const {
    Label u;
    for (int i = 0; i < r; ++i) {
      u[index(i)] = 0;
      for (int k = 0; k <= i; ++k) u[index(i)] += factor(i, k) * zeta[k];
    }
    return u;
  }
  /// Lᵀ diag(c) L.
  void pull_back(const Label& c, typename Expansion<r>::Matrix& matrix) const {
    for (int k = 0; k < r; ++k)
      for (int l = 0; l <= k; ++l) {
        Pack sum = 0;
        for (int i = k; i < r; ++i) sum += factor(i, k) * factor(i, l) * c[index(i)];
        matrix[index(lower_index(k, l))] = sum;
      }
  }

  FeatureMetric<r> metric_;
  double beta_;
  double target_beta_;
  LabelLaw law_;
};

/// Squared loss of self-attention with T = 2, to be made with kPairMetric.
using SoftmaxPair = LogisticFeatures<2, SquareLoss>;

}  // namespace attnlaw::theory
