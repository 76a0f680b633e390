#include "hapax/storage/expiry_sweep.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/paged_scan.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/storage/store_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax {
namespace {

// A row "old" becomes "stub", and a row "gone" is dropped.
class Rule final : public ExpiryRule {
 public:
  explicit Rule(Table table) : table_(table) {}
  [[nodiscard]] Table table() const override { return table_; }
  [[nodiscard]] Fate FateOf(std::string_view /*key*/, std::string_view value, std::string& replacement) const override {
    if (value == "gone") return Fate::kDrop;
    if (value != "old") return Fate::kKeep;
    replacement = "stub";
    return Fate::kReplace;
  }

 private:
  const Table table_;
};

// Has another server write before each transaction.
class BusyStore final : public Store {
 public:
  BusyStore(Store& store, Store::Body others) : store_(store), others_(std::move(others)) {}

  void Execute(Body body, Done done, std::string_view party) override {
    EXPECT_THAT(hapax::Execute(store_, [this](Transaction& txn) { return others_(txn); }), IsOk());
    store_.Execute(std::move(body), std::move(done), party);
  }
  void Query(ReadBody body, Done done) override { store_.Query(std::move(body), std::move(done)); }

 private:
  Store& store_;
  Store::Body others_;
};

class ExpirySweepTest : public StoreFixture {
 protected:
  static std::string Key(int number) { return absl::StrCat("row ", 10'000 + number); }
  void PutRows(int from, int to, const std::string& value) {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          for (int i = from; i < to; ++i) txn.Put(kTable, Key(i), value);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  int Count(const std::string& value) {
    int count = 0;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        count = 0;
                        return txn.Scan(kTable, KeyRange(), [&](std::string_view, std::string_view found) {
                          count += found == value ? 1 : 0;
                          return true;
                        });
                      }),
                IsOk());
    return count;
  }

  const Rule rule_{kTable};
};
INSTANTIATE_TEST_SUITE_P(Engines, ExpirySweepTest, testing::ValuesIn(kStoreEngines), EngineName);

TEST_P(ExpirySweepTest, EachPageReplacesAndDropsWhatHasExpiredInIt) {
  constexpr int kPage = kPageRows;
  constexpr int kExpired = kPage + 10;
  constexpr int kRows = 3 * kPage - 1;
  PutRows(0, kPage, "old");
  PutRows(kPage, kExpired, "gone");
  PutRows(kExpired, kRows, "kept");
  ExpirySweep sweep(*store_, rule_);
  for (const int expected : {kExpired, 0}) {
    int64_t changed = 0;
    for (bool at_end = false; !at_end;) {
      const auto page = sweep.Next();
      ASSERT_THAT(page, IsOk());
      changed += page->changed;
      at_end = page->at_end;
    }
    EXPECT_EQ(changed, expected);
  }
  EXPECT_EQ(Count("stub"), kPage);
  EXPECT_EQ(Count("old") + Count("gone"), 0);
  EXPECT_EQ(Count("kept"), kRows - kExpired);
}

TEST_P(ExpirySweepTest, ARowThatIsWrittenAnewAfterItsPageWasReadIsKept) {
  PutRows(0, 3, "gone");
  BusyStore store(*store_, [](Transaction& txn) {
    txn.Put(kTable, Key(1), "new");
    txn.Delete(kTable, Key(2));
    return absl::OkStatus();
  });
  ExpirySweep sweep(store, rule_);
  const auto page = sweep.Next();
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->changed, 1);
  EXPECT_TRUE(page->at_end);
  EXPECT_EQ(Count("new"), 1);
  EXPECT_EQ(Count("gone"), 0);
}

TEST_P(ExpirySweepTest, AnEmptyTableIsOnePage) {
  ExpirySweep sweep(*store_, rule_);
  const auto page = sweep.Next();
  ASSERT_THAT(page, IsOk());
  EXPECT_TRUE(page->at_end);
  EXPECT_EQ(page->changed, 0);
}

}  // namespace
}  // namespace hapax
