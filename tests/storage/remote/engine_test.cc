#include "hapax/storage/remote/engine.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/store_error.h"
#include "hapax/tests/storage/remote/sim_world.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// What an engine does when it cannot go on, and how long its callers wait.
namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr Table kTable = Table::kResources;

Store::Body PutBody(std::string key) {
  return [key = std::move(key)](Transaction& txn) {
    txn.Put(kTable, key, "value");
    return absl::OkStatus();
  };
}

bool HasRow(SimWorld& world, const std::string& key) {
  return world.cluster().rows().contains({.table = kTable, .key = key});
}

absl::Status ExecuteOn(SimWorld& world, int server, Store::Body body) {
  TransactionOutcome outcome;
  world.engine(server).Execute(std::move(body), outcome.Done(), "");
  world.RunUntil([&] { return outcome.settled(); });
  return outcome.settled() ? outcome.Wait() : absl::InternalError("it was not told");
}

TEST(RemoteEngineTest, AnotherProcessWithItsIdStopsItForEver) {
  SimWorld world({.servers = 2, .same_id = true});
  EXPECT_THAT(ExecuteOn(world, 1, PutBody("second")), IsOk());
  const absl::Status status = ExecuteOn(world, 0, PutBody("first"));
  EXPECT_THAT(status, StatusIs(StatusCode::kUnavailable, HasSubstr("may turn out to be durable")));
  EXPECT_TRUE(IsStoreError(status));
  EXPECT_THAT(world.engine(0).status(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("the same id")));
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("later")), StatusIs(StatusCode::kUnavailable, HasSubstr("the same id")));
  EXPECT_THAT(world.engine(1).status(), IsOk());
  EXPECT_FALSE(HasRow(world, "first"));
}

TEST(RemoteEngineTest, ANumberThatNoGroupOfItsOwnLeftStopsIt) {
  for (const int difference : {-1, 5}) {
    SimWorld world({});
    EXPECT_THAT(ExecuteOn(world, 0, PutBody("a")), IsOk());
    RemoteSlot slot = world.cluster().ReadSlot("server 0/0").value;
    slot.seq += difference;
    world.cluster().ReplaceSlot("server 0/0", slot);
    EXPECT_THAT(ExecuteOn(world, 0, PutBody("b")), StatusIs(StatusCode::kUnavailable));
    EXPECT_THAT(world.engine(0).status(), StatusIs(StatusCode::kFailedPrecondition));
  }
}

TEST(RemoteEngineTest, ADatabaseThatIsNotTheOneThatItWasStopsItForEver) {
  SimWorld world({});
  world.cluster().Break(absl::FailedPreconditionError("restored"));
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("a")), StatusIs(StatusCode::kUnavailable, HasSubstr("restored")));
  world.cluster().Break(absl::OkStatus());
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("b")), StatusIs(StatusCode::kUnavailable, HasSubstr("restored")));
  EXPECT_THAT(world.engine(0).status(), StatusIs(StatusCode::kFailedPrecondition, "restored"));
}

absl::Status ReadBody(Transaction& txn) { return txn.Get(kTable, "a").status(); }

TEST(RemoteEngineTest, WithoutRoomWhoWritesIsToldTheDatabasesReasonAndWhoOnlyReadsIsServed) {
  SimWorld world({.patience = absl::Seconds(10)});
  world.cluster().set_full(true);
  std::vector<TransactionOutcome> outcomes(4);
  world.engine(0).Execute(PutBody("a"), outcomes[0].Done(), "");
  world.engine(0).Execute(ReadBody, outcomes[1].Done(), "");  // In the same group.
  world.Settle();
  world.engine(0).Execute(PutBody("b"), outcomes[2].Done(), "");
  world.engine(0).Execute(ReadBody, outcomes[3].Done(), "");
  world.RunUntil([&] { return outcomes[0].settled() && outcomes[1].settled() && outcomes[3].settled(); });
  for (const TransactionOutcome& outcome : outcomes) ASSERT_TRUE(outcome.settled());
  EXPECT_THAT(outcomes[0].Wait(),
              StatusIs(StatusCode::kUnavailable, AllOf(HasSubstr("no room"), HasSubstr("may turn out to be durable"))));
  EXPECT_THAT(outcomes[1].Wait(), IsOk());
  EXPECT_THAT(outcomes[2].Wait(), StatusIs(StatusCode::kUnavailable,
                                           AllOf(HasSubstr("no room"), Not(HasSubstr("may turn out to be durable")))));
  EXPECT_TRUE(IsStoreError(outcomes[2].Wait()));
  EXPECT_THAT(outcomes[3].Wait(), IsOk());
  EXPECT_THAT(world.engine(0).health(), StatusIs(StatusCode::kUnavailable, "no room"));
  EXPECT_THAT(world.engine(0).status(), IsOk());

  EXPECT_THAT(ExecuteOn(world, 0, ReadBody), IsOk()) << "while the slot is of no use";
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("c")), StatusIs(StatusCode::kUnavailable, HasSubstr("no room")));

  world.cluster().set_full(false);
  world.RunUntil([] { return false; });
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("d")), IsOk());
  EXPECT_THAT(world.engine(0).health(), IsOk());
  for (const char* key : {"a", "b", "c"}) EXPECT_FALSE(HasRow(world, key));
}

