#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/call/error.h"
#include "hapax/tests/client/call/caller_fixture.h"
#include "hapax/tests/support/status_matchers.h"

// CallInfo::settled is never true when an effect may still come; and hedging, which leaves attempts unanswered.
namespace hapax::client {
namespace {

using ::absl::Milliseconds;
using ::absl::Seconds;
using ::absl::StatusCode;
using ::testing::ElementsAre;

AttemptEnd UsedUp(std::string_view reason) { return Refused(StatusCode::kInvalidArgument, reason, "new-token"); }

using CallerSettled = CallerFixture;

TEST_F(CallerSettled, WhenEveryAttemptWasRefused_C12) {
  RetryPolicy policy = Policy();
  policy.max_attempts = 3;
  network->Next(3, Overloaded());
  EXPECT_TRUE(Call(policy).info.settled);
  network->Next(Overloaded());
  network->Next(NotFound());
  EXPECT_TRUE(Call(policy).info.settled);
}

TEST_F(CallerSettled, NotWhenAnAttemptWasNotAnsweredWhateverAnotherSays) {
  for (const AttemptEnd& open : {Lost(), Lost(StatusCode::kDeadlineExceeded), Lost(StatusCode::kInternal),
                                 Refused(StatusCode::kUnavailable, "TOKEN_STORE_UNAVAILABLE", "same-token"),
                                 Refused(StatusCode::kInternal, "INTERNAL", "same-token")}) {
    network->Next(open);
    network->Next(NotFound());
    const Result<std::string> result = Call();
    EXPECT_EQ(ReasonOf(result.reply.status()), "IMAGE_NOT_FOUND");
    EXPECT_EQ(result.info.attempts, 2);
    EXPECT_FALSE(result.info.settled) << open.status;
  }
}

TEST_F(CallerSettled, WhenTheTokenIsUsedUpWhateverBecameOfOtherAttempts) {
  for (const char* const reason : {"IDEMPOTENT_PARAMETER_MISMATCH", "CLIENT_TOKEN_EXPIRED", "CLIENT_TOKEN_ABANDONED"}) {
    network->Next(Lost());
    network->Next(UsedUp(reason));
    EXPECT_TRUE(Call().info.settled) << reason;
  }
}

TEST_F(CallerSettled, WhenAHandlerRefusedWhateverItsCodeAndDetails_C12) {
  RetryPolicy policy = Policy();
  policy.max_attempts = 2;
  for (const absl::Status& error :
       {absl::AlreadyExistsError("taken"), absl::NotFoundError("none"), absl::DataLossError("spilled"),
        WithReason(absl::FailedPreconditionError("declined"), "CARD_DECLINED", "payments.example")}) {
    network->Next(HandlersError(error, "never"));
    const Result<std::string> result = Call(policy);
    EXPECT_EQ(result.reply.status(), error);
    EXPECT_TRUE(result.info.settled) << error;
    EXPECT_EQ(result.info.verdict, Verdict::kNever);
  }
  network->Next(2, HandlersError(absl::UnavailableError("the bank is closed"), "same-token"));
  EXPECT_TRUE(Call(policy).info.settled);
  network->Next(Lost());
  network->Next(HandlersError(absl::NotFoundError("none"), "never"));
  EXPECT_FALSE(Call(policy).info.settled) << "the attempt that was not answered may have made an effect";
}

// The rule of the server's has another token field than the caller's, or none.
TEST_F(CallerSettled, AnUnprotectedEffectOfACallWithATokenIsObjectedToAndNeverRepeated) {
  network->Next(Replied("reply", "unprotected"));
  const Result<std::string> result = Call();
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kFailedPrecondition, testing::HasSubstr("unprotected")));
  EXPECT_EQ(result.info.outcome, Outcome::kUnprotected);
  EXPECT_EQ(result.info.unprotected_reply, "reply");
  EXPECT_EQ(result.info.attempts, 1);
  EXPECT_TRUE(result.info.settled) << "a journal that kept it would have it executed again";
}

