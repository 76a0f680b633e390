#include "hapax/server/grpc/event_loop.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using testing::ElementsAre;

std::unique_ptr<EventLoop> MakeLoop() {
  return std::make_unique<EventLoop>(grpc::ServerBuilder().AddCompletionQueue());
}

std::unique_ptr<EventLoop> StartedLoop() {
  auto loop = MakeLoop();
  loop->Start();
  return loop;
}

// Returns when the loop has run all that was posted before.
void CatchUp(EventLoop& loop) {
  absl::Notification caught;
  loop.Post([&] { caught.Notify(); });
  caught.WaitForNotification();
}

TEST(EventLoopTest, WhatIsPostedRunsOnTheLoopsThread) {
  const auto loop = StartedLoop();
  std::thread::id first;
  std::thread::id second;
  loop->Post([&] { first = std::this_thread::get_id(); });
  CatchUp(*loop);
  loop->Post([&] { second = std::this_thread::get_id(); });
  CatchUp(*loop);
  EXPECT_NE(first, std::thread::id());
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_EQ(first, second);
}

TEST(EventLoopTest, WhatManyThreadsPostRunsOneAfterAnotherAndInEachThreadsOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 2'000;
  auto loop = StartedLoop();
  std::vector<std::vector<int>> ran(kThreads);  // Not guarded: the loop's thread alone writes to it.
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kTasks; ++i) loop->Post([&, thread, i] { ran[thread].push_back(i); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  loop = nullptr;
  for (const std::vector<int>& tasks : ran) {
    ASSERT_EQ(tasks.size(), size_t{kTasks});
    EXPECT_TRUE(std::is_sorted(tasks.begin(), tasks.end()));
  }
}

TEST(EventLoopTest, ATaskThatIsPostedByATaskRunsAtOnceAheadOfThoseThatWait) {
  const auto loop = StartedLoop();
  std::vector<std::string> ran;
  absl::Notification go;
  loop->Post([&] {
    go.WaitForNotification();
    ran.emplace_back("outer begins");
    loop->Post([&] { ran.emplace_back("inner"); });
    ran.emplace_back("outer ends");
  });
  loop->Post([&] { ran.emplace_back("next"); });
  go.Notify();
  CatchUp(*loop);
  EXPECT_THAT(ran, ElementsAre("outer begins", "inner", "outer ends", "next"));
}

TEST(EventLoopTest, ATaskThatIsPostedToAnotherLoopRunsOnThatOnesThread) {
  const auto one = StartedLoop();
  const auto other = StartedLoop();
  absl::Notification ran;
  std::thread::id posted_on;
  std::thread::id ran_on;
  one->Post([&] {
    posted_on = std::this_thread::get_id();
    other->Post([&] {
      ran_on = std::this_thread::get_id();
      ran.Notify();
    });
  });
  ran.WaitForNotification();
  EXPECT_NE(ran_on, posted_on);
}

constexpr int kFewCalls = 256;

// A loop with so many calls, all of which are over when it is released.
class BusyLoop {
 public:
  explicit BusyLoop(int calls) : calls_(calls) {
    loop_->Post([this] {
      for (int i = 0; i < calls_; ++i) loop_->Hold();
    });
    CatchUp(*loop_);
  }
  ~BusyLoop() {
    loop_->Post([this] {
      for (int i = 0; i < calls_; ++i) loop_->Release();
    });
  }
  EventLoop& operator*() { return *loop_; }
  EventLoop* operator->() { return loop_.get(); }

 private:
  const int calls_;
  const std::unique_ptr<EventLoop> loop_ = StartedLoop();
};

TEST(EventLoopTest, AmongManyCallsPartiesTakeTurns) {
  BusyLoop loop(kFewCalls + 1);
  std::vector<std::string> ran;
  absl::Notification all;
  loop->Post([&] {
    for (const char* name : {"a1", "a2", "a3"}) loop->InTurn("a", [&ran, name] { ran.emplace_back(name); });
    for (const char* name : {"b1", "b2"}) loop->InTurn("b", [&ran, name] { ran.emplace_back(name); });
    loop->InTurn("a", [&] { all.Notify(); });
    EXPECT_THAT(ran, testing::IsEmpty());
  });
  all.WaitForNotification();
  EXPECT_THAT(ran, ElementsAre("a1", "b1", "a2", "b2", "a3"));
}

TEST(EventLoopTest, AmongFewCallsNobodyWaitsForATurn) {
  BusyLoop loop(kFewCalls);
  bool ran = false;
  loop->Post([&] {
    loop->InTurn("a", [&] { ran = true; });
    EXPECT_TRUE(ran);
  });
  CatchUp(*loop);
  EXPECT_TRUE(ran);
}

// So that a party that comes now is in the queue before all who wait have had their turns.
TEST(EventLoopTest, BetweenTurnsWhatHappensIsLookedAt) {
  constexpr int kTurns = 10'000;
  BusyLoop loop(kFewCalls + 1);
  int turns = 0;
  int turns_before = kTurns;
  absl::Notification all;
  EventLoop::Event event([&](bool) { turns_before = turns; });
  grpc::Alarm alarm;
  loop->Post([&] {
    for (int i = 0; i < kTurns; ++i) {
      loop->InTurn("a", [&] {
        if (++turns == 1) alarm.Set(&loop->queue(), std::chrono::system_clock::time_point(), &event);
        if (turns == kTurns) all.Notify();
      });
    }
  });
  all.WaitForNotification();
  CatchUp(*loop);
  EXPECT_LT(turns_before, kTurns / 10);
}

TEST(EventLoopTest, AnEventIsToldWhetherItHappenedOrWasCalledOff) {
  const auto loop = StartedLoop();
  std::vector<bool> happened;
  absl::Notification both;
  EventLoop::Event event([&](bool ok) {
    happened.push_back(ok);
    if (happened.size() == 2) both.Notify();
  });
  grpc::Alarm called_off;
  called_off.Set(&loop->queue(), std::chrono::system_clock::time_point::max(), &event);
  called_off.Cancel();
  CatchUp(*loop);
  grpc::Alarm rings;
  rings.Set(&loop->queue(), std::chrono::system_clock::time_point(), &event);
  both.WaitForNotification();
  EXPECT_THAT(happened, ElementsAre(false, true));
}

TEST(EventLoopTest, TheEndRunsWhatWasPosted) {
  constexpr int kRounds = 200;
  int ran = 0;
  for (int i = 0; i < kRounds; ++i) {
    auto loop = StartedLoop();
    loop->Post([&] { ++ran; });
    loop = nullptr;
  }
  EXPECT_EQ(ran, kRounds);
}

TEST(EventLoopTest, TheEndOfALoopThatNeverStartedRunsWhatWasPosted) {
  bool ran = false;
  auto loop = MakeLoop();
  loop->Post([&] { ran = true; });
  loop = nullptr;
  EXPECT_TRUE(ran);
}

// Until the last holder, who may post though the loop is ending.
TEST(EventLoopTest, TheEndWaitsForAllHolders) {
  constexpr int kRounds = 100;
  constexpr int kHolders = 3;
  for (int round = 0; round < kRounds; ++round) {
    auto loop = StartedLoop();
    EventLoop& held = *loop;
    for (int i = 0; i < kHolders; ++i) held.Post([&] { held.Hold(); });
    CatchUp(held);
    std::atomic<int> released = 0;
    int released_at_end = 0;
    std::thread end([&] {
      loop = nullptr;
      released_at_end = released;
    });
    for (int i = 0; i < kHolders; ++i) {
      std::this_thread::yield();
      held.Post([&] {
        ++released;
        held.Release();
      });
    }
    end.join();
    ASSERT_EQ(released_at_end, kHolders);
  }
}

}  // namespace
}  // namespace hapax
