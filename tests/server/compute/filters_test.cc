#include "hapax/server/compute/filters.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::compute {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using FilterList = google::protobuf::RepeatedPtrField<v1::Filter>;

FilterList List(const std::vector<std::pair<std::string, std::vector<std::string>>>& filters) {
  FilterList list;
  for (const auto& [name, values] : filters) {
    v1::Filter& filter = *list.Add();
    filter.set_name(name);
    *filter.mutable_values() = {values.begin(), values.end()};
  }
  return list;
}

template <typename Resource>
bool Matches(const Resource& resource, const FilterList& list) {
  const auto filters = Filters<Resource>::Of(list);
  EXPECT_THAT(filters, IsOk());
  return filters.ok() && filters->Match(resource);
}

template <typename Resource>
bool Matches(const Resource& resource, const std::string& name, const std::vector<std::string>& values) {
  return Matches(resource, List({{name, values}}));
}

// Every property there is, with a value of its own.
v1::Instance AnInstance() {
  return FromText<v1::Instance>(R"(
    instance_id: 'i-1' reservation_id: 'r-1' image_id: 'ami-1' instance_type: 'm5.large'
    state: INSTANCE_STATE_SHUTTING_DOWN region: 'us-east-1' availability_zone: 'us-east-1a' subnet_id: 'subnet-a'
    private_ip_address: '10.0.0.4' key_name: 'key' host_id: 'h-1' client_token: 'token'
    tags { key: 'Owner' value: 'me' } tags { key: 'Empty' value: '' }
  )");
}

using NameAndValue = std::pair<std::string, std::string>;

TEST(Filters, EveryPropertyOfAnInstanceMatchesItsValueAndNoOther) {
  for (const auto& [name, value] : std::vector<NameAndValue>{{"instance-state-name", "shutting-down"},
                                                             {"instance-type", "m5.large"},
                                                             {"image-id", "ami-1"},
                                                             {"availability-zone", "us-east-1a"},
                                                             {"subnet-id", "subnet-a"},
                                                             {"key-name", "key"},
                                                             {"reservation-id", "r-1"},
                                                             {"host-id", "h-1"},
                                                             {"private-ip-address", "10.0.0.4"},
                                                             {"client-token", "token"},
                                                             {"tag-key", "Owner"},
                                                             {"tag:Owner", "me"}}) {
    EXPECT_TRUE(Matches(AnInstance(), name, {value})) << name;
    EXPECT_FALSE(Matches(AnInstance(), name, {"other"})) << name;
    EXPECT_FALSE(Matches(v1::Instance(), name, {value})) << name;
  }
}

TEST(Filters, EveryPropertyOfAHostMatchesItsValueAndNoOther) {
  const auto host = FromText<v1::Host>(R"(
    host_id: 'h-1' instance_type: 'm5.large' region: 'us-east-1' availability_zone: 'us-east-1a' auto_placement: 'on'
    client_token: 'token' tags { key: 'Owner' value: 'me' }
  )");
  for (const auto& [name, value] : std::vector<NameAndValue>{{"instance-type", "m5.large"},
                                                             {"availability-zone", "us-east-1a"},
                                                             {"auto-placement", "on"},
                                                             {"client-token", "token"},
                                                             {"tag-key", "Owner"},
                                                             {"tag:Owner", "me"}}) {
    EXPECT_TRUE(Matches(host, name, {value})) << name;
    EXPECT_FALSE(Matches(host, name, {"other"})) << name;
    EXPECT_FALSE(Matches(v1::Host(), name, {value})) << name;
  }
}

TEST(Filters, EveryPropertyOfAKeyPairMatchesItsValueAndNoOther) {
  const auto pair = FromText<v1::KeyPair>(R"(
    key_pair_id: 'key-1' key_name: 'pair' key_fingerprint: 'SHA256:x' tags { key: 'Owner' value: 'me' }
  )");
  for (const auto& [name, value] : std::vector<NameAndValue>{{"key-pair-id", "key-1"},
                                                             {"key-name", "pair"},
                                                             {"fingerprint", "SHA256:x"},
                                                             {"tag-key", "Owner"},
                                                             {"tag:Owner", "me"}}) {
    EXPECT_TRUE(Matches(pair, name, {value})) << name;
    EXPECT_FALSE(Matches(pair, name, {"other"})) << name;
    EXPECT_FALSE(Matches(v1::KeyPair(), name, {value})) << name;
  }
}

