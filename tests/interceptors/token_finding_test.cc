#include "hapax/interceptors/token_finding.h"

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/fingerprint.h"
#include "hapax/storage/rocksdb_store.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using absl::StatusCode;
using store::v1::TokenRecord;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using tests::v1::PlaceOrderRequest;

const TokenKey kKey = {.tenant = "tenant", .region = "region", .zone = "", .token = "token-of-the-client"};

class TokenFindingTest : public testing::Test {
 protected:
  static PlaceOrderRequest Request(const std::string& item, int quantity) {
    PlaceOrderRequest request;
    request.set_client_token(kKey.token);
    request.set_item(item);
    request.set_quantity(quantity);
    return request;
  }

  // The record that an execution of the request leaves.
  TokenRecord RecordOf(const PlaceOrderRequest& request) const {
    TokenRecord record;
    record.set_method(place_.name);
    *record.mutable_fingerprint() = MakeFingerprint(place_, request, request.SerializeAsString());
    record.set_reply("reply");
    return record;
  }

  void Put(const TokenRecord& record) {
    absl::Notification done;
    store_->Execute(
        [&](Transaction& txn) {
          PutToken(txn, kKey, record);
          return absl::OkStatus();
        },
        [&](const absl::Status& status) {
          EXPECT_THAT(status, IsOk());
          done.Notify();
        });
    done.WaitForNotification();
  }

  absl::StatusOr<TokenFinding> Find(const Method& method, const PlaceOrderRequest& request) {
    FakeCall call(method, request);
    call.Decode();
    absl::StatusOr<TokenFinding> found;
    store_->Query(
        [&](const ReadTransaction& txn) {
          found = LookUp(txn, kKey, call, kRetention, now_);
          return absl::OkStatus();
        },
        [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });
    return found;
  }

  // What the call is told when its token belongs to other parameters.
  absl::Status Mismatch(const Method& method, const PlaceOrderRequest& request) {
    FakeCall call(method, request);
    call.Decode();
    return RefuseMismatch(*Find(method, request), call);
  }

  static constexpr absl::Duration kRetention = absl::Hours(24);
  const absl::Time now_ = absl::UnixEpoch() + absl::Hours(24 * 20'000);
  const Method place_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
  const Method engrave_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "EngraveOrder"));
  const TempDir dir_;
  const std::unique_ptr<Store> store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
};

TEST_F(TokenFindingTest, ATokenWithoutRecordIsFree) {
  const auto found = Find(place_, Request("pencil", 1));
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->finding, Finding::kFree);
}

TEST_F(TokenFindingTest, C9_TheSameParametersFindTheRecord) {
  const TokenRecord record = RecordOf(Request("pencil", 1));
  Put(record);
  const auto found = Find(place_, Request("pencil", 1));
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->finding, Finding::kSameParameters);
  EXPECT_EQ(found->record.SerializeAsString(), record.SerializeAsString());
  EXPECT_THAT(found->differing, IsEmpty());
}

TEST_F(TokenFindingTest, C10_OtherParametersAreNamed) {
  Put(RecordOf(Request("pencil", 1)));
  const auto found = Find(place_, Request("pen", 2));
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->finding, Finding::kOtherParameters);
  EXPECT_THAT(found->differing, ElementsAre("item", "quantity"));
}

TEST_F(TokenFindingTest, C7_AnotherMethodIsOtherParametersThoughTheyAreEqual) {
  Put(RecordOf(Request("pencil", 1)));
  const auto found = Find(engrave_, Request("pencil", 1));
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->finding, Finding::kOtherParameters);
  EXPECT_THAT(found->differing, IsEmpty());
}

TEST_F(TokenFindingTest, C18_ARecordThatIsTooNewIsDataLoss) {
  TokenRecord record = RecordOf(Request("pencil", 1));
  record.mutable_fingerprint()->set_version(kFingerprintVersion + 1);
  Put(record);
  EXPECT_THAT(Find(place_, Request("pen", 1)), StatusIs(StatusCode::kDataLoss));
}

TEST_F(TokenFindingTest, C10_AMismatchNamesTheFieldsAndNotTheirValues) {
  Put(RecordOf(Request("pencil", 1)));
  const absl::Status refused = Mismatch(place_, Request("penholder", 2));
  EXPECT_THAT(refused, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(std::string(refused.message()),
              AllOf(StartsWith("IdempotentParameterMismatch"), HasSubstr("item, quantity")));
  EXPECT_THAT(FieldsOf(refused), ElementsAre("item", "quantity"));
  EXPECT_THAT(EverythingIn(refused),
              AllOf(Not(HasSubstr("pencil")), Not(HasSubstr("penholder")), Not(HasSubstr(kKey.token))));
}

TEST_F(TokenFindingTest, C7_AMismatchOfMethodsNamesTheFirstOneAndTheToken) {
  Put(RecordOf(Request("pencil", 1)));
  const absl::Status refused = Mismatch(engrave_, Request("pencil", 1));
  EXPECT_THAT(refused, HasReason(Reason::kIdempotentParameterMismatch));
  EXPECT_THAT(std::string(refused.message()),
              AllOf(StartsWith("IdempotentParameterMismatch"), HasSubstr("hapax.tests.v1.Orders/PlaceOrder")));
  EXPECT_THAT(FieldsOf(refused), ElementsAre("client_token"));
  EXPECT_THAT(EverythingIn(refused), Not(HasSubstr(kKey.token)));
}

}  // namespace
}  // namespace hapax
