#include "attnlaw/base/interrupt.h"

#include <gtest/gtest.h>

#include <atomic>

#include "attnlaw/base/parallel.h"
#include "attnlaw/base/thread.h"

namespace attnlaw::base {
namespace {

TEST(Interrupt, NothingIsInterruptedWithoutAScope) {
  EXPECT_EQ(interrupt_flag(), nullptr);
  EXPECT_NO_THROW(check_interrupt());
}

TEST(Interrupt, AScopeHoldsUntilItsEnd) {
  const std::atomic<bool> asked = true, not_asked = false;
  {
    const InterruptScope outer(&asked);
    EXPECT_THROW(check_interrupt(), Interrupted);
    {
      const InterruptScope inner(&not_asked);
      EXPECT_NO_THROW(check_interrupt());
    }
    EXPECT_THROW(check_interrupt(), Interrupted);
  }
  EXPECT_NO_THROW(check_interrupt());
}

TEST(Interrupt, ThreadsAreInterruptedWithTheOneThatStartedThem) {
  const std::atomic<bool> asked = true;
  std::atomic<bool> interrupted = false;
  {
    const InterruptScope scope(&asked);
    const std::jthread thread = start_thread([&] {
      try {
        check_interrupt();
      } catch (const Interrupted&) {
        interrupted = true;
      }
    });
  }
  EXPECT_TRUE(interrupted.load());
}

TEST(Interrupt, ItemsThatHaveNotBegunAreLeft) {
  constexpr std::size_t kItems = 1000, kEnough = 10;
  std::atomic<bool> asked = false;
  std::atomic<std::size_t> done = 0;
  const InterruptScope scope(&asked);
  const auto body = [&](std::size_t) {
    if (++done == kEnough) asked = true;
  };
  for (const int threads : {1, 3}) {
    asked = false;
    done = 0;
    EXPECT_THROW(parallel_for(kItems, threads, body), Interrupted);
    EXPECT_LE(done.load(), kEnough + static_cast<std::size_t>(threads));
  }
}

}  // namespace
}  // namespace attnlaw::base
