#include "hapax/storage/rocksdb/transaction.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/overlay.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"
#include "rocksdb/snapshot.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;

using Rows = std::vector<std::pair<std::string, std::string>>;
using Model = std::map<std::string, std::string>;

constexpr Table kTable = Table::kResources;
const std::optional<std::string> kNone = std::nullopt;

// The rows of the range, at the most `limit` of them.
Rows Scan(const ReadTransaction& txn, const KeyRange& range, size_t limit = 1'000) {
  Rows rows;
  EXPECT_THAT(txn.Scan(kTable, range,
                       [&](std::string_view key, std::string_view value) {
                         rows.emplace_back(key, value);
                         return rows.size() < limit;
                       }),
              IsOk());
  return rows;
}

class RocksDbTransactionTest : public testing::Test {
 protected:
  RocksDbTransactionTest()
      : engine_(*RocksDbEngine::Open({.path = dir_.Path("data")})), database_(*engine_->Current()) {}

  // Makes `writes` durable: what lies below all layers.
  void Commit(const Overlay& writes) { ASSERT_THAT(database_->WriteDurably(writes), IsOk()); }
  void Commit(std::string key, Overlay::Value value) {
    Overlay writes;
    writes.Write(kTable, std::move(key), std::move(value));
    Commit(writes);
  }

  const TempDir dir_;
  const std::unique_ptr<RocksDbEngine> engine_;
  const std::shared_ptr<Database> database_;
};

TEST_F(RocksDbTransactionTest, ReadsTheNewestOfStagedLayersAndDatabase) {
  Overlay before;
  Overlay group;
  for (const char* key : {"a", "b", "c", "d"}) Commit(key, "database");
  for (const char* key : {"b", "c", "d"}) before.Write(kTable, key, "before");
  for (const char* key : {"c", "d"}) group.Write(kTable, key, "group");
  RocksDbTransaction txn(*database_, nullptr, {&group, &before});
  txn.Put(kTable, "d", "staged");
  EXPECT_THAT(txn.Get(kTable, "a"), IsOkAndHolds(Optional(std::string("database"))));
  EXPECT_THAT(txn.Get(kTable, "b"), IsOkAndHolds(Optional(std::string("before"))));
  EXPECT_THAT(txn.Get(kTable, "c"), IsOkAndHolds(Optional(std::string("group"))));
  EXPECT_THAT(txn.Get(kTable, "d"), IsOkAndHolds(Optional(std::string("staged"))));
  EXPECT_THAT(txn.Get(kTable, "e"), IsOkAndHolds(kNone));
  EXPECT_THAT(Scan(txn, KeyRange()),
              ElementsAre(Pair("a", "database"), Pair("b", "before"), Pair("c", "group"), Pair("d", "staged")));
}

TEST_F(RocksDbTransactionTest, ADeletedRowIsGoneThoughALowerLayerHasIt) {
  Overlay before;
  Overlay group;
  for (const char* key : {"a", "b", "c", "d"}) Commit(key, "database");
  before.Write(kTable, "a", kNone);
  before.Write(kTable, "b", "before");
  group.Write(kTable, "b", kNone);
  group.Write(kTable, "c", "group");
  RocksDbTransaction txn(*database_, nullptr, {&group, &before});
  txn.Delete(kTable, "c");
  for (const char* key : {"a", "b", "c"}) EXPECT_THAT(txn.Get(kTable, key), IsOkAndHolds(kNone)) << key;
  EXPECT_THAT(Scan(txn, KeyRange()), ElementsAre(Pair("d", "database")));
}

TEST_F(RocksDbTransactionTest, ARowThatIsWrittenAfterItWasDeletedIsThereAgain) {
  Overlay group;
  Commit("a", "database");
  group.Write(kTable, "a", kNone);
  RocksDbTransaction txn(*database_, nullptr, {&group});
  txn.Put(kTable, "a", "staged");
  EXPECT_THAT(txn.Get(kTable, "a"), IsOkAndHolds(Optional(std::string("staged"))));
  EXPECT_THAT(Scan(txn, KeyRange()), ElementsAre(Pair("a", "staged")));
}

TEST_F(RocksDbTransactionTest, StagedWritesStayInTheTransaction) {
  RocksDbTransaction txn(*database_, nullptr, {});
  txn.Put(kTable, "a", "staged");
  EXPECT_THAT(Scan(RocksDbTransaction(*database_, nullptr, {}), KeyRange()), IsEmpty());
}

TEST_F(RocksDbTransactionTest, ASnapshotHidesWhatIsCommittedLater) {
  Commit("a", "before");
  rocksdb::ManagedSnapshot snapshot(&database_->db());
  Commit("a", "after");
  Commit("b", "after");
  const RocksDbTransaction txn(*database_, snapshot.snapshot(), {});
  EXPECT_THAT(txn.Get(kTable, "a"), IsOkAndHolds(Optional(std::string("before"))));
  EXPECT_THAT(txn.Get(kTable, "b"), IsOkAndHolds(kNone));
  EXPECT_THAT(Scan(txn, KeyRange()), ElementsAre(Pair("a", "before")));
}

