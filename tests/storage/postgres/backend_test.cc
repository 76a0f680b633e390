#include "hapax/storage/postgres/backend.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/postgres/locks.h"
#include "hapax/storage/postgres/session.h"
#include "hapax/tests/storage/postgres/backend_fixture.h"
#include "hapax/tests/support/status_matchers.h"

// Groups on a real server: what is compared, and what is told of those whose answers are lost.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

TEST_F(PostgresBackendTest, AGroupIsAppliedAsAWholeAndReadAtOneMoment) {
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

TEST_F(PostgresBackendTest, AGroupThatReadWhatHasChangedIsNotApplied) {
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

TEST_F(PostgresBackendTest, AGroupThatScannedAGranuleIsRefusedOnceARowEnteredOrLeftIt) {
  ASSERT_EQ(Commit({{Granule("g"), 0}}, {{Row("g1"), "1"}, {Granule("g"), ""}}), Outcome::kApplied);
  const int64_t before = ValueOf(*backend_, Granule("g")).revision;
  ASSERT_EQ(Commit({}, {{Row("g1"), std::nullopt}, {Granule("g"), ""}}), Outcome::kApplied);
  EXPECT_EQ(Commit({{Granule("g"), before}}, {{Row("sum"), "1"}}), Outcome::kNotApplied);
}

TEST_F(PostgresBackendTest, AGroupWhoseAnswerIsLostIsFoundAppliedByItsSlot) {
  const auto through_proxy = OpenThroughProxy();
  proxy_->LoseAnswers();
  EXPECT_EQ(Committed(*through_proxy, Group({}, {{Row("a"), "1"}})).outcome, Outcome::kUnknown);
  proxy_->Forward();
  EXPECT_EQ(Taken(*through_proxy), (RemoteSlot{.owner = "owner", .epoch = 3, .seq = 1}));
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "1");
}

TEST_F(PostgresBackendTest, AGroupThatComesAfterItsSlotWasTakenIsNeverApplied) {
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
  EXPECT_EQ(taken, (RemoteSlot{.owner = "owner", .epoch = 3, .seq = 0}));
  proxy_->DeliverHeld();
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, std::nullopt);
  slot_ = taken;
  EXPECT_EQ(Commit({}, {{Row("a"), "again"}}), Outcome::kApplied);
}

TEST_F(PostgresBackendTest, AGroupThatWasNotFencedIsAppliedWhenItComesLate) {
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

TEST_F(PostgresBackendTest, ASecondDeliveryOfAGroupFindsItsNumberInTheSlot) {
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

TEST_F(PostgresBackendTest, AGroupWhoseSlotAnotherProcessTookIsNotAppliedAndToldWhoTookIt) {
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

TEST_F(PostgresBackendTest, AKeyThatIsTooLongForAnIndexIsRefused) {
  std::string key;  // Such that compression does not help.
  for (uint32_t bits = 1; key.size() < 9000; bits = bits * 1664525 + 1013904223)
    key.push_back(static_cast<char>(bits >> 24));
  const RemoteCommitted refused = Committed(*backend_, Group({}, {{Row(key), ""}}));
  EXPECT_EQ(refused.outcome, Outcome::kRefused) << refused.status;
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kResourceExhausted));
}

// With so few locks that a lock for each key would exhaust the server's.
TEST(PostgresBackendLimitsTest, TheLargestGroupIsAppliedWhateverTheServersLockTable) {
  const PostgresServer server({"max_connections=10", "max_locks_per_transaction=10"});
  const auto backend = OpenBackend(server.Options("hapax"));
  const RemoteSlot slot = Taken(*backend);
  const RemoteLimits limits = backend->limits();
  RemoteGroup group{.slot = "server/0", .before = slot};
  for (int i = 0; i < limits.max_reads; ++i) group.reads.push_back({Granule(absl::StrCat("a granule ", i)), 0});
  for (int i = 0; i < limits.max_writes; ++i) group.writes.push_back({Row(absl::StrCat("row ", i)), "1"});
  group.writes[0].value = std::string(limits.max_bytes / 2, 'x');
  EXPECT_EQ(Committed(*backend, group).outcome, Outcome::kApplied);
  EXPECT_EQ(server.Sql("SELECT count(*)::text FROM hapax.rows"), absl::StrCat(limits.max_writes));
}

// All connections end, also those that wait for a request. A commit on one that is not known yet to have ended has an
// unknown outcome; the slot tells it.
TEST_F(PostgresBackendTest, ACommitAfterTheServersRestartIsAppliedOrFoundNotToBe) {
  ASSERT_EQ(Commit({}, {{Row("a"), "1"}}), Outcome::kApplied);
  SharedPostgres().Crash();
  SharedPostgres().Start();
  if (const Outcome outcome = Commit({}, {{Row("a"), "2"}}); outcome != Outcome::kApplied) {
    ASSERT_EQ(outcome, Outcome::kUnknown);
    slot_ = Taken(*backend_);
    EXPECT_EQ(ValueOf(*backend_, Row("a")).value, slot_.seq == 2 ? "2" : "1");
    if (slot_.seq == 1) {
      EXPECT_EQ(Commit({}, {{Row("a"), "2"}}), Outcome::kApplied);
    }
  }
  EXPECT_EQ(slot_.seq, 2);
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "2");
}

