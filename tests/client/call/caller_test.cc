#include "hapax/client/call/caller.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/error.h"
#include "hapax/tests/client/call/caller_fixture.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::client {
namespace {

using ::absl::Milliseconds;
using ::absl::Seconds;
using ::absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using CallerRetries = CallerFixture;
using CallerConnection = CallerFixture;

TEST_F(CallerRetries, AReplyIsNotRetried_C26) {
  network->Next(Replied("reply"));
  const Result<std::string> result = Call();
  EXPECT_THAT(result.reply, IsOkAndHolds("reply"));
  EXPECT_EQ(result.info.token, "the-token");
  EXPECT_EQ(result.info.outcome, Outcome::kExecuted);
  EXPECT_EQ(result.info.attempts, 1);
  EXPECT_TRUE(result.info.settled);
}

TEST_F(CallerRetries, TheOutcomeIsTheServersWord_C26) {
  for (const Outcome outcome : {Outcome::kExecuted, Outcome::kReplayed, Outcome::kUnprotected, Outcome::kUnknown}) {
    network->Next(Replied("reply", OutcomeName(outcome)));
    EXPECT_EQ(Call().info.outcome, outcome);
  }
  network->Next(Replied("reply", "a word of the future"));
  EXPECT_EQ(Call().info.outcome, Outcome::kUnknown);
}

TEST_F(CallerRetries, TheSameAttemptIsMadeAgainAfterTheNetworkFailed) {
  network->Next(2, Lost());
  network->Next(Replied("reply", "replayed"));
  const Result<std::string> result = Call();
  EXPECT_THAT(result.reply, IsOkAndHolds("reply"));
  EXPECT_EQ(result.info.attempts, 3);
  EXPECT_TRUE(result.info.settled);
  for (size_t i = 0; i < 3; ++i) {
    const Attempt& attempt = network->attempt(i).attempt;
    EXPECT_EQ(attempt.method, "a.B/C");
    EXPECT_EQ(attempt.request, "request");
    EXPECT_THAT(attempt.metadata, ElementsAre(std::pair("x-client-token", "the-token")));
  }
}

TEST_F(CallerRetries, BackoffDoublesUpToItsLimitAndIsDrawnAtRandom) {
  timing.luck = 0.5;
  network->Next(7, Lost());
  network->Next(Replied(""));
  EXPECT_THAT(Call().reply, IsOk());
  EXPECT_THAT(timing.random_limits, ElementsAre(Milliseconds(100), Milliseconds(200), Milliseconds(400),
                                                Milliseconds(800), Seconds(1), Seconds(1), Seconds(1)));
  // Each attempt takes a millisecond, and each pause half its limit.
  EXPECT_THAT(network->starts(),
              ElementsAre(Milliseconds(0), Milliseconds(51), Milliseconds(152), Milliseconds(353), Milliseconds(754),
                          Milliseconds(1255), Milliseconds(1756), Milliseconds(2257)));
}

TEST_F(CallerRetries, NoPauseAtAllIsTheLuckiest) {
  timing.luck = 0;
  network->Next(2, Lost());
  network->Next(Replied(""));
  EXPECT_THAT(Call().reply, IsOk());
  EXPECT_THAT(network->starts(), ElementsAre(Milliseconds(0), Milliseconds(1), Milliseconds(2)));
}

TEST_F(CallerRetries, RetryInfoLongerThanTheBackoffIsWaitedFor_C27) {
  network->Next(Overloaded(Seconds(7)));
  network->Next(Overloaded(Milliseconds(1)));  // Shorter than the backoff of 200 ms.
  network->Next(Replied(""));
  EXPECT_THAT(Call().reply, IsOk());
  EXPECT_THAT(network->starts(), ElementsAre(Milliseconds(0), Milliseconds(7001), Milliseconds(7202)));
}

TEST_F(CallerRetries, RetryInfoLongerThanWhatIsLeftEndsTheCallAtOnce_C27) {
  network->Next(Overloaded(Seconds(60)));
  const Result<std::string> result = Call();
  EXPECT_EQ(ReasonOf(result.reply.status()), "OVERLOADED");
  EXPECT_EQ(result.info.attempts, 1);
  EXPECT_TRUE(result.info.settled) << "the only attempt was refused";
  EXPECT_LT(timing.Now(), network->attempt(0).when + Seconds(1)) << "there was nothing to wait for";
}

TEST_F(CallerRetries, TheVerdictGoesBeforeTheCode_C27) {
  network->Next(Refused(StatusCode::kUnavailable, "A_NEW_REASON", "never"));
  EXPECT_THAT(Call().reply, StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(network->count(), 1);
  network->Next(Refused(StatusCode::kFailedPrecondition, "INCORRECT_INSTANCE_STATE", "same-token"));
  network->Next(Replied(""));
  EXPECT_THAT(Call().reply, IsOk());
  EXPECT_EQ(network->count(), 3);
}

TEST_F(CallerRetries, AnUsedUpTokenIsNotSentAgain_C27) {
  network->Next(Refused(StatusCode::kInvalidArgument, "IDEMPOTENT_PARAMETER_MISMATCH", "new-token"));
  EXPECT_EQ(ReasonOf(Call().reply.status()), "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(network->count(), 1);
}

TEST_F(CallerRetries, MaxAttemptsIsObeyed) {
  RetryPolicy policy = Policy();
  policy.max_attempts = 3;
  const Result<std::string> result = Call(policy);
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kUnavailable, "the network"));
  EXPECT_EQ(result.info.attempts, 3);
  EXPECT_FALSE(result.info.settled);
  policy.max_attempts = 1;
  EXPECT_EQ(Call(policy).info.attempts, 1);
}

TEST_F(CallerRetries, AnAttemptHasItsDeadlineAndTheLastOneWhatIsLeft) {
  RetryPolicy policy = Policy();
  policy.timeout = Seconds(25);
  policy.attempt_timeout = Seconds(10);
  timing.luck = 0;
  for (int i = 0; i < 3; ++i) network->Next(Replied("too late"), ScriptedConnection::kNever);
  const absl::Time begin = timing.Now();
  const Result<std::string> result = Call(policy);
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_EQ(timing.Now(), begin + Seconds(25));
  EXPECT_FALSE(result.info.settled);
  EXPECT_EQ(result.info.attempts, 3);
  EXPECT_EQ(network->attempt(0).attempt.deadline, begin + Seconds(10));
  EXPECT_EQ(network->attempt(1).attempt.deadline, begin + Seconds(20));
  EXPECT_EQ(network->attempt(2).attempt.deadline, begin + Seconds(25));
}

TEST_F(CallerRetries, AConnectionThatForgetsDeadlinesDoesNotHoldTheCall) {
  class Forgetful final : public Connection {
   public:
    Cancel Start(Attempt, Done done) override {
      kept_.push_back(std::move(done));
      return [this] { ++cancelled; };
    }
    int cancelled = 0;

   private:
    std::vector<Done> kept_;
  };
  auto forgetful = std::make_shared<Forgetful>();
  Caller its_caller(forgetful, {}, timing);
  const absl::Time begin = timing.Now();
  const Result<std::string> result = its_caller.CallRaw(Protected(), Policy());
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kDeadlineExceeded, HasSubstr("1m")));
  EXPECT_EQ(timing.Now(), begin + Seconds(60));
  EXPECT_EQ(forgetful->cancelled, 1);
  EXPECT_FALSE(result.info.settled);
}

