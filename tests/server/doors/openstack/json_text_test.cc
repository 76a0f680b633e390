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

}  // namespace
}  // namespace hapax::openstack
