#include "hapax/base/bounded_task.h"

#include <memory>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "hapax/base/clock.h"

namespace hapax {
namespace {

constexpr absl::Duration kPast = -absl::InfiniteDuration();

TEST(BoundedTask, IsWaitedForUntilItHasEnded) {
  int ran = 0;
  {
    const BoundedTask task([&] { ++ran; });
    EXPECT_TRUE(task.AwaitUntil(absl::InfiniteDuration()));
    EXPECT_TRUE(task.AwaitUntil(kPast));
  }
  EXPECT_EQ(ran, 1);
}

TEST(BoundedTask, OneThatDoesNotEndIsLetGo) {
  auto go_on = std::make_shared<absl::Notification>();
  auto ended = std::make_shared<absl::Notification>();
  {
    const BoundedTask task([go_on, ended] {
      go_on->WaitForNotification();
      ended->Notify();
    });
    EXPECT_FALSE(task.AwaitUntil(kPast));
    EXPECT_FALSE(task.AwaitUntil(MonotonicNow() + absl::Milliseconds(1)));
  }
  go_on->Notify();
  ended->WaitForNotification();
}

TEST(BoundedTask, WhatItHoldsIsGoneOnceItHasEnded) {
  const auto held = std::make_shared<int>(1);
  const BoundedTask task([copy = held] {});
  EXPECT_TRUE(task.AwaitUntil(absl::InfiniteDuration()));
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace hapax
