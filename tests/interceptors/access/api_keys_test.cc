#include "hapax/interceptors/access/api_keys.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/status_matchers.h"
#include "hapax/tests/support/test_api_keys.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::v1::CountOrdersRequest;

constexpr char kSalt[] = "0123456789abcdef";
// `printf %s 0123456789abcdefhapax_apple_secret-of-apple | sha256sum`
constexpr char kDigestOfApple[] = "c724c673a7339243d5d3943fc077f252d704d7a12ff6f63179dac95f72b08696";

Principal Of(const std::string& tenant, Role role = Role::kWrite) { return {.tenant = tenant, .role = role}; }

class ApiKeyAuthenticatorTest : public testing::Test {
 protected:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  absl::StatusOr<Principal> Identify(const Metadata& metadata) {
    FakeCall call(method_, "");
    for (const auto& [key, value] : metadata) call.AddMetadata(key, value);
    return authenticator_->Identify(call);
  }

  const Method method_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));
  absl::StatusOr<std::string> file_ = ApiKeyLine("orchard", "apple") + ApiKeyLine("market", "pear", "read");
  std::unique_ptr<ApiKeyAuthenticator> authenticator_ =
      ApiKeyAuthenticator::Create([this]() -> absl::StatusOr<ApiKeys> {
        if (!file_.ok()) return file_.status();
        return ApiKeys::Parse(*file_);
      }).value();
};

TEST_F(ApiKeyAuthenticatorTest, AKeyNamesItsTenantAndRole) {
  EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
  EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("pear")}}), IsOkAndHolds(Of("market", Role::kRead)));
}

TEST_F(ApiKeyAuthenticatorTest, AKeyMayComeAsABearerToken) {
  EXPECT_THAT(Identify({{"authorization", "Bearer " + ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
  EXPECT_THAT(Identify({{"authorization", "bearer " + ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
}

TEST_F(ApiKeyAuthenticatorTest, C4_SeveralKeysOfOneTenantAreThatTenant) {
  file_ = ApiKeyLine("orchard", "apple") + ApiKeyLine("orchard", "pear");
  ASSERT_THAT(authenticator_->Reload(), IsOk());
  EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
  EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("pear")}}), IsOkAndHolds(Of("orchard")));
}

TEST_F(ApiKeyAuthenticatorTest, C4_TheTenantThatACallerClaimsCountsForNothing) {
  EXPECT_THAT(Identify({{"x-tenant-id", "market"}, {"x-api-key", ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
  EXPECT_THAT(Identify({{"x-tenant-id", "market"}}), HasReason(Reason::kUnauthenticated));
}

TEST_F(ApiKeyAuthenticatorTest, AReloadTakesOldKeysAwayAndBringsNewOnes) {
  file_ = ApiKeyLine("orchard", "plum", "admin");
  ASSERT_THAT(authenticator_->Reload(), IsOk());
  EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("apple")}}), HasReason(Reason::kUnauthenticated));
  EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("plum")}}), IsOkAndHolds(Of("orchard", Role::kAdmin)));
}

TEST_F(ApiKeyAuthenticatorTest, AReloadThatFailsSaysSoAndKeepsTheKeys) {
  for (const absl::StatusOr<std::string>& bad :
       {absl::StatusOr<std::string>("orchard"), absl::StatusOr<std::string>(absl::NotFoundError("no file"))}) {
    file_ = bad;
    EXPECT_THAT(authenticator_->Reload(), Not(IsOk()));
    EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
  }
}

TEST_F(ApiKeyAuthenticatorTest, CallsGoOnWhileKeysAreReloaded) {
  std::atomic<bool> stop = false;
  std::thread reloader([&] {
    while (!stop) EXPECT_THAT(authenticator_->Reload(), IsOk());
  });
  for (int i = 0; i < 2000; ++i) {
    EXPECT_THAT(Identify({{"x-api-key", ApiKeyOf("apple")}}), IsOkAndHolds(Of("orchard")));
  }
  stop = true;
  reloader.join();
}

TEST_F(ApiKeyAuthenticatorTest, EverythingElseIsUnauthenticated) {
  const std::string apple = ApiKeyOf("apple");
  const std::vector<Metadata> kRefused = {
      {},
      {{"x-api-key", ""}},
      {{"x-api-key", "apple"}},
      {{"x-api-key", "hapax_"}},
      {{"x-api-key", "hapax_apple"}},
      {{"x-api-key", "hapax_apple_"}},
      {{"x-api-key", "hapax__secret-of-apple"}},
      {{"x-api-key", "hapax_pear_secret-of-apple"}},
      {{"x-api-key", "hapax_plum_secret-of-plum"}},
      {{"x-api-key", "hapax_apple_Secret-of-apple"}},
      {{"x-api-key", "Hapax_apple_secret-of-apple"}},
      {{"x-api-key", apple + " "}},
      {{"x-api-key", apple.substr(0, apple.size() - 1)}},
      {{"x-api-key", kSalt + apple}},
      {{"x-api-key", kDigestOfApple}},
      {{"authorization", ""}},
      {{"authorization", apple}},
      {{"authorization", "Bearer"}},
      {{"authorization", "Bearer "}},
      {{"authorization", "Bearer  " + apple}},
      {{"authorization", "Basic " + apple}},
  };
  for (const Metadata& metadata : kRefused) {
    EXPECT_THAT(Identify(metadata), HasReason(Reason::kUnauthenticated)) << testing::PrintToString(metadata);
  }
}

