#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/storage/store_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// What store.h promises of transactions at once, of every engine.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::SizeIs;

class StoreIsolationTest : public StoreFixture {};

INSTANTIATE_TEST_SUITE_P(Engines, StoreIsolationTest, testing::ValuesIn(kStoreEngines), EngineName);

// However often the body is run: the last run counts.
TEST_P(StoreIsolationTest, AQuerySeesOneStateThoughOthersCommitMeanwhile) {
  const auto put_all = [](std::vector<const char*> keys, std::string value) {
    return [keys = std::move(keys), value = std::move(value)](Transaction& txn) {
      for (const char* key : keys) txn.Put(kTable, key, value);
      return absl::OkStatus();
    };
  };
  ASSERT_THAT(Execute(*store_, put_all({"a", "b"}, "0")), IsOk());
  int runs = 0;
  std::vector<std::string> seen;
  ASSERT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) -> absl::Status {
                      seen = {Value(txn, "a")};
                      ++runs;
                      EXPECT_THAT(Execute(*store_, put_all({"a", "b", "c"}, absl::StrCat(runs))), IsOk());
                      for (const char* key : {"a", "b", "c"}) seen.push_back(Value(txn, key));
                      return txn.Scan(kTable, KeyRange(), [&](std::string_view key, std::string_view value) {
                        seen.push_back(std::string(key) + "=" + std::string(value));
                        return true;
                      });
                    }),
              IsOk());
  const std::string state = seen[0];
  if (state == "0") {
    EXPECT_THAT(seen, ElementsAre("0", "0", "0", "none", "a=0", "b=0"));
  } else {
    EXPECT_THAT(seen, ElementsAre(state, state, state, state, "a=" + state, "b=" + state, "c=" + state));
  }
  EXPECT_NE(state, absl::StrCat(runs)) << "of the commit during the last run";
  EXPECT_EQ(CommittedValue("c"), absl::StrCat(runs));
}

TEST_P(StoreIsolationTest, AQueryDoesNotWaitForABody) {
  BlockedBody blocked;
  TransactionOutcome outcome;
  store_->Execute(blocked.Body(), outcome.Done());
  blocked.WaitUntilStarted();
  EXPECT_EQ(CommittedValue("key"), "none");
  EXPECT_FALSE(outcome.settled());
  blocked.Release();
  EXPECT_THAT(outcome.Wait(), IsOk());
}

TEST_P(StoreIsolationTest, IncrementsOfManyThreadsLoseNothing) {
  constexpr int kThreads = 16;
  constexpr int kIncrements = 50;
  RunTogether(kThreads, [&](int) {
    for (int i = 0; i < kIncrements; ++i) EXPECT_THAT(Execute(*store_, Increment), IsOk());
  });
  EXPECT_EQ(CommittedValue("counter"), absl::StrCat(kThreads * kIncrements));
}

// However often an engine runs a body to get there.
TEST_P(StoreIsolationTest, TheHookOfEachCommitRunsOnceAndBeforeItsDoneAndOfOthersNever) {
  RunTogether(8, [&](int thread) {
    for (int i = 0; i < 25; ++i) {
      const bool fails = (thread + i) % 3 == 0;
      std::atomic<int> hooks_run = 0;
      int hooks_run_when_told = 0;
      absl::Notification told;
      store_->Execute(
          [&](Transaction& txn) -> absl::Status {
            txn.OnCommit([&] { ++hooks_run; });
            HAPAX_RETURN_IF_ERROR(Increment(txn));
            return fails ? absl::NotFoundError("no") : absl::OkStatus();
          },
          [&](const absl::Status& status) {
            EXPECT_EQ(status.code(), fails ? StatusCode::kNotFound : StatusCode::kOk);
            hooks_run_when_told = hooks_run;
            told.Notify();
          });
      told.WaitForNotification();
      EXPECT_EQ(hooks_run_when_told, fails ? 0 : 1);
    }
  });
}

