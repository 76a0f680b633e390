#include "hapax/interceptors/message_budget.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kMax = 100'000;
constexpr size_t kLarge = 60'000;

// Room for 8 requests that are read: 4 of anybody, then 2 of each tenant.
class MessageBudgetTest : public testing::Test {
 protected:
  void TakeHalf() {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(budget_.TryReserve());
  }
  // Notes in `went_on_` when the tenant's request may be read.
  void Reserve(const std::string& tenant, const std::string& name) {
    budget_.Reserve(tenant, [this, name] { went_on_.push_back(name); });
  }
  // The request has come, and is short.
  void Come(const std::string& tenant) {
    budget_.Uncount(tenant);
    EXPECT_FALSE(budget_.Settle(tenant, 10));
  }

  MessageBudget budget_{{.bytes = 8 * kMax, .max_message_bytes = kMax}};
  std::vector<std::string> went_on_;
};

TEST_F(MessageBudgetTest, C32_TheFirstHalfIsAnybodysAndNoMore) {
  TakeHalf();
  EXPECT_FALSE(budget_.TryReserve());
  EXPECT_EQ(budget_.taken(), 4 * kMax);
}

TEST_F(MessageBudgetTest, AShortRequestGivesAllOfItBack) {
  ASSERT_TRUE(budget_.TryReserve());
  EXPECT_FALSE(budget_.Settle("tenant", MessageBudget::kSmallBytes));
  EXPECT_EQ(budget_.taken(), 0);
}

TEST_F(MessageBudgetTest, ALongRequestTakesItsBytesUntilItsCallEnds) {
  ASSERT_TRUE(budget_.TryReserve());
  ASSERT_TRUE(budget_.Settle("tenant", kLarge));
  EXPECT_EQ(budget_.taken(), static_cast<int64_t>(kLarge));
  budget_.Return("tenant", kLarge);
  EXPECT_EQ(budget_.taken(), 0);
}

TEST_F(MessageBudgetTest, C32_ATenantWithItsShareWaitsAndAnotherDoesNot) {
  TakeHalf();
  for (const char* name : {"a1", "a2", "a3"}) Reserve("a", name);
  EXPECT_THAT(went_on_, ElementsAre("a1", "a2"));
  Reserve("b", "b1");
  EXPECT_THAT(went_on_, ElementsAre("a1", "a2", "b1"));
  Come("a");
  EXPECT_THAT(went_on_, ElementsAre("a1", "a2", "b1", "a3"));
}

TEST_F(MessageBudgetTest, C32_LongRequestsOfATenantAreItsShareWhoeverTookTheBytes) {
  TakeHalf();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(budget_.Settle("a", kMax));
  Reserve("a", "a1");
  EXPECT_THAT(went_on_, IsEmpty());
  Reserve("b", "b1");
  EXPECT_THAT(went_on_, ElementsAre("b1"));
  for (int i = 0; i < 4; ++i) budget_.Return("a", kMax);
  EXPECT_THAT(went_on_, ElementsAre("b1", "a1"));
}

TEST_F(MessageBudgetTest, C32_WhatIsThereIsTakenThoughThereIsNoRoomAndCountsAsItsTenants) {
  EXPECT_FALSE(budget_.IsTaking("a"));
  for (int i = 0; i < 9; ++i) budget_.Take("a", kMax);
  EXPECT_EQ(budget_.taken(), 9 * kMax);
  EXPECT_TRUE(budget_.IsTaking("a"));
  EXPECT_FALSE(budget_.IsTaking("b"));
  Reserve("b", "b1");
  EXPECT_THAT(went_on_, IsEmpty());
  for (int i = 0; i < 9; ++i) budget_.Return("a", kMax);
  EXPECT_THAT(went_on_, ElementsAre("b1"));
  EXPECT_FALSE(budget_.IsTaking("a"));
}

TEST_F(MessageBudgetTest, C32_ATenantHasRoomUpToHalfOrItsShare) {
  for (int i = 0; i < 3; ++i) budget_.Take("a", kMax);
  EXPECT_TRUE(budget_.HasRoom("a"));
  budget_.Take("a", kMax);
  EXPECT_FALSE(budget_.HasRoom("a"));
  EXPECT_TRUE(budget_.HasRoom("b"));
  budget_.Take("b", kMax);
  EXPECT_TRUE(budget_.HasRoom("b"));
  budget_.Take("b", kMax);
  EXPECT_FALSE(budget_.HasRoom("b"));
}

// However much others have that they do not read.
TEST_F(MessageBudgetTest, C32_ATenantThatTakesNothingHasRoom) {
  for (int i = 0; i < 9; ++i) budget_.Take("a", kMax);
  EXPECT_TRUE(budget_.HasRoom("b"));
}

TEST_F(MessageBudgetTest, ThoseThatWaitGoOnInTurnsOfTheirTenants) {
  TakeHalf();
  for (const char* tenant : {"x", "x", "y", "y"}) Reserve(tenant, tenant);
  went_on_.clear();
  for (const char* name : {"a1", "a2", "a3"}) Reserve("a", name);
  Reserve("b", "b1");
  EXPECT_THAT(went_on_, IsEmpty());
  Come("x");
  Come("y");
  EXPECT_THAT(went_on_, ElementsAre("a1", "b1"));
  Come("x");
  Come("y");
  EXPECT_THAT(went_on_, ElementsAre("a1", "b1", "a2"));
  Come("a");
  EXPECT_THAT(went_on_, ElementsAre("a1", "b1", "a2", "a3"));
}

TEST_F(MessageBudgetTest, WhoeverWaitsIsNotOvertakenByThoseThatNobodyCounts) {
  TakeHalf();
  for (const char* tenant : {"x", "x", "y", "y"}) Reserve(tenant, tenant);
  Reserve("a", "a1");
  EXPECT_FALSE(budget_.TryReserve());
  Come("x");
  EXPECT_THAT(went_on_, ElementsAre("x", "x", "y", "y", "a1"));
}

TEST_F(MessageBudgetTest, AllBytesComeBackHoweverManyThreadsTakeThem) {
  constexpr int kThreads = 4;
  constexpr int kRequests = 2'000;
  std::atomic<int> went_on = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, tenant = std::to_string(t % 2)] {
      for (int i = 0; i < kRequests; ++i) {
        const size_t bytes = i % 3 == 0 ? kLarge : 10;
        const auto come = [&, bytes, tenant] {
          ++went_on;
          if (budget_.Settle(tenant, bytes)) budget_.Return(tenant, bytes);
        };
        if (budget_.TryReserve()) {
          come();
        } else {
          budget_.Reserve(tenant, [&, come, tenant] {
            budget_.Uncount(tenant);
            come();
          });
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(went_on, kThreads * kRequests);
  EXPECT_EQ(budget_.taken(), 0);
}

}  // namespace
}  // namespace hapax
