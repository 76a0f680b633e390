#include "hapax/storage/rocksdb/group_commit.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/rocksdb/engine.h"
#include "hapax/tests/support/disk_sync.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax {
namespace {

using absl::StatusCode;

constexpr Table kTable = Table::kResources;
constexpr size_t kMaxWaiting = 2'000;

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest()
      : engine_(*RocksDbEngine::Open({.path = dir_.Path("data")})), group_commit_(*engine_, kMaxWaiting) {}

  void Put(const std::string& key, const std::string& value, const TransactionOutcome& outcome) {
    group_commit_.Execute(
        [=](Transaction& txn) {
          txn.Put(kTable, key, value);
          return absl::OkStatus();
        },
        outcome.Done());
  }

  // What a body of its own sees, or "none"; returns when the body has run, which may be during a sync.
  std::string SeenByNextBody(const std::string& key, const TransactionOutcome& outcome,
                             const absl::Status& result = absl::OkStatus()) {
    std::string seen;
    absl::Notification ran;
    group_commit_.Execute(
        [&](Transaction& txn) {
          seen = txn.Get(kTable, key)->value_or("none");
          absl::Status status = result;
          ran.Notify();
          return status;
        },
        outcome.Done());
    ran.WaitForNotification();
    return seen;
  }

  [[nodiscard]] std::string InDatabase(const std::string& key) const {
    return (*engine_->Current())->Get(kTable, key, nullptr)->value_or("none");
  }

  const TempDir dir_;
  const std::unique_ptr<RocksDbEngine> engine_;
  GroupCommit group_commit_;
  ControlledDisk disk_;  // The last, so that it lets go of what it holds before others wait for that.
};

TEST_F(GroupCommitTest, NobodyIsToldAndNothingIsVisibleBeforeTheSync) {
  bool hook_ran = false;
  TransactionOutcome outcome;
  disk_.Hold();
  group_commit_.Execute(
      [&](Transaction& txn) {
        txn.Put(kTable, "key", "value");
        txn.OnCommit([&] { hook_ran = true; });
        return absl::OkStatus();
      },
      outcome.Done());
  disk_.WaitUntilHeld();
  EXPECT_FALSE(hook_ran);
  EXPECT_FALSE(outcome.settled());
  EXPECT_EQ(InDatabase("key"), "none");
  disk_.Work();
  EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_TRUE(hook_ran);
  EXPECT_EQ(InDatabase("key"), "value");
}

TEST_F(GroupCommitTest, BodiesSeeEarlierWritesThatAreNotSyncedYet) {
  const std::vector<TransactionOutcome> outcomes(4);
  disk_.Hold();
  Put("a", "1", outcomes[0]);
  disk_.WaitUntilHeld();
  EXPECT_EQ(SeenByNextBody("a", outcomes[1]), "1");  // The group before this one wrote it.
  Put("b", "2", outcomes[2]);
  EXPECT_EQ(SeenByNextBody("b", outcomes[3]), "2");  // An earlier body of this group did.
  EXPECT_EQ(InDatabase("a"), "none");
  disk_.Work();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(InDatabase("a"), "1");
  EXPECT_EQ(InDatabase("b"), "2");
}

