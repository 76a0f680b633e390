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

// The lists of what tenants have; describe_catalog_test.cc has those of the catalog.
namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Ids(const absl::StatusOr<v1::DescribeInstancesResponse>& reply) {
  EXPECT_THAT(reply, IsOk());
  std::vector<std::string> ids;
  if (!reply.ok()) return ids;
  for (const v1::Instance& instance : reply->instances()) ids.push_back(instance.instance_id());
  return ids;
}

std::vector<std::string> Ids(const absl::StatusOr<v1::DescribeHostsResponse>& reply) {
  EXPECT_THAT(reply, IsOk());
  std::vector<std::string> ids;
  if (!reply.ok()) return ids;
  for (const v1::Host& host : reply->hosts()) ids.push_back(host.host_id());
  return ids;
}

// `region/name` of each.
std::vector<std::string> Names(const absl::StatusOr<v1::DescribeKeypairsResponse>& reply) {
  EXPECT_THAT(reply, IsOk());
  std::vector<std::string> names;
  if (!reply.ok()) return names;
  for (const v1::KeyPair& pair : reply->key_pairs()) names.push_back(pair.region() + "/" + pair.key_name());
  return names;
}

// Instances 1 and 2 of the tenant in us-east-1, 3 in eu-west-1, and 4 of another tenant.
class DescribeInstancesTest : public testing::Test {
 protected:
  DescribeInstancesTest() {
    Run("min_count: 2 client_token: 'first'");
    Run("region: 'eu-west-1' client_token: 'second'");
    Run("", kOtherTenant);
  }
  void Run(const std::string& more, const std::string& tenant = kTenant) {
    EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>("image_id: 'ami-1' " + more), tenant), IsOk());
  }
  // Makes the row of this key another than it was.
  void Damage(std::string key) {
    ASSERT_THAT(ExecuteAs(kServiceName, compute_.store(),
                          [&](Transaction& txn) {
                            txn.Put(kTable, key, "damaged");
                            return absl::OkStatus();
                          }),
                IsOk());
  }
  absl::StatusOr<v1::DescribeInstancesResponse> Describe(const std::string& request) {
    return compute_.DescribeInstances(FromText<v1::DescribeInstancesRequest>(request));
  }

  TestCompute compute_;
  const std::string one_ = CountedId("i", 1);
  const std::string two_ = CountedId("i", 2);
  const std::string three_ = CountedId("i", 3);
  const std::string theirs_ = CountedId("i", 4);
};

TEST_F(DescribeInstancesTest, ListsTheTenantsOwnInTheOrderOfTheirIds) {
  EXPECT_THAT(Ids(Describe("")), ElementsAre(one_, two_, three_));
  EXPECT_THAT(Ids(compute_.DescribeInstances({}, kOtherTenant)), ElementsAre(theirs_));
  EXPECT_THAT(Ids(compute_.DescribeInstances({}, "nobody")), IsEmpty());
}

TEST_F(DescribeInstancesTest, ListsThoseOfOneRegionOrOfOneToken) {
  EXPECT_THAT(Ids(Describe("region: 'eu-west-1'")), ElementsAre(three_));
  EXPECT_THAT(Ids(Describe("client_token: 'first'")), ElementsAre(one_, two_));
  EXPECT_THAT(Ids(Describe("client_token: 'first' region: 'eu-west-1'")), IsEmpty());
  EXPECT_THAT(Ids(Describe("client_token: 'none'")), IsEmpty());
}

TEST_F(DescribeInstancesTest, ListsThoseThatAreNamedEachOnce) {
  const std::string named = "instance_ids: ['" + three_ + "', '" + one_ + "', '" + three_ + "'] ";
  EXPECT_THAT(Ids(Describe(named)), ElementsAre(one_, three_));
  EXPECT_THAT(Ids(Describe(named + "client_token: 'second'")), ElementsAre(three_));
}

TEST_F(DescribeInstancesTest, PagesOfNamedOnesGiveTheSameList) {
  auto request = FromText<v1::DescribeInstancesRequest>("page_size: 2 instance_ids: ['" + three_ + "', '" + one_ +
                                                        "', '" + two_ + "']");
  auto page = compute_.DescribeInstances(request);
  EXPECT_THAT(Ids(page), ElementsAre(one_, two_));
  request.set_page_token(page->next_page_token());
  page = compute_.DescribeInstances(request);
  EXPECT_THAT(Ids(page), ElementsAre(three_));
  EXPECT_EQ(page->next_page_token(), "");
}

TEST_F(DescribeInstancesTest, PagesOfAllGiveTheSameList) {
  auto request = FromText<v1::DescribeInstancesRequest>("page_size: 1 region: 'us-east-1'");
  auto page = compute_.DescribeInstances(request);
  EXPECT_THAT(Ids(page), ElementsAre(one_));
  request.set_page_token(page->next_page_token());
  EXPECT_THAT(Ids(compute_.DescribeInstances(request)), ElementsAre(two_));
}

