#include "hapax/storage/etcd/limits.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/etcd/messages.h"

namespace hapax {
namespace {

// A group that has as much as the limits allow: the keys of the greatest table name, and one large value.
RemoteGroup Largest(const RemoteLimits& limits) {
  RemoteGroup group{.slot = std::string(64, 's'), .before = {.owner = std::string(64, 'o'), .epoch = 1, .seq = 1}};
  int64_t bytes = 0;
  for (int64_t i = 0; i < limits.max_reads; ++i) {
    group.reads.push_back(
        {.key = {.kind = RemoteKey::Kind::kGranule, .table = Table::kOperations, .key = absl::StrCat("granule ", i)},
         .revision = INT64_MAX});
    bytes += static_cast<int64_t>(group.reads.back().key.key.size());
  }
  for (int64_t i = 0; i < limits.max_writes; ++i) {
    group.writes.push_back({.key = {.table = Table::kOperations, .key = absl::StrCat("row ", i)}, .value = ""});
    bytes += static_cast<int64_t>(group.writes.back().key.key.size());
  }
  group.writes[0].value = std::string(limits.max_bytes - bytes, 'x');
  return group;
}

TEST(EtcdLimitsTest, TheLargestGroupIsWithinTheLimitsOfTheMembersAndHasRoomForRows) {
  for (const std::string& prefix : {std::string("/h"), "/" + std::string(EtcdLayout::kMaxPrefixBytes - 1, 'p')}) {
    const EtcdLayout layout(prefix);
    for (const EtcdLimits& limits : {kSmallestEtcdLimits, EtcdLimits{8'192, 3 << 19}, EtcdLimits{8'192, 10 << 20}}) {
      const RemoteLimits group = GroupLimits(layout, limits);
      EXPECT_GE(group.max_writes, 1'000) << "a launch of a hundred instances";
      EXPECT_GE(group.max_bytes, limits.max_request_bytes * 4 / 10);
      const etcd::v3::TxnRequest txn = CommitTxn(layout, Largest(group));
      EXPECT_LE(static_cast<int64_t>(txn.ByteSizeLong()), limits.max_request_bytes);
      EXPECT_LE(txn.compare_size(), limits.max_txn_ops);
      EXPECT_LE(txn.success_size(), limits.max_txn_ops);
    }
  }
}

TEST(EtcdLimitsTest, AnAnswerWithAForeignKeyIsAnErrorAndNoCrash) {
  const EtcdLayout layout("/hapax");
  etcd::v3::TxnResponse response;
  response.add_responses()->mutable_response_range()->add_kvs()->set_key("/other/row");
  const auto fetched = FetchedOf(layout, {.scans = {{.table = Table::kTokens}}}, response);
  EXPECT_EQ(fetched.status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace hapax
