#include "hapax/storage/store.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/key.h"
#include "hapax/storage/status_macros.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// What store.h promises, of every engine.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Table kTable = Table::kResources;

Store::Body PutBody(std::string key, std::string value) {
  return [key = std::move(key), value = std::move(value)](Transaction& txn) {
    txn.Put(kTable, key, value);
    return absl::OkStatus();
  };
}

// "none" when there is no such row.
std::string Value(const ReadTransaction& txn, std::string_view key) {
  const auto value = txn.Get(kTable, key);
  EXPECT_THAT(value, IsOk());
  return value.ok() ? value->value_or("none") : "none";
}

std::string DurableValue(Store& store, std::string_view key) {
  std::string value;
  EXPECT_THAT(Query(store,
                    [&](const ReadTransaction& txn) {
                      value = Value(txn, key);
                      return absl::OkStatus();
                    }),
              IsOk());
  return value;
}

// Adds "key=value" for each row that is visited, `max_rows` at the most.
absl::Status ScanInto(const ReadTransaction& txn, const KeyRange& range, size_t max_rows,
                      std::vector<std::string>& rows) {
  rows.clear();
  return txn.Scan(kTable, range, [&](std::string_view key, std::string_view value) {
    rows.push_back(absl::StrCat(std::string(key), "=", std::string(value)));
    return rows.size() < max_rows;
  });
}

absl::Status Increment(Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> value, txn.Get(kTable, "counter"));
  int count = 0;
  if (value.has_value() && !absl::SimpleAtoi(*value, &count)) return absl::DataLossError(*value);
  txn.Put(kTable, "counter", absl::StrCat(count + 1));
  return absl::OkStatus();
}

class StoreTest : public testing::TestWithParam<StoreEngine> {
 protected:
  StoreTest() { Open({}); }

  // As after a stop; `options` but for the path.
  void Open(StoreEngine::Options options) {
    store_ = nullptr;
    options.path = dir_.Path("data");
    auto store = GetParam().open(options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  [[nodiscard]] std::vector<std::string> Scanned(const KeyRange& range, size_t max_rows = 100) const {
    std::vector<std::string> rows;
    EXPECT_THAT(Query(*store_, [&](const ReadTransaction& txn) { return ScanInto(txn, range, max_rows, rows); }),
                IsOk());
    return rows;
  }

  const TempDir dir_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Engines, StoreTest, testing::ValuesIn(kStoreEngines),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(StoreTest, ACommittedRowIsRead) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "value");
}

TEST_P(StoreTest, ADeletedRowIsGone) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Delete(kTable, "key");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "none");
}

TEST_P(StoreTest, ABodySeesItsOwnWrites) {
  std::vector<std::string> seen;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        seen.push_back(Value(txn, "key"));
                        txn.Put(kTable, "key", "value");
                        seen.push_back(Value(txn, "key"));
                        txn.Delete(kTable, "key");
                        seen.push_back(Value(txn, "key"));
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(seen, ElementsAre("none", "value", "none"));
}

TEST_P(StoreTest, ABodysErrorIsTheStatusAndLeavesNothing) {
  bool hook_ran = false;
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(kTable, "key", "value");
                        txn.OnCommit([&] { hook_ran = true; });
                        return absl::NotFoundError("no such thing");
                      }),
              StatusIs(StatusCode::kNotFound, "no such thing"));
  std::string seen_next;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        seen_next = Value(txn, "key");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_EQ(seen_next, "none");
  EXPECT_EQ(DurableValue(*store_, "key"), "none");
  EXPECT_FALSE(hook_ran);
}

TEST_P(StoreTest, HooksRunInOrderBeforeDoneAndFindTheCommitVisible) {
  std::vector<std::string> events;
  absl::Notification told;
  store_->Execute(
      [&](Transaction& txn) {
        txn.Put(kTable, "key", "value");
        txn.OnCommit([&] { events.push_back("first hook sees " + DurableValue(*store_, "key")); });
        txn.OnCommit([&] { events.push_back("second hook"); });
        events.push_back("body");
        return absl::OkStatus();
      },
      [&](const absl::Status& status) {
        events.push_back(absl::StrCat("done: ", status.ToString()));
        told.Notify();
      });
  told.WaitForNotification();
  EXPECT_THAT(events, ElementsAre("body", "first hook sees value", "second hook", "done: OK"));
}

