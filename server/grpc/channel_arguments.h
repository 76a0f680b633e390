#ifndef HAPAX_SERVER_GRPC_CHANNEL_ARGUMENTS_H_
#define HAPAX_SERVER_GRPC_CHANNEL_ARGUMENTS_H_

#include "grpcpp/server_builder.h"
#include "hapax/server/options/connection_limits.h"

namespace hapax {

// Applies the limits to the server being built.
void ApplyTo(grpc::ServerBuilder& builder, const ConnectionLimits& limits);

}  // namespace hapax

#endif  // HAPAX_SERVER_GRPC_CHANNEL_ARGUMENTS_H_
