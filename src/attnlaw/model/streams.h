#pragma once
/// Names of the random streams of one experiment: one enumerator per purpose, so that no two of them ever share
/// numbers.

#include <cstdint>

#include "attnlaw/base/random.h"

namespace attnlaw::model {

/// keys and test_keys: the second sequence of cross-attention.
enum class Stream : std::uint64_t {
  target = 1,
  data = 2,
  label_noise = 3,
  initial_weights = 4,
  test_data = 5,
  keys = 6,
  test_keys = 7,
  label_draws = 8
};

/// The stream of one purpose, dimension d < 2^28 and instance < 2^32, for base::NormalStream.
constexpr std::uint64_t stream_id(Stream purpose, std::uint64_t d, std::uint64_t instance) {
  return base::stream_id(static_cast<std::uint64_t>(purpose), d, instance);
}

}  // namespace attnlaw::model
