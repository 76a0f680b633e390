#include "hapax/interceptors/idempotency/token_quota.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr char kTenant[] = "tenant";

class TokenQuotaTest : public testing::Test {
 protected:
  absl::Status Count(absl::Time forget_at, const std::string& tenant = kTenant) {
    return Execute(*store_,
                   [&](Transaction& txn) { return CountToken(policy_, tenant, forget_at, clock_.Now(), txn); });
  }
  // Stores a token that is not counted.
  void Put(const std::string& token, absl::Time forget_at, const std::string& tenant = kTenant) {
    store::v1::TokenRecord record;
    if (forget_at != absl::InfiniteFuture()) *record.mutable_forget_at() = ToTimestamp(forget_at);
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          PutToken(txn, {.tenant = tenant, .region = "region", .zone = "", .token = token}, record);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  int64_t Stored(const std::string& tenant = kTenant) {
    absl::StatusOr<int64_t> stored;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        stored = StoredTokens(tenant, clock_.Now(), txn);
                        return stored.status();
                      }),
                IsOk());
    return stored.value_or(-1);
  }
  absl::StatusOr<bool> CountAll(bool is_counted = false) {
    return CountAllTokens(clock_.Now(), *store_, [=](const ReadTransaction&) { return is_counted; });
  }
  // Rows and bytes that counting has left in the store.
  std::pair<int, size_t> CountRows() {
    int rows = 0;
    size_t bytes = 0;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        return txn.Scan(Table::kMeta, KeyRange::Prefix(KeyBuilder().String("token_count").Build()),
                                        [&](std::string_view /*key*/, std::string_view value) {
                                          ++rows;
                                          bytes += value.size();
                                          return true;
                                        });
                      }),
                IsOk());
    return {rows, bytes};
  }
  [[nodiscard]] absl::Time In(absl::Duration time) const { return clock_.Now() + time; }

  const TempDir dir_;
  ManualClock clock_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  TokenPolicy policy_ = {.max_tokens_per_tenant = 2};
};

TEST_F(TokenQuotaTest, WithoutALimitNothingIsCounted) {
  policy_.max_tokens_per_tenant = 0;
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Count(In(kDay)), IsOk());
  EXPECT_EQ(Stored(), 0);
  EXPECT_EQ(CountRows().first, 0);
}

TEST_F(TokenQuotaTest, OneMoreThanTheLimitIsRefusedByName) {
  EXPECT_THAT(Count(In(kDay)), IsOk());
  EXPECT_THAT(Count(In(kDay)), IsOk());
  const absl::Status refused = Count(In(kDay));
  EXPECT_THAT(refused, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("max_tokens_per_tenant is 2; "));
  EXPECT_EQ(Stored(), 2);
  EXPECT_THAT(Count(In(kDay), "another"), IsOk());
  EXPECT_EQ(Stored("another"), 1);
}

TEST_F(TokenQuotaTest, ATokenCountsUntilItIsForgottenAndASixteenthOfItsTimeLongerAtTheMost) {
  policy_.max_tokens_per_tenant = 1;
  EXPECT_THAT(Count(In(kDay)), IsOk());
  clock_.Advance(kDay - absl::Microseconds(1));
  EXPECT_THAT(Count(In(kDay)), HasReason(Reason::kQuotaExceeded));
  clock_.Advance(kDay / 16 + absl::Microseconds(1));
  EXPECT_EQ(Stored(), 0);
  EXPECT_THAT(Count(In(kDay)), IsOk());
}

// Also where it has been lowered since.
TEST_F(TokenQuotaTest, TheRefusalSaysWhenThereIsRoom) {
  policy_.max_tokens_per_tenant = 3;
  for (const absl::Duration time : {kDay, 10 * kDay, 20 * kDay}) EXPECT_THAT(Count(In(time)), IsOk());
  policy_.max_tokens_per_tenant = 2;
  const std::string message(Count(In(kDay)).message());
  const size_t at = message.find("from ") + 5;
  absl::Time room;
  std::string error;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_sec, message.substr(at, message.find(" on") - at), &room, &error))
      << message;
  clock_.Advance(room - clock_.Now() - absl::Seconds(2));
  EXPECT_THAT(Count(In(kDay)), HasReason(Reason::kQuotaExceeded));
  clock_.Advance(absl::Seconds(4));
  EXPECT_THAT(Count(In(kDay)), IsOk());
}

