#include <set>
#include <string>

#include "absl/strings/str_cat.h"
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
using testing::SizeIs;

v1::AllocateHostsRequest Hosts(const std::string& more = "", const std::string& zone = "eu-west-1a") {
  return FromText<v1::AllocateHostsRequest>("availability_zone: '" + zone + "' instance_type: 'm5.large' " + more);
}

TEST(AllocateHosts, OneHostIsTheDefault) {
  TestCompute compute;
  const auto reply = compute.AllocateHosts(Hosts("client_token: 'token' tags { key: 'k' value: 'v' }"));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(*reply, EqualsProto(FromText<v1::AllocateHostsResponse>("host_ids: 'h-00000000000000001'")));
  const auto described = compute.DescribeHosts();
  ASSERT_THAT(described, IsOk());
  auto expected = FromText<v1::DescribeHostsResponse>(R"(
    hosts {
      host_id: 'h-00000000000000001' instance_type: 'm5.large' region: 'eu-west-1' availability_zone: 'eu-west-1a'
      auto_placement: 'off' total_capacity: 3 available_capacity: 3 total_vcpus: 6 client_token: 'token'
      tags { key: 'k' value: 'v' }
    }
  )");
  *expected.mutable_hosts(0)->mutable_allocation_time() = ToTimestamp(compute.clock().Now());
  EXPECT_THAT(*described, EqualsProto(expected));
}

TEST(AllocateHosts, EveryHostOfTheReplyIsThere) {
  TestCompute compute;
  const auto reply = compute.AllocateHosts(Hosts("quantity: 3 auto_placement: 'on'"));
  ASSERT_THAT(reply, IsOk());
  const std::set<std::string> ids(reply->host_ids().begin(), reply->host_ids().end());
  ASSERT_THAT(ids, SizeIs(3));
  const auto described = compute.DescribeHosts();
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(described->hosts(), SizeIs(3));
  for (const v1::Host& host : described->hosts()) {
    EXPECT_TRUE(ids.contains(host.host_id()));
    EXPECT_EQ(host.auto_placement(), "on");
  }
}

// As after a clock that was set back.
TEST(AllocateHosts, IdsThatComeAgainOverwriteNoHost) {
  TestCompute compute;
  ASSERT_THAT(compute.AllocateHosts(Hosts("quantity: 2")), IsOk());
  compute.ids().Reset();
  const auto reply = compute.AllocateHosts(Hosts());
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->host_ids(0), CountedId("h", 3));
  const auto described = compute.DescribeHosts();
  ASSERT_THAT(described, IsOk());
  EXPECT_THAT(described->hosts(), SizeIs(3));
}

TEST(AllocateHosts, C12NoHostWhenNotAllFit) {
  TestCompute compute;
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.AllocateHosts(Hosts("quantity: 3", "us-east-1b")),
              Refuses(Reason::kInsufficientInstanceCapacity, "quantity",
                      AllOf(HasSubstr("16 virtual CPUs free"), HasSubstr("18"))));
  EXPECT_EQ(compute.Rows(), rows);
  EXPECT_THAT(compute.AllocateHosts(Hosts("quantity: 2", "us-east-1b")), IsOk());
  EXPECT_THAT(compute.AllocateHosts(Hosts("", "us-east-1b")),
              Refuses(Reason::kInsufficientInstanceCapacity, "quantity", HasSubstr("4 virtual CPUs free")));
}

TEST(AllocateHosts, TheQuotaIsATenantsInAllZones) {
  TestCompute compute;
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.AllocateHosts(Hosts("quantity: 4")),
              Refuses(Reason::kQuotaExceeded, "quantity", AllOf(HasSubstr("at most 3"), HasSubstr("3 hosts"))));
  EXPECT_EQ(compute.Rows(), rows);
  ASSERT_THAT(compute.AllocateHosts(Hosts("quantity: 2")), IsOk());
  ASSERT_THAT(compute.AllocateHosts(Hosts("", "us-east-1a")), IsOk());
  EXPECT_THAT(compute.AllocateHosts(Hosts()), Refuses(Reason::kQuotaExceeded, "quantity", HasSubstr("at most 0")));
  EXPECT_THAT(compute.AllocateHosts(Hosts(), kOtherTenant), IsOk());
}

TEST(AllocateHosts, HostsAndInstancesShareTheZone) {
  TestCompute compute;
  ASSERT_THAT(compute.AllocateHosts(Hosts("quantity: 2", "us-east-1a")), IsOk());
  EXPECT_THAT(compute.RunInstances(FromText<v1::RunInstancesRequest>(
                  "image_id: 'ami-1' min_count: 5 placement { availability_zone: 'us-east-1a' }")),
              Refuses(Reason::kInsufficientInstanceCapacity, "min_count", HasSubstr("at most 4")));
}

TEST(AllocateHosts, AWrongParameterIsRefusedByName) {
  TestCompute compute;
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.AllocateHosts(Hosts("quantity: -1")),
              Refuses(Reason::kInvalidParameter, "quantity", HasSubstr("1 to 1000")));
  EXPECT_THAT(compute.AllocateHosts(Hosts("quantity: 1001")), Refuses(Reason::kInvalidParameter, "quantity"));
  EXPECT_THAT(compute.AllocateHosts(Hosts("auto_placement: 'yes'")),
              Refuses(Reason::kInvalidParameter, "auto_placement", HasSubstr("on or off")));
  EXPECT_THAT(compute.AllocateHosts(Hosts("tags { key: '' value: 'v' }")), Refuses(Reason::kInvalidParameter, "tags"));
  EXPECT_THAT(compute.AllocateHosts(FromText<v1::AllocateHostsRequest>("availability_zone: 'eu-west-1a'")),
              Refuses(Reason::kInvalidParameter, "instance_type", HasSubstr("one of m5.large, m5.xlarge")));
  EXPECT_THAT(compute.AllocateHosts(FromText<v1::AllocateHostsRequest>("instance_type: 'm5.large'")),
              Refuses(Reason::kInvalidParameter, "availability_zone", HasSubstr("required")));
  EXPECT_THAT(compute.AllocateHosts(Hosts("", "eu-west-1z")),
              Refuses(Reason::kUnknownAvailabilityZone, "availability_zone"));
  EXPECT_THAT(compute.AllocateHosts(Hosts("region: 'us-east-1'")), Refuses(Reason::kInvalidParameter, "region"));
  EXPECT_EQ(compute.Rows(), rows);
}

TEST(AllocateHosts, AZoneThatTheCatalogHasLostIsRefused) {
  TestCompute compute;
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);
  compute.Restart(poorer);
  EXPECT_THAT(compute.AllocateHosts(Hosts()), Refuses(Reason::kUnknownAvailabilityZone, "availability_zone"));
}

}  // namespace
}  // namespace hapax::compute
