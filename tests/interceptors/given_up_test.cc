#include "hapax/interceptors/given_up.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using tests::v1::PlaceOrderRequest;

class RefuseIfGivenUpTest : public testing::Test {
 protected:
  const absl::Time now_ = absl::FromUnixSeconds(1'000'000'000);
  const Method method_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
  FakeCall call_{method_, PlaceOrderRequest()};
};

TEST_F(RefuseIfGivenUpTest, ACallWithoutDeadlineIsNot) { EXPECT_THAT(RefuseIfGivenUp(call_, now_), IsOk()); }

TEST_F(RefuseIfGivenUpTest, C19_AfterItsDeadlineItIs) {
  call_.SetDeadline(now_);
  EXPECT_THAT(RefuseIfGivenUp(call_, now_ - absl::Hours(1)), IsOk());
  EXPECT_THAT(RefuseIfGivenUp(call_, now_), IsOk());
  EXPECT_THAT(RefuseIfGivenUp(call_, now_ + absl::Nanoseconds(1)), HasReason(Reason::kDeadlineExceeded));
}

TEST_F(RefuseIfGivenUpTest, C19_ACancelledOneIsWhateverItsDeadline) {
  call_.Cancel();
  EXPECT_THAT(RefuseIfGivenUp(call_, now_), HasReason(Reason::kCancelled));
  call_.SetDeadline(now_ - absl::Seconds(1));
  EXPECT_THAT(RefuseIfGivenUp(call_, now_), HasReason(Reason::kCancelled));
}

}  // namespace
}  // namespace hapax
