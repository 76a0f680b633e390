#include "hapax/storage/postgres/isolation.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/tests/storage/postgres/postgres_server.h"
#include "hapax/tests/support/status_matchers.h"
#include "libpq-fe.h"

// Groups with SERIALIZABLE beside a transaction that stays open.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

RemoteKey Row(const std::string& key) { return {.table = Table::kResources, .key = key}; }

// A connection whose transactions last from one call to the next.
class OpenSession {
 public:
  OpenSession() : connection_(PQconnectdb(SharedPostgres().Conninfo().c_str()), PQfinish) {}

  // Returns the SQLSTATE of the error; "": none.
  std::string Run(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()), PQclear);
    const char* const sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    return sqlstate == nullptr ? "" : sqlstate;
  }

 private:
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

class SerializableTest : public testing::Test {
 protected:
  void SetUp() override {
    PostgresOptions options = SharedPostgres().Options(schema_);
    options.isolation = PgIsolationKind::kSerializable;
    backend_ = *OpenPostgresBackend(options);
    absl::Notification told;
    backend_->RaiseSlot("slot", {}, slot_, [&](const absl::StatusOr<bool>& raised) {
      EXPECT_THAT(raised, IsOkAndHolds(true));
      told.Notify();
    });
    told.WaitForNotification();
    ASSERT_EQ(Commit({}, {{Row("x"), "1"}}).outcome, Outcome::kApplied);
  }

  RemoteCommitted Commit(std::vector<RemoteRead> reads, std::vector<RemoteGroup::Write> writes) {
    RemoteCommitted committed;
    absl::Notification told;
    backend_->Commit({.slot = "slot", .before = slot_, .reads = std::move(reads), .writes = std::move(writes)},
                     [&](RemoteCommitted got) {
                       committed = std::move(got);
                       told.Notify();
                     });
    told.WaitForNotification();
    if (committed.outcome == Outcome::kApplied) ++slot_.seq;
    return committed;
  }

  RemoteFetched Fetched() {
    RemoteFetched fetched;
    absl::Notification told;
    backend_->Fetch({.keys = {Row("x"), Row("y")}}, [&](absl::StatusOr<RemoteFetched> got) {
      EXPECT_THAT(got, IsOk());
      if (got.ok()) fetched = *std::move(got);
      told.Notify();
    });
    told.WaitForNotification();
    return fetched;
  }

  [[nodiscard]] std::string Rows() const { return schema_ + ".rows"; }
  // Reads "x" in a transaction, as a group does that compares it.
  void BeginAndReadX() {
    ASSERT_EQ(other_.Run("BEGIN ISOLATION LEVEL SERIALIZABLE"), "");
    ASSERT_EQ(other_.Run(absl::StrCat("SELECT revision FROM ", Rows(), " WHERE key = 'x'")), "");
  }
  [[nodiscard]] std::string Put(const std::string& key) const {
    return absl::StrCat("INSERT INTO ", Rows(), " VALUES (", static_cast<int>(Table::kResources), ", '", key,
                        "', '2', 1) ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value");
  }

  const std::string schema_ = NewSchema();
  std::unique_ptr<RemoteBackend> backend_;
  RemoteSlot slot_ = {.owner = "owner", .epoch = 1};
  OpenSession other_;
};

// The read comes after the write of "x", and before that of "y", whose transaction has seen the old "x".
TEST_F(SerializableTest, AReadBetweenTwoGroupsInTheWrongOrderFailsTheSecond) {
  BeginAndReadX();
  ASSERT_EQ(Commit({}, {{Row("x"), "2"}}).outcome, Outcome::kApplied);
  const RemoteFetched fetched = Fetched();
  EXPECT_EQ(fetched.values[0].value, "2");
  EXPECT_EQ(fetched.values[1].value, std::nullopt);
  const std::string put = other_.Run(Put("y"));
  const std::string committed = other_.Run("COMMIT");
  EXPECT_EQ(put.empty() ? committed : put, "40001");
  EXPECT_EQ(Fetched().values[1].value, std::nullopt);
}

TEST_F(SerializableTest, WithoutTheReadBothAreRight) {
  BeginAndReadX();
  ASSERT_EQ(Commit({}, {{Row("x"), "2"}}).outcome, Outcome::kApplied);
  EXPECT_EQ(other_.Run(Put("y")), "");
  EXPECT_EQ(other_.Run("COMMIT"), "");
}

// It waits for the row that the other has written, and fails once the other commits.
TEST_F(SerializableTest, AGroupThatFailsForAnothersSakeIsNotAppliedAndTheNextTryIs) {
  const int64_t revision = Fetched().values[0].revision;
  ASSERT_EQ(other_.Run("BEGIN ISOLATION LEVEL SERIALIZABLE"), "");
  ASSERT_EQ(other_.Run(Put("x")), "");
  RemoteCommitted committed;
  absl::Notification told;
  backend_->Commit({.slot = "slot", .before = slot_, .reads = {{Row("x"), revision}}, .writes = {{Row("x"), "3"}}},
                   [&](RemoteCommitted got) {
                     committed = std::move(got);
                     told.Notify();
                   });
  SharedPostgres().Await("SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1");
  ASSERT_EQ(other_.Run("COMMIT"), "");
  told.WaitForNotification();
  EXPECT_EQ(committed.outcome, Outcome::kNotApplied) << committed.status;
  EXPECT_EQ(committed.slot, slot_);
  EXPECT_EQ(Commit({}, {{Row("x"), "4"}}).outcome, Outcome::kApplied);
  EXPECT_EQ(Fetched().values[0].value, "4");
}

TEST(PgIsolationTest, ServersWithAnotherIsolationAreRefusedAndToldWhatToDo) {
  PostgresOptions options = SharedPostgres().Options(NewSchema());
  ASSERT_THAT(OpenPostgresBackend(options), IsOk());
  options.isolation = PgIsolationKind::kSerializable;
  EXPECT_THAT(OpenPostgresBackend(options),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("postgres_isolation=serializable"), HasSubstr("have advisory_locks"),
                             HasSubstr("UPDATE \"" + options.schema + "\".engine SET isolation = 'serializable'"))));
  SharedPostgres().Sql("UPDATE " + options.schema + ".engine SET isolation = 'serializable'");
  EXPECT_THAT(OpenPostgresBackend(options), IsOk());
}

TEST(PgIsolationTest, ItIsReadAsItIsNamed) {
  for (const auto kind : {PgIsolationKind::kAdvisoryLocks, PgIsolationKind::kSerializable}) {
    EXPECT_THAT(ParsePgIsolation(PgIsolationName(kind)), IsOkAndHolds(kind));
  }
  EXPECT_THAT(ParsePgIsolation("read_committed"), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace hapax
