#include "hapax/server/operations/operation_waiters.h"

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"

namespace hapax {
namespace {

constexpr absl::Time kNever = absl::InfiniteFuture();

bool StaysOn() { return false; }

// Somebody who waits. A second wake fails the test.
class Somebody {
 public:
  [[nodiscard]] OperationWaiters::Wake Wake() {
    return [this] {
      EXPECT_FALSE(woken_.HasBeenNotified()) << "woken twice";
      woken_.Notify();
    };
  }
  [[nodiscard]] bool woken() const { return woken_.HasBeenNotified(); }
  void Await() const { woken_.WaitForNotification(); }

 private:
  absl::Notification woken_;
};

TEST(OperationWaitersTest, ANotificationWakesAllOfItsTopicAndNobodyElse) {
  Somebody one;
  Somebody another;
  Somebody elsewhere;
  OperationWaiters waiters(10);
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, one.Wake()));
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, another.Wake()));
  ASSERT_TRUE(waiters.Add("elsewhere", kNever, StaysOn, elsewhere.Wake()));
  waiters.Notify("topic");
  one.Await();
  another.Await();
  EXPECT_FALSE(elsewhere.woken());
  waiters.Notify("elsewhere");
  elsewhere.Await();
}

TEST(OperationWaitersTest, ANotificationThatNobodyWaitsForIsNotKept) {
  Somebody later;
  Somebody fence;
  OperationWaiters waiters(10);
  waiters.Notify("topic");
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, later.Wake()));
  ASSERT_TRUE(waiters.Add("fence", kNever, StaysOn, fence.Wake()));
  waiters.Notify("fence");
  fence.Await();
  EXPECT_FALSE(later.woken());
  waiters.Notify("topic");
  later.Await();
}

TEST(OperationWaitersTest, ADeadlineWakesWhoeverItIsAndNotBefore) {
  Somebody patient;
  Somebody hurried;
  Somebody late;
  OperationWaiters waiters(10);
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, patient.Wake()));
  const absl::Duration start = MonotonicNow();
  ASSERT_TRUE(waiters.Add("topic", absl::Now() + absl::Milliseconds(20), StaysOn, hurried.Wake()));
  ASSERT_TRUE(waiters.Add("topic", absl::InfinitePast(), StaysOn, late.Wake()));
  late.Await();
  hurried.Await();
  EXPECT_GE(MonotonicNow() - start, absl::Milliseconds(20));
  EXPECT_FALSE(patient.woken());
}

// The thread waits for nothing else: a deadline that does not wake it is never kept.
TEST(OperationWaitersTest, ADeadlineIsKeptThoughOthersWaitForLonger) {
  Somebody patient;
  std::deque<Somebody> hurried(12);
  OperationWaiters waiters(10, /*given_up_check_interval=*/absl::InfiniteDuration());
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, patient.Wake()));
  for (Somebody& somebody : hurried) {
    ASSERT_TRUE(waiters.Add("topic", absl::Now() + absl::Milliseconds(1), StaysOn, somebody.Wake()));
    somebody.Await();
  }
  EXPECT_FALSE(patient.woken());
}

TEST(OperationWaitersTest, WhileNothingHappensNobodyIsAskedWhetherTheyGaveUp) {
  std::atomic<int> asked = 0;
  Somebody patient;
  Somebody hurried;
  OperationWaiters waiters(10, /*given_up_check_interval=*/absl::InfiniteDuration());
  const auto count = [&] {
    ++asked;
    return false;
  };
  ASSERT_TRUE(waiters.Add("topic", kNever, count, patient.Wake()));
  ASSERT_TRUE(waiters.Add("topic", absl::Now() + absl::Milliseconds(50), StaysOn, hurried.Wake()));
  hurried.Await();
  EXPECT_LE(asked, 5) << "a thread that does not sleep asks thousands of times";
}

TEST(OperationWaitersTest, WhoGivesUpIsWokenAndFreesTheirPlace) {
  std::atomic<bool> has_given_up = false;
  Somebody first;
  Somebody next;
  OperationWaiters waiters(1);
  ASSERT_TRUE(waiters.Add(
      "topic", kNever, [&] { return has_given_up.load(); }, first.Wake()));
  EXPECT_FALSE(waiters.Add("topic", kNever, StaysOn, next.Wake()));
  has_given_up = true;
  first.Await();
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, next.Wake()));
  EXPECT_FALSE(next.woken());
}

