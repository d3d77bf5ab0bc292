#include "attnlaw/base/random.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

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

/// Counters side by side, each 32-bit word in the lower half of 64 bits; the upper one is of no meaning.
#ifdef __AVX2__
using Lanes = std::uint64_t __attribute__((vector_size(32)));
constexpr Lanes kNumbers = {0, 1, 2, 3};
#else
using Lanes = std::uint64_t __attribute__((vector_size(16)));
constexpr Lanes kNumbers = {0, 1};
#endif

/// Products of lower halves with a number of 32 bits: one multiplication, of which compilers make three unless they are
/// told.
Lanes multiply(Lanes a, std::uint64_t b) {
#if defined(__AVX2__)
  const __m256i factor = _mm256_set1_epi64x(static_cast<std::int64_t>(b));
  return reinterpret_cast<Lanes>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), factor));
#elif defined(__SSE2__)
  const __m128i factor = _mm_set1_epi64x(static_cast<std::int64_t>(b));
  return reinterpret_cast<Lanes>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), factor));
#else
  return (a & 0xffffffff) * b;
#endif
}

/// Philox4x32-10 of a batch of counters (Salmon, Moraes, Dror and Shaw, SC 2011), at three times
/// the speed of one block after the other.
Words random_blocks(std::uint64_t seed, std::uint64_t stream, std::uint64_t first_block) {
  constexpr int kRounds = 10;
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  constexpr std::size_t kLanes = sizeof(Lanes) / sizeof(std::uint64_t);
  // So many lanes at a time hide the time of a multiplication.
  constexpr std::size_t kTogether = 2;
  Words words;
  for (std::size_t b = 0; b < kBatch; b += kTogether * kLanes) {
    Lanes c0[kTogether], c1[kTogether], c2[kTogether], c3[kTogether];
    for (std::size_t k = 0; k < kTogether; ++k) {
      c0[k] = kNumbers + (first_block + b + k * kLanes);
      c1[k] = c0[k] >> 32;
      c2[k] = Lanes{} + stream;
      c3[k] = c2[k] >> 32;
    }
    auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < kRounds; ++round, key0 += kWeyl0, key1 += kWeyl1)
      for (std::size_t k = 0; k < kTogether; ++k) {
        const Lanes product0 = multiply(c0[k], kMultiplier0), product1 = multiply(c2[k], kMultiplier1);
        c0[k] = (product1 >> 32) ^ c1[k] ^ key0;
        c1[k] = product1;
        c2[k] = (product0 >> 32) ^ c3[k] ^ key1;
        c3[k] = product0;
      }
    for (std::size_t k = 0; k < kTogether; ++k)
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t at = b + k * kLanes + lane;
        words[0][at] = static_cast<std::uint32_t>(c0[k][lane]);
        words[1][at] = static_cast<std::uint32_t>(c1[k][lane]);
        words[2][at] = static_cast<std::uint32_t>(c2[k][lane]);
        words[3][at] = static_cast<std::uint32_t>(c3[k][lane]);
      }
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
