#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/faulty_store.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/refusal_matchers.h"

// Handlers that record what unset fields of a request mean (C22). What follows for retries, resolved_fields_test.cc
// says.
namespace hapax {
namespace {

using testing::ElementsAre;
using tests::v1::PlaceOrderRequest;

class IdempotencyDefaultsTest : public ChainTest {
 protected:
  // The item of an order that names none, from now on.
  void SetDefaultItem(const std::string& item) {
    service_.handler_hook = [item](const CallContext& context, Transaction&) {
      PlaceOrderRequest defaults;
      defaults.set_item(item);
      context.RecordDefaults(defaults);
      return absl::OkStatus();
    };
  }

  std::string Place(const std::string& item, const std::string& token = "token") {
    return chain_.Call(service_.place_order(), OrderOf(item, token)).result;
  }
};

TEST_F(IdempotencyDefaultsTest, C22_ADefaultIsWhatItWasAtTheFirstAttempt) {
  SetDefaultItem("pencil");
  ASSERT_EQ(Place(""), "executed");
  SetDefaultItem("pen");
  EXPECT_EQ(Place("pencil"), "replayed");
  EXPECT_EQ(Place(""), "replayed");
  const Answer answer = chain_.Call(service_.place_order(), OrderOf("pen", "token"));
  EXPECT_THAT(answer.status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(FieldsOf(answer.status), ElementsAre("item"));
  EXPECT_EQ(service_.runs(), 1);
}

TEST_F(IdempotencyDefaultsTest, C22_TheSameWhenTheFirstAttemptSpelledItOut) {
  SetDefaultItem("pencil");
  ASSERT_EQ(Place("pencil"), "executed");
  SetDefaultItem("pen");
  EXPECT_EQ(Place(""), "replayed");
  EXPECT_EQ(Place("pen"), "IDEMPOTENT_PARAMETER_MISMATCH");
}

TEST_F(IdempotencyDefaultsTest, C22_AMethodThatPreparesRecordsDefaultsToo) {
  SetDefaultItem("pencil");
  const auto engrave = [&](const std::string& item) {
    return chain_.Call(service_.engrave_order(), OrderOf(item, "token")).result;
  };
  ASSERT_EQ(engrave(""), "executed");
  EXPECT_EQ(engrave("pencil"), "replayed");
}

TEST_F(IdempotencyDefaultsTest, C12_WhatAFailedAttemptTookForADefaultIsForgotten) {
  service_.handler_hook = [](const CallContext& context, Transaction&) {
    PlaceOrderRequest defaults;
    defaults.set_item("pencil");
    context.RecordDefaults(defaults);
    return absl::NotFoundError("sold out");
  };
  ASSERT_EQ(Place(""), "NOT_FOUND");
  SetDefaultItem("pen");
  ASSERT_EQ(Place(""), "executed");
  EXPECT_EQ(Place("pencil"), "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(Place("pen"), "replayed");
}

// store.h: a body may be run again, and finds other defaults.
TEST_F(IdempotencyDefaultsTest, C22_TheDefaultsAreThoseOfTheRunThatWasCommitted) {
  FaultyStore store(*store_);
  store.RunBodiesTwice();
  const TestChain chain(store);
  service_.handler_hook = [this](const CallContext& context, Transaction&) {
    PlaceOrderRequest defaults;
    if (service_.runs() == 1) {
      defaults.set_item("of the first run");
      defaults.set_quantity(1);
    } else {
      defaults.set_item("of the second run");
    }
    context.RecordDefaults(defaults);
    return absl::OkStatus();
  };
  ASSERT_EQ(chain.Call(service_.place_order(), OrderOf("", "token")).result, "executed");
  ASSERT_EQ(service_.runs(), 2);
  EXPECT_EQ(Place("of the second run"), "replayed");
  EXPECT_EQ(Place("of the first run"), "IDEMPOTENT_PARAMETER_MISMATCH");
  PlaceOrderRequest of_two = OrderOf("", "token");
  of_two.set_quantity(1);
  EXPECT_EQ(chain_.Call(service_.place_order(), of_two).result, "IDEMPOTENT_PARAMETER_MISMATCH");
}

TEST_F(IdempotencyDefaultsTest, C3_WithoutATokenNothingIsRecorded) {
  SetDefaultItem("pencil");
  EXPECT_EQ(Place("", ""), "unprotected");
  EXPECT_EQ(DurableRowCount(*store_, Table::kTokens), 0);
}

}  // namespace
}  // namespace hapax
