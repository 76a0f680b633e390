#include "hapax/server/compute/placement/places.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/interceptors/reason.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/storage/rows.h"
#include "hapax/store/v1/compute.pb.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/later_field.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"

namespace hapax::compute {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr char kZoneField[] = "placement.availability_zone";

auto HoldsPlace(const std::string& region, const std::string& zone) {
  return IsOkAndHolds(AllOf(Field("region", &Place::region, region), Field("zone", &Place::zone, zone)));
}

// What a RunInstances request says of its place.
struct Hints {
  std::string region;
  std::string zone;
  std::string subnet;
};

class PlacesTest : public testing::Test {
 protected:
  PlacesTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    store_ = *OpenRocksDbStore({.path = dir_.Path("data")});
  }

  absl::StatusOr<std::unique_ptr<const Places>> Load(const v1::Catalog& catalog) {
    return Places::Load(*store_, *Catalog::Parse(catalog.DebugString()));
  }

  // Loads the catalog on a reopened store, and resolves the hints.
  absl::StatusOr<Place> Resolve(const v1::Catalog& catalog, const Hints& hints) {
    Reopen();
    const auto places = Load(catalog);
    if (!places.ok()) return places.status();
    return (*places)->Resolve(
        {.region = {.field = "region", .value = hints.region},
         .zones = {{.field = kZoneField, .value = hints.zone}, {.field = "subnet_id", .value = hints.subnet}}});
  }
  absl::StatusOr<Place> Resolve(const Hints& hints) { return Resolve(SmallCatalog(), hints); }

  const TempDir dir_;
  std::unique_ptr<Store> store_;
};

TEST_F(PlacesTest, C5AZoneOrASubnetMakesThePlaceZonal) {
  EXPECT_THAT(Resolve({.zone = "eu-west-1a"}), HoldsPlace("eu-west-1", "eu-west-1a"));
  EXPECT_THAT(Resolve({.subnet = "subnet-c"}), HoldsPlace("us-east-1", "us-east-1b"));
  EXPECT_THAT(Resolve({.zone = "us-east-1b", .subnet = "subnet-c"}), HoldsPlace("us-east-1", "us-east-1b"));
  EXPECT_THAT(Resolve({.region = "us-east-1", .zone = "us-east-1b"}), HoldsPlace("us-east-1", "us-east-1b"));
}

TEST_F(PlacesTest, C5WithoutThemThePlaceIsRegional) {
  EXPECT_THAT(Resolve({.region = "eu-west-1"}), HoldsPlace("eu-west-1", ""));
}

TEST_F(PlacesTest, ARegionThatNothingImpliesIsLeftToTheServersDefault) { EXPECT_THAT(Resolve({}), HoldsPlace("", "")); }

TEST_F(PlacesTest, WhatTheCatalogDoesNotHaveIsRefused) {
  EXPECT_THAT(Resolve({.region = "us-west-1"}),
              Refuses(Reason::kUnknownRegion, "region", HasSubstr("must be one of eu-west-1, us-east-1")));
  EXPECT_THAT(Resolve({.zone = "us-east-1c"}), Refuses(Reason::kUnknownAvailabilityZone, kZoneField,
                                                       HasSubstr("must be one of eu-west-1a, us-east-1a, us-east-1b")));
  EXPECT_THAT(Resolve({.subnet = "subnet-x"}),
              Refuses(Reason::kSubnetNotFound, "subnet_id", HasSubstr("DescribeSubnets")));
}

TEST_F(PlacesTest, AnUnknownRegionIsRefusedThoughAZoneImpliesAKnownOne) {
  EXPECT_THAT(Resolve({.region = "us-west-1", .zone = "us-east-1a"}), Refuses(Reason::kUnknownRegion, "region"));
}

