#pragma once
/// Learning curves of power-law targets: slopes, sequential recovery of modes, where the error comes from
/// (docs/theory/scaling.md).

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

/// The estimation error by its origin; the parts sum to it. A direct student learns no modes: it shrinks all alike, and
/// the rest is noise.
struct ErrorParts {
  double unlearned = 0;     ///< Σ s² of target modes that stay inside the bulk
  double shrinkage = 0;     ///< learned modes: eigenvalues too small, Σ (s − s_student)²
  double misalignment = 0;  ///< learned modes: eigenvectors off
  double bulk = 0;          ///< the trained part of the bulk: noise that is fitted, less the signal in it

  double sum() const { return unlearned + shrinkage + misalignment + bulk; }
};

/// The law that rules a stretch of the curve.
enum class Regime {
  noise_dominated,  ///< E ∝ n^{−1+1/(2γ)}: modes are recovered one by one against a constant noise
  noiseless,        ///< E ∝ n^{1−2γ}: against the error itself
  parametric,       ///< E ∝ 1/n: all modes are learned and the noise is averaged
  none              ///< nothing is learned, or all of it exactly
};
std::span<const base::Named<Regime>> names_table(Regime);

struct ScalingPoint {
  double n = 0;  ///< sequences at d = D
  Solution solution;
  double slope = 0;      ///< d log E/d log n, from the neighbours; NaN beside a point without a solution
  double predicted = 0;  ///< exponent of `regime`; NaN for none
  Regime regime = Regime::none;
  std::size_t recovered = 0;  ///< modes above their transition, m̂ s > √q̂
  ErrorParts parts;
};

/// Where mode k (1, 2, …, in descending order) is recovered: m̂ s_k = √q̂.
struct ModeTransition {
  std::size_t mode = 0;
  double eigenvalue = 0;
  double n = 0;  ///< interpolated in log n; NaN if beyond the curve
};

/// Where one regime gives way to the next.
struct Crossover {
  Regime from = Regime::none;
  Regime to = Regime::none;
  double n = 0;
};

struct ScalingCurve {
  double gamma = 0;
  std::size_t dimension = 0;
  std::size_t modes = 0;  ///< nonzero eigenvalues of the target
  std::vector<ScalingPoint> points;
  std::vector<ModeTransition> transitions;
  std::vector<Crossover> crossovers;
};

struct ScalingOptions {
  SolveOptions solve;
  std::size_t transitions = 10;  ///< how many modes to follow
  int threads = 1;               ///< 0: all available; does not change results
  std::function<void(int, int)> progress;
};

/// Solves `problem`, whose target is a power law of dimension D, at n = α D² for every n (ascending, > 0);
/// problem.alpha is not read. λ as the problem says; `edge` is the rule of the scaling theory. Throws
/// std::invalid_argument for another target, a student without a ridgeless limit (has_ridgeless), or fewer than three
/// n.
ScalingCurve scaling_curve(const model::Problem& problem, const std::vector<double>& n, const ScalingOptions& options);

/// Throws what scaling_curve would throw for a problem and n out of range, without solving.
void require_scalable(const model::Problem& problem, std::span<const double> n);

/// Points at which a regime is clean: one source of error ten times the other, at least 5 modes and at most a tenth of
/// them recovered.
std::size_t clean_points(const ScalingCurve& curve, Regime regime);
/// Least-squares exponent of E against n over the clean points of a regime; NaN if there are fewer than three.
double fitted_exponent(const ScalingCurve& curve, Regime regime);

/// Exponent of a regime for tail exponent γ: −1 + 1/(2γ), 1 − 2γ, −1; NaN for none.
double predicted_exponent(Regime regime, double gamma);

const base::Description& describe(const ErrorParts*);
const base::Description& describe(const ScalingPoint*);
const base::Description& describe(const ModeTransition*);
const base::Description& describe(const Crossover*);
const base::Description& describe(const ScalingCurve*);
/// The `scaling` part of docs/json.md.
nlohmann::json to_json(const ScalingCurve& curve);

}  // namespace attnlaw::theory
