#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/format.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// Directories that cannot be opened, and the errors that say why.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AnyOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

// Another process, which holds the lock of the data directory at `path` while it lives.
class Holder {
 public:
  explicit Holder(const std::string& path) {
    const int lock_fd = ::open((path + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
    int ready[2];
    if (lock_fd < 0 || ::pipe(ready) != 0) throw std::system_error(errno, std::generic_category(), path);
    pid_ = ::fork();
    if (pid_ == 0) {
      struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
      const char result = ::fcntl(lock_fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
      if (::write(ready[1], &result, 1) == 1) ::pause();
      ::_exit(0);
    }
    char result = 'n';
    EXPECT_EQ(::read(ready[0], &result, 1), 1);
    EXPECT_EQ(result, 'y');
    for (int fd : {lock_fd, ready[0], ready[1]}) ::close(fd);
  }
  ~Holder() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

 private:
  pid_t pid_;
};

// While it lives, this process has no more rights than any user, if it runs as root.
class WithoutRoot {
 public:
  WithoutRoot() : was_root_(::geteuid() == 0) {
    constexpr uid_t kNobody = 65534;
    if (was_root_) Set(kNobody);
  }
  ~WithoutRoot() {
    if (was_root_) Set(0);
  }
  WithoutRoot(const WithoutRoot&) = delete;
  WithoutRoot& operator=(const WithoutRoot&) = delete;

 private:
  static void Set(uid_t user) { EXPECT_EQ(::seteuid(user), 0); }

  const bool was_root_;
};

class RocksDbEngineOpenTest : public testing::Test {
 protected:
  absl::Status Open(std::string_view name = "data") const {
    return RocksDbEngine::Open({.path = dir_.Path(name)}).status();
  }
  // The file of the data directory whose name begins so.
  fs::path File(std::string_view begin, std::string_view name = "data") const {
    for (const fs::directory_entry& file : fs::directory_iterator(dir_.Path(name))) {
      if (file.path().filename().string().starts_with(begin)) return file.path();
    }
    ADD_FAILURE() << "no file begins with " << begin;
    return {};
  }

  // The data directory's files: their bytes, and when they were written.
  using Files = std::map<std::string, std::pair<std::string, fs::file_time_type>>;
  Files Snapshot() const {
    Files files;
    for (const fs::directory_entry& file : fs::directory_iterator(dir_.Path("data"))) {
      std::ostringstream bytes;
      bytes << std::ifstream(file.path(), std::ios::binary).rdbuf();
      files[file.path().filename().string()] = {bytes.str(), file.last_write_time()};
    }
    return files;
  }

  const TempDir dir_;
};

TEST_F(RocksDbEngineOpenTest, C14_TheNamesOfDirectoriesThatItCreatesAreSynced) {
  std::vector<std::string> synced;
  SetDiskSyncHook([&](int fd) {
    std::error_code ignored;
    synced.push_back(fs::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored).string());
    return 0;
  });
  const absl::Status opened = Open("new/newer/data/");
  SetDiskSyncHook(nullptr);
  EXPECT_THAT(opened, IsOk());
  EXPECT_THAT(synced, testing::IsSupersetOf({dir_.Path(), dir_.Path("new"), dir_.Path("new/newer")}));
}

TEST_F(RocksDbEngineOpenTest, ADirectoryThatIsOpenAlreadyIsFailedPrecondition) {
  const auto engine = RocksDbEngine::Open({.path = dir_.Path("data")});
  ASSERT_THAT(engine, IsOk());
  EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("in use")));
}

