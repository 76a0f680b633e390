#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::IsEmpty;

constexpr char kAllZones[] = R"(
  availability_zones { zone_name: 'eu-west-1a' region_name: 'eu-west-1' total_vcpus: 100 available_vcpus: 100 }
  availability_zones { zone_name: 'us-east-1a' region_name: 'us-east-1' total_vcpus: 20 available_vcpus: 20 }
  availability_zones { zone_name: 'us-east-1b' region_name: 'us-east-1' total_vcpus: 16 available_vcpus: 16 }
)";

TEST(DescribeSubnets, ListsTheCatalogsByRegionAndId) {
  TestCompute compute;
  EXPECT_THAT(compute.DescribeSubnets(), IsOkAndHolds(EqualsProto(FromText<v1::DescribeSubnetsResponse>(R"(
    subnets { subnet_id: 'subnet-e' region: 'eu-west-1' availability_zone: 'eu-west-1a' cidr_block: '10.3.0.0/24' }
    subnets { subnet_id: 'subnet-a' region: 'us-east-1' availability_zone: 'us-east-1a' cidr_block: '10.0.0.0/28' }
    subnets { subnet_id: 'subnet-b' region: 'us-east-1' availability_zone: 'us-east-1b' cidr_block: '10.1.0.0/24' }
    subnets { subnet_id: 'subnet-c' region: 'us-east-1' availability_zone: 'us-east-1b' cidr_block: '10.2.0.0/27' }
  )"))));
}

TEST(DescribeSubnets, PagesOfEverySizeGiveTheListOfARegion) {
  TestCompute compute;
  for (int size = 1; size <= 4; ++size) {
    v1::DescribeSubnetsRequest request;
    request.set_region("us-east-1");
    request.set_page_size(size);
    std::vector<std::string> ids;
    do {
      const auto page = compute.DescribeSubnets(request);
      ASSERT_THAT(page, IsOk());
      for (const v1::Subnet& subnet : page->subnets()) ids.push_back(subnet.subnet_id());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    EXPECT_THAT(ids, testing::ElementsAre("subnet-a", "subnet-b", "subnet-c")) << "size " << size;
  }
}

TEST(DescribeSubnets, AWrongParameterIsRefusedByName) {
  TestCompute compute;
  v1::DescribeSubnetsRequest request;
  request.set_region("us-west-1");
  EXPECT_THAT(compute.DescribeSubnets(request), Refuses(Reason::kUnknownRegion, "region"));
  request.clear_region();
  request.set_page_size(1'001);
  EXPECT_THAT(compute.DescribeSubnets(request), Refuses(Reason::kInvalidParameter, "page_size"));
}

TEST(DescribeAvailabilityZones, ListsTheCatalogsWithTheirCapacity) {
  TestCompute compute;
  EXPECT_THAT(compute.DescribeAvailabilityZones(),
              IsOkAndHolds(EqualsProto(FromText<v1::DescribeAvailabilityZonesResponse>(kAllZones))));
}

TEST(DescribeAvailabilityZones, WhatAnyTenantHasIsNotAvailable) {
  TestCompute compute;
  ASSERT_THAT(compute.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 3"), kOtherTenant),
              IsOk());
  ASSERT_THAT(compute.AllocateHosts(FromText<v1::AllocateHostsRequest>(
                  "availability_zone: 'eu-west-1a' instance_type: 'm5.xlarge' quantity: 2")),
              IsOk());
  auto expected = FromText<v1::DescribeAvailabilityZonesResponse>(kAllZones);
  expected.mutable_availability_zones(0)->set_available_vcpus(100 - 2 * 4);
  expected.mutable_availability_zones(1)->set_available_vcpus(20 - 3 * 2);
  EXPECT_THAT(compute.DescribeAvailabilityZones(), IsOkAndHolds(EqualsProto(expected)));
}

TEST(DescribeAvailabilityZones, PagesGiveTheSameList) {
  TestCompute compute;
  v1::DescribeAvailabilityZonesRequest request;
  request.set_page_size(2);
  auto page = compute.DescribeAvailabilityZones(request);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->availability_zones_size(), 2);
  request.set_page_token(page->next_page_token());
  page = compute.DescribeAvailabilityZones(request);
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->availability_zones_size(), 1);
  EXPECT_EQ(page->availability_zones(0).zone_name(), "us-east-1b");
}

// A region that was there once is known; it offers nothing.
TEST(DescribeAvailabilityZones, ARegionThatTheCatalogHasLostIsEmpty) {
  TestCompute compute;
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);
  compute.Restart(poorer);
  v1::DescribeAvailabilityZonesRequest request;
  request.set_region("eu-west-1");
  const auto reply = compute.DescribeAvailabilityZones(request);
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->availability_zones(), IsEmpty());
  request.set_region("us-west-1");
  EXPECT_THAT(compute.DescribeAvailabilityZones(request), Refuses(Reason::kUnknownRegion, "region"));
}

}  // namespace
}  // namespace hapax::compute
