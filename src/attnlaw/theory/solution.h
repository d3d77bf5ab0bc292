#pragma once
/// What the theory says about one Problem.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "attnlaw/matrix_laws/law.h"
#include "attnlaw/matrix_laws/semicircle_sum.h"
#include "attnlaw/model/problem.h"
#include "attnlaw/theory/overlaps.h"

namespace attnlaw::theory {

/// An isolated eigenvalue of the trained S that stems from one eigenvalue of the target.
using matrix_laws::Outlier;

/// Spectrum of the trained S: an atom at 0 and bands above it.
struct TrainedSpectrum {
  double zero_mass = 1;
  std::vector<matrix_laws::Interval> edges;
  std::vector<Outlier> outliers;
};

/// How the solution was reached and how far it can be trusted.
struct Diagnostics {
  bool converged = false;
  std::string message;     ///< what failed or fell short of the accuracy asked for, empty if nothing did
  int iterations = 0;      ///< evaluations of the state-evolution map, all accuracy levels together
  double residual = 0;     ///< at the returned point, see FixedPoint
  double replicon = 0;     ///< R; the replica-symmetric solution is stable iff R < 1
  Errors sampling_error;   ///< standard errors over independent scrambles; 0 for closed forms
  double law_error = 0;    ///< certified error of mass and moments of the spectral law
  std::size_t points = 0;  ///< quasi-Monte Carlo points, 0 for closed forms
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

struct Solution {
  model::Problem problem;
  double Q_star = 0;
  Overlaps overlaps;
  Conjugates conjugates;
  Errors errors;
  TrainedSpectrum spectrum;
  Diagnostics diagnostics;
  std::optional<BayesFigures> bayes;  ///< student bayes only
};

/// The `solve` document of the JSON contract (docs/json.md).
nlohmann::json to_json(const Solution& solution);

/// The law of the trained S of a solution: an atom at 0 and the bands of M above 2λ, in units of S.
class TrainedLaw {
 public:
  TrainedLaw(const Solution& solution, const matrix_laws::Spectrum& target);

  /// Points (s, density) along every band, ascending in s, with density 0 at the ends of bands.
  struct Curve {
    std::vector<double> s;
    std::vector<double> density;
  };
  Curve density() const;

  /// P(eigenvalue ≤ s), the atom included.
  double cdf(double s) const;

 private:
  double threshold_;
  double V_hat_;
  matrix_laws::Law noisy_target_;
};

}  // namespace attnlaw::theory
