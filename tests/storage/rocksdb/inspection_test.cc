#include "hapax/storage/rocksdb/inspection.h"

#include <filesystem>
#include <fstream>
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

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

class InspectionTest : public testing::Test {
 protected:
  std::unique_ptr<Store> OpenStore() const { return *OpenRocksDbStore({.path = path_}); }
  void Fill() const {
    const auto store = OpenStore();
    ASSERT_THAT(Execute(*store,
                        [](Transaction& txn) {
                          for (const char* key : {"a", "b", "c"}) txn.Put(Table::kTokens, key, "value");
                          txn.Put(Table::kWork, "a", "other");
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  static std::vector<std::string> Keys(const Inspection& inspection, Table table) {
    std::vector<std::string> keys;
    EXPECT_THAT(inspection.Scan(table, KeyRange(),
                                [&](std::string_view key, std::string_view /*value*/) {
                                  keys.emplace_back(key);
                                  return true;
                                }),
                IsOk());
    return keys;
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
};

TEST_F(InspectionTest, OneRowIsDroppedAndTheOthersStay) {
  Fill();
  {
    const auto inspection = Inspection::Open(path_);
    ASSERT_THAT(inspection, IsOk());
    EXPECT_THAT(Keys(**inspection, Table::kTokens), ElementsAre("a", "b", "c"));
    ASSERT_THAT((*inspection)->Drop(Table::kTokens, "b"), IsOk());
  }
  EXPECT_THAT(Query(*OpenStore(),
                    [](const ReadTransaction& txn) {
                      EXPECT_EQ(*txn.Get(Table::kTokens, "a"), "value");
                      EXPECT_EQ(*txn.Get(Table::kTokens, "b"), std::nullopt);
                      EXPECT_EQ(*txn.Get(Table::kTokens, "c"), "value");
                      EXPECT_EQ(*txn.Get(Table::kWork, "a"), "other");
                      return absl::OkStatus();
                    }),
              IsOk());
}

TEST_F(InspectionTest, ADirectoryThatAServerHasOpenIsRefusedAndTheOtherWayRound) {
  Fill();
  {
    const auto store = OpenStore();
    EXPECT_THAT(Inspection::Open(path_), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("in use")));
  }
  const auto inspection = Inspection::Open(path_);
  ASSERT_THAT(inspection, IsOk());
  EXPECT_THAT(OpenRocksDbStore({.path = path_}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("in use")));
}

TEST_F(InspectionTest, WhatIsNoDataDirectoryIsRefusedAndNothingIsMadeOfIt) {
  EXPECT_THAT(Inspection::Open(path_), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_FALSE(std::filesystem::exists(path_));
  std::filesystem::create_directory(path_);
  std::ofstream(path_ + "/file") << "of somebody";
  EXPECT_THAT(Inspection::Open(path_), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 1);
}

}  // namespace
}  // namespace hapax
