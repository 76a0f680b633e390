#include "hapax/storage/remote/store.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/tests/storage/remote/cluster_backend.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Several stores with their threads on one cluster. What store.h promises of each: tests/storage/store_*_test.cc.
namespace hapax {
namespace {

constexpr Table kTable = Table::kResources;

std::unique_ptr<RemoteStore> MakeStore(const std::shared_ptr<SharedCluster>& cluster, int number, int lost_percent) {
  return std::make_unique<RemoteStore>(
      std::make_unique<ClusterBackend>(cluster, lost_percent, /*seed=*/number),
      // Small groups, so that there are many commits whose answers may be lost.
      RemoteOptions{.slot = absl::StrCat("server ", number), .owner = absl::StrCat("owner ", number), .max_group = 4});
}

absl::Status Increment(Transaction& txn) {
  HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, "counter"));
  int count = 0;
  static_cast<void>(absl::SimpleAtoi(value.value_or("0"), &count));
  txn.Put(kTable, "counter", absl::StrCat(count + 1));
  return absl::OkStatus();
}

TEST(RemoteStoreTest, IncrementsOfSeveralServersAreEachCountedOnceThoughAnswersAreLost) {
  constexpr int kServers = 3;
  constexpr int kIncrements = 60;
  const auto cluster = std::make_shared<SharedCluster>();
  std::vector<std::unique_ptr<RemoteStore>> stores;
  for (int i = 0; i < kServers; ++i) stores.push_back(MakeStore(cluster, i, /*lost_percent=*/20));
  std::vector<std::thread> threads;
  for (const auto& store : stores) {
    threads.emplace_back([&] {
      std::vector<TransactionOutcome> outcomes(kIncrements);
      for (const TransactionOutcome& outcome : outcomes) store->Execute(Increment, outcome.Done());
      for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Query(*stores[0],
                    [&](const ReadTransaction& txn) -> absl::Status {
                      HAPAX_ASSIGN_OR_RETURN(const auto value, txn.Get(kTable, "counter"));
                      if (value == absl::StrCat(kServers * kIncrements)) return absl::OkStatus();
                      return absl::InternalError(value.value_or("none"));
                    }),
              IsOk());
  for (const auto& store : stores) EXPECT_THAT(store->status(), IsOk());
  EXPECT_GT(cluster->With([](SimCluster& c) { return c.raises(); }), kServers) << "some answers were lost";
}

TEST(RemoteStoreTest, ARowThatOneServerDeletesIsMissedByTheScanOfAnother) {
  const auto cluster = std::make_shared<SharedCluster>();
  const auto first = MakeStore(cluster, 1, 0);
  const auto second = MakeStore(cluster, 2, 0);
  // Each deletes its own row unless it is the last one.
  for (int round = 0; round < 50; ++round) {
    for (const char* key : {"row 1", "row 2"}) {
      ASSERT_THAT(Execute(*first,
                          [&](Transaction& txn) {
                            txn.Put(kTable, key, "");
                            return absl::OkStatus();
                          }),
                  IsOk());
    }
    const auto take = [](Store& store, const std::string& own) {
      EXPECT_THAT(Execute(store,
                          [&](Transaction& txn) -> absl::Status {
                            int rows = 0;
                            HAPAX_RETURN_IF_ERROR(txn.Scan(kTable, KeyRange::Prefix("row "),
                                                           [&](std::string_view, std::string_view) { return ++rows; }));
                            if (rows > 1) txn.Delete(kTable, own);
                            return absl::OkStatus();
                          }),
                  IsOk());
    };
    std::thread other([&] { take(*second, "row 2"); });
    take(*first, "row 1");
    other.join();
    int left = 0;
    ASSERT_THAT(Query(*second,
                      [&](const ReadTransaction& txn) {
                        left = 0;
                        return txn.Scan(kTable, KeyRange::Prefix("row "),
                                        [&](std::string_view, std::string_view) { return ++left > 0; });
                      }),
                IsOk());
    EXPECT_EQ(left, 1);
  }
}

}  // namespace
}  // namespace hapax
