#include "hapax/server/compute/canonical_requests.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/server/compute/parameters.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using google::protobuf::util::MessageDifferencer;

v1::RunInstancesRequest Canonical(v1::RunInstancesRequest request) {
  CanonicalizeRunInstances(&request);
  return request;
}

v1::RunInstancesRequest Launch(const std::string& text) { return FromText<v1::RunInstancesRequest>(text); }

v1::RunInstancesRequest LaunchOf(int32_t min, int32_t max) {
  v1::RunInstancesRequest request;
  request.set_min_count(min);
  request.set_max_count(max);
  return request;
}

bool MeanTheSame(const v1::RunInstancesRequest& a, const v1::RunInstancesRequest& b) {
  return MessageDifferencer::Equals(Canonical(a), Canonical(b));
}

// The rule of the counts stands in CheckCounts; the canonical form must follow it.
TEST(CanonicalizeRunInstances, C22CountsAreTheSameExactlyWhenTheyMeanTheSameRange) {
  for (int32_t a = 0; a < 25; ++a) {
    for (int32_t b = 0; b < 25; ++b) {
      const auto range_a = CheckCounts(a / 5, a % 5);
      const auto range_b = CheckCounts(b / 5, b % 5);
      if (!range_a.ok() || !range_b.ok()) continue;
      EXPECT_EQ(MeanTheSame(LaunchOf(a / 5, a % 5), LaunchOf(b / 5, b % 5)),
                range_a->min == range_b->min && range_a->max == range_b->max)
          << a / 5 << ".." << a % 5 << " and " << b / 5 << ".." << b % 5;
    }
  }
}

TEST(CanonicalizeRunInstances, CountsThatAreRefusedStayApartFromThoseThatAreNot) {
  EXPECT_FALSE(MeanTheSame(LaunchOf(2, 1), LaunchOf(1, 1)));
  EXPECT_FALSE(MeanTheSame(LaunchOf(2, 1), LaunchOf(1, 2)));
  EXPECT_FALSE(MeanTheSame(LaunchOf(-1, 0), LaunchOf(0, 0)));
}

TEST(CanonicalizeRunInstances, C22TheDefaultTenancyIsNoDifference) {
  EXPECT_TRUE(MeanTheSame(Launch(""), Launch("placement {}")));
  EXPECT_TRUE(MeanTheSame(Launch(""), Launch("placement { tenancy: 'default' }")));
  EXPECT_TRUE(MeanTheSame(Launch("placement { availability_zone: 'a' }"),
                          Launch("placement { availability_zone: 'a' tenancy: 'default' }")));
  EXPECT_FALSE(MeanTheSame(Launch(""), Launch("placement { tenancy: 'host' }")));
}

// compute.proto: a host_id "implies tenancy `host`".
TEST(CanonicalizeRunInstances, C22TheTenancyThatAHostImpliesIsNoDifference) {
  EXPECT_TRUE(
      MeanTheSame(Launch("placement { host_id: 'h-1' }"), Launch("placement { host_id: 'h-1' tenancy: 'host' }")));
}

// A host on shared hardware is refused, so it must not be taken for a retry of a launch on that host.
TEST(CanonicalizeRunInstances, C10AContradictionIsNotTheRequestWithoutIt) {
  EXPECT_FALSE(
      MeanTheSame(Launch("placement { host_id: 'h-1' }"), Launch("placement { host_id: 'h-1' tenancy: 'default' }")));
}

TEST(CanonicalizeRunInstances, AnUnknownFieldOfThePlacementCounts) {
  v1::RunInstancesRequest request;
  v1::Placement& placement = *request.mutable_placement();
  placement.GetReflection()->MutableUnknownFields(&placement)->AddVarint(1000, 1);
  EXPECT_FALSE(MeanTheSame(request, Launch("")));
  EXPECT_FALSE(MeanTheSame(request, Launch("placement {}")));
}

