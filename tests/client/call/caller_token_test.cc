#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/call/caller.h"
#include "hapax/tests/client/call/caller_fixture.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/v1/rules.pb.h"

// What a Caller sends for a message: with which token, and of which type.
namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using CallerTokens = CallerFixture;
using CallerTypes = CallerFixture;

TEST_F(CallerTokens, ANewOneForEachCallAndTheSameInEachAttempt_C1) {
  for (const char* const expected : {"new-token-1", "new-token-2"}) {
    const size_t first = network->count();
    network->Next(2, Lost());
    network->Next(Replied(Launched("r-1")));
    const auto result = Launch();
    EXPECT_EQ(result.info.token, expected);
    for (size_t i = first; i < first + 3; ++i) {
      EXPECT_EQ(SentToken(i), expected);
      EXPECT_THAT(network->attempt(i).attempt.metadata, IsEmpty()) << "the request has it";
    }
  }
}

TEST_F(CallerTokens, TheRequestsOwnGoesBeforeThatOfTheOptions) {
  network->Next(2, Replied(Launched("r-1")));
  EXPECT_EQ(Launch("of-the-request", {.retry = {}, .token = "of-the-options"}).info.token, "of-the-request");
  EXPECT_EQ(SentToken(0), "of-the-request");
  EXPECT_EQ(Launch("", {.retry = {}, .token = "of-the-options"}).info.token, "of-the-options");
  EXPECT_EQ(SentToken(1), "of-the-options");
}

TEST_F(CallerTokens, NoneIsMadeForAnUnprotectedCall_C3) {
  network->Next(Lost());
  const auto result = Launch("", {.retry = {}, .token = "", .unprotected = true});
  EXPECT_EQ(result.info.token, "");
  EXPECT_EQ(result.info.attempts, 1);
  EXPECT_EQ(SentToken(0), "");
}

TEST_F(CallerTokens, OneThatCannotBeMetadataIsRefusedBeforeItIsSent_C2) {
  for (const std::string& token : {std::string("line\nbreak"), std::string("a b"), std::string(65, 'x')}) {
    const Result<std::string> result = Call(Policy(), {.method = "a.B/C", .token = token});
    EXPECT_THAT(result.reply, StatusIs(StatusCode::kInvalidArgument));
    EXPECT_TRUE(result.info.settled);
  }
  EXPECT_EQ(network->count(), 0);
}

TEST_F(CallerTokens, OneThatCannotBeIsRefusedWithTheNameOfWhereItWasGiven_C2) {
  for (const std::string& token : {std::string("line\nbreak"), std::string("a b"), std::string(65, 'x')}) {
    for (const auto& [given, result] : {std::pair("hapax.compute.v1.RunInstancesRequest.client_token: ", Launch(token)),
                                        std::pair("CallOptions.token: ", Launch("", {.retry = {}, .token = token}))}) {
      EXPECT_THAT(result.reply, StatusIs(StatusCode::kInvalidArgument,
                                         AllOf(HasSubstr(given), HasSubstr("1 to 64 characters 0x21-0x7E"))));
      EXPECT_TRUE(result.info.settled);
      EXPECT_THAT(std::string(result.reply.status().message()), testing::Not(HasSubstr(token))) << "it is not logged";
    }
    const RawCall in_request{.method = "a.B/C", .token = token, .token_in_request = true};
    EXPECT_THAT(Call(Policy(), in_request).reply, StatusIs(StatusCode::kInvalidArgument, HasSubstr("RawCall.token")));
  }
  EXPECT_EQ(network->count(), 0);
}

