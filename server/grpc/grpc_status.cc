#include "hapax/server/grpc/grpc_status.h"

#include "hapax/interceptors/refusal_bounds.h"
#include "hapax/interceptors/rpc_status.h"

namespace hapax {

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // gRPC and Abseil use the same numbers for codes.
  const auto code = static_cast<grpc::StatusCode>(status.code());
  external::rpc::Status message = ToRpcStatus(status);
  FitRefusal(message);
  if (message.details().empty()) return {code, message.message()};
  return {code, message.message(), message.SerializeAsString()};
}

}  // namespace hapax
