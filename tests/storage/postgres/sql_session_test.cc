#include "hapax/storage/postgres/sql_session.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/tests/storage/postgres/postgres_server.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

class PgSqlSessionTest : public testing::Test {
 protected:
  PgSqlSessionTest() {
    SharedPostgres().Sql(absl::StrCat("CREATE TABLE ", table_, " (id bigint PRIMARY KEY, note text)"));
    session_ = NewSession();
    EXPECT_THAT(session_->Begin(MonotonicNow() + absl::Minutes(1)), IsOk());
  }

  static std::unique_ptr<PgSqlSession> NewSession() {
    auto session = PgSqlSession::Connect(SharedPostgres().Conninfo());
    EXPECT_THAT(session, IsOk());
    return *std::move(session);
  }
  [[nodiscard]] std::string Insert() const { return absl::StrCat("INSERT INTO ", table_, " VALUES ($1, $2)"); }
  [[nodiscard]] std::string Count() const { return SharedPostgres().Sql("SELECT count(*)::text FROM " + table_); }

  const std::string table_ = absl::StrCat("public.", NewSchema());
  std::unique_ptr<PgSqlSession> session_;
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

TEST_F(PgSqlSessionTest, ACommitKeepsAllAndARollbackNothing) {
  const auto inserted = session_->Execute(Insert(), {int64_t{1}, std::string("one")});
  ASSERT_THAT(inserted, IsOk());
  EXPECT_EQ(inserted->rows_affected(), 1);
  EXPECT_EQ(Count(), "0");
  ASSERT_THAT(session_->Commit(), IsOk());
  EXPECT_EQ(Count(), "1");
  ASSERT_THAT(session_->Begin(MonotonicNow() + absl::Minutes(1)), IsOk());
  ASSERT_THAT(session_->Execute("DELETE FROM " + table_), IsOk());
  ASSERT_THAT(session_->Rollback(), IsOk());
  EXPECT_EQ(Count(), "1");
}

TEST_F(PgSqlSessionTest, AFailedStatementThatIsPassedOverLeavesNothing) {
  ASSERT_THAT(session_->Execute(Insert(), {int64_t{1}, SqlNull{}}), IsOk());
  const auto twice = session_->Execute(Insert(), {int64_t{1}, SqlNull{}});
  EXPECT_THAT(twice, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(SqlStateOf(twice.status()), "23505");
  EXPECT_THAT(session_->Execute("SELECT 1"), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(session_->Commit(), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(Count(), "0");
  EXPECT_FALSE(session_->is_broken());
}

TEST_F(PgSqlSessionTest, WhatEndsTheTransactionOrChangesTheSessionIsRefusedAndLeavesNothing) {
  for (const char* sql : {"COMMIT", " rollback", "/**/ COMMIT", "--\nCOMMIT", "END", "SET search_path = x", "DO 'x'",
                          "PREPARE TRANSACTION 'x'", "SAVEPOINT s", "COPY x TO STDOUT", ""}) {
    ASSERT_THAT(session_->Begin(MonotonicNow() + absl::Minutes(1)), IsOk());
    ASSERT_THAT(session_->Execute(Insert(), {int64_t{1}, SqlNull{}}), IsOk());
    EXPECT_THAT(session_->Execute(sql), StatusIs(StatusCode::kInvalidArgument)) << sql;
    EXPECT_THAT(session_->Commit(), StatusIs(StatusCode::kInvalidArgument)) << sql;
    EXPECT_EQ(Count(), "0") << sql;
  }
  ASSERT_THAT(session_->Begin(MonotonicNow() + absl::Minutes(1)), IsOk());
  EXPECT_THAT(session_->Execute("SELECT 1; COMMIT"), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(session_->Commit(), StatusIs(StatusCode::kInternal));
}

// As with a commit that stops waiting for its standby.
TEST_F(PgSqlSessionTest, ACommitWithAWarningHasAnUnknownOutcome) {
  SharedPostgres().Sql(absl::StrCat("CREATE FUNCTION ", table_,
                                    "_warn() RETURNS trigger LANGUAGE plpgsql AS "
                                    "'BEGIN RAISE WARNING ''not on the standby''; RETURN NULL; END'"));
  SharedPostgres().Sql(absl::StrCat("CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON ", table_,
                                    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ", table_,
                                    "_warn()"));
  ASSERT_THAT(session_->Execute(Insert(), {int64_t{1}, SqlNull{}}), IsOk());
  EXPECT_THAT(session_->Commit(), StatusIs(StatusCode::kUnavailable, HasSubstr("warning")));
  EXPECT_TRUE(session_->is_broken());
}

TEST_F(PgSqlSessionTest, AStatementOutsideOfATransactionIsRefused) {
  const auto idle = NewSession();
  EXPECT_THAT(idle->Execute(Insert(), {int64_t{1}, SqlNull{}}), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Count(), "0");
}

TEST_F(PgSqlSessionTest, ABrokenConnectionLeavesNothing) {
  ASSERT_THAT(session_->Execute(Insert(), {int64_t{1}, SqlNull{}}), IsOk());
  const auto pid = session_->Execute("SELECT pg_backend_pid() AS pid");
  ASSERT_THAT(pid, IsOk());
  SharedPostgres().Sql(absl::StrCat("SELECT pg_terminate_backend(", *pid->Int64(0, "pid"), ")::text"));
  EXPECT_THAT(session_->Execute("SELECT 1"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(session_->Commit(), StatusIs(StatusCode::kUnavailable));
  EXPECT_TRUE(session_->is_broken());
  EXPECT_EQ(Count(), "0");
}

TEST_F(PgSqlSessionTest, AStatementThatWaitsBeyondTheDeadlineBreaksTheSession) {
  ASSERT_THAT(session_->Execute(absl::StrCat("LOCK TABLE ", table_)), IsOk());
  const auto other = NewSession();
  absl::Status status = other->Begin(MonotonicNow() + absl::Milliseconds(200));
  if (status.ok()) status = other->Execute(Insert(), {int64_t{1}, SqlNull{}}).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kUnavailable, HasSubstr("in time")));
  EXPECT_TRUE(other->is_broken());
}

TEST_F(PgSqlSessionTest, AWrongConnectionStringIsRefusedAndNothingOfItIsTold) {
  EXPECT_THAT(PgSqlSession::Connect("password=s3cret s3cret"),
              StatusIs(StatusCode::kInvalidArgument, Not(HasSubstr("s3cret"))));
}

}  // namespace
}  // namespace hapax
