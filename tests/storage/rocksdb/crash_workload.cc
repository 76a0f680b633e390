#include "hapax/tests/storage/rocksdb/crash_workload.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

namespace hapax {
namespace {

constexpr std::string_view kCounterKey = "counter";

std::string KeyOf(uint64_t number) { return KeyBuilder().Uint64(number).Build(); }

// Of various lengths, up to some blocks of the log.
std::string ValueOf(uint64_t number) {
  constexpr size_t kLargestBytes = 2'000;
  return absl::StrCat(number, std::string(number * 37 % kLargestBytes, 'v'));
}

absl::StatusOr<uint64_t> ReadCounter(const ReadTransaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const std::optional<std::string> value, txn.Get(Table::kResources, kCounterKey));
  uint64_t counter = 0;
  if (value.has_value() && !absl::SimpleAtoi(*value, &counter)) return absl::DataLossError(*value);
  return counter;
}

absl::Status PutTransaction(Transaction& txn, uint64_t number) {
  HAPAX_ASSIGN_OR_RETURN(const uint64_t counter, ReadCounter(txn));
  txn.Put(Table::kResources, std::string(kCounterKey), absl::StrCat(counter + 1));
  txn.Put(Table::kTokens, KeyOf(number), ValueOf(number));
  txn.Put(Table::kWork, KeyOf(number), ValueOf(number));
  return absl::OkStatus();
}

// Keeps `in_flight_count` transactions going: the end of one begins the next.
class Runner {
 public:
  Runner(Store& store, const CrashWorkload& workload)
      : store_(store), end_(workload.first + workload.count), next_(workload.first), left_(workload.count) {
    for (int i = 0; i < workload.in_flight_count; ++i) StartNext();
  }

  void Wait() { finished_.WaitForNotification(); }

 private:
  void StartNext() {
    const uint64_t number = next_++;
    if (number >= end_) return;
    store_.Execute([number](Transaction& txn) { return PutTransaction(txn, number); },
                   [this, number](const absl::Status& status) {
                     if (!status.ok()) Fail(status);
                     if (::write(STDOUT_FILENO, &number, sizeof(number)) != sizeof(number)) std::_Exit(1);
                     StartNext();
                     if (--left_ == 0) finished_.Notify();
                   });
  }

  [[noreturn]] static void Fail(const absl::Status& status) {
    std::fprintf(stderr, "a transaction of the crash workload failed: %s\n", status.ToString().c_str());
    std::_Exit(1);
  }

  Store& store_;
  const uint64_t end_;
  std::atomic<uint64_t> next_;
  std::atomic<uint64_t> left_;
  absl::Notification finished_;
};

}  // namespace

void Run(const CrashWorkload& workload) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenRocksDbStore({.path = workload.path});
  if (!store.ok()) {
    std::fprintf(stderr, "the crash workload cannot open its store: %s\n", store.status().ToString().c_str());
    std::_Exit(1);
  }
  Runner runner(**store, workload);
  runner.Wait();
}

std::set<uint64_t> ReadTransactions(const std::string& path) {
  const absl::StatusOr<std::unique_ptr<Store>> store = OpenRocksDbStore({.path = path});
  EXPECT_THAT(store, IsOk());
  if (!store.ok()) return {};
  std::set<uint64_t> tokens;
  std::set<uint64_t> works;
  const auto read = [](const ReadTransaction& txn, Table table, std::set<uint64_t>& numbers) {
    return txn.Scan(table, KeyRange(), [&](std::string_view key, std::string_view value) {
      const absl::StatusOr<uint64_t> number = KeyParser(key).Uint64();
      EXPECT_THAT(number, IsOk());
      EXPECT_EQ(value, ValueOf(number.value_or(0)));
      numbers.insert(number.value_or(0));
      return true;
    });
  };
  EXPECT_THAT(Query(**store,
                    [&](const ReadTransaction& txn) -> absl::Status {
                      HAPAX_RETURN_IF_ERROR(read(txn, Table::kTokens, tokens));
                      HAPAX_RETURN_IF_ERROR(read(txn, Table::kWork, works));
                      HAPAX_ASSIGN_OR_RETURN(const uint64_t counter, ReadCounter(txn));
                      EXPECT_EQ(counter, tokens.size());
                      return absl::OkStatus();
                    }),
              IsOk());
  EXPECT_EQ(tokens, works);
  return tokens;
}

}  // namespace hapax
