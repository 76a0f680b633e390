#ifndef HAPAX_INTERCEPTORS_REPLY_ROOM_H_
#define HAPAX_INTERCEPTORS_REPLY_ROOM_H_

#include "absl/status/status.h"
#include "hapax/interceptors/call.h"

namespace hapax {

// OVERLOADED when the tenant's replies in flight have used up its share of bytes. Asked before execution starts, since
// execution may make one more reply (C32).
[[nodiscard]] absl::Status RefuseWithoutReplyRoom(const UnaryCall& call);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REPLY_ROOM_H_