TEST_F(PlacesTest, TheNameOfAnotherKindOfPlaceIsRefused) {
  EXPECT_THAT(Resolve({.zone = "subnet-a"}), Refuses(Reason::kUnknownAvailabilityZone, kZoneField));
  EXPECT_THAT(Resolve({.subnet = "us-east-1a"}), Refuses(Reason::kSubnetNotFound, "subnet_id"));
  EXPECT_THAT(Resolve({.zone = "us-east-1"}), Refuses(Reason::kUnknownAvailabilityZone, kZoneField));
  EXPECT_THAT(Resolve({.region = "us-east-1a"}), Refuses(Reason::kUnknownRegion, "region"));
}

TEST_F(PlacesTest, C5AZoneAndASubnetThatDisagreeAreRefused) {
  EXPECT_THAT(Resolve({.zone = "us-east-1a", .subnet = "subnet-b"}),
              Refuses(Reason::kZoneSubnetConflict, "subnet_id",
                      AllOf(HasSubstr("lies in us-east-1b"), HasSubstr("us-east-1a"))));
  EXPECT_THAT(Resolve({.zone = "us-east-1a", .subnet = "subnet-e"}), Refuses(Reason::kZoneSubnetConflict, "subnet_id"));
}

TEST_F(PlacesTest, ARegionThatContradictsTheZoneOrTheSubnetIsRefused) {
  EXPECT_THAT(Resolve({.region = "eu-west-1", .zone = "us-east-1a"}),
              Refuses(Reason::kInvalidParameter, "region", AllOf(HasSubstr("us-east-1"), HasSubstr(kZoneField))));
  EXPECT_THAT(Resolve({.region = "eu-west-1", .subnet = "subnet-a"}),
              Refuses(Reason::kInvalidParameter, "region", AllOf(HasSubstr("us-east-1"), HasSubstr("subnet_id"))));
}

TEST_F(PlacesTest, CheckRegionTakesNoneOrAKnownOne) {
  const auto places = Load(SmallCatalog());
  ASSERT_THAT(places, IsOk());
  EXPECT_THAT((*places)->CheckRegion({.field = "region", .value = ""}), IsOk());
  EXPECT_THAT((*places)->CheckRegion({.field = "region", .value = "eu-west-1"}), IsOk());
  EXPECT_THAT((*places)->CheckRegion({.field = "region", .value = "eu"}), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_THAT((*places)->regions(), ElementsAre("eu-west-1", "us-east-1"));
}

// Or a retry would not find its token any more.
TEST_F(PlacesTest, C16APlaceIsRememberedAfterTheCatalogLostIt) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);                    // eu-west-1
  poorer.mutable_regions(0)->mutable_zones()->DeleteSubrange(1, 1);  // us-east-1b
  EXPECT_THAT(Resolve(poorer, {.subnet = "subnet-c"}), HoldsPlace("us-east-1", "us-east-1b"));
  EXPECT_THAT(Resolve(poorer, {.zone = "us-east-1b"}), HoldsPlace("us-east-1", "us-east-1b"));
  EXPECT_THAT(Resolve(poorer, {.zone = "eu-west-1a"}), HoldsPlace("eu-west-1", "eu-west-1a"));
  EXPECT_THAT(Resolve(poorer, {.region = "eu-west-1"}), HoldsPlace("eu-west-1", ""));
  EXPECT_THAT(Resolve(poorer, {.zone = "us-east-1a", .subnet = "subnet-c"}),
              Refuses(Reason::kZoneSubnetConflict, "subnet_id"));
}

TEST_F(PlacesTest, APlaceThatComesBackWhereItWasIsWelcome) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);
  ASSERT_THAT(Resolve(poorer, {}), IsOk());
  EXPECT_THAT(Resolve(SmallCatalog(), {.subnet = "subnet-e"}), HoldsPlace("eu-west-1", "eu-west-1a"));
}

