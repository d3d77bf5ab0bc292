#include "attnlaw/model/streams.h"

#include <gtest/gtest.h>

#include <set>

namespace attnlaw::model {
namespace {

TEST(StreamId, DiffersForEveryPurposeDimensionAndInstance) {
  std::set<std::uint64_t> ids;
  std::size_t count = 0;
  for (const Stream purpose :
       {Stream::target, Stream::data, Stream::label_noise, Stream::initial_weights, Stream::test_data}) {
    for (const std::uint64_t d : {std::uint64_t(1), std::uint64_t(60), (std::uint64_t(1) << 28) - 1}) {
      for (const std::uint64_t instance : {std::uint64_t(0), std::uint64_t(60), (std::uint64_t(1) << 32) - 1}) {
        ids.insert(stream_id(purpose, d, instance));
        ++count;
      }
    }
  }
  EXPECT_EQ(ids.size(), count);
}

}  // namespace
}  // namespace attnlaw::model
