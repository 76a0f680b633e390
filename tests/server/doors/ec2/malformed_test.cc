#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/ec2/door_fixture.h"

// Requests that no client should send, and what they get. None of them makes a call.
namespace hapax::ec2 {
namespace {

class Malformed : public DoorFixture {};

struct Row {
  std::string form;
  std::string result;
};

TEST_F(Malformed, FormsAreRefused) {
  const std::string run = "Action=RunInstances&ImageId=ami-1&";
  const std::vector<Row> rows = {
      {"", "400 MissingAction"},
      {"Version=2016-11-15", "400 MissingAction"},
      {"Action=", "400 MissingAction"},
      {"Action=Nonsense", "400 InvalidAction"},
      {"Action=runinstances", "400 InvalidAction"},
      {"Action=%ZZ", "400 MalformedQueryString"},
      {"Action=RunInstances&ImageId=%", "400 MalformedQueryString"},
      {"Action=RunInstances&ImageId=%00", "400 MalformedQueryString"},
      {"Action=RunInstances&ImageId=%FF", "400 MalformedQueryString"},
      {"Action=RunInstances&Action=StopInstances&ImageId=ami-1", "400 InvalidParameterCombination"},
      {run + "ImageId=ami-1", "400 InvalidParameterCombination"},
      {run + "ClientToken=T&ClientToken=T", "400 InvalidParameterCombination"},
      {run + "=x", "400 InvalidParameter"},
      {run + "a..b=x", "400 InvalidParameter"},
      {run + "a.1.1.1.1.1.1.1.1.1=x", "400 InvalidParameter"},
      {run + std::string(129, 'a') + "=x", "400 InvalidParameter"},
      {run + "Nonsense=x", "400 UnknownParameter"},
      {run + "imageid=x", "400 UnknownParameter"},
      {run + "InstanceId.1=x", "400 UnknownParameter"},
      {run + "MinCount=0", "400 InvalidParameterValue"},
      {run + "MinCount=-1", "400 InvalidParameterValue"},
      {run + "MaxCount=1e3", "400 InvalidParameterValue"},
      {run + "MaxCount=99999999999999999999", "400 InvalidParameterValue"},
      {run + "DryRun=perhaps", "400 InvalidParameterValue"},
      {run + "TagSpecification.1.ResourceType=volume", "400 UnsupportedOperation"},
      {run + "TagSpecification.1.Tag.1.Key=a", "400 MissingParameter"},
      {run + "TagSpecification.2.ResourceType=instance", "400 InvalidParameterValue"},
      {run + "TagSpecification.1=instance", "400 InvalidParameterValue"},
      {run + "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Value=a", "400 MissingParameter"},
      {run + "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.2.Key=a",
       "400 InvalidParameterValue"},
      {run + "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=%07", "400 InvalidParameterValue"},
      {run + "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.X=1",
       "400 UnsupportedOperation"},
      {run + "UserData=eA%3D%3D", "400 UnsupportedOperation"},
      {run + "SecurityGroupId.1=sg-1", "400 UnsupportedOperation"},
      {run + "BlockDeviceMapping.1.DeviceName=sda", "400 UnsupportedOperation"},
      {run + "NetworkInterface.1.SubnetId=subnet-a", "400 UnsupportedOperation"},
      {run + "IamInstanceProfile.Name=x", "400 UnsupportedOperation"},
      {run + "MetadataOptions.HttpTokens=required", "400 UnsupportedOperation"},
      {run + "Placement.GroupName=x", "400 UnsupportedOperation"},
      {run + "Monitoring.Enabled=true", "400 UnsupportedOperation"},
      {run + "EbsOptimized=true", "400 UnsupportedOperation"},
      {run + "InstanceInitiatedShutdownBehavior=terminate", "400 UnsupportedOperation"},
      {"Action=RunInstances", "400 MissingParameter"},
      {"Action=StopInstances", "400 MissingParameter"},
      {"Action=StopInstances&InstanceId=i-1", "400 MissingParameter"},
      {"Action=StopInstances&InstanceId.1=i-1&Force=true", "400 UnsupportedOperation"},
      {"Action=StopInstances&InstanceId.1=i-1&Hibernate=true", "400 UnsupportedOperation"},
      {"Action=StopInstances&InstanceId.0=i-1", "400 InvalidParameterValue"},
      {"Action=StopInstances&InstanceId.1001=i-1", "400 InvalidParameterValue"},
      {"Action=AllocateHosts&InstanceType=m5.large", "400 MissingParameter"},
      {"Action=AllocateHosts&AvailabilityZone=eu-west-1a", "400 MissingParameter"},
      {"Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceType=m5.large&HostRecovery=on",
       "400 UnsupportedOperation"},
      {"Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceFamily=m5", "400 MissingParameter"},
      {"Action=CreateKeyPair", "400 MissingParameter"},
      {"Action=CreateKeyPair&KeyName=k&KeyType=dsa", "400 InvalidParameterValue"},
      {"Action=CreateKeyPair&KeyName=k&KeyFormat=ppk", "400 UnsupportedOperation"},
      {"Action=DeleteKeyPair", "400 MissingParameter"},
      {"Action=DescribeInstances&ClientToken=T", "400 UnknownParameter"},
      {"Action=DescribeInstances&MaxResults=0", "400 InvalidParameterValue"},
      {"Action=DescribeInstances&Filter.1.Value.1=x", "400 MissingParameter"},
      {"Action=DescribeInstances&Filter.51.Name=x", "400 InvalidParameterValue"},
      {"Action=DescribeSubnets&Filter.1.Name=state&Filter.1.Value.1=%5Cx", "400 InvalidParameterValue"},
      {"Action=DescribeAddresses&PublicIp.1=1.2.3.4", "400 UnknownParameter"},
  };
  for (const Row& row : rows) {
    const Ec2Reply reply = Post(row.form);
    EXPECT_EQ(reply.Result(), row.result) << row.form;
    EXPECT_EQ(reply.Header("hapax-retry"), "never") << row.form;
    EXPECT_NE(reply.Text("Message"), "") << row.form;
    EXPECT_NE(reply.Text("RequestID"), "") << row.form;
  }
  EXPECT_TRUE(calls_.calls.empty());
}

TEST_F(Malformed, OtherBodiesAreRefused) {
  const auto send = [this](const std::string& type, const std::string& query, const std::string& body) {
    return Send({.method = "POST",
                 .target = "/?" + query,
                 .path = "/",
                 .query = query,
                 .headers = {{"content-type", type}},
                 .body = body})
        .Result();
  };
  EXPECT_EQ(send("application/json", "Action=DescribeInstances", "{}"), "400 InvalidRequest");
  EXPECT_EQ(send("multipart/form-data", "", "Action=DescribeInstances"), "400 InvalidRequest");
  EXPECT_EQ(send("application/x-www-form-urlencoded", "Action=DescribeInstances", "Action=DescribeInstances"),
            "400 InvalidParameterCombination");
  EXPECT_EQ(send("application/x-www-form-urlencoded", "", std::string(20'001, '&')), "400 RequestTooLarge");
  EXPECT_TRUE(calls_.calls.empty());
}

TEST_F(Malformed, AStrangersNameIsNotRepeatedWhole) {
  const Ec2Reply reply = Post("Action=RunInstances&ImageId=ami-1&%3Cscript%3E" + std::string(1'000, 'x') + "=1");
  EXPECT_EQ(reply.Result(), "400 InvalidParameter");
  EXPECT_LT(reply.http.body.size(), 600U);
  EXPECT_EQ(reply.Count("<script>"), 0);
}

}  // namespace
}  // namespace hapax::ec2
