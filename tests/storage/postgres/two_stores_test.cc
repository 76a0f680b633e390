#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/remote/store.h"
#include "hapax/tests/storage/etcd/gated_backend.h"
#include "hapax/tests/storage/etcd/tcp_proxy.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Several stores, as of several servers, on the rows of one database.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AnyOf;
using testing::HasSubstr;

constexpr Table kTable = Table::kResources;

std::unique_ptr<RemoteStore> OpenStore(const PostgresOptions& options, const std::string& slot, Gate& gate) {
  auto backend = OpenPostgresBackend(options);
  EXPECT_THAT(backend, IsOk());
  return std::make_unique<RemoteStore>(std::make_unique<GatedBackend>(*std::move(backend), gate),
                                       RemoteOptions{.slot = slot, .owner = NewOwner()});
}

class TwoStoresTest : public testing::TestWithParam<PgIsolationKind> {
 protected:
  // Puts row `own` of `prefix` unless there is another one, which it looks for by a scan or by name.
  static Store::Body Take(const std::string& prefix, const std::string& own, const std::string& other, bool scans) {
    return [prefix, own, other, scans](Transaction& txn) -> absl::Status {
      bool found = false;
      if (scans) {
        HAPAX_RETURN_IF_ERROR(txn.Scan(kTable, KeyRange::Prefix(prefix), [&](std::string_view, std::string_view) {
          found = true;
          return false;
        }));
      } else {
        HAPAX_ASSIGN_OR_RETURN(const auto row, txn.Get(kTable, prefix + other));
        found = row.has_value();
      }
      if (!found) txn.Put(kTable, prefix + own, "");
      return absl::OkStatus();
    };
  }

  // Has `second` commit between the reads of `first` and its commit.
  void TakeAtOnce(bool scans) {
    first_gate_.Close();
    TransactionOutcome outcome;
    first_->Execute(Take("taken/", "first", "second", scans), outcome.Done());
    first_gate_.AwaitCommit();
    EXPECT_THAT(Execute(*second_, Take("taken/", "second", "first", scans)), IsOk());
    first_gate_.Open();
    EXPECT_THAT(outcome.Wait(), IsOk());
  }

  int Taken(const std::string& prefix = "taken/") {
    int taken = 0;
    EXPECT_THAT(Query(*second_,
                      [&](const ReadTransaction& txn) {
                        taken = 0;
                        return txn.Scan(kTable, KeyRange::Prefix(prefix), [&](std::string_view, std::string_view) {
                          ++taken;
                          return true;
                        });
                      }),
                IsOk());
    return taken;
  }

  [[nodiscard]] PostgresOptions Options() const {
    PostgresOptions options = SharedPostgres().Options(schema_);
    options.isolation = GetParam();
    return options;
  }

  const std::string schema_ = NewSchema();
  Gate first_gate_;
  Gate second_gate_;
  std::unique_ptr<RemoteStore> first_ = OpenStore(Options(), "first", first_gate_);
  std::unique_ptr<RemoteStore> second_ = OpenStore(Options(), "second", second_gate_);
};

INSTANTIATE_TEST_SUITE_P(Isolation, TwoStoresTest,
                         testing::Values(PgIsolationKind::kAdvisoryLocks, PgIsolationKind::kSerializable),
                         [](const testing::TestParamInfo<PgIsolationKind>& tested) {
                           return tested.param == PgIsolationKind::kSerializable ? "Serializable" : "AdvisoryLocks";
                         });

TEST_P(TwoStoresTest, TwoThatLookForEachOthersRowDoNotBothMissIt) {
  TakeAtOnce(/*scans=*/false);
  EXPECT_EQ(Taken(), 1);
}

TEST_P(TwoStoresTest, TwoThatLookForAnyRowOfARangeDoNotBothMissOne) {
  TakeAtOnce(/*scans=*/true);
  EXPECT_EQ(Taken(), 1);
}

TEST_P(TwoStoresTest, ABackendThatDoesNotCompareRowsIsFoundOut) {
  first_gate_.Ignore(RemoteKey::Kind::kRow);
  TakeAtOnce(/*scans=*/false);
  EXPECT_EQ(Taken(), 2);
}

TEST_P(TwoStoresTest, ABackendThatDoesNotCompareGranulesIsFoundOut) {
  first_gate_.Ignore(RemoteKey::Kind::kGranule);
  TakeAtOnce(/*scans=*/true);
  EXPECT_EQ(Taken(), 2);
}

