#include "hapax/storage/rocksdb/engine.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/format.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

namespace fs = std::filesystem;

const std::vector<std::string> kFamilies = {"default", "tokens", "services", "work", "operations"};

// The rows of each of RocksDB's column families, read without our code.
using Contents = std::map<std::string, std::map<std::string, std::string>>;

void Check(const rocksdb::Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

// A data directory that something else made, or looks into.
class RawDatabase {
 public:
  RawDatabase(const std::string& path, const std::vector<std::string>& families) {
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.reserve(families.size());
    for (const std::string& family : families) descriptors.emplace_back(family, rocksdb::ColumnFamilyOptions());
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    rocksdb::DB* db = nullptr;
    Check(rocksdb::DB::Open(options, path, descriptors, &handles_, &db));
    db_.reset(db);
  }
  ~RawDatabase() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) Check(db_->DestroyColumnFamilyHandle(handle));
  }

  void Put(size_t family, const std::string& key, const std::string& value) {
    Check(db_->Put(rocksdb::WriteOptions(), handles_[family], key, value));
  }

  static Contents Read(const std::string& path) {
    std::vector<std::string> families;
    Check(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &families));
    RawDatabase database(path, families);
    Contents contents;
    for (size_t i = 0; i < families.size(); ++i) {
      auto& rows = contents[families[i]];
      const std::unique_ptr<rocksdb::Iterator> row(
          database.db_->NewIterator(rocksdb::ReadOptions(), database.handles_[i]));
      for (row->SeekToFirst(); row->Valid(); row->Next()) rows[row->key().ToString()] = row->value().ToString();
    }
    return contents;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

class RocksDbEngineTest : public testing::Test {
 protected:
  [[nodiscard]] absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open() const {
    return RocksDbEngine::Open({.path = path_});
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
};

TEST_F(RocksDbEngineTest, CreatesTheDirectoryAndThoseAboveIt) {
  const std::string path = dir_.Path("some/new/data");
  EXPECT_THAT(RocksDbEngine::Open({.path = path}), IsOk());
  EXPECT_TRUE(fs::is_directory(path));
}

TEST_F(RocksDbEngineTest, WritesOfEveryTableAreReadBackAlsoAfterReopening) {
  auto engine = *Open();
  Overlay writes;
  for (Table table : kAllTables) {
    writes.Write(table, "kept", std::string(TableName(table)));
    writes.Write(table, "deleted", "value");
  }
  ASSERT_THAT((*engine->Current())->WriteDurably(writes), IsOk());
  Overlay deletes;
  for (Table table : kAllTables) deletes.Write(table, "deleted", std::nullopt);
  ASSERT_THAT((*engine->Current())->WriteDurably(deletes), IsOk());
  for (int round = 0; round < 2; ++round) {
    for (Table table : kAllTables) {
      EXPECT_THAT((*engine->Current())->Get(table, "kept", nullptr),
                  IsOkAndHolds(Optional(std::string(TableName(table)))));
      EXPECT_THAT((*engine->Current())->Get(table, "deleted", nullptr), IsOkAndHolds(Eq(std::nullopt)));
    }
    engine.reset();
    engine = *Open();
  }
}

TEST_F(RocksDbEngineTest, ANewDirectoryHoldsTheFormatVersionAndTheTables) {
  ASSERT_THAT(Open(), IsOk());
  Contents contents = RawDatabase::Read(path_);
  EXPECT_EQ(contents["default"].extract("log_id").mapped().size(), 16u);
  EXPECT_EQ(
      contents,
      (Contents{{"default", {{"format", "2"}}}, {"tokens", {}}, {"services", {}}, {"work", {}}, {"operations", {}}}));
}

TEST_F(RocksDbEngineTest, ANewerFormatIsRefusedAndItsRowsAreLeftAsTheyWere) {
  ASSERT_THAT(Open(), IsOk());
  RawDatabase(path_, kFamilies).Put(0, "format", "3");
  const Contents before = RawDatabase::Read(path_);
  EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("format version 3")));
  EXPECT_EQ(RawDatabase::Read(path_), before);
}

TEST_F(RocksDbEngineTest, ANewerFormatWithOneMoreTableIsRefusedAndItsRowsAreLeftAsTheyWere) {
  ASSERT_THAT(Open(), IsOk());
  std::vector<std::string> families = kFamilies;
  families.emplace_back("leases");
  RawDatabase(path_, families).Put(0, "format", "3");
  const Contents before = RawDatabase::Read(path_);
  EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(RawDatabase::Read(path_), before);
}

TEST_F(RocksDbEngineTest, ANewerFormatWithoutOneOfTheTablesIsRefusedAndDoesNotGetIt) {
  RawDatabase(path_, {"default", "services", "tokens"}).Put(0, "format", "3");
  const Contents before = RawDatabase::Read(path_);
  EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(RawDatabase::Read(path_), before);
}

TEST_F(RocksDbEngineTest, TheDatabaseOfAnotherProgramIsRefusedAndLeftAsItWas) {
  RawDatabase(path_, {"default"}).Put(0, "some key", "some value");
  const Contents before = RawDatabase::Read(path_);
  EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(RawDatabase::Read(path_), before);
}

TEST_F(RocksDbEngineTest, AFormatThatIsNoNumberIsDataLoss) {
  ASSERT_THAT(Open(), IsOk());
  RawDatabase(path_, kFamilies).Put(0, "format", "one");
  EXPECT_THAT(Open(), StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hapax
