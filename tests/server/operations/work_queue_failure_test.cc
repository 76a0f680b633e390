#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/tests/server/support/counting_store.h"
#include "hapax/tests/server/support/function_driver.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/server/support/work_queue_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// What drivers do wrong: it is tried again and told once, and holds nothing else up. Parking is in
// work_queue_parking_test.cc.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kForEver = 1'000'000;
constexpr char kOtherKind[] = "test.other";

class WorkQueueFailureTest : public WorkQueueTest {
 protected:
  // The lines that have all of this.
  std::vector<std::string> Lines(const std::vector<std::string>& parts) {
    std::vector<std::string> found;
    for (const std::string& line : log_.lines()) {
      bool has_all = true;
      for (const std::string& part : parts) has_all = has_all && line.find(part) != std::string::npos;
      if (has_all) found.push_back(line);
    }
    return found;
  }
  // Work of the kind kOtherKind.
  void MustScheduleOther(const std::string& subject) {
    ASSERT_THAT(Execute(*store_, [&](Transaction& txn) { return queue_->Schedule(txn, kOtherKind, subject); }), IsOk());
  }
};

TEST_F(WorkQueueFailureTest, WorkWithoutADriverIsRefusedBeforeAnythingIsWritten) {
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(Table::kResources, "effect", "made");
                        return queue_->Schedule(txn, "test.unknown", "a");
                      }),
              StatusIs(StatusCode::kFailedPrecondition,
                       "work of kind \"test.unknown\" has no driver: the kinds that have one are test.work"));
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_THAT(driver_.performed(), IsEmpty());
  EXPECT_THAT(Query(*store_,
                    [](const ReadTransaction& txn) {
                      EXPECT_EQ((*txn.Get(Table::kResources, "effect")).value_or("none"), "none");
                      return absl::OkStatus();
                    }),
              IsOk());
}

TEST_F(WorkQueueFailureTest, ADriverThatThrowsIsCalledAgainAndToldOnce) {
  std::atomic<int> calls = 0;
  driver_.OnPerform([&](const std::string&) {
    if (++calls < 4) throw std::runtime_error("no disk");
  });
  driver_.DoAtOnce();
  MustSchedule({"a"});
  driver_.AwaitCompleted(1);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_THAT(Lines({kKind, "subject a", "Perform threw std::runtime_error: no disk"}), SizeIs(1));
}

TEST_F(WorkQueueFailureTest, ACompletionThatFailsIsTriedAgainWithoutPerformingAgain) {
  driver_.Fail("a", absl::InternalError("out of order"), 4);
  MustSchedule({"a"});
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_THAT(driver_.performed(), ElementsAre("a"));
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_THAT(Lines({kKind, "subject a", "INTERNAL: out of order"}), SizeIs(1));
}

TEST_F(WorkQueueFailureTest, ACompletionThatThrowsIsTriedAgain) {
  driver_.Fail("a", absl::OkStatus(), 4, [] { throw std::out_of_range("no such row"); });
  MustSchedule({"a", "b"});
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_EQ(Completions("b"), "1");
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_THAT(Lines({kKind, "subject a", "Complete threw std::out_of_range: no such row"}), SizeIs(1));
}

