#include <cstdint>
#include <string>
#include <vector>

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

namespace hapax::compute {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

v1::ReleaseHostsRequest Release(const std::vector<std::string>& ids, const std::string& region = "") {
  v1::ReleaseHostsRequest request;
  request.set_region(region);
  for (const std::string& id : ids) request.add_host_ids(id);
  return request;
}

// Without m5.large.
v1::Catalog CatalogWithoutTheType() {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_instance_types()->DeleteSubrange(0, 1);
  catalog.set_default_instance_type("m5.xlarge");
  return catalog;
}

// Two hosts for m5.large in us-east-1a, `h-...1` and `h-...2`, and one in eu-west-1a, `h-...3`: the whole quota.
class ReleaseHostsTest : public testing::Test {
 protected:
  ReleaseHostsTest() {
    EXPECT_THAT(Allocate("us-east-1a", "quantity: 2"), IsOk());
    EXPECT_THAT(Allocate("eu-west-1a"), IsOk());
  }

  absl::StatusOr<v1::AllocateHostsResponse> Allocate(const std::string& zone, const std::string& more = "") {
    return compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
        "instance_type: 'm5.large' auto_placement: 'on' availability_zone: '" + zone + "' " + more));
  }
  // `count` instances on host 1. Their ids are counted from 1.
  void LaunchOnOne(int count) {
    ASSERT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>(
                    absl::StrCat("image_id: 'ami-1' min_count: ", count, " placement { host_id: '", one_, "' }"))),
                IsOk());
  }
  void Terminate(int count) {
    v1::TerminateInstancesRequest request;
    for (int i = 1; i <= count; ++i) request.add_instance_ids(CountedId("i", i));
    ASSERT_THAT(compute_.TerminateInstances(request), IsOk());
  }
  int64_t FreeVcpus(const std::string& zone_name = "us-east-1a") {
    const auto reply = compute_.DescribeAvailabilityZones();
    EXPECT_THAT(reply, IsOk());
    for (const auto& zone : reply->availability_zones()) {
      if (zone.zone_name() == zone_name) return zone.available_vcpus();
    }
    return -1;
  }
  std::vector<std::string> HostIds() {
    const auto reply = compute_.DescribeHosts();
    EXPECT_THAT(reply, IsOk());
    std::vector<std::string> ids;
    for (const v1::Host& host : reply->hosts()) ids.push_back(host.host_id());
    return ids;
  }
  // The row of host 1 as it was before hosts said what they take.
  void MakeOneAnOldRow() {
    ASSERT_THAT(ExecuteAs(kServiceName, compute_.store(),
                          [&](Transaction& txn) -> absl::Status {
                            const std::string key = HostKey(kTenant, one_);
                            HAPAX_ASSIGN_OR_RETURN(v1::Host host, GetRowOrEmpty<v1::Host>(txn, key));
                            host.clear_total_vcpus();
                            PutRow(txn, kTable, key, host);
                            return absl::OkStatus();
                          }),
                IsOk());
  }

  TestCompute compute_;
  const std::string one_ = CountedId("h", 1);
  const std::string two_ = CountedId("h", 2);
  const std::string abroad_ = CountedId("h", 3);
};

TEST_F(ReleaseHostsTest, HostsAreGoneAndNamedInTheRequestsOrder) {
  const auto reply = compute_.ReleaseHosts(Release({two_, one_}));
  ASSERT_THAT(reply, IsOk());
  EXPECT_THAT(reply->host_ids(), ElementsAre(two_, one_));
  EXPECT_THAT(HostIds(), ElementsAre(abroad_));
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_})), Refuses(Reason::kHostNotFound, "host_ids", HasSubstr(one_)));
}

