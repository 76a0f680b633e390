#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/server/compute/rows.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"

// Launches on dedicated hosts: RunInstances with tenancy `host`.
namespace hapax::compute {
namespace {

using testing::HasSubstr;

constexpr char kHostField[] = "placement.host_id";

class HostPlacementTest : public testing::Test {
 protected:
  // The id of a new host, which runs 3 m5.large or 1 m5.xlarge.
  std::string Allocate(const std::string& zone = "us-east-1a", const std::string& more = "",
                       const std::string& type = "m5.large") {
    const auto reply = compute_.AllocateHosts(
        FromText<v1::AllocateHostsRequest>("availability_zone: '" + zone + "' instance_type: '" + type + "' " + more));
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? reply->host_ids(0) : "";
  }

  // A launch with these fields of its placement.
  absl::StatusOr<v1::RunInstancesResponse> Launch(const std::string& placement, const std::string& more = "",
                                                  const std::string& tenant = kTenant) {
    return compute_.RunInstances(
        FromText<v1::RunInstancesRequest>("image_id: 'ami-1' placement { " + placement + " } " + more), tenant);
  }
  absl::StatusOr<v1::RunInstancesResponse> LaunchOn(const std::string& host_id, const std::string& more = "") {
    return Launch("host_id: '" + host_id + "'", more);
  }

  int FreeSlots(const std::string& host_id) {
    v1::DescribeHostsRequest request;
    request.add_host_ids(host_id);
    const auto reply = compute_.DescribeHosts(request);
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? reply->hosts(0).available_capacity() : -1;
  }
  int64_t FreeVcpus(const std::string& zone_name) {
    const auto reply = compute_.DescribeAvailabilityZones();
    EXPECT_THAT(reply, IsOk());
    for (const auto& zone : reply->availability_zones()) {
      if (zone.zone_name() == zone_name) return zone.available_vcpus();
    }
    return -1;
  }

  TestCompute compute_;
};

TEST_F(HostPlacementTest, AHostThatIsNamedRunsTheInstances) {
  const std::string host = Allocate("us-east-1b");
  const auto reply = LaunchOn(host, "min_count: 2");
  ASSERT_THAT(reply, IsOk());
  ASSERT_EQ(reply->instances_size(), 2);
  for (const v1::Instance& instance : reply->instances()) {
    EXPECT_EQ(instance.host_id(), host);
    EXPECT_EQ(instance.availability_zone(), "us-east-1b");
    EXPECT_NE(instance.private_ip_address(), "");
  }
  EXPECT_EQ(FreeSlots(host), 1);
}

// The host took its virtual CPUs when it was allocated.
TEST_F(HostPlacementTest, InstancesOnAHostTakeNothingMoreOfTheZone) {
  const int64_t before = FreeVcpus("us-east-1a");
  const std::string host = Allocate();
  EXPECT_EQ(FreeVcpus("us-east-1a"), before - 3 * 2);
  ASSERT_THAT(LaunchOn(host, "min_count: 3"), IsOk());
  EXPECT_EQ(FreeVcpus("us-east-1a"), before - 3 * 2);
}

TEST_F(HostPlacementTest, AsManyAsTheHostHasRoomForAreLaunched) {
  const std::string host = Allocate();
  const auto reply = LaunchOn(host, "min_count: 1 max_count: 10");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->instances_size(), 3);
  EXPECT_EQ(FreeSlots(host), 0);
  EXPECT_THAT(LaunchOn(host), Refuses(Reason::kInsufficientInstanceCapacity, "min_count", HasSubstr("at most 0")));
}

TEST_F(HostPlacementTest, C12TooManyForTheHostLeavesNothing) {
  const std::string host = Allocate();
  const std::string rows = compute_.Rows();
  EXPECT_THAT(LaunchOn(host, "min_count: 4"), Refuses(Reason::kInsufficientInstanceCapacity, "min_count"));
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(HostPlacementTest, AHostThatIsNotTheTenantsInTheRegionIsNotFound) {
  const std::string host = Allocate("eu-west-1a");
  EXPECT_THAT(LaunchOn("h-none"), Refuses(Reason::kHostNotFound, kHostField, HasSubstr("h-none")));
  EXPECT_THAT(LaunchOn(host), Refuses(Reason::kHostNotFound, kHostField, HasSubstr("us-east-1")));
  EXPECT_THAT(Launch("host_id: '" + host + "'", "region: 'eu-west-1'", kOtherTenant),
              Refuses(Reason::kHostNotFound, kHostField));
  EXPECT_THAT(LaunchOn(host, "region: 'eu-west-1'"), IsOk());
}

TEST_F(HostPlacementTest, AHostMustLieInTheZoneOrSubnetThatIsNamed) {
  const std::string host = Allocate("us-east-1a");
  const std::string on_host = "host_id: '" + host + "' ";
  EXPECT_THAT(Launch(on_host + "availability_zone: 'us-east-1b'"),
              Refuses(Reason::kInvalidParameter, kHostField, HasSubstr("zone or subnet")));
  EXPECT_THAT(Launch(on_host, "subnet_id: 'subnet-b'"), Refuses(Reason::kInvalidParameter, kHostField));
  EXPECT_THAT(Launch(on_host + "availability_zone: 'us-east-1a'"), IsOk());
  EXPECT_THAT(Launch(on_host, "subnet_id: 'subnet-a'"), IsOk());
}

TEST_F(HostPlacementTest, AHostRunsItsOwnTypeOnly) {
  const std::string host = Allocate("us-east-1a", "", "m5.xlarge");
  EXPECT_THAT(LaunchOn(host), Refuses(Reason::kInvalidParameter, kHostField, HasSubstr("instance type")));
  EXPECT_THAT(LaunchOn(host, "instance_type: 'm5.xlarge'"), IsOk());
}

TEST_F(HostPlacementTest, ANamedHostNeedsNoAutoPlacementAndMayBeSaidToBeTheTenancy) {
  const std::string host = Allocate("us-east-1a", "auto_placement: 'off'");
  EXPECT_THAT(Launch("tenancy: 'host' host_id: '" + host + "'"), IsOk());
}

TEST_F(HostPlacementTest, ANamedHostContradictsTheDefaultTenancy) {
  const std::string host = Allocate();
  EXPECT_THAT(Launch("tenancy: 'default' host_id: '" + host + "'"),
              Refuses(Reason::kInvalidParameter, "placement.tenancy", HasSubstr("host")));
}

TEST_F(HostPlacementTest, WithoutANameTheRoomiestHostWithAutoPlacementIsTaken) {
  const std::string off = Allocate("us-east-1a", "auto_placement: 'off'");
  const std::string fuller = Allocate("us-east-1b", "auto_placement: 'on'");
  ASSERT_THAT(LaunchOn(fuller), IsOk());
  const std::string roomier = Allocate("us-east-1b", "auto_placement: 'on'");
  const auto reply = Launch("tenancy: 'host'", "min_count: 3");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->instances(0).host_id(), roomier);
  EXPECT_EQ(FreeSlots(roomier), 0);
  EXPECT_EQ(FreeSlots(fuller), 2);
  EXPECT_EQ(FreeSlots(off), 3);
}

TEST_F(HostPlacementTest, WithoutANameTheHostLiesWhereTheLaunchDoes) {
  const std::string there = Allocate("us-east-1b", "auto_placement: 'on'");
  ASSERT_THAT(LaunchOn(there), IsOk());
  static_cast<void>(Allocate("us-east-1a", "auto_placement: 'on'"));
  static_cast<void>(Allocate("eu-west-1a", "auto_placement: 'on'"));
  const auto reply = Launch("tenancy: 'host' availability_zone: 'us-east-1b'");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->instances(0).host_id(), there);
}

