#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/interceptors/reason.h"
#include "hapax/tests/server/support/proto_text.h"
#include "hapax/tests/server/support/test_compute.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"

// Tags of everything that has them; parameters_test.cc has the limits themselves.
namespace hapax::compute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using Tags = google::protobuf::Map<std::string, std::string>;

// `count` tags as long as they may be.
Tags LongTags(int count) {
  Tags tags;
  for (int i = 0; i < count; ++i) tags[absl::StrCat(std::string(126, 'k'), 10 + i)] = std::string(256, 'v');
  return tags;
}

class TagsTest : public testing::Test {
 protected:
  absl::Status Launch(const Tags& tags) {
    auto request = FromText<v1::RunInstancesRequest>("image_id: 'ami-1' min_count: 2");
    *request.mutable_tags() = tags;
    return compute_.RunInstances(request).status();
  }
  absl::Status Allocate(const Tags& tags) {
    auto request =
        FromText<v1::AllocateHostsRequest>("availability_zone: 'eu-west-1a' instance_type: 'm5.large' quantity: 2");
    *request.mutable_tags() = tags;
    return compute_.AllocateHosts(request).status();
  }
  absl::Status Create(const Tags& tags) {
    auto request = FromText<v1::CreateKeypairRequest>("key_name: 'pair'");
    *request.mutable_tags() = tags;
    return compute_.CreateKeypair(request).status();
  }

  TestCompute compute_;
};

TEST_F(TagsTest, EveryResourceOfACallHasItsTags) {
  Tags tags;
  tags["Owner"] = "me";
  tags["\xF0\x9F\x98\x80"] = "";
  const auto has_them = UnorderedElementsAre(Pair("Owner", "me"), Pair("\xF0\x9F\x98\x80", ""));

  ASSERT_THAT(Launch(tags), IsOk());
  const auto instances = compute_.DescribeInstances();
  ASSERT_THAT(instances, IsOk());
  ASSERT_THAT(instances->instances(), SizeIs(2));
  for (const v1::Instance& instance : instances->instances()) EXPECT_THAT(instance.tags(), has_them);

  ASSERT_THAT(Allocate(tags), IsOk());
  const auto hosts = compute_.DescribeHosts();
  ASSERT_THAT(hosts, IsOk());
  ASSERT_THAT(hosts->hosts(), SizeIs(2));
  for (const v1::Host& host : hosts->hosts()) EXPECT_THAT(host.tags(), has_them);

  ASSERT_THAT(Create(tags), IsOk());
  const auto pairs = compute_.DescribeKeypairs();
  ASSERT_THAT(pairs, IsOk());
  ASSERT_THAT(pairs->key_pairs(), SizeIs(1));
  EXPECT_THAT(pairs->key_pairs(0).tags(), has_them);
}

TEST_F(TagsTest, AResourceKeepsItsTagsAsItsStateChanges) {
  Tags tags;
  tags["Owner"] = "me";
  ASSERT_THAT(Launch(tags), IsOk());
  ASSERT_EQ(compute_.FinishBoots(), 2);
  ASSERT_THAT(
      compute_.TerminateInstances(FromText<v1::TerminateInstancesRequest>("instance_ids: '" + CountedId("i", 1) + "'")),
      IsOk());
  ASSERT_EQ(compute_.FinishShutDowns(), 1);
  const auto instances = compute_.DescribeInstances();
  ASSERT_THAT(instances, IsOk());
  for (const v1::Instance& instance : instances->instances()) {
    EXPECT_THAT(instance.tags(), ElementsAre(Pair("Owner", "me")));
  }
}

TEST_F(TagsTest, FiftyOfTheLongestAreTaken) {
  EXPECT_THAT(Launch(LongTags(50)), IsOk());
  EXPECT_THAT(Allocate(LongTags(50)), IsOk());
  EXPECT_THAT(Create(LongTags(50)), IsOk());
}

TEST_F(TagsTest, OneMoreOrALongerOneIsRefusedAndLeavesNothing) {
  Tags long_key;
  long_key[std::string(129, 'k')] = "v";
  Tags long_value;
  long_value["k"] = std::string(257, 'v');
  const std::string rows = compute_.Rows();
  for (const Tags& tags : {LongTags(51), long_key, long_value}) {
    for (const absl::Status& status : {Launch(tags), Allocate(tags), Create(tags)}) {
      EXPECT_THAT(status, Refuses(Reason::kInvalidParameter, "tags", HasSubstr("must")));
    }
  }
  EXPECT_EQ(compute_.Rows(), rows);
}

}  // namespace
}  // namespace hapax::compute
