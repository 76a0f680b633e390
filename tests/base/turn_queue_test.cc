#include "hapax/base/turn_queue.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using testing::ElementsAre;

std::vector<std::string> PopAll(TurnQueue<std::string>& queue) {
  std::vector<std::string> items;
  while (!queue.empty()) items.push_back(queue.Pop());
  return items;
}

TEST(TurnQueue, OnePartyIsFirstComeFirstServed) {
  TurnQueue<std::string> queue;
  for (const char* item : {"1", "2", "3"}) queue.Push("a", item);
  EXPECT_THAT(PopAll(queue), ElementsAre("1", "2", "3"));
}

TEST(TurnQueue, PartiesTakeTurns) {
  TurnQueue<std::string> queue;
  for (const char* item : {"a1", "a2", "a3", "a4"}) queue.Push("a", item);
  for (const char* item : {"b1", "b2"}) queue.Push("b", item);
  queue.Push("", "nobody's");
  EXPECT_THAT(PopAll(queue), ElementsAre("a1", "b1", "nobody's", "a2", "b2", "a3", "a4"));
}

TEST(TurnQueue, WhoComesNewWaitsForOneItemOfEachOther) {
  TurnQueue<std::string> queue;
  for (const char* item : {"a1", "a2", "a3"}) queue.Push("a", item);
  for (const char* item : {"b1", "b2", "b3"}) queue.Push("b", item);
  EXPECT_EQ(queue.Pop(), "a1");
  queue.Push("c", "c1");
  EXPECT_THAT(PopAll(queue), ElementsAre("b1", "a2", "c1", "b2", "a3", "b3"));
}

// Otherwise who comes again and again with one item would be served before those who wait.
TEST(TurnQueue, WhoComesBackComesLast) {
  TurnQueue<std::string> queue;
  queue.Push("a", "a1");
  queue.Push("b", "b1");
  EXPECT_EQ(queue.Pop(), "a1");
  queue.Push("a", "a2");
  EXPECT_THAT(PopAll(queue), ElementsAre("b1", "a2"));
}

TEST(TurnQueue, OnePartyHasRoomForHalfRoundedUp) {
  TurnQueue<std::string> queue;
  EXPECT_FALSE(queue.HasRoom("a", 0));
  EXPECT_TRUE(queue.HasRoom("a", 1));
  queue.Push("a", "a1");
  EXPECT_FALSE(queue.HasRoom("a", 2));
  EXPECT_TRUE(queue.HasRoom("a", 3));
  queue.Push("a", "a2");
  EXPECT_FALSE(queue.HasRoom("a", 3));
  EXPECT_TRUE(queue.HasRoom("b", 3));
  queue.Push("b", "b1");
  EXPECT_FALSE(queue.HasRoom("c", 3));
  EXPECT_TRUE(queue.HasRoom("c", 4));
  EXPECT_EQ(queue.Pop(), "a1");
  EXPECT_EQ(queue.size(), 2);
  EXPECT_TRUE(queue.HasRoom("a", 3));
}

TEST(TurnQueue, WhoHasNoNameHasRoomForAll) {
  TurnQueue<std::string> queue;
  for (int i = 0; i < 3; ++i) queue.Push("", "nobody's");
  EXPECT_TRUE(queue.HasRoom("", 4));
  EXPECT_FALSE(queue.HasRoom("", 3));
}

constexpr int64_t kLarge = int64_t{4} << 20;
constexpr int kTurnsOfLarge = kLarge / TurnQueue<std::string>::kTurnBytes;

TEST(TurnQueue, C32_ALargeItemDelaysSmallOnesOnceForAllTheTurnsThatItTakes) {
  TurnQueue<std::string> queue;
  for (int i = 0; i < 3; ++i) queue.Push("large", "L", kLarge);
  for (int i = 0; i < 3 * kTurnsOfLarge; ++i) queue.Push("small", "s", 200);
  int since_large = 0;
  for (int i = 0; i < 2; ++i) {
    for (since_large = 0; queue.Pop() == "s";) ++since_large;
    EXPECT_NEAR(since_large, kTurnsOfLarge, 1);
  }
}

TEST(TurnQueue, C32_WhoHasLargeItemsIsNotStarved) {
  TurnQueue<std::string> queue;
  queue.Push("large", "L", kLarge);
  int small = 0;
  for (queue.Push("small", "s"); queue.Pop() == "s"; ++small) queue.Push("small", "s");
  EXPECT_NEAR(small, kTurnsOfLarge, 1);
}

TEST(TurnQueue, C32_AnIdlePartySavesNothingUp) {
  TurnQueue<std::string> queue;
  queue.Push("idle", "i");
  for (int i = 0; i < 1'000; ++i) queue.Push("busy", "b");
  while (queue.size() > 500) (void)queue.Pop();
  for (int i = 0; i < 3; ++i) queue.Push("idle", "i");
  std::vector<std::string> next;
  while (next.size() < 6) next.push_back(queue.Pop());
  EXPECT_THAT(next, ElementsAre("b", "i", "b", "i", "b", "i"));
}

TEST(TurnQueue, C32_WhatAnItemTurnsOutToCostIsPaidByThePartysNext) {
  TurnQueue<std::string> queue;
  for (const char* item : {"a1", "a2"}) queue.Push("a", item);
  for (int i = 0; i < 8; ++i) queue.Push("b", "b");
  EXPECT_EQ(queue.Pop(), "a1");
  queue.Charge("a", 5 * queue.kTurnBytes);
  EXPECT_THAT(PopAll(queue), ElementsAre("b", "b", "b", "b", "b", "b", "a2", "b", "b"));
}

// Otherwise a party that has one item at a time would never pay.
TEST(TurnQueue, C32_WhoHasNothingWaitingOwesAsLongAsOthersWait) {
  TurnQueue<std::string> queue;
  queue.Push("a", "a1");
  for (int i = 0; i < 4; ++i) queue.Push("b", "b");
  EXPECT_EQ(queue.Pop(), "a1");
  queue.Charge("a", 2 * queue.kTurnBytes);
  queue.Push("a", "a2");
  EXPECT_THAT(PopAll(queue), ElementsAre("b", "b", "b", "a2", "b"));
  queue.Charge("a", kLarge);
  queue.Push("a", "a3");
  queue.Push("b", "b");
  EXPECT_THAT(PopAll(queue), ElementsAre("a3", "b"));
}

// Names are kept with the items: who pushed may have let go of its own.
TEST(TurnQueue, KeepsNamesAndMovesItems) {
  TurnQueue<std::unique_ptr<int>> queue;
  for (int i = 0; i < 2; ++i) {
    const std::string party = "a party whose name is too long to be kept in the string itself " + std::to_string(i);
    queue.Push(party, std::make_unique<int>(i));
    queue.Push(party, std::make_unique<int>(i + 10));
  }
  std::vector<int> items;
  while (!queue.empty()) items.push_back(*queue.Pop());
  EXPECT_THAT(items, ElementsAre(0, 1, 10, 11));
}

}  // namespace
}  // namespace hapax
