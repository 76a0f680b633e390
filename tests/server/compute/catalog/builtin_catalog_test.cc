#include "hapax/server/compute/catalog/builtin_catalog.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/status_matchers.h"

// What section 7 of the contract says of the catalog that a server has without a file.
namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr int64_t kPromisedInstancesPerZone = 20'000;

class BuiltInCatalogTest : public testing::Test {
 protected:
  const Catalog catalog_ = Catalog::BuiltIn();
};

TEST_F(BuiltInCatalogTest, IsAValidCatalogFile) { EXPECT_THAT(Catalog::Parse(kBuiltInCatalog), IsOk()); }

TEST_F(BuiltInCatalogTest, HasTheRegionsAndZonesOfTheContract) {
  EXPECT_THAT(catalog_.regions(), ElementsAre("eu-west-1", "us-east-1"));
  std::map<std::string, std::set<std::string>> zones;
  for (const auto& [name, zone] : catalog_.zones()) {
    EXPECT_EQ(name, zone.name);
    zones[zone.region].insert(name);
  }
  EXPECT_THAT(zones,
              UnorderedElementsAre(Pair("us-east-1", UnorderedElementsAre("us-east-1a", "us-east-1b", "us-east-1d")),
                                   Pair("eu-west-1", UnorderedElementsAre("eu-west-1a", "eu-west-1b", "eu-west-1c"))));
}

TEST_F(BuiltInCatalogTest, HasOneSubnetAZone) {
  EXPECT_THAT(catalog_.subnets(), SizeIs(catalog_.zones().size()));
  for (const auto& [name, zone] : catalog_.zones()) {
    ASSERT_THAT(zone.subnets, SizeIs(1)) << name;
    EXPECT_EQ(zone.subnets[0]->zone, name);
    EXPECT_EQ(zone.subnets[0]->region, zone.region);
    EXPECT_EQ(catalog_.FindSubnet(zone.subnets[0]->id), zone.subnets[0]);
  }
}

TEST_F(BuiltInCatalogTest, HasTheImagesOfTheExamples) {
  EXPECT_TRUE(catalog_.HasImage("ami-b232d0db"));
  EXPECT_TRUE(catalog_.HasImage("ami-3ac33653"));
  EXPECT_FALSE(catalog_.HasImage("ami-other"));
}

TEST_F(BuiltInCatalogTest, HasTheKeyOfTheExamples) { EXPECT_TRUE(catalog_.IsImageKeyName("my-key-pair")); }

// The sizes of the family, as EC2 has them.
TEST_F(BuiltInCatalogTest, HasTheM5FamilyWithLargeAsTheDefault) {
  const std::map<std::string, int64_t> family = {{"m5.large", 2},     {"m5.xlarge", 4},   {"m5.2xlarge", 8},
                                                 {"m5.4xlarge", 16},  {"m5.8xlarge", 32}, {"m5.12xlarge", 48},
                                                 {"m5.16xlarge", 64}, {"m5.24xlarge", 96}};
  for (const auto& [name, vcpus] : family) {
    const v1::CatalogInstanceType* type = catalog_.FindInstanceType(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_EQ(type->vcpus(), vcpus) << name;
    EXPECT_THAT(type->instances_per_host(), Ge(1)) << name;
    // A host is a machine of 96 virtual CPUs.
    EXPECT_LE(type->instances_per_host() * type->vcpus(), 96) << name;
  }
  EXPECT_EQ(catalog_.default_instance_type(), "m5.large");
}

TEST_F(BuiltInCatalogTest, EveryZoneHasRoomAndAddressesFor20000Large) {
  const int64_t vcpus = catalog_.FindInstanceType("m5.large")->vcpus();
  for (const auto& [name, zone] : catalog_.zones()) {
    EXPECT_THAT(zone.vcpus / vcpus, Ge(kPromisedInstancesPerZone)) << name;
    EXPECT_THAT(zone.subnets[0]->address_count, Ge(zone.vcpus / vcpus)) << name;
  }
}

TEST_F(BuiltInCatalogTest, ATenantMayHave20000Instances) { EXPECT_EQ(catalog_.quota().instances(), 20'000); }

TEST_F(BuiltInCatalogTest, AQuotaOfHostsFitsIntoEveryZone) {
  for (const auto& [name, zone] : catalog_.zones()) EXPECT_GE(zone.vcpus, catalog_.quota().hosts() * 96) << name;
}

}  // namespace
}  // namespace hapax::compute
