#include "hapax/interceptors/idempotency/token_table.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using store::v1::TokenRecord;
using testing::Eq;
using testing::Optional;
using testing::Property;

const TokenKey kKey = {.tenant = "tenant", .region = "region", .zone = "zone", .token = "token"};

TokenRecord RecordWithReply(std::string reply) {
  TokenRecord record;
  record.set_method("hapax.compute.v1.Compute/RunInstances");
  record.set_reply(std::move(reply));
  return record;
}

auto HasReply(const std::string& reply) { return Optional(Property("reply", &TokenRecord::reply, Eq(reply))); }

class TokenTableTest : public testing::Test {
 protected:
  TokenTableTest() : store_(*OpenRocksDbStore({.path = dir_.Path("data")})) {}

  void Put(const TokenKey& key, const std::string& reply) {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          PutToken(txn, key, RecordWithReply(reply));
                          return absl::OkStatus();
                        }),
                IsOk());
  }

  absl::StatusOr<std::optional<TokenRecord>> Find(const TokenKey& key) {
    absl::StatusOr<std::optional<TokenRecord>> found;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        found = FindToken(txn, key);
                        return absl::OkStatus();
                      }),
                IsOk());
    return found;
  }

  const TempDir dir_;
  const std::unique_ptr<Store> store_;
};

TEST_F(TokenTableTest, ATokenThatWasNeverUsedIsFree) { EXPECT_THAT(Find(kKey), IsOkAndHolds(Eq(std::nullopt))); }

TEST_F(TokenTableTest, ARecordIsFoundAsItWasPut) {
  const std::string reply("\0verbatim\xFF", 10);
  Put(kKey, reply);
  const auto found = Find(kKey);
  ASSERT_THAT(found, IsOkAndHolds(HasReply(reply)));
  EXPECT_EQ((*found)->SerializeAsString(), RecordWithReply(reply).SerializeAsString());
}

