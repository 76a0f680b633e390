#include "hapax/interceptors/idempotency/stored_reply.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using absl::StatusCode;
using store::v1::TokenRecord;
using testing::HasSubstr;
using testing::Not;
using tests::v1::PlaceOrderRequest;

const std::string kReply("a reply\0\xFF", 9);
const TokenKey kKey = {.tenant = "tenant", .region = "region", .zone = "zone", .token = "token"};

class StoredReplyTest : public testing::Test {
 protected:
  TokenRecord Stored(const Method& method) const {
    TokenRecord record;
    record.set_method(method.name);
    StoreReply(*method.rule, keys_, kKey, kReply, record);
    return record;
  }

  const SealKeys keys_ = SealKeys::Parse(SealKeys::NewFile("id")).value();
  const Method place_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
  const Method seal_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "SealOrder"));
};

TEST_F(StoredReplyTest, C8_AReplyIsStoredAsItIs) {
  const TokenRecord record = Stored(place_);
  EXPECT_EQ(record.reply(), kReply);
  EXPECT_FALSE(record.has_sealed_reply());
  EXPECT_THAT(ReadReply(keys_, kKey, record), IsOkAndHolds(kReply));
}

TEST_F(StoredReplyTest, C25_ASecretOneIsStoredSealedAndReadAsItWas) {
  const TokenRecord record = Stored(seal_);
  EXPECT_EQ(record.reply(), "");
  EXPECT_THAT(record.SerializeAsString(), Not(HasSubstr("a reply")));
  EXPECT_THAT(ReadReply(keys_, kKey, record), IsOkAndHolds(kReply));
}

TEST_F(StoredReplyTest, C25_ASecretOneIsBoundToTenantScopeTokenAndMethod) {
  const TokenRecord record = Stored(seal_);
  for (std::string TokenKey::*element : {&TokenKey::tenant, &TokenKey::region, &TokenKey::zone, &TokenKey::token}) {
    TokenKey other = kKey;
    other.*element += "2";
    EXPECT_THAT(ReadReply(keys_, other, record), StatusIs(StatusCode::kDataLoss)) << EncodeTokenKey(other);
  }
  TokenRecord of_another_method = record;
  of_another_method.set_method(place_.name);
  EXPECT_THAT(ReadReply(keys_, kKey, of_another_method), StatusIs(StatusCode::kDataLoss));
}

// The same bytes, divided otherwise.
TEST_F(StoredReplyTest, C25_TheElementsOfTheKeyAreKeptApart) {
  const TokenKey other = {.tenant = "tenantr", .region = "egion", .zone = "zone", .token = "token"};
  EXPECT_THAT(ReadReply(keys_, other, Stored(seal_)), StatusIs(StatusCode::kDataLoss));
}

TEST_F(StoredReplyTest, C18_WithoutItsKeyTheStoreIsUnavailable) {
  const SealKeys others = SealKeys::Parse(SealKeys::NewFile("other")).value();
  EXPECT_THAT(ReadReply(others, kKey, Stored(seal_)), HasReason(Reason::kTokenStoreUnavailable));
  EXPECT_THAT(ReadReply(others, kKey, Stored(place_)), IsOkAndHolds(kReply));
}

}  // namespace
}  // namespace hapax