TEST_F(HostPlacementTest, WithoutASuitableHostThereIsNoCapacity) {
  static_cast<void>(Allocate("us-east-1a", "auto_placement: 'off'"));
  static_cast<void>(Allocate("us-east-1a", "auto_placement: 'on'", "m5.xlarge"));
  static_cast<void>(Allocate("eu-west-1a", "auto_placement: 'on'"));
  const auto refused = Launch("tenancy: 'host'");
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kInsufficientInstanceCapacity) << refused.status();
  EXPECT_THAT(Launch("tenancy: 'host'", "region: 'eu-west-1'"), IsOk());
  EXPECT_EQ(ReasonOf(Launch("tenancy: 'host'", "region: 'eu-west-1'", kOtherTenant).status()),
            Reason::kInsufficientInstanceCapacity);
}

// A host that lies where nothing is offered any more takes no instances, and must not stand in the way of
// one that does.
TEST_F(HostPlacementTest, AHostWhoseZoneHasLeftTheCatalogIsPassedOver) {
  static_cast<void>(Allocate("us-east-1b", "auto_placement: 'on'"));
  const std::string usable = Allocate("us-east-1a", "auto_placement: 'on'");
  ASSERT_THAT(LaunchOn(usable), IsOk());
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions(0)->mutable_zones()->DeleteSubrange(1, 1);
  compute_.Restart(poorer);
  const auto reply = Launch("tenancy: 'host'");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->instances(0).host_id(), usable);
}

TEST_F(HostPlacementTest, TheQuotaOfInstancesCountsThoseOnHosts) {
  const std::string host = Allocate("eu-west-1a");
  ASSERT_THAT(LaunchOn(host, "region: 'eu-west-1' min_count: 3"), IsOk());
  EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 10")),
              Refuses(Reason::kQuotaExceeded, "min_count", HasSubstr("at most 9")));
}

TEST_F(HostPlacementTest, C18_AHostWithADamagedRowTakesNoneAndTheOthersDo) {
  const std::string damaged = Allocate("us-east-1a", "auto_placement: 'on'");
  const std::string sound = Allocate("us-east-1a", "auto_placement: 'on'");
  ASSERT_THAT(ExecuteAs(kServiceName, compute_.store(),
                        [&](Transaction& txn) {
                          txn.Put(kTable, HostKey(kTenant, damaged), "damaged");
                          return absl::OkStatus();
                        }),
              IsOk());
  const auto launched = Launch("tenancy: 'host'");
  ASSERT_THAT(launched, IsOk());
  EXPECT_EQ(launched->instances(0).host_id(), sound);
}

}  // namespace
}  // namespace hapax::compute
