#include "hapax/interceptors/limits/tenant_gate.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

using testing::HasSubstr;

class TenantGateTest : public testing::Test {
 protected:
  // One whole call of the tenant's.
  absl::Status PassThrough(TenantGate& gate, const std::string& tenant) {
    const absl::StatusOr<TenantGate::Place*> place = gate.TryEnter(tenant);
    if (place.ok()) gate.Leave(**place);
    return place.status();
  }

  ManualClock clock_;
};

TEST_F(TenantGateTest, ATenantHasItsCallsInFlightAndNoMoreAndOthersHaveTheirs) {
  TenantGate gate({.max_calls_in_flight = 2}, clock_);
  const absl::StatusOr<TenantGate::Place*> first = gate.TryEnter("one");
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(gate.TryEnter("one"), IsOk());
  const absl::Status refused = gate.TryEnter("one").status();
  EXPECT_THAT(refused, HasReason(Reason::kOverloaded));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("max_calls_in_flight_per_tenant is 2"));
  EXPECT_TRUE(DetailOf<external::rpc::RetryInfo>(refused).has_value());
  EXPECT_THAT(gate.TryEnter("two"), IsOk());
  gate.Leave(**first);
  EXPECT_THAT(gate.TryEnter("one"), IsOk());
  EXPECT_THAT(gate.TryEnter("one"), HasReason(Reason::kOverloaded));
}

TEST_F(TenantGateTest, ABucketGivesItsBurstAndThenSoManyASecond) {
  TenantGate gate({.max_calls_per_second = 0.5, .max_burst = 3}, clock_);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(PassThrough(gate, "one"), IsOk()) << i;
  const absl::Status refused = PassThrough(gate, "one");
  EXPECT_THAT(refused, HasReason(Reason::kOverloaded));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("max_calls_per_second_per_tenant is 0.5"));
  EXPECT_EQ(DetailOf<external::rpc::RetryInfo>(refused)->retry_delay().seconds(), 2);
  EXPECT_THAT(PassThrough(gate, "two"), IsOk());

  clock_.Advance(absl::Seconds(2) - absl::Nanoseconds(1));
  EXPECT_THAT(PassThrough(gate, "one"), HasReason(Reason::kOverloaded));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(PassThrough(gate, "one"), IsOk());
  EXPECT_THAT(PassThrough(gate, "one"), HasReason(Reason::kOverloaded));

  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(PassThrough(gate, "one"), IsOk()) << i;
  EXPECT_THAT(PassThrough(gate, "one"), HasReason(Reason::kOverloaded));
}

TEST_F(TenantGateTest, ARefusedCallTakesNothingFromTheBucket) {
  TenantGate gate({.max_calls_in_flight = 1, .max_calls_per_second = 1, .max_burst = 2}, clock_);
  const absl::StatusOr<TenantGate::Place*> place = gate.TryEnter("one");
  ASSERT_THAT(place, IsOk());
  for (int i = 0; i < 10; ++i) EXPECT_THAT(gate.TryEnter("one"), HasReason(Reason::kOverloaded));
  gate.Leave(**place);
  EXPECT_THAT(PassThrough(gate, "one"), IsOk());
  EXPECT_THAT(PassThrough(gate, "one"), HasReason(Reason::kOverloaded));
}

TEST_F(TenantGateTest, AClockThatIsSetMakesNoDifference) {
  TenantGate gate({.max_calls_per_second = 1, .max_burst = 1}, clock_);
  EXPECT_THAT(PassThrough(gate, "one"), IsOk());
  clock_.Jump(-absl::Hours(24));
  EXPECT_THAT(PassThrough(gate, "one"), HasReason(Reason::kOverloaded));
  clock_.Jump(absl::Hours(48));
  EXPECT_THAT(PassThrough(gate, "one"), HasReason(Reason::kOverloaded));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(PassThrough(gate, "one"), IsOk());
}

// With more tenants than are kept, those that count are.
TEST_F(TenantGateTest, OfManyTenantsWhoHasACallInFlightOrAnEmptyBucketIsNotForgotten) {
  TenantGate gate({.max_calls_in_flight = 1, .max_calls_per_second = 0.001, .max_burst = 2}, clock_);
  ASSERT_THAT(gate.TryEnter("in flight"), IsOk());
  for (int i = 0; i < 2; ++i) ASSERT_THAT(PassThrough(gate, "empty"), IsOk());
  for (int i = 0; i < 10'000; ++i) ASSERT_THAT(PassThrough(gate, absl::StrCat(i)), IsOk());
  EXPECT_THAT(gate.TryEnter("in flight"), HasReason(Reason::kOverloaded));
  EXPECT_THAT(PassThrough(gate, "empty"), HasReason(Reason::kOverloaded));
  clock_.Advance(absl::Hours(24));
  for (int i = 0; i < 30'000; ++i) ASSERT_THAT(PassThrough(gate, absl::StrCat("another ", i)), IsOk());
  EXPECT_THAT(gate.TryEnter("in flight"), HasReason(Reason::kOverloaded));
}

}  // namespace
}  // namespace hapax
