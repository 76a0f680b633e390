#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/journal/journaled_caller.h"
#include "hapax/client/journal/token_journal.h"
#include "hapax/tests/client/call/attempt_ends.h"
#include "hapax/tests/client/child_roles.h"
#include "hapax/tests/client/journal/journal_files.h"
#include "hapax/tests/support/child_process.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/temp_dir.h"

// A journal and processes that use it, and die. A child tells what it did in bytes of its standard output.
namespace hapax::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kCalls = 20;

void Tell(char what) {
  if (write(STDOUT_FILENO, &what, 1) != 1) _exit(1);
}
[[noreturn]] void Die() {
  kill(getpid(), SIGKILL);
  while (true) pause();
}

// Where a process dies on its way through a call.
enum class Point { kBeforeItSends, kWhenItHasSent, kWhenTheReplyIsThere, kWhenTheReplyIsTaken, kNowhere };

// Replies to everything; dies where it is told.
class FatalConnection final : public Connection {
 public:
  explicit FatalConnection(Point point) : point_(point) {}
  Cancel Start(Attempt attempt, Done done) override {
    if (point_ == Point::kBeforeItSends) Die();
    Tell('s');
    if (point_ == Point::kWhenItHasSent) Die();
    std::move(done)(Replied("reply to " + attempt.request));
    return [] {};
  }

 private:
  const Point point_;
};

// The children.
int BeginAndStay(const std::string& path) {
  const auto journal = MustOpen(path);
  for (int i = 0; i < kCalls; ++i) EXPECT_THAT(journal->Begin(CallWith(absl::StrCat(i))), IsOk());
  Tell('r');
  while (true) pause();
}
int CallAndDie(const std::string& path, Point point) {
  const auto journal = MustOpen(path);
  Caller caller(std::make_shared<FatalConnection>(point));
  JournaledCaller journaled(caller, *journal);
  const auto result = journaled.CallRaw(CallWith("a"), RetryPolicy(), [&](const Result<std::string>& end) {
    if (point == Point::kWhenTheReplyIsThere) Die();
    Tell(end.reply.ok() ? 't' : 'e');
    if (point == Point::kWhenTheReplyIsTaken) Die();
    return true;
  });
  return result.reply.ok() ? 0 : 1;
}
int StartAndDie(const std::string& path) {
  class Silent final : public Connection {
   public:
    Cancel Start(Attempt, Done done) override {
      Tell('s');
      if (dones_.push_back(std::move(done)); dones_.size() == kCalls) Die();
      return [] {};
    }

   private:
    std::vector<Done> dones_;
  };
  const auto journal = MustOpen(path);
  Caller caller(std::make_shared<Silent>());
  JournaledCaller journaled(caller, *journal);
  for (int i = 0; i < kCalls; ++i) {
    journaled.StartRaw(CallWith(absl::StrCat(i)), RetryPolicy(), [](const Result<std::string>&) { return true; });
  }
  while (true) pause();
}
int DieBeforeSync(const std::string& path, int last) {
  SetDiskSyncHook([left = std::make_shared<std::atomic<int>>(last)](int) {
    if (--*left == 0) Die();
    return 0;
  });
  for (int i = 0; i < 3; ++i) {
    if (CallAndDie(path, Point::kNowhere) != 0) return 1;
  }
  return 0;
}
int UseAlongsideOthers(const std::string& path) {
  const auto journal = MustOpen(path);
  for (int i = 0; i < 2 * kCalls; ++i) {
    const auto id = journal->Begin(CallWith(absl::StrCat(getpid(), ".", i)));
    if (!id.ok() || (i % 2 == 0 && !journal->Complete(*id).ok())) return 1;
  }
  Tell('r');
  return 0;
}
int TakeOverAndDie(const std::string& path) {
  const auto journal = MustOpen(path);
  const auto intents = journal->TakeOver();
  if (!intents.ok()) return 1;
  for (size_t i = 0; i < intents->size(); ++i) Tell('i');
  Tell('r');
  Die();
}

