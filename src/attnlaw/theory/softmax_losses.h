#pragma once
/// ℓ(y, h) = ‖y − σ_β(h)‖²_F as a function of whitened coordinates ζ (metric identity), kLanes points at a time.
/// Directions that the loss cannot see are left out of the sampled coordinates (docs/theory/erm.md, section 4).

#include <array>
#include <cmath>
#include <vector>

#include "attnlaw/theory/proximal.h"

namespace attnlaw::theory {

/// T = 2: ℓ = 2 Σ_i (y_i − s(βu_i))², s the logistic function, u₁ = h₁₁ − h₁₂, u₂ = h₂₂ − h₁₂ of metric [[3,1],[1,3]] =
/// L Lᵀ, u = Lζ.
class SoftmaxPair {
 public:
  using Label = std::array<Pack, 2>;

  SoftmaxPair(double beta, double target_beta) : beta_(beta), target_beta_(target_beta) {}

  static constexpr int kDimension = 2;
  static constexpr bool kGeneral = false;
  static constexpr int dimension() { return kDimension; }
  static constexpr int symmetric_dimension() { return kDimension; }
  static constexpr int sampled_dimension() { return kDimension; }
  void embed(const Pack* sampled, Pack* zeta) const { zeta[0] = sampled[0], zeta[1] = sampled[1]; }

  static Label make_label() { return {}; }
  void label(const Pack* zeta, Label& y) const {
    const std::array<Pack, 2> u = features(zeta);
    for (std::size_t i = 0; i < 2; ++i) y[i] = logistic(target_beta_ * u[i]);
  }

  Pack value(const Label& y, const Pack* zeta) const {
    const std::array<Pack, 2> u = features(zeta);
    Pack sum = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const Pack residual = y[i] - logistic(beta_ * u[i]);
      sum += 2 * residual * residual;
    }
    return sum;
  }

  /// Logistic functions are flat beyond a few 1/β.
  double reach() const { return 1 / beta_; }
  /// Lanes where a minimum of this value of ℓ(ζ) + |ζ − ω|²/(2V) is known to be the global one.
  ///
  /// Everywhere for V ≤ 1/β²: the curvature of 2(y − s(βu))² is at least 4β² min s(1−s)²(3s−1) = −0.2404 β², and the
  /// largest eigenvalue of the metric is 4. Else where 2β²V·value < 1: at a lower minimum no residual r exceeds
  /// ρ = √(value/2), hence (s is monotone) nor on the segment to it, where with p = s(1−s) the curvatures are then at
  /// least 4β²p(p − ρ) ≥ −β²ρ²: the objective is convex along the segment, which has but one stationary point.
  Mask certain(Pack value, double V) const {
    const double softness = beta_ * beta_ * V;
    return softness <= 1 ? Pack(0) < Pack(1) : 2 * softness * value < Pack(1);
  }
  /// u_i where the label has it, the other one where the spring then pulls it.
  static constexpr int mixed_starts() { return 2; }
  void mixed_start(int i, const Pack* omega, const Pack* fit, Pack* zeta) const {
    const std::array<Pack, 2> at_omega = features(omega), at_fit = features(fit);
    const auto fitted = static_cast<std::size_t>(i), other = 1 - fitted;
    constexpr double kCorrelation = 1.0 / 3;
    std::array<Pack, 2> u;
    u[fitted] = at_fit[fitted];
    u[other] = at_omega[other] + kCorrelation * (u[fitted] - at_omega[fitted]);
    zeta[0] = (1 / kL00) * u[0];
    zeta[1] = (1 / kL11) * (u[1] - kL10 * zeta[0]);
  }

  void expand(const Label& y, const Pack* zeta, Expansion<kDimension>& at) const {
    const std::array<Pack, 2> u = features(zeta);
    std::array<Pack, 2> slope, curvature, gauss;
    at.value = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const Pack s = logistic(beta_ * u[i]);
      const Pack residual = s - y[i];
      const Pack ds = beta_ * s * (1 - s);
      at.value += 2 * residual * residual;
      slope[i] = 4 * residual * ds;
      gauss[i] = 4 * ds * ds;
      curvature[i] = gauss[i] + slope[i] * beta_ * (1 - 2 * s);
    }
    at.gradient[0] = kL00 * slope[0] + kL10 * slope[1];
    at.gradient[1] = kL11 * slope[1];
    pull_back(curvature, at.hessian);
    pull_back(gauss, at.gauss_newton);
  }

 private:
  static constexpr double kL00 = 1.7320508075688772;   // √3
  static constexpr double kL10 = 0.57735026918962576;  // 1/√3
  static constexpr double kL11 = 1.6329931618554521;   // √(8/3)

  static Pack logistic(Pack x) {
    constexpr double kSaturated = 700;  // exp stays finite
    return 1 / (1 + exp(min(-x, Pack(kSaturated))));
  }
  static std::array<Pack, 2> features(const Pack* zeta) { return {kL00 * zeta[0], kL10 * zeta[0] + kL11 * zeta[1]}; }
  /// Lᵀ diag(c) L.
  static void pull_back(const std::array<Pack, 2>& c, Expansion<kDimension>::Matrix& matrix) {
    matrix[0] = kL00 * kL00 * c[0] + kL10 * kL10 * c[1];
    matrix[1] = kL10 * kL11 * c[1];
    matrix[2] = kL11 * kL11 * c[1];
  }

  double beta_;
  double target_beta_;
};

