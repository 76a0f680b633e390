#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/postgres/backend.h"
#include "hapax/storage/remote/store.h"
#include "hapax/storage/sql_connection.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Transactions with statements of SQL (Store::ExecuteWithSql) on a real server.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr Table kTable = Table::kTokens;

absl::Status ExecuteWithSql(Store& store, Store::Body body) {
  TransactionOutcome outcome;
  store.ExecuteWithSql(std::move(body), outcome.Done(), "party");
  return outcome.Wait();
}

class SqlStoreTest : public testing::TestWithParam<PgIsolationKind> {
 protected:
  SqlStoreTest() {
    SharedPostgres().Sql(absl::StrCat("CREATE TABLE ", table_, " (id bigint PRIMARY KEY, n bigint NOT NULL)"));
    SharedPostgres().Sql(absl::StrCat("INSERT INTO ", table_, " VALUES (1, 0)"));
  }

  [[nodiscard]] PostgresOptions Options() const {
    PostgresOptions options = SharedPostgres().Options(schema_);
    options.isolation = GetParam();
    return options;
  }
  [[nodiscard]] std::unique_ptr<RemoteStore> Open(const PostgresOptions& options, const std::string& slot) const {
    auto backend = OpenPostgresBackend(options);
    EXPECT_THAT(backend, IsOk());
    return std::make_unique<RemoteStore>(*std::move(backend), RemoteOptions{.slot = slot, .owner = NewOwner()});
  }
  // Counts in the table, unless the token's row is there; then puts it.
  [[nodiscard]] Store::Body CountOnce(const std::string& token, std::atomic<int>* runs = nullptr) const {
    return [this, token, runs](Transaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(const auto record, txn.Get(kTable, token));
      if (record.has_value()) return absl::OkStatus();
      HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
      if (runs != nullptr) ++*runs;
      HAPAX_RETURN_IF_ERROR(
          sql->Execute(absl::StrCat("UPDATE ", table_, " SET n = n + $1 WHERE id = 1"), {int64_t{1}}).status());
      txn.Put(kTable, token, "done");
      return absl::OkStatus();
    };
  }
  [[nodiscard]] std::string Counted() const {
    return SharedPostgres().Sql(absl::StrCat("SELECT n::text FROM ", table_, " WHERE id = 1"));
  }

  const std::string schema_ = NewSchema();
  const std::string table_ = absl::StrCat("public.", NewSchema());
  std::unique_ptr<RemoteStore> store_ = Open(Options(), "first");
};

INSTANTIATE_TEST_SUITE_P(Isolation, SqlStoreTest,
                         testing::Values(PgIsolationKind::kAdvisoryLocks, PgIsolationKind::kSerializable),
                         [](const testing::TestParamInfo<PgIsolationKind>& tested) {
                           return tested.param == PgIsolationKind::kSerializable ? "Serializable" : "AdvisoryLocks";
                         });

TEST_P(SqlStoreTest, StatementsRunOnceThoughTheTransactionIsRepeated) {
  ASSERT_TRUE(store_->has_sql());
  std::atomic<int> runs = 0;
  EXPECT_THAT(ExecuteWithSql(*store_, CountOnce("token", &runs)), IsOk());
  EXPECT_THAT(ExecuteWithSql(*store_, CountOnce("token", &runs)), IsOk());
  EXPECT_EQ(Counted(), "1");
  EXPECT_EQ(runs, 1);
}

TEST_P(SqlStoreTest, RacesOfTwoStoresForATokenCountOnce) {
  const auto second = Open(Options(), "second");
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<TransactionOutcome> outcomes(6);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      Store& store = i % 2 == 0 ? *store_ : *second;
      store.ExecuteWithSql(CountOnce(absl::StrCat("token", round)), outcomes[i].Done(), "party");
    }
    for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  }
  EXPECT_EQ(Counted(), absl::StrCat(kRounds));
}

// One that only knows transactions without SQL, such as the abandoning of a token.
TEST_P(SqlStoreTest, RacesWithTransactionsWithoutSqlAreWonByOne) {
  constexpr int kRounds = 10;
  int others = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string token = absl::StrCat("token", round);
    TransactionOutcome first;
    TransactionOutcome second;
    bool is_ours = false;
    store_->ExecuteWithSql(CountOnce(token), first.Done(), "party");
    store_->Execute(
        [&](Transaction& txn) -> absl::Status {
          HAPAX_ASSIGN_OR_RETURN(const auto record, txn.Get(kTable, token));
          is_ours = !record.has_value();
          if (is_ours) txn.Put(kTable, token, "abandoned");
          return absl::OkStatus();
        },
        second.Done());
    EXPECT_THAT(first.Wait(), IsOk());
    EXPECT_THAT(second.Wait(), IsOk());
    others += is_ours ? 1 : 0;
  }
  EXPECT_EQ(Counted(), absl::StrCat(kRounds - others));
}

