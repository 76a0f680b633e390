#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/timestamps.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

// Launches on shared hardware; host_placement_test.cc has those on dedicated hosts.
namespace hapax::compute {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::RunInstancesRequest Launch(const std::string& more = "") {
  return FromText<v1::RunInstancesRequest>("image_id: 'ami-1' " + more);
}

std::string InZone(const std::string& zone) { return "placement { availability_zone: '" + zone + "' }"; }

auto LaunchesIn(const std::string& zone, size_t count) {
  return IsOkAndHolds(testing::Property(
      "instances", &v1::RunInstancesResponse::instances,
      AllOf(SizeIs(count), testing::Each(testing::Property("zone", &v1::Instance::availability_zone, zone)))));
}

TEST(RunInstances, APlainLaunchIsOneInstanceOfTheDefaultTypeInTheDefaultRegion) {
  TestCompute compute;
  const auto reply = compute.RunInstances(Launch("client_token: 'token' tags { key: 'k' value: 'v' }"));
  ASSERT_THAT(reply, IsOk());
  auto expected = FromText<v1::RunInstancesResponse>(R"(
    reservation_id: 'r-00000000000000001' owner_id: 'tenant'
    instances {
      instance_id: 'i-00000000000000001' reservation_id: 'r-00000000000000001' image_id: 'ami-1'
      instance_type: 'm5.large' state: INSTANCE_STATE_PENDING region: 'us-east-1' availability_zone: 'us-east-1a'
      subnet_id: 'subnet-a' private_ip_address: '10.0.0.4' client_token: 'token' tags { key: 'k' value: 'v' }
    }
  )");
  *expected.mutable_instances(0)->mutable_launch_time() = ToTimestamp(compute.clock().Now());
  EXPECT_THAT(*reply, EqualsProto(expected));
}

// As after a clock that was set back.
TEST(RunInstances, IdsThatComeAgainOverwriteNoInstance) {
  TestCompute compute;
  ASSERT_THAT(compute.RunInstances(Launch("min_count: 2 tags { key: 'k' value: 'first' }")), IsOk());
  compute.ids().Reset();
  const auto reply = compute.RunInstances(Launch("min_count: 2"));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->instances(0).instance_id(), CountedId("i", 3));
  EXPECT_EQ(reply->instances(1).instance_id(), CountedId("i", 4));
  const auto described = compute.DescribeInstances();
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(described->instances(), SizeIs(4));
  for (const int i : {0, 1}) EXPECT_THAT(described->instances(i).tags(), SizeIs(1)) << i;
}

TEST(RunInstances, WhatTheReplySaysIsWhatIsThereAndIsBooted) {
  TestCompute compute;
  const auto reply = compute.RunInstances(Launch("min_count: 3 key_name: 'image-key'"));
  ASSERT_THAT(reply, IsOk());
  const auto described = compute.DescribeInstances();
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(described->instances(), SizeIs(3));
  std::vector<std::string> ids;
  std::set<std::string> addresses;
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(described->instances(i), EqualsProto(reply->instances(i)));
    EXPECT_EQ(reply->instances(i).key_name(), "image-key");
    ids.push_back(reply->instances(i).instance_id());
    addresses.insert(reply->instances(i).private_ip_address());
  }
  EXPECT_THAT(addresses, SizeIs(3));
  EXPECT_THAT(compute.hypervisor().booting(), ElementsAreArray(ids));
}

TEST(RunInstances, AsManyAsFitAreLaunchedBetweenMinAndMax) {
  TestCompute compute;
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 1 max_count: 100 " + InZone("us-east-1a"))),
              LaunchesIn("us-east-1a", 10));  // 20 vcpus.
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 1 max_count: 100 " + InZone("us-east-1b"))),
              LaunchesIn("us-east-1b", 2));  // A quota of 12.
}

TEST(RunInstances, NoMoreThanTheMaximumAreLaunched) {
  TestCompute compute;
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 2 max_count: 4")), LaunchesIn("us-east-1a", 4));
  EXPECT_THAT(compute.RunInstances(Launch("max_count: 3")), LaunchesIn("us-east-1b", 3));
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 2")), LaunchesIn("us-east-1a", 2));
}

TEST(RunInstances, AsManyAreLaunchedAsThereAreAddresses) {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_instance_types(0)->set_vcpus(1);
  TestCompute compute(catalog);
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 1 max_count: 100 " + InZone("us-east-1a"))),
              LaunchesIn("us-east-1a", 11));
  EXPECT_THAT(compute.RunInstances(Launch(InZone("us-east-1a")), kOtherTenant),
              Refuses(Reason::kInsufficientInstanceCapacity, "min_count", HasSubstr("at most 0")));
}

