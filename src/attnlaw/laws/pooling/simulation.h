#pragma once
/// Simulates attention pooling at finite size: draws vocabularies and sequences, pools tokens, and measures spectra
/// beside the theory of what was drawn.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/laws/pooling/fixed_length.h"
#include "attnlaw/laws/pooling/pooling.h"

namespace attnlaw::laws {

struct PoolingExperimentOptions {
  std::size_t d = 0;    ///< dimension, ≥ 2; V = round(d/δ), made even, and N = round(d/γ)
  int instances = 4;    ///< number of vocabularies, each with its sequences, ≥ 1
  bool centred = true;  ///< whether to subtract the mean of the pooled vectors
  /// If it has a value τ, every sequence is pooled with the causal softmax weights of its own scores τ⟨e_k, e_l⟩/d,
  /// which tend to attention_weights.
  std::optional<double> own_scores = {};
  bool fixed_length = false;  ///< whether to compare the bulk with fixed_length_law, too
  std::uint64_t seed = 0;
  int threads = 0;  ///< instances at a time; 0 means all available
  std::function<void(int done, int total)> progress = {};
};

/// An eigenvalue and the squared overlap of its eigenvector with the direction of μ (without a signal: a fixed one).
struct MeasuredSpike {
  double eigenvalue = 0;
  double alignment = 0;
};
const base::Description& describe(const MeasuredSpike*);

/// One matrix of one instance, as measured and as the theory predicts it from the |q|² and α that were drawn: these
/// scatter most.
struct PoolingMeasurement {
  MeasuredSpike measured;
  MeasuredSpike theory;
  Place place = Place::hidden;  ///< according to that theory
};
const base::Description& describe(const PoolingMeasurement*);

struct PoolingInstance {
  std::uint64_t seed = 0;           ///< number of the instance
  std::vector<double> eigenvalues;  ///< of the sample covariance, ascending; those that are zero to rounding are 0
  PoolingMeasurement table, population, sample;
  std::optional<PoolingMeasurement> nuisance;  ///< the vocabulary mean, if not centred and above the bulk
  double kolmogorov_distance = 0;              ///< of the bulk (all eigenvalues but the outliers) from its law
  double fixed_length_distance = 0;            ///< of the bulk from the law at fixed length, where asked for
  double q2 = 0;                               ///< |Eᵀy/V|², which tends to μ² + δ
  double alpha = 0;                            ///< variance of Σ w_l s_l over the sequences, which tends to α
};
const base::Description& describe(const PoolingInstance*);

/// Means over instances, with standard errors.
struct PoolingSummary {
  base::Estimate eigenvalue, alignment;
  base::Estimate eigenvalue_difference;  ///< of measured/theory − 1, instance by instance
  base::Estimate alignment_difference;   ///< of measured − theory
};

struct PoolingExperiment {
  std::size_t d = 0, vocabulary = 0, sequences = 0;
  bool centred = true;
  std::vector<PoolingInstance> instances;
  PoolingSummary table, population, sample;
  std::optional<PoolingSummary> nuisance;  ///< if every instance has one
  base::Estimate kolmogorov_distance;
  std::optional<base::Estimate> fixed_length_distance;

  /// Returns the eigenvalues of all instances together, ascending.
  std::vector<double> eigenvalues() const;
};
const base::Description& describe(const PoolingExperiment*);

/// Measures the model with the given sequences: α and κ follow from weights and correlations. The theory beside it is
/// that of the ratios drawn, d/V and d/N. Eigenvalues and vectors depend on the options' seed, never on threads.
/// Throws std::invalid_argument for options out of range, for weights of another length, and for a correlation matrix
/// that signs of Gaussian variables cannot have; base::MemoryError if memory does not suffice.
PoolingExperiment simulate_pooling(const PoolingRatios& ratios, double mu2, const SignCorrelations& correlations,
                                   std::span<const double> weights, const PoolingExperimentOptions& options);

}  // namespace attnlaw::laws
