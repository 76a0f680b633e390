#include "hapax/server/hosting/token_policy_history.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/idempotency/token_quota.h"
#include "hapax/interceptors/idempotency/token_table.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

// By then something may have been forgotten.
constexpr absl::Duration kLongAfter = absl::Hours(24 * 40);

class CompletePolicyTest : public testing::Test {
 protected:
  void Open(const TokenPolicy& policy, const std::vector<const HostedService*>& services = {}) {
    store_ = nullptr;
    store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
    time_ = std::make_unique<TokenTime>(clock_);
    ASSERT_THAT(time_->Load(*store_, {.shortest_life = ShortestLife(policy, services)}), IsOk());
  }
  // A start of the server with this retention.
  TokenPolicy Start(absl::Duration retention, const std::vector<const HostedService*>& services = {}) {
    Open({.retention = retention}, services);
    const auto policy = CompletePolicy({.retention = retention}, services, *store_, *time_);
    EXPECT_THAT(policy, IsOk());
    return policy.value_or(TokenPolicy());
  }

  const TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<TokenTime> time_;
  std::unique_ptr<Store> store_;
};

TEST_F(CompletePolicyTest, C17_TheFirstStartHasForgottenNothing) {
  const TokenPolicy policy = Start(absl::Hours(5));
  EXPECT_EQ(policy.longest_retention, absl::Hours(5));
  EXPECT_EQ(policy.forgotten_until, absl::InfinitePast());
}

TEST_F(CompletePolicyTest, C17_TheSameOrAShorterRetentionForgetsNothingMore) {
  Start(absl::Hours(5));
  EXPECT_EQ(Start(absl::Hours(5)).forgotten_until, absl::InfinitePast());
  EXPECT_EQ(Start(absl::Hours(1)).forgotten_until, absl::InfinitePast());
}

TEST_F(CompletePolicyTest, C17_UnderALongerRetentionWhatTheLastOneForgotIsRefusedFromThenOn) {
  Start(absl::Hours(1));
  clock_.Advance(kLongAfter);
  const absl::Time forgotten = clock_.Now() - absl::Hours(1);
  EXPECT_EQ(Start(absl::Hours(24)).forgotten_until, forgotten);
  clock_.Advance(absl::Hours(2));
  const TokenPolicy again = Start(absl::Hours(24));
  EXPECT_EQ(again.forgotten_until, forgotten) << "it is remembered";
  EXPECT_EQ(Start(absl::Hours(2)).forgotten_until, forgotten);
  EXPECT_EQ(Start(absl::Hours(48)).forgotten_until, clock_.Now() - absl::Hours(2));
}

TEST_F(CompletePolicyTest, C29_AClockThatWasAheadLeavesNoTimeThatIsStillToCome) {
  Start(absl::Hours(1));
  clock_.Advance(kLongAfter);
  const absl::Time now = clock_.Now();
  Start(absl::Hours(1));
  clock_.Jump(absl::Hours(24 * 40));
  const absl::Time forgotten = Start(absl::Hours(24)).forgotten_until;
  EXPECT_GE(forgotten, now - absl::Hours(1));
  EXPECT_LT(forgotten, now) << "it would refuse what is made from now on";
}

TEST_F(CompletePolicyTest, C29_WhereNothingWasForgottenALongerRetentionRefusesNothing) {
  clock_.Jump(absl::Hours(24 * 40));
  Start(absl::Hours(1));
  clock_.Jump(-absl::Hours(24 * 40));
  EXPECT_EQ(Start(absl::Hours(24)).forgotten_until, absl::InfinitePast());
}

class TokenCountAtStartTest : public CompletePolicyTest {
 protected:
  static constexpr char kTenant[] = "tenant";

  // A start with this limit, from which on the server stores these tokens.
  void Run(int64_t limit, const std::vector<std::string>& tokens) {
    Open({.max_tokens_per_tenant = limit});
    const auto policy = CompletePolicy({.max_tokens_per_tenant = limit}, {}, *store_, *time_);
    ASSERT_THAT(policy, IsOk());
    for (const std::string& token : tokens) {
      const absl::Time forget_at = clock_.Now() + absl::Hours(24);
      store::v1::TokenRecord record;
      *record.mutable_forget_at() = ToTimestamp(forget_at);
      ASSERT_THAT(Execute(*store_,
                          [&](Transaction& txn) {
                            PutToken(txn, {.tenant = kTenant, .region = "here", .zone = "", .token = token}, record);
                            return CountToken(*policy, kTenant, forget_at, clock_.Now(), txn);
                          }),
                  IsOk());
    }
  }
  int64_t Counted() {
    absl::StatusOr<int64_t> stored;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        stored = StoredTokens(kTenant, clock_.Now(), txn);
                        return stored.status();
                      }),
                IsOk());
    return stored.value_or(-1);
  }
};

TEST_F(TokenCountAtStartTest, TheFirstStartWithALimitCountsWhatIsThere) {
  Run(0, {"first", "second"});
  EXPECT_EQ(Counted(), 0);
  Run(5, {"third"});
  EXPECT_EQ(Counted(), 3);
}

TEST_F(TokenCountAtStartTest, TheNextStartKeepsTheCountUnderAnyLimit) {
  Run(5, {"first", "second"});
  const auto count_none = [this](Transaction& txn) {
    return CountToken({.max_tokens_per_tenant = 5}, kTenant, clock_.Now() + absl::Hours(1), clock_.Now(), txn);
  };
  ASSERT_THAT(Execute(*store_, count_none), IsOk());  // There is no such token: counted anew they would be two.
  Run(1, {});
  EXPECT_EQ(Counted(), 3);
}

TEST_F(TokenCountAtStartTest, AfterAStartWithoutALimitTheyAreCountedAnew) {
  Run(5, {"first"});
  Run(0, {"second"});
  Run(5, {});
  EXPECT_EQ(Counted(), 2);
}

}  // namespace
}  // namespace hapax
