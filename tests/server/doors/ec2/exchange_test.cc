#include "hapax/server/doors/ec2/exchange.h"

#include <cstddef>
#include <utility>

#include "gtest/gtest.h"

namespace hapax::ec2 {
namespace {

TEST(RunSteps, ManyStepsThatEndAtOnceTakeLittleStack) {
  size_t count = 0;
  RunSteps([&count](size_t index, absl::AnyInvocable<void()> next) {
    EXPECT_EQ(index, count);
    if (++count < 1'000'000) next();
  });
  EXPECT_EQ(count, 1'000'000U);
}

TEST(RunSteps, AStepMayEndLater) {
  size_t count = 0;
  absl::AnyInvocable<void()> held;
  RunSteps([&](size_t /*index*/, absl::AnyInvocable<void()> next) {
    ++count;
    held = std::move(next);
  });
  EXPECT_EQ(count, 1U);
  std::exchange(held, nullptr)();
  EXPECT_EQ(count, 2U);
  std::exchange(held, nullptr)();
  EXPECT_EQ(count, 3U);
}

}  // namespace
}  // namespace hapax::ec2
