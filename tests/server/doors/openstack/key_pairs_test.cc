#include "hapax/server/doors/openstack/key_pairs.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/server/doors/openstack/door_fixture.h"

namespace hapax::openstack {
namespace {

using testing::StartsWith;

constexpr char kBody[] = R"({"keypair": {"name": "k"}})";

using KeyPairsTest = DoorFixture;

TEST_F(KeyPairsTest, ARetryGetsTheSamePrivateKey) {
  const NovaReply first = Post("/v2.1/os-keypairs", kBody, {{"x-client-token", "T"}});
  EXPECT_EQ(first.Result(), "200 executed");
  EXPECT_THAT(first.At("keypair.private_key"), StartsWith("-----BEGIN RSA PRIVATE KEY-----"));
  const NovaReply retry = Post("/v2.1/os-keypairs", kBody, {{"x-client-token", "T"}});
  EXPECT_EQ(retry.Result(), "200 replayed");
  EXPECT_EQ(retry.http.body, first.http.body);
  EXPECT_EQ(Post("/v2.1/os-keypairs", kBody).Result(), "409 conflictingRequest");
  EXPECT_EQ(Post("/v2.1/os-keypairs", R"({"keypair": {"name": "other"}})", {{"x-client-token", "T"}}).Result(),
            "409 conflictingRequest");
}

// The public key is derived from the private one; the list has it from the server.
TEST_F(KeyPairsTest, APairIsShownListedAndDeleted) {
  const NovaReply made = Post("/v2.1/os-keypairs", kBody);
  const NovaReply shown = Get("/v2.1/os-keypairs/k");
  EXPECT_EQ(shown.At("keypair.public_key"), made.At("keypair.public_key"));
  EXPECT_EQ(shown.At("keypair.fingerprint"), made.At("keypair.fingerprint"));
  EXPECT_EQ(shown.At("keypair.deleted"), "false");
  EXPECT_EQ(shown.At("keypair.private_key"), "(none)");
  EXPECT_EQ(Get("/v2.1/os-keypairs").At("keypairs.0.keypair.public_key"), made.At("keypair.public_key"));
  EXPECT_EQ(Get("/v2.1/os-keypairs", "limit=1&marker=k").At("keypairs.0"), "(none)");
  EXPECT_EQ(Get("/regions/eu-west-1/v2.1/os-keypairs").At("keypairs.0"), "(none)");
  EXPECT_EQ(Delete("/v2.1/os-keypairs/k").Result(), "202 unprotected");
  EXPECT_EQ(Delete("/v2.1/os-keypairs/k").Result(), "404 itemNotFound");
  EXPECT_EQ(Get("/v2.1/os-keypairs/k").Result(), "404 itemNotFound");
}

TEST_F(KeyPairsTest, APublicKeyCannotBeImported) {
  EXPECT_EQ(Post("/v2.1/os-keypairs", R"({"keypair": {"name": "k", "public_key": "ssh-rsa AAAA"}})").Result(),
            "400 badRequest");
  EXPECT_EQ(Post("/v2.1/os-keypairs", R"({"keypair": {"name": "k", "type": "x509"}})").Result(), "400 badRequest");
  EXPECT_EQ(Post("/v2.1/os-keypairs", R"({"keypair": {"name": "k", "type": "ssh"}})").Result(), "200 unprotected");
}

TEST_F(KeyPairsTest, ALaunchWithAKeyThatIsNotThereIsABadRequest) {
  EXPECT_EQ(Post("/v2.1/servers", Launch(R"("key_name": "k", )")).Result(), "400 badRequest");
}

}  // namespace
}  // namespace hapax::openstack
