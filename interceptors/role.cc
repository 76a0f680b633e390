#include "hapax/interceptors/role.h"

#include "google/protobuf/descriptor.pb.h"
#include "hapax/access/v1/role.pb.h"
#include "hapax/base/check.h"

namespace hapax {

std::string_view NameOf(Role role) {
  switch (role) {
    case Role::kRead:
      return "read";
    case Role::kWrite:
      return "write";
    case Role::kAdmin:
      return "admin";
  }
  HAPAX_CHECK(false, "a Role is one of its values");
}

std::optional<Role> RoleFromName(std::string_view name) {
  for (const Role role : {Role::kRead, Role::kWrite, Role::kAdmin}) {
    if (NameOf(role) == name) return role;
  }
  return std::nullopt;
}

Role RequiredRole(const google::protobuf::MethodDescriptor& method) {
  using google::protobuf::MethodOptions;
  const MethodOptions& options = method.options();
  switch (options.GetExtension(access::v1::required_role)) {
    case access::v1::ROLE_READ:
      return Role::kRead;
    case access::v1::ROLE_WRITE:
      return Role::kWrite;
    case access::v1::ROLE_UNSPECIFIED:
      return options.idempotency_level() == MethodOptions::NO_SIDE_EFFECTS ? Role::kRead : Role::kWrite;
    case access::v1::ROLE_ADMIN:
    default:  // A role that a later version adds ranks above the known ones.
      return Role::kAdmin;
  }
}

}  // namespace hapax
