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
#include "hapax/tests/storage/etcd/etcd_cluster.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/storage/etcd/txns.h"
#include "hapax/tests/support/status_matchers.h"

// Groups on real members: what is compared, and what is told of those whose answers are lost.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

constexpr Table kTable = Table::kResources;

RemoteKey Row(const std::string& key, Table table = kTable) { return {.table = table, .key = key}; }
RemoteKey Granule(const std::string& key) { return {.kind = RemoteKey::Kind::kGranule, .table = kTable, .key = key}; }

// Waits for what `start` passes to its callback.
template <typename Result, typename Start>
Result Wait(Start start) {
  std::optional<Result> result;
  absl::Notification done;
  start([&](Result got) {
    result.emplace(std::move(got));
    done.Notify();
  });
  done.WaitForNotification();
  return *std::move(result);
}

RemoteFetched Fetched(RemoteBackend& backend, const RemoteFetch& fetch) {
  auto fetched = Wait<absl::StatusOr<RemoteFetched>>([&](auto done) { backend.Fetch(fetch, std::move(done)); });
  EXPECT_THAT(fetched, IsOk());
  return fetched.ok() ? *std::move(fetched) : RemoteFetched();
}

RemoteValue ValueOf(RemoteBackend& backend, const RemoteKey& key) {
  return Fetched(backend, {.keys = {key}}).values.at(0);
}

RemoteCommitted Committed(RemoteBackend& backend, const RemoteGroup& group) {
  return Wait<RemoteCommitted>([&](auto done) { backend.Commit(group, std::move(done)); });
}

RemoteSlotState Slot(RemoteBackend& backend) {
  auto slot = Wait<absl::StatusOr<RemoteSlotState>>([&](auto done) { backend.ReadSlot("server/0", std::move(done)); });
  EXPECT_THAT(slot, IsOk());
  return slot.ok() ? *std::move(slot) : RemoteSlotState();
}

// Raises the slot's epoch until it is known to be raised; the slot then is this.
RemoteSlot Taken(RemoteBackend& backend, const std::string& owner = "owner") {
  for (int tries = 0; tries < 100; ++tries) {
    const auto seen =
        Wait<absl::StatusOr<RemoteSlotState>>([&](auto done) { backend.ReadSlot("server/0", std::move(done)); });
    if (!seen.ok()) continue;
    const RemoteSlot next = {.owner = owner, .epoch = seen->value.epoch + 1, .seq = seen->value.seq};
    const auto raised =
        Wait<absl::StatusOr<bool>>([&](auto done) { backend.RaiseSlot("server/0", *seen, next, std::move(done)); });
    if (raised.ok() && *raised) return next;
  }
  ADD_FAILURE() << "the slot cannot be taken";
  return {};
}

absl::StatusOr<bool> IsUnchanged(RemoteBackend& backend, const std::vector<RemoteRead>& reads) {
  return Wait<absl::StatusOr<bool>>([&](auto done) { backend.Compare(reads, std::move(done)); });
}

std::unique_ptr<RemoteBackend> OpenBackend(const EtcdOptions& options, const std::string& prefix) {
  auto backend = OpenEtcdBackend(options, prefix);
  EXPECT_THAT(backend, IsOk());
  return *std::move(backend);
}

class EtcdBackendTest : public testing::Test {
 protected:
  // A backend through the proxy.
  std::unique_ptr<RemoteBackend> OpenThroughProxy() const {
    EtcdOptions options = SharedEtcd().ClientOptions();
    options.endpoints = {proxy_->endpoint()};
    return OpenBackend(options, prefix_);
  }

  // The next group on the slot, that writes these.
  RemoteGroup Group(std::vector<RemoteRead> reads, std::vector<RemoteGroup::Write> writes) const {
    return {.slot = "server/0", .before = slot_, .reads = std::move(reads), .writes = std::move(writes)};
  }
  // Commits it, and counts it.
  Outcome Commit(std::vector<RemoteRead> reads, std::vector<RemoteGroup::Write> writes) {
    const Outcome outcome = Committed(*backend_, Group(std::move(reads), std::move(writes))).outcome;
    if (outcome == Outcome::kApplied) ++slot_.seq;
    return outcome;
  }

