#include "hapax/server/compute/hypervisor/hypervisor_error.h"

#include <string>

#include "hapax/interceptors/refusal.h"

namespace hapax::compute {

v1::StateReason StateReasonOf(const absl::Status& error, std::string_view action) {
  v1::StateReason reason;
  if (absl::IsResourceExhausted(error)) {
    reason.set_code("Server.InsufficientInstanceCapacity");
    reason.set_message("There was insufficient capacity available to satisfy the " + std::string(action) + " request");
  } else {
    reason.set_code("Server.InternalError");
    reason.set_message("Internal error on " + std::string(action));
  }
  return reason;
}

absl::Status OperationErrorOf(const absl::Status& error, std::string_view action) {
  const Reason reason = absl::IsResourceExhausted(error) ? Reason::kInsufficientInstanceCapacity : Reason::kInternal;
  return Refuse(reason, StateReasonOf(error, action).message());
}

}  // namespace hapax::compute
