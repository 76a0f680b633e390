#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/crash/run.h"
#include "hapax/tests/server/crash/script.h"
#include "hapax/tests/support/test_seed.h"

// Whatever the server does with its disk, a disaster comes before it: at every single operation of a small script, and
// at some of longer ones.
namespace hapax::compute {
namespace {

// The tests of a sweep, which may run at the same time: each takes the operations of its share.
constexpr uint64_t kShards = 3;

struct Sweep {
  const char* name;
  Script (*script)();
  Disaster disaster;

  friend std::ostream& operator<<(std::ostream& out, const Sweep& sweep) { return out << sweep.name; }
};

class CrashSweepTest : public testing::TestWithParam<std::tuple<Sweep, uint64_t>> {};

TEST_P(CrashSweepTest, C14_NothingAcknowledgedIsLostAndNothingIsDoneTwice) {
  const auto& [sweep, shard] = GetParam();
  const uint64_t seed = TestSeed();
  const Script script = sweep.script();
  uint64_t points = 0;
  for (uint64_t operation = shard;; operation += kShards) {
    SCOPED_TRACE(absl::StrCat("before operation ", operation, ", HAPAX_TEST_SEED=", seed));
    CrashRun run({.disaster = sweep.disaster, .operations = {operation}, .seed = seed + operation});
    run.Run(script);
    if (HasFailure()) return;
    if (run.disaster_count() == 0) break;
    ++points;
  }
  std::cout << points << " crash points tried" << std::endl;
  EXPECT_GT(points, 40u) << "there cannot be so few";
}

INSTANTIATE_TEST_SUITE_P(Operations, CrashSweepTest,
                         testing::Combine(testing::Values(Sweep{"Cut", OneAtATime, Disaster::kPowerCut},
                                                          Sweep{"CutWithRests", OneAtATime,
                                                                Disaster::kPowerCutWithRests},
                                                          Sweep{"Failure", OneAtATime, Disaster::kFailure},
                                                          Sweep{"CutOfMany", ManyAtOnce, Disaster::kPowerCutWithRests},
                                                          Sweep{"FailureOfMany", ManyAtOnce, Disaster::kFailure}),
                                          testing::Range(uint64_t{0}, kShards)),
                         [](const testing::TestParamInfo<std::tuple<Sweep, uint64_t>>& sweep) {
                           return absl::StrCat(std::get<0>(sweep.param).name, "_", std::get<1>(sweep.param));
                         });

// Longer scripts, with a few disasters each. HAPAX_TEST_SEED repeats them, HAPAX_TEST_ROUNDS says how many there are.
TEST(CrashRandomTest, C14_NothingAcknowledgedIsLostAndNothingIsDoneTwice) {
  constexpr int kSteps = 40;
  constexpr uint64_t kOperations = 400;  // About as many as such a script makes.
  constexpr size_t kMaxDisasters = 4;
  const char* given_rounds = std::getenv("HAPAX_TEST_ROUNDS");
  const uint64_t rounds = given_rounds == nullptr ? 10 : std::strtoull(given_rounds, nullptr, 10);
  const uint64_t seed = TestSeed();
  size_t disasters = 0;
  for (uint64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("HAPAX_TEST_SEED=", seed, ", round ", round));
    std::mt19937_64 random(seed + round);
    std::set<uint64_t> operations;
    for (size_t count = 1 + random() % kMaxDisasters; count > 0; --count) operations.insert(random() % kOperations);
    CrashRun run({.disaster = static_cast<Disaster>(random() % 3),
                  .operations = {operations.begin(), operations.end()},
                  .seed = random()});
    run.Run(RandomScript(kSteps, random()));
    disasters += run.disaster_count();
  }
  std::cout << rounds << " rounds, " << disasters << " disasters" << std::endl;
}

}  // namespace
}  // namespace hapax::compute
