#include "hapax/client/wire/proxy.h"

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace hapax::client {
namespace {

class ProxyTest : public testing::Test {
 protected:
  ProxyTest() { Clear(); }
  ~ProxyTest() override { Clear(); }

  static void Clear() {
    for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"}) unsetenv(name);
  }
  static void Set(const char* name, const char* value) { setenv(name, value, 1); }
  static std::string To(const char* endpoint) {
    const auto proxy = ProxyTo(endpoint);
    return proxy.has_value() ? proxy->variable + " " + proxy->address : "none";
  }
};

TEST_F(ProxyTest, TheFirstVariableThatIsSet) {
  EXPECT_EQ(To("h:1"), "none");
  Set("http_proxy", "http://user:secret@p1:3128/");
  EXPECT_EQ(To("h:1"), "http_proxy p1:3128");
  Set("https_proxy", "http://p2:1");
  EXPECT_EQ(To("h:1"), "https_proxy p2:1");
  Set("grpc_proxy", "http://p3:1");
  EXPECT_EQ(To("h:1"), "grpc_proxy p3:1");
  Set("grpc_proxy", "");
  EXPECT_EQ(To("h:1"), "none");
  Set("grpc_proxy", "socks5://p4:1");
  EXPECT_EQ(To("h:1"), "none");
}

TEST_F(ProxyTest, NoneToThisMachine) {
  Set("http_proxy", "http://p:1");
  for (const char* endpoint : {"127.0.0.1:50051", "127.1.2.3:1", "localhost:1", "LOCALHOST:1", "[::1]:1"}) {
    EXPECT_EQ(To(endpoint), "none") << endpoint;
  }
  for (const char* endpoint : {"127.example:1", "localhost.example:1", "[::2]:1", "10.0.0.1:1"}) {
    EXPECT_EQ(To(endpoint), "http_proxy p:1") << endpoint;
  }
}

TEST_F(ProxyTest, NoneToHostsThatAreExcepted) {
  Set("http_proxy", "http://p:1");
  Set("no_proxy", "example.com,,corp");
  EXPECT_EQ(To("a.example.com:1"), "none");
  EXPECT_EQ(To("x.CORP:1"), "none");
  EXPECT_EQ(To("example.org:1"), "http_proxy p:1");
  Set("no_grpc_proxy", "org");
  EXPECT_EQ(To("example.org:1"), "none");
  EXPECT_EQ(To("x.corp:1"), "http_proxy p:1");
}

}  // namespace
}  // namespace hapax::client
