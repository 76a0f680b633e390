#include "hapax/storage/rocksdb/engine.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/storage/rocksdb/engine_fixture.h"

// What the engine makes of files that cannot be written or read (C18), and of what that has left in the log (C14).
namespace hapax {
namespace {

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

using RocksDbEngineRecoveryTest = EngineFixture;

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

}  // namespace
}  // namespace hapax
