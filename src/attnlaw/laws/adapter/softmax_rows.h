#pragma once
/// Computes the loss of an adapter under row-wise softmax of three tokens, kLanes sequences at a time
/// (docs/theory/lora.md, section 3).

#include <array>
#include <cmath>
#include <cstddef>

#include "attnlaw/theory/channel/proximal.h"

namespace attnlaw::laws {

/// The loss ℓ(p) = ½ Σ_ab (σ_ab − y_ab)², σ the row-wise softmax of β h, h_ab = P_ab + p_a p_b − δ_ab q with the scores
/// P of the frozen student.
class AdapterRows {
 public:
  using Pack = theory::Pack;
  static constexpr int kTokens = 3;
  using Row = std::array<Pack, kTokens>;
  using Square = std::array<Row, kTokens>;
  struct Label {
    Square y;       ///< the label
    Square frozen;  ///< P
  };

  AdapterRows(double beta, double q) : beta_(beta), q_(q) {}

  static constexpr int kDimension = kTokens;
  static constexpr int dimension() { return kDimension; }

  /// These say the same as those of AdapterPair.
  double reach() const { return kReach / std::sqrt(beta_); }
  static theory::Mask certain(const Label&, Pack, double) { return Pack(1) < Pack(0); }
  static constexpr int further_starts(const Label&) { return 2; }
  static constexpr int kAlwaysTried = 1;
  static void further_start(int i, const theory::SearchFrom<Label>& from, Pack* p) {
    constexpr double kShrunk = 0.3;
    for (std::size_t k = 0; k < kTokens; ++k) p[k] = i == 0 ? from.fit[k] : kShrunk * from.omega[k];
  }

  /// Returns the softmax of every row of β times scores.
  static Square softmax(double beta, const Square& scores) {
    Square result;
    for (std::size_t a = 0; a < kTokens; ++a) {
      Pack largest = scores[a][0], sum = 0;
      for (const Pack& score : scores[a]) largest = max(largest, score);
      for (std::size_t b = 0; b < kTokens; ++b) sum += result[a][b] = exp(beta * (scores[a][b] - largest));
      for (std::size_t b = 0; b < kTokens; ++b) result[a][b] = result[a][b] / sum;
    }
    return result;
  }

  /// Returns σ of the student.
  Square outputs(const Label& label, const Pack* p) const {
    Square scores = label.frozen;
    for (std::size_t a = 0; a < kTokens; ++a)
      for (std::size_t b = 0; b < kTokens; ++b) scores[a][b] += p[a] * p[b] - (a == b ? q_ : 0.0);
    return softmax(beta_, scores);
  }

  /// Returns the rows of β σ_ab (x_ab − Σ_c σ_ac x_ac): the derivative of σ in the direction x of scores, and ∂ℓ/∂h
  /// where x is the residual.
  Square slope(const Square& sigma, const Square& x) const {
    Square result;
    for (std::size_t a = 0; a < kTokens; ++a) {
      Pack mean = 0;
      for (std::size_t b = 0; b < kTokens; ++b) mean += sigma[a][b] * x[a][b];
      for (std::size_t b = 0; b < kTokens; ++b) result[a][b] = beta_ * sigma[a][b] * (x[a][b] - mean);
    }
    return result;
  }

  template <theory::Curvature which = theory::Curvature::hessian>
  void expand(const Label& label, const Pack* p, theory::Expansion<kDimension>& at) const {
    constexpr bool exact = which == theory::Curvature::hessian;
    const Square sigma = outputs(label, p);
    Square residual;
    at.value = 0;
    for (std::size_t a = 0; a < kTokens; ++a)
      for (std::size_t b = 0; b < kTokens; ++b) {
        residual[a][b] = sigma[a][b] - label.y[a][b];
        at.value += 0.5 * residual[a][b] * residual[a][b];
      }
    const Square C = slope(sigma, residual);
    for (std::size_t i = 0; i < kTokens; ++i) at.gradient[i] = along(C, p, i);
    for (std::size_t j = 0, k = 0; j < kTokens; ++j) {
      // The change of everything with p_j.
      Square moved;
      for (std::size_t a = 0; a < kTokens; ++a)
        for (std::size_t b = 0; b < kTokens; ++b) moved[a][b] = (a == j ? p[b] : Pack(0)) + (b == j ? p[a] : Pack(0));
      const Square turned = slope(sigma, moved);
      Square changed = slope(sigma, turned);
      if constexpr (exact) add_bend(sigma, residual, turned, changed);
      for (std::size_t i = 0; i <= j; ++i, ++k)
        at.hessian[k] = along(changed, p, i) + (exact ? C[i][j] + C[j][i] : Pack(0));
    }
  }

  /// Returns ((C + Cᵀ) p)_i, what coefficients C of scores are in p_i.
  static Pack along(const Square& C, const Pack* p, std::size_t i) {
    Pack sum = 0;
    for (std::size_t b = 0; b < kTokens; ++b) sum += (C[i][b] + C[b][i]) * p[b];
    return sum;
  }

 private:
  static constexpr double kReach = 0.5;

  /// Adds to the change of C what it owes to that of σ, `turned`, beside the residual.
  void add_bend(const Square& sigma, const Square& residual, const Square& turned, Square& changed) const {
    for (std::size_t a = 0; a < kTokens; ++a) {
      Pack mean = 0, drift = 0;
      for (std::size_t b = 0; b < kTokens; ++b) {
        mean += sigma[a][b] * residual[a][b];
        drift += turned[a][b] * residual[a][b];
      }
      for (std::size_t b = 0; b < kTokens; ++b)
        changed[a][b] += beta_ * (turned[a][b] * (residual[a][b] - mean) - sigma[a][b] * drift);
    }
  }

  double beta_;
  double q_;
};

}  // namespace attnlaw::laws
