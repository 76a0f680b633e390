#include "hapax/server/doors/openstack/servers.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

namespace hapax::openstack {
namespace {

using testing::HasSubstr;

class ServersTest : public DoorFixture {
 protected:
  [[nodiscard]] NovaReply Act(const std::string& id, const std::string& action, const std::string& token = "") {
    return Post("/v2.1/servers/" + id + "/action", "{\"" + action + "\": null}", {}, token);
  }
};

TEST_F(ServersTest, ALaunchIsAnInstanceWithANameAndMetadata) {
  const NovaReply reply = Post("/v2.1/servers", Launch(R"("metadata": {"role": "db"}, "key_name": "image-key",
      "availability_zone": "us-east-1b", "networks": "auto", "security_groups": [{"name": "default"}],
      "config_drive": false, "user_data": null, )"));
  EXPECT_EQ(reply.Result(), "202 unprotected");
  const std::string id = reply.At("server.id");
  EXPECT_EQ(reply.At("server.links.0.href"), "http://nova:8774/v2.1/servers/" + id);
  EXPECT_EQ(reply.Header("Location"), "http://nova:8774/v2.1/servers/" + id);
  const auto instance = compute_.DescribeInstances({}, "alice")->instances(0);
  EXPECT_EQ(instance.instance_id(), id);
  EXPECT_EQ(instance.availability_zone(), "us-east-1b");
  EXPECT_EQ(instance.tags().at("Name"), "web");
  EXPECT_EQ(instance.tags().at("role"), "db");
}

TEST_F(ServersTest, AServerIsSeenAsNovaShowsIt) {
  const std::string id = LaunchedId(R"("metadata": {"role": "db"}, )");
  NovaReply shown = Get("/v2.1/servers/" + id);
  EXPECT_EQ(shown.Result(), "200 ");
  EXPECT_EQ(shown.At("server.status"), "BUILD");
  EXPECT_EQ(shown.At("server.name"), "web");
  EXPECT_EQ(shown.At("server.metadata.role"), "db");
  EXPECT_EQ(shown.At("server.metadata.Name"), "(none)");
  EXPECT_EQ(shown.At("server.image.id"), "ami-1");
  EXPECT_EQ(shown.At("server.flavor.id"), "m5.large");
  EXPECT_EQ(shown.At("server.key_name"), "null");
  EXPECT_EQ(shown.At("server.tenant_id"), "alice");
  EXPECT_THAT(shown.http.body, HasSubstr("\"addr\":\"10."));

  compute_.FinishBoots();
  shown = Get("/v2.1/servers/" + id);
  EXPECT_EQ(shown.At("server.status"), "ACTIVE");
  EXPECT_EQ(shown.At("server.OS-EXT-STS:task_state"), "null");
  EXPECT_EQ(Act(id, "os-stop").Result(), "202 unprotected");
  EXPECT_EQ(Get("/v2.1/servers/" + id).At("server.OS-EXT-STS:task_state"), "powering-off");
  EXPECT_EQ(Act(id, "os-stop").Result(), "409 conflictingRequest");
  compute_.FinishStops();
  EXPECT_EQ(Get("/v2.1/servers/" + id).At("server.status"), "SHUTOFF");
  EXPECT_EQ(Act(id, "os-start").Result(), "202 unprotected");
  compute_.FinishStarts();
  EXPECT_EQ(Delete("/v2.1/servers/" + id).Result(), "204 unprotected");
  EXPECT_EQ(Get("/v2.1/servers/" + id).At("server.OS-EXT-STS:task_state"), "deleting");
  compute_.FinishShutDowns();
  EXPECT_EQ(Get("/v2.1/servers/" + id).Result(), "404 itemNotFound");
  EXPECT_EQ(Delete("/v2.1/servers/" + id).Result(), "404 itemNotFound");
  EXPECT_EQ(Act(id, "os-stop").Result(), "404 itemNotFound");
}

TEST_F(ServersTest, AFailedLaunchIsAnError) {
  const std::string id = LaunchedId();
  compute_.FinishBoots(absl::ResourceExhaustedError("no room"));
  const NovaReply shown = Get("/v2.1/servers/" + id);
  EXPECT_EQ(shown.At("server.status"), "ERROR");
  EXPECT_EQ(shown.At("server.fault.code"), "500");
}

// Each way to give a token means the same, and the reply is the same bytes.
TEST_F(ServersTest, C9_ARetryWithTheTokenGetsTheSameReply) {
  const std::string hinted =
      R"({"server": {"name": "web", "imageRef": "ami-1", "flavorRef": "m5.large"},
          "os:scheduler_hints": {"x-client-token": "T"}})";
  const NovaReply first = Post("/v2.1/servers", Launch(), {{"x-client-token", "T"}});
  EXPECT_EQ(first.Result(), "202 executed");
  for (const NovaReply& retry : {Post("/v2.1/servers", Launch(), {{"x-client-token", "T"}}),
                                 Post("/v2.1/servers", Launch(), {{"idempotency-key", "\"T\""}}),
                                 Post("/v2.1/servers", Launch(), {}, "T"), Post("/v2.1/servers", hinted)}) {
    EXPECT_EQ(retry.Result(), "202 replayed");
    EXPECT_EQ(retry.Header("idempotent-replayed"), "true");
    EXPECT_EQ(retry.http.body, first.http.body);
    EXPECT_EQ(retry.Header("Location"), first.Header("Location"));
  }
  EXPECT_EQ(CountInstances(), 1);
  project_ = "bob";
  EXPECT_EQ(Post("/v2.1/servers", Launch(), {{"x-client-token", "T"}}).Result(), "202 executed");
}

TEST_F(ServersTest, C10_ATokenWithOtherParametersIs409AndNamesThem) {
  EXPECT_EQ(Post("/v2.1/servers", Launch(), {{"x-client-token", "T"}}).Result(), "202 executed");
  const NovaReply refused =
      Post("/v2.1/servers", R"({"server": {"name": "web", "imageRef": "ami-1", "flavorRef": "m5.xlarge"}})",
           {{"x-client-token", "T"}});
  EXPECT_EQ(refused.Result(), "409 conflictingRequest");
  EXPECT_THAT(refused.At("conflictingRequest.message"), HasSubstr("flavorRef"));
  EXPECT_EQ(refused.Header("hapax-retry"), "new-token");
  EXPECT_EQ(CountInstances(), 1);
}

TEST_F(ServersTest, C1_TwoTokensThatDifferAreRefused) {
  const NovaReply refused = Post("/v2.1/servers", Launch(), {{"x-client-token", "T"}}, "U");
  EXPECT_EQ(refused.Result(), "400 badRequest");
  EXPECT_THAT(refused.At("badRequest.message"), HasSubstr("different client tokens"));
  EXPECT_EQ(CountInstances(), 0);
}

// C31: the call is that of gRPC.
TEST_F(ServersTest, C31_ATokenOfAnotherDoorIsReplayed) {
  compute::v1::RunInstancesRequest request;
  request.set_client_token("T");
  request.set_image_id("ami-1");
  request.set_instance_type("m5.large");
  (*request.mutable_tags())["Name"] = "web";
  const ChainReply first = chain_.Call("RunInstances", request, "alice");
  const NovaReply reply = Post("/v2.1/servers", Launch(), {{"x-client-token", "T"}});
  EXPECT_EQ(reply.Result(), "202 replayed");
  EXPECT_EQ(reply.At("server.id"), first.As<compute::v1::RunInstancesResponse>().instances(0).instance_id());
}

TEST_F(ServersTest, ALateRetryOfAStopStopsNothing) {
  const std::string id = LaunchedId();
  compute_.FinishBoots();
  EXPECT_EQ(Act(id, "os-stop", "T").Result(), "202 executed");
  compute_.FinishStops();
  EXPECT_EQ(Act(id, "os-start").Result(), "202 unprotected");
  compute_.FinishStarts();
  EXPECT_EQ(Act(id, "os-stop", "T").Result(), "202 replayed");
  EXPECT_EQ(Get("/v2.1/servers/" + id).At("server.status"), "ACTIVE");
}

TEST_F(ServersTest, ARetryOfADeletionSucceedsOnceTheServerIsGone) {
  const std::string id = LaunchedId();
  EXPECT_EQ(Delete("/v2.1/servers/" + id, "T").Result(), "204 executed");
  compute_.FinishShutDowns();
  EXPECT_EQ(Delete("/v2.1/servers/" + id, "T").Result(), "204 replayed");
}

TEST_F(ServersTest, SeveralServersHaveOneReservation) {
  const NovaReply reply =
      Post("/v2.1/servers", Launch(R"("min_count": 2, "max_count": "3", "return_reservation_id": true, )"));
  EXPECT_EQ(reply.Result(), "202 unprotected");
  EXPECT_EQ(CountInstances(), 3);
  EXPECT_EQ(Get("/v2.1/servers", "reservation_id=" + reply.At("reservation_id")).At("servers.2.name"), "web");
}

// A region's endpoint knows its own zones and servers; that of the default region knows all.
TEST_F(ServersTest, EachRegionHasAnEndpoint) {
  const NovaReply reply = Post("/regions/eu-west-1/v2.1/servers", Launch());
  const std::string id = reply.At("server.id");
  EXPECT_EQ(reply.At("server.links.0.href"), "http://nova:8774/regions/eu-west-1/v2.1/servers/" + id);
  EXPECT_EQ(Get("/regions/eu-west-1/v2.1/servers/" + id).At("server.OS-EXT-AZ:availability_zone"), "eu-west-1a");
  EXPECT_EQ(Get("/v2.1/servers/" + id).Result(), "200 ");
  EXPECT_EQ(Get("/regions/us-east-1/v2.1/servers/" + id).Result(), "404 itemNotFound");
  EXPECT_EQ(Get("/regions/nowhere/v2.1/servers").Result(), "404 itemNotFound");
  EXPECT_EQ(Post("/regions/eu-west-1/v2.1/servers", Launch(R"("availability_zone": "us-east-1a", )")).Result(),
            "400 badRequest");
  EXPECT_EQ(Delete("/v2.1/servers/" + id).Result(), "204 unprotected");
}

}  // namespace
}  // namespace hapax::openstack
