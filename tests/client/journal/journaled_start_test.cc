#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/journal/journaled_caller.h"
#include "hapax/tests/client/call/attempt_ends.h"
#include "hapax/tests/client/journal/journal_files.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// Asynchronous calls through a journal: JournaledCaller::Start.
namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Attempts end when the test says so.
//
// Thread-safety: safe.
class ManualConnection final : public Connection {
 public:
  Cancel Start(Attempt attempt, Done done) override {
    absl::MutexLock lock(&mu_);
    tokens_.push_back(attempt.metadata.at(0).second);
    dones_.push_back(std::move(done));
    return [] {};
  }
  void WaitUntilStarted(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto started = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return dones_.size() >= count; };
    mu_.Await(absl::Condition(&started));
  }
  void End(size_t index, AttemptEnd end) {
    Done done;
    {
      absl::MutexLock lock(&mu_);
      done = std::move(dones_.at(index));
    }
    std::move(done)(std::move(end));
  }
  // Of the attempts, in the order of their starts.
  std::vector<std::string> tokens() {
    absl::MutexLock lock(&mu_);
    return tokens_;
  }

 private:
  absl::Mutex mu_;
  std::vector<std::string> tokens_ ABSL_GUARDED_BY(mu_);
  std::vector<Done> dones_ ABSL_GUARDED_BY(mu_);
};

// The end of one call.
struct End {
  absl::Notification ended;
  std::optional<Result<std::string>> result;

  auto Take(bool take = true) {
    return [this, take](Result<std::string> end) {
      result = std::move(end);
      ended.Notify();  // A second time would end the process.
      return take;
    };
  }
  Result<std::string>& Wait() {
    ended.WaitForNotification();
    return *result;
  }
};

class JournaledStartTest : public testing::Test {
 protected:
  CallHandle Start(End& end, const std::string& token, bool take = true) {
    return journaled->StartRaw(CallWith(token), RetryPolicy(), end.Take(take));
  }

  const TempDir dir;
  const std::string path = dir.Path("journal");
  std::unique_ptr<TokenJournal> journal = MustOpen(path);
  std::shared_ptr<ManualConnection> network = std::make_shared<ManualConnection>();
  Caller caller{network};
  std::unique_ptr<JournaledCaller> journaled = std::make_unique<JournaledCaller>(caller, *journal);
};

TEST_F(JournaledStartTest, TheIntentIsDurableBeforeTheFirstByteAndGoneWhenTheCallIsSettled) {
  ControlledDisk disk;
  disk.Hold();
  End end;
  Start(end, "a");
  disk.WaitUntilHeld();
  EXPECT_THAT(network->tokens(), IsEmpty());
  disk.Work();
  network->WaitUntilStarted(1);
  EXPECT_THAT(TokensIn(path), ElementsAre("a"));
  network->End(0, Replied("reply"));
  EXPECT_THAT(end.Wait().reply, IsOkAndHolds("reply"));
  journaled.reset();
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledStartTest, TheThreadThatEndsAnAttemptDoesNotWaitForTheDisk) {
  End settled;
  End open;
  Start(settled, "a");
  network->WaitUntilStarted(1);
  Start(open, "b", /*take=*/false);
  network->WaitUntilStarted(2);
  ControlledDisk disk;
  disk.Hold();
  network->End(0, Replied("reply"));
  disk.WaitUntilHeld();
  network->End(1, Replied("reply"));
  EXPECT_TRUE(open.ended.HasBeenNotified()) << "on this thread, while the disk is held";
  disk.Work();
  journaled.reset();
  EXPECT_THAT(TokensIn(path), ElementsAre("b"));
}

TEST_F(JournaledStartTest, ManyAreWrittenWithFewSyncs) {
  constexpr size_t kCalls = 200;
  ControlledDisk disk;
  disk.Hold();
  std::vector<End> ends(kCalls);
  Start(ends[0], "0");
  disk.WaitUntilHeld();
  for (size_t i = 1; i < kCalls; ++i) Start(ends[i], absl::StrCat(i));
  const int before = disk.sync_count();
  disk.Work();
  network->WaitUntilStarted(kCalls);
  EXPECT_LT(disk.sync_count() - before, 20);
  EXPECT_THAT(TokensIn(path), SizeIs(kCalls));
  for (size_t i = 0; i < kCalls; ++i) network->End(i, Replied("reply"));
  for (End& end : ends) EXPECT_THAT(end.Wait().reply, IsOk());
  journaled.reset();
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledStartTest, WhatIsOpenOrNotTakenStaysAndIsResumed) {
  End refused;
  End kept;
  Start(refused, "a");
  network->WaitUntilStarted(1);
  Start(kept, "b", /*take=*/false);
  network->WaitUntilStarted(2);
  network->End(0, Lost(StatusCode::kPermissionDenied));  // A proxy's; it settles nothing.
  network->End(1, Replied("reply"));
  EXPECT_FALSE(refused.Wait().info.settled);
  EXPECT_TRUE(kept.Wait().info.settled);
  journaled.reset();
  EXPECT_THAT(journal->TakeOver().value(), SizeIs(2));
}

