#include "hapax/client/call/timer_queue.h"

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace hapax::client {
namespace {

using ::absl::Milliseconds;

TEST(TimerQueue, RunsTasksInTheOrderOfTheirTimesAndNoneEarly) {
  TimerQueue& queue = ProcessTimers();
  std::string order;
  absl::Notification done;
  // Added on the queue's thread, so that none runs before all are there.
  queue.At(absl::InfinitePast(), [&] {
    const absl::Time now = absl::Now();
    const absl::Time last = now + Milliseconds(20);
    queue.At(last, [&order, &done, last] {
      EXPECT_GE(absl::Now(), last);
      order += "c";
      done.Notify();
    });
    queue.At(now + Milliseconds(10), [&order] { order += "b"; });
    queue.At(absl::InfinitePast(), [&order] { order += "a"; });
  });
  done.WaitForNotification();
  EXPECT_EQ(order, "abc");
}

TEST(TimerQueue, ATaskThatIsDroppedIsDestroyedAndNotRun) {
  TimerQueue& queue = ProcessTimers();
  const auto held = std::make_shared<bool>(false);
  const TimerId id = queue.At(absl::Now() + absl::Hours(1), [held] { *held = true; });
  EXPECT_EQ(held.use_count(), 2);
  queue.Drop(id);
  EXPECT_EQ(held.use_count(), 1);
  queue.Drop(id);
  queue.Drop(TimerId());
}

TEST(TimerQueue, ATaskMayAddOthers) {
  TimerQueue& queue = ProcessTimers();
  absl::Notification done;
  queue.At(absl::InfinitePast(), [&] { queue.At(absl::InfinitePast(), [&] { done.Notify(); }); });
  done.WaitForNotification();
}

}  // namespace
}  // namespace hapax::client