TEST(RemoteEngineTest, AGroupThatTheDatabaseHadNoTimeForIsCommittedWholeLater) {
  SimWorld world({});
  world.cluster().RefuseNextCommit(absl::UnavailableError("too many requests"));
  std::vector<TransactionOutcome> outcomes(2);
  world.engine(0).Execute(PutBody("a"), outcomes[0].Done(), "");
  world.engine(0).Execute(PutBody("b"), outcomes[1].Done(), "");
  world.RunUntil([&] { return outcomes[1].settled(); });
  for (const TransactionOutcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.settled());
    EXPECT_THAT(outcome.Wait(), IsOk());
  }
  const auto& rows = world.cluster().rows();
  EXPECT_EQ(rows.at({.table = kTable, .key = "a"}).revision, rows.at({.table = kTable, .key = "b"}).revision);
}

TEST(RemoteEngineTest, WhatTheDatabaseRefusesIsToldAtOnceInItsWords) {
  SimWorld world({});
  world.cluster().RefuseNextCommit(absl::PermissionDeniedError("grant the user a role"));
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("a")),
              StatusIs(StatusCode::kUnavailable, HasSubstr("grant the user a role")));
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("b")), IsOk());
}

TEST(RemoteEngineTest, ATransactionThatTheDatabaseFindsTooLargeIsNotToBeTriedAgain) {
  SimWorld world({});
  world.cluster().RefuseNextCommit(absl::InvalidArgumentError("request is too large"));
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("a")),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("request is too large")));
}

TEST(RemoteEngineTest, AHookRunsOnceThoughTheAnswerWasLost) {
  for (const char* loss : {"delivery without an answer", "break before the delivery"}) {
    SimWorld world({.faults = {.breaks = 1}});
    int hooks = 0;
    int runs = 0;
    TransactionOutcome outcome;
    world.engine(0).Execute(
        [&](Transaction& txn) {
          txn.OnCommit([&, run = ++runs] { hooks += run == runs ? 1 : 100; });
          return PutBody("a")(txn);
        },
        outcome.Done(), "");
    world.Take(loss);
    EXPECT_EQ(hooks, 0) << loss;
    world.RunUntil([&] { return outcome.settled(); });
    ASSERT_TRUE(outcome.settled());
    EXPECT_THAT(outcome.Wait(), IsOk());
    EXPECT_EQ(hooks, 1) << loss;
  }
}

TEST(RemoteEngineTest, WhileTheOutcomeOfAGroupIsUnknownOthersGoOnWithAnotherSlot) {
  SimWorld world({.faults = {.breaks = 1}, .slots = 2});
  TransactionOutcome unknown;
  TransactionOutcome other;
  world.engine(0).Execute(PutBody("a"), unknown.Done(), "");
  world.Settle();
  world.engine(0).Execute(PutBody("b"), other.Done(), "");
  world.Take("break before the delivery");
  // What comes next is the reading of the first slot, and the other group's commit.
  world.TakeLast("delivery");
  EXPECT_TRUE(other.settled());
  EXPECT_FALSE(unknown.settled());
  world.RunUntil([&] { return unknown.settled(); });
  EXPECT_THAT(unknown.Wait(), IsOk());
  EXPECT_THAT(other.Wait(), IsOk());
}

TEST(RemoteEngineTest, NoHookRunsOnceItsCallerWasToldUnavailable) {
  SimWorld world({.faults = {.breaks = 1}, .patience = absl::Seconds(10)});
  bool was_run = false;
  TransactionOutcome outcome;
  world.engine(0).Execute(
      [&](Transaction& txn) {
        txn.OnCommit([&] { was_run = true; });
        return PutBody("a")(txn);
      },
      outcome.Done(), "");
  world.Take("delivery without an answer");
  world.FireTimers(0);
  ASSERT_TRUE(outcome.settled());
  world.RunUntil([] { return false; });
  EXPECT_TRUE(HasRow(world, "a"));
  EXPECT_FALSE(was_run);
}

