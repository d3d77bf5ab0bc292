#include "attnlaw/base/interrupt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "attnlaw/base/apart.h"
#include "attnlaw/base/interrupted_work.h"
#include "attnlaw/base/linear_algebra.h"
#include "attnlaw/base/parallel.h"
#include "attnlaw/base/random.h"
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

TEST(Interrupt, ItemsThatHaveEndedAreKept) {
  std::atomic<bool> asked = false;
  const InterruptScope scope(&asked);
  const auto square = [&](std::size_t i) {
    if (i == 2) asked = true;
    return i * i;
  };
  const auto items = run_until_interrupted(5, 1, square);
  ASSERT_EQ(items.size(), 5u);
  EXPECT_FALSE(items[3] || items[4]);
  EXPECT_EQ(those_that_ended(items), (std::vector<std::size_t>{0, 1, 4}));
  asked = false;
  EXPECT_THROW(
      run_until_interrupted(2, 1, [](std::size_t i) -> std::size_t { throw std::invalid_argument(std::to_string(i)); }),
      std::invalid_argument);
}

/// A failure is no interruption, whatever else has happened by then.
TEST(Interrupt, FailuresOfItemsAreThrown) {
  std::atomic<bool> asked = false;
  const InterruptScope scope(&asked);
  for (const bool also : {false, true})
    EXPECT_THROW(run_until_interrupted(3, 1,
                                       [&](std::size_t i) {
                                         asked = also && i == 1;
                                         if (i == 1) throw std::invalid_argument("x");
                                         return i;
                                       }),
                 std::invalid_argument);
}

/// An item that ends within the grace is kept, and one that does not is left.
TEST(Interrupt, ItemsThatOutlastTheGraceAreLeft) {
  using Clock = std::chrono::steady_clock;
  std::atomic<bool> asked = false;
  const InterruptScope scope(&asked);
  const InterruptGrace grace;
  const Clock::time_point begin = Clock::now();
  const auto items = run_until_interrupted(4, 1, [&](std::size_t i) {
    if (i == 1) asked = true;
    for (; i == 2 && Clock::now() - begin < std::chrono::seconds(30); check_interrupt())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return i;
  });
  EXPECT_EQ(those_that_ended(items), (std::vector<std::size_t>{0, 1}));
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(400));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(20));
}

TEST(Interrupt, GraceIsHalfASecond) {
  std::atomic<bool> asked = true;
  const InterruptScope scope(&asked);
  const auto begin = std::chrono::steady_clock::now();
  const auto interrupted = [] {
    try {
      check_interrupt();
      return false;
    } catch (const Interrupted&) {
      return true;
    }
  };
  {
    const InterruptGrace grace;
    EXPECT_FALSE(interrupted()) << "there is time to finish";
    while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(400));
  }
  EXPECT_TRUE(interrupted());
  asked = false;
  const InterruptGrace unasked;
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_FALSE(interrupted());
}

/// A library does not ask: its call goes on alone, and nobody waits for it.
TEST(Interrupt, CallsApartAreLeftToTheirEnd) {
  std::atomic<bool> asked = false;
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  const InterruptScope scope(&asked);
  const std::jthread presses([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    asked = true;
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(call_apart([ended] {
                 std::this_thread::sleep_for(std::chrono::seconds(3));
                 *ended = true;
               }),
               Interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_FALSE(*ended);
}

TEST(Interrupt, CallsApartGiveWhatTheyThrow) {
  const std::atomic<bool> asked = false;
  int called = 0;
  call_apart([&] { ++called; });
  const InterruptScope scope(&asked);
  call_apart([&] { ++called; });
  EXPECT_EQ(called, 2);
  EXPECT_THROW(call_apart([] { throw std::invalid_argument("x"); }), std::invalid_argument);
}

/// On a thread of its own a decomposition of a large matrix has the same bits.
TEST(Interrupt, DecompositionsApartAreTheSame) {
  constexpr std::size_t kRows = 620;
  std::vector<double> matrix(kRows * kRows);
  NormalStream(1, 2).fill(0, matrix);
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t j = 0; j < i; ++j) matrix[j * kRows + i] = matrix[i * kRows + j];
  std::vector<double> here = matrix, apart = matrix;
  const std::vector<double> values = symmetric_eigensystem(here, kRows);
  const std::atomic<bool> asked = false;
  const InterruptScope scope(&asked);
  EXPECT_EQ(symmetric_eigensystem(apart, kRows), values);
  EXPECT_EQ(apart, here);
}

}  // namespace
}  // namespace attnlaw::base
