#include "hapax/testing/test_host.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/token_made_at.h"
#include "hapax/tests/testing/test_ledger_service.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class TestHostTest : public testing::Test {
 protected:
  TestHostTest() { EXPECT_THAT(host_.Start({&ledger_.hosted()}), IsOk()); }

  TestReply<DepositResponse> Deposit(int64_t amount, TestCallOptions options = {}) {
    options.method = "Deposit";
    return host_.Call<DepositResponse>(DepositOf(amount), options);
  }
  int64_t Balance() {
    GetBalanceRequest request;
    request.set_account("anna");
    const auto got = host_.Call<GetBalanceResponse>(request);
    EXPECT_THAT(got.status, IsOk());
    EXPECT_EQ(got.outcome, "");
    return got.reply.balance();
  }

  TestLedgerService ledger_;
  TestHost host_;
};

TEST_F(TestHostTest, C8_C9_C10_ACallIsExecutedItsRetryReplayedAndAnotherRefused) {
  const auto first = Deposit(100, {.token = "t"});
  EXPECT_THAT(first.status, IsOk());
  EXPECT_EQ(first.outcome, "executed");
  EXPECT_EQ(first.reply.balance(), 100);
  const auto again = Deposit(100, {.token = "t"});
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.bytes, first.bytes);
  const auto other = Deposit(200, {.token = "t"});
  EXPECT_THAT(other.status, StatusIs(StatusCode::kInvalidArgument, HasSubstr("amount")));
  EXPECT_EQ(other.reason, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(other.retry, "new-token");
  EXPECT_EQ(other.outcome, "");
  EXPECT_EQ(Balance(), 100);
}

TEST_F(TestHostTest, C1_C3_TheTokenMayBeTheRequestsOwnAndACallWithoutIsUnprotected) {
  DepositRequest request = DepositOf(100);
  request.set_client_token("t");
  EXPECT_EQ(host_.Call<DepositResponse>(request, {.method = "Deposit"}).outcome, "executed");
  EXPECT_EQ(Deposit(100, {.token = "t"}).outcome, "replayed");
  EXPECT_EQ(host_.Call<DepositResponse>(request, {.token = "u", .method = "Deposit"}).reason, "CLIENT_TOKEN_CONFLICT");
  EXPECT_EQ(Deposit(100, {.metadata = {{"idempotency-key", "\"t\""}}}).outcome, "replayed");
  EXPECT_EQ(Deposit(100).outcome, "unprotected");
  EXPECT_EQ(Balance(), 200);
}

TEST_F(TestHostTest, C12_AHandlersRefusalIsWhatAClientSeesAndTheTokenStaysFree) {
  const auto refused = Deposit(-1, {.token = "t"});
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kInvalidArgument, "amount: must not be negative"));
  EXPECT_EQ(refused.reason, "INVALID_PARAMETER");
  EXPECT_EQ(refused.retry, "never");
  EXPECT_THAT(refused.bytes, IsEmpty());
  EXPECT_EQ(Deposit(1, {.token = "t"}).outcome, "executed");
}

TEST_F(TestHostTest, AHandlersOwnErrorKeepsItsReasonAndWhatIsNotSentIsNotThere) {
  ledger_.hook = [](const CallContext&, Transaction&, DepositResponse*) {
    external::rpc::ErrorInfo info;
    info.set_domain("ledger");
    info.set_reason("CLOSED");
    absl::Status error = absl::UnavailableError("the ledger is closed");
    error.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(info.SerializeAsString()));
    return error;
  };
  const auto refused = Deposit(1, {.token = "t"});
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kUnavailable, "the ledger is closed"));
  EXPECT_EQ(refused.reason, "CLOSED");
  EXPECT_EQ(refused.retry, "same-token");
  ledger_.hook = [](const CallContext&, Transaction& txn, DepositResponse*) {
    return txn.Scan(Table::kResources, KeyRange(), [](std::string_view, std::string_view) { return true; });
  };
  EXPECT_EQ(Deposit(1, {.token = "t"}).outcome, "executed");
}

TEST_F(TestHostTest, TheCauseOfAFaultIsToldAndLoggedAndNotSent) {
  ledger_.hook = [](const CallContext&, Transaction&, DepositResponse*) -> absl::Status {
    throw std::runtime_error("no such account");
  };
  testing::internal::CaptureStderr();
  const auto failed = Deposit(1, {.token = "t"});
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("\"method\":\"hapax.test.v1.Ledger/Deposit\""), HasSubstr("no such account")));
  EXPECT_THAT(failed.status, StatusIs(StatusCode::kInternal, testing::Not(HasSubstr("no such account"))));
  EXPECT_THAT(failed.cause, HasSubstr("no such account"));
  EXPECT_THAT(Deposit(-1).cause, IsEmpty());
}

TEST_F(TestHostTest, C4_TenantsHaveTokensAndRolesOfTheirOwn) {
  EXPECT_EQ(Deposit(1, {.token = "t", .tenant = "anna"}).outcome, "executed");
  EXPECT_EQ(Deposit(2, {.token = "t", .tenant = "bob"}).outcome, "executed");
  const auto refused = Deposit(1, {.token = "t", .tenant = "anna", .role = Role::kRead});
  EXPECT_EQ(refused.reason, "PERMISSION_DENIED");
  EXPECT_EQ(refused.retry, "never");
  EXPECT_EQ(Deposit(1, {.tenant = "not a tenant"}).reason, "INVALID_PARAMETER");
}

