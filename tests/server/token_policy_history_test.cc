#include "hapax/server/token_policy_history.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "hapax/storage/rocksdb_store.h"
#include "hapax/tests/support/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

class CompletePolicyTest : public testing::Test {
 protected:
  // A start of the server with this retention.
  TokenPolicy Start(absl::Duration retention, const std::vector<const HostedService*>& services = {}) {
    store_ = nullptr;
    store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
    const auto policy = CompletePolicy({.retention = retention}, services, *store_, clock_.Now());
    EXPECT_THAT(policy, IsOk());
    return policy.value_or(TokenPolicy());
  }

  const TempDir dir_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
};

TEST_F(CompletePolicyTest, C17_TheFirstStartHasForgottenNothing) {
  const TokenPolicy policy = Start(absl::Hours(5));
  EXPECT_EQ(policy.longest_retention, absl::Hours(5));
  EXPECT_EQ(policy.forgotten_until, absl::InfinitePast());
  EXPECT_EQ(policy.AgeLimitAt(clock_.Now(), absl::Hours(5)), absl::Hours(5));
}

TEST_F(CompletePolicyTest, C17_TheSameOrAShorterRetentionForgetsNothingMore) {
  Start(absl::Hours(5));
  EXPECT_EQ(Start(absl::Hours(5)).forgotten_until, absl::InfinitePast());
  EXPECT_EQ(Start(absl::Hours(1)).forgotten_until, absl::InfinitePast());
}

TEST_F(CompletePolicyTest, C17_UnderALongerRetentionWhatTheLastOneForgotIsRefusedFromThenOn) {
  Start(absl::Hours(1));
  clock_.Advance(absl::Hours(10));
  const absl::Time forgotten = clock_.Now() - absl::Hours(1);
  EXPECT_EQ(Start(absl::Hours(24)).forgotten_until, forgotten);
  clock_.Advance(absl::Hours(2));
  const TokenPolicy again = Start(absl::Hours(24));
  EXPECT_EQ(again.forgotten_until, forgotten) << "it is remembered";
  EXPECT_EQ(again.AgeLimitAt(clock_.Now(), absl::Hours(24)), absl::Hours(3));
  EXPECT_EQ(Start(absl::Hours(2)).forgotten_until, forgotten);
  EXPECT_EQ(Start(absl::Hours(48)).forgotten_until, clock_.Now() - absl::Hours(2));
}

}  // namespace
}  // namespace hapax
