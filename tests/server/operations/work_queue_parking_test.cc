#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/server/support/work_queue_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Work that failed too often is parked, and what an operator sees and does about it.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kForEver = 1'000'000;

class WorkQueueParkingTest : public WorkQueueTest {
 protected:
  WorkQueueParkingTest() {
    End();
    options_.max_failures = 3;
    Start();
  }

  // Work that has failed three times, or so often by now.
  void Park(const std::string& subject) {
    driver_.Fail(subject, absl::InternalError("out of order"), kForEver);
    MustSchedule({subject});
    driver_.FinishAll();
    log_.WaitFor("is parked");
  }
  // Of that kind; it fails the test when there is none.
  WorkKindStatus StatusOfKind(const std::string& kind) {
    for (const WorkKindStatus& status : queue_->Status().kinds) {
      if (status.kind == kind) return status;
    }
    ADD_FAILURE() << kind;
    return {};
  }
  double Metric(const std::string& name, const std::string& kind) {
    for (const prometheus::MetricFamily& family : registry_.Collect()) {
      if (family.name != name) continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        if (metric.label.at(0).value == kind) return metric.gauge.value + metric.counter.value;
      }
    }
    ADD_FAILURE() << name << " " << kind;
    return -1;
  }
};

TEST_F(WorkQueueParkingTest, WhatFailsTooOftenIsParkedAndKeptAndListed) {
  clock_.Advance(absl::Hours(1));
  Park("bad");
  EXPECT_THAT(Open(), ElementsAre("bad"));
  const WorkStatus status = queue_->Status();
  ASSERT_THAT(status.pieces, SizeIs(1));
  EXPECT_EQ(status.pieces[0].kind, kKind);
  EXPECT_EQ(status.pieces[0].subject, "bad");
  EXPECT_EQ(status.pieces[0].state, WorkState::kParked);
  EXPECT_EQ(status.pieces[0].attempts, 3);
  EXPECT_EQ(status.pieces[0].last_error, "INTERNAL: out of order");
  EXPECT_EQ(status.pieces[0].created, clock_.Now());
  EXPECT_EQ(status.pieces[0].since, clock_.Now());
  EXPECT_EQ(StatusOfKind(kKind).parked, 1);
  EXPECT_EQ(StatusOfKind(kKind).running + StatusOfKind(kKind).waiting, 0);
  EXPECT_EQ(StatusOfKind(kKind).failures, 3);
  EXPECT_EQ(Metric("hapax_parked_work", kKind), 1);
  EXPECT_EQ(Metric("hapax_pending_work", kKind), 0);
  EXPECT_EQ(Metric("hapax_work_failures_total", kKind), 3);
}

TEST_F(WorkQueueParkingTest, ParkedWorkHoldsNoOtherUp) {
  Park("bad");
  MustSchedule({"a", "b"});
  EXPECT_EQ(Metric("hapax_pending_work", kKind), 2);
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  EXPECT_THAT(Open(), ElementsAre("bad"));
}

TEST_F(WorkQueueParkingTest, ADriverThatThrowsForEverHasItsWorkParked) {
  driver_.OnPerform([](const std::string&) { throw std::runtime_error("no disk"); });
  MustSchedule({"a"});
  log_.WaitFor("subject a: failed 3 times, and is parked");
  EXPECT_EQ(StatusOfKind(kKind).parked, 1);
  EXPECT_THAT(queue_->Status().pieces.at(0).last_error, HasSubstr("Perform threw std::runtime_error: no disk"));
}

TEST_F(WorkQueueParkingTest, WhatIsUnavailableIsNeverParked) {
  MustSchedule({"a"});
  for (size_t times = 1; times < 8; ++times) {
    driver_.AwaitPerformed(times);
    driver_.FinishAll(absl::UnavailableError("not now"));
  }
  driver_.AwaitPerformed(8);
  EXPECT_EQ(StatusOfKind(kKind).parked, 0);
  EXPECT_EQ(StatusOfKind(kKind).failures, 0);
}

TEST_F(WorkQueueParkingTest, AnOperatorHasParkedWorkPerformedAgain) {
  Park("bad");
  MustSchedule({"runs"});
  driver_.Fail("bad", absl::OkStatus(), 0);
  EXPECT_THAT(queue_->RetryParked(kKind), IsOkAndHolds(1));
  driver_.AwaitPerformed(3);
  EXPECT_THAT(driver_.performed(), ElementsAre("bad", "runs", "bad"));
  driver_.FinishAll();
  driver_.AwaitCompleted(2);
  // Once their commit is durable.
  while (Metric("hapax_pending_work", kKind) != 0) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_EQ(Completions("bad"), "1");
  EXPECT_EQ(Metric("hapax_parked_work", kKind), 0);
}

TEST_F(WorkQueueParkingTest, WhatIsRetriedAndFailsAgainIsParkedAfterAsManyFailures) {
  Park("bad");
  EXPECT_THAT(queue_->RetryParked(""), IsOkAndHolds(1));
  EXPECT_THAT(queue_->RetryParked(""), IsOkAndHolds(0));
  driver_.AwaitPerformed(2);
  driver_.FinishAll();
  log_.WaitFor("is parked");
  EXPECT_EQ(StatusOfKind(kKind).failures, 6);
  EXPECT_EQ(StatusOfKind(kKind).parked, 1);
}

