#include "attnlaw/base/random.h"

#include <Random123/philox.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnlaw::base {
namespace {

/// One Philox counter yields a block of four 32-bit words: two uniform pairs, hence two Box-Muller pairs.
constexpr std::size_t kBlock = 4;
/// So many blocks are transformed together: enough to fill the vector units, few enough to stay in the first-level
/// cache.
constexpr std::size_t kBatch = 64;
/// A batch holds so many Box-Muller pairs.
constexpr int kPairs = static_cast<int>(kBatch * kBlock / 2);

using Words = Eigen::Array<std::int32_t, kPairs, 1>;

/// The 32-bit words behind the radii (31 bits, ≥ 0) and the angles (32 bits, signed) of one batch.
struct Uniforms {
  Words radius;
  Words angle;
};

r123::Philox4x32::ctr_type random_block(std::uint64_t seed, std::uint64_t stream, std::uint64_t block) {
  const r123::Philox4x32 philox;
  const r123::Philox4x32::key_type key = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  return philox({{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                  static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)}},
                key);
}

void draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, Uniforms& uniforms) {
  for (std::size_t b = 0; b < kBatch; ++b) {
    const r123::Philox4x32::ctr_type word = random_block(seed, stream, first_block + b);
    for (std::size_t pair = 0; pair < kBlock / 2; ++pair) {
      const auto i = static_cast<Eigen::Index>(kBlock / 2 * b + pair);
      uniforms.radius[i] = static_cast<std::int32_t>(word[2 * pair] >> 1);
      uniforms.angle[i] = static_cast<std::int32_t>(word[2 * pair + 1]);
    }
  }
}

/// Applies Box-Muller to a whole batch. Batches are never shortened: a remainder would leave the packet code for the
/// scalar one, whose last bits differ, and a number would then depend on how its range was split.
template <class Real>
void transform(const Uniforms& uniforms, Real* out) {
  using Reals = Eigen::Array<Real, kPairs, 1>;
  constexpr Real kUnit = Real(1) / Real(1U << 31);
  // (k + 1/2) 2^-31 lies in (0, 1]: the logarithm is finite, and radii reach 6.7.
  // Conversions are evaluated on their own: Eigen 3.4 has no packet code for a cast and would drop the whole expression
  // to scalar code.
  const Reals length = uniforms.radius.template cast<Real>();
  const Reals turn = uniforms.angle.template cast<Real>();
  const Reals squared = ((length + Real(0.5)) * kUnit).log() * Real(-2);
  const Reals radius = squared.max(Real(0)).sqrt();
  const Reals angle = turn * (std::numbers::pi_v<Real> * kUnit);
  // Both are evaluated before they are interleaved: a strided destination would make Eigen fall back to scalar code.
  const Reals cosine = radius * angle.cos();
  const Reals sine = radius * angle.sin();
  for (int pair = 0; pair < kPairs; ++pair) {
    out[2 * pair] = cosine[pair];
    out[2 * pair + 1] = sine[pair];
  }
}

template <class Real>
void fill_stream(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::span<Real> out) {
  constexpr std::size_t kCount = kBatch * kBlock;
  Uniforms uniforms;
  Real batch[kCount];
  std::uint64_t block = first / kBlock;
  std::size_t skipped = static_cast<std::size_t>(first % kBlock);
  for (std::size_t written = 0; written < out.size(); block += kBatch, skipped = 0) {
    draw(seed, stream, block, uniforms);
    const std::size_t count = std::min(kCount - skipped, out.size() - written);
    if (count == kCount) {
      transform(uniforms, out.data() + written);
    } else {
      transform(uniforms, batch);
      std::copy_n(batch + skipped, count, out.data() + written);
    }
    written += count;
  }
}

}  // namespace

void NormalStream::fill(std::uint64_t first, std::span<float> out) const { fill_stream(seed_, stream_, first, out); }
void NormalStream::fill(std::uint64_t first, std::span<double> out) const { fill_stream(seed_, stream_, first, out); }

void UniformStream::fill(std::uint64_t first, std::span<double> out) const {
  constexpr double kUnit = 1.0 / 4294967296.0;  // 2^-32
  std::uint64_t block = first / kBlock;
  std::size_t skipped = first % kBlock;
  for (std::size_t written = 0; written < out.size(); ++block, skipped = 0) {
    const r123::Philox4x32::ctr_type words = random_block(seed_, stream_, block);
    const std::size_t count = std::min(kBlock - skipped, out.size() - written);
    // A whole block by a loop of known length.
    if (count == kBlock)
      for (std::size_t word = 0; word < kBlock; ++word) out[written + word] = (words[word] + 0.5) * kUnit;
    else
      for (std::size_t word = 0; word < count; ++word) out[written + word] = (words[skipped + word] + 0.5) * kUnit;
    written += count;
  }
}

}  // namespace attnlaw::base
