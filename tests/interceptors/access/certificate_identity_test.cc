#include "hapax/interceptors/access/certificate_identity.h"

#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::HasSubstr;
using testing::Not;
using tests::v1::CountOrdersRequest;
using namespace std::string_view_literals;

class CertificateAuthenticatorTest : public testing::Test {
 protected:
  absl::StatusOr<Principal> Identify(const std::vector<std::string_view>& uris, std::string_view common_name = "") {
    FakeCall call(method_, "");
    call.AddMetadata("x-tenant-id", "claimed");
    call.SetPeerNames({.uris = {uris.begin(), uris.end()}, .common_name = common_name});
    return authenticator_.Identify(call);
  }

  const Method method_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));
  const CertificateAuthenticator authenticator_;
};

TEST_F(CertificateAuthenticatorTest, ASpiffeIdNamesTheTenantWhoMayWrite) {
  EXPECT_THAT(Identify({"spiffe://example.org/tenant/orchard"}),
              IsOkAndHolds(Principal{.tenant = "orchard", .role = Role::kWrite}));
}

TEST_F(CertificateAuthenticatorTest, ASpiffeIdMayNameTheRole) {
  EXPECT_THAT(Identify({"spiffe://example.org/tenant/or.ch_ard-1/role/read"}),
              IsOkAndHolds(Principal{.tenant = "or.ch_ard-1", .role = Role::kRead}));
  EXPECT_THAT(Identify({"spiffe://example.org/tenant/orchard/role/admin"}),
              IsOkAndHolds(Principal{.tenant = "orchard", .role = Role::kAdmin}));
}

TEST_F(CertificateAuthenticatorTest, ASpiffeIdGoesBeforeTheCommonNameAndOtherUrisDoNotCount) {
  EXPECT_THAT(Identify({"https://market/tenant/x", "spiffe://a/tenant/orchard", "urn:b"}, "market"),
              IsOkAndHolds(Principal{.tenant = "orchard", .role = Role::kWrite}));
}

TEST_F(CertificateAuthenticatorTest, WithoutASpiffeIdTheCommonNameIsTheTenant) {
  EXPECT_THAT(Identify({}, "orchard"), IsOkAndHolds(Principal{.tenant = "orchard", .role = Role::kWrite}));
  EXPECT_THAT(Identify({"https://market"}, "orchard"),
              IsOkAndHolds(Principal{.tenant = "orchard", .role = Role::kWrite}));
}

// Whatever is wrong with a SPIFFE ID, the common name does not stand in for it.
TEST_F(CertificateAuthenticatorTest, AMalformedSpiffeIdIsRefused) {
  const std::string too_long = "spiffe://a/tenant/" + std::string(65, 't');
  for (const std::string_view uri : {"spiffe://"sv,
                                     "spiffe://a"sv,
                                     "spiffe://a/"sv,
                                     "spiffe:///tenant/orchard"sv,
                                     "spiffe://a/tenant"sv,
                                     "spiffe://a/tenant/"sv,
                                     "spiffe://a/tenant//role/read"sv,
                                     "spiffe://a/tenant/or%63hard"sv,
                                     "spiffe://a/tenant/or chard"sv,
                                     "spiffe://a/tenant/orchard\0x"sv,
                                     "spiffe://a/Tenant/orchard"sv,
                                     "spiffe://a/x/tenant/orchard"sv,
                                     "spiffe://a/tenant/orchard/"sv,
                                     "spiffe://a/tenant/orchard/more"sv,
                                     "spiffe://a/tenant/orchard/role"sv,
                                     "spiffe://a/tenant/orchard/role/"sv,
                                     "spiffe://a/tenant/orchard/role/owner"sv,
                                     "spiffe://a/tenant/orchard/role/read/"sv,
                                     "spiffe://a/tenant/orchard/role/read/role/admin"sv,
                                     "spiffe://a/tenant/orchard?role=admin"sv,
                                     "spiffe://a/tenant/orchard#x"sv,
                                     "SPIFFE://a/x"sv,
                                     std::string_view(too_long)}) {
    EXPECT_THAT(Identify({uri}, "market"), HasReason(Reason::kUnauthenticated)) << uri;
  }
}

TEST_F(CertificateAuthenticatorTest, TwoSpiffeIdsAreRefusedThoughTheyAgree) {
  EXPECT_THAT(Identify({"spiffe://a/tenant/orchard", "spiffe://a/tenant/orchard"}, "orchard"),
              HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Identify({"spiffe://a/tenant/orchard", "Spiffe://a/tenant/market"}), HasReason(Reason::kUnauthenticated));
}

TEST_F(CertificateAuthenticatorTest, ACertificateThatNamesNobodyIsRefused) {
  for (const std::string_view name : {""sv, "or chard"sv, "or/chard"sv, "orchard\0x"sv}) {
    EXPECT_THAT(Identify({}, name), HasReason(Reason::kUnauthenticated)) << name;
  }
}

TEST_F(CertificateAuthenticatorTest, ARefusalSaysTheRuleAndNotTheName) {
  const absl::Status status = Identify({"spiffe://a/plum/orchard"}).status();
  EXPECT_THAT(EverythingIn(status), HasSubstr("spiffe://TRUST_DOMAIN/tenant/NAME"));
  EXPECT_THAT(EverythingIn(status), Not(HasSubstr("plum")));
}

}  // namespace
}  // namespace hapax