/// Any T ≥ 2 in the K = T(T+1)/2 normalised coordinates z_ab, h_ab = √(1+δ_ab) z_ab. A common shift of all scores, the
/// unit direction e_aa = 1/T, e_ab = √2/T, is invisible: points are sampled in its orthogonal complement.
///
/// Scores of a general S (is_general) are not symmetric: h_ab = √(1+δ_ab) z_ab ± c z^a_ab with T(T−1)/2 further
/// coordinates, + for a > b. c is the scale of the antisymmetric coordinates, such that the same V serves all of them
/// (docs/theory/students.md). kTokens = 0: T known at run time.
template <int kTokens, bool is_general = false>
class SoftmaxRows {
 public:
  static constexpr bool kGeneral = is_general;
  static constexpr int kDimension = is_general ? kTokens * kTokens : lower_index(kTokens, 0);
  using Label = PackArray<kTokens * kTokens>;  // T×T, row by row

  SoftmaxRows(int tokens, double beta, double target_beta)
      : runtime_tokens_(tokens), beta_(beta), target_beta_(target_beta) {
    // Householder reflection that maps the last axis to the invisible direction e: I − (e − a)(e − a)ᵀ/(1 − e·a).
    std::vector<double> invisible;
    for (int a = 0; a < tokens; ++a)
      for (int b = 0; b <= a; ++b) invisible.push_back((a == b ? 1.0 : std::sqrt(2.0)) / tokens);
    const double last = invisible.back();
    mirror_ = invisible;
    mirror_.back() -= 1;
    mirror_scale_ = 1 / (1 - last);
  }

  int dimension() const { return is_general ? tokens() * tokens() : symmetric_dimension(); }
  int symmetric_dimension() const { return lower_index(tokens(), 0); }
  int sampled_dimension() const { return is_general ? dimension() : dimension() - 1; }

  /// The same loss with another scale c.
  SoftmaxRows scaled(double c) const {
    SoftmaxRows result = *this;
    result.antisymmetric_scale_ = c;
    return result;
  }

  void embed(const Pack* sampled, Pack* zeta) const {
    if constexpr (is_general) {
      std::copy(sampled, sampled + dimension(), zeta);
      return;
    }
    Pack projection = 0;
    for (int k = 0; k + 1 < dimension(); ++k) projection += mirror_[index(k)] * sampled[k];
    projection *= mirror_scale_;
    for (int k = 0; k < dimension(); ++k)
      zeta[k] = (k + 1 < dimension() ? sampled[k] : Pack(0)) - mirror_[index(k)] * projection;
  }

  Label make_label() const { return Label(tokens() * tokens()); }
  void label(const Pack* zeta, Label& y) const {
    for (int a = 0; a < tokens(); ++a) softmax_row(zeta, a, target_beta_, &y[index(a * tokens())]);
  }

  Pack value(const Label& y, const Pack* zeta) const {
    PackArray<kTokens> p(tokens());
    Pack sum = 0;
    for (int a = 0; a < tokens(); ++a) {
      softmax_row(zeta, a, beta_, p.data());
      for (int b = 0; b < tokens(); ++b) {
        const Pack residual = p[index(b)] - y[index(a * tokens() + b)];
        sum += residual * residual;
      }
    }
    return sum;
  }

  /// A softmax saturates within a few 1/β.
  double reach() const { return 1 / beta_; }
  /// No bound is known: never certain.
  static Mask certain(Pack, double) { return Pack(1) < Pack(0); }
  /// Of a general S one row can follow its label and leave the others: row i then moves from ω, up to a shift, to
  /// where the label has it, and its coordinates by as little as that takes.
  int mixed_starts() const { return is_general ? tokens() : 0; }
  void mixed_start(int i, const Pack* omega, const Pack* fit, Pack* zeta) const {
    std::copy(omega, omega + dimension(), zeta);
    Pack shift = 0;
    double total = 0;
    PackArray<kTokens> move(tokens());
    for (int b = 0; b < tokens(); ++b) {
      double weight = 0;
      move[index(b)] = 0;
      for (const Feature& feature : features(i, b)) {
        weight += feature.weight * feature.weight;
        move[index(b)] += feature.weight * (fit[feature.coordinate] - omega[feature.coordinate]);
      }
      shift += (1 / weight) * move[index(b)];
      total += 1 / weight;
    }
    shift *= 1 / total;
    for (int b = 0; b < tokens(); ++b) {
      double weight = 0;
      for (const Feature& feature : features(i, b)) weight += feature.weight * feature.weight;
      for (const Feature& feature : features(i, b))
        zeta[feature.coordinate] += (feature.weight / weight) * (move[index(b)] - shift);
    }
  }

