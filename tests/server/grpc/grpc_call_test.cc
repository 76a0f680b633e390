#include "hapax/server/grpc/grpc_call.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/interceptors/reason.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/raw_client.h"
#include "hapax/tests/server/support/test_ledger.h"
#include "hapax/tests/support/status_matchers.h"

// Calls over a real connection: what a client that knows nothing but bytes gets.
namespace hapax {
namespace {

using test::v1::DepositRequest;
using test::v1::DepositResponse;

constexpr char kDeposit[] = "/hapax.test.v1.Ledger/Deposit";
constexpr char kSeal[] = "/hapax.test.v1.Ledger/Seal";
constexpr char kGetBalance[] = "/hapax.test.v1.Ledger/GetBalance";

std::string Deposit(const std::string& token, const std::string& more = "") {
  return FromText<DepositRequest>("client_token: '" + token + "' account: 'a' amount: 5 " + more).SerializeAsString();
}

class GrpcCallTest : public testing::Test {
 protected:
  RawReply Call(const std::string& request, const RawMetadata& metadata = {}) {
    return RawClient(ledger_.port()).Call(kDeposit, request, metadata);
  }

  int64_t Balance() {
    const RawReply reply =
        RawClient(ledger_.port())
            .Call(kGetBalance, FromText<test::v1::GetBalanceRequest>("account: 'a'").SerializeAsString());
    EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
    test::v1::GetBalanceResponse response;
    EXPECT_TRUE(response.ParseFromString(reply.bytes));
    return response.balance();
  }

  // Runs `body` as a transaction and waits for its end.
  absl::Status Execute(Store::Body body) {
    absl::Status end;
    absl::Notification ended;
    ledger_.store().Execute(std::move(body), [&](absl::Status status) {
      end = std::move(status);
      ended.Notify();
    });
    ended.WaitForNotification();
    return end;
  }

  TestLedger ledger_;
};

TEST_F(GrpcCallTest, C26TheOutcomeIsInTheInitialMetadata) {
  const RawReply executed = Call(Deposit("token"));
  ASSERT_TRUE(executed.status.ok()) << executed.status.error_message();
  EXPECT_EQ(executed.outcome(), "executed");
  EXPECT_EQ(RawReply::One(executed.initial, "idempotent-replayed"), "none");
  EXPECT_EQ(executed.retry(), "none");

  const RawReply replayed = Call(Deposit("token"));
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.error_message();
  EXPECT_EQ(replayed.outcome(), "replayed");
  EXPECT_EQ(RawReply::One(replayed.initial, "idempotent-replayed"), "true");
  EXPECT_EQ(replayed.bytes, executed.bytes);

  const RawReply unprotected = Call(Deposit(""));
  ASSERT_TRUE(unprotected.status.ok()) << unprotected.status.error_message();
  EXPECT_EQ(unprotected.outcome(), "unprotected");
  EXPECT_EQ(RawReply::One(unprotected.initial, "idempotent-replayed"), "none");
  EXPECT_EQ(Balance(), 10);
}

TEST_F(GrpcCallTest, AReadHasNoOutcome) {
  const RawReply reply = RawClient(ledger_.port()).Call(kGetBalance, "");
  ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.outcome(), "none");
  EXPECT_EQ(reply.bytes, "");
}

// The bytes of the record need not even be a message any more.
TEST_F(GrpcCallTest, C9AReplayIsTheRecordsBytesVerbatim) {
  ASSERT_TRUE(Call(Deposit("token")).status.ok());
  const TokenKey key{.tenant = "default", .region = "here", .zone = "", .token = "token"};
  const std::string bytes("\xFF\0not a message", 15);
  ASSERT_THAT(Execute([&](Transaction& txn) -> absl::Status {
                auto record = FindToken(txn, key);
                if (!record.ok()) return record.status();
                EXPECT_TRUE(record->has_value());
                (*record)->set_reply(bytes);
                PutToken(txn, key, **record);
                return absl::OkStatus();
              }),
              IsOk());
  const RawReply replayed = Call(Deposit("token"));
  ASSERT_TRUE(replayed.status.ok()) << replayed.status.error_message();
  EXPECT_EQ(replayed.bytes, bytes);
  EXPECT_EQ(replayed.outcome(), "replayed");
}

TEST_F(GrpcCallTest, AnEmptyReplyIsExecutedAndReplayedEmpty) {
  for (const char* outcome : {"executed", "replayed"}) {
    const RawReply reply = Call(Deposit("token", "quiet: true"));
    ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
    EXPECT_EQ(reply.outcome(), outcome);
    EXPECT_EQ(reply.bytes, "");
  }
  EXPECT_EQ(Balance(), 5);
}

TEST_F(GrpcCallTest, AnEmptyRequestIsOne) {
  const RawReply reply = Call("");
  ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.outcome(), "unprotected");
}

