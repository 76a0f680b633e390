#include "hapax/server/doors/yandex/filter.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::yandex {
namespace {

using testing::HasSubstr;

// Such as "tag:Name=a,b;host-id=h".
std::string Conditions(std::string_view expression) {
  compute::v1::DescribeInstancesRequest request;
  EXPECT_THAT(AddFilter(expression, request), IsOk()) << expression;
  std::string all;
  for (const auto& filter : request.filters()) {
    all += (all.empty() ? "" : ";") + filter.name() + "=";
    for (const std::string& value : filter.values()) all += (all.ends_with('=') ? "" : ",") + value;
  }
  return all;
}

TEST(Filter, ConditionsAreFiltersOfInstances) {
  EXPECT_EQ(Conditions(""), "");
  EXPECT_EQ(Conditions(R"(name = "web")"), "tag:Name=web");
  EXPECT_EQ(Conditions(R"(name='web')"), "tag:Name=web");
  EXPECT_EQ(Conditions(R"( name IN ("a" ,"b") and  zone_id="z")"), "tag:Name=a,b;availability-zone=z");
  EXPECT_EQ(Conditions(R"(status in ("RUNNING","DELETING") AND platform_id="t" AND host_id="h")"),
            "instance-state-name=running,shutting-down;instance-type=t;host-id=h");
}

TEST(Filter, NoCharacterOfAValueIsAWildcard) {
  EXPECT_EQ(Conditions(R"(name="a*b?c")"), R"(tag:Name=a\*b\?c)");
  EXPECT_EQ(Conditions(R"(name="a\"b\\c")"), R"(tag:Name=a"b\\c)");
}

TEST(Filter, WhatIsWrongIsToldByItsPlace) {
  const std::pair<std::string, std::string> cases[] = {
      {"x", "at byte 1 name, status"},
      {"id = \"a\"", "name, status"},
      {"name", "= or IN"},
      {"name != \"a\"", "= or IN"},
      {"name = web", "in quotes"},
      {"name = \"web", "no closing quote"},
      {"name = \"web\\", "no closing quote"},
      {"name = \"web'", "no closing quote"},
      {"name IN \"web\"", "( is expected"},
      {"name IN ()", "in quotes"},
      {"name IN (\"a\"", ", or )"},
      {"name = \"a\" OR name = \"b\"", "AND, or nothing more"},
      {"name = \"a\" AND", "name, status"},
      {"status = \"running\"", "a status is"},
      {"status = \"ERROR\"", "a status is"},
      {std::string("name = \"a\0\"", 11), "no NUL"},
      {"name = \"" + std::string(1000, 'x') + "\"", "at most 1000 bytes"},
  };
  for (const auto& [expression, says] : cases) {
    compute::v1::DescribeInstancesRequest request;
    const absl::Status status = AddFilter(expression, request);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(says))) << expression;
    EXPECT_THAT(std::string(status.message()), testing::StartsWith("filter: ")) << expression;
  }
}

}  // namespace
}  // namespace hapax::yandex
