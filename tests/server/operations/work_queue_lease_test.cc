#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/operations/work_leases.h"
#include "hapax/server/operations/work_queue.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/server/support/null_logger.h"
#include "hapax/tests/server/support/scripted_driver.h"
#include "hapax/tests/server/support/work_lease_fixture.h"
#include "hapax/tests/support/later_field.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

// Work of servers that share a store: each is a queue with a driver and a clock of its own. Time passes, and leases are
// looked at, when the test says so.
namespace hapax {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(WorkQueueLeaseTest, ACallsOwnCommitHoldsTheWork) {
  TestServer server(*store_);
  EXPECT_EQ(server.Resume(), 0);
  const std::vector<std::string> leases = Leases();
  ASSERT_THAT(leases, SizeIs(1));
  server.Schedule({"a"});
  ASSERT_THAT(Open(), SizeIs(1));
  EXPECT_EQ(Open()[0].holder(), leases[0]);
  TestServer other(*store_);
  EXPECT_EQ(other.Resume(), 0);
  EXPECT_THAT(other.driver().performed(), IsEmpty());
}

TEST_F(WorkQueueLeaseTest, C14_WhatADeadServerHeldIsTakenUpOnceItsLeaseHasRunOut) {
  TestServer dead(*store_);
  TestServer other(*store_);
  EXPECT_EQ(dead.Resume() + other.Resume(), 0);
  dead.Schedule({"a"});
  dead.Die();
  other.LookAfter(absl::ZeroDuration());
  other.LookAfter(kLease - absl::Seconds(1));
  EXPECT_THAT(other.driver().performed(), IsEmpty());
  other.LookAfter(absl::Seconds(1));
  EXPECT_THAT(other.driver().performed(), ElementsAre("a"));
  EXPECT_THAT(Leases(), ElementsAre(Open().at(0).holder())) << "the dead one's lease is gone";
  other.LookAfter(2 * kLease);
  EXPECT_THAT(other.driver().performed(), ElementsAre("a")) << "it has it already";
  other.driver().FinishAll();
  other.driver().AwaitCompleted(1);
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_EQ(Completions("a"), "1");
}

TEST_F(WorkQueueLeaseTest, ARenewalKeepsTheWork) {
  TestServer server(*store_);
  TestServer other(*store_);
  EXPECT_EQ(server.Resume() + other.Resume(), 0);
  server.Schedule({"a"});
  for (int i = 0; i < 5; ++i) {
    server.LookAfter(kLease / 2);
    other.LookAfter(kLease / 2);
  }
  EXPECT_THAT(other.driver().performed(), IsEmpty());
  server.driver().FinishAll();
  server.driver().AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
}

//   the slow one                     the other
//   performs a
//                                    its lease has run out: takes a, and performs it
//   completes a: not its own any more
//                                    completes a
TEST_F(WorkQueueLeaseTest, C14_AServerThatLostItsWorkDropsTheCompletion) {
  TestServer slow(*store_);
  TestServer other(*store_);
  EXPECT_EQ(slow.Resume() + other.Resume(), 0);
  LetTakeOver(slow, other, "a");
  slow.driver().FinishAll();
  slow.Schedule({"next"});
  slow.driver().FinishAll();
  slow.driver().AwaitCompleted(1);
  EXPECT_EQ(Completions("next"), "1");
  EXPECT_EQ(Completions("a"), "0");
  EXPECT_THAT(Open(), SizeIs(1));
  other.driver().FinishAll();
  other.driver().AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(WorkQueueLeaseTest, C14_AServerThatComesToItsCompletionLastDropsIt) {
  TestServer slow(*store_);
  TestServer other(*store_);
  EXPECT_EQ(slow.Resume() + other.Resume(), 0);
  LetTakeOver(slow, other, "a");
  other.driver().FinishAll();
  other.driver().AwaitCompleted(1);
  slow.driver().FinishAll();
  slow.Schedule({"next"});
  slow.driver().FinishAll();
  slow.driver().AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
  EXPECT_EQ(Completions("next"), "1");
}

TEST_F(WorkQueueLeaseTest, WhatAnotherHasCompletedIsNotPerformedAgain) {
  TestServer slow(*store_);
  TestServer other(*store_);
  EXPECT_EQ(slow.Resume() + other.Resume(), 0);
  LetTakeOver(slow, other, "a");
  other.driver().FinishAll();
  other.driver().AwaitCompleted(1);
  slow.driver().FinishAll(absl::UnavailableError("not now"));
  slow.Schedule({"next"});
  slow.driver().FinishAll(absl::UnavailableError("not now"));
  slow.driver().AwaitPerformed(3);
  EXPECT_THAT(slow.driver().performed(), ElementsAre("a", "next", "next"));
}

TEST_F(WorkQueueLeaseTest, AServerThatWasLateHoldsItsNewWorkAgain) {
  TestServer late(*store_);
  TestServer other(*store_);
  EXPECT_EQ(late.Resume() + other.Resume(), 0);
  LetTakeOver(late, other, "a");
  late.LookAfter(absl::ZeroDuration());
  late.Schedule({"b"});
  other.LookAfter(absl::ZeroDuration());
  EXPECT_THAT(other.driver().performed(), ElementsAre("a"));
  EXPECT_THAT(Leases(), SizeIs(2));
}

TEST_F(WorkQueueLeaseTest, AServerThatStopsLeavesItsWorkToTheOthersAtOnce) {
  TestServer other(*store_);
  EXPECT_EQ(other.Resume(), 0);
  {
    TestServer server(*store_);
    EXPECT_EQ(server.Resume(), 0);
    server.Schedule({"a"});
    other.LookAfter(absl::ZeroDuration());
    server.queue().Stop();
    server.Schedule({"b"});  // Its commit was under way.
  }
  other.LookAfter(absl::ZeroDuration());
  EXPECT_THAT(other.driver().performed(), testing::UnorderedElementsAre("a", "b"));
}

TEST_F(WorkQueueLeaseTest, WorkThatNamesNoHolderIsFree) {
  const std::string key = KeyBuilder().Uint64(1).Uint64(2).Build();
  store::v1::WorkRecord record;
  record.set_kind(kKind);
  record.set_subject("old");
  AddLaterField(record);
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        PutRow(txn, Table::kWork, key, record);
                        return absl::OkStatus();
                      }),
              IsOk());
  TestServer server(*store_);
  EXPECT_EQ(server.Resume(), 1);
  EXPECT_THAT(server.driver().performed(), ElementsAre("old"));
  EXPECT_THAT(Leases(), ElementsAre(Open().at(0).holder()));
  EXPECT_TRUE(HasLaterField(Open().at(0))) << "C30: of another release";
}

