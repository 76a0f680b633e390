#include "hapax/storage/rocksdb_store.h"

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
#include "hapax/storage/status_macros.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;

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

absl::Status Increment(Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> value, txn.Get(kTable, "counter"));
  int count = 0;
  if (value.has_value() && !absl::SimpleAtoi(*value, &count)) return absl::DataLossError(*value);
  txn.Put(kTable, "counter", absl::StrCat(count + 1));
  return absl::OkStatus();
}

class RocksDbStoreTest : public testing::Test {
 protected:
  RocksDbStoreTest() { Open(); }

  void Open() {
    auto store = OpenRocksDbStore({.path = dir_.Path("data")});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  const TempDir dir_;
  std::unique_ptr<Store> store_;
};

TEST_F(RocksDbStoreTest, ACommittedRowIsRead) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "value");
}

TEST_F(RocksDbStoreTest, ADeletedRowIsGone) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Delete(kTable, "key");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "none");
}

TEST_F(RocksDbStoreTest, ABodySeesItsOwnWrites) {
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

TEST_F(RocksDbStoreTest, ABodysErrorIsTheStatusAndLeavesNothing) {
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

TEST_F(RocksDbStoreTest, HooksRunInOrderBeforeDoneAndFindTheCommitVisible) {
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

TEST_F(RocksDbStoreTest, C32_AQueryThatIsTriedEndsOnlyWhenItReadsNoMoreThanItMay) {
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

TEST_F(RocksDbStoreTest, AQuerySeesOneStateThoughOthersCommitMeanwhile) {
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

TEST_F(RocksDbStoreTest, AQuerysErrorIsItsStatus) {
  EXPECT_THAT(Query(*store_, [](const ReadTransaction&) { return absl::NotFoundError("no such thing"); }),
              StatusIs(StatusCode::kNotFound, "no such thing"));
}

TEST_F(RocksDbStoreTest, AQueryDoesNotWaitForABody) {
  BlockedBody blocked;
  TransactionOutcome outcome;
  store_->Execute(blocked.Body(), outcome.Done());
  blocked.WaitUntilStarted();
  EXPECT_EQ(DurableValue(*store_, "key"), "none");
  EXPECT_FALSE(outcome.settled());
  blocked.Release();
  EXPECT_THAT(outcome.Wait(), IsOk());
}

TEST_F(RocksDbStoreTest, DoneMayStartTheNextTransaction) {
  TransactionOutcome second;
  store_->Execute(PutBody("key", "first"), [&](const absl::Status& status) {
    EXPECT_THAT(status, IsOk());
    store_->Execute(PutBody("key", "second"), second.Done());
  });
  EXPECT_THAT(second.Wait(), IsOk());
  EXPECT_EQ(DurableValue(*store_, "key"), "second");
}

TEST_F(RocksDbStoreTest, IncrementsOfManyThreadsLoseNothing) {
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

TEST_F(RocksDbStoreTest, EachDoneIsCalledOnceWhateverTheOutcome) {
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

TEST_F(RocksDbStoreTest, TheDestructorCommitsWhatWaits) {
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
  Open();
  EXPECT_EQ(DurableValue(*store_, "counter"), absl::StrCat(kCount));
}

TEST_F(RocksDbStoreTest, RowsAreThereAfterReopening) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  store_.reset();
  Open();
  EXPECT_EQ(DurableValue(*store_, "key"), "value");
}

}  // namespace
}  // namespace hapax
