#include "hapax/interceptors/idempotency/idempotency.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_api_keys.h"

namespace hapax {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using tests::v1::PlaceOrderRequest;

class IdempotencyTest : public ChainTest {
 protected:
  Answer Place(const PlaceOrderRequest& request) { return chain_.Call(service_.place_order(), request); }
  Answer Place(const std::string& item, const std::string& token) { return Place(OrderOf(item, token)); }

  // The answer to an order whose request says nothing of a token.
  Answer PlaceWithMetadata(const std::string& item, const std::string& key, const std::string& value) {
    FakeCall call(service_.place_order(), OrderOf(item, ""));
    call.AddMetadata(key, value);
    return chain_.Call(call);
  }

  std::vector<std::string> Orders() { return DurableOrders(*store_); }

  std::optional<store::v1::TokenRecord> Record(const TokenKey& key) {
    std::optional<store::v1::TokenRecord> record;
    store_->Query(
        [&](const ReadTransaction& txn) {
          auto found = FindToken(txn, key);
          if (found.ok()) record = *std::move(found);
          return found.status();
        },
        [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });
    return record;
  }
};

TEST_F(IdempotencyTest, C3_WithoutATokenEachCallMakesItsEffectUnprotected) {
  EXPECT_EQ(Place("pencil", "").result, "unprotected");
  EXPECT_EQ(Place("pencil", "").result, "unprotected");
  EXPECT_THAT(Orders(), ElementsAre("1 pencil", "2 pencil"));
  EXPECT_EQ(DurableRowCount(*store_, Table::kTokens), 0);
}

TEST_F(IdempotencyTest, C8_AFirstAttemptIsExecuted) {
  const Answer answer = Place("pencil", "token");
  EXPECT_EQ(answer.result, "executed");
  EXPECT_EQ(Order(answer.bytes).order_number(), 1);
  EXPECT_EQ(Order(answer.bytes).item(), "pencil");
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyTest, C8_TheRecordHoldsTheReplyThatWasSent) {
  const Answer answer = Place("pencil", "token");
  const auto record = Record({.tenant = "default", .region = kDefaultRegion, .zone = "", .token = "token"});
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->reply(), answer.bytes);
  EXPECT_EQ(record->method(), "hapax.tests.v1.Orders/PlaceOrder");
  EXPECT_EQ(record->executed_at().SerializeAsString(), ToTimestamp(chain_.clock().Now()).SerializeAsString());
}

TEST_F(IdempotencyTest, TheHandlerLearnsWhoCallsWhatWhereAndWhen) {
  CallContext seen;
  service_.handler_hook = [&](const CallContext& context, Transaction&) {
    seen = context;
    return absl::OkStatus();
  };
  PlaceOrderRequest request = OrderOf("pencil", "");
  request.set_zone("cellar");
  FakeCall call(service_.place_order(), request);
  call.AddMetadata("x-tenant-id", "tenant");
  call.AddMetadata("idempotency-key", "\"token\"");
  EXPECT_EQ(chain_.Call(call).result, "executed");
  EXPECT_EQ(seen.tenant, "tenant");
  EXPECT_EQ(seen.client_token, "token");
  EXPECT_EQ(seen.place.region, kDefaultRegion);
  EXPECT_EQ(seen.place.zone, "cellar");
  EXPECT_EQ(seen.now, chain_.clock().Now());
}

TEST_F(IdempotencyTest, C9_ARetryIsAnsweredWithTheSameBytesAndMakesNoEffect) {
  PlaceOrderRequest request = OrderOf("pencil", "token");
  for (int i = 0; i < 50; ++i) (*request.mutable_labels())[absl::StrCat("label ", i)] = "value";
  const Answer first = Place(request);
  ASSERT_EQ(first.result, "executed");
  for (int i = 0; i < 3; ++i) {
    chain_.clock().Advance(absl::Minutes(10));
    const Answer retry = Place(request);
    EXPECT_EQ(retry.result, "replayed");
    EXPECT_EQ(retry.bytes, first.bytes);
  }
  EXPECT_EQ(service_.runs(), 1);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyTest, C9_ARetryAfterARestartIsReplayed) {
  const TempDir dir;
  Answer answers[2];
  for (Answer& answer : answers) {
    const std::unique_ptr<Store> store = OpenRocksDbStore({.path = dir.Path("data")}).value();
    answer = TestChain(*store).Call(service_.place_order(), OrderOf("pencil", "token"));
  }
  EXPECT_EQ(answers[0].result, "executed");
  EXPECT_EQ(answers[1].result, "replayed");
  EXPECT_EQ(answers[1].bytes, answers[0].bytes);
}

