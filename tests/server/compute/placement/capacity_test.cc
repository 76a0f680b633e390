#include "hapax/server/compute/placement/capacity.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/base/status_macros.h"
#include "hapax/compute/v1/catalog.pb.h"
#include "hapax/server/compute/rows.h"
#include "hapax/storage/rocksdb/store.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/sync_store.h"
#include "hapax/tests/support/temp_dir.h"
#include "hapax/tests/support/test_seed.h"

namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

// `10.0.0.<last>`, for each.
std::vector<std::string> Addresses(int first, int last) {
  std::vector<std::string> addresses;
  for (int i = first; i <= last; ++i) addresses.push_back(absl::StrCat("10.0.0.", i));
  return addresses;
}

// On us-east-1a of SmallCatalog: 20 vcpus, and subnet-a with the addresses 10.0.0.4 to 10.0.0.14.
class CapacityTest : public testing::Test {
 protected:
  CapacityTest() : store_(*OpenRocksDbStore({.path = dir_.Path("data")})) { SetCatalog(SmallCatalog()); }

  void SetCatalog(const v1::Catalog& catalog) {
    catalog_ = std::make_unique<Catalog>(*Catalog::Parse(catalog.DebugString()));
  }
  const Catalog::Subnet& subnet(const std::string& id = "subnet-a") const { return *catalog_->FindSubnet(id); }

  // What `change` does to the use of the subnet's zone, saved in one transaction.
  void Change(const std::function<absl::Status(ZoneUse&, Transaction&)>& change, const std::string& id = "subnet-a") {
    ASSERT_THAT(Execute(*store_,
                        [&](Transaction& txn) -> absl::Status {
                          HAPAX_ASSIGN_OR_RETURN(ZoneUse use, ZoneUse::Load(txn, *catalog_->FindZone(subnet(id).zone)));
                          HAPAX_RETURN_IF_ERROR(change(use, txn));
                          use.Save(txn);
                          return absl::OkStatus();
                        }),
                IsOk());
  }

  // Takes `count` addresses in one transaction.
  std::vector<std::string> Take(int count, const std::string& id = "subnet-a") {
    std::vector<std::string> taken;
    Change(
        [&](ZoneUse& use, Transaction& txn) -> absl::Status {
          for (int i = 0; i < count; ++i) {
            HAPAX_ASSIGN_OR_RETURN(std::string address, use.TakeAddress(txn, subnet(id)));
            taken.push_back(std::move(address));
          }
          return absl::OkStatus();
        },
        id);
    return taken;
  }

  void TakeVcpus(int64_t vcpus) {
    Change([&](ZoneUse& use, Transaction&) {
      use.TakeVcpus(vcpus);
      return absl::OkStatus();
    });
  }

  // Gives back what an instance with these had.
  void Return(const std::string& address, int64_t vcpus = 0, const std::string& id = "subnet-a") {
    store::v1::InstanceRow row;
    row.mutable_instance()->set_availability_zone("us-east-1a");
    row.mutable_instance()->set_subnet_id(id);
    row.mutable_instance()->set_private_ip_address(address);
    row.set_zone_vcpus(vcpus);
    ASSERT_THAT(Execute(*store_, [&](Transaction& txn) { return ReturnToZone(txn, row); }), IsOk());
  }

  ZoneUse Use(const std::string& zone = "us-east-1a") {
    std::unique_ptr<ZoneUse> use;
    EXPECT_THAT(Query(*store_,
                      [&](const ReadTransaction& txn) -> absl::Status {
                        HAPAX_ASSIGN_OR_RETURN(ZoneUse loaded, ZoneUse::Load(txn, *catalog_->FindZone(zone)));
                        use = std::make_unique<ZoneUse>(std::move(loaded));
                        return absl::OkStatus();
                      }),
                IsOk());
    return *use;
  }
  int64_t FreeAddresses(const std::string& id = "subnet-a") { return Use(subnet(id).zone).FreeAddresses(subnet(id)); }
  int64_t FreeVcpus() { return Use().FreeVcpus(); }