TEST_F(ReleaseHostsTest, TheZoneAndTheQuotaHaveTheirRoomBack) {
  EXPECT_EQ(FreeVcpus(), 20 - 2 * 6);
  EXPECT_THAT(Allocate("us-east-1a"), Refuses(Reason::kQuotaExceeded, "quantity"));
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20);
  EXPECT_EQ(FreeVcpus("eu-west-1a"), 100 - 6);
  EXPECT_THAT(Allocate("us-east-1a", "quantity: 2"), IsOk());
  EXPECT_THAT(Allocate("us-east-1a"), Refuses(Reason::kQuotaExceeded, "quantity", HasSubstr("at most 0")));
}

TEST_F(ReleaseHostsTest, NothingIsLaunchedOnAReleasedHost) {
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_THAT(compute_.RunInstances(
                  FromText<v1::RunInstancesRequest>("image_id: 'ami-1' placement { host_id: '" + one_ + "' }")),
              Refuses(Reason::kHostNotFound, "placement.host_id", HasSubstr(one_)));
  const auto unasked =
      compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' placement { tenancy: 'host' }"));
  EXPECT_EQ(ReasonOf(unasked.status()), Reason::kInsufficientInstanceCapacity) << unasked.status();
}

TEST_F(ReleaseHostsTest, C12AHostThatRunsInstancesKeepsAllOfThem) {
  LaunchOnOne(2);
  const std::string rows = compute_.Rows();
  EXPECT_THAT(compute_.ReleaseHosts(Release({two_, one_})),
              Refuses(Reason::kIncorrectInstanceState, "host_ids",
                      AllOf(HasSubstr(one_), HasSubstr("runs 2"), HasSubstr("terminate them"))));
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(ReleaseHostsTest, AHostIsReleasedOnceItsInstancesAreTerminatedAndNotBefore) {
  LaunchOnOne(2);
  Terminate(2);
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_})), Refuses(Reason::kIncorrectInstanceState, "host_ids"));
  ASSERT_EQ(compute_.FinishShutDowns(), 2);
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20 - 6);
  // The instances remain as what they were.
  const auto instances = compute_.DescribeInstances();
  ASSERT_THAT(instances, IsOk());
  ASSERT_THAT(instances->instances(), SizeIs(2));
  EXPECT_EQ(instances->instances(0).host_id(), one_);
}

TEST_F(ReleaseHostsTest, C12OneThatDoesNotExistKeepsAllOfThem) {
  const std::string rows = compute_.Rows();
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_, "h-none", two_})),
              Refuses(Reason::kHostNotFound, "host_ids", HasSubstr("h-none")));
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST_F(ReleaseHostsTest, AHostOfAnotherTenantOrRegionDoesNotExist) {
  const std::string rows = compute_.Rows();
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_}), kOtherTenant), Refuses(Reason::kHostNotFound, "host_ids"));
  EXPECT_THAT(compute_.ReleaseHosts(Release({abroad_})),
              Refuses(Reason::kHostNotFound, "host_ids", HasSubstr("us-east-1")));
  EXPECT_EQ(compute_.Rows(), rows);
  EXPECT_THAT(compute_.ReleaseHosts(Release({abroad_}, "eu-west-1")), IsOk());
}

TEST_F(ReleaseHostsTest, TheIdsAre1To1000NoneOfThemEmptyOrTwice) {
  const std::string rows = compute_.Rows();
  EXPECT_THAT(compute_.ReleaseHosts(Release({})),
              Refuses(Reason::kInvalidParameter, "host_ids", HasSubstr("at least one")));
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_, ""})),
              Refuses(Reason::kInvalidParameter, "host_ids", HasSubstr("empty")));
  EXPECT_THAT(compute_.ReleaseHosts(Release({one_, two_, one_})),
              Refuses(Reason::kInvalidParameter, "host_ids", AllOf(HasSubstr(one_), HasSubstr("twice"))));
  std::vector<std::string> many;
  for (int i = 1; i <= 1'001; ++i) many.push_back(CountedId("h", i));
  EXPECT_THAT(compute_.ReleaseHosts(Release(many)), Refuses(Reason::kInvalidParameter, "host_ids", HasSubstr("1000")));
  EXPECT_EQ(compute_.Rows(), rows);
}