TEST_F(CallerRetries, AReplyThatIsThereAtTheDeadlineIsTaken) {
  RetryPolicy policy = Policy();
  policy.timeout = Seconds(1);
  network->Next(Replied("just in time"), Seconds(1));
  EXPECT_THAT(Call(policy).reply, IsOkAndHolds("just in time"));
}

TEST_F(CallerRetries, ACallWithoutTimeMakesNoAttempt) {
  RetryPolicy policy = Policy();
  policy.timeout = absl::ZeroDuration();
  const Result<std::string> result = Call(policy);
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kDeadlineExceeded));
  EXPECT_EQ(result.info.attempts, 0);
  EXPECT_TRUE(result.info.settled);
  EXPECT_EQ(network->count(), 0);
}

TEST_F(CallerRetries, ACallMayHaveAllTheTimeThereIs) {
  RetryPolicy policy = Policy();
  policy.timeout = absl::InfiniteDuration();
  policy.attempt_timeout = absl::InfiniteDuration();
  network->Next(Lost(), absl::Hours(1000));
  network->Next(Replied("at last"), absl::Hours(1000));
  EXPECT_THAT(Call(policy).reply, IsOkAndHolds("at last"));
  EXPECT_EQ(network->attempt(1).attempt.deadline, absl::InfiniteFuture());
}

