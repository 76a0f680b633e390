#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/client/call/error.h"
#include "hapax/tests/client/call/simulated_endpoints.h"
#include "hapax/tests/client/call/simulated_network.h"
#include "hapax/tests/support/status_matchers.h"

// A caller of several servers over one store (C30).
namespace hapax::client {
namespace {

using ::absl::Milliseconds;
using ::absl::Seconds;
using ::absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CallerFailoverTest : public testing::Test {
 protected:
  static RetryPolicy Policy() {
    return {.timeout = Seconds(60),
            .attempt_timeout = Seconds(10),
            .initial_backoff = Milliseconds(100),
            .max_backoff = Seconds(1),
            .max_attempts = 20};
  }
  static RetryPolicy Hedging() {
    RetryPolicy policy = Policy();
    policy.hedge_delay = Milliseconds(300);
    return policy;
  }
  static RawCall Protected() { return {.method = "a.B/C", .request = "request", .token = "the-token"}; }
  Result<std::string> Call(const RetryPolicy& policy = Policy(), const RawCall& call = Protected()) {
    return caller.CallRaw(call, policy);
  }
  // The server is gone: connections are refused.
  static void Stop(ScriptedEndpoint& endpoint) {
    endpoint.connected = false;
    endpoint.script.Next(1000, Lost());
  }

  SimulatedTiming timing;
  SimulatedEndpoints servers{timing};
  ScriptedConnection& a = servers.a->script;
  ScriptedConnection& b = servers.b->script;
  ScriptedConnection& c = servers.c->script;
  // Its budget shows that the first attempt at each endpoint is free.
  Caller caller{servers.connection, {.retry = Policy(), .budget = {.capacity = 0}}, timing};
  Caller rich{servers.connection, {.retry = Policy(), .budget = {.capacity = 1000}}, timing};
};

TEST_F(CallerFailoverTest, HealthyServersNeedOneConnection) {
  a.Next(10, Replied("reply"));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Call().reply, IsOkAndHolds("reply"));
  EXPECT_EQ(b.count() + c.count(), 0u);
}

TEST_F(CallerFailoverTest, TheSameAttemptIsMadeAtOnceAtAnotherServerAndTheReplyIsTheReplay_C9_C30) {
  Stop(*servers.a);
  b.Next(Lost());  // The effect was made, and the server killed.
  c.Next(Replied("reply", "replayed"));
  const Result<std::string> result = Call();
  EXPECT_THAT(result.reply, IsOkAndHolds("reply"));
  EXPECT_EQ(result.info.outcome, Outcome::kReplayed);
  EXPECT_EQ(result.info.attempts, 3);
  for (const ScriptedConnection* server : {&a, &b, &c}) {
    EXPECT_EQ(server->count(), 1u);
    EXPECT_EQ(server->attempt(0).attempt.request, "request");
    EXPECT_THAT(server->attempt(0).attempt.metadata, ElementsAre(std::pair("x-client-token", "the-token")));
  }
  EXPECT_EQ(c.attempt(0).when - a.attempt(0).when, Milliseconds(2)) << "each attempt takes a millisecond";
  EXPECT_TRUE(timing.random_limits.empty());
}

TEST_F(CallerFailoverTest, AServerThatIsDownIsNotAskedAgainUntilItIsBack) {
  Stop(*servers.a);
  b.Next(20, Replied("reply"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(Call().reply, IsOk());
    timing.Have(timing.Now() + Seconds(60), [] {});
    timing.RunAll();
  }
  EXPECT_EQ(a.count(), 1u);
  servers.a->connected = true;
  EXPECT_THAT(Call().reply, IsOk());
  EXPECT_EQ(a.count(), 2u);
}

TEST_F(CallerFailoverTest, WhenAllAreDownEachIsTriedAtOnceThenAfterBackoffAndTheErrorNamesThem) {
  for (ScriptedEndpoint* const server : {servers.a.get(), servers.b.get(), servers.c.get()}) Stop(*server);
  RetryPolicy policy = Policy();
  policy.max_attempts = 5;
  const Result<std::string> result = rich.CallRaw(Protected(), policy);
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kUnavailable,
                                     "tried a:1 (the network), b:1 (the network), c:1 (the "
                                     "network)"));
  EXPECT_FALSE(result.info.settled);
  EXPECT_EQ(result.info.attempts, 5);
  EXPECT_THAT(timing.random_limits, ElementsAre(Milliseconds(100), Milliseconds(200), Milliseconds(400)));
  EXPECT_LE(a.count(), 2u);
  EXPECT_LE(b.count(), 2u);
  EXPECT_LE(c.count(), 2u);
}

TEST_F(CallerFailoverTest, WithoutABudgetEachIsTriedOnce) {
  for (ScriptedEndpoint* const server : {servers.a.get(), servers.b.get(), servers.c.get()}) Stop(*server);
  EXPECT_EQ(Call().info.attempts, 3);
}

