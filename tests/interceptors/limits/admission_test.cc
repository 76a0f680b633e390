#include "hapax/interceptors/limits/admission.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

class AdmissionTest : public testing::Test {
 protected:
  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  ManualClock clock_;
  CallGate gate_{1};
  TenantGate tenant_gate_{{.max_calls_in_flight = 1}, clock_};
  LinkRunner<Admission> admission_{gate_, tenant_gate_};
  FakeCall first_{method_, ""};
  FakeCall second_{method_, ""};
  FakeCall third_{method_, ""};
};

TEST_F(AdmissionTest, ACallIsInFlightUntilItEnds) {
  EXPECT_EQ(admission_.Run(first_), "passed on");
  ASSERT_EQ(admission_.Run(second_), "OVERLOADED");
  EXPECT_THAT(second_.Reply(), HasReason(Reason::kOverloaded));
  first_.Finish("reply");
  EXPECT_EQ(first_.Reply().value(), "reply");
  EXPECT_EQ(admission_.Run(third_), "passed on");
}

TEST_F(AdmissionTest, ACallThatFailsMakesRoomToo) {
  EXPECT_EQ(admission_.Run(first_), "passed on");
  first_.Finish(absl::NotFoundError("no such thing"));
  EXPECT_EQ(admission_.Run(second_), "passed on");
}

TEST_F(AdmissionTest, ARefusedCallMakesNoRoomForAnother) {
  EXPECT_EQ(admission_.Run(first_), "passed on");
  EXPECT_EQ(admission_.Run(second_), "OVERLOADED");
  EXPECT_EQ(admission_.Run(third_), "OVERLOADED");
}

TEST_F(AdmissionTest, AClosedGateAdmitsNoCall) {
  gate_.Close();
  EXPECT_EQ(admission_.Run(first_), "TOKEN_STORE_UNAVAILABLE");
}

// C32: what is refused was not read.
TEST_F(AdmissionTest, C32_ACallIsAdmittedOrRefusedBeforeItsRequestHasCome) {
  for (FakeCall* call : {&first_, &second_}) call->HoldRequest();
  EXPECT_EQ(admission_.Run(first_), "passed on");
  EXPECT_EQ(admission_.Run(second_), "OVERLOADED");
  EXPECT_FALSE(second_.asks_for_request());
}

}  // namespace
}  // namespace hapax
