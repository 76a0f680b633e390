#ifndef HAPAX_INTERCEPTORS_ROLE_H_
#define HAPAX_INTERCEPTORS_ROLE_H_

#include <optional>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace hapax {

// What a principal may do; each role includes those before it.
enum class Role {
  kRead,   // Methods without side effects, except those that show what only a writer may see.
  kWrite,  // Everything that a tenant does with its own tokens and resources.
  kAdmin,  // Operating the server.
};

// `read`, `write` or `admin`.
[[nodiscard]] std::string_view NameOf(Role role);
[[nodiscard]] std::optional<Role> RoleFromName(std::string_view name);

// The lowest role that may call the method, as declared (proto/hapax/access/v1/role.proto).
[[nodiscard]] Role RequiredRole(const google::protobuf::MethodDescriptor& method);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_ROLE_H_
