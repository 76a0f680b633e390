#include "hapax/storage/token_table.h"

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb_store.h"
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

}  // namespace
}  // namespace hapax
