#include "attnlaw/base/streams.h"

#include "attnlaw/base/reject.h"

namespace attnlaw::base {
namespace {

constexpr int kInstanceBits = 32, kDimensionBits = 22, kHighBits = 6, kLowBits = 4;
static_assert(kInstanceBits + kDimensionBits + kHighBits + kLowBits == 64);
static_assert(kStreamDimensions == std::uint64_t{1} << kDimensionBits);
static_assert(static_cast<std::uint64_t>(Stream::count) <= std::uint64_t{1} << (kHighBits + kLowBits));

}  // namespace

std::uint64_t stream_id(Stream purpose, std::uint64_t d, std::uint64_t instance) {
  if (d >= kStreamDimensions) reject("random numbers take a dimension below {}, got {}", kStreamDimensions, d);
  if (instance >> kInstanceBits != 0)
    reject("random numbers take an instance below 2^{}, got {}", kInstanceBits, instance);
  // The low four bits of the purpose come first because they once stood alone: the first 16 purposes keep their
  // numbers.
  const auto number = static_cast<std::uint64_t>(purpose);
  const std::uint64_t low = number & ((std::uint64_t{1} << kLowBits) - 1), high = number >> kLowBits;
  return (((low << kHighBits | high) << kDimensionBits | d) << kInstanceBits) | instance;
}

}  // namespace attnlaw::base
