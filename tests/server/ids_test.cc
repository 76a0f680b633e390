#include "hapax/server/ids.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::compute {
namespace {

using testing::MatchesRegex;

constexpr size_t kHexDigits = 17;

TEST(RandomIdSource, AnIdIsThePrefixAHyphenAndSeventeenHexadecimalDigits) {
  RandomIdSource ids;
  for (const char* prefix : {"i", "r", "h", "key"}) {
    EXPECT_THAT(ids.NewId(prefix), MatchesRegex(std::string(prefix) + "-[0-9a-f]{17}"));
  }
}

// A digit that misses one of the 16 values in this many ids would be a chance of 1 in 10^27.
TEST(RandomIdSource, EveryDigitTakesEveryValue) {
  RandomIdSource ids;
  std::vector<std::set<char>> seen(kHexDigits);
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = ids.NewId("i");
    ASSERT_EQ(id.size(), 2 + kHexDigits);
    for (size_t digit = 0; digit < kHexDigits; ++digit) seen[digit].insert(id[2 + digit]);
  }
  for (const std::set<char>& values : seen) EXPECT_EQ(values.size(), 16u);
}

TEST(RandomIdSource, NoIdComesTwiceThoughManyThreadsAsk) {
  constexpr int kThreads = 4;
  constexpr int kIds = 20'000;
  RandomIdSource ids;
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
