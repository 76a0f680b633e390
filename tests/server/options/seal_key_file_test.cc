#include "hapax/server/options/seal_key_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/token.pb.h"
#include "hapax/tests/support/files.h"
#include "hapax/tests/support/later_field.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string KeyLine(const std::string& id, char digit) { return id + " " + std::string(64, digit) + "\n"; }

class LoadSealKeysTest : public testing::Test {
 protected:
  LoadSealKeysTest() : store_(OpenRocksDbStore({.path = dir_.Path("data")}).value()) {}

  absl::StatusOr<LoadedSealKeys> Load() { return LoadSealKeys(path_, MissingSealKeys::kCreated, *store_); }
  void Write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::trunc) << text;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  mode_t Mode() {
    struct stat status {};
    EXPECT_EQ(stat(path_.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  void RestartStore() {
    store_.reset();
    store_ = OpenRocksDbStore({.path = dir_.Path("data")}).value();
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("seal_keys");
  std::unique_ptr<Store> store_;
};

TEST_F(LoadSealKeysTest, C25_TheFirstStartMakesAFileThatOnlyItsOwnerReads) {
  const mode_t before = umask(0);
  const auto loaded = Load();
  umask(before);
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(Mode(), 0600);
  EXPECT_EQ(loaded->keys.keys().size(), 1);
  EXPECT_THAT(loaded->missing_ids, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(LoadSealKeysTest, C25_LaterStartsReadItAndLeaveItAsItIs) {
  const auto first = Load();
  ASSERT_THAT(first, IsOk());
  const auto sealed = first->keys.Seal("reply", "context");
  const std::string content = ContentOf(path_);
  RestartStore();
  const auto second = Load();
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(ContentOf(path_), content);
  EXPECT_THAT(second->keys.Unseal(sealed, "context"), IsOkAndHolds("reply"));
}

TEST_F(LoadSealKeysTest, AFileThatIsThereIsTaken) {
  Write(KeyLine("mine", '1'));
  const auto loaded = Load();
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(loaded->keys.keys().front().id, "mine");
}

TEST_F(LoadSealKeysTest, C25_AFileThatOthersMayReadOrWriteIsRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0666}) {
    Write(KeyLine("mine", '1'), mode);
    EXPECT_THAT(Load(), StatusIs(StatusCode::kPermissionDenied, HasSubstr("chmod 600"))) << std::oct << mode;
  }
  Write(KeyLine("mine", '1'), 0400);
  EXPECT_THAT(Load(), IsOk());
}

TEST_F(LoadSealKeysTest, WhatIsNoKeyFileIsRefusedWithItsLine) {
  Write("# keys\nmine 123\n");
  EXPECT_THAT(Load(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("line 2")));
  Write("");
  EXPECT_THAT(Load(), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(LoadSealKeysTest, WhatIsNoRegularFileIsRefusedAndDoesNotHoldUpTheStart) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Load(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("no regular file")));
}

TEST_F(LoadSealKeysTest, AFileThatAppearsMeanwhileIsNotReplaced) {
  ASSERT_EQ(symlink("elsewhere", path_.c_str()), 0);  // There is nothing at the other end.
  EXPECT_THAT(Load(), StatusIs(StatusCode::kPermissionDenied, HasSubstr("cannot be created")));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(LoadSealKeysTest, WhatStandsAtTheUnfinishedFilesNameIsNotWrittenThrough) {
  const std::string other = dir_.Path("other");
  std::ofstream(other) << "other";
  ASSERT_EQ(symlink(other.c_str(), (path_ + ".new").c_str()), 0);
  EXPECT_THAT(Load(), IsOk());
  EXPECT_EQ(ContentOf(other), "other");
}

TEST_F(LoadSealKeysTest, AFileThatCannotBeMadeIsRefused) {
  EXPECT_THAT(LoadSealKeys(dir_.Path("nowhere/seal_keys"), MissingSealKeys::kCreated, *store_),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("cannot be created")));
  ASSERT_TRUE(std::filesystem::create_directory(path_));
  ASSERT_EQ(chmod(path_.c_str(), 0700), 0);
  EXPECT_THAT(Load(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("no regular file")));
}

TEST_F(LoadSealKeysTest, OfSeveralServersNoneMakesAFileOfItsOwn) {
  EXPECT_THAT(LoadSealKeys(path_, MissingSealKeys::kRefused, *store_),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("does not exist"), HasSubstr("create it once"), HasSubstr(path_))));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LoadSealKeysTest, C18_AFileThatIsGoneIsNotMadeAnew) {
  Write(KeyLine("mine", '1'));
  ASSERT_THAT(Load(), IsOk());
  ASSERT_TRUE(std::filesystem::remove(path_));
  RestartStore();
  EXPECT_THAT(Load(), StatusIs(StatusCode::kFailedPrecondition, AllOf(HasSubstr("does not exist"), HasSubstr("mine"))));
  EXPECT_FALSE(std::filesystem::exists(path_));
  Write(KeyLine("mine", '1'));
  EXPECT_THAT(Load(), IsOk());
}

TEST_F(LoadSealKeysTest, C18_AnotherKeyUnderAUsedIdIsRefused) {
  Write(KeyLine("mine", '1'));
  ASSERT_THAT(Load(), IsOk());
  Write(KeyLine("mine", '2'));
  EXPECT_THAT(Load(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("\"mine\"")));
  Write(KeyLine("new", '3') + KeyLine("mine", '2'));
  EXPECT_THAT(Load(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("\"mine\"")));
  Write(KeyLine("mine", '1'));
  EXPECT_THAT(Load(), IsOk());
}

TEST_F(LoadSealKeysTest, C25_AfterARotationBothKeysUnsealAndTheNewOneSeals) {
  Write(KeyLine("old", '1'));
  const auto sealed = Load()->keys.Seal("reply", "context");
  Write(KeyLine("new", '2') + KeyLine("old", '1'));
  const auto rotated = Load();
  ASSERT_THAT(rotated, IsOk());
  EXPECT_THAT(rotated->missing_ids, IsEmpty());
  EXPECT_THAT(rotated->keys.Unseal(sealed, "context"), IsOkAndHolds("reply"));
  EXPECT_EQ(rotated->keys.Seal("reply", "context").key_id(), "new");
}

TEST_F(LoadSealKeysTest, C30_AStartKeepsWhatALaterReleaseAddedToAKey) {
  Write(KeyLine("mine", '1'));
  ASSERT_THAT(Load(), IsOk());
  const std::string key = KeyBuilder().String("seal_key").String("mine").Build();
  store::v1::SealKeyRow row;
  const auto read = [&](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto found, GetRow<store::v1::SealKeyRow>(txn, Table::kMeta, key));
    row = found.value_or(store::v1::SealKeyRow());
    return absl::OkStatus();
  };
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_RETURN_IF_ERROR(read(txn));
                        AddLaterField(row);
                        PutRow(txn, Table::kMeta, key, row);
                        return absl::OkStatus();
                      }),
              IsOk());
  ASSERT_THAT(Load(), IsOk());
  ASSERT_THAT(Query(*store_, read), IsOk());
  EXPECT_THAT(row.check(), testing::SizeIs(16));
  EXPECT_TRUE(HasLaterField(row));
}

