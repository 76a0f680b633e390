#ifndef HAPAX_TESTS_STORAGE_STORE_FIXTURE_H_
#define HAPAX_TESTS_STORAGE_STORE_FIXTURE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/key.h"
#include "hapax/storage/store.h"
#include "hapax/tests/storage/store_engines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// What the tests of store.h share. Each of their suites runs on every engine of store_engines.h.
namespace hapax {

class StoreFixture : public testing::TestWithParam<StoreEngine> {
 protected:
  static constexpr Table kTable = Table::kResources;

  StoreFixture() { Open({}); }

  // As after a stop; `options` but for the path.
  void Open(StoreEngine::Options options) {
    store_ = nullptr;
    options.path = dir_.Path("data");
    auto store = GetParam().open(options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  static Store::Body PutBody(std::string key, std::string value) {
    return [key = std::move(key), value = std::move(value)](Transaction& txn) {
      txn.Put(kTable, key, value);
      return absl::OkStatus();
    };
  }
  // Adds `text` to the row's value.
  static Store::Body AppendBody(std::string key, std::string text) {
    return [key = std::move(key), text = std::move(text)](Transaction& txn) -> absl::Status {
      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, key));
      txn.Put(kTable, key, value.value_or("") + text);
      return absl::OkStatus();
    };
  }
  // Counts in the row "counter".
  static absl::Status Increment(Transaction& txn) {
    HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, "counter"));
    int count = 0;
    if (value.has_value() && !absl::SimpleAtoi(*value, &count)) return absl::DataLossError(*value);
    txn.Put(kTable, "counter", absl::StrCat(count + 1));
    return absl::OkStatus();
  }

  // "none" when there is no such row.
  static std::string Value(const ReadTransaction& txn, std::string_view key) {
    const auto value = txn.Get(kTable, key);
    EXPECT_THAT(value, IsOk());
    return value.ok() ? value->value_or("none") : "none";
  }
  // "key=value" of each row that is visited, `max_rows` at the most.
  static std::vector<std::string> Rows(const ReadTransaction& txn, const KeyRange& range, size_t max_rows = 100) {
    std::vector<std::string> rows;
    EXPECT_THAT(txn.Scan(kTable, range,
                         [&](std::string_view key, std::string_view value) {
                           rows.push_back(absl::StrCat(std::string(key), "=", std::string(value)));
                           return rows.size() < max_rows;
                         }),
                IsOk());
    return rows;
  }

  // What `read` makes of what is committed.
  template <typename Read>
  auto Queried(Read read) const {
    decltype(read(std::declval<const ReadTransaction&>())) result;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        result = read(txn);
                        return absl::OkStatus();
                      }),
                IsOk());
    return result;
  }
  std::string CommittedValue(std::string_view key) const {
    return Queried([&](const ReadTransaction& txn) { return Value(txn, key); });
  }
  std::vector<std::string> CommittedRows(const KeyRange& range = {}, size_t max_rows = 100) const {
    return Queried([&](const ReadTransaction& txn) { return Rows(txn, range, max_rows); });
  }

  // Calls it on as many threads at once, with the number of each.
  static void RunTogether(int threads, absl::FunctionRef<void(int number)> run) {
    std::vector<std::thread> running;
    running.reserve(threads);
    for (int i = 0; i < threads; ++i) running.emplace_back([run, i] { run(i); });
    for (std::thread& thread : running) thread.join();
  }

  const TempDir dir_;
  std::unique_ptr<Store> store_;
};

inline std::string EngineName(const testing::TestParamInfo<StoreEngine>& info) { return info.param.name; }

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_STORE_FIXTURE_H_
