#include "hapax/interceptors/access/authorization.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/tests/interceptors/link_runner.h"
#include "hapax/tests/support/fake_call.h"
#include "hapax/tests/support/refusal_matchers.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/roles.pb.h"

namespace hapax {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::v1::VaultRequest;

class AuthorizationTest : public testing::Test {
 protected:
  std::string Run(const char* method_name, Role role, const std::string& token = "") {
    const Method method = MakeMethod(MethodOf<VaultRequest>("Vault", method_name));
    VaultRequest request;
    request.set_client_token(token);
    FakeCall call(method, request);
    call.Decode();
    call.principal.role = role;
    const std::string result = authorization_.Run(call);
    if (call.ended()) refusal_ = call.Reply().status();
    return result;
  }

  LinkRunner<Authorization> authorization_;
  absl::Status refusal_;
};

TEST_F(AuthorizationTest, ACallPassesWithTheRoleThatItsMethodTakesOrAHigherOne) {
  const std::string denied = "PERMISSION_DENIED";
  const std::string passes = "passed on";
  EXPECT_EQ(Run("Look", Role::kRead), passes);
  EXPECT_EQ(Run("Look", Role::kAdmin), passes);
  EXPECT_EQ(Run("Put", Role::kRead), denied);
  EXPECT_EQ(Run("Put", Role::kWrite), passes);
  EXPECT_EQ(Run("Put", Role::kAdmin), passes);
  EXPECT_EQ(Run("BlowUp", Role::kRead), denied);
  EXPECT_EQ(Run("BlowUp", Role::kWrite), denied);
  EXPECT_EQ(Run("BlowUp", Role::kAdmin), passes);
}

TEST_F(AuthorizationTest, ARefusalNamesBothRolesAndNothingOfTheRequest) {
  ASSERT_EQ(Run("Put", Role::kRead, "token"), "PERMISSION_DENIED");
  EXPECT_THAT(EverythingIn(refusal_),
              AllOf(HasSubstr("Vault/Put"), HasSubstr("role write"), HasSubstr("role read"), Not(HasSubstr("token"))));
}

TEST_F(AuthorizationTest, C21_ATokenOfTheWrongFormIsSaidFirst) {
  EXPECT_EQ(Run("Put", Role::kRead, "two words"), "INVALID_CLIENT_TOKEN");
  EXPECT_EQ(Run("Forget", Role::kRead, "two words"), "PERMISSION_DENIED");
}

TEST_F(AuthorizationTest, AMethodThatWasNeverCompiledIsForAdministratorsAlone) {
  Method method = MakeMethod(MethodOf<VaultRequest>("Vault", "Look"));
  method.required_role = Method().required_role;
  FakeCall call(method, VaultRequest());
  call.principal.role = Role::kWrite;
  EXPECT_EQ(authorization_.Run(call), "PERMISSION_DENIED");
}

}  // namespace
}  // namespace hapax
