#include "hapax/server/doors/openstack/identity.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

namespace hapax::openstack {
namespace {

using testing::Contains;
using testing::Pair;

constexpr char kPassword[] = R"({"auth": {"identity": {"methods": ["password"], "password": {"user":
    {"name": "ann", "password": "hapax_id1_secret", "domain": {"name": "Default"}}}},
    "scope": {"project": {"name": "team", "domain": {"id": "default"}}}}})";
constexpr char kCredential[] = R"({"auth": {"identity": {"methods": ["application_credential"],
    "application_credential": {"id": "team", "secret": "hapax_id1_secret"}}}})";
constexpr char kToken[] = R"({"auth": {"identity": {"methods": ["token"], "token": {"id": "hapax_id1_secret"}}}})";

class IdentityTest : public DoorFixture {
 protected:
  // The token of a login at a server whose callers are known by `identity`, and the metadata of the call that tried it.
  [[nodiscard]] NovaReply LogInAs(Identity identity, const std::string& body) {
    const OpenStackDoor door(Options{.catalog = catalog_, .default_region = "us-east-1", .identity = identity});
    const HttpRequest request{.method = "POST", .path = "/v3/auth/tokens", .headers = {{"host", "k"}}, .body = body};
    NovaReply reply;
    door.Serve(request, calls_, [&reply](HttpReply sent) { reply.http = std::move(sent); });
    return reply;
  }
};

TEST_F(IdentityTest, WithoutAuthenticationTheTokenIsTheProject) {
  const NovaReply reply = LogInAs(Identity::kProject, kPassword);
  EXPECT_EQ(reply.http.status, 201);
  EXPECT_EQ(reply.Header("X-Subject-Token"), "team");
  EXPECT_EQ(reply.At("token.project.name"), "team");
  EXPECT_EQ(reply.At("token.user.name"), "ann");
  EXPECT_THAT(calls_.calls.back().metadata, Contains(Pair("x-tenant-id", "team")));
  EXPECT_EQ(LogInAs(Identity::kProject, kCredential).Header("X-Subject-Token"), "team");
  EXPECT_EQ(LogInAs(Identity::kProject, R"({"auth": {"identity": {"password": {"user": {"name": "ann"}}}}})")
                .Header("X-Subject-Token"),
            "default");
}

TEST_F(IdentityTest, AnApiKeyIsTheToken) {
  for (const char* body : {kPassword, kCredential, kToken}) {
    const NovaReply reply = LogInAs(Identity::kApiKey, body);
    EXPECT_EQ(reply.Header("X-Subject-Token"), "hapax_id1_secret");
    EXPECT_THAT(calls_.calls.back().metadata, Contains(Pair("authorization", "Bearer hapax_id1_secret")));
    EXPECT_EQ(reply.http.body.find("secret"), std::string::npos);
  }
  EXPECT_EQ(LogInAs(Identity::kApiKey, kToken).At("token.user.name"), "id1");
}

TEST_F(IdentityTest, WithCertificatesTheTokenSaysNothing) {
  const NovaReply reply = LogInAs(Identity::kCertificate, kPassword);
  EXPECT_EQ(reply.Header("X-Subject-Token"), "certificate");
  EXPECT_TRUE(calls_.calls.back().metadata.empty());
}

TEST_F(IdentityTest, WhoIsNotKnownCannotLogIn) {
  calls_.refuse_with = Reason::kUnauthenticated;
  const NovaReply reply = LogInAs(Identity::kApiKey, kPassword);
  EXPECT_EQ(reply.Result(), "401 unauthorized");
  EXPECT_EQ(reply.Header("X-Subject-Token"), "");
}

TEST_F(IdentityTest, AProjectThatIsNoTenantIsNamed) {
  EXPECT_EQ(LogInAs(Identity::kProject, R"({"auth": {"identity": {"password": {"user": {"name": "ann"}}},
                                            "scope": {"project": {"name": "my project"}}}})")
                .At("badRequest.message"),
            "project: must be 1 to 64 of a-z A-Z 0-9 . _ -");
}

TEST_F(IdentityTest, EndpointsBeginWithTheDefaultRegionAndHaveThePrefix) {
  const NovaReply reply = Send({.method = "POST",
                                .prefix = "/with-client-token/T",
                                .path = "/v3/auth/tokens",
                                .prefix_token = "T",
                                .body = kPassword});
  EXPECT_EQ(reply.At("token.catalog.0.type"), "compute");
  EXPECT_EQ(reply.At("token.catalog.0.endpoints.0.region"), "us-east-1");
  EXPECT_EQ(reply.At("token.catalog.0.endpoints.0.url"), "http://nova:8774/with-client-token/T/v2.1");
  EXPECT_EQ(reply.At("token.catalog.0.endpoints.1.url"), "http://nova:8774/with-client-token/T/regions/eu-west-1/v2.1");
  EXPECT_EQ(reply.At("token.catalog.1.endpoints.0.url"), "http://nova:8774/with-client-token/T/image");
}

}  // namespace
}  // namespace hapax::openstack
