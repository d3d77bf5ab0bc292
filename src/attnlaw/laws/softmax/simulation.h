#pragma once
/// Simulates softmax attention matrices of random weights at finite size, and measures their singular values.

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "attnlaw/base/estimate.h"
#include "attnlaw/laws/softmax/softmax_law.h"

namespace attnlaw::laws {

struct SimulationOptions {
  int length = 1000;  ///< T; the dimensions are m = round(T/ρ) and, for Gaussian tokens, d = round(T/τ)
  int instances = 4;
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0 means all available; results have the same bits for any number
  std::function<void(int done, int total)> progress = {};
};

/// Where the lognormal tail is heavy, a few localised singular values dominate the moments of λ: they are given with
/// and without the three largest.
inline constexpr int kTrimmed = 3;

struct AttentionInstance {
  std::vector<double> singular_values;      ///< all T singular values of A_⊥, ascending
  std::array<double, 3> moments{};          ///< moments of λ = s²
  std::array<double, 3> trimmed_moments{};  ///< the same over all but the kTrimmed largest
  double leading_singular_value = 0;        ///< s₁(A)
  double seconds = 0;
};
const base::Description& describe(const AttentionInstance*);

struct AttentionSimulation {
  SoftmaxParameters parameters;  ///< with the ratios T/m and T/d that were simulated
  int length = 0;
  int head_dimension = 0;
  int embedding_dimension = 0;  ///< 0 for orthonormal tokens, for which d drops out
  std::vector<AttentionInstance> instances;
};
const base::Description& describe(const AttentionSimulation*);

/// Returns the bytes that the instances worked on at the same time take.
std::uint64_t simulation_bytes(const SoftmaxParameters& parameters, const SimulationOptions& options);

/// Draws and decomposes the instances. Throws std::invalid_argument for parameters or options out of range
/// (kLeastLength ≤ T ≤ kMostLength, instances ≥ 1), base::MemoryError if they do not fit the memory of this process.
AttentionSimulation simulate_attention(const SoftmaxParameters& parameters, const SimulationOptions& options);

inline constexpr int kMostLength = 32768;

/// A simulation compared with the law of the same ratios.
struct AttentionComparison {
  std::vector<double> singular_values;  ///< of all instances together, ascending
  double kolmogorov = 0;                ///< distance of all singular values from the law
  double marchenko_pastur = 0;          ///< their distance from the Marchenko-Pastur law of the same variance
  std::array<base::Estimate, 3> moments{};
  std::array<base::Estimate, 3> trimmed_moments{};
  base::Estimate leading_excess;  ///< s₁(A) − 1
  base::Estimate largest;         ///< the largest singular value of A_⊥
};
const base::Description& describe(const AttentionComparison*);
/// Compares all instances together with the law.
AttentionComparison compare(const AttentionSimulation& simulation, const SoftmaxLaw& law);

}  // namespace attnlaw::laws
