#include "hapax/storage/service_table.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Names of which one begins with the other, and keys that could be taken for one's end and the other's begin.
const std::vector<std::string> kServices = {"a", "a.b", "a\xFF", ""};
const std::vector<std::string> kKeys = {"", std::string(1, '\0'), std::string("\0\1", 2), "a", "b", "\xFF", "\xFF\xFF"};

class ServiceTableTest : public testing::Test {
 protected:
  std::vector<std::string> Rows(const std::string& service, const KeyRange& range = {}) {
    std::vector<std::string> rows;
    EXPECT_THAT(QueryAs(service, *store_,
                        [&](const ReadTransaction& txn) {
                          return txn.Scan(Table::kResources, range, [&](std::string_view key, std::string_view value) {
                            rows.push_back(std::string(key) + "=" + std::string(value));
                            return true;
                          });
                        }),
                IsOk());
    return rows;
  }
  void Change(const std::string& service, const std::function<void(Transaction&)>& change) {
    ASSERT_THAT(ExecuteAs(service, *store_,
                          [&](Transaction& txn) {
                            change(txn);
                            return absl::OkStatus();
                          }),
                IsOk());
  }

  const TempDir dir_;
  const std::unique_ptr<Store> store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
};

TEST_F(ServiceTableTest, ServicesKeepTheSameKeysAndNeverMeet) {
  for (const std::string& service : kServices) {
    Change(service, [&](Transaction& txn) {
      for (const std::string& key : kKeys) txn.Put(Table::kResources, key, "of " + service);
    });
  }
  for (const std::string& service : kServices) {
    std::vector<std::string> expected;
    for (const std::string& key : kKeys) expected.push_back(key + "=of " + service);
    EXPECT_EQ(Rows(service), expected);
    Change(service, [&](Transaction& txn) {
      for (const std::string& key : kKeys) {
        EXPECT_EQ(*txn.Get(Table::kResources, key), "of " + service);
        txn.Delete(Table::kResources, key);
        EXPECT_EQ(*txn.Get(Table::kResources, key), std::nullopt);
      }
    });
    EXPECT_THAT(Rows(service), IsEmpty());
  }
}

TEST_F(ServiceTableTest, ARangeIsOfTheServicesOwnKeys) {
  for (const char* service : {"a", "b", "c"}) {
    Change(service, [&](Transaction& txn) {
      for (const char* key : {"k1", "k2", "l"}) txn.Put(Table::kResources, key, service);
    });
  }
  EXPECT_THAT(Rows("b", {.begin = "k2"}), ElementsAre("k2=b", "l=b"));
  EXPECT_THAT(Rows("b", {.begin = "", .end = "k2"}), ElementsAre("k1=b"));
  EXPECT_THAT(Rows("b", KeyRange::Prefix("k")), ElementsAre("k1=b", "k2=b"));
  EXPECT_THAT(Rows("b", KeyRange::After(KeyRange::Prefix("k"), "k1")), ElementsAre("k2=b"));
  EXPECT_THAT(Rows("b", {.begin = "m", .end = "l"}), IsEmpty());
}

constexpr Table kOtherTables[] = {Table::kMeta, Table::kTokens, Table::kWork, Table::kOperations};

TEST_F(ServiceTableTest, ToReachForAnotherTableLeavesNothing) {
  const std::vector<std::function<void(Transaction&, Table)>> faults = {
      [](Transaction& txn, Table table) { txn.Put(table, "row", "value"); },
      [](Transaction& txn, Table table) { txn.Delete(table, "row"); }};
  for (const Table table : kOtherTables) {
    for (const auto& fault : faults) {
      EXPECT_THAT(ExecuteAs("a", *store_,
                            [&](Transaction& txn) {
                              txn.Put(Table::kResources, "own", "value");
                              fault(txn, table);
                              return absl::OkStatus();
                            }),
                  StatusIs(absl::StatusCode::kInternal));
    }
  }
  EXPECT_THAT(Rows("a"), IsEmpty());
}

TEST_F(ServiceTableTest, OtherTablesCannotBeRead) {
  for (const Table table : kOtherTables) {
    EXPECT_THAT(QueryAs("a", *store_, [&](const ReadTransaction& txn) { return txn.Get(table, "row").status(); }),
                StatusIs(absl::StatusCode::kInternal));
    EXPECT_THAT(QueryAs("a", *store_,
                        [&](const ReadTransaction& txn) {
                          return txn.Scan(table, KeyRange(), [](std::string_view, std::string_view) { return true; });
                        }),
                StatusIs(absl::StatusCode::kInternal));
  }
}

TEST_F(ServiceTableTest, WhatAServiceCallsMayReachAllTables) {
  Change("a", [&](Transaction& txn) { AllTables(txn).Put(Table::kOperations, "row", "of a"); });
  EXPECT_THAT(QueryAs("b", *store_,
                      [&](const ReadTransaction& txn) {
                        EXPECT_EQ(*AllTables(txn).Get(Table::kOperations, "row"), "of a");
                        return absl::OkStatus();
                      }),
              IsOk());
}

class ThrownHooks final : public HookErrors {
 public:
  void OnHookError(std::string_view owner, const absl::Status& error) const override {
    errors_.push_back(std::string(owner) + ": " + std::string(error.message()));
  }
  [[nodiscard]] const std::vector<std::string>& errors() const { return errors_; }

 private:
  mutable std::vector<std::string> errors_;
};

TEST_F(ServiceTableTest, AHookThatThrowsEndsNothing) {
  const ThrownHooks thrown;
  int later_hooks = 0;
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        ServiceTransaction own(txn, "prefix", {.name = "mutation of X", .errors = &thrown});
                        own.Put(Table::kResources, "key", "value");
                        own.OnCommit([] { throw std::runtime_error("hook"); });
                        own.OnCommit([&] { ++later_hooks; });
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_EQ(later_hooks, 1);
  EXPECT_THAT(thrown.errors(), ElementsAre(testing::HasSubstr("mutation of X threw std::runtime_error: hook")));
}

TEST_F(ServiceTableTest, HooksRunOnceTheCommitIsDurable) {
  int hooks = 0;
  Change("a", [&](Transaction& txn) { txn.OnCommit([&] { ++hooks; }); });
  EXPECT_EQ(hooks, 1);
}

}  // namespace
}  // namespace hapax
