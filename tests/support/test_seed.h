#ifndef HAPAX_TESTS_SUPPORT_TEST_SEED_H_
#define HAPAX_TESTS_SUPPORT_TEST_SEED_H_

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace hapax {

// The seed of a randomized test: a new seed for each run, which is printed. Set HAPAX_TEST_SEED to repeat a run.
[[nodiscard]] inline uint64_t TestSeed() {
  const char* given = std::getenv("HAPAX_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "HAPAX_TEST_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace hapax

#endif  // HAPAX_TESTS_SUPPORT_TEST_SEED_H_