TEST(RunInstances, C12BelowMinCountNothingIsLaunched) {
  TestCompute compute;
  ASSERT_THAT(compute.RunInstances(Launch("min_count: 1")), IsOk());
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 10 max_count: 100 " + InZone("us-east-1a"))),
              Refuses(Reason::kInsufficientInstanceCapacity, "min_count",
                      AllOf(HasSubstr("at most 9"), HasSubstr("us-east-1a"))));
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 12 max_count: 100 " + InZone("us-east-1a"))),
              Refuses(Reason::kQuotaExceeded, "min_count", AllOf(HasSubstr("at most 11"), HasSubstr("12 instances"))));
  EXPECT_EQ(compute.Rows(), rows);
  EXPECT_THAT(compute.hypervisor().booting(), SizeIs(1));
}

TEST(RunInstances, TheQuotaIsATenantsInAllRegions) {
  TestCompute compute;
  ASSERT_THAT(compute.RunInstances(Launch("min_count: 7")), IsOk());
  ASSERT_THAT(compute.RunInstances(Launch("min_count: 5 region: 'eu-west-1'")), IsOk());
  EXPECT_THAT(compute.RunInstances(Launch("region: 'eu-west-1'")),
              Refuses(Reason::kQuotaExceeded, "min_count", HasSubstr("at most 0")));
  EXPECT_THAT(compute.RunInstances(Launch("region: 'eu-west-1' min_count: 12"), kOtherTenant), IsOk());
}

TEST(RunInstances, ATenantAboveAShrunkQuotaHasNoneLeft) {
  TestCompute compute;
  ASSERT_THAT(compute.RunInstances(Launch("min_count: 7")), IsOk());
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_quota()->set_instances(3);
  compute.Restart(catalog);
  EXPECT_THAT(compute.RunInstances(Launch()), Refuses(Reason::kQuotaExceeded, "min_count", HasSubstr("at most 0 ")));
}

TEST(RunInstances, ALaunchWithoutAZoneGoesToTheRoomiestOneOfItsRegionAsAWhole) {
  TestCompute compute;
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 6")), LaunchesIn("us-east-1a", 6));
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 6")), LaunchesIn("us-east-1b", 6));
  EXPECT_THAT(compute.RunInstances(Launch("region: 'eu-west-1'"), kOtherTenant), LaunchesIn("eu-west-1a", 1));
  // 4 and 2 are left: there is room for 5 in the region, but in no zone.
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 5"), kOtherTenant),
              Refuses(Reason::kInsufficientInstanceCapacity, "min_count", HasSubstr("at most 4")));
}

TEST(RunInstances, AZoneThatIsNamedIsNotLeftForAnother) {
  TestCompute compute;
  ASSERT_THAT(compute.RunInstances(Launch("min_count: 10 " + InZone("us-east-1a"))), IsOk());
  EXPECT_THAT(compute.RunInstances(Launch(InZone("us-east-1a"))),
              Refuses(Reason::kInsufficientInstanceCapacity, "min_count"));
}

TEST(RunInstances, AnInstanceTakesTheVcpusOfItsType) {
  TestCompute compute;
  EXPECT_THAT(
      compute.RunInstances(Launch("instance_type: 'm5.xlarge' max_count: 9 min_count: 1 " + InZone("us-east-1a"))),
      LaunchesIn("us-east-1a", 5));
}

TEST(RunInstances, TheSubnetThatIsNamedIsUsedAndElseTheRoomiest) {
  TestCompute compute;
  const auto named = compute.RunInstances(Launch("subnet_id: 'subnet-c'"));
  ASSERT_THAT(named, IsOk());
  EXPECT_EQ(named->instances(0).subnet_id(), "subnet-c");
  EXPECT_EQ(named->instances(0).private_ip_address(), "10.2.0.4");
  EXPECT_EQ(named->instances(0).availability_zone(), "us-east-1b");
  const auto roomiest = compute.RunInstances(Launch(InZone("us-east-1b")));
  ASSERT_THAT(roomiest, IsOk());
  EXPECT_EQ(roomiest->instances(0).subnet_id(), "subnet-b");
}

TEST(RunInstances, AWrongParameterIsRefusedByName) {
  TestCompute compute;
  const std::string rows = compute.Rows();
  EXPECT_THAT(compute.RunInstances({}), Refuses(Reason::kInvalidParameter, "image_id", HasSubstr("required")));
  EXPECT_THAT(compute.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-2'")),
              Refuses(Reason::kImageNotFound, "image_id", HasSubstr("ami-2")));
  EXPECT_THAT(compute.RunInstances(Launch("instance_type: 'm4.large'")),
              Refuses(Reason::kInvalidParameter, "instance_type", HasSubstr("one of m5.large, m5.xlarge")));
  EXPECT_THAT(compute.RunInstances(Launch("min_count: 2 max_count: 1")),
              Refuses(Reason::kInvalidParameter, "min_count"));
  EXPECT_THAT(compute.RunInstances(Launch("max_count: 100001")), Refuses(Reason::kInvalidParameter, "max_count"));
  EXPECT_THAT(compute.RunInstances(Launch("tags { key: '' value: 'v' }")), Refuses(Reason::kInvalidParameter, "tags"));
  EXPECT_THAT(compute.RunInstances(Launch("key_name: '\\t'")), Refuses(Reason::kInvalidParameter, "key_name"));
  EXPECT_THAT(compute.RunInstances(Launch("placement { tenancy: 'dedicated' }")),
              Refuses(Reason::kInvalidParameter, "placement.tenancy", HasSubstr("default or host")));
  EXPECT_EQ(compute.Rows(), rows);
}

