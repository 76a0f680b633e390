#include "hapax/client/hapaxctl/flags/endpoint.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax::ctl {
namespace {

using ::testing::HasSubstr;

TEST(CheckEndpoint, IsAHostAndAPort) {
  for (const char* text : {"127.0.0.1:50051", "[::1]:1", "hapax.example:65535", "my_host-1:80"}) {
    EXPECT_THAT(CheckEndpoint(text), IsOk()) << text;
  }
  for (const char* text : {"", "localhost", ":1", "localhost:0", "localhost:65536", "localhost:http", "a b:1", "a:1:2",
                           "::1:50051", "[]:1", "a/b:1", "unix:/run/x:1", "dns:///a:1", "a: 1", "a:+1"}) {
    EXPECT_THAT(std::string(CheckEndpoint(text).message()), HasSubstr("must be HOST:PORT")) << text;
  }
}

TEST(CheckEndpoint, AUrlIsRefusedWithTheFlagThatTakesIt) {
  for (const char* text : {"http://127.0.0.1:50051", "https://h:1", "grpc://h:1"}) {
    EXPECT_THAT(std::string(CheckEndpoint(text).message()), HasSubstr("--endpoint-url")) << text;
  }
}

TEST(CheckEndpoints, IsOneOrSeveralWithCommas) {
  for (const char* text : {"127.0.0.1:50051", "a:1,b:1", "[::1]:1,[::1]:2"}) {
    EXPECT_THAT(CheckEndpoints(text), IsOk()) << text;
  }
  for (const char* text : {"", "a:1,", "a:1,b", "a:1, b:1", "a:1,unix:/run/x", "a:1,http://b:1"}) {
    EXPECT_THAT(std::string(CheckEndpoints(text).message()), HasSubstr("must be HOST:PORT")) << text;
  }
  EXPECT_THAT(std::string(CheckEndpoints("a:1,b:1,A:1").message()), HasSubstr("\"A:1\": is the same as \"a:1\""));
}

TEST(ParseEndpointUrl, SchemeHostAndPort) {
  const auto parsed = [](const char* text) {
    const auto url = ParseEndpointUrl(text);
    return url.ok() ? (url->tls ? "tls " : "plain ") + url->endpoint : std::string(url.status().message());
  };
  EXPECT_EQ(parsed("http://127.0.0.1:50051"), "plain 127.0.0.1:50051");
  EXPECT_EQ(parsed("http://h:1/"), "plain h:1");
  EXPECT_EQ(parsed("http://h"), "plain h:80");
  EXPECT_EQ(parsed("https://h"), "tls h:443");
  EXPECT_EQ(parsed("HTTPS://[::1]:7/"), "tls [::1]:7");
  EXPECT_EQ(parsed("http://[::1]"), "plain [::1]:80");
  for (const char* text : {"", "h:1", "http://", "http:///", "http://h:1/path", "http://h:0", "http://u:p@h:1",
                           "ftp://h:1", "http://h:1?x", "http://h:1//"}) {
    EXPECT_THAT(parsed(text), HasSubstr("must be http://HOST[:PORT]")) << text;
  }
}

}  // namespace
}  // namespace hapax::ctl