// No server takes such a method, and a token in its place would change the caller's request, or be read as a region.
TEST_F(CallerTokens, AMethodThatATokenCannotProtectIsRefusedBeforeAnythingIsSent) {
  const auto& bad = *tests::v1::RuleRequest::descriptor()->file()->FindServiceByName("BadRules");
  for (const auto& [name, mistake] : std::map<std::string, std::string>{
           {"NestedTokenField", "token_field: must be a top-level field"},
           {"RepeatedTokenField", "token_field: \"several_strings\" is not a singular field"},
           {"BytesTokenField", "token_field: \"octets\" is not a string field"},
           {"TokenFieldInAOneof", "token_field: \"chosen\" is in a oneof"},
           {"TokenFieldAsRegionField", "scope.region_field: \"token\" is the token field"},
           {"TokenFieldAsZoneField", "scope.zone_fields: \"token\" is the token field"},
           {"ClientStreaming", "streams; only unary methods are allowed"},
           {"StreamingRead", "streams; only unary methods are allowed"}}) {
    const auto result =
        caller.Call<tests::v1::RuleResponse>(*bad.FindMethodByName(name), tests::v1::RuleRequest(), {.token = "t"});
    EXPECT_THAT(result.reply,
                StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("BadRules/" + name), HasSubstr(mistake))));
    EXPECT_TRUE(result.info.settled);
  }
  EXPECT_EQ(network->count(), 0);
}

TEST_F(CallerTokens, AnOptionalFieldIsFilledIn) {
  network->Next(Replied(""));
  const auto& good = *tests::v1::RuleRequest::descriptor()->file()->FindServiceByName("GoodRules");
  tests::v1::RuleRequest request;
  request.set_chosen("choice");
  EXPECT_THAT(
      caller.Call<tests::v1::RuleResponse>(*good.FindMethodByName("OptionalTokenField"), request, {.token = "t"}).reply,
      IsOk());
  tests::v1::RuleRequest sent;
  ASSERT_TRUE(sent.ParseFromString(network->attempt(0).attempt.request));
  EXPECT_EQ(sent.optional_token(), "t");
  EXPECT_EQ(sent.chosen(), "choice");
}

TEST_F(CallerTypes, AReadIsRetriedWithoutAToken) {
  network->Next(Lost());
  network->Next(Replied("", ""));
  const auto result = caller.Call<compute::v1::DescribeInstancesResponse>(ComputeClient::Method("DescribeInstances"),
                                                                          compute::v1::DescribeInstancesRequest());
  EXPECT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.info.token, "");
  EXPECT_EQ(result.info.attempts, 2);
  EXPECT_EQ(result.info.outcome, Outcome::kUnknown);
}

TEST_F(CallerTypes, AReplyThatDoesNotParseIsAnErrorThatSettlesNothing) {
  network->Next(Replied("\xff\xff\xff"));
  const auto result = Launch();
  EXPECT_THAT(result.reply, StatusIs(StatusCode::kInternal));
  EXPECT_EQ(result.info.outcome, Outcome::kExecuted);
  EXPECT_FALSE(result.info.settled);
}

TEST_F(CallerTypes, AnotherMethodsMessagesAreRefusedBeforeAnythingIsSent) {
  const auto& method = ComputeClient::Method("RunInstances");
  const auto of_request = caller.Call<compute::v1::RunInstancesResponse>(method, compute::v1::AllocateHostsRequest());
  EXPECT_THAT(of_request.reply, StatusIs(StatusCode::kInvalidArgument,
                                         AllOf(HasSubstr("RunInstancesRequest"), HasSubstr("AllocateHosts"))));
  EXPECT_TRUE(of_request.info.settled);
  const auto of_reply = caller.Call<compute::v1::AllocateHostsResponse>(method, compute::v1::RunInstancesRequest());
  EXPECT_THAT(of_reply.reply, StatusIs(StatusCode::kInvalidArgument, HasSubstr("returns a hapax.compute.v1.RunInst")));
  EXPECT_TRUE(of_reply.info.settled);
  EXPECT_EQ(network->count(), 0);
}

TEST_F(CallerTypes, TheCallsOwnPolicyGoesBeforeTheCallers) {
  RetryPolicy once = Policy();
  once.max_attempts = 1;
  EXPECT_EQ(Launch("", {.retry = once}).info.attempts, 1);
  EXPECT_EQ(Launch().info.attempts, Policy().max_attempts);
}

}  // namespace
}  // namespace hapax::client