TEST_F(IdempotencyTest, C1_WhereATokenComesFromMakesNoDifference) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  EXPECT_EQ(PlaceWithMetadata("pencil", "x-client-token", "token").result, "replayed");
  EXPECT_EQ(PlaceWithMetadata("pencil", "idempotency-key", "token").result, "replayed");
  EXPECT_EQ(PlaceWithMetadata("pencil", "idempotency-key", "\"token\"").result, "replayed");
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyTest, C22_ARetryInAnotherEncodingIsReplayed) {
  const std::string token = LengthDelimited(1, "token");
  const std::string item = LengthDelimited(4, "pencil");
  const std::string unknown = VarintField(100, 7);
  FakeCall first(service_.place_order(), token + item + unknown);
  FakeCall retry(service_.place_order(), unknown + item + token);
  EXPECT_EQ(chain_.Call(first).result, "executed");
  EXPECT_EQ(chain_.Call(retry).result, "replayed");
}

TEST_F(IdempotencyTest, C4_TheTokensOfTwoTenantsDoNotMeet) {
  const auto place_as = [&](const std::string& tenant, const std::string& item) {
    FakeCall call(service_.place_order(), OrderOf(item, "token"));
    call.AddMetadata("x-tenant-id", tenant);
    return chain_.Call(call);
  };
  const Answer ours = place_as("ours", "pencil");
  const Answer theirs = place_as("theirs", "pen");
  EXPECT_EQ(ours.result, "executed");
  EXPECT_EQ(theirs.result, "executed");
  EXPECT_EQ(place_as("ours", "pencil").bytes, ours.bytes);
  EXPECT_EQ(place_as("theirs", "pen").bytes, theirs.bytes);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil", "2 pen"));
}

TEST_F(IdempotencyTest, C4_ARotatedKeyKeepsItsTokens) {
  const TestChain chain(*store_, {.authenticator = ApiKeyAuthenticatorOf(ApiKeyLine("orchard", "apple") +
                                                                         ApiKeyLine("orchard", "pear"))});
  const auto place_with = [&](const std::string& key) {
    FakeCall call(service_.place_order(), OrderOf("pencil", "token"));
    call.AddMetadata("x-api-key", ApiKeyOf(key));
    return chain.Call(call);
  };
  EXPECT_EQ(place_with("apple").result, "executed");
  EXPECT_EQ(place_with("pear").result, "replayed");
}

TEST_F(IdempotencyTest, C6_TheSameTokenInAnotherPlaceIsAnotherToken) {
  const auto place_in = [&](const std::string& region, const std::string& zone) {
    PlaceOrderRequest request = OrderOf("pencil", "token");
    request.set_region(region);
    request.set_zone(zone);
    return Place(request).result;
  };
  EXPECT_EQ(place_in("east", ""), "executed");
  EXPECT_EQ(place_in("west", ""), "executed");
  EXPECT_EQ(place_in("east", "cellar"), "executed");
  EXPECT_EQ(place_in("east", "attic"), "executed");
  EXPECT_EQ(place_in("west", "attic"), "executed");
  for (const char* zone : {"", "cellar", "attic"}) EXPECT_EQ(place_in("east", zone), "replayed");
  EXPECT_EQ(Orders().size(), 5);
}

TEST_F(IdempotencyTest, C4_ARegionThatIsNamedAndTheSameOneImpliedAreOneScope) {
  PlaceOrderRequest request = OrderOf("pencil", "token");
  EXPECT_EQ(Place(request).result, "executed");
  request.set_region(kDefaultRegion);
  EXPECT_EQ(Place(request).result, "replayed");
}