  /// With p the row, r = p − y, P = diag p − ppᵀ the Jacobian/β, w = p∘r and R = Σ w: gradient 2β(w − Rp), Gauss-Newton
  /// part 2β²P², curvature 2β²(diag(w − Rp) − wpᵀ − pwᵀ + 2Rppᵀ).
  void expand(const Label& y, const Pack* zeta, Expansion<kDimension>& at) const {
    at.value = 0;
    std::fill(at.gradient.begin(), at.gradient.end(), Pack(0));
    std::fill(at.hessian.begin(), at.hessian.end(), Pack(0));
    std::fill(at.gauss_newton.begin(), at.gauss_newton.end(), Pack(0));
    PackArray<kTokens> row(tokens()), weighted_residual(tokens());
    Pack* p = row.data();
    Pack* w = weighted_residual.data();
    for (int a = 0; a < tokens(); ++a) {
      softmax_row(zeta, a, beta_, p);
      Pack total = 0, square = 0;
      for (int b = 0; b < tokens(); ++b) {
        const Pack residual = p[b] - y[index(a * tokens() + b)];
        at.value += residual * residual;
        w[b] = p[b] * residual;
        total += w[b];
        square += p[b] * p[b];
      }
      add_row(a, p, w, total, square, at);
    }
  }

 private:
  int tokens() const { return kTokens > 0 ? kTokens : runtime_tokens_; }
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  /// A coordinate that h_ab depends on, and how.
  struct Feature {
    int coordinate;
    double weight;
  };
  static constexpr int kFeatures = is_general ? 2 : 1;
  std::array<Feature, kFeatures> features(int a, int b) const {
    const Feature symmetric{a >= b ? lower_index(a, b) : lower_index(b, a), a == b ? 1.4142135623730951 : 1.0};
    if constexpr (!is_general) {
      return {symmetric};
    } else {
      if (a == b) return {symmetric, {symmetric.coordinate, 0}};
      // Pairs a > b in rows of length 0, 1, 2, …
      const int pair = a > b ? lower_index(a - 1, b) : lower_index(b - 1, a);
      return {symmetric, {symmetric_dimension() + pair, a > b ? antisymmetric_scale_ : -antisymmetric_scale_}};
    }
  }

  void softmax_row(const Pack* zeta, int a, double beta, Pack* p) const {
    Pack largest = -1e300;
    for (int b = 0; b < tokens(); ++b) {
      p[b] = 0;
      for (const Feature& feature : features(a, b)) p[b] += beta * feature.weight * zeta[feature.coordinate];
      largest = max(largest, p[b]);
    }
    Pack sum = 0;
    for (int b = 0; b < tokens(); ++b) {
      p[b] = exp(p[b] - largest);
      sum += p[b];
    }
    const Pack inverse = 1 / sum;
    for (int b = 0; b < tokens(); ++b) p[b] *= inverse;
  }

  void add_row(int a, const Pack* p, const Pack* w, Pack total, Pack square, Expansion<kDimension>& at) const {
    const double factor = 2 * beta_ * beta_;
    for (int c = 0; c < tokens(); ++c) {
      const auto features_c = features(a, c);
      const Pack tilt = w[c] - total * p[c];
      for (const Feature& feature : features_c)
        at.gradient[index(feature.coordinate)] += 2 * beta_ * feature.weight * tilt;
      for (int e = 0; e <= c; ++e) {
        Pack gauss = p[c] * p[e] * (square - p[c] - p[e]);
        Pack curvature = 2 * total * p[c] * p[e] - w[c] * p[e] - p[c] * w[e];
        if (c == e) {
          gauss += p[c] * p[c];
          curvature += tilt;
        }
        const auto features_e = features(a, e);
        for (int i = 0; i < kFeatures; ++i)
          for (int j = 0; j < (c == e ? i + 1 : kFeatures); ++j)
            add_curvature(features_c[index(i)], features_e[index(j)], factor * gauss, factor * curvature, at);
      }
    }
  }

  static void add_curvature(Feature left, Feature right, Pack gauss, Pack curvature, Expansion<kDimension>& at) {
    const double weight = left.weight * right.weight;
    const std::size_t entry =
        index(left.coordinate >= right.coordinate ? lower_index(left.coordinate, right.coordinate)
                                                  : lower_index(right.coordinate, left.coordinate));
    at.gauss_newton[entry] += weight * gauss;
    at.hessian[entry] += weight * (gauss + curvature);
  }

  int runtime_tokens_;
  double beta_;
  double target_beta_;
  std::vector<double> mirror_;
  double mirror_scale_ = 1;
  double antisymmetric_scale_ = 1;
};

}  // namespace attnlaw::theory