[[maybe_unused]] const bool roles_are_added = [] {
  ChildRoles().insert({
      {"--begin", [](const std::string& path, int) { return BeginAndStay(path); }},
      {"--call", [](const std::string& path, int point) { return CallAndDie(path, static_cast<Point>(point)); }},
      {"--start", [](const std::string& path, int) { return StartAndDie(path); }},
      {"--sync", DieBeforeSync},
      {"--use", [](const std::string& path, int) { return UseAlongsideOthers(path); }},
      {"--take_over", [](const std::string& path, int) { return TakeOverAndDie(path); }},
  });
  return true;
}();

// All that the child says until it has ended.
std::string ReadAll(ChildProcess& child) {
  std::string said;
  for (char byte = 0; child.Read(&byte, 1);) said.push_back(byte);
  return said;
}
void WaitFor(ChildProcess& child, char expected) {
  char byte = 0;
  ASSERT_TRUE(child.Read(&byte, 1));
  ASSERT_EQ(byte, expected);
}

class TokenJournalProcessTest : public testing::Test {
 protected:
  const TempDir dir;
  const std::string path = dir.Path("journal");
};

TEST_F(TokenJournalProcessTest, ADeadProcessIsTakenOverAndALivingOneIsNot) {
  ChildProcess child({"--begin", path});
  WaitFor(child, 'r');
  const auto journal = MustOpen(path);
  EXPECT_THAT(journal->TakeOver(), IsOkAndHolds(IsEmpty()));
  child.Kill();
  EXPECT_EQ(child.Wait(), SIGKILL);
  const auto intents = journal->TakeOver();
  ASSERT_THAT(intents, IsOkAndHolds(SizeIs(kCalls)));
  for (int i = 0; i < kCalls; ++i) EXPECT_EQ((*intents)[static_cast<size_t>(i)].call.token, absl::StrCat(i));
}

TEST_F(TokenJournalProcessTest, OneThatDiesHavingTakenOverIsTakenOver) {
  ChildProcess first({"--begin", path});
  WaitFor(first, 'r');
  first.Kill();
  first.Wait();
  ChildProcess second({"--take_over", path});
  EXPECT_THAT(ReadAll(second), SizeIs(kCalls + 1));
  EXPECT_EQ(second.Wait(), SIGKILL);
  EXPECT_THAT(MustOpen(path)->TakeOver(), IsOkAndHolds(SizeIs(kCalls)));
}

TEST_F(TokenJournalProcessTest, WhatIsInTheJournalAfterADeathAtEachPointOfACall) {
  const struct {
    Point point;
    std::string said;
    std::vector<std::string> left;
  } kCases[] = {
      {Point::kBeforeItSends, "", {"a"}},
      {Point::kWhenItHasSent, "s", {"a"}},
      {Point::kWhenTheReplyIsThere, "s", {"a"}},
      {Point::kWhenTheReplyIsTaken, "st", {"a"}},
      {Point::kNowhere, "st", {}},
  };
  for (const auto& [point, said, left] : kCases) {
    SCOPED_TRACE(static_cast<int>(point));
    const TempDir its_dir;
    const std::string its_path = its_dir.Path("journal");
    ChildProcess child({"--call", its_path, absl::StrCat(static_cast<int>(point))});
    EXPECT_EQ(ReadAll(child), said);
    EXPECT_EQ(child.Wait(), point == Point::kNowhere ? 0 : SIGKILL);

    const auto journal = MustOpen(its_path);
    EXPECT_EQ(TokensIn(its_path), left);
    class Replaying final : public Connection {
      Cancel Start(Attempt attempt, Done done) override {
        std::move(done)(Replied("reply to " + attempt.request, "replayed"));
        return [] {};
      }
    };
    Caller caller(std::make_shared<Replaying>());
    JournaledCaller journaled(caller, *journal);
    std::vector<std::string> ends;
    EXPECT_THAT(journaled.ResumePending([&](const TokenJournal::Intent& intent, const Result<std::string>& end) {
      EXPECT_THAT(end.reply, IsOkAndHolds("reply to request of a"));
      ends.push_back(intent.call.token);
      return true;
    }),
                IsOkAndHolds(0));
    EXPECT_EQ(ends, left);
    EXPECT_THAT(TokensIn(its_path), IsEmpty());
  }
}