TEST(ReleaseHosts, AThousandHostsAreReleasedAtOnce) {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_regions(1)->mutable_zones(0)->set_vcpus(6'000);
  catalog.mutable_quota()->set_hosts(1'000);
  TestCompute compute(catalog);
  const auto allocated = compute.AllocateHosts(
      FromText<v1::AllocateHostsRequest>("availability_zone: 'eu-west-1a' instance_type: 'm5.large' quantity: 1000"));
  ASSERT_THAT(allocated, IsOk());
  const auto released =
      compute.ReleaseHosts(Release({allocated->host_ids().begin(), allocated->host_ids().end()}, "eu-west-1"));
  ASSERT_THAT(released, IsOk());
  EXPECT_THAT(released->host_ids(), SizeIs(1'000));
  EXPECT_THAT(compute.DescribeHosts()->hosts(), IsEmpty());
}

// A host knows what it took, so that a catalog can change and even lose its type.
TEST_F(ReleaseHostsTest, TheSameIsGivenBackWhenTheInstanceTypeHasChanged) {
  v1::Catalog changed = SmallCatalog();
  changed.mutable_instance_types(0)->set_vcpus(8);
  changed.mutable_instance_types(0)->set_instances_per_host(100);
  compute_.Restart(changed);
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20);
}

TEST_F(ReleaseHostsTest, TheSameIsGivenBackWhenTheInstanceTypeHasLeftTheCatalog) {
  compute_.Restart(CatalogWithoutTheType());
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20);
}

TEST_F(ReleaseHostsTest, AZoneThatHasLeftTheCatalogHasItsRoomBackWhenItReturns) {
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions(0)->mutable_zones()->DeleteSubrange(0, 1);
  compute_.Restart(poorer);
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_THAT(Allocate("us-east-1b", "quantity: 2"), IsOk());
  compute_.Restart(SmallCatalog());
  EXPECT_EQ(FreeVcpus(), 20);
}

TEST_F(ReleaseHostsTest, AHostOfARegionThatHasLeftTheCatalogIsReleased) {
  v1::Catalog poorer = SmallCatalog();
  poorer.mutable_regions()->DeleteSubrange(1, 1);
  compute_.Restart(poorer);
  EXPECT_THAT(compute_.ReleaseHosts(Release({abroad_}, "eu-west-1")), IsOk());
  EXPECT_THAT(Allocate("us-east-1b"), IsOk());
}

TEST_F(ReleaseHostsTest, AHostFromBeforeHostsKeptTheirVcpusGivesBackWhatTheCatalogSays) {
  MakeOneAnOldRow();
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20);
}

// Nobody knows what it took. The zone must not promise that room twice.
TEST_F(ReleaseHostsTest, SuchAHostOfATypeThatHasLeftTheCatalogGivesBackOnlyItsQuota) {
  MakeOneAnOldRow();
  compute_.Restart(CatalogWithoutTheType());
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20 - 2 * 6);
  EXPECT_THAT(compute_.AllocateHosts(
                  FromText<v1::AllocateHostsRequest>("instance_type: 'm5.xlarge' availability_zone: 'us-east-1b'")),
              IsOk());
}

// An instance that goes down later writes the host's row: what it does not know of must survive.
TEST_F(ReleaseHostsTest, WhatAHostTookIsKeptThroughLaunchesAndTerminations) {
  LaunchOnOne(3);
  Terminate(3);
  ASSERT_EQ(compute_.FinishShutDowns(), 3);
  v1::Catalog changed = SmallCatalog();
  changed.mutable_instance_types(0)->set_vcpus(1);
  compute_.Restart(changed);
  ASSERT_THAT(compute_.ReleaseHosts(Release({one_, two_})), IsOk());
  EXPECT_EQ(FreeVcpus(), 20);
}

}  // namespace
}  // namespace hapax::compute
