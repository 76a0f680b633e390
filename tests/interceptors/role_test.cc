#include "hapax/interceptors/role.h"

#include "gtest/gtest.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/idempotency/v1/tokens.pb.h"
#include "hapax/tests/support/test_methods.h"
#include "hapax/tests/v1/roles.pb.h"

namespace hapax {
namespace {

using tests::v1::VaultRequest;

TEST(Role, EachIncludesThoseBeforeIt) {
  EXPECT_LT(Role::kRead, Role::kWrite);
  EXPECT_LT(Role::kWrite, Role::kAdmin);
}

TEST(Role, NamesAreReadBackAndNothingElseIs) {
  for (const Role role : {Role::kRead, Role::kWrite, Role::kAdmin}) EXPECT_EQ(RoleFromName(NameOf(role)), role);
  for (const char* name : {"", "Read", "reader", "ROLE_READ", "read "}) EXPECT_EQ(RoleFromName(name), std::nullopt);
}

TEST(RequiredRole, IsWhatTheDeclarationImplies) {
  EXPECT_EQ(RequiredRole(MethodOf<VaultRequest>("Vault", "Look")), Role::kRead);
  EXPECT_EQ(RequiredRole(MethodOf<VaultRequest>("Vault", "Put")), Role::kWrite);
  EXPECT_EQ(RequiredRole(MethodOf<VaultRequest>("Vault", "Forget")), Role::kWrite);
}

TEST(RequiredRole, IsWhatTheDeclarationSays) {
  EXPECT_EQ(RequiredRole(MethodOf<VaultRequest>("Vault", "Open")), Role::kWrite);
  EXPECT_EQ(RequiredRole(MethodOf<VaultRequest>("Vault", "LeaveWord")), Role::kRead);
  EXPECT_EQ(RequiredRole(MethodOf<VaultRequest>("Vault", "BlowUp")), Role::kAdmin);
}

// A stored reply may hold a secret, which nobody who may only read was ever told.
TEST(RequiredRole, C25_AStoredReplyIsNotForThoseWhoMayOnlyRead) {
  using idempotency::v1::GetTokenRequest;
  EXPECT_EQ(RequiredRole(MethodOf<GetTokenRequest>("Tokens", "GetToken")), Role::kWrite);
  EXPECT_EQ(RequiredRole(MethodOf<GetTokenRequest>("Tokens", "ListTokens")), Role::kRead);
}

}  // namespace
}  // namespace hapax