TEST_F(TestHostTest, C6_C17_PlaceAndTimeAreTheTests) {
  DepositRequest elsewhere = DepositOf(1);
  elsewhere.set_region("elsewhere");
  EXPECT_EQ(Deposit(1, {.token = "t"}).outcome, "executed");
  EXPECT_EQ(host_.Call<DepositResponse>(elsewhere, {.token = "t", .method = "Deposit"}).outcome, "executed");
  host_.clock().Advance(absl::Hours(23));
  EXPECT_EQ(Deposit(1, {.token = "t"}).outcome, "replayed");
  host_.clock().Advance(absl::Hours(2));
  EXPECT_EQ(Deposit(1, {.token = "t"}).reason, "CLIENT_TOKEN_EXPIRED");
  const std::string timed = TokenMadeAt(host_.clock().Now() - absl::Hours(25));
  EXPECT_EQ(Deposit(1, {.token = timed}).reason, "CLIENT_TOKEN_EXPIRED");
  EXPECT_EQ(Deposit(1, {.deadline = host_.clock().Now() - absl::Seconds(1)}).reason, "DEADLINE_EXCEEDED");
}

TEST_F(TestHostTest, APreparationIsMadeOnceAndOnlyForATokenThatIsNew) {
  const auto seal = [&] { return host_.Call<DepositResponse>(DepositOf(1), {.token = "t", .method = "Seal"}); };
  EXPECT_EQ(seal().reply.receipt(), 1);
  const auto again = seal();
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.reply.receipt(), 1);
  EXPECT_EQ(ledger_.preparations(), 1);
}

TEST_F(TestHostTest, C11_OfDuplicatesAtOnceOneIsExecutedAndAllGetTheSameBytes) {
  std::vector<TestReply<DepositResponse>> replies(8);
  std::vector<std::thread> threads;
  for (auto& reply : replies) threads.emplace_back([&] { reply = Deposit(100, {.token = "t"}); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(
      std::count_if(replies.begin(), replies.end(), [](const auto& reply) { return reply.outcome == "executed"; }), 1);
  for (const auto& reply : replies) EXPECT_EQ(reply.bytes, replies.front().bytes);
  EXPECT_EQ(Balance(), 100);
}

TEST_F(TestHostTest, C20_C28_ClientsMayAskForTokensAndGiveThemUp) {
  EXPECT_EQ(Deposit(1, {.token = "used"}).outcome, "executed");
  idempotency::v1::GetTokenRequest get;
  get.set_client_token("used");
  const auto found = host_.Call<idempotency::v1::GetTokenResponse>(get);
  EXPECT_THAT(found.status, IsOk());
  EXPECT_EQ(found.reply.token().method(), "hapax.test.v1.Ledger/Deposit");
  idempotency::v1::AbandonTokenRequest abandon;
  abandon.set_client_token("late");
  EXPECT_THAT(host_.Call<idempotency::v1::AbandonTokenResponse>(abandon).status, IsOk());
  EXPECT_EQ(Deposit(1, {.token = "late"}).reason, "CLIENT_TOKEN_ABANDONED");
}

TEST_F(TestHostTest, AMethodIsFoundByItsTypesOrItsName) {
  const auto ambiguous = host_.Call<DepositResponse>(DepositOf(1));
  EXPECT_THAT(ambiguous.status, StatusIs(StatusCode::kUnimplemented, AllOf(HasSubstr("hapax.test.v1.Ledger/Deposit"),
                                                                           HasSubstr("hapax.test.v1.Ledger/Seal"))));
  EXPECT_EQ(host_.Call<DepositResponse>(DepositOf(1), {.method = "hapax.test.v1.Ledger/Deposit"}).outcome,
            "unprotected");
  EXPECT_THAT(host_.Call<DepositResponse>(DepositOf(1), {.method = "Withdraw"}).status,
              StatusIs(StatusCode::kUnimplemented, HasSubstr("no method Withdraw from hapax.test.v1.DepositRequest")));
  EXPECT_THAT(host_.Call<GetBalanceResponse>(DepositOf(1)).status,
              StatusIs(StatusCode::kUnimplemented, HasSubstr("to hapax.test.v1.GetBalanceResponse")));
}

TEST_F(TestHostTest, C14_ALaterHostWithTheSameRowsReplays) {
  TestLedgerService after;
  ManualClock clock;
  std::shared_ptr<MemoryTables> tables;
  std::string first;
  {
    TestHost before({.clock = &clock});
    TestLedgerService ledger;
    ASSERT_THAT(before.Start({&ledger.hosted()}), IsOk());
    first = before.Call<DepositResponse>(DepositOf(1), {.token = "t", .method = "Deposit"}).bytes;
    tables = before.tables();
  }
  clock.Advance(absl::Hours(1));
  {
    TestHost changed({.default_region = "elsewhere", .tables = tables, .clock = &clock});
    EXPECT_THAT(changed.Start({&after.hosted()}),
                StatusIs(StatusCode::kFailedPrecondition, HasSubstr("hapax.test.v1.Ledger/Deposit")));
  }
  TestHost host({.tables = tables, .clock = &clock});
  ASSERT_THAT(host.Start({&after.hosted()}), IsOk());
  const auto again = host.Call<DepositResponse>(DepositOf(1), {.token = "t", .method = "Deposit"});
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.bytes, first);
  EXPECT_EQ(after.runs(), 0);
}

TEST(TestHostStartTest, C9_C25_ASecretReplyIsSealedAndReplayedByALaterHost) {
  HostedService vault(*DepositRequest::descriptor()->file()->FindServiceByName("Vault"));
  vault.Mutation<DepositRequest, DepositResponse>(
      "Stash", [](const CallContext&, Transaction&, const DepositRequest& request, DepositResponse* response) {
        response->set_memo(request.memo());
        return absl::OkStatus();
      });
  DepositRequest request;
  request.set_memo("a secret");
  ManualClock clock;
  std::shared_ptr<MemoryTables> tables;
  {
    TestHost before({.clock = &clock});
    ASSERT_THAT(before.Start({&vault}), IsOk());
    EXPECT_EQ(before.Call<DepositResponse>(request, {.token = "t"}).outcome, "executed");
    tables = before.tables();
  }
  TestHost host({.tables = tables, .clock = &clock});
  ASSERT_THAT(host.Start({&vault}), IsOk());
  const auto again = host.Call<DepositResponse>(request, {.token = "t"});
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.reply.memo(), "a secret");
}