// EC2's names, which follow from those of the enum.
TEST(Filters, EveryStateHasANameInLowerCaseWithHyphens) {
  const auto* states = v1::InstanceState_descriptor();
  for (int i = 1; i < states->value_count(); ++i) {
    v1::Instance instance;
    instance.set_state(static_cast<v1::InstanceState>(states->value(i)->number()));
    int matching = 0;
    for (const char* name : {"pending", "running", "shutting-down", "terminated", "stopping", "stopped"}) {
      if (Matches(instance, "instance-state-name", {name})) ++matching;
    }
    EXPECT_EQ(matching, 1) << states->value(i)->name();
  }
}

TEST(Filters, OneValueOfAFilterIsEnoughButEveryFilterCounts) {
  EXPECT_TRUE(Matches(AnInstance(), "instance-type", {"m5.xlarge", "m5.large"}));
  EXPECT_TRUE(Matches(AnInstance(), List({{"instance-type", {"m5.large"}}, {"key-name", {"key"}}})));
  EXPECT_FALSE(Matches(AnInstance(), List({{"instance-type", {"m5.large"}}, {"key-name", {"other"}}})));
  EXPECT_FALSE(Matches(AnInstance(), List({{"key-name", {"key"}}, {"key-name", {"other"}}})));
  EXPECT_TRUE(Matches(AnInstance(), List({{"tag-key", {"Owner"}}, {"tag-key", {"Empty"}}})));
}

TEST(Filters, NoFilterMatchesEverything) { EXPECT_TRUE(Matches(v1::Instance(), FilterList())); }

TEST(Filters, CaseAndBlanksCount) {
  for (const char* value : {"Key", "ke", "keys", " key", ""}) {
    EXPECT_FALSE(Matches(AnInstance(), "key-name", {value})) << value;
  }
  EXPECT_FALSE(Matches(AnInstance(), "tag-key", {"owner"}));
  EXPECT_FALSE(Matches(AnInstance(), "tag:owner", {"me"}));
}

TEST(Filters, ValuesHaveWildcards) {
  for (const char* value : {"*", "k*", "*y", "?ey", "k?y", "*e*", "k**y", "key*", "???", "*?*"}) {
    EXPECT_TRUE(Matches(AnInstance(), "key-name", {value})) << value;
    EXPECT_TRUE(Matches(AnInstance(), "key-name", {"other", "x*", value})) << value;
  }
  for (const char* value : {"?", "??", "????", "K*", "*k", "k?", "x*y", "?key", "key?", R"(\*)", R"(k\*)"}) {
    EXPECT_FALSE(Matches(AnInstance(), "key-name", {value})) << value;
  }
  EXPECT_TRUE(Matches(AnInstance(), "instance-state-name", {"shut*"}));
  EXPECT_TRUE(Matches(AnInstance(), "tag-key", {"O*r"}));
  EXPECT_TRUE(Matches(AnInstance(), "tag:Owner", {"?e"}));
  EXPECT_TRUE(Matches(AnInstance(), "tag:Empty", {"*"}));
  EXPECT_FALSE(Matches(AnInstance(), "tag:None", {"*"}));
}

TEST(Filters, ABackslashMakesAWildcardPlainAndStandsNowhereElse) {
  const auto instance = FromText<v1::Instance>(R"(tags { key: 'a*b' value: '*amazon?\\' })");
  EXPECT_TRUE(Matches(instance, R"(tag:a\*b)", {R"(\*amazon\?\\)"}));
  EXPECT_TRUE(Matches(instance, "tag-key", {R"(a\*b)"}));
  EXPECT_TRUE(Matches(instance, R"(tag:a\*b)", {R"(\**\\)"}));
  EXPECT_FALSE(Matches(instance, R"(tag:a\*b)", {R"(\*amazon\?)"}));
  for (const char* value : {R"(C:\Users)", R"(\)", R"(a*\)", R"(\\\a)"}) {
    EXPECT_THAT(Filters<v1::Instance>::Of(List({{"key-name", {value}}})),
                Refuses(Reason::kInvalidParameter, "filters", HasSubstr("backslash")))
        << value;
  }
}

TEST(Filters, AWildcardInATagsKeyIsRefused) {
  for (const char* name : {"tag:*", "tag:Own?r", "tag:Own*"}) {
    EXPECT_THAT(Filters<v1::Instance>::Of(List({{name, {"me"}}})),
                Refuses(Reason::kInvalidParameter, "filters", HasSubstr("without wildcards")))
        << name;
  }
  EXPECT_THAT(Filters<v1::Instance>::Of(List({{R"(tag:a\b)", {"me"}}})),
              Refuses(Reason::kInvalidParameter, "filters", HasSubstr("backslash")));
  EXPECT_THAT(Filters<v1::Instance>::Of(List({{"instance-*", {"me"}}})),
              Refuses(Reason::kInvalidParameter, "filters", HasSubstr("must be named one of")));
}

