#include "attnlaw/base/streams.h"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <stdexcept>

namespace attnlaw::base {
namespace {

constexpr std::uint64_t kMostInstance = (std::uint64_t{1} << 32) - 1;

constexpr Stream kAll[] = {Stream::fixed_points,
                           Stream::target,
                           Stream::data,
                           Stream::label_noise,
                           Stream::initial_weights,
                           Stream::test_data,
                           Stream::keys,
                           Stream::test_keys,
                           Stream::label_draws,
                           Stream::adapter,
                           Stream::adapter_data,
                           Stream::adapter_noise,
                           Stream::adapter_test_data,
                           Stream::attention_tokens,
                           Stream::attention_queries,
                           Stream::attention_keys,
                           Stream::pooling_vocabulary,
                           Stream::pooling_signs,
                           Stream::pooling_latent_signs,
                           Stream::pooling_tokens,
                           Stream::pooling_counts,
                           Stream::pretraining,
                           Stream::filtering_data,
                           Stream::filtering_test_data,
                           Stream::filtering_lift,
                           Stream::filtering_lazy_lift,
                           Stream::filtering_layer,
                           Stream::filtering_permutations,
                           Stream::filtering_depth_two,
                           Stream::bartlett_factors,
                           Stream::head_rotations,
                           Stream::row_permutations,
                           Stream::input_rotations,
                           Stream::entry_shuffles,
                           Stream::semicircle_draws,
                           Stream::tied_factors,
                           Stream::test_noise,
                           Stream::in_context_tasks,
                           Stream::in_context_sequences};

TEST(Stream, NoTwoPurposesShareANumber) {
  const std::set<Stream> purposes(std::begin(kAll), std::end(kAll));
  EXPECT_EQ(purposes.size(), std::size(kAll));
  EXPECT_EQ(purposes.size(), static_cast<std::size_t>(Stream::count));
}

TEST(StreamId, DiffersForEveryPurposeDimensionAndInstance) {
  std::set<std::uint64_t> ids;
  std::size_t expected = 0;
  for (const Stream purpose : kAll) {
    for (const std::uint64_t d : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{60}, kStreamDimensions - 1}) {
      for (const std::uint64_t instance : {std::uint64_t{0}, std::uint64_t{60}, kMostInstance}) {
        ids.insert(stream_id(purpose, d, instance));
        ++expected;
      }
    }
  }
  EXPECT_EQ(ids.size(), expected);
}

TEST(StreamId, StaysAsResultsAreStored) {
  EXPECT_EQ(stream_id(Stream::data, 60, 3), 0x2000003c00000003U);
  EXPECT_EQ(stream_id(Stream::attention_keys, kStreamDimensions - 1, kMostInstance), 0xf03fffffffffffffU);
  EXPECT_EQ(stream_id(Stream::pooling_vocabulary, 1, 0), 0x0040000100000000U);
}

TEST(StreamId, RefusesWhatDoesNotFit) {
  EXPECT_THROW(stream_id(Stream::data, kStreamDimensions, 0), std::invalid_argument);
  EXPECT_THROW(stream_id(Stream::data, 1, kMostInstance + 1), std::invalid_argument);
}

}  // namespace
}  // namespace attnlaw::base
