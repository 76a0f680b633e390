#include "hapax/client/hapaxctl/shorthand.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::ctl {
namespace {

using ::testing::ElementsAre;
using Kind = ShorthandValue::Kind;

TEST(ParseShorthand, MembersWithTexts) {
  const auto parsed = ParseShorthand("AvailabilityZone=us-east-1a,Tenancy=");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->parts.size(), 2u);
  EXPECT_EQ(parsed->parts[0].key, "AvailabilityZone");
  EXPECT_EQ(parsed->parts[0].text, "us-east-1a");
  EXPECT_EQ(parsed->parts[1].text, "");
}

TEST(ParseShorthand, CommaWithoutAKeyGoesOnWithTheList) {
  const auto parsed = ParseShorthand("Values=a,b,c,Name=x");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->parts.size(), 2u);
  EXPECT_THAT(parsed->parts[0].Texts(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(parsed->parts[1].Texts(), ElementsAre("x"));
}

TEST(ParseShorthand, BracketsMakeListsAndBracesStructures) {
  const auto parsed = ParseShorthand("Values=[a,b],Tags=[{Key=k,Value=v},{Key=l}]");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->parts[0].Texts(), ElementsAre("a", "b"));
  const ShorthandValue& tags = parsed->parts[1];
  ASSERT_EQ(tags.parts.size(), 2u);
  EXPECT_EQ(tags.parts[0].kind, Kind::kStructure);
  EXPECT_EQ(tags.parts[0].parts[1].key, "Value");
  EXPECT_EQ(tags.parts[0].parts[1].text, "v");
}

TEST(ParseShorthand, QuotesKeepCommasBracketsAndEscapedQuotes) {
  const auto parsed = ParseShorthand(R"(A='a, [b]',B="c\"d")");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->parts[0].text, "a, [b]");
  EXPECT_EQ(parsed->parts[1].text, "c\"d");
}

TEST(ParseShorthand, SaysWhatWasExpectedAndWhere) {
  EXPECT_EQ(ParseShorthand("us-east-1a").status().message(), "expected Key=value at \"us-east-1a\"");
  EXPECT_EQ(ParseShorthand("").status().message(), "expected Key=value at the end");
  EXPECT_EQ(ParseShorthand("Tags=[{Key=k}").status().message(), "expected a comma or ] at the end");
  EXPECT_EQ(ParseShorthand("A='b").status().message(), "expected the closing quote at the end");
  EXPECT_EQ(ParseShorthand("A=b}").status().message(), "expected a comma, or the end at \"}\"");
}

TEST(ParseShorthand, RefusesNestingWithoutEnd) { EXPECT_FALSE(ParseShorthand("A=" + std::string(100'000, '[')).ok()); }

}  // namespace
}  // namespace hapax::ctl
