#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/storage/rocksdb/group_commit.h"
#include "hapax/tests/support/faulty_file_system.h"
#include "hapax/tests/support/log_lines.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// What becomes of transactions while a database has failed, and of what was decided on it, once it is another.
namespace hapax {
namespace {

namespace fs = std::filesystem;

using absl::StatusCode;
using testing::_;
using testing::Eq;
using testing::Optional;

constexpr char kEffects[] = "effects";
constexpr char kResumed[] = "writes resumed";
const char* const kExecuted = "executed";
const char* const kReplayed = "replayed";

// As a handler behind a token: the record is looked up, and put together with the effect, one more of them.
Store::Body Once(const std::string& token, std::string* outcome) {
  return [=](Transaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto record, txn.Get(Table::kTokens, token));
    *outcome = record.has_value() ? kReplayed : kExecuted;
    if (record.has_value()) return absl::OkStatus();
    HAPAX_ASSIGN_OR_RETURN(const auto effects, txn.Get(Table::kResources, kEffects));
    int count = 0;
    if (effects.has_value() && !absl::SimpleAtoi(*effects, &count)) return absl::DataLossError(*effects);
    txn.Put(Table::kResources, kEffects, absl::StrCat(count + 1));
    txn.Put(Table::kTokens, token, "reply");
    return absl::OkStatus();
  };
}

class GroupCommitRecoveryTest : public testing::Test {
 protected:
  GroupCommitRecoveryTest() { Open(); }

  void Open() {
    group_commit_.reset();
    engine_.reset();
    engine_ = *RocksDbEngine::Open(
        {.path = path_, .log = log_.Sink(), .probe_interval = absl::Milliseconds(1), .env = files_.env()});
    group_commit_ = std::make_unique<GroupCommit>(*engine_, /*max_waiting=*/100);
  }

  // What a call with the token comes to: executed, replayed, or an error.
  absl::StatusOr<std::string> Call(const std::string& token) {
    std::string result;
    TransactionOutcome outcome;
    group_commit_->Execute(Once(token, &result), outcome.Done());
    HAPAX_RETURN_IF_ERROR(outcome.Wait());
    return result;
  }

  static std::string Effects(const RocksDbEngine& engine) {
    return (*engine.Current())->Get(Table::kResources, kEffects, nullptr)->value_or("0");
  }

  // Those that a restart would find if the process died now.
  std::string EffectsAfterACrash() {
    fs::remove_all(copy_);
    fs::copy(path_, copy_, fs::copy_options::recursive);
    return Effects(**RocksDbEngine::Open({.path = copy_}));
  }

