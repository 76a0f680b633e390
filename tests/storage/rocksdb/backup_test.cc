#include "hapax/storage/rocksdb/backup.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

class BackupTest : public testing::Test {
 protected:
  static std::unique_ptr<Store> Open(const std::string& path) { return *OpenRocksDbStore({.path = path}); }
  static void Put(Store& store, const std::string& key) {
    EXPECT_THAT(Execute(store,
                        [&](Transaction& txn) {
                          txn.Put(Table::kTokens, key, "value of " + key);
                          return absl::OkStatus();
                        }),
                IsOk());
  }
  static std::set<std::string> Keys(const std::string& path) {
    std::set<std::string> keys;
    EXPECT_THAT(Query(*Open(path),
                      [&](const ReadTransaction& txn) {
                        return txn.Scan(Table::kTokens, KeyRange(), [&](std::string_view key, std::string_view) {
                          keys.emplace(key);
                          return true;
                        });
                      }),
                IsOk());
    return keys;
  }
  Backup Create(Store& store) const {
    const std::atomic<bool> cancelled = false;
    const auto backup = store.CreateBackup(backup_dir_, cancelled);
    EXPECT_THAT(backup, IsOk());
    return backup.value_or(Backup());
  }
  absl::Status Restore(std::optional<uint32_t> id = std::nullopt) const {
    return RestoreBackup(backup_dir_, restored_, id).status();
  }
  // The backups' files whose path has this in it.
  [[nodiscard]] std::set<fs::path> Files(const std::string& part) const {
    std::set<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(backup_dir_)) {
      if (entry.is_regular_file() && absl::StrCat(entry.path().string()).find(part) != std::string::npos) {
        files.insert(entry.path());
      }
    }
    return files;
  }

  const TempDir dir_;
  const std::string data_dir_ = dir_.Path("data");
  const std::string backup_dir_ = dir_.Path("backups");
  const std::string restored_ = dir_.Path("restored");
};

TEST_F(BackupTest, HasWhatWasAcknowledgedBeforeItAndNothingAfterIt) {
  const auto store = Open(data_dir_);
  Put(*store, "compacted");
  ASSERT_THAT(store->Compact(), IsOk());
  Put(*store, "in the log");
  const Backup backup = Create(*store);
  Put(*store, "later");
  EXPECT_THAT(Restore(), IsOk());
  EXPECT_THAT(Keys(restored_), ElementsAre("compacted", "in the log"));
  EXPECT_GT(backup.size_bytes, 0u);
}

TEST_F(BackupTest, EachCanBeRestoredAndTheyShareTheTablesThatDidNotChange) {
  const auto store = Open(data_dir_);
  Put(*store, "1");
  ASSERT_THAT(store->Compact(), IsOk());
  const Backup first = Create(*store);
  const size_t tables = Files(".sst").size();
  Put(*store, "2");
  const Backup second = Create(*store);
  EXPECT_EQ(Files(".sst").size(), tables);
  EXPECT_THAT(Restore(first.id), IsOk());
  EXPECT_THAT(Keys(restored_), ElementsAre("1"));
  fs::remove_all(restored_);
  EXPECT_THAT(Restore(second.id), IsOk());
  EXPECT_THAT(Keys(restored_), ElementsAre("1", "2"));
  const auto list = ListBackups(backup_dir_);
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->backups.size(), 2u);
  EXPECT_EQ(list->backups[0].id, first.id);
  EXPECT_EQ(list->backups[1].id, second.id);
  EXPECT_THAT(list->damaged_ids, IsEmpty());
}

TEST_F(BackupTest, ARestoredDirectoryIsBackedUpAgain) {
  Create(*Open(data_dir_));
  ASSERT_THAT(Restore(), IsOk());
  const auto store = Open(restored_);
  Put(*store, "after");
  EXPECT_EQ(Create(*store).id, 2u);
}

TEST_F(BackupTest, ADirectoryThatHasSomethingInItIsNotRestoredInto) {
  const auto store = Open(data_dir_);
  Create(*store);
  fs::create_directory(restored_);
  std::ofstream(restored_ + "/file") << "kept";
  EXPECT_THAT(Restore(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("not empty")));
  EXPECT_THAT(RestoreBackup(backup_dir_, data_dir_, std::nullopt).status(),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("in use")));
  EXPECT_TRUE(fs::exists(restored_ + "/file"));
  fs::remove(restored_ + "/file");
  EXPECT_THAT(Restore(), IsOk());
}

