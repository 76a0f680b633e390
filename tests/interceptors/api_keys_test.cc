#include "hapax/interceptors/api_keys.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::v1::CountOrdersRequest;

// `printf %s KEY | sha256sum`
constexpr char kDigestOfApple[] = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b";
constexpr char kDigestOfPear[] = "97cfbe87531abe0c6bac7b21d616cb422faaa158a9f2ae7e8685c79eb85fc65e";

std::string Line(const std::string& tenant, const std::string& digest) { return tenant + " sha256:" + digest + "\n"; }

class ApiKeyAuthenticatorTest : public testing::Test {
 protected:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  absl::StatusOr<std::string> TenantOf(const Metadata& metadata) {
    FakeCall call(method_, "");
    for (const auto& [key, value] : metadata) call.AddMetadata(key, value);
    return authenticator_->TenantOf(call);
  }

  const Method method_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));
  std::unique_ptr<ApiKeyAuthenticator> authenticator_ =
      ApiKeyAuthenticator::Parse(Line("orchard", kDigestOfApple) + Line("market", kDigestOfPear)).value();
};

TEST_F(ApiKeyAuthenticatorTest, AKeyNamesItsTenant) {
  EXPECT_THAT(TenantOf({{"x-api-key", "apple"}}), IsOkAndHolds("orchard"));
  EXPECT_THAT(TenantOf({{"x-api-key", "pear"}}), IsOkAndHolds("market"));
}

TEST_F(ApiKeyAuthenticatorTest, AKeyMayComeAsABearerToken) {
  EXPECT_THAT(TenantOf({{"authorization", "Bearer apple"}}), IsOkAndHolds("orchard"));
  EXPECT_THAT(TenantOf({{"authorization", "bearer pear"}}), IsOkAndHolds("market"));
}

TEST_F(ApiKeyAuthenticatorTest, C4_SeveralKeysOfOneTenantAreThatTenant) {
  authenticator_ = ApiKeyAuthenticator::Parse(Line("orchard", kDigestOfApple) + Line("orchard", kDigestOfPear)).value();
  EXPECT_THAT(TenantOf({{"x-api-key", "apple"}}), IsOkAndHolds("orchard"));
  EXPECT_THAT(TenantOf({{"x-api-key", "pear"}}), IsOkAndHolds("orchard"));
}

TEST_F(ApiKeyAuthenticatorTest, C4_TheTenantThatACallerClaimsCountsForNothing) {
  EXPECT_THAT(TenantOf({{"x-tenant-id", "market"}, {"x-api-key", "apple"}}), IsOkAndHolds("orchard"));
  EXPECT_THAT(TenantOf({{"x-tenant-id", "market"}}), HasReason(Reason::kUnauthenticated));
}

TEST_F(ApiKeyAuthenticatorTest, EverythingElseIsUnauthenticated) {
  const std::vector<Metadata> kRefused = {
      {},
      {{"x-api-key", ""}},
      {{"x-api-key", "plum"}},
      {{"x-api-key", "Apple"}},
      {{"x-api-key", "apple "}},
      {{"x-api-key", kDigestOfApple}},
      {{"x-api-key", std::string("sha256:") + kDigestOfApple}},
      {{"authorization", ""}},
      {{"authorization", "apple"}},
      {{"authorization", "Bearer"}},
      {{"authorization", "Bearer "}},
      {{"authorization", "Bearer  apple"}},
      {{"authorization", "Basic apple"}},
  };
  for (const Metadata& metadata : kRefused) {
    EXPECT_THAT(TenantOf(metadata), HasReason(Reason::kUnauthenticated)) << testing::PrintToString(metadata);
  }
}

TEST_F(ApiKeyAuthenticatorTest, TwoCredentialsAreRefusedThoughTheyAgree) {
  const std::vector<Metadata> kTwo = {
      {{"x-api-key", "apple"}, {"x-api-key", "apple"}},
      {{"authorization", "Bearer apple"}, {"authorization", "Bearer apple"}},
      {{"authorization", "Bearer apple"}, {"x-api-key", "apple"}},
  };
  for (const Metadata& metadata : kTwo) {
    EXPECT_THAT(TenantOf(metadata), HasReason(Reason::kUnauthenticated)) << testing::PrintToString(metadata);
  }
}

TEST_F(ApiKeyAuthenticatorTest, ARefusalDoesNotRepeatTheCredential) {
  for (const Metadata& metadata : {Metadata{{"x-api-key", "plum"}}, Metadata{{"authorization", "Basic plum"}}}) {
    EXPECT_THAT(EverythingIn(TenantOf(metadata).status()), Not(HasSubstr("plum")));
  }
}

TEST(ApiKeyAuthenticator, AFileMayHaveCommentsBlankLinesTabsAndEitherCase) {
  const std::string text = "# keys\r\n\n  \t\n  orchard \t sha256:" + absl::AsciiStrToUpper(kDigestOfApple) +
                           "  \r\nmarket\tsha256:" + kDigestOfPear;
  EXPECT_THAT(ApiKeyAuthenticator::Parse(text), IsOk());
}

TEST(ApiKeyAuthenticator, AWrongLineIsNamed) {
  const std::string good = Line("orchard", kDigestOfApple);
  const std::string digest = kDigestOfPear;
  const std::vector<std::pair<std::string, std::string>> kWrong = {
      {"market", "must be \"<tenant> sha256:"},
      {"market sha256:" + digest + " more", "must be \"<tenant> sha256:"},
      {"mar/ket sha256:" + digest, "the tenant must be 1 to 64"},
      {std::string(65, 'm') + " sha256:" + digest, "the tenant must be 1 to 64"},
      {"market " + digest, "\"sha256:\" and 64 hexadecimal digits"},
      {"market sha256:" + digest.substr(1), "\"sha256:\" and 64 hexadecimal digits"},
      {"market sha256:" + digest + "0", "\"sha256:\" and 64 hexadecimal digits"},
      {"market sha256:g" + digest.substr(1), "\"sha256:\" and 64 hexadecimal digits"},
      {"market SHA256:" + digest, "\"sha256:\" and 64 hexadecimal digits"},
      {Line("market", kDigestOfApple), "the same key"},
      {good, "the same key"},
  };
  for (const auto& [line, mistake] : kWrong) {
    EXPECT_THAT(ApiKeyAuthenticator::Parse(good + "# comment\n" + line),
                StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("line 3: "), HasSubstr(mistake))))
        << line;
  }
}

TEST(ApiKeyAuthenticator, AKeyGivenInTheClearIsNotRepeatedInTheError) {
  EXPECT_THAT(ApiKeyAuthenticator::Parse("market my-long-random-key"),
              StatusIs(StatusCode::kInvalidArgument, Not(HasSubstr("random"))));
}

TEST(ApiKeyAuthenticator, AFileWithoutKeysIsRefused) {
  for (const char* text : {"", "\n\n", "# orchard sha256:"}) {
    EXPECT_THAT(ApiKeyAuthenticator::Parse(text), StatusIs(StatusCode::kInvalidArgument, HasSubstr("no key"))) << text;
  }
}

}  // namespace
}  // namespace hapax
