#include "hapax/interceptors/idempotency/token_finding.h"

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/fingerprint.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/support/token_made_at.h"
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

  // The same with the times it has when it was executed now.
  TokenRecord TimedRecordOf(const PlaceOrderRequest& request) const {
    TokenRecord record = RecordOf(request);
    *record.mutable_executed_at() = ToTimestamp(now_);
    *record.mutable_expires_at() = ToTimestamp(now_ + kRetention);
    *record.mutable_forget_at() = ToTimestamp(now_ + 2 * kRetention);
    return record;
  }

  void Put(const TokenRecord& record, const TokenKey& key = kKey) {
    absl::Notification done;
    store_->Execute(
        [&](Transaction& txn) {
          PutToken(txn, key, record);
          return absl::OkStatus();
        },
        [&](const absl::Status& status) {
          EXPECT_THAT(status, IsOk());
          done.Notify();
        });
    done.WaitForNotification();
  }

  absl::StatusOr<TokenFinding> Find(const Method& method, const PlaceOrderRequest& request,
                                    absl::Duration later = absl::ZeroDuration(), const TokenKey& key = kKey) {
    FakeCall call(method, request);
    call.Decode();
    absl::StatusOr<TokenFinding> found;
    store_->Query(
        [&](const ReadTransaction& txn) {
          clock_.Set(now_ + later);
          found = LookUp(txn, key, call, {.retention = kRetention}, TokenTime(clock_));
          return absl::OkStatus();
        },
        [](const absl::Status& status) { EXPECT_THAT(status, IsOk()); });
    return found;
  }

  // What is found that much later.
  Finding FindLater(absl::Duration later, const TokenKey& key = kKey) {
    const auto found = Find(place_, Request("pencil", 1), later, key);
    EXPECT_THAT(found, IsOk());
    return found->finding;
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
  ManualClock clock_;
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

TEST_F(TokenFindingTest, C17_ARecordIsFoundExpiredAndForgottenAtItsTimes) {
  constexpr absl::Duration kTick = absl::Microseconds(1);
  Put(TimedRecordOf(Request("pencil", 1)));
  EXPECT_EQ(FindLater(kRetention - kTick), Finding::kSameParameters);
  EXPECT_EQ(FindLater(kRetention), Finding::kExpiring);
  EXPECT_EQ(FindLater(2 * kRetention - kTick), Finding::kExpiring);
  EXPECT_EQ(FindLater(2 * kRetention), Finding::kFree);
}

TEST_F(TokenFindingTest, C17_AnExpiredRecordIsNoMismatch) {
  Put(TimedRecordOf(Request("pencil", 1)));
  EXPECT_EQ(Find(place_, Request("pen", 1), kRetention)->finding, Finding::kExpiring);
  EXPECT_EQ(Find(engrave_, Request("pencil", 1), kRetention)->finding, Finding::kExpiring);
}

TEST_F(TokenFindingTest, C17_AForgottenUuidOfVersion7IsExpired) {
  const TokenKey uuid = {.tenant = "tenant", .region = "region", .zone = "", .token = TokenMadeAt(now_)};
  EXPECT_EQ(FindLater(kRetention - absl::Microseconds(1), uuid), Finding::kFree);
  EXPECT_EQ(FindLater(kRetention, uuid), Finding::kExpired);
  Put(TimedRecordOf(Request("pencil", 1)), uuid);
  EXPECT_EQ(FindLater(kRetention - absl::Microseconds(1), uuid), Finding::kSameParameters);
  EXPECT_EQ(FindLater(2 * kRetention, uuid), Finding::kExpired);
}

TEST_F(TokenFindingTest, C20_AnAbandonedTokenIsFoundSoForEver) {
  TokenRecord record;
  *record.mutable_abandoned_at() = ToTimestamp(now_);
  Put(record);
  EXPECT_EQ(FindLater(absl::ZeroDuration()), Finding::kAbandoned);
  EXPECT_EQ(FindLater(365 * 100 * absl::Hours(24)), Finding::kAbandoned);
  EXPECT_EQ(Find(engrave_, Request("pen", 7))->finding, Finding::kAbandoned);
}

TEST_F(TokenFindingTest, C17_C29_ATokenThatTellsItsTimeIsTooNewFreeOrExpiredByIt) {
  const auto find_at = [](absl::Time now, std::string_view token) {
    const ManualClock clock(now);
    return FindByAge(token, kRetention, TokenPolicy(), TokenTime(clock));
  };
  const std::string uuid = TokenMadeAt(now_);
  EXPECT_EQ(find_at(now_ - absl::Hours(24) - absl::Nanoseconds(1), uuid), Finding::kTooNew);
  EXPECT_EQ(find_at(now_ - absl::Hours(24), uuid), Finding::kFree);
  EXPECT_EQ(find_at(now_ + kRetention - absl::Nanoseconds(1), uuid), Finding::kFree);
  EXPECT_EQ(find_at(now_ + kRetention, uuid), Finding::kExpired);
  EXPECT_EQ(find_at(now_ + 1'000 * kRetention, "token"), Finding::kFree);
  EXPECT_EQ(find_at(now_, "ffffffff-ffff-7fff-bfff-ffffffffffff"), Finding::kTooNew) << "of the year 10889";
}

TEST_F(TokenFindingTest, C9_C29_ARecordIsFoundThoughItsTokenSaysThatItIsFromTheFuture) {
  const TokenKey uuid = {
      .tenant = "tenant", .region = "region", .zone = "", .token = TokenMadeAt(now_ + absl::Hours(99))};
  EXPECT_EQ(FindLater(absl::ZeroDuration(), uuid), Finding::kTooNew);
  Put(TimedRecordOf(Request("pencil", 1)), uuid);
  EXPECT_EQ(FindLater(absl::ZeroDuration(), uuid), Finding::kSameParameters);
}

TEST_F(TokenFindingTest, C17_C29_ATombstoneIsExpiredWhateverTheTime) {
  TokenRecord tombstone = TimedRecordOf(Request("pencil", 1));
  tombstone.clear_fingerprint();
  tombstone.clear_reply();
  Put(tombstone);
  for (const absl::Duration later : {-1'000 * kRetention, absl::ZeroDuration(), kRetention}) {
    EXPECT_EQ(FindLater(later), Finding::kExpired) << later;
  }
}

TEST_F(TokenFindingTest, C27_ExpiredAndAbandonedTokensAskForANewOne) {
  EXPECT_THAT(RefuseExpired(), HasReason(Reason::kClientTokenExpired));
  EXPECT_THAT(RefuseAbandoned(), HasReason(Reason::kClientTokenAbandoned));
  EXPECT_THAT(RefuseTooNew(), HasReason(Reason::kInvalidClientToken));
  for (const absl::Status& refused : {RefuseExpired(), RefuseAbandoned()}) {
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(VerdictOf(refused), RetryVerdict::kNewToken);
  }
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
