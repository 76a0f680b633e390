#include "hapax/server/doors/ec2/actions.h"

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/ec2/door_fixture.h"

// What each action does as EC2 does it.
namespace hapax::ec2 {
namespace {

using ::testing::HasSubstr;

class Actions : public DoorFixture {
 protected:
  // An instance that runs.
  [[nodiscard]] std::string Launch(const std::string& more = "") {
    const std::string id = Post(absl::StrCat("Action=RunInstances&ImageId=ami-1", more)).Text("instanceId");
    compute_.FinishBoots();
    return id;
  }
  [[nodiscard]] std::string StateOf(const std::string& id) {
    return Post(absl::StrCat("Action=DescribeInstances&InstanceId.1=", id)).Text("name");
  }
  // "PREVIOUS -> CURRENT" of the first instance of a change.
  [[nodiscard]] static std::string ChangeIn(const Ec2Reply& reply) {
    const auto name_in = [](const std::string& state) {
      return state.substr(state.find("<name>") + 6, state.find("</name>") - state.find("<name>") - 6);
    };
    return absl::StrCat(name_in(reply.Text("previousState")), " -> ", name_in(reply.Text("currentState")));
  }
};

TEST_F(Actions, StopAndStartAreRetriedWithTheirTokens) {
  const std::string id = Launch();
  const std::string stop = absl::StrCat("Action=StopInstances&InstanceId.1=", id, "&ClientToken=S");
  const Ec2Reply stopped = Post(stop);
  EXPECT_EQ(ChangeIn(stopped), "running -> stopping");
  EXPECT_EQ(stopped.Result(), "200 executed");
  compute_.FinishStops();
  EXPECT_EQ(ChangeIn(Post(absl::StrCat("Action=StartInstances&InstanceId.1=", id))), "stopped -> pending");
  compute_.FinishStarts();
  // C24: a late retry of the stop leaves the instance up.
  const Ec2Reply retry = Post(stop);
  EXPECT_EQ(retry.Result(), "200 replayed");
  EXPECT_EQ(retry.Body(), stopped.Body());
  EXPECT_EQ(StateOf(id), "running");
}

TEST_F(Actions, NothingIsDoneForAnInstanceThatIsThereAlready) {
  const std::string id = Launch();
  const std::string start = absl::StrCat("Action=StartInstances&InstanceId.1=", id);
  const std::string stop = absl::StrCat("Action=StopInstances&InstanceId.1=", id);
  EXPECT_EQ(ChangeIn(Post(start)), "running -> running");
  static_cast<void>(Post(stop));
  EXPECT_EQ(ChangeIn(Post(stop)), "stopping -> stopping");
  EXPECT_EQ(Post(start).Result(), "400 IncorrectInstanceState");
  compute_.FinishStops();
  EXPECT_EQ(ChangeIn(Post(stop)), "stopped -> stopped");
  static_cast<void>(Post(start));
  EXPECT_EQ(ChangeIn(Post(start)), "pending -> pending");
  static_cast<void>(Post(absl::StrCat("Action=TerminateInstances&InstanceId.1=", id)));
  compute_.FinishShutDowns();
  EXPECT_EQ(Post(stop).Result(), "400 IncorrectInstanceState");
  EXPECT_EQ(Post(start).Result(), "400 IncorrectInstanceState");
}

TEST_F(Actions, C24_ALateRetryOfACallThatFoundNothingToDoDoesNothing) {
  const std::string id = Launch();
  static_cast<void>(Post(absl::StrCat("Action=StopInstances&InstanceId.1=", id)));
  compute_.FinishStops();
  const std::string stop = absl::StrCat("Action=StopInstances&InstanceId.1=", id, "&ClientToken=S");
  const Ec2Reply first = Post(stop);
  EXPECT_EQ(first.Result(), "200 executed");
  static_cast<void>(Post(absl::StrCat("Action=StartInstances&InstanceId.1=", id)));
  compute_.FinishStarts();
  EXPECT_EQ(Post(stop).Result(), "200 replayed");
  EXPECT_EQ(Post(stop).Body(), first.Body());
  EXPECT_EQ(StateOf(id), "running");

  constexpr char kDelete[] = "Action=DeleteKeyPair&KeyName=k&ClientToken=D";
  EXPECT_EQ(Post(kDelete).Result(), "200 executed");
  static_cast<void>(Post("Action=CreateKeyPair&KeyType=ed25519&KeyName=k"));
  EXPECT_EQ(Post(kDelete).Result(), "200 replayed");
  EXPECT_EQ(Post("Action=DescribeKeyPairs").Count("<keyName>"), 1);
}

TEST_F(Actions, SeveralInstancesAreStoppedEachOnce) {
  const std::string first = Launch();
  const std::string second = Launch();
  const std::string form =
      absl::StrCat("Action=StopInstances&InstanceId.1=", first, "&InstanceId.2=", second, "&ClientToken=S");
  // One that is unknown keeps the others as they are.
  EXPECT_EQ(Post(absl::StrCat(form, "&InstanceId.3=i-00000000000000000")).Result(), "400 InvalidInstanceID.NotFound");
  EXPECT_EQ(StateOf(first), "running");
  const Ec2Reply stopped = Post(form);
  EXPECT_EQ(stopped.Result(), "200 executed");
  EXPECT_EQ(stopped.Count("<name>stopping</name>"), 2);
  compute_.FinishStops();
  static_cast<void>(Post(absl::StrCat("Action=StartInstances&InstanceId.1=", first)));
  EXPECT_EQ(Post(form).Result(), "200 replayed");
  EXPECT_EQ(Post(form).Body(), stopped.Body());
  EXPECT_EQ(StateOf(first), "pending");
  EXPECT_EQ(StateOf(second), "stopped");
  // Each has a token of its own, and none is that of the request.
  EXPECT_EQ(Post(absl::StrCat("Action=StopInstances&InstanceId.1=", second, "&ClientToken=S")).Result(),
            "200 executed");
}

TEST_F(Actions, NoMoreCallsAreMadeForAClientThatHasGone) {
  const std::string first = Launch();
  const std::string second = Launch();
  HttpRequest request = {.method = "GET", .target = "/", .path = "/"};
  request.query = absl::StrCat("Action=StopInstances&InstanceId.1=", first, "&InstanceId.2=", second);
  request.is_gone = std::make_shared<const std::atomic<bool>>(true);
  EXPECT_EQ(Send(request).Result(), "503 Unavailable");
  EXPECT_EQ(StateOf(first), "running");
}

TEST_F(Actions, TerminationTellsTheStatesBeforeAndAfter) {
  const std::string id = Launch();
  const std::string form = absl::StrCat("Action=TerminateInstances&InstanceId.1=", id);
  EXPECT_EQ(ChangeIn(Post(form)), "running -> shutting-down");
  EXPECT_EQ(ChangeIn(Post(form)), "shutting-down -> shutting-down");
  EXPECT_EQ(Post("Action=TerminateInstances").Result(), "400 MissingParameter");
}

TEST_F(Actions, HostsAreAllocatedListedAndReleased) {
  const Ec2Reply made = Post(
      "Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceType=m5.large&Quantity=2&ClientToken=T&"
      "TagSpecification.1.ResourceType=dedicated-host&TagSpecification.1.Tag.1.Key=a&HostRecovery=off");
  EXPECT_EQ(made.Count("<item>h-"), 2);
  const std::string id = made.Text("item");
  const HttpHeaders europe = SignedFor("default", "eu-west-1");
  const Ec2Reply listed = Post("Action=DescribeHosts", europe);
  EXPECT_EQ(listed.Count("<hostId>"), 2);
  EXPECT_THAT(listed.http.body, HasSubstr("<autoPlacement>on</autoPlacement>"));
  EXPECT_THAT(listed.http.body, HasSubstr("<clientToken>T</clientToken><hostProperties><instanceType>m5.large"));
  EXPECT_EQ(Post("Action=DescribeHosts").Count("<hostId>"), 0);

  const std::string on_host = absl::StrCat("Action=RunInstances&ImageId=ami-1&MinCount=4&Placement.HostId=", id);
  EXPECT_EQ(Post(on_host, europe).Result(), "400 InsufficientCapacityOnHost");
  const std::string instance =
      Post(absl::StrCat("Action=RunInstances&ImageId=ami-1&Placement.HostId=", id), europe).Text("instanceId");
  const std::string release = absl::StrCat("Action=ReleaseHosts&HostId.1=", id);
  const Ec2Reply refused = Post(release, europe);
  EXPECT_EQ(refused.http.status, 200);
  EXPECT_THAT(refused.http.body, HasSubstr(absl::StrCat("<successful/><unsuccessful><item><resourceId>", id,
                                                        "</resourceId><error><code>IncorrectInstanceState</code>")));
  EXPECT_EQ(refused.Header("hapax-retry"), "same-token");
  compute_.FinishBoots();
  static_cast<void>(Post(absl::StrCat("Action=TerminateInstances&InstanceId.1=", instance), europe));
  compute_.FinishShutDowns();
  EXPECT_THAT(Post(release, europe).http.body,
              HasSubstr(absl::StrCat("<successful><item>", id, "</item></successful><unsuccessful/>")));
  EXPECT_THAT(Post(release, europe).http.body, HasSubstr("InvalidHostID.NotFound"));
}

TEST_F(Actions, KeyPairsAreAsEc2s) {
  const Ec2Reply made = Post(
      "Action=CreateKeyPair&KeyName=k&KeyFormat=pem&TagSpecification.1.ResourceType=key-pair&"
      "TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b");
  EXPECT_THAT(made.Text("keyMaterial"), HasSubstr("BEGIN RSA PRIVATE KEY"));
  EXPECT_THAT(made.http.body, HasSubstr("<tagSet><item><key>a</key><value>b</value></item></tagSet>"));
  static_cast<void>(Post("Action=CreateKeyPair&KeyName=other&KeyType=ed25519"));
  const std::string id = made.Text("keyPairId");

  EXPECT_EQ(Post("Action=DescribeKeyPairs").Count("<keyName>"), 2);
  const Ec2Reply listed = Post(absl::StrCat("Action=DescribeKeyPairs&IncludePublicKey=true&KeyPairId.1=", id));
  EXPECT_EQ(listed.Text("keyName"), "k");
  EXPECT_EQ(listed.Text("keyType"), "rsa");
  EXPECT_THAT(listed.Text("publicKey"), HasSubstr("ssh-rsa "));
  EXPECT_EQ(Post("Action=DescribeKeyPairs&KeyName.1=other").Text("publicKey"), "");
  EXPECT_EQ(Post("Action=DescribeKeyPairs&KeyPairId.1=key-0*").Result(), "400 InvalidKeyPair.NotFound");
  EXPECT_EQ(Post("Action=DescribeKeyPairs&KeyName.1=none").Result(), "400 InvalidKeyPair.NotFound");

  const Ec2Reply deleted = Post(absl::StrCat("Action=DeleteKeyPair&KeyPairId=", id));
  EXPECT_EQ(deleted.Text("return"), "true");
  EXPECT_EQ(deleted.Text("keyPairId"), id);
  for (const std::string& gone : {absl::StrCat("KeyPairId=", id), std::string("KeyName=k")}) {
    const Ec2Reply again = Post(absl::StrCat("Action=DeleteKeyPair&", gone));
    EXPECT_EQ(again.Text("return"), "true") << gone;
    EXPECT_EQ(again.Text("keyPairId"), "") << gone;
  }
  EXPECT_EQ(Post("Action=DeleteKeyPair&KeyName=a&KeyPairId=b").Result(), "400 InvalidParameterCombination");
}

TEST_F(Actions, AllKeyPairsAreInOneReply) {
  for (int i = 0; i < 3; ++i)
    static_cast<void>(Post(absl::StrCat("Action=CreateKeyPair&KeyType=ed25519&KeyName=k", i)));
  EXPECT_EQ(Post("Action=DescribeKeyPairs&Filter.1.Name=key-name&Filter.1.Value.1=k%3F").Count("<keyName>"), 3);
}

TEST_F(Actions, InstancesArePagedFilteredAndGroupedByReservation) {
  static_cast<void>(
      Launch("&MinCount=3&MaxCount=3&TagSpecification.1.ResourceType=instance&"
             "TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=web-1"));
  static_cast<void>(Launch());
  const Ec2Reply all = Post("Action=DescribeInstances");
  EXPECT_EQ(all.Count("<reservationId>"), 2);
  EXPECT_EQ(all.Count("<instanceId>"), 4);
  EXPECT_EQ(all.Text("nextToken"), "");
  const Ec2Reply page = Post("Action=DescribeInstances&MaxResults=2");
  EXPECT_EQ(page.Count("<instanceId>"), 2);
  const Ec2Reply rest =
      Post(absl::StrCat("Action=DescribeInstances&MaxResults=2&NextToken=", PercentEncode(page.Text("nextToken"))));
  EXPECT_EQ(rest.Count("<instanceId>"), 2);
  EXPECT_EQ(rest.Text("nextToken"), "");
  EXPECT_EQ(Post("Action=DescribeInstances&Filter.1.Name=tag:Name&Filter.1.Value.1=web-*").Count("<instanceId>"), 3);
  EXPECT_EQ(Post("Action=DescribeInstances&Filter.1.Name=instance-state-name&Filter.1.Value.1=pending&"
                 "Filter.1.Value.2=running")
                .Count("<instanceId>"),
            4);
  EXPECT_EQ(Post("Action=DescribeInstances&Filter.1.Name=vpc-id&Filter.1.Value.1=x").Result(),
            "400 InvalidParameterValue");
  EXPECT_EQ(Post("Action=DescribeInstances&NextToken=x").Result(), "400 InvalidParameterValue");
}

TEST_F(Actions, TheCatalogIsListedByRegionNameAndFilter) {
  EXPECT_EQ(Post("Action=DescribeSubnets").Count("<subnetId>"), 3);
  EXPECT_EQ(Post("Action=DescribeSubnets&SubnetId.1=subnet-b").Count("<subnetId>"), 1);
  EXPECT_EQ(Post("Action=DescribeSubnets&SubnetId.1=subnet-e").Result(), "400 InvalidSubnetID.NotFound");
  EXPECT_EQ(Post("Action=DescribeSubnets&Filter.1.Name=availability-zone&Filter.1.Value.1=*b").Count("<subnetId>"), 2);
  EXPECT_NE(Post("Action=DescribeSubnets&MaxResults=1").Text("nextToken"), "");
  EXPECT_EQ(Post("Action=DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1=x").Result(),
            "400 InvalidParameterValue");

  EXPECT_EQ(Post("Action=DescribeAvailabilityZones&AllAvailabilityZones=true").Count("<zoneName>"), 2);
  EXPECT_EQ(Post("Action=DescribeAvailabilityZones&ZoneName.1=us-east-1a").Count("<zoneName>"), 1);
  EXPECT_EQ(Post("Action=DescribeAvailabilityZones&ZoneName.1=eu-west-1a").Text("Message"),
            "Invalid availability zone: [eu-west-1a]");
  EXPECT_EQ(Post("Action=DescribeAvailabilityZones", SignedFor("default", "eu-west-1")).Text("zoneName"), "eu-west-1a");
  EXPECT_THAT(Post("Action=DescribeAddresses").http.body, HasSubstr("<addressesSet/>"));
}

TEST_F(Actions, ErrorsHaveEc2sCodes) {
  const auto result = [this](const std::string& more) {
    return Post(absl::StrCat("Action=RunInstances&ImageId=ami-1&", more)).Result();
  };
  EXPECT_EQ(Post("Action=RunInstances&ImageId=ami-9").Result(), "400 InvalidAMIID.NotFound");
  EXPECT_EQ(result("KeyName=none"), "400 InvalidKeyPair.NotFound");
  EXPECT_EQ(result("SubnetId=subnet-none"), "400 InvalidSubnetID.NotFound");
  EXPECT_EQ(result("Placement.AvailabilityZone=mars-1a"), "400 InvalidParameterValue");
  EXPECT_EQ(result("Placement.HostId=h-00000000000000000"), "400 InvalidHostID.NotFound");
  EXPECT_EQ(result("InstanceType=none"), "400 InvalidParameterValue");
  EXPECT_EQ(result("MinCount=11&MaxCount=11&Placement.AvailabilityZone=us-east-1a"),
            "500 InsufficientInstanceCapacity");
  EXPECT_EQ(result("MinCount=13&MaxCount=13"), "400 InstanceLimitExceeded");
  EXPECT_EQ(Post("Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceType=m5.large&Quantity=4").Result(),
            "400 HostLimitExceeded");
  EXPECT_EQ(Post("Action=DescribeInstances&InstanceId.1=i-00000000000000000").Result(),
            "400 InvalidInstanceID.NotFound");
}

}  // namespace
}  // namespace hapax::ec2