// Both in every round at the same time, by name and by scan in turn.
TEST_P(TwoStoresTest, RacesOfBothTakeOneRowEach) {
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds; ++round) {
    const std::string prefix = absl::StrCat("race/", round, "/");
    const auto take = [&](const std::string& own, const std::string& other) {
      return Take(prefix, own, other, /*scans=*/round % 2 == 0);
    };
    TransactionOutcome first;
    TransactionOutcome second;
    first_->Execute(take("first", "second"), first.Done());
    second_->Execute(take("second", "first"), second.Done());
    EXPECT_THAT(first.Wait(), IsOk());
    EXPECT_THAT(second.Wait(), IsOk());
    EXPECT_EQ(Taken(prefix), 1) << "round " << round;
  }
}

// Counts in the row "counter".
absl::Status Increment(Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, "counter"));
  int count = 0;
  if (value.has_value() && !absl::SimpleAtoi(*value, &count)) return absl::DataLossError(*value);
  txn.Put(kTable, "counter", absl::StrCat(count + 1));
  return absl::OkStatus();
}

std::string Counter(Store& store) {
  std::string counter;
  EXPECT_THAT(Query(store,
                    [&](const ReadTransaction& txn) -> absl::Status {
                      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, "counter"));
                      counter = value.value_or("none");
                      return absl::OkStatus();
                    }),
              IsOk());
  return counter;
}

TEST_P(TwoStoresTest, IncrementsOfBothLoseNothing) {
  constexpr int kEach = 40;
  std::vector<std::thread> threads;
  for (Store* const store : {first_.get(), second_.get(), first_.get(), second_.get()}) {
    threads.emplace_back([store] {
      for (int i = 0; i < kEach; ++i) EXPECT_THAT(Execute(*store, Increment), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Counter(*first_), absl::StrCat(4 * kEach));
}

TEST_P(TwoStoresTest, ATransactionWhoseAnswerIsLostIsToldToBeDoneAndDoneOnceWithItsHooks) {
  TcpProxy proxy(SharedPostgres().endpoint(), PostgresMessages());
  PostgresOptions options = Options();
  options.conninfo = SharedPostgres().Conninfo(proxy.endpoint());
  Gate gate;
  const auto store = OpenStore(options, "third", gate);
  ASSERT_THAT(Execute(*store, Increment), IsOk());
  gate.Close();
  TransactionOutcome outcome;
  std::atomic<int> hooks = 0;
  store->Execute(
      [&](Transaction& txn) {
        txn.OnCommit([&] { ++hooks; });
        return Increment(txn);
      },
      outcome.Done());
  gate.AwaitCommit();
  proxy.LoseAnswers();
  gate.Open();
  for (int tries = 0; tries < 10'000 && Counter(*second_) != "2"; ++tries) {
  }
  EXPECT_FALSE(outcome.settled());
  EXPECT_EQ(hooks, 0);
  proxy.Forward();
  EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(hooks, 1);
  EXPECT_EQ(Counter(*second_), "2");
  // Nothing of it is left for the next group.
  EXPECT_THAT(Execute(*store, Increment), IsOk());
  EXPECT_EQ(hooks, 1);
}

TEST_P(TwoStoresTest, AStoreStopsWhenItsDatabaseLostWhatItAcknowledged) {
  ASSERT_THAT(Execute(*first_, Increment), IsOk());
  // All of the store's slots: it has two, and either may be the next one. One without a group gets an impossible
  // number.
  SharedPostgres().Sql("UPDATE " + schema_ + ".slots SET seq = seq - 1");
  EXPECT_THAT(Execute(*first_, Increment), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(first_->status(),
              StatusIs(StatusCode::kFailedPrecondition, AnyOf(HasSubstr("lost commits"), HasSubstr("has number"))));
  EXPECT_EQ(Counter(*second_), "1");
}

TEST_P(TwoStoresTest, ATransactionDuringARestartOfTheDatabaseIsDoneOnce) {
  ASSERT_THAT(Execute(*first_, Increment), IsOk());
  SharedPostgres().Crash();
  TransactionOutcome outcome;
  first_->Execute(Increment, outcome.Done());
  SharedPostgres().Start();
  EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(Counter(*second_), "2");
}

}  // namespace
}  // namespace hapax
