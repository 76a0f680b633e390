#include "hapax/storage/postgres/sql_session.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/tests/storage/postgres/backend_fixture.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using Outcome = RemoteCommitted::Outcome;

class PgSqlSessionTest : public PostgresBackendTest {
 protected:
  PgSqlSessionTest() {
    SharedPostgres().Sql(absl::StrCat("CREATE TABLE ", table_, " (id bigint PRIMARY KEY, note text)"));
    Begin();
  }

  void Begin() { ASSERT_THAT(BeginOn(*session_), IsOk()); }
  [[nodiscard]] absl::Status BeginOn(RemoteSqlSession& session, absl::Duration time = absl::Minutes(1)) const {
    return session
        .Begin({.keys = {Row("a")}}, Group({{Row("a"), 0}}, {{Row("a"), std::nullopt}}), MonotonicNow() + time)
        .status();
  }
  // Commits row "a" with the statements.
  RemoteCommitted Commit() {
    RemoteCommitted committed =
        session_->Commit(Group({{Row("a"), ValueOf(*backend_, Row("a")).revision}}, {{Row("a"), "1"}}));
    if (committed.outcome == Outcome::kApplied) ++slot_.seq;
    return committed;
  }
  [[nodiscard]] std::string Insert() const { return absl::StrCat("INSERT INTO ", table_, " VALUES ($1, $2)"); }
  [[nodiscard]] absl::Status InsertOne() { return session_->Execute(Insert(), {int64_t{1}, SqlNull{}}).status(); }
  [[nodiscard]] std::string Count() const { return SharedPostgres().Sql("SELECT count(*)::text FROM " + table_); }

  const std::string table_ = absl::StrCat("public.", NewSchema());
  std::unique_ptr<RemoteSqlSession> session_ = backend_->NewSqlSession();
};

TEST_F(PgSqlSessionTest, ParametersAndResultsHaveTheirTypes) {
  const std::string bytes("\0\xff'", 3);
  const auto result = session_->Execute(
      "SELECT $1::bigint AS i, $2::float8 AS d, $3::bool AS b, $4::text AS t, $5::bytea AS y, $6::int AS n, 1.50 AS m",
      {int64_t{-7}, 0.1, true, std::string("é"), SqlBytes{bytes}, SqlNull{}});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(*result->Int64(0, "i"), -7);
  EXPECT_EQ(*result->Double(0, "d"), 0.1);
  EXPECT_TRUE(*result->Bool(0, "b"));
  EXPECT_EQ(*result->String(0, "t"), "é");
  EXPECT_EQ(*result->Bytes(0, "y"), bytes);
  EXPECT_TRUE(*result->IsNull(0, "n"));
  EXPECT_EQ(*result->String(0, "m"), "1.50");
  EXPECT_THAT(result->Int64(0, "n"), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("n is NULL")));
  EXPECT_THAT(result->Int64(0, "t"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("t is not of type int64")));
  EXPECT_THAT(result->Int64(0, "x"), StatusIs(StatusCode::kNotFound, HasSubstr("x")));
  EXPECT_THAT(result->Int64(1, "i"), StatusIs(StatusCode::kOutOfRange, HasSubstr("row 1")));
}

TEST_F(PgSqlSessionTest, ACommitKeepsStatementsAndRowsAndARollbackNeither) {
  const auto inserted = session_->Execute(Insert(), {int64_t{1}, std::string("one")});
  ASSERT_THAT(inserted, IsOk());
  EXPECT_EQ(inserted->rows_affected(), 1);
  EXPECT_EQ(Count(), "0");
  EXPECT_EQ(Commit().outcome, Outcome::kApplied);
  EXPECT_EQ(Count(), "1");
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, "1");
  EXPECT_EQ(Slot(*backend_).value, slot_);
  Begin();
  ASSERT_THAT(session_->Execute("DELETE FROM " + table_), IsOk());
  session_->Rollback();
  EXPECT_EQ(Count(), "1");
}

