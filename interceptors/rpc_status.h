#ifndef HAPAX_INTERCEPTORS_RPC_STATUS_H_
#define HAPAX_INTERCEPTORS_RPC_STATUS_H_

#include "absl/status/status.h"
#include "hapax/external/rpc/status.pb.h"

namespace hapax {

// The status as a message: code, message, and the payloads as details, ordered by type. It leaves out the cause
// (refusal.h).
[[nodiscard]] external::rpc::Status ToRpcStatus(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_RPC_STATUS_H_
