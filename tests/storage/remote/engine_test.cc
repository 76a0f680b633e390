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
    RemoteSlot slot = world.cluster().ReadSlot("server 0").value;
    slot.seq += difference;
    world.cluster().ReplaceSlot("server 0", slot);
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

TEST(RemoteEngineTest, WhoOnlyReadsIsNotRefusedBecauseWritesAre) {
  SimWorld world({});
  world.cluster().set_full(true);
  TransactionOutcome writes;
  TransactionOutcome reads;
  world.engine(0).Execute(PutBody("a"), writes.Done(), "");
  world.engine(0).Execute([](Transaction& txn) { return txn.Get(kTable, "a").status(); }, reads.Done(), "");
  world.RunUntil([&] { return writes.settled() && reads.settled(); });
  ASSERT_TRUE(writes.settled() && reads.settled());
  EXPECT_THAT(writes.Wait(), StatusIs(StatusCode::kUnavailable, "no room"));
  EXPECT_TRUE(IsStoreError(writes.Wait()));
  EXPECT_THAT(reads.Wait(), IsOk());
  world.cluster().set_full(false);
  EXPECT_THAT(ExecuteOn(world, 0, PutBody("a")), IsOk());
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
