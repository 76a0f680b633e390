#include "hapax/storage/postgres/locks.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

constexpr Table kTable = Table::kResources;

RemoteKey Row(const std::string& key) { return {.table = kTable, .key = key}; }
RemoteKey Granule(const std::string& key) { return {.kind = RemoteKey::Kind::kGranule, .table = kTable, .key = key}; }

// How many locks the group has, and how many of them are exclusive.
std::pair<size_t, size_t> CountOf(const std::vector<PgLock>& locks) {
  const auto exclusive =
      std::count_if(locks.begin(), locks.end(), [](const PgLock& lock) { return lock.is_exclusive; });
  return {locks.size(), static_cast<size_t>(exclusive)};
}

TEST(PgLocksTest, WhatIsReadIsSharedAndWhatIsWrittenExclusiveAndGranulesAreTheOtherWayRound) {
  const PgLocks locks("hapax", 100);
  // With the engine's, shared, and the slot's, exclusive.
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s"})), std::pair(size_t{2}, size_t{1}));
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s", .reads = {{Row("a"), 1}}})), std::pair(size_t{3}, size_t{1}));
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s", .writes = {{Row("a"), "1"}}})), std::pair(size_t{3}, size_t{2}));
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s", .reads = {{Row("a"), 1}}, .writes = {{Row("a"), "1"}}})),
            std::pair(size_t{3}, size_t{2}));
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s", .reads = {{Granule("a"), 1}}})), std::pair(size_t{3}, size_t{2}));
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s", .writes = {{Granule("a"), ""}}})), std::pair(size_t{3}, size_t{1}));
  EXPECT_EQ(CountOf(locks.OfGroup({.slot = "s", .reads = {{Granule("a"), 1}}, .writes = {{Granule("a"), ""}}})),
            std::pair(size_t{3}, size_t{2}));
  EXPECT_EQ(CountOf(locks.OfSlot("s")), std::pair(size_t{2}, size_t{1}));
}

TEST(PgLocksTest, AllGroupsTakeTheEnginesLockFirstAndTheOthersInOneOrder) {
  const PgLocks locks("hapax", 100);
  const std::vector<PgLock> one = locks.OfGroup({.slot = "s", .writes = {{Row("a"), "1"}, {Row("b"), "1"}}});
  const std::vector<PgLock> other = locks.OfGroup({.slot = "s", .writes = {{Row("b"), "1"}, {Row("a"), "1"}}});
  EXPECT_EQ(one, other);
  EXPECT_EQ(one[0], locks.OfSlot("t")[0]);
  EXPECT_TRUE(std::is_sorted(one.begin() + 1, one.end(), [](const auto& a, const auto& b) { return a.id < b.id; }));
  EXPECT_NE(PgLocks("other", 100).OfSlot("s")[0].id, locks.OfSlot("s")[0].id);
}

TEST(PgLocksTest, AGroupWithTooManyKeysTakesTheEnginesLockAlone) {
  const PgLocks locks("hapax", 4);
  RemoteGroup group{.slot = "s", .writes = {{Row("a"), "1"}, {Row("b"), "1"}, {Row("c"), "1"}}};
  EXPECT_EQ(locks.OfGroup(group).size(), 5);
  group.writes.push_back({Row("d"), "1"});
  PgLock engine = locks.OfSlot("s")[0];
  EXPECT_FALSE(engine.is_exclusive);
  engine.is_exclusive = true;
  EXPECT_EQ(locks.OfGroup(group), std::vector<PgLock>{engine});
}

// Servers of one engine must agree on the numbers.
TEST(PgLocksTest, TheNumbersAreThoseOfLayoutOne) {
  EXPECT_EQ(PgLocks("hapax", 9).OfSlot("server-1/0")[1].id, 5052124758159362080);
}

}  // namespace
}  // namespace hapax
