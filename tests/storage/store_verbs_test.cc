#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/expiry.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/storage/store_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/test_seed.h"

// What store.h and expiry.h promise beside transactions, of every engine: expiry, compaction and backups.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A row that loses its text at one time, and is dropped at another.
struct AgingRow {
  int blank_at = std::numeric_limits<int>::max();
  int drop_at = std::numeric_limits<int>::max();
  std::string text;

  [[nodiscard]] std::string Encode() const { return absl::StrCat(blank_at, " ", drop_at, " ", text); }
  static AgingRow Decode(std::string_view value) {
    const std::vector<std::string> parts = absl::StrSplit(std::string(value), absl::MaxSplits(' ', 2));
    AgingRow row;
    EXPECT_TRUE(parts.size() == 3 && absl::SimpleAtoi(parts[0], &row.blank_at) &&
                absl::SimpleAtoi(parts[1], &row.drop_at))
        << value;
    row.text = parts.back();
    return row;
  }
};

class AgingRule final : public ExpiryRule {
 public:
  explicit AgingRule(Table table) : table_(table) {}

  void Advance(int time) { now_ += time; }
  [[nodiscard]] int now() const { return now_; }

  [[nodiscard]] Table table() const override { return table_; }
  [[nodiscard]] Fate FateOf(std::string_view /*key*/, std::string_view value, std::string& replacement) const override {
    AgingRow row = AgingRow::Decode(value);
    if (now_ >= row.drop_at) return Fate::kDrop;
    if (now_ < row.blank_at || row.text.empty()) return Fate::kKeep;
    row.text.clear();
    replacement = row.Encode();
    return Fate::kReplace;
  }

 private:
  const Table table_;
  std::atomic<int> now_ = 0;
};

class StoreVerbsTest : public StoreFixture {
 protected:
  using AgingRows = std::map<std::string, AgingRow>;

  StoreVerbsTest() { Open({.expiry = &rule_}); }
  ~StoreVerbsTest() override { store_ = nullptr; }  // Before the rule.

  // Each row by its key, as a reader judges it now, whatever the engine has done.
  std::vector<std::string> Judged(const ReadTransaction& txn) const {
    std::vector<std::string> judged;
    EXPECT_THAT(
        txn.Scan(kTable, {},
                 [&](std::string_view key, std::string_view value) {
                   if (const AgingRow row = AgingRow::Decode(value); rule_.now() < row.drop_at) {
                     judged.push_back(absl::StrCat(std::string(key), "=", rule_.now() < row.blank_at ? row.text : ""));
                   }
                   return true;
                 }),
        IsOk());
    return judged;
  }
  std::vector<std::string> Expected(const AgingRows& rows) const {
    std::vector<std::string> expected;
    for (const auto& [key, row] : rows) {
      if (rule_.now() >= row.drop_at) continue;
      expected.push_back(absl::StrCat(key, "=", rule_.now() < row.blank_at ? row.text : ""));
    }
    return expected;
  }
  // Puts some rows and deletes some, in the store as in `rows`. Those of before may have less time left, or more.
  void ChangeSome(std::mt19937_64& random, AgingRows& rows) {
    AgingRows changes;
    for (int i = 0; i < 20; ++i) {
      AgingRow& row = changes[std::string(1, static_cast<char>('a' + random() % 26))];
      row.blank_at = rule_.now() + static_cast<int>(random() % 6);
      row.drop_at = row.blank_at + static_cast<int>(random() % 6);
      row.text = random() % 4 == 0 ? "" : absl::StrCat("text ", random());  // Without one: to be deleted.
    }
    EXPECT_THAT(Execute(*store_,
                        [&](Transaction& txn) {
                          for (const auto& [key, row] : changes) {
                            row.text.empty() ? txn.Delete(kTable, key) : txn.Put(kTable, key, row.Encode());
                          }
                          return absl::OkStatus();
                        }),
                IsOk());
    for (const auto& [key, row] : changes) {
      rows.erase(key);
      if (!row.text.empty()) rows[key] = row;
    }
  }

  AgingRule rule_{kTable};
};

INSTANTIATE_TEST_SUITE_P(Engines, StoreVerbsTest, testing::ValuesIn(kStoreEngines), EngineName);

