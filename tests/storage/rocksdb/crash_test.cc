#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/storage/rocksdb/crash_workload.h"
#include "hapax/tests/support/child_process.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"

// The store's process is killed, and whatever it has acknowledged is there when it comes back. For power failures see
// tests/server/crash/crash_sweep_test.cc.
namespace hapax {
namespace {

constexpr uint64_t kForever = uint64_t{1} << 40;

void ExpectIncludes(const std::set<uint64_t>& there, const std::set<uint64_t>& acknowledged) {
  std::vector<uint64_t> missing;
  std::set_difference(acknowledged.begin(), acknowledged.end(), there.begin(), there.end(),
                      std::back_inserter(missing));
  EXPECT_THAT(missing, testing::IsEmpty()) << "acknowledged, but not there";
}

TEST(CrashTest, NothingAcknowledgedIsMissingAfterAKillAtAnyMoment) {
  constexpr int kKills = 10;
  const uint64_t seed = TestSeed();
  SCOPED_TRACE(absl::StrCat("HAPAX_TEST_SEED=", seed));
  std::mt19937_64 random(seed);
  const TempDir dir;
  std::set<uint64_t> acknowledged;
  for (int kill = 0; kill < kKills && !testing::Test::HasFailure(); ++kill) {
    SCOPED_TRACE(absl::StrCat("kill ", kill));
    const size_t kill_after = acknowledged.size() + random() % 3'000;
    const uint64_t first = static_cast<uint64_t>(kill) * kForever;
    ChildProcess child({"--workload", dir.Path("data"), absl::StrCat(first), absl::StrCat(kForever), "64"});
    uint64_t number = 0;
    while (acknowledged.size() < kill_after && child.Read(&number, sizeof(number))) acknowledged.insert(number);
    EXPECT_GE(acknowledged.size(), kill_after) << "it ended before it was killed";
    child.Kill();
    while (child.Read(&number, sizeof(number))) acknowledged.insert(number);
    child.Wait();
    ExpectIncludes(ReadTransactions(dir.Path("data")), acknowledged);
  }
}

// Arguments: path, first, count, in flight.
void RunAsChild(const std::vector<std::string>& arguments) {
  Run({.path = arguments[0],
       .first = std::stoull(arguments[1]),
       .count = std::stoull(arguments[2]),
       .in_flight_count = std::stoi(arguments[3])});
}

}  // namespace
}  // namespace hapax

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--workload") {
    hapax::RunAsChild({argv + 2, argv + argc});
    return 0;
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
