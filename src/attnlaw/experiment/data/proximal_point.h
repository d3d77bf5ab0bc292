#pragma once
/// Computes the output channel of a trained student, one sequence at a time: ẑ = argmin_z ℓ(y, h(z)) + |z − ω|²/(2V)
/// over the K normalised scores z_ab = h_ab/√(1+δ_ab), h_ab with cross-attention (docs/theory/erm.md, section 2).

#include <Eigen/Cholesky>

#include "attnlaw/base/matrix.h"
#include "attnlaw/experiment/data/scores.h"
#include "attnlaw/model/problem.h"

namespace attnlaw::experiment {

/// Minimises V ℓ + |z − ω|²/2, which has a meaning at V = 0 too, by damped Newton steps with the exact Hessian where
/// that is positive definite and its Gauss-Newton part elsewhere (Levenberg-Marquardt). It serves symmetric students of
/// self-attention and all students of cross-attention. It holds workspace, so every thread needs its own; `problem`
/// must outlive it.
class ProximalPoint {
 public:
  using Vector = Eigen::VectorXd;
  /// The label of one sequence (outputs.h).
  using Label = Eigen::Ref<const base::Columns<double>>;

  explicit ProximalPoint(const model::Problem& problem);

  /// Finds the lower of the minima reached from `start` and from ω; where ℓ is convex, from `start` alone.
  void solve(const Label& label, const Vector& omega, const Vector& start, double V);

  /// Returns g = (ẑ − ω)/V = −∇ℓ(ẑ).
  const Vector& g() const { return g_; }
  /// Returns −Σ_k ∂g_k/∂ω_k = Tr H(1 + V H)⁻¹, H the Hessian of ℓ at ẑ.
  double response() const { return response_; }

 private:
  using Dense = Eigen::MatrixXd;
  /// ℓ with its gradient in z, and the outputs, at one point.
  struct Expansion {
    double value = 0;
    Vector gradient;
    base::Columns<double> outputs;
  };

  /// Expands ℓ at z into `at`; returns V ℓ + |z − ω|²/2.
  double expand(const Label& label, const Vector& omega, double V, const Vector& z, Expansion& at);
  /// Sets row_ to the Hessian of ℓ in the scores of row a of a softmax, or to its Gauss-Newton part.
  void set_row_hessian(const Label& label, const Expansion& at, int a, bool exact);
  /// Sets hessian_ to ∇²ℓ in z, or to its Gauss-Newton part.
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

/// Returns the √(1+δ_ab) of h_ab = √(1+δ_ab) z_ab (1 with cross-attention), for the K scores in order.
Eigen::VectorXd score_norms(const ScoreLayout& layout);

}  // namespace attnlaw::experiment
