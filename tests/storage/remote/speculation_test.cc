#include "hapax/storage/remote/speculation.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/storage/remote/granule.h"
#include "hapax/storage/remote/group_run.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using testing::ElementsAre;

constexpr Table kTable = Table::kResources;
constexpr int64_t kCacheBytes = 10'000;

RemoteKey Row(const std::string& key) { return {.table = kTable, .key = key}; }

// A fetch of some rows that returned them.
FetchedState Fetched(const std::vector<std::pair<std::string, RemoteValue>>& rows) {
  RemoteFetch fetch;
  RemoteFetched fetched;
  for (const auto& [key, value] : rows) {
    fetch.keys.push_back(Row(key));
    fetched.values.push_back(value);
  }
  return FetchedState(std::move(fetch), std::move(fetched));
}

TEST(SpeculationTest, AFetchedRowComesBeforeAGuessAndAnUnknownRowIsGuessedToBeAbsent) {
  GuessCache cache(kCacheBytes);
  cache.Put(Row("a"), {.revision = 5, .value = "guess"});
  cache.Put(Row("b"), {.revision = 6, .value = "guess"});
  const FetchedState state = Fetched({{"a", {.revision = 7, .value = "fetched"}}});
  const Speculation reads(state, cache);
  EXPECT_THAT(reads.Get(kTable, "a"), IsOkAndHolds("fetched"));
  EXPECT_FALSE(reads.guessed());
  EXPECT_THAT(reads.Get(kTable, "b"), IsOkAndHolds("guess"));
  EXPECT_THAT(reads.Get(kTable, "c"), IsOkAndHolds(std::nullopt));
  EXPECT_TRUE(reads.guessed());
  std::vector<std::string> seen;
  for (const RemoteRead& read : reads.reads()) seen.push_back(absl::StrCat(read.key.key, " ", read.revision));
  EXPECT_THAT(seen, ElementsAre("a 7", "b 6", "c 0"));
}

// Read twice, once for the body and once for the comparison, a change between the two would pass.
TEST(SpeculationTest, AGuessIsPinnedWhenItIsFirstReadAndComparedAsItWasSeen) {
  GuessCache cache(kCacheBytes);
  cache.Put(Row("a"), {.revision = 5, .value = "old"});
  const FetchedState nothing;
  const Speculation reads(nothing, cache);
  EXPECT_THAT(reads.Get(kTable, "a"), IsOkAndHolds("old"));
  cache.Put(Row("a"), {.revision = 6, .value = "new"});
  EXPECT_THAT(reads.Get(kTable, "a"), IsOkAndHolds("old"));
  ASSERT_EQ(reads.reads().size(), 1);
  EXPECT_EQ(reads.reads()[0].revision, 5);
}

TEST(SpeculationTest, AScanThatWasNotFetchedMustBeAndAsksForMoreRowsWhenTheyEnd) {
  GuessCache cache(kCacheBytes);
  const FetchedState nothing;
  const Speculation first(nothing, cache);
  const auto all = [](std::string_view, std::string_view) { return true; };
  ASSERT_THAT(first.Scan(kTable, KeyRange(), all), IsOk());
  EXPECT_TRUE(first.must_fetch());
  RemoteFetch wanted = first.Wanted();
  ASSERT_EQ(wanted.scans.size(), 1);
  EXPECT_EQ(wanted.scans[0].max_rows, Speculation::kFirstRows);

  RemoteFetched fetched;
  fetched.values.resize(wanted.keys.size());
  fetched.scans.push_back({.rows = {{.key = "a", .value = {.revision = 1, .value = "x"}}}, .has_more = true});
  const FetchedState state(std::move(wanted), std::move(fetched));
  const Speculation enough(state, cache);
  ASSERT_THAT(enough.Scan(kTable, KeyRange(), [](std::string_view, std::string_view) { return false; }), IsOk());
  EXPECT_FALSE(enough.must_fetch());
  EXPECT_FALSE(enough.guessed());
  const Speculation more(state, cache);
  ASSERT_THAT(more.Scan(kTable, KeyRange(), all), IsOk());
  EXPECT_TRUE(more.must_fetch());
  EXPECT_EQ(more.Wanted().scans[0].max_rows, Speculation::kMore * Speculation::kFirstRows);
  EXPECT_EQ(more.Wanted().scans[0].max_bytes, Speculation::kMore * Speculation::kFirstBytes);
}

TEST(SpeculationTest, ARowSeenInTwoRevisionsMustBeFetched) {
  GuessCache cache(kCacheBytes);
  cache.Put(Row("a"), {.revision = 1, .value = "old"});
  RemoteFetch fetch;
  fetch.keys.push_back({.kind = RemoteKey::Kind::kGranule, .table = kTable, .key = ""});
  fetch.scans.push_back({.table = kTable, .range = {}});
  RemoteFetched fetched;
  fetched.values.resize(1);
  fetched.scans.push_back({.rows = {{.key = "a", .value = {.revision = 2, .value = "new"}}}});
  const FetchedState state(std::move(fetch), std::move(fetched));
  const Speculation reads(state, cache);
  EXPECT_THAT(reads.Get(kTable, "a"), IsOkAndHolds("old"));
  ASSERT_THAT(reads.Scan(kTable, KeyRange(), [](std::string_view, std::string_view) { return true; }), IsOk());
  EXPECT_TRUE(reads.must_fetch());
}

TEST(GroupRunTest, BodiesThatWantTooManyRowsToFetchAreNotOneGroup) {
  GuessCache cache(kCacheBytes);
  const FetchedState nothing;
  GroupRun run(nothing, cache, {.max_rows = 2 * Speculation::kFirstRows});
  const auto scan = [&](const std::string& prefix) {
    RemoteTask task{.body = [prefix](Transaction& txn) {
      return txn.Scan(kTable, KeyRange::Prefix(prefix), [](std::string_view, std::string_view) { return true; });
    }};
    return run.Add(task);
  };
  EXPECT_TRUE(scan("a"));
  EXPECT_FALSE(scan("b")) << "with the rows of both scans' granules it is more than the limit";
  GroupRun alone(nothing, cache, {.max_rows = 1});
  RemoteTask task{.body = [](Transaction& txn) {
    return txn.Scan(kTable, KeyRange(), [](std::string_view, std::string_view) { return true; });
  }};
  EXPECT_TRUE(alone.Add(task)) << "one alone is always run";
}

TEST(GuessCacheTest, KeepsTheNewerValueAndForgetsWhatWasNotUsedForLongest) {
  GuessCache cache(kCacheBytes);
  cache.Put(Row("a"), {.revision = 2, .value = "new"});
  cache.Put(Row("a"), {.revision = 1, .value = "old"});
  EXPECT_EQ(cache.Find(Row("a"))->value, "new");
  cache.Put(Row("b"), {.revision = 3, .value = std::string(4'000, 'b')});
  cache.Put(Row("c"), {.revision = 4, .value = std::string(4'000, 'c')});
  EXPECT_TRUE(cache.Find(Row("b")).has_value());
  cache.Put(Row("d"), {.revision = 5, .value = std::string(4'000, 'd')});
  EXPECT_FALSE(cache.Find(Row("c")).has_value());
  EXPECT_TRUE(cache.Find(Row("b")).has_value());
  cache.Put(Row("b"), RemoteValue());
  EXPECT_FALSE(cache.Find(Row("b")).has_value());
}

}  // namespace
}  // namespace hapax
