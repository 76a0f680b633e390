#include "hapax/testing/fake_context.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/server/hosting/listing.h"
#include "hapax/test/v1/ledger.pb.h"
#include "hapax/testing/manual_clock.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

TEST(FakeContextTest, HasWhatTheTestSaysAndDefaults) {
  const CallContext context = FakeContext();
  EXPECT_EQ(context.tenant, "default");
  EXPECT_EQ(context.client_token, "");
  EXPECT_EQ(context.place.region, "default");
  EXPECT_EQ(context.now, ManualClock().Now());
  const CallContext other = FakeContext({.tenant = "shop", .client_token = "t", .place = {.region = "r", .zone = "z"}});
  EXPECT_EQ(other.tenant, "shop");
  EXPECT_EQ(other.client_token, "t");
  EXPECT_EQ(other.place.zone, "z");
}

TEST(FakeContextTest, GetsTheDefaultsThatAHandlerRecords) {
  test::v1::DepositRequest defaults;
  defaults.set_zone("a");
  FakeContext().RecordDefaults(defaults);
  test::v1::DepositRequest recorded;
  FakeContext({.recorded_defaults = &recorded}).RecordDefaults(defaults);
  EXPECT_EQ(recorded.zone(), "a");
}

TEST(FakeContextTest, MakesPageTokensThatAreGoodForTheNextCall) {
  idempotency::v1::ListTokensRequest request;
  const CallContext context = FakeContext();
  const auto first = Page::Of(request, context.page_token_key, context.tenant);
  ASSERT_THAT(first, IsOk());
  request.set_page_token(first->TokenAfter("key"));
  const auto second = Page::Of(request, FakeContext().page_token_key, context.tenant);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->after(), "key");
}

}  // namespace
}  // namespace hapax