TEST_F(LoadSealKeysTest, AUsedKeyThatIsTakenAwayIsReported) {
  for (const char* id : {"one", "two", "three"}) {
    Write(KeyLine(id, '1'));
    ASSERT_THAT(Load(), IsOk());
  }
  Write(KeyLine("two", '1'));
  const auto loaded = Load();
  ASSERT_THAT(loaded, IsOk());
  EXPECT_THAT(loaded->missing_ids, ElementsAre("one", "three"));
}

TEST_F(LoadSealKeysTest, AKeyThatNeverSealedMayGoOrChange) {
  Write(KeyLine("first", '1') + KeyLine("spare", '2'));
  ASSERT_THAT(Load(), IsOk());
  Write(KeyLine("first", '1') + KeyLine("spare", '3'));
  EXPECT_THAT(Load(), IsOk());
  Write(KeyLine("first", '1'));
  const auto loaded = Load();
  ASSERT_THAT(loaded, IsOk());
  EXPECT_THAT(loaded->missing_ids, IsEmpty());
}

TEST_F(LoadSealKeysTest, C25_TheDataDirectoryDoesNotShowTheKey) {
  Write(KeyLine("mine", 'a'));
  ASSERT_THAT(Load(), IsOk());
  store_.reset();
  EXPECT_THAT(FilesIn(dir_.Path("data")), Each(Not(HasSubstr(std::string(32, '\xAA')))));
  EXPECT_THAT(FilesIn(dir_.Path("data")), Each(Not(HasSubstr(std::string(64, 'a')))));
  EXPECT_THAT(FilesIn(dir_.Path("data")), testing::Contains(HasSubstr("mine")));
}

}  // namespace
}  // namespace hapax