// A list of all has its id and nothing else; a list of some does not, since nobody knows whether it is one of them.
TEST_F(DescribeInstancesTest, C18_OneWithADamagedRowIsListedByItsIdAndDoesNotEndTheList) {
  Damage(InstanceKey(kTenant, two_));
  const auto all = Describe("");
  ASSERT_THAT(Ids(all), ElementsAre(one_, two_, three_));
  EXPECT_EQ(all->instances(1).state(), v1::INSTANCE_STATE_UNSPECIFIED);
  EXPECT_THAT(Ids(Describe("client_token: 'first'")), ElementsAre(one_));
  EXPECT_THAT(Describe("instance_ids: ['" + two_ + "']"), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(DescribeInstancesTest, OneThatIsNotTheTenantsInTheRegionIsNotFound) {
  EXPECT_THAT(Describe("instance_ids: 'i-none'"),
              Refuses(Reason::kInstanceNotFound, "instance_ids", HasSubstr("i-none")));
  EXPECT_THAT(Describe("instance_ids: '" + theirs_ + "'"), Refuses(Reason::kInstanceNotFound, "instance_ids"));
  EXPECT_THAT(Describe("region: 'eu-west-1' instance_ids: '" + one_ + "'"),
              Refuses(Reason::kInstanceNotFound, "instance_ids"));
}

TEST_F(DescribeInstancesTest, AWrongParameterIsRefusedByName) {
  EXPECT_THAT(Describe("region: 'us-west-1'"), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_THAT(Describe("instance_ids: ''"), Refuses(Reason::kInvalidParameter, "instance_ids"));
  EXPECT_THAT(Describe("page_size: -1"), Refuses(Reason::kInvalidParameter, "page_size"));
  EXPECT_THAT(Describe("page_token: 'x'"), Refuses(Reason::kInvalidParameter, "page_token"));
}

TEST_F(DescribeInstancesTest, TerminatedOnesStayListed) {
  v1::TerminateInstancesRequest terminate;
  terminate.add_instance_ids(one_);
  ASSERT_THAT(compute_.TerminateInstances(terminate), IsOk());
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto reply = Describe("instance_ids: '" + one_ + "'");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->instances(0).state(), v1::INSTANCE_STATE_TERMINATED);
  EXPECT_THAT(Ids(Describe("")), ElementsAre(one_, two_, three_));
}

// A gRPC client takes 4 MiB at a time unless it is told otherwise. These instances have 50 tags of the
// longest keys and values there may be, of four bytes a character.
TEST(DescribeInstances, APageFitsIntoAMessageHoweverLongTheTags) {
  v1::Catalog catalog = SmallCatalog();
  catalog.mutable_regions(1)->mutable_zones(0)->set_vcpus(1'000);
  catalog.mutable_quota()->set_instances(1'000);
  TestCompute compute(catalog);
  auto request = FromText<v1::RunInstancesRequest>("image_id: 'ami-1' region: 'eu-west-1' min_count: 50");
  std::string smileys;
  for (int i = 0; i < 256; ++i) smileys += "\xF0\x9F\x98\x80";
  for (int i = 0; i < 50; ++i) {
    (*request.mutable_tags())[absl::StrCat(10 + i) + smileys.substr(0, 126 * 4)] = smileys;
  }
  for (int i = 0; i < 2; ++i) ASSERT_THAT(compute.RunInstances(request), IsOk());

  v1::DescribeInstancesRequest all;
  v1::DescribeInstancesRequest named;
  for (int i = 1; i <= 100; ++i) named.add_instance_ids(CountedId("i", i));
  for (v1::DescribeInstancesRequest page_request : {all, named}) {
    int listed = 0;
    do {
      const auto page = compute.DescribeInstances(page_request);
      ASSERT_THAT(page, IsOk());
      ASSERT_LE(page->ByteSizeLong(), size_t{4} << 20);
      listed += page->instances_size();
      page_request.set_page_token(page->next_page_token());
    } while (!page_request.page_token().empty());
    EXPECT_EQ(listed, 100);
  }
}

// Hosts 1 and 2 in us-east-1, 3 in eu-west-1.
class DescribeHostsTest : public testing::Test {
 protected:
  DescribeHostsTest() {
    Allocate("us-east-1a", "quantity: 2");
    Allocate("eu-west-1a", "");
  }
  void Allocate(const std::string& zone, const std::string& more) {
    EXPECT_THAT(compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
                    "instance_type: 'm5.large' availability_zone: '" + zone + "' " + more)),
                IsOk());
  }
  absl::StatusOr<v1::DescribeHostsResponse> Describe(const std::string& request, const std::string& tenant = kTenant) {
    return compute_.DescribeHosts(FromText<v1::DescribeHostsRequest>(request), tenant);
  }

  TestCompute compute_;
  const std::string one_ = CountedId("h", 1);
  const std::string two_ = CountedId("h", 2);
  const std::string three_ = CountedId("h", 3);
};

TEST_F(DescribeHostsTest, ListsAllOrThoseOfARegionOrThoseThatAreNamed) {
  EXPECT_THAT(Ids(Describe("")), ElementsAre(one_, two_, three_));
  EXPECT_THAT(Ids(Describe("region: 'us-east-1'")), ElementsAre(one_, two_));
  EXPECT_THAT(Ids(Describe("host_ids: ['" + two_ + "', '" + one_ + "']")), ElementsAre(one_, two_));
  EXPECT_THAT(Ids(Describe("", kOtherTenant)), IsEmpty());
}

TEST_F(DescribeHostsTest, OneThatIsNotTheTenantsInTheRegionIsNotFound) {
  EXPECT_THAT(Describe("host_ids: 'h-none'"), Refuses(Reason::kHostNotFound, "host_ids", HasSubstr("h-none")));
  EXPECT_THAT(Describe("host_ids: '" + one_ + "'", kOtherTenant), Refuses(Reason::kHostNotFound, "host_ids"));
  EXPECT_THAT(Describe("region: 'eu-west-1' host_ids: '" + one_ + "'"), Refuses(Reason::kHostNotFound, "host_ids"));
}

TEST_F(DescribeHostsTest, AWrongParameterIsRefusedByName) {
  EXPECT_THAT(Describe("region: 'us-west-1'"), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_THAT(Describe("host_ids: ''"), Refuses(Reason::kInvalidParameter, "host_ids"));
  EXPECT_THAT(Describe("page_size: 1001"), Refuses(Reason::kInvalidParameter, "page_size"));
}

class DescribeKeypairsTest : public testing::Test {
 protected:
  DescribeKeypairsTest() {
    for (const char* pair : {"key_name: 'a'", "key_name: 'b'", "key_name: 'a' region: 'eu-west-1'"}) {
      EXPECT_THAT(compute_.CreateKeypair(FromText<v1::CreateKeypairRequest>(pair)), IsOk());
    }
  }
  absl::StatusOr<v1::DescribeKeypairsResponse> Describe(const std::string& request,
                                                        const std::string& tenant = kTenant) {
    return compute_.DescribeKeypairs(FromText<v1::DescribeKeypairsRequest>(request), tenant);
  }

  TestCompute compute_;
};

TEST_F(DescribeKeypairsTest, ListsAllByRegionAndName) {
  EXPECT_THAT(Names(Describe("")), ElementsAre("eu-west-1/a", "us-east-1/a", "us-east-1/b"));
  EXPECT_THAT(Names(Describe("region: 'us-east-1'")), ElementsAre("us-east-1/a", "us-east-1/b"));
  EXPECT_THAT(Names(Describe("", kOtherTenant)), IsEmpty());
}

TEST_F(DescribeKeypairsTest, ListsThoseThatAreNamedInEveryRegion) {
  EXPECT_THAT(Names(Describe("key_names: 'a'")), ElementsAre("eu-west-1/a", "us-east-1/a"));
  EXPECT_THAT(Names(Describe("key_names: ['b', 'a'] region: 'us-east-1'")), ElementsAre("us-east-1/a", "us-east-1/b"));
}

TEST_F(DescribeKeypairsTest, PagesGiveTheSameList) {
  auto request = FromText<v1::DescribeKeypairsRequest>("page_size: 2");
  auto page = compute_.DescribeKeypairs(request);
  EXPECT_THAT(Names(page), ElementsAre("eu-west-1/a", "us-east-1/a"));
  request.set_page_token(page->next_page_token());
  EXPECT_THAT(Names(compute_.DescribeKeypairs(request)), ElementsAre("us-east-1/b"));
}

TEST_F(DescribeKeypairsTest, OneThatIsNotTheTenantsInTheRegionIsNotFound) {
  EXPECT_THAT(Describe("key_names: ['a', 'none']"), Refuses(Reason::kKeypairNotFound, "key_names", HasSubstr("none")));
  EXPECT_THAT(Describe("key_names: 'b' region: 'eu-west-1'"), Refuses(Reason::kKeypairNotFound, "key_names"));
  EXPECT_THAT(Describe("key_names: 'a'", kOtherTenant), Refuses(Reason::kKeypairNotFound, "key_names"));
}

TEST_F(DescribeKeypairsTest, AWrongParameterIsRefusedByName) {
  EXPECT_THAT(Describe("region: 'us-west-1'"), Refuses(Reason::kUnknownRegion, "region"));
  EXPECT_THAT(Describe("key_names: ''"), Refuses(Reason::kInvalidParameter, "key_names"));
  EXPECT_THAT(Describe("page_token: 'x'"), Refuses(Reason::kInvalidParameter, "page_token"));
}

}  // namespace
}  // namespace hapax::compute
