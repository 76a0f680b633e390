#include "hapax/storage/copy.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/storage/format.h"
#include "hapax/storage/memory/store.h"
#include "hapax/storage/paged_scan.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/work.pb.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

std::string LeaseKey() { return KeyBuilder().String("work_lease").String("a holder").Build(); }

// Fails each transaction from the n-th on, and refuses those of more than `most_bytes`.
class LimitedStore final : public Store {
 public:
  explicit LimitedStore(Store& store) : store_(store) {}

  void Execute(Body body, Done done, std::string_view party) override {
    if (left_-- <= 0) return std::move(done)(absl::UnavailableError("cut off"));
    store_.Execute(
        [this, body = std::move(body)](Transaction& txn) mutable -> absl::Status {
          Counting counting(txn);
          const absl::Status status = body(counting);
          if (status.ok() && counting.bytes > most_bytes_) return absl::ResourceExhaustedError("too much at once");
          return status;
        },
        std::move(done), party);
  }
  void Query(ReadBody body, Done done) override { store_.Query(std::move(body), std::move(done)); }

  void Limit(int transactions) { left_ = transactions; }
  void LimitBytes(size_t bytes) { most_bytes_ = bytes; }

 private:
  struct Counting final : public Transaction {
    explicit Counting(Transaction& its_txn) : txn(its_txn) {}
    absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
      return txn.Get(table, key);
    }
    absl::Status Scan(Table table, const KeyRange& range, Visitor visit) const override {
      return txn.Scan(table, range, visit);
    }
    void Put(Table table, std::string key, std::string value) override {
      bytes += value.size();
      txn.Put(table, std::move(key), std::move(value));
    }
    void Delete(Table table, std::string key) override { txn.Delete(table, std::move(key)); }
    void OnCommit(absl::AnyInvocable<void()> hook) override { txn.OnCommit(std::move(hook)); }

    Transaction& txn;
    size_t bytes = 0;
  };

  Store& store_;
  int left_ = 1 << 30;
  size_t most_bytes_ = size_t{1} << 40;
};

