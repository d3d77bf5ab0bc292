#pragma once
/// The singular values of the trained matrix of in-context regression: information plus noise, diag(D) + Z diag(√t)/√d
/// over the spectrum of the training tasks (docs/theory/in_context_learning.md, section 4).

#include <optional>
#include <vector>

#include "attnlaw/laws/in_context/in_context.h"
#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::laws {

/// Points of a density, ascending.
struct SingularValueDensity {
  std::vector<double> x;
  std::vector<double> density;
};
const base::Description& describe(const SingularValueDensity*);

/// The law of the singular values σ ≥ 0 of the d×d block of the trained matrix that acts on contexts.
class SingularValueLaw {
 public:
  /// An eigenvalue r of R with its weight: the layer answers `gain` there, with noise of variance `noise`.
  struct Node {
    double weight = 0, gain = 0, noise = 0;
  };

  /// Returns the law of a prediction; nothing unless tasks are isotropic, contexts finite, and the noise of the layer
  /// neither infinite (n = d², λ → 0+) nor too small to be seen (very many sequences), and
  /// where no band is found.
  static std::optional<SingularValueLaw> of(const InContextPrediction& prediction);

  /// Returns the density at σ > 0.
  double density(double sigma) const;
  /// Returns the intervals that have a density, ascending; the first begins at 0 unless the law has a gap there.
  const std::vector<matrix_laws::Interval>& bands() const { return bands_; }
  /// Returns the density over all bands, `count` points each, closer towards the edges.
  SingularValueDensity curve(int count) const;
  /// Returns P(σ ≤ x), by integration of the curve.
  double cdf(double sigma) const;

 private:
  using Complex = matrix_laws::Complex;
  SingularValueLaw(std::vector<Node> nodes, bool gap);

  /// The equation of a node: z + a, z + tb, and 1/((z + a)(z + tb) − D²).
  struct Resolvent {
    Complex left, right, inverse;
  };
  /// The unknowns of the equation: b is the transform of the law, a that of the noise; both, and z, in units of the
  /// largest noise.
  struct State {
    Complex a, b;
  };
  static constexpr State kStart{Complex(0, 0.5), Complex(0, 0.5)};
  static Resolvent resolvent(const Node& node, const State& state, Complex z);
  State map(const State& state, Complex z) const;
  /// One step of Newton's method for map(state) = state.
  State newton(const State& state, Complex z) const;
  State solve(double sigma, State start) const;
  /// Returns the density; `state` is where the solution is looked for first, and then the solution.
  double density_near(double sigma, State& state) const;
  bool has_density_near(double sigma, State& state) const;
  /// Returns where the density begins between a point outside and one inside.
  double edge(double outside, double inside) const;
  void find_bands(bool gap);
  void tabulate();

  double unit_ = 1;          ///< √ of the largest noise
  std::vector<Node> nodes_;  ///< gains over the unit, noises over its square
  std::vector<matrix_laws::Interval> bands_;
  std::vector<double> x_, cdf_;  ///< of the distribution function
};

}  // namespace attnlaw::laws
