#include "hapax/client/hapaxctl/output/text.h"

#include <string>

#include "gtest/gtest.h"

namespace hapax::ctl {
namespace {

struct Written {
  const char* json;
  const char* text;
};
// What the AWS CLI writes: awscli.text.format_text(value, stream).
constexpr Written kWritten[] = {
    {"{}", ""},
    {"[]", ""},
    {R"("a")", "a\n"},
    {"null", "None\n"},
    {"true", "True\n"},
    {"false", "False\n"},
    {"1", "1\n"},
    {"1.5", "1.5\n"},
    {"[1,2]", "1\t2\n"},
    {"[[1,2],[3]]", "1\t2\n3\n"},
    {"[1,[2,3]]", "1\n2\t3\n"},
    {R"({"b":1,"a":"x"})", "x\t1\n"},
    {R"({"a":[1,2]})", "A\t1\nA\t2\n"},
    {R"({"a":{"b":1}})", "A\t1\n"},
    {R"({"a":{"b":{"c":1}}})", "B\t1\n"},
    {R"([{"a":1},{"b":2}])", "1\t\n\t2\n"},
    {R"([{"a":1,"c":[1]},{"a":2}])", "1\nC\t1\n2\n"},
    {R"({"list":[{"id":"i-1","tags":{"k":"v"},"ids":["x","y"]},{"id":"i-2","state":"s"}]})",
     "LIST\ti-1\t\nIDS\tx\nIDS\ty\nTAGS\tv\nLIST\ti-2\ts\n"},
    {R"([["i-1","running"],["i-2",null]])", "i-1\trunning\ni-2\tNone\n"},
    {"[null,true]", "None\tTrue\n"},
    {R"({"a":"multi\nline"})", "multi\nline\n"},
    {R"(["",""])", "\t\n"},
    {R"({"a":[]})", ""},
    {R"({"a":{}})", ""},
    {"[[[1]]]", "1\n"},
    {R"({"m":[[1,2],[3]]})", "M\t1\nM\t2\nM\t3\n"},
};

TEST(ToText, IsLaidOutAsTheAwsCliDoes) {
  for (const auto& [json, text] : kWritten) EXPECT_EQ(ToText(ParseJson(json).value()), text) << json;
}

}  // namespace
}  // namespace hapax::ctl
