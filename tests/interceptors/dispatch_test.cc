#include "hapax/interceptors/dispatch.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/faulty_store.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"

namespace hapax {
namespace {

using tests::v1::CountOrdersRequest;
using tests::v1::CountOrdersResponse;

int CountIn(const Answer& answer) {
  CountOrdersResponse response;
  EXPECT_TRUE(response.ParseFromString(answer.bytes));
  return response.count();
}

class DispatchTest : public ChainTest {
 protected:
  FaultyStore faulty_{*store_};
  TestChain faulty_chain_{faulty_};
};

TEST_F(DispatchTest, RepliesWithWhatTheHandlerReads) {
  EXPECT_EQ(CountIn(chain_.Call(service_.count_orders(), CountOrdersRequest())), 0);
  ASSERT_EQ(chain_.Call(service_.place_order(), OrderOf("pencil", "")).result, "unprotected");
  const Answer answer = chain_.Call(service_.count_orders(), CountOrdersRequest());
  EXPECT_EQ(answer.result, "ok");
  EXPECT_EQ(CountIn(answer), 1);
}

TEST_F(DispatchTest, AReadThatIsRunTwiceRepliesOnce) {
  ASSERT_EQ(chain_.Call(service_.place_order(), OrderOf("pencil", "")).result, "unprotected");
  faulty_.RunBodiesTwice();
  EXPECT_EQ(CountIn(faulty_chain_.Call(service_.count_orders(), CountOrdersRequest())), 1);
}

TEST_F(DispatchTest, C18_TheStoresErrorIsRefused) {
  faulty_.FailQueries(absl::UnavailableError("disk"));
  const Answer answer = faulty_chain_.Call(service_.count_orders(), CountOrdersRequest());
  EXPECT_THAT(answer.status, HasReason(Reason::kTokenStoreUnavailable));
}

TEST_F(DispatchTest, ATokenIsNothingToARead) {
  FakeCall call(service_.count_orders(), CountOrdersRequest());
  call.AddMetadata("x-client-token", "not a valid token");
  EXPECT_EQ(chain_.Call(call).result, "ok");
}

}  // namespace
}  // namespace hapax