TEST_F(RocksDbTransactionTest, ScanStopsWhenTheVisitorHasEnough) {
  Commit("a", "database");
  Commit("c", "database");
  RocksDbTransaction txn(*database_, nullptr, {});
  txn.Put(kTable, "b", "staged");
  EXPECT_THAT(Scan(txn, KeyRange(), 2), ElementsAre(Pair("a", "database"), Pair("b", "staged")));
}

TEST_F(RocksDbTransactionTest, ScanOfARangeThatEndsBeforeItBeginsVisitsNothing) {
  for (const char* key : {"a", "m", "z"}) Commit(key, "database");
  RocksDbTransaction txn(*database_, nullptr, {});
  for (const char* key : {"a", "m", "z"}) txn.Put(kTable, key, "staged");
  EXPECT_THAT(Scan(txn, {.begin = "x", .end = "b"}), IsEmpty());
  EXPECT_THAT(Scan(txn, KeyRange::After(KeyRange::Prefix("a"), "x")), IsEmpty());
}

// A random state in four layers, and the same state in one map.
class LayeredState {
 public:
  explicit LayeredState(uint64_t seed) : random_(seed) {}

  size_t Below(size_t limit) { return random_() % limit; }
  std::string Key() {
    std::string key(1 + Below(2), '\0');
    for (char& c : key) c = "\x01gq\xFF"[Below(4)];
    return key;
  }
  KeyRange Range() {
    switch (Below(4)) {
      case 0:
        return KeyRange();
      case 1:
        return KeyRange::Prefix(Key());
      case 2:
        return KeyRange::After(KeyRange(), Key());
      default: {
        auto [begin, end] = std::minmax({Key(), Key()});
        return {.begin = begin, .end = end};
      }
    }
  }

  // Calls `write` some times, and notes in the model what it is given.
  template <typename Write>
  void WriteSome(Write write) {
    for (size_t i = Below(8); i > 0; --i) {
      const std::string key = Key();
      const Overlay::Value value = Below(3) == 0 ? kNone : Overlay::Value(std::to_string(random_()));
      write(key, value);
      if (value.has_value()) {
        model_[key] = *value;
      } else {
        model_.erase(key);
      }
    }
  }

  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] Rows Expected(const KeyRange& range, size_t limit) const {
    Rows rows;
    for (auto row = model_.lower_bound(range.begin); row != model_.end() && rows.size() < limit; ++row) {
      if (range.end.empty() || row->first < range.end) rows.emplace_back(*row);
    }
    return rows;
  }

 private:
  std::mt19937_64 random_;
  Model model_;
};

TEST_F(RocksDbTransactionTest, CountsTheBytesThatItReadsAndWrites) {
  Commit("durable", "1234");
  Overlay group;
  group.Write(kTable, "layered", "123");
  RocksDbTransaction txn(*database_, nullptr, {&group});
  EXPECT_EQ(txn.bytes(), 0);
  EXPECT_THAT(txn.Get(kTable, "durable"), IsOkAndHolds(Optional(std::string("1234"))));
  EXPECT_EQ(txn.bytes(), 11);
  EXPECT_THAT(txn.Get(kTable, "layered"), IsOkAndHolds(Optional(std::string("123"))));
  EXPECT_EQ(txn.bytes(), 21);
  EXPECT_THAT(txn.Get(kTable, "missing"), IsOkAndHolds(kNone));
  EXPECT_EQ(txn.bytes(), 28);
  EXPECT_EQ(Scan(txn, KeyRange()).size(), 2);
  EXPECT_EQ(txn.bytes(), 49);
  txn.Put(kTable, "key", "value");
  txn.Delete(kTable, "key");
  EXPECT_EQ(txn.bytes(), 60);
}

TEST_F(RocksDbTransactionTest, AgreesWithOneMapWhateverLiesInWhichLayer) {
  LayeredState state(TestSeed());
  for (int round = 0; round < 300; ++round) {
    Overlay database;
    Overlay before;
    Overlay group;
    state.WriteSome([&](std::string key, Overlay::Value value) { database.Write(kTable, key, value); });
    Commit(database);
    state.WriteSome([&](std::string key, Overlay::Value value) { before.Write(kTable, key, value); });
    state.WriteSome([&](std::string key, Overlay::Value value) { group.Write(kTable, key, value); });
    RocksDbTransaction txn(*database_, nullptr, {&group, &before});
    state.WriteSome([&](std::string key, Overlay::Value value) {
      value.has_value() ? txn.Put(kTable, key, *value) : txn.Delete(kTable, key);
    });

    for (int i = 0; i < 20; ++i) {
      const std::string key = state.Key();
      const auto row = state.model().find(key);
      const std::optional<std::string> expected = row == state.model().end() ? kNone : std::optional(row->second);
      ASSERT_THAT(txn.Get(kTable, key), IsOkAndHolds(expected)) << "round " << round << ", key " << key;
      const KeyRange range = state.Range();
      const size_t limit = 1 + state.Below(12);
      ASSERT_EQ(Scan(txn, range, limit), state.Expected(range, limit))
          << "round " << round << ", from " << testing::PrintToString(range.begin) << " to "
          << testing::PrintToString(range.end);
    }
    // The next round builds on what this one would have committed.
    group.Absorb(std::move(txn.writes()));
    before.Absorb(std::move(group));
    Commit(before);
  }
}

}  // namespace
}  // namespace hapax
