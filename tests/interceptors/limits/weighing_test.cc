#include "hapax/interceptors/limits/weighing.h"

#include <string>

#include "gtest/gtest.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

constexpr int64_t kMax = 100'000;

// A request is being read.
class WeighingTest : public testing::Test {
 protected:
  WeighingTest() { EXPECT_TRUE(budget_.TryReserve()); }

  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  MessageBudget budget_{{.bytes = 4 * kMax, .max_message_bytes = kMax}};
  LinkRunner<Weighing> weighing_{budget_};
};

TEST_F(WeighingTest, ASmallRequestTakesNoBytes) {
  FakeCall call(method_, std::string(100, 'x'));
  EXPECT_EQ(weighing_.Run(call), "passed on");
  EXPECT_EQ(budget_.taken(), 0);
  call.Finish("reply");
  EXPECT_EQ(budget_.taken(), 0);
}

TEST_F(WeighingTest, C32_ALargeRequestTakesItsBytesUntilTheCallEnds) {
  FakeCall call(method_, std::string(50'000, 'x'));
  EXPECT_EQ(weighing_.Run(call), "passed on");
  EXPECT_EQ(budget_.taken(), 50'000);
  call.Finish("reply");
  EXPECT_EQ(budget_.taken(), 0);
}

}  // namespace
}  // namespace hapax
