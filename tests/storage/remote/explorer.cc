#include "hapax/tests/storage/remote/explorer.h"

#include <functional>
#include <random>

namespace hapax {
namespace {

// A scenario of a few calls ends long before.
constexpr int kMaxSteps = 2'000;

// Runs one order; `choose(n)` picks one of n steps. Returns the violation.
std::string RunOrder(const SimScenario& scenario, const std::function<size_t(size_t)>& choose,
                     std::vector<std::string>& steps) {
  SimWorld world(scenario.world);
  SimCalls calls(world, scenario.calls);
  steps.clear();
  for (int i = 0; i < kMaxSteps; ++i) {
    world.Settle();
    if (std::string wrong = calls.Violation(); !wrong.empty()) return wrong;
    const std::vector<SimWorld::Step> next = world.Steps();
    if (next.empty()) return calls.ViolationAtEnd();
    const SimWorld::Step& step = next[next.size() == 1 ? 0 : choose(next.size())];
    steps.emplace_back(step.what);
    step.take();
  }
  return "it does not end";
}

}  // namespace

Explored ExploreAll(const SimScenario& scenario, int64_t max_orders) {
  struct Choice {
    size_t taken;
    size_t of;
  };
  std::vector<Choice> path;
  Explored explored;
  while (explored.orders < max_orders) {
    size_t depth = 0;
    explored.violation = RunOrder(
        scenario,
        [&](size_t count) {
          if (depth == path.size()) path.push_back({.taken = 0, .of = count});
          return path[depth++].taken;
        },
        explored.steps);
    ++explored.orders;
    if (!explored.violation.empty()) return explored;
    while (!path.empty() && path.back().taken + 1 == path.back().of) path.pop_back();
    if (path.empty()) {
      explored.complete = true;
      return explored;
    }
    ++path.back().taken;
  }
  return explored;
}

Explored ExploreSome(const SimScenario& scenario, int64_t orders, uint64_t seed) {
  Explored explored;
  for (; explored.orders < orders; ++explored.orders) {
    std::mt19937_64 random(seed + static_cast<uint64_t>(explored.orders));
    explored.violation = RunOrder(
        scenario, [&](size_t count) { return random() % count; }, explored.steps);
    if (!explored.violation.empty()) return explored;
  }
  return explored;
}

}  // namespace hapax
