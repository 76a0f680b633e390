#ifndef HAPAX_SERVER_DOORS_OPENSTACK_PUBLIC_KEY_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_PUBLIC_KEY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hapax::openstack {

// The public half of a private RSA key in PEM: one line, as in `authorized_keys`, without a comment.
// Errors: INTERNAL, it is no such key.
[[nodiscard]] absl::StatusOr<std::string> PublicKeyOf(std::string_view private_key);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_PUBLIC_KEY_H_