TEST_F(WorkQueueFailureTest, WhatAFailedCompletionWroteIsDroppedAndTheOthersOfItsTransactionAreKept) {
  FunctionDriver other;
  std::atomic<int> calls = 0;
  other.on_complete = [&](const std::string& subject, Transaction& txn) -> absl::Status {
    txn.Put(Table::kResources, subject, absl::StrCat("call ", ++calls));
    return calls < 3 ? absl::InternalError("after a write") : absl::OkStatus();
  };
  queue_->AddDriver(kOtherKind, "test.v1.OtherService", other);
  MustSchedule({"a"});
  MustScheduleOther("b");
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  log_.WaitFor("after a write");
  while (!Open().empty()) {  // Its completions come one after another.
    EXPECT_THAT(QueryAs("test.v1.OtherService", *store_,
                        [](const ReadTransaction& txn) {
                          EXPECT_THAT((*txn.Get(Table::kResources, "b")).value_or("none"),
                                      testing::AnyOf("none", "call 3"));
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  EXPECT_EQ(calls, 3);
  End();
  Start();
}

// A driver is done, and is done again: before the completion, and long after it.
TEST_F(WorkQueueFailureTest, ADriverThatIsDoneTwiceIsHeardOnce) {
  FunctionDriver other;
  std::shared_ptr<WorkDriver::Done> kept;
  other.on_perform = [&](const std::string&, WorkDriver::Done done) {
    kept = std::make_shared<WorkDriver::Done>(std::move(done));
  };
  std::atomic<int> completions = 0;
  absl::Notification completed;
  other.on_complete = [&](const std::string&, Transaction& txn) {
    ++completions;
    txn.OnCommit([&] { completed.Notify(); });
    return absl::OkStatus();
  };
  queue_->AddDriver(kOtherKind, kService, other);
  MustScheduleOther("a");
  (*kept)(absl::OkStatus());
  (*kept)(absl::InternalError("again"));
  completed.WaitForNotification();
  (*kept)(absl::InternalError("late"));
  MustSchedule({"next"});
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_EQ(completions, 1);
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_THAT(Lines({kOtherKind, "ignored", "again"}), SizeIs(1));
  EXPECT_THAT(Lines({kOtherKind, "ignored", "late"}), SizeIs(1));
  End();
  Start();
}

TEST_F(WorkQueueFailureTest, ADriverThatIsDoneAndThenThrowsIsDone) {
  FunctionDriver other;
  std::atomic<int> calls = 0;
  other.on_perform = [&](const std::string&, WorkDriver::Done done) {
    ++calls;
    done(absl::OkStatus());
    throw std::runtime_error("too late");
  };
  absl::Notification completed;
  other.on_complete = [&](const std::string&, Transaction& txn) {
    txn.OnCommit([&] { completed.Notify(); });
    return absl::OkStatus();
  };
  queue_->AddDriver(kOtherKind, kService, other);
  MustScheduleOther("a");
  completed.WaitForNotification();
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(Lines({kOtherKind, "too late"}), SizeIs(1));
  End();
  Start();
}

// What a driver that threw is done with afterwards is not taken for the result of the next call.
TEST_F(WorkQueueFailureTest, ADriverThatThrowsAndIsDoneLaterIsNotHeard) {
  FunctionDriver other;
  std::vector<WorkDriver::Done> kept;
  absl::Notification called_again;
  other.on_perform = [&](const std::string&, WorkDriver::Done done) {
    kept.push_back(std::move(done));
    if (kept.size() == 1) throw std::runtime_error("no thread");
    called_again.Notify();
  };
  absl::Notification completed;
  other.on_complete = [&](const std::string&, Transaction& txn) {
    txn.OnCommit([&] { completed.Notify(); });
    return absl::OkStatus();
  };
  queue_->AddDriver(kOtherKind, kService, other);
  MustScheduleOther("a");
  called_again.WaitForNotification();
  kept[0](absl::InternalError("stale"));
  EXPECT_THAT(Lines({kOtherKind, "ignored", "stale"}), SizeIs(1));
  EXPECT_FALSE(completed.HasBeenNotified());
  kept[1](absl::OkStatus());
  completed.WaitForNotification();
  End();
  Start();
}

TEST_F(WorkQueueFailureTest, WhatTheStoreHasNoRoomForDoesNotMakeTheOthersWait) {
  End();
  options_.retry_delay = absl::Hours(1);
  Start();
  driver_.Fail("busy", absl::ResourceExhaustedError("too many transactions are waiting"), kForEver);
  MustSchedule({"busy", "a"});
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  MustSchedule({"b"});
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_THAT(Open(), ElementsAre("busy"));
}

// All but the first are done while its completion runs, so that they are completed together.
TEST_F(WorkQueueFailureTest, OnePieceThatFailsDoesNotHaveTheOthersCompletedOneByOne) {
  constexpr int kCount = 100;
  End();
  options_.max_failures = 5;
  Start();
  CountingStore counted(*store_);
  ScriptedDriver driver;
  {
    WorkQueue queue(counted, clock_, *logger_, options_);
    queue.AddDriver(kKind, kService, driver);
    absl::Notification completing;
    absl::Notification all_done;
    driver.Fail("first", absl::UnavailableError("not now"), 1, [&] {
      completing.Notify();
      all_done.WaitForNotification();
    });
    driver.Fail("bad", absl::InternalError("out of order"), kForEver);
    std::vector<std::string> subjects = {"first", "bad"};
    for (int i = 0; i < kCount; ++i) subjects.push_back(absl::StrCat("subject-", i));
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) -> absl::Status {
                          for (const std::string& subject : subjects) {
                            HAPAX_RETURN_IF_ERROR(queue.Schedule(txn, kKind, subject));
                          }
                          return absl::OkStatus();
                        }),
                IsOk());
    auto held = driver.TakeHeld();
    ASSERT_THAT(held, SizeIs(kCount + 2));
    held[0].second(absl::OkStatus());
    completing.WaitForNotification();
    const int before = counted.executed();
    for (size_t i = 1; i < held.size(); ++i) held[i].second(absl::OkStatus());
    all_done.Notify();
    driver.AwaitCompleted(kCount + 1);
    log_.WaitFor("is parked");
    // The first one's second try; all others, with and without the one that fails; then that one alone.
    EXPECT_LE(counted.executed() - before, 3 + options_.max_failures);
  }
  EXPECT_THAT(Open(), ElementsAre("bad"));
}

}  // namespace
}  // namespace hapax
