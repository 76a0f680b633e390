#include "hapax/server/http/message.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/status_matchers.h"

namespace hapax {
namespace {

HttpRequest RequestOf(const std::string& target) {
  HttpRequest request;
  request.target = target;
  request.headers = {{"host", "hapax.example:8080"}, {"x", "first"}, {"x", "second"}};
  EXPECT_THAT(ReadTarget(request), IsOk()) << target;
  return request;
}

TEST(HttpRequestTest, TheTargetIsTakenApart) {
  HttpRequest request = RequestOf("/v2.1/servers/detail?limit=1?2");
  EXPECT_EQ(request.path, "/v2.1/servers/detail");
  EXPECT_EQ(request.query, "limit=1?2");
  EXPECT_EQ(request.prefix, "");
  EXPECT_EQ(request.BaseUrl(), "http://hapax.example:8080");

  request = RequestOf("https://proxied.example?Action=x");
  EXPECT_EQ(request.path, "/");
  EXPECT_EQ(RequestOf("http://proxied.example/a").path, "/a");
}

TEST(HttpRequestTest, TheTokenOfThePathIsNotInThePath) {
  HttpRequest request = RequestOf("/with-client-token/a%2Fb");
  EXPECT_EQ(request.prefix_token, "a/b");
  EXPECT_EQ(request.path, "/");
  request.is_encrypted = true;
  EXPECT_EQ(request.BaseUrl(), "https://hapax.example:8080/with-client-token/a%2Fb");

  request = RequestOf("/with-client-token/T/v3?x");
  EXPECT_EQ(request.prefix_token, "T");
  EXPECT_EQ(request.path, "/v3");
  EXPECT_EQ(RequestOf("/with-client-token").path, "/with-client-token");
}

TEST(HttpRequestTest, WrongTargetsAreRefused) {
  for (const std::string target : {"", "*", "host:80", "a", "/a b", "/a#b", "/\x7f", "/with-client-token/",
                                   "/with-client-token//a", "/with-client-token/%", "/with-client-token/%00/"}) {
    HttpRequest request;
    request.target = target;
    EXPECT_THAT(ReadTarget(request), StatusIs(absl::StatusCode::kInvalidArgument)) << target;
  }
}

TEST(HttpRequestTest, TheFirstHeaderOfANameCounts) {
  const HttpRequest request = RequestOf("/");
  EXPECT_EQ(request.Header("x"), "first");
  EXPECT_EQ(request.Header("y"), std::nullopt);
}

}  // namespace
}  // namespace hapax