  const std::string prefix_ = NewPrefix();
  const std::unique_ptr<TcpProxy> proxy_ = std::make_unique<TcpProxy>(SharedEtcd().endpoint(0));
  const std::unique_ptr<RemoteBackend> backend_ = OpenBackend(SharedEtcd().ClientOptions(), prefix_);
  RemoteSlot slot_ = Taken(*backend_);
};

TEST_F(EtcdBackendTest, AGroupIsAppliedAsAWholeAndReadAtOneMoment) {
  EXPECT_EQ(slot_, (RemoteSlot{.owner = "owner", .epoch = 1, .seq = 0}));
  const std::string bytes("\0/\xff", 3);
  ASSERT_EQ(Commit({}, {{Row("a"), ""}, {Row("b"), bytes}, {Row(bytes), "c"}, {Row("b", Table::kWork), "work"}}),
            Outcome::kApplied);
  ASSERT_EQ(Commit({}, {{Row("a"), std::nullopt}, {Row("d"), "d"}}), Outcome::kApplied);

  const RemoteFetched fetched = Fetched(*backend_, {.keys = {Row("a"), Row("b"), Row(bytes), Row("b", Table::kWork)},
                                                    .scans = {{.table = kTable},
                                                              {.table = kTable, .range = {.begin = "b"}},
                                                              {.table = kTable, .range = {.begin = "b", .end = "d"}},
                                                              {.table = kTable, .max_rows = 2},
                                                              {.table = Table::kOperations}}});
  EXPECT_EQ(fetched.values[0].value, std::nullopt);
  EXPECT_EQ(fetched.values[0].revision, 0);
  EXPECT_EQ(fetched.values[1].value, bytes);
  EXPECT_EQ(fetched.values[2].value, "c");
  EXPECT_EQ(fetched.values[3].value, "work");
  EXPECT_GT(fetched.values[1].revision, 0);
  const auto keys = [&](int scan) {
    std::vector<std::string> found;
    for (const RemoteFetched::Row& row : fetched.scans[scan].rows) found.push_back(row.key);
    return found;
  };
  EXPECT_THAT(keys(0), ElementsAre(bytes, "b", "d"));
  EXPECT_THAT(keys(1), ElementsAre("b", "d"));
  EXPECT_THAT(keys(2), ElementsAre("b"));
  EXPECT_THAT(keys(3), ElementsAre(bytes, "b"));
  EXPECT_THAT(keys(4), ElementsAre());
  EXPECT_FALSE(fetched.scans[0].has_more);
  EXPECT_TRUE(fetched.scans[3].has_more);
  EXPECT_EQ(fetched.scans[0].rows[1].value.revision, fetched.values[1].revision);
}

TEST_F(EtcdBackendTest, AGroupThatReadWhatHasChangedIsNotApplied) {
  ASSERT_EQ(Commit({}, {{Row("a"), "1"}}), Outcome::kApplied);
  const int64_t old = ValueOf(*backend_, Row("a")).revision;
  ASSERT_EQ(Commit({{Row("a"), old}}, {{Row("a"), "2"}}), Outcome::kApplied);

  const RemoteCommitted conflict = Committed(*backend_, Group({{Row("b"), 0}, {Row("a"), old}}, {{Row("b"), "b"}}));
  EXPECT_EQ(conflict.outcome, Outcome::kNotApplied);
  EXPECT_EQ(conflict.slot, slot_);
  EXPECT_EQ(ValueOf(*backend_, Row("b")).value, std::nullopt);
  EXPECT_THAT(IsUnchanged(*backend_, {{Row("a"), old}}), IsOkAndHolds(false));

  const int64_t now = ValueOf(*backend_, Row("a")).revision;
  EXPECT_THAT(IsUnchanged(*backend_, {{Row("a"), now}, {Row("b"), 0}}), IsOkAndHolds(true));
  EXPECT_EQ(Commit({{Row("b"), 0}, {Row("a"), now}}, {{Row("b"), "b"}}), Outcome::kApplied);
  EXPECT_EQ(Commit({{Row("b"), 0}}, {{Row("b"), "again"}}), Outcome::kNotApplied);
}

