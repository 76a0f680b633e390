#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/interceptors/reason.h"
#include "hapax/server/operations/operations_service.h"
#include "hapax/tests/server/support/operations_client.h"
#include "hapax/tests/server/support/operations_fixture.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/refusal_matchers.h"

// WaitOperation: who is answered when, and with what.
namespace hapax {
namespace {

using external::longrunning::WaitOperationRequest;
using testing::AllOf;
using testing::Gt;
using testing::Lt;

// Passes everything on to another store, and has something happen after each query, before its `done`.
class BusyStore final : public Store {
 public:
  explicit BusyStore(Store& store) : store_(store) {}

  // `happen` is given how many queries there were so far.
  void AfterEachQuery(std::function<void(int)> happen) { happen_ = std::move(happen); }

  void Execute(Body body, Done done, std::string_view party) override {
    store_.Execute(std::move(body), std::move(done), party);
  }
  void Query(ReadBody body, Done done) override {
    store_.Query(std::move(body), [this, done = std::move(done)](absl::Status status) mutable {
      if (happen_ != nullptr) happen_(++queries_);
      std::move(done)(std::move(status));
    });
  }

 private:
  Store& store_;
  std::function<void(int)> happen_;
  std::atomic<int> queries_ = 0;
};

class OperationsServiceWaitTest : public OperationsTest {
 protected:
  std::unique_ptr<FakeCall> NewWait(const std::string& name, const std::string& more = "",
                                    const std::string& tenant = kTenant) {
    auto request = FromText<WaitOperationRequest>(more);
    request.set_name(name);
    return client_.NewWait(request, tenant);
  }
  // A call that waits, or is answered already.
  std::unique_ptr<FakeCall> Wait(const std::string& name, const std::string& more = "",
                                 const std::string& tenant = kTenant) {
    auto call = NewWait(name, more, tenant);
    client_.Wait(*call);
    return call;
  }
  // The operation that the call is answered with; waits for that.
  static Operation AnswerTo(const FakeCall& call) {
    EXPECT_THAT(call.Reply(), IsOk());
    Operation operation;
    EXPECT_TRUE(operation.ParseFromString(call.Reply().value_or("")));
    return operation;
  }

