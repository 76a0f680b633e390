#include "hapax/interceptors/access/authentication.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/orders.pb.h"

namespace hapax {
namespace {

using testing::ElementsAre;
using tests::v1::CountOrdersRequest;

constexpr char kTenant[] = "x-tenant-id";

class AuthenticationTest : public testing::Test {
 protected:
  const Method method_ = MakeMethod(MethodOf<CountOrdersRequest>("Orders", "CountOrders"));
  FakeCall call_{method_, ""};
  LinkRunner<Authentication> trusting_{std::make_unique<TrustingAuthenticator>()};
};

TEST_F(AuthenticationTest, TheTenantIsTheOneThatTheMetadataNames) {
  call_.AddMetadata(kTenant, "Tenant_1.a-b");
  EXPECT_EQ(trusting_.Run(call_), "passed on");
  EXPECT_EQ(call_.principal.tenant, "Tenant_1.a-b");
  EXPECT_EQ(call_.principal.role, Role::kAdmin);
}

TEST_F(AuthenticationTest, ACallerThatNamesNoTenantIsTheDefaultOne) {
  EXPECT_EQ(trusting_.Run(call_), "passed on");
  EXPECT_EQ(call_.principal.tenant, "default");
}

TEST_F(AuthenticationTest, AnImpossibleNameIsRefused) {
  call_.AddMetadata(kTenant, "a/b");
  ASSERT_EQ(trusting_.Run(call_), "INVALID_PARAMETER");
  EXPECT_THAT(FieldsOf(call_.Reply().status()), ElementsAre(kTenant));
}

TEST_F(AuthenticationTest, AnEmptyNameIsRefusedAndNotTheDefault) {
  call_.AddMetadata(kTenant, "");
  EXPECT_EQ(trusting_.Run(call_), "INVALID_PARAMETER");
}

TEST_F(AuthenticationTest, C4_TwoTenantsAreRefusedThoughTheyAgree) {
  call_.AddMetadata(kTenant, "tenant");
  call_.AddMetadata(kTenant, "tenant");
  EXPECT_EQ(trusting_.Run(call_), "INVALID_PARAMETER");
}

class RefusingAuthenticator final : public Authenticator {
 public:
  [[nodiscard]] absl::StatusOr<Principal> Identify(const UnaryCall& /*call*/) const override {
    return Refuse(Reason::kUnauthenticated, "nobody may call");
  }
};

TEST_F(AuthenticationTest, TheAuthenticatorsRefusalEndsTheCall) {
  LinkRunner<Authentication> refusing(std::make_unique<RefusingAuthenticator>());
  ASSERT_EQ(refusing.Run(call_), "UNAUTHENTICATED");
  EXPECT_THAT(call_.Reply(), HasReason(Reason::kUnauthenticated));
}

TEST(IsTenantName, AllowsEachOfItsCharactersAndNoOther) {
  const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  for (int c = 0; c < 256; ++c) {
    const char character = static_cast<char>(c);
    EXPECT_EQ(IsTenantName(std::string("a") + character), allowed.find(character) != std::string::npos) << c;
  }
}

TEST(IsTenantName, AllowsFrom1To64Characters) {
  EXPECT_FALSE(IsTenantName(""));
  EXPECT_TRUE(IsTenantName("a"));
  EXPECT_TRUE(IsTenantName(std::string(64, 'a')));
  EXPECT_FALSE(IsTenantName(std::string(65, 'a')));
}

}  // namespace
}  // namespace hapax
