#pragma once
/// Names of the random streams of the whole library, so that no two purposes ever share numbers.

#include <cstdint>

namespace attnlaw::base {

/// What random numbers are drawn for. A NormalStream and a UniformStream of one name are made of the same bits: a
/// purpose has one of them. Appending a purpose leaves the numbers of all others as they are.
enum class Stream : std::uint64_t {
  /// Points that no seed changes: of posterior means (seed 0) and of sampled priors (a seed of their own).
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

  attention_tokens,  ///< of the softmax law
  attention_queries,
  attention_keys,

  pooling_vocabulary,
  pooling_signs,
  pooling_latent_signs,  ///< normal numbers whose signs have general correlations
  pooling_tokens,
  pooling_counts,  ///< of the population of the law at fixed length

  pretraining,  ///< noise of a frozen student that is drawn, not trained

  filtering_data,
  filtering_test_data,
  filtering_lift,
  filtering_lazy_lift,
  filtering_layer,  ///< of the published recipe
  filtering_permutations,
  filtering_depth_two,  ///< of the error of depth two in theory

  count  ///< how many there are
};

/// Dimensions of streams are below this.
inline constexpr std::uint64_t kStreamDimensions = std::uint64_t{1} << 22;

/// The name of a stream for NormalStream and UniformStream: different for any two purposes, dimensions d <
/// kStreamDimensions and instances < 2^32. Every dimension has numbers of its own: extrapolation in 1/d takes the
/// errors of different d to be independent. Throws std::invalid_argument for d or instance out of range.
std::uint64_t stream_id(Stream purpose, std::uint64_t d, std::uint64_t instance);

}  // namespace attnlaw::base
