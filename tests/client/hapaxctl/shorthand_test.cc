#include "hapax/client/hapaxctl/flags/shorthand.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

struct Taken {
  const char* text;
  const char* json;
};
// What the AWS CLI's own parser makes of each: awscli.shorthand.ShorthandParser().parse(text), as JSON.
constexpr Taken kTaken[] = {
    {"AvailabilityZone=us-east-1a,Tenancy=", R"({"AvailabilityZone":"us-east-1a","Tenancy":""})"},
    {"Values=a,b,c,Name=x", R"({"Values":["a","b","c"],"Name":"x"})"},
    {"Values=[a,b],Tags=[{Key=k,Value=v},{Key=l,Value=m}]",
     R"({"Values":["a","b"],"Tags":[{"Key":"k","Value":"v"},{"Key":"l","Value":"m"}]})"},
    {R"(A='a, [b]',B="c\"d")", R"({"A":"a, [b]","B":"c\"d"})"},
    {R"(Value="C:\Users\new")", R"({"Value":"C:\\Users\\new"})"},
    {R"(Value='C:\Users\new')", R"({"Value":"C:\\Users\\new"})"},
    {R"(Value=C:\Users\new)", R"({"Value":"C:\\Users\\new"})"},
    {R"(Value="C:\\Users\\new")", R"({"Value":"C:\\Users\\new"})"},
    {R"(Value="C:\")", R"({"Value":"C:\\"})"},
    {R"(Value="C:\\")", R"({"Value":"C:\\"})"},
    {R"(a=b\,c)", R"({"a":"b,c"})"},
    {R"(a=b\,c,d)", R"({"a":["b,c","d"]})"},
    {R"(Name=x,Values=b\,c,d\,e)", R"({"Name":"x","Values":["b,c","d,e"]})"},
    {R"(a=[b\,c,d])", R"({"a":["b,c","d"]})"},
    {R"(a={b=c\,d})", R"({"a":{"b":"c,d"}})"},
    {R"(a=\,)", R"({"a":","})"},
    {"Name = x , Values = a , b", R"({"Name":"x","Values":["a","b"]})"},
    {"a= b ,c", R"({"a":["b","c"]})"},
    {"a=b  ", R"({"a":"b"})"},
    {"a=[ b , c ]", R"({"a":["b","c"]})"},
    {"a={ b = c , d = e }", R"({"a":{"b":"c","d":"e"}})"},
    {R"(a="  b  ")", R"({"a":"  b  "})"},
    {"a=' b ' , c", R"({"a":[" b ","c"]})"},
    {"a=b c", R"({"a":"b c"})"},
    {"a=b\n,c=d", R"({"a":"b","c":"d"})"},
    {"a=b\tc", R"({"a":"b\tc"})"},
    {"a=b=c", R"({"a":"b=c"})"},
    {"a=b,c=d=e", R"({"a":"b","c":"d=e"})"},
    {"a=x=y,z", R"({"a":["x=y","z"]})"},
    {"a=", R"({"a":""})"},
    {"a=,b", R"({"a":["","b"]})"},
    {"a=[]", R"({"a":[]})"},
    {"a=[b,]", R"({"a":["b"]})"},
    {"a=[,]", R"({"a":[""]})"},
    {"a={}", R"({"a":{}})"},
    {"a=b,'',c", R"({"a":["b","","c"]})"},
    {"a=[b,'']", R"({"a":["b",""]})"},
    {"a={b='',c=d}", R"({"a":{"b":"","c":"d"}})"},
    {R"(a='it\'s')", R"({"a":"it's"})"},
    {"a=x{y", R"({"a":"x{y"})"},
    {"a=x[y", R"({"a":"x[y"})"},
    {"a=~x|y^z", R"({"a":"~x|y^z"})"},
    {"a=*,b?", R"({"a":["*","b?"]})"},
    {"a=[1,[2,3],{b=4}]", R"({"a":["1",["2","3"],{"b":"4"}]})"},
    {"a.b/c#d:e-f_g=1", R"({"a.b/c#d:e-f_g":"1"})"},
    {"a=\xC3"
     "\xA9"
     "\xC2"
     "\xA0",
     "{\"a\":\"\xC3"
     "\xA9"
     "\"}"},
    {"a=\xC3"
     "\xA9"
     ",\xC3"
     "\xBC",
     "{\"a\":[\"\xC3"
     "\xA9"
     "\",\"\xC3"
     "\xBC"
     "\"]}"},
    {"a=$(b)`c`", R"({"a":"$(b)`c`"})"},
    {"a=]", R"({"a":"]"})"},
    {"a=}", R"({"a":"}"})"},
    {"a=b,}", R"({"a":["b","}"]})"},
    {R"(a="x")", R"({"a":"x"})"},
    {"a=''", R"({"a":""})"},
    {R"(a='b',"c",d)", R"({"a":["b","c","d"]})"},
};
// What that parser refuses.
constexpr const char* kRefused[] = {
    R"(Value="C:\",Key="x")",
    "Name=tag:Env,Values=test,Name=instance-state-name,Values=running",
    "Name=a,Values=b Name=c,Values=d",
    "Name=a,Values=b;Name=c,Values=d",
    "Name=a,Values=b\nName=c,Values=d",
    "a=b,a=c",
    "a=b,c=d,a=[]",
    "",
    "a",
    " a=b",
    "a==b",
    "a=b,",
    R"(a="b"c)",
    R"(a=x"y)",
    "a=x'y",
    "a=[a]b",
    "a={",
    "a=[",
    "a=[b",
    "a={b=c",
    "a={b",
    "a='b",
    R"(a="b)",
    "a=b]",
    "a=b}",
    "a=x[0]",
    "a={b=c]}",
    "a=b,c d=e",
    "a={b=1,2}",
    "a=b,[c]",
    "a=\x01",
    "a b=c",
    "\xC3"
    "\xA9"
    "=b",
    R"(a=b,c="d"e)",
    "{a=b}",
    "[a=b]",
    R"({"a": "b"})",
};