TEST(OperationWaitersTest, OneMoreThanMayWaitIsTurnedAwayUntilSomebodyIsWoken) {
  Somebody one;
  Somebody two;
  Somebody three;
  OperationWaiters waiters(2);
  ASSERT_TRUE(waiters.Add("a", kNever, StaysOn, one.Wake()));
  ASSERT_TRUE(waiters.Add("b", kNever, StaysOn, two.Wake()));
  const auto fails = [] {
    ADD_FAILURE() << "asked, though turned away";
    return true;
  };
  EXPECT_FALSE(waiters.Add("c", absl::InfinitePast(), fails, [] { ADD_FAILURE() << "woken, though turned away"; }));
  waiters.Notify("b");
  two.Await();
  EXPECT_TRUE(waiters.Add("c", kNever, StaysOn, three.Wake()));
}

TEST(OperationWaitersTest, ClosingWakesEveryoneAndWhoeverComesLater) {
  Somebody before;
  Somebody after;
  OperationWaiters waiters(10);
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, before.Wake()));
  waiters.Close();
  before.Await();
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, after.Wake()));
  after.Await();
}

TEST(OperationWaitersTest, ACheckIsGivenAllTopicsAgainAndAgainUntilTheyAreNotified) {
  Somebody one;
  Somebody another;
  OperationWaiters waiters(10);
  std::atomic<int> checks = 0;
  waiters.CheckEvery(absl::Milliseconds(1), [&](const std::vector<std::string>& topics) {
    EXPECT_THAT(topics, testing::Contains("a"));
    const int check = ++checks;
    if (check == 3) waiters.Notify("b");
    if (check > 3 && topics.size() == 1) waiters.Notify("a");
  });
  ASSERT_TRUE(waiters.Add("a", kNever, StaysOn, one.Wake()));
  ASSERT_TRUE(waiters.Add("b", kNever, StaysOn, another.Wake()));
  another.Await();
  one.Await();
  EXPECT_GE(checks, 4);
}

TEST(OperationWaitersTest, ThereIsNoCheckWhereNobodyWaitsNorAfterClosing) {
  Somebody somebody;
  OperationWaiters waiters(10);
  std::atomic<int> checks = 0;
  std::atomic<bool> closed = false;
  waiters.CheckEvery(absl::Milliseconds(1), [&](const std::vector<std::string>& topics) {
    EXPECT_FALSE(closed);
    EXPECT_FALSE(topics.empty());
    ++checks;
    waiters.Notify("topic");
  });
  EXPECT_EQ(checks, 0);
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, somebody.Wake()));
  somebody.Await();
  waiters.Close();
  closed = true;
  Somebody late;
  ASSERT_TRUE(waiters.Add("topic", kNever, StaysOn, late.Wake()));
  late.Await();
}

TEST(OperationWaitersTest, TheDestructorWakesEveryoneBeforeItReturns) {
  constexpr int kCount = 100;
  std::deque<Somebody> everyone(kCount);
  {
    OperationWaiters waiters(kCount);
    for (int i = 0; i < kCount; ++i) {
      ASSERT_TRUE(waiters.Add(absl::StrCat("topic-", i % 7), kNever, StaysOn, everyone[i].Wake()));
    }
  }
  for (const Somebody& somebody : everyone) EXPECT_TRUE(somebody.woken());
}

TEST(OperationWaitersTest, WhoIsWokenMayWaitAgain) {
  Somebody at_last;
  OperationWaiters waiters(1);
  absl::Notification waits_again;
  ASSERT_TRUE(waiters.Add("topic", absl::InfinitePast(), StaysOn, [&] {
    EXPECT_TRUE(waiters.Add("topic", kNever, StaysOn, at_last.Wake()));
    waits_again.Notify();
  }));
  waits_again.WaitForNotification();
  EXPECT_FALSE(at_last.woken());
  waiters.Notify("topic");
  at_last.Await();
}

TEST(OperationWaitersTest, ManyThreadsWaitAndNotifyAndEveryoneIsWokenOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 1'000;
  constexpr int kTopics = 16;
  std::vector<std::atomic<int>> wakes(kThreads * kEach);
  {
    OperationWaiters waiters(kThreads * kEach);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          std::atomic<int>& mine = wakes[thread * kEach + i];
          const absl::Time deadline = i % 3 == 0 ? absl::Now() + absl::Milliseconds(i % 5) : kNever;
          EXPECT_TRUE(waiters.Add(absl::StrCat(i % kTopics), deadline, StaysOn, [&mine] { ++mine; }));
          waiters.Notify(absl::StrCat((i + thread) % kTopics));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (const std::atomic<int>& times : wakes) ASSERT_EQ(times, 1);
}

}  // namespace
}  // namespace hapax