TEST_F(EtcdBackendTest, AGroupThatScannedAGranuleIsRefusedOnceARowEnteredOrLeftIt) {
  ASSERT_EQ(Commit({{Granule("g"), 0}}, {{Row("g1"), "1"}, {Granule("g"), ""}}), Outcome::kApplied);
  const int64_t before = ValueOf(*backend_, Granule("g")).revision;
  ASSERT_EQ(Commit({}, {{Row("g1"), std::nullopt}, {Granule("g"), ""}}), Outcome::kApplied);
  EXPECT_EQ(Commit({{Granule("g"), before}}, {{Row("sum"), "1"}}), Outcome::kNotApplied);
}

TEST_F(EtcdBackendTest, AGroupWhoseAnswerIsLostIsFoundAppliedByItsSlot) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->LoseAnswers();
  EXPECT_EQ(Committed(*through_proxy, Group({}, {{Row("a"), "1"}})).outcome, Outcome::kUnknown);
  proxy_->Forward();
  EXPECT_EQ(Taken(*through_proxy), (RemoteSlot{.owner = "owner", .epoch = 2, .seq = 1}));
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "1");
}

TEST_F(EtcdBackendTest, AGroupThatComesAfterItsSlotWasTakenIsNeverApplied) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->HoldRequests();
  absl::Notification told;
  through_proxy->Commit(Group({}, {{Row("a"), "late"}}), [&](const RemoteCommitted& committed) {
    EXPECT_EQ(committed.outcome, Outcome::kUnknown);
    told.Notify();
  });
  proxy_->AwaitHeldRequest();
  proxy_->CutClients();
  told.WaitForNotification();
  proxy_->Forward();
  const RemoteSlot taken = Taken(*through_proxy);
  EXPECT_EQ(taken, (RemoteSlot{.owner = "owner", .epoch = 2, .seq = 0}));
  proxy_->DeliverHeld();
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, std::nullopt);
  slot_ = taken;
  EXPECT_EQ(Commit({}, {{Row("a"), "again"}}), Outcome::kApplied);
}

TEST_F(EtcdBackendTest, AGroupThatWasNotFencedIsAppliedWhenItComesLate) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->HoldRequests();
  absl::Notification told;
  through_proxy->Commit(Group({}, {{Row("a"), "late"}}), [&](const RemoteCommitted&) { told.Notify(); });
  proxy_->AwaitHeldRequest();
  proxy_->CutClients();
  told.WaitForNotification();
  proxy_->Forward();
  proxy_->DeliverHeld();
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "late");
}

TEST_F(EtcdBackendTest, ASecondDeliveryOfAGroupFindsItsNumberInTheSlot) {
  const RemoteGroup group = Group({{Row("a"), 0}}, {{Row("a"), "1"}});
  const RemoteCommitted first = Committed(*backend_, group);
  EXPECT_EQ(first.outcome, Outcome::kApplied);
  const int64_t revision = ValueOf(*backend_, Row("a")).revision;
  EXPECT_EQ(first.revision, revision);
  const RemoteCommitted second = Committed(*backend_, group);
  EXPECT_EQ(second.outcome, Outcome::kNotApplied);
  EXPECT_EQ(second.slot, (RemoteSlot{.owner = "owner", .epoch = 1, .seq = 1}));
  EXPECT_EQ(ValueOf(*backend_, Row("a")).revision, revision);
}

TEST_F(EtcdBackendTest, AGroupWhoseSlotAnotherProcessTookIsNotAppliedAndToldWhoTookIt) {
  const RemoteSlotState seen = Slot(*backend_);
  const RemoteSlot taken = Taken(*backend_, "second");
  const RemoteCommitted late = Committed(*backend_, Group({}, {{Row("a"), "1"}}));
  EXPECT_EQ(late.outcome, Outcome::kNotApplied);
  EXPECT_EQ(late.slot, taken);
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, std::nullopt);
  // Nor does a raise that comes late undo it.
  EXPECT_THAT(Wait<absl::StatusOr<bool>>([&](auto done) {
                backend_->RaiseSlot("server/0", seen, {.owner = "owner", .epoch = 9}, std::move(done));
              }),
              IsOkAndHolds(false));
  EXPECT_EQ(Slot(*backend_).value, taken);
}

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