TEST(ParseShorthand, TakesWhatTheAwsCliTakes) {
  for (const auto& [text, json] : kTaken) {
    const auto parsed = ParseShorthand(text);
    EXPECT_EQ(parsed.ok() ? JsonText(*parsed) : MessageOf(parsed.status()), json) << text;
  }
}

TEST(ParseShorthand, RefusesWhatTheAwsCliRefuses) {
  for (const char* text : kRefused) EXPECT_FALSE(ParseShorthand(text).ok()) << text;
}

TEST(ParseShorthand, AKeyThatIsGivenTwiceIsNamed) {
  for (const char* text : {"Name=a,Values=b,Name=c,Values=d", "Name=a,Name=b", "x={Name=a,Name=b}"}) {
    EXPECT_THAT(MessageOf(ParseShorthand(text).status()), HasSubstr("the key \"Name\" is given twice")) << text;
  }
  EXPECT_THAT(MessageOf(ParseShorthand("Name=a,Values=b Name=c,Values=d").status()),
              HasSubstr("the key \"Values\" is given twice"));
}

// The AWS CLI takes the part behind `\,` for a key, and drops what is before it.
TEST(ParseShorthand, LosesNothingWhereTheAwsCliDoes) { EXPECT_FALSE(ParseShorthand("a=b,x\\,y=z").ok()); }

TEST(ParseShorthand, IsMilderWithEmptyValuesInBracesAndRareCharacters) {
  EXPECT_EQ(JsonText(ParseShorthand("Tags=[{Key=c,Value=},{Key=,Value=v}]").value()),
            R"({"Tags":[{"Key":"c","Value":""},{"Key":"","Value":"v"}]})");
  EXPECT_EQ(JsonText(ParseShorthand("a=\xF0\x9F\x98\x80").value()), "{\"a\":\"\xF0\x9F\x98\x80\"}");
}

TEST(ParseShorthand, SaysWhatWasExpectedAndWhere) {
  EXPECT_EQ(ParseShorthand("us-east-1a").status().message(), "expected Key=value at \"us-east-1a\"");
  EXPECT_EQ(ParseShorthand("").status().message(), "expected Key=value at the end");
  EXPECT_EQ(ParseShorthand("Tags=[{Key=k}").status().message(), "expected a comma or ] at the end");
  EXPECT_EQ(ParseShorthand("A='b").status().message(), "expected a closing quote of the text at \"'b\"");
  EXPECT_EQ(ParseShorthand("A=b}").status().message(), "expected a comma, or the end at \"}\"");
  EXPECT_EQ(ParseShorthand("A=b,").status().message(),
            "expected a value after the comma (an empty one is '') at the end");
}

TEST(ParseShorthand, RefusesNestingWithoutEnd) { EXPECT_FALSE(ParseShorthand("A=" + std::string(100'000, '[')).ok()); }

TEST(ParseStructures, EachWordIsShorthandOrJsonOrOneIsAListOfAll) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"Name=a", "Name=b"},
                                             {R"({"Name": "a"})", R"( {"Name":"b"})"},
                                             {"Name=a", R"({"Name": "b"})"},
                                             {R"( [{"Name":"a"}, {"Name":"b"}])"}}) {
    const auto structures = ParseStructures(words);
    ASSERT_THAT(structures, IsOk()) << words[0];
    ASSERT_EQ(structures->size(), 2u);
    EXPECT_EQ(JsonText((*structures)[0]) + JsonText((*structures)[1]), R"({"Name":"a"}{"Name":"b"})");
  }
  EXPECT_FALSE(ParseStructures({R"([{"Name":"a"}])", "Name=b"}).ok());
  EXPECT_FALSE(ParseStructures({R"({"Name":"a"},{"Name":"b"})"}).ok());
}

TEST(ParseTexts, EachWordAsItStandsOrOneJsonListOfThem) {
  EXPECT_THAT(ParseTexts({"a", "b=c,[d]"}).value(), ElementsAre("a", "b=c,[d]"));
  EXPECT_THAT(ParseTexts({R"( ["a", "b"])"}).value(), ElementsAre("a", "b"));
  EXPECT_THAT(ParseTexts({"[]"}).value(), ElementsAre());
  EXPECT_FALSE(ParseTexts({"[1]"}).ok());
  EXPECT_FALSE(ParseTexts({"[a]"}).ok());
}

}  // namespace
}  // namespace hapax::ctl