// An earlier restore's, or something that happens to have this name: nothing is deleted unasked.
TEST_F(BackupTest, ADirectoryThatSeemsUnfinishedIsKeptUnlessItIsToBeRemoved) {
  const auto store = Open(data_dir_);
  Put(*store, "key");
  Create(*store);
  const std::string unfinished = restored_ + ".restoring";
  fs::create_directory(unfinished);
  std::ofstream(unfinished + "/file") << "kept";
  for (const std::string& data_dir : {restored_, restored_ + "/"}) {
    EXPECT_THAT(
        RestoreBackup(backup_dir_, data_dir, std::nullopt).status(),
        StatusIs(StatusCode::kFailedPrecondition, AllOf(HasSubstr(unfinished), HasSubstr("--remove-unfinished"))));
    EXPECT_TRUE(fs::exists(unfinished + "/file"));
  }
  EXPECT_THAT(RestoreBackup(backup_dir_, restored_, std::nullopt, Unfinished::kRemove), IsOk());
  EXPECT_FALSE(fs::exists(unfinished));
  EXPECT_THAT(Keys(restored_), ElementsAre("key"));
}

TEST_F(BackupTest, AFileOrALinkInPlaceOfTheUnfinishedDirectoryIsKeptToo) {
  Create(*Open(data_dir_));
  const std::string unfinished = restored_ + ".restoring";
  std::ofstream(unfinished) << "kept";
  EXPECT_THAT(Restore(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(fs::file_size(unfinished), 4u);
  fs::remove(unfinished);
  fs::create_directory(dir_.Path("elsewhere"));
  fs::create_directory_symlink(dir_.Path("elsewhere"), unfinished);
  EXPECT_THAT(Restore(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_TRUE(fs::is_symlink(unfinished));
  EXPECT_THAT(RestoreBackup(backup_dir_, restored_, std::nullopt, Unfinished::kRemove), IsOk());
  EXPECT_TRUE(fs::is_empty(dir_.Path("elsewhere")));
}

TEST_F(BackupTest, ABackupThatIsNotThereIsNotFound) {
  EXPECT_THAT(Restore(), StatusIs(StatusCode::kNotFound));
  Create(*Open(data_dir_));
  EXPECT_THAT(Restore(7), StatusIs(StatusCode::kNotFound, HasSubstr("no backup 7")));
  EXPECT_FALSE(fs::exists(restored_));
}

// Whichever file, and whichever byte of it: at the latest what is restored is found out to be damaged.
TEST_F(BackupTest, ADamagedBackupIsNotRestored) {
  const auto store = Open(data_dir_);
  Put(*store, "key");
  ASSERT_THAT(store->Compact(), IsOk());
  Put(*store, "in the log");
  Create(*store);
  for (const fs::path& file : Files("/")) {
    if (fs::file_size(file) == 0 || file.string().find("/meta/") != std::string::npos) continue;
    SCOPED_TRACE(file);
    const fs::path sound = dir_.Path("sound");
    fs::copy_file(file, sound);
    {
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      const auto at = static_cast<std::streamoff>(fs::file_size(file) / 2);
      bytes.seekg(at);
      const char flipped = static_cast<char>(bytes.get() ^ 1);
      bytes.seekp(at);
      bytes.put(flipped);
    }
    EXPECT_THAT(Restore(), StatusIs(StatusCode::kDataLoss, HasSubstr("is damaged")));
    fs::resize_file(file, fs::file_size(file) - 1);
    EXPECT_THAT(Restore(), StatusIs(StatusCode::kDataLoss, HasSubstr("is damaged")));
    fs::remove(file);
    EXPECT_THAT(Restore(), StatusIs(StatusCode::kDataLoss, HasSubstr("is damaged")));
    const auto list = ListBackups(backup_dir_);
    ASSERT_THAT(list, IsOk());
    EXPECT_THAT(list->damaged_ids, ElementsAre(1u));
    EXPECT_FALSE(fs::exists(restored_));
    fs::rename(sound, file);
  }
  EXPECT_THAT(Restore(), IsOk());
}

TEST_F(BackupTest, ADirectoryThatCannotBeCreatedIsPermissionDenied) {
  const auto store = Open(data_dir_);
  std::ofstream(dir_.Path("file")) << "not a directory";
  const std::atomic<bool> cancelled = false;
  EXPECT_THAT(store->CreateBackup(dir_.Path("file/backups"), cancelled).status(),
              StatusIs(StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace hapax