TEST_F(CallerRetries, ABudgetThatIsUsedUpEndsRetriesAndSuccessesFillItAgain) {
  Caller poor(network, {.retry = Policy(), .budget = {.capacity = 2, .per_success = 0.5}}, timing);
  EXPECT_EQ(poor.CallRaw(Protected()).info.attempts, 3) << "one attempt is free, two are in the budget";
  EXPECT_EQ(poor.CallRaw(Protected()).info.attempts, 1);
  network->Next(3, Replied(""));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(poor.CallRaw(Protected()).reply, IsOk());
  EXPECT_EQ(poor.CallRaw(Protected()).info.attempts, 2) << "three successes are worth one and a half";
  EXPECT_EQ(poor.CallRaw(Protected()).info.attempts, 1);
  network->Next(100, Replied(""));
  for (int i = 0; i < 100; ++i) EXPECT_THAT(poor.CallRaw(Protected()).reply, IsOk());
  EXPECT_EQ(poor.CallRaw(Protected()).info.attempts, 3) << "it holds no more than its capacity";
}

TEST_F(CallerRetries, AnUnprotectedCallIsNeverRetriedNorHedged_C3) {
  RetryPolicy policy = Policy();
  policy.hedge_delay = Milliseconds(1);
  const RawCall unprotected = {.method = "a.B/C", .request = "request", .token = "", .retryable = false};
  for (const AttemptEnd& end : {Lost(), Overloaded(), Lost(StatusCode::kDeadlineExceeded)}) {
    network->Next(end, Seconds(1));
    const size_t before = network->count();
    const Result<std::string> result = Call(policy, unprotected);
    EXPECT_EQ(result.reply.status(), end.status);
    EXPECT_EQ(result.info.token, "");
    EXPECT_EQ(result.info.settled, !ReasonOf(end.status).empty());
    EXPECT_EQ(network->count(), before + 1);
    EXPECT_THAT(network->attempt(before).attempt.metadata, IsEmpty());
  }
}

TEST_F(CallerConnection, AnAttemptMayEndBeforeStartReturns) {
  network->Next(Lost(), absl::ZeroDuration());
  network->Next(Replied("reply"), absl::ZeroDuration());
  const Result<std::string> result = Call();
  EXPECT_THAT(result.reply, IsOkAndHolds("reply"));
  EXPECT_EQ(result.info.attempts, 2);
}

TEST_F(CallerConnection, AnAttemptMayEndOnAnotherThread) {
  class Threaded final : public Connection {
   public:
    ~Threaded() override {
      for (std::thread& thread : threads_) thread.join();
    }
    Cancel Start(Attempt attempt, Done done) override {
      threads_.emplace_back([reply = std::move(attempt.request), end = std::move(done)]() mutable {
        std::move(end)(Replied(std::move(reply)));
      });
      return [] {};
    }

   private:
    std::vector<std::thread> threads_;
  };
  Caller machine(std::make_shared<Threaded>());
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(machine.CallRaw(Protected()).reply, IsOkAndHolds("request"));
  }
}

TEST_F(CallerConnection, NothingOfAnAttemptOutlivesIt) {
  // Each attempt's Cancel holds what holds its Done, as it does over gRPC: no cycle may come of it.
  struct Held {
    Connection::Done done;
  };
  class Holding final : public Connection {
   public:
    Cancel Start(Attempt, Done done) override {
      auto held = std::make_shared<Held>();
      held->done = std::move(done);
      last = held;
      std::move(held->done)(Replied("reply"));
      return [held] {};
    }
    std::weak_ptr<Held> last;
  };
  auto holding = std::make_shared<Holding>();
  Caller its_caller(holding, {}, timing);
  EXPECT_THAT(its_caller.CallRaw(Protected()).reply, IsOk());
  EXPECT_TRUE(holding->last.expired());
}

}  // namespace
}  // namespace hapax::client
