#include "hapax/storage/service_table.h"

#include <functional>
#include <memory>
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

TEST_F(ServiceTableTest, OtherTablesAreShared) {
  for (const Table table : {Table::kMeta, Table::kTokens, Table::kWork, Table::kOperations}) {
    Change("a", [&](Transaction& txn) { txn.Put(table, "row", "of a"); });
    Change("b", [&](Transaction& txn) {
      EXPECT_EQ(*txn.Get(table, "row"), "of a");
      txn.Delete(table, "row");
    });
    Change("a", [&](Transaction& txn) { EXPECT_EQ(*txn.Get(table, "row"), std::nullopt); });
  }
}

TEST_F(ServiceTableTest, HooksRunOnceTheCommitIsDurable) {
  int hooks = 0;
  Change("a", [&](Transaction& txn) { txn.OnCommit([&] { ++hooks; }); });
  EXPECT_EQ(hooks, 1);
}

}  // namespace
}  // namespace hapax
