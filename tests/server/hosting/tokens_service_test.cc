#include "hapax/server/hosting/tokens_service.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/tokens_fixture.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/token_made_at.h"

// GetToken and GetPolicy (C28).
namespace hapax {
namespace {

using idempotency::v1::GetPolicyResponse;
using idempotency::v1::Token;
using testing::ElementsAre;

constexpr char kDeposit[] = "client_token: 'token' account: 'a' amount: 5 memo: 'memo'";
constexpr char kMine[] = "client_token: 'token'";
constexpr absl::Duration kTick = absl::Microseconds(1);

Token FreeToken(const std::string& token, const std::string& region, const std::string& zone) {
  Token free;
  free.set_client_token(token);
  free.set_region(region);
  free.set_availability_zone(zone);
  free.set_state(idempotency::v1::TOKEN_STATE_FREE);
  return free;
}

auto IsFree(const std::string& region = "home", const std::string& zone = "") {
  return IsOkAndHolds(EqualsProto(FreeToken("token", region, zone)));
}

class GetTokenTest : public TokensFixture {
 protected:
  // kDeposit's token, that is executed now.
  Token ExecutedToken() const {
    Token token = FreeToken("token", "home", "");
    token.set_state(idempotency::v1::TOKEN_STATE_EXECUTED);
    token.set_method("hapax.test.v1.Ledger/Deposit");
    *token.mutable_execute_time() = ToTimestamp(clock_.Now());
    *token.mutable_expire_time() = ToTimestamp(clock_.Now() + absl::Hours(24));
    token.set_reply_type("hapax.test.v1.DepositResponse");
    return token;
  }
};

TEST_F(GetTokenTest, C28_ATokenThatWasNeverUsedIsFreeAndStaysSo) {
  EXPECT_THAT(Get(kMine), IsFree());
  EXPECT_THAT(Get(kMine), IsFree());
  EXPECT_EQ(Deposit(kDeposit).result, "executed");
}

TEST_F(GetTokenTest, C28_AnExecutedOneHasMethodTimesAndTheReplyThatWasSent) {
  Token expected = ExecutedToken();
  expected.set_reply(Deposit(kDeposit).bytes);
  clock_.Advance(absl::Hours(24) - kTick);
  EXPECT_THAT(Get(kMine), IsOkAndHolds(EqualsProto(expected)));
  EXPECT_EQ(Deposit(kDeposit).bytes, expected.reply());
}

TEST_F(GetTokenTest, C28_AFailedAttemptLeavesItFree) {
  ledger_.EndWith(Refuse(Reason::kQuotaExceeded, "no more"));
  ASSERT_EQ(Deposit(kDeposit).result, "QUOTA_EXCEEDED");
  EXPECT_THAT(Get(kMine), IsFree());
}

TEST_F(GetTokenTest, C4_EachScopeHasItsOwn) {
  const std::string deposit = kDeposit;
  const Answer regional = Deposit(deposit);
  const Answer zonal = Deposit(deposit + " region: 'home' zone: 'cellar'");
  EXPECT_THAT(Get("client_token: 'token' region: 'away'"), IsFree("away"));
  EXPECT_THAT(Get("client_token: 'token' availability_zone: 'attic'"), IsFree("away", "attic"));
  EXPECT_EQ(Get(kMine)->reply(), regional.bytes);
  EXPECT_EQ(Get("client_token: 'token' region: 'home'")->reply(), regional.bytes);
  const auto found = Get("client_token: 'token' availability_zone: 'cellar'");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->reply(), zonal.bytes);
  EXPECT_EQ(found->region(), "home");
  EXPECT_EQ(found->availability_zone(), "cellar");
}

TEST_F(GetTokenTest, C4_AnotherTenantLearnsNothing) {
  ASSERT_EQ(Deposit(kDeposit, "ours").result, "executed");
  EXPECT_THAT(Get(kMine, "theirs"), IsFree());
  EXPECT_EQ(Get(kMine, "ours")->state(), idempotency::v1::TOKEN_STATE_EXECUTED);
}

TEST_F(GetTokenTest, C25_ASecretReplyIsGivenToItsOwner) {
  const Answer first = Stash(kDeposit);
  ASSERT_EQ(first.result, "executed");
  const auto token = Get(kMine);
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->reply(), first.bytes);
  EXPECT_EQ(token->method(), "hapax.test.v1.Vault/Stash");
  EXPECT_EQ(token->reply_type(), "hapax.test.v1.DepositResponse");
  Restart();
  EXPECT_EQ(Get(kMine)->reply(), first.bytes);
}

TEST_F(GetTokenTest, C18_ASecretReplyWithoutItsKeyIsUnavailable) {
  ASSERT_EQ(Stash(kDeposit).result, "executed");
  seal_key_file_ = SealKeys::NewFile("another");
  Restart();
  EXPECT_THAT(Get(kMine), HasReason(Reason::kTokenStoreUnavailable));
}

TEST_F(GetTokenTest, C18_ADamagedRecordIsDataLoss) {
  ASSERT_EQ(Deposit(kDeposit).result, "executed");
  const std::string key = EncodeTokenKey({.tenant = "default", .region = "home", .zone = "", .token = "token"});
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(Table::kTokens, key, "damaged");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(Get(kMine), HasReason(Reason::kTokenRecordCorrupt));
  EXPECT_THAT(Abandon(kMine), HasReason(Reason::kTokenRecordCorrupt));
}

