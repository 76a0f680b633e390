#include "hapax/interceptors/reception.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

class ReceptionTest : public testing::Test {
 protected:
  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  LinkRunner<Reception> reception_;
  FakeCall call_{method_, ""};
};

TEST_F(ReceptionTest, ACallGoesOnOnceItsRequestIsThere) {
  EXPECT_EQ(reception_.Run(call_), "passed on");
  FakeCall late(method_, "");
  late.HoldRequest();
  EXPECT_EQ(reception_.Run(late), "lost");
  EXPECT_TRUE(late.asks_for_request());
  late.SendRequest(true);
  EXPECT_TRUE(reception_.PassedOn(late));
  for (FakeCall* call : {&call_, &late}) call->Finish("reply");
}

// The next links tell it why.
TEST_F(ReceptionTest, ACallWhoseRequestWillNotComeGoesOnWithoutOne) {
  call_.HoldRequest();
  EXPECT_EQ(reception_.Run(call_), "lost");
  call_.SendRequest(false);
  EXPECT_TRUE(reception_.PassedOn(call_));
  EXPECT_FALSE(call_.has_request());
  call_.Finish("reply");
}

TEST_F(ReceptionTest, ACallThatHasItsRequestWaitsForItsTenantsTurn) {
  call_.context.tenant = "tenant";
  call_.LetNoTurnCome();
  EXPECT_EQ(reception_.Run(call_), "lost");
  EXPECT_EQ(call_.party(), "tenant");
  call_.Finish("reply");
}

}  // namespace
}  // namespace hapax
