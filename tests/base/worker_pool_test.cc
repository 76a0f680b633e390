#include "hapax/base/worker_pool.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

// Keeps a worker busy until it is released.
class Blocker {
 public:
  WorkerPool::Work Work() {
    return [this] {
      started_.Notify();
      released_.WaitForNotification();
    };
  }
  void WaitUntilStarted() { started_.WaitForNotification(); }
  void Release() { released_.Notify(); }

 private:
  absl::Notification started_;
  absl::Notification released_;
};

bool Schedule(WorkerPool& pool, WorkerPool::Work work, std::string_view party = "") {
  return pool.TrySchedule(work, party);
}

TEST(WorkerPool, WorkRunsOnAnotherThread) {
  std::thread::id thread;
  {
    WorkerPool pool(1, 1);
    EXPECT_TRUE(Schedule(pool, [&] { thread = std::this_thread::get_id(); }));
  }
  EXPECT_NE(thread, std::thread::id());
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(WorkerPool, EachThreadTakesWork) {
  constexpr int kThreads = 4;
  absl::Barrier all_at_once(kThreads);  // Passed only when as many work at the same time.
  WorkerPool pool(kThreads, 2 * kThreads);
  for (int i = 0; i < kThreads; ++i) EXPECT_TRUE(Schedule(pool, [&] { all_at_once.Block(); }));
}

TEST(WorkerPool, OneThreadWorksInTheOrderOfAcceptance) {
  std::vector<int> done;
  {
    WorkerPool pool(1, 100);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(Schedule(pool, [&done, i] { done.push_back(i); }));
  }
  ASSERT_EQ(done.size(), 50);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(done[i], i);
}

TEST(WorkerPool, OnlySoMuchMayWait) {
  Blocker blocker;
  std::atomic<int> done = 0;
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(Schedule(pool, blocker.Work()));
    blocker.WaitUntilStarted();
    EXPECT_TRUE(Schedule(
        pool, [&] { ++done; }, "a"));
    EXPECT_TRUE(Schedule(
        pool, [&] { ++done; }, "b"));
    EXPECT_FALSE(Schedule(
        pool, [&] { ++done; }, "c"));
    blocker.Release();
  }
  EXPECT_EQ(done, 2);
}

TEST(WorkerPool, HalfOfThePlacesAreOpenToOneParty) {
  Blocker blocker;
  std::atomic<int> done = 0;
  {
    WorkerPool pool(1, 3);
    ASSERT_TRUE(Schedule(pool, blocker.Work(), "a"));
    blocker.WaitUntilStarted();
    EXPECT_TRUE(Schedule(
        pool, [&] { ++done; }, "a"));
    EXPECT_TRUE(Schedule(
        pool, [&] { ++done; }, "a"));
    EXPECT_FALSE(Schedule(
        pool, [&] { ++done; }, "a"));
    EXPECT_TRUE(Schedule(
        pool, [&] { ++done; }, "b"));
    blocker.Release();
  }
  EXPECT_EQ(done, 3);
}

TEST(WorkerPool, PartiesTakeTurns) {
  Blocker blocker;
  std::vector<std::string> done;
  {
    WorkerPool pool(1, 100);
    ASSERT_TRUE(Schedule(pool, blocker.Work()));
    blocker.WaitUntilStarted();
    for (const char* party : {"a", "a", "a", "b", "b"}) {
      EXPECT_TRUE(Schedule(
          pool, [&done, party] { done.emplace_back(party); }, party));
    }
    blocker.Release();
  }
  EXPECT_THAT(done, testing::ElementsAre("a", "b", "a", "b", "a"));
}

TEST(WorkerPool, C32_PartiesTakeTurnsByBytes) {
  constexpr int64_t kBytes = int64_t{64} << 10;
  Blocker blocker;
  std::vector<std::string> done;
  const auto note = [&done](const char* name) { return [&done, name] { done.emplace_back(name); }; };
  {
    WorkerPool pool(1, 100);
    pool.Schedule(blocker.Work(), "");
    blocker.WaitUntilStarted();
    for (const char* name : {"a1", "a2"}) pool.Schedule(note(name), "a", kBytes);
    for (const char* name : {"b1", "b2"}) pool.Schedule(note(name), "b", kBytes / 2);
    pool.Schedule(note("c1"), "c");
    pool.Schedule(note("c2"), "c");
    pool.Charge("c", 4 * kBytes);
    blocker.Release();
  }
  EXPECT_THAT(done, testing::ElementsAre("b1", "a1", "b2", "a2", "c1", "c2"));
}

TEST(WorkerPool, WhatIsScheduledIsTakenHoweverMuchWaits) {
  Blocker blocker;
  std::atomic<int> done = 0;
  {
    WorkerPool pool(1, 1);
    pool.Schedule(blocker.Work(), "");
    blocker.WaitUntilStarted();
    for (int i = 0; i < 3; ++i) pool.Schedule([&] { ++done; }, "a");
    EXPECT_FALSE(Schedule(
        pool, [] {}, "b"));
    blocker.Release();
  }
  EXPECT_EQ(done, 3);
}

TEST(WorkerPool, WorkThatIsNotTakenIsLeftAsItIs) {
  Blocker blocker;
  WorkerPool pool(1, 1);
  ASSERT_TRUE(Schedule(pool, blocker.Work()));
  blocker.WaitUntilStarted();
  EXPECT_TRUE(Schedule(pool, [] {}));
  bool ran = false;
  WorkerPool::Work work = [&, resource = std::make_unique<bool>(true)] { ran = *resource; };
  EXPECT_FALSE(pool.TrySchedule(work, ""));
  blocker.Release();
  std::move(work)();
  EXPECT_TRUE(ran);
}

TEST(WorkerPool, TheDestructorWaitsForAllAcceptedWork) {
  Blocker blocker;
  std::atomic<int> done = 0;
  auto pool = std::make_unique<WorkerPool>(2, 2'000);
  ASSERT_TRUE(Schedule(*pool, blocker.Work()));
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(Schedule(*pool, [&] { ++done; }));
  std::thread destroyer([&] { pool.reset(); });
  blocker.Release();
  destroyer.join();
  EXPECT_EQ(done, 500);
}

TEST(WorkerPool, WorkMayScheduleWork) {
  std::atomic<bool> done = false;
  {
    WorkerPool pool(1, 1);
    absl::Notification scheduled;
    ASSERT_TRUE(Schedule(pool, [&] {
      EXPECT_TRUE(Schedule(pool, [&] { done = true; }));
      scheduled.Notify();
    }));
    scheduled.WaitForNotification();
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace hapax