TEST_F(TokenQuotaTest, ATokenThatIsKeptForGoodCountsForGood) {
  policy_.max_tokens_per_tenant = 1;
  EXPECT_THAT(Count(absl::InfiniteFuture()), IsOk());
  clock_.Advance(10'000 * kDay);
  const absl::Status refused = Count(In(kDay));
  EXPECT_THAT(refused, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no room will come"));
}

TEST_F(TokenQuotaTest, TheCountTakesAFewHundredBytesHoweverManyThereAre) {
  policy_.max_tokens_per_tenant = 1'000'000;
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_THAT(Count(In(31 * kDay)), IsOk());
    ASSERT_THAT(Count(In(kDay)), IsOk());
    clock_.Advance(absl::Hours(1));
  }
  EXPECT_NEAR(Stored(), 31 * 24 + 24, (31 * 24 + 24) / 16);  // Those of the last 31 days, and of the last day.
  EXPECT_EQ(CountRows().first, 1);
  EXPECT_LT(CountRows().second, 1'000);
}

TEST_F(TokenQuotaTest, WhatIsThereIsCounted) {
  EXPECT_THAT(Count(In(kDay), "gone"), IsOk());
  EXPECT_THAT(Count(In(kDay)), IsOk());
  Put("day", In(kDay));
  Put("month", In(30 * kDay));
  Put("abandoned", absl::InfiniteFuture());
  Put("forgotten", clock_.Now());
  Put("other", In(kDay), "another");
  ASSERT_THAT(CountAll(), IsOkAndHolds(true));
  EXPECT_EQ(Stored(), 3);
  EXPECT_EQ(Stored("another"), 1);
  EXPECT_EQ(Stored("gone"), 0);
  clock_.Advance(2 * kDay);
  EXPECT_EQ(Stored(), 2);
}

TEST_F(TokenQuotaTest, WhatAnotherServerCountsByThenIsNotCountedAnew) {
  EXPECT_THAT(Count(In(kDay)), IsOk());
  EXPECT_THAT(CountAll(/*is_counted=*/true), IsOkAndHolds(false));
  EXPECT_EQ(Stored(), 1);
  EXPECT_THAT(CountAll(), IsOkAndHolds(true));
  EXPECT_EQ(Stored(), 0);
}

TEST_F(TokenQuotaTest, C32_BytesOfRepliesCountUntilTheyExpireAndTombstonesUntilTheyAreForgotten) {
  policy_ = {.max_token_bytes_per_tenant = 10'000};
  const auto count = [&](int64_t bytes) {
    return Execute(*store_, [&](Transaction& txn) {
      const absl::Time now = clock_.Now();
      const absl::Status status = CountToken(policy_, kTenant, now + 30 * kDay, now, txn);
      if (!status.ok()) return status;
      return CountTokenBytes(policy_, kTenant, {.bytes = bytes, .expires_at = now + kDay, .forget_at = now + 30 * kDay},
                             now, txn);
    });
  };
  const auto stored = [&] {
    absl::StatusOr<int64_t> bytes;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        bytes = StoredTokenBytes(kTenant, clock_.Now(), txn);
                        return bytes.status();
                      }),
                IsOk());
    return bytes.value_or(-1);
  };
  EXPECT_THAT(count(10'001), HasReason(Reason::kQuotaExceeded));
  EXPECT_EQ(stored(), 0);
  EXPECT_EQ(Stored(), 0) << "what is refused counts nothing";
  EXPECT_THAT(count(6'000), IsOk());
  const absl::Status refused = count(4'001);
  EXPECT_THAT(refused, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("max_token_bytes_per_tenant is 10000; there is room from "));
  EXPECT_THAT(count(4'000), IsOk());
  EXPECT_THAT(Count(In(kDay)), HasReason(Reason::kQuotaExceeded)) << "one that is full refuses before the handler runs";
  EXPECT_EQ(stored(), 10'000);
  EXPECT_EQ(Stored(), 2);
  clock_.Advance(kDay + kDay / 16);
  EXPECT_EQ(stored(), 2 * 512);
  EXPECT_THAT(count(8'000), IsOk());
  clock_.Advance(40 * kDay);
  EXPECT_EQ(stored(), 0);
}

TEST_F(TokenQuotaTest, C20_AbandonedTokensHaveALimitOfTheirOwn) {
  policy_.max_abandoned_tokens_per_tenant = 3;
  const auto abandon = [&](const std::string& tenant) {
    return Execute(*store_, [&](Transaction& txn) { return CountAbandonedToken(policy_, tenant, txn); });
  };
  EXPECT_THAT(Count(In(kDay)), IsOk());
  EXPECT_THAT(Count(In(kDay)), IsOk());
  EXPECT_THAT(Count(In(kDay)), HasReason(Reason::kQuotaExceeded));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(abandon(kTenant), IsOk()) << "although the other limit is used up";
  const absl::Status refused = abandon(kTenant);
  EXPECT_THAT(refused, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("max_abandoned_tokens_per_tenant is 3"));
  EXPECT_THAT(abandon("another"), IsOk());
  EXPECT_EQ(Stored(), 2);
  policy_.max_abandoned_tokens_per_tenant = 0;
  EXPECT_THAT(abandon(kTenant), IsOk());
}

TEST_F(TokenQuotaTest, AbandonedTokensThatAreThereAreCountedApart) {
  store::v1::TokenRecord abandoned;
  *abandoned.mutable_abandoned_at() = ToTimestamp(clock_.Now());
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        PutToken(txn, {.tenant = kTenant, .region = "region", .zone = "", .token = "a"}, abandoned);
                        return absl::OkStatus();
                      }),
              IsOk());
  ASSERT_THAT(CountAll(), IsOkAndHolds(true));
  EXPECT_EQ(Stored(), 0);
  EXPECT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) {
                      EXPECT_THAT(AbandonedTokens(kTenant, txn), IsOkAndHolds(1));
                      return absl::OkStatus();
                    }),
              IsOk());
}

}  // namespace
}  // namespace hapax
