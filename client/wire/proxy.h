#ifndef HAPAX_CLIENT_WIRE_PROXY_H_
#define HAPAX_CLIENT_WIRE_PROXY_H_

#include <optional>
#include <string>
#include <string_view>

namespace hapax::client {

// A proxy from the environment.
struct Proxy {
  std::string variable;  // Such as `http_proxy`.
  std::string address;   // Without user and password.
};

// Whether the name of an endpoint (endpoint.h) denotes this machine: `localhost`, 127.0.0.0/8, `[::1]`, a Unix socket.
[[nodiscard]] bool IsLoopback(std::string_view endpoint);

// Returns the proxy that gRPC uses for an endpoint: that of grpc_proxy, else https_proxy, else http_proxy. There is
// none if no_grpc_proxy, else no_proxy, lists a suffix of the host's name, or if the endpoint is this machine.
// Requires: no thread changes the environment meanwhile.
[[nodiscard]] std::optional<Proxy> ProxyTo(std::string_view endpoint);

}  // namespace hapax::client

#endif  // HAPAX_CLIENT_WIRE_PROXY_H_
