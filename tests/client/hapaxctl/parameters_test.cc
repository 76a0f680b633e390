#include "hapax/client/hapaxctl/flags/parameters.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST(ParseCount, OneNumberIsBoth) {
  const auto count = ParseCount("3");
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(count->min, 3);
  EXPECT_EQ(count->max, 3);
}

TEST(ParseCount, MinAndMax) {
  const auto count = ParseCount("1:5");
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(count->min, 1);
  EXPECT_EQ(count->max, 5);
}

TEST(ParseCount, RefusesWhatIsNoRangeFromOne) {
  for (const char* text : {"", "0", "-1", "x", "1:", ":1", "5:1", "1:2:3", "99999999999"}) {
    EXPECT_THAT(MessageOf(ParseCount(text).status()), HasSubstr("MIN:MAX")) << text;
  }
}

TEST(ParsePlacement, TheThreeKeys) {
  const auto placement = ParsePlacement("AvailabilityZone=us-east-1a,Tenancy=host,HostId=h-1");
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->availability_zone(), "us-east-1a");
  EXPECT_EQ(placement->tenancy(), "host");
  EXPECT_EQ(placement->host_id(), "h-1");
}

TEST(ParsePlacement, NamesTheKeysThatThereAre) {
  EXPECT_THAT(MessageOf(ParsePlacement("Zone=us-east-1a").status()),
              HasSubstr("\"Zone\" is none of its keys: AvailabilityZone, Tenancy, HostId"));
  EXPECT_THAT(MessageOf(ParsePlacement("AvailabilityZone=a,b").status()), HasSubstr("takes one value"));
  EXPECT_THAT(MessageOf(ParsePlacement("AvailabilityZone=").status()), HasSubstr("takes one value"));
}

TEST(ParseTags, OfSeveralSpecifications) {
  const auto tags = ParseTags({"ResourceType=instance,Tags=[{Key=a,Value=1},{Key=b,Value='x, y'}]",
                               "ResourceType=instance,Tags={Key=c,Value=}"},
                              "instance");
  ASSERT_TRUE(tags.ok()) << tags.status();
  EXPECT_EQ(tags->size(), 3u);
  EXPECT_EQ(tags->at("b"), "x, y");
  EXPECT_EQ(tags->at("c"), "");
}

TEST(ParseTags, RefusesOtherResourcesAndDoubleKeys) {
  const auto message = [](const std::string& text) { return MessageOf(ParseTags({text}, "instance").status()); };
  EXPECT_THAT(message("ResourceType=volume,Tags=[{Key=a,Value=1}]"), HasSubstr("must be ResourceType=instance"));
  EXPECT_THAT(message("Tags=[{Key=a,Value=1}]"), HasSubstr("ResourceType=instance is missing"));
  EXPECT_THAT(message("ResourceType=instance,Tags=[{Key=a,Value=1},{Key=a,Value=2}]"), HasSubstr("given twice"));
  EXPECT_THAT(message("ResourceType=instance,Tags=[a]"), HasSubstr("{Key=...,Value=...}"));
  EXPECT_THAT(message("ResourceType=instance,Tags=[{Value=1}]"), HasSubstr("{Key=...,Value=...}"));
  EXPECT_THAT(message("ResourceType=instance,Tag=[{Key=a}]"), HasSubstr("ResourceType, Tags"));
}

TEST(ParsePlacement, AsJson) {
  EXPECT_EQ(ParsePlacement(R"({"AvailabilityZone": "us-east-1a"})").value().availability_zone(), "us-east-1a");
  EXPECT_THAT(MessageOf(ParsePlacement(R"([{"Tenancy": "host"}, {"Tenancy": "host"}])").status()),
              HasSubstr("one structure"));
  EXPECT_THAT(MessageOf(ParsePlacement(R"({"Tenancy": 1})").status()), HasSubstr("Tenancy takes one value"));
  EXPECT_THAT(MessageOf(ParsePlacement(R"({"Tenancy")").status()), HasSubstr("JSON: expected a colon"));
}

TEST(ParseTags, AsJsonAndWithBackslashesAsTheyAre) {
  const auto tags =
      ParseTags({R"([{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "x, \"y\""}]}])"}, "instance");
  ASSERT_TRUE(tags.ok()) << tags.status();
  EXPECT_EQ(tags->at("a"), "x, \"y\"");
  EXPECT_EQ(ParseTags({R"(ResourceType=instance,Tags=[{Key=p,Value="C:\Users\new"}])"}, "instance")->at("p"),
            R"(C:\Users\new)");
}

TEST(ParseFilters, NameAndValues) {
  const auto filters = ParseFilters({"Name=tag:team,Values=a,'b, c',''", R"({"Name": "key-name", "Values": ["k"]})"});
  ASSERT_TRUE(filters.ok()) << filters.status();
  ASSERT_EQ(filters->size(), 2u);
  EXPECT_EQ((*filters)[0].name(), "tag:team");
  EXPECT_THAT((*filters)[0].values(), ElementsAre("a", "b, c", ""));
  EXPECT_EQ((*filters)[1].name(), "key-name");
  EXPECT_THAT((*filters)[1].values(), ElementsAre("k"));
}

TEST(ParseFilters, RefusesAnythingElse) {
  for (const char* text : {"Name=x", "Values=a", "Name=a,b,Values=c", "Name=x,Values={A=b}", "Name=x,Value=a",
                           "Name=x,Values=[]", "[1]", "{}"}) {
    EXPECT_FALSE(ParseFilters({text}).ok()) << text;
  }
}

TEST(ParseFilters, TwoInOneWordAreRefused) {
  for (const char* text : {"Name=tag:Env,Values=test,Name=instance-state-name,Values=running",
                           "Name=tag:Env,Values=test Name=instance-state-name,Values=running"}) {
    EXPECT_THAT(MessageOf(ParseFilters({text}).status()), HasSubstr("is given twice")) << text;
  }
}

TEST(ParsePositiveDuration, TakesUnitsAndMoreThanZero) {
  EXPECT_EQ(ParsePositiveDuration("1m30s").value(), absl::Seconds(90));
  for (const char* text : {"", "30", "0s", "-1s", "soon"}) {
    EXPECT_THAT(MessageOf(ParsePositiveDuration(text).status()), HasSubstr("such as 500ms, 30s or 1m30s")) << text;
  }
}

TEST(CheckClientToken, IsTheServersRule_C2) {
  EXPECT_TRUE(CheckClientToken("!").ok());
  EXPECT_TRUE(CheckClientToken(std::string(64, '~')).ok());
  for (const std::string& text : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("\xC3\xA9")}) {
    EXPECT_FALSE(CheckClientToken(text).ok()) << text;
  }
}

TEST(CheckMetadataValue, DoesNotRepeatASecret) {
  EXPECT_TRUE(CheckMetadataValue("key").ok());
  EXPECT_THAT(MessageOf(CheckMetadataValue("secret\n")), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace hapax::ctl