TEST_F(WorkQueueParkingTest, AKindWithoutADriverCannotBeRetried) {
  EXPECT_THAT(queue_->RetryParked("test.unknown"), StatusIs(StatusCode::kFailedPrecondition, HasSubstr(kKind)));
}

TEST_F(WorkQueueParkingTest, ParkedWorkIsPerformedByTheNextStart) {
  Park("bad");
  driver_.Fail("bad", absl::OkStatus(), 0);
  Restart();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(1));
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_THAT(Open(), IsEmpty());
}

// As after an upgrade that has dropped a driver.
TEST_F(WorkQueueParkingTest, WorkOfAKindWithoutADriverIsParkedAndTheStartGoesOn) {
  ScriptedDriver dropped;
  queue_->AddDriver("test.dropped", kService, dropped);
  MustSchedule({"a"});
  ASSERT_THAT(Execute(*store_, [&](Transaction& txn) { return queue_->Schedule(txn, "test.dropped", "d"); }), IsOk());
  End();
  static_cast<void>(dropped.TakeHeld());
  Start();
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(1));
  log_.WaitFor("1 pieces of work are of kind \"test.dropped\"");
  driver_.FinishAll();
  driver_.AwaitCompleted(1);
  EXPECT_THAT(Open(), ElementsAre("d"));
  EXPECT_EQ(StatusOfKind("test.dropped").parked, 1);
  EXPECT_EQ(Metric("hapax_parked_work", "test.dropped"), 1);
  EXPECT_THAT(queue_->Status().pieces.at(0).last_error, HasSubstr("no driver"));
  EXPECT_THAT(queue_->RetryParked(""), IsOkAndHolds(0));
  EXPECT_THAT(queue_->RetryParked("test.dropped"), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(Execute(*store_, [&](Transaction& txn) { return queue_->Schedule(txn, "test.dropped", "new"); }),
              StatusIs(StatusCode::kFailedPrecondition));

  End();
  Start();
  queue_->AddDriver("test.dropped", kService, dropped);
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(1));
  EXPECT_THAT(dropped.performed(), ElementsAre("d", "d"));
  dropped.FinishAll();
  dropped.AwaitCompleted(1);
  EXPECT_THAT(Open(), IsEmpty());
  End();
  Start();
}

TEST_F(WorkQueueParkingTest, WhatRunsForLongIsListedWithItsBegin) {
  const absl::Time begin = clock_.Now();
  MustSchedule({"stuck"});
  clock_.Advance(options_.long_running / 2);
  MustSchedule({"fresh"});
  EXPECT_THAT(queue_->Status().pieces, IsEmpty());
  clock_.Advance(options_.long_running / 2);
  const WorkStatus status = queue_->Status();
  ASSERT_THAT(status.pieces, SizeIs(1));
  EXPECT_EQ(status.pieces[0].subject, "stuck");
  EXPECT_EQ(status.pieces[0].state, WorkState::kRunning);
  EXPECT_EQ(status.pieces[0].since, begin);
  EXPECT_EQ(StatusOfKind(kKind).running, 2);
  EXPECT_EQ(StatusOfKind(kKind).oldest_age, options_.long_running);
}

TEST_F(WorkQueueParkingTest, WhatWaitsIsListed) {
  End();
  options_.first_backoff = absl::Hours(1);
  options_.max_backoff = absl::Hours(1);
  Start();
  MustSchedule({"a"});
  driver_.FinishAll(absl::UnavailableError("not now"));
  const WorkStatus status = queue_->Status();
  ASSERT_THAT(status.pieces, SizeIs(1));
  EXPECT_EQ(status.pieces[0].state, WorkState::kWaiting);
  EXPECT_EQ(status.pieces[0].attempts, 1);
  EXPECT_EQ(status.pieces[0].last_error, "UNAVAILABLE: not now");
  EXPECT_EQ(StatusOfKind(kKind).waiting, 1);
  EXPECT_EQ(Metric("hapax_pending_work", kKind), 1);
}

TEST_F(WorkQueueParkingTest, OfManyPiecesTheFirstAreListedAndAllAreCounted) {
  constexpr int kCount = 2'500;  // More than are looked at under one lock.
  std::vector<std::string> subjects;
  for (int i = 0; i < kCount; ++i) subjects.push_back(absl::StrCat("subject-", i));
  MustSchedule(subjects);
  clock_.Advance(options_.long_running);
  MustSchedule({"later"});
  clock_.Advance(options_.long_running);
  EXPECT_EQ(StatusOfKind(kKind).running, kCount + 1);
  EXPECT_THAT(queue_->Status().pieces, SizeIs(100));
}

TEST_F(WorkQueueParkingTest, DamagedRowsAreCounted) {
  Restart();
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(Table::kWork, "key", "damaged");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(queue_->Resume(), IsOkAndHolds(0));
  EXPECT_EQ(queue_->Status().damaged_rows, 1);
}

}  // namespace
}  // namespace hapax
