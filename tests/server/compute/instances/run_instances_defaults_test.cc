#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/test_chain.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"

// Launches through the chain, of which one spells out what the other leaves to a default (C22). What the defaults are
// that never change, canonical_requests_test.cc says.
namespace hapax::compute {
namespace {

using testing::ElementsAre;

constexpr char kOnSubnetB[] = "subnet_id: 'subnet-b'";

class RunInstancesDefaultsTest : public testing::Test {
 protected:
  Answer Launch(const std::string& more, const std::string& token = "token") {
    const TestChain chain(compute_.store(), {.clock = &compute_.clock()});
    const auto& methods = compute_.hosted().methods();
    const auto method = std::find_if(methods.begin(), methods.end(), [](const Method& candidate) {
      return candidate.name == "hapax.compute.v1.Compute/RunInstances";
    });
    auto request = FromText<v1::RunInstancesRequest>("region: 'us-east-1' image_id: 'ami-1' " + more);
    request.set_client_token(token);
    return chain.Call(*method, request);
  }
  std::string ResultOf(const std::string& more) { return Launch(more).result; }
  void ExpectDiffersIn(const char* field, const std::string& more) {
    const Answer answer = Launch(more);
    EXPECT_EQ(answer.result, "IDEMPOTENT_PARAMETER_MISMATCH") << more;
    EXPECT_THAT(FieldsOf(answer.status), ElementsAre(field)) << more;
  }

  void ChangeDefaultType(const std::string& type) {
    v1::Catalog catalog = SmallCatalog();
    catalog.set_default_instance_type(type);
    compute_.Restart(catalog);
  }

  TestCompute compute_;
};

TEST_F(RunInstancesDefaultsTest, C22_TheDefaultTypeMayBeSpelledOut) {
  const Answer first = Launch("");
  ASSERT_EQ(first.result, "executed");
  const Answer retry = Launch("instance_type: 'm5.large'");
  EXPECT_EQ(retry.result, "replayed");
  EXPECT_EQ(retry.bytes, first.bytes);
  ExpectDiffersIn("instance_type", "instance_type: 'm5.xlarge'");
  EXPECT_EQ(compute_.DescribeInstances({}, "default")->instances_size(), 1);
}

TEST_F(RunInstancesDefaultsTest, C22_WhatTheDefaultTypeWasCountsAndNotWhatItIs) {
  ASSERT_EQ(ResultOf(""), "executed");
  ChangeDefaultType("m5.xlarge");
  EXPECT_EQ(ResultOf("instance_type: 'm5.large'"), "replayed");
  EXPECT_EQ(ResultOf(""), "replayed");
  EXPECT_EQ(ResultOf("min_count: 1"), "replayed");
  ExpectDiffersIn("instance_type", "instance_type: 'm5.xlarge'");
}

TEST_F(RunInstancesDefaultsTest, C22_TheDefaultTypeThatWasSpelledOutMayBeLeftOut) {
  ASSERT_EQ(ResultOf("instance_type: 'm5.large'"), "executed");
  EXPECT_EQ(ResultOf(""), "replayed");
  ChangeDefaultType("m5.xlarge");
  EXPECT_EQ(ResultOf(""), "replayed");
  ExpectDiffersIn("instance_type", "instance_type: 'm5.xlarge'");
}

TEST_F(RunInstancesDefaultsTest, C10_AnotherTypeThanTheDefaultMayNotBeLeftOut) {
  ASSERT_EQ(ResultOf("instance_type: 'm5.xlarge'"), "executed");
  ExpectDiffersIn("instance_type", "");
  ChangeDefaultType("m5.xlarge");
  ExpectDiffersIn("instance_type", "");
  EXPECT_EQ(ResultOf("instance_type: 'm5.xlarge'"), "replayed");
}

TEST_F(RunInstancesDefaultsTest, C22_TheZoneOfTheSubnetMayBeSpelledOut) {
  ASSERT_EQ(ResultOf(kOnSubnetB), "executed");
  EXPECT_EQ(ResultOf("subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' }"), "replayed");
  EXPECT_EQ(ResultOf("subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' tenancy: 'default' } "
                     "instance_type: 'm5.large' min_count: 1"),
            "replayed");
  ExpectDiffersIn("placement", "subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' tenancy: 'host' }");
}

TEST_F(RunInstancesDefaultsTest, C22_TheZoneOfTheSubnetThatWasSpelledOutMayBeLeftOut) {
  ASSERT_EQ(ResultOf("subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' tenancy: 'default' }"),
            "executed");
  EXPECT_EQ(ResultOf(kOnSubnetB), "replayed");
  EXPECT_EQ(ResultOf("subnet_id: 'subnet-b' placement { tenancy: 'default' }"), "replayed");
  ExpectDiffersIn("subnet_id", "placement { availability_zone: 'us-east-1b' }");
}

TEST_F(RunInstancesDefaultsTest, C22_TheZoneOfTheSubnetIsNoDifferenceBesideAHost) {
  const auto hosts = compute_.AllocateHosts(
      FromText<v1::AllocateHostsRequest>("availability_zone: 'us-east-1b' instance_type: 'm5.large'"), "default");
  ASSERT_TRUE(hosts.ok()) << hosts.status();
  const std::string host = "host_id: '" + hosts->host_ids(0) + "'";
  ASSERT_EQ(ResultOf("subnet_id: 'subnet-b' placement { " + host + " }"), "executed");
  EXPECT_EQ(
      ResultOf("subnet_id: 'subnet-b' placement { availability_zone: 'us-east-1b' tenancy: 'host' " + host + " }"),
      "replayed");
  ExpectDiffersIn("placement", kOnSubnetB);
}

// Whoever names what the server picked has seen the reply, and asks for something else.
TEST_F(RunInstancesDefaultsTest, C10_WhatTheServerPickedIsNoDefault) {
  ASSERT_EQ(ResultOf("placement { availability_zone: 'us-east-1a' }"), "executed");
  ExpectDiffersIn("subnet_id", "subnet_id: 'subnet-a' placement { availability_zone: 'us-east-1a' }");
}

TEST_F(RunInstancesDefaultsTest, C6_TheZoneThatTheServerPickedIsAnotherScope) {
  ASSERT_EQ(ResultOf(""), "executed");
  EXPECT_EQ(ResultOf("placement { availability_zone: 'us-east-1a' }"), "executed");
}

}  // namespace
}  // namespace hapax::compute
