#include "hapax/client/journal/token_journal.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/client/journal/journal_files.h"
#include "hapax/tests/client/journal/journal_fixture.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using TokenJournalTest = JournalFixture;

TEST_F(TokenJournalTest, AnIntentIsThereForOthersToReadWhenBeginReturns) {
  const auto journal = MustOpen(path);
  ASSERT_THAT(journal->Begin(CallWith("first")), IsOk());
  EXPECT_THAT(TokensIn(path), ElementsAre("first"));
}

TEST_F(TokenJournalTest, AnIntentIsOnTheDiskWhenBeginReturns) {
  const auto journal = MustOpen(path);
  ControlledDisk disk;
  ASSERT_THAT(journal->Begin(CallWith("first")), IsOk());
  const int synced = disk.sync_count();
  EXPECT_GE(synced, 1);
  ASSERT_THAT(journal->Begin(CallWith("second")), IsOk());
  EXPECT_GT(disk.sync_count(), synced);
}

TEST_F(TokenJournalTest, ADiskThatFailsIsAnError) {
  const auto journal = MustOpen(path);
  ControlledDisk disk;
  disk.Fail();
  EXPECT_THAT(journal->Begin(CallWith("lost")), StatusIs(StatusCode::kUnavailable, HasSubstr(path)));
  disk.Work();
  EXPECT_THAT(journal->Begin(CallWith("kept")), IsOk());
  EXPECT_THAT(TokensIn(path), testing::Contains("kept"));
}

TEST_F(TokenJournalTest, CompleteTakesAnIntentOut) {
  const auto journal = MustOpen(path);
  const int64_t first = journal->Begin(CallWith("first")).value();
  ASSERT_THAT(journal->Begin(CallWith("second")), IsOk());
  EXPECT_THAT(journal->Complete(first), IsOk());
  EXPECT_THAT(TokensIn(path), ElementsAre("second"));
  EXPECT_THAT(journal->Complete(first), IsOk()) << "it is not there any more";
}

TEST_F(TokenJournalTest, AnIntentComesBackAsItWas) {
  const RawCall call = {.method = "a.B/C",
                        .request = std::string("\0\xff binary \n", 11),
                        .token = "the-token",
                        .token_in_request = true};
  const absl::Time before = absl::Now();
  {
    const auto journal = MustOpen(path);
    ASSERT_THAT(journal->Begin(call), IsOk());
    ASSERT_THAT(journal->Begin({.method = "a.B/D", .token = "other"}), IsOk());
  }
  const auto intents = MustOpen(path)->TakeOver();
  ASSERT_THAT(intents, IsOkAndHolds(SizeIs(2)));
  const TokenJournal::Intent& first = intents->front();
  EXPECT_EQ(first.call.method, call.method);
  EXPECT_EQ(first.call.request, call.request);
  EXPECT_EQ(first.call.token, call.token);
  EXPECT_TRUE(first.call.token_in_request);
  EXPECT_TRUE(first.call.retryable);
  EXPECT_TRUE(first.call.attempted_before);
  EXPECT_GE(first.begun, before - absl::Milliseconds(1));
  EXPECT_LE(first.begun, absl::Now());
  EXPECT_EQ(intents->back().call.request, "");
  EXPECT_FALSE(intents->back().call.token_in_request);
}

TEST_F(TokenJournalTest, TakeOverGivesWhatNobodyIsAtWorkOnOldestFirst) {
  const auto journal = MustOpen(path);
  std::vector<int64_t> ids;
  for (const char* const token : {"a", "b", "c", "d"}) ids.push_back(journal->Begin(CallWith(token)).value());
  EXPECT_THAT(journal->TakeOver(), IsOkAndHolds(IsEmpty())) << "this journal is at work on all of them";
  journal->LeaveOpen(ids[2]);
  journal->LeaveOpen(ids[0]);
  EXPECT_THAT(TokensOf(journal->TakeOver().value()), ElementsAre("a", "c"));
  EXPECT_THAT(journal->TakeOver(), IsOkAndHolds(IsEmpty())) << "now somebody is at work on these as well";
  EXPECT_THAT(journal->Complete(ids[0]), IsOk());
  journal->LeaveOpen(ids[2]);
  EXPECT_THAT(TokensOf(journal->TakeOver().value()), ElementsAre("c"));
}

TEST_F(TokenJournalTest, TakeOverLeavesThoseOfAnotherJournalUntilItEnds) {
  const auto mine = MustOpen(path);
  auto other = MustOpen(path);
  const int64_t id = other->Begin(CallWith("other's")).value();
  other->LeaveOpen(id);
  EXPECT_THAT(mine->TakeOver(), IsOkAndHolds(IsEmpty())) << "it lives";
  other.reset();
  EXPECT_THAT(TokensOf(mine->TakeOver().value()), ElementsAre("other's"));
  const auto third = MustOpen(path);
  EXPECT_THAT(third->TakeOver(), IsOkAndHolds(IsEmpty())) << "it is mine now";
}

