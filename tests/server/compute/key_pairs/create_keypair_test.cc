#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

v1::CreateKeypairRequest Named(const std::string& name, const std::string& more = "") {
  return FromText<v1::CreateKeypairRequest>("key_name: '" + name + "' " + more);
}

TEST(CreateKeypair, TheReplyHasThePrivateKeyAndTheListThePublicOne) {
  TestCompute compute;
  const auto reply = compute.CreateKeypair(Named("pair", "tags { key: 'k' value: 'v' }"));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->key_pair_id(), "key-00000000000000001");
  EXPECT_EQ(reply->key_name(), "pair");
  EXPECT_THAT(reply->key_fingerprint(), StartsWith("SHA256:"));
  EXPECT_THAT(reply->key_material(), StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n"));

  const auto described = compute.DescribeKeypairs();
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(described->key_pairs(), SizeIs(1));
  auto expected = FromText<v1::KeyPair>(R"(
    key_pair_id: 'key-00000000000000001' key_name: 'pair' key_type: KEY_TYPE_ED25519 region: 'us-east-1'
    tags { key: 'k' value: 'v' }
  )");
  expected.set_key_fingerprint(reply->key_fingerprint());
  *expected.mutable_create_time() = ToTimestamp(compute.clock().Now());
  expected.set_public_key(described->key_pairs(0).public_key());
  EXPECT_THAT(described->key_pairs(0), EqualsProto(expected));
  EXPECT_THAT(expected.public_key(), StartsWith("ssh-ed25519 "));
}

// It is in the reply, and so in the token's record, and nowhere else.
TEST(CreateKeypair, C25NoRowHoldsThePrivateKey) {
  TestCompute compute;
  const auto reply = compute.CreateKeypair(Named("pair"));
  ASSERT_THAT(reply, IsOk());
  const std::string line = reply->key_material().substr(reply->key_material().find('\n') + 1, 40);
  EXPECT_THAT(compute.Rows(), AllOf(Not(HasSubstr("PRIVATE KEY")), Not(HasSubstr(line))));
}

TEST(CreateKeypair, AnRsaPairIsMadeOnRequest) {
  TestCompute compute;
  const auto reply = compute.CreateKeypair(Named("pair", "key_type: KEY_TYPE_RSA"));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->key_material(), StartsWith("-----BEGIN RSA PRIVATE KEY-----\n"));
  const auto described = compute.DescribeKeypairs();
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->key_pairs(0).key_type(), v1::KEY_TYPE_RSA);
  EXPECT_THAT(described->key_pairs(0).public_key(), StartsWith("ssh-rsa "));
}

TEST(CreateKeypair, ANameIsTakenOnceWithinATenantAndRegion) {
  TestCompute compute;
  ASSERT_THAT(compute.CreateKeypair(Named("pair")), IsOk());
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.CreateKeypair(Named("pair", "key_type: KEY_TYPE_RSA")),
              Refuses(Reason::kKeypairAlreadyExists, "key_name", AllOf(HasSubstr("pair"), HasSubstr("us-east-1"))));
  EXPECT_EQ(compute.Rows(), rows);
  EXPECT_THAT(compute.CreateKeypair(Named("PAIR")), IsOk());
  EXPECT_THAT(compute.CreateKeypair(Named("pair", "region: 'eu-west-1'")), IsOk());
  EXPECT_THAT(compute.CreateKeypair(Named("pair"), kOtherTenant), IsOk());
}

TEST(CreateKeypair, ANameOfTheImagesMayBeTaken) {
  TestCompute compute;
  EXPECT_THAT(compute.CreateKeypair(Named("image-key")), IsOk());
}

TEST(CreateKeypair, AWrongParameterIsRefusedByName) {
  TestCompute compute;
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.CreateKeypair({}), Refuses(Reason::kInvalidParameter, "key_name", HasSubstr("1 to 255")));
  EXPECT_THAT(compute.CreateKeypair(Named("pair", "tags { key: '' value: 'v' }")),
              Refuses(Reason::kInvalidParameter, "tags"));
  v1::CreateKeypairRequest unknown_type = Named("pair");
  unknown_type.set_key_type(static_cast<v1::KeyType>(3));
  EXPECT_THAT(
      compute.CreateKeypair(unknown_type),
      Refuses(Reason::kInvalidParameter, "key_type", AllOf(HasSubstr("KEY_TYPE_ED25519"), HasSubstr("KEY_TYPE_RSA"))));
  EXPECT_THAT(compute.CreateKeypair(Named("pair", "region: 'us-west-1'")), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_EQ(compute.Rows(), rows);
}

}  // namespace
}  // namespace hapax::compute