TEST(RemoteEngineTest, ATransactionThatAlwaysConflictsDoesNotHoldUpOthersAndIsToldSo) {
  SimWorld world({});
  const RemoteKey row{.table = kTable, .key = "hot"};
  TransactionOutcome hot;
  world.engine(0).Execute(
      [&](Transaction& txn) {
        const auto value = txn.Get(kTable, "hot");
        world.cluster().Touch(row);
        txn.Put(kTable, "hot", "");
        return value.status();
      },
      hot.Done(), "");
  world.Settle();
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_THAT(ExecuteOn(world, 0, PutBody(key)), IsOk());
    EXPECT_FALSE(hot.settled());
  }
  world.RunUntil([&] { return hot.settled(); });
  ASSERT_TRUE(hot.settled());
  EXPECT_THAT(hot.Wait(), StatusIs(StatusCode::kUnavailable, HasSubstr("too often")));
}

TEST(RemoteEngineTest, WhoWaitsForADatabaseThatDoesNotAnswerIsToldSoAndWhoComesLaterIsServed) {
  SimWorld world({.patience = absl::Seconds(10)});
  world.cluster().Break(absl::UnavailableError("no leader"));
  std::vector<TransactionOutcome> outcomes(3);
  const auto get = [](const ReadTransaction& txn) { return txn.Get(kTable, "a").status(); };
  world.engine(0).Execute(get, outcomes[0].Done(), "");
  world.engine(0).Query(get, outcomes[1].Done());
  world.Settle();
  world.engine(0).Execute(get, outcomes[2].Done(), "");
  world.FireTimers(0);
  for (const TransactionOutcome& outcome : outcomes) {
    ASSERT_TRUE(outcome.settled());
    EXPECT_THAT(outcome.Wait(), StatusIs(StatusCode::kUnavailable, Not(HasSubstr("may turn out"))));
  }
  world.cluster().Break(absl::OkStatus());
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("a")), IsOk());
}

TEST(RemoteEngineTest, ACallerThatWaitedTooLongIsToldThatItMayBeDurableAndResolutionGoesOn) {
  SimWorld world({.faults = {.breaks = 1}, .patience = absl::Seconds(10)});
  TransactionOutcome first;
  TransactionOutcome second;
  world.engine(0).Execute(PutBody("first"), first.Done(), "");
  world.Settle();
  world.engine(0).Execute(PutBody("second"), second.Done(), "");
  world.Take("delivery without an answer");  // Of the first group, which has only guesses that hold.
  world.FireTimers(0);
  ASSERT_TRUE(first.settled());
  EXPECT_THAT(first.Wait(), StatusIs(StatusCode::kUnavailable, HasSubstr("may turn out to be durable")));
  EXPECT_TRUE(HasRow(world, "first"));
  ASSERT_TRUE(second.settled());
  EXPECT_THAT(second.Wait(), StatusIs(StatusCode::kUnavailable, Not(HasSubstr("may turn out"))));
  EXPECT_FALSE(HasRow(world, "second"));

  TransactionOutcome third;
  world.engine(0).Execute(PutBody("third"), third.Done(), "");
  world.Settle();
  ASSERT_TRUE(third.settled()) << "while the slot is of no use";
  EXPECT_THAT(third.Wait(), StatusIs(StatusCode::kUnavailable));
  world.RunUntil([] { return false; });
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("fourth")), IsOk());
  EXPECT_TRUE(HasRow(world, "fourth"));
  EXPECT_FALSE(HasRow(world, "third"));
}

TEST(RemoteEngineTest, ATransactionThatIsTooLargeIsRefusedAloneAndOthersOfItsGroupAreNot) {
  SimWorld world({});
  const auto put_many = [](Transaction& txn) {
    for (int i = 0; i < 2'000; ++i) txn.Put(kTable, absl::StrCat("many ", i), "");
    return absl::OkStatus();
  };
  std::vector<TransactionOutcome> outcomes(3);
  world.engine(0).Execute(PutBody("a"), outcomes[0].Done(), "");
  world.engine(0).Execute(put_many, outcomes[1].Done(), "");
  world.engine(0).Execute(PutBody("b"), outcomes[2].Done(), "");
  world.RunUntil([&] { return outcomes[2].settled(); });
  for (const TransactionOutcome& outcome : outcomes) ASSERT_TRUE(outcome.settled());
  EXPECT_THAT(outcomes[0].Wait(), IsOk());
  EXPECT_THAT(outcomes[1].Wait(), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(outcomes[2].Wait(), IsOk());
  EXPECT_TRUE(HasRow(world, "b"));
  EXPECT_FALSE(HasRow(world, "many 0"));
}

}  // namespace
}  // namespace hapax
