#include "payments.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/testing/fake_context.h"
#include "hapax/testing/repeat.h"
#include "hapax/testing/test_host.h"
#include "payments/v1/payments.pb.h"

// Tests of the payments service with the kit of docs/testing_your_service.md.
namespace {

using hapax::TestHost;
using testing::HasSubstr;
using namespace payments::v1;

ChargeRequest ChargeOf(int cents) {
  ChargeRequest request;
  request.set_account("anna");
  request.set_cents(cents);
  return request;
}

class PaymentsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host_.Start({payments_.get()}).ok()); }

  const std::unique_ptr<hapax::HostedService> payments_ = MakePayments();
  TestHost host_;
};

TEST_F(PaymentsTest, ARetryIsReplayedAndChargesNothing) {
  const auto first = host_.Call<ChargeResponse>(ChargeOf(100), {.token = "order-1"});
  EXPECT_EQ(first.outcome, "executed");
  EXPECT_EQ(first.reply.total_cents(), 100);

  const auto again = host_.Call<ChargeResponse>(ChargeOf(100), {.token = "order-1"});
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.bytes, first.bytes);

  const auto other = host_.Call<ChargeResponse>(ChargeOf(200), {.token = "order-1"});
  EXPECT_EQ(other.reason, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(other.retry, "new-token");

  GetAccountRequest request;
  request.set_account("anna");
  EXPECT_EQ(host_.Call<GetAccountResponse>(request).reply.account().charges(), 1);
}

TEST_F(PaymentsTest, ARefusalNamesTheFieldAndLeavesTheTokenFree) {
  const auto refused = host_.Call<ChargeResponse>(ChargeOf(0), {.token = "order-1"});
  EXPECT_EQ(refused.reason, "INVALID_PARAMETER");
  EXPECT_EQ(refused.retry, "never");
  EXPECT_EQ(refused.status.message(), "cents: must be at least 1");
  EXPECT_EQ(host_.Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "executed");
}

TEST_F(PaymentsTest, ATokenProtectsForADay) {
  EXPECT_EQ(host_.Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "executed");
  host_.clock().Advance(absl::Hours(23));
  EXPECT_EQ(host_.Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "replayed");
  host_.clock().Advance(absl::Hours(2));
  EXPECT_EQ(host_.Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).reason, "CLIENT_TOKEN_EXPIRED");
}

TEST_F(PaymentsTest, TenantsDoNotMeet) {
  EXPECT_EQ(host_.Call<ChargeResponse>(ChargeOf(1), {.token = "t", .tenant = "shop"}).reply.charge_number(), 1);
  EXPECT_EQ(host_.Call<ChargeResponse>(ChargeOf(1), {.token = "t", .tenant = "bakery"}).reply.charge_number(), 1);
}

TEST(PaymentsRestartTest, ARetryIsReplayedAfterARestart) {
  const auto payments = MakePayments();
  hapax::ManualClock clock;
  std::shared_ptr<hapax::MemoryTables> tables;
  {
    TestHost host({.clock = &clock});
    ASSERT_TRUE(host.Start({payments.get()}).ok());
    EXPECT_EQ(host.Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "executed");
    tables = host.tables();
  }
  TestHost host({.tables = tables, .clock = &clock});
  ASSERT_TRUE(host.Start({payments.get()}).ok());
  EXPECT_EQ(host.Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "replayed");
}

// What the kit is for: a handler that counts by itself, and not in its rows, is found by its first call.
TEST(PaymentsFaultTest, AHandlerThatIsNotRepeatableIsFound) {
  int charges = 0;
  hapax::HostedService faulty(*ChargeRequest::descriptor()->file()->FindServiceByName("Payments"));
  faulty.Mutation<ChargeRequest, ChargeResponse>(
      "Charge", [&](const hapax::CallContext&, hapax::Transaction&, const ChargeRequest&, ChargeResponse* response) {
        response->set_charge_number(++charges);
        return absl::OkStatus();
      });
  faulty.Read<GetAccountRequest, GetAccountResponse>(
      "GetAccount", [](const hapax::CallContext&, const hapax::ReadTransaction&, const GetAccountRequest&,
                       GetAccountResponse*) { return absl::OkStatus(); });
  const auto found = hapax::CallOnce<ChargeResponse>(faulty, "Charge", ChargeOf(1), "order-1");
  EXPECT_EQ(found.status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(found.status.message()),
              HasSubstr("payments.v1.Payments/Charge is not repeatable: reply, from a first run to a second one: "
                        "modified: charge_number: 1 -> 2"));
}

// Code without a service around it: a body, on a store and with a context of the test's own.
TEST(PaymentsBodyTest, ABodyIsRunTwiceAndCommittedOnce) {
  const auto store = hapax::MakeMemoryStore();
  const hapax::CallContext context = hapax::FakeContext({.tenant = "shop"});
  const auto count = [&](hapax::Transaction& txn) -> absl::Status {
    const auto row = txn.Get(hapax::Table::kResources, context.tenant);
    if (!row.ok()) return row.status();
    txn.Put(hapax::Table::kResources, context.tenant, row->value_or("") + "I");
    return absl::OkStatus();
  };
  EXPECT_TRUE(hapax::ExecuteTwice(*store, "payments.v1.Payments", count).ok());
  EXPECT_TRUE(hapax::ExecuteTwice(*store, "payments.v1.Payments", [&](hapax::Transaction& txn) -> absl::Status {
                EXPECT_EQ(txn.Get(hapax::Table::kResources, "shop")->value_or(""), "I");
                return count(txn);
              }).ok());
}

}  // namespace