TEST(Filters, AtMost1024CharactersInValuesWithWildcards) {
  const std::string half = std::string(512, 'a');
  EXPECT_FALSE(Matches(AnInstance(), List({{"key-name", {half + "*"}}, {"image-id", {"*" + half}}})));
  EXPECT_THAT(Filters<v1::Instance>::Of(List({{"key-name", {half + "*"}}, {"image-id", {"*a" + half}}})),
              Refuses(Reason::kInvalidParameter, "filters", HasSubstr("at most 1024 characters")));
  // Stars cost nothing, nor do values without wildcards.
  EXPECT_TRUE(Matches(AnInstance(), "key-name", {std::string(100'000, '*')}));
  EXPECT_FALSE(Matches(AnInstance(), "key-name", {std::string(100'000, 'a'), "b*"}));
}

TEST(Filters, AnEmptyValueIsAPropertyThatIsNotSet) {
  EXPECT_TRUE(Matches(v1::Instance(), "host-id", {""}));
  EXPECT_FALSE(Matches(AnInstance(), "host-id", {""}));
  EXPECT_TRUE(Matches(AnInstance(), "tag:Empty", {""}));
  EXPECT_FALSE(Matches(AnInstance(), "tag:None", {""}));
}

TEST(Filters, ATagsKeyMayHoldWhatItLikes) {
  const auto instance = FromText<v1::Instance>("tags { key: 'tag:a:b-c' value: 'v' }");
  EXPECT_TRUE(Matches(instance, "tag:tag:a:b-c", {"v"}));
  EXPECT_FALSE(Matches(instance, "tag:a:b-c", {"v"}));
}

TEST(Filters, AnUnknownNameIsRefusedWithThoseThereAre) {
  for (const char* name :
       {"", "nonsense", "instance_type", "Instance-type", "tag", "tag:", "region", "auto-placement"}) {
    EXPECT_THAT(Filters<v1::Instance>::Of(List({{name, {"v"}}})),
                Refuses(Reason::kInvalidParameter, "filters",
                        AllOf(HasSubstr("instance-state-name, instance-type, image-id"), HasSubstr("tag:<KEY>"))))
        << name;
  }
  EXPECT_THAT(
      Filters<v1::Host>::Of(List({{"image-id", {"v"}}})),
      Refuses(Reason::kInvalidParameter, "filters",
              HasSubstr("one of availability-zone, instance-type, auto-placement, client-token, tag-key, tag:<KEY>")));
  EXPECT_THAT(Filters<v1::KeyPair>::Of(List({{"host-id", {"v"}}})),
              Refuses(Reason::kInvalidParameter, "filters",
                      AllOf(HasSubstr("host-id"), HasSubstr("key-pair-id, key-name, fingerprint, tag-key"))));
}

TEST(Filters, AtMost50With1To200ValuesEach) {
  const auto filter = [](int values) {
    return std::pair("key-name", std::vector<std::string>(static_cast<size_t>(values), "key"));
  };
  EXPECT_TRUE(Matches(AnInstance(), List({50, filter(200)})));
  EXPECT_THAT(Filters<v1::Instance>::Of(List({51, filter(1)})),
              Refuses(Reason::kInvalidParameter, "filters", HasSubstr("at most 50")));
  for (const int values : {0, 201}) {
    EXPECT_THAT(Filters<v1::Instance>::Of(List({filter(1), filter(values)})),
                Refuses(Reason::kInvalidParameter, "filters", HasSubstr("1 to 200 values")));
  }
}

// The lists of the service, narrowed down: two instances of each type in us-east-1, and one in eu-west-1.
class FilteredListsTest : public testing::Test {
 protected:
  FilteredListsTest() {
    for (const char* more : {"min_count: 2 tags { key: 'Owner' value: 'me' }",
                             "min_count: 2 instance_type: 'm5.xlarge'", "region: 'eu-west-1'"}) {
      EXPECT_THAT(compute_.RunInstances(FromText<v1::RunInstancesRequest>(absl::StrCat("image_id: 'ami-1' ", more))),
                  IsOk());
    }
  }
  // The numbers of the instances' ids, over all pages.
  std::vector<std::string> Instances(const std::string& text) {
    auto request = FromText<v1::DescribeInstancesRequest>(text);
    std::vector<std::string> ids;
    do {
      const auto page = compute_.DescribeInstances(request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return ids;
      for (const v1::Instance& instance : page->instances()) ids.push_back(instance.instance_id().substr(18));
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }

  TestCompute compute_;
  const std::string large_ = " filters { name: 'instance-type' values: 'm5.large' } ";
};

TEST_F(FilteredListsTest, FiltersNarrowDownWhatElseTheRequestAsksFor) {
  EXPECT_THAT(Instances(large_), ElementsAre("1", "2", "5"));
  EXPECT_THAT(Instances(large_ + "region: 'us-east-1'"), ElementsAre("1", "2"));
  EXPECT_THAT(Instances(large_ + "filters { name: 'tag:Owner' values: 'me' }"), ElementsAre("1", "2"));
  EXPECT_THAT(Instances(large_ + "instance_ids: ['" + CountedId("i", 4) + "', '" + CountedId("i", 2) + "']"),
              ElementsAre("2"));
  EXPECT_THAT(Instances("filters { name: 'instance-state-name' values: 'running' }"), IsEmpty());
  ASSERT_EQ(compute_.FinishBoots(), 5);
  EXPECT_THAT(Instances("filters { name: 'instance-state-name' values: 'running' }" + large_),
              ElementsAre("1", "2", "5"));
}

TEST_F(FilteredListsTest, PagesOfAFilteredListGiveTheSameList) {
  EXPECT_THAT(Instances(large_ + "page_size: 1"), ElementsAre("1", "2", "5"));
  EXPECT_THAT(
      Instances(large_ + "page_size: 1 instance_ids: ['" + CountedId("i", 4) + "', '" + CountedId("i", 2) + "']"),
      ElementsAre("2"));
}

TEST_F(FilteredListsTest, APageTokenIsOfItsFilters) {
  auto request = FromText<v1::DescribeInstancesRequest>("page_size: 1" + large_);
  const auto page = compute_.DescribeInstances(request);
  ASSERT_THAT(page, IsOk());
  request.set_page_token(page->next_page_token());
  request.mutable_filters(0)->add_values("m5.xlarge");
  EXPECT_THAT(compute_.DescribeInstances(request), Refuses(Reason::kInvalidParameter, "page_token"));
}

TEST_F(FilteredListsTest, OneThatIsNamedButDoesNotMatchExistsAllTheSame) {
  const std::string four = "instance_ids: '" + CountedId("i", 4) + "'";
  EXPECT_THAT(Instances(large_ + four), IsEmpty());
  EXPECT_THAT(compute_.DescribeInstances(FromText<v1::DescribeInstancesRequest>(large_ + "instance_ids: 'i-none'")),
              Refuses(Reason::kInstanceNotFound, "instance_ids"));
}

TEST_F(FilteredListsTest, HostsAndKeyPairsAreFilteredToo) {
  for (const char* zone : {"us-east-1b", "eu-west-1a"}) {
    ASSERT_THAT(compute_.AllocateHosts(FromText<v1::AllocateHostsRequest>(
                    absl::StrCat("instance_type: 'm5.large' availability_zone: '", zone, "'"))),
                IsOk());
  }
  const auto in_eu = FromText<v1::DescribeHostsRequest>("filters { name: 'availability-zone' values: 'eu-west-1a' }");
  const auto hosts = compute_.DescribeHosts(in_eu);
  ASSERT_THAT(hosts, IsOk());
  ASSERT_EQ(hosts->hosts_size(), 1);
  EXPECT_EQ(hosts->hosts(0).host_id(), CountedId("h", 2));
  EXPECT_THAT(compute_.DescribeHosts(FromText<v1::DescribeHostsRequest>("filters { name: 'image-id' values: 'x' }")),
              Refuses(Reason::kInvalidParameter, "filters"));

  for (const char* name : {"a", "b"}) {
    ASSERT_THAT(compute_.CreateKeypair(FromText<v1::CreateKeypairRequest>(absl::StrCat("key_name: '", name, "'"))),
                IsOk());
  }
  const auto pairs = compute_.DescribeKeypairs(
      FromText<v1::DescribeKeypairsRequest>("filters { name: 'key-pair-id' values: '" + CountedId("key", 2) + "' }"));
  ASSERT_THAT(pairs, IsOk());
  ASSERT_EQ(pairs->key_pairs_size(), 1);
  EXPECT_EQ(pairs->key_pairs(0).key_name(), "b");
  EXPECT_THAT(
      compute_.DescribeKeypairs(FromText<v1::DescribeKeypairsRequest>("filters { name: 'image-id' values: 'x' }")),
      Refuses(Reason::kInvalidParameter, "filters"));
}

}  // namespace
}  // namespace hapax::compute