  const TempDir dir_;
  const std::unique_ptr<Store> store_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CapacityTest, AnUntouchedZoneIsFree) {
  EXPECT_EQ(FreeVcpus(), 20);
  EXPECT_EQ(FreeAddresses(), 11);
}

TEST_F(CapacityTest, EveryUsableAddressIsHandedOutOnce) {
  EXPECT_THAT(Take(4), UnorderedElementsAreArray(Addresses(4, 7)));
  EXPECT_EQ(FreeAddresses(), 7);
  EXPECT_THAT(Take(7), UnorderedElementsAreArray(Addresses(8, 14)));
  EXPECT_EQ(FreeAddresses(), 0);
}

TEST_F(CapacityTest, AReturnedAddressIsHandedOutAgain) {
  static_cast<void>(Take(11));
  for (const char* address : {"10.0.0.9", "10.0.0.4", "10.0.0.14"}) Return(address);
  EXPECT_EQ(FreeAddresses(), 3);
  EXPECT_THAT(Take(3), UnorderedElementsAreArray({"10.0.0.4", "10.0.0.9", "10.0.0.14"}));
  EXPECT_EQ(FreeAddresses(), 0);
}

TEST_F(CapacityTest, AnAddressReturnedInATransactionCanBeTakenInIt) {
  static_cast<void>(Take(11));
  store::v1::InstanceRow row;
  row.mutable_instance()->set_availability_zone("us-east-1a");
  row.mutable_instance()->set_subnet_id("subnet-a");
  row.mutable_instance()->set_private_ip_address("10.0.0.8");
  absl::StatusOr<std::string> taken;
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_RETURN_IF_ERROR(ReturnToZone(txn, row));
                        HAPAX_ASSIGN_OR_RETURN(ZoneUse use, ZoneUse::Load(txn, *catalog_->FindZone("us-east-1a")));
                        taken = use.TakeAddress(txn, subnet());
                        use.Save(txn);
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(taken, IsOkAndHolds("10.0.0.8"));
  EXPECT_EQ(FreeAddresses(), 0);
}

TEST_F(CapacityTest, TakingAndReturningAtRandomNeverGivesAnAddressTwice) {
  std::mt19937_64 random(TestSeed());
  std::set<std::string> held;
  for (int step = 0; step < 500; ++step) {
    ASSERT_EQ(FreeAddresses(), 11 - static_cast<int64_t>(held.size())) << "step " << step;
    if (held.size() == 11 || (!held.empty() && random() % 2 == 0)) {
      const auto any = std::next(held.begin(), static_cast<ptrdiff_t>(random() % held.size()));
      Return(*any);
      held.erase(any);
    } else {
      for (const std::string& address : Take(1)) {
        ASSERT_TRUE(held.insert(address).second) << address << " twice, at step " << step;
        ASSERT_THAT(Addresses(4, 14), testing::Contains(address));
      }
    }
  }
}

TEST_F(CapacityTest, SubnetsOfAZoneDoNotShareAddresses) {
  EXPECT_THAT(Take(1, "subnet-b"), ElementsAre("10.1.0.4"));
  EXPECT_THAT(Take(1, "subnet-c"), ElementsAre("10.2.0.4"));
  EXPECT_EQ(FreeAddresses("subnet-b"), 250);
  EXPECT_EQ(FreeAddresses("subnet-c"), 26);
  EXPECT_EQ(FreeAddresses("subnet-a"), 11);
}

TEST_F(CapacityTest, NumbersOfAnAddressCarryOver) {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_regions(0)->mutable_zones(0)->mutable_subnets(0)->set_cidr_block("10.64.0.0/22");
  SetCatalog(catalog);
  const std::vector<std::string> taken = Take(1019);
  EXPECT_EQ(taken[251], "10.64.0.255");
  EXPECT_EQ(taken[252], "10.64.1.0");
  EXPECT_EQ(taken.back(), "10.64.3.254");
  EXPECT_EQ(FreeAddresses(), 0);
}

