#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/storage/rocksdb/engine_fixture.h"

// An outage from the outside: who holds the old database, and what becomes of the directory.
namespace hapax {
namespace {

namespace fs = std::filesystem;

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::Eq;
using testing::Optional;

using RocksDbEngineOutageTest = EngineFixture;

TEST_F(RocksDbEngineOutageTest, TheOldDatabaseIsReadableByWhoHoldsItAndTheNextIsOpenedWhenNobodyDoes) {
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

TEST_F(RocksDbEngineOutageTest, C18_ReadersDuringManyFailuresSeeWhatWasAcknowledgedOrAreUnavailable) {
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

TEST_F(RocksDbEngineOutageTest, TheDestructorDoesNotWaitForTheDisk) {
  for (absl::Duration probe_interval : {kAtOnce, kNever}) {
    Open(probe_interval);
    files_.Fail({.operation = FileOperation::kWrite, .error = rocksdb::IOStatus::NoSpace("full")});
    ASSERT_THAT(Put("failed"), StatusIs(StatusCode::kUnavailable));
    log_.WaitFor(kSuspended);
    engine_ = nullptr;
    files_.Work();
  }
}

// As when a disk is not mounted any more: what is there is the empty directory below it.
TEST_F(RocksDbEngineOutageTest, AnotherDirectoryInItsPlaceIsLeftAsItIsAndTheOldDatabaseIsReadOn) {
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

TEST_F(RocksDbEngineOutageTest, AProbeLeavesNothingAndWhatIsLeftOfOneIsRemovedByTheNextStart) {
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
