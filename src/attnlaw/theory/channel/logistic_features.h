#pragma once
/// Softmax rows of two scores: functions of r differences u = Lζ of scores, ζ of metric identity, C = LLᵀ
/// (docs/theory/losses.md).

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "attnlaw/theory/channel/curvature_bound.h"
#include "attnlaw/theory/channel/row_losses.h"

namespace attnlaw::theory {

/// C = LLᵀ, the covariance of r differences of scores, by its principal axes: where the loss treats rows alike it is
/// then even in every coordinate together with its label's.
template <int r>
struct FeatureMetric {
  using Matrix = std::array<double, static_cast<std::size_t>(r) * static_cast<std::size_t>(r)>;
  Matrix factor;              ///< L by rows
  Matrix inverse;             ///< L⁻¹
  double variance;            ///< C_ii, the same for all i
  double largest_eigenvalue;  ///< of C
};

/// u₁ = h₁₁ − h₁₂, u₂ = h₂₂ − h₁₂ of symmetric scores: C = [[3,1],[1,3]], L = [[√2,1],[√2,−1]].
inline constexpr FeatureMetric<2> kPairMetric{
    {1.4142135623730951, 1, 1.4142135623730951, -1}, {0.35355339059327373, 0.35355339059327373, 0.5, -0.5}, 3, 4};

/// One difference of the given variance: 3 of h₁₁ − h₁₂ with symmetric scores, 2 with cross-attention.
inline FeatureMetric<1> single_metric(double variance) {
  return {{std::sqrt(variance)}, {1 / std::sqrt(variance)}, variance, variance};
}

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
  /// How many labels a field may have.
  int outcomes() const { return law_ == LabelLaw::sampled ? 1 << r : 1; }
  /// Makes y the k-th label of a field with these outputs, and returns its probability.
  Pack outcome(int k, const Label& outputs, Label& y) const {
    y = outputs;
    Pack probability = 1;
    if (law_ == LabelLaw::outputs) return probability;
    for (std::size_t i = 0; i < r; ++i) {
      const bool first = (k >> i & 1) == 0;
      probability *= first ? y[i] : 1 - y[i];
      y[i] = first ? 1 : 0;
    }
    return probability;
  }

  /// The loss of one row alone, on the same scale; a label has r of them.
  LogisticFeatures<1, Loss> row() const { return {single_metric(metric_.variance), beta_, target_beta_, law_}; }

  static constexpr int rows() { return r; }

  /// How far from the real axis outputs are analytic in fields of unit variance, times the slope β of the output.
  double strip() const { return std::numbers::pi / std::sqrt(metric_.variance); }
  double beta() const { return beta_; }
  double target_beta() const { return target_beta_; }

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
  /// residual exceeds ρ = √(value/w), hence (s is monotone) nor on the segment to it, where with p = s(1−s) the
  /// curvatures are then at least 2wβ²p(p − ρ) ≥ −wβ²ρ²/2: the objective is convex along the segment, which has but one
  /// stationary point. Else where C⁻¹/V + diag(2wβ² φ) is positive definite, φ being the least that p² + (s − y)p(1−2s)
  /// can be within that residual.
  Mask certain(const Label& y, Pack value, double V) const {
    const double softness = metric_.largest_eigenvalue * beta_ * beta_ * V;
    if (Loss::kWeight * softness <= 8) return Pack(0) < Pack(1);
    const Mask flat = softness * value < Pack(2);
    return (!flat).any() ? flat | convex_within(y, value, V) : flat;
  }
  /// u where the label has it, or at a foothold before; then one u_i alone there, and the other one where the spring
  /// then pulls it. That one keeps to the steep part of its output, which is nearer to ω than its minimum can be beyond
  /// it: else its spring might promise nothing where that of the minimum is the lowest.
  static constexpr int further_starts(const Label&) { return r == 1 ? 1 : 1 + r; }
  static constexpr int kAlwaysTried = 1;
  void further_start(int i, const SearchFrom<Label>& from, Pack* zeta) const {
    Label u = features(from.fit);
    constexpr double kSteep = 1;  // logits
    const double farthest = (i == 0 ? kFoothold : kSteep) / beta_;
    for (Pack& each : u) each = max(Pack(-farthest), min(each, Pack(farthest)));
    if constexpr (r == 2) {
      if (i > 0) leave_to_spring(static_cast<std::size_t>(2 - i), from.omega, u);
    }
    for (int k = 0; k < r; ++k) {
      zeta[k] = inverse(k, 0) * u[0];
      for (int l = 1; l < r; ++l) zeta[k] += inverse(k, l) * u[index(l)];
    }
  }