class CopyTest : public testing::Test {
 protected:
  void Put(Store& store, Table table, const std::string& key, const std::string& value) {
    ASSERT_THAT(Execute(store,
                        [&](Transaction& txn) {
                          txn.Put(table, key, value);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  void Fill(int rows) {
    Put(*from_, Table::kMeta, std::string(kFormatVersionKey), "2");
    Put(*from_, Table::kMeta, std::string(kLogIdKey), "of the old one");
    Put(*to_, Table::kMeta, std::string(kLogIdKey), "of the new one");
    for (const Table table : kAllTables) {
      for (int i = 0; i < rows; ++i) Put(*from_, table, absl::StrCat("key ", i), absl::StrCat("value ", i));
    }
  }
  static std::vector<std::pair<std::string, std::string>> RowsOf(Store& store) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Table table : kAllTables) {
      EXPECT_THAT(PagedScan(store, table, KeyRange(),
                            [&](std::string_view key, std::string_view value) {
                              rows.emplace_back(absl::StrCat(static_cast<int>(table), std::string(key)), value);
                            }),
                  IsOk());
    }
    return rows;
  }
  absl::StatusOr<int64_t> Copy(Store& to) {
    return CopyStore(*from_, to, {.from = "old", .to = "new", .sleep = sleep_},
                     [this](const CopyProgress& progress) { reports_.push_back(progress.rows); });
  }
  absl::StatusOr<int64_t> Copy() { return Copy(*to_); }

  std::unique_ptr<Store> from_ = MakeMemoryStore();
  std::unique_ptr<Store> to_ = MakeMemoryStore();
  LimitedStore limited_{*to_};
  std::vector<int64_t> reports_;
  std::function<void(absl::Duration)> sleep_ = [](absl::Duration) { ADD_FAILURE() << "nothing is to be awaited"; };
};

TEST_F(CopyTest, AllRowsButAStoresOwnAreMovedAndOneOfTheTwoServes) {
  Fill(300);
  Put(*from_, Table::kTokens, "bytes", std::string("\0\xff\1", 3));
  Put(*from_, Table::kTokens, "empty", "");
  EXPECT_THAT(CheckIsNotCopied(*from_), IsOk());
  EXPECT_THAT(Copy(), IsOkAndHolds(5 * 300 + 2));
  EXPECT_GT(reports_.size(), 5U);

  EXPECT_THAT(CheckIsNotCopied(*to_), IsOk());
  EXPECT_THAT(CheckIsNotCopied(*from_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("moved to new")));
  auto rows = RowsOf(*to_);
  EXPECT_EQ(rows.size(), 5U * 300 + 2 + 2);
  EXPECT_THAT(rows, testing::Contains(testing::Pair("0log_id", "of the new one")));
  EXPECT_THAT(rows, testing::Contains(testing::Pair("1empty", "")));

  // Servers may have changed the target since.
  Put(*to_, Table::kTokens, "later", "");
  EXPECT_THAT(Copy(), IsOkAndHolds(5 * 300 + 2));
  EXPECT_THAT(CancelCopy(*to_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("not being copied")));
  const auto third = MakeMemoryStore();
  EXPECT_THAT(Copy(*third), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("old: its rows were moved to new")));
  EXPECT_THAT(CheckIsNotCopied(*third), IsOk());

  from_ = std::move(to_);
  EXPECT_THAT(Copy(*third), IsOkAndHolds(5 * 300 + 3));
  to_ = MakeMemoryStore();
  Put(*to_, Table::kTokens, "key", "of another store");
  EXPECT_THAT(Copy(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("rows of its own")));
}

TEST_F(CopyTest, AnInterruptedCopyGoesOnWhereItStood) {
  Fill(300);
  const auto whole = [this] {
    auto rows = RowsOf(*from_);
    std::erase_if(rows, [](const auto& row) { return row.first == "0format" || row.first == "0log_id"; });
    return rows;
  }();
  int interruptions = 0;
  for (int transactions = 1;; ++transactions) {
    limited_.Limit(transactions);
    const auto copied = Copy(limited_);
    if (copied.ok()) break;
    ++interruptions;
    ASSERT_THAT(copied.status(), StatusIs(StatusCode::kUnavailable, HasSubstr("cut off")));
    // Neither serves, whenever it happens: but the source that has not begun.
    EXPECT_FALSE(CheckIsNotCopied(*from_).ok());
  }
  EXPECT_GE(interruptions, 5);
  auto rows = RowsOf(*to_);
  std::erase_if(rows, [](const auto& row) { return row.first == "0log_id" || row.first.find("copy") == 1; });
  EXPECT_EQ(rows, whole);
  EXPECT_THAT(CheckIsNotCopied(*to_), IsOk());
}

TEST_F(CopyTest, ACopyThatIsGivenUpLeavesTheSourceAndItsTargetNeverServes) {
  Fill(300);
  EXPECT_THAT(CancelCopy(*from_), StatusIs(StatusCode::kFailedPrecondition));
  limited_.Limit(2);
  EXPECT_FALSE(Copy(limited_).ok());
  EXPECT_THAT(CheckIsNotCopied(*from_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("--cancel")));
  EXPECT_THAT(CheckIsNotCopied(*to_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("copy of old")));
  EXPECT_THAT(CancelCopy(*to_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("copy of old")));
  EXPECT_THAT(CancelCopy(*from_), IsOk());
  EXPECT_THAT(CheckIsNotCopied(*from_), IsOk());
  EXPECT_THAT(Copy(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("new: a copy of old")));
  EXPECT_THAT(CheckIsNotCopied(*from_), IsOk());

  // An unfinished copy may go elsewhere instead; what has begun before is of no use then.
  const auto third = MakeMemoryStore();
  LimitedStore limited_third(*third);
  limited_third.Limit(2);
  EXPECT_FALSE(Copy(limited_third).ok());
  const auto fourth = MakeMemoryStore();
  EXPECT_THAT(Copy(*fourth), IsOk());
  EXPECT_THAT(Copy(*third), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_FALSE(CheckIsNotCopied(*third).ok());
  EXPECT_THAT(CancelCopy(*from_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("moved to new")));
}

TEST_F(CopyTest, RowsThatTheTargetDoesNotTakeAtOnceComeInParts) {
  Fill(300);
  limited_.LimitBytes(400);
  EXPECT_THAT(Copy(limited_), IsOkAndHolds(5 * 300));

  from_ = MakeMemoryStore();
  to_ = MakeMemoryStore();
  EXPECT_THAT(Copy(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("old: it has no rows")));
  EXPECT_THAT(CheckIsNotCopied(*from_), IsOk());
  LimitedStore small(*to_);
  small.LimitBytes(400);
  Put(*from_, Table::kOperations, "large", std::string(500, 'x'));
  EXPECT_THAT(Copy(small),
              StatusIs(StatusCode::kResourceExhausted, AllOf(HasSubstr("505 bytes"), HasSubstr("6c61726765"))));
}

TEST_F(CopyTest, ARowThatDiffersAfterTheCopyIsFound) {
  Fill(3);
  limited_.Limit(4);  // The mark, and three of five tables.
  EXPECT_FALSE(Copy(limited_).ok());
  Put(*from_, Table::kTokens, "key 1", "another value");
  EXPECT_THAT(Copy(), StatusIs(StatusCode::kDataLoss, AllOf(HasSubstr("table tokens"), HasSubstr("6b65792031"))));
  EXPECT_FALSE(CheckIsNotCopied(*to_).ok());
}

TEST_F(CopyTest, AServerThatRunsOnTheSourceIsFoundAndALeaseThatWasLeftIsNot) {
  const auto renew = [this](uint64_t renewals) {
    store::v1::WorkLeaseRow lease;
    lease.set_renewals(renewals);
    *lease.mutable_length() = ToProtoDuration(absl::Seconds(15));
    Put(*from_, Table::kMeta, LeaseKey(), EncodeRow(LeaseKey(), lease));
  };
  renew(1);
  sleep_ = [&](absl::Duration length) {
    EXPECT_GT(length, absl::Seconds(15));
    renew(2);
  };
  EXPECT_THAT(Copy(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("old: a server runs")));
  sleep_ = [](absl::Duration) {};
  EXPECT_THAT(Copy(), IsOkAndHolds(0));
  EXPECT_EQ(RowsOf(*to_).size(), 1U);  // That of the copy.
}

}  // namespace
}  // namespace hapax