TEST_F(TokenJournalProcessTest, AsynchronousCallsThatADeathCutShortAreResumed) {
  ChildProcess child({"--start", path});
  EXPECT_THAT(ReadAll(child), SizeIs(kCalls));
  EXPECT_EQ(child.Wait(), SIGKILL);
  const auto journal = MustOpen(path);
  Caller caller(std::make_shared<FatalConnection>(Point::kNowhere));
  JournaledCaller journaled(caller, *journal);
  std::set<std::string> replies;
  EXPECT_THAT(journaled.ResumePending([&](const TokenJournal::Intent&, const Result<std::string>& end) {
    return end.reply.ok() && replies.insert(*end.reply).second;
  }),
              IsOkAndHolds(0));
  EXPECT_THAT(replies, SizeIs(kCalls));
  EXPECT_THAT(TokensIn(path), IsEmpty());
}

TEST_F(TokenJournalProcessTest, ADeathAtEachSyncLosesNoCallThatWasSent) {
  bool finished = false;
  int deaths = 0;
  while (!finished) {
    SCOPED_TRACE(absl::StrCat("before sync ", ++deaths));
    const TempDir its_dir;
    const std::string its_path = its_dir.Path("journal");
    ChildProcess child({"--sync", its_path, absl::StrCat(deaths)});
    const std::string said = ReadAll(child);
    finished = child.Wait() == 0;
    const auto sent = std::count(said.begin(), said.end(), 's');
    const auto taken = std::count(said.begin(), said.end(), 't');
    const auto intents = MustOpen(its_path)->TakeOver();
    ASSERT_THAT(intents, IsOk());
    // One is under way at a time: the one that was not sent, or not taken out, is there at most once.
    EXPECT_LE(intents->size(), 1u);
    if (sent > taken) {
      EXPECT_THAT(TokensOf(*intents), ElementsAre("a"));
    }
    if (finished) {
      EXPECT_THAT(*intents, IsEmpty());
    }
  }
  EXPECT_GT(deaths, 6);
}

TEST_F(TokenJournalProcessTest, SeveralUseAFileAtOnceAndNothingIsLost) {
  {
    ChildProcess first({"--use", path});
    ChildProcess second({"--use", path});
    ChildProcess third({"--use", path});
    const auto journal = MustOpen(path);
    std::vector<std::string> mine;
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_THAT(journal->Begin(CallWith(absl::StrCat("mine.", i))), IsOk());
      EXPECT_THAT(journal->TakeOver(), IsOk());
    }
    for (ChildProcess* const child : {&first, &second, &third}) EXPECT_EQ(ReadAll(*child), "r");
  }
  const auto intents = MustOpen(path)->TakeOver();
  ASSERT_THAT(intents, IsOkAndHolds(SizeIs(4 * kCalls)));
  const std::vector<std::string> tokens = TokensOf(*intents);
  EXPECT_THAT(std::set<std::string>(tokens.begin(), tokens.end()), SizeIs(4 * kCalls));
}

TEST_F(TokenJournalProcessTest, SeveralTakeOverAtOnceAndEachIntentIsOnes) {
  {
    ChildProcess child({"--begin", path});
    WaitFor(child, 'r');
  }
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<TokenJournal>> journals;
  for (int i = 0; i < 6; ++i) journals.push_back(MustOpen(path));
  std::vector<size_t> counts(journals.size());
  for (size_t i = 0; i < journals.size(); ++i) {
    threads.emplace_back([&, i] { counts[i] = journals[i]->TakeOver().value().size(); });
  }
  for (std::thread& thread : threads) thread.join();
  size_t total = 0;
  for (const size_t count : counts) total += count;
  EXPECT_EQ(total, static_cast<size_t>(kCalls));
}

}  // namespace
}  // namespace hapax::client