  template <Curvature which = Curvature::hessian>
  [[gnu::always_inline]] void expand(const Label& y, const Pack* zeta, Expansion<r>& at) const {
    const Label u = features(zeta);
    Label slope, curvature;
    at.value = 0;
    for (std::size_t i = 0; i < r; ++i) {
      const LogisticPoint point = Loss::at(y[i], beta_ * u[i]);
      at.value += point.value;
      slope[i] = beta_ * point.slope;
      curvature[i] = beta_ * beta_ * (which == Curvature::hessian ? point.curvature : point.gauss_newton);
    }
    for (int k = 0; k < r; ++k) {
      at.gradient[index(k)] = factor(0, k) * slope[0];
      for (int i = 1; i < r; ++i) at.gradient[index(k)] += factor(i, k) * slope[index(i)];
    }
    pull_back(curvature, at.hessian);
  }

 private:
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  double factor(int i, int k) const { return metric_.factor[index(i * r + k)]; }
  double inverse(int k, int i) const { return metric_.inverse[index(k * r + i)]; }
  [[gnu::always_inline]] Label features(const Pack* zeta) const {
    Label u;
    for (int i = 0; i < r; ++i) {
      u[index(i)] = factor(i, 0) * zeta[0];
      for (int k = 1; k < r; ++k) u[index(i)] += factor(i, k) * zeta[k];
    }
    return u;
  }
  /// Lᵀ diag(c) L.
  [[gnu::always_inline]] void pull_back(const Label& c, typename Expansion<r>::Matrix& matrix) const {
    for (int k = 0; k < r; ++k)
      for (int l = 0; l <= k; ++l) {
        Pack sum = factor(0, k) * factor(0, l) * c[0];
        for (int i = 1; i < r; ++i) sum += factor(i, k) * factor(i, l) * c[index(i)];
        matrix[index(lower_index(k, l))] = sum;
      }
  }

  /// Moves u_other to where the spring towards ω pulls it while the other one stays.
  void leave_to_spring(std::size_t other, const Pack* omega, Label& u) const {
    static_assert(r == 2, "one other difference");
    const Label at_omega = features(omega);
    const std::size_t fitted = 1 - other;
    const double covariance = factor(0, 0) * factor(1, 0) + factor(0, 1) * factor(1, 1);
    u[other] = at_omega[other] + (covariance / metric_.variance) * (u[fitted] - at_omega[fitted]);
  }

  /// Lanes where C⁻¹/V + diag(c) is positive definite for the least curvatures c within the residual √(value/w).
  Mask convex_within(const Label& y, Pack value, double V) const {
    Mask convex = Pack(1) < Pack(0);
    for (int lane = 0; lane < kLanes; ++lane) {
      const double residual = std::sqrt(value.lanes[lane] / Loss::kWeight);
      const auto curvature = [&](int i) {
        const double bound = least_logistic_curvature(y[index(i)].lanes[lane], residual);
        return precision(i, i) / V + 2 * Loss::kWeight * beta_ * beta_ * bound;
      };
      bool definite = curvature(0) > 0;
      if constexpr (r == 2)
        definite = definite && curvature(0) * curvature(1) > precision(0, 1) * precision(0, 1) / (V * V);
      convex.lanes[lane] = definite ? -1 : 0;
    }
    return convex;
  }
  /// (C⁻¹)_ij = Σ_k (L⁻¹)_ki (L⁻¹)_kj.
  double precision(int i, int j) const {
    double sum = 0;
    for (int k = 0; k < r; ++k) sum += inverse(k, i) * inverse(k, j);
    return sum;
  }

  FeatureMetric<r> metric_;
  double beta_;
  double target_beta_;
  LabelLaw law_;
};

/// Squared loss of self-attention with T = 2, to be made with kPairMetric.
using SoftmaxPair = LogisticFeatures<2, SquareLoss>;

}  // namespace attnlaw::theory