// Such as that of a commit which turned out to be durable after its caller was told UNAVAILABLE.
TEST_F(WorkQueueLeaseTest, WorkThatAServerHoldsWithoutKnowingOfItIsPerformedAfterTwoLooks) {
  TestServer server(*store_);
  EXPECT_EQ(server.Resume(), 0);
  store::v1::WorkRecord record;
  record.set_kind(kKind);
  record.set_subject("unknown");
  record.set_holder(Leases().at(0));
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) {
                        PutRow(txn, Table::kWork, KeyBuilder().Uint64(1).Uint64(2).Build(), record);
                        return absl::OkStatus();
                      }),
              IsOk());
  server.Schedule({"known"});
  server.LookAfter(absl::ZeroDuration());
  EXPECT_THAT(server.driver().performed(), ElementsAre("known")) << "its hook may be about to run";
  server.LookAfter(absl::ZeroDuration());
  EXPECT_THAT(server.driver().performed(), ElementsAre("known", "unknown"));
  server.LookAfter(absl::ZeroDuration());
  server.LookAfter(absl::ZeroDuration());
  server.driver().FinishAll();
  server.driver().AwaitCompleted(2);
  EXPECT_EQ(Completions("unknown"), "1");
  EXPECT_THAT(server.driver().performed(), SizeIs(2));
}

TEST_F(WorkQueueLeaseTest, ASoleServerTakesUpAllWorkAtOnceAndHasNoLease) {
  TestServer earlier(*store_);
  EXPECT_EQ(earlier.Resume(), 0);
  earlier.Schedule({"a"});
  earlier.Die();
  TestServer sole(*store_, {.sole_server = true});
  EXPECT_EQ(sole.Resume(), 1);
  EXPECT_THAT(sole.driver().performed(), ElementsAre("a"));
  EXPECT_THAT(Leases(), SizeIs(1)) << "the earlier one's";
  sole.LookAfter(kLease);
  EXPECT_THAT(Leases(), SizeIs(1)) << "nor does it look for others'";
  sole.Schedule({"b"});
  EXPECT_EQ(Open().at(1).holder(), "");
  sole.driver().FinishAll();
  sole.driver().AwaitCompleted(2);
  EXPECT_EQ(Completions("a"), "1");
}

TEST_F(WorkQueueLeaseTest, ServersThatLookAtOnceTakeEachPieceOnce) {
  constexpr int kCount = 100;
  constexpr int kServers = 3;
  std::vector<std::unique_ptr<TestServer>> servers;
  for (int i = 0; i < kServers; ++i) {
    EXPECT_EQ(servers.emplace_back(std::make_unique<TestServer>(*store_))->Resume(), 0);
  }
  TestServer dead(*store_);
  EXPECT_EQ(dead.Resume(), 0);
  std::vector<std::string> subjects;
  for (int i = 0; i < kCount; ++i) subjects.push_back(absl::StrCat("subject-", i));
  dead.Schedule(subjects);
  dead.Die();
  // All begin to watch before the first can take anything, and live on.
  for (const absl::Duration passed : {absl::ZeroDuration(), kLease - absl::Seconds(1)}) {
    for (const auto& server : servers) server->LookAfter(passed);
  }
  std::vector<std::thread> threads;
  for (const auto& server : servers) threads.emplace_back([&] { server->LookAfter(absl::Seconds(1)); });
  for (std::thread& thread : threads) thread.join();
  std::vector<std::string> performed;
  for (const auto& server : servers) {
    for (const std::string& subject : server->driver().performed()) performed.push_back(subject);
    server->driver().FinishAll();
  }
  EXPECT_THAT(performed, testing::UnorderedElementsAreArray(subjects));
  for (const auto& server : servers) {
    server->driver().AwaitCompleted(static_cast<int>(server->driver().performed().size()));
  }
  std::vector<std::string> completions;
  for (const std::string& subject : subjects) completions.push_back(Completions(subject));
  EXPECT_THAT(completions, Each("1"));
}

