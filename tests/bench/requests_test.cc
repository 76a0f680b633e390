#include "hapax/bench/requests.h"

#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "hapax/bench/messages.h"
#include "hapax/client/call/client_token.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "550e8400-e29b-41d4-a716-446655440000";

std::string Written(const RequestTemplate& bytes, std::string_view token) {
  std::string request(bytes.size(), '\0');
  bytes.Write(token, request.data());
  return request;
}

// Null when the requests have ended.
std::unique_ptr<std::string> NextOf(Requests& requests) {
  if (!requests.Next()) return nullptr;
  auto request = std::make_unique<std::string>(requests.size(), '\0');
  requests.Write(request->data());
  return request;
}

TEST(LaunchMessage, IsALaunchUnderItsToken) {
  compute::v1::RunInstancesRequest request;
  ASSERT_TRUE(request.ParseFromString(Written(LaunchMessage(1, true), kToken)));
  EXPECT_EQ(request.client_token(), kToken);
  EXPECT_EQ(request.min_count(), 0);
  ASSERT_TRUE(request.ParseFromString(Written(LaunchMessage(7, true), kToken)));
  EXPECT_EQ(request.client_token(), kToken);
  EXPECT_EQ(request.min_count(), 7);
}

TEST(LaunchMessage, HasSoManyTags) {
  compute::v1::RunInstancesRequest request;
  ASSERT_TRUE(request.ParseFromString(Written(LaunchMessage(1, true, 3), kToken)));
  EXPECT_EQ(request.tags_size(), 3);
}

TEST(LaunchMessage, IsInTheZone) {
  compute::v1::RunInstancesRequest request;
  ASSERT_TRUE(request.ParseFromString(Written(LaunchMessage(1, true, 0, "us-east-1b"), kToken)));
  EXPECT_EQ(request.placement().availability_zone(), "us-east-1b");
}

TEST(LaunchMessage, UnprotectedHasNoToken) {
  compute::v1::RunInstancesRequest request;
  ASSERT_TRUE(request.ParseFromString(Written(LaunchMessage(1, false), kToken)));
  EXPECT_EQ(request.client_token(), "");
}

TEST(PostMessage, IsAPostUnderItsTokenWithAMemoOf200Bytes) {
  ::bench::v1::PostRequest request;
  ASSERT_TRUE(request.ParseFromString(Written(PostMessage(true), kToken)));
  EXPECT_EQ(request.client_token(), kToken);
  EXPECT_EQ(request.posting().account(), "assets:cash");
  EXPECT_EQ(request.posting().memo().size(), 200);
  ASSERT_TRUE(request.ParseFromString(Written(PostMessage(false), kToken)));
  EXPECT_EQ(request.client_token(), "");
}

TEST(ReadMessage, NamesTheInstanceThatWasLaunched) {
  compute::v1::RunInstancesResponse launched;
  launched.add_instances()->set_instance_id("i-1");
  compute::v1::DescribeInstancesRequest request;
  ASSERT_TRUE(request.ParseFromString(Written(ReadMessage(FirstInstanceId(launched.SerializeAsString())), "")));
  ASSERT_EQ(request.instance_ids_size(), 1);
  EXPECT_EQ(request.instance_ids(0), "i-1");
}

TEST(LaunchPost, HasTheTokenInItsHeader) {
  const std::string request = Written(LaunchPost("127.0.0.1:80", "/run", true), kToken);
  EXPECT_THAT(request, HasSubstr(absl::StrCat("\r\nIdempotency-Key: ", kToken, "\r\n")));
  EXPECT_THAT(Written(LaunchPost("127.0.0.1:80", "/run", false), kToken), Not(HasSubstr("Idempotency-Key")));
}

TEST(LedgerPost, IsTheSamePostAsJson) {
  const std::string request = Written(LedgerPost("127.0.0.1:80", "/post", true), kToken);
  EXPECT_THAT(request, HasSubstr(absl::StrCat("\r\nIdempotency-Key: ", kToken, "\r\n")));
  ::bench::v1::PostRequest parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(request.substr(request.find("\r\n\r\n") + 4), &parsed).ok());
  EXPECT_EQ(parsed.posting().SerializeAsString(), MakePosting().SerializeAsString());
}

TEST(LaunchForm, HasTheTokenAsAParameter) {
  const std::string request = Written(LaunchForm("127.0.0.1:80", true), kToken);
  EXPECT_THAT(request, HasSubstr(absl::StrCat("&ClientToken=", kToken)));
  EXPECT_THAT(request,
              HasSubstr(absl::StrCat("\r\nContent-Length: ", request.size() - request.find("Action="), "\r\n")));
  EXPECT_THAT(Written(LaunchForm("127.0.0.1:80", false), kToken), Not(HasSubstr("ClientToken")));
}

TEST(Requests, NewTokensNeverComeAgain) {
  const RequestTemplate bytes = LaunchMessage(1, true);
  Requests requests(bytes, std::make_unique<NewTokens>());
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(*NextOf(requests)).second);
}

TEST(Requests, EachTokenOfAListComesOnce) {
  const TokenList list = MakeTokenList(50);
  const RequestTemplate bytes = LaunchMessage(1, true);
  Requests requests(bytes, std::make_unique<EachToken>(list));
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(seen.insert(*NextOf(requests)).second);
  EXPECT_EQ(NextOf(requests), nullptr);
}

TEST(Requests, AnyTokenOfAListComesAgainAndNoOther) {
  const TokenList list = MakeTokenList(5);
  std::set<std::string> expected;
  const RequestTemplate bytes = LaunchMessage(1, true);
  for (const std::string& token : *list) {
    EXPECT_TRUE(client::IsClientToken(token));
    EXPECT_EQ(token.size(), kTokenBytes);
    expected.insert(Written(bytes, token));
  }
  Requests requests(bytes, std::make_unique<AnyToken>(list));
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(*NextOf(requests));
  EXPECT_EQ(seen, expected);
}

TEST(Requests, WithoutTokensHaveNoEnd) {
  const RequestTemplate bytes = ReadMessage("i-1");
  Requests requests(bytes, nullptr);
  const std::string first = *NextOf(requests);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(*NextOf(requests), first);
}

}  // namespace
}  // namespace hapax::bench
