#include "hapax/client/wire/endpoint.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/client/wire/connection.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::client {
namespace {

using ::absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(CheckEndpoint, TakesWhatGrpcUnderstands) {
  for (const char* endpoint :
       {"127.0.0.1:50051", "localhost:1", "a.example:65535", "my_host-1:80", "a.example.:1", "[::1]:50051",
        "[fe80::1%eth0]:1", "dns:a.example:1", "dns:///a.example:1", "dns://8.8.8.8/a.example:1", "dns:///[::1]:1",
        "ipv4:10.0.0.1:1", "ipv4:10.0.0.1:1,10.0.0.2:2", "ipv6:[::1]:1", "ipv6:[::1]:1,[::2]:2", "unix:a.socket",
        "unix:/run/hapax.sock", "unix:///run/hapax.sock", "unix-abstract:hapax"}) {
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
                               "ipv4:[::1]:1",
                               "ipv6:::1:1",
                               "ipv6:[10.0.0.1]:1",
                               "unix:",
                               "unix://run/hapax.sock",
                               "unix:/",
                               "unix:/a?b",
                               "unix:/a#b",
                               "unix:/a b",
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

TEST(CheckEndpoint, IsAskedByConnect) {
  for (const char* endpoint : {"", "http://127.0.0.1:50051", "127.0.0.1"}) {
    EXPECT_THAT(Connect({.endpoint = endpoint}), StatusIs(StatusCode::kInvalidArgument, HasSubstr("endpoint \"")))
        << endpoint;
  }
}

TEST(HostOf, IsTheHostAlone) {
  EXPECT_EQ(HostOf("a.example:1"), "a.example");
  EXPECT_EQ(HostOf("[::1]:1"), "::1");
  EXPECT_EQ(HostOf("dns:///localhost:1"), "localhost");
  EXPECT_EQ(HostOf("dns://8.8.8.8/a.example:1"), "a.example");
  EXPECT_EQ(HostOf("ipv4:10.0.0.1:1,10.0.0.2:2"), "10.0.0.1");
  EXPECT_EQ(HostOf("ipv6:[::1]:1"), "::1");
  EXPECT_EQ(HostOf("unix:/run/a:1"), "");
}

}  // namespace
}  // namespace hapax::client
