#include "hapax/storage/etcd/backend.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/storage/etcd/backend_fixture.h"
#include "hapax/tests/storage/etcd/etcd_cluster.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/support/status_matchers.h"

// Groups on real members: what this backend alone can and cannot do.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

TEST_F(EtcdBackendTest, AGroupThatIsTooLargeIsRefused) {
  const RemoteCommitted large = Committed(*backend_, Group({}, {{Row("a"), std::string(2 << 20, 'x')}}));
  EXPECT_EQ(large.outcome, Outcome::kRefused);
  EXPECT_THAT(large.status, StatusIs(StatusCode::kResourceExhausted, HasSubstr("--max-request-bytes")));
  std::vector<RemoteGroup::Write> many;
  for (int i = 0; i < 8192; ++i) many.push_back({Row(absl::StrCat(i)), ""});
  const RemoteCommitted refused = Committed(*backend_, Group({}, many));
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kResourceExhausted, HasSubstr("--max-txn-ops")));

  // The largest that the limits allow.
  const RemoteLimits limits = backend_->limits();
  std::vector<RemoteRead> reads;
  std::vector<RemoteGroup::Write> writes;
  int64_t bytes = 0;
  for (int i = 0; i < limits.max_reads; ++i) {
    reads.push_back({Granule(absl::StrCat("a granule ", i)), 0});
    bytes += static_cast<int64_t>(reads.back().key.key.size());
  }
  for (int i = 0; i < limits.max_writes; ++i) {
    writes.push_back({Row(absl::StrCat("row ", i)), ""});
    bytes += static_cast<int64_t>(writes.back().key.key.size());
  }
  ASSERT_LT(bytes, limits.max_bytes);
  writes[0].value = std::string(limits.max_bytes - bytes, 'x');
  EXPECT_EQ(Commit(reads, writes), Outcome::kApplied);
}

TEST_F(EtcdBackendTest, ADamagedSlotIsDataLoss) {
  const auto client = EtcdClient::Create(SharedEtcd().ClientOptions());
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(CommitAndWait(**client, PutTxn(prefix_ + "/slot/server/0", "damaged")).status, IsOk());
  EXPECT_THAT(
      Wait<absl::StatusOr<RemoteSlotState>>([&](auto done) { backend_->ReadSlot("server/0", std::move(done)); }),
      StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(Committed(*backend_, Group({}, {})).outcome, Outcome::kUnknown);
}

// How a member is killed with a group under way.
enum class Death {
  kUnderWay,     // At any moment.
  kBeforeGroup,  // The group has left the server and not reached the member.
  kBeforeReply,  // The member has applied the group, and its answer is lost.
};

// Members that die with groups under way: of each group it is found out whether it was applied, and that is true.
TEST(EtcdBackendClusterTest, GroupsUnderWayWhenTheirMemberIsKilledAreFoundAppliedOrNot) {
  EtcdCluster cluster({.members = 3});
  std::vector<std::unique_ptr<TcpProxy>> proxies;
  EtcdOptions options = cluster.ClientOptions();
  options.request_timeout = absl::Seconds(10);
  options.endpoints.clear();
  // With two of the members the one in use is always the one that was not killed last.
  for (const int member : {0, 1}) {
    proxies.push_back(std::make_unique<TcpProxy>(cluster.endpoint(member)));
    options.endpoints.push_back(proxies.back()->endpoint());
  }
  const auto backend = OpenBackend(options, "/hapax");
  RemoteSlot slot = Taken(*backend);
  int number = 0;
  int applied = 0;
  std::map<bool, int> resolved;  // By whether the group was found applied.
  const auto commit = [&](absl::FunctionRef<void()> while_under_way) {
    const RemoteKey row = Row(absl::StrCat("row", number++));
    absl::Notification told;
    RemoteCommitted committed;
    backend->Commit({.slot = "server/0", .before = slot, .writes = {{row, "1"}}}, [&](RemoteCommitted got) {
      committed = std::move(got);
      told.Notify();
    });
    while_under_way();
    told.WaitForNotification();
    bool was_applied = committed.outcome == Outcome::kApplied;
    if (committed.outcome == Outcome::kUnknown) {
      const RemoteSlot taken = Taken(*backend);
      was_applied = taken.seq == slot.seq + 1;
      slot = taken;
      ++resolved[was_applied];
    } else if (was_applied) {
      ++slot.seq;
    }
    applied += was_applied ? 1 : 0;
    EXPECT_EQ(ValueOf(*backend, row).value.has_value(), was_applied) << number;
  };
  int victim = 0;
  for (const Death death : {Death::kBeforeGroup, Death::kBeforeReply, Death::kUnderWay, Death::kUnderWay}) {
    TcpProxy& proxy = *proxies[victim];
    for (int i = 0; i < 8; ++i) commit([] {});
    if (death == Death::kBeforeGroup) proxy.HoldRequests();
    if (death == Death::kBeforeReply) proxy.LoseAnswers();
    commit([&] {
      if (death == Death::kBeforeGroup) proxy.AwaitHeldRequest();
      if (death == Death::kBeforeReply) proxy.AwaitLostAnswer();
      cluster.Kill(victim);
    });
    proxy.Forward();
    for (int i = 0; i < 8; ++i) commit([] {});
    cluster.Start(victim);
    cluster.AwaitReady(victim);
    victim = 1 - victim;
  }
  EXPECT_GE(resolved[false], 1);
  EXPECT_GE(resolved[true], 1);
  EXPECT_EQ(Fetched(*backend, {.scans = {{.table = kTable}}}).scans[0].rows.size(), static_cast<size_t>(applied));
  EXPECT_EQ(slot.seq, static_cast<uint64_t>(applied));
}

}  // namespace
}  // namespace hapax
