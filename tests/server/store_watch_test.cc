#include "hapax/server/store_watch.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

TEST(StoreWatchTest, TellsOnceThatAStoreHasStopped) {
  std::atomic<int> asked = 0;
  std::atomic<int> told = 0;
  absl::Status reason;
  absl::Notification stopped;
  const StoreWatch watch([&] { return ++asked < 3 ? absl::OkStatus() : absl::FailedPreconditionError("restored"); },
                         [&](const absl::Status& why) {
                           ++told;
                           reason = why;
                           stopped.Notify();
                         },
                         absl::Milliseconds(1));
  stopped.WaitForNotification();
  EXPECT_THAT(reason, StatusIs(absl::StatusCode::kFailedPrecondition, testing::HasSubstr("restored")));
  EXPECT_EQ(told, 1);
}

TEST(StoreWatchTest, EndsWithoutAWordOfAStoreThatGoesOn) {
  std::atomic<int> told = 0;
  {
    const StoreWatch watch([] { return absl::OkStatus(); }, [&](const absl::Status&) { ++told; }, absl::Hours(1));
  }
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace hapax