TEST_P(StoreVerbsTest, CompactingAppliesTheRuleToItsTableAloneOrIsUnimplemented) {
  if (!GetParam().compacts) {
    EXPECT_THAT(store_->Compact(), StatusIs(StatusCode::kUnimplemented));
    return;
  }
  const std::string dropped = AgingRow{.drop_at = 1, .text = "dropped"}.Encode();
  const std::string kept = AgingRow{.text = "kept"}.Encode();
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        txn.Put(kTable, "dropped", dropped);
                        txn.Put(kTable, "kept", kept);
                        txn.Put(kTable, "replaced", AgingRow{.blank_at = 1, .text = "text"}.Encode());
                        txn.Put(Table::kWork, "dropped", dropped);
                        return absl::OkStatus();
                      }),
              IsOk());
  rule_.Advance(1);
  ASSERT_THAT(store_->Compact(), IsOk());
  EXPECT_THAT(CommittedRows(), ElementsAre("kept=" + kept, "replaced=" + AgingRow{.blank_at = 1, .text = ""}.Encode()));
  EXPECT_THAT(Queried([](const ReadTransaction& txn) { return txn.Get(Table::kWork, "dropped").value_or("").value(); }),
              dropped);
}

// Nor does an older row come up again under one that was dropped.
TEST_P(StoreVerbsTest, WhoJudgesByTheRuleCannotTellWhenItIsApplied) {
  std::mt19937_64 random(TestSeed());
  AgingRows rows;
  for (int round = 0; round < 16 && !HasFailure(); ++round) {
    ChangeSome(random, rows);
    rule_.Advance(static_cast<int>(random() % 3));
    std::vector<decltype(Expected(rows))> judged;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        judged = {Judged(txn)};
                        if (GetParam().compacts) {
                          EXPECT_THAT(store_->Compact(), IsOk());
                        }
                        judged.push_back(Judged(txn));
                        return absl::OkStatus();
                      }),
                IsOk());
    EXPECT_THAT(judged, testing::Each(Expected(rows)));
    if (round % 4 == 3) Open({.expiry = &rule_});
    EXPECT_THAT(Queried([&](const ReadTransaction& txn) { return Judged(txn); }), Expected(rows));
  }
}

TEST_P(StoreVerbsTest, BackupsAreMadeAndListedOrUnimplemented) {
  const std::string directory = dir_.Path("backups");
  const std::atomic<bool> goes_on = false;
  if (!GetParam().makes_backups) {
    EXPECT_THAT(store_->CreateBackup(directory, goes_on).status(), StatusIs(StatusCode::kUnimplemented));
    EXPECT_THAT(store_->ListBackups(directory).status(), StatusIs(StatusCode::kUnimplemented));
    return;
  }
  EXPECT_THAT(store_->ListBackups(directory).value().backups, IsEmpty());
  std::vector<uint32_t> made;
  for (const char* key : {"a", "b"}) {
    ASSERT_THAT(Execute(*store_, PutBody(key, AgingRow().Encode())), IsOk());
    const auto backup = store_->CreateBackup(directory, goes_on);
    ASSERT_THAT(backup, IsOk());
    made.push_back(backup->id);
  }
  const std::atomic<bool> cancelled = true;
  EXPECT_THAT(store_->CreateBackup(directory, cancelled).status(), StatusIs(StatusCode::kCancelled));
  const auto list = store_->ListBackups(directory);
  ASSERT_THAT(list, IsOk());
  ASSERT_THAT(list->backups, SizeIs(2));
  EXPECT_THAT(made, ElementsAre(list->backups[0].id, list->backups[1].id));
  EXPECT_LT(made[0], made[1]);
  EXPECT_THAT(list->damaged_ids, IsEmpty());
}

// An engine that has no more than it must.
class BareStore final : public Store {
 public:
  using Store::Execute;
  void Execute(Body /*body*/, Done done, std::string_view /*party*/) override { std::move(done)(absl::OkStatus()); }
  void Query(ReadBody /*body*/, Done done) override { std::move(done)(absl::OkStatus()); }
};

TEST(Store, WhatAnEngineLeavesOutIsUnimplementedAndATriedQueryIsAQuery) {
  BareStore store;
  const std::atomic<bool> cancelled = false;
  EXPECT_THAT(store.Compact(), StatusIs(StatusCode::kUnimplemented));
  EXPECT_THAT(store.CreateBackup("backups", cancelled).status(), StatusIs(StatusCode::kUnimplemented));
  EXPECT_THAT(store.ListBackups("backups").status(), StatusIs(StatusCode::kUnimplemented));
  Store::ReadBody body = [](const ReadTransaction&) { return absl::OkStatus(); };
  TransactionOutcome outcome;
  Store::Done done = outcome.Done();
  EXPECT_TRUE(store.TryQuery(/*max_bytes=*/0, body, done));
  EXPECT_TRUE(outcome.settled());
}

}  // namespace
}  // namespace hapax
