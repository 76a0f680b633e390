#include "hapax/server/chain.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/test_ledger.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_api_keys.h"

// The order of checks (C21): of two things that are wrong with a call, the one that is looked at first is
// the answer.
namespace hapax {
namespace {

constexpr char kUndecodable[] = "\xFF";

std::string Deposit(const std::string& token, const std::string& more = "") {
  return FromText<test::v1::DepositRequest>("client_token: '" + token + "' account: 'a' amount: 5 " + more)
      .SerializeAsString();
}

class BuildChainTest : public testing::Test {
 protected:
  BuildChainTest()
      : ledger_(ApiKeyAuthenticatorOf(ApiKeyLine("tenant", "writer") + ApiKeyLine("tenant", "reader", "read"))) {}

  RawReply Call(const std::string& request, const std::string& api_key = ApiKeyOf("writer")) {
    return RawClient(ledger_.port()).Call("/hapax.test.v1.Ledger/Deposit", request, {{"x-api-key", api_key}});
  }

  TestLedger ledger_;
};

TEST_F(BuildChainTest, C21AStrangerLearnsNothingElse) {
  ledger_.gate().Close();
  EXPECT_EQ(Call(kUndecodable, "wrong").reason(), "hapax/UNAUTHENTICATED");
}

TEST_F(BuildChainTest, AFullServerDoesNotDecode) {
  ledger_.gate().Close();
  EXPECT_EQ(Call(kUndecodable).reason(), "hapax/TOKEN_STORE_UNAVAILABLE");
}

TEST_F(BuildChainTest, C21WhatCannotBeDecodedHasNoToken) {
  const RawReply reply = Call(kUndecodable);
  EXPECT_EQ(reply.reason(), "hapax/INVALID_PARAMETER");
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BuildChainTest, C21TheTokensFormatComesBeforeItsLookUp) {
  EXPECT_EQ(Call(Deposit("with a space")).reason(), "hapax/INVALID_CLIENT_TOKEN");
}

TEST_F(BuildChainTest, C21TheTokenComesBeforeTheHandlersChecks) {
  ASSERT_EQ(Call(Deposit("token")).outcome(), "executed");
  ledger_.service().EndWith(RefuseField(Reason::kQuotaExceeded, "amount", "must be less just now"));
  EXPECT_EQ(Call(Deposit("token")).outcome(), "replayed");
  EXPECT_EQ(Call(Deposit("token", "memo: 'other'")).reason(), "hapax/IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(Call(Deposit("new")).reason(), "hapax/QUOTA_EXCEEDED");
}

TEST_F(BuildChainTest, ACallThatNamesNoRegionIsInTheDefaultOne) {
  ASSERT_EQ(Call(Deposit("token")).outcome(), "executed");
  EXPECT_EQ(Call(Deposit("token", "region: 'here'")).outcome(), "replayed");
  EXPECT_EQ(Call(Deposit("token", "region: 'there'")).outcome(), "executed");
}

TEST_F(BuildChainTest, EveryEndIsCounted) {
  static_cast<void>(Call(Deposit("token"), "wrong"));
  static_cast<void>(Call(kUndecodable));
  for (int i = 0; i < 3; ++i) static_cast<void>(Call(Deposit("token")));
  static_cast<void>(Call(Deposit("")));
  static_cast<void>(
      RawClient(ledger_.port()).Call("/hapax.test.v1.Ledger/GetBalance", "", {{"x-api-key", ApiKeyOf("reader")}}));
  ledger_.gate().Close();
  static_cast<void>(Call(Deposit("token")));
  EXPECT_EQ(ledger_.Counted("Deposit", "UNAUTHENTICATED"), 1);
  EXPECT_EQ(ledger_.Counted("Deposit", "INVALID_PARAMETER"), 1);
  EXPECT_EQ(ledger_.Counted("Deposit", "executed"), 1);
  EXPECT_EQ(ledger_.Counted("Deposit", "replayed"), 2);
  EXPECT_EQ(ledger_.Counted("Deposit", "unprotected"), 1);
  EXPECT_EQ(ledger_.Counted("Deposit", "TOKEN_STORE_UNAVAILABLE"), 1);
  EXPECT_EQ(ledger_.Counted("GetBalance", "ok"), 1);
}

TEST_F(BuildChainTest, NoCallStaysInFlight) {
  static_cast<void>(Call(Deposit("token"), "wrong"));
  static_cast<void>(Call(kUndecodable));
  static_cast<void>(Call(Deposit("token")));
  ledger_.service().EndWith(absl::InternalError("out of order"));
  static_cast<void>(Call(Deposit("other")));
  ledger_.gate().AwaitIdle(absl::InfiniteDuration());
}

}  // namespace
}  // namespace hapax
