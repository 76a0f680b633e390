#ifndef HAPAX_SERVER_DOORS_OPENSTACK_REPLIES_H_
#define HAPAX_SERVER_DOORS_OPENSTACK_REPLIES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "hapax/server/doors/openstack/json_text.h"
#include "hapax/server/http/message.h"

namespace hapax::openstack {

// The only version of Nova's API that is served.
inline constexpr std::string_view kMicroversion = "2.1";

// A reply with the headers of all: a request id that no other reply has, and the version.
[[nodiscard]] HttpReply EmptyReply(int status);
[[nodiscard]] HttpReply JsonReply(int status, const JsonObject& body);

// An error in Nova's form, {"conflictingRequest": {"code": 409, "message": "..."}}, with header `hapax-retry`, and
// `Retry-After` where waiting helps.
[[nodiscard]] HttpReply ErrorReply(int status, std::string_view message);
// Likewise for an error of a call: its reason makes the status of HTTP. Field names of Hapax become those of Nova.
[[nodiscard]] HttpReply ErrorReply(const absl::Status& error);

}  // namespace hapax::openstack

#endif  // HAPAX_SERVER_DOORS_OPENSTACK_REPLIES_H_