TEST_P(SqlStoreTest, AnErrorOfTheBodyLeavesNothing) {
  EXPECT_THAT(ExecuteWithSql(*store_,
                             [&](Transaction& txn) -> absl::Status {
                               HAPAX_RETURN_IF_ERROR(CountOnce("token")(txn));
                               return absl::NotFoundError("no such account");
                             }),
              StatusIs(StatusCode::kNotFound, HasSubstr("no such account")));
  EXPECT_EQ(Counted(), "0");
  EXPECT_THAT(ExecuteWithSql(*store_, CountOnce("token")), IsOk());
  EXPECT_EQ(Counted(), "1");
}

TEST_P(SqlStoreTest, AFailedStatementThatTheBodyPassesOverIsAnErrorAndLeavesNothing) {
  EXPECT_THAT(ExecuteWithSql(*store_,
                             [&](Transaction& txn) -> absl::Status {
                               HAPAX_RETURN_IF_ERROR(CountOnce("token")(txn));
                               HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
                               static_cast<void>(sql->Execute("SELECT 1/0"));
                               return absl::OkStatus();
                             }),
              StatusIs(StatusCode::kInternal, HasSubstr("although a statement had failed")));
  EXPECT_EQ(Counted(), "0");
}

TEST_P(SqlStoreTest, WhatTheBodyReadsAfterItsStatementsIsLockedToo) {
  std::atomic<int> runs = 0;
  const auto body = [&](Transaction& txn) -> absl::Status {
    HAPAX_RETURN_IF_ERROR(CountOnce("token", &runs)(txn));
    HAPAX_ASSIGN_OR_RETURN(const auto late, txn.Get(kTable, "late"));
    txn.Put(kTable, "late", late.value_or("") + "+");
    int rows = 0;
    HAPAX_RETURN_IF_ERROR(txn.Scan(kTable, KeyRange::Prefix("scanned/"), [&](std::string_view, std::string_view) {
      ++rows;
      return true;
    }));
    txn.Put(kTable, absl::StrCat("scanned/", rows), "");
    return absl::OkStatus();
  };
  EXPECT_THAT(ExecuteWithSql(*store_, body), IsOk());
  EXPECT_GE(runs, 2) << "what it reads late is found out by a run";
  EXPECT_EQ(Counted(), "1");
  EXPECT_THAT(ExecuteWithSql(*store_, body), IsOk());
  EXPECT_EQ(Counted(), "1");
  std::string rows;
  EXPECT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) -> absl::Status {
                      rows.clear();
                      HAPAX_ASSIGN_OR_RETURN(const auto late, txn.Get(kTable, "late"));
                      rows = late.value_or("");
                      return txn.Scan(kTable, KeyRange::Prefix("scanned/"),
                                      [&](std::string_view key, std::string_view) {
                                        rows += " " + std::string(key);
                                        return true;
                                      });
                    }),
              IsOk());
  EXPECT_EQ(rows, "++ scanned/0 scanned/1");
}

TEST_P(SqlStoreTest, AFailedCheckAtTheCommitIsTheCallsErrorAndNotTheStores) {
  SharedPostgres().Sql(absl::StrCat("ALTER TABLE ", table_, " ADD COLUMN parent bigint REFERENCES ", table_,
                                    " DEFERRABLE INITIALLY DEFERRED"));
  EXPECT_THAT(ExecuteWithSql(*store_,
                             [&](Transaction& txn) -> absl::Status {
                               HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
                               return sql->Execute(absl::StrCat("INSERT INTO ", table_, " VALUES (2, 0, 3)")).status();
                             }),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("foreign key")));
  EXPECT_THAT(store_->health(), IsOk());
}

TEST_P(SqlStoreTest, AHandlerMayAnswerALockThatItDidNotGet) {
  const auto busy = [&](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
    const auto locked = sql->Execute(absl::StrCat("SELECT 1 FROM ", table_, " WHERE id = 1 FOR UPDATE NOWAIT"));
    return locked.ok() ? absl::OkStatus() : absl::CancelledError("busy");
  };
  absl::Notification holds;
  absl::Notification release;
  TransactionOutcome outcome;
  store_->ExecuteWithSql(
      [&](Transaction& txn) -> absl::Status {
        HAPAX_RETURN_IF_ERROR(busy(txn));
        if (!holds.HasBeenNotified()) holds.Notify();
        release.WaitForNotification();
        return absl::OkStatus();
      },
      outcome.Done(), "party");
  holds.WaitForNotification();
  EXPECT_THAT(ExecuteWithSql(*store_, busy), StatusIs(StatusCode::kCancelled, "busy"));
  release.Notify();
  EXPECT_THAT(outcome.Wait(), IsOk());
}

