#include "hapax/interceptors/limits/reception.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

// Room for two requests that are read, of which the second is counted.
class ReceptionTest : public testing::Test {
 protected:
  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  LinkRunner<Reception> reception_{MessageBudget::Options{.bytes = 2000, .max_message_bytes = 1000}};
  FakeCall call_{method_, ""};
};

TEST_F(ReceptionTest, C32_ACallGoesOnOnceItsRequestIsThere) {
  call_.HoldRequest();
  EXPECT_EQ(reception_.Run(call_), "lost");
  EXPECT_TRUE(call_.asks_for_request());
  call_.SendRequest(true);
  EXPECT_TRUE(reception_.PassedOn(call_));
  call_.Finish("reply");
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

TEST_F(ReceptionTest, C32_ARequestIsNotAskedForWhileThereIsNoRoomForIt) {
  FakeCall second(method_, "");
  FakeCall third(method_, "");
  for (FakeCall* call : {&call_, &second, &third}) {
    call->HoldRequest();
    EXPECT_EQ(reception_.Run(*call), "lost");
  }
  EXPECT_TRUE(second.asks_for_request());
  EXPECT_FALSE(third.asks_for_request());
  for (FakeCall* call : {&call_, &second, &third}) call->Finish("reply");
}

}  // namespace
}  // namespace hapax
