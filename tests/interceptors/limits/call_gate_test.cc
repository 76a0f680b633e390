#include "hapax/interceptors/limits/call_gate.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

TEST(CallGate, AdmitsSoManyAndOverloadIsTold) {
  CallGate gate(2);
  EXPECT_THAT(gate.TryEnter(), IsOk());
  EXPECT_THAT(gate.TryEnter(), IsOk());
  const absl::Status refused = gate.TryEnter();
  EXPECT_THAT(refused, HasReason(Reason::kOverloaded));
  EXPECT_TRUE(DetailOf<external::rpc::RetryInfo>(refused).has_value());
}

TEST(CallGate, OneThatLeavesMakesRoomForOne) {
  CallGate gate(1);
  ASSERT_THAT(gate.TryEnter(), IsOk());
  ASSERT_THAT(gate.TryEnter(), HasReason(Reason::kOverloaded));
  gate.Leave();
  EXPECT_THAT(gate.TryEnter(), IsOk());
  EXPECT_THAT(gate.TryEnter(), HasReason(Reason::kOverloaded));
}

TEST(CallGate, ClosedItAdmitsNobodyAndIsWorthARetryElsewhere) {
  CallGate gate(2);
  ASSERT_THAT(gate.TryEnter(), IsOk());
  gate.Close();
  const absl::Status refused = gate.TryEnter();
  EXPECT_THAT(refused, HasReason(Reason::kTokenStoreUnavailable));
  EXPECT_EQ(VerdictOf(refused), RetryVerdict::kSameToken);
}

TEST(CallGate, IdleIsAwaitedAsLongAsACallIsInFlight) {
  CallGate gate(2);
  ASSERT_THAT(gate.TryEnter(), IsOk());
  ASSERT_THAT(gate.TryEnter(), IsOk());
  gate.Close();
  gate.Leave();
  std::atomic<bool> left = false;
  std::thread last([&] {
    left = true;
    gate.Leave();
  });
  gate.AwaitIdle(absl::InfiniteDuration());
  EXPECT_TRUE(left);
  last.join();
}

TEST(CallGate, IdleIsNotAwaitedLongerThanTheTimeout) {
  CallGate gate(1);
  ASSERT_THAT(gate.TryEnter(), IsOk());
  gate.AwaitIdle(absl::ZeroDuration());  // Returns, or the test would never end.
  EXPECT_THAT(gate.TryEnter(), HasReason(Reason::kOverloaded));
}

TEST(CallGate, ManyThreadsAreNeverMoreThanAllowed) {
  constexpr int kAllowed = 3;
  CallGate gate(kAllowed);
  std::atomic<int> inside = 0;
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 2'000; ++j) {
        if (!gate.TryEnter().ok()) continue;
        ++admitted;
        EXPECT_LE(++inside, kAllowed);
        --inside;
        gate.Leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(admitted, 0);
  for (int i = 0; i < kAllowed; ++i) EXPECT_THAT(gate.TryEnter(), IsOk());
  EXPECT_THAT(gate.TryEnter(), HasReason(Reason::kOverloaded));
}

}  // namespace
}  // namespace hapax
