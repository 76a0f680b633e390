#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/key.h"
#include "hapax/testing/test_host.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/testing/test_ledger_service.h"

// Handlers with a fault planted in them, which a host that runs bodies twice finds.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TestHostRepeatTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(host_.Start({&ledger_.hosted()}), IsOk()); }

  TestReply<DepositResponse> Deposit(const std::string& token = "t") {
    return host_.Call<DepositResponse>(DepositOf(1), {.token = token, .method = "Deposit"});
  }
  // The call is refused with a message that has `part`, and the next one, without the fault, is the first effect.
  void ExpectFound(const std::string& part) {
    const auto found = Deposit();
    EXPECT_THAT(found.status,
                StatusIs(StatusCode::kInternal,
                         AllOf(HasSubstr("hapax.test.v1.Ledger/Deposit is not repeatable: "), HasSubstr(part))));
    EXPECT_THAT(host_.unrepeatable(), ElementsAre(HasSubstr(part)));
    ledger_.hook = nullptr;
    const auto honest = Deposit();
    EXPECT_EQ(honest.outcome, "executed");
    EXPECT_EQ(honest.reply.balance(), 1);
    EXPECT_THAT(host_.unrepeatable(), testing::SizeIs(1));
  }

  TestLedgerService ledger_;
  TestHost host_;
};

TEST_F(TestHostRepeatTest, AnHonestHandlerIsRunTwiceAndHasOneEffect) {
  EXPECT_EQ(Deposit().reply.balance(), 1);
  EXPECT_EQ(ledger_.runs(), 2);
  EXPECT_EQ(Deposit("u").reply.balance(), 2);
  EXPECT_EQ(Deposit("u").outcome, "replayed");
  EXPECT_EQ(ledger_.runs(), 4);
  EXPECT_THAT(host_.unrepeatable(), IsEmpty());
}

TEST_F(TestHostRepeatTest, ACountOfTheHandlersOwnIsFoundInTheReply) {
  int count = 0;
  ledger_.hook = [&](const CallContext&, Transaction&, DepositResponse* response) {
    response->set_receipt(++count);
    return absl::OkStatus();
  };
  ExpectFound("reply, from a first run to a second one: modified: receipt: 1 -> 2");
}

TEST_F(TestHostRepeatTest, ItIsFoundOfACallWithoutATokenToo) {
  int count = 0;
  ledger_.hook = [&](const CallContext&, Transaction&, DepositResponse* response) {
    response->set_receipt(++count);
    return absl::OkStatus();
  };
  EXPECT_THAT(Deposit(/*token=*/"").status, StatusIs(StatusCode::kInternal, HasSubstr("receipt: 1 -> 2")));
}

TEST_F(TestHostRepeatTest, ATimeThatIsNotTheCallsIsFoundInARow) {
  ledger_.hook = [&](const CallContext&, Transaction& txn, DepositResponse*) {
    const std::string key = KeyBuilder().String("last").String("deposit").Build();
    txn.Put(Table::kResources, key, absl::FormatTime(host_.clock().Now()));
    return absl::OkStatus();
  };
  ExpectFound("row (\"last\", \"deposit\") of table services");
}

TEST_F(TestHostRepeatTest, WhatOnlyTheFirstRunDoesIsFound) {
  // What a first run left in the handler decides what the second one does.
  bool seen = false;
  ledger_.hook = [&](const CallContext&, Transaction& txn, DepositResponse*) {
    if (!std::exchange(seen, true)) txn.Put(Table::kResources, "first", "");
    return absl::OkStatus();
  };
  ExpectFound("row \"first\" of table services: a first run puts \"\", a second one leaves it alone");
}

TEST_F(TestHostRepeatTest, AnotherErrorIsFound) {
  int count = 0;
  ledger_.hook = [&](const CallContext&, Transaction&, DepositResponse*) {
    return absl::NotFoundError(absl::StrCat("attempt ", ++count));
  };
  ExpectFound("a first run returns NOT_FOUND: attempt 1, a second one returns NOT_FOUND: attempt 2");
}

TEST_F(TestHostRepeatTest, OtherRecordedDefaultsAreFound) {
  int count = 0;
  ledger_.hook = [&](const CallContext& context, Transaction&, DepositResponse*) {
    DepositRequest defaults;
    defaults.set_zone(absl::StrCat("zone-", ++count));
    context.RecordDefaults(defaults);
    return absl::OkStatus();
  };
  ExpectFound("recorded defaults, from a first run to a second one: modified: zone: \"zone-1\" -> \"zone-2\"");
}

TEST_F(TestHostRepeatTest, C22_DefaultsThatAreTheSameAreRecordedOnce) {
  ledger_.hook = [](const CallContext& context, Transaction&, DepositResponse*) {
    DepositRequest defaults;
    defaults.set_memo("as ever");
    context.RecordDefaults(defaults);
    return absl::OkStatus();
  };
  EXPECT_EQ(Deposit().outcome, "executed");
  DepositRequest spelled_out = DepositOf(1);
  spelled_out.set_memo("as ever");
  EXPECT_EQ(host_.Call<DepositResponse>(spelled_out, {.token = "t", .method = "Deposit"}).outcome, "replayed");
}

TEST_F(TestHostRepeatTest, IdsAndTheCallsTimeAreNoFault) {
  ledger_.hook = [&](const CallContext& context, Transaction& txn, DepositResponse* response) {
    const auto id =
        NewIdOf(host_.ids(), "rc", txn, Table::kResources, [](const std::string& new_id) { return new_id; });
    if (!id.ok()) return id.status();
    txn.Put(Table::kResources, *id, absl::FormatTime(context.now));
    response->set_memo(*id);
    return absl::OkStatus();
  };
  EXPECT_EQ(Deposit("t").reply.memo(), CountedId("rc", 1));
  EXPECT_EQ(Deposit("u").reply.memo(), CountedId("rc", 2));
  EXPECT_THAT(host_.unrepeatable(), IsEmpty());
}

TEST(TestHostRepeatOptionTest, WithoutRepetitionEachBodyIsRunOnce) {
  TestLedgerService ledger;
  int count = 0;
  ledger.hook = [&](const CallContext&, Transaction&, DepositResponse* response) {
    response->set_receipt(++count);
    return absl::OkStatus();
  };
  TestHost host({.repeat_bodies = false});
  ASSERT_THAT(host.Start({&ledger.hosted()}), IsOk());
  const auto made = host.Call<DepositResponse>(DepositOf(1), {.token = "t", .method = "Deposit"});
  EXPECT_EQ(made.outcome, "executed");
  EXPECT_EQ(made.reply.receipt(), 1);
  EXPECT_EQ(ledger.runs(), 1);
}

}  // namespace
}  // namespace hapax
