#include "hapax/server/compute/hypervisor/simulated_hypervisor.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"

namespace hapax::compute {
namespace {

TEST(SimulatedHypervisor, IsDoneAfterTheLatencyAndNotBefore) {
  constexpr absl::Duration kLatency = absl::Milliseconds(20);
  SimulatedHypervisor hypervisor(kLatency);
  const absl::Duration start = MonotonicNow();
  absl::Notification booted;
  hypervisor.Boot({}, [&](const absl::Status& /*result*/) { booted.Notify(); });
  booted.WaitForNotification();
  EXPECT_GE(MonotonicNow() - start, kLatency);

  const absl::Duration second_start = MonotonicNow();
  absl::Notification shut_down;
  hypervisor.ShutDown("i-1", [&](const absl::Status& /*result*/) { shut_down.Notify(); });
  shut_down.WaitForNotification();
  EXPECT_GE(MonotonicNow() - second_start, kLatency);
}

TEST(SimulatedHypervisor, IsDoneInTheOrderItWasToldOnceEach) {
  constexpr int kCount = 200;
  SimulatedHypervisor hypervisor(absl::ZeroDuration());
  absl::BlockingCounter all(kCount);
  std::vector<int> done;  // Called on one thread.
  std::vector<int> expected;
  for (int i = 0; i < kCount; ++i) {
    expected.push_back(i);
    auto note = [&, i](const absl::Status& result) {
      EXPECT_TRUE(result.ok()) << result;
      done.push_back(i);
      all.DecrementCount();
    };
    if (i % 2 == 0) {
      hypervisor.Boot({}, note);
    } else {
      hypervisor.ShutDown("i-1", note);
    }
  }
  all.Wait();
  EXPECT_EQ(done, expected);
}

TEST(SimulatedHypervisor, TakesCallsFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 250;
  SimulatedHypervisor hypervisor(absl::ZeroDuration());
  absl::BlockingCounter all(kThreads * kCalls);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kCalls; ++j)
        hypervisor.Boot({}, [&](const absl::Status& /*result*/) { all.DecrementCount(); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  all.Wait();
}

TEST(SimulatedHypervisor, WhoHearsThatItIsDoneMayTellItMore) {
  SimulatedHypervisor hypervisor(absl::ZeroDuration());
  absl::Notification down;
  hypervisor.Boot({}, [&](const absl::Status& /*result*/) {
    hypervisor.ShutDown("i-1", [&](const absl::Status& /*result*/) { down.Notify(); });
  });
  down.WaitForNotification();
}

TEST(SimulatedHypervisor, TheDestructorDropsWhatIsNotDone) {
  bool called = false;
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> watch = held;
  {
    SimulatedHypervisor hypervisor(absl::Hours(1));
    hypervisor.Boot({}, [&called, held = std::move(held)](const absl::Status& /*result*/) { called = true; });
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_FALSE(called);
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace hapax::compute
