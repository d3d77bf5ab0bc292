#pragma once
/// Names the random streams of the whole library, so that no two purposes ever share numbers.

#include <cstdint>

namespace attnlaw::base {

/// Says what random numbers are drawn for. A NormalStream and a UniformStream of one purpose are made of the same bits,
/// so a purpose uses only one of them. Appending a purpose leaves the numbers of all others as they are.
enum class Stream : std::uint64_t {
  /// Draws points that no seed of the user changes: those of posterior means (seed 0) and of sampled priors (a seed of
  /// their own).
  fixed_points,

  target,
  data,
  label_noise,
  initial_weights,
  test_data,
  keys,  ///< the second sequence of cross-attention
  test_keys,
  label_draws,

  adapter,
  adapter_data,
  adapter_noise,
  adapter_test_data,

  attention_tokens,  ///< tokens, queries and keys in simulations of the softmax law
  attention_queries,
  attention_keys,

  pooling_vocabulary,
  pooling_signs,
  pooling_latent_signs,  ///< normal numbers whose signs have general correlations
  pooling_tokens,
  pooling_counts,  ///< the population in the law at fixed length

  pretraining,  ///< noise of a frozen student that is drawn, not trained

  filtering_data,
  filtering_test_data,
  filtering_lift,
  filtering_lazy_lift,
  filtering_layer,  ///< weights in the published recipe
  filtering_permutations,
  filtering_depth_two,  ///< samples for the theoretical error of depth two

  bartlett_factors,  ///< null query-key maps of exact tables
  head_rotations,    ///< one factor of a head against the other
  row_permutations,  ///< the same by signed permutations
  input_rotations,   ///< outputs of a head against its inputs
  entry_shuffles,    ///< entries of both factors
  semicircle_draws,  ///< matrices behind the fit of the trained-attention law
  tied_factors,      ///< random tied heads

  test_noise,  ///< noise of the labels of fresh sequences

  in_context_tasks,
  in_context_sequences,

  count  ///< how many there are
};

/// The dimension of a stream must be below this.
inline constexpr std::uint64_t kStreamDimensions = std::uint64_t{1} << 22;

/// Returns the `stream` of NormalStream and UniformStream, which differs for any two purposes, dimensions d <
/// kStreamDimensions and instances < 2^32. Every dimension has numbers of its own, because extrapolation in 1/d takes
/// the errors of different d to be independent. Throws std::invalid_argument for d or instance out of range.
std::uint64_t stream_id(Stream purpose, std::uint64_t d, std::uint64_t instance);

}  // namespace attnlaw::base
