#include "hapax/server/doors/ec2/ec2_door.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/tests/server/doors/ec2/door_fixture.h"
#include "hapax/tests/server/support/proto_text.h"

// Tokens through the door: which there are, and that a retry gets the same.
namespace hapax::ec2 {
namespace {

using ::testing::HasSubstr;

class Ec2DoorTokens : public DoorFixture {};

constexpr char kRun[] = "Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1";
constexpr char kUuid[] = "72d30b10-05f3-442a-adea-7f35e2494ad6";

TEST_F(Ec2DoorTokens, C9_ARetryGetsTheSameXml) {
  const std::string form = absl::StrCat(kRun, "&KeyName=image-key&ClientToken=T&Version=2016-11-15");
  const Ec2Reply first = Post(form);
  EXPECT_EQ(first.Result(), "200 executed");
  EXPECT_EQ(first.http.content_type, "text/xml;charset=UTF-8");
  EXPECT_EQ(first.Header("idempotent-replayed"), "");
  compute_.FinishBoots();
  const Ec2Reply retry = Get(form);
  EXPECT_EQ(retry.Result(), "200 replayed");
  EXPECT_EQ(retry.Header("idempotent-replayed"), "true");
  EXPECT_EQ(retry.Body(), first.Body());
  EXPECT_EQ(retry.Text("requestId"), retry.Header("x-amzn-requestid"));
  EXPECT_NE(retry.Text("requestId"), first.Text("requestId"));
  EXPECT_EQ(CountInstances(), 1);
}

TEST_F(Ec2DoorTokens, TheReplyHasEc2sForm) {
  const Ec2Reply reply = Post(absl::StrCat(
      kRun,
      "&ClientToken=T&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=b&"
      "TagSpecification.1.Tag.1.Value=%26&TagSpecification.1.Tag.2.Key=a&Placement.AvailabilityZone=us-east-1a"));
  const std::string launched = reply.Text("launchTime");
  EXPECT_EQ(reply.Body(),
            absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RunInstancesResponse "
                         "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>ID</requestId><reservationId>",
                         reply.Text("reservationId"),
                         "</reservationId><ownerId>default</ownerId><groupSet/><instancesSet><item><instanceId>",
                         reply.Text("instanceId"),
                         "</instanceId><imageId>ami-1</imageId><instanceState><code>0</code><name>pending</name>"
                         "</instanceState><instanceType>m5.large</instanceType><launchTime>",
                         launched,
                         "</launchTime><placement><availabilityZone>us-east-1a</availabilityZone><tenancy>default"
                         "</tenancy></placement><subnetId>subnet-a</subnetId><privateIpAddress>10.0.0.4"
                         "</privateIpAddress><clientToken>T</clientToken><tagSet><item><key>a</key><value/></item>"
                         "<item><key>b</key><value>&amp;</value></item></tagSet></item></instancesSet>"
                         "</RunInstancesResponse>"));
}

TEST_F(Ec2DoorTokens, C31_ATokenIsTheSameByGrpc) {
  static_cast<void>(Post(absl::StrCat(kRun, "&ClientToken=T")));
  const auto request = FromText<compute::v1::RunInstancesRequest>("client_token: 'T' image_id: 'ami-1'");
  EXPECT_EQ(chain_.Call("RunInstances", request, "default").result, "replayed");
  static_cast<void>(chain_.Call(
      "StopInstance", FromText<compute::v1::StopInstanceRequest>("client_token: 'S' instance_id: 'none'"), "default"));
  EXPECT_EQ(Post("Action=StopInstances&InstanceId.1=none&ClientToken=T").Result(), "400 IdempotentParameterMismatch");
}

TEST_F(Ec2DoorTokens, C10_OtherParametersAreAMismatch) {
  static_cast<void>(Post(absl::StrCat(kRun, "&ClientToken=T")));
  const Ec2Reply reply = Post("Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=2&ClientToken=T");
  EXPECT_EQ(reply.Result(), "400 IdempotentParameterMismatch");
  EXPECT_EQ(reply.Header("hapax-retry"), "new-token");
  EXPECT_THAT(reply.Text("Message"), HasSubstr("inconsistent with arguments used in previous request(s). "));
  EXPECT_THAT(reply.Text("Message"), HasSubstr("max_count"));
  EXPECT_EQ(CountInstances(), 1);
}

TEST_F(Ec2DoorTokens, C6_ATokenInAnotherZoneIsAnother) {
  const std::string form = absl::StrCat(kRun, "&ClientToken=T");
  EXPECT_EQ(Post(form).Result(), "200 executed");
  EXPECT_EQ(Post(absl::StrCat(form, "&Placement.AvailabilityZone=us-east-1a")).Result(), "200 executed");
  EXPECT_EQ(Post(absl::StrCat(form, "&Placement.AvailabilityZone=us-east-1b")).Result(), "200 executed");
  EXPECT_EQ(Post(absl::StrCat(form, "&Placement.AvailabilityZone=us-east-1a")).Result(), "200 replayed");
  EXPECT_EQ(CountInstances(), 3);
}

TEST_F(Ec2DoorTokens, C1_EachPlaceOfATokenIsAsGoodAsAnother) {
  constexpr char kCreate[] = "Action=CreateKeyPair&KeyType=ed25519&KeyName=k";
  const std::string key = Post(kCreate, {{"x-client-token", "T"}}).Text("keyMaterial");
  EXPECT_NE(key, "");
  EXPECT_EQ(Post(kCreate, {{"idempotency-key", "\"T\""}}).Text("keyMaterial"), key);
  EXPECT_EQ(Post(absl::StrCat(kCreate, "&ClientToken=T")).Text("keyMaterial"), key);
  const HttpRequest prefixed = {.method = "POST",
                                .target = "/with-client-token/T",
                                .prefix = "/with-client-token/T",
                                .path = "/",
                                .prefix_token = "T",
                                .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                                .body = kCreate};
  EXPECT_EQ(Send(prefixed).Text("keyMaterial"), key);
  EXPECT_EQ(Post(kCreate).Result(), "400 InvalidKeyPair.Duplicate");
}

TEST_F(Ec2DoorTokens, C1_TwoPlacesThatDifferAreAConflict) {
  HttpRequest request = {.method = "GET", .target = "/", .path = "/", .prefix_token = "P"};
  request.query = absl::StrCat(kRun, "&ClientToken=T");
  EXPECT_EQ(Send(request).Result(), "400 InvalidParameterCombination");
  request.query = kRun;
  request.headers = {{"x-client-token", "T"}};
  EXPECT_EQ(Send(request).Result(), "400 InvalidParameterCombination");
  EXPECT_EQ(Post(absl::StrCat(kRun, "&ClientToken=", std::string(65, 'x'))).Result(), "400 InvalidClientToken");
  EXPECT_EQ(Post(absl::StrCat(kRun, "&ClientToken=a+b")).Result(), "400 InvalidClientToken");
  EXPECT_EQ(CountInstances(), 0);
}

TEST_F(Ec2DoorTokens, AnInvocationIdIsTheTokenWhereThereIsNoOther) {
  const HttpHeaders headers = {{"amz-sdk-invocation-id", kUuid}};
  constexpr char kAllocate[] = "Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceType=m5.large&Quantity=1";
  const Ec2Reply first = Post(kAllocate, headers);
  EXPECT_EQ(first.Result(), "200 executed");
  EXPECT_EQ(Post(kAllocate, headers).Result(), "200 replayed");
  EXPECT_EQ(Post(kAllocate, headers).Body(), first.Body());
  EXPECT_EQ(Post(absl::StrCat(kAllocate, "&ClientToken=T"), headers).Result(), "200 executed");
  EXPECT_EQ(Post(kAllocate, {{"amz-sdk-invocation-id", "no UUID"}}).Result(), "200 unprotected");
}

TEST_F(Ec2DoorTokens, InvocationIdsCanBeTurnedOff) {
  Open({.invocation_id_tokens = false});
  EXPECT_EQ(Post(kRun, {{"amz-sdk-invocation-id", kUuid}}).Result(), "200 unprotected");
  EXPECT_EQ(Post(kRun, {{"amz-sdk-invocation-id", kUuid}}).Result(), "200 unprotected");
  EXPECT_EQ(CountInstances(), 2);
}

TEST_F(Ec2DoorTokens, DryRunMakesNothing) {
  for (const char* const form :
       {"Action=RunInstances&ImageId=ami-1&ClientToken=T", "Action=CreateKeyPair&KeyName=k",
        "Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceType=m5.large", "Action=StopInstances&InstanceId.1=i",
        "Action=StartInstances&InstanceId.1=i", "Action=TerminateInstances&InstanceId.1=i",
        "Action=ReleaseHosts&HostId.1=h", "Action=DeleteKeyPair&KeyName=k", "Action=DescribeInstances"}) {
    EXPECT_EQ(Post(absl::StrCat(form, "&DryRun=true")).Result(), "412 DryRunOperation") << form;
  }
  for (const DoorCall& call : calls_.calls) EXPECT_THAT(std::string(call.method), HasSubstr("/Describe"));
  EXPECT_EQ(Post("Action=RunInstances&DryRun=true").Result(), "400 MissingParameter");
  EXPECT_EQ(Post(absl::StrCat(kRun, "&ClientToken=T&DryRun=false")).Result(), "200 executed");
}

TEST_F(Ec2DoorTokens, IsForTheRootAlone) {
  EXPECT_TRUE(door_->IsFor({.method = "POST", .path = "/"}));
  EXPECT_TRUE(door_->IsFor({.method = "GET", .path = "/", .query = "A=1&Action=X"}));
  EXPECT_FALSE(door_->IsFor({.method = "GET", .path = "/"}));
  EXPECT_FALSE(door_->IsFor({.method = "GET", .path = "/", .query = "XAction=X"}));
  EXPECT_FALSE(door_->IsFor({.method = "POST", .path = "/v3"}));
  EXPECT_FALSE(door_->IsFor({.method = "PUT", .path = "/", .query = "Action=X"}));
}

}  // namespace
}  // namespace hapax::ec2
