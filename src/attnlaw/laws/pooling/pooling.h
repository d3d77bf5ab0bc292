#pragma once
/// Predicts what survives of a signal when sequences of tokens are pooled by attention: the spectrum of the covariance
/// of pooled vectors, its outlier, and the alignment of that outlier with the signal (docs/theory/pooling.md).
///
/// ```cpp
/// #include <cstdio>
///
/// #include "attnlaw/laws/pooling/pooling.h"
///
/// attnlaw::laws::PoolingModel model;
/// model.ratios = {0.5, 0.25};  // δ and γ
/// model.mu2 = 4;
/// model.alpha_pool = 0.3;
/// model.kappa_pool = 0.1;
/// const attnlaw::laws::PoolingPrediction prediction = attnlaw::laws::predict_pooling(model);
/// std::printf("bulk [%.3f, %.3f], outlier at %.3f\n", prediction.band.lower, prediction.band.upper,
///             prediction.sample.spike.eigenvalue);
/// std::printf("alignment with the signal %.3f, at most %.3f\n", prediction.sample.alignment, prediction.ceiling);
/// ```

#include <optional>
#include <vector>

#include "attnlaw/base/names.h"
#include "attnlaw/laws/pooling/bulk.h"
#include "attnlaw/laws/pooling/weights.h"
#include "attnlaw/matrix_laws/spectrum.h"

namespace attnlaw::laws {

/// A vocabulary of V vectors y_v μ + g_v in d dimensions (labels y_v = ±1, noise N(0, I)), shared by N sequences whose
/// tokens are pooled with weights w.
struct PoolingModel {
  PoolingRatios ratios;
  double mu2 = 1;         ///< |μ|² ≥ 0
  double alpha_pool = 1;  ///< α = wᵀRw ≥ 0, R the correlations of the class signs along a sequence
  double kappa_pool = 1;  ///< κ = ‖w‖² > 0
};
const base::Description& describe(const PoolingModel*);

/// Throws std::invalid_argument that names the value out of range.
void require_valid(const PoolingModel& model);

/// The place of a spike beside a bulk.
enum class Place {
  hidden,  ///< in the bulk: nothing is seen, and the largest eigenvalue is the upper edge
  above,   ///< above its upper edge
  gap      ///< between 0 and its lower edge
};
std::span<const base::Named<Place>> names_table(Place);

/// A spike in one of the three matrices: its eigenvalue (the upper edge of the bulk if hidden) and the squared overlap
/// of its eigenvector with the direction of the spike (0 if hidden).
struct Spike {
  Place place = Place::hidden;
  double eigenvalue = 0;
  double overlap = 0;
};
const base::Description& describe(const Spike*);

/// Returns the spike of strength s = (strength of its direction) − δ in the covariance EᵀE/V of the vocabulary (scale
/// 1) or of infinitely many pooled sequences (scale κ), which share one law.
Spike population_spike(double delta, double scale, double s);
/// Returns the spike of strength s in the covariance of N pooled sequences (scale κ).
Spike sample_spike(const PoolingRatios& ratios, double scale, double s);

/// The signal in one matrix.
struct PoolingLevel {
  double threshold = 0;  ///< the mu2 beyond which an outlier is above the bulk; < 0 if even without a signal
  double s = 0;
  Spike spike;           ///< the spike of direction q = μ + label-weighted noise of the vocabulary
  double alignment = 0;  ///< squared overlap of the outlier with μ
};
const base::Description& describe(const PoolingLevel*);

struct PoolingPrediction {
  PoolingModel model;
  matrix_laws::Interval band;  ///< the band of the sample covariance
  double zero_mass = 0;
  CriticalPoints critical;
  PoolingLevel table;        ///< covariance EᵀE/V of the vocabulary
  PoolingLevel population;   ///< covariance of infinitely many sequences
  PoolingLevel sample;       ///< covariance of N sequences
  double ceiling = 0;        ///< mu2/(mu2 + δ), the alignment that no weights exceed
  double phantom_ratio = 0;  ///< α/κ above which the sample has an outlier even at mu2 = 0

  /// Tells whether the outlier above the bulk would be there even without a signal.
  bool phantom() const { return sample.threshold < 0; }
};
const base::Description& describe(const PoolingPrediction*);

/// Predicts by closed forms. Throws std::invalid_argument as require_valid.
PoolingPrediction predict_pooling(const PoolingModel& model);

/// Returns the spike that the mean of the vocabulary makes where the mean is not subtracted; it has no alignment with
/// μ.
Spike nuisance_spike(const PoolingRatios& ratios, const PoolingScalars& scalars);

/// Returns the relative excess of the fourth moment of the spectrum at fixed length over that of the law (which holds
/// for weights spread over many positions, or γ/δ → 0): δγ²(Σw⁴)²/(κ⁴ m₄), m₄ at κ = 1.
double fixed_length_excess(const PoolingRatios& ratios, const PoolingScalars& scalars);

/// One way to pool, to be compared with others.
struct PoolingChoice {
  PoolingScalars scalars;
  double threshold = 0;  ///< PoolingLevel::threshold in the sample
};
const base::Description& describe(const PoolingChoice*);

struct PoolingChoices {
  PoolingChoice given, mean, harmonic, optimal;
  bool harmonic_beats_mean() const { return harmonic.scalars.ratio() > mean.scalars.ratio(); }
};
const base::Description& describe(const PoolingChoices*);

/// Compares given weights with equal, harmonic and optimal ones. Throws std::invalid_argument for ratios out of range
/// and for weights of another length than the correlations.
PoolingChoices compare_weights(const PoolingRatios& ratios, const SignCorrelations& correlations,
                               std::span<const double> weights);

}  // namespace attnlaw::laws
