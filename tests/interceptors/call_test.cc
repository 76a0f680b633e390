#include "hapax/interceptors/call.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::Optional;

class UnaryCallTest : public testing::Test {
 protected:
  const Method method_ = MakeMethod(MethodOf<tests::v1::CountOrdersRequest>("Orders", "CountOrders"));
  FakeCall call_{method_, ""};
};

TEST_F(UnaryCallTest, TheReplyIsSent) {
  call_.Finish("bytes");
  EXPECT_EQ(call_.Reply().value(), "bytes");
}

TEST_F(UnaryCallTest, HooksSeeTheEndBeforeItIsSentTheLastAddedFirst) {
  std::vector<std::string> seen;
  for (const char* name : {"first", "second"}) {
    call_.OnFinish([&seen, name, this](UnaryCall& ended, const absl::StatusOr<std::string>& reply) {
      EXPECT_EQ(&ended, &call_);
      EXPECT_FALSE(call_.ended());
      seen.push_back(absl::StrCat(name, ": ", reply.value()));
    });
  }
  call_.Finish("bytes");
  EXPECT_THAT(seen, ElementsAre("second: bytes", "first: bytes"));
  EXPECT_TRUE(call_.ended());
}

TEST_F(UnaryCallTest, C26_AReplyKeepsItsOutcome) {
  call_.outcome = Outcome::kReplayed;
  call_.Finish("bytes");
  EXPECT_THAT(call_.outcome, Optional(Outcome::kReplayed));
}

TEST_F(UnaryCallTest, C26_AnErrorHasNoOutcomeWhateverWasFoundBefore) {
  call_.outcome = Outcome::kExecuted;
  std::vector<bool> seen;
  call_.OnFinish(
      [&](UnaryCall& ended, const absl::StatusOr<std::string>&) { seen.push_back(ended.outcome.has_value()); });
  call_.Finish(absl::NotFoundError("no such thing"));
  EXPECT_THAT(call_.Reply(), StatusIs(absl::StatusCode::kNotFound, "no such thing"));
  EXPECT_EQ(call_.outcome, std::nullopt);
  EXPECT_THAT(seen, ElementsAre(false));
}

TEST(Outcome, C26_HasItsNameOnTheWire) {
  EXPECT_EQ(WireName(Outcome::kExecuted), "executed");
  EXPECT_EQ(WireName(Outcome::kReplayed), "replayed");
  EXPECT_EQ(WireName(Outcome::kUnprotected), "unprotected");
}

}  // namespace
}  // namespace hapax