TEST_F(TokenJournalTest, NobodyElseMayReadTheFiles) {
  const mode_t old_mask = ::umask(0);
  const auto journal = MustOpen(path);
  EXPECT_THAT(journal->Begin(CallWith("secret")), IsOk());
  ::umask(old_mask);
  const std::vector<std::string> files = FilesOf(path);
  EXPECT_GE(files.size(), 3u) << "the journal, its owners, and SQLite's write-ahead log";
  for (const std::string& file : files) {
    struct stat found {};
    ASSERT_EQ(::stat(file.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600) << file;
  }
}

TEST_F(TokenJournalTest, DoesNotGrowWithoutEnd) {
  const auto journal = MustOpen(path);
  uintmax_t largest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const int64_t id = journal->Begin(CallWith(absl::StrCat("token-", i))).value();
    ASSERT_THAT(journal->Complete(id), IsOk());
    if (i % 500 != 0) continue;
    uintmax_t size = 0;
    for (const std::string& file : FilesOf(path)) size += std::filesystem::file_size(file);
    largest = std::max(largest, size);
  }
  EXPECT_LT(largest, 6u << 20);
  EXPECT_LT(std::filesystem::file_size(path), 64u << 10);
}

TEST_F(TokenJournalTest, AnIntentKnowsWhereItWasBegun) {
  const Destination where{.endpoint = "one:1", .caller = "API key a1"};
  ASSERT_THAT(MustOpen(path)->Begin(CallWith("token"), where), IsOk());
  const auto journal = MustOpen(path);
  const auto intents = journal->TakeOver();
  ASSERT_THAT(intents, IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(intents->front().destination, where);
  ASSERT_THAT(journal->Complete(intents->front().id), IsOk());
  EXPECT_THAT(Sql(path, "SELECT COUNT(*) FROM destinations"), ElementsAre("0"));
}

TEST_F(TokenJournalTest, TheSameCallMayBeUnderWayAtSeveralDestinations) {
  const auto journal = MustOpen(path);
  const auto other = MustOpen(path);
  EXPECT_THAT(journal->Begin(CallWith("token"), {.endpoint = "one:1"}), IsOk());
  EXPECT_THAT(journal->Begin(CallWith("token"), {.endpoint = "two:1"}), IsOk());
  EXPECT_THAT(other->Begin(CallWith("token"), {.endpoint = "three:1"}), IsOk());
}

// As version 1 of the file was.
TEST_F(TokenJournalTest, AnOlderJournalIsBroughtUpToDateInPlace) {
  MustOpen(path).reset();
  Sql(path,
      "DROP TABLE destinations; PRAGMA user_version = 1; INSERT INTO owners VALUES (7); "
      "INSERT INTO intents VALUES (3, 7, 5, 'a.B/C', 'request', 'old', 1)");
  {
    const auto journal = MustOpen(path);
    ASSERT_THAT(journal->Begin(CallWith("new"), {.endpoint = "one:1"}), IsOk());
  }
  EXPECT_THAT(Sql(path, "PRAGMA user_version"), ElementsAre("2"));
  const auto intents = MustOpen(path)->TakeOver();
  ASSERT_THAT(intents, IsOk());
  EXPECT_THAT(TokensOf(*intents), ElementsAre("old", "new"));
  EXPECT_EQ(intents->front().call.request, "request");
  EXPECT_EQ(intents->front().destination, Destination()) << "nobody wrote it down";
  EXPECT_EQ(intents->back().destination, Destination{.endpoint = "one:1"});
}

TEST_F(TokenJournalTest, OwnersThatLeaveNothingAreForgotten) {
  for (int i = 0; i < 20; ++i) {
    const auto journal = MustOpen(path);
    ASSERT_THAT(journal->Complete(journal->Begin(CallWith("token")).value()), IsOk());
  }
  EXPECT_THAT(Sql(path, "SELECT COUNT(*) FROM owners"), ElementsAre("0"));
}

TEST_F(TokenJournalTest, ManyThreadsUseOneJournal) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 50;
  const auto journal = MustOpen(path);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&journal, thread] {
      for (int i = 0; i < kCalls; ++i) {
        const auto id = journal->Begin(CallWith(absl::StrCat(thread, ".", i)));
        ASSERT_THAT(id, IsOk());
        if (i % 2 == 0) {
          EXPECT_THAT(journal->Complete(*id), IsOk());
        } else if (i % 5 == 0) {
          journal->LeaveOpen(*id);
          EXPECT_THAT(journal->TakeOver(), IsOk());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(TokensIn(path), SizeIs(kThreads * kCalls / 2));
}

TEST_F(TokenJournalTest, ManyOpenTheSameNewFileAtOnce) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 10; ++i) {
        const auto journal = TokenJournal::Open(path);
        ASSERT_THAT(journal, IsOk());
        EXPECT_THAT((*journal)->Begin(CallWith(absl::StrCat(thread, ".", i))), IsOk());
        EXPECT_THAT((*journal)->TakeOver(), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(MustOpen(path)->TakeOver(), IsOkAndHolds(SizeIs(80))) << "no owner is forgotten with its intents";
}

}  // namespace
}  // namespace hapax::client
