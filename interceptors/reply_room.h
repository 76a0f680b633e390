#ifndef HAPAX_INTERCEPTORS_REPLY_ROOM_H_
#define HAPAX_INTERCEPTORS_REPLY_ROOM_H_

#include "absl/status/status.h"
#include "hapax/interceptors/call.h"

namespace hapax {

// OVERLOADED when the tenant has as many bytes of replies under way as it may; asked before execution starts, which may
// make one more (C32).
[[nodiscard]] absl::Status RefuseWithoutReplyRoom(const UnaryCall& call);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REPLY_ROOM_H_
