#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/server/support/work_queue_fixture.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Work follows its commit, and nothing else: it starts once that is durable, and outlives the server.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int kForEver = 1'000'000;

using WorkQueueRestartTest = WorkQueueTest;

TEST_F(WorkQueueRestartTest, C14WorkIsPerformedAfterItsCommitIsDurableOnly) {
  ControlledDisk disk;
  disk.Hold();
  TransactionOutcome outcome;
  store_->Execute(Schedule({"a"}), outcome.Done());
  disk.WaitUntilHeld();
  EXPECT_THAT(driver_.performed(), IsEmpty());
  disk.Work();
  ASSERT_THAT(outcome.Wait(), IsOk());
  EXPECT_THAT(driver_.performed(), ElementsAre("a"));
}

TEST_F(WorkQueueRestartTest, ADriverFindsItsCommitInTheStore) {
  std::string found;
  driver_.OnPerform([&](const std::string&) {
    EXPECT_THAT(Open(), ElementsAre("a"));
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        found = (*txn.Get(Table::kResources, "effect")).value_or("none");
                        return absl::OkStatus();
                      }),
                IsOk());
  });
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(Table::kResources, "effect", "made");
                        return queue_->Schedule(txn, kKind, "a");
                      }),
              IsOk());
  EXPECT_EQ(found, "made");
}

TEST_F(WorkQueueRestartTest, ATransactionThatIsDroppedStartsNothing) {
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_RETURN_IF_ERROR(queue_->Schedule(txn, kKind, "dropped"));
                        return absl::NotFoundError("no such thing");
                      }),
              StatusIs(StatusCode::kNotFound));
  MustSchedule({"a"});
  EXPECT_THAT(driver_.performed(), ElementsAre("a"));
  EXPECT_THAT(Open(), ElementsAre("a"));
}

TEST_F(WorkQueueRestartTest, ACommitThatFailsStartsNothing) {
  {
    ControlledDisk disk;
    disk.Fail();
    EXPECT_THAT(Execute(*store_, Schedule({"a"})), StatusIs(StatusCode::kUnavailable));
  }
  End();
  EXPECT_THAT(driver_.performed(), IsEmpty());
  Start();
}

TEST_F(WorkQueueRestartTest, C14OpenWorkIsResumedAfterReopening) {
  MustSchedule({"a", "b", "c"});
  for (auto& [subject, done] : driver_.TakeHeld()) {
    if (subject == "b") std::move(done)(absl::OkStatus());
  }
  driver_.AwaitCompleted(1);
  Restart();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(2));
  EXPECT_THAT(driver_.performed(), ElementsAre("a", "b", "c", testing::AnyOf("a", "c"), testing::AnyOf("a", "c")));
  driver_.FinishAll();
  driver_.AwaitCompleted(3);
  EXPECT_THAT(Open(), IsEmpty());
  for (const char* subject : {"a", "b", "c"}) EXPECT_EQ(Completions(subject), "1") << subject;
}

TEST_F(WorkQueueRestartTest, WhatCouldNotBeCompletedIsTriedAgainByTheNextStart) {
  driver_.Fail("bad", absl::InternalError("out of order"), kForEver);
  MustSchedule({"a", "bad"});
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  Restart();
  driver_.Fail("bad", absl::OkStatus(), 0);
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(1));
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_EQ(Completions("bad"), "1");
}

TEST_F(WorkQueueRestartTest, StopLeavesOpenWorkToTheNextStart) {
  MustSchedule({"a", "b"});
  queue_->Stop();
  driver_.FinishAll();  // Too late: nobody writes it down.
  EXPECT_THAT(Open(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(Completions("a"), "0");
  Restart();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(2));
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_EQ(Completions("a"), "1");
}

TEST_F(WorkQueueRestartTest, WorkScheduledAfterStopIsKept) {
  queue_->Stop();
  MustSchedule({"a"});
  driver_.FinishAll();
  Restart();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(1));
}