  // Makes the open database fail, beside the group commit.
  void FailTheDatabase() {
    files_.Fail({.operation = FileOperation::kSync});
    Overlay writes;
    writes.Write(Table::kWork, "failed", "value");
    ASSERT_THAT((*engine_->Current())->WriteDurably(writes), StatusIs(StatusCode::kUnavailable));
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("data");
  const std::string copy_ = dir_.Path("copy");
  FaultyFileSystem files_;
  const LogLines log_;
  std::unique_ptr<RocksDbEngine> engine_;
  std::unique_ptr<GroupCommit> group_commit_;
};

TEST_F(GroupCommitRecoveryTest, C18_ATokenWhoseCommitWasNotSyncedHasOneEffectAfterARetryAndARestart) {
  ASSERT_THAT(Call("before"), IsOkAndHolds(kExecuted));
  files_.Fail({.operation = FileOperation::kSync});
  ASSERT_THAT(Call("token"), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(EffectsAfterACrash(), "2") << "the log does not have it: this test is about nothing";
  EXPECT_THAT(Call("token"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Call("before"), IsOkAndHolds(kReplayed));
  files_.Work();
  log_.WaitFor(kResumed);
  EXPECT_THAT(Call("before"), IsOkAndHolds(kReplayed));
  EXPECT_THAT(Call("token"), IsOkAndHolds(kExecuted));
  EXPECT_EQ(Effects(*engine_), "2");
  EXPECT_EQ(EffectsAfterACrash(), "2");
  Open();
  EXPECT_THAT(Call("token"), IsOkAndHolds(kReplayed));
  EXPECT_EQ(Effects(*engine_), "2");
}

TEST_F(GroupCommitRecoveryTest, C14_ATokenWhoseCommitWasNotSyncedIsReplayedWhenTheProcessDiedThen) {
  files_.Fail({.operation = FileOperation::kSync});
  ASSERT_THAT(Call("token"), StatusIs(StatusCode::kUnavailable));
  // The engine tries the directory meanwhile, with a file that comes and goes.
  for (std::error_code error(EAGAIN, std::generic_category()); error;) {
    fs::remove_all(copy_);
    fs::copy(path_, copy_, fs::copy_options::recursive, error);
  }
  files_.Work();
  group_commit_.reset();
  engine_.reset();
  fs::remove_all(path_);
  fs::rename(copy_, path_);
  Open();
  EXPECT_THAT(Call("token"), IsOkAndHolds(kReplayed));
  EXPECT_EQ(Effects(*engine_), "1");
}

TEST_F(GroupCommitRecoveryTest, C18_WhatWasReadFromAFailedDatabaseIsNotWrittenToTheNext) {
  std::string result;
  TransactionOutcome decided;
  TransactionOutcome blocked_outcome;
  BlockedBody blocked;
  group_commit_->Execute(blocked.Body(), blocked_outcome.Done());  // Binds the group, and keeps it open.
  blocked.WaitUntilStarted();
  group_commit_->Execute(Once("token", &result), decided.Done());
  FailTheDatabase();
  files_.Work();
  while (engine_->Current().ok()) std::this_thread::yield();
  blocked.Release();
  EXPECT_THAT(blocked_outcome.Wait(), IsOk());  // It only read.
  EXPECT_THAT(decided.Wait(), StatusIs(StatusCode::kUnavailable));
  log_.WaitFor(kResumed);
  EXPECT_EQ(Effects(*engine_), "0");
  EXPECT_THAT(Call("token"), IsOkAndHolds(kExecuted));
}

TEST_F(GroupCommitRecoveryTest, C18_WritesOfAGroupWhoseDatabaseFailsBeforeItsCommitAreNotWrittenToTheNext) {
  std::string result;
  TransactionOutcome decided;
  TransactionOutcome blocked_outcome;
  BlockedBody blocked;
  // The writer has run, and only then the database fails: the group commits nothing.
  group_commit_->Execute(
      [&, body = blocked.Body()](Transaction& txn) mutable {
        HAPAX_RETURN_IF_ERROR(Once("token", &result)(txn));
        return body(txn);
      },
      decided.Done());
  blocked.WaitUntilStarted();
  FailTheDatabase();
  files_.Work();
  while (engine_->Current().ok()) std::this_thread::yield();
  blocked.Release();
  EXPECT_THAT(decided.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(result, kExecuted);
  log_.WaitFor(kResumed);
  EXPECT_EQ(Effects(*engine_), "0");
}

TEST_F(GroupCommitRecoveryTest, C18_WhoOnlyReadsIsServedThoughOthersOfItsGroupWantToWrite) {
  ASSERT_THAT(Call("before"), IsOkAndHolds(kExecuted));
  FailTheDatabase();
  BlockedBody blocked;  // Gathers the others behind it: they become one group.
  TransactionOutcome blocked_outcome;
  group_commit_->Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();
  std::string results[2];
  TransactionOutcome writer;
  TransactionOutcome reader;
  group_commit_->Execute(Once("token", &results[0]), writer.Done());
  group_commit_->Execute(Once("before", &results[1]), reader.Done());
  blocked.Release();
  EXPECT_THAT(writer.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(reader.Wait(), IsOk());
  EXPECT_EQ(results[1], kReplayed);
}

TEST_F(GroupCommitRecoveryTest, C18_WhileTheDatabaseIsOpenedAfreshBodiesAreNotRun) {
  auto held = *engine_->Current();  // Keeps it from being closed.
  FailTheDatabase();
  files_.Work();
  while (engine_->Current().ok()) std::this_thread::yield();
  std::string result = "not run";
  TransactionOutcome outcome;
  group_commit_->Execute(Once("token", &result), outcome.Done());
  EXPECT_THAT(outcome.Wait(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(result, "not run");
  held = nullptr;
  log_.WaitFor(kResumed);
  EXPECT_THAT(Call("token"), IsOkAndHolds(kExecuted));
}

// An idle executor would wait for the next transaction with the old database in its hands.
TEST_F(GroupCommitRecoveryTest, TheNextDatabaseIsOpenedThoughNobodyCalls) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Call(absl::StrCat(i)), IsOkAndHolds(kExecuted));
    files_.Fail({.operation = FileOperation::kSync});
    ASSERT_THAT(Call("failed"), StatusIs(StatusCode::kUnavailable));
    files_.Work();
    log_.WaitFor(kResumed);
  }
}

TEST_F(GroupCommitRecoveryTest, ItsDestructorDuringAnOutageTellsWhoWaits) {
  files_.Fail({.operation = FileOperation::kSync});
  ASSERT_THAT(Call("failed"), StatusIs(StatusCode::kUnavailable));
  std::string result;
  const TransactionOutcome outcomes[2];
  for (const TransactionOutcome& outcome : outcomes) group_commit_->Execute(Once("token", &result), outcome.Done());
  group_commit_.reset();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace hapax
