#include "hapax/server/doors/openstack/json_text.h"

#include <string>

#include "gtest/gtest.h"

namespace hapax::openstack {
namespace {

TEST(JsonObject, MembersStayInOrder) {
  const JsonObject inner = JsonObject().Bool("b", true);
  EXPECT_EQ(JsonObject()
                .Text("t", "x")
                .Number("n", -5)
                .Null("z")
                .Object("o", inner)
                .Objects("l", {inner, JsonObject()})
                .Texts("s", {"a", "b"})
                .Texts("e", {})
                .ToText(),
            R"({"t":"x","n":-5,"z":null,"o":{"b":true},"l":[{"b":true},{}],"s":["a","b"],"e":[]})");
}

TEST(JsonObject, WhatAStringCannotHoldIsEscaped) {
  EXPECT_EQ(JsonObject().Text("a\"", std::string("\\ \"\n\t\0\x7F \u00E9", 10)).ToText(),
            R"({"a\"":"\\ \"\n\u0009\u0000\u007f )"
            "\u00E9"
            R"("})");
}

TEST(JsonObject, WhatIsNotUtf8IsReplaced) {
  const auto text = [](const std::string& value) {
    const std::string json = JsonObject().Text("t", value).ToText();
    return json.substr(6, json.size() - 8);
  };
  for (const char* good :
       {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(text(good), good);
  }
  EXPECT_EQ(text("a\xFF z"), "a\\ufffd z");
  EXPECT_EQ(text("\xC3"), "\\ufffd");
  EXPECT_EQ(text("\xC0\x80"), "\\ufffd\\ufffd");
  EXPECT_EQ(text("\xE0\x9F\xBF"), "\\ufffd\\ufffd\\ufffd");
  EXPECT_EQ(text("\xED\xA0\x80"), "\\ufffd\\ufffd\\ufffd");
  EXPECT_EQ(text("\xF4\x90\x80\x80"), "\\ufffd\\ufffd\\ufffd\\ufffd");
}

}  // namespace
}  // namespace hapax::openstack
