#include "hapax/client/hapaxctl/output/json_value.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::ctl {
namespace {

using ::testing::HasSubstr;

std::string MessageOf(const std::string& text) { return std::string(ParseJson(text).status().message()); }

TEST(ParseJson, ReadsEveryKindOfValueAndPrintsItAgain) {
  for (const char* text : {"null", "true", "false", "0", "-1.50e+3", "1E2", R"("")", R"("a\"\\\n\t\ré")", "[]", "{}",
                           R"([1,"a",[null],{"b":{}}])", R"({"z":1,"a":[true,false]})"}) {
    const auto value = ParseJson(std::string(" \n") + text + "\t");
    ASSERT_THAT(value, IsOk()) << text;
    EXPECT_EQ(JsonText(*value), text);
  }
}

TEST(ParseJson, EscapesAreCharacters) {
  EXPECT_EQ(*ParseJson(R"("\u00e9\/\b\f\ud83d\ude00")")->text(), "\xC3\xA9/\b\f\xF0\x9F\x98\x80");
  EXPECT_EQ(JsonText(JsonValue(std::string("\x01\x7F"))), R"("\u0001\u007f")");
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  for (const char* text :
       {"",           "a",        "'a'",      "{a:1}",     "{'a':1}",     R"({"a":1,})",  "[1,]",        "[1 2]",
        R"({"a" 1})", "01",       "1.",       "+1",        ".5",          "1e",           "nul",         "true false",
        R"("a)",      "\"a\nb\"", R"("\x")",  R"("\u12")", R"("\ud83d")", R"("\ud83dx")", R"("\ude00")", "NaN",
        "[",          "{",        "\"\xFF\"", "1e999"}) {
    EXPECT_FALSE(ParseJson(text).ok()) << text;
  }
  EXPECT_FALSE(ParseJson(std::string(100'000, '[')).ok());
}

TEST(ParseJson, SaysWhatIsWrong) {
  EXPECT_EQ(MessageOf(R"({"a": 1, "a": 2})"), "JSON: \"a\" is given twice");
  EXPECT_EQ(MessageOf(R"({"Name": a})"), "JSON: expected a value at \"a}\"");
  EXPECT_THAT(MessageOf("\xFF"), HasSubstr("UTF-8"));
}

TEST(JsonLines, IsLaidOutAsReplies) {
  EXPECT_EQ(JsonLines(ParseJson(R"({"a":[1,{"b":2}],"c":[],"d":{}})").value()),
            "{\n \"a\": [\n  1,\n  {\n   \"b\": 2\n  }\n ],\n \"c\": [],\n \"d\": {}\n}");
}

TEST(JsonValue, ObjectsAreEqualInAnyOrderAndNumbersByValue) {
  EXPECT_EQ(ParseJson(R"({"a":1,"b":[2]})").value(), ParseJson(R"({"b":[2.0],"a":1e0})").value());
  EXPECT_FALSE(ParseJson(R"({"a":1})").value() == ParseJson(R"({"a":1,"b":1})").value());
  EXPECT_FALSE(ParseJson("0").value() == ParseJson("false").value());
}

TEST(JsonValue, NumbersPrintAsShortAsTheyAre) {
  EXPECT_EQ(JsonText(JsonValue::OfNumber(3)), "3");
  EXPECT_EQ(JsonText(JsonValue::OfNumber(-0.1)), "-0.1");
  EXPECT_EQ(JsonText(JsonValue::OfNumber(1.0 / 3)), "0.33333333333333331");
}

}  // namespace
}  // namespace hapax::ctl
