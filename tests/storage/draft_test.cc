#include "hapax/storage/draft.h"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Table kTable = Table::kResources;

// `key=value` of the rows in the range, at most so many.
std::vector<std::string> Rows(const ReadTransaction& txn, const KeyRange& range = {}, size_t at_most = 1'000) {
  std::vector<std::string> rows;
  EXPECT_THAT(txn.Scan(kTable, range,
                       [&](std::string_view key, std::string_view value) {
                         rows.push_back(std::string(key) + "=" + std::string(value));
                         return rows.size() < at_most;
                       }),
              IsOk());
  return rows;
}

class DraftTransactionTest : public testing::Test {
 protected:
  void Change(const std::function<void(Transaction&)>& change) {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          change(txn);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  std::vector<std::string> Kept() {
    std::vector<std::string> rows;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        rows = Rows(txn);
                        return absl::OkStatus();
                      }),
                IsOk());
    return rows;
  }

  const TempDir dir_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
};

TEST_F(DraftTransactionTest, WhatIsNotKeptLeavesNothingAndTheRestGoesOn) {
  bool called = false;
  Change([&](Transaction& txn) {
    txn.Put(kTable, "a", "1");
    {
      DraftTransaction part(txn);
      part.Put(kTable, "a", "2");
      part.Put(kTable, "b", "2");
      part.OnCommit([&] { called = true; });
    }
    EXPECT_THAT(Rows(txn), ElementsAre("a=1"));
    txn.Put(kTable, "c", "3");
  });
  EXPECT_THAT(Kept(), ElementsAre("a=1", "c=3"));
  EXPECT_FALSE(called);
}

TEST_F(DraftTransactionTest, WhatIsKeptIsPartOfTheTransaction) {
  int calls = 0;
  Change([&](Transaction& txn) {
    txn.Put(kTable, "a", "1");
    txn.Put(kTable, "b", "1");
    DraftTransaction part(txn);
    part.Put(kTable, "a", "2");
    part.Delete(kTable, "b");
    part.OnCommit([&] { ++calls; });
    part.CommitTo(txn);
    part.CommitTo(txn);
    EXPECT_THAT(Rows(txn), ElementsAre("a=2"));
  });
  EXPECT_THAT(Kept(), ElementsAre("a=2"));
  EXPECT_EQ(calls, 1);
}

TEST_F(DraftTransactionTest, AReadSeesTheTransactionsWritesAndItsOwn) {
  Change([](Transaction& txn) {
    for (const char* key : {"b", "d", "f"}) txn.Put(kTable, key, "stored");
  });
  Change([](Transaction& txn) {
    txn.Put(kTable, "d", "txn");
    DraftTransaction part(txn);
    EXPECT_THAT(Rows(part), ElementsAre("b=stored", "d=txn", "f=stored"));
    part.Put(kTable, "a", "part");
    part.Put(kTable, "d", "part");
    part.Delete(kTable, "f");
    part.Put(kTable, "g", "part");
    EXPECT_EQ((*part.Get(kTable, "b")).value_or("none"), "stored");
    EXPECT_EQ((*part.Get(kTable, "d")).value_or("none"), "part");
    EXPECT_EQ((*part.Get(kTable, "f")).value_or("none"), "none");
    EXPECT_EQ((*part.Get(Table::kMeta, "a")).value_or("none"), "none");
    EXPECT_THAT(Rows(part), ElementsAre("a=part", "b=stored", "d=part", "g=part"));
    EXPECT_THAT(Rows(part, {.begin = "b", .end = "d"}), ElementsAre("b=stored"));
    EXPECT_THAT(Rows(part, {.begin = "c"}), ElementsAre("d=part", "g=part"));
    EXPECT_THAT(Rows(part, {.begin = "d", .end = "b"}), IsEmpty());
    for (size_t count = 1; count <= 4; ++count) EXPECT_EQ(Rows(part, {}, count).size(), count);
  });
}

// Against a map that is copied and put back.
TEST_F(DraftTransactionTest, IsAsACopyThatIsTakenBack) {
  std::mt19937 random(TestSeed());
  const auto below = [&](int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random); };
  std::map<std::string, std::string> model;
  Change([&](Transaction& txn) {
    for (int part_number = 0; part_number < 50; ++part_number) {
      auto changed = model;
      DraftTransaction part(txn);
      for (int i = 0; i < 10; ++i) {
        const std::string key(1, static_cast<char>('a' + below(8)));
        if (below(3) == 0) {
          part.Delete(kTable, key);
          changed.erase(key);
        } else {
          const std::string value = absl::StrCat(part_number, "-", i);
          part.Put(kTable, key, value);
          changed[key] = value;
        }
        std::vector<std::string> expected;
        for (const auto& [name, value] : changed) expected.push_back(absl::StrCat(name, "=", value));
        ASSERT_EQ(Rows(part), expected);
      }
      if (below(2) == 0) {
        part.CommitTo(txn);
        model = std::move(changed);
      }
    }
  });
}

}  // namespace
}  // namespace hapax
