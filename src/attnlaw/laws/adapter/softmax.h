#pragma once
/// Computes the loss of an adapter under row-wise softmax of two tokens, kLanes sequences at a time
/// (docs/theory/lora.md, section 3).

#include <algorithm>
#include <array>
#include <cstddef>

#include "attnlaw/theory/channel/proximal.h"

namespace attnlaw::laws {

/// The loss ℓ(p) = Σ_i (s(u_i) − t_i)², s the logistic function, u_1 = β(P_1 + p_1² − p_1 p_2 − q), u_2 = β(P_2 + p_2²
/// − p_1 p_2 − q) with P_i = h_ii − h_12 of the frozen student.
class AdapterPair {
 public:
  using Pack = theory::Pack;
  using Pair = std::array<Pack, 2>;
  struct Label {
    Pair t;       ///< the label
    Pair frozen;  ///< P
  };

  AdapterPair(double beta, double q) : beta_(beta), q_(q) {}

  static constexpr int kDimension = 2;
  static constexpr int dimension() { return kDimension; }

  /// Returns the longest step that is trusted: scores change by β per unit of p².
  double reach() const { return kReach / std::sqrt(beta_); }
  static theory::Mask certain(const Label&, Pack, double) { return Pack(1) < Pack(0); }
  /// A search also starts from the fit, and between the cavity field, from which `solve` starts, and no adapter.
  static constexpr int further_starts(const Label&) { return 2; }
  static constexpr int kAlwaysTried = 1;
  static void further_start(int i, const theory::SearchFrom<Label>& from, Pack* p) {
    constexpr double kShrunk = 0.3;
    for (std::size_t k = 0; k < 2; ++k) p[k] = i == 0 ? from.fit[k] : kShrunk * from.omega[k];
  }

  /// Returns p_i² − p_1 p_2 of either row.
  static Pair differences(const Pack* p) { return {p[0] * (p[0] - p[1]), p[1] * (p[1] - p[0])}; }
  /// Returns the gradients of the differences, the rows of their Jacobian.
  static std::array<Pair, 2> jacobian(const Pack* p) {
    return {Pair{2 * p[0] - p[1], -p[0]}, Pair{-p[1], 2 * p[1] - p[0]}};
  }
  static Pack logistic(Pack x) {
    constexpr double kSaturated = 700;  // exp stays finite
    return 1 / (1 + exp(min(-x, Pack(kSaturated))));
  }

  /// Returns s(u) of the student.
  Pair outputs(const Label& label, const Pack* p) const {
    const Pair h = differences(p);
    return {logistic(beta_ * (label.frozen[0] + h[0] - q_)), logistic(beta_ * (label.frozen[1] + h[1] - q_))};
  }

  template <theory::Curvature which = theory::Curvature::hessian>
  void expand(const Label& label, const Pack* p, theory::Expansion<kDimension>& at) const {
    const Pair s = outputs(label, p);
    const auto J = jacobian(p);
    // kCurvature is ∇² (p_i² − p_1 p_2), the lower triangle by rows.
    constexpr double kCurvature[2][3] = {{2, -1, 0}, {0, -1, 2}};
    at.value = 0;
    at.gradient[0] = at.gradient[1] = 0;
    for (std::size_t k = 0; k < 3; ++k) at.hessian[k] = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const Pack residual = s[i] - label.t[i], ds = beta_ * s[i] * (1 - s[i]);
      const Pack slope = 2 * residual * ds, gauss = 2 * ds * ds;
      const Pack curvature = gauss + slope * beta_ * (1 - 2 * s[i]);
      const Pack outer[3] = {J[i][0] * J[i][0], J[i][1] * J[i][0], J[i][1] * J[i][1]};
      at.value += residual * residual;
      for (std::size_t k = 0; k < 2; ++k) at.gradient[k] += slope * J[i][k];
      for (std::size_t k = 0; k < 3; ++k) {
        if constexpr (which == theory::Curvature::gauss_newton)
          at.hessian[k] += gauss * outer[k];
        else
          at.hessian[k] += curvature * outer[k] + slope * kCurvature[i][k];
      }
    }
  }

 private:
  static constexpr double kReach = 0.5;

  double beta_;
  double q_;
};

}  // namespace attnlaw::laws
