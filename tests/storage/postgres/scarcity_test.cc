#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/remote/store.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Stores on a server that others leave little of: locks, connections, tables.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr Table kTable = Table::kResources;
constexpr absl::Duration kPatience = absl::Milliseconds(400);

// Of these tests, with a small lock table and few connections.
PostgresServer& SmallServer() {
  static PostgresServer server({"max_connections=12", "max_locks_per_transaction=10", "deadlock_timeout=100ms"});
  return server;
}

// A client of its own, which may have many locks.
class OtherClient {
 public:
  explicit OtherClient(const std::string& conninfo = SmallServer().Conninfo())
      : session_(PgSession::Connect(conninfo, /*wake_fd=*/-1)) {}

  [[nodiscard]] bool is_connected() const { return session_.ok(); }
  PgReply Run(const std::string& sql) { return (*session_)->Run({{.sql = sql}}, absl::InfiniteDuration()); }
  // Runs the statement and leaves its transaction open.
  PgReply Begin(const std::string& sql) {
    return (*session_)->RunAndStayOpen({{.sql = "BEGIN"}, {.sql = sql}}, absl::InfiniteDuration());
  }

 private:
  absl::StatusOr<std::unique_ptr<PgSession>> session_;
};

// Increments `rows` counters.
Store::Body Increment(int rows) {
  return [rows](Transaction& txn) -> absl::Status {
    for (int i = 0; i < rows; ++i) {
      const std::string key = absl::StrCat("counter ", i);
      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, key));
      int count = 0;
      if (value.has_value() && !absl::SimpleAtoi(*value, &count)) return absl::DataLossError(*value);
      txn.Put(kTable, key, absl::StrCat(count + 1));
    }
    return absl::OkStatus();
  };
}

std::string Counter(Store& store) {
  std::string counter;
  EXPECT_THAT(Query(store,
                    [&](const ReadTransaction& txn) -> absl::Status {
                      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, "counter 0"));
                      counter = value.value_or("none");
                      return absl::OkStatus();
                    }),
              IsOk());
  return counter;
}

class ScarcityTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<RemoteStore> Open(const std::string& slot, absl::Duration patience = absl::Seconds(10),
                                                  const std::string& conninfo = "") const {
    PostgresOptions options = SmallServer().Options(schema_);
    if (!conninfo.empty()) options.conninfo = conninfo;
    options.lock_timeout = absl::Milliseconds(100);
    options.attempt_timeout = options.request_timeout = absl::Milliseconds(300);
    auto backend = OpenPostgresBackend(options);
    EXPECT_THAT(backend, IsOk());
    return std::make_unique<RemoteStore>(std::move(*backend),
                                         RemoteOptions{.slot = slot, .owner = NewOwner(), .patience = patience});
  }

  const std::string schema_ = NewSchema();
};

// ---- Locks

// Takes all locks there are, but for `left`.
void FillLockTable(OtherClient& other, int left) {
  const PgReply reply = other.Run("SELECT count(pg_advisory_lock(7, i)) FROM generate_series(1, 100000) AS i");
  EXPECT_THAT(reply.status, StatusIs(StatusCode::kUnavailable, HasSubstr("raise max_locks_per_transaction")));
  EXPECT_TRUE(reply.is_out_of_memory);
  EXPECT_THAT(
      other.Run(absl::StrCat("SELECT count(pg_advisory_unlock(7, i)) FROM generate_series(1, ", left, ") AS i")).status,
      IsOk());
}

constexpr int kLeft = 12;
// Each with its row's lock, so one group takes as many as it may, and more than are left.
constexpr int kRows = 14;
constexpr int kEach = 20;

TEST_F(ScarcityTest, GroupsGoOnWhileOthersHaveTheLocksThatTheyNeed) {
  const auto first = Open("first");
  const auto second = Open("second");
  ASSERT_THAT(Execute(*first, Increment(kRows)), IsOk());
  ASSERT_THAT(Execute(*second, Increment(kRows)), IsOk());
  OtherClient other;
  FillLockTable(other, kLeft);
  std::vector<TransactionOutcome> outcomes(size_t{2} * kEach);
  for (int i = 0; i < kEach; ++i) {
    first->Execute(Increment(kRows), outcomes[2 * i].Done());
    second->Execute(Increment(kRows), outcomes[2 * i + 1].Done());
  }
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(Counter(*first), absl::StrCat(2 + 2 * kEach));
}

TEST_F(ScarcityTest, WithoutASingleLockCallersAreToldSoInTimeAndGoOnAfterwards) {
  const auto store = Open("server", kPatience);
  ASSERT_THAT(Execute(*store, Increment(kRows)), IsOk());
  {
    OtherClient other;
    FillLockTable(other, 0);
    EXPECT_THAT(Execute(*store, Increment(kRows)),
                StatusIs(StatusCode::kUnavailable, HasSubstr("max_locks_per_transaction")));
    EXPECT_EQ(Counter(*store), "1");
  }
  absl::Status status = absl::UnavailableError("");
  while (absl::IsUnavailable(status)) status = Execute(*store, Increment(kRows));
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(Counter(*store), "2");
}

// ---- Connections

