#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/storage/store_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/test_seed.h"

// What store.h promises, of transactions at random, of every engine.
namespace hapax {
namespace {

using absl::StatusCode;

// Rows by table and key.
using Model = std::map<std::pair<Table, std::string>, std::string>;

constexpr Table kTables[] = {Table::kResources, Table::kWork};

// Puts and deletes one after another, of few keys, so that they meet; the same ones each time that a body is run.
struct Write {
  Table table;
  std::string key;
  bool deletes;
  std::string value;
};

class Random {
 public:
  explicit Random(uint64_t seed) : random_(seed) {}

  size_t Below(size_t limit) { return random_() % limit; }
  std::string Key() {
    std::string key(1 + Below(2), '\0');
    for (char& c : key) c = std::string_view("\0aq\xff", 4)[Below(4)];
    return key;
  }
  KeyRange Range() {
    switch (Below(3)) {
      case 0:
        return KeyRange();
      case 1:
        return KeyRange::Prefix(Key());
      default:
        return {.begin = Key(), .end = Key()};  // Empty, at times.
    }
  }
  std::vector<Write> Writes() {
    std::vector<Write> writes(Below(8));
    for (Write& write : writes) {
      write = {.table = kTables[Below(2)], .key = Key(), .deletes = Below(3) == 0, .value = absl::StrCat(Below(1'000))};
      if (Below(8) == 0) write.value.clear();
    }
    return writes;
  }

 private:
  std::mt19937_64 random_;
};

void Apply(const std::vector<Write>& writes, Model& model) {
  for (const Write& write : writes) {
    if (write.deletes) {
      model.erase({write.table, write.key});
    } else {
      model[{write.table, write.key}] = write.value;
    }
  }
}

std::vector<std::string> Expected(const Model& model, Table table, const KeyRange& range, size_t max_rows) {
  std::vector<std::string> rows;
  for (const auto& [place, value] : model) {
    const std::string& key = place.second;
    const bool is_in = key >= range.begin && (range.end.empty() || key < range.end);
    if (place.first == table && is_in && rows.size() < max_rows) rows.push_back(absl::StrCat(key, "=", value));
  }
  return rows;
}

class StoreModelTest : public StoreFixture {
 protected:
  // Compares reads at random with the model; returns what differs. A body may run several times, with the same reads.
  static std::string Difference(uint64_t seed, const ReadTransaction& txn, const Model& model) {
    Random random(seed);
    for (const Table table : kTables) {
      const std::string key = random.Key();
      const auto row = model.find({table, key});
      const auto expected = row == model.end() ? std::nullopt : std::optional(row->second);
      if (Get(txn, table, key) != expected) return absl::StrCat("row ", testing::PrintToString(key));
      const KeyRange range = random.Range();
      const size_t max_rows = 1 + random.Below(12);
      std::vector<std::string> rows;
      EXPECT_THAT(txn.Scan(table, range,
                           [&](std::string_view row_key, std::string_view value) {
                             rows.push_back(std::string(row_key) + "=" + std::string(value));
                             return rows.size() < max_rows;
                           }),
                  IsOk());
      if (rows != Expected(model, table, range, max_rows)) {
        return absl::StrCat(testing::PrintToString(range.begin), " to ", testing::PrintToString(range.end));
      }
    }
    return "";
  }
  static std::optional<std::string> Get(const ReadTransaction& txn, Table table, const std::string& key) {
    auto value = txn.Get(table, key);
    EXPECT_THAT(value, IsOk());
    return value.ok() ? *std::move(value) : std::nullopt;
  }

  Random random_{TestSeed()};
};

INSTANTIATE_TEST_SUITE_P(Engines, StoreModelTest, testing::ValuesIn(kStoreEngines), EngineName);

TEST_P(StoreModelTest, AgreesWithOneMapWhateverIsDone) {
  Model model;
  for (int round = 0; round < 200 && !HasFailure(); ++round) {
    const std::vector<Write> writes = random_.Writes();
    const bool fails = random_.Below(4) == 0;
    Model changed = model;
    Apply(writes, changed);
    const size_t seed = random_.Below(1'000'000);
    std::string difference;
    const absl::Status status = Execute(*store_, [&](Transaction& txn) {
      difference = Difference(seed, txn, model);
      for (const Write& write : writes) {
        write.deletes ? txn.Delete(write.table, write.key) : txn.Put(write.table, write.key, write.value);
      }
      difference += Difference(seed + 1, txn, changed);
      return fails ? absl::NotFoundError("no") : absl::OkStatus();
    });
    EXPECT_EQ(status.code(), fails ? StatusCode::kNotFound : StatusCode::kOk);
    EXPECT_EQ(difference, "") << "in a body";
    if (!fails) model = std::move(changed);
    if (random_.Below(40) == 0) Open({});
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        difference = Difference(seed + 2, txn, model);
                        return absl::OkStatus();
                      }),
                IsOk());
    EXPECT_EQ(difference, "") << "in a query";
  }
}

}  // namespace
}  // namespace hapax