  BusyStore busy_store_{*store_};
  const OperationsClient client_{busy_store_, waiters_};
};

TEST_F(OperationsServiceWaitTest, OneThatIsDoneIsReturnedAtOnce) {
  const std::string name = Begin().name();
  ASSERT_THAT(Succeed(name), IsOk());
  const auto call = Wait(name);
  ASSERT_TRUE(call->ended());
  EXPECT_THAT(Get(name), IsOkAndHolds(EqualsProto(AnswerTo(*call))));
}

TEST_F(OperationsServiceWaitTest, AllWhoWaitAreAnsweredWhenItEnds) {
  const std::string name = Begin().name();
  const std::string other = Begin().name();
  const auto one = Wait(name);
  const auto two = Wait(name, "timeout { seconds: 3600 }");
  const auto elsewhere = Wait(other);
  EXPECT_FALSE(one->ended());
  EXPECT_FALSE(two->ended());
  ASSERT_THAT(Succeed(name), IsOk());
  EXPECT_TRUE(AnswerTo(*one).done());
  EXPECT_TRUE(AnswerTo(*two).done());
  EXPECT_FALSE(elsewhere->ended());
  ASSERT_THAT(Fail(other, absl::InternalError("out of order")), IsOk());
  EXPECT_EQ(AnswerTo(*elsewhere).error().message(), "out of order");
}

TEST_F(OperationsServiceWaitTest, ATimeoutReturnsItAsItStands) {
  const Operation begun = Begin();
  const absl::Duration start = MonotonicNow();
  const auto call = Wait(begun.name(), "timeout { nanos: 30000000 }");
  EXPECT_THAT(AnswerTo(*call), EqualsProto(begun));
  EXPECT_GE(MonotonicNow() - start, absl::Milliseconds(30));
}

TEST_F(OperationsServiceWaitTest, ATimeoutOfNothingDoesNotWait) {
  const Operation begun = Begin();
  EXPECT_THAT(AnswerTo(*Wait(begun.name(), "timeout {}")), EqualsProto(begun));
}

TEST_F(OperationsServiceWaitTest, ADeadlineBeforeTheTimeoutIsWhatCounts) {
  const Operation begun = Begin();
  const auto call = NewWait(begun.name(), "timeout { seconds: 3600 }");
  call->SetDeadline(absl::Now() + absl::Milliseconds(20));
  client_.Wait(*call);
  EXPECT_THAT(AnswerTo(*call), EqualsProto(begun));
}

TEST_F(OperationsServiceWaitTest, ATimeoutBeforeTheDeadlineIsWhatCounts) {
  const Operation begun = Begin();
  const auto call = NewWait(begun.name(), "timeout { nanos: 1000000 }");
  call->SetDeadline(absl::Now() + absl::Hours(1));
  client_.Wait(*call);
  EXPECT_THAT(AnswerTo(*call), EqualsProto(begun));
}

TEST(AnswerBy, IsTheTimeoutOrBeforeTheDeadlineWhicheverComesFirst) {
  constexpr absl::Time kNow = absl::FromUnixSeconds(1'000'000'000);
  constexpr absl::Time kNever = absl::InfiniteFuture();
  const auto hour = FromText<WaitOperationRequest>("timeout { seconds: 3600 }");
  EXPECT_THAT(AnswerBy({}, kNever, kNow), IsOkAndHolds(kNever));
  EXPECT_THAT(AnswerBy(hour, kNever, kNow), IsOkAndHolds(kNow + absl::Hours(1)));
  EXPECT_THAT(AnswerBy(hour, kNow + absl::Hours(2), kNow), IsOkAndHolds(kNow + absl::Hours(1)));
  for (const absl::Duration left : {absl::Milliseconds(2), absl::Milliseconds(300), absl::Minutes(59)}) {
    EXPECT_THAT(AnswerBy(hour, kNow + left, kNow), IsOkAndHolds(AllOf(Gt(kNow), Lt(kNow + left)))) << left;
    EXPECT_THAT(AnswerBy({}, kNow + left, kNow), IsOkAndHolds(AllOf(Gt(kNow), Lt(kNow + left)))) << left;
  }
  EXPECT_THAT(AnswerBy(hour, kNow - absl::Hours(1), kNow), IsOkAndHolds(Lt(kNow)));
}

TEST_F(OperationsServiceWaitTest, ACallWhoseDeadlineHasPassedDoesNotWait) {
  const Operation begun = Begin();
  const auto call = NewWait(begun.name());
  call->SetDeadline(absl::Now() - absl::Hours(1));
  client_.Wait(*call);
  EXPECT_THAT(AnswerTo(*call), EqualsProto(begun));
}

TEST_F(OperationsServiceWaitTest, WhatIsWrongIsRefusedAtOnce) {
  const std::string name = Begin().name();
  EXPECT_THAT(Wait("operations/op-none")->Reply(), Refuses(Reason::kOperationNotFound, "name"));
  EXPECT_THAT(Wait(name, "timeout { seconds: -1 }")->Reply(), Refuses(Reason::kInvalidParameter, "timeout"));
  EXPECT_THAT(Wait(name, "timeout { nanos: -1 }")->Reply(), Refuses(Reason::kInvalidParameter, "timeout"));
}

TEST_F(OperationsServiceWaitTest, C4_AnotherTenantDoesNotFindIt) {
  const std::string name = Begin().name();
  EXPECT_THAT(Wait(name, "", kOtherTenant)->Reply(), Refuses(Reason::kOperationNotFound, "name"));
}

TEST_F(OperationsServiceWaitTest, C27_OneMoreThanMayWaitIsToldToTryAgain) {
  const std::string name = Begin().name();
  std::vector<std::unique_ptr<FakeCall>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(Wait(name));
  const auto one_more = Wait(name);
  ASSERT_TRUE(one_more->ended());
  EXPECT_EQ(one_more->Result(), "OVERLOADED");
  const auto retry = one_more->Reply().status().GetPayload("type.googleapis.com/google.rpc.RetryInfo");
  EXPECT_TRUE(retry.has_value());
  ASSERT_THAT(Succeed(name), IsOk());
  for (const auto& call : waiting) EXPECT_TRUE(AnswerTo(*call).done());
}

TEST_F(OperationsServiceWaitTest, ACancelledCallGivesItsPlaceUp) {
  const std::string name = Begin().name();
  std::vector<std::unique_ptr<FakeCall>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(Wait(name));
  waiting[1]->Cancel();
  static_cast<void>(waiting[1]->Reply());
  const auto next = Wait(name);
  EXPECT_FALSE(next->ended());
  ASSERT_THAT(Succeed(name), IsOk());
  for (const auto& call : {waiting[0].get(), waiting[2].get(), next.get()}) EXPECT_TRUE(AnswerTo(*call).done());
}

TEST_F(OperationsServiceWaitTest, TheEndOfTheServerAnswersAllWhoWait) {
  const Operation begun = Begin();
  const auto before = Wait(begun.name());
  waiters_.Close();
  EXPECT_THAT(AnswerTo(*before), EqualsProto(begun));
  EXPECT_THAT(AnswerTo(*Wait(begun.name())), EqualsProto(begun));
}

// What another server ends is told to those who wait there; here it is looked at.
TEST_F(OperationsServiceWaitTest, C30_OneThatAnotherServerEndsIsLearnt) {
  OperationWaiters waiters_here(/*max_waiting=*/3);
  const OperationsClient here(*store_, waiters_here, /*check_interval=*/absl::Milliseconds(5));
  const std::string name = Begin().name();
  const std::string other = Begin().name();
  std::vector<std::unique_ptr<FakeCall>> calls;
  for (const std::string& waited_for : {name, name, other}) {
    WaitOperationRequest request;
    request.set_name(waited_for);
    here.Wait(*calls.emplace_back(here.NewWait(request, kTenant)));
  }
  ASSERT_THAT(Succeed(name), IsOk());
  EXPECT_TRUE(AnswerTo(*calls[0]).done());
  EXPECT_TRUE(AnswerTo(*calls[1]).done());
  EXPECT_FALSE(calls[2]->ended());
  ASSERT_THAT(Fail(other, absl::InternalError("out of order")), IsOk());
  EXPECT_TRUE(AnswerTo(*calls[2]).done());
  waiters_here.Close();
}

//   the call                       the work
//   reads: not done
//                                  ends the operation, and tells those who wait: nobody
//   waits
TEST_F(OperationsServiceWaitTest, OneThatEndsBetweenTheLookAndTheWaitIsNotMissed) {
  const std::string name = Begin().name();
  busy_store_.AfterEachQuery([&](int query) {
    if (query == 1) {
      EXPECT_THAT(Succeed(name), IsOk());
    }
  });
  EXPECT_TRUE(AnswerTo(*Wait(name)).done());
}

// And when it ends after the second look it is told in the usual way.
TEST_F(OperationsServiceWaitTest, OneThatEndsRightAfterTheWaitBeganIsNotMissed) {
  const std::string name = Begin().name();
  busy_store_.AfterEachQuery([&](int query) {
    if (query == 2) {
      EXPECT_THAT(Succeed(name), IsOk());
    }
  });
  EXPECT_TRUE(AnswerTo(*Wait(name)).done());
}

}  // namespace
}  // namespace hapax
