#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/call/error.h"
#include "hapax/tests/client/call/caller_fixture.h"
#include "hapax/tests/support/status_matchers.h"

// Asynchronous calls: Caller::Start, and what a handle cancels. Time is simulated, so callbacks come in RunAll.
namespace hapax::client {
namespace {

using ::absl::Milliseconds;
using ::absl::Seconds;
using ::absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The end of one call.
struct End {
  std::optional<Result<std::string>> result;
  int count = 0;

  auto Done() {
    return [this](Result<std::string> end) {
      result = std::move(end);
      ++count;
    };
  }
};

class CallerStartTest : public CallerFixture {
 protected:
  CallHandle Start(End& end, const RetryPolicy& policy = Policy(), const RawCall& call = Protected()) {
    return caller.StartRaw(call, policy, end.Done());
  }
  static RetryPolicy Hedging() {
    RetryPolicy policy = Policy();
    policy.hedge_delay = Milliseconds(300);
    return policy;
  }
};

TEST_F(CallerStartTest, TheReplyIsHandedOverOnceAndNeverBeforeStartReturns) {
  for (const absl::Duration after : {absl::ZeroDuration(), Milliseconds(1)}) {
    End end;
    network->Next(Replied("reply"), after);
    Start(end);
    EXPECT_EQ(end.count, 0);
    timing.RunAll();
    ASSERT_EQ(end.count, 1);
    EXPECT_THAT(end.result->reply, IsOkAndHolds("reply"));
    EXPECT_EQ(end.result->info.token, "the-token");
    EXPECT_EQ(end.result->info.outcome, Outcome::kExecuted);
    EXPECT_TRUE(end.result->info.settled);
  }
}

TEST_F(CallerStartTest, ItIsRetriedAsACallThatWaitsIs) {
  End end;
  network->Next(2, Lost());
  network->Next(Overloaded(Seconds(7)));
  network->Next(Replied("reply", "replayed"));
  Start(end);
  timing.RunAll();
  EXPECT_THAT(end.result->reply, IsOkAndHolds("reply"));
  EXPECT_EQ(end.result->info.attempts, 4);
  EXPECT_EQ(end.count, 1);
  // Each attempt takes a millisecond; the pauses are 100 and 200 ms, and then what the server asked for.
  EXPECT_THAT(network->starts(),
              ElementsAre(Milliseconds(0), Milliseconds(101), Milliseconds(302), Milliseconds(7303)));
}

TEST_F(CallerStartTest, ASlowAttemptIsHedgedAndTheLoserCancelled) {
  End end;
  network->Next(Replied("slow"), Seconds(5));
  network->Next(Replied("fast"), Milliseconds(20));
  Start(end, Hedging());
  timing.RunAll();
  EXPECT_THAT(end.result->reply, IsOkAndHolds("fast"));
  EXPECT_EQ(end.count, 1);
  EXPECT_TRUE(network->attempt(0).cancelled);
  EXPECT_FALSE(network->attempt(1).cancelled);
}

TEST_F(CallerStartTest, ItEndsAtItsDeadlineAndLeavesTheOutcomeOpen) {
  End end;
  RetryPolicy policy = Policy();
  policy.timeout = Seconds(5);
  network->Next(Replied("too late"), ScriptedConnection::kNever);
  const absl::Time begin = timing.Now();
  Start(end, policy);
  timing.RunAll();
  EXPECT_THAT(end.result->reply, StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(end.result->info.settled);
  EXPECT_EQ(timing.Now(), begin + Seconds(5)) << "no timer is left behind";
}

TEST_F(CallerStartTest, CallsAreInFlightTogether) {
  std::vector<End> ends(100);
  for (End& end : ends) {
    network->Next(Replied("reply"), Seconds(1));
    Start(end);
  }
  EXPECT_EQ(network->count(), 100u);
  timing.RunAll();
  for (const End& end : ends) EXPECT_EQ(end.count, 1);
}

TEST_F(CallerStartTest, ACallbackMayStartTheNextCall) {
  End second;
  network->Next(2, Replied("reply"));
  caller.StartRaw(Protected(), Policy(), [&](const Result<std::string>&) { Start(second); });
  timing.RunAll();
  EXPECT_EQ(second.count, 1);
}

TEST_F(CallerStartTest, AMessageIsParsedAndHasAToken_C1) {
  network->Next(Replied(Launched("r-1")));
  std::optional<Result<compute::v1::RunInstancesResponse>> end;
  compute::v1::RunInstancesRequest request;
  request.set_image_id("image");
  caller.Start<compute::v1::RunInstancesResponse>(ComputeClient::Method("RunInstances"), request, {},
                                                  [&](auto result) { end = std::move(result); });
  timing.RunAll();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->reply->reservation_id(), "r-1");
  EXPECT_EQ(end->info.token, "new-token-1");
  EXPECT_EQ(SentToken(0), "new-token-1");
}

TEST_F(CallerStartTest, WhatCannotBeSentIsToldByTheCallback_C2) {
  End of_token;
  Start(of_token, Policy(), {.method = "a.B/C", .token = "a b"});
  std::optional<Result<compute::v1::RunInstancesResponse>> of_type;
  caller.Start<compute::v1::RunInstancesResponse>(ComputeClient::Method("RunInstances"),
                                                  compute::v1::AllocateHostsRequest(), {},
                                                  [&](auto result) { of_type = std::move(result); });
  EXPECT_EQ(of_token.count, 0);
  timing.RunAll();
  EXPECT_THAT(of_token.result->reply, StatusIs(StatusCode::kInvalidArgument, HasSubstr("RawCall.token")));
  EXPECT_TRUE(of_token.result->info.settled);
  EXPECT_EQ(of_token.result->info.token, "a b");
  EXPECT_THAT(of_type->reply, StatusIs(StatusCode::kInvalidArgument, HasSubstr("RunInstancesRequest")));
  EXPECT_TRUE(of_type->info.settled);
  EXPECT_EQ(network->count(), 0u);
}

TEST_F(CallerStartTest, CancelledInFlightItEndsAtOnceAndTheOutcomeIsOpen) {
  End end;
  network->Next(Replied("slow"), Seconds(5));
  const CallHandle handle = Start(end);
  const absl::Time begin = timing.Now();
  handle.Cancel();
  EXPECT_EQ(end.count, 0) << "not on the thread that cancels";
  timing.RunUntil(begin);
  ASSERT_EQ(end.count, 1);
  EXPECT_THAT(end.result->reply, StatusIs(StatusCode::kCancelled));
  EXPECT_FALSE(end.result->info.settled);
  EXPECT_EQ(end.result->info.token, "the-token");
  EXPECT_TRUE(network->attempt(0).cancelled);
  timing.RunAll();
  EXPECT_EQ(end.count, 1);
  EXPECT_EQ(network->count(), 1u);
}

TEST_F(CallerStartTest, CancelledBetweenAttemptsItMakesNoOther) {
  for (const bool was_refused : {true, false}) {
    End end;
    network->Next(was_refused ? Overloaded(Seconds(7)) : Lost());
    const CallHandle handle = Start(end);
    const size_t sent = network->count();
    timing.Have(timing.Now() + Milliseconds(50), [&] { handle.Cancel(); });
    timing.RunAll();
    ASSERT_EQ(end.count, 1);
    EXPECT_THAT(end.result->reply, StatusIs(StatusCode::kCancelled, HasSubstr("the last attempt failed with")));
    EXPECT_EQ(end.result->info.settled, was_refused) << "a refusal left nothing (C12)";
    EXPECT_EQ(network->count(), sent);
  }
}

TEST_F(CallerStartTest, AReplyThatIsThereGoesBeforeACancel) {
  class EndsWhenTold final : public Connection {
   public:
    Cancel Start(Attempt, Done done) override {
      done_ = std::move(done);
      return [] {};
    }
    void End() { std::move(done_)(Replied("reply")); }

   private:
    Done done_;
  };
  auto told = std::make_shared<EndsWhenTold>();
  Caller its_caller(told, {}, timing);
  End end;
  const CallHandle handle = its_caller.StartRaw(Protected(), Policy(), end.Done());
  handle.Cancel();
  told->End();
  timing.RunAll();
  EXPECT_THAT(end.result->reply, IsOkAndHolds("reply"));
  EXPECT_EQ(end.count, 1);
}

TEST_F(CallerStartTest, ToCancelWhatHasEndedOrNothingIsNothing) {
  CallHandle().Cancel();
  End end;
  network->Next(Replied("reply"));
  const CallHandle handle = Start(end);
  timing.RunAll();
  handle.Cancel();
  timing.RunAll();
  EXPECT_THAT(end.result->reply, IsOkAndHolds("reply"));
  EXPECT_EQ(end.count, 1);
}

TEST_F(CallerStartTest, ACancelledTokenIsAsGoodAsBefore) {
  End end;
  network->Next(Replied("slow"), Seconds(5));
  Start(end).Cancel();
  timing.RunAll();
  network->Next(Replied("reply", "replayed"));
  EXPECT_THAT(Call().reply, IsOkAndHolds("reply"));
}

}  // namespace
}  // namespace hapax::client