TEST_F(ApiKeyAuthenticatorTest, TwoCredentialsAreRefusedThoughTheyAgree) {
  const std::string apple = ApiKeyOf("apple");
  const std::vector<Metadata> kTwo = {
      {{"x-api-key", apple}, {"x-api-key", apple}},
      {{"authorization", "Bearer " + apple}, {"authorization", "Bearer " + apple}},
      {{"authorization", "Bearer " + apple}, {"x-api-key", apple}},
  };
  for (const Metadata& metadata : kTwo) {
    EXPECT_THAT(Identify(metadata), HasReason(Reason::kUnauthenticated)) << testing::PrintToString(metadata);
  }
}

TEST_F(ApiKeyAuthenticatorTest, ARefusalDoesNotRepeatTheCredential) {
  for (const Metadata& metadata :
       {Metadata{{"x-api-key", "plum"}}, Metadata{{"x-api-key", "hapax_apple_plum"}},
        Metadata{{"x-api-key", "hapax_plum_x"}}, Metadata{{"authorization", "Basic plum"}}}) {
    EXPECT_THAT(EverythingIn(Identify(metadata).status()), Not(HasSubstr("plum")));
  }
}

TEST(ApiKeys, ALineIsWhatShaSumMakesIt) {
  const auto keys = ApiKeys::Parse(std::string("orchard admin apple ") + kSalt + ":" + kDigestOfApple);
  ASSERT_THAT(keys, IsOk());
  const Principal* found = keys->Find("hapax_apple_secret-of-apple");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, Of("orchard", Role::kAdmin));
}

TEST(ApiKeys, AFileMayHaveCommentsBlankLinesTabsAndEitherCase) {
  const std::string text = std::string("# keys\r\n\n  \t\n  orchard \t write\tapple  ") + kSalt + ":" +
                           absl::AsciiStrToUpper(kDigestOfApple) + "  \r\n" + ApiKeyLine("market", "pear");
  const auto keys = ApiKeys::Parse(text);
  ASSERT_THAT(keys, IsOk());
  EXPECT_NE(keys->Find(ApiKeyOf("apple")), nullptr);
  EXPECT_NE(keys->Find(ApiKeyOf("pear")), nullptr);
}

TEST(ApiKeys, AWrongLineIsNamed) {
  const std::string good = ApiKeyLine("orchard", "apple");
  const std::string salt = kSalt;
  const std::string digest = kDigestOfApple;
  const std::string hash = salt + ":" + digest;
  const std::vector<std::pair<std::string, std::string>> kWrong = {
      {"market", "must be \"<tenant> <role> <id>"},
      {"market write pear " + hash + " more", "must be \"<tenant> <role> <id>"},
      {"market sha256:" + digest, "must be \"<tenant> <role> <id>"},
      {"mar/ket write pear " + hash, "the tenant must be 1 to 64"},
      {std::string(65, 'm') + " write pear " + hash, "the tenant must be 1 to 64"},
      {"market Write pear " + hash, "the role must be"},
      {"market owner pear " + hash, "the role must be"},
      {"market write pe_ar " + hash, "the id must be 1 to 32"},
      {"market write " + std::string(33, 'p') + " " + hash, "the id must be 1 to 32"},
      {"market write pear " + digest, "a salt, 16 to 64"},
      {"market write pear :" + digest, "a salt, 16 to 64"},
      {"market write pear " + salt.substr(1) + ":" + digest, "a salt, 16 to 64"},
      {"market write pear " + hash.substr(0, hash.size() - 1), "64 hexadecimal digits"},
      {"market write pear " + hash + "0", "64 hexadecimal digits"},
      {"market write pear " + salt + ":g" + digest.substr(1), "64 hexadecimal digits"},
      {ApiKeyLine("market", "apple"), "the same id"},
  };
  for (const auto& [line, mistake] : kWrong) {
    const auto parsed = ApiKeys::Parse(good + "# comment\n" + line);
    EXPECT_THAT(parsed.status(),
                StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("line 3: "), HasSubstr(mistake))))
        << line;
  }
}

TEST(ApiKeys, AKeyGivenInTheClearIsNotRepeatedInTheError) {
  for (const char* line : {"market my-long-random-key", "market write pear my-long-random-key",
                           "my-long-random-key write pear x", "market my-long-random-key pear x:y"}) {
    EXPECT_THAT(ApiKeys::Parse(line).status(), StatusIs(StatusCode::kInvalidArgument, Not(HasSubstr("random"))))
        << line;
  }
}

TEST(ApiKeys, AFileWithoutKeysIsRefused) {
  for (const char* text : {"", "\n\n", "# orchard write apple"}) {
    EXPECT_THAT(ApiKeys::Parse(text).status(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("no key"))) << text;
  }
}

}  // namespace
}  // namespace hapax
