#pragma once
/// Names of the random streams of one experiment: one enumerator per purpose, so that no two of them ever share
/// numbers.

#include <cstdint>

namespace attnlaw::model {

enum class Stream : std::uint64_t { target = 1, data = 2, label_noise = 3, initial_weights = 4, test_data = 5 };

/// The stream of one purpose and one instance (instance < 2^56), for base::NormalStream.
constexpr std::uint64_t stream_id(Stream purpose, std::uint64_t instance) {
  constexpr int kInstanceBits = 56;
  return (static_cast<std::uint64_t>(purpose) << kInstanceBits) | instance;
}

}  // namespace attnlaw::model
