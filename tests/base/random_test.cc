#include "attnlaw/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace attnlaw::base {
namespace {

template <class Real>
std::vector<Real> draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::size_t count) {
  std::vector<Real> numbers(count);
  NormalStream(seed, stream).fill(first, std::span<Real>(numbers));
  return numbers;
}

/// (1/n) Σ x^power y^power over two samples.
template <class Real>
double moment(const std::vector<Real>& x, const std::vector<Real>& y, int power_x, int power_y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += std::pow(static_cast<double>(x[i]), power_x) * std::pow(static_cast<double>(y[i]), power_y);
  }
  return sum / static_cast<double>(x.size());
}

/// The words of two blocks of Philox4x32-10: known answer of counter and key 0 (Salmon et al., SC 2011), and
/// another, so that streams stay what they are.
TEST(UniformStream, IsMadeOfTheWordsOfPhilox) {
  struct Block {
    std::uint64_t seed, stream, block;
    std::uint32_t words[4];
  };
  constexpr Block kBlocks[] = {
      {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {0x0123456789abcdef, 0xfedcba9876543210, 0x123456789abc, {0x2b4171ed, 0xffa5b7a1, 0x45f2b1ed, 0xc7d6c092}}};
  for (const Block& known : kBlocks) {
    double numbers[4];
    UniformStream(known.seed, known.stream).fill(4 * known.block, numbers);
    for (int word = 0; word < 4; ++word) EXPECT_EQ(numbers[word], (known.words[word] + 0.5) / 4294967296.0);
  }
}

constexpr std::size_t kSample = 1'000'000;
/// Five standard errors of a mean over kSample numbers of the given variance.
double five_sigma(double variance) { return 5 * std::sqrt(variance / kSample); }

template <class Real>
class NormalMoments : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(NormalMoments, Reals);

TYPED_TEST(NormalMoments, AreThoseOfTheStandardNormalLaw) {
  const auto x = draw<TypeParam>(3, 7, 0, kSample);
  EXPECT_NEAR(moment(x, x, 1, 0), 0, five_sigma(1));
  EXPECT_NEAR(moment(x, x, 2, 0), 1, five_sigma(2));
  EXPECT_NEAR(moment(x, x, 3, 0), 0, five_sigma(15));
  EXPECT_NEAR(moment(x, x, 4, 0), 3, five_sigma(96));
  EXPECT_NEAR(moment(x, x, 6, 0), 15, five_sigma(10395 - 225));
}

TYPED_TEST(NormalMoments, NeighboursAreIndependent) {
  for (const std::uint64_t lag : {1, 2, 3, 4, 128, 256}) {
    const auto x = draw<TypeParam>(3, 7, 0, kSample), y = draw<TypeParam>(3, 7, lag, kSample);
    EXPECT_NEAR(moment(x, y, 1, 1), 0, five_sigma(1)) << "lag " << lag;
    // Each sample enters twice: twice the variance 8 of (x²−1)(y²−1) is a safe bound.
    EXPECT_NEAR(moment(x, y, 2, 2) - moment(x, x, 2, 0) * moment(y, y, 2, 0), 0, five_sigma(16)) << "lag " << lag;
  }
}

TYPED_TEST(NormalMoments, SeedsAndStreamsAreIndependent) {
  const auto x = draw<TypeParam>(3, 7, 0, kSample);
  for (const auto& y : {draw<TypeParam>(4, 7, 0, kSample), draw<TypeParam>(3, 8, 0, kSample),
                        draw<TypeParam>(3 + (1ULL << 32), 7, 0, kSample),
                        draw<TypeParam>(3, 7 + (1ULL << 56), 0, kSample), draw<TypeParam>(7, 3, 0, kSample)}) {
    EXPECT_NEAR(moment(x, y, 1, 1), 0, five_sigma(1));
    EXPECT_NEAR(moment(x, y, 2, 2), 1, five_sigma(8 + 2 * 4));
  }
}

TYPED_TEST(NormalMoments, AnySplitGivesTheSameNumbers) {
  constexpr std::size_t kCount = 1500;
  const auto whole = draw<TypeParam>(11, 5, 0, kCount);
  for (const std::size_t piece : {1, 2, 3, 5, 7, 64, 255, 256, 257, 1000}) {
    std::vector<TypeParam> pieces;
    for (std::size_t first = 0; first < kCount; first += piece) {
      const auto part = draw<TypeParam>(11, 5, first, std::min(piece, kCount - first));
      pieces.insert(pieces.end(), part.begin(), part.end());
    }
    EXPECT_EQ(pieces, whole) << "pieces of " << piece;
  }
}

TYPED_TEST(NormalMoments, IndicesBeyond32BitsAreDistinct) {
  EXPECT_NE(draw<TypeParam>(1, 1, 1ULL << 36, 8), draw<TypeParam>(1, 1, 0, 8));
  EXPECT_NE(draw<TypeParam>(1, 1, 1ULL << 36, 8), draw<TypeParam>(1, 1, 1ULL << 37, 8));
}

TEST(NormalStream, FloatAndDoubleAgreeToRounding) {
  const auto single = draw<float>(2, 9, 0, 100'000);
  const auto double_ = draw<double>(2, 9, 0, 100'000);
  double worst = 0, sum = 0;
  for (std::size_t i = 0; i < single.size(); ++i) {
    const double difference = std::abs(static_cast<double>(single[i]) - double_[i]);
    worst = std::max(worst, difference);
    sum += difference;
  }
  EXPECT_LT(sum / static_cast<double>(single.size()), 1e-6);
  // Box-Muller in float: where the uniform number rounds to 1 within 2⁻²⁵, a radius below √(2·2⁻²⁵) is lost.
  EXPECT_LT(worst, 3e-4);
}

TEST(NormalStream, AnEmptyRangeIsNothing) { EXPECT_TRUE(draw<float>(1, 1, 5, 0).empty()); }

TEST(NormalStream, EveryNumberIsFinite) {
  for (const float x : draw<float>(12, 0, 0, 4'000'000)) ASSERT_LE(std::abs(x), 7.0F);
}

std::vector<double> draw_uniform(std::uint64_t stream, std::uint64_t first, std::size_t count) {
  std::vector<double> numbers(count);
  UniformStream(5, stream).fill(first, numbers);
  return numbers;
}

TEST(UniformStream, HasTheMomentsOfTheUnitInterval) {
  const auto x = draw_uniform(1, 0, kSample), y = draw_uniform(1, 1, kSample), z = draw_uniform(2, 0, kSample);
  EXPECT_NEAR(moment(x, x, 1, 0), 0.5, five_sigma(1.0 / 12));
  EXPECT_NEAR(moment(x, x, 2, 0), 1.0 / 3, five_sigma(4.0 / 45));
  EXPECT_NEAR(moment(x, y, 1, 1), 0.25, five_sigma(7.0 / 144 + 1.0 / 24));  // neighbours share factors
  EXPECT_NEAR(moment(x, z, 1, 1), 0.25, five_sigma(7.0 / 144));
  EXPECT_GT(*std::min_element(x.begin(), x.end()), 0);
  EXPECT_LT(*std::max_element(x.begin(), x.end()), 1);
}

TEST(UniformStream, AnySplitGivesTheSameNumbers) {
  const auto whole = draw_uniform(1, 3, 50);
  for (const std::size_t cut : {1, 2, 4, 5, 17}) {
    auto parts = draw_uniform(1, 3, cut);
    const auto rest = draw_uniform(1, 3 + cut, 50 - cut);
    parts.insert(parts.end(), rest.begin(), rest.end());
    EXPECT_EQ(parts, whole);
  }
}

}  // namespace
}  // namespace attnlaw::base