//   one that looks            the late one
//   sees its lease run out
//                             renews it
//   begins to take its work
TEST_F(WorkQueueLeaseTest, ALeaseThatIsRenewedAtTheLastMomentKeepsTheWork) {
  ManualClock clock;
  WorkLeases late(*store_, clock, kLease);
  WorkLeases other(*store_, clock, kLease);
  ASSERT_THAT(late.Renew(), IsOk());
  ASSERT_THAT(other.Look(), IsOk());
  clock.Advance(kLease);
  ASSERT_THAT(other.Look(), IsOk());
  EXPECT_TRUE(other.IsFree(late.holder()));
  EXPECT_FALSE(other.IsFree(other.holder()));
  const auto is_still_free = [&] {
    absl::StatusOr<bool> free;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) {
                        free = other.IsStillFree(txn, late.holder());
                        return free.status();
                      }),
                IsOk());
    return free.value_or(true);
  };
  EXPECT_TRUE(is_still_free());
  ASSERT_THAT(late.Renew(), IsOk());
  EXPECT_FALSE(is_still_free());
  ASSERT_THAT(other.DeleteRunOut(), IsOk());
  EXPECT_THAT(Leases(), ElementsAre(late.holder()));
  ASSERT_THAT(other.Look(), IsOk());
  EXPECT_FALSE(other.IsFree(late.holder()));
}

TEST_F(WorkQueueLeaseTest, WorkOfAnotherKindIsLeftToAServerThatCanDoIt) {
  TestServer dead(*store_);
  ScriptedDriver special;
  dead.queue().AddDriver("test.special", kService, special);
  TestServer other(*store_);
  EXPECT_EQ(dead.Resume() + other.Resume(), 0);
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_RETURN_IF_ERROR(dead.queue().Schedule(txn, "test.special", "s"));
                        return dead.queue().Schedule(txn, kKind, "a");
                      }),
              IsOk());
  dead.Die();
  other.LookAfter(absl::ZeroDuration());
  other.LookAfter(kLease);
  EXPECT_THAT(other.driver().performed(), ElementsAre("a"));
  EXPECT_THAT(Open(), SizeIs(2));
  static_cast<void>(special.TakeHeld());
}

TEST_F(WorkQueueLeaseTest, AStartLeavesWorkOfAnotherKindToAServerThatCanDoIt) {
  ScriptedDriver special;
  {
    TestServer gone(*store_);
    gone.queue().AddDriver("test.special", kService, special);
    EXPECT_EQ(gone.Resume(), 0);
    ASSERT_THAT(Execute(*store_, [&](Transaction& txn) { return gone.queue().Schedule(txn, "test.special", "s"); }),
                IsOk());
    static_cast<void>(special.TakeHeld());
  }
  const std::string holder = Open().at(0).holder();
  TestServer server(*store_);
  EXPECT_EQ(server.Resume(), 0);
  EXPECT_THAT(Open(), SizeIs(1));
  EXPECT_EQ(Open().at(0).holder(), holder);
  TestServer able(*store_);
  able.queue().AddDriver("test.special", kService, special);
  EXPECT_EQ(able.Resume(), 1);
  EXPECT_THAT(special.performed(), ElementsAre("s", "s"));
  special.FinishAll();
  special.AwaitCompleted(1);
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_F(WorkQueueLeaseTest, AServerLooksByItself) {
  const WorkQueue::Options short_lease = {.lease = absl::Milliseconds(20)};
  const SystemClock clock;
  const auto logger = NullLogger();
  ScriptedDriver driver;
  WorkQueue queue(*store_, clock, *logger, short_lease);
  queue.AddDriver(kKind, kService, driver);
  ASSERT_THAT(queue.Resume(), IsOkAndHolds(0));
  TestServer dead(*store_, short_lease);
  ASSERT_THAT(dead.queue().FindOpenWork(), IsOkAndHolds(0));
  dead.Schedule({"a"});
  dead.Die();
  driver.AwaitPerformed(1);
  driver.FinishAll();
  driver.AwaitCompleted(1);
  EXPECT_EQ(Completions("a"), "1");
}

}  // namespace
}  // namespace hapax
