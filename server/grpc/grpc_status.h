#ifndef HAPAX_SERVER_GRPC_GRPC_STATUS_H_
#define HAPAX_SERVER_GRPC_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace hapax {

// Converts to gRPC's status: the same code and message. A status with payloads is also a google.rpc.Status in
// `grpc-status-details-bin`. Details too large for a client are cut (refusal_bounds.h).
[[nodiscard]] grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_GRPC_STATUS_H_