TEST_F(RocksDbEngineOpenTest, ADirectoryThatAnotherProcessHoldsIsFailedPrecondition) {
  ASSERT_THAT(Open(), IsOk());
  {
    Holder holder(dir_.Path("data"));
    EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("in use")));
  }
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(RocksDbEngineOpenTest, APathBelowAFileIsPermissionDenied) {
  std::ofstream(dir_.Path("file")) << "not a directory";
  EXPECT_THAT(Open("file/data"), StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(Open("file"), StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(RocksDbEngineOpenTest, ADirectoryThatMayNotBeWrittenIsPermissionDenied) {
  ASSERT_THAT(Open(), IsOk());
  fs::permissions(dir_.Path(), fs::perms(0755));
  fs::permissions(dir_.Path("data"), fs::perms(0555));
  {
    WithoutRoot without_root;
    EXPECT_THAT(Open(), StatusIs(StatusCode::kPermissionDenied));
    EXPECT_THAT(Open("data/below"), StatusIs(StatusCode::kPermissionDenied));
  }
  fs::permissions(dir_.Path("data"), fs::perms(0755));
}

TEST_F(RocksDbEngineOpenTest, ALockFileThatMayNotBeWrittenIsPermissionDenied) {
  ASSERT_THAT(Open(), IsOk());
  fs::permissions(dir_.Path(), fs::perms(0755));
  fs::permissions(dir_.Path("data"), fs::perms(0777));
  fs::permissions(dir_.Path("data/LOCK"), fs::perms(0444));
  WithoutRoot without_root;
  EXPECT_THAT(Open(), StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(RocksDbEngineOpenTest, ALockFileThatCannotBeOpenedIsNotTakenForOneThatIsHeld) {
  fs::create_directories(dir_.Path("data/LOCK"));
  EXPECT_THAT(Open(), StatusIs(StatusCode::kUnavailable));
}

TEST_F(RocksDbEngineOpenTest, APathWithLockInItIsNotTakenForOneThatIsHeld) {
  ASSERT_THAT(Open("blocks"), IsOk());
  fs::remove(File("MANIFEST", "blocks"));
  EXPECT_THAT(Open("blocks"), AnyOf(StatusIs(StatusCode::kDataLoss), StatusIs(StatusCode::kUnavailable)));
}

TEST_F(RocksDbEngineOpenTest, C18_ADatabaseWithoutItsCurrentFileIsDataLossAndNotBegunAnew) {
  ASSERT_THAT(Open(), IsOk());
  ASSERT_THAT(Open(), IsOk());  // Now it has tables, too.
  fs::remove(dir_.Path("data/CURRENT"));
  for (std::string_view left : {"MANIFEST", ".sst", ".log"}) {
    SCOPED_TRACE(left);
    const std::string copy = dir_.Path(left);
    fs::create_directory(copy);
    for (const fs::directory_entry& file : fs::directory_iterator(dir_.Path("data"))) {
      const std::string name = file.path().filename().string();
      if (name.find(left) != std::string::npos) fs::copy(file.path(), fs::path(copy) / name);
    }
    ASSERT_FALSE(fs::is_empty(copy));
    EXPECT_THAT(Open(left), StatusIs(StatusCode::kDataLoss, HasSubstr("CURRENT is missing")));
    EXPECT_FALSE(fs::exists(fs::path(copy) / "CURRENT"));
  }
}

TEST_F(RocksDbEngineOpenTest, ACreationThatWasCutShortBeforeItsCurrentFileIsBegunAnew) {
  fs::create_directory(dir_.Path("data"));
  std::ofstream(dir_.Path("data/MANIFEST-000001")) << "half";
  EXPECT_THAT(Open(), IsOk());
}

// Neither whether the version is in a log or in a table, nor what else the newer format has, makes a difference.
TEST_F(RocksDbEngineOpenTest, ANewerFormatIsRefusedAndUntouched) {
  for (const std::string_view where : {"log", "table", "table of its own"}) {
    SCOPED_TRACE(where);
    fs::remove_all(dir_.Path("data"));
    {
      const auto engine = RocksDbEngine::Open({.path = dir_.Path("data")});
      ASSERT_THAT(engine, IsOk());
      const auto database = (*engine)->Current();
      ASSERT_THAT(database, IsOk());
      Overlay writes;
      writes.Write(Table::kMeta, std::string(kFormatVersionKey), "3");
      writes.Write(Table::kTokens, "token", "of the newer format");
      ASSERT_THAT((*database)->WriteDurably(writes), IsOk());
      if (where != "log") {
        ASSERT_THAT((*database)->Compact(), IsOk());
      }
      if (where == "table of its own") {
        rocksdb::ColumnFamilyHandle* family = nullptr;
        ASSERT_TRUE((*database)->db().CreateColumnFamily({}, "newer", &family).ok());
        ASSERT_TRUE((*database)->db().DestroyColumnFamilyHandle(family).ok());
      }
    }
    const auto before = Snapshot();
    EXPECT_THAT(Open(), StatusIs(StatusCode::kFailedPrecondition,
                                 testing::AllOf(HasSubstr(dir_.Path("data")), HasSubstr("format version 3"))));
    EXPECT_EQ(Snapshot(), before);
  }
}

TEST_F(RocksDbEngineOpenTest, ADamagedFileIsDataLoss) {
  ASSERT_THAT(Open(), IsOk());
  std::ofstream(File("CURRENT")) << "damaged";
  EXPECT_THAT(Open(), StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hapax