TEST(CanonicalizeRunInstances, LeavesEverythingElseAsItIs) {
  const auto request = Launch(R"(
    client_token: 't' region: 'us-east-1' image_id: 'ami-1' instance_type: 'm5.large' min_count: 2 max_count: 3
    key_name: 'k' subnet_id: 'subnet-a' placement { availability_zone: 'a' tenancy: 'host' }
    tags { key: 'a' value: 'b' }
  )");
  EXPECT_THAT(Canonical(request), EqualsProto(request));
}

// A later version may add a field with a default: a form that fills defaults in would then change.
TEST(CanonicalizeRunInstances, FillsInNoDefault) {
  EXPECT_THAT(Canonical(Launch("")), EqualsProto(Launch("")));
  EXPECT_THAT(Canonical(LaunchOf(1, 1)), EqualsProto(Launch("")));
}

TEST(CanonicalizeRunInstances, TwiceIsAsGoodAsOnce) {
  for (int32_t min = 0; min < 4; ++min) {
    for (int32_t max = 0; max < 4; ++max) {
      for (const char* tenancy : {"", "default", "host"}) {
        v1::RunInstancesRequest request = LaunchOf(min, max);
        request.mutable_placement()->set_tenancy(tenancy);
        const v1::RunInstancesRequest once = Canonical(request);
        EXPECT_THAT(Canonical(once), EqualsProto(once));
      }
    }
  }
}

TEST(CanonicalizeAllocateHosts, C22ExplicitDefaultsAreNoDifference) {
  const auto plain = FromText<v1::AllocateHostsRequest>("availability_zone: 'a' instance_type: 'm5.large'");
  v1::AllocateHostsRequest spelt_out = plain;
  spelt_out.set_quantity(1);
  spelt_out.set_auto_placement("off");
  CanonicalizeAllocateHosts(&spelt_out);
  EXPECT_THAT(spelt_out, EqualsProto(plain));
}

TEST(CanonicalizeAllocateHosts, OtherValuesStay) {
  const auto request = FromText<v1::AllocateHostsRequest>("quantity: 2 auto_placement: 'on'");
  v1::AllocateHostsRequest canonical = request;
  CanonicalizeAllocateHosts(&canonical);
  EXPECT_THAT(canonical, EqualsProto(request));
}

TEST(CanonicalizeCreateKeypair, C22ExplicitDefaultsAreNoDifference) {
  auto request = FromText<v1::CreateKeypairRequest>("key_name: 'k' key_type: KEY_TYPE_ED25519");
  CanonicalizeCreateKeypair(&request);
  EXPECT_THAT(request, EqualsProto(FromText<v1::CreateKeypairRequest>("key_name: 'k'")));
}

TEST(CanonicalRequests, C22WhatIsAllowedIsNoDifference) {
  auto deletion = FromText<v1::DeleteKeypairRequest>("key_name: 'k' allow_missing: true");
  CanonicalizeDeleteKeypair(&deletion);
  EXPECT_THAT(deletion, EqualsProto(FromText<v1::DeleteKeypairRequest>("key_name: 'k'")));
  auto start = FromText<v1::StartInstanceRequest>("instance_id: 'i' allow_unchanged: true");
  CanonicalizeStartInstance(&start);
  EXPECT_THAT(start, EqualsProto(FromText<v1::StartInstanceRequest>("instance_id: 'i'")));
  auto stop = FromText<v1::StopInstanceRequest>("instance_id: 'i' allow_unchanged: true");
  CanonicalizeStopInstance(&stop);
  EXPECT_THAT(stop, EqualsProto(FromText<v1::StopInstanceRequest>("instance_id: 'i'")));
}

TEST(CanonicalizeCreateKeypair, OtherValuesStay) {
  const auto request = FromText<v1::CreateKeypairRequest>("key_name: 'k' key_type: KEY_TYPE_RSA");
  v1::CreateKeypairRequest canonical = request;
  CanonicalizeCreateKeypair(&canonical);
  EXPECT_THAT(canonical, EqualsProto(request));
}

}  // namespace
}  // namespace hapax::compute
