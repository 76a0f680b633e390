#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb_engine.h"
#include "hapax/tests/support/faulty_file_system.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// What the engine makes of files that cannot be written or read (C18).
namespace hapax {
namespace {

namespace fs = std::filesystem;

using absl::StatusCode;
using testing::_;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;
using testing::Optional;

constexpr Table kTable = Table::kTokens;
constexpr absl::Duration kAtOnce = absl::Milliseconds(1);
constexpr absl::Duration kNever = absl::Hours(24);
constexpr char kSuspended[] = "writes suspended";
constexpr char kStillSuspended[] = "writes still suspended";
constexpr char kResumed[] = "writes resumed";

class RocksDbEngineRecoveryTest : public testing::Test {
 protected:
  RocksDbEngineRecoveryTest() { Open(); }

  void Open(absl::Duration probe_interval = kAtOnce) {
    engine_ = nullptr;
    auto engine = RocksDbEngine::Open({.path = path_,
                                       .write_buffer_bytes = size_t{1} << 16,
                                       .log = log_.Sink(),
                                       .probe_interval = probe_interval,
                                       .env = files_.env()});
    ASSERT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
  }

  absl::Status Put(std::string key, size_t value_size = 10) {
    const auto database = engine_->Current();
    if (!database.ok()) return database.status();
    Overlay writes;
    writes.Write(kTable, std::move(key), std::string(value_size, 'v'));
    return (*database)->WriteDurably(writes);
  }

  static std::vector<std::string> Keys(const Database& database) {
    std::vector<std::string> keys;
    const auto row = database.NewIterator(kTable, nullptr);
    for (row->SeekToFirst(); row->Valid(); row->Next()) keys.push_back(row->key().ToString());
    EXPECT_TRUE(row->status().ok()) << row->status().ToString();
    return keys;
  }
  std::vector<std::string> Keys() { return Keys(**engine_->Current()); }

