#pragma once
/// Fits the law of trained attention to a head whose map is close to symmetric and positive, as that of tied students
/// (docs/theory/erm.md, section 3; docs/theory/query_key_nulls.md, section 5).

#include <optional>
#include <span>
#include <vector>

#include "attnlaw/base/describe.h"
#include "attnlaw/base/names.h"
#include "attnlaw/checkpoint/inspection/factored_map.h"
#include "attnlaw/checkpoint/inspection/measures.h"
#include "attnlaw/checkpoint/inspection/null_tests.h"

namespace attnlaw::checkpoint {

/// What became of the fit.
enum class FitStatus {
  fitted,                               ///< the law is not rejected at 5 %
  law_rejected,                         ///< it is, or more than a tenth of the eigenvalues lie outside the bulk
  not_tied_like,                        ///< the map is not close to symmetric and positive
  too_few_eigenvalues,                  ///< fewer than 20
  no_fit,                               ///< the eigenvalues do not fall off like the bulk of the law
  not_distinguishable_from_random_tied  ///< a random tied head fits as well
};
std::span<const base::Named<FitStatus>> names_table(FitStatus);

/// Eigenvalues of S are (x − 2λ)₊/V̂ with x of the law of m̂ S* + √q̂ Z: a semicircle of width a = √q̂/V̂, shifted by
/// t = 2λ/V̂ and cut at the m largest, with spikes above.
struct TrainedLawFit {
  FitStatus status = FitStatus::not_tied_like;
  double noise = kAbsent;        ///< a
  double noise_error = kAbsent;  ///< standard error over drawn matrices
  double threshold = kAbsent;    ///< t
  double threshold_error = kAbsent;
  double ratio = kAbsent;  ///< t/a = 2λ/√q̂, free of the scale of the weights
  double cut = kAbsent;    ///< where the m-th eigenvalue of the bulk lies; 0 if the threshold is active
  double cut_error = kAbsent;
  int spikes = 0;
  std::vector<double> spike_strengths;  ///< of m̂ S*/V̂, the largest first
  std::vector<double> spike_overlaps;   ///< squared overlaps of their directions
  double p = kAbsent;                   ///< of the distance between bulk and law
  double random_tied_p = kAbsent;       ///< of the distance from a random tied head (N4)
  /// What the fit says of training, if that was by the squared error of scores with a decay λ (docs/theory/erm.md,
  /// linear head). Only of a law that is fitted and cut by its threshold.
  double implied_samples = kAbsent;  ///< the least αK, samples over d² times the scores of a sample
  double implied_samples_error = kAbsent;
  double implied_decay = kAbsent;  ///< λ in the unit of S where αK is known, else the least one
  double implied_decay_error = kAbsent;
  double implied_noise = kAbsent;  ///< Δ of the labels in the unit of S², where αK is known
  double implied_noise_error = kAbsent;
  bool too_few_samples = false;  ///< αK that was given is two standard errors below the least one
};
const base::Description& describe(const TrainedLawFit*);

/// Fits the law if the head is close to symmetric and positive. `samples` is αK of its training, if known; `draws`
/// matrices give errors and p-values.
TrainedLawFit fit_trained_law(const FactoredMap& map, const SymmetryMeasures& symmetry, const Draw& draw,
                              std::optional<double> samples = {}, int draws = 199);

/// Fits the law to positive eigenvalues, in descending order, of a map of size d, whatever its symmetry; without the
/// comparison with a random tied head.
TrainedLawFit fit_trained_law(std::span<const double> eigenvalues, int d, const Draw& draw,
                              std::optional<double> samples = {}, int draws = 199);

}  // namespace attnlaw::checkpoint