// A replay only reads, and a refusal writes nothing: yet they tell what they read.
TEST_F(GroupCommitTest, WhoOnlyReadIsNotToldBeforeWhatItReadIsDurable) {
  TransactionOutcome writer;
  TransactionOutcome reader;
  TransactionOutcome refused;
  TransactionOutcome last;
  disk_.Hold();
  Put("key", "value", writer);
  disk_.WaitUntilHeld();
  EXPECT_EQ(SeenByNextBody("key", reader), "value");
  EXPECT_EQ(SeenByNextBody("key", refused, absl::AlreadyExistsError("key")), "value");
  SeenByNextBody("key", last);  // So that the ones before have left the executor.
  EXPECT_FALSE(reader.settled());
  EXPECT_FALSE(refused.settled());
  disk_.Work();
  EXPECT_THAT(reader.Wait(), IsOk());
  EXPECT_THAT(refused.Wait(), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(InDatabase("key"), "value");
}

TEST_F(GroupCommitTest, TransactionsThatOnlyReadNeedNoSync) {
  TransactionOutcome outcome;
  EXPECT_EQ(SeenByNextBody("key", outcome), "none");
  EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(disk_.sync_count(), 0);
}

TEST_F(GroupCommitTest, ThoseWhoWaitTogetherShareASyncUpToTheGroupLimit) {
  constexpr int kGroupLimit = 64;
  for (const auto& [waiting, syncs] : {std::pair(10, 1), std::pair(kGroupLimit, 1), std::pair(kGroupLimit + 1, 2)}) {
    const int before = disk_.sync_count();
    BlockedBody blocked;
    TransactionOutcome blocked_outcome;
    group_commit_.Execute(blocked.Body(), blocked_outcome.Done());
    blocked.WaitUntilStarted();
    std::vector<TransactionOutcome> outcomes(waiting);
    for (int i = 0; i < waiting; ++i) Put(std::to_string(i), "value", outcomes[i]);
    blocked.Release();
    for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
    EXPECT_EQ(disk_.sync_count() - before, syncs) << waiting;
    EXPECT_THAT(blocked_outcome.Wait(), IsOk());
  }
}

TEST_F(GroupCommitTest, PartiesTakeTurns) {
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  group_commit_.Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();
  std::vector<std::string> ran;
  const auto note = [&](const std::string& name, const TransactionOutcome& outcome, std::string_view party) {
    group_commit_.Execute(
        [&ran, name](Transaction&) {
          ran.push_back(name);
          return absl::OkStatus();
        },
        outcome.Done(), party);
  };
  const std::vector<TransactionOutcome> outcomes(5);
  note("a1", outcomes[0], "a");
  note("a2", outcomes[1], "a");
  note("a3", outcomes[2], "a");
  note("b1", outcomes[3], "b");
  note("b2", outcomes[4], "b");
  blocked.Release();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_THAT(ran, testing::ElementsAre("a1", "b1", "a2", "b2", "a3"));
  EXPECT_THAT(blocked_outcome.Wait(), IsOk());
}

// Whoever comes waits for two groups.
TEST_F(GroupCommitTest, C32_APartyHasFewInEachGroupWhileOthersAreAbout) {
  constexpr int kFlood = 40;
  BlockedBody blocked;
  const std::vector<TransactionOutcome> outcomes(kFlood + 2);
  group_commit_.Execute(blocked.Body(), outcomes[0].Done());
  blocked.WaitUntilStarted();
  const int before = disk_.sync_count();
  for (int i = 0; i < kFlood + 1; ++i) {
    group_commit_.Execute(
        [i](Transaction& txn) {
          txn.Put(kTable, std::to_string(i), "value");
          return absl::OkStatus();
        },
        outcomes[i + 1].Done(), i < kFlood ? "flood" : "quiet");
  }
  blocked.Release();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(disk_.sync_count() - before, 5);  // The first has 15 and 1, three have 8, and the last has 1.
}

// Together they would keep for long those who come after them.
TEST_F(GroupCommitTest, C32_AGroupThatHasReadOrWrittenMuchTakesNoMore) {
  const std::string large(size_t{2} << 20, 'x');
  const std::vector<TransactionOutcome> outcomes(6);
  Put("large", large, outcomes[0]);
  EXPECT_THAT(outcomes[0].Wait(), IsOk());
  BlockedBody blocked;
  group_commit_.Execute(blocked.Body(), outcomes[1].Done());
  blocked.WaitUntilStarted();
  const int before = disk_.sync_count();
  for (int i = 2; i < 4; ++i) Put(std::to_string(i), large, outcomes[i]);
  for (int i = 4; i < 6; ++i) {
    group_commit_.Execute(
        [i](Transaction& txn) {
          txn.Put(kTable, std::to_string(i), "value");
          return txn.Get(kTable, "large").status();
        },
        outcomes[i].Done());
  }
  blocked.Release();
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_EQ(disk_.sync_count() - before, 4);
}

TEST_F(GroupCommitTest, C32_WhatATransactionReadsAndWritesIsPaidByThePartysNext) {
  constexpr size_t kBytes = size_t{256} << 10;  // As many as of sixteen turns.
  const std::vector<TransactionOutcome> outcomes(44);
  auto outcome = outcomes.begin();
  Put("large", std::string(kBytes, 'x'), *outcome);
  EXPECT_THAT((outcome++)->Wait(), IsOk());
  BlockedBody blocked;
  group_commit_.Execute(blocked.Body(), (outcome++)->Done());
  blocked.WaitUntilStarted();
  std::string ran;
  const auto note = [&](char name, std::string_view party, Store::Body body) {
    group_commit_.Execute(
        [&ran, name, body = std::move(body)](Transaction& txn) mutable {
          ran += name;
          return body(txn);
        },
        (outcome++)->Done(), party);
  };
  note('w', "large", [](Transaction& txn) {
    txn.Put(kTable, "written", std::string(kBytes, 'x'));
    return absl::OkStatus();
  });
  note('r', "large", [](Transaction& txn) { return txn.Get(kTable, "large").status(); });
  for (int i = 0; i < 40; ++i) note('s', "small", [](Transaction&) { return absl::OkStatus(); });
  blocked.Release();
  for (const TransactionOutcome& each : outcomes) EXPECT_THAT(each.Wait(), IsOk());
  EXPECT_EQ(ran, "w" + std::string(17, 's') + 'r' + std::string(23, 's'));
}

TEST_F(GroupCommitTest, OneMoreThanMayWaitIsRefusedAtOnceAndNotRun) {
  BlockedBody blocked;
  TransactionOutcome blocked_outcome;
  group_commit_.Execute(blocked.Body(), blocked_outcome.Done());
  blocked.WaitUntilStarted();  // It no longer waits: it runs.
  std::vector<TransactionOutcome> outcomes(kMaxWaiting);
  for (const TransactionOutcome& outcome : outcomes) Put("key", "value", outcome);

  bool ran = false;
  std::thread::id told_on;
  absl::Status told;
  group_commit_.Execute(
      [&](Transaction&) {
        ran = true;
        return absl::OkStatus();
      },
      [&](absl::Status status) {
        told_on = std::this_thread::get_id();
        told = std::move(status);
      });
  EXPECT_EQ(told_on, std::this_thread::get_id());
  EXPECT_THAT(told, StatusIs(StatusCode::kResourceExhausted));

  blocked.Release();
  EXPECT_THAT(blocked_outcome.Wait(), IsOk());
  for (const TransactionOutcome& outcome : outcomes) EXPECT_THAT(outcome.Wait(), IsOk());
  EXPECT_FALSE(ran);
}

// As a worker's, whose `done` begins its next step.
TEST_F(GroupCommitTest, TransactionsThatDoneStartsDuringDestructionAreToldToo) {
  std::atomic<int> started = 0;
  std::atomic<int> told = 0;
  absl::Notification running;
  auto owner = std::make_unique<GroupCommit>(*engine_, kMaxWaiting);
  GroupCommit* const group_commit = owner.get();
  std::function<void()> start = [&] {
    ++started;
    group_commit->Execute([](Transaction&) { return absl::OkStatus(); },
                          [&](const absl::Status& status) {
                            if (++told == 10) running.Notify();
                            if (status.ok()) start();
                          });
  };
  start();
  running.WaitForNotification();
  owner.reset();
  EXPECT_EQ(told, started);
}

}  // namespace
}  // namespace hapax
