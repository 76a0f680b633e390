#ifndef HAPAX_CLIENT_WIRE_GRPC_CONNECTION_H_
#define HAPAX_CLIENT_WIRE_GRPC_CONNECTION_H_

#include <memory>
#include <string>
#include <string_view>

#include "grpcpp/security/credentials.h"
#include "hapax/client/wire/endpoint_connection.h"

namespace hapax::client {

// Whether the text can be a value of metadata. gRPC ends the process when other values are sent.
[[nodiscard]] bool CanBeSent(std::string_view value);

// Opens a connection over gRPC to an endpoint (endpoint.h). A connection that is not the only one gives a silent server
// up earlier: 2 s to connect and 3 s without an acknowledgement by TCP, instead of 5 s and 10 s. `metadata` is sent
// with every attempt. `caller` is the name for Destination.
//
// Requires: gRPC works in this process (fork.h), CheckEndpoint, and CanBeSent of the metadata.
[[nodiscard]] std::shared_ptr<EndpointConnection> OpenGrpcConnection(
    const std::string& endpoint, bool is_only, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    Metadata metadata, std::string caller);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_GRPC_CONNECTION_H_
