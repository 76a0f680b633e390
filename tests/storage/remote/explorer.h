#ifndef HAPAX_TESTS_STORAGE_REMOTE_EXPLORER_H_
#define HAPAX_TESTS_STORAGE_REMOTE_EXPLORER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hapax/tests/storage/remote/sim_calls.h"
#include "hapax/tests/storage/remote/sim_world.h"

// Runs a scenario in every order of its steps, or in orders at random.
namespace hapax {

struct SimScenario {
  SimWorld::Options world;
  std::vector<SimCall> calls;
};

struct Explored {
  std::string violation;           // Of the first order that broke an invariant; empty: of none.
  std::vector<std::string> steps;  // Of that order.
  int64_t orders = 0;
  bool complete = false;  // Every order was run.
};

// Runs every order of steps, each from the start, until one breaks an invariant or `max_orders` were run.
[[nodiscard]] Explored ExploreAll(const SimScenario& scenario, int64_t max_orders);
// Runs `orders` orders at random.
[[nodiscard]] Explored ExploreSome(const SimScenario& scenario, int64_t orders, uint64_t seed);

}  // namespace hapax

#endif  // HAPAX_TESTS_STORAGE_REMOTE_EXPLORER_H_