TEST_F(CapacityTest, WithoutSaveNothingIsTaken) {
  ASSERT_THAT(Execute(*store_,
                      [&](Transaction& txn) -> absl::Status {
                        HAPAX_ASSIGN_OR_RETURN(ZoneUse use, ZoneUse::Load(txn, *catalog_->FindZone("us-east-1a")));
                        use.TakeVcpus(4);
                        return use.TakeAddress(txn, subnet()).status();
                      }),
              IsOk());
  EXPECT_EQ(FreeVcpus(), 20);
  EXPECT_EQ(FreeAddresses(), 11);
}

TEST_F(CapacityTest, VcpusAreTakenAndReturned) {
  TakeVcpus(6);
  TakeVcpus(14);
  EXPECT_EQ(FreeVcpus(), 0);
  Return("10.0.0.4", /*vcpus=*/6);
  EXPECT_EQ(FreeVcpus(), 6);
}

TEST_F(CapacityTest, AZoneThatShrankBelowWhatIsTakenHasNoneFree) {
  TakeVcpus(16);
  v1::Catalog shrunk = SmallCatalog();
  shrunk.mutable_regions(0)->mutable_zones(0)->set_vcpus(8);
  SetCatalog(shrunk);
  EXPECT_EQ(FreeVcpus(), 0);
  Return("10.0.0.4", /*vcpus=*/10);
  EXPECT_EQ(FreeVcpus(), 2);
  SetCatalog(SmallCatalog());
  EXPECT_EQ(FreeVcpus(), 14);
}

TEST_F(CapacityTest, AZoneThatLeftTheCatalogKeepsItsAccount) {
  static_cast<void>(Take(2));
  TakeVcpus(4);
  v1::Catalog without = SmallCatalog();
  without.mutable_regions(0)->mutable_zones()->DeleteSubrange(0, 1);
  SetCatalog(without);
  Return("10.0.0.4", /*vcpus=*/2);
  SetCatalog(SmallCatalog());
  EXPECT_EQ(FreeVcpus(), 18);
  EXPECT_EQ(FreeAddresses(), 10);
}

TEST_F(CapacityTest, ATenantsUseIsASumOfItsOwn) {
  const auto change = [&](const std::string& tenant, int64_t instances, int64_t hosts) {
    ASSERT_THAT(Execute(*store_, [&](Transaction& txn) { return ChangeTenantUse(txn, tenant, instances, hosts); }),
                IsOk());
  };
  change("one", 5, 0);
  change("one", -2, 1);
  change("two", 0, 4);
  for (const auto& [tenant, instances, hosts] :
       {std::tuple("one", 3, 1), std::tuple("two", 0, 4), std::tuple("three", 0, 0)}) {
    store::v1::TenantRow use;
    ASSERT_THAT(Query(*store_,
                      [&, name = tenant](const ReadTransaction& txn) -> absl::Status {
                        HAPAX_ASSIGN_OR_RETURN(use, GetRowOrEmpty<store::v1::TenantRow>(txn, TenantUseKey(name)));
                        return absl::OkStatus();
                      }),
                IsOk());
    EXPECT_EQ(use.instances(), instances) << tenant;
    EXPECT_EQ(use.hosts(), hosts) << tenant;
  }
}

TEST_F(CapacityTest, ADamagedRowIsDataLoss) {
  ASSERT_THAT(Execute(*store_,
                      [](Transaction& txn) {
                        txn.Put(kTable, ZoneUseKey("us-east-1a"), "damaged");
                        return absl::OkStatus();
                      }),
              IsOk());
  EXPECT_THAT(Execute(*store_,
                      [&](Transaction& txn) { return ZoneUse::Load(txn, *catalog_->FindZone("us-east-1a")).status(); }),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace hapax::compute
