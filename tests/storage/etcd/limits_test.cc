#include "hapax/storage/etcd/limits.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/etcd/messages.h"
#include "hapax/tests/support/status_matchers.h"

// What a group may hold, against the bytes of its request.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr EtcdLimits kDefaultBytes = {.max_txn_ops = 8192, .max_request_bytes = 1572864};

EtcdLayout LayoutOf(size_t prefix_bytes) { return EtcdLayout("/" + std::string(prefix_bytes - 1, 'p')); }

// The largest group of these limits with keys of this size: as many reads and writes, and values for the rest.
RemoteGroup Largest(const RemoteLimits& limits, size_t key_bytes, bool deletes) {
  RemoteGroup group{.slot = std::string(64, 's'), .before = {.owner = std::string(64, 'o'), .epoch = 1, .seq = 1}};
  int64_t left = limits.max_bytes;
  const auto key = [&](RemoteKey::Kind kind, int number) {
    std::string bytes = absl::StrCat(number, kind == RemoteKey::Kind::kRow ? "r" : "g");
    bytes.resize(std::max(bytes.size(), key_bytes), 'k');
    left -= static_cast<int64_t>(bytes.size());
    // The longest names of tables.
    return RemoteKey{.kind = kind, .table = number % 2 == 0 ? Table::kOperations : Table::kResources, .key = bytes};
  };
  // Large keys are half in the reads.
  const auto fits = [&](int64_t kept) { return left - kept > 2 * static_cast<int64_t>(key_bytes); };
  for (int i = 0; i < limits.max_reads && fits(limits.max_bytes / 2); ++i) {
    group.reads.push_back({key(RemoteKey::Kind::kGranule, i), std::numeric_limits<int64_t>::max()});
  }
  for (int i = 0; i < limits.max_writes && fits(0); ++i) {
    group.writes.push_back({key(RemoteKey::Kind::kRow, i), deletes ? std::nullopt : std::optional<std::string>("")});
  }
  if (!deletes) group.writes.back().value = std::string(left, 'v');
  return group;
}

TEST(EtcdLimitsTest, TheLargestGroupIsNotLargerThanARequestMayBe) {
  for (const size_t prefix_bytes : {size_t{2}, size_t{6}, size_t{144}, EtcdLayout::kMaxPrefixBytes}) {
    const EtcdLayout layout = LayoutOf(prefix_bytes);
    for (const EtcdLimits& limits : {kDefaultBytes, EtcdLimits{.max_txn_ops = 1024, .max_request_bytes = 10 << 20}}) {
      const absl::StatusOr<RemoteLimits> group_limits = GroupLimitsOf(limits, layout);
      ASSERT_THAT(group_limits, IsOk()) << prefix_bytes;
      EXPECT_GE(group_limits->max_bytes, limits.max_request_bytes / 2);
      EXPECT_GE(group_limits->max_writes, 1023);
      EXPECT_LT(group_limits->max_writes, limits.max_txn_ops) << "one operation is the slot's";
      for (const size_t key_bytes : {1, 90, 200, 20'000}) {
        for (const bool deletes : {false, true}) {
          const RemoteGroup group = Largest(*group_limits, key_bytes, deletes);
          // etcd adds a header with the user's name.
          EXPECT_LE(CommitTxn(layout, group).ByteSizeLong() + 512, static_cast<size_t>(limits.max_request_bytes))
              << prefix_bytes << " " << key_bytes << " " << deletes;
        }
      }
    }
  }
}

TEST(EtcdLimitsTest, LimitsThatLeaveTooFewRowsForTheirPrefixAreRefusedWithWhatSuffices) {
  const EtcdLayout layout = LayoutOf(EtcdLayout::kMaxPrefixBytes);
  const absl::Status refused = GroupLimitsOf(kSmallestEtcdLimits, layout).status();
  ASSERT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition, HasSubstr("--max-request-bytes=1252160 ")));
  EXPECT_THAT(GroupLimitsOf({.max_txn_ops = 1024, .max_request_bytes = 1252159}, layout),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(GroupLimitsOf({.max_txn_ops = 1024, .max_request_bytes = 1252160}, layout), IsOk());
  EXPECT_THAT(GroupLimitsOf(kSmallestEtcdLimits, LayoutOf(64)), IsOk());
}

}  // namespace
}  // namespace hapax