// Wherever it stands among the others.
TEST_F(WorkQueueRestartTest, ADamagedRowIsCountedAndKeptAndTheOtherWorkIsResumed) {
  MustSchedule({"a"});
  static_cast<void>(driver_.TakeHeld());
  Restart();
  const std::vector<std::string> damaged_keys = {std::string(1, '\0'), "\xFF"};
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        for (const std::string& key : damaged_keys) txn.Put(Table::kWork, key, "damaged");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(1));
  EXPECT_EQ(queue_->damaged_rows(), 2);
  EXPECT_THAT(driver_.performed(), ElementsAre("a", "a"));  // By the first start, too.
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) {
                      for (const std::string& key : damaged_keys) {
                        EXPECT_EQ((*txn.Get(Table::kWork, key)).value_or("gone"), "damaged");
                      }
                      return absl::OkStatus();
                    }),
              IsOk());
}

// As when a start fails behind it: its drivers are gone then.
TEST_F(WorkQueueRestartTest, WorkThatIsFoundIsNotTouchedBeforeItIsTakenUp) {
  MustSchedule({"a"});
  Restart();
  EXPECT_THAT(queue_->FindOpenWork(), IsOkAndHolds(1));
  EXPECT_THAT(driver_.performed(), ElementsAre("a"));  // By the first start.
  Restart();
  EXPECT_THAT(driver_.performed(), ElementsAre("a"));
  EXPECT_THAT(queue_->FindOpenWork(), IsOkAndHolds(1));
  queue_->TakeUpOpenWork();
  EXPECT_THAT(driver_.performed(), ElementsAre("a", "a"));
  queue_->TakeUpOpenWork();
  EXPECT_THAT(driver_.performed(), ElementsAre("a", "a"));
}

// What two services keep under the same key are two rows, for their work as for their calls.
TEST_F(WorkQueueRestartTest, ADriverHasTheTableOfItsService) {
  ScriptedDriver other;
  other.DoAtOnce();
  driver_.DoAtOnce();
  queue_->AddDriver("test.other", "test.v1.OtherService", other);
  MustSchedule({"a", "a"});
  ASSERT_THAT(Execute(*store_, [&](Transaction& txn) { return queue_->Schedule(txn, "test.other", "a"); }), IsOk());
  driver_.AwaitCompleted(2);
  other.AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "2");
  EXPECT_THAT(QueryAs("test.v1.OtherService", *store_,
                      [](const ReadTransaction& txn) {
                        EXPECT_EQ((*txn.Get(Table::kResources, "a")).value_or("none"), "1");
                        return absl::OkStatus();
                      }),
              IsOk());
}

TEST_F(WorkQueueRestartTest, AKindOfWorkHasOneDriver) {
  ScriptedDriver other;
  queue_->AddDriver(kKind, "test.v1.OtherService", other);
  EXPECT_THAT(queue_->CheckDrivers({kService, "test.v1.OtherService"}),
              StatusIs(StatusCode::kInvalidArgument,
                       "work of kind \"test.work\" is given two drivers, for test.v1.Service and "
                       "test.v1.OtherService; a kind has one driver"));
}

// It would see the rows of another service, or none.
TEST_F(WorkQueueRestartTest, ADriverForAServiceThatIsNotHostedIsRefused) {
  EXPECT_THAT(queue_->CheckDrivers({kService}), IsOk());
  EXPECT_THAT(queue_->CheckDrivers({}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("none is hosted")));
  EXPECT_THAT(queue_->CheckDrivers({"test.v1.One", "test.v1.Two"}),
              StatusIs(StatusCode::kInvalidArgument,
                       "the driver of work of kind \"test.work\" is for service \"test.v1.Service\", which is not "
                       "hosted; hosted are test.v1.One, test.v1.Two"));
}

TEST_F(WorkQueueRestartTest, ADriverThatIsAddedAfterTheStartIsRefusedAndLogged) {
  ASSERT_THAT(queue_->CheckDrivers({kService}), IsOk());
  ScriptedDriver other;
  queue_->AddDriver("test.other", kService, other);
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("the driver of work of kind \"test.other\" is refused")));
  EXPECT_THAT(Execute(*store_, [&](Transaction& txn) { return queue_->Schedule(txn, "test.other", "a"); }),
              StatusIs(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace hapax
