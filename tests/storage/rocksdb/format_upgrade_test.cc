#include "hapax/storage/rocksdb/format_upgrade.h"

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/format.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/storage/service_table.h"
#include "hapax/tests/support/faulty_file_system.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/volatile_disk.h"
#include "rocksdb/db.h"

// A data directory of format version 1, opened by this version.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

using Rows = std::map<std::string, std::string>;

constexpr char kService[] = "a.v1.Service";

std::string OperationKey(const std::string& id) {
  return KeyBuilder().String("operation").String("tenant").String(id).Build();
}
std::string InstanceKey(int number) { return KeyBuilder().String("i").String(absl::StrCat(number)).Build(); }

// A row's bytes are moved as they are, damaged ones too; so any will do.
Rows ResourcesOf(int instances) {
  Rows rows = {{OperationKey("op-1"), "first"}, {OperationKey("op-2"), "second"}, {"raw", "value"}, {"\xFF", "last"}};
  for (int i = 0; i < instances; ++i) rows[InstanceKey(i)] = absl::StrCat("instance ", i);
  return rows;
}

// What version 2 makes of them, by table.
std::map<Table, Rows> Upgraded(const Rows& resources) {
  std::map<Table, Rows> tables = {{Table::kTokens, {{"token", "record"}}}, {Table::kWork, {{"work", "open"}}}};
  for (const auto& [key, value] : resources) {
    const bool is_operation = key.starts_with(KeyBuilder().String("operation").Build());
    tables[is_operation ? Table::kOperations : Table::kResources]
          [is_operation ? key : ServiceTablePrefix(kService) + key] = value;
  }
  return tables;
}

// Version 1's tables, written without our code.
class OldDatabase {
 public:
  explicit OldDatabase(const std::string& path, rocksdb::Env* env = rocksdb::Env::Default()) {
    rocksdb::Options options;
    options.env = env;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "tokens", "resources", "work"}) families.emplace_back(name, options);
    rocksdb::DB* opened = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, path, families, &handles_, &opened).ok());
    db_.reset(opened);
  }
  ~OldDatabase() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) EXPECT_TRUE(db_->DestroyColumnFamilyHandle(handle).ok());
  }
  OldDatabase(const OldDatabase&) = delete;
  OldDatabase& operator=(const OldDatabase&) = delete;

  // Some of it in tables, some in the log.
  void Fill(const Rows& resources) {
    Put(0, "format", "1");
    Put(1, "token", "record");
    Put(3, "work", "open");
    for (const auto& [key, value] : resources) Put(2, key, value);
    EXPECT_TRUE(db_->Flush(rocksdb::FlushOptions(), handles_[2]).ok());
    Put(2, resources.begin()->first, resources.begin()->second);
  }

 private:
  void Put(int family, const std::string& key, const std::string& value) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    EXPECT_TRUE(db_->Put(synced, handles_[family], key, value).ok());
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

class FormatUpgradeTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open(const std::string& service = kService) const {
    return RocksDbEngine::Open({.path = path_, .format_1_service = service});
  }

  static std::map<Table, Rows> RowsOf(const RocksDbEngine& engine) {
    std::map<Table, Rows> tables;
    const auto database = engine.Current();
    for (const Table table : kAllTables) {
      if (table == Table::kMeta) continue;
      const auto row = (*database)->NewIterator(table, nullptr);
      for (row->SeekToFirst(); row->Valid(); row->Next()) {
        tables[table][row->key().ToString()] = row->value().ToString();
      }
      EXPECT_TRUE(row->status().ok());
    }
    return tables;
  }

  std::vector<std::string> Families() const {
    std::vector<std::string> names;
    EXPECT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path_, &names).ok());
    return names;
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
};

TEST_F(FormatUpgradeTest, RowsMoveToTheTablesOfTheirServiceAndOfOperations) {
  const Rows resources = ResourcesOf(10);
  OldDatabase(path_).Fill(resources);
  for (int round = 0; round < 2; ++round) {
    const auto engine = Open();
    ASSERT_THAT(engine, IsOk());
    EXPECT_EQ(RowsOf(**engine), Upgraded(resources));
  }
  EXPECT_THAT(Families(), testing::UnorderedElementsAre("default", "tokens", "services", "work", "operations"));
}

TEST_F(FormatUpgradeTest, MoreRowsThanABatchTakesAreAllMoved) {
  Rows resources = ResourcesOf(0);
  for (int i = 0; i < 50; ++i) resources[InstanceKey(i)] = std::string(100'000, static_cast<char>('a' + i % 26));
  OldDatabase(path_).Fill(resources);
  const auto engine = Open();
  ASSERT_THAT(engine, IsOk());
  EXPECT_EQ(RowsOf(**engine), Upgraded(resources));
}

TEST_F(FormatUpgradeTest, WithoutTheServicesNameItIsRefusedAndStaysAsItWas) {
  OldDatabase(path_).Fill(ResourcesOf(1));
  EXPECT_THAT(Open(""), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("format_1_service")));
  EXPECT_THAT(Families(), testing::UnorderedElementsAre("default", "tokens", "resources", "work"));
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(FormatUpgradeTest, OperationsAloneNeedNoName) {
  OldDatabase(path_).Fill({{OperationKey("op-1"), "first"}});
  const auto engine = Open("");
  ASSERT_THAT(engine, IsOk());
  EXPECT_EQ(RowsOf(**engine), Upgraded({{OperationKey("op-1"), "first"}}));
}

// The power is cut before each operation on the disk in turn, with some of what was not synced kept: the next start
// goes on, and nothing is lost or there twice.
TEST_F(FormatUpgradeTest, C14_ItMayBeCutShortAnywhere) {
  Rows resources = ResourcesOf(3);
  // Two batches and more.
  for (int i = 0; i < 3; ++i) resources[InstanceKey(i)] = std::string(700'000, static_cast<char>('a' + i));
  bool was_cut = true;
  int points = 0;
  for (; was_cut && !HasFailure(); points += 2) {
    SCOPED_TRACE(points);
    was_cut = false;
    const TempDir dir;
    const std::string path = dir.Path("data");
    VolatileDisk disk(path);
    FaultyFileSystem files(disk.files());
    std::filesystem::create_directory(path);
    OldDatabase(path, files.env()).Fill(resources);
    const auto open = [&] {
      return RocksDbEngine::Open({.path = path, .format_1_service = kService, .env = files.env()});
    };
    int operations = 0;
    files.SetHook([&](FileOperation operation, std::string_view /*path*/) {
      if (was_cut) return rocksdb::IOStatus::IOError("cut");
      if (operation == FileOperation::kRead || operations++ != points) return rocksdb::IOStatus::OK();
      was_cut = true;
      disk.CutPower();
      return rocksdb::IOStatus::IOError("cut");
    });
    const bool is_open = open().ok();
    files.Work();
    if (was_cut) {
      std::mt19937_64 random(static_cast<uint64_t>(points));
      disk.Reboot(points % 4 == 0 ? nullptr : &random);
    } else {
      EXPECT_TRUE(is_open);
    }
    const auto engine = open();
    ASSERT_THAT(engine, IsOk());
    EXPECT_EQ(RowsOf(**engine), Upgraded(resources));
  }
  EXPECT_GT(points, 20);
}

}  // namespace
}  // namespace hapax
