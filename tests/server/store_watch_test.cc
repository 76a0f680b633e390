#include "hapax/server/store_watch.h"

#include <atomic>
#include <cstddef>
#include <iterator>
#include <vector>

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
  const StoreWatch watch(
      {.status = [&] { return ++asked < 3 ? absl::OkStatus() : absl::FailedPreconditionError("restored"); }},
      {.on_stopped =
           [&](const absl::Status& why) {
             ++told;
             reason = why;
             stopped.Notify();
           }},
      absl::Milliseconds(1));
  stopped.WaitForNotification();
  EXPECT_THAT(reason, StatusIs(absl::StatusCode::kFailedPrecondition, testing::HasSubstr("restored")));
  EXPECT_EQ(told, 1);
}

TEST(StoreWatchTest, EndsWithoutAWordOfAStoreThatGoesOn) {
  std::atomic<int> told = 0;
  {
    const StoreWatch watch({.status = [] { return absl::OkStatus(); }},
                           {.on_stopped = [&](const absl::Status&) { ++told; }}, absl::Hours(1));
  }
  EXPECT_EQ(told, 0);
}

TEST(StoreWatchTest, TellsOnceThatHealthStaysBadAndOnceThatItIsGoodAgain) {
  int asked = 0;
  const auto health = [&]() -> absl::Status {
    constexpr int kBad[] = {0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1};  // First for too short.
    const bool is_bad = static_cast<size_t>(asked) < std::size(kBad) && kBad[asked] == 1;
    ++asked;
    return is_bad ? absl::UnavailableError("no room") : absl::OkStatus();
  };
  std::vector<absl::Status> told;
  absl::Notification done;
  {
    const StoreWatch watch(
        {.status =
             [&] {
               if (asked == 20 && !done.HasBeenNotified()) done.Notify();
               return absl::OkStatus();
             },
         .health = health},
        {.on_stopped = [](const absl::Status&) {}, .on_health = [&](const absl::Status& now) { told.push_back(now); }},
        absl::Milliseconds(1));
    done.WaitForNotification();
  }
  EXPECT_THAT(told, testing::ElementsAre(StatusIs(absl::StatusCode::kUnavailable, "no room"), IsOk()));
}

}  // namespace
}  // namespace hapax