// A message of this length does not arrive in one piece.
TEST_F(GrpcCallTest, ALongMessageArrivesWhole) {
  DepositRequest request = FromText<DepositRequest>("client_token: 'token' account: 'a' amount: 5");
  std::string memo;
  for (int i = 0; memo.size() < size_t{3} << 20; ++i) memo += absl::StrCat(i, ",");
  request.set_memo(memo);
  const RawReply executed = Call(request.SerializeAsString());
  ASSERT_TRUE(executed.status.ok()) << executed.status.error_message();
  DepositResponse response;
  ASSERT_TRUE(response.ParseFromString(executed.bytes));
  EXPECT_TRUE(response.memo() == memo);
  const RawReply replayed = Call(request.SerializeAsString());
  EXPECT_EQ(replayed.outcome(), "replayed");
  EXPECT_TRUE(replayed.bytes == executed.bytes);
  EXPECT_EQ(Balance(), 5);
}

TEST_F(GrpcCallTest, APreparedMutationIsPreparedAndReplayed) {
  const RawClient client(ledger_.port());
  const RawReply executed = client.Call(kSeal, Deposit("token", "memo: 'm'"));
  ASSERT_TRUE(executed.status.ok()) << executed.status.error_message();
  DepositResponse response;
  ASSERT_TRUE(response.ParseFromString(executed.bytes));
  EXPECT_EQ(response.memo(), "sealed m");
  const RawReply replayed = client.Call(kSeal, Deposit("token", "memo: 'm'"));
  EXPECT_EQ(replayed.outcome(), "replayed");
  EXPECT_EQ(replayed.bytes, executed.bytes);
}

// The table of the contract, each row over the wire.
TEST_F(GrpcCallTest, C27EveryReasonHasItsCodeDetailsAndVerdict) {
  for (const ReasonInfo& info : AllReasons()) {
    ledger_.service().EndWith(RefuseField(info.reason, "account", "must be another"));
    const RawReply reply = Call(Deposit(std::string(info.name)));
    EXPECT_EQ(static_cast<int>(reply.status.error_code()), static_cast<int>(info.code)) << info.name;
    EXPECT_EQ(reply.status.error_message(), "account: must be another") << info.name;
    EXPECT_EQ(reply.reason(), "hapax/" + std::string(info.name));
    EXPECT_EQ(reply.retry(), WireName(info.verdict)) << info.name;
    EXPECT_EQ(reply.outcome(), "none") << info.name;
    EXPECT_EQ(reply.bytes, "");
    external::rpc::BadRequest bad_request;
    ASSERT_TRUE(reply.Unpack(&bad_request)) << info.name;
    EXPECT_EQ(bad_request.field_violations(0).field(), "account");
  }
  ledger_.service().EndWith(absl::OkStatus());
  EXPECT_EQ(Balance(), 0);
}

TEST_F(GrpcCallTest, C27AHandlersOwnErrorArrivesAsItIsWithAVerdict) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status error(static_cast<absl::StatusCode>(code), "out of order");
    ledger_.service().EndWith(error);
    const RawReply reply = Call(Deposit("token"));
    EXPECT_EQ(static_cast<int>(reply.status.error_code()), code);
    EXPECT_EQ(reply.status.error_message(), "out of order");
    EXPECT_EQ(reply.retry(), WireName(VerdictOf(error)));
    external::rpc::ErrorInfo info;
    EXPECT_FALSE(reply.Unpack(&info)) << info.reason() << " is no reason of the handler's";
  }
  absl::Status declined = absl::ResourceExhaustedError("no funds");
  external::rpc::ErrorInfo info;
  info.set_domain("payments.example");
  info.set_reason("CARD_DECLINED");
  declined.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(info.SerializeAsString()));
  ledger_.service().EndWith(declined);
  EXPECT_EQ(Call(Deposit("token")).reason(), "payments.example/CARD_DECLINED");
}

// The server's clock is past the deadline, though the client's is not.
TEST_F(GrpcCallTest, C19AfterTheDeadlineNothingIsExecuted) {
  const absl::Time now = ledger_.clock().Now();
  ledger_.clock().Set(absl::Now() + absl::Hours(2));
  const RawReply late = RawClient(ledger_.port()).Call(kDeposit, Deposit("token"), {}, absl::Hours(1));
  EXPECT_EQ(late.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(late.retry(), "same-token");
  EXPECT_EQ(ledger_.service().runs(), 0);
  // A call without a deadline has all the time there is.
  EXPECT_EQ(Call(Deposit("token")).outcome(), "executed");
  ledger_.clock().Set(now);
}

}  // namespace
}  // namespace hapax
