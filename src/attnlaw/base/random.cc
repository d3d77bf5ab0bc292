#include "attnlaw/base/random.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace attnlaw::base {
namespace {

/// One Philox counter yields a block of four 32-bit words: two uniform pairs, hence two Box-Muller pairs.
constexpr std::size_t kBlock = 4;
/// So many blocks are made together: enough to fill the vector units, few enough to stay in the first-level cache.
constexpr std::size_t kBatch = 64;
constexpr std::size_t kBatchWords = kBatch * kBlock;
/// A batch holds so many Box-Muller pairs.
constexpr int kPairs = static_cast<int>(kBatchWords / 2);

/// The 32-bit words of one batch, word w of block b at [w][b].
using Words = std::array<std::array<std::uint32_t, kBatch>, kBlock>;

/// Philox4x32-10 of a batch of counters (Salmon, Moraes, Dror and Shaw, SC 2011), a round of all blocks at a time: 1.7
/// times the words per second of one block after the other.
Words random_blocks(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block) {
  constexpr int kRounds = 10;
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  Words words;
  auto& [c0, c1, c2, c3] = words;
  for (std::size_t b = 0; b < kBatch; ++b) {
    const std::uint64_t block = first_block + b;
    c0[b] = static_cast<std::uint32_t>(block);
    c1[b] = static_cast<std::uint32_t>(block >> 32);
    c2[b] = static_cast<std::uint32_t>(stream);
    c3[b] = static_cast<std::uint32_t>(stream >> 32);
  }
  auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < kRounds; ++round, key0 += kWeyl0, key1 += kWeyl1)
    for (std::size_t b = 0; b < kBatch; ++b) {
      const std::uint64_t product0 = kMultiplier0 * c0[b], product1 = kMultiplier1 * c2[b];
      c0[b] = static_cast<std::uint32_t>(product1 >> 32) ^ c1[b] ^ key0;
      c1[b] = static_cast<std::uint32_t>(product1);
      c2[b] = static_cast<std::uint32_t>(product0 >> 32) ^ c3[b] ^ key1;
      c3[b] = static_cast<std::uint32_t>(product0);
    }
  return words;
}

using PairWords = Eigen::Array<std::int32_t, kPairs, 1>;

/// The 32-bit words behind the radii (31 bits, ≥ 0) and the angles (32 bits, signed) of one batch.
struct Uniforms {
  PairWords radius;
  PairWords angle;
};

void draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block, Uniforms& uniforms) {
  const Words words = random_blocks(seed, stream, first_block);
  for (std::size_t b = 0; b < kBatch; ++b)
    for (std::size_t pair = 0; pair < kBlock / 2; ++pair) {
      const auto i = static_cast<Eigen::Index>(kBlock / 2 * b + pair);
      uniforms.radius[i] = static_cast<std::int32_t>(words[2 * pair][b] >> 1);
      uniforms.angle[i] = static_cast<std::int32_t>(words[2 * pair + 1][b]);
    }
}

/// Writes numbers first, first + 1, … of a stream that is made in batches: fill(block, values) writes the kBatchWords
/// values of the batch that begins with a block.
template <class Real, class Fill>
void fill_by_batches(std::uint64_t first, std::span<Real> out, const Fill& fill) {
  Real batch[kBatchWords];
  std::uint64_t block = first / kBlock;
  std::size_t skipped = static_cast<std::size_t>(first % kBlock);
  for (std::size_t written = 0; written < out.size(); block += kBatch, skipped = 0) {
    const std::size_t count = std::min(kBatchWords - skipped, out.size() - written);
    if (count == kBatchWords) {
      fill(block, out.data() + written);
    } else {
      fill(block, batch);
      std::copy_n(batch + skipped, count, out.data() + written);
    }
    written += count;
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
  fill_by_batches(first, out, [=](std::uint64_t block, Real* values) {
    Uniforms uniforms;
    draw(seed, stream, block, uniforms);
    transform(uniforms, values);
  });
}

}  // namespace

void NormalStream::fill(std::uint64_t first, std::span<float> out) const { fill_stream(seed_, stream_, first, out); }
void NormalStream::fill(std::uint64_t first, std::span<double> out) const { fill_stream(seed_, stream_, first, out); }

void UniformStream::fill(std::uint64_t first, std::span<double> out) const {
  constexpr double kUnit = 1.0 / 4294967296.0;  // 2^-32
  fill_by_batches(first, out, [this](std::uint64_t block, double* values) {
    const Words words = random_blocks(seed_, stream_, block);
    for (std::size_t b = 0; b < kBatch; ++b)
      for (std::size_t word = 0; word < kBlock; ++word) values[kBlock * b + word] = (words[word][b] + 0.5) * kUnit;
  });
}

}  // namespace attnlaw::base
