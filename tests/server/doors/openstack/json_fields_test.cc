#include "hapax/server/doors/openstack/json_fields.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hapax::openstack {
namespace {

using testing::HasSubstr;

JsonFields Parsed(const std::string& text) { return JsonFields::Parse(text).value(); }

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(JsonFields, FieldsAreTakenByName) {
  JsonFields body = Parsed(R"({"t": "x", "n": 2, "m": "3", "b": true, "c": "False", "o": {"a": {"b": "c"}}, "z": null,
                               "l": [{"k": "v"}]})");
  EXPECT_EQ(body.RequiredText("t"), "x");
  EXPECT_EQ(body.Count("n"), 2);
  EXPECT_EQ(body.Count("m"), 3);
  EXPECT_TRUE(body.Bool("b"));
  EXPECT_FALSE(body.Bool("c"));
  JsonFields object = body.RequiredObject("o");
  EXPECT_EQ(object.Texts("a", 1).at("b"), "c");
  EXPECT_TRUE(object.Finish().ok());
  EXPECT_FALSE(body.Has("z"));
  EXPECT_EQ(body.Text("z"), "");
  EXPECT_EQ(body.Objects("l", 1).at(0).Text("k"), "v");
  EXPECT_EQ(body.Count("missing"), 0);
  EXPECT_TRUE(body.Finish().ok());
}

TEST(JsonFields, WhatNobodyTookIsNamedUnlessItIsNull) {
  JsonFields body = Parsed(R"({"a": {"y": 1, "x": [], "w": null}})");
  JsonFields object = body.Object("a");
  EXPECT_THAT(Message(object.Finish()), HasSubstr("a.x: is not supported"));
  EXPECT_THAT(Message(body.Finish()), HasSubstr("a.x: is not supported"));  // The first error stays.
  JsonFields nulls = Parsed(R"({"w": null})");
  EXPECT_TRUE(nulls.Finish().ok());
}

TEST(JsonFields, WrongValuesAreNamedByTheirPath) {
  struct Case {
    std::string text;
    void (*take)(JsonFields& body);
    std::string message;
  };
  const Case cases[] = {
      {R"({"a": 1})", [](JsonFields& body) { static_cast<void>(body.Text("a")); }, "a: must be a text"},
      {"{}", [](JsonFields& body) { static_cast<void>(body.RequiredText("a")); }, "a: is required"},
      {R"({"a": ""})", [](JsonFields& body) { static_cast<void>(body.RequiredText("a")); }, "a: is required"},
      {R"({"a": 0})", [](JsonFields& body) { static_cast<void>(body.Count("a")); }, "a: must be a whole number"},
      {R"({"a": 1.5})", [](JsonFields& body) { static_cast<void>(body.Count("a")); }, "a: must be a whole number"},
      {R"({"a": 1e300})", [](JsonFields& body) { static_cast<void>(body.Count("a")); }, "a: must be a whole number"},
      {R"({"a": "-1"})", [](JsonFields& body) { static_cast<void>(body.Count("a")); }, "a: must be a whole number"},
      {R"({"a": []})", [](JsonFields& body) { static_cast<void>(body.Count("a")); }, "a: must be a whole number"},
      {R"({"a": "yes"})", [](JsonFields& body) { static_cast<void>(body.Bool("a")); }, "a: must be true or false"},
      {R"({"a": []})", [](JsonFields& body) { static_cast<void>(body.Object("a")); }, "a: must be an object"},
      {"{}", [](JsonFields& body) { static_cast<void>(body.RequiredObject("a")); }, "a: is required"},
      {R"({"a": {}})", [](JsonFields& body) { static_cast<void>(body.Objects("a", 1)); }, "a: must be a list"},
      {R"({"a": [{}, 1]})", [](JsonFields& body) { static_cast<void>(body.Objects("a", 2)); },
       "a[1]: must be an object"},
      {R"({"a": [{}, {}]})", [](JsonFields& body) { static_cast<void>(body.Objects("a", 1)); },
       "a: must have at most 1"},
      {R"({"a": {"b": 1}})", [](JsonFields& body) { static_cast<void>(body.Texts("a", 1)); }, "a.b: must be a text"},
      {R"({"a": {"b": "", "c": ""}})", [](JsonFields& body) { static_cast<void>(body.Texts("a", 1)); },
       "a: must have at most 1"},
  };
  for (const auto& [text, take, message] : cases) {
    JsonFields body = Parsed(text);
    take(body);
    EXPECT_THAT(Message(body.Finish()), HasSubstr(message)) << text;
  }
}

TEST(JsonFields, WhatIsNoObjectIsRefused) {
  const std::string deep = R"({"a":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
  const std::string objects = [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += R"({"a":)";
    return text + "1" + std::string(1000, '}');
  }();
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("null"), std::string("{"), std::string(R"({"a": 1, "a": 2})"),
        std::string("{\"a\": \"\xFF\"}"), deep, objects, std::string(kMaxBodyBytes + 1, ' ')}) {
    EXPECT_EQ(JsonFields::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text.substr(0, 50);
  }
}

}  // namespace
}  // namespace hapax::openstack
