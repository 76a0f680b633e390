#include "hapax/base/monitor.h"

#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"

namespace hapax {
namespace {

TEST(Monitor, WaitsUntilTheConditionHolds) {
  Monitor monitor;
  int count = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      MonitorLock lock(&monitor);
      ++count;
      monitor.WakeAll();
    }
  });
  {
    MonitorLock lock(&monitor);
    monitor.Await([&] { return count == 100; });
    EXPECT_EQ(count, 100);
    EXPECT_TRUE(monitor.AwaitUntil([&] { return count == 100; }, absl::InfiniteDuration()));
  }
  other.join();
}

TEST(Monitor, ReturnsWhenTheTimeHasCome) {
  Monitor monitor;
  MonitorLock lock(&monitor);
  const absl::Duration until = MonotonicNow() + absl::Milliseconds(2);
  EXPECT_FALSE(monitor.AwaitUntil([] { return false; }, until));
  EXPECT_GE(MonotonicNow(), until);
  EXPECT_FALSE(monitor.AwaitUntil([] { return false; }, -absl::InfiniteDuration()));
  EXPECT_TRUE(monitor.AwaitUntil([] { return true; }, -absl::InfiniteDuration()));
}

TEST(StopSignal, EndsAPauseAndEveryOneAfterIt) {
  StopSignal stop;
  EXPECT_FALSE(stop.AwaitFor(absl::ZeroDuration()));
  std::thread other([&] { stop.Give(); });
  EXPECT_TRUE(stop.AwaitFor(absl::InfiniteDuration()));
  EXPECT_TRUE(stop.AwaitFor(absl::ZeroDuration()));
  other.join();
}

}  // namespace
}  // namespace hapax