TEST_F(CallerSettled, AnUnprotectedEffectIsWhatACallWithoutATokenAskedFor) {
  RawCall call = Protected();
  call.token = "";
  call.retryable = false;
  network->Next(Replied("reply", "unprotected"));
  const Result<std::string> result = Call(Policy(), call);
  EXPECT_THAT(result.reply, IsOkAndHolds("reply"));
  EXPECT_FALSE(result.info.unprotected_reply.has_value());
}

TEST_F(CallerSettled, NotWhenARecordIsDamagedForItMayBeOfAnEffect_C18) {
  network->Next(Refused(StatusCode::kDataLoss, "TOKEN_RECORD_CORRUPT", "never"));
  EXPECT_FALSE(Call().info.settled);
}

TEST_F(CallerSettled, NotByAnErrorThatIsNotTheServers) {
  // Such as gRPC's own, of a reply that is too large: the effect was made.
  for (const StatusCode code :
       {StatusCode::kResourceExhausted, StatusCode::kUnimplemented, StatusCode::kUnauthenticated,
        StatusCode::kPermissionDenied, StatusCode::kInvalidArgument}) {
    network->Next(Lost(code));
    const Result<std::string> result = Call();
    EXPECT_EQ(result.info.attempts, 1);
    EXPECT_FALSE(result.info.settled) << code;
  }
  network->Next({.status = WithReason(absl::ResourceExhaustedError("quota"), "RATE_LIMIT", "a.proxy")});
  EXPECT_FALSE(Call().info.settled);
}

TEST_F(CallerSettled, NotWhenItWasAttemptedBeforeUnlessTheTokenIsUsedUp) {
  RawCall call = Protected();
  call.attempted_before = true;
  network->Next(NotFound());
  EXPECT_FALSE(Call(Policy(), call).info.settled);
  network->Next(UsedUp("CLIENT_TOKEN_ABANDONED"));
  EXPECT_TRUE(Call(Policy(), call).info.settled);
  RetryPolicy no_time = Policy();
  no_time.timeout = absl::ZeroDuration();
  EXPECT_FALSE(Call(no_time, call).info.settled);
  network->Next(Replied("reply", "replayed"));
  EXPECT_TRUE(Call(Policy(), call).info.settled);
}

class CallerHedges : public CallerFixture {
 protected:
  static RetryPolicy Hedging() {
    RetryPolicy policy = Policy();
    policy.hedge_delay = Milliseconds(300);
    return policy;
  }
};

TEST_F(CallerHedges, AnotherAttemptIsMadeBesideASlowOneAndTheLoserIsCancelled) {
  network->Next(Replied("slow"), Seconds(5));
  network->Next(Replied("fast"), Milliseconds(20));
  const Result<std::string> result = Call(Hedging());
  EXPECT_THAT(result.reply, IsOkAndHolds("fast"));
  EXPECT_EQ(result.info.attempts, 2);
  EXPECT_THAT(network->starts(), ElementsAre(Milliseconds(0), Milliseconds(300)));
  EXPECT_TRUE(network->attempt(0).cancelled);
  EXPECT_FALSE(network->attempt(1).cancelled);
  EXPECT_EQ(network->attempt(0).attempt.metadata, network->attempt(1).attempt.metadata) << "the same token";
}

TEST_F(CallerHedges, ALateEndOfALoserIsIgnored) {
  for (const AttemptEnd& late : {Replied("late"), Lost(), NotFound()}) {
    network->Next(late, Seconds(5));
    network->Next(Replied("fast"));
    EXPECT_THAT(Call(Hedging()).reply, IsOkAndHolds("fast"));
    timing.RunAll();
  }
  network->Next(Replied("another call"));
  EXPECT_THAT(Call().reply, IsOkAndHolds("another call"));
}

TEST_F(CallerHedges, TheFirstAttemptMayStillMakeIt) {
  network->Next(Replied("first"), Milliseconds(500));
  network->Next(Lost(), Milliseconds(50));
  const Result<std::string> result = Call(Hedging());
  EXPECT_THAT(result.reply, IsOkAndHolds("first"));
  EXPECT_EQ(result.info.attempts, 2) << "no backoff begins while an attempt is under way";
}