TEST_F(PostgresBackendTest, AReadAfterTheServersRestartIsServedAsIfNothingHadBeen) {
  ASSERT_EQ(Commit({}, {{Row("a"), "1"}}), Outcome::kApplied);
  SharedPostgres().Crash();
  SharedPostgres().Start();
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "1");
}

TEST_F(PostgresBackendTest, AReadDuringARestartWaitsForItsEnd) {
  ASSERT_EQ(Commit({}, {{Row("a"), "1"}}), Outcome::kApplied);
  SharedPostgres().Crash();
  absl::Notification told;
  backend_->Fetch({.keys = {Row("a")}}, [&](absl::StatusOr<RemoteFetched> fetched) {
    EXPECT_THAT(fetched, IsOk());
    told.Notify();
  });
  SharedPostgres().Start();
  told.WaitForNotification();
}

TEST_F(PostgresBackendTest, TheEndDoesNotWaitForAServerThatDoesNotAnswerANewConnection) {
  PostgresOptions options = SharedPostgres().Options(schema_);
  options.conninfo = SharedPostgres().Conninfo(proxy_->endpoint()) + " connect_timeout=0";  // For ever.
  auto backend = OpenBackend(options);
  constexpr char kConnections[] = "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'hapaxd'";
  const std::string before = SharedPostgres().Sql(kConnections);
  proxy_->LoseAnswers();
  absl::Notification told;
  backend->Fetch({.keys = {Row("a")}}, [&](const absl::StatusOr<RemoteFetched>& fetched) {
    EXPECT_THAT(fetched, StatusIs(StatusCode::kUnavailable));
    told.Notify();
  });
  while (SharedPostgres().Sql(kConnections) == before) {
  }
  backend = nullptr;
  EXPECT_TRUE(told.HasBeenNotified());
}

TEST_F(PostgresBackendTest, ADatabaseThatLostWhatItAcknowledgedIsFoundOutWithTheNextConnection) {
  ASSERT_EQ(Commit({}, {{Row("a"), "1"}}), Outcome::kApplied);
  // As after a failover to a standby that lagged.
  SharedPostgres().Sql("DELETE FROM " + schema_ + ".rows");
  SharedPostgres().Sql("UPDATE " + schema_ + ".slots SET seq = seq - 1");
  SharedPostgres().Crash();
  SharedPostgres().Start();
  EXPECT_THAT(
      Wait<absl::StatusOr<RemoteFetched>>([&](auto done) { backend_->Fetch({.keys = {Row("a")}}, std::move(done)); }),
      StatusIs(StatusCode::kFailedPrecondition, HasSubstr("lost commits that it had acknowledged")));
  const RemoteCommitted committed = Committed(*backend_, Group({}, {{Row("b"), "1"}}));
  EXPECT_EQ(committed.outcome, Outcome::kRefused);
  EXPECT_THAT(committed.status, StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(PostgresBackendTest, AGroupThatWaitsForALockForTooLongIsKnownNotToBeApplied) {
  PostgresOptions options = SharedPostgres().Options(schema_);
  options.lock_timeout = absl::Milliseconds(50);
  const auto impatient = OpenBackend(options);
  auto blocker = PgSession::Connect(SharedPostgres().Conninfo(), /*wake_fd=*/-1);
  ASSERT_THAT(blocker, IsOk());
  const std::string lock = absl::StrCat("SELECT pg_advisory_lock(", PgLocks(schema_, 1).OfSlot("")[0].id, ") IS NULL");
  ASSERT_THAT((*blocker)->Run({{.sql = lock}}, absl::InfiniteDuration()).status, IsOk());
  const RemoteCommitted committed = Committed(*impatient, Group({}, {{Row("a"), "1"}}));
  EXPECT_EQ(committed.outcome, Outcome::kRefused);
  EXPECT_THAT(committed.status, StatusIs(StatusCode::kUnavailable));
  *blocker = nullptr;
  EXPECT_EQ(Committed(*impatient, Group({}, {{Row("a"), "1"}})).outcome, Outcome::kApplied);
}

}  // namespace
}  // namespace hapax
