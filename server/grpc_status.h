#ifndef HAPAX_SERVER_GRPC_STATUS_H_
#define HAPAX_SERVER_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace hapax {

// The status as gRPC sends it: the same code and message, and the payloads, ordered by type, as the details
// of a google.rpc.Status in `grpc-status-details-bin`.
[[nodiscard]] grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_STATUS_H_
