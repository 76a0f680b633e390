#include "hapax/client/wire/endpoint.h"

#include <map>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/wire/connection.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CheckEndpoint, TakesWhatGrpcUnderstands) {
  for (const char* endpoint :
       {"127.0.0.1:50051", "localhost:1", "a.example:65535", "my_host-1:80", "a.example.:1", "[::1]:50051",
        "[fe80::1%eth0]:1", "dns:a.example:1", "dns:///a.example:1", "dns://8.8.8.8/a.example:1", "dns:///[::1]:1",
        "ipv4:10.0.0.1:1", "ipv6:[::1]:1", "unix:a.socket", "unix:/run/hapax.sock", "unix:///run/hapax.sock",
        "unix-abstract:hapax"}) {
    EXPECT_THAT(CheckEndpoint(endpoint), IsOk()) << endpoint;
  }
}

TEST(CheckEndpoint, RefusesTheRestAndNamesFieldValueAndWhatIsAllowed) {
  for (const char* endpoint : {"",
                               ":",
                               ":1",
                               "localhost",
                               "127.0.0.1",
                               "localhost:",
                               "localhost:0",
                               "localhost:65536",
                               "localhost:http",
                               "localhost:+1",
                               "a b:1",
                               "a:1:2",
                               "::1:50051",
                               "[]:1",
                               "[::1]",
                               "[::g]:1",
                               "[a.example]:1",
                               "256.0.0.1:1",
                               "1.2.3:1",
                               ".a:1",
                               "a/b:1",
                               "http://127.0.0.1:50051",
                               "https://a.example:1",
                               "grpc://a:1",
                               "HTTP://a:1/",
                               "dns:///a.example",
                               "dns:50051",
                               "dns://a.example:1",
                               "ipv4:a.example:1",
                               "ipv4:10.0.0.1",
                               "ipv4:10.0.0.1:1,",
                               "a:1,b:2",
                               "ipv4:[::1]:1",
                               "ipv6:::1:1",
                               "ipv6:[10.0.0.1]:1",
                               "unix:",
                               "unix://run/hapax.sock",
                               "unix:/",
                               "unix:/a?b",
                               "unix:/a#b",
                               "unix:/a b",
                               "unix:/a,b",
                               "unix-abstract:",
                               "a:1\n",
                               "\xc3\xa4:1"}) {
    EXPECT_THAT(CheckEndpoint(endpoint),
                StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("endpoint \""), HasSubstr("must be HOST:PORT"))))
        << endpoint;
  }
  EXPECT_THAT(CheckEndpoint("unix:/" + std::string(107, 'x')), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckEndpoint(std::string_view("ipv4:1.2.3.4\0x:1", 16)), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckEndpoint("http://a:1"),
              StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("\"http://a:1\""), HasSubstr("URL"))));
}

TEST(ParseEndpoints, CommasSeparateSeveral) {
  EXPECT_THAT(ParseEndpoints("a.example:1"), IsOkAndHolds(ElementsAre("a.example:1")));
  EXPECT_THAT(ParseEndpoints("a.example:1,[::1]:2,unix:/run/c"),
              IsOkAndHolds(ElementsAre("a.example:1", "[::1]:2", "unix:/run/c")));
  EXPECT_THAT(ParseEndpoints("ipv4:10.0.0.1:1,10.0.0.2:1"), IsOkAndHolds(ElementsAre("ipv4:10.0.0.1:1", "10.0.0.2:1")))
      << "as gRPC writes a list";
  EXPECT_THAT(ParseEndpoints("a:1,a:2"), IsOk());
}

TEST(ParseEndpoints, NamesTheEntryThatIsRefused) {
  const auto refused = [](const std::string& entry, const std::string& list) {
    return StatusIs(StatusCode::kInvalidArgument,
                    AllOf(HasSubstr("endpoint \"" + entry + "\": must be HOST:PORT"), HasSubstr("\"" + list + "\"")));
  };
  for (const auto& [list, entry] : std::map<std::string, std::string>{{"a:1,", ""},
                                                                      {",a:1", ""},
                                                                      {"a:1,,b:1", ""},
                                                                      {"a:1,b", "b"},
                                                                      {"a:1, b:1", " b:1"},
                                                                      {"a:1;b:1", "a:1;b:1"},
                                                                      {"a:1,http://b:1", "http://b:1"}}) {
    EXPECT_THAT(ParseEndpoints(list), refused(entry, list));
  }
}

TEST(ParseEndpoints, EachServerIsNamedOnce) {
  for (const char* list : {"a:1,b:1,a:1", "a:1,A:1", "a:1,dns:///a:1", "10.0.0.1:1,ipv4:10.0.0.1:1",
                           "[::1]:1,ipv6:[::1]:1", "unix:/a,unix:/a"}) {
    EXPECT_THAT(ParseEndpoints(list), StatusIs(StatusCode::kInvalidArgument, HasSubstr("is the same as"))) << list;
  }
}

TEST(ParseEndpoints, HasALimit) {
  std::string list = "a:1";
  for (size_t i = 2; i <= kMaxEndpoints; ++i) absl::StrAppend(&list, ",a:", i);
  EXPECT_THAT(ParseEndpoints(list), IsOk());
  EXPECT_THAT(ParseEndpoints(list + ",a:17"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most 16")));
}

TEST(ParseEndpoints, IsAskedByConnect) {
  EXPECT_THAT(Connect({.endpoint = "a.example:1,b.example:1"}), IsOk());
  for (const char* endpoint : {"", "http://127.0.0.1:50051", "127.0.0.1", "a:1,b", "a:1,a:1"}) {
    EXPECT_THAT(Connect({.endpoint = endpoint}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("endpoint \"")))
        << endpoint;
  }
}

TEST(HostOf, IsTheHostAlone) {
  EXPECT_EQ(HostOf("a.example:1"), "a.example");
  EXPECT_EQ(HostOf("[::1]:1"), "::1");
  EXPECT_EQ(HostOf("dns:///localhost:1"), "localhost");
  EXPECT_EQ(HostOf("dns://8.8.8.8/a.example:1"), "a.example");
  EXPECT_EQ(HostOf("ipv4:10.0.0.1:1"), "10.0.0.1");
  EXPECT_EQ(HostOf("ipv6:[::1]:1"), "::1");
  EXPECT_EQ(HostOf("unix:/run/a:1"), "");
}

}  // namespace
}  // namespace hapax::client
