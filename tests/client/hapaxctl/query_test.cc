#include "hapax/client/hapaxctl/output/query.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::ctl {
namespace {

using ::testing::HasSubstr;

constexpr char kReply[] =
    "{\"instances\":[{\"instanceId\":\"i-1\",\"state\":\"RUNNING\",\"launchTime\":\"2026-01-02\",\"tags\":{\"Name\":"
    "\"web\",\"team\":\"a\"},\"n\":3},{\"instanceId\":\"i-2\",\"state\":\"STOPPED\",\"launchTime\":\"2025-01-02\","
    "\"tags\":{},\"n\":10},{\"instanceId\":\"i-3\",\"state\":\"RUNNING\",\"launchTime\":\"2026-03-04\",\"tags\":{"
    "\"Name\":\"db\"},\"n\":-1,\"x\":null}],\"nextPageToken\":\"\",\"nested\":[[1,[2]],[3],4],\"numbers\":[3,1.5,2],"
    "\"words\":[\"b\",\"a\",\"\xC3\xA9\"],\"ok\":true,\"odd-name\":{\"a b\":1},\"empty\":[]}";

struct Found {
  const char* query;
  const char* json;
};
// What jmespath, on which the AWS CLI rests, finds in kReply: jmespath.search(query, reply), as JSON.
constexpr Found kFound[] = {
    {"instances",
     R"([{"instanceId":"i-1","state":"RUNNING","launchTime":"2026-01-02","tags":{"Name":"web","team":"a"},"n":3},{"instanceId":"i-2","state":"STOPPED","launchTime":"2025-01-02","tags":{},"n":10},{"instanceId":"i-3","state":"RUNNING","launchTime":"2026-03-04","tags":{"Name":"db"},"n":-1,"x":null}])"},
    {"instances[].instanceId", R"(["i-1","i-2","i-3"])"},
    {"instances[*].instanceId", R"(["i-1","i-2","i-3"])"},
    {"instances[0]",
     R"({"instanceId":"i-1","state":"RUNNING","launchTime":"2026-01-02","tags":{"Name":"web","team":"a"},"n":3})"},
    {"instances[-1].instanceId", R"("i-3")"},
    {"instances[7]", "null"},
    {"instances[0].tags.Name", R"("web")"},
    {"instances[].tags.Name", R"(["web","db"])"},
    {"instances[?state=='RUNNING'].instanceId", R"(["i-1","i-3"])"},
    {"instances[?state==`RUNNING`].instanceId", R"(["i-1","i-3"])"},
    {R"(instances[?state==`"RUNNING"`].[instanceId,n])", R"([["i-1",3],["i-3",-1]])"},
    {"instances[?n > `2` && n <= `10`].n", "[3,10]"},
    {"instances[?!(n > `2`)].n", "[-1]"},
    {"instances[?state=='RUNNING' || n == `10`] | [1].instanceId", R"("i-2")"},
    {"instances[?launchTime >= '2026'].instanceId", R"(["i-1","i-3"])"},
    {"instances[?tags.Name].instanceId", R"(["i-1","i-3"])"},
    {"instances[?tags.team=='a'] | [0].instanceId", R"("i-1")"},
    {"instances[?contains(instanceId, '-2')].instanceId", R"(["i-2"])"},
    {"instances[?starts_with(tags.Name || '', 'w')].instanceId", R"(["i-1"])"},
    {"instances[?x==null].instanceId", R"(["i-1","i-2","i-3"])"},
    {"instances[?x==`null`].instanceId", R"(["i-1","i-2","i-3"])"},
    {"instances[].{Id: instanceId, Name: tags.Name}",
     R"([{"Id":"i-1","Name":"web"},{"Id":"i-2","Name":null},{"Id":"i-3","Name":"db"}])"},
    {"instances[].[instanceId, state]", R"([["i-1","RUNNING"],["i-2","STOPPED"],["i-3","RUNNING"]])"},
    {"instances[*].[instanceId, state][]", R"(["i-1","RUNNING","i-2","STOPPED","i-3","RUNNING"])"},
    {"instances[].tags.*", R"([["web","a"],[],["db"]])"},
    {"instances[*].tags | [].keys(@)", R"([["Name","team"],[],["Name"]])"},
    {"{count: length(instances), first: instances[0].instanceId}", R"({"count":3,"first":"i-1"})"},
    {"[length(instances), ok]", "[3,true]"},
    {"length(instances[?state=='RUNNING'])", "2"},
    {"sort_by(instances, &n)[].instanceId", R"(["i-3","i-1","i-2"])"},
    {"sort_by(instances, &launchTime)[-1].instanceId", R"("i-3")"},
    {"reverse(sort_by(instances, &instanceId))[0].instanceId", R"("i-3")"},
    {"max_by(instances, &n).instanceId", R"("i-2")"},
    {"min_by(instances, &n).instanceId", R"("i-3")"},
    {"max(numbers)", "3"},
    {"min(words)", R"("a")"},
    {"max(empty)", "null"},
    {"sum(numbers)", "6.5"},
    {"avg(numbers)", "2.1666666666666665"},
    {"avg(empty)", "null"},
    {"sort(numbers)", "[1.5,2,3]"},
    {"sort(words)", "[\"a\",\"b\",\"\xC3\xA9\"]"},
    {"join(',', words)", "\"b,a,\xC3\xA9\""},
    {"join(', ', instances[].instanceId)", R"("i-1, i-2, i-3")"},
    {"keys(instances[0].tags)", R"(["Name","team"])"},
    {"values(instances[0].tags)", R"(["web","a"])"},
    {"map(&n, instances)", "[3,10,-1]"},
    {"map(&x, instances)", "[null,null,null]"},
    {"not_null(nothing, ok)", "true"},
    {"not_null(nothing)", "null"},
    {"merge(instances[0].tags, {team: 'b', z: `1`})", R"({"Name":"web","team":"b","z":1})"},
    {"to_string(numbers)", R"("[3,1.5,2]")"},
    {"to_string('a')", R"("a")"},
    {"to_number('12')", "12"},
    {"to_number('x')", "null"},
    {"to_number(ok)", "null"},
    {"to_array('a')", R"(["a"])"},
    {"to_array(words)", "[\"b\",\"a\",\"\xC3\xA9\"]"},
    {"type(@)", R"("object")"},
    {"type(nothing)", R"("null")"},
    {"type(numbers[0])", R"("number")"},
    {"abs(instances[2].n)", "1"},
    {"ceil(`1.2`)", "2"},
    {"floor(`-1.2`)", "-2"},
    {"ends_with('abc', 'bc')", "true"},
    {"contains(words, 'a')", "true"},
    {"contains(numbers, `1.5`)", "true"},
    {"reverse('ab\xC3\xA9')",
     "\"\xC3\xA9"
     "ba\""},
    {"length('ab\xC3\xA9')", "3"},
    {"length(instances[0].tags)", "2"},
    {"nested[]", "[1,[2],3,4]"},
    {"nested[][]", "[1,2,3,4]"},
    {"nested[*][0]", "[1,3]"},
    {"nested[0][1][0]", "2"},
    {"nested[0:2]", "[[1,[2]],[3]]"},
    {"numbers[::-1]", "[2,1.5,3]"},
    {"numbers[1:]", "[1.5,2]"},
    {"numbers[:2]", "[3,1.5]"},
    {"numbers[-2:]", "[1.5,2]"},
    {"numbers[:-1]", "[3,1.5]"},
    {"numbers[5:]", "[]"},
    {"numbers[::2]", "[3,2]"},
    {"numbers[10:0:-1]", "[2,1.5]"},
    {"instances[:2].instanceId", R"(["i-1","i-2"])"},
    {"instances[0:2].tags.Name", R"(["web"])"},
    {"instances[::-1][].n", "[-1,10,3]"},
    {R"("odd-name"."a b")", "1"},
    {R"("odd-name")", R"({"a b":1})"},
    {R"("instances"[0]."instanceId")", R"("i-1")"},
    {"@",
     "{\"instances\":[{\"instanceId\":\"i-1\",\"state\":\"RUNNING\",\"launchTime\":\"2026-01-02\",\"tags\":{\"Name\":"
     "\"web\",\"team\":\"a\"},\"n\":3},{\"instanceId\":\"i-2\",\"state\":\"STOPPED\",\"launchTime\":\"2025-01-02\","
     "\"tags\":{},\"n\":10},{\"instanceId\":\"i-3\",\"state\":\"RUNNING\",\"launchTime\":\"2026-03-04\",\"tags\":{"
     "\"Name\":\"db\"},\"n\":-1,\"x\":null}],\"nextPageToken\":\"\",\"nested\":[[1,[2]],[3],4],\"numbers\":[3,1.5,2],"
     "\"words\":[\"b\",\"a\",\"\xC3\xA9\"],\"ok\":true,\"odd-name\":{\"a b\":1},\"empty\":[]}"},
    {"@.ok", "true"},
    {"ok", "true"},
    {"!ok", "false"},
    {"!empty", "true"},
    {"nothing", "null"},
    {"nothing.deeper", "null"},
    {"nothing[0]", "null"},
    {"nothing[]", "null"},
    {"nothing[*].a", "null"},
    {"nothing[?a]", "null"},
    {"words.a", "null"},
    {"ok.*", "null"},
    {"*.Name", "[]"},
    {"*[0]",
     R"([{"instanceId":"i-1","state":"RUNNING","launchTime":"2026-01-02","tags":{"Name":"web","team":"a"},"n":3},[1,[2]],3,"b"])"},
    {"instances[*].*",
     R"([["i-1","RUNNING","2026-01-02",{"Name":"web","team":"a"},3],["i-2","STOPPED","2025-01-02",{},10],["i-3","RUNNING","2026-03-04",{"Name":"db"},-1]])"},
    {"instances[*].n | sum(@)", "12"},
    {"instances[*] | [?n > `0`] | [*].n", "[3,10]"},
    {R"(`[1, {"a": 2}]`)", R"([1,{"a":2}])"},
    {R"(`[1, {"a": 2}]` | [1].a)", "2"},
    {R"('it\'s')", R"("it's")"},
    {"`1` == `1.0`", "true"},
    {"`true` == ok", "true"},
    {"'a' < 'b'", "true"},
    {"[ok, nothing]", "[true,null]"},
    {"empty || 'none'", R"("none")"},
    {"ok && 'yes'", R"("yes")"},
    {"(empty || words)[0]", R"("b")"},
    {"instances[?instanceId=='i-1' || instanceId=='i-3' && n > `5`].instanceId", R"(["i-1"])"},
    {"instances[].instanceId | [0]", R"("i-1")"},
    {"instances[].instanceId[0]", "[]"},
    {"( instances [ * ] . n )", "[3,10,-1]"},
    {"a.b.c", "null"},
    {R"(instances[*].{a: n, "b c": tags}[?a > `0`])", R"([{"a":3,"b c":{"Name":"web","team":"a"}},{"a":10,"b c":{}}])"},
    {"instances[].tags[].Name", R"(["web","db"])"},
    {"instances[*].tags[*]", "[]"},
    {"length(@)", "8"},
};
// Functions that are given what jmespath's do not take.
constexpr const char* kWrongArguments[] = {
    "instances[?n==max(@)] | length(@)",
    "sort_by(instances, &nothing)",
    "sort(instances)",
    "sum(words)",
    "join(',', numbers)",
    "length(ok)",
    "abs('a')",
    "keys(words)",
    "to_number()",
    "length(a, b)",
    "sort_by(instances, n)",
    "contains(ok, 'a')",
    "merge(ok)",
    "map(n, instances)",
    "numbers[::0]",
};
// What jmespath does not compile.
constexpr const char* kNoQueries[] = {
    "",           "instances[", "instances[?", "instances[?n", "instances]", "foo bar",
    "foo.",       ".foo",       "foo..bar",    "foo[a]",       "[",          "{",
    "{a}",        "{a: }",      "{a b}",       "foo(",         "nope(@)",    "length(@",
    "length(@))", "'abc",       R"("abc)",     "`abc",         "a = b",      "a === b",
    "a ||",       "&& a",       "a[1:2:3:4]",  "a[-]",         "#",          R"("length"(@))",
    "a.1",        "a.[",        "a b c",       "foo[*",        "foo[?a==]",  "1",
    "a[0",        "a[1 2]",     "a.'b'",       "a.`b`",
};

absl::StatusOr<JsonValue> Search(const std::string& query) {
  const absl::StatusOr<Query> compiled = Query::Of(query);
  if (!compiled.ok()) return compiled.status();
  return compiled->Search(ParseJson(kReply).value());
}

TEST(Query, FindsWhatTheAwsCliFinds) {
  for (const auto& [query, json] : kFound) {
    const absl::StatusOr<JsonValue> found = Search(query);
    const absl::StatusOr<JsonValue> expected = ParseJson(json);
    ASSERT_THAT(expected, IsOk()) << json;
    EXPECT_THAT(found, IsOk()) << query;
    EXPECT_TRUE(found.ok() && *found == *expected) << query << "\n"
                                                   << (found.ok() ? JsonText(*found) : "") << "\n"
                                                   << json;
  }
}

TEST(Query, FunctionsRefuseWhatTheyDoNotTake) {
  for (const char* query : kWrongArguments) EXPECT_FALSE(Search(query).ok()) << query;
  EXPECT_EQ(Search("length(ok)").status().message(), "length(): argument 1 cannot be of type boolean");
  EXPECT_EQ(Search("to_number()").status().message(), "to_number(): takes 1 argument");
}

TEST(Query, RefusesWhatIsNoQueryBeforeAnythingIsAsked) {
  for (const char* query : kNoQueries) EXPECT_FALSE(Query::Of(query).ok()) << query;
  EXPECT_EQ(Query::Of("a[?b").status().message(), "expected ] at the end");
  EXPECT_EQ(Query::Of("a.[b]]").status().message(), "expected the end at \"]\"");
  EXPECT_THAT(std::string(Query::Of("nope(@)").status().message()), HasSubstr("a function of JMESPath"));
}

TEST(Query, RefusesNestingAndLengthWithoutEnd) {
  for (const char* part : {"(", "[", "!", "a[?", "&", "{a:", "a||(", "a."}) {
    std::string query;
    for (int i = 0; i < 20'000; ++i) query += part;
    EXPECT_FALSE(Query::Of(query + "a").ok()) << part;
  }
}

}  // namespace
}  // namespace hapax::ctl