TEST_F(PgSqlSessionTest, NothingIsLeftIfARowThatWasReadHasChanged) {
  ASSERT_THAT(InsertOne(), IsOk());
  EXPECT_EQ(session_->Commit(Group({{Row("a"), 7}}, {{Row("a"), "1"}})).outcome, Outcome::kNotApplied);
  EXPECT_EQ(Count(), "0");
  Begin();
  ASSERT_THAT(InsertOne(), IsOk());
  RemoteGroup others = Group({}, {{Row("a"), "1"}});
  others.before.owner = "other";
  const RemoteCommitted committed = session_->Commit(others);
  EXPECT_EQ(committed.outcome, Outcome::kNotApplied);
  EXPECT_EQ(committed.slot, slot_);
  EXPECT_EQ(Count(), "0");
}

TEST_F(PgSqlSessionTest, OthersWaitForTheEndOfTheTransactionThatLockedTheirRow) {
  ASSERT_THAT(InsertOne(), IsOk());
  const auto other = backend_->NewSqlSession();
  EXPECT_THAT(BeginOn(*other), StatusIs(StatusCode::kAborted));  // After lock_timeout.
  session_->Rollback();
  EXPECT_THAT(BeginOn(*other), IsOk());
}

TEST_F(PgSqlSessionTest, AFailedStatementThatIsPassedOverLeavesNothing) {
  ASSERT_THAT(InsertOne(), IsOk());
  const auto twice = session_->Execute(Insert(), {int64_t{1}, SqlNull{}});
  EXPECT_THAT(twice, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(SqlStateOf(twice.status()), "23505");
  EXPECT_THAT(session_->Execute("SELECT 1"), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(Commit().outcome, Outcome::kRefused);
  EXPECT_THAT(session_->failure(), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(Count(), "0");
  EXPECT_EQ(ValueOf(*backend_, Row("a")).value, std::nullopt);
}

TEST_F(PgSqlSessionTest, ACheckThatIsDeferredToTheCommitFailsAsAStatement) {
  SharedPostgres().Sql(absl::StrCat("ALTER TABLE ", table_, " ADD COLUMN parent bigint REFERENCES ", table_,
                                    " DEFERRABLE INITIALLY DEFERRED"));
  ASSERT_THAT(session_->Execute(absl::StrCat("INSERT INTO ", table_, " VALUES (1, '', 2)")), IsOk());
  ASSERT_THAT(session_->Execute("SELECT pg_advisory_lock(8)"), IsOk());
  EXPECT_EQ(Commit().outcome, Outcome::kRefused);
  EXPECT_THAT(session_->failure(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(SqlStateOf(session_->failure()), "23503");
  EXPECT_EQ(Count(), "0");
  EXPECT_EQ(SharedPostgres().Sql("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 8"), "0");
}

TEST_F(PgSqlSessionTest, WhatEndsTheTransactionOrChangesTheSessionIsRefusedAndLeavesNothing) {
  for (const char* sql : {"COMMIT", " rollback", "/**/ COMMIT", "--\nCOMMIT", "END", "SET search_path = x", "DO 'x'",
                          "PREPARE TRANSACTION 'x'", "SAVEPOINT s", "COPY x TO STDOUT", ""}) {
    session_->Rollback();
    Begin();
    ASSERT_THAT(InsertOne(), IsOk());
    EXPECT_THAT(session_->Execute(sql), StatusIs(StatusCode::kInvalidArgument)) << sql;
    EXPECT_EQ(Commit().outcome, Outcome::kRefused) << sql;
    EXPECT_EQ(Count(), "0") << sql;
  }
  Begin();
  EXPECT_THAT(session_->Execute("SELECT 1; COMMIT"), StatusIs(StatusCode::kInternal));
  EXPECT_EQ(Commit().outcome, Outcome::kRefused);
}

TEST_F(PgSqlSessionTest, OnlyWhatMayPassIsUnavailable) {
  SharedPostgres().Sql("INSERT INTO " + table_ + " VALUES (1), (2)");
  const std::string twice =
      absl::StrCat("INSERT INTO ", table_, " VALUES (3), (3) ON CONFLICT (id) DO UPDATE SET note = ''");
  const std::string two_rows = absl::StrCat("SELECT (SELECT id FROM ", table_, ")");
  for (const auto& [sql, sqlstate] : {std::pair(twice, "21000"), std::pair(two_rows, "21000"),
                                      std::pair(std::string("SELECT nextval('none')"), "42P01")}) {
    session_->Rollback();
    Begin();
    const auto result = session_->Execute(sql);
    EXPECT_THAT(result, StatusIs(StatusCode::kInternal)) << sql;
    EXPECT_EQ(SqlStateOf(result.status()), sqlstate);
  }
}

// The statements have the role's settings; the engine's own are there again for the commit, whatever a handler did.
TEST_F(PgSqlSessionTest, StatementsHaveTheSettingsOfTheRoleAndNothingOfThemStays) {
  const auto settings = session_->Execute(
      "SELECT current_setting('search_path') AS path, current_setting('enable_seqscan') AS scans, "
      "set_config('synchronous_commit', 'off', false), set_config('app.tenant', 'acme', false), pg_advisory_lock(7)");
  ASSERT_THAT(settings, IsOk());
  ASSERT_THAT(session_->Execute("SELECT 1 AS one INTO TEMP left_over"), IsOk());
  // Last, since this role may do nothing.
  ASSERT_THAT(session_->Execute("SELECT set_config('role', 'pg_monitor', false)"), IsOk());
  EXPECT_EQ(*settings->String(0, "path"), "\"$user\", public");
  EXPECT_EQ(*settings->String(0, "scans"), "on");
  EXPECT_EQ(Commit().outcome, Outcome::kApplied);
  Begin();
  const auto later = session_->Execute(
      "SELECT current_setting('synchronous_commit') AS waits, current_setting('app.tenant') AS tenant, "
      "current_user::text AS role, to_regclass('left_over') IS NULL AS dropped, "
      "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND pid = pg_backend_pid()) AS locks");
  ASSERT_THAT(later, IsOk());
  EXPECT_EQ(*later->String(0, "waits"), "on");
  EXPECT_EQ(*later->String(0, "tenant"), "");
  EXPECT_EQ(*later->String(0, "role"), "postgres");
  EXPECT_TRUE(*later->Bool(0, "dropped"));
  EXPECT_EQ(*later->Int64(0, "locks"), 0);
}

TEST_F(PgSqlSessionTest, AStatementOutsideOfATransactionIsRefused) {
  session_->Rollback();
  EXPECT_THAT(InsertOne(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Count(), "0");
}

TEST_F(PgSqlSessionTest, ABrokenConnectionLeavesNothingAndIsMadeAnew) {
  ASSERT_THAT(InsertOne(), IsOk());
  const auto pid = session_->Execute("SELECT pg_backend_pid() AS pid");
  ASSERT_THAT(pid, IsOk());
  SharedPostgres().Sql(absl::StrCat("SELECT pg_terminate_backend(", *pid->Int64(0, "pid"), ")::text"));
  EXPECT_THAT(session_->Execute("SELECT 1"), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(Commit().outcome, Outcome::kRefused);
  EXPECT_EQ(Count(), "0");
  Begin();
  ASSERT_THAT(InsertOne(), IsOk());
  EXPECT_EQ(Commit().outcome, Outcome::kApplied);
}

TEST_F(PgSqlSessionTest, AStatementThatWaitsBeyondTheDeadlineBreaksTheSession) {
  session_->Rollback();
  ASSERT_THAT(BeginOn(*session_, absl::Milliseconds(300)), IsOk());
  EXPECT_THAT(session_->Execute("SELECT pg_sleep(60)"), StatusIs(StatusCode::kUnavailable, HasSubstr("in time")));
  EXPECT_EQ(Commit().outcome, Outcome::kRefused);
}

}  // namespace
}  // namespace hapax
