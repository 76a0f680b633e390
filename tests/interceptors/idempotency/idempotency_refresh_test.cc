#include <any>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/storage/blocking.h"
#include "hapax/tests/interceptors/store_hold.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"

// Methods whose retries get an operation as it stands by then (C24).
namespace hapax {
namespace {

using external::longrunning::Operation;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using tests::v1::PlaceOrderRequest;

Operation OperationIn(const Answer& answer) {
  Operation operation;
  EXPECT_TRUE(operation.ParseFromString(answer.bytes));
  return operation;
}

// The method begins the operations `operation 1`, `operation 2`, ..., each a row; they are done when that row says so.
class IdempotencyRefreshTest : public ChainTest {
 protected:
  IdempotencyRefreshTest() {
    ship_.mutate = [this](const CallContext&, Transaction& txn, const Method::Message&, const std::any&,
                          Method::Message* reply) {
      const std::string name = absl::StrCat("operation ", ++runs_);
      txn.Put(Table::kResources, name, "begun");
      static_cast<Operation*>(reply)->set_name(name);
      return absl::OkStatus();
    };
    ship_.refresh = [this](const CallContext& context, const ReadTransaction& txn,
                           const std::string& recorded) -> absl::StatusOr<std::string> {
      refreshed_for_.push_back(context.tenant);
      if (refresh_fault_ != nullptr) {
        if (absl::Status fault = refresh_fault_(); !fault.ok()) return fault;
      }
      Operation operation;
      EXPECT_TRUE(operation.ParseFromString(recorded));
      const auto row = txn.Get(Table::kResources, operation.name());
      if (!row.ok()) return row.status();
      operation.set_done(row->value_or("") == "done");
      return operation.SerializeAsString();
    };
  }

  Answer Ship(const std::string& item, const std::string& token) { return chain_.Call(ship_, OrderOf(item, token)); }

  void End(const std::string& name) {
    EXPECT_THAT(ExecuteAndWait(*store_,
                               [&](Transaction& txn) {
                                 txn.Put(Table::kResources, name, "done");
                                 return absl::OkStatus();
                               }),
                IsOk());
  }

  Method ship_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "ShipOrder"));
  std::function<absl::Status()> refresh_fault_;  // What a refresh ends with, unless it is OK.
  std::vector<std::string> refreshed_for_;       // The tenants.
  int runs_ = 0;
};

TEST_F(IdempotencyRefreshTest, TheFirstAttemptGetsWhatTheHandlerMade) {
  const Answer first = Ship("pencil", "token");
  EXPECT_EQ(first.result, "executed");
  EXPECT_EQ(OperationIn(first).name(), "operation 1");
  EXPECT_THAT(refreshed_for_, IsEmpty());
  EXPECT_EQ(Ship("pencil", "").result, "unprotected");
  EXPECT_THAT(refreshed_for_, IsEmpty());
}

TEST_F(IdempotencyRefreshTest, C24_ARetryGetsTheSameOperationAsItStandsByThen) {
  const Answer first = Ship("pencil", "token");
  EXPECT_EQ(Ship("pencil", "token").bytes, first.bytes);
  End("operation 1");
  const Answer retry = Ship("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(OperationIn(retry).name(), "operation 1");
  EXPECT_TRUE(OperationIn(retry).done());
  EXPECT_EQ(runs_, 1);
  EXPECT_THAT(refreshed_for_, ElementsAre("default", "default"));
}

TEST_F(IdempotencyRefreshTest, C24_WhatIsOnRecordStaysAsItWas) {
  ASSERT_EQ(Ship("pencil", "token").result, "executed");
  End("operation 1");
  ASSERT_TRUE(OperationIn(Ship("pencil", "token")).done());
  refresh_fault_ = nullptr;
  ship_.refresh = nullptr;
  EXPECT_FALSE(OperationIn(Ship("pencil", "token")).done());
}

TEST_F(IdempotencyRefreshTest, C10_OtherParametersAreAMismatchAndNothingIsRefreshed) {
  ASSERT_EQ(Ship("pencil", "token").result, "executed");
  EXPECT_THAT(Ship("eraser", "token").status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(refreshed_for_, IsEmpty());
}

// A duplicate that finds the record only in its transaction.
TEST_F(IdempotencyRefreshTest, C24_ADuplicateAtTheSameTimeIsRefreshedToo) {
  FakeCall one(ship_, OrderOf("pencil", "token"));
  FakeCall other(ship_, OrderOf("pencil", "token"));
  {
    StoreHold hold(*store_);
    chain_.Run(one);
    chain_.Run(other);
  }
  EXPECT_THAT((std::vector{one.Result(), other.Result()}), UnorderedElementsAre("executed", "replayed"));
  EXPECT_EQ(AnswerTo(one).bytes, AnswerTo(other).bytes);
  EXPECT_THAT(refreshed_for_, ElementsAre("default"));
  EXPECT_EQ(runs_, 1);
}

TEST_F(IdempotencyRefreshTest, C18_ARetryThatCannotBeRefreshedFailsAndDoesNothing) {
  ASSERT_EQ(Ship("pencil", "token").result, "executed");
  const std::pair<absl::Status, Reason> kFaults[] = {
      {absl::UnavailableError("disk"), Reason::kTokenStoreUnavailable},
      {absl::DataLossError("damaged"), Reason::kTokenRecordCorrupt},
      {Refuse(Reason::kOperationNotFound, "gone"), Reason::kOperationNotFound},
  };
  for (const auto& [fault, reason] : kFaults) {
    refresh_fault_ = [&told = fault] { return told; };
    EXPECT_THAT(Ship("pencil", "token").status, HasReason(reason));
  }
  EXPECT_EQ(runs_, 1);
  refresh_fault_ = nullptr;
  EXPECT_EQ(Ship("pencil", "token").result, "replayed");
}

TEST_F(IdempotencyRefreshTest, C18_NeitherDoesOneInItsTransaction) {
  FakeCall one(ship_, OrderOf("pencil", "token"));
  FakeCall other(ship_, OrderOf("pencil", "token"));
  refresh_fault_ = [] { return absl::UnavailableError("disk"); };
  {
    StoreHold hold(*store_);
    chain_.Run(one);
    chain_.Run(other);
  }
  EXPECT_THAT((std::vector{one.Result(), other.Result()}), UnorderedElementsAre("executed", "TOKEN_STORE_UNAVAILABLE"));
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(DurableRowCount(*store_, Table::kResources), 1);
}

}  // namespace
}  // namespace hapax