TEST_F(IdempotencyTest, C7_TheSameTokenForAnotherMethodIsAMismatch) {
  ASSERT_EQ(Place("pencil", "token").result, "executed");
  const Answer answer = chain_.Call(service_.engrave_order(), OrderOf("pencil", "token"));
  EXPECT_THAT(answer.status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(std::string(answer.status.message()), HasSubstr("hapax.tests.v1.Orders/PlaceOrder"));
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyTest, C10_OtherParametersAreRefusedAndNamedWithoutTheirValues) {
  ASSERT_EQ(Place("pencil", "token-of-a-client").result, "executed");
  PlaceOrderRequest other = OrderOf("eraser", "token-of-a-client");
  other.set_quantity(12);
  const Answer answer = Place(other);
  EXPECT_THAT(answer.status, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(std::string(answer.status.message()), StartsWith("IdempotentParameterMismatch"));
  EXPECT_THAT(FieldsOf(answer.status), ElementsAre("item", "quantity"));
  EXPECT_THAT(EverythingIn(answer.status), AllOf(Not(HasSubstr("eraser")), Not(HasSubstr("pencil")),
                                                 Not(HasSubstr("12")), Not(HasSubstr("token-of"))));
}

TEST_F(IdempotencyTest, C10_AMismatchLeavesTheFirstEffectAndItsReplyAsTheyAre) {
  const Answer first = Place("pencil", "token");
  ASSERT_EQ(Place("eraser", "token").result, "IDEMPOTENT_PARAMETER_MISMATCH");
  EXPECT_EQ(service_.runs(), 1);
  const Answer retry = Place("pencil", "token");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
  EXPECT_THAT(Orders(), ElementsAre("1 pencil"));
}

TEST_F(IdempotencyTest, C12_AnErrorLeavesNothingAndTheTokenFree) {
  const absl::Status errors[] = {Refuse(Reason::kImageNotFound, "no such image"),
                                 absl::NotFoundError("gone"),
                                 absl::AbortedError("later"),
                                 absl::UnavailableError("the bank is closed"),
                                 absl::DataLossError("spilled"),
                                 absl::ResourceExhaustedError("no more today"),
                                 absl::InternalError("broken"),
                                 absl::UnknownError("who knows")};
  for (const absl::Status& error : errors) {
    service_.handler_hook = [&](const CallContext&, Transaction&) { return error; };
    EXPECT_EQ(Place("pencil", "token").status, error);
    EXPECT_THAT(Orders(), IsEmpty());
    EXPECT_EQ(DurableRowCount(*store_, Table::kTokens), 0);
  }
  service_.handler_hook = nullptr;
  EXPECT_EQ(Place("pencil", "token").result, "executed");
  EXPECT_EQ(Place("pencil", "token").result, "replayed");
  EXPECT_EQ(Orders().size(), 1);
}

TEST_F(IdempotencyTest, C12_ARetryOfAnErrorMayHaveCorrectedParameters) {
  service_.handler_hook = [](const CallContext&, Transaction&) { return RefuseParameter("item", "must be in stock"); };
  ASSERT_EQ(Place("pencl", "token").result, "INVALID_PARAMETER");
  service_.handler_hook = nullptr;
  EXPECT_EQ(Place("pencil", "token").result, "executed");
  EXPECT_THAT(Orders(), ElementsAre("2 pencil"));
}

TEST_F(IdempotencyTest, C12_AnErrorWithoutATokenLeavesNothing) {
  service_.handler_hook = [](const CallContext&, Transaction&) { return absl::InternalError("broken"); };
  EXPECT_EQ(Place("pencil", "").status, absl::InternalError("broken"));
  EXPECT_THAT(Orders(), IsEmpty());
}

TEST_F(IdempotencyTest, C2_AnInvalidTokenIsRefusedAndNothingIsDone) {
  EXPECT_THAT(Place("pencil", "to ken").status, HasReason(Reason::kInvalidClientToken));
  EXPECT_EQ(service_.runs(), 0);
}

TEST_F(IdempotencyTest, C1_SourcesThatDisagreeAreRefusedAndNothingIsDone) {
  FakeCall call(service_.place_order(), OrderOf("pencil", "one"));
  call.AddMetadata("x-client-token", "two");
  EXPECT_THAT(chain_.Call(call).status, HasReason(Reason::kClientTokenConflict));
  EXPECT_EQ(service_.runs(), 0);
}

}  // namespace
}  // namespace hapax
