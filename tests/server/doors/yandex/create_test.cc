#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/yandex/door_fixture.h"

// Launches, and what is shown of instances.
namespace hapax::yandex {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

class CreateTest : public DoorFixture {};

TEST_F(CreateTest, ALaunchIsAnOperationUntilTheInstanceIsUp) {
  const RestReply launched = Post(kInstances, R"({"folderId": "default", "name": "web", "labels": {"role": "db"},
      "zoneId": "us-east-1b", "platformId": "m5.large", "resourcesSpec": {"cores": "2", "coreFraction": "100"},
      "bootDiskSpec": {"mode": "READ_WRITE", "autoDelete": true, "diskSpec": {"imageId": "ami-1"}},
      "networkInterfaceSpecs": [{"subnetId": "subnet-b", "primaryV4AddressSpec": {}, "index": "0"}]})",
                                  "T");
  EXPECT_EQ(launched.Result(), "200 executed");
  const compute::v1::Instance instance = OnlyInstance();
  EXPECT_EQ(launched.At("id"), "create-" + instance.instance_id());
  EXPECT_EQ(launched.At("done"), "false");
  EXPECT_EQ(launched.At("metadata.@type"), "type.googleapis.com/yandex.cloud.compute.v1.CreateInstanceMetadata");
  EXPECT_EQ(launched.At("metadata.instanceId"), instance.instance_id());
  EXPECT_EQ(instance.availability_zone(), "us-east-1b");
  EXPECT_EQ(instance.subnet_id(), "subnet-b");
  EXPECT_EQ(instance.client_token(), "T");
  EXPECT_THAT(instance.tags(), UnorderedElementsAre(Pair("Name", "web"), Pair("role", "db")));

  compute_.FinishBoots();
  const RestReply done = Operation(launched.At("id"));
  EXPECT_EQ(done.At("done"), "true");
  EXPECT_EQ(done.At("response.@type"), "type.googleapis.com/yandex.cloud.compute.v1.Instance");
  EXPECT_EQ(done.At("response.name"), "web");
  EXPECT_EQ(done.At("response.labels.role"), "db");
  EXPECT_EQ(done.At("response.labels.Name"), "(none)");
  EXPECT_EQ(done.At("response.status"), "RUNNING");
  EXPECT_EQ(done.At("response.zoneId"), "us-east-1b");
  EXPECT_EQ(done.At("response.platformId"), "m5.large");
  EXPECT_EQ(done.At("response.resources.cores"), "2");
  EXPECT_EQ(done.At("response.networkInterfaces.0.subnetId"), "subnet-b");
  EXPECT_EQ(done.At("response.networkInterfaces.0.primaryV4Address.address"), instance.private_ip_address());
}

TEST_F(CreateTest, ARetryGetsTheOperationAsItStands) {
  const RestReply launched = Post(kInstances, Launch(), "T");
  compute_.FinishBoots();
  const RestReply again = Post(kInstances, Launch(), "T");
  EXPECT_EQ(again.Result(), "200 replayed");
  EXPECT_EQ(again.At("id"), launched.At("id"));
  EXPECT_EQ(again.At("done"), "true");
  EXPECT_EQ(CountInstances(), 1);
  const RestReply mismatch =
      Post(kInstances, Launch(R"("name": "x", "platform_id": "m5.xlarge", "labels": {"a": "b"}, )"), "T");
  EXPECT_EQ(mismatch.Result(), "400 IDEMPOTENT_PARAMETER_MISMATCH new-token");
  EXPECT_THAT(mismatch.At("message"), HasSubstr("platform_id"));
  EXPECT_THAT(mismatch.At("message"), HasSubstr("labels"));
}

TEST_F(CreateTest, AFailedLaunchHasAnError) {
  const RestReply launched = Post(kInstances, Launch());
  compute_.FinishBoots(absl::InternalError("no power"));
  const RestReply failed = Operation(launched.At("id"));
  EXPECT_EQ(failed.At("done"), "true");
  EXPECT_EQ(failed.At("error.code"), "13");
  EXPECT_EQ(StatusOf(launched.At("metadata.instanceId")), "ERROR");
}

TEST_F(CreateTest, ARuleForAHostIsAPlacement) {
  const auto hosts = compute_.AllocateHosts(
      [] {
        compute::v1::AllocateHostsRequest request;
        request.set_availability_zone("us-east-1a");
        request.set_instance_type("m5.large");
        return request;
      }(),
      tenant_);
  ASSERT_THAT(hosts, IsOk());
  const std::string rule =
      R"("placementPolicy": {"hostAffinityRules": [{"key": "yc.hostId", "op": "IN", "values": [")" +
      hosts->host_ids(0) + R"("]}]}, )";
  EXPECT_EQ(Post(kInstances, Launch(rule)).Result(), "200 unprotected");
  EXPECT_EQ(OnlyInstance().host_id(), hosts->host_ids(0));
}

TEST_F(CreateTest, FieldsOfErrorsHaveTheirNames) {
  const std::pair<std::string, std::string> cases[] = {
      {Launch(R"("zone_id": "nowhere", )"), "zone_id"},
      {Launch(R"("platform_id": "m9", )"), "platform_id"},
      {Launch(R"("network_interface_specs": [{"subnet_id": "s"}], )"), "network_interface_specs.subnet_id"},
      {Launch(R"("labels": {"": "v"}, )"), "labels"},
      {R"({"boot_disk_spec": {"disk_spec": {"image_id": "ami-9"}}})", "boot_disk_spec.disk_spec.image_id"},
  };
  for (const auto& [body, field] : cases) {
    const RestReply reply = Post(kInstances, body);
    EXPECT_GE(reply.http.status, 400) << body;
    EXPECT_THAT(reply.At("message"), testing::StartsWith(field)) << body;
    EXPECT_THAT(reply.http.body, HasSubstr("\"field\":\"" + field)) << body;
  }
  EXPECT_EQ(CountInstances(), 0);
}

TEST_F(CreateTest, ListsHaveFiltersAndPages) {
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(Post(kInstances, Launch("\"name\": \"" + std::string(name) + "\", ")).Result(), "200 unprotected");
  }
  compute_.FinishBoots();
  const RestReply page = Get(kInstances, "pageSize=2&folderId=default&orderBy=id");
  EXPECT_EQ(page.Result(), "200 ");
  EXPECT_EQ(page.At("instances.1.status"), "RUNNING");
  EXPECT_EQ(page.At("instances.2.id"), "(none)");
  const RestReply rest =
      Get(kInstances, "pageSize=2&folderId=default&orderBy=id&pageToken=" + page.At("nextPageToken"));
  EXPECT_NE(rest.At("instances.0.id"), "(none)");
  EXPECT_EQ(rest.At("instances.1.id"), "(none)");
  EXPECT_EQ(rest.At("nextPageToken"), "");
  const RestReply found = Get(kInstances, "filter=name%3D%22b%22+AND+status%3D%22RUNNING%22");
  EXPECT_EQ(found.At("instances.0.name"), "b");
  EXPECT_EQ(found.At("instances.1.name"), "(none)");
  EXPECT_EQ(Delete(found.At("instances.0.id")).Result(), "200 unprotected");
  compute_.FinishShutDowns();
  EXPECT_EQ(Get(kInstances, "filter=name%3D%22b%22").At("instances.0.name"), "(none)");
  EXPECT_EQ(Get(std::string(kInstances) + "/" + page.At("instances.0.id"), "view=FULL").Result(), "200 ");
}

}  // namespace
}  // namespace hapax::yandex