TEST_F(CallerFailoverTest, AnAttemptThatHangsIsMadeElsewhereAfterItsTimeoutAndItsServerPassedOver) {
  a.Next(Replied("too late"), ScriptedConnection::kNever);
  b.Next(2, Replied("reply"));
  const absl::Time begin = timing.Now();
  EXPECT_THAT(Call().reply, IsOkAndHolds("reply"));
  EXPECT_EQ(timing.Now() - begin, Seconds(10) + Milliseconds(1));
  EXPECT_THAT(Call().reply, IsOkAndHolds("reply"));
  EXPECT_EQ(a.count(), 1u);
}

TEST_F(CallerFailoverTest, AHedgeGoesElsewhereAndASilentServerIsPassedOver) {
  Caller hedging(servers.connection, {.budget = {.capacity = 1000}}, timing);
  for (int i = 0; i < 8; ++i) a.Next(Replied("too late"), ScriptedConnection::kNever);
  b.Next(8, Replied("reply"));
  for (int i = 0; i < 8; ++i) {
    EXPECT_THAT(hedging.CallRaw(Protected(), Hedging()).reply, IsOkAndHolds("reply"));
    timing.RunUntil(timing.Now());
  }
  EXPECT_EQ(b.count(), 8u);
  EXPECT_EQ(a.count(), 4u) << "a second of silence is four hedges";
  EXPECT_EQ(c.count(), 0u);
}

TEST_F(CallerFailoverTest, ADrainingServerIsLeftWithoutTheDelayThatItAsksFor) {
  a.Next(Refused(StatusCode::kUnavailable, "TOKEN_STORE_UNAVAILABLE", "same-token", Seconds(1)));
  b.Next(2, Replied("reply"));
  const absl::Time begin = timing.Now();
  EXPECT_THAT(Call().reply, IsOkAndHolds("reply"));
  EXPECT_EQ(timing.Now() - begin, Milliseconds(2));
  EXPECT_THAT(Call().reply, IsOkAndHolds("reply"));
  EXPECT_EQ(a.count(), 1u);
}

TEST_F(CallerFailoverTest, AnOverloadedServerIsNotLeftAtOnce) {
  a.Next(Overloaded(Seconds(7)));
  b.Next(Replied("reply"));
  EXPECT_THAT(rich.CallRaw(Protected(), Policy()).reply, IsOkAndHolds("reply"));
  EXPECT_EQ(b.attempt(0).when - a.attempt(0).when, Seconds(7) + Milliseconds(1));
}

TEST_F(CallerFailoverTest, ARefusalIsTheServersAndSettlesNothingAfterALostAttempt) {
  Stop(*servers.a);
  b.Next(NotFound());
  const Result<std::string> result = Call();
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kNotFound, "IMAGE_NOT_FOUND"));
  EXPECT_EQ(ReasonOf(result.reply.status()), "IMAGE_NOT_FOUND");
  EXPECT_FALSE(result.info.settled);
  EXPECT_EQ(c.count(), 0u);
}

TEST_F(CallerFailoverTest, ACallWithoutATokenIsNotMadeTwice) {
  Stop(*servers.a);
  RawCall unprotected = Protected();
  unprotected.token = "";
  unprotected.retryable = false;
  EXPECT_THAT(Call(Policy(), unprotected).reply, StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(b.count() + c.count(), 0u);
}

TEST_F(CallerFailoverTest, TheDeadlineNamesWhatWasTried) {
  RetryPolicy policy = Policy();
  policy.timeout = Seconds(15);
  Stop(*servers.a);
  b.Next(Replied("too late"), ScriptedConnection::kNever);
  c.Next(Replied("too late"), ScriptedConnection::kNever);
  EXPECT_THAT(Call(policy).reply,
              StatusIs(StatusCode::kDeadlineExceeded, HasSubstr("tried a:1 (the network), b:1 (the network), c:1 (")));
}

TEST_F(CallerFailoverTest, ATimeoutBelowThatOfAnAttemptNamesTheServerThatHangs) {
  RetryPolicy policy = Policy();
  policy.timeout = Seconds(5);
  a.Next(Replied("too late"), ScriptedConnection::kNever);
  EXPECT_THAT(Call(policy).reply, StatusIs(StatusCode::kDeadlineExceeded, HasSubstr("tried a:1 (")));
  EXPECT_EQ(b.count() + c.count(), 0u);
}

TEST_F(CallerFailoverTest, AStartedCallFailsOverAsACallThatWaits) {
  Stop(*servers.a);
  b.Next(Lost());
  c.Next(Replied("reply", "replayed"));
  std::optional<Result<std::string>> end;
  caller.StartRaw(Protected(), Policy(), [&](Result<std::string> result) { end = std::move(result); });
  timing.RunAll();
  ASSERT_TRUE(end.has_value());
  EXPECT_THAT(end->reply, IsOkAndHolds("reply"));
  EXPECT_EQ(end->info.attempts, 3);
}

TEST_F(CallerFailoverTest, TheDestinationNamesAll) {
  EXPECT_EQ(caller.destination(), (Destination{.endpoint = "a:1,b:1,c:1", .caller = "tenant t"}));
}

}  // namespace
}  // namespace hapax::client
