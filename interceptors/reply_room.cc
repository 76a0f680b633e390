#include "hapax/interceptors/reply_room.h"

#include "hapax/interceptors/message_budget.h"
#include "hapax/interceptors/refusal.h"

namespace hapax {

absl::Status RefuseWithoutReplyRoom(const UnaryCall& call) {
  if (call.reply_budget == nullptr || call.reply_budget->HasRoom(call.principal.tenant)) return absl::OkStatus();
  return Refuse(Reason::kOverloaded,
                "the tenant has large replies under way that it does not read: "
                "max_reply_bytes_in_flight");
}

}  // namespace hapax
