#pragma once
/// Learning curves of power-law targets: slopes, sequential recovery of modes, where the error comes from
/// (docs/theory/scaling.md).

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "attnlaw/theory/regimes.h"
#include "attnlaw/theory/solve.h"

namespace attnlaw::theory {

struct ScalingPoint {
  double n = 0;  ///< sequences at d = D
  Solution solution;
  double slope = 0;      ///< d log E/d log n, from the neighbours; NaN beside a point without a solution
  double predicted = 0;  ///< exponent of `regime`; NaN for none
  Regime regime = Regime::none;
  std::size_t recovered = 0;  ///< modes above their transition, m̂ s > √q̂
  std::size_t learned = 0;    ///< those of them whose eigenvalues are above the threshold, too
  EffectiveNumbers effective;
  double lambda = 0;  ///< that of the solution, also at the edge; NaN in the ridgeless limit
  ErrorParts parts;
  TestParts test_parts;   ///< of `test`
  TestParts noisy_parts;  ///< of `test_noisy`
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
  double penalty_exponent = 0;  ///< λ ∝ n^this
  std::size_t dimension = 0;
  std::size_t modes = 0;  ///< nonzero eigenvalues of the target
  std::vector<ScalingPoint> points;
  std::vector<ModeTransition> transitions;
  std::vector<Crossover> crossovers;
};

struct ScalingOptions {
  SolveOptions solve;
  /// λ of the problem is that at the first n, and grows like n to this power.
  double penalty_exponent = 0;
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

/// Points at which a regime is clean (is_clean).
std::size_t clean_points(const ScalingCurve& curve, Regime regime);
/// Least-squares exponent of E against n over the clean points of a regime; NaN if there are fewer than three.
double fitted_exponent(const ScalingCurve& curve, Regime regime);
/// That of overfitting is a fit as well, of its law at the clean points: it has no exponent but in the limit.
double predicted_exponent(const ScalingCurve& curve, Regime regime);
/// That of λ > 0 against n: where λ follows from the noise over the clean noise-dominated points, for which 1/2 is
/// predicted; else over all.
double fitted_penalty_exponent(const ScalingCurve& curve);
/// The exponent of λ that was asked for; else 1/2, of the edge and of the best λ where labels have noise that rules.
double predicted_penalty_growth(const ScalingCurve& curve);

/// How E grows with λ at one n.
struct PenaltyFit {
  double n = 0;
  Regime regime = Regime::none;
  std::size_t clean_points = 0;  ///< penalties at which the regime is clean, three or more
  double fitted = 0;             ///< least-squares exponent of E against λ over them
  double predicted = 0;
};

/// Learning curves of descending penalties: a map of regimes over (n, λ).
struct RegimeMap {
  std::vector<ScalingCurve> curves;  ///< of the same n each
  std::vector<double> lambda;        ///< descending
  /// Where regimes end, per n: nothing is learned above the first, and noise is fitted below the second.
  std::vector<double> collapse, edge;
  std::vector<PenaltyFit> penalty_fits;  ///< ascending in n
};

/// Solves a curve for each λ (descending). `problem.lambda` is not read. Throws what scaling_curve throws, and
/// std::invalid_argument where a student has no edge or λ do not descend.
RegimeMap regime_map(model::Problem problem, const std::vector<double>& n, const std::vector<double>& lambda,
                     const ScalingOptions& options);

const base::Description& describe(const ScalingPoint*);
const base::Description& describe(const ModeTransition*);
const base::Description& describe(const Crossover*);
const base::Description& describe(const ScalingCurve*);
const base::Description& describe(const PenaltyFit*);
const base::Description& describe(const RegimeMap*);
/// The `scaling` part of docs/json.md.
nlohmann::json to_json(const ScalingCurve& curve);

}  // namespace attnlaw::theory
