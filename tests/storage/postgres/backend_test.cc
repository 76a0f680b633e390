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

// Groups on a real server: what this backend alone can and cannot do.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

TEST_F(PostgresBackendTest, AKeyThatIsTooLongForAnIndexIsRefused) {
  std::string key;  // Such that compression does not help.
  for (uint32_t bits = 1; key.size() < 9000; bits = bits * 1664525 + 1013904223)
    key.push_back(static_cast<char>(bits >> 24));
  const RemoteCommitted refused = Committed(*backend_, Group({}, {{Row(key), ""}}));
  EXPECT_EQ(refused.outcome, Outcome::kRefused) << refused.status;
  EXPECT_THAT(refused.status, StatusIs(StatusCode::kResourceExhausted));
}

// A page of large rows is not read whole.
TEST_F(PostgresBackendTest, AScanEndsWithTheRowThatExceedsItsBytes) {
  const std::string large(1000, 'x');
  ASSERT_EQ(Commit({}, {{Row("a"), large}, {Row("b"), large}, {Row("c"), large}, {Row("d"), "1"}}), Outcome::kApplied);
  const auto scan = [&](int64_t max_bytes) {
    const auto fetched = Wait<absl::StatusOr<RemoteFetched>>([&](auto done) {
      backend_->Fetch({.scans = {{.table = Table::kResources, .max_rows = 9, .max_bytes = max_bytes}}},
                      std::move(done));
    });
    EXPECT_THAT(fetched, IsOk());
    return fetched.ok() ? fetched->scans[0] : RemoteFetched::Rows();
  };
  EXPECT_EQ(scan(1).rows.size(), 1);
  EXPECT_TRUE(scan(1).has_more);
  EXPECT_EQ(scan(1500).rows.size(), 2);
  EXPECT_EQ(scan(1500).rows[1].value.value, large);
  EXPECT_TRUE(scan(1500).has_more);
  EXPECT_EQ(scan(3001).rows.size(), 4);
  EXPECT_FALSE(scan(3001).has_more);
  EXPECT_EQ(scan(0).rows.size(), 4);
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