TEST_F(CallerHedges, AReplyGoesBeforeARefusalThatCameAtTheSameTime) {
  class BothAtOnce final : public Connection {
   public:
    Cancel Start(Attempt, Done done) override {
      dones_.push_back(std::move(done));
      if (dones_.size() == 2) {
        std::move(dones_[1])(NotFound());
        std::move(dones_[0])(Replied("reply"));
      }
      return [] {};
    }

   private:
    std::vector<Done> dones_;
  };
  Caller its_caller(std::make_shared<BothAtOnce>(), {}, timing);
  EXPECT_THAT(its_caller.CallRaw(Protected(), Hedging()).reply, IsOkAndHolds("reply"));
}

TEST_F(CallerHedges, AReplyThatIsThereIsTakenInsteadOfAHedge) {
  network->Next(Replied("reply"), Milliseconds(300));
  EXPECT_EQ(Call(Hedging()).info.attempts, 1);
}

TEST_F(CallerHedges, ARefusalForGoodEndsTheCallAndSettlesNothingWhileAnotherAttemptIsOpen) {
  network->Next(Replied("slow"), Seconds(5));
  network->Next(NotFound());
  const Result<std::string> result = Call(Hedging());
  EXPECT_EQ(ReasonOf(result.reply.status()), "IMAGE_NOT_FOUND");
  EXPECT_FALSE(result.info.settled);
  EXPECT_TRUE(network->attempt(0).cancelled);
}

TEST_F(CallerHedges, AUsedUpTokenSettlesTheCallAlthoughAnotherAttemptIsOpen) {
  network->Next(Replied("slow"), Seconds(5));
  network->Next(UsedUp("CLIENT_TOKEN_ABANDONED"));
  EXPECT_TRUE(Call(Hedging()).info.settled);
}

TEST_F(CallerHedges, WaitAsLongAsTheServerAsked_C27) {
  network->Next(Replied("slow"), Seconds(9));
  network->Next(Overloaded(Seconds(4)), Milliseconds(10));  // Ends at 310 ms.
  network->Next(Replied("third"), Milliseconds(10));
  EXPECT_THAT(Call(Hedging()).reply, IsOkAndHolds("third"));
  EXPECT_THAT(network->starts(), ElementsAre(Milliseconds(0), Milliseconds(300), Milliseconds(4310)));
}

TEST_F(CallerHedges, AWishToWaitIsNotForgottenWhenAnotherAttemptFails_C27) {
  network->Next(Lost(), Milliseconds(400));
  network->Next(Overloaded(Seconds(4)), Milliseconds(10));
  network->Next(Replied("third"));
  EXPECT_THAT(Call(Hedging()).reply, IsOkAndHolds("third"));
  EXPECT_THAT(network->starts(), ElementsAre(Milliseconds(0), Milliseconds(300), Milliseconds(4310)));
}

TEST_F(CallerHedges, ArePaidForFromTheBudget) {
  Caller poor(network, {.retry = Hedging(), .budget = {.capacity = 2, .per_success = 0}}, timing);
  network->Next(Replied("slow"), Seconds(5));
  for (int i = 0; i < 10; ++i) network->Next(Lost(), Seconds(6));
  const Result<std::string> result = poor.CallRaw(Protected());
  EXPECT_THAT(result.reply, IsOkAndHolds("slow"));
  EXPECT_EQ(result.info.attempts, 3);
}

TEST_F(CallerHedges, CountAsAttempts) {
  RetryPolicy policy = Hedging();
  policy.max_attempts = 2;
  network->Next(Lost(), Seconds(5));
  network->Next(Lost(), Seconds(5));
  EXPECT_EQ(Call(policy).info.attempts, 2);
  EXPECT_EQ(network->count(), 2);
}

TEST_F(CallerHedges, AreCancelledWhenTheTimeIsOver) {
  RetryPolicy policy = Hedging();
  policy.timeout = Seconds(1);
  for (int i = 0; i < 4; ++i) network->Next(Replied("too late"), ScriptedConnection::kNever);
  const Result<std::string> result = Call(policy);
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(result.info.settled);
  EXPECT_EQ(network->count(), 4) << "at 0, 300, 600 and 900 ms";
}

}  // namespace
}  // namespace hapax::client