TEST_F(JournaledStartTest, CancelledBeforeTheIntentIsDurableItIsNotSent) {
  ControlledDisk disk;
  disk.Hold();
  End end;
  const CallHandle handle = Start(end, "a");
  disk.WaitUntilHeld();
  handle.Cancel();
  EXPECT_FALSE(end.ended.HasBeenNotified());
  disk.Work();
  EXPECT_THAT(end.Wait().reply, StatusIs(StatusCode::kCancelled));
  EXPECT_TRUE(end.result->info.settled);
  EXPECT_EQ(end.result->info.token, "a");
  journaled.reset();
  EXPECT_THAT(network->tokens(), IsEmpty());
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(JournaledStartTest, CancelledInFlightItStaysInTheJournal) {
  End end;
  const CallHandle handle = Start(end, "a");
  network->WaitUntilStarted(1);
  handle.Cancel();
  EXPECT_THAT(end.Wait().reply, StatusIs(StatusCode::kCancelled));
  EXPECT_FALSE(end.result->info.settled);
  journaled.reset();
  EXPECT_THAT(TokensIn(path), ElementsAre("a"));
}

TEST_F(JournaledStartTest, WhenItGoesItsCallsEndOnceAndTheirIntentsStay) {
  std::vector<End> ends(20);
  for (size_t i = 0; i < ends.size(); ++i) Start(ends[i], absl::StrCat(i));
  network->WaitUntilStarted(ends.size() / 2);
  journaled.reset();
  for (End& end : ends) {
    ASSERT_TRUE(end.ended.HasBeenNotified());
    EXPECT_THAT(end.result->reply, StatusIs(StatusCode::kCancelled));
  }
  std::vector<std::string> open = TokensIn(path);
  EXPECT_THAT(open, testing::UnorderedElementsAreArray(network->tokens())) << "those that were sent, and no others";
}

TEST_F(JournaledStartTest, AJournalThatCannotBeWrittenEndsTheCallAndNothingIsSent) {
  ControlledDisk disk;
  disk.Fail();
  End end;
  Start(end, "a");
  EXPECT_THAT(end.Wait().reply, StatusIs(StatusCode::kUnavailable));
  EXPECT_FALSE(end.result->info.settled) << "after a crash it may turn out to have been written";
  EXPECT_EQ(end.result->info.token, "a");
  journaled.reset();
  EXPECT_THAT(network->tokens(), IsEmpty());
}

TEST_F(JournaledStartTest, OneThatMayNotBeBegunHereDoesNotKeepOthersFromIt) {
  journaled.reset();
  ASSERT_THAT(journal->Begin(CallWith("a"), {.endpoint = "one:1"}), IsOk());
  journal = MustOpen(path);  // So nobody is at work on it.
  const RawCall a = CallWith("a");
  const RawCall b = CallWith("b");
  const RawCall* const calls[] = {&a, &b};
  const auto ids = journal->BeginAll(calls, {.endpoint = "two:1"});
  EXPECT_THAT(ids.at(0), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("one:1")));
  EXPECT_THAT(ids.at(1), IsOk());
  EXPECT_THAT(TokensIn(path), ElementsAre("a", "b"));
}

TEST_F(JournaledStartTest, ATokenThatCannotBeIsNeitherSentNorWrittenDown_C2) {
  for (const std::string& token : {std::string("a b"), std::string(65, 'x')}) {
    End end;
    Start(end, token);
    EXPECT_THAT(end.Wait().reply, StatusIs(StatusCode::kInvalidArgument, HasSubstr("RawCall.token")));
    EXPECT_TRUE(end.result->info.settled);
    const auto waited = journaled->CallRaw(CallWith(token), RetryPolicy(), [](const auto&) { return true; });
    EXPECT_THAT(waited.reply, StatusIs(StatusCode::kInvalidArgument, HasSubstr("RawCall.token")));
    EXPECT_TRUE(waited.info.settled);
  }
  EXPECT_THAT(network->tokens(), IsEmpty());
  EXPECT_EQ(Sql(path, "SELECT seq FROM sqlite_sequence WHERE name = 'intents'"), std::vector<std::string>())
      << "no intent was ever there";
}

}  // namespace
}  // namespace hapax::client
