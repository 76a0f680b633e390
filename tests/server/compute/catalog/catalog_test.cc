#include "hapax/server/compute/catalog/catalog.h"

#include <arpa/inet.h>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::ElementsAre;

// INVALID_ARGUMENT, whose message begins with `field` and says what is `allowed`.
MATCHER_P2(IsWrong, field, allowed, "is INVALID_ARGUMENT of " + std::string(field)) {
  *result_listener << "which is " << arg.status();
  return absl::IsInvalidArgument(arg.status()) && absl::StartsWith(arg.status().message(), field) &&
         absl::StrContains(arg.status().message(), allowed);
}

// Two zones of two subnets each.
v1::Catalog ValidCatalog() {
  return FromText<v1::Catalog>(R"(
    regions {
      name: "r-1"
      zones { name: "r-1a" vcpus: 8 subnets { id: "subnet-a" cidr_block: "10.0.0.0/24" }
                                    subnets { id: "subnet-b" cidr_block: "10.0.1.0/28" } }
      zones { name: "r-1b" vcpus: 4 subnets { id: "subnet-c" cidr_block: "10.1.0.0/16" }
                                    subnets { id: "subnet-d" cidr_block: "11.0.0.0/8" } }
    }
    image_ids: "ami-1"
    instance_types { name: "m5.large" vcpus: 2 instances_per_host: 3 }
    instance_types { name: "m5.xlarge" vcpus: 4 instances_per_host: 1 }
    default_instance_type: "m5.large"
    quota { instances: 10 hosts: 2 }
    image_key_names: "image-key"
  )");
}

v1::CatalogZone* FirstZone(v1::Catalog& catalog) { return catalog.mutable_regions(0)->mutable_zones(0); }
v1::CatalogSubnet* FirstSubnet(v1::Catalog& catalog) { return FirstZone(catalog)->mutable_subnets(0); }

TEST(Catalog, FindsWhatTheTextHasAndNothingElse) {
  const auto catalog = Catalog::Parse(ValidCatalog().DebugString());
  ASSERT_THAT(catalog, IsOk());
  EXPECT_THAT(catalog->regions(), ElementsAre("r-1"));
  EXPECT_TRUE(catalog->HasRegion("r-1"));
  EXPECT_FALSE(catalog->HasRegion("r-1a"));
  ASSERT_NE(catalog->FindZone("r-1b"), nullptr);
  EXPECT_EQ(catalog->FindZone("r-1b")->region, "r-1");
  EXPECT_EQ(catalog->FindZone("r-1b")->vcpus, 4);
  EXPECT_EQ(catalog->FindZone("r-1"), nullptr);
  EXPECT_EQ(catalog->FindZone("subnet-a"), nullptr);
  ASSERT_NE(catalog->FindSubnet("subnet-b"), nullptr);
  EXPECT_EQ(catalog->FindSubnet("subnet-b")->zone, "r-1a");
  EXPECT_EQ(catalog->FindSubnet("subnet-b")->cidr_block, "10.0.1.0/28");
  EXPECT_EQ(catalog->FindSubnet("r-1a"), nullptr);
  EXPECT_THAT(catalog->FindZone("r-1a")->subnets,
              ElementsAre(catalog->FindSubnet("subnet-a"), catalog->FindSubnet("subnet-b")));
  ASSERT_NE(catalog->FindInstanceType("m5.xlarge"), nullptr);
  EXPECT_EQ(catalog->FindInstanceType("m5.xlarge")->vcpus(), 4);
  EXPECT_EQ(catalog->FindInstanceType("m5"), nullptr);
  EXPECT_EQ(catalog->InstanceTypeNames(), "one of m5.large, m5.xlarge");
  EXPECT_TRUE(catalog->IsImageKeyName("image-key"));
  EXPECT_FALSE(catalog->IsImageKeyName("other-key"));
  EXPECT_EQ(catalog->quota().hosts(), 2);
}

