#pragma once
/// What the theory says about one Problem.

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/matrix_laws/law.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/channel/overlaps.h"
#include "attnlaw/theory/channel/point_rule.h"
#include "attnlaw/theory/prior/denoiser.h"
#include "attnlaw/theory/thresholds.h"

namespace attnlaw::theory {

/// An isolated eigenvalue of the trained S that stems from one eigenvalue of the target.
using matrix_laws::Outlier;

/// How far a spectrum has collapsed: each between 0 and 1, 1 for a multiple of the identity, 0 for S = 0.
struct Collapse {
  double rank_fraction = 0;      ///< rank(S)/d
  double stable_rank = 0;        ///< ‖S‖²_F/(d ‖S‖²_op)
  double effective_rank = 0;     ///< ‖S‖²_*/(d ‖S‖²_F)
  double nuclear_frobenius = 0;  ///< ‖S‖_*/(√d ‖S‖_F)
};

/// From Tr S²/d, ‖S‖_*/d, the largest |eigenvalue| and the fraction of zeros.
Collapse collapse_of(double square, double nuclear, double largest, double zero_mass);

/// Spectrum of the trained S (of its symmetric part for a general student of self-attention): an atom at 0 and bands.
/// With cross-attention that of its singular values.
struct TrainedSpectrum {
  double zero_mass = 1;
  std::vector<matrix_laws::Interval> edges;
  /// Mass of the bands at s > 0 above the lowest one of M, which have detached from it; NaN while there is none.
  double upper_mass = std::numeric_limits<double>::quiet_NaN();
  std::vector<Outlier> outliers;
  Collapse collapse;
};

/// The spectrum of a student that is the target itself; of its singular values from their symmetrised law.
TrainedSpectrum recovered_spectrum(const matrix_laws::Spectrum& target, Symmetry symmetry = Symmetry::symmetric);

/// How the solution was reached and how far it can be trusted.
struct Diagnostics {
  bool converged = false;
  std::string message;     ///< what failed or fell short of the accuracy asked for, empty if nothing did
  int iterations = 0;      ///< evaluations of the state-evolution map, all accuracy levels together
  double residual = 0;     ///< at the returned point, see FixedPoint
  double replicon = 0;     ///< R; the replica-symmetric solution is stable iff R < 1; NaN if there is none
  Errors sampling_error;   ///< standard errors over the replicates of a rule; 0 for closed forms
  double law_error = 0;    ///< certified error of mass and moments of the spectral law
  std::size_t points = 0;  ///< of all replicates of a rule together, 0 for closed forms
  PointRule rule;          ///< the points themselves, on which neighbouring problems may be solved
  /// Dimension of the matrices that stand for the law of a student that has none known (NumericalPrior); their spread
  /// is part of the sampling error. 0: the law is exact.
  int sampled_matrices = 0;
  double seconds = 0;
};

/// What the Bayes-optimal student has beside the errors.
struct BayesFigures {
  double noise_variance = 0;      ///< v: the data are as good as S* + √v GOE
  double plug_in_test = 0;        ///< label error of σ(h(Ŝ)), no better than that of the posterior mean of the label
  double index_error = 0;         ///< E‖h* − h(Ŝ)‖²_F = T(T+1) E
  double mutual_information = 0;  ///< potential per d² at the solution; NaN where it is infinite (noiseless labels)
  /// Estimation errors of all fixed points found by the scan, ascending; more than one means a hard phase.
  std::vector<double> fixed_points;
};

/// λ → 0 (docs/theory/erm.md, section 6). While interpolating, V ~ 1/λ: the solution then holds λV, q̂/λ², m̂/λ and V̂/λ
/// in place of V, q̂, m̂ and V̂.
struct RidgelessLimit {
  RidgelessPhase phase = RidgelessPhase::interpolating;
  double a = std::numeric_limits<double>::quiet_NaN();  ///< effective noise √q̂/m̂ (NaN unless interpolating)
  double t = std::numeric_limits<double>::quiet_NaN();  ///< effective threshold 2λ/m̂ (λ/m̂ with cross-attention; NaN
                                                        ///< unless interpolating)
};

/// The penalty of least test error.
struct OptimalLambda {
  double lambda = 0;     ///< 0: the ridgeless limit is best
  double test = 0;       ///< test error there
  double curvature = 0;  ///< d² test/d(log λ)² there; 0 at an end of the range
  /// "interior"; "0+"; "S = 0" (at and above `lambda` nothing is learned); "end of range" (the test error still falls)
  std::string where;
};

/// Derivatives of the errors with respect to the numbers of a problem, all others fixed (sensitivity.h); with respect
/// to λ none in the ridgeless limit.
struct Sensitivities {
  Errors alpha;
  std::optional<Errors> lambda;
  Errors noise;
  Errors beta;
};

struct Solution {
  /// Where the optimal λ was asked for: with the one found, lambda_rule `value`, or `ridgeless` for 0+.
  model::Problem problem;
  double Q_star = 0;
  Overlaps overlaps;
  Conjugates conjugates;
  Errors errors;
  TrainedSpectrum spectrum;
  Diagnostics diagnostics;
  std::optional<RidgelessLimit> ridgeless;      ///< λ = 0+ only
  std::optional<OptimalLambda> optimal_lambda;  ///< λ = optimal only
  std::optional<BayesFigures> bayes;            ///< student bayes only
  std::optional<Sensitivities> sensitivities;   ///< SolveOptions::sensitivities only
  std::optional<LossFigures> loss_figures;      ///< cross-entropy and sign labels only; Detail::full
  /// How λ was asked for, which `problem` no longer says where a number was found for it.
  model::LambdaRule lambda_rule = model::LambdaRule::value;
};

const base::Description& describe(const Collapse*);
const base::Description& describe(const TrainedSpectrum*);
const base::Description& describe(const Diagnostics*);
const base::Description& describe(const BayesFigures*);
const base::Description& describe(const RidgelessLimit*);
const base::Description& describe(const OptimalLambda*);
const base::Description& describe(const Sensitivities*);
const base::Description& describe(const Solution*);

/// The document of a solution (docs/json.md).
nlohmann::json to_json(const Solution& solution);

/// The law of the trained S of a solution (of its symmetric part for a general student of self-attention; of its
/// singular values with cross-attention): what the spectral function makes of the bands of M, and its atom at 0.
class TrainedLaw {
 public:
  /// Tells whether the student has one: no law is known of the posterior mean, and of the untied student of
  /// self-attention.
  static bool exists(const model::Problem& problem) { return problem.penalised() && !problem.untied_self(); }

  TrainedLaw(const Solution& solution, const matrix_laws::Spectrum& target);

  /// Points (s, density) along every band, ascending in s, with density 0 at the ends of bands.
  struct Curve {
    std::vector<double> s;
    std::vector<double> density;
  };
  Curve density() const;

  /// P(eigenvalue ≤ s) (or singular value), the atom included.
  double cdf(double s) const;

 private:
  Symmetry symmetry_;
  SpectralFunction function_;
  matrix_laws::Law noisy_target_;
};

}  // namespace attnlaw::theory