TEST_F(GetTokenTest, C17_AnExpiredOneHasNoReplyWhetherCompactedOrNot) {
  Token expected = ExecutedToken();
  expected.set_state(idempotency::v1::TOKEN_STATE_EXPIRED);
  expected.clear_reply_type();
  ASSERT_EQ(Deposit(kDeposit).result, "executed");
  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(Get(kMine), IsOkAndHolds(EqualsProto(expected)));
  ASSERT_THAT(store_->Compact(), IsOk());
  EXPECT_THAT(Get(kMine), IsOkAndHolds(EqualsProto(expected)));
  clock_.Advance(30 * absl::Hours(24) - kTick);
  EXPECT_THAT(Get(kMine), IsOkAndHolds(EqualsProto(expected)));
}

TEST_F(GetTokenTest, C17_AForgottenOneIsFreeWhetherCompactedOrNot) {
  ASSERT_EQ(Deposit(kDeposit).result, "executed");
  clock_.Advance(31 * absl::Hours(24));
  EXPECT_THAT(Get(kMine), IsFree());
  ASSERT_THAT(store_->Compact(), IsOk());
  EXPECT_THAT(Get(kMine), IsFree());
}

TEST_F(GetTokenTest, C17_TheMethodsOwnRetentionCounts) {
  ASSERT_EQ(Stash(kDeposit).result, "executed");
  EXPECT_EQ(FromTimestamp(Get(kMine)->expire_time()), clock_.Now() + absl::Hours(1));
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Get(kMine)->state(), idempotency::v1::TOKEN_STATE_EXPIRED);
}

TEST_F(GetTokenTest, C17_AUuidOfVersion7ThatIsTooOldIsExpiredThoughNothingIsKnownOfIt) {
  const std::string uuid = TokenMadeAt(clock_.Now());
  clock_.Advance(absl::Hours(24) - kTick);
  EXPECT_THAT(Get("client_token: '" + uuid + "'"), IsOkAndHolds(EqualsProto(FreeToken(uuid, "home", ""))));
  clock_.Advance(kTick);
  Token expired = FreeToken(uuid, "home", "");
  expired.set_state(idempotency::v1::TOKEN_STATE_EXPIRED);
  EXPECT_THAT(Get("client_token: '" + uuid + "'"), IsOkAndHolds(EqualsProto(expired)));
}

TEST_F(GetTokenTest, C2_ABadTokenIsNamed) {
  for (const std::string& token : {std::string(), std::string("to ken"), std::string(65, 't')}) {
    const auto got = Get("client_token: '" + token + "'");
    EXPECT_THAT(got, HasReason(Reason::kInvalidClientToken));
    EXPECT_THAT(FieldsOf(got.status()), ElementsAre("client_token")) << token;
  }
}

TEST_F(GetTokenTest, ABadPlaceIsNamed) {
  const auto region = Get("client_token: 'token' region: 'nowhere'");
  EXPECT_THAT(region, HasReason(Reason::kUnknownRegion));
  EXPECT_THAT(FieldsOf(region.status()), ElementsAre("region"));
  const auto zone = Get("client_token: 'token' availability_zone: 'roof'");
  EXPECT_THAT(zone, HasReason(Reason::kUnknownAvailabilityZone));
  EXPECT_THAT(FieldsOf(zone.status()), ElementsAre("availability_zone"));
  const auto both = Get("client_token: 'token' region: 'home' availability_zone: 'attic'");
  EXPECT_THAT(both, HasReason(Reason::kInvalidParameter));
}

TEST_F(GetTokenTest, C18_AStoreThatCannotBeReadIsUnavailable) {
  faulty_->FailQueries(absl::UnavailableError("disk"));
  EXPECT_THAT(Get(kMine), HasReason(Reason::kTokenStoreUnavailable));
}

class GetPolicyTest : public TokensFixture {};

TEST_F(GetPolicyTest, C28_SaysWhatATokenIsAndHowLongARetryIsSafe) {
  policy_ = {.retention = absl::Minutes(90), .tombstone_retention = absl::Hours(2) + absl::Milliseconds(5)};
  Restart();
  EXPECT_THAT(GetPolicy(), IsOkAndHolds(EqualsProto(FromText<GetPolicyResponse>(R"(
    max_token_length: 64
    token_pattern: '[!-~]{1,64}'
    retention { seconds: 5400 }
    tombstone_retention { seconds: 7200 nanos: 5000000 }
    methods { method: 'hapax.test.v1.Vault/Stash' retention { seconds: 3600 } }
    default_region: 'home'
    max_abandoned_tokens_per_tenant: 100000
  )"))));
}

TEST_F(GetPolicyTest, C28_WhatItSaysOfTokensIsSo) {
  const auto policy = GetPolicy();
  ASSERT_THAT(policy, IsOk());
  const auto longest = static_cast<size_t>(policy->max_token_length());
  EXPECT_EQ(Deposit("client_token: '" + std::string(longest, '!') + "'").result, "executed");
  EXPECT_EQ(Deposit("client_token: '" + std::string(longest + 1, '!') + "'").result, "INVALID_CLIENT_TOKEN");
}

}  // namespace
}  // namespace hapax