TEST_P(StoreTest, C32_AQueryThatIsTriedEndsOnlyWhenItReadsNoMoreThanItMay) {
  const std::string value(1'000, 'x');
  for (const char* key : {"a", "b"}) ASSERT_THAT(Execute(*store_, PutBody(key, value)), IsOk());
  const auto get = [](const ReadTransaction& txn) { return txn.Get(kTable, "a").status(); };
  const auto scan = [](const ReadTransaction& txn) {
    return txn.Scan(kTable, KeyRange(), [](std::string_view, std::string_view) { return true; });
  };
  const auto get_and_forget_how_it_went = [](const ReadTransaction& txn) {
    (void)txn.Get(kTable, "a");
    return absl::OkStatus();
  };
  const auto ends = [&](int64_t max_bytes, Store::ReadBody body) {
    TransactionOutcome outcome;
    Store::Done done = outcome.Done();
    const bool ended = store_->TryQuery(max_bytes, body, done);
    EXPECT_EQ(outcome.settled(), ended);
    if (!ended) store_->Query(std::move(body), std::move(done));
    EXPECT_THAT(outcome.Wait(), IsOk());
    return ended;
  };
  EXPECT_TRUE(ends(1'001, get));
  EXPECT_FALSE(ends(1'000, get));
  EXPECT_FALSE(ends(1'000, get_and_forget_how_it_went));
  EXPECT_TRUE(ends(2'002, scan));
  EXPECT_FALSE(ends(2'001, scan));
}

TEST_P(StoreTest, AQuerySeesOneStateThoughOthersCommitMeanwhile) {
  ASSERT_THAT(Execute(*store_, PutBody("a", "old")), IsOk());
  ASSERT_THAT(Execute(*store_, PutBody("b", "old")), IsOk());
  std::vector<std::string> seen;
  ASSERT_THAT(Query(*store_,
                    [&](const ReadTransaction& txn) -> absl::Status {
                      seen.push_back(Value(txn, "a"));
                      EXPECT_THAT(Execute(*store_,
                                          [](Transaction& other) {
                                            for (const char* key : {"a", "b", "c"}) other.Put(kTable, key, "new");
                                            return absl::OkStatus();
                                          }),
                                  IsOk());
                      for (const char* key : {"a", "b", "c"}) seen.push_back(Value(txn, key));
                      return txn.Scan(kTable, KeyRange(), [&](std::string_view key, std::string_view value) {
                        seen.push_back(std::string(key) + "=" + std::string(value));
                        return true;
                      });
                    }),
              IsOk());
  EXPECT_THAT(seen, ElementsAre("old", "old", "old", "none", "a=old", "b=old"));
  EXPECT_EQ(DurableValue(*store_, "c"), "new");
}

TEST_P(StoreTest, AQuerysErrorIsItsStatus) {
  EXPECT_THAT(Query(*store_, [](const ReadTransaction&) { return absl::NotFoundError("no such thing"); }),
              StatusIs(StatusCode::kNotFound, "no such thing"));
}

TEST_P(StoreTest, AQueryDoesNotWaitForABody) {
  BlockedBody blocked;
  TransactionOutcome outcome;
  store_->Execute(blocked.Body(), outcome.Done());
  blocked.WaitUntilStarted();
  EXPECT_EQ(DurableValue(*store_, "key"), "none");
  EXPECT_FALSE(outcome.settled());
  blocked.Release();
  EXPECT_THAT(outcome.Wait(), IsOk());
}

TEST_P(StoreTest, DoneMayStartTheNextTransaction) {
  TransactionOutcome second;
  store_->Execute(PutBody("key", "first"), [&](const absl::Status& status) {
    EXPECT_THAT(status, IsOk());
    store_->Execute(PutBody("key", "second"), second.Done());
  });
  EXPECT_THAT(second.Wait(), IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "second");
}

TEST_P(StoreTest, IncrementsOfManyThreadsLoseNothing) {
  constexpr int kThreads = 16;
  constexpr int kIncrements = 50;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < kIncrements; ++j) EXPECT_THAT(Execute(*store_, Increment), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(DurableValue(*store_, "counter"), absl::StrCat(kThreads * kIncrements));
}

TEST_P(StoreTest, EachDoneIsCalledOnceWhateverTheOutcome) {
  constexpr int kCount = 3'000;
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  std::vector<std::atomic<int>> calls(kCount);
  for (int i = 0; i < kCount; ++i) {
    store_->Execute([i](Transaction& txn) { return i % 3 == 0 ? absl::NotFoundError("no") : Increment(txn); },
                    [&calls, i](const absl::Status& status) {
                      EXPECT_EQ(status.code(), i % 3 == 0 ? StatusCode::kNotFound : StatusCode::kOk);
                      ++calls[i];
                    });
  }
  blocked.Release();
  store_.reset();
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(calls[i], 1) << i;
  EXPECT_THAT(blocked_outcome.Wait(), IsOk());
}

TEST_P(StoreTest, TheDestructorCommitsWhatWaits) {
  constexpr int kCount = 100;
  std::vector<TransactionOutcome> outcomes(kCount);
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  for (TransactionOutcome& outcome : outcomes) store_->Execute(Increment, outcome.Done());
  blocked.Release();
  store_.reset();
  for (const TransactionOutcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.settled());
    EXPECT_THAT(outcome.Wait(), IsOk());
  }
  Open({});
  EXPECT_EQ(DurableValue(*store_, "counter"), absl::StrCat(kCount));
}

TEST_P(StoreTest, RowsAreThereAfterReopening) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  store_.reset();
  Open({});
  EXPECT_EQ(DurableValue(*store_, "key"), "value");
}

TEST_P(StoreTest, RowsAreScannedInTheOrderOfTheirKeysAsFarAsIsWanted) {
  const std::string last("b\xff\x00z", 4);
  for (const std::string& key : {std::string("b"), last, std::string("a"), std::string("c")}) {
    ASSERT_THAT(Execute(*store_, PutBody(key, "1")), IsOk());
  }
  EXPECT_THAT(Scanned({}), ElementsAre("a=1", "b=1", last + "=1", "c=1"));
  EXPECT_THAT(Scanned({.begin = "b", .end = "c"}), ElementsAre("b=1", last + "=1"));
  EXPECT_THAT(Scanned({.begin = "aa"}, 1), ElementsAre("b=1"));
  EXPECT_THAT(Scanned({.begin = "d"}), IsEmpty());
}

TEST_P(StoreTest, AScanWithinABodyHasItsOwnWritesAmongTheRows) {
  for (const char* key : {"a", "b", "c"}) ASSERT_THAT(Execute(*store_, PutBody(key, "old")), IsOk());
  std::vector<std::string> rows;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Delete(kTable, "a");
                        txn.Put(kTable, "b", "new");
                        txn.Put(kTable, "bb", "new");
                        return ScanInto(txn, {}, 100, rows);
                      }),
              IsOk());
  EXPECT_THAT(rows, ElementsAre("b=new", "bb=new", "c=old"));
  EXPECT_THAT(Scanned({}), ElementsAre("b=new", "bb=new", "c=old"));
}

TEST_P(StoreTest, TablesAreApart) {
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Put(Table::kWork, "key", "work");
                        txn.Put(Table::kOperations, "key", "operation");
                        txn.Delete(Table::kTokens, "key");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "none");
  EXPECT_THAT(Query(*store_,
                    [](const ReadTransaction& txn) {
                      EXPECT_THAT(txn.Get(Table::kWork, "key"), IsOkAndHolds(std::optional<std::string>("work")));
                      EXPECT_THAT(txn.Get(Table::kTokens, "key"), IsOkAndHolds(std::nullopt));
                      return absl::OkStatus();
                    }),
              IsOk());
}

// Two bodies that each read what the other writes: as if one had come after the other (no write skew).
TEST_P(StoreTest, TransactionsAreSerializable) {
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    for (const auto& [read, written] : {std::pair("x", "y"), std::pair("y", "x")}) {
      threads.emplace_back([this, round, read = absl::StrCat(read, round), written = absl::StrCat(written, round)] {
        EXPECT_THAT(Execute(*store_,
                            [&](Transaction& txn) {
                              if (Value(txn, read) == "none") txn.Put(kTable, written, "taken");
                              return absl::OkStatus();
                            }),
                    IsOk())
            << round;
      });
    }
    for (std::thread& thread : threads) thread.join();
    const int taken = (DurableValue(*store_, absl::StrCat("x", round)) == "taken" ? 1 : 0) +
                      (DurableValue(*store_, absl::StrCat("y", round)) == "taken" ? 1 : 0);
    EXPECT_EQ(taken, 1) << round;
  }
}

TEST_P(StoreTest, OfOnePartyTheFirstComesFirst) {
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  std::vector<TransactionOutcome> outcomes(20);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    store_->Execute(
        [i](Transaction& txn) {
          txn.Put(kTable, "order", absl::StrCat(Value(txn, "order"), " ", i));
          return absl::OkStatus();
        },
        outcomes[i].Done(), "party");
  }
  blocked.Release();
  std::string expected = "none";
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_THAT(outcomes[i].Wait(), IsOk());
    absl::StrAppend(&expected, " ", i);
  }
  EXPECT_EQ(DurableValue(*store_, "order"), expected);
}

TEST_P(StoreTest, OneTooManyThatWaitIsRefusedAndReadsAreNot) {
  Open({.max_waiting = 4});
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  store_->Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();
  std::vector<TransactionOutcome> outcomes(10);
  for (const TransactionOutcome& outcome : outcomes) store_->Execute(Increment, outcome.Done(), "greedy");
  TransactionOutcome other;
  store_->Execute(Increment, other.Done(), "other");
  EXPECT_EQ(DurableValue(*store_, "counter"), "none");
  blocked.Release();
  EXPECT_THAT(other.Wait(), IsOk()) << "one party does not take all the places";
  int refused = 0;
  for (const TransactionOutcome& outcome : outcomes) {
    const absl::Status status = outcome.Wait();
    if (status.ok()) continue;
    EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted, HasSubstr("")));
    ++refused;
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(DurableValue(*store_, "counter"), absl::StrCat(outcomes.size() - refused + 1));
}

// Rows grow old by their first letter: `d` is to be dropped, `r` replaced by a row that is kept.
class FirstLetterRule final : public ExpiryRule {
 public:
  [[nodiscard]] Table table() const override { return kTable; }
  [[nodiscard]] Fate FateOf(std::string_view /*key*/, std::string_view value, std::string& replacement) const override {
    if (value.starts_with("d")) return Fate::kDrop;
    if (!value.starts_with("r")) return Fate::kKeep;
    replacement = "kept instead";
    return Fate::kReplace;
  }
};

TEST_P(StoreTest, CompactingAppliesTheRuleToItsTableAlone) {
  const FirstLetterRule rule;
  Open({.expiry = &rule});
  if (!GetParam().compacts) {
    EXPECT_THAT(store_->Compact(), StatusIs(StatusCode::kUnimplemented));
    return;
  }
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        for (const char* value : {"dropped", "kept", "replaced"}) txn.Put(kTable, value, value);
                        txn.Put(Table::kWork, "dropped", "dropped");
                        return absl::OkStatus();
                      }),
              IsOk());
  ASSERT_THAT(store_->Compact(), IsOk());
  EXPECT_THAT(Scanned({}), ElementsAre("kept=kept", "replaced=kept instead"));
  EXPECT_THAT(Query(*store_,
                    [](const ReadTransaction& txn) {
                      EXPECT_THAT(txn.Get(Table::kWork, "dropped"),
                                  IsOkAndHolds(std::optional<std::string>("dropped")));
                      return absl::OkStatus();
                    }),
              IsOk());
}

TEST_P(StoreTest, BackupsAreMadeAndListedOrThereAreNone) {
  const std::string directory = dir_.Path("backups");
  const std::atomic<bool> cancelled = false;
  if (!GetParam().makes_backups) {
    EXPECT_THAT(store_->CreateBackup(directory, cancelled), StatusIs(StatusCode::kUnimplemented));
    EXPECT_THAT(store_->ListBackups(directory), StatusIs(StatusCode::kUnimplemented));
    return;
  }
  EXPECT_TRUE(store_->ListBackups(directory).value().backups.empty());
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  const auto backup = store_->CreateBackup(directory, cancelled);
  ASSERT_THAT(backup, IsOk());
  const auto list = store_->ListBackups(directory);
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->backups.size(), 1u);
  EXPECT_EQ(list->backups.front().id, backup->id);
  EXPECT_THAT(list->damaged_ids, IsEmpty());
}

}  // namespace
}  // namespace hapax
