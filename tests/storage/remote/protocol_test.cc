#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/storage/remote/explorer.h"
#include "hapax/tests/support/test_seed.h"

// The protocol of groups and slots (storage/remote/group_runner.h), in every order of steps of small scenarios and in
// some orders of larger ones; and without each of its rules, which the same checks then find.
namespace hapax {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Kind = SimCall::Kind;

constexpr int64_t kMaxOrders = 40'000;

void ExpectHolds(const Explored& explored) {
  EXPECT_THAT(explored.violation, IsEmpty()) << absl::StrJoin(explored.steps, "\n");
}

void ExpectHoldsInAllOrders(const SimScenario& scenario) {
  const Explored explored = ExploreAll(scenario, kMaxOrders);
  ExpectHolds(explored);
  EXPECT_TRUE(explored.complete);
  testing::Test::RecordProperty("orders", std::to_string(explored.orders));
}

// What the checks find at most orders; the first violation.
std::string Found(const SimScenario& scenario) {
  Explored explored = ExploreAll(scenario, kMaxOrders);
  if (explored.violation.empty()) explored = ExploreSome(scenario, kMaxOrders, /*seed=*/1);
  return explored.violation;
}

TEST(RemoteProtocolTest, TwoServersOneTokenAndABreak) {
  ExpectHoldsInAllOrders({.world = {.servers = 2, .faults = {.breaks = 1}},
                          .calls = {{.server = 0, .token = "t"}, {.server = 1, .token = "t"}}});
}

TEST(RemoteProtocolTest, TwoBreaksOfOneServer) {
  ExpectHoldsInAllOrders({.world = {.servers = 1, .faults = {.breaks = 2}, .max_group = 1},
                          .calls = {{.kind = Kind::kPlain}, {.kind = Kind::kPlain}}});
}

TEST(RemoteProtocolTest, TwoGroupsOfOneServerInFlightAfterABreak) {
  ExpectHoldsInAllOrders({.world = {.servers = 1, .faults = {.breaks = 1}, .max_group = 1, .slots = 2},
                          .calls = {{.token = "t"}, {.kind = Kind::kPlain}, {.token = "t"}}});
}

TEST(RemoteProtocolTest, ADoubleDeliveryAndABreak) {
  ExpectHoldsInAllOrders({.world = {.servers = 1, .faults = {.breaks = 1, .duplicates = 1}, .max_group = 1},
                          .calls = {{.kind = Kind::kPlain}, {.token = "t"}}});
}

TEST(RemoteProtocolTest, ACrashAndABreak) {
  ExpectHoldsInAllOrders({.world = {.servers = 1, .faults = {.breaks = 1, .crashes = 1}, .max_group = 1},
                          .calls = {{.token = "t"}, {.kind = Kind::kPlain}}});
}

TEST(RemoteProtocolTest, AQuotaOfOneForTwoServersOnGuesses) {
  ExpectHoldsInAllOrders(
      {.world = {.servers = 2, .faults = {.breaks = 1}, .max_fetches = 0},
       .calls = {{.kind = Kind::kPlain, .server = 0, .quota = 1}, {.kind = Kind::kPlain, .server = 1, .quota = 1}}});
}

TEST(RemoteProtocolTest, AScanForTwoServers) {
  ExpectHoldsInAllOrders({.world = {.servers = 2},
                          .calls = {{.kind = Kind::kLimited, .server = 0}, {.kind = Kind::kLimited, .server = 1}}});
}

TEST(RemoteProtocolTest, ALookWhileAnotherServerExecutes) {
  ExpectHoldsInAllOrders({.world = {.servers = 2, .max_fetches = 0},
                          .calls = {{.server = 0, .token = "t"}, {.kind = Kind::kLook, .server = 1, .token = "t"}}});
}

SimScenario Large() {
  SimScenario scenario{
      .world = {.servers = 3, .faults = {.breaks = 4, .duplicates = 2, .crashes = 2}, .max_group = 3, .slots = 2}};
  for (int i = 0; i < 15; ++i) {
    constexpr Kind kKinds[] = {Kind::kExecute, Kind::kExecute, Kind::kPlain, Kind::kLook, Kind::kExecute};
    const Kind kind = kKinds[i % 5];
    scenario.calls.push_back({.kind = kind,
                              .server = i % 3,
                              .token = kind == Kind::kPlain ? "" : absl::StrCat("t", i % 4),
                              .quota = i % 2 == 0 ? 3 : 1'000});
  }
  return scenario;
}

TEST(RemoteProtocolTest, ManyCallsOfThreeServersWithAllFaultsAtRandom) {
  ExpectHolds(ExploreSome(Large(), /*orders=*/600, TestSeed()));
}

TEST(RemoteProtocolTest, ManyCallsOnGuessesWithAllFaultsAtRandom) {
  SimScenario scenario = Large();
  scenario.world.guess_first = true;
  ExpectHolds(ExploreSome(scenario, /*orders=*/600, TestSeed()));
}

// ---- Each rule left out

// Two servers that count.
SimScenario TwoCount(const SimWeakness& weakness) {
  return {.world = {.servers = 2, .weakness = weakness},
          .calls = {{.kind = Kind::kPlain, .server = 0}, {.kind = Kind::kPlain, .server = 1}}};
}

// One server whose answers are lost.
SimScenario Breaks(const SimWeakness& weakness) {
  return {.world = {.servers = 1, .faults = {.breaks = 2}, .weakness = weakness, .max_group = 1},
          .calls = {{.kind = Kind::kPlain}, {.kind = Kind::kPlain}}};
}

TEST(RemoteProtocolTest, WithoutTheComparisonOfReadsAnUpdateIsLost) {
  EXPECT_THAT(Found(TwoCount({.reads_not_compared = true})), HasSubstr("counter"));
}

TEST(RemoteProtocolTest, WithoutTheComparisonOfGranulesARowAppearsInAScannedRange) {
  EXPECT_THAT(Found({.world = {.servers = 2, .weakness = {.granules_not_compared = true}},
                     .calls = {{.kind = Kind::kLimited, .server = 0}, {.kind = Kind::kLimited, .server = 1}}}),
              HasSubstr("two calls that may have one effect"));
}

TEST(RemoteProtocolTest, WithoutTheComparisonOfTheEpochALateGroupIsApplied) {
  EXPECT_THAT(Found(Breaks({.epoch_not_compared = true})), HasSubstr("a group with a lower epoch was applied"));
}

TEST(RemoteProtocolTest, WithoutARaisedEpochALateGroupIsAppliedAndItsNumberGoesBack) {
  EXPECT_THAT(Found(Breaks({.epoch_not_compared = true, .epoch_not_raised = true})), HasSubstr("went back to number"));
}

TEST(RemoteProtocolTest, WithoutTheSlotOfARefusalADoubleDeliveryIsTakenForAConflict) {
  EXPECT_THAT(Found({.world = {.servers = 1,
                               .faults = {.duplicates = 1},
                               .weakness = {.slot_not_read_on_refusal = true, .seq_not_compared = true}},
                     .calls = {{.kind = Kind::kPlain}}}),
              HasSubstr("one call has two effects"));
}

// A look that follows the execution at another server.
SimScenario LookAfter(const SimWeakness& weakness) {
  return {.world = {.servers = 2, .weakness = weakness, .max_fetches = 0},
          .calls = {{.server = 0, .token = "t"}, {.kind = Kind::kLook, .server = 1, .token = "t", .after = 0}}};
}

TEST(RemoteProtocolTest, AGuessThatIsOutOfDateIsNotTold) { ExpectHoldsInAllOrders(LookAfter({})); }

TEST(RemoteProtocolTest, WithoutTheComparisonOfGuessesATokenIsToldToBeFreeThatIsNot) {
  EXPECT_THAT(Found(LookAfter({.guesses_not_compared = true})), HasSubstr("free"));
}

TEST(RemoteProtocolTest, ToldBeforeTheCommitAnEffectIsNotInTheStore) {
  EXPECT_THAT(Found(TwoCount({.told_before_commit = true})), HasSubstr("not in the store"));
}

}  // namespace
}  // namespace hapax
