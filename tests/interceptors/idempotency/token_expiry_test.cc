#include "hapax/interceptors/idempotency/token_expiry.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// What a compaction leaves of the token table, by the clock (C17).
namespace hapax {
namespace {

using absl::StatusCode;
using store::v1::TokenRecord;
using testing::Eq;

constexpr absl::Duration kRetention = absl::Hours(24);
constexpr absl::Duration kTombstone = absl::Hours(48);
constexpr absl::Duration kTick = absl::Microseconds(1);
constexpr absl::Duration kCentury = absl::Hours(24 * 365 * 100);
const TokenKey kKey = {.tenant = "tenant", .region = "region", .zone = "zone", .token = "token"};

class TokenExpiryTest : public testing::Test {
 protected:
  TokenExpiryTest() { Open(); }

  void Open() { store_ = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = &expiry_}).value(); }
  void Reopen() {
    store_.reset();
    Open();
  }
  void PassAndCompact(absl::Duration time) {
    clock_.Advance(time);
    ASSERT_THAT(store_->Compact(), IsOk());
  }

  // A record that is executed now.
  TokenRecord RecordNow() const {
    TokenRecord record;
    record.set_method("Service/Method");
    record.mutable_fingerprint()->set_version(1);
    record.set_reply("the reply");
    record.mutable_sealed_reply()->set_key_id("key");
    *record.mutable_executed_at() = ToTimestamp(clock_.Now());
    *record.mutable_expires_at() = ToTimestamp(clock_.Now() + kRetention);
    *record.mutable_forget_at() = ToTimestamp(clock_.Now() + kRetention + kTombstone);
    return record;
  }

  void Change(Table table, const std::string& key, const std::string& value) {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          txn.Put(table, key, value);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  void Put(const TokenRecord& record, const TokenKey& key = kKey) {
    Change(Table::kTokens, EncodeTokenKey(key), EncodeRow(EncodeTokenKey(key), record));
  }

  // The row's bytes; nullopt when there is none.
  std::optional<std::string> Row(Table table, const std::string& key) {
    std::optional<std::string> row;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        auto got = txn.Get(table, key);
                        if (got.ok()) row = *std::move(got);
                        return got.status();
                      }),
                IsOk());
    return row;
  }
  std::optional<std::string> TokenRow(const TokenKey& key = kKey) { return Row(Table::kTokens, EncodeTokenKey(key)); }

  absl::StatusOr<std::optional<TokenRecord>> Find(const TokenKey& key = kKey) {
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
  ManualClock clock_;
  const TokenExpiry expiry_{clock_};
  std::unique_ptr<Store> store_;
};

TEST_F(TokenExpiryTest, C17_ARecordThatHasNotExpiredStaysAsItIs) {
  Put(RecordNow());
  const auto before = TokenRow();
  PassAndCompact(kRetention - kTick);
  EXPECT_EQ(TokenRow(), before);
}

TEST_F(TokenExpiryTest, C17_AnExpiredOneBecomesItsTombstone) {
  const TokenRecord record = RecordNow();
  Put(record);
  PassAndCompact(kRetention);
  TokenRecord tombstone = record;
  tombstone.clear_fingerprint();
  tombstone.clear_reply();
  tombstone.clear_sealed_reply();
  for (int i = 0; i < 2; ++i) {
    const auto found = Find();
    ASSERT_THAT(found, IsOk());
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->SerializeAsString(), tombstone.SerializeAsString());
    EXPECT_EQ(StateAt(**found, clock_.Now()), TokenState::kExpired);
    Reopen();
  }
}

TEST_F(TokenExpiryTest, C17_ATombstoneStaysUntilItIsToBeForgotten) {
  Put(RecordNow());
  PassAndCompact(kRetention);
  const auto tombstone = TokenRow();
  PassAndCompact(kTombstone - kTick);
  EXPECT_EQ(TokenRow(), tombstone);
  PassAndCompact(kTick);
  EXPECT_EQ(TokenRow(), std::nullopt);
  Reopen();
  EXPECT_EQ(TokenRow(), std::nullopt);
}

TEST_F(TokenExpiryTest, C17_ARecordThatIsToBeForgottenGoesAtOnce) {
  Put(RecordNow());
  PassAndCompact(kRetention + kTombstone);
  EXPECT_EQ(TokenRow(), std::nullopt);
}

TEST_F(TokenExpiryTest, C17_OneWithoutExpiryStaysForGood) {
  TokenRecord record = RecordNow();
  record.clear_expires_at();
  record.clear_forget_at();
  Put(record);
  const auto before = TokenRow();
  PassAndCompact(kCentury);
  EXPECT_EQ(TokenRow(), before);
}

TEST_F(TokenExpiryTest, C17_ATombstoneThatIsNeverToBeForgottenStaysForGood) {
  TokenRecord record = RecordNow();
  record.clear_forget_at();
  Put(record);
  PassAndCompact(kCentury);
  const auto found = Find();
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->reply(), "");
  EXPECT_EQ(StateAt(**found, clock_.Now()), TokenState::kExpired);
}

TEST_F(TokenExpiryTest, C20_AnAbandonedTokenStaysForGood) {
  TokenRecord record;
  *record.mutable_abandoned_at() = ToTimestamp(clock_.Now());
  Put(record);
  const auto before = TokenRow();
  PassAndCompact(kCentury);
  EXPECT_EQ(TokenRow(), before);
}

TEST_F(TokenExpiryTest, C18_ADamagedRowIsKeptAsItIsAndStaysDataLoss) {
  Put(RecordNow());
  std::string damaged = TokenRow().value();
  damaged.back() ^= 1;
  Change(Table::kTokens, EncodeTokenKey(kKey), damaged);
  for (const absl::Duration time : {kRetention, kTombstone, kCentury}) {
    PassAndCompact(time);
    EXPECT_EQ(TokenRow(), damaged);
    EXPECT_THAT(Find(), StatusIs(StatusCode::kDataLoss));
  }
  Reopen();
  EXPECT_THAT(Find(), StatusIs(StatusCode::kDataLoss));
}

TEST_F(TokenExpiryTest, C18_ARowThatStandsAtAnothersKeyIsKeptToo) {
  Put(RecordNow());
  TokenKey other = kKey;
  other.token = "other";
  Change(Table::kTokens, EncodeTokenKey(other), TokenRow().value());
  PassAndCompact(kCentury);
  EXPECT_THAT(Find(), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(Find(other), StatusIs(StatusCode::kDataLoss));
}

TEST_F(TokenExpiryTest, WhatLooksLikeARecordInAnotherTableIsKept) {
  const std::string key = EncodeTokenKey(kKey);
  for (const Table table : {Table::kResources, Table::kWork}) Change(table, key, EncodeRow(key, RecordNow()));
  PassAndCompact(kCentury);
  for (const Table table : {Table::kResources, Table::kWork}) EXPECT_NE(Row(table, key), std::nullopt);
}

TEST_F(TokenExpiryTest, C17_OnlyTheNewestRecordOfATokenIsJudged) {
  Put(RecordNow());
  ASSERT_THAT(store_->Compact(), IsOk());
  clock_.Advance(kRetention + kTombstone);
  const TokenRecord again = RecordNow();  // Executed again, in the log; the old one is in a file.
  Put(again);
  PassAndCompact(kRetention - kTick);
  const auto found = Find();
  ASSERT_THAT(found, IsOk());
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->SerializeAsString(), again.SerializeAsString());
}

}  // namespace
}  // namespace hapax