TEST(TestHostStartTest, WhatIsWrongWithAServiceIsSaidAsByAServer) {
  HostedService unfinished(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger"));
  EXPECT_THAT(TestHost().Start({&unfinished}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("hapax.test.v1.Ledger/Deposit needs exactly one")));
  TestLedgerService one;
  TestLedgerService two;
  EXPECT_THAT(TestHost().Start({&one.hosted(), &two.hosted()}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("hapax.test.v1.Ledger: is hosted twice")));
  TestHost host;
  EXPECT_THAT(host.Start({&one.hosted()}), IsOk());
  EXPECT_THAT(host.Start({&one.hosted()}), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(TestHostStartTest, AStoreWithoutSqlHostsNoHandlerOfSql) {
  HostedService sql(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger"));
  for (const char* method : {"Deposit", "Seal"}) {
    sql.SqlMutation<DepositRequest, DepositResponse>(
        method,
        [](const CallContext&, SqlConnection&, const DepositRequest&, DepositResponse*) { return absl::OkStatus(); });
  }
  sql.Read<GetBalanceRequest, GetBalanceResponse>(
      "GetBalance", [](const CallContext&, const ReadTransaction&, const GetBalanceRequest&, GetBalanceResponse*) {
        return absl::OkStatus();
      });
  EXPECT_THAT(TestHost().Start({&sql}),
              StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("hapax.test.v1.Ledger/Deposit is an SqlMutation"),
                                                           HasSubstr("store=postgres"))));
}

TEST(TestHostStartTest, ACallBeforeASuccessfulStartSaysSo) {
  TestHost host;
  HostedService unfinished(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger"));
  EXPECT_THAT(host.Start({&unfinished}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(host.Call<DepositResponse>(DepositOf(1), {.method = "Deposit"}).status,
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("the host is not started")));
}

TEST(TestHostStartTest, OnceItIsStoppedItTakesNoCalls) {
  TestLedgerService ledger;
  TestHost host;
  ASSERT_THAT(host.Start({&ledger.hosted()}), IsOk());
  host.Stop();
  EXPECT_THAT(host.Call<DepositResponse>(DepositOf(1), {.method = "Deposit"}).status,
              StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(ledger.runs(), 0);
}

TEST(TestHostStartTest, LimitsAreTheTests) {
  TestLedgerService ledger;
  TestHost host({.token_policy = {.max_tokens_per_tenant = 1}});
  ASSERT_THAT(host.Start({&ledger.hosted()}), IsOk());
  EXPECT_EQ(host.Call<DepositResponse>(DepositOf(1), {.token = "t", .method = "Deposit"}).outcome, "executed");
  EXPECT_EQ(host.Call<DepositResponse>(DepositOf(1), {.token = "u", .method = "Deposit"}).reason, "QUOTA_EXCEEDED");
}

TEST(CallOnceTest, MakesOneCallOnAStoreOfItsOwn) {
  TestLedgerService ledger;
  for (int i = 0; i < 2; ++i) {
    const auto made = CallOnce<DepositResponse>(ledger.hosted(), "Deposit", DepositOf(100), "t");
    EXPECT_EQ(made.outcome, "executed");
    EXPECT_EQ(made.reply.balance(), 100);
  }
  HostedService unfinished(*DepositRequest::descriptor()->file()->FindServiceByName("Ledger"));
  EXPECT_THAT(CallOnce<DepositResponse>(unfinished, "Deposit", DepositOf(1)).status,
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hapax