TEST_F(PlacesTest, C30_AStartKeepsWhatALaterReleaseAddedToAPlace) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  store::v1::PlaceRow row;
  const auto read = [&row](const ReadTransaction& txn) -> absl::Status {
    HAPAX_ASSIGN_OR_RETURN(const auto found, GetRow<store::v1::PlaceRow>(txn, kTable, PlaceKey("subnet-a")));
    row = found.value_or(store::v1::PlaceRow());
    return absl::OkStatus();
  };
  ASSERT_THAT(ExecuteAs(kServiceName, *store_,
                        [&](Transaction& txn) -> absl::Status {
                          HAPAX_RETURN_IF_ERROR(read(txn));
                          AddLaterField(row);
                          PutRow(txn, kTable, PlaceKey("subnet-a"), row);
                          return absl::OkStatus();
                        }),
              IsOk());
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  ASSERT_THAT(QueryAs(kServiceName, *store_, read), IsOk());
  EXPECT_EQ(row.availability_zone(), "us-east-1a");
  EXPECT_TRUE(HasLaterField(row));
}

// Each changes where something lies that tokens may be scoped by.
TEST_F(PlacesTest, C16ACatalogThatMovesAZoneOrASubnetIsRefused) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());

  v1::Catalog moved_subnet = SmallCatalog();
  auto& zones = *moved_subnet.mutable_regions(0)->mutable_zones();
  *zones[0].add_subnets() = zones[1].subnets(1);
  zones[1].mutable_subnets()->RemoveLast();
  EXPECT_THAT(Resolve(moved_subnet, {}),
              StatusIs(StatusCode::kFailedPrecondition, AllOf(HasSubstr("moves subnet-c from us-east-1/us-east-1b"),
                                                              HasSubstr("to us-east-1/us-east-1a"))));

  v1::Catalog moved_zone = SmallCatalog();
  moved_zone.mutable_regions(1)->set_name("eu-west-2");
  EXPECT_THAT(Resolve(moved_zone, {}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("eu-west-2/eu-west-1a")));
}

TEST_F(PlacesTest, C16APlaceThatTheCatalogLostDoesNotComeBackElsewhere) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);
  ASSERT_THAT(Resolve(poorer, {}), IsOk());
  poorer.mutable_regions(0)->mutable_zones(0)->mutable_subnets(0)->set_id("subnet-e");
  EXPECT_THAT(Resolve(poorer, {}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("moves subnet-e")));
}

TEST_F(PlacesTest, ARefusedCatalogLeavesNothingBehind) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  v1::Catalog refused = SmallCatalog();
  refused.mutable_regions(0)->set_name("ap-south-1");
  refused.mutable_regions(0)->mutable_zones(0)->set_name("ap-south-1a");
  ASSERT_THAT(Resolve(refused, {}), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(Resolve({.subnet = "subnet-a"}), HoldsPlace("us-east-1", "us-east-1a"));
  EXPECT_THAT(Resolve({.region = "ap-south-1"}), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_THAT(Resolve({.zone = "ap-south-1a"}), Refuses(Reason::kUnknownAvailabilityZone, kZoneField));
}

// What is taken of a subnet is counted from the start of its range, so the range must stay.
TEST_F(PlacesTest, ACatalogThatChangesASubnetsRangeIsRefused) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  for (const char* cidr : {"10.1.0.0/28", "10.1.0.0/23", "10.9.0.0/24"}) {
    v1::Catalog changed = SmallCatalog();
    changed.mutable_regions(0)->mutable_zones(1)->mutable_subnets(0)->set_cidr_block(cidr);
    EXPECT_THAT(Resolve(changed, {}), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("subnet-b"))) << cidr;
  }
}

TEST_F(PlacesTest, ADamagedRowIsDataLossAndNoPlaceIsForgotten) {
  ASSERT_THAT(Load(SmallCatalog()), IsOk());
  ASSERT_THAT(ExecuteAs(kServiceName, *store_,
                        [](Transaction& txn) {
                          txn.Put(kTable, PlaceKey("subnet-a"), "damaged");
                          return absl::OkStatus();
                        }),
              IsOk());
  EXPECT_THAT(Resolve({}), StatusIs(StatusCode::kDataLoss, HasSubstr("subnet-a")));
}

}  // namespace
}  // namespace hapax::compute
