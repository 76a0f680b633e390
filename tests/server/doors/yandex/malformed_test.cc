#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/doors/yandex/translation.h"
#include "hapax/tests/server/doors/yandex/door_fixture.h"

// What no client should send, and what is not supported: refused, naming it, with no effect.
namespace hapax::yandex {
namespace {

using testing::HasSubstr;

class MalformedTest : public DoorFixture {};

TEST_F(MalformedTest, LaunchesAreRefusedByWhatIsWrong) {
  const auto disk = [](const std::string& more) {
    return R"({"bootDiskSpec": {)" + more + R"("diskSpec": {"imageId": "ami-1"}}})";
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", "boot_disk_spec.disk_spec.image_id: is required"},
      {"{}", "boot_disk_spec.disk_spec.image_id: is required"},
      {"[]", "body: must be fields of yandex.cloud.compute.v1.CreateInstanceRequest in JSON"},
      {"null", "body: must be"},
      {"7", "body: must be"},
      {"{", "body: must be"},
      {"{\"name\": \"\xff\"}", "body: must be"},
      {std::string(2000, '{'), "body: must be"},
      {R"({"name": )" + std::string(2000, '['), "body: must be"},
      {std::string(70'000, ' '), "body: must have at most 65536 bytes"},
      {R"({"nonsense": 1})", "nonsense"},
      {R"({"name": 1e999})", "body: must be"},
      {R"({"name": {}})", "body: must be"},
      {R"({"labels": []})", "body: must be"},
      {R"({"resourcesSpec": {"cores": "two"}})", "body: must be"},
      {Launch(R"("folderId": "b1g", )"), "folder_id: must be default"},
      {Launch(R"("labels": {"Name": "x"}, )"), "labels: must not have the key Name"},
      {Launch(R"("description": "x", )"), "description: is not supported"},
      {Launch(R"("hostname": "x", )"), "hostname: is not supported"},
      {Launch(R"("metadata": {"user-data": "x"}, )"), "metadata: is not supported"},
      {Launch(R"("serviceAccountId": "x", )"), "service_account_id: is not supported"},
      {Launch(R"("schedulingPolicy": {"preemptible": true}, )"), "scheduling_policy.preemptible: is not supported"},
      {Launch(R"("secondaryDiskSpecs": [{}], )"), "secondary_disk_specs: is not supported"},
      {Launch(R"("resourcesSpec": {"memory": "1"}, )"), "resources_spec.memory: is not supported"},
      {Launch(R"("resourcesSpec": {"gpus": "1"}, )"), "resources_spec.gpus: is not supported"},
      {Launch(R"("resourcesSpec": {"cores": "3"}, )"), "resources_spec.cores: must be 0 or 2"},
      {Launch(R"("resourcesSpec": {"cores": "-1"}, )"), "resources_spec.cores: must be 0 or 2"},
      {Launch(R"("resourcesSpec": {"coreFraction": "20"}, )"), "resources_spec.core_fraction: must be 0 or 100"},
      {disk(R"("mode": "READ_ONLY", )"), "boot_disk_spec.mode: is not supported"},
      {disk(R"("deviceName": "x", )"), "boot_disk_spec.device_name: is not supported"},
      {R"({"bootDiskSpec": {"diskId": "d"}})", "boot_disk_spec.disk_spec.image_id: is required"},
      {R"({"bootDiskSpec": {"diskSpec": {"snapshotId": "s"}}})", "boot_disk_spec.disk_spec.image_id: is required"},
      {R"({"bootDiskSpec": {"diskSpec": {"imageId": "ami-1", "snapshotId": "s"}}})", "body: must be"},
      {R"({"bootDiskSpec": {"diskSpec": {"imageId": "ami-1", "size": "1"}}})",
       "boot_disk_spec.disk_spec.size: is not supported"},
      {Launch(R"("networkInterfaceSpecs": [{}, {}], )"), "network_interface_specs: must be at most one"},
      {Launch(R"("networkInterfaceSpecs": [{"index": "1"}], )"), "network_interface_specs[0].index: is not supported"},
      {Launch(R"("networkInterfaceSpecs": [{"primaryV4AddressSpec": {"address": "10.0.0.9"}}], )"),
       "network_interface_specs[0].primary_v4_address_spec.address: is not supported"},
      {Launch(R"("networkInterfaceSpecs": [{"securityGroupIds": ["g"]}], )"),
       "network_interface_specs[0].security_group_ids: is not supported"},
      {Launch(R"("placementPolicy": {"placementGroupId": "g"}, )"),
       "placement_policy.placement_group_id: is not supported"},
      {Launch(R"("placementPolicy": {"hostAffinityRules": [{"key": "yc.hostId", "op": "NOT_IN", "values": ["h"]}]}, )"),
       "placement_policy.host_affinity_rules: must be at most one rule"},
  };
  for (const auto& [body, says] : cases) {
    const RestReply reply = Post(kInstances, body);
    const std::string shown = body.substr(0, 200);
    EXPECT_EQ(reply.Result(), "400 INVALID_PARAMETER never") << shown;
    EXPECT_THAT(reply.At("message"), HasSubstr(says)) << shown;
  }
  EXPECT_TRUE(calls_.calls.empty());
}

TEST_F(MalformedTest, QueriesAreRefusedByWhatIsWrong) {
  const std::string instance = std::string(kInstances) + "/i-1";
  const std::pair<std::string, std::pair<std::string, std::string>> cases[] = {
      {kInstances, {"pageSize=two", "query: must be"}},
      {kInstances, {"pageSize=1001", "page_size: must be 0 to 1000"}},
      {kInstances, {"pageSize=-1", "page_size: must be 0 to 1000"}},
      {kInstances, {"pageSize=99999999999999999999", "query: must be"}},
      {kInstances, {"pageSize=1&pageSize=2", "query: must have each parameter once"}},
      {kInstances, {"pageToken=x", "page_token"}},
      {kInstances, {"folderId=b1g", "folder_id: must be default"}},
      {kInstances, {"orderBy=name", "order_by: must be id"}},
      {kInstances, {"filter=name", "filter: at byte 4"}},
      {kInstances, {"nonsense=1", "nonsense"}},
      {kInstances, {"=1", "query: must be"}},
      {kInstances, {"filter=%zz", "query: "}},
      {kInstances, {"filter=%ff", "query: "}},
      {instance, {"view=ALL", "query: must be"}},
      {instance, {"instanceId=i-2", "instance_id: must be left out"}},
      {"/operations/op", {"operationId=op", "operation_id: must be left out"}},
  };
  for (const auto& [path, wrong] : cases) {
    const RestReply reply = Get(path, wrong.first);
    EXPECT_EQ(reply.Result(), "400 INVALID_PARAMETER never") << wrong.first;
    EXPECT_THAT(reply.At("message"), HasSubstr(wrong.second)) << wrong.first;
  }
}

TEST_F(MalformedTest, PathsAndMethodsThatAreNotServedAreTold) {
  for (const char* path : {"/compute/v1", "/compute/v1/disks", "/compute/v1/instances/", "/compute/v1/instances/i-1/x",
                           "/operations", "/operations/", "/operations/a/b", "/compute/v1/instances/i-1:restart",
                           "/compute/v1/instances/i-1%2Fx", "/compute/v1/instancesx", "/operations/op:cancel"}) {
    const RestReply reply = Get(path);
    EXPECT_EQ(reply.http.status, 404) << path;
    EXPECT_EQ(reply.Header("hapax-retry"), "never") << path;
  }
  EXPECT_EQ(Get("/compute/v1/instances/%zz").Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Get("/operations/%00").Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Get("/operations/" + std::string(51, 'x')).Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Get("/compute/v1/instances/:stop").http.status, 501);
  EXPECT_EQ(Post("/compute/v1/instances/:stop", "").Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Send({.method = "PUT", .path = kInstances}).Result(), "501 UNIMPLEMENTED never");
  EXPECT_EQ(Send({.method = "PATCH", .path = std::string(kInstances) + "/i-1"}).Result(), "501 UNIMPLEMENTED never");
  EXPECT_EQ(Send({.method = "GET", .path = kInstances, .body = "{}"}).Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Send({.method = "POST", .path = kInstances, .query = "name=x"}).Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Post("/compute/v1/instances/i-1:stop", R"({"instanceId": "i-2"})").Result(), "400 INVALID_PARAMETER never");
  EXPECT_EQ(Post("/compute/v1/instances/i-1:stop", R"({"force": true})").Result(), "400 INVALID_PARAMETER never");
  EXPECT_TRUE(calls_.calls.empty());
  for (const char* path : {"/", "/compute", "/compute/v1beta", "/operationsx", "/v2.1/servers"}) {
    EXPECT_FALSE(door_.IsFor({.method = "GET", .path = path})) << path;
  }
}

// By gRPC there are bytes in place of JSON, and fields of which this server knows no more than the number.
TEST_F(MalformedTest, SerializedRequestsAreRefusedByWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"\x01", "request: must be a serialized yandex.cloud.compute.v1.StopInstanceRequest"},
      {"\x0a\x01\xff", "request: must be a serialized"},
      {"", "instance_id: is required"},
      {"\x0a\x03i-1\x10\x01", "field 2: is not supported"},
      {"\x0a\x03i-1\x92\x06\x01x", "field 98: is not supported"},
      {"\x0a\x33" + std::string(51, 'x'), "instance_id: must have at most 50 bytes"},
      {std::string(70'000, '\0'), "request: must have at most 65536 bytes"},
  };
  for (const TranslatedMethod& method : TranslatedMethods(catalog_)) {
    if (method.name != "yandex.cloud.compute.v1.InstanceService/Stop") continue;
    for (const auto& [bytes, says] : cases) {
      const TranslationStep step = method.begin(bytes);
      ASSERT_TRUE(step.is_end());
      EXPECT_THAT(step.end.status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(says)));
    }
    // A field that is 0 or empty says no more than one that is left out.
    EXPECT_FALSE(method.begin(std::string("\x0a\x03i-1\x10\x00\x1a\x00", 9)).is_end());
    return;
  }
  FAIL() << "no such method";
}

}  // namespace
}  // namespace hapax::yandex
