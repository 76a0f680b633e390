#ifndef HAPAX_SERVER_GRPC_GRPC_STATUS_H_
#define HAPAX_SERVER_GRPC_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace hapax {

// The status as gRPC sends it: the same code and message, and when it has payloads, all of it as a
// google.rpc.Status in `grpc-status-details-bin`. What is too large for a client is cut (refusal_bounds.h).
[[nodiscard]] grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_GRPC_STATUS_H_