  // Those that a restart would find if the process died now.
  std::vector<std::string> KeysAfterACrash() {
    fs::remove_all(copy_);
    fs::copy(path_, copy_, fs::copy_options::recursive);
    const auto engine = RocksDbEngine::Open({.path = copy_});
    EXPECT_THAT(engine, IsOk());
    return Keys(**(*engine)->Current());
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
  const std::string copy_ = dir_.Path("copy");
  FaultyFileSystem files_;
  const LogLines log_;
  std::unique_ptr<RocksDbEngine> engine_;
};

TEST_F(RocksDbEngineRecoveryTest, C18_WhileFilesCannotBeWrittenReadsGoOnAndWritesAreRefusedThenBothGoOn) {
  const Fault faults[] = {
      {.operation = FileOperation::kWrite},
      {.operation = FileOperation::kWrite, .error = rocksdb::IOStatus::NoSpace("full")},
      {.operation = FileOperation::kSync},
      {.operation = FileOperation::kSync, .error = rocksdb::IOStatus::NoSpace("full")},
  };
  std::vector<std::string> acknowledged;
  for (const Fault& fault : faults) {
    acknowledged.push_back(absl::StrCat(acknowledged.size()));
    ASSERT_THAT(Put(acknowledged.back()), IsOk());
    files_.Fail(fault);
    EXPECT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
    log_.WaitFor(kSuspended);
    log_.WaitFor(kStillSuspended);
    EXPECT_THAT(Put("refused"), StatusIs(StatusCode::kUnavailable));
    EXPECT_EQ(Keys(), acknowledged);
    files_.Work();
    log_.WaitFor(kResumed);
    EXPECT_EQ(Keys(), acknowledged);
  }
  ASSERT_THAT(Put("last"), IsOk());
  acknowledged.emplace_back("last");
  EXPECT_EQ(KeysAfterACrash(), acknowledged);
  Open();
  EXPECT_EQ(Keys(), acknowledged);
}

TEST_F(RocksDbEngineRecoveryTest, C14_AWriteThatCouldNotBeSyncedIsInTheLogAndNotInTheNextDatabase) {
  ASSERT_THAT(Put("before"), IsOk());
  files_.Fail({.operation = FileOperation::kSync});
  ASSERT_THAT(Put("ghost"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Keys(), ElementsAre("before"));
  EXPECT_THAT(KeysAfterACrash(), ElementsAre("before", "ghost")) << "this test is about nothing";
  files_.Work();
  log_.WaitFor(kResumed);
  EXPECT_THAT(Keys(), ElementsAre("before"));
  EXPECT_THAT(KeysAfterACrash(), ElementsAre("before"));
  ASSERT_THAT(Put("retry"), IsOk());
  EXPECT_THAT(KeysAfterACrash(), ElementsAre("before", "retry"));
  Open();
  EXPECT_THAT(Keys(), ElementsAre("before", "retry"));
}

TEST_F(RocksDbEngineRecoveryTest, C14_AWriteThatCouldNotBeSyncedStaysOutAlsoWhenTheFirstOpeningFailsHalfWay) {
  const Fault faults[] = {
      {.operation = FileOperation::kSync, .file = ".sst", .times = 1},
      {.operation = FileOperation::kCreate, .file = ".log", .times = 1},
      {.operation = FileOperation::kSync, .file = "MANIFEST", .times = 1},
      {.operation = FileOperation::kRename, .file = "CURRENT", .times = 1},
  };
  std::vector<std::string> acknowledged;
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.file);
    acknowledged.push_back(absl::StrCat(acknowledged.size()));
    ASSERT_THAT(Put(acknowledged.back()), IsOk());
    files_.Fail({.operation = FileOperation::kSync});
    ASSERT_THAT(Put("ghost"), StatusIs(StatusCode::kUnavailable));
    EXPECT_THAT(KeysAfterACrash(), Contains("ghost"));
    files_.Fail(fault);
    log_.WaitFor("cannot open");
    log_.WaitFor(kResumed);
    EXPECT_EQ(Keys(), acknowledged);
    EXPECT_EQ(KeysAfterACrash(), acknowledged);
  }
}

TEST_F(RocksDbEngineRecoveryTest, C18_WhileTheDirectoryCannotBeOpenedEverythingIsUnavailable) {
  ASSERT_THAT(Put("before"), IsOk());
  // The first write fails, then those of the next manifest do: the probe's do not.
  files_.Fail({.operation = FileOperation::kWrite});
  ASSERT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
  log_.WaitFor(kStillSuspended);
  files_.Fail({.operation = FileOperation::kWrite, .file = "MANIFEST"});
  log_.WaitFor("cannot open");
  EXPECT_THAT(engine_->Current(), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Put("refused"), StatusIs(StatusCode::kUnavailable));
  files_.Work();
  log_.WaitFor(kResumed);
  EXPECT_THAT(Keys(), ElementsAre("before"));
  EXPECT_THAT(Put("after"), IsOk());
}

TEST_F(RocksDbEngineRecoveryTest, C18_AFlushThatFailsInTheBackgroundSuspendsWritesAndLosesNothing) {
  for (const char* file : {".sst", "MANIFEST"}) {
    SCOPED_TRACE(file);
    const std::vector<std::string> before = Keys();
    files_.Fail({.operation = FileOperation::kSync, .file = file});
    std::vector<std::string> acknowledged = before;
    absl::Status status;
    for (int i = 0; status.ok() && i < 10'000; ++i) {
      std::string key = absl::StrCat(file, absl::Dec(i, absl::kZeroPad5));
      status = Put(key, 1'000);
      if (status.ok()) acknowledged.push_back(std::move(key));
    }
    EXPECT_THAT(status, StatusIs(StatusCode::kUnavailable));
    log_.WaitFor(kSuspended);
    files_.Work();
    log_.WaitFor(kResumed);
    std::sort(acknowledged.begin(), acknowledged.end());
    EXPECT_EQ(Keys(), acknowledged);
    EXPECT_EQ(KeysAfterACrash(), acknowledged);
    EXPECT_THAT(Put("after"), IsOk());
  }
}

// RocksDB tells of a manifest that cannot be written with the keys that were to be in it.
TEST_F(RocksDbEngineRecoveryTest, NoKeyIsLogged) {
  const std::string key = "a tenant and a token";
  files_.Fail({.operation = FileOperation::kSync, .file = "MANIFEST"});
  while (Put(key, 1'000).ok()) {
  }
  files_.Work();
  log_.WaitFor(kResumed);
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("MANIFEST")));
  const std::string hex = absl::AsciiStrToUpper(absl::BytesToHexString(key));
  for (const std::string& line : log_.lines()) {
    EXPECT_THAT(line, AllOf(Not(HasSubstr(key)), Not(HasSubstr(hex)), Not(HasSubstr("\n"))));
  }
}

TEST_F(RocksDbEngineRecoveryTest, C18_AReadThatFailsIsUnavailableAndConcernsNobodyElse) {
  ASSERT_THAT(Put("in a file"), IsOk());
  Open();
  ASSERT_THAT(Put("in memory"), IsOk());
  const auto get = [&](const char* key) { return (*engine_->Current())->Get(kTable, key, nullptr); };
  files_.Fail({.operation = FileOperation::kRead, .file = ".sst"});
  EXPECT_THAT(get("in a file"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(get("in memory"), IsOkAndHolds(Optional(_)));
  EXPECT_THAT(get("nowhere"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(Put("written"), IsOk());
  files_.Work();
  EXPECT_THAT(get("in a file"), IsOkAndHolds(Optional(_)));
  EXPECT_THAT(log_.lines(), Each(Not(HasSubstr(kSuspended))));
}

TEST_F(RocksDbEngineRecoveryTest, TheOldDatabaseIsReadableByWhoHoldsItAndTheNextIsOpenedWhenNobodyDoes) {
  ASSERT_THAT(Put("before"), IsOk());
  Open();  // Now it is in a file.
  auto held = *engine_->Current();
  files_.Fail({.operation = FileOperation::kSync});
  ASSERT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
  files_.Work();
  while (engine_->Current().ok()) std::this_thread::yield();
  EXPECT_THAT(held->Get(kTable, "before", nullptr), IsOkAndHolds(Optional(_)));
  EXPECT_THAT(Keys(*held), ElementsAre("before"));
  EXPECT_THAT(held->WriteDurably(Overlay()), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(engine_->Current(), StatusIs(StatusCode::kUnavailable));
  held = nullptr;
  log_.WaitFor(kResumed);
  EXPECT_THAT(Keys(), ElementsAre("before"));
}

TEST_F(RocksDbEngineRecoveryTest, C18_ReadersDuringManyFailuresSeeWhatWasAcknowledgedOrAreUnavailable) {
  constexpr int kReaders = 3;
  constexpr int kFailures = 20;
  ASSERT_THAT(Put("before"), IsOk());
  std::atomic<bool> finished = false;
  std::atomic<int> read = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      while (!finished) {
        const auto database = engine_->Current();
        if (!database.ok()) {
          EXPECT_THAT(database, StatusIs(StatusCode::kUnavailable));
          continue;
        }
        EXPECT_THAT((*database)->Get(kTable, "before", nullptr), IsOkAndHolds(Optional(_)));
        EXPECT_THAT((*database)->Get(kTable, "failed", nullptr), IsOkAndHolds(Eq(std::nullopt)));
        ++read;
      }
    });
  }
  for (int i = 0; i < kFailures; ++i) {
    files_.Fail({.operation = FileOperation::kSync});
    EXPECT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
    files_.Work();
    log_.WaitFor(kResumed);
    EXPECT_THAT(Put(absl::StrCat(i)), IsOk());
  }
  finished = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(read, 0);
}

TEST_F(RocksDbEngineRecoveryTest, TheDestructorDoesNotWaitForTheDisk) {
  for (absl::Duration probe_interval : {kAtOnce, kNever}) {
    Open(probe_interval);
    files_.Fail({.operation = FileOperation::kWrite, .error = rocksdb::IOStatus::NoSpace("full")});
    ASSERT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
    log_.WaitFor(kSuspended);
    const absl::Time begin = absl::Now();
    engine_ = nullptr;
    EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
    files_.Work();
  }
}

// As when a disk is not mounted any more: what is there is the empty directory below it.
TEST_F(RocksDbEngineRecoveryTest, AnotherDirectoryInItsPlaceIsLeftAsItIsAndTheOldDatabaseIsReadOn) {
  ASSERT_THAT(Put("before"), IsOk());
  files_.Fail({.operation = FileOperation::kSync});
  fs::rename(path_, copy_);
  fs::create_directory(path_);
  ASSERT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
  files_.Work();
  log_.WaitFor(kStillSuspended);
  EXPECT_TRUE(fs::is_empty(path_));
  EXPECT_THAT(Keys(), ElementsAre("before"));
  fs::remove(path_);
  fs::rename(copy_, path_);
  log_.WaitFor(kResumed);
  EXPECT_THAT(Keys(), ElementsAre("before"));
}

TEST_F(RocksDbEngineRecoveryTest, AProbeLeavesNothingAndWhatIsLeftOfOneIsRemovedByTheNextStart) {
  const auto probes = [&] {
    return std::count_if(fs::directory_iterator(path_), fs::directory_iterator(),
                         [](const auto& file) { return file.path().filename() == "hapax-write-probe"; });
  };
  files_.Fail({.operation = FileOperation::kSync});
  ASSERT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
  log_.WaitFor(kStillSuspended);
  files_.Work();
  log_.WaitFor(kResumed);
  EXPECT_EQ(probes(), 0);
  std::ofstream(fs::path(path_) / "hapax-write-probe") << "left";
  Open();
  EXPECT_EQ(probes(), 0);
}

}  // namespace
}  // namespace hapax
