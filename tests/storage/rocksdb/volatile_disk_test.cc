#include "hapax/tests/support/volatile_disk.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"
#include "rocksdb/db.h"

// What the crash tests rest on: that a power cut takes away what was not synced, and nothing else.
namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const rocksdb::IOOptions kOptions;

class VolatileDiskTest : public testing::Test {
 protected:
  VolatileDiskTest() { std::filesystem::create_directory(path_); }

  std::unique_ptr<rocksdb::FSWritableFile> Create(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(disk_.files()->NewWritableFile(path_ + "/" + name, {}, &file, nullptr).ok());
    return file;
  }
  bool Append(rocksdb::FSWritableFile& file, const std::string& bytes) {
    return file.Append(bytes, kOptions, nullptr).ok();
  }
  bool Sync(rocksdb::FSWritableFile& file) { return file.Sync(kOptions, nullptr).ok(); }
  bool SyncDirectory() {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    EXPECT_TRUE(disk_.files()->NewDirectory(path_, kOptions, &directory, nullptr).ok());
    return directory->FsyncWithDirOptions(kOptions, nullptr, rocksdb::DirFsyncOptions()).ok();
  }
  bool Rename(const std::string& from, const std::string& to) {
    return disk_.files()->RenameFile(path_ + "/" + from, path_ + "/" + to, kOptions, nullptr).ok();
  }
  bool Delete(const std::string& name) { return disk_.files()->DeleteFile(path_ + "/" + name, kOptions, nullptr).ok(); }
  // A file that is synced, bytes and name.
  void CreateDurably(const std::string& name, const std::string& bytes) {
    const auto file = Create(name);
    EXPECT_TRUE(Append(*file, bytes) && Sync(*file) && SyncDirectory());
  }

  // The directory's files.
  [[nodiscard]] std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      std::ostringstream bytes;
      bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      files[entry.path().filename().string()] = bytes.str();
    }
    return files;
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
  VolatileDisk disk_{path_};
};

TEST_F(VolatileDiskTest, BytesThatWereNotSyncedAreGone) {
  const auto file = Create("log");
  ASSERT_TRUE(Append(*file, "synced") && Sync(*file) && SyncDirectory() && Append(*file, "not"));
  EXPECT_THAT(Files(), ElementsAre(Pair("log", "syncednot")));
  disk_.CutPower();
  disk_.Reboot(nullptr);
  EXPECT_THAT(Files(), ElementsAre(Pair("log", "synced")));
}

TEST_F(VolatileDiskTest, AFileWhoseNameWasNotSyncedIsGoneThoughItsBytesWere) {
  const auto file = Create("log");
  ASSERT_TRUE(Append(*file, "synced") && Sync(*file));
  disk_.CutPower();
  disk_.Reboot(nullptr);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(VolatileDiskTest, ARenamingAndADeletionThatWereNotSyncedAreUndone) {
  CreateDurably("new", "2");
  CreateDurably("current", "1");
  CreateDurably("old", "3");
  ASSERT_TRUE(Rename("new", "current") && Delete("old"));
  EXPECT_THAT(Files(), ElementsAre(Pair("current", "2")));
  disk_.CutPower();
  disk_.Reboot(nullptr);
  EXPECT_THAT(Files(), UnorderedElementsAre(Pair("new", "2"), Pair("current", "1"), Pair("old", "3")));
}

TEST_F(VolatileDiskTest, WhatWasSyncedStaysThroughManyCuts) {
  CreateDurably("new", "2");
  ASSERT_TRUE(Rename("new", "current") && SyncDirectory());
  std::mt19937_64 random(TestSeed());
  for (int cut = 0; cut < 3; ++cut) {
    disk_.CutPower();
    disk_.Reboot(&random);
    EXPECT_THAT(Files(), ElementsAre(Pair("current", "2")));
  }
}

TEST_F(VolatileDiskTest, WhilePowerIsCutNothingChanges) {
  CreateDurably("there", "1");
  const auto file = Create("log");
  ASSERT_TRUE(Append(*file, "bytes"));
  disk_.CutPower();
  EXPECT_FALSE(Append(*file, "more"));
  EXPECT_FALSE(Sync(*file));
  EXPECT_FALSE(SyncDirectory());
  EXPECT_FALSE(Rename("there", "elsewhere"));
  EXPECT_FALSE(Delete("there"));
  std::unique_ptr<rocksdb::FSWritableFile> other;
  EXPECT_FALSE(disk_.files()->NewWritableFile(path_ + "/other", {}, &other, nullptr).ok());
  disk_.Reboot(nullptr);
  EXPECT_THAT(Files(), ElementsAre(Pair("there", "1")));
}

// What is left of an append of two bytes, a renaming and a new file: of each what POSIX allows, in every combination.
TEST_F(VolatileDiskTest, OfWhatWasNotSyncedAnyPartMayBeLeft) {
  const uint64_t seed = TestSeed();
  std::set<std::string> bytes;
  std::set<std::string> current;
  std::set<bool> created;
  for (uint64_t round = 0; round < 200; ++round) {
    SCOPED_TRACE(absl::StrCat("HAPAX_TEST_SEED=", seed, " round ", round));
    for (const auto& [name, content] : Files()) ASSERT_TRUE(Delete(name));
    CreateDurably("current", "1");
    CreateDurably("new", "2");
    CreateDurably("log", "a");
    {
      std::unique_ptr<rocksdb::FSWritableFile> reopened = Create("log2");
      ASSERT_TRUE(Append(*reopened, "a") && Sync(*reopened) && SyncDirectory() && Append(*reopened, "bc"));
    }
    ASSERT_TRUE(Rename("new", "current"));
    static_cast<void>(Create("another"));
    disk_.CutPower();
    std::mt19937_64 random(seed + round);
    disk_.Reboot(&random);
    std::map<std::string, std::string> files = Files();
    EXPECT_EQ(files["log"], "a");
    EXPECT_EQ(files["current"] == "1", files.contains("new")) << "a renaming is done as a whole, or not at all";
    bytes.insert(files["log2"]);
    current.insert(files["current"]);
    created.insert(files.contains("another"));
  }
  EXPECT_THAT(bytes, ElementsAre("a", "ab", "abc"));
  EXPECT_THAT(current, ElementsAre("1", "2"));
  EXPECT_THAT(created, ElementsAre(false, true));
}

// A row of RocksDB's is lost without a sync, and there with one.
TEST_F(VolatileDiskTest, ADatabaseLosesWhatItDidNotSync) {
  for (const bool sync : {false, true}) {
    SCOPED_TRACE(sync);
    const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(disk_.files());
    rocksdb::Options options;
    options.env = env.get();
    options.create_if_missing = true;
    rocksdb::WriteOptions write;
    write.sync = sync;
    const auto open = [&] {
      rocksdb::DB* opened = nullptr;
      EXPECT_TRUE(rocksdb::DB::Open(options, path_, &opened).ok());
      return std::unique_ptr<rocksdb::DB>(opened);
    };
    {
      const std::unique_ptr<rocksdb::DB> database = open();
      ASSERT_TRUE(database->Put(write, "key", "value").ok());
      disk_.CutPower();
    }
    disk_.Reboot(nullptr);
    const std::unique_ptr<rocksdb::DB> database = open();
    std::string value;
    EXPECT_EQ(database->Get({}, "key", &value).ok(), sync);
  }
}

}  // namespace
}  // namespace hapax
