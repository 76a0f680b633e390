#include "hapax/interceptors/reply_room.h"

#include "gtest/gtest.h"
#include "hapax/interceptors/message_budget.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

TEST(RefuseWithoutReplyRoom, C32_ATenantWithItsShareUnderWayIsOverloaded) {
  constexpr int64_t kMax = 100'000;
  MessageBudget budget({.bytes = 8 * kMax, .max_message_bytes = kMax});
  const Method method = MakeMethod(MethodOf<tests::v1::PlaceOrderRequest>("Orders", "PlaceOrder"));
  FakeCall call(method, "");
  call.principal.tenant = "tenant";
  for (int i = 0; i < 4; ++i) budget.Take("tenant", kMax);
  EXPECT_THAT(RefuseWithoutReplyRoom(call), IsOk()) << "nothing bounds its reply";
  call.reply_budget = &budget;
  EXPECT_THAT(RefuseWithoutReplyRoom(call), HasReason(Reason::kOverloaded));
  call.principal.tenant = "another";
  EXPECT_THAT(RefuseWithoutReplyRoom(call), IsOk());
}

}  // namespace
}  // namespace hapax
