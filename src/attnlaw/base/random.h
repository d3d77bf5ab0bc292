#pragma once
/// Draws counter-based random numbers: a value depends on (seed, stream, index) alone, never on who draws it or in
/// which order.

#include <cstdint>
#include <span>

namespace attnlaw::base {

/// A stream of independent N(0,1) numbers (Philox4x32-10 and Box-Muller). Streams with different (seed, stream) are
/// independent; `stream` is a stream_id (streams.h).
class NormalStream {
 public:
  NormalStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// Writes numbers first, first+1, ... of the stream; any split into calls gives the same values.
  void fill(std::uint64_t first, std::span<float> out) const;
  void fill(std::uint64_t first, std::span<double> out) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

/// A stream of independent numbers uniform in (0, 1), odd multiples of 2^-33. It is made of the same bits as the
/// NormalStream of the same (seed, stream): never use both.
class UniformStream {
 public:
  UniformStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// Writes numbers first, first+1, ... of the stream; any split into calls gives the same values.
  void fill(std::uint64_t first, std::span<double> out) const;

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace attnlaw::base
