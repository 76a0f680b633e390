#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_expiry.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/files.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// That the disk gets back what expired records took of it (C17), measured in the directory.
namespace hapax {
namespace {

using testing::AllOf;
using testing::Gt;
using testing::Lt;

constexpr int kRecords = 30'000;
constexpr int kRecordsPerCommit = 1'000;
constexpr uint64_t kReplyBytes = 1'024;
constexpr absl::Duration kRetention = absl::Hours(24);

class TokenSpaceTest : public testing::Test {
 protected:
  TokenSpaceTest() { Open(); }

  void Open() { store_ = OpenRocksDbStore({.path = dir_.Path("data"), .expiry = &expiry_}).value(); }

  // Records that are executed now, with replies that no compression makes smaller.
  void PutRecords() {
    std::mt19937_64 random(1);
    store::v1::TokenRecord record;
    record.set_method("hapax.compute.v1.Compute/RunInstances");
    record.mutable_fingerprint()->set_version(1);
    *record.mutable_executed_at() = ToTimestamp(clock_.Now());
    *record.mutable_expires_at() = ToTimestamp(clock_.Now() + kRetention);
    *record.mutable_forget_at() = ToTimestamp(clock_.Now() + 2 * kRetention);
    for (int first = 0; first < kRecords; first += kRecordsPerCommit) {
      ASSERT_THAT(Execute(*store_,
                          [&](Transaction& txn) {
                            for (int i = first; i < first + kRecordsPerCommit; ++i) {
                              std::string& reply = *record.mutable_reply();
                              reply.clear();
                              while (reply.size() < kReplyBytes) reply += static_cast<char>(random());
                              PutToken(txn, KeyOf(i), record);
                            }
                            return absl::OkStatus();
                          }),
                  IsOk());
    }
  }

  static TokenKey KeyOf(int number) {
    return {.tenant = "tenant", .region = "us-east-1", .zone = "", .token = absl::StrCat("token-", number)};
  }

  uint64_t BytesAfterCompaction() {
    EXPECT_THAT(store_->Compact(), IsOk());
    return BytesIn(dir_.Path("data"));
  }
  uint64_t BytesAfterReopening() {
    store_.reset();
    Open();
    return BytesIn(dir_.Path("data"));
  }

  // Whether each record, if there is one, is in that state.
  void ExpectAllAre(TokenState state) {
    EXPECT_THAT(
        Query(*store_,
              [&](const ReadTransaction& txn) {
                int others = 0;
                for (int i = 0; i < kRecords; ++i) {
                  const auto found = FindToken(txn, KeyOf(i));
                  if (!found.ok()) return found.status();
                  others += (found->has_value() ? StateAt(**found, clock_.Now()) : TokenState::kFree) != state ? 1 : 0;
                }
                EXPECT_EQ(others, 0);
                return absl::OkStatus();
              }),
        IsOk());
  }

  const TempDir dir_;
  ManualClock clock_;
  const TokenExpiry expiry_{clock_};
  std::unique_ptr<Store> store_;
};

TEST_F(TokenSpaceTest, C17_TheSpaceOfRepliesComesBackWhenTheyExpireAndOfTombstonesWhenTheyAreForgotten) {
  const uint64_t empty = BytesAfterCompaction();
  PutRecords();
  const uint64_t full = BytesAfterCompaction();
  ASSERT_THAT(full, Gt(kRecords * kReplyBytes));
  ExpectAllAre(TokenState::kExecuted);

  clock_.Advance(kRetention);
  ExpectAllAre(TokenState::kExpired);
  EXPECT_THAT(BytesAfterCompaction(), AllOf(Gt(empty + 10 * kRecords), Lt(full / 10)));
  EXPECT_THAT(BytesAfterReopening(), Lt(full / 10));
  ExpectAllAre(TokenState::kExpired);

  clock_.Advance(kRetention);
  ExpectAllAre(TokenState::kFree);
  EXPECT_THAT(BytesAfterCompaction(), Lt(empty + full / 1'000));
  EXPECT_THAT(BytesAfterReopening(), Lt(empty + full / 1'000));
  ExpectAllAre(TokenState::kFree);
}

}  // namespace
}  // namespace hapax
