#include "hapax/storage/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/key.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/storage/store_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// What store.h promises of a transaction, of every engine. Transactions at once: store_isolation_test.cc; those that
// wait: store_waiting_test.cc; expiry, compaction and backups: store_verbs_test.cc; all at random: store_model_test.cc.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;

class StoreTest : public StoreFixture {};

INSTANTIATE_TEST_SUITE_P(Engines, StoreTest, testing::ValuesIn(kStoreEngines), EngineName);

TEST_P(StoreTest, ACommittedRowIsRead) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  EXPECT_EQ(CommittedValue("key"), "value");
}

TEST_P(StoreTest, ARefusedTransactionLeavesNothingWhateverItsBodyReturns) {
  bool hook_ran = false;
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(kTable, "key", "value");
                        txn.OnCommit([&] { hook_ran = true; });
                        txn.Refuse(absl::OkStatus());
                        txn.Refuse(absl::InternalError("first"));
                        txn.Refuse(absl::InternalError("second"));
                        return absl::OkStatus();
                      }),
              StatusIs(StatusCode::kInternal, "first"));
  EXPECT_EQ(CommittedValue("key"), "none");
  EXPECT_FALSE(hook_ran);
}

TEST_P(StoreTest, ADeletedRowIsGone) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Delete(kTable, "key");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_EQ(CommittedValue("key"), "none");
}

TEST_P(StoreTest, ABodySeesItsOwnWrites) {
  std::vector<std::string> seen;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        seen = {Value(txn, "key")};
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
  EXPECT_EQ(CommittedValue("key"), "none");
  EXPECT_FALSE(hook_ran);
}

TEST_P(StoreTest, HooksRunInOrderBeforeDoneAndFindTheCommitVisible) {
  std::vector<std::string> events;
  absl::Notification told;
  store_->Execute(
      [&](Transaction& txn) {
        txn.Put(kTable, "key", "value");
        txn.OnCommit([&] { events.push_back("first hook sees " + CommittedValue("key")); });
        txn.OnCommit([&] { events.push_back("second hook"); });
        events = {"body"};
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
  // Where no query keeps the caller's thread, none is given up.
  const bool is_unbounded = !GetParam().queries_on_callers_thread;
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
    EXPECT_EQ(outcome.settled() || is_unbounded, ended);
    if (!ended) store_->Query(std::move(body), std::move(done));
    EXPECT_THAT(outcome.Wait(), IsOk());
    return ended;
  };
  EXPECT_TRUE(ends(1'001, get));
  EXPECT_EQ(ends(1'000, get), is_unbounded);
  EXPECT_EQ(ends(1'000, get_and_forget_how_it_went), is_unbounded);
  EXPECT_TRUE(ends(2'002, scan));
  EXPECT_EQ(ends(2'001, scan), is_unbounded);
}

TEST_P(StoreTest, AQuerysErrorIsItsStatus) {
  EXPECT_THAT(Query(*store_, [](const ReadTransaction&) { return absl::NotFoundError("no such thing"); }),
              StatusIs(StatusCode::kNotFound, "no such thing"));
}

TEST_P(StoreTest, RowsAreThereAfterReopening) {
  ASSERT_THAT(Execute(*store_, PutBody("key", "value")), IsOk());
  store_.reset();
  Open({});
  EXPECT_EQ(CommittedValue("key"), "value");
}

TEST_P(StoreTest, RowsAreScannedInTheOrderOfTheirKeysAsFarAsIsWanted) {
  const std::string last("b\xff\x00z", 4);
  for (const std::string& key : {std::string("b"), last, std::string("a"), std::string("c")}) {
    ASSERT_THAT(Execute(*store_, PutBody(key, "1")), IsOk());
  }
  EXPECT_THAT(CommittedRows(), ElementsAre("a=1", "b=1", last + "=1", "c=1"));
  EXPECT_THAT(CommittedRows({.begin = "b", .end = "c"}), ElementsAre("b=1", last + "=1"));
  EXPECT_THAT(CommittedRows({.begin = "aa"}, 1), ElementsAre("b=1"));
  EXPECT_THAT(CommittedRows({.begin = "d"}), IsEmpty());
}

TEST_P(StoreTest, AScanWithinABodyHasItsOwnWritesAmongTheRows) {
  for (const char* key : {"a", "b", "c"}) ASSERT_THAT(Execute(*store_, PutBody(key, "old")), IsOk());
  std::vector<std::string> rows;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Delete(kTable, "a");
                        txn.Put(kTable, "b", "new");
                        txn.Put(kTable, "bb", "new");
                        rows = Rows(txn, {});
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(rows, ElementsAre("b=new", "bb=new", "c=old"));
  EXPECT_THAT(CommittedRows(), ElementsAre("b=new", "bb=new", "c=old"));
}

TEST_P(StoreTest, KeysAndValuesAreAnyBytesAndAnEmptyValueIsARow) {
  const std::string all_kinds("\0\xff\n%_'\"\\\xc3", 9);  // No UTF-8, and what languages of queries quote.
  for (const std::string& bytes : {std::string(1, '\0'), std::string("\xff\xff"), all_kinds}) {
    ASSERT_THAT(Execute(*store_, PutBody(bytes, bytes)), IsOk());
    EXPECT_EQ(CommittedValue(bytes), bytes);
    EXPECT_THAT(CommittedRows(KeyRange::Prefix(bytes), 1), ElementsAre(bytes + "=" + bytes));
  }
  ASSERT_THAT(Execute(*store_, PutBody("empty", "")), IsOk());
  EXPECT_EQ(CommittedValue("empty"), "");
  EXPECT_THAT(CommittedRows(KeyRange::Prefix("empty")), ElementsAre("empty="));
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
  EXPECT_EQ(CommittedValue("key"), "none");
  EXPECT_THAT(Query(*store_,
                    [](const ReadTransaction& txn) {
                      EXPECT_THAT(txn.Get(Table::kWork, "key"), IsOkAndHolds(std::optional<std::string>("work")));
                      EXPECT_THAT(txn.Get(Table::kTokens, "key"), IsOkAndHolds(std::nullopt));
                      return absl::OkStatus();
                    }),
              IsOk());
}

}  // namespace
}  // namespace hapax
