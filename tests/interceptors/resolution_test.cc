#include "hapax/interceptors/resolution.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using tests::v1::CountOrdersRequest;
using tests::v1::PlaceOrderRequest;

class Last final : public UnaryInterceptor {
 public:
  void Intercept(UnaryCall& call, Next /*next*/) override { call.Finish("reply"); }
};

class ResolutionTest : public testing::Test {
 protected:
  ResolutionTest() : chain_(MakeLinks()) {}

  std::string Run(FakeCall& call) {
    call.principal = {.tenant = "tenant", .role = Role::kWrite};
    call.Decode();
    chain_.Run(call);
    return call.Result();
  }

  ManualClock clock_;
  const Method place_order_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
  const Method count_orders_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));

 private:
  std::vector<std::unique_ptr<UnaryInterceptor>> MakeLinks() {
    std::vector<std::unique_ptr<UnaryInterceptor>> links;
    links.push_back(
        std::make_unique<Resolution>(Resolution::Options{.default_region = "home", .page_token_key = "key"}, clock_));
    links.push_back(std::make_unique<Last>());
    return links;
  }

  const Chain chain_;
};

TEST_F(ResolutionTest, AMutationsContextHasTokenAndPlaceByItsRule) {
  PlaceOrderRequest request;
  request.set_zone("home-a");
  FakeCall call(place_order_, request);
  call.AddMetadata("x-client-token", "token");
  EXPECT_EQ(Run(call), "ok");
  EXPECT_EQ(call.context.tenant, "tenant");
  EXPECT_EQ(call.context.now, clock_.Now());
  EXPECT_EQ(call.context.client_token, "token");
  EXPECT_EQ(call.context.place.region, "home");
  EXPECT_EQ(call.context.place.zone, "home-a");
  EXPECT_EQ(call.context.role, Role::kWrite);
  EXPECT_EQ(call.context.call, &call);
}

TEST_F(ResolutionTest, ACallOfAMethodWithoutARuleHasNeither) {
  FakeCall call(count_orders_, CountOrdersRequest());
  call.AddMetadata("x-client-token", "no token at all");
  EXPECT_EQ(Run(call), "ok");
  EXPECT_EQ(call.context.tenant, "tenant");
  EXPECT_EQ(call.context.now, clock_.Now());
  EXPECT_EQ(call.context.page_token_key, "key");
  EXPECT_EQ(call.context.client_token, "");
  EXPECT_EQ(call.context.place.region, "");
}

TEST_F(ResolutionTest, C2_ABadTokenEndsTheCall) {
  FakeCall call(place_order_, PlaceOrderRequest());
  call.AddMetadata("x-client-token", "no token at all");
  EXPECT_EQ(Run(call), "INVALID_CLIENT_TOKEN");
}

}  // namespace
}  // namespace hapax