TEST_P(SqlStoreTest, OneThatWaitedLongerThanItsCallerIsNotBegun) {
  auto backend = OpenPostgresBackend(Options());
  ASSERT_THAT(backend, IsOk());
  RemoteStore store(
      *std::move(backend),
      RemoteOptions{.slot = "one lane", .owner = NewOwner(), .sql_lanes = 1, .patience = absl::Milliseconds(500)});
  ASSERT_THAT(ExecuteWithSql(store, CountOnce("first")), IsOk());
  absl::Notification holds;
  TransactionOutcome slow;
  TransactionOutcome waiting;
  store.ExecuteWithSql(
      [&](Transaction& txn) -> absl::Status {
        HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
        static_cast<void>(sql);
        if (!holds.HasBeenNotified()) holds.Notify();
        absl::SleepFor(absl::Seconds(1));  // Twice as long as anybody waits.
        return absl::CancelledError("slow");
      },
      slow.Done(), "party");
  holds.WaitForNotification();
  std::atomic<int> runs = 0;
  store.ExecuteWithSql(CountOnce("second", &runs), waiting.Done(), "party");
  EXPECT_THAT(waiting.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(runs, 0);
  EXPECT_THAT(slow.Wait(), StatusIs(StatusCode::kCancelled));
  EXPECT_EQ(Counted(), "1");
}

TEST_P(SqlStoreTest, APartyWhoseHandlersWaitLeavesLanesToOthers) {
  auto backend = OpenPostgresBackend(Options());
  ASSERT_THAT(backend, IsOk());
  RemoteStore store(*std::move(backend), RemoteOptions{.slot = "two lanes", .owner = NewOwner(), .sql_lanes = 2});
  absl::Notification release;
  std::vector<TransactionOutcome> outcomes(3);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    store.ExecuteWithSql(
        [&, body = CountOnce(absl::StrCat("slow", i))](Transaction& txn) mutable -> absl::Status {
          HAPAX_RETURN_IF_ERROR(txn.sql().status());
          release.WaitForNotification();
          return body(txn);
        },
        outcomes[i].Done(), "slow");
  }
  TransactionOutcome other;
  store.ExecuteWithSql(CountOnce("other"), other.Done(), "other");
  EXPECT_THAT(other.Wait(), IsOk());
  EXPECT_EQ(Counted(), "1");
  release.Notify();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(Counted(), "4");
}

TEST_P(SqlStoreTest, OneThatIsStartedWhileTheStoreEndsIsToldSo) {
  absl::Status told;
  store_->ExecuteWithSql(
      CountOnce("token"),
      [&, store = store_.get()](absl::Status status) {
        EXPECT_THAT(status, IsOk());
        store->ExecuteWithSql(
            CountOnce("later"), [&](absl::Status later) { told = later; }, "party");
      },
      "party");
  store_ = nullptr;
  EXPECT_THAT(told, testing::AnyOf(IsOk(), StatusIs(StatusCode::kUnavailable)));
}

// Two rows of the team's table, in both orders: PostgreSQL ends one of the two, which is run again.
TEST_P(SqlStoreTest, DeadlocksOfStatementsAreRunAgain) {
  SharedPostgres().Sql(absl::StrCat("INSERT INTO ", table_, " VALUES (2, 0)"));
  constexpr int kEach = 8;
  std::vector<std::thread> threads;
  for (const int first : {1, 2}) {
    threads.emplace_back([this, first] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_THAT(ExecuteWithSql(*store_,
                                   [&](Transaction& txn) -> absl::Status {
                                     HAPAX_ASSIGN_OR_RETURN(SqlConnection* const sql, txn.sql());
                                     for (const int id : {first, 3 - first}) {
                                       HAPAX_RETURN_IF_ERROR(
                                           sql->Execute(absl::StrCat("UPDATE ", table_, " SET n = n + 1 WHERE id = $1"),
                                                        {int64_t{id}})
                                               .status());
                                     }
                                     return absl::OkStatus();
                                   }),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(SharedPostgres().Sql(absl::StrCat("SELECT sum(n)::text FROM ", table_)), absl::StrCat(4 * kEach));
}

TEST_P(SqlStoreTest, TransactionsDuringACrashOfTheDatabaseAreDoneOnce) {
  ASSERT_THAT(ExecuteWithSql(*store_, CountOnce("before")), IsOk());
  std::vector<TransactionOutcome> outcomes(8);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    store_->ExecuteWithSql(CountOnce(absl::StrCat("token", i)), outcomes[i].Done(), "party");
  }
  SharedPostgres().Crash();
  SharedPostgres().Start();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_THAT(ExecuteWithSql(*store_, CountOnce(absl::StrCat("token", i))), IsOk());
  }
  EXPECT_EQ(Counted(), absl::StrCat(1 + outcomes.size()));
}

TEST_P(SqlStoreTest, AStoreWhoseSlotAnotherProcessTookStopsAndLeavesNothing) {
  ASSERT_THAT(ExecuteWithSql(*store_, CountOnce("first")), IsOk());
  SharedPostgres().Sql("UPDATE " + schema_ + ".slots SET owner = 'other', epoch = epoch + 1");
  EXPECT_THAT(ExecuteWithSql(*store_, CountOnce("second")), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(store_->status(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(Counted(), "1");
}

}  // namespace
}  // namespace hapax
