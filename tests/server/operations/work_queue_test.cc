#include "hapax/server/operations/work_queue.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/server/support/work_queue_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// How work is performed and completed; work_queue_restart_test.cc has what commits and restarts mean for it.
namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr int kForEver = 1'000'000;

TEST_F(WorkQueueTest, WorkIsPerformedWhenItsTransactionEnds) {
  MustSchedule({"a", "b"});
  EXPECT_THAT(driver_.performed(), ElementsAre("a", "b"));
  EXPECT_THAT(Open(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(Completions("a"), "0");
}

TEST_F(WorkQueueTest, DoneWorkIsCompletedOnceAndItsRowGoesWithThat) {
  MustSchedule({"a", "b"});
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_THAT(Open(), IsEmpty());
  Restart();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(0));
  EXPECT_THAT(driver_.performed(), ElementsAre("a", "b"));
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_EQ(Completions("b"), "1");
}

TEST_F(WorkQueueTest, TheSameSubjectTwiceIsTwoPiecesOfWork) {
  MustSchedule({"a", "a"});
  MustSchedule({"a"});
  driver_.FinishAll();
  driver_.AwaitCompleted(3);
  EXPECT_EQ(Completions("a"), "3");
}

TEST_F(WorkQueueTest, ADriverMayBeDoneAtOnce) {
  driver_.DoAtOnce();
  MustSchedule({"a"});
  driver_.AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
}

// As when a completion is committed although that is not learnt: between two trials the row goes.
TEST_F(WorkQueueTest, WorkWhoseRowIsGoneIsNotCompletedAgain) {
  MustSchedule({"gone"});
  std::string row;
  ASSERT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) {
                      return txn.Scan(Table::kWork, KeyRange(), [&](std::string_view key, auto) {
                        row = std::string(key);
                        return true;
                      });
                    }),
              IsOk());
  const auto delete_row = [&](Transaction& txn) {
    txn.Delete(Table::kWork, row);
    return absl::OkStatus();
  };
  driver_.Fail("gone", absl::UnavailableError("not learnt"), 1,
               [&] { store_->Execute(delete_row, [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); }); });
  driver_.FinishAll();
  MustSchedule({"next"});
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_EQ(Completions("gone"), "0");
  EXPECT_EQ(Completions("next"), "1");
}

TEST_F(WorkQueueTest, OnePieceThatCannotBeCompletedDoesNotHoldUpTheOthers) {
  driver_.Fail("bad", absl::DataLossError("damaged"), kForEver);
  MustSchedule({"a", "bad", "b"});
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  MustSchedule({"c"});
  driver_.FinishAll();
  driver_.AwaitCompleted(3);
  for (const char* subject : {"a", "b", "c"}) EXPECT_EQ(Completions(subject), "1") << subject;
  EXPECT_THAT(Open(), ElementsAre("bad"));
}

TEST_F(WorkQueueTest, WhatTheStoreHasNoRoomForIsTriedAgain) {
  driver_.Fail("busy", absl::ResourceExhaustedError("too many transactions are waiting"), 2);
  MustSchedule({"busy", "a"});
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_EQ(Completions("busy"), "1");
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(WorkQueueTest, WhatIsUnavailableIsPerformedAgainUntilItIsDone) {
  MustSchedule({"a"});
  for (size_t times = 1; times < 5; ++times) {
    driver_.AwaitPerformed(times);
    EXPECT_THAT(Open(), ElementsAre("a"));
    driver_.FinishAll(absl::UnavailableError("not now"));
  }
  driver_.AwaitPerformed(5);
  EXPECT_EQ(Completions("a"), "0");
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_THAT(driver_.ResultOf("a"), IsOk());
}

TEST_F(WorkQueueTest, WhatIsUnavailableDoesNotHoldUpTheOthers) {
  MustSchedule({"a"});
  driver_.FinishAll(absl::UnavailableError("not now"));
  MustSchedule({"b"});
  for (auto& [subject, done] : driver_.TakeHeld()) {
    if (subject == "b") std::move(done)(absl::OkStatus());
  }
  driver_.AwaitCompleted(1);
  EXPECT_EQ(Completions("b"), "1");
  driver_.AwaitPerformed(3);
}

TEST_F(WorkQueueTest, AnyOtherErrorEndsTheWorkAndIsWrittenDown) {
  MustSchedule({"a"});
  driver_.FinishAll(absl::InternalError("out of order"));
  driver_.AwaitCompleted(1);
  EXPECT_THAT(driver_.ResultOf("a"), StatusIs(absl::StatusCode::kInternal, "out of order"));
  EXPECT_THAT(driver_.performed(), ElementsAre("a"));
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(WorkQueueTest, ManyPiecesDoneByManyThreadsAreCompletedOnceEach) {
  constexpr int kCount = 1'000;
  constexpr int kThreads = 4;
  std::vector<std::string> subjects;
  for (int i = 0; i < kCount; ++i) subjects.push_back(absl::StrCat("subject-", i));
  MustSchedule(subjects);
  auto held = driver_.TakeHeld();
  ASSERT_THAT(held, SizeIs(kCount));
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (size_t mine = next++; mine < held.size(); mine = next++) std::move(held[mine].second)(absl::OkStatus());
    });
  }
  for (std::thread& thread : threads) thread.join();
  driver_.AwaitCompleted(kCount);
  EXPECT_THAT(Open(), IsEmpty());
  for (const std::string& subject : subjects) ASSERT_EQ(Completions(subject), "1") << subject;
}

TEST_F(WorkQueueTest, EachKindGoesToItsOwnDriver) {
  ScriptedDriver other;
  queue_->AddDriver("test.other", kService, other);
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_RETURN_IF_ERROR(queue_->Schedule(txn, kKind, "mine"));
                        return queue_->Schedule(txn, "test.other", "others");
                      }),
              IsOk());
  EXPECT_THAT(driver_.performed(), ElementsAre("mine"));
  EXPECT_THAT(other.performed(), ElementsAre("others"));
  End();
  static_cast<void>(other.TakeHeld());
  Start();
}

// As by a thread of the driver that ends after the server.
TEST_F(WorkQueueTest, WhatIsDoneAfterTheQueueIsDestroyedHasNoEffect) {
  MustSchedule({"a", "b"});
  queue_->Stop();
  auto held = driver_.TakeHeld();
  queue_ = nullptr;
  std::move(held[0].second)(absl::OkStatus());
  std::move(held[1].second)(absl::UnavailableError("not now"));
  EXPECT_THAT(Open(), UnorderedElementsAre("a", "b"));
  store_ = nullptr;
  Start();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(2));
}

}  // namespace
}  // namespace hapax