// As in EC2: the first four addresses and the last one of a range are not an instance's.
TEST(Catalog, ASubnetsAddressesAreItsRangeLessTheReservedOnes) {
  const auto catalog = Catalog::Parse(ValidCatalog().DebugString());
  ASSERT_THAT(catalog, IsOk());
  const std::vector<std::pair<std::string, std::pair<std::string, int64_t>>> expected = {
      {"subnet-a", {"10.0.0.4", 256 - 5}},
      {"subnet-b", {"10.0.1.4", 16 - 5}},
      {"subnet-c", {"10.1.0.4", 65'536 - 5}},
      {"subnet-d", {"11.0.0.4", 16'777'216 - 5}}};
  for (const auto& [id, addresses] : expected) {
    const Catalog::Subnet& subnet = *catalog->FindSubnet(id);
    in_addr first{};
    ASSERT_EQ(inet_pton(AF_INET, addresses.first.c_str(), &first), 1);
    EXPECT_EQ(subnet.first_address, ntohl(first.s_addr)) << id;
    EXPECT_EQ(subnet.address_count, addresses.second) << id;
  }
}

TEST(Catalog, TextThatIsNoCatalogIsRefusedWithItsPosition) {
  EXPECT_THAT(Catalog::Parse("regions {\n  nome: 'r-1'\n}"), IsWrong("line 2, column", "nome"));
  EXPECT_THAT(Catalog::Parse("quota { instances: many }"), IsWrong("line 1, column 20:", "integer"));
}

// One change that makes a valid catalog wrong, and what the error must say.
struct WrongCatalog {
  const char* name;
  std::function<void(v1::Catalog&)> change;
  const char* field;
  const char* allowed;
};

void PrintTo(const WrongCatalog& wrong, std::ostream* out) { *out << wrong.name; }

class WrongCatalogTest : public testing::TestWithParam<WrongCatalog> {};

TEST_P(WrongCatalogTest, TheErrorNamesTheFieldAndWhatIsAllowed) {
  v1::Catalog catalog = ValidCatalog();
  GetParam().change(catalog);
  EXPECT_THAT(Catalog::Parse(catalog.DebugString()), IsWrong(GetParam().field, GetParam().allowed));
}

std::string NameOf(const testing::TestParamInfo<WrongCatalog>& wrong) { return wrong.param.name; }

constexpr char kNameRule[] = "1 to 64 of a-z, 0-9 and hyphens";
constexpr char kSubnetIdRule[] = "\"subnet-\" and 1 to 40 of a-z and 0-9";
constexpr char kCidrRule[] = "an IPv4 range with a prefix of 8 to 28 bits";

const WrongCatalog kWrongPlaces[] = {
    {"NoRegion", [](auto& c) { c.clear_regions(); }, "regions:", "at least one"},
    {"RegionWithoutName", [](auto& c) { c.mutable_regions(0)->clear_name(); }, "regions.name", kNameRule},
    {"RegionInCapitals", [](auto& c) { c.mutable_regions(0)->set_name("R-1"); }, "regions.name \"R-1\"", kNameRule},
    {"RegionWithALongName", [](auto& c) { c.mutable_regions(0)->set_name(std::string(65, 'r')); }, "regions.name",
     kNameRule},
    {"RegionTwice", [](auto& c) { *c.add_regions() = c.regions(0); }, "regions.name \"r-1\"", "twice"},
    {"RegionWithoutZone", [](auto& c) { c.mutable_regions(0)->clear_zones(); }, "regions.zones:", "at least one"},
    {"ZoneWithoutName", [](auto& c) { FirstZone(c)->clear_name(); }, "regions.zones.name", kNameRule},
    {"ZoneWithASpace", [](auto& c) { FirstZone(c)->set_name("r 1a"); }, "regions.zones.name \"r 1a\"", kNameRule},
    // Where it lies is looked up by its name, as a subnet's is by its id.
    {"ZoneNamedLikeASubnet", [](auto& c) { FirstZone(c)->set_name("subnet-z"); }, "regions.zones.name \"subnet-z\"",
     "subnet-"},
    {"ZoneTwice", [](auto& c) { FirstZone(c)->set_name("r-1b"); }, "regions.zones.name \"r-1b\"", "twice"},
    {"ZoneWithoutVcpus", [](auto& c) { FirstZone(c)->clear_vcpus(); }, "regions.zones.vcpus:", "at least 1"},
    {"ZoneWithNegativeVcpus", [](auto& c) { FirstZone(c)->set_vcpus(-1); }, "regions.zones.vcpus:", "at least 1"},
    {"ZoneWithoutSubnet", [](auto& c) { FirstZone(c)->clear_subnets(); }, "regions.zones.subnets:", "at least one"},
    {"SubnetWithoutId", [](auto& c) { FirstSubnet(c)->clear_id(); }, "regions.zones.subnets.id", kSubnetIdRule},
    {"SubnetWithoutPrefix", [](auto& c) { FirstSubnet(c)->set_id("a"); }, "regions.zones.subnets.id \"a\"",
     kSubnetIdRule},
    {"SubnetThatIsOnlyThePrefix", [](auto& c) { FirstSubnet(c)->set_id("subnet-"); }, "regions.zones.subnets.id",
     kSubnetIdRule},
    {"SubnetWithAHyphen", [](auto& c) { FirstSubnet(c)->set_id("subnet-a-b"); }, "regions.zones.subnets.id",
     kSubnetIdRule},
    {"SubnetInCapitals", [](auto& c) { FirstSubnet(c)->set_id("subnet-A"); }, "regions.zones.subnets.id",
     kSubnetIdRule},
    {"SubnetWithALongId", [](auto& c) { FirstSubnet(c)->set_id("subnet-" + std::string(41, 'a')); },
     "regions.zones.subnets.id", kSubnetIdRule},
    {"SubnetTwice", [](auto& c) { FirstSubnet(c)->set_id("subnet-d"); }, "regions.zones.subnets.id \"subnet-d\"",
     "twice"},
};
INSTANTIATE_TEST_SUITE_P(Places, WrongCatalogTest, testing::ValuesIn(kWrongPlaces), NameOf);

WrongCatalog WrongRange(const char* name, std::string cidr, const char* allowed = kCidrRule) {
  return {name, [cidr = std::move(cidr)](v1::Catalog& catalog) { FirstSubnet(catalog)->set_cidr_block(cidr); },
          "regions.zones.subnets.cidr_block", allowed};
}

const WrongCatalog kWrongRanges[] = {
    WrongRange("Empty", ""),
    WrongRange("NoPrefix", "10.0.0.0"),
    WrongRange("PrefixThatIsNoNumber", "10.0.0.0/x"),
    WrongRange("PrefixThatIsTooShort", "10.0.0.0/7"),
    WrongRange("PrefixThatIsTooLong", "10.0.0.0/29"),
    WrongRange("NegativePrefix", "10.0.0.0/-8"),
    WrongRange("TwoPrefixes", "10.0.0.0/24/24"),
    WrongRange("ThreeParts", "10.0.0/24"),
    WrongRange("NumberAbove255", "10.0.256.0/24"),
    WrongRange("IPv6", "fd00::/24"),
    WrongRange("NotAtItsNetwork", "10.0.0.16/24", "must begin at its network's address"),
    WrongRange("SameAsAnother", "10.0.1.0/28", "overlaps"),
    WrongRange("WithinAnother", "10.1.7.0/24", "overlaps"),
    WrongRange("AroundAnother", "10.0.0.0/23", "overlaps"),
    WrongRange("AtTheEndOfAnother", "11.255.255.240/28", "overlaps"),
};
INSTANTIATE_TEST_SUITE_P(Ranges, WrongCatalogTest, testing::ValuesIn(kWrongRanges), NameOf);

const WrongCatalog kWrongOffers[] = {
    {"NoImage", [](auto& c) { c.clear_image_ids(); }, "image_ids:", "at least one"},
    {"NoType", [](auto& c) { c.clear_instance_types(); }, "instance_types:", "at least one"},
    {"TypeWithoutName", [](auto& c) { c.mutable_instance_types(0)->clear_name(); }, "instance_types.name:", "required"},
    {"TypeWithoutVcpus", [](auto& c) { c.mutable_instance_types(0)->clear_vcpus(); },
     "instance_types.vcpus:", "must be"},
    // A thousand hosts of a thousand instances each must still be countable.
    {"TypeWithTooManyVcpus", [](auto& c) { c.mutable_instance_types(0)->set_vcpus(int64_t{1} << 62); },
     "instance_types.vcpus:", "must be"},
    {"TypeThatNoHostRuns", [](auto& c) { c.mutable_instance_types(0)->set_instances_per_host(0); },
     "instance_types.instances_per_host:", "1 to 1000"},
    {"TypeTooManyToAHost", [](auto& c) { c.mutable_instance_types(0)->set_instances_per_host(1001); },
     "instance_types.instances_per_host:", "1 to 1000"},
    {"TypeTwice", [](auto& c) { *c.add_instance_types() = c.instance_types(0); }, "instance_types.name \"m5.large\"",
     "twice"},
    {"NoDefaultType", [](auto& c) { c.clear_default_instance_type(); }, "default_instance_type",
     "one of instance_types"},
    {"DefaultTypeThatIsNone", [](auto& c) { c.set_default_instance_type("m4.large"); },
     "default_instance_type \"m4.large\"", "one of instance_types"},
    {"NoQuota", [](auto& c) { c.clear_quota(); }, "quota.instances:", "at least 1"},
    {"NoQuotaOfInstances", [](auto& c) { c.mutable_quota()->set_instances(0); }, "quota.instances:", "at least 1"},
    {"NoQuotaOfHosts", [](auto& c) { c.mutable_quota()->set_hosts(-1); }, "quota.hosts:", "at least 1"},
};
INSTANTIATE_TEST_SUITE_P(Offers, WrongCatalogTest, testing::ValuesIn(kWrongOffers), NameOf);

TEST(Catalog, NeighbouringRangesDoNotOverlap) {
  for (const char* cidr : {"10.0.2.0/23", "10.0.1.16/28", "10.2.0.0/15", "12.0.0.0/8", "9.0.0.0/8"}) {
    v1::Catalog catalog = ValidCatalog();
    FirstSubnet(catalog)->set_cidr_block(cidr);
    EXPECT_THAT(Catalog::Parse(catalog.DebugString()), IsOk()) << cidr;
  }
}

TEST(Catalog, NamesAndIdsMayBeAsLongAsTheirRuleSays) {
  v1::Catalog catalog = ValidCatalog();
  catalog.mutable_regions(0)->set_name(std::string(64, 'r'));
  FirstZone(catalog)->set_name(std::string(64, 'z'));
  FirstSubnet(catalog)->set_id("subnet-" + std::string(40, 'a'));
  EXPECT_THAT(Catalog::Parse(catalog.DebugString()), IsOk());
}

}  // namespace
}  // namespace hapax::compute
