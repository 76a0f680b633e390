#include "hapax/server/hosting/expiry_keeper.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/memory/store.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Keepers as of several servers on one store. They sweep when the test says so.
namespace hapax {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

class FixedTime final : public TimeSource {
 public:
  [[nodiscard]] absl::Time Now() const override { return now; }
  absl::Time now = kNow;
};

class ExpiryKeeperTest : public testing::Test {
 protected:
  // A token that expires, and is to be forgotten, at these times.
  void PutToken(const std::string& key, absl::Time expires_at, absl::Time forget_at) {
    store::v1::TokenRecord record;
    record.set_method("method");
    record.mutable_fingerprint()->set_version(1);
    *record.mutable_executed_at() = ToTimestamp(kNow - absl::Hours(100));
    *record.mutable_expires_at() = ToTimestamp(expires_at);
    *record.mutable_forget_at() = ToTimestamp(forget_at);
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          PutRow(txn, Table::kTokens, key, record);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  std::optional<store::v1::TokenRecord> Token(const std::string& key) {
    std::optional<store::v1::TokenRecord> record;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) -> absl::Status {
                        HAPAX_ASSIGN_OR_RETURN(record, GetRow<store::v1::TokenRecord>(txn, Table::kTokens, key));
                        return absl::OkStatus();
                      }),
                IsOk());
    return record;
  }

  const std::unique_ptr<Store> store_ = MakeMemoryStore();
  FixedTime time_;
  const std::unique_ptr<spdlog::logger> log_ = NullLogger();
  ExpiryKeeper first_{time_, *store_, *log_, absl::InfiniteDuration()};
  ExpiryKeeper second_{time_, *store_, *log_, absl::InfiniteDuration()};
};

TEST_F(ExpiryKeeperTest, C17_ATokenIsReducedAndForgottenSomeTimeAfterItsOwn) {
  PutToken("kept", kNow + absl::Hours(1), kNow + absl::Hours(2));
  PutToken("expired", kNow, kNow + absl::Hours(2));
  PutToken("forgotten", kNow - absl::Hours(1), kNow);
  time_.now = kNow + ExpiryKeeper::kLag - absl::Seconds(1);
  EXPECT_THAT(first_.Tend(), IsOkAndHolds(false)) << "another may sweep at the moment";
  EXPECT_THAT(first_.Tend(), IsOkAndHolds(true));
  EXPECT_TRUE(Token("expired")->has_fingerprint());
  EXPECT_TRUE(Token("forgotten").has_value());
  time_.now = kNow + ExpiryKeeper::kLag;
  EXPECT_THAT(first_.Tend(), IsOkAndHolds(true));
  EXPECT_TRUE(Token("kept")->has_fingerprint());
  EXPECT_FALSE(Token("expired")->has_fingerprint()) << "a tombstone";
  EXPECT_FALSE(Token("forgotten").has_value());
}

TEST_F(ExpiryKeeperTest, OneSweepsAtATimeAndAnotherOnceItIsGone) {
  EXPECT_THAT(first_.Tend(), IsOkAndHolds(false));
  EXPECT_THAT(second_.Tend(), IsOkAndHolds(false));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(first_.Tend(), IsOkAndHolds(true));
    EXPECT_THAT(second_.Tend(), IsOkAndHolds(false));
  }
  EXPECT_THAT(second_.Tend(), IsOkAndHolds(true)) << "the first was not heard of";
  EXPECT_THAT(first_.Tend(), IsOkAndHolds(false));
}

}  // namespace
}  // namespace hapax
