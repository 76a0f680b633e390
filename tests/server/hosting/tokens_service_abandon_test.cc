#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/tests/interceptors/store_hold.h"
#include "hapax/tests/server/support/tokens_fixture.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/token_made_at.h"

// AbandonToken (C20): of it and an attempt one wins, and both learn which.
namespace hapax {
namespace {

using idempotency::v1::AbandonTokenRequest;
using idempotency::v1::AbandonTokenResponse;
using idempotency::v1::Token;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kMine[] = "client_token: 'token'";
constexpr absl::Duration kDay = absl::Hours(24);

class AbandonTokenTest : public TokensFixture {
 protected:
  Answer Place(const std::string& item = "pencil", const std::string& token = "token") {
    return chain_->Call(orders_.place_order(), OrderOf(item, token));
  }
  std::vector<std::string> Orders() { return DurableOrders(*store_); }

  std::unique_ptr<FakeCall> OriginalCall(const std::string& token = "token") {
    return std::make_unique<FakeCall>(orders_.place_order(), OrderOf("pencil", token));
  }
  std::unique_ptr<FakeCall> AbandonCall(const std::string& token = "token") {
    AbandonTokenRequest request;
    request.set_client_token(token);
    return std::make_unique<FakeCall>(TokensMethod("AbandonToken"), request);
  }
  static Token TokenIn(const FakeCall& abandon) {
    AbandonTokenResponse response;
    EXPECT_TRUE(response.ParseFromString(AnswerTo(abandon).bytes)) << AnswerTo(abandon).status;
    return response.token();
  }
};

TEST_F(AbandonTokenTest, C20_AFreeTokenIsFencedAndALateOriginalIsRefused) {
  const auto abandoned = Abandon(kMine);
  ASSERT_THAT(abandoned, IsOk());
  EXPECT_EQ(abandoned->state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  EXPECT_EQ(FromTimestamp(abandoned->abandon_time()), clock_.Now());
  const Answer late = Place();
  EXPECT_THAT(late.status, HasReason(Reason::kClientTokenAbandoned));
  EXPECT_EQ(VerdictOf(late.status), RetryVerdict::kNewToken);
  EXPECT_EQ(orders_.runs(), 0);
  EXPECT_EQ(Get(kMine)->state(), idempotency::v1::TOKEN_STATE_ABANDONED);
}

TEST_F(AbandonTokenTest, C20_WhateverTheOriginalWas) {
  ASSERT_THAT(Abandon(kMine), IsOk());
  EXPECT_EQ(Place("eraser").result, "CLIENT_TOKEN_ABANDONED");
  EXPECT_EQ(chain_->Call(orders_.engrave_order(), OrderOf("pencil", "token")).result, "CLIENT_TOKEN_ABANDONED");
  EXPECT_EQ(Deposit("client_token: 'token'").result, "CLIENT_TOKEN_ABANDONED");
  EXPECT_THAT(orders_.prepare_threads(), IsEmpty());
}

TEST_F(AbandonTokenTest, C4_OnlyThatTokenOfThatScopeAndTenantIsFenced) {
  ASSERT_THAT(Abandon("client_token: 'token' availability_zone: 'attic'", "ours"), IsOk());
  EXPECT_EQ(Deposit("client_token: 'token' region: 'away' zone: 'attic'", "ours").result, "CLIENT_TOKEN_ABANDONED");
  EXPECT_EQ(Deposit("client_token: 'token' region: 'away' zone: 'attic'", "theirs").result, "executed");
  EXPECT_EQ(Deposit("client_token: 'token' region: 'away'", "ours").result, "executed");
  EXPECT_EQ(Deposit("client_token: 'token'", "ours").result, "executed");
  EXPECT_EQ(Deposit("client_token: 'other' region: 'away' zone: 'attic'", "ours").result, "executed");
}

TEST_F(AbandonTokenTest, C20_OfAnExecutedOneNothingChangesAndTheCallerGetsItsReply) {
  const Answer first = Deposit("client_token: 'token' amount: 5");
  const auto told = Abandon(kMine);
  ASSERT_THAT(told, IsOk());
  EXPECT_EQ(told->state(), idempotency::v1::TOKEN_STATE_EXECUTED);
  EXPECT_EQ(told->reply(), first.bytes);
  EXPECT_FALSE(told->has_abandon_time());
  const Answer retry = Deposit("client_token: 'token' amount: 5");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
}

TEST_F(AbandonTokenTest, C20_OfASecretOneToo) {
  const Answer first = Stash("client_token: 'token' memo: 'm'");
  EXPECT_EQ(Abandon(kMine)->reply(), first.bytes);
  EXPECT_EQ(Stash("client_token: 'token' memo: 'm'").bytes, first.bytes);
}

TEST_F(AbandonTokenTest, C20_AnExpiredOneStaysExpired) {
  ASSERT_EQ(Place().result, "executed");
  clock_.Advance(kDay);
  EXPECT_EQ(Abandon(kMine)->state(), idempotency::v1::TOKEN_STATE_EXPIRED);
  EXPECT_EQ(Place().result, "CLIENT_TOKEN_EXPIRED");
  clock_.Advance(30 * kDay);
  EXPECT_EQ(Abandon(kMine)->state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  EXPECT_EQ(Place().result, "CLIENT_TOKEN_ABANDONED");
}

TEST_F(AbandonTokenTest, C30_WhatItTellsToHaveExpiredIsNotReplayedByAClockThatIsBehind) {
  ASSERT_EQ(Place().result, "executed");
  clock_.Advance(kDay);
  EXPECT_EQ(Abandon(kMine)->state(), idempotency::v1::TOKEN_STATE_EXPIRED);
  clock_.Jump(-kDay);
  Restart();
  EXPECT_EQ(Place().result, "CLIENT_TOKEN_EXPIRED");
}

TEST_F(AbandonTokenTest, C20_AUuidOfVersion7ThatIsTooOldNeedsNoFence) {
  const std::string uuid = TokenMadeAt(clock_.Now());
  clock_.Advance(kDay);
  EXPECT_EQ(Abandon("client_token: '" + uuid + "'")->state(), idempotency::v1::TOKEN_STATE_EXPIRED);
  EXPECT_EQ(DurableRowCount(*store_, Table::kTokens), 0);
  EXPECT_EQ(Place("pencil", uuid).result, "CLIENT_TOKEN_EXPIRED");
}

TEST_F(AbandonTokenTest, C20_TwiceIsAsOnce) {
  const auto once = Abandon(kMine);
  ASSERT_THAT(once, IsOk());
  clock_.Advance(kDay);
  const auto twice = Abandon(kMine);
  ASSERT_THAT(twice, IsOk());
  EXPECT_EQ(twice->SerializeAsString(), once->SerializeAsString());
}

TEST_F(AbandonTokenTest, C20_ItIsForEverAlsoAfterACompactionAndARestart) {
  ASSERT_THAT(Abandon(kMine), IsOk());
  for (const absl::Duration time : {absl::Hours(1), 40 * kDay, 36'500 * kDay}) {
    clock_.Advance(time);
    EXPECT_EQ(Place().result, "CLIENT_TOKEN_ABANDONED");
    ASSERT_THAT(store_->Compact(), IsOk());
    EXPECT_EQ(Place().result, "CLIENT_TOKEN_ABANDONED");
    Restart();
    EXPECT_EQ(Place().result, "CLIENT_TOKEN_ABANDONED");
  }
  EXPECT_THAT(Orders(), IsEmpty());
}

// The original has found its token free when the token is abandoned.
TEST_F(AbandonTokenTest, C20_AnOriginalThatIsBehindInTheStoreIsRefused) {
  const auto abandon = AbandonCall();
  const auto original = OriginalCall();
  {
    StoreHold hold(*store_);
    chain_->Run(*abandon);
    chain_->Run(*original);
    EXPECT_FALSE(original->ended());
  }
  EXPECT_EQ(TokenIn(*abandon).state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  EXPECT_EQ(original->Result(), "CLIENT_TOKEN_ABANDONED");
  EXPECT_EQ(orders_.runs(), 0);
  EXPECT_THAT(Orders(), IsEmpty());
}

TEST_F(AbandonTokenTest, C20_AnOriginalThatIsAheadInTheStoreIsExecutedAndTheCallerIsTold) {
  const auto original = OriginalCall();
  const auto abandon = AbandonCall();
  {
    StoreHold hold(*store_);
    chain_->Run(*original);
    chain_->Run(*abandon);
    EXPECT_FALSE(abandon->ended());
  }
  EXPECT_EQ(original->Result(), "executed");
  EXPECT_EQ(TokenIn(*abandon).state(), idempotency::v1::TOKEN_STATE_EXECUTED);
  EXPECT_EQ(TokenIn(*abandon).reply(), AnswerTo(*original).bytes);
  EXPECT_EQ(Place().bytes, AnswerTo(*original).bytes);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(AbandonTokenTest, C20_BetweenTwoAttemptsTheFirstOneDecides) {
  const auto first = OriginalCall();
  const auto abandon = AbandonCall();
  const auto second = OriginalCall();
  {
    StoreHold hold(*store_);
    chain_->Run(*first);
    chain_->Run(*abandon);
    chain_->Run(*second);
  }
  EXPECT_EQ(first->Result(), "executed");
  EXPECT_EQ(TokenIn(*abandon).state(), idempotency::v1::TOKEN_STATE_EXECUTED);
  EXPECT_EQ(second->Result(), "replayed");
  EXPECT_EQ(AnswerTo(*second).bytes, AnswerTo(*first).bytes);
}

TEST_F(AbandonTokenTest, C12_AfterAnAttemptThatFailedTheTokenIsFenced) {
  orders_.handler_hook = [](const CallContext&, Transaction&) { return Refuse(Reason::kQuotaExceeded, "no more"); };
  const auto failing = OriginalCall();
  const auto abandon = AbandonCall();
  const auto retry = OriginalCall();
  {
    StoreHold hold(*store_);
    chain_->Run(*failing);
    chain_->Run(*abandon);
    chain_->Run(*retry);
  }
  EXPECT_EQ(failing->Result(), "QUOTA_EXCEEDED");
  EXPECT_EQ(TokenIn(*abandon).state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  EXPECT_EQ(retry->Result(), "CLIENT_TOKEN_ABANDONED");
}

// Its slow part is under way when the token is abandoned.
TEST_F(AbandonTokenTest, C20_AnOriginalThatIsBeingPreparedIsRefused) {
  absl::Notification preparing;
  absl::Notification abandoned;
  orders_.prepare_hook = [&](const CallContext&) {
    preparing.Notify();
    abandoned.WaitForNotification();
    return absl::OkStatus();
  };
  FakeCall original(orders_.engrave_order(), OrderOf("pencil", "token"));
  chain_->Run(original);
  preparing.WaitForNotification();
  EXPECT_EQ(Abandon(kMine)->state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  abandoned.Notify();
  EXPECT_EQ(original.Result(), "CLIENT_TOKEN_ABANDONED");
  EXPECT_EQ(orders_.runs(), 0);
}

TEST_F(AbandonTokenTest, C20_BetweenTwoRunsOfTheOriginalsTransactionItIsRefused) {
  Token abandoned;
  faulty_->RunBodiesTwice([&] {
    const auto abandon = AbandonCall();
    const TestChain sound(*store_, {.clock = &clock_});
    sound.Run(*abandon);
    abandoned = TokenIn(*abandon);
  });
  EXPECT_EQ(Place().result, "CLIENT_TOKEN_ABANDONED");
  EXPECT_EQ(abandoned.state(), idempotency::v1::TOKEN_STATE_ABANDONED);
  EXPECT_THAT(Orders(), IsEmpty());
}

TEST_F(AbandonTokenTest, C20_OfManyAtTheSameTimeOneKindWinsAndAllLearnWhich) {
  constexpr int kRounds = 20;
  constexpr int kOfEach = 8;
  for (int round = 0; round < kRounds; ++round) {
    const std::string token = absl::StrCat("token-", round);
    std::vector<std::unique_ptr<FakeCall>> calls;
    for (int i = 0; i < kOfEach; ++i) calls.push_back(OriginalCall(token));
    for (int i = 0; i < kOfEach; ++i) calls.push_back(AbandonCall(token));
    absl::Barrier all_at_once(2 * kOfEach);
    std::vector<std::thread> threads;
    threads.reserve(calls.size());
    for (const auto& call : calls) {
      threads.emplace_back([&] {
        all_at_once.Block();
        chain_->Run(*call);
      });
    }
    for (std::thread& thread : threads) thread.join();

    std::vector<std::string> results;
    std::vector<int> states;
    for (int i = 0; i < kOfEach; ++i) results.push_back(calls[i]->Result());
    for (int i = kOfEach; i < 2 * kOfEach; ++i) states.push_back(TokenIn(*calls[i]).state());
    const auto executed = std::count(results.begin(), results.end(), "executed");
    if (executed == 1) {
      EXPECT_EQ(std::count(results.begin(), results.end(), "replayed"), kOfEach - 1);
      EXPECT_THAT(states, Each(idempotency::v1::TOKEN_STATE_EXECUTED));
    } else {
      EXPECT_THAT(results, Each("CLIENT_TOKEN_ABANDONED"));
      EXPECT_THAT(states, Each(idempotency::v1::TOKEN_STATE_ABANDONED));
    }
    EXPECT_EQ(Get("client_token: '" + token + "'")->state(), states.front());
  }
  EXPECT_EQ(Orders().size(), static_cast<size_t>(orders_.runs()));
}

TEST_F(AbandonTokenTest, C18_WhatCannotBeWrittenIsNotToldAsAbandoned) {
  faulty_->FailExecutions(absl::UnavailableError("disk"));
  EXPECT_THAT(Abandon(kMine), HasReason(Reason::kTokenStoreUnavailable));
  faulty_->FailExecutions(absl::OkStatus());
  EXPECT_EQ(Place().result, "executed");
}

TEST_F(AbandonTokenTest, C19_ACallThatIsGivenUpBeforeItStartsFencesNothing) {
  const auto abandon = AbandonCall();
  {
    StoreHold hold(*store_);
    chain_->Run(*abandon);
    abandon->Cancel();
  }
  EXPECT_EQ(abandon->Result(), "CANCELLED");
  EXPECT_EQ(Place().result, "executed");
}

TEST_F(AbandonTokenTest, BadInputIsNamedAndFencesNothing) {
  for (const std::string& token : {std::string(), std::string("to ken"), std::string(65, 't')}) {
    const auto refused = Abandon("client_token: '" + token + "'");
    EXPECT_THAT(refused, HasReason(Reason::kInvalidClientToken));
    EXPECT_THAT(FieldsOf(refused.status()), ElementsAre("client_token"));
  }
  EXPECT_THAT(FieldsOf(Abandon("client_token: 'token' region: 'nowhere'").status()), ElementsAre("region"));
  EXPECT_THAT(FieldsOf(Abandon("client_token: 'token' availability_zone: 'roof'").status()),
              ElementsAre("availability_zone"));
  EXPECT_EQ(DurableRowCount(*store_, Table::kTokens), 0);
}

}  // namespace
}  // namespace hapax