// Two bodies that each look for what the other writes: as if one had come after the other. So one finds it, be it a row
// (no write skew) or any row of a range (no phantom).
TEST_P(StoreIsolationTest, TransactionsAreSerializable) {
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    const std::string prefix = absl::StrCat("round ", round, "/");
    const bool scans = round % 2 == 0;
    RunTogether(2, [&](int number) {
      const auto body = [&](Transaction& txn) {
        const bool found = scans ? !Rows(txn, KeyRange::Prefix(prefix)).empty()
                                 : Value(txn, absl::StrCat(prefix, 1 - number)) != "none";
        if (!found) txn.Put(kTable, absl::StrCat(prefix, number), "taken");
        return absl::OkStatus();
      };
      EXPECT_THAT(Execute(*store_, body), IsOk());
    });
    EXPECT_THAT(CommittedRows(KeyRange::Prefix(prefix)), SizeIs(1)) << prefix << (scans ? " by scan" : " by get");
  }
}

TEST_P(StoreIsolationTest, WhoReadsWhileOthersMoveWhatARowHasSeesTheSameSum) {
  constexpr int kAccounts = 4;
  constexpr int kStart = 100;
  const auto account = [](int number) { return absl::StrCat("account/", number % kAccounts); };
  // A run that does not count may find no row.
  const auto balance = [](const ReadTransaction& txn, const std::string& key) {
    int value = 0;
    return absl::SimpleAtoi(Value(txn, key), &value) ? value : 0;
  };
  struct Sums {
    int sum = 0;
    size_t rows = 0;
  };
  const auto read_sums = [&](Sums& sums) {
    return [&](const ReadTransaction& txn) {
      sums = {.rows = Rows(txn, KeyRange::Prefix("account/")).size()};
      for (int i = 0; i < kAccounts; ++i) sums.sum += balance(txn, account(i));
      return absl::OkStatus();
    };
  };
  for (int i = 0; i < kAccounts; ++i) ASSERT_THAT(Execute(*store_, PutBody(account(i), absl::StrCat(kStart))), IsOk());
  RunTogether(6, [&](int thread) {
    for (int i = 0; i < 40; ++i) {
      if (thread < 2) {
        Sums sums;
        EXPECT_THAT(thread == 0 ? Query(*store_, read_sums(sums)) : Execute(*store_, read_sums(sums)), IsOk());
        EXPECT_EQ(sums.sum, kAccounts * kStart);
        EXPECT_EQ(sums.rows, kAccounts);
      } else {
        EXPECT_THAT(Execute(*store_,
                            [&](Transaction& txn) {
                              const std::string from = account(thread + i);
                              const std::string to = account(thread + 2 * i + 1);
                              if (from == to) return absl::OkStatus();
                              txn.Put(kTable, from, absl::StrCat(balance(txn, from) - 1));
                              txn.Put(kTable, to, absl::StrCat(balance(txn, to) + 1));
                              return absl::OkStatus();
                            }),
                    IsOk());
      }
    }
  });
}

// A body may read what is not durable yet; who is told of it may not find it gone.
TEST_P(StoreIsolationTest, WhatABodyReadIsThereForQueriesWhenItIsTold) {
  const auto count = [](const ReadTransaction& txn) {
    int value = 0;
    const std::string row = Value(txn, "counter");
    EXPECT_TRUE(row == "none" || absl::SimpleAtoi(row, &value)) << row;
    return value;
  };
  RunTogether(6, [&](int thread) {
    for (int i = 0; i < 50; ++i) {
      if (thread % 2 == 0) {
        EXPECT_THAT(Execute(*store_, Increment), IsOk());
        continue;
      }
      int read = 0;
      EXPECT_THAT(Execute(*store_,
                          [&](Transaction& txn) {
                            read = count(txn);
                            return absl::OkStatus();
                          }),
                  IsOk());
      EXPECT_GE(Queried(count), read);
    }
  });
}

}  // namespace
}  // namespace hapax
