#include "hapax/interceptors/limits/decoding.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/interceptors/wire.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::v1::PlaceOrderRequest;

class DecodingTest : public testing::Test {
 protected:
  const Method method_ = MakeMethod(MethodOf<PlaceOrderRequest>("Orders", "PlaceOrder"));
  LinkRunner<Decoding> decoding_;
};

TEST_F(DecodingTest, TheNextLinkFindsTheRequest) {
  PlaceOrderRequest request;
  request.set_item("pencil");
  request.mutable_delivery()->set_express(true);
  FakeCall call(method_, request);
  ASSERT_EQ(decoding_.Run(call), "passed on");
  EXPECT_EQ(call.request->GetDescriptor(), PlaceOrderRequest::descriptor());
  EXPECT_EQ(call.request->SerializeAsString(), request.SerializeAsString());
}

TEST_F(DecodingTest, NoBytesAreTheEmptyRequest) {
  FakeCall call(method_, "");
  ASSERT_EQ(decoding_.Run(call), "passed on");
  EXPECT_EQ(call.request->ByteSizeLong(), 0);
}

TEST_F(DecodingTest, UnknownFieldsAreKept) {
  const std::string bytes = VarintField(127, 1);
  FakeCall call(method_, bytes);
  ASSERT_EQ(decoding_.Run(call), "passed on");
  EXPECT_EQ(call.request->SerializeAsString(), bytes);
}

TEST_F(DecodingTest, WhatIsNoSerializedRequestIsAnInvalidParameter) {
  const std::string kUndecodable[] = {
      "\x22\x05pen",               // A string that is cut off.
      "\x22",                      // A tag with nothing after it.
      "\xFF\xFF\xFF\xFF\xFF\xFF",  // A tag that is too long.
      std::string("\x00\x01", 2),  // Field number 0.
      "\x0C",                      // The end of a group that never began.
      "\x0F",                      // Wire type 7.
      "\x22\x02\xC3\x28",          // Not UTF-8.
      "\x32\x02\x0A\x05",          // A nested message that is cut off.
  };
  for (const std::string& bytes : kUndecodable) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    FakeCall call(method_, bytes);
    ASSERT_EQ(decoding_.Run(call), "INVALID_PARAMETER");
    EXPECT_THAT(call.Reply(), HasReason(Reason::kInvalidParameter));
    EXPECT_THAT(FieldsOf(call.Reply().status()), ElementsAre("request"));
    EXPECT_THAT(std::string(call.Reply().status().message()), HasSubstr("hapax.tests.v1.PlaceOrderRequest"));
  }
}

// C32: what came is told as the transport's fault, not as a parameter's.
TEST_F(DecodingTest, C32_WhatIsNoMessageEndsTheCallWithItsFault) {
  FakeCall call(method_, "");
  call.SpoilRequest(absl::UnimplementedError("compressed"));
  ASSERT_EQ(decoding_.Run(call), "UNIMPLEMENTED");
  EXPECT_EQ(call.Reply().status().message(), "compressed");
}

}  // namespace
}  // namespace hapax