TEST(RunInstances, TheKeyIsOneOfTheTenantsInTheRegionOrOfTheImages) {
  TestCompute compute;
  ASSERT_THAT(compute.CreateKeypair(FromText<v1::CreateKeypairRequest>("key_name: 'mine'")), IsOk());
  EXPECT_THAT(compute.RunInstances(Launch("key_name: 'mine'")), IsOk());
  EXPECT_THAT(compute.RunInstances(Launch("key_name: 'image-key' region: 'eu-west-1'")), IsOk());
  EXPECT_THAT(compute.RunInstances(Launch("key_name: 'mine' region: 'eu-west-1'")),
              Refuses(Reason::kKeypairNotFound, "key_name", AllOf(HasSubstr("mine"), HasSubstr("eu-west-1"))));
  EXPECT_THAT(compute.RunInstances(Launch("key_name: 'mine'"), kOtherTenant),
              Refuses(Reason::kKeypairNotFound, "key_name"));
  EXPECT_THAT(compute.RunInstances(Launch("key_name: 'none'")), Refuses(Reason::kKeypairNotFound, "key_name"));
}

TEST(RunInstances, WhatTheCatalogHasLostIsRefused) {
  TestCompute compute;
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);
  poorer.mutable_regions(0)->mutable_zones()->DeleteSubrange(1, 1);
  compute.Restart(poorer);
  EXPECT_THAT(compute.RunInstances(Launch("region: 'eu-west-1'")), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_THAT(compute.RunInstances(Launch(InZone("us-east-1b"))),
              Refuses(Reason::kUnknownAvailabilityZone, "placement.availability_zone"));
  EXPECT_THAT(compute.RunInstances(Launch("subnet_id: 'subnet-b'")), Refuses(Reason::kSubnetNotFound, "subnet_id"));
}

// A catalog in which nothing but the size of the reply is a limit.
v1::Catalog HugeCatalog() {
  v1::Catalog catalog = SmallCatalog();
  v1::CatalogZone& zone = *catalog.mutable_regions(0)->mutable_zones(0);
  zone.set_vcpus(1'000'000);
  zone.mutable_subnets(0)->set_cidr_block("100.0.0.0/8");
  catalog.mutable_quota()->set_instances(1'000'000);
  return catalog;
}

// The reply must fit into a gRPC message of the usual limit: its client could never receive a longer one.
TEST(RunInstances, ALaunchWhoseReplyWouldNotFitIsRefusedWithTheGreatestCountThatDoes) {
  constexpr size_t kMessageLimit = size_t{4} << 20;
  TestCompute compute(HugeCatalog());
  v1::RunInstancesRequest request = Launch("min_count: 1 max_count: 100000");
  for (int i = 0; i < 50; ++i) (*request.mutable_tags())[absl::StrCat("key-", i)] = std::string(256, 'v');
  const auto refused = compute.RunInstances(request);
  ASSERT_THAT(refused, Refuses(Reason::kInvalidParameter, "max_count", HasSubstr("4 MiB")));
  EXPECT_THAT(compute.hypervisor().booting(), IsEmpty());

  int greatest = 0;
  ASSERT_EQ(sscanf(std::string(refused.status().message()).c_str(), "max_count: must be at most %d", &greatest), 1);
  request.set_max_count(greatest + 1);
  EXPECT_THAT(compute.RunInstances(request), Refuses(Reason::kInvalidParameter, "max_count"));
  request.set_max_count(greatest);
  const auto fits = compute.RunInstances(request);
  ASSERT_THAT(fits, IsOk());
  EXPECT_EQ(fits->instances_size(), greatest);
  EXPECT_LE(fits->ByteSizeLong(), kMessageLimit);
  EXPECT_GE(fits->ByteSizeLong(), kMessageLimit * 9 / 10);
}

TEST(RunInstances, ThePlainestOfAllLargeRepliesFits) {
  TestCompute compute(HugeCatalog());
  const auto refused = compute.RunInstances(Launch("min_count: 1 max_count: 100000"));
  int greatest = 0;
  ASSERT_EQ(sscanf(std::string(refused.status().message()).c_str(), "max_count: must be at most %d", &greatest), 1);
  EXPECT_GE(greatest, 10'000);
  const auto fits = compute.RunInstances(Launch(absl::StrCat("max_count: ", greatest)));
  ASSERT_THAT(fits, IsOk());
  EXPECT_LE(fits->ByteSizeLong(), size_t{4} << 20);
}

}  // namespace
}  // namespace hapax::compute
