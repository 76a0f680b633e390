#include "hapax/server/hosting/ids.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"
#include "hapax/base/status_macros.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

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

// Gives the same few ids again and again.
class RepeatingIds final : public IdSource {
 public:
  explicit RepeatingIds(int count) : count_(count) {}
  std::string NewId(std::string_view prefix) override {
    return absl::StrCat(absl::string_view(prefix.data(), prefix.size()), "-", next_++ % count_);
  }

 private:
  const int count_;
  int next_ = 0;
};

TEST(NewIdOf, IsOneThatHasNoRowYet) {
  const TempDir dir;
  const auto store = OpenRocksDbStore({.path = dir.Path("data")}).value();
  RepeatingIds ids(3);
  const auto put_new = [&](Transaction& txn) -> absl::Status {
    const auto key_of = [](const std::string& id) { return "row of " + id; };
    HAPAX_ASSIGN_OR_RETURN(const std::string id, NewIdOf(ids, "i", txn, Table::kResources, key_of));
    txn.Put(Table::kResources, key_of(id), "taken");
    return absl::OkStatus();
  };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Execute(*store, put_new), IsOk());
  EXPECT_THAT(Execute(*store, put_new), StatusIs(absl::StatusCode::kUnavailable)) << "all are in use";
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
