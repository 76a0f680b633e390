#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

// What no client should send, and what is not supported: refused, naming it, with no effect.
namespace hapax::openstack {
namespace {

using testing::HasSubstr;

class MalformedTest : public DoorFixture {};

struct Case {
  std::string body;
  std::string says;
};

TEST_F(MalformedTest, LaunchesAreRefusedByWhatIsWrong) {
  const std::string good = R"("name": "n", "imageRef": "ami-1", "flavorRef": "m5.large")";
  const auto with = [&good](const std::string& more) { return R"({"server": {)" + good + ", " + more + "}}"; };
  const Case cases[] = {
      {"", "body: must be an object of JSON"},
      {"[]", "body: must be an object of JSON"},
      {"{\"server\": {}", "body: must be an object of JSON"},
      {std::string("{\"server\": \0}", 12), "body: must be an object of JSON"},
      {"{}", "server: is required"},
      {R"({"server": []})", "server: must be an object"},
      {R"({"server": null})", "server: is required"},
      {R"({"server": {"name": "n", "flavorRef": "m5.large"}})", "server.imageRef: is required"},
      {R"({"server": {"name": "n", "imageRef": "", "flavorRef": "m5.large"}})", "server.imageRef: is required"},
      {R"({"server": {"name": "n", "imageRef": "ami-1"}})", "server.flavorRef: is required"},
      {R"({"server": {"imageRef": "ami-1", "flavorRef": "m5.large"}})", "server.name: is required"},
      {R"({"server": {"name": 1, "imageRef": "ami-1", "flavorRef": "m5.large"}})", "server.name: must be a text"},
      {R"({"server": {"name": ")" + std::string(256, 'x') + R"(", "imageRef": "ami-1", "flavorRef": "m5.large"}})",
       "server.name: must have at most 255 bytes"},
      {R"({"server": {"name": "n", "imageRef": "ami-2", "flavorRef": "m5.large"}})", "imageRef"},
      {R"({"server": {"name": "n", "imageRef": "ami-1", "flavorRef": "m9"}})", "flavorRef"},
      {with(R"("availability_zone": "nowhere")"), "availability_zone"},
      {with(R"("min_count": 0)"), "server.min_count: must be a whole number"},
      {with(R"("min_count": 3, "max_count": 2)"), "min_count"},
      {with(R"("metadata": {"Name": "x"})"), "server.metadata.Name: must be left out"},
      {with(R"("metadata": {"a": 1})"), "server.metadata.a: must be a text"},
      {with(R"("metadata": {"": "v"})"), "metadata"},
      {with(R"("networks": "none")"), "server.networks: must be a list"},
      {with(R"("networks": [{"uuid": "subnet-x"}])"), "networks"},
      {with(R"("networks": [{"port": "p"}])"), "server.networks[0].uuid: is required"},
      {with(R"("networks": [{"uuid": "subnet-a"}, {"uuid": "subnet-b"}])"), "server.networks: must have at most 1"},
      {with(R"("security_groups": [{"name": "web"}])"), "server.security_groups[0].name: must be default"},
      {with(R"("user_data": "IyE=")"), "server.user_data: is not supported"},
      {with(R"("config_drive": true)"), "server.config_drive: must be false"},
      {with(R"("OS-DCF:diskConfig": "AUTO")"), "server.OS-DCF:diskConfig: must be MANUAL"},
      {with(R"("adminPass": "x")"), "server.adminPass: is not supported"},
      {with(R"("block_device_mapping_v2": [{"source_type": "blank"}])"), "server.block_device_mapping_v2[0].uuid"},
      {with(R"("nonsense": {})"), "server.nonsense: is not supported"},
      {R"({"server": {)" + good + R"(}, "os:scheduler_hints": {"group": "g"}})",
       "os:scheduler_hints.x-client-token: is required"},
      {R"({"server": {)" + good + R"(}, "os:scheduler_hints": {"x-client-token": "T", "group": "g"}})",
       "os:scheduler_hints.group: is not supported"},
      {R"({"server": {)" + good + R"(}, "os:scheduler_hints": {"x-client-token": "a b"}})", "client token"},
      {R"({"server": {)" + good + R"(}, "more": 1})", "more: is not supported"},
  };
  for (const auto& [body, says] : cases) {
    const NovaReply reply = Post("/v2.1/servers", body);
    EXPECT_EQ(reply.Result(), "400 badRequest") << body;
    EXPECT_THAT(reply.At("badRequest.message"), HasSubstr(says)) << body;
    EXPECT_EQ(reply.Header("hapax-retry"), "never") << body;
  }
  EXPECT_EQ(CountInstances(), 0);
}

TEST_F(MalformedTest, OtherBodiesAreRefusedByWhatIsWrong) {
  const std::string id = LaunchedId();
  const std::string action = "/v2.1/servers/" + id + "/action";
  const std::string login = "/v3/auth/tokens";
  const std::pair<std::string, Case> cases[] = {
      {action, {"{}", "body: must have one field"}},
      {action, {R"({"os-stop": null, "os-start": null})", "body: must have one field"}},
      {action, {R"({"os-stop": 1})", "os-stop: must be null"}},
      {action, {R"({"reboot": {"type": "HARD"}})", "reboot: is no action of this server"}},
      {"/v2.1/os-keypairs", {"{}", "keypair: is required"}},
      {"/v2.1/os-keypairs", {R"({"keypair": {"name": "a/b"}})", "keypair.name: must have only"}},
      {"/v2.1/os-keypairs", {R"({"keypair": {}})", "keypair.name: is required"}},
      {"/v2.1/os-keypairs", {R"({"keypair": {"name": "k", "user_id": "u"}})", "keypair.user_id: is not supported"}},
      {login, {"{}", "auth: is required"}},
      {login, {R"({"auth": {"identity": {"methods": ["totp"]}}})", "auth.identity.methods: must be password"}},
      {login, {R"({"auth": {"identity": {"token": {}}}})", "auth.identity.token.id: is required"}},
      {login, {R"({"auth": {"identity": {"password": {"user": {"otp": "1"}}}}})", "auth.identity.password.user.otp"}},
      {login,
       {R"({"auth": {"identity": {"token": {"id": "t"}}, "scope": {"system": {"all": true}}}})", "auth.scope.system"}},
  };
  for (const auto& [path, wrong] : cases) {
    const NovaReply reply = Post(path, wrong.body);
    EXPECT_EQ(reply.Result(), "400 badRequest") << wrong.body;
    EXPECT_THAT(reply.At("badRequest.message"), HasSubstr(wrong.says)) << wrong.body;
  }
}

TEST_F(MalformedTest, PathsAndMethodsThatAreNotServedAreTold) {
  for (const char* path : {"/v3/users", "/v2.1/os-hypervisors", "/v2.1/servers/i-1/ips", "/v2.1//servers", "/image/v1",
                           "/regions", "/regions/us-east-1", "/v2.1/a/b/c/d/e/f/g/h",
                           "/v2.1/servers/detail/"
                           "detail"}) {
    EXPECT_EQ(Get(path).Result(), "404 itemNotFound") << path;
  }
  EXPECT_EQ(Get("/v2.1/servers/%zz").Result(), "400 badRequest");
  EXPECT_EQ(Get("/v2.1/servers/%00").Result(), "400 badRequest");
  EXPECT_EQ(Send({.method = "PUT", .path = "/v2.1/servers/i-1"}).Result(), "405 badMethod");
  EXPECT_EQ(Send({.method = "DELETE", .path = "/v2.1/servers"}).Result(), "405 badMethod");
  EXPECT_EQ(Get("/v2.1/servers/web").Result(), "404 itemNotFound");
  EXPECT_EQ(Get("/v2.1/servers/i-00000000000000000").Result(), "404 itemNotFound");
  EXPECT_TRUE(calls_.calls.size() < 10);
  for (const char* path : {"/", "/v2", "/v2.10", "/v30", "/images", "/compute/v1/instances"}) {
    EXPECT_FALSE(door_.IsFor({.method = "GET", .path = path})) << path;
  }
}

}  // namespace
}  // namespace hapax::openstack