// Takes all connections that the role may have.
std::vector<OtherClient> TakeConnections(const std::string& conninfo) {
  std::vector<OtherClient> others;
  do {
    others.emplace_back(conninfo);
  } while (others.back().is_connected());
  others.pop_back();
  return others;
}

// How many connections the server has refused so far.
int RefusedConnections() {
  const std::string log = SmallServer().Log();
  return static_cast<int>(std::vector<std::string>(absl::StrSplit(log, "connection slots are reserved")).size());
}

// Ends those of servers, so that they need others.
void EndConnections() {
  SmallServer().Sql(
      "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = 'hapaxd' AND pid "
      "<> "
      "pg_backend_pid()");
}

class ConnectionsTest : public ScarcityTest {
 protected:
  // Superusers keep some connections for themselves.
  static std::string Conninfo() {
    static const bool is_created = [] {
      SmallServer().Sql("CREATE ROLE app LOGIN");
      SmallServer().Sql("GRANT CREATE ON DATABASE postgres TO app");
      return true;
    }();
    EXPECT_TRUE(is_created);
    return SmallServer().Conninfo() + " user=app";
  }
  // The tests' own have another name.
  static std::string OthersConninfo() { return Conninfo() + " application_name=other"; }
};

TEST_F(ConnectionsTest, AStartWaitsForAFreeConnection) {
  std::vector<OtherClient> others = TakeConnections(OthersConninfo());
  const int refusals = RefusedConnections();
  std::thread leaving([&] {
    while (RefusedConnections() == refusals) {
    }
    others.pop_back();
  });
  PostgresOptions options = SmallServer().Options(schema_);
  options.conninfo = Conninfo();
  EXPECT_THAT(OpenPostgresBackend(options), IsOk());
  leaving.join();
}

TEST_F(ConnectionsTest, AStoreThatGetsNoneTellsWhyAndGoesOnAfterwards) {
  const auto store = Open("server", kPatience, Conninfo());
  ASSERT_THAT(Execute(*store, Increment(1)), IsOk());
  {
    const std::vector<OtherClient> others = TakeConnections(OthersConninfo());
    EndConnections();
    const std::vector<OtherClient> more = TakeConnections(OthersConninfo());
    const auto refusal = StatusIs(StatusCode::kUnavailable, HasSubstr("no free connection: raise its max_connections"));
    EXPECT_THAT(Execute(*store, Increment(1)), refusal);
    EXPECT_THAT(store->health(), refusal);
    EXPECT_THAT(store->read_health(), IsOk()) << "nothing was read yet";
    EXPECT_THAT(Query(*store, [](const ReadTransaction& txn) { return txn.Get(kTable, "counter 0").status(); }),
                refusal);
    EXPECT_THAT(store->read_health(), refusal);
    EXPECT_THAT(store->status(), IsOk());
  }
  absl::Status status = absl::UnavailableError("");
  while (absl::IsUnavailable(status)) status = Execute(*store, Increment(1));
  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(store->health(), IsOk());
  EXPECT_EQ(Counter(*store), "2");
}

// ---- Tables

// As VACUUM FULL, or an operator's session does.
TEST_F(ScarcityTest, WhileATableIsLockedCallersAreToldSoInTimeAndGoOnAfterwards) {
  const auto store = Open("server", kPatience);
  ASSERT_THAT(Execute(*store, Increment(1)), IsOk());
  OtherClient other;
  ASSERT_THAT(other.Begin("LOCK TABLE " + schema_ + ".rows IN ACCESS EXCLUSIVE MODE").status, IsOk());
  const auto refusal = StatusIs(StatusCode::kUnavailable, HasSubstr("lock timeout"));
  EXPECT_THAT(Execute(*store, Increment(1)), refusal);
  EXPECT_THAT(Query(*store, [](const ReadTransaction& txn) { return txn.Get(kTable, "counter 0").status(); }), refusal);
  EXPECT_THAT(store->health(), refusal);
  other.Run("ROLLBACK");
  absl::Status status = absl::UnavailableError("");
  while (absl::IsUnavailable(status)) status = Execute(*store, Increment(1));
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(Counter(*store), "2");
}

TEST_F(ScarcityTest, AVacuumOfAllTablesDelaysCallsAndLosesNone) {
  const auto store = Open("server");
  TransactionOutcome outcomes[kEach];
  for (int i = 0; i < kEach; ++i) {
    store->Execute(Increment(kRows), outcomes[i].Done());
    if (i % 4 == 0) SmallServer().Sql("VACUUM FULL " + schema_ + (i % 8 == 0 ? ".rows" : ".slots"));
  }
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(Counter(*store), absl::StrCat(kEach));
}

TEST_F(ScarcityTest, ATransactionOfAnotherThatStaysOpenKeepsNobodyOut) {
  const auto store = Open("server", kPatience);
  ASSERT_THAT(Execute(*store, Increment(1)), IsOk());
  OtherClient other;
  ASSERT_THAT(other.Begin("SELECT count(*) FROM " + schema_ + ".rows").status, IsOk());
  for (int i = 0; i < kEach; ++i) EXPECT_THAT(Execute(*store, Increment(1)), IsOk());
  EXPECT_EQ(Counter(*store), absl::StrCat(1 + kEach));
}

}  // namespace
}  // namespace hapax
