#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/storage/remote/store.h"
#include "hapax/storage/sql_connection.h"
#include "hapax/tests/storage/postgres/postgres_server.h"
#include "hapax/tests/storage/remote_backend_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Commits that wait for a synchronous standby, which is away.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr char kWaits[] = "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

class StandbyTest : public testing::Test {
 protected:
  void AwaitStandby(const std::string& names) const {
    server_.Sql("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    server_.Sql("SELECT pg_reload_conf()::text");
    server_.Await("SELECT current_setting('synchronous_standby_names')", names);
  }
  // Raises the slot, as a commit does.
  void Raise(const RemoteSlotState& seen, RemoteBackend::OnSlotRaised done) {
    backend_->RaiseSlot("slot", seen, {.owner = "owner", .epoch = seen.value.epoch + 1}, std::move(done));
  }
  absl::StatusOr<RemoteSlotState> Slot() {
    absl::StatusOr<RemoteSlotState> slot;
    absl::Notification told;
    backend_->ReadSlot("slot", [&](absl::StatusOr<RemoteSlotState> read) {
      slot = std::move(read);
      told.Notify();
    });
    told.WaitForNotification();
    return slot;
  }

  const PostgresServer server_;
  const std::unique_ptr<RemoteBackend> backend_ = *OpenPostgresBackend(server_.Options("hapax"));
};

TEST_F(StandbyTest, ACommitThatDidNotWaitForTheStandbyIsNotTold) {
  absl::Notification first;
  Raise({}, [&](const absl::StatusOr<bool>& raised) {
    EXPECT_THAT(raised, IsOkAndHolds(true));
    first.Notify();
  });
  first.WaitForNotification();
  const auto seen = Slot();
  ASSERT_THAT(seen, IsOk());

  AwaitStandby("nobody");
  absl::Notification second;
  Raise(*seen, [&](const absl::StatusOr<bool>& raised) {
    EXPECT_THAT(raised, StatusIs(StatusCode::kUnavailable, HasSubstr("without waiting for its standby")));
    second.Notify();
  });
  server_.Await(kWaits, "1");
  server_.Sql("SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  second.WaitForNotification();

  // It was committed all the same; it is known once a later commit has waited.
  AwaitStandby("");
  const auto found = Slot();
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->value.epoch, 2);
}

TEST_F(StandbyTest, ANewConnectionReadsNothingBeforeTheStandbyHasWhatIsVisible) {
  AwaitStandby("nobody");
  absl::Notification told;
  backend_->ReadSlot("slot", [&](const absl::StatusOr<RemoteSlotState>& read) {
    EXPECT_THAT(read, IsOk());
    told.Notify();
  });
  server_.Await(kWaits, "1");
  EXPECT_FALSE(told.HasBeenNotified());
  AwaitStandby("");
  told.WaitForNotification();
}

// As a primary that was paused, and wakes up after its standby was promoted.
TEST(PromotionTest, ReadsAreNotServedByTheFormerPrimaryOnceThePromotedOneIsKnown) {
  const PostgresServer former;
  former.Sql("CREATE ROLE app LOGIN");
  former.Sql("GRANT CREATE ON DATABASE postgres TO app");
  TcpProxy second("127.0.0.1:1", PostgresMessages());  // A host that takes no connection yet.
  const auto port = [](const std::string& endpoint) { return endpoint.substr(endpoint.find(':') + 1); };
  PostgresOptions options = former.Options("hapax");
  options.conninfo = absl::StrCat("host=127.0.0.1,127.0.0.1 port=", port(former.endpoint()), ",",
                                  port(second.endpoint()), " user=app dbname=postgres sslmode=disable");
  const auto backend = OpenPostgresBackend(options);
  ASSERT_THAT(backend, IsOk());
  RemoteSlot slot = Taken(**backend);  // On two connections.

  const PostgresServer promoted(PostgresServer::CopyOf{former});
  second.Redirect(promoted.endpoint());
  former.Sql("ALTER ROLE app CONNECTION LIMIT 0");
  former.Sql("SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE usename = 'app' AND query = 'COMMIT'");
  EXPECT_EQ(Committed(**backend, {.slot = "server/0", .before = slot, .writes = {{Row("a"), "1"}}}).outcome,
            RemoteCommitted::Outcome::kApplied);
  EXPECT_EQ(promoted.Sql("SELECT seq::text FROM hapax.slots"), "1");
  EXPECT_EQ(former.Sql("SELECT seq::text FROM hapax.slots"), "0");
  EXPECT_EQ(ValueOf(**backend, Row("a")).value, "1");
}

// A transaction with statements of SQL, whose commit waits.
class SqlStandbyTest : public StandbyTest {
 protected:
  SqlStandbyTest() {
    server_.Sql("CREATE TABLE public.counter AS SELECT 0 AS n");
    PostgresOptions options = server_.Options("hapax");
    options.conninfo = server_.Conninfo(proxy_.endpoint());
    store_ =
        std::make_unique<RemoteStore>(*OpenPostgresBackend(options), RemoteOptions{.slot = "server", .owner = "owner"});
    TransactionOutcome first;
    store_->ExecuteWithSql(Count(), first.Done(), "");
    EXPECT_THAT(first.Wait(), IsOk());
    AwaitStandby("nobody");
    store_->ExecuteWithSql(Count(), outcome_.Done(), "");
    server_.Await(kWaits, "1");
  }

  Store::Body Count() {
    return [this](Transaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
      txn.OnCommit([this] { ++hooks_; });
      return sql->Execute("UPDATE counter SET n = n + 1").status();
    };
  }
  void ExpectDoneOnce() {
    EXPECT_THAT(outcome_.Wait(), IsOk());
    EXPECT_EQ(hooks_, 2);
    EXPECT_EQ(server_.Sql("SELECT n::text FROM public.counter"), "2");
  }

  TcpProxy proxy_{server_.endpoint(), PostgresMessages()};
  std::atomic<int> hooks_ = 0;
  TransactionOutcome outcome_;
  std::unique_ptr<RemoteStore> store_;
};

TEST_F(SqlStandbyTest, OneWhoseAnswerIsLostIsDoneOnceAndTold) {
  proxy_.LoseAnswers();
  AwaitStandby("");
  proxy_.AwaitLostAnswer();
  EXPECT_FALSE(outcome_.settled());
  proxy_.Forward();
  ExpectDoneOnce();
}

TEST_F(SqlStandbyTest, OneThatDidNotWaitIsToldOnceALaterCommitHasWaited) {
  server_.Sql("SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  // The connection that finds the outcome out.
  server_.Await(kWaits, "1");
  EXPECT_FALSE(outcome_.settled());
  AwaitStandby("");
  ExpectDoneOnce();
}

}  // namespace
}  // namespace hapax