TEST_F(TokenTableTest, ARecordIsFoundWithinTheTransactionThatPutsIt) {
  absl::StatusOr<std::optional<TokenRecord>> before;
  absl::StatusOr<std::optional<TokenRecord>> after;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        before = FindToken(txn, kKey);
                        PutToken(txn, kKey, RecordWithReply("reply"));
                        after = FindToken(txn, kKey);
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(before, IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(after, IsOkAndHolds(HasReply("reply")));
}

TEST_F(TokenTableTest, C4AnotherTenantRegionZoneOrTokenIsAnotherKey) {
  Put(kKey, "reply");
  TokenKey key = kKey;
  key.tenant = "other";
  EXPECT_THAT(Find(key), IsOkAndHolds(Eq(std::nullopt)));
  key = kKey;
  key.region = "other";
  EXPECT_THAT(Find(key), IsOkAndHolds(Eq(std::nullopt)));
  key = kKey;
  key.zone = "other";
  EXPECT_THAT(Find(key), IsOkAndHolds(Eq(std::nullopt)));
  key = kKey;
  key.token = "other";
  EXPECT_THAT(Find(key), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(TokenTableTest, C4RegionalAndZonalTokensDoNotMeet) {
  TokenKey regional = kKey;
  regional.zone = "";
  Put(kKey, "zonal");
  EXPECT_THAT(Find(regional), IsOkAndHolds(Eq(std::nullopt)));
  Put(regional, "regional");
  EXPECT_THAT(Find(kKey), IsOkAndHolds(HasReply("zonal")));
  EXPECT_THAT(Find(regional), IsOkAndHolds(HasReply("regional")));
}

// A key in which the same bytes are divided otherwise must not be the same key: whatever a tenant may
// send as its token, it stays within its own.
TEST_F(TokenTableTest, C4BytesThatMoveFromOneElementToTheNextMakeAnotherKey) {
  Put({.tenant = "ab", .region = "c", .zone = "", .token = "d"}, "reply");
  EXPECT_THAT(Find({.tenant = "a", .region = "bc", .zone = "", .token = "d"}), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(Find({.tenant = "ab", .region = "", .zone = "c", .token = "d"}), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(Find({.tenant = "ab", .region = "c", .zone = "d", .token = ""}), IsOkAndHolds(Eq(std::nullopt)));
  const std::string separator("\0\1", 2);
  EXPECT_THAT(Find({.tenant = "ab" + separator + "c", .region = "", .zone = "", .token = "d"}),
              IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(TokenTableTest, ADamagedRecordIsDataLossAndNeverAFreeToken) {
  Put(kKey, "reply");
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) -> absl::Status {
                        std::string row_key;
                        std::string row_value;
                        absl::Status status = txn.Scan(Table::kTokens, KeyRange(), [&](auto key, auto value) {
                          row_key = key;
                          row_value = value;
                          return true;
                        });
                        row_value.back() ^= 1;
                        txn.Put(Table::kTokens, row_key, row_value);
                        return status;
                      }),
              IsOk());
  EXPECT_THAT(Find(kKey), StatusIs(absl::StatusCode::kDataLoss));
}

constexpr absl::Duration kTick = absl::Microseconds(1);
const absl::Time kExpires = absl::FromUnixMicros(1'700'000'000'123'456);
const absl::Time kForgotten = kExpires + absl::Hours(1) + kTick;

TokenRecord TimedRecord() {
  TokenRecord record;
  record.mutable_fingerprint()->set_version(1);
  *record.mutable_expires_at() = ToTimestamp(kExpires);
  *record.mutable_forget_at() = ToTimestamp(kForgotten);
  return record;
}

TEST(StateAt, C17_ARecordExpiresAndIsForgottenToTheMicrosecond) {
  const TokenRecord record = TimedRecord();
  EXPECT_EQ(StateAt(record, absl::InfinitePast()), TokenState::kExecuted);
  EXPECT_EQ(StateAt(record, kExpires - kTick), TokenState::kExecuted);
  EXPECT_EQ(StateAt(record, kExpires), TokenState::kExpired);
  EXPECT_EQ(StateAt(record, kForgotten - kTick), TokenState::kExpired);
  EXPECT_EQ(StateAt(record, kForgotten), TokenState::kFree);
  EXPECT_EQ(StateAt(record, absl::InfiniteFuture()), TokenState::kFree);
}

TEST(StateAt, C17_ATimeThatIsNotSetNeverComes) {
  TokenRecord record;
  record.mutable_fingerprint()->set_version(1);
  EXPECT_EQ(StateAt(record, absl::InfiniteFuture()), TokenState::kExecuted);
  *record.mutable_expires_at() = ToTimestamp(kExpires);
  EXPECT_EQ(StateAt(record, absl::InfiniteFuture()), TokenState::kExpired);
}

TEST(StateAt, C17_ATombstoneThatEndsWithTheReplyIsNone) {
  TokenRecord record = TimedRecord();
  *record.mutable_forget_at() = record.expires_at();
  EXPECT_EQ(StateAt(record, kExpires - kTick), TokenState::kExecuted);
  EXPECT_EQ(StateAt(record, kExpires), TokenState::kFree);
}

TEST(StateAt, C29_ATombstoneIsExpiredAsSoonAsItIsOne) {
  TokenRecord record = TimedRecord();
  record.clear_fingerprint();
  EXPECT_EQ(StateAt(record, absl::InfinitePast()), TokenState::kExpired);
  EXPECT_EQ(StateAt(record, kForgotten - kTick), TokenState::kExpired);
  EXPECT_EQ(StateAt(record, kForgotten), TokenState::kFree);
}

TEST(StateAt, C20_AbandonedIsForEver) {
  TokenRecord record = TimedRecord();
  *record.mutable_abandoned_at() = ToTimestamp(kExpires);
  for (const absl::Time now : {absl::InfinitePast(), kExpires, kForgotten, absl::InfiniteFuture()}) {
    EXPECT_EQ(StateAt(record, now), TokenState::kAbandoned);
  }
}

const TokenKey kKeys[] = {
    kKey,
    {},
    {.tenant = "tenant", .region = "region", .zone = "", .token = "token"},
    {.tenant = std::string("\0\1", 2), .region = std::string("\0\xFF", 2), .zone = "\xFF", .token = std::string(1, 0)},
};

TEST(EncodeTokenKey, IsDecodedAsItWas) {
  for (const TokenKey& key : kKeys) {
    const auto decoded = DecodeTokenKey(EncodeTokenKey(key));
    ASSERT_THAT(decoded, IsOk());
    EXPECT_EQ(decoded->tenant, key.tenant);
    EXPECT_EQ(decoded->region, key.region);
    EXPECT_EQ(decoded->zone, key.zone);
    EXPECT_EQ(decoded->token, key.token);
  }
}

TEST(EncodeTokenKey, WhatItDidNotMakeIsDataLoss) {
  const std::string key = EncodeTokenKey(kKey);
  for (const std::string& bytes : {std::string(), key.substr(0, key.size() - 1), key + "x", TokenPrefix("tenant"),
                                   TokenPrefix("tenant", "region"), key + TokenPrefix("more")}) {
    EXPECT_THAT(DecodeTokenKey(bytes), StatusIs(absl::StatusCode::kDataLoss)) << bytes;
  }
}

TEST(TokenPrefix, C4_IsThatOfOneTenantsTokensAndOfNoOthers) {
  for (const TokenKey& key : kKeys) {
    for (const TokenKey& other : kKeys) {
      const bool same_tenant = key.tenant == other.tenant;
      const bool same_region = same_tenant && key.region == other.region;
      EXPECT_EQ(EncodeTokenKey(other).starts_with(TokenPrefix(key.tenant)), same_tenant);
      EXPECT_EQ(EncodeTokenKey(other).starts_with(TokenPrefix(key.tenant, key.region)), same_region);
    }
  }
  EXPECT_FALSE(EncodeTokenKey({.tenant = "tenants"}).starts_with(TokenPrefix("tenant")));
  EXPECT_FALSE(EncodeTokenKey({.tenant = "t", .region = "east-1"}).starts_with(TokenPrefix("t", "east")));
}

TEST(ToTimestamp, KeepsMicrosecondsAlsoBeforeTheEpoch) {
  for (const int64_t micros :
       {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1'700'000'000'123'456}, int64_t{-1'000'001}}) {
    const auto timestamp = ToTimestamp(absl::FromUnixMicros(micros));
    EXPECT_EQ(FromTimestamp(timestamp), absl::FromUnixMicros(micros));
    EXPECT_GE(timestamp.nanos(), 0);
  }
  EXPECT_EQ(FromTimestamp(ToTimestamp(absl::FromUnixMicros(7) + absl::Nanoseconds(999))), absl::FromUnixMicros(7));
}

}  // namespace
}  // namespace hapax
