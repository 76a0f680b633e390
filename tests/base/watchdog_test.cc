#include "hapax/base/watchdog.h"

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

TEST(Watchdog, CallsBackWhenItsTimeIsOver) {
  absl::Notification called;
  const Watchdog watchdog(absl::Milliseconds(1), [&] { called.Notify(); });
  called.WaitForNotification();
}

TEST(Watchdog, CallsNobodyBackOnceItIsGone) {
  for (const absl::Duration limit : {absl::Hours(1), absl::Hours(1'000'000), absl::InfiniteDuration()}) {
    const Watchdog watchdog(limit, [] { ADD_FAILURE() << "it was in time"; });
  }
}

}  // namespace
}  // namespace hapax
