#include "hapax/bench/pacing.h"

#include <chrono>

#include "gtest/gtest.h"

namespace hapax::bench {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Instant kStart = Instant(seconds(1000));

TEST(Schedule, TheFirstCallIsDueAtOnce) { EXPECT_EQ(Schedule(kStart, 3).Due(0), kStart); }

TEST(Schedule, CallsAreDueAtTheRate) {
  const Schedule schedule(kStart, 4);
  EXPECT_EQ(schedule.Due(1), kStart + std::chrono::milliseconds(250));
  EXPECT_EQ(schedule.Due(10), kStart + std::chrono::milliseconds(2500));
}

TEST(Schedule, ARateThatDividesNoSecondDoesNotDrift) {
  const Schedule schedule(kStart, 30'000);
  for (const int hours : {1, 100}) {
    const auto off = schedule.Due(uint64_t{30'000} * 3600 * hours) - (kStart + std::chrono::hours(hours));
    EXPECT_LE(std::chrono::abs(off), nanoseconds(100)) << hours;
  }
}

TEST(Schedule, EveryCallIsDueAfterTheOneBefore) {
  const Schedule schedule(kStart, 1e6);
  for (uint64_t call = 1; call < 100'000; ++call) ASSERT_GT(schedule.Due(call), schedule.Due(call - 1)) << call;
}

TEST(WindowTest, HasItsBeginningAndNotItsEnd) {
  const Window window{kStart, kStart + seconds(1)};
  EXPECT_FALSE(window.Has(kStart - nanoseconds(1)));
  EXPECT_TRUE(window.Has(kStart));
  EXPECT_TRUE(window.Has(kStart + seconds(1) - nanoseconds(1)));
  EXPECT_FALSE(window.Has(kStart + seconds(1)));
}

TEST(SleepUntilTest, ReturnsNoEarlier) {
  const Instant until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  SleepUntil(until);
  EXPECT_GE(std::chrono::steady_clock::now(), until);
  SleepUntil(until - seconds(1));
}

}  // namespace
}  // namespace hapax::bench
