#include "hapax/server/ids.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/clock.h"
#include "hapax/tests/support/manual_clock.h"

namespace hapax::compute {
namespace {

using testing::MatchesRegex;

TEST(TimeOrderedIdSource, AnIdIsThePrefixAHyphenAndSeventeenHexadecimalDigits) {
  const SystemClock clock;
  TimeOrderedIdSource ids(clock);
  for (const char* prefix : {"i", "r", "h", "key"}) {
    EXPECT_THAT(ids.NewId(prefix), MatchesRegex(std::string(prefix) + "-[0-9a-f]{17}"));
  }
}

TEST(TimeOrderedIdSource, TheOrderOfIdsIsThatOfTheirMaking) {
  const SystemClock clock;
  TimeOrderedIdSource ids(clock);
  std::string last = ids.NewId("i");
  for (int i = 0; i < 10'000; ++i) {
    std::string next = ids.NewId("i");
    ASSERT_LT(last, next);
    last = std::move(next);
  }
}

TEST(TimeOrderedIdSource, IdsGoOnWhenTheClockIsSetBack) {
  ManualClock clock(absl::FromUnixSeconds(1'700'000'000));
  TimeOrderedIdSource ids(clock);
  const std::string before = ids.NewId("i");
  clock.Advance(-absl::Hours(1));
  EXPECT_LT(before, ids.NewId("i"));
}

TEST(TimeOrderedIdSource, IdsOfOtherRunsInTheSameMicrosecondDifferByChance) {
  const ManualClock clock(absl::FromUnixSeconds(1'700'000'000));
  std::set<std::string> first_ids;
  for (int run = 0; run < 8; ++run) first_ids.insert(TimeOrderedIdSource(clock).NewId("i"));
  EXPECT_GT(first_ids.size(), 1u);
}

TEST(TimeOrderedIdSource, NoIdComesTwiceThoughManyThreadsAsk) {
  constexpr int kThreads = 4;
  constexpr int kIds = 20'000;
  const SystemClock clock;
  TimeOrderedIdSource ids(clock);
  std::vector<std::vector<std::string>> drawn(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<std::string>& own : drawn) {
    threads.emplace_back([&ids, &own] {
      for (int i = 0; i < kIds; ++i) own.push_back(ids.NewId("i"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const std::vector<std::string>& own : drawn) all.insert(own.begin(), own.end());
  EXPECT_EQ(all.size(), size_t{kThreads} * kIds);
}

}  // namespace
}  // namespace hapax::compute
