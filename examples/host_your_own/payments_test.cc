#include "payments.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/testing/fake_context.h"
#include "hapax/testing/repeat.h"
#include "hapax/testing/test_host.h"
#include "payments/v1/payments.pb.h"

// Tests of the payments service with the kit of docs/testing_your_service.md.
namespace {

using hapax::TestHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace payments::v1;

ChargeRequest ChargeOf(int cents) {
  ChargeRequest request;
  request.set_account("anna");
  request.set_cents(cents);
  return request;
}

std::string NewDirectory() {
  std::string dir = testing::TempDir() + "/payments.XXXXXX";
  return mkdtemp(dir.data()) != nullptr ? dir : "";
}

class PaymentsTest : public testing::Test {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override {
    host_->Stop();
    driver_ = nullptr;  // Its threads may still write a receipt.
    std::filesystem::remove_all(receipts_);
  }

  // Ends the host, and starts another one on its rows.
  void Restart() {
    host_->Stop();
    tables_ = host_->tables();
    payments_ = nullptr;
    driver_ = nullptr;
    host_ = nullptr;
    Start();
  }

  const std::string receipts_ = NewDirectory();
  hapax::ManualClock clock_;
  std::shared_ptr<hapax::MemoryTables> tables_;  // Null: the host has its own.
  std::unique_ptr<TestHost> host_;               // Before the driver, which is then destroyed first.
  std::unique_ptr<hapax::WorkDriver> driver_;
  std::unique_ptr<hapax::HostedService> payments_;

 private:
  void Start() {
    host_ = std::make_unique<TestHost>(hapax::TestHostOptions{.tables = tables_, .clock = &clock_});
    driver_ = MakeReceiptDriver(receipts_);
    payments_ = MakePayments(host_->ids(), host_->work());
    host_->AddDriver(kReceiptWork, payments_->name(), *driver_);
    const absl::Status started = host_->Start({payments_.get()});
    ASSERT_TRUE(started.ok()) << started;
  }
};

TEST_F(PaymentsTest, ARetryIsReplayedAndChargesNothing) {
  const auto first = host_->Call<ChargeResponse>(ChargeOf(100), {.token = "order-1"});
  EXPECT_EQ(first.outcome, "executed");
  EXPECT_EQ(first.reply.total_cents(), 100);

  const auto again = host_->Call<ChargeResponse>(ChargeOf(100), {.token = "order-1"});
  EXPECT_EQ(again.outcome, "replayed");
  EXPECT_EQ(again.bytes, first.bytes);

  const auto other = host_->Call<ChargeResponse>(ChargeOf(200), {.token = "order-1"});
  EXPECT_EQ(other.reason, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(other.retry, "new-token");

  GetAccountRequest request;
  request.set_account("anna");
  EXPECT_EQ(host_->Call<GetAccountResponse>(request).reply.account().charges(), 1);
}

TEST_F(PaymentsTest, ARefusalNamesTheFieldAndLeavesTheTokenFree) {
  const auto refused = host_->Call<ChargeResponse>(ChargeOf(0), {.token = "order-1"});
  EXPECT_EQ(refused.reason, "INVALID_PARAMETER");
  EXPECT_EQ(refused.retry, "never");
  EXPECT_EQ(refused.status.message(), "cents: must be at least 1");
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "executed");
}

TEST_F(PaymentsTest, ATokenProtectsForADay) {
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "executed");
  host_->clock().Advance(absl::Hours(23));
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "replayed");
  host_->clock().Advance(absl::Hours(2));
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).reason, "CLIENT_TOKEN_EXPIRED");
}

TEST_F(PaymentsTest, TenantsDoNotMeet) {
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "t", .tenant = "shop"}).reply.charge_number(), 1);
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "t", .tenant = "bakery"}).reply.charge_number(), 1);
}

TEST_F(PaymentsTest, AnAccountHasALimit) {
  const auto refused = host_->Call<ChargeResponse>(ChargeOf(1'000'001), {.token = "order-1"});
  EXPECT_EQ(refused.reason, "ACCOUNT_LIMIT_REACHED");
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.retry, "never");
}

TEST_F(PaymentsTest, AListHasPages) {
  for (const char* token : {"order-1", "order-2", "order-3"}) {
    EXPECT_TRUE(host_->Call<ChargeResponse>(ChargeOf(100), {.token = token}).status.ok());
  }
  EXPECT_TRUE(host_->Call<ChargeResponse>(ChargeOf(100), {.token = "order-1", .tenant = "bakery"}).status.ok());
  ListChargesRequest request;
  request.set_page_size(2);
  std::vector<std::string> ids;
  do {
    const auto page = host_->Call<ListChargesResponse>(request);
    ASSERT_TRUE(page.status.ok()) << page.status;
    for (const Charge& charge : page.reply.charges()) ids.push_back(charge.charge_id());
    request.set_page_token(page.reply.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ElementsAre("ch-00000000000000001", "ch-00000000000000002", "ch-00000000000000003"));
  request.set_account("bert");
  request.clear_page_token();
  EXPECT_EQ(host_->Call<ListChargesResponse>(request).reply.charges_size(), 0);
}

TEST_F(PaymentsTest, AReceiptIsWrittenAfterTheCall) {
  const auto charged = host_->Call<ChargeResponse>(ChargeOf(100), {.token = "order-1"});
  const absl::Status done = host_->AwaitWork();
  ASSERT_TRUE(done.ok()) << done;
  const auto charges = host_->Call<ListChargesResponse>(ListChargesRequest()).reply.charges();
  ASSERT_EQ(charges.size(), 1);
  EXPECT_EQ(charges[0].receipt(), RECEIPT_STATE_WRITTEN);
  EXPECT_TRUE(std::filesystem::exists(receipts_ + "/default." + charged.reply.charge_id()));
  EXPECT_THAT(host_->unrepeatable(), IsEmpty());
}

TEST_F(PaymentsTest, AReceiptThatCannotBeWrittenHasFailed) {
  std::filesystem::create_directory(receipts_ + "/default.ch-00000000000000001");
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(100), {.token = "order-1"}).outcome, "executed");
  EXPECT_TRUE(host_->AwaitWork().ok());
  EXPECT_EQ(host_->Call<ListChargesResponse>(ListChargesRequest()).reply.charges(0).receipt(), RECEIPT_STATE_FAILED);
}

TEST_F(PaymentsTest, ARestartKeepsTokensAndWork) {
  std::filesystem::remove(receipts_);  // So the receipt waits.
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "executed");
  Restart();
  EXPECT_EQ(host_->Call<ChargeResponse>(ChargeOf(1), {.token = "order-1"}).outcome, "replayed");
  std::filesystem::create_directory(receipts_);
  EXPECT_TRUE(host_->AwaitWork().ok());
  EXPECT_EQ(host_->Call<ListChargesResponse>(ListChargesRequest()).reply.charges(0).receipt(), RECEIPT_STATE_WRITTEN);
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
  faulty.Read<ListChargesRequest, ListChargesResponse>(
      "ListCharges", [](const hapax::CallContext&, const hapax::ReadTransaction&, const ListChargesRequest&,
                        ListChargesResponse*) { return absl::OkStatus(); });
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
