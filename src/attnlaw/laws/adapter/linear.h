#pragma once
/// Finds the proximal point of linear scores, kLanes sequences at a time (docs/theory/lora.md, section 3).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "attnlaw/theory/channel/proximal.h"

namespace attnlaw::laws {

using theory::kLanes;
using theory::Mask;
using theory::Pack;

/// Finds the global minimum argmin_p ½‖B − ppᵀ‖²_F + |p − ω0|²/(2V), B = A + q, for kTokens tokens (0: a number known
/// at run time).
///
/// In the eigenbasis of B, p_i = ω0_i/(1 + 2V(s − b_i)) with s = |p|² the one root of s = Σ p_i² beyond the largest
/// pole, as for a trust region. There the Hessian is explicit, too: 1 + V∇²ℓ = D + 4V ppᵀ with D_i = 1 + 2V(s − b_i).
template <int kTokens>
class LinearProximal {
 public:
  using Vector = theory::PackArray<kTokens>;

  explicit LinearProximal(int tokens)
      : runtime_tokens_(tokens),
        matrix_(tokens * tokens),
        b_(tokens),
        omega0_(tokens),
        v_(tokens),
        p_(tokens),
        d_(tokens) {}

  /// Solves for B, given row by row; v is carried along into the eigenbasis.
  void solve(const Pack* B, const Pack* omega0, const Pack* v, double V) {
    std::copy(B, B + tokens() * tokens(), matrix_.begin());
    std::copy(omega0, omega0 + tokens(), omega0_.begin());
    std::copy(v, v + tokens(), v_.begin());
    diagonalise();
    for (int i = 0; i < tokens(); ++i) b_[at(i)] = matrix_[at(i * tokens() + i)];
    find_square(V);
    for (int i = 0; i < tokens(); ++i) {
      d_[at(i)] = 1 + 2 * V * (s_ - b_[at(i)]);
      p_[at(i)] = omega0_[at(i)] / d_[at(i)];
    }
  }

  /// These return eigenvalues b of B, and ω0, v, p and D, all in the eigenbasis of B.
  const Vector& b() const { return b_; }
  const Vector& omega0() const { return omega0_; }
  const Vector& v() const { return v_; }
  const Vector& p() const { return p_; }
  const Vector& d() const { return d_; }
  /// Returns |p|².
  Pack square() const { return s_; }

  int tokens() const { return kTokens > 0 ? kTokens : runtime_tokens_; }

 private:
  static std::size_t at(int k) { return static_cast<std::size_t>(k); }

  /// Diagonalises B by Jacobi rotations, which it applies to ω0 and v. One is exact for two tokens; for more they
  /// converge quadratically.
  void diagonalise() {
    constexpr int kMaxSweeps = 30;
    for (int sweep = 0; sweep < (tokens() <= 2 ? 1 : kMaxSweeps); ++sweep) {
      for (int i = 0; i < tokens(); ++i)
        for (int j = i + 1; j < tokens(); ++j) rotate(i, j);
      if (tokens() > 2 && !off_diagonal().any()) return;
    }
  }

  Mask off_diagonal() const {
    constexpr double kRounding = 1e-30;
    Pack off = 0, all = 0;
    for (int i = 0; i < tokens(); ++i) {
      for (int j = 0; j < tokens(); ++j) {
        const Pack entry = matrix_[at(i * tokens() + j)];
        all += entry * entry;
        if (i != j) off += entry * entry;
      }
    }
    return off > kRounding * all;
  }

  void rotate(int i, int j) {
    constexpr double kTiny = 1e-300;
    const auto entry = [&](int a, int b) -> Pack& { return matrix_[at(a * tokens() + b)]; };
    const Pack off = entry(i, j), half = 0.5 * (entry(j, j) - entry(i, i));
    const Pack magnitude = theory::sqrt(half * half + off * off) + max(half, -half) + kTiny;
    const Pack tangent = select(half < Pack(0), -off, off) / magnitude;
    const Pack cosine = 1 / theory::sqrt(1 + tangent * tangent), sine = tangent * cosine;
    const auto turn = [&](Pack& x, Pack& y) {
      const Pack old = x;
      x = cosine * old - sine * y;
      y = sine * old + cosine * y;
    };
    entry(i, i) -= tangent * off;
    entry(j, j) += tangent * off;
    entry(i, j) = entry(j, i) = 0;
    for (int r = 0; r < tokens(); ++r) {
      if (r == i || r == j) continue;
      turn(entry(r, i), entry(r, j));
      entry(i, r) = entry(r, i);
      entry(j, r) = entry(r, j);
    }
    turn(omega0_[at(i)], omega0_[at(j)]);
    turn(v_[at(i)], v_[at(j)]);
  }

  /// Finds s on s > max(0, b_max − 1/(2V)), where s − Σ ω0_i²/D_i² increases through its root. It takes Newton steps
  /// for 1/√Σ − 1/√s, which is nearly linear in s, kept inside a shrinking bracket.
  void find_square(double V) {
    constexpr int kMaxSteps = 60;
    constexpr double kTolerance = 1e-13;
    Pack largest = b_[0], norm = 0;
    for (int i = 0; i < tokens(); ++i) {
      largest = max(largest, b_[at(i)]);
      norm += omega0_[at(i)] * omega0_[at(i)];
    }
    constexpr double kTiny = 1e-200;
    Pack lower = max(Pack(0), largest - 1 / (2 * V));
    Pack upper = lower + cube_root(norm / (4 * V * V)) + kTiny;
    s_ = max(lower + 0.1 * (upper - lower), min(norm, upper));
    Mask active = Pack(0) <= Pack(0);
    for (int step = 0; step < kMaxSteps && active.any(); ++step) {
      Pack sum = kTiny, slope = 0;
      for (int i = 0; i < tokens(); ++i) {
        const Pack inverse = 1 / (1 + 2 * V * (s_ - b_[at(i)]));
        const Pack term = omega0_[at(i)] * omega0_[at(i)] * inverse * inverse;
        sum += term;
        slope += term * inverse;
      }
      slope *= 2 * V;
      const Mask below = sum > s_;
      lower = select(below, s_, lower);
      upper = select(below, upper, s_);
      // A Newton step is 1/√Σ − 1/√s over its derivative, slope/Σ^{3/2} + 1/(2 s^{3/2}) with slope = −Σ'/2.
      const Pack root_sum = theory::sqrt(sum), root_s = theory::sqrt(s_);
      const Pack change = (root_s - root_sum) / (root_sum * root_s) / (slope / (sum * root_sum) + 0.5 / (s_ * root_s));
      const Pack newton = s_ - change;
      // Close to the root rounding may carry a good step just past an end of the bracket.
      const Pack slack = kTolerance * s_;
      const Mask inside = (lower - slack <= newton) & (newton <= upper + slack);
      const Pack next = select(active, select(inside, newton, 0.5 * (lower + upper)), s_);
      active = active & !(max(next - s_, s_ - next) <= slack);
      s_ = next;
    }
  }

  static Pack cube_root(Pack x) {
    Pack result;
    for (int lane = 0; lane < kLanes; ++lane) result.lanes[lane] = std::cbrt(x.lanes[lane]);
    return result;
  }

  int runtime_tokens_;
  theory::PackArray<kTokens * kTokens> matrix_;
  Vector b_, omega0_, v_, p_, d_;
  Pack s_;
};

}  // namespace attnlaw::laws
