#include "hapax/client/wire/destination.h"

#include <string>

#include "gtest/gtest.h"
#include "hapax/client/wire/connection.h"
#include "hapax/tests/support/certificates.h"

namespace hapax::client {
namespace {

std::string OfCertificate(const std::string& common_name, const std::string& names) {
  return CallerNameOf("", "", MakeCertificate({.common_name = common_name, .names = names}).cert);
}

TEST(CallerNameOf, SaysWhoCallsAndNoSecret) {
  EXPECT_EQ(CallerNameOf("", "", ""), "");
  EXPECT_EQ(CallerNameOf("", "team-a", ""), "tenant team-a");
  EXPECT_EQ(CallerNameOf("hapax_3f9c_8d21aa", "", ""), "API key 3f9c");
  EXPECT_EQ(CallerNameOf("hapax_3f9c_8d21aa", "team-a", ""), "API key 3f9c, tenant team-a");
}

TEST(CallerNameOf, OfAnotherFormOfKeyItIsADigestThatTellsKeysApart) {
  for (const char* key : {"secret", "hapax_secret", "hapax__secret", "hapax_se cret_x"}) {
    const std::string name = CallerNameOf(key, "", "");
    EXPECT_EQ(name.find("secret"), std::string::npos) << name;
    EXPECT_EQ(name.size(), std::string("API key #12345678").size()) << name;
    EXPECT_EQ(name, CallerNameOf(key, "", ""));
  }
  EXPECT_NE(CallerNameOf("secret", "", ""), CallerNameOf("Secret", "", ""));
}

TEST(CallerNameOf, OfACertificateItIsWhatNamesATenantAlsoOnceItIsRenewed) {
  EXPECT_EQ(OfCertificate("team-a", ""), "certificate team-a");
  EXPECT_EQ(OfCertificate("team-a", ""), OfCertificate("team-a", "DNS:host"));
  EXPECT_NE(OfCertificate("team-a", ""), OfCertificate("team-b", ""));
  const std::string spiffe = "URI:spiffe://example.org/tenant/team-a";
  EXPECT_EQ(OfCertificate("x", "DNS:host," + spiffe), "certificate spiffe://example.org/tenant/team-a");
  EXPECT_EQ(OfCertificate("x", spiffe + "/role/read"), OfCertificate("y", spiffe));
  EXPECT_NE(CallerNameOf("", "", "no certificate"), CallerNameOf("", "", "another"));
}

TEST(Destination, IsWhatTheConnectionWasToldInLowerCase) {
  const auto connection = Connect({.endpoint = "LocalHost:1", .tenant = "team-a"});
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ((*connection)->destination(), (Destination{.endpoint = "localhost:1", .caller = "tenant team-a"}));
  EXPECT_EQ(Describe((*connection)->destination()), "localhost:1 as tenant team-a");
  EXPECT_EQ(Describe({.endpoint = "a:1"}), "a:1 without a credential");
}

TEST(Destination, OfSeveralEndpointsNamesAll) {
  EXPECT_EQ(Connect({.endpoint = "B:1,a:1,unix:/Run/c"}).value()->destination().endpoint, "b:1,a:1,unix:/Run/c");
}

TEST(ShareAnEndpoint, IsWhetherListsHaveOneInCommon) {
  EXPECT_TRUE(ShareAnEndpoint("a:1", "A:1"));
  EXPECT_TRUE(ShareAnEndpoint("a:1,b:1", "c:1,b:1"));
  EXPECT_FALSE(ShareAnEndpoint("a:1", "a:2"));
  EXPECT_FALSE(ShareAnEndpoint("a:1,b:1", "aa:1,b:11"));
}

}  // namespace
}  // namespace hapax::client
