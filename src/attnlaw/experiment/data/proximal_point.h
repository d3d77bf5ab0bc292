#pragma once
/// The output channel of a trained student, one sequence at a time: ẑ = argmin_z ℓ(y, h(z)) + |z − ω|²/(2V) over the K
/// normalised scores z_ab = h_ab/√(1+δ_ab), h_ab with cross-attention (docs/theory/erm.md, section 2).

#include <Eigen/Cholesky>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Damped Newton on V ℓ + |z − ω|²/2, which has a meaning at V = 0 too, with the exact Hessian where that is positive
/// definite and its Gauss-Newton part elsewhere (Levenberg-Marquardt). For students whose scores are all that S is seen
/// by: symmetric ones of self-attention, any of cross-attention. Holds workspace: one per thread; `problem` must
/// outlive it.
class ProximalPoint {
 public:
  using Vector = Eigen::VectorXd;
  /// Label of one sequence (outputs.h).
  using Label = Eigen::Ref<const base::Columns<double>>;

  explicit ProximalPoint(const model::Problem& problem);

  /// The lower of the minima found from `start` and from ω; from `start` alone where ℓ is convex.
  void solve(const Label& label, const Vector& omega, const Vector& start, double V);

  /// g = (ẑ − ω)/V = −∇ℓ(ẑ).
  const Vector& g() const { return g_; }
  /// −Σ_k ∂g_k/∂ω_k = Tr H(1 + V H)⁻¹, H the Hessian of ℓ at ẑ.
  double response() const { return response_; }

 private:
  using Dense = Eigen::MatrixXd;
  /// ℓ with derivatives in z at one point.
  struct Expansion {
    double value = 0;
    Vector gradient;
    base::Columns<double> outputs;
  };

  /// The value of V ℓ + |z − ω|²/2 at z.
  double expand(const Label& label, const Vector& omega, double V, const Vector& z, Expansion& at);
  /// row_ becomes the Hessian of ℓ in the scores of row a of a softmax.
  void set_row_hessian(const Label& label, const Expansion& at, int a, bool exact);
  /// hessian_ becomes ∇²ℓ, or its Gauss-Newton part, in z.
  void set_hessian(const Label& label, const Expansion& at, bool exact);
  void factorise(const Label& label, const Expansion& at, double V, double damping);
  /// Moves z to a local minimum, of which current_ is the expansion; returns its value.
  double descend(const Label& label, const Vector& omega, double V, Vector& z);

  const model::Problem& problem_;
  ScoreLayout layout_;
  Vector norms_;
  Expansion current_, trial_;
  base::Columns<double> scores_;
  Dense hessian_, row_;
  Eigen::LLT<Dense> factor_;
  Vector g_;
  double response_ = 0;
};

/// √(1+δ_ab) of h_ab = √(1+δ_ab) z_ab (1 with cross-attention), for the K scores in order.
Eigen::VectorXd score_norms(const ScoreLayout& layout);

}  // namespace attnlaw::experiment
